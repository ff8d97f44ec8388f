"""Commands `framer` and `detect`: the stages of the data path as processes."""

import asyncio
import gc
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from streams.cli import flink
from streams.cli.options import Kafka, MetricsPort

PANEL = "run"


def end_quietly() -> None:
    """Let SIGTERM end a process that has not begun: exit 0, since nothing is to be drained yet.

    The stage's own handler replaces this one once its loop runs.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def framer(
    kafka: Kafka = None,
    until_idle: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="End after so many seconds without a record.", show_default="run on"
        ),
    ] = None,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0.1, help="Seconds between checkpoints.")
    ] = 1.0,
    metrics_port: MetricsPort = None,
) -> None:
    """Turn raw.v1 into liquidations, frames, ticks, late records and dead letters.

    Continues from its checkpoints in framer_state.v1; SIGTERM drains and ends with 0. Several
    processes share the partitions.

    Example: marginquake framer --metrics-port 9101
    """
    end_quietly()
    import uvloop

    from streams.config import settings
    from streams.edges.framer import FramerProcess
    from streams.parsing import assumptions, parsers
    from streams.telemetry import Health, configure_logging, graceful_shutdown, serve_metrics
    from streams.venues.catalog import default_instruments

    configure_logging("framer")
    process = FramerProcess(
        kafka or settings().kafka,
        parsers(),
        default_instruments(),
        checkpoint_s=checkpoint_seconds,
        assumed=assumptions(),
    )

    def health() -> Health:
        lag = process.lag_seconds()
        detail = "nothing sealed yet" if lag is None else f"last sealed second {lag:.1f} s ago"
        return Health(process.ready, detail)

    async def work() -> None:
        await process.run(graceful_shutdown(), until_idle)

    server = serve_metrics("framer", metrics_port, health)
    # Batches hold many live objects: full collections would stop the loop for nothing.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    try:
        uvloop.run(work())
    finally:
        if server is not None:
            server.close()


def detect(
    engine: Annotated[
        Literal["faust", "flink"],
        typer.Option(help="faust: workers that share the partitions. flink: a PyFlink job."),
    ] = "faust",
    kafka: Kafka = None,
    warm: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="Histories from `import --warm`, for a first start; flink: a path that each "
            "TaskManager can read too.",
        ),
    ] = None,
    metrics_port: MetricsPort = None,
    jobmanager: flink.Jobmanager = None,
    rest_port: flink.RestPort = flink.REST_PORT,
    parallelism: flink.Parallelism = 1,
    checkpoint_seconds: flink.CheckpointSeconds = flink.CHECKPOINT_S,
    checkpoints: flink.Checkpoints = None,
    restore: flink.Restore = "latest",
    python_mode: flink.PythonModes = "thread",
) -> None:
    """Run the detectors over frames.v1 and market_inputs.v1; results go to their topics.

    faust keeps its state in changelog topics, flink in checkpoints; SIGTERM saves it and ends with
    0, and the next start continues from there. Options after --metrics-port are those of flink.

    Example: marginquake detect --engine flink --parallelism 2
    """
    end_quietly()
    if engine == "faust":
        _faust(kafka, warm, metrics_port)
        return
    chosen = flink.options(
        kafka,
        jobmanager,
        rest_port,
        parallelism,
        checkpoint_seconds,
        checkpoints,
        restore,
        python_mode,
    )
    flink.detect(chosen, metrics_port, warm)


def _faust(kafka: str | None, warm: Path | None, metrics_port: int | None) -> None:
    import structlog
    import uvloop

    from streams.config import MarginquakeError, settings
    from streams.edges.warm import read_warm
    from streams.parsing import parameters
    from streams.telemetry import Health, configure_logging, graceful_shutdown, serve_metrics

    try:
        from streams.engines.faust_app import Worker
    except ImportError as error:
        raise MarginquakeError(
            f"the engine faust is not installed ({error}): pip install 'marginquake[faust]'"
        ) from error
    configure_logging("detect")
    here = settings()
    # Faust makes its own folder, and none above it.
    here.home.mkdir(parents=True, exist_ok=True)
    params = parameters()
    histories = read_warm(warm, params.hash()) if warm else None

    async def work() -> None:
        worker = Worker(kafka or here.kafka, str(here.home / "faust"), histories, params)
        server = serve_metrics("detect", metrics_port, lambda: Health(worker.ready))
        try:
            await worker.run(graceful_shutdown())
        except Exception as error:
            # Faust's threads and agents would keep a failed process alive: end it at once, and
            # let the restart read again what was not saved.
            structlog.get_logger().error("detect_failed", exc_info=error)
            typer.echo(f"marginquake: {error}", err=True)
            sys.stderr.flush()
            os._exit(1)
        finally:
            if server is not None:
                server.close()

    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command(rich_help_panel=PANEL)(framer)
    app.command(rich_help_panel=PANEL)(detect)
