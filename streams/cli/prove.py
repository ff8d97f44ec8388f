"""Commands of the group "prove": bench, regime, schemas."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import msgspec
import typer

PANEL = "prove"


def schemas(
    action: Annotated[Literal["generate", "check"], typer.Argument(help="What to do.")],
    folder: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Generated files.", show_default="schemas/generated"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Write the JSON Schema files and the AsyncAPI document, or tell which are out of step.

    They follow the models in schemas/*.py and schemas/topics.yaml. `check` exits 1 on a drift.

    Example: marginquake schemas check
    """
    from schemas.generate import drift, generated_folder, write

    where = folder or generated_folder()
    names = write(where) if action == "generate" else drift(where)
    if as_json:
        typer.echo(json.dumps({"folder": str(where), "action": action, "files": names}))
    elif not names:
        typer.echo("generated schemas are in step with the models")
    else:
        for name in names:
            typer.echo(f"{'written' if action == 'generate' else 'out of step'}: {name}")
        if action == "check":
            typer.echo("mend: marginquake schemas generate")
    if action == "check" and names:
        raise typer.Exit(1)


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
    as_json: AsJson = False,
) -> None:
    """Bytes to frames, windows and prints in memory, against a loop of json.loads alone.

    A made log of a cascade's busiest minutes; both loops read the same bytes in this process.
    "trades only" leaves out forced orders, tickers and books. Medians, by CPU time.

    Example: marginquake bench core --events 200000
    """
    import gc

    from rich.table import Table

    from streams.contracts import partition_for
    from streams.core.lanes import VenueParser
    from streams.edges.bench_core import measure
    from streams.edges.bench_log import MIX, raw_log
    from streams.edges.console import show_table
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
    if as_json:
        typer.echo(json.dumps([msgspec.structs.asdict(one) for one in found]))
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


def regime(
    series: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, see above.")],
    as_json: AsJson = False,
) -> None:
    """Phases of the leverage cycle in an archived series: when each was entered, and why.

    SERIES is a CSV file with a header, one row an hour or a day.

    Needed: time (ISO 8601, UTC, start of the row), close. What is known of: high, low, oi_usd,
    oi_base (coins), funding_8h (a fraction) or funding_8h_pct, long_usd, short_usd (forced
    dollars), spot_usd or spot_base (coins), market_cap_usd, reserve_usd, depth_usd, basis, lsi.

    Further columns are ignored. A day counts as 24 equal hours. Nothing is told for 14 days.

    Example: marginquake regime btc_daily.csv
    """
    from rich.table import Table

    from streams.edges.console import show_table
    from streams.edges.series import cells, read_series, regime_path

    path = regime_path(read_series(series))
    if as_json:
        typer.echo(msgspec.json.encode(path).decode())
        return
    table = Table(
        "entered (UTC)", "phase", "from", "left", "p", "crowd", "price", "72 h later", "drivers"
    )
    for passage in path.passages:
        table.add_row(*cells(passage))
    show_table(table)
    total = sum(path.hours.values())
    typer.echo(
        "days: " + ", ".join(f"{n} {h / 24:.1f} ({h / total:.1%})" for n, h in path.hours.items())
    )


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
    app.add_typer(bench, name="bench", rich_help_panel=PANEL)
    app.command(rich_help_panel=PANEL)(regime)
    app.command(rich_help_panel=PANEL)(schemas)
