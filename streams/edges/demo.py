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
from streams.edges.broker import Broker
from streams.edges.crew import Crew, Interrupts, free_port
from streams.edges.demo_hour import (
    Hour,
    hour_files,
    read_hour,
    require_simulator,
    simulation,
    warm_up,
)
from streams.edges.demo_report import DemoReport, beside_truth, read_report
from streams.edges.framer import GROUP as FRAMER_GROUP
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
            "truth": msgspec.to_builtins(beside_truth(self.report, self.hour)),
        }


class Steps:
    """Tells each step and its seconds on standard error; live on a terminal."""

    def __init__(self) -> None:
        self.console = Console(
            stderr=True, markup=False, emoji=False, highlight=False, soft_wrap=True
        )
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
        self.console.print(text)


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where a demo happens."""

    home: Path
    jars: Path
    dsn: str
    steps: Steps
    interrupts: Interrupts

    def crew(self, **env: str) -> Crew:
        """Processes with this demo's settings."""
        mine = {"MARGINQUAKE_HOME": str(self.home), "CLICKHOUSE_DSN": self.dsn, **env}
        return Crew(self.home / "log", mine, self.interrupts)


def run_demo(here: Settings, own_dsn: bool, engine: Engine | None, keep: bool) -> Outcome:
    """Run the demo to its end.

    Args:
        here: settings of this process.
        own_dsn: the user has set CLICKHOUSE_DSN: write there, else into the demo's folder.
        engine: None takes Faust where Java, Maven and Faust are here.
        keep: go on with what an earlier demo left instead of starting afresh.

    Raises:
        MarginquakeError: names the step, process and log; or the demo was interrupted.
    """
    home = here.home / "demo"
    dsn = here.clickhouse_dsn if own_dsn else f"chdb://{home / 'warehouse'}"
    ground = _Ground(home, here.home / "kafka" / "lib", dsn, Steps(), Interrupts())
    try:
        with ground.interrupts.listening(), _owned(home):
            return _run(ground, engine, keep)
    except KeyboardInterrupt:
        raise MarginquakeError(
            "interrupted; every process that the demo started has ended"
        ) from None


def _run(ground: _Ground, engine: Engine | None, keep: bool) -> Outcome:
    began = time.monotonic()
    steps, home, label = ground.steps, ground.home, parse_dsn(ground.dsn).label
    chosen = engine or _choose(ground)
    if chosen == "faust":
        _require_faust()
    if not keep or not _folder(ground).exists():
        require_simulator()
    steps.say(f"demo with the engine {chosen}, in {home}; rows go to {label}")
    if not keep:
        _wipe(ground)
    (home / "log").mkdir(exist_ok=True)
    crew = ground.crew()
    try:
        hour = _hour(ground, crew)
        with steps.step("migrate") as tell:
            tell(f"{len(crew.run('migrate', 'migrate')['migrations'])} migrations")
        if chosen == "faust":
            _through_kafka(ground)
        else:
            with steps.step("replay") as tell:
                found = crew.run("replay", "replay", *map(str, hour_files(_folder(ground))))
                tell(f"{found['records']:,} records, {found['frames']:,} frames")
    finally:
        with ground.interrupts.held():
            crew.end_all()
    with steps.step("ask the views"), connect(ground.dsn) as client:
        report = read_report(client, hour)
    seconds = time.monotonic() - began
    return Outcome(chosen, str(home), label, hour, report, seconds, steps.seconds)


def _choose(ground: _Ground) -> Engine:
    """Faust where all it needs is here; else says in one line why not."""
    jars, steps = ground.jars, ground.steps
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


def _folder(ground: _Ground) -> Path:
    return ground.home / "hour"


def _hour(ground: _Ground, crew: Crew) -> Hour:
    """The simulated hour; what an earlier demo simulated is taken as it is."""
    marker, folder, steps = ground.home / MARKER, _folder(ground), ground.steps
    if folder.exists():
        return msgspec.json.decode(marker.read_bytes(), type=Hour)
    # Under another name until it is whole: a demo may be interrupted here.
    part = folder.with_suffix(".part")
    with steps.step("compile the simulator") as tell:
        tell("up to a minute the first time")
        crew.run("simulate", *warm_up(part))
        tell("its machine code is kept")
    with steps.step("simulate an hour") as tell:
        hour = read_hour(part, crew.run("simulate", *simulation(part))["lines"])
        marker.write_bytes(msgspec.json.encode(hour))
        part.rename(folder)
        tell(f"{hour.records:,} records of three venues: {hour.scenario}, seed {hour.seed}")
    return hour


def _through_kafka(ground: _Ground) -> None:
    """Broker, topics, all stages, the import; each stage is stopped when it has read all."""
    steps = ground.steps
    broker = Broker(ground.home, free_port(), jars=ground.jars)
    crew = ground.crew(MARGINQUAKE_KAFKA=broker.bootstrap)
    try:
        with steps.step("broker") as tell:
            with ground.interrupts.held():
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
                sent = crew.run("import", "import", *map(str, hour_files(_folder(ground))))
                tell(f"{sent['records']:,} records in raw.v1")
        for name, group, topics in (
            ("framer", FRAMER_GROUP, (RAW,)),
            ("detect", DETECT_GROUP, (FRAMES, MARKET_INPUTS)),
            ("sink", SINK_GROUP, SINK_TOPICS),
        ):
            with steps.step(name) as tell:
                crew.await_ready(name)
                read = asyncio.run(_drained(broker.bootstrap, name, group, topics, crew, tell))
                crew.stop(name)
                tell(f"{read.records:,} records read, ended with 0")
    finally:
        with ground.interrupts.held(), steps.step("stop"):
            crew.end_all()
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


def _wipe(ground: _Ground) -> None:
    """Remove what an earlier demo left, its broker first, should it still run."""
    Broker(ground.home, jars=ground.jars).stop()
    for item in ground.home.iterdir():
        if item.name in ("lock", MARKER):
            continue
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()
