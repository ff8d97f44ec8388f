"""Command `live`: collectors into the in-process engine, shown in the terminal."""

from typing import Annotated

import typer

from streams.cli.collect import BookAssets, Urls, planned, understood

PANEL = "start"


def live(
    venues: Annotated[str, typer.Option(help="Venues, separated by commas.")] = (
        "binance-usdm,bybit"
    ),
    assets: Annotated[str, typer.Option(help="Assets, separated by commas.")] = "BTC,ETH",
    book_assets: BookAssets = None,
    seconds: Annotated[
        float | None,
        typer.Option("--for", min=1, help="End after so many seconds.", show_default="Ctrl-C"),
    ] = None,
    url: Urls = None,
) -> None:
    """Watch venues live: cascade windows, the 24 h print and feed health, without a broker.

    A second is shown once every feed has vouched for it, about four seconds after it. Nothing is
    kept; a summary is printed at the end. Needs a way to the venues, no account and no key.

    Example: marginquake live --venues binance-usdm,bybit
    """
    import asyncio
    import logging
    from contextlib import suppress

    import uvloop
    from rich.live import Live as Screen

    from streams.collect.collector import collect
    from streams.collect.live import FLUSH_S, Live
    from streams.collect.reach import Reach
    from streams.contracts import partition_for
    from streams.edges.console import report_console
    from streams.edges.side_checks import SideChecks
    from streams.edges.summary import print_summary
    from streams.engines.inprocess import InProcess
    from streams.parsing import assumptions, parameters, parsers
    from streams.telemetry import configure_logging, graceful_shutdown

    console = report_console()
    # A terminal shows feed health itself; lines of the log would tear the screen.
    configure_logging("live", logging.ERROR if console.is_terminal else logging.INFO)
    asked, instruments, table = understood(venues, assets, book_assets, url)
    found, polled = planned(asked, instruments, table)
    reach = Reach(found)
    checks = SideChecks(parsers(), instruments, assumptions(), console.print)
    engine = InProcess(parsers(), instruments, partition_for, parameters())
    shown = Live(engine, reach, checks.see)

    async def watch(screen: Screen) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            if console.is_terminal:
                screen.update(shown.picture(), refresh=True)

    async def run() -> None:
        stop = graceful_shutdown()
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, stop.set)
        with Screen(console=console, auto_refresh=False, transient=True) as screen:
            beside = [asyncio.create_task(shown.run()), asyncio.create_task(watch(screen))]
            try:
                await collect(found, polled, lambda: shown, instruments, stop, reach)
            finally:
                for task in beside:
                    task.cancel()
                for task in beside:
                    with suppress(asyncio.CancelledError):
                        await task
        shown.step()

    uvloop.run(run())
    print_summary(shown.summary, console)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel=PANEL)(live)
