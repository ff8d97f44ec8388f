"""Commands `adopt` and `record`: what enters raw.v1 from other topics, and leaves it for files."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import Kafka, MetricsPort
from streams.cli.stages import end_quietly

PANEL = "ingest"


def record(
    folder: Annotated[
        Path, typer.Argument(file_okay=False, help="Where the files go.", show_default=False)
    ],
    kafka: Kafka = None,
    size_mb: Annotated[
        int, typer.Option("--size-mb", min=1, help="Begin another file at so many MB.")
    ] = 256,
    until_idle: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="End after so many seconds without a record.", show_default="run on"
        ),
    ] = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Write raw.v1 into raw logs (zstd), a series of files for each partition.

    A file is followed by another each hour or at --size-mb, and lags the topic by ten seconds at
    most. The same command again goes on after the last line, without loss or doubles; SIGTERM
    writes what waits and ends with 0. Replay or import all files of a time together.

    Example: marginquake record archive --size-mb 64
    """
    end_quietly()
    import structlog
    import uvloop

    from streams.config import settings
    from streams.edges.record import Recorder
    from streams.telemetry import Health, configure_logging, graceful_shutdown, serve_metrics

    configure_logging("record")
    recorder = Recorder(kafka or settings().kafka, folder, size_mb * 10**6)

    def health() -> Health:
        return Health(recorder.ready, f"{recorder.written} records written")

    async def work() -> None:
        await recorder.run(graceful_shutdown(), until_idle)

    server = serve_metrics("record", metrics_port, health)
    try:
        uvloop.run(work())
    finally:
        if server is not None:
            server.close()
    structlog.get_logger().info(
        "recorded", records=recorder.written, left_out=recorder.left_out, folder=str(folder)
    )


def adopt(
    topics: Annotated[
        list[str] | None,
        typer.Argument(
            help="cryptofeed's topics.", show_default="all that are named as cryptofeed names them"
        ),
    ] = None,
    kafka: Kafka = None,
    source: Annotated[
        str | None,
        typer.Option("--from", help="Bootstrap servers of the topics.", show_default="--kafka"),
    ] = None,
    as_published: Annotated[
        bool, typer.Option("--as-published", help="Leave sides as cryptofeed has them.")
    ] = False,
    until_idle: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="End after so many seconds without a message.", show_default="run on"
        ),
    ] = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Write cryptofeed's Kafka topics into raw.v1, merged by time of receipt.

    A backlog is written in the order in which it was received, so nothing of it is late. Sides
    that cryptofeed is known to publish otherwise than the venue are corrected and counted. Ends
    with 0 on SIGTERM and goes on from there; a kill repeats messages, whose ids framers know.

    Example: marginquake adopt liquidations-BYBIT-BTC-USDT-PERP
    """
    end_quietly()
    import structlog
    import uvloop

    from streams.config import settings
    from streams.edges.adopt import Adoption
    from streams.telemetry import Health, configure_logging, graceful_shutdown, serve_metrics
    from streams.venues.catalog import default_instruments

    configure_logging("adopt")
    target = kafka or settings().kafka
    detail = "as-published" if as_published else ""
    adoption = Adoption(source or target, target, topics or [], default_instruments(), detail)

    def health() -> Health:
        return Health(adoption.ready, f"{adoption.adopted} messages adopted")

    async def work() -> None:
        await adoption.run(graceful_shutdown(), until_idle)

    server = serve_metrics("adopt", metrics_port, health)
    try:
        uvloop.run(work())
    finally:
        if server is not None:
            server.close()
    structlog.get_logger().info("adopted", messages=adoption.adopted, beside=str(adoption.tally))


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command(rich_help_panel=PANEL)(adopt)
    app.command(rich_help_panel=PANEL)(record)
