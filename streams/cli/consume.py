"""Commands of the group "consume": tail, webhook."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.cli import stages
from streams.cli.options import AsJson, Kafka, MetricsPort

if TYPE_CHECKING:
    from streams.edges.tail import TailOptions

PANEL = "consume"
COLOURS = {"calm": "", "note": "cyan", "warn": "yellow", "alarm": "bold red"}


def _topic_names(incomplete: str) -> list[str]:
    from streams.edges.tail import readable_topics

    return [name for name in readable_topics() if name.startswith(incomplete)]


def tail(
    topic: Annotated[
        str,
        typer.Argument(
            help="A topic: cascades, alerts, prints, regimes, signals, zones, health, "
            "liquidations, feeds, deadletters, ...",
            autocompletion=_topic_names,
        ),
    ],
    begin: Annotated[
        str,
        typer.Option("--from", help="latest, earliest, an age (-90m, -1h, -2d) or an ISO time."),
    ] = "latest",
    asset: Annotated[
        str | None, typer.Option(help="Only this asset (ALL: the market), or venue for feeds.")
    ] = None,
    final: Annotated[
        bool, typer.Option("--final", help="Only rows that will not be revised.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many rows.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Wait for more, or end at the log's end.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each record's JSON as it is on the topic.")
    ] = False,
    kafka: Kafka = None,
) -> None:
    """Print a topic as it grows, one line a row; Ctrl-C ends it.

    Joins no group and commits nothing. What is already there comes in the order in which the
    broker took it. The time is event time, UTC; `r3` marks a third revision, `final` the last.

    Example: marginquake tail cascades --from -1h --asset BTC
    """
    import asyncio
    import logging
    import time

    from streams.config import settings
    from streams.edges.tail import TailOptions, begin_at, topic_named
    from streams.telemetry import configure_logging

    configure_logging("tail", logging.ERROR)
    name = topic_named(topic)
    start = begin_at(begin, time.time_ns() // 1_000_000)
    options = TailOptions(start, asset, final, limit, follow)
    try:
        asyncio.run(_print_rows(kafka or settings().kafka, name, options, as_json))
    except BrokenPipeError:
        # Whoever read our lines has had enough (`| head`): nothing failed.
        sys.stderr.close()


async def _print_rows(kafka: str, topic: str, options: "TailOptions", as_json: bool) -> None:
    import msgspec
    from rich.text import Text

    from streams import contracts
    from streams.edges.console import report_console, verbatim
    from streams.edges.row_lines import json_line, row_line
    from streams.edges.tail import tail
    from streams.telemetry import graceful_shutdown

    console = report_console()
    printed = False
    async for record in tail(kafka, topic, options, graceful_shutdown()):
        value, printed = record.value or b"", True
        if as_json:
            sys.stdout.write(json_line(value) + "\n")
        else:
            try:
                line = row_line(contracts.decode(topic, value))
                shown = Text(line.text(), style=COLOURS[line.tone])
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                place = f"{topic}-{record.partition}@{record.offset}"
                shown = Text(verbatim(f"{place} cannot be read: {error}"), style="red")
            console.print(shown, soft_wrap=True)
        sys.stdout.flush()
    if not printed and not options.follow:
        typer.echo("no rows", err=True)


def webhook(
    url: Annotated[
        str | None,
        typer.Option(
            envvar="MARGINQUAKE_WEBHOOK_URL",
            help="Where rows are posted: https, or http on loopback.",
            show_default=False,
        ),
    ] = None,
    topics: Annotated[
        str, typer.Option(help="Result topics, separated by commas.", autocompletion=_topic_names)
    ] = "alerts",
    final: Annotated[
        bool, typer.Option("--final", help="Only rows that will not be revised.")
    ] = False,
    begin: Annotated[
        Literal["latest", "earliest"],
        typer.Option("--from", help="Where a new group begins; later starts go on from there."),
    ] = "latest",
    give_up: Annotated[
        float, typer.Option(min=1, help="Seconds that a row is tried before it is a dead letter.")
    ] = 3600.0,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Longest wait for an answer, in seconds.")
    ] = 10.0,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow http to other hosts: rows go in the clear.")
    ] = False,
    group: Annotated[str, typer.Option(help="Consumer group; one for each receiver.")] = (
        "marginquake-webhook"
    ),
    kafka: Kafka = None,
    until_idle: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="End after so many seconds without a row.", show_default="run on"
        ),
    ] = None,
    metrics_port: MetricsPort = None,
    as_json: AsJson = False,
) -> None:
    """Post alerts to a receiver as signed JSON; offsets follow delivered rows.

    The key of the signatures is in MARGINQUAKE_WEBHOOK_SECRET. A row that is refused or given up
    goes to deadletters.v1. docs/consume.md shows how a receiver checks and deduplicates. SIGTERM
    ends with 0 after the POST under way.

    Example: marginquake webhook --url https://alerts.example/marginquake
    """
    stages.end_quietly()
    import asyncio
    import os

    from streams.config import MarginquakeError, settings
    from streams.edges.tail import topic_named
    from streams.edges.webhook import Webhook, WebhookOptions, WebhookReport
    from streams.edges.webhook_post import target_of
    from streams.telemetry import configure_logging, graceful_shutdown, serve_metrics

    if not url:
        raise MarginquakeError("no receiver: give --url or set MARGINQUAKE_WEBHOOK_URL")
    configure_logging("webhook")
    member = Webhook(
        kafka or settings().kafka,
        target_of(url, os.environ.get("MARGINQUAKE_WEBHOOK_SECRET", ""), insecure),
        WebhookOptions(
            topics=tuple(topic_named(name.strip()) for name in topics.split(",")),
            group=group,
            begin=begin,
            final_only=final,
            timeout_s=timeout,
            give_up_s=give_up,
            until_idle_s=until_idle,
        ),
    )

    async def work() -> WebhookReport:
        return await member.run(graceful_shutdown())

    server = serve_metrics("webhook", metrics_port, member.health)
    try:
        report = asyncio.run(work())
    finally:
        if server is not None:
            server.close()
    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    typer.echo(f"{report.delivered:,} rows delivered, {report.retries:,} tries repeated")
    for reason, count in sorted(report.dead_letters.items()):
        typer.echo(f"{count:,} dead letters: {reason}")


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
    app.command(rich_help_panel=PANEL)(tail)
    app.command(rich_help_panel=PANEL)(webhook)
