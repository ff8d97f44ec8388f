"""Group "ingest": replay, import, adopt, record, collect, normalise, venues, instruments."""

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar

import typer

from streams.cli import collect, record, replay

PANEL = "ingest"
T = TypeVar("T")
_JSON = typer.Option("--json", help="Print JSON instead of a table.")


def _usable(read: Callable[[], T]) -> T:
    """What `read` gives; a damaged instrument table becomes an error for people."""
    from streams.config import MarginquakeError
    from streams.venues.catalog import TableError

    try:
        return read()
    except TableError as error:
        raise MarginquakeError(str(error)) from error


def normalise(
    files: Annotated[
        list[str], typer.Argument(help="Raw logs or archives (.gz, .zst, .zip too), - for stdin.")
    ],
    source: Annotated[
        bool, typer.Option("--source", help="Add the input's line number to each event.")
    ] = False,
    ignored: Annotated[
        bool, typer.Option("--ignored", help="Print ignored messages with their reason too.")
    ] = False,
    quarantine: Annotated[
        bool,
        typer.Option(
            "--quarantine", help="Print events stamped over 5 s after receipt as rejected."
        ),
    ] = False,
    form: replay.Form = "",
) -> None:
    """Print the canonical events of archives as JSON lines, rejections with their reason.

    An event stamped over 5 s after its receipt is printed with "quarantine":"future_skew": replay
    and framer dead-letter it. Many archives have invented receipt times.

    Example: marginquake normalise recording.jsonl.gz --source
    """
    from streams.edges.archives.reading import Reading
    from streams.edges.event_lines import Tally, event_lines
    from streams.edges.progress import counting
    from streams.parsing import parsers
    from streams.venues.catalog import default_instruments

    tally = Tally()
    instruments = _usable(default_instruments)
    reading = Reading(instruments, form)
    lines = event_lines(
        files,
        parsers(),
        instruments,
        tally,
        source=source,
        ignored=ignored,
        quarantine=quarantine,
        reading=reading,
    )
    out = sys.stdout.buffer
    try:
        # Where the lines themselves are on the terminal, they are the progress.
        with counting("events written", quiet=sys.stdout.isatty()) as progress:
            for number, line in enumerate(lines, 1):
                out.write(line + b"\n")
                if number % 1000 == 0:
                    progress(number)
        out.flush()
    except BrokenPipeError:
        # The reader has gone; without this the interpreter complains when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    typer.echo(tally.summary(), err=True)
    if told := str(reading.tally):
        typer.echo(told, err=True)


