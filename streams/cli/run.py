"""Commands of the group "run": broker, topics, migrate, warehouse, framer, detect, sink."""

import json
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from streams.cli import flink, stages, warehouse
from streams.cli.options import AsJson

PANEL = "run"


def broker(
    action: Annotated[Literal["start", "stop", "status"], typer.Argument(help="What to do.")],
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Loopback port.", show_default="that of MARGINQUAKE_KAFKA"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start, stop or look at the Kafka broker of this machine (Java 17 and Maven needed).

    Its data stays in MARGINQUAKE_HOME/kafka between runs. `status` exits 1 when it is down.

    Example: marginquake broker start
    """
    from streams.config import settings
    from streams.edges.broker import DEFAULT_PORT, HOST, Broker
    from streams.edges.progress import waiting

    here = settings()
    host, _, configured = here.kafka.rpartition(":")
    local = host in (HOST, "localhost") and configured.isdigit()
    own = Broker(here.home, port or (int(configured) if local else DEFAULT_PORT))
    told = "starting the broker (the first time Maven resolves 44 MB of jars)"
    with waiting(told if action == "start" else "asking the broker", quiet=as_json):
        if action == "start":
            own.start()
        stopped = own.stop() if action == "stop" else False
    status = own.status()
    if as_json:
        typer.echo(json.dumps(asdict(status)))
    elif action == "stop":
        typer.echo("broker stopped" if stopped else "no broker was running")
    elif status.running:
        state = "answers" if status.ready else "runs, but does not answer"
        typer.echo(f"broker {state} on {status.bootstrap} (process {status.pid}, log {status.log})")
    else:
        typer.echo("broker is down; start it with `marginquake broker start`")
    if action != "stop" and not status.ready:
        raise typer.Exit(1)


def topics(
    create: Annotated[
        bool,
        typer.Option("--create/--check", help="Create what is missing and mend settings, or look."),
    ] = False,
    kafka: Annotated[
        str | None, typer.Option(help="Bootstrap servers.", show_default="MARGINQUAKE_KAFKA")
    ] = None,
    replication: Annotated[int, typer.Option(min=1, help="Replicas of created topics.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Compare the broker's topics with schemas/topics.yaml; exit 1 while they differ.

    A partition count is never changed: keys would move to other partitions.

    Example: marginquake topics --create
    """
    import asyncio
    import logging

    from rich.table import Table

    from streams.config import settings
    from streams.edges.console import show_table
    from streams.edges.topics import reconcile

    # A broker that is down is told once, by our own error.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    report = asyncio.run(
        reconcile(kafka or settings().kafka, create=create, replication=replication)
    )
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    else:
        table = Table("topic", "state")
        for name in report.topics:
            state = "created" if name in report.created else "as in topics.yaml"
            mended = [d.setting for d in report.mended if d.topic == name]
            drift = [d for d in report.drift if d.topic == name]
            if mended:
                state = f"mended: {', '.join(mended)}"
            if drift:
                state = ", ".join(f"{d.setting} is {d.found}, not {d.wanted}" for d in drift)
            table.add_row(name, state)
        show_table(table)
    if report.drift:
        if not as_json:
            mend = (
                "delete the topic or use a fresh cluster: a partition count is fixed for v1"
                if any(d.setting == "partitions" for d in report.drift)
                else "run `marginquake topics --create`"
            )
            typer.echo(f"{len(report.drift)} differences; {mend}", err=True)
        raise typer.Exit(1)


