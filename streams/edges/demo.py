"""The demo: a simulated hour through the real path, as the processes that a user would start.

Broker, topics, migrations, framer, Faust worker and sink on this machine, in a folder of their
own under MARGINQUAKE_HOME; or the in-process engine where Java or Maven is missing. Promises
each step's time, that a stage is stopped only after everything before it is read and written,
an error that names process and log, and that nothing it started is left running.
"""

import asyncio
import fcntl
import importlib.util
import json
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from rich.console import Console

from streams.config import MarginquakeError, Settings
from streams.contracts import FRAMES, MARKET_INPUTS, RAW
from streams.edges.broker import HOST, Broker
from streams.edges.crew import Crew
from streams.edges.demo_report import DemoReport, read_report
from streams.edges.framer import GROUP as FRAMER_GROUP
from streams.edges.generator import SEED, Hour, generate
from streams.edges.intake import TOPICS as SINK_TOPICS
from streams.edges.kafka_jars import java_command, resolve_jars
from streams.edges.lag import Lag, lag_reader
from streams.edges.sink import GROUP as SINK_GROUP
from streams.edges.warehouse import connect, parse_dsn

Engine = Literal["faust", "inprocess"]

DETECT_GROUP: Final = "marginquake-detect"
"""Consumer group of the Faust engine, which is its application id."""

MARKER: Final = "marginquake-demo.json"
"""A folder with this file is the demo's own and may be wiped."""

POLL_S: Final = 0.3
STALLED_S: Final = 120.0


