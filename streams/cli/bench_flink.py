"""Command `bench flink`: the Flink job beside Faust workers, on a broker of its own."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from streams.cli.options import AsJson

if TYPE_CHECKING:
    from streams.core.frames import Frame
    from streams.edges.bench_engines import Kept, Setup
    from streams.edges.broker import Broker

BROKER_PORT = 18_093
REST_PORT = 18_095
NAMES = (
    "faust 1",
    "faust 2",
    "flink 1 thread",
    "flink 2 thread",
    "flink 1 process",
    "flink 2 process",
)
"""Engine, workers or parallelism, and where Flink runs Python."""


def bench_flink(
    assets: Annotated[int, typer.Option(min=8, max=1000, help="Assets, with equal frames.")] = 100,
    seconds: Annotated[int, typer.Option(min=10, max=3600, help="Frames of each asset.")] = 300,
    load: Annotated[
        Literal["cascade", "ordinary"],
        typer.Option(help="Seconds around the demo's cascade, or the first of its hour."),
    ] = "cascade",
    history_minutes: Annotated[
        int, typer.Option(min=0, help="Frames before them, one a minute: the age of the state.")
    ] = 0,
    only: Annotated[
        list[str] | None,
        typer.Option(help="A setup's name; may be given again.", show_default="all"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Frames a second of the Flink job and of Faust workers, each on a broker of its own.

    Frames are seconds of the demo's hour, under so many assets' names. A state of 24 hours:
    --assets 400 --seconds 60 --history-minutes 1440 --only "flink 1 thread".

    Needs the extras faust, flink and simulate, Java 17 and Maven.

    Example: marginquake bench flink --assets 100 --seconds 300
    """
    from rich.table import Table

    from streams.edges.bench_engines import Measured, fill, measure
    from streams.edges.console import show_table
    from streams.edges.progress import counting

    if unknown := set(only or ()) - set(NAMES):
        raise typer.BadParameter(f"{unknown.pop()!r} is none of {', '.join(NAMES)}")
    frames = _seconds_of_the_demo(load, seconds)
    found: list[Measured] = []
    for name in only or NAMES:
        with _broker() as (broker, home):
            with counting("frames written", quiet=as_json) as progress:
                fill(broker.bootstrap, frames, assets, history_minutes, progress)
            with counting(f"frames through {name}", quiet=as_json) as progress:
                found.append(measure(broker.bootstrap, home, _setup(name), _kept, progress))
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("engine", "frames", "frames/s", "frames/CPU s", "state MB", "checkpoint ms")
    for one in found:
        size = None if one.kept is None else one.kept.bytes
        table.add_row(
            one.name,
            f"{one.frames:,}",
            f"{one.frames_per_s:,.0f}",
            f"{one.frames_per_cpu_s:,.0f}",
            "-" if size is None else f"{size / 1e6:,.1f}",
            "-" if one.kept is None else str(one.kept.ms),
        )
    show_table(table)


def _setup(name: str) -> "Setup":
    from streams.edges.bench_engines import Setup
    from streams.engines.faust_app import APP_ID
    from streams.engines.flink.jobmanager import GROUP

    engine, number, *mode = name.split()
    if engine == "faust":
        return Setup(name, APP_ID, (), processes=int(number))
    options = ("--engine", "flink", "--checkpoint-seconds", "2", "--rest-port", str(REST_PORT))
    return Setup(name, GROUP, (*options, "--parallelism", number, "--python-mode", *mode))


@contextmanager
def _broker() -> "Iterator[tuple[Broker, Path]]":
    """A broker in a folder that goes with it; jars are those of MARGINQUAKE_HOME."""
    from streams.config import settings
    from streams.edges.broker import Broker

    jars = settings().home
    (jars / "flink" / "lib").mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="marginquake-bench-") as folder:
        home = Path(folder)
        (home / "flink").mkdir()
        (home / "flink" / "lib").symlink_to(jars / "flink" / "lib")
        broker = Broker(home, BROKER_PORT, jars=jars / "kafka" / "lib")
        broker.start()
        try:
            yield broker, home
        finally:
            broker.stop()


def _kept(setup: "Setup") -> "Kept | None":
    """The last checkpoint of a Flink job that runs; Faust tells none."""
    from streams.edges.bench_engines import Kept
    from streams.engines.flink.jobmanager import DETECT, FlinkRest

    if not setup.name.startswith("flink"):
        return None

    async def ask() -> Kept:
        async with FlinkRest("127.0.0.1", REST_PORT) as rest:
            job = await rest.running(DETECT)
            return Kept(job.checkpoint_bytes, job.checkpoint_ms)

    return asyncio.run(ask())


def _seconds_of_the_demo(load: str, seconds: int) -> "list[Frame]":
    """Of its first asset: around the hour's cascade, or the first of them."""
    from streams.contracts import partition_for
    from streams.edges.archives import lines
    from streams.edges.demo_hour import ASSETS, HOURS, SCENARIO, SEED
    from streams.edges.replay import frames_of
    from streams.simulation.files import LOG
    from streams.simulation.run import simulate
    from streams.simulation.scenarios import scenario
    from streams.venues import PARSERS
    from streams.venues.catalog import default_instruments

    instruments = default_instruments()
    with TemporaryDirectory(prefix="marginquake-bench-") as folder:
        simulate(scenario(SCENARIO), SEED, Path(folder), ASSETS, HOURS, labels=False)
        log = lines([Path(folder) / LOG], PARSERS, instruments)
        frames = frames_of(log, PARSERS, instruments, partition_for)
    own = [frame for frame in frames if frame.asset == "BTC"]
    if load == "ordinary":
        return own[:seconds]
    forced = [sum(cell.usd for cell in frame.cells) for frame in own]
    middle = forced.index(max(forced))
    begin = max(0, min(middle - seconds // 2, len(own) - seconds))
    return own[begin : begin + seconds]