def migrate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be applied, write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create or update the tables and views of the warehouse (CLICKHOUSE_DSN).

    Files already applied are recorded and skipped; a run that broke off is taken up again.
    MARGINQUAKE_KEEP="frames=90d, prints=365d" limits how long rows are kept; without it, for ever.

    Example: CLICKHOUSE_DSN=chdb:///tmp/marginquake/warehouse marginquake migrate
    """
    from streams.config import settings
    from streams.edges import migrate as migrations
    from streams.edges.progress import waiting
    from streams.edges.warehouse import connect, parse_dsn
    from streams.parsing import assumptions

    # Refused here, before a table is made.
    assumptions()
    dsn = settings().clickhouse_dsn
    known = migrations.read_migrations()
    with (
        waiting("migrating the warehouse", quiet=as_json),
        connect(dsn, create=not dry_run) as client,
    ):
        outcome = migrations.migrate(client, known, dry_run)
    states = (
        [(item, "already there") for item in outcome.already]
        + [(item, "applied") for item in outcome.applied]
        + [(item, "pending") for item in outcome.pending]
    )
    if as_json:
        rows = [{"migration": i.label, "checksum": i.checksum, "state": s} for i, s in states]
        typer.echo(json.dumps({"warehouse": parse_dsn(dsn).label, "migrations": rows}))
        return
    for item, state in states:
        typer.echo(f"{item.label}  {state}")
    typer.echo(f"warehouse {parse_dsn(dsn).label}: {len(outcome.applied)} applied")


def rollups(
    again: Annotated[
        bool, typer.Option("--again", help="Aggregate every hour again, touched or not.")
    ] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Delete the rows that newer ones have replaced.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Store the aggregates of the hours that were written to (CLICKHOUSE_DSN): 1 m, then 1 h.

    The views v_frames_1m, v_liquidations_1h, ... are exact at any time; this makes them fast.
    `sink` and `replay` do it by themselves.

    Example: marginquake rollups
    """
    from streams.config import settings
    from streams.edges import rollups as stored
    from streams.edges.warehouse import connect

    with connect(settings().clickhouse_dsn) as client:
        if again:
            stored.touch_all(client)
        done = stored.bring_up(client)
        if sweep:
            stored.sweep(client)
    if as_json:
        typer.echo(json.dumps({one.rollup: one.hours for one in done}))
        return
    for one in done:
        typer.echo(f"{one.rollup}: {one.hours:,} asset-hours stored")


def sink(
    group: Annotated[str, typer.Option(help="Consumer group.")] = "marginquake-sink",
    kafka: Annotated[
        str | None, typer.Option(help="Bootstrap servers.", show_default="MARGINQUAKE_KAFKA")
    ] = None,
    until_idle: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="End after so many seconds without a record.", show_default="run on"
        ),
    ] = None,
    flush_rows: Annotated[int, typer.Option(min=1, help="Rows of a batch.")] = 20_000,
    flush_seconds: Annotated[float, typer.Option(min=0.01, help="Longest wait of a batch.")] = 1.0,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Serve /metrics and /healthz.", show_default="off"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the topics to the warehouse (CLICKHOUSE_DSN); offsets follow acknowledged rows.

    SIGTERM writes what was read, commits and ends with 0. Needs `marginquake migrate` first.

    Example: marginquake sink --until-idle 3
    """
    stages.end_quietly()
    import asyncio
    import gc
    import logging

    from streams.config import settings
    from streams.edges.inserts import Inserter
    from streams.edges.rollups import Chore
    from streams.edges.sink import Sink, SinkOptions, SinkReport
    from streams.edges.warehouse import connect, parse_dsn
    from streams.telemetry import configure_logging, graceful_shutdown, serve_metrics

    configure_logging("sink")
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    dsn = settings().clickhouse_dsn
    options = SinkOptions(
        group=group,
        flush_rows=flush_rows,
        flush_s=flush_seconds,
        until_idle_s=until_idle,
        alone=parse_dsn(dsn).path is not None,
    )

    async def work(member: Sink) -> SinkReport:
        return await member.run(graceful_shutdown())

    with connect(dsn) as client:
        member = Sink(kafka or settings().kafka, Inserter(client), options, Chore(client))
        server = serve_metrics("sink", metrics_port, member.health)
        # Batches hold many live objects: without this, half the decoding time is collection.
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
        try:
            report = asyncio.run(work(member))
        finally:
            if server is not None:
                server.close()
    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    rows = ", ".join(f"{table} {count:,}" for table, count in sorted(report.rows.items()))
    typer.echo(f"{report.records:,} records read; rows written: {rows or 'none'}")
    for reason, count in sorted(report.dead_letters.items()):
        typer.echo(f"{count:,} dead letters: {reason}")
    if report.unreadable_dead_letters:
        typer.echo(f"{report.unreadable_dead_letters:,} dead letters could not be read (see log)")


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
    app.command(rich_help_panel=PANEL)(broker)
    app.command(rich_help_panel=PANEL)(topics)
    app.command(rich_help_panel=PANEL)(migrate)
    app.add_typer(warehouse.app, name="warehouse", rich_help_panel=PANEL)
    app.command(rich_help_panel=PANEL)(rollups)
    app.command(rich_help_panel=PANEL)(sink)
    stages.register(app)
    flink.register(app)
