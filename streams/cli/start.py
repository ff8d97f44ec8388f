"""Commands of the group "start": demo,live,up,doctor."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

PANEL = "start"


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check this machine: Python, packages, Java, Maven, port, disk; exit 1 when one is lacking.

    Example: marginquake doctor
    """
    from rich.console import Console
    from rich.table import Table

    from streams.config import settings
    from streams.edges.doctor import examine

    checks = examine(settings())
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks]))
    else:
        table = Table("check", "state", "needed for", "found", "mend")
        for check in checks:
            state = "ok" if check.ok else "LACKING"
            table.add_row(check.name, state, check.needed_for, check.found, check.mend)
        Console().print(table)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
    app.command(rich_help_panel=PANEL)(doctor)
