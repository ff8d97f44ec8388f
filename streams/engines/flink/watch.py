"""What the process of a mini-cluster says of its job: `/healthz` and `/metrics`.

Between `jobmanager` and the command line. The detectors run in the JVM, so this asks its REST
interface every few seconds. Promises that a job which restarts, or no longer answers, is unhealthy.
"""

import asyncio
import time
from typing import Final

from streams.config import MarginquakeError
from streams.engines.flink.jobmanager import FlinkRest, Job
from streams.telemetry import (
    CHECKPOINT_BYTES,
    CHECKPOINT_SECONDS,
    FLINK_FAILURES,
    FLINK_RUNNING,
    Health,
)

ASK_S: Final = 2.0
SILENT_S: Final = 15.0
STAGE: Final = "detect:flink"
ALL: Final = "all"
"""Flink tells one size of a checkpoint."""


class Watch:
    """The last answer of one job's JobManager."""

    def __init__(self) -> None:
        self._job: Job | None = None
        self._at = time.monotonic()

    def health(self) -> Health:
        """Healthy while the job runs; safe to call from any thread."""
        job, silent = self._job, time.monotonic() - self._at
        if job is None:
            return Health(False, "the job is not submitted yet")
        if silent > SILENT_S:
            return Health(False, f"job {job.id} has not been told of for {silent:.0f} s")
        detail = f"job {job.id} is {job.state}"
        if job.cause is not None:
            detail += f", restarted {job.failures} times, last after: {job.cause}"
        return Health(job.state == "RUNNING", detail)

    async def follow(self, host: str, port: int, job: str) -> None:
        """Ask until cancelled."""
        async with FlinkRest(host, port) as rest:
            while True:
                try:
                    self.take(await rest.job(job))
                except MarginquakeError:
                    FLINK_RUNNING.labels(stage=STAGE).set(0)
                await asyncio.sleep(ASK_S)

    def take(self, job: Job) -> None:
        """Publish what was told."""
        before = None if self._job is None else self._job.checkpoint_id
        self._job, self._at = job, time.monotonic()
        FLINK_RUNNING.labels(stage=STAGE).set(job.state == "RUNNING")
        FLINK_FAILURES.labels(stage=STAGE).set(job.failures)
        if job.checkpoint_id not in (None, before) and job.checkpoint_ms is not None:
            CHECKPOINT_BYTES.labels(stage=STAGE, partition=ALL).set(job.checkpoint_bytes or 0)
            CHECKPOINT_SECONDS.labels(stage=STAGE).observe(job.checkpoint_ms / 1000)
