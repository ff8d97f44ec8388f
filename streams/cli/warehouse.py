"""Commands `warehouse status` and `warehouse serve` of the group "run"."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from streams.cli.options import AsJson, MetricsPort
from streams.cli.stages import end_quietly

if TYPE_CHECKING:
    from streams.serving.access import Limits, Users

app = typer.Typer(
    help="Look at the warehouse, or serve it over ClickHouse's HTTP interface.",
    invoke_without_command=True,
)

PASSWORD_VARIABLE = "MARGINQUAKE_WAREHOUSE_PASSWORD"  # noqa: S105 - a variable's name
WRITER = "writer"
_FILES = 65_536


@app.callback()
def main(
    context: typer.Context,
    as_json: AsJson = False,
) -> None:
    """Look at the warehouse, or serve it over ClickHouse's HTTP interface."""
    if context.invoked_subcommand is None:
        status(as_json)


@app.command("status")
def status(as_json: AsJson = False) -> None:
    """Show the tables of the warehouse with rows and parts, and the applied migrations.

    Rows are counted as stored: older revisions stay until ClickHouse merges them away.

    Example: marginquake warehouse status
    """
    from rich.table import Table

    from streams.config import settings
    from streams.edges.console import show_table
    from streams.edges.migrate import plan, read_migrations, recorded
    from streams.edges.warehouse import connect, parse_dsn, table_sizes

    dsn = settings().clickhouse_dsn
    with connect(dsn) as client:
        sizes = table_sizes(client)
        applied = recorded(client)
        pending = [item.label for item in plan(read_migrations(), applied)]
        version = client.server_version
    labels = [f"{number:04d}_{name}" for number, (name, _) in sorted(applied.items())]
    if as_json:
        report = {
            "warehouse": parse_dsn(dsn).label,
            "version": version,
            "tables": [asdict(size) for size in sizes],
            "applied": labels,
            "pending": pending,
        }
        typer.echo(json.dumps(report))
        return
    table = Table("table", "rows", "parts", "bytes", "from", "to")
    for size in sizes:
        table.add_row(
            size.table,
            f"{size.rows:,}",
            f"{size.parts:,}",
            f"{size.bytes:,}",
            size.first_partition,
            size.last_partition,
        )
    show_table(table)
    typer.echo(f"warehouse {parse_dsn(dsn).label}, ClickHouse {version}")
    typer.echo(f"migrations: {', '.join(labels) or 'none'}")
    if pending:
        typer.echo(f"pending: {', '.join(pending)}; run `marginquake migrate`")


@app.command("serve")
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond loopback readers need a password.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8123,
    user: Annotated[str, typer.Option(help="Name of the user who may read.")] = "default",
    password_env: Annotated[
        str | None,
        typer.Option(
            help="Environment variable with the reader's password.", show_default="no password"
        ),
    ] = None,
    readers: Annotated[int, typer.Option(min=1, help="Queries of readers at once.")] = 4,
    max_seconds: Annotated[int, typer.Option(min=1, help="Longest query of a reader.")] = 30,
    max_memory_mb: Annotated[int, typer.Option(min=64, help="Memory of a reader's query.")] = 2048,
    max_rows: Annotated[int, typer.Option(min=1, help="Rows of a reader's answer.")] = 10_000_000,
    stop_seconds: Annotated[
        float, typer.Option(min=0, help="Time for running queries after SIGTERM.")
    ] = 5.0,
    metrics_port: MetricsPort = None,
) -> None:
    """Serve the chDB store (CLICKHOUSE_DSN=chdb:///path) as a ClickHouse server does over HTTP.

    Readers cannot write, read files or reach the network. With MARGINQUAKE_WAREHOUSE_PASSWORD set,
    the user `writer` may write with it: give the pipeline
    CLICKHOUSE_DSN=clickhouse://writer:PASSWORD@127.0.0.1:8123/default. SIGTERM ends running
    queries, closes the store and ends with 0.

    Example: marginquake warehouse serve --port 8123
    """
    end_quietly()
    import asyncio
    import os
    import resource
    import time

    from streams.config import settings
    from streams.serving.access import Limits
    from streams.telemetry import configure_logging

    # Times without a zone are UTC everywhere in the warehouse; the engine asks the machine.
    os.environ["TZ"] = "UTC"
    time.tzset()
    configure_logging("warehouse")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A shell's 1,024 are few for a store of many parts and its clients.
    files = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, files), hard))
    limits = Limits(
        seconds=max_seconds, memory_bytes=max_memory_mb * 1024**2, rows=max_rows, at_once=readers
    )
    users = _users(user, password_env, host)
    asyncio.run(
        _serve(settings().clickhouse_dsn, host, port, users, limits, stop_seconds, metrics_port)
    )


def _users(name: str, password_env: str | None, host: str) -> "Users":
    import os

    from streams.config import MarginquakeError
    from streams.serving.access import Users, is_loopback
    from streams.serving.access import user as known

    password = os.environ.get(password_env, "") if password_env else ""
    if password_env and not password:
        raise MarginquakeError(f"--password-env {password_env}: that variable is empty; set it")
    if not password and not is_loopback(host):
        raise MarginquakeError(
            f"--host {host} is not loopback, and readers would need no password; give "
            "--password-env with the name of a variable that holds one"
        )
    if name == WRITER:
        raise MarginquakeError(
            f"--user {WRITER} is the name of the user who writes; choose another"
        )
    secret = os.environ.get(PASSWORD_VARIABLE, "")
    return Users(known(name, password), known(WRITER, secret, writes=True) if secret else None)


async def _serve(
    dsn: str,
    host: str,
    port: int,
    users: "Users",
    limits: "Limits",
    stop_seconds: float,
    metrics_port: int | None,
) -> None:
    import asyncio

    from streams.config import MarginquakeError
    from streams.serving.engine import Store
    from streams.serving.server import Server
    from streams.telemetry import Health, graceful_shutdown, serve_metrics

    stop = graceful_shutdown()
    store = await asyncio.to_thread(Store, dsn)
    try:
        server = Server(store, users, limits)
        metrics = serve_metrics("warehouse", metrics_port, lambda: Health(server.answers()))
        try:
            try:
                await server.start(host, port)
            except OSError as error:
                raise MarginquakeError(
                    f"cannot listen on {host}:{port} ({error.strerror}); choose another --port"
                ) from None
            writes = "with the user writer" if users.writes else "read-only"
            typer.echo(
                f"warehouse {store.label} on http://{host}:{server.port}, {writes}", err=True
            )
            await stop.wait()
            stuck = await server.stop(stop_seconds)
            if stuck:
                _end_at_once(stuck)
        finally:
            if metrics is not None:
                metrics.close()
    finally:
        await asyncio.to_thread(store.close)


def _end_at_once(stuck: list[str]) -> NoReturn:
    """End under queries that hear no KILL; neither their threads nor the store can be closed."""
    import os
    import sys

    typer.echo(
        f"ended under {len(stuck)} queries that the engine did not stop: {', '.join(stuck)}; "
        "the store is whole",
        err=True,
    )
    sys.stderr.flush()
    os._exit(1)