def venues(
    page: Annotated[
        bool, typer.Option("--page", help="Print docs/venues.md, in Markdown.")
    ] = False,
    assumed: Annotated[
        bool,
        typer.Option("--assumptions", help="Show what is assumed where no venue documents it."),
    ] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Show what each venue's public feeds tell, and how: the tables of docs/venues.md.

    Nothing was checked against a live venue while "verified live" says never. What --assumptions
    lists is set by MARGINQUAKE_ASSUMPTIONS, for example gate.negative=buy,htx.trade_sides=1.

    Example: marginquake venues --json
    """
    from rich.table import Table

    from streams.edges.console import show_table
    from streams.venues.capability_page import as_data, sections
    from streams.venues.capability_page import page as markdown

    if page:
        typer.echo(markdown(), nl=False)
        return
    if assumed:
        _show_assumptions(as_json)
        return
    if as_json:
        typer.echo(json.dumps(as_data()))
        return
    for section in sections():
        table = Table(*section.head, title=section.title, title_justify="left")
        for row in section.rows:
            table.add_row(*row)
        show_table(table)
        if section.words:
            typer.echo(section.words)
        typer.echo()


def _show_assumptions(as_json: bool) -> None:
    import msgspec
    from rich.table import Table

    from streams.edges.console import show_table
    from streams.parsing import assumptions
    from streams.venues.assumptions import settings_of
    from streams.venues.capability_page import assumption_row, value_text

    found = settings_of(assumptions())
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("assumption", "set", "default", "may be", "meaning", "source")
    for one in found:
        name, *rest = assumption_row(one)
        table.add_row(name, value_text(one.value), *rest)
    show_table(table)


instruments = typer.Typer(
    name="instruments",
    help="The table of contract sizes: list it, or renew it from the venues.",
    no_args_is_help=True,
)


@instruments.command("list")
def list_instruments(
    venue: Annotated[str, typer.Option(help="Only this venue.")] = "",
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Show the contracts that have a row; other symbols tell everything by their name.

    Example: marginquake instruments list --venue okx
    """
    from rich.table import Table

    from streams.edges.console import show_table
    from streams.venues.catalog import effective_table

    rows = [
        {
            "venue": i.venue,
            "symbol": i.symbol,
            "asset": i.asset,
            "quote": i.quote,
            "contract": i.contract,
            "size_unit": i.size_unit,
            "contract_size": format(i.contract_size.normalize(), "f"),
            "coins_per_unit": i.coins_per_unit,
            "basis": basis,
        }
        for _, (i, basis) in sorted(_usable(effective_table).items())
        if venue in ("", i.venue)
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    columns = ("venue", "symbol", "contract", "size_unit", "contract_size", "basis")
    table = Table(*columns)
    for row in rows:
        table.add_row(*(str(row[column]) for column in columns))
    show_table(table)


@instruments.command("refresh")
def refresh_instruments(
    venue: Annotated[list[str] | None, typer.Option(help="Only these venues.")] = None,
    file: Annotated[
        str, typer.Option("--from", help="Read a saved answer of one --venue, not the network.")
    ] = "",
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Fetch the venues' public instrument lists into MARGINQUAKE_HOME/instruments.csv.

    Contracts that are no longer listed keep their row, since recordings still name them.

    Example: marginquake instruments refresh --venue okx
    """
    from pathlib import Path

    from rich.table import Table

    from streams.config import MarginquakeError
    from streams.edges.console import report_console, show_table
    from streams.edges.instrument_table import fetch, refresh
    from streams.venues.catalog import refreshed_path
    from streams.venues.listed_at import URLS

    venues = venue or sorted(URLS)
    unknown = sorted(set(venues) - URLS.keys())
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}; expected {', '.join(sorted(URLS))}")
    if file and len(venues) != 1:
        raise typer.BadParameter("--from needs exactly one --venue")
    changes = []
    for name in venues:
        if file:
            try:
                answers = [(file, Path(file).read_bytes())]
            except OSError as error:
                raise MarginquakeError(f"{file}: {error.strerror}; name a saved answer") from error
        else:
            answers = [(url, fetch(url)) for url in URLS[name]]
        changes.append(_usable(partial(refresh, name, answers)))
    if as_json:
        typer.echo(
            json.dumps(
                [{field: getattr(c, field) for field in c.__struct_fields__} for c in changes]
            )
        )
        return
    table = Table("venue", "listed", "added", "changed", "no longer listed", "skipped")
    for c in changes:
        counts = (c.listed, len(c.added), len(c.changed), len(c.removed), len(c.problems))
        table.add_row(c.venue, *map(str, counts))
    show_table(table)
    console = report_console()
    for c in changes:
        for symbol in c.changed:
            console.print(f"changed: {c.venue} {symbol}", soft_wrap=True)
        for problem in c.problems[:10]:
            console.print(f"skipped: {c.venue} {problem}", soft_wrap=True)
    console.print(f"wrote {refreshed_path()}", soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
    replay.register(app)
    record.register(app)
    collect.register(app)
    app.command(rich_help_panel=PANEL)(normalise)
    app.command(rich_help_panel=PANEL)(venues)
    app.add_typer(instruments, rich_help_panel=PANEL)
