"""Commands `bench core`, `normalise`, `framer` and `state` of the group "prove"."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

if TYPE_CHECKING:
    from streams.edges.bench_detectors import Cost

bench = typer.Typer(
    help="Measure the data path by CPU time, against the least that any loop must do.",
    no_args_is_help=True,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Rounds = Annotated[int, typer.Option(min=1, help="Rounds of both loops, in turn.")]


@bench.command("core")
def bench_core(
    events: Annotated[int, typer.Option(min=1000, help="Events (rows), about.")] = 400_000,
    rounds: Rounds = 5,
    minutes: Annotated[
        int, typer.Option(min=0, max=60, help="Of the demo's hour, for the detectors; 0: none.")
    ] = 60,
    as_json: AsJson = False,
) -> None:
    """Bytes to frames, windows and prints in memory, against a loop of json.loads alone.

    A made log of a cascade's busiest minutes; both loops read the same bytes in this process.
    "trades only" leaves out forced orders, tickers and books. Medians, by CPU time.

    Then the demo's simulated hour through the asset stages, with a clock around each detector: the
    mean cost of an asset-second by detector.

    Example: marginquake bench core --events 200000
    """
    import gc

    from rich.table import Table

    from streams.contracts import partition_for
    from streams.core.lanes import VenueParser
    from streams.edges.bench_core import measure
    from streams.edges.bench_log import MIX, raw_log
    from streams.edges.console import show_table
    from streams.edges.progress import waiting
    from streams.engines.inprocess import InProcess
    from streams.venues import PARSERS
    from streams.venues.catalog import default_instruments

    instruments = default_instruments()
    decoders = {
        venue: parser.trades.readers[0]
        for venue, parser in PARSERS.items()
        if isinstance(parser, VenueParser) and parser.trades is not None
    }
    items = raw_log(events)
    trades = [item for item in items if item.raw.channel in ("trade", "status")]
    gc.set_threshold(100_000, 50, 50)
    with waiting("measuring", quiet=as_json):
        found = [
            measure(
                name,
                [item.raw for item in some],
                sum(item.rows for item in some),
                lambda: InProcess(PARSERS, instruments, partition_for),
                decoders,
                rounds,
            )
            for name, some in (("mix", items), ("trades only", trades))
        ]
        spent = None if minutes == 0 else _detectors(minutes)
    if as_json:
        core = [msgspec.structs.asdict(one) for one in found]
        detectors = None if spent is None else msgspec.structs.asdict(spent)
        typer.echo(json.dumps({"core": core, "detectors": detectors}))
        return
    typer.echo(MIX)
    table = Table(
        "log", "events", "bytes", "core events/s", "json.loads alone", "msgspec alone", "ratio"
    )
    for one in found:
        table.add_row(
            one.name,
            f"{one.events:,}",
            f"{one.mean_bytes:.0f}",
            f"{one.core:,.0f}",
            f"{one.json_only:,.0f}",
            f"{one.decode_only:,.0f}",
            f"{one.ratio:.2f}",
        )
    show_table(table)
    if spent is not None:
        _show_cost(spent, minutes)


def _detectors(minutes: int) -> "Cost":
    """The cost of the detectors over the first minutes of the demo's hour."""
    from itertools import takewhile

    from streams.contracts import partition_for
    from streams.core.events import MICROS
    from streams.core.params import Params
    from streams.edges.archives import lines
    from streams.edges.bench_detectors import cost
    from streams.edges.demo_hour import ASSETS, HOURS, SCENARIO, SEED
    from streams.edges.replay import frames_of
    from streams.simulation.files import LOG
    from streams.simulation.run import simulate
    from streams.simulation.scenarios import scenario
    from streams.venues import PARSERS
    from streams.venues.catalog import default_instruments

    instruments = default_instruments()
    with TemporaryDirectory(prefix="marginquake-bench-") as folder:
        run = simulate(scenario(SCENARIO), SEED, Path(folder), ASSETS, HOURS, labels=False)
        until_us = (run.truth.begin + minutes * 60) * MICROS
        log = takewhile(
            lambda line: minutes == 60 or line.raw.received_at_us < until_us,
            lines([Path(folder) / LOG], PARSERS, instruments),
        )
        return cost(frames_of(log, PARSERS, instruments, partition_for), Params())


