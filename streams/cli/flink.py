"""Commands of `marginquake flink`: look at the Flink job, save, stop and restore it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer

from streams.cli.options import AsJson, Kafka, MetricsPort

if TYPE_CHECKING:
    from streams.core.pipeline import Snapshot
    from streams.engines.flink.jobmanager import FlinkRest
    from streams.engines.flink.session import Options
    from streams.engines.flink.watch import Watch

PANEL = "run"
Jobmanager = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="REST address of a cluster's JobManager.",
        show_default="a mini-cluster in this process",
    ),
]
RestPort = Annotated[
    int, typer.Option(min=1, max=65535, help="Loopback REST port of the mini-cluster.")
]
Parallelism = Annotated[
    int, typer.Option(min=1, help="Task slots; partitions of frames.v1 are the most of use.")
]
CheckpointSeconds = Annotated[float, typer.Option(min=0.1, help="Seconds between checkpoints.")]
Checkpoints = Annotated[
    str | None,
    typer.Option(
        help="Folder, or URI that the cluster can write, of checkpoints and savepoints.",
        show_default="MARGINQUAKE_HOME/flink/checkpoints",
    ),
]
Restore = Annotated[
    str,
    typer.Option(help="Checkpoint or savepoint to continue from: a path, `latest` or `none`."),
]
PythonModes = Annotated[
    Literal["thread", "process"],
    typer.Option(
        help="thread: Python inside the JVM, one core a TaskManager. process: one for each slot, "
        "over ports on every interface.",
    ),
]
JobId = Annotated[
    str | None, typer.Option("--job", help="Id of the job.", show_default="the one that runs")
]
REST_PORT = 18081
CHECKPOINT_S = 10.0

app = typer.Typer(no_args_is_help=True, help="Look at the Flink job, save, stop and restore it.")


def options(
    kafka: str | None,
    jobmanager: str | None,
    rest_port: int,
    parallelism: int = 1,
    checkpoint_seconds: float = CHECKPOINT_S,
    checkpoints: str | None = None,
    restore: str = "latest",
    python_mode: Literal["thread", "process"] = "thread",
) -> "Options":
    """The engine's options from what was typed."""
    from streams.config import settings
    from streams.engines.flink.session import Options

    here = settings()
    return Options(
        kafka=kafka or here.kafka,
        home=here.home,
        checkpoints=checkpoints or str(here.home / "flink" / "checkpoints"),
        jobmanager=jobmanager,
        rest_port=rest_port,
        parallelism=parallelism,
        checkpoint_s=checkpoint_seconds,
        restore=restore,
        python_mode=python_mode,
    )


def detect(chosen: "Options", metrics_port: int | None, warm: Path | None = None) -> None:
    """Run the job on a mini-cluster until SIGTERM, or submit it to a cluster and end.

    The file of histories is read here, to refuse a wrong one, and again where the job runs.
    """
    from streams.edges.warm import read_warm
    from streams.parsing import parameters
    from streams.telemetry import configure_logging, serve_metrics

    configure_logging("detect")
    session = _session()
    from streams.engines.flink.watch import Watch

    chosen = ready(chosen)
    if chosen.jobmanager is not None:
        _refuse_second(chosen)
    params = parameters()
    histories: Callable[[], Mapping[str, Snapshot]] = dict
    if warm is not None:
        histories = partial(read_warm, warm.resolve(), params.hash())
        histories()
    watch = Watch()
    server = serve_metrics("detect", metrics_port, watch.health)
    try:
        with session.held(chosen):
            _stay(chosen, session.submit(chosen, params, histories), watch)
    finally:
        if server is not None:
            server.close()


def _stay(chosen: "Options", client: Any, watch: "Watch") -> None:
    """Follow a job of the mini-cluster to its end; leave one of a cluster to it."""
    from streams.edges.lag import publish_lag
    from streams.engines.flink.jobmanager import GROUP, INPUTS
    from streams.engines.flink.session import follow, id_of
    from streams.telemetry import graceful_shutdown

    if chosen.jobmanager is not None:
        typer.echo(f"submitted job {id_of(client)} to {chosen.jobmanager}")
        return

    async def stay() -> None:
        told = asyncio.ensure_future(publish_lag(chosen.kafka, GROUP, INPUTS))
        try:
            await follow(chosen, client, graceful_shutdown(), watch)
        finally:
            told.cancel()

    asyncio.run(stay())


