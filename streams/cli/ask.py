"""Command of the group "ask": query."""

import re
import sys
from typing import Annotated, Literal

import typer

PANEL = "ask"


def _query_names(incomplete: str) -> list[tuple[str, str]]:
    from streams.edges.query_catalogue import catalogue

    return [
        (one.name, one.about) for one in catalogue().values() if one.name.startswith(incomplete)
    ]


def query(
    question: Annotated[
        str | None,
        typer.Argument(
            help="Name of a query, or one SQL statement; - reads SQL from standard input.",
            show_default=False,
            autocompletion=_query_names,
        ),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show the named queries.")] = False,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", help="Parameter of a named query, as name=value; repeatable."),
    ] = None,
    form: Annotated[
        Literal["table", "json", "csv"], typer.Option("--format", help="How to print the rows.")
    ] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
) -> None:
    """Ask the warehouse (CLICKHOUSE_DSN): a named query, or SQL over the views (v_...).

    Nothing can be written here. JSON is one array of objects with exact decimals; dollars are
    USD, times are UTC. docs/queries holds statements to start from.

    Example: marginquake query regime-transitions --set scope=BTC
    """
    from streams.config import settings
    from streams.edges.warehouse import ask, connect_reader

    if listed:
        _show_list(as_json or form == "json")
        return
    if question is None:
        raise typer.BadParameter("give the name of a query, SQL, or --list")
    sql, parameters = _statement(question, given or [])
    with connect_reader(settings().clickhouse_dsn) as client:
        if as_json or form == "json":
            rows = ask(client, sql, "JSONEachRow", parameters).splitlines()
            typer.echo("[" + ",\n ".join(rows) + "]")
        elif form == "csv":
            typer.echo(ask(client, sql, "CSVWithNames", parameters), nl=False)
        else:
            _show_table(ask(client, sql, "JSONCompact", parameters))


def _statement(question: str, given: list[str]) -> tuple[str, dict[str, str]]:
    """The SQL of a question, with its parameters."""
    from streams.config import MarginquakeError
    from streams.edges.migrate import split_statements
    from streams.edges.query_catalogue import find

    if re.fullmatch(r"\s*[A-Za-z][A-Za-z0-9-]+\s*", question):
        named = find(question.strip().lower())
        pairs = [pair.partition("=") for pair in given]
        wrong = next((name for name, sign, _ in pairs if not sign), None)
        if wrong is not None:
            raise MarginquakeError(f"--set {wrong} lacks its value: write --set {wrong}=VALUE")
        return named.sql, named.bind({name: value for name, _, value in pairs})
    if given:
        raise MarginquakeError("--set goes with a named query; write values into your SQL")
    statements = split_statements(sys.stdin.read() if question == "-" else question)
    if len(statements) != 1:
        raise MarginquakeError(f"give one SQL statement, not {len(statements)}")
    return statements[0], {}


def _show_list(as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from rich.table import Table

    from streams.edges.console import show_table
    from streams.edges.query_catalogue import catalogue

    queries = catalogue().values()
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in queries]))
        return
    table = Table("query", "answers", "parameters (--set name=value)")
    for one in queries:
        parameters = ", ".join(f"{p.name}={p.default}" for p in one.parameters)
        table.add_row(one.name, one.about, parameters)
    show_table(table)


def _show_table(answer: str) -> None:
    import json

    from rich.table import Column, Table

    from streams.edges.console import show_table, verbatim

    # Kept as text, or a float would lose digits of a decimal.
    found = json.loads(answer, parse_float=str, parse_int=str)
    names = (verbatim(column["name"]) for column in found["meta"])
    table = Table(*(Column(name, overflow="fold") for name in names))
    for row in found["data"]:
        # Only a plain float is shortened: dollars are decimals, of which every digit counts.
        cells = (
            _short(value) if "Float64" in column["type"] else _cell(value)
            for column, value in zip(found["meta"], row, strict=True)
        )
        table.add_row(*map(verbatim, cells))
    show_table(table)
    if not found["data"]:
        typer.echo("no rows", err=True)


def _short(value: object) -> str:
    """A float to eight significant digits, inside lists and maps too."""
    if isinstance(value, list):
        return ", ".join(map(_short, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}={_short(item)}" for key, item in value.items())
    if isinstance(value, str) and re.fullmatch(r"-?[0-9.]+(e[-+]?[0-9]+)?", value):
        return f"{float(value):.8g}"
    return _cell(value)


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
