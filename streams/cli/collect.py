"""Command `collect`: the venues' live feeds into raw.v1, or into a raw log."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from streams.cli.options import MetricsPort

if TYPE_CHECKING:
    from streams.collect.planning import Asked, Plan, Polled
    from streams.core.instruments import Instruments
    from streams.venues.catalog import Table

PANEL = "ingest"
Urls = Annotated[
    list[str] | None,
    typer.Option(
        "--url",
        help="VENUE=ws://HOST:PORT, and VENUE-rest=http://HOST:PORT, to use another host.",
    ),
]
Venues = Annotated[
    str, typer.Option(help="Venues, separated by commas.", show_default="all that can be collected")
]
BookAssets = Annotated[
    str | None,
    typer.Option(
        help="Assets with books, by commas, or `none`.",
        show_default="the 20 largest of --assets, as ranked in venues/assets.csv",
    ),
]
MOST_BOOKS = 20
_NAME = re.compile(r"[\w.]{1,32}", re.ASCII)
ALIASES = {"binance": "binance-usdm"}
"""What people call a venue."""


def collect(
    assets: Annotated[str, typer.Option(help="Assets, separated by commas, or `all`.")],
    venues: Venues = "",
    book_assets: BookAssets = None,
    kafka: Annotated[
        str | None, typer.Option(help="Bootstrap servers.", show_default="MARGINQUAKE_KAFKA")
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Append to this raw log; no broker is needed."),
    ] = None,
    url: Urls = None,
    name: Annotated[
        str,
        typer.Option(
            help="Begins the names of the connections; collectors of the same feeds differ in it."
        ),
    ] = "",
    metrics_port: MetricsPort = None,
) -> None:
    """Collect the venues' live feeds into raw.v1 until SIGTERM or Ctrl-C.

    Every connection writes its status records, a heartbeat each second, and ends by itself only
    when what it received is safe. `--assets all` asks each venue for what it is known to list.

    Example: marginquake collect --venues binance-usdm,bybit --assets BTC,ETH
    """
    from contextlib import nullcontext

    import msgspec
    import uvloop

    from streams.collect.kafka import KafkaSink
    from streams.collect.measured import health
    from streams.collect.records import Sink
    from streams.config import settings
    from streams.telemetry import configure_logging, graceful_shutdown, serve_metrics

    configure_logging("collect")
    bootstrap = kafka or settings().kafka
    asked, instruments, table = understood(venues, assets, book_assets, url)
    if name and _NAME.fullmatch(name) is None:
        raise typer.BadParameter(f"--name {name}; expected up to 32 of a-z, A-Z, 0-9, _ and .")
    asked = msgspec.structs.replace(asked, name=f"{name}-" if name else "")

    async def run() -> None:
        from streams.collect.collector import collect as serve
        from streams.collect.files import LogFile

        found, polled = planned(asked, instruments, table)
        with LogFile(into) if into is not None else nullcontext() as log:
            stop = graceful_shutdown()

            def make_sink() -> Sink:
                return KafkaSink(bootstrap) if log is None else log

            typer.echo(f"{len(found)} connections, stop with Ctrl-C", err=True)
            await serve(found, polled, make_sink, instruments, stop)

    server = serve_metrics("collect", metrics_port, health)
    try:
        uvloop.run(run())
    finally:
        if server is not None:
            server.close()


def understood(
    venues: str, assets: str, book_assets: str | None, url: list[str] | None
) -> tuple["Asked", "Instruments", "Table"]:
    """What the options ask for, with the instrument table they are read by.

    Raises:
        MarginquakeError: the table is damaged, nothing is known of these assets, or an assumption
            that the environment sets is none.
        BadParameter: an option is no list of its kind.
    """
    from streams.collect.planning import ALL, Asked, expand
    from streams.config import MarginquakeError
    from streams.parsing import assumptions
    from streams.venues.assets import by_size
    from streams.venues.catalog import TableError, default_instruments, effective_table
    from streams.venues.wire import WIRES

    # Refused here, before a connection is open.
    assumptions()
    names = [ALIASES.get(name, name) for name in _list(venues)] or sorted(WIRES)
    unknown = sorted(set(names) - WIRES.keys())
    if unknown:
        raise typer.BadParameter(
            f"--venues {', '.join(unknown)}; expected some of {', '.join(sorted(WIRES))}"
        )
    urls = {}
    for pair in url or ():
        name, _, base = pair.partition("=")
        schemes = ("http://", "https://") if name.endswith("-rest") else ("ws://", "wss://")
        if name.removesuffix("-rest") not in names or not _address(base, schemes):
            raise typer.BadParameter(f"--url {pair}; expected VENUE={schemes[0]}HOST:PORT")
        if name in WIRES and any(one.granted for one in WIRES[name].endpoints):
            raise typer.BadParameter(
                f"--url {pair}; {name} grants its address by REST, move that with {name}-rest=http://"
            )
        urls[name] = base
    if not _list(assets):
        raise typer.BadParameter("--assets is empty; name some, e.g. --assets BTC,ETH")
    try:
        table, instruments = effective_table(), default_instruments()
    except TableError as error:
        raise MarginquakeError(str(error)) from error
    every = expand(names, _list(assets), table)
    books = by_size(every)[:MOST_BOOKS]
    if book_assets is not None:
        books = tuple(_list(book_assets.upper()))
    if books == ("NONE",):
        books = ()
    known_only = ALL in _list(assets)
    return Asked(names, every, books, urls, known_only=known_only), instruments, table


def planned(
    asked: "Asked", instruments: "Instruments", table: "Table"
) -> tuple[list["Plan"], list["Polled"]]:
    """The connections and polls of what is asked; says which venues have none.

    Raises:
        MarginquakeError: no venue has a contract of these assets.
    """
    from streams.collect.planning import left_out, plans, polls

    found = plans(asked, instruments, table)
    for venue in left_out(asked, found):
        words = f"{venue} is left out: no known contract of {', '.join(asked.assets)}"
        typer.echo(words, err=True)
    return found, polls(asked, instruments, table)


def _address(base: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(base)
        return base.startswith(schemes) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel=PANEL)(collect)