def _refuse_second(chosen: "Options") -> None:
    """Two jobs at once would both publish; ids make that harmless, and costly.

    Raises:
        MarginquakeError: the cluster runs one already.
    """
    from streams.config import MarginquakeError
    from streams.engines.flink.jobmanager import DETECT, ENDED

    for job in _asked(chosen, lambda rest: rest.jobs()):
        if job.name == DETECT and job.state not in ENDED:
            raise MarginquakeError(
                f"{chosen.jobmanager} runs job {job.id} already: end it with "
                f"`marginquake flink stop --jobmanager {chosen.jobmanager}` first"
            )


def ready(chosen: "Options") -> "Options":
    """The options with the connector's jar.

    Raises:
        MarginquakeError: Java, Maven or the jar is missing.
    """
    from streams.edges.kafka_jars import flink_connector, java_command

    java_command("the engine flink")
    return replace(chosen, connector=flink_connector(chosen.home))


def _session() -> Any:
    from streams.config import MarginquakeError

    try:
        import pyflink  # noqa: F401  asked for here, where its absence can be told
    except ImportError as error:
        raise MarginquakeError(
            f"the engine flink is not installed ({error}): pip install 'marginquake[flink]'"
        ) from error
    from streams.engines.flink import session

    return session


def _asked(chosen: "Options", question: "Callable[[FlinkRest], Awaitable[Any]]") -> Any:
    from streams.engines.flink.jobmanager import FlinkRest

    async def ask() -> Any:
        async with FlinkRest(*chosen.address) as rest:
            return await question(rest)

    return asyncio.run(ask())


@app.command()
def status(
    jobmanager: Jobmanager = None,
    rest_port: RestPort = REST_PORT,
    kafka: Kafka = None,
    as_json: AsJson = False,
) -> None:
    """Show the JobManager's jobs: state, failures, last checkpoint; exit 1 unless ours is RUNNING.

    `behind`, of our job: records of its topics that its last checkpoint has not read.

    Example: marginquake flink status
    """
    from rich.table import Table

    from streams.edges.console import report_console
    from streams.engines.flink.jobmanager import DETECT

    chosen = options(kafka, jobmanager, rest_port)
    jobs = _asked(chosen, lambda rest: rest.jobs())
    behind = _behind(chosen.kafka) if any(job.name == DETECT for job in jobs) else None
    if as_json:
        told = [
            msgspec.to_builtins(job) | ({"behind": behind} if job.name == DETECT else {})
            for job in jobs
        ]
        typer.echo(json.dumps(told))
    else:
        table = Table("job", "name", "state", "for", "failures", "behind", "last checkpoint")
        for job in jobs:
            kept = "none yet"
            if job.checkpoint is not None:
                kept = f"{job.checkpoint_bytes:,} B in {job.checkpoint_ms} ms: {job.checkpoint}"
            for_s = f"{job.running_ms / 1000:.0f} s"
            lag = "-" if behind is None or job.name != DETECT else f"{behind:,}"
            table.add_row(job.id, job.name, job.state, for_s, str(job.failures), lag, kept)
        report_console().print(table)
    if not any(job.name == DETECT and job.state == "RUNNING" for job in jobs):
        raise typer.Exit(1)


def _behind(kafka: str) -> int | None:
    """Records behind the last checkpoint; None, and why on standard error, without a broker."""
    from streams.config import MarginquakeError
    from streams.edges.lag import lag_reader
    from streams.engines.flink.jobmanager import GROUP, INPUTS

    async def ask() -> int:
        async with lag_reader(kafka) as reader:
            return (await reader.read(GROUP, INPUTS)).behind

    try:
        return asyncio.run(ask())
    except MarginquakeError as error:
        typer.echo(f"behind is not known: {error}", err=True)
        return None


@app.command()
def savepoint(
    to: Checkpoints = None,
    job: JobId = None,
    jobmanager: Jobmanager = None,
    rest_port: RestPort = REST_PORT,
) -> None:
    """Write a savepoint while the job runs, and print its path.

    Example: marginquake flink savepoint
    """
    typer.echo(_saved("savepoint", to, job, jobmanager, rest_port))


