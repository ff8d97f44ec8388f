"""Command of the group "ask": query."""

import sys
from typing import Annotated, Literal

import typer

PANEL = "ask"


def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement; - reads it from standard input.")],
    form: Annotated[
        Literal["table", "json", "csv"], typer.Option("--format", help="How to print the rows.")
    ] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
) -> None:
    """Ask the warehouse (CLICKHOUSE_DSN) in SQL; read the views, whose names begin with v_.

    Nothing can be written here. JSON is one array of objects with exact decimals; dollars are
    USD, times are UTC. docs/queries holds statements to start from.

    Example: marginquake query "SELECT scope, usd_observed FROM v_print_24h ORDER BY 2 DESC"
    """
    import json

    from rich.table import Column, Table

    from streams.config import MarginquakeError, settings
    from streams.edges.console import show_table, verbatim
    from streams.edges.migrate import split_statements
    from streams.edges.warehouse import ask, connect_reader

    statements = split_statements(sys.stdin.read() if sql == "-" else sql)
    if len(statements) != 1:
        raise MarginquakeError(f"give one SQL statement, not {len(statements)}")
    with connect_reader(settings().clickhouse_dsn) as client:
        if as_json or form == "json":
            rows = ask(client, statements[0], "JSONEachRow").splitlines()
            typer.echo("[" + ",\n ".join(rows) + "]")
        elif form == "csv":
            typer.echo(ask(client, statements[0], "CSVWithNames"), nl=False)
        else:
            answer = ask(client, statements[0], "JSONCompact")
            # Kept as text, or a float would lose digits of a decimal.
            found = json.loads(answer, parse_float=str, parse_int=str)
            names = (verbatim(column["name"]) for column in found["meta"])
            table = Table(*(Column(name, overflow="fold") for name in names))
            for row in found["data"]:
                table.add_row(*(verbatim(_cell(value)) for value in row))
            show_table(table)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={_cell(item)}" for key, item in value.items())
    text = str(value)
    return text.replace(".000000Z", "Z")


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
    app.command(rich_help_panel=PANEL)(query)