@dataclass(slots=True)
class Outcome:
    """What a demo did and found."""

    engine: Engine
    home: str
    warehouse: str
    hour: Hour
    report: DemoReport
    seconds: float
    steps: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`; dollars micro-dollars, times microseconds."""
        return {
            "engine": self.engine,
            "home": self.home,
            "warehouse": self.warehouse,
            "seconds": round(self.seconds, 3),
            "steps": {name: round(seconds, 3) for name, seconds in self.steps.items()},
            "simulated": msgspec.to_builtins(self.hour),
            **self.report.as_json(),
        }


class Steps:
    """Tells each step and its seconds on standard error; live on a terminal."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[Callable[[str], None]]:
        """One step; call what is given with a few words on how far it is."""
        began = time.monotonic()
        told = ""
        with self.console.status(name) as status:

            def tell(detail: str) -> None:
                nonlocal told
                told = detail
                status.update(f"{name}  {detail}")

            yield tell
        self.seconds[name] = took = time.monotonic() - began
        self.console.print(f"  {name:<22} {took:6.1f} s  {told}")

    def say(self, text: str) -> None:
        """A line between steps."""
        self.console.print(text, markup=False)


def run_demo(here: Settings, own_dsn: bool, engine: Engine | None, keep: bool) -> Outcome:
    """Run the demo to its end.

    Args:
        here: settings of this process.
        own_dsn: the user has set CLICKHOUSE_DSN: write there, else into the demo's folder.
        engine: None takes Faust where Java, Maven and Faust are here.
        keep: go on with what an earlier demo left instead of starting afresh.

    Raises:
        MarginquakeError: names the step, process and log.
    """
    began = time.monotonic()
    steps = Steps()
    home = here.home / "demo"
    dsn = here.clickhouse_dsn if own_dsn else f"chdb://{home / 'warehouse'}"
    label = parse_dsn(dsn).label
    with _terminating(), _owned(home):
        jars = here.home / "kafka" / "lib"
        chosen = engine or _choose(jars, steps)
        if chosen == "faust":
            _require_faust()
        steps.say(f"demo with the engine {chosen}, in {home}; rows go to {label}")
        if not keep:
            _wipe(home, jars)
        (home / "log").mkdir(exist_ok=True)
        hour = _hour(home, steps)
        crew = Crew(home / "log", {"MARGINQUAKE_HOME": str(home), "CLICKHOUSE_DSN": dsn})
        try:
            with steps.step("migrate") as tell:
                done = crew.run("migrate", "migrate")
                tell(f"{len(done['migrations'])} migrations")
            if chosen == "faust":
                _through_kafka(home, jars, dsn, Path(hour.path), steps)
            else:
                with steps.step("replay") as tell:
                    found = crew.run("replay", "replay", hour.path)
                    tell(f"{found['records']:,} records, {found['frames']:,} frames")
        finally:
            crew.end_all()
        with connect(dsn) as client:
            report = read_report(client)
    seconds = time.monotonic() - began
    return Outcome(chosen, str(home), label, hour, report, seconds, steps.seconds)


def _choose(jars: Path, steps: Steps) -> Engine:
    """Faust where all it needs is here; else says in one line why not."""
    try:
        _require_faust()
        java_command()
        if not jars.is_dir():
            steps.say("first run: 44 MB of Kafka jars come by Maven, once; Flink is not needed")
            with steps.step("Kafka jars"):
                resolve_jars(jars)
        else:
            resolve_jars(jars)
    except MarginquakeError as error:
        steps.say(f"no Kafka path here ({error}): the in-process engine gives identical results")
        return "inprocess"
    return "faust"


def _require_faust() -> None:
    if importlib.util.find_spec("faust") is None:
        raise MarginquakeError("Faust is not installed: pip install 'marginquake[faust]'")


def _hour(home: Path, steps: Steps) -> Hour:
    """The simulated hour; what an earlier demo generated is taken as it is."""
    marker = home / MARKER
    path = home / "hour.jsonl.zst"
    if path.exists():
        return msgspec.json.decode(marker.read_bytes(), type=Hour)
    with steps.step("simulate an hour") as tell:
        # Under another name until it is whole: a demo may be interrupted here.
        part = path.with_suffix(".part")
        hour = generate(part, SEED, progress=lambda count: tell(f"{count:,} records"))
        hour = msgspec.structs.replace(hour, path=str(part.rename(path)))
        marker.write_bytes(msgspec.json.encode(hour))
        tell(f"{hour.records:,} records of three venues, seed {hour.seed}")
    return hour


def _through_kafka(home: Path, jars: Path, dsn: str, log: Path, steps: Steps) -> None:
    """Broker, topics, all stages, the import; each stage is stopped when it has read all."""
    broker = Broker(home, _free_port(), jars=jars)
    env = {
        "MARGINQUAKE_HOME": str(home),
        "MARGINQUAKE_KAFKA": broker.bootstrap,
        "CLICKHOUSE_DSN": dsn,
    }
    crew = Crew(home / "log", env)
    try:
        with steps.step("broker") as tell:
            broker.start()
            tell(f"Apache Kafka on {broker.bootstrap}")
        with steps.step("topics") as tell:
            tell(f"{len(crew.run('topics', 'topics', '--create')['topics'])} topics")
        crew.start("framer", "framer")
        crew.start("detect", "detect", "--engine", "faust")
        crew.start("sink", "sink")
        with steps.step("import") as tell:
            if asyncio.run(_lag(broker.bootstrap, FRAMER_GROUP, (RAW,))).records:
                tell("already in raw.v1")
            else:
                tell(f"{crew.run('import', 'import', str(log))['records']:,} records in raw.v1")
        for name, group, topics in (
            ("framer", FRAMER_GROUP, (RAW,)),
            ("detect", DETECT_GROUP, (FRAMES, MARKET_INPUTS)),
            ("sink", SINK_GROUP, SINK_TOPICS),
        ):
            with steps.step(name) as tell:
                read = asyncio.run(_drained(broker.bootstrap, name, group, topics, crew, tell))
                crew.stop(name)
                tell(f"{read.records:,} records read, ended with 0")
    finally:
        crew.end_all()
        with steps.step("stop"):
            broker.stop()


async def _lag(bootstrap: str, group: str, topics: Sequence[str]) -> Lag:
    async with lag_reader(bootstrap) as reader:
        return await reader.read(group, topics)


async def _drained(
    bootstrap: str,
    name: str,
    group: str,
    topics: Sequence[str],
    crew: Crew,
    tell: Callable[[str], None],
) -> Lag:
    """Return when the group has read all and nothing was added meanwhile.

    The detectors feed one of their own topics, so one look with no lag is not enough.
    """
    before: Lag | None = None
    moved = time.monotonic()
    async with lag_reader(bootstrap) as reader:
        while True:
            crew.check()
            lag = await reader.read(group, topics)
            if lag.behind == 0 and lag == before:
                return lag
            if lag != before:
                moved = time.monotonic()
            elif time.monotonic() - moved > STALLED_S:
                raise MarginquakeError(
                    f"{name} has not moved for {STALLED_S:g} s with {lag.behind:,} records to "
                    f"read; its log is {crew.log(name)}"
                )
            before = lag
            tell(f"{lag.done:,} of {lag.records:,} records")
            # Two equal looks must lie farther apart than a producer lingers.
            await asyncio.sleep(POLL_S if lag.behind else 3 * POLL_S)


@contextmanager
def _owned(home: Path) -> Iterator[None]:
    """The demo's folder, held against a second demo.

    Raises:
        MarginquakeError: another demo runs in it, or it holds files of someone else.
    """
    home.mkdir(parents=True, exist_ok=True)
    marker = home / MARKER
    if not marker.exists():
        if any(item.name != "lock" for item in home.iterdir()):
            raise MarginquakeError(
                f"{home} holds files that are not a demo's; move them, or set MARGINQUAKE_HOME "
                "to another folder"
            )
        marker.write_text(json.dumps({}))
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise MarginquakeError(f"another demo runs in {home}; wait for its end") from None
        yield


def _wipe(home: Path, jars: Path) -> None:
    """Remove what an earlier demo left, its broker first, should it still run."""
    Broker(home, jars=jars).stop()
    for item in home.iterdir():
        if item.name in ("lock", MARKER):
            continue
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()


@contextmanager
def _terminating() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP end the demo once; a second one cannot break the cleaning up."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, frame: object) -> None:
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    except KeyboardInterrupt:
        raise MarginquakeError(
            "interrupted; every process that the demo started has ended"
        ) from None
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])