def _show_cost(spent: "Cost", minutes: int) -> None:
    from rich.table import Table

    from streams.edges.console import show_table

    typer.echo(
        f"detectors over {minutes} simulated minutes: {spent.assets} assets, {spent.frames:,} "
        f"asset-seconds, {spent.us:.0f} us each"
    )
    table = Table("detector", "us per asset-second", "share")
    for name, us in sorted(spent.us_by_detector.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{us:.1f}", f"{us / spent.us:.0%}")
    show_table(table)


@bench.command("normalise")
def bench_normalise(
    messages: Annotated[
        int, typer.Option(min=100, help="Messages a round, of each venue and channel, about.")
    ] = 5_000,
    rounds: Rounds = 5,
    channels: Annotated[
        bool, typer.Option("--channels", help="A row for each channel too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What a message costs to decode and normalise, by venue, against decoding it alone.

    The documented examples of raw.v1, each many times over. Microseconds of CPU time a message;
    "ratio" is normalise to msgspec alone. --json has the rows of all channels.

    Example: marginquake bench normalise --channels
    """
    from rich.table import Table

    from streams.edges.bench_normalise import ALL, documented, measure
    from streams.edges.console import show_table
    from streams.edges.progress import waiting
    from streams.venues import PARSERS
    from streams.venues.catalog import default_instruments

    with waiting("measuring", quiet=as_json):
        found = measure(documented(), PARSERS, default_instruments(), messages, rounds)
    if as_json:
        typer.echo(json.dumps([msgspec.structs.asdict(one) for one in found]))
        return
    table = Table(
        *("venue", "channel", "messages", "bytes", "events", "json.loads us", "msgspec us"),
        *("normalise us", "ratio"),
    )
    for one in found:
        if channels or one.channel == ALL:
            table.add_row(
                one.venue,
                one.channel,
                str(one.messages),
                f"{one.mean_bytes:.0f}",
                f"{one.events:.1f}",
                f"{one.json_us:.2f}",
                f"{one.msgspec_us:.2f}",
                f"{one.normalise_us:.2f}",
                f"{one.ratio:.1f}",
            )
    show_table(table)


@bench.command("state")
def bench_state(
    days: Annotated[int, typer.Option(min=1, help="Days of history.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Bytes an asset takes, by detector, after months of history; and what 400 assets take.

    One busy frame an hour, every channel of three venues; the minutes between are closed too.
    Memory is resident memory of stages restored from the stored bytes (Linux).

    Example: marginquake bench state --days 30
    """
    from rich.table import Table

    from streams.core.params import Params
    from streams.edges.bench_detectors import state
    from streams.edges.console import show_table
    from streams.edges.progress import counting

    with counting("hours of history", quiet=as_json) as progress:
        found = state(days, Params(), 40, progress)
    if as_json:
        typer.echo(json.dumps(msgspec.structs.asdict(found)))
        return
    table = Table("detector", "stored bytes an asset")
    for name, size in sorted(found.bytes_by_detector.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{size:,}")
    table.add_row("all", f"{sum(found.bytes_by_detector.values()):,}")
    show_table(table)
    typer.echo(
        f"hot record {found.hot:,} bytes; in memory {found.memory:,} bytes an asset, "
        f"{found.memory * 400 / 2**20:,.0f} MiB for 400 assets"
    )


@bench.command("framer")
def bench_framer(
    records: Annotated[int, typer.Option(min=1000, help="Raw records, about.")] = 400_000,
    rounds: Rounds = 3,
    kafka: Annotated[
        str | None,
        typer.Option(help="Bootstrap servers with an empty raw.v1.", show_default="own broker"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The framer process on a real broker, against a loop that fetches and looks at nothing.

    Starts a broker of its own in a temporary folder (Java 17 and Maven) unless --kafka is given.
    CPU time of the client processes only; both loops run on uvloop.

    Example: marginquake bench framer --records 200000
    """
    from contextlib import ExitStack

    from rich.table import Table

    from streams.config import settings
    from streams.edges.bench_framer import measure
    from streams.edges.bench_log import MIX, raw_log
    from streams.edges.broker import Broker
    from streams.edges.console import show_table
    from streams.edges.crew import free_port
    from streams.venues import PARSERS
    from streams.venues.catalog import default_instruments

    with ExitStack() as stack:
        if kafka is None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="marginquake-bench-")))
            own = Broker(folder, free_port(), jars=settings().home / "kafka" / "lib")
            stack.callback(own.stop)
            kafka = own.start()
        items = raw_log(records)

        def tell(text: str) -> None:
            typer.echo(text, err=True)

        found = measure(kafka, items, PARSERS, default_instruments(), rounds, tell)
    if as_json:
        typer.echo(json.dumps(msgspec.structs.asdict(found)))
        return
    typer.echo(MIX)
    table = Table("loop", "records per CPU second", "events per CPU second", "share")
    table.add_row("bare getmany", f"{found.bare_records:,.0f}", "", "1.00")
    table.add_row(
        "framer",
        f"{found.framer_records:,.0f}",
        f"{found.framer_events:,.0f}",
        f"{found.ratio:.2f}",
    )
    show_table(table)
