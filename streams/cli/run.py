"""Commands of the group "run": framer,detect,sink,migrate,topics,broker,warehouse."""

import json
from dataclasses import asdict
from typing import Annotated, Literal

import typer

PANEL = "run"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


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

    here = settings()
    host, _, configured = here.kafka.rpartition(":")
    local = host in (HOST, "localhost") and configured.isdigit()
    own = Broker(here.home, port or (int(configured) if local else DEFAULT_PORT))
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

    from rich.console import Console
    from rich.table import Table

    from streams.config import settings
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
        Console().print(table)
    if report.drift:
        if not as_json:
            mend = (
                "delete the topic or use a fresh cluster: a partition count is fixed for v1"
                if any(d.setting == "partitions" for d in report.drift)
                else "run `marginquake topics --create`"
            )
            typer.echo(f"{len(report.drift)} differences; {mend}", err=True)
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
    app.command(rich_help_panel=PANEL)(broker)
    app.command(rich_help_panel=PANEL)(topics)
