"""Commands of the group "start": demo, live, doctor."""

import json
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from streams.cli import live

PANEL = "start"


def demo(
    engine: Annotated[
        Literal["faust", "inprocess"] | None,
        typer.Option(
            help="faust: Kafka, Faust worker, sink. inprocess: no broker, no Java.",
            show_default="faust where Java and Maven are here",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep/--fresh", help="Go on with an earlier demo's data, or wipe it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Run the whole path on a simulated hour with one market-wide cascade, then show the rows.

    Beside the rows stands what was true, which only a simulation knows. Everything lies in
    MARGINQUAKE_HOME/demo; rows go to CLICKHOUSE_DSN when it is set. Steps are told on standard
    error. Needs the extra `simulate`; the first run compiles the simulator for up to a minute.

    Example: marginquake demo --engine inprocess
    """
    import os

    from streams.config import settings
    from streams.edges.console import report_console
    from streams.edges.demo import run_demo
    from streams.edges.demo_report import show_report

    here = settings()
    done = run_demo(here, "CLICKHOUSE_DSN" in os.environ, engine, keep)
    if as_json:
        typer.echo(json.dumps(done.as_json()))
        return
    console = report_console()
    show_report(done.report, done.hour, console)
    console.print(f"{done.seconds:.0f} s; data and logs in {done.home}", soft_wrap=True)
    dsn = "" if "CLICKHOUSE_DSN" in os.environ else f"CLICKHOUSE_DSN={done.warehouse} "
    sql = "SELECT scope, side, class, usd_observed FROM v_cascades ORDER BY onset"
    typer.echo(f'ask it: {dsn}marginquake query "{sql}"')


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check what is here: packages, Java, Maven, ports, broker, warehouse, clock, memory, disk.

    Each lack comes with its mend; exit 1 when there is one. Changes and starts nothing.

    Example: marginquake doctor
    """
    from rich.table import Table

    from streams.config import settings
    from streams.edges.console import show_table
    from streams.edges.doctor import examine
    from streams.edges.progress import waiting

    with waiting("looking at this machine", quiet=as_json):
        checks = examine(settings())
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks]))
    else:
        table = Table("check", "state", "needed for", "found", "mend")
        for check in checks:
            state = "ok" if check.ok else "LACKING"
            table.add_row(check.name, state, check.needed_for, check.found, check.mend)
        show_table(table)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
    app.command(rich_help_panel=PANEL)(demo)
    live.register(app)
    app.command(rich_help_panel=PANEL)(doctor)
