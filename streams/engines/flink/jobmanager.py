"""A Flink JobManager over its REST interface: state of a job, savepoints, an orderly stop.

Under `session` and `marginquake flink`. Promises that each
answer which is no success is a MarginquakeError that names the request and the cause. Source:
Flink's REST API documentation, version 1 of the interface.
"""

import asyncio
from typing import Any, Final, Self

import aiohttp
import msgspec

from streams.config import MarginquakeError
from streams.contracts import FRAMES, MARKET_INPUTS

DETECT: Final = "marginquake detect"
"""Name of the detectors' job."""
GROUP: Final = "marginquake-detect-flink"
"""Commits offsets with each checkpoint, for lag alone: positions are the checkpoint's."""
INPUTS: Final = (FRAMES, MARKET_INPUTS)
"""What the detectors' job reads."""
ENDED: Final = frozenset({"FAILED", "FINISHED", "CANCELED", "SUSPENDED"})
STARTING: Final = frozenset({"CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING"})
START_S: Final = 30.0
POLL_S: Final = 0.3
SAVEPOINT_S: Final = 600.0


class Job(msgspec.Struct, frozen=True):
    """One job: `running_ms` since its start; `failures` that it was restarted after, of which Flink
    keeps 16, and the `cause` of the last; the last checkpoint's number, path, size and time taken.
    """

    id: str
    name: str
    state: str
    running_ms: int
    failures: int
    cause: str | None = None
    checkpoint_id: int | None = None
    checkpoint: str | None = None
    checkpoint_bytes: int | None = None
    checkpoint_ms: int | None = None


class FlinkRest:
    """One JobManager; use as an async context."""

    def __init__(self, host: str, port: int) -> None:
        self._base = f"http://{host}:{port}/v1"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None  # noqa: S101  entered above
        await self._session.close()

    async def jobs(self) -> list[Job]:
        """Every job that the JobManager knows, newest first."""
        overview = await self._ask("GET", "jobs/overview")
        found = sorted(overview["jobs"], key=lambda job: -job["start-time"])
        return [await self.job(job["jid"]) for job in found]

    async def job(self, job: str) -> Job:
        """One job."""
        told = await self._ask("GET", f"jobs/{job}")
        checkpoints = await self._ask("GET", f"jobs/{job}/checkpoints")
        last = (checkpoints.get("latest") or {}).get("completed") or {}
        failed = await self._ask("GET", f"jobs/{job}/exceptions")
        failures = failed.get("exceptionHistory", {}).get("entries", [])
        return Job(
            id=job,
            name=told["name"],
            state=told["state"],
            running_ms=told["duration"],
            failures=len(failures),
            cause=innermost(failures[0]["stacktrace"]) if failures else None,
            checkpoint_id=last.get("id"),
            checkpoint=last.get("external_path"),
            checkpoint_bytes=last.get("state_size"),
            checkpoint_ms=last.get("end_to_end_duration"),
        )

    async def running(self, name: str) -> Job:
        """The one job of that name that has not ended.

        Raises:
            MarginquakeError: there is none, or more than one.
        """
        found = [job for job in await self.jobs() if job.name == name and job.state not in ENDED]
        if len(found) != 1:
            held = ", ".join(job.id for job in found) or "none"
            raise MarginquakeError(
                f"{self._base} runs {len(found)} jobs {name!r} ({held}): name one with --job"
            )
        return found[0]

    async def savepoint(self, job: str, folder: str) -> str:
        """Write a savepoint below `folder` (a URI) while the job runs; its path."""
        return await self._saved(job, "savepoints", {"target-directory": folder})

    async def stop(self, job: str, folder: str) -> str:
        """Write a savepoint below `folder` and end the job with it; its path."""
        return await self._saved(job, "stop", {"targetDirectory": folder, "drain": False})

    async def _saved(self, job: str, action: str, body: dict[str, Any]) -> str:
        await self._started(job)
        trigger = (await self._ask("POST", f"jobs/{job}/{action}", body))["request-id"]
        try:
            async with asyncio.timeout(SAVEPOINT_S):
                while True:
                    told = await self._ask("GET", f"jobs/{job}/savepoints/{trigger}")
                    if told["status"]["id"] == "COMPLETED":
                        break
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise MarginquakeError(f"job {job} wrote no savepoint in {SAVEPOINT_S:.0f} s") from None
        if failure := told["operation"].get("failure-cause"):
            raise MarginquakeError(
                f"job {job} wrote no savepoint: {innermost(failure['stack-trace'])}"
            )
        return str(told["operation"]["location"])

    async def _started(self, job: str) -> None:
        """Wait a while for tasks that have yet to start: Flink saves nothing before."""
        deadline = asyncio.get_running_loop().time() + START_S
        while asyncio.get_running_loop().time() < deadline:
            told = await self._ask("GET", f"jobs/{job}")
            states = {task["status"] for task in told["vertices"]}
            if told["state"] in ENDED or not states & STARTING:
                return
            await asyncio.sleep(POLL_S)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        assert self._session is not None  # noqa: S101  used as a context
        try:
            async with self._session.request(method, f"{self._base}/{path}", json=body) as answer:
                told = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise MarginquakeError(
                f"no JobManager answers at {self._base} ({type(error).__name__}); start one with "
                "`marginquake detect --engine flink`, or name it with --jobmanager HOST:PORT"
            ) from None
        if answer.status >= 400:
            said = told.get("errors", told) if isinstance(told, dict) else told
            raise MarginquakeError(
                f"{method} {path} at {self._base}: {innermost(str(said[-1] if said else said))}"
            )
        return told


def innermost(trace: str) -> str:
    """What went wrong at the bottom of a Java stack trace, on one line: the error that Python
    raised, where it did, else the last cause.
    """
    lines = [line.strip() for line in trace.splitlines()]
    noise = ("at ", "...", "Suppressed", "End of exception on server side")
    told = [line for line in lines if line and not line.startswith(noise)]
    python = [line for line in told if "MarginquakeError" in line]
    causes = [line for line in told if line.startswith(("Caused by:", ": "))]
    said = (python or causes or told or ["no cause is told"])[-1]
    return said.removeprefix("Caused by:").removeprefix(":").strip()[:600]
