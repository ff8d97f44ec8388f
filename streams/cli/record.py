"""Command `record`: raw.v1 into raw logs of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.stages import Kafka, MetricsPort, end_quietly

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


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel=PANEL)(record)
