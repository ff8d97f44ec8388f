"""Command of the group "ask": dashboard."""

from typing import Annotated

import typer

PANEL = "ask"


def dashboard(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8090,
    poll: Annotated[
        float, typer.Option(min=0.2, max=60, help="Seconds between two looks at the warehouse.")
    ] = 1.0,
    stale_after: Annotated[
        int, typer.Option(min=5, help="Seconds without a frame after which data is called old.")
    ] = 60,
) -> None:
    """Serve the live page: health, regime, cascades, prints, imbalance, maps, alerts, feeds.

    Reads the warehouse (CLICKHOUSE_DSN) and nothing else; the page asks no other machine. A chDB
    store belongs to one process: beside a running pipeline read it by `marginquake warehouse
    serve`. The chart library comes by Maven on first use.

    Example: marginquake dashboard --port 8090
    """
    import asyncio
    from contextlib import AsyncExitStack

    from streams.config import settings
    from streams.dashboard.panels import Panels
    from streams.dashboard.server import is_loopback, serving
    from streams.edges.progress import waiting
    from streams.edges.warehouse import parse_dsn
    from streams.telemetry import configure_logging
    from streams.telemetry.server import graceful_shutdown

    configure_logging("dashboard")
    here = settings()
    label = parse_dsn(here.clickhouse_dsn).label

    async def serve() -> None:
        stop = graceful_shutdown()
        opened = serving(here.clickhouse_dsn, here.home, host, port, Panels(stale_after), poll)
        async with AsyncExitStack() as stack:
            with waiting("opening the warehouse and the chart library"):
                address = await stack.enter_async_context(opened)
            typer.echo(f"dashboard on {address}, reading {label}")
            if not is_loopback(host):
                typer.echo("it has no accounts: who reaches this port reads all of it", err=True)
            await stop.wait()

    asyncio.run(serve())


def register(app: typer.Typer) -> None:
    """Add this group's command to the app."""
    app.command(rich_help_panel=PANEL)(dashboard)