@app.command()
def stop(
    to: Checkpoints = None,
    job: JobId = None,
    jobmanager: Jobmanager = None,
    rest_port: RestPort = REST_PORT,
) -> None:
    """Write a savepoint, end the job with it, and print its path.

    Example: marginquake flink stop --jobmanager 127.0.0.1:8081
    """
    typer.echo(_saved("stop", to, job, jobmanager, rest_port))


def _saved(
    action: Literal["savepoint", "stop"],
    to: str | None,
    job: str | None,
    jobmanager: str | None,
    rest_port: int,
) -> str:
    from streams.config import settings
    from streams.edges.progress import waiting
    from streams.engines.flink.jobmanager import DETECT
    from streams.engines.flink.session import uri
    from streams.engines.flink.sql import place, script_of

    chosen = options(None, jobmanager, rest_port, checkpoints=to)

    async def ask(rest: "FlinkRest") -> str:
        wanted = await (rest.running(DETECT) if job is None else rest.job(job))
        folder = chosen.checkpoints
        if to is None and (script := script_of(wanted.name)) is not None:
            folder = str(settings().home / place(script))
        saved: str = await getattr(rest, action)(wanted.id, uri(folder))
        return saved

    with waiting("writing the savepoint"):
        return str(_asked(chosen, ask))


@app.command()
def restore(
    path: Annotated[str, typer.Argument(help="Checkpoint or savepoint, a path or URI.")],
    kafka: Kafka = None,
    jobmanager: Jobmanager = None,
    rest_port: RestPort = REST_PORT,
    parallelism: Parallelism = 1,
    checkpoint_seconds: CheckpointSeconds = CHECKPOINT_S,
    checkpoints: Checkpoints = None,
    python_mode: PythonModes = "thread",
    metrics_port: MetricsPort = None,
) -> None:
    """Start the job from a savepoint: `detect --engine flink --restore PATH`.

    Its parallelism may be another than that of the job that wrote it.

    Example: marginquake flink restore .local/flink/checkpoints/savepoint-1a2b3c --parallelism 2
    """
    detect(
        options(
            kafka,
            jobmanager,
            rest_port,
            parallelism,
            checkpoint_seconds,
            checkpoints,
            path,
            python_mode,
        ),
        metrics_port,
    )


@app.command()
def sql(
    script: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="Statements.", show_default="prints.sql"),
    ] = None,
    kafka: Kafka = None,
    jobmanager: Jobmanager = None,
    rest_port: RestPort = REST_PORT + 1,
    parallelism: Parallelism = 1,
    checkpoint_seconds: CheckpointSeconds = CHECKPOINT_S,
    checkpoints: Annotated[
        str | None,
        typer.Option(help="As of detect.", show_default="flink/sql-checkpoints/SCRIPT"),
    ] = None,
    restore: Restore = "latest",
    bounded: Annotated[
        bool,
        typer.Option("--bounded/--unbounded", help="End with what the topics hold now, or run on."),
    ] = False,
) -> None:
    """Run a script of Flink SQL: by default the totals of liquidations.v1 into prints_sql.v1.

    In a script `${kafka}` stands for the bootstrap servers and `${bounded}` for the end of its
    sources. One that ends with a query prints its rows; an INSERT runs until SIGTERM, or is left
    to the cluster.

    Example: marginquake flink sql infra/flink/sql/rebounds.sql
    """
    from streams.config import settings
    from streams.telemetry import configure_logging

    configure_logging("flink-sql")
    session = _session()
    from streams.engines.flink.sql import PRINTS, place, run_script
    from streams.engines.flink.watch import Watch

    script = script or PRINTS
    held = checkpoints or str(settings().home / place(script))
    chosen = options(kafka, jobmanager, rest_port, parallelism, checkpoint_seconds, held, restore)
    with session.held(chosen):
        client = run_script(ready(chosen), script, typer.echo, bounded=bounded)
        if client is not None:
            _stay(chosen, client, Watch())


def register(parent: typer.Typer) -> None:
    """Add the group to the app."""
    parent.add_typer(app, name="flink", rich_help_panel=PANEL)
