"""Commands of the group "ask": query and audit."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.cli.options import AsJson

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

PANEL = "ask"

_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`""", re.DOTALL)


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
        Literal["table", "json", "csv", "parquet"],
        typer.Option("--format", help="How to give the rows."),
    ] = "table",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write json, csv or parquet to this file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
) -> None:
    """Ask the warehouse (CLICKHOUSE_DSN): a named query, or SQL over the views (v_...).

    Nothing can be written here. JSON is one array of objects with exact decimals; dollars are
    USD, times are UTC. docs/queries holds statements to start from.

    Example: marginquake query regime-transitions --set scope=BTC
    """
    from streams.config import settings
    from streams.edges.progress import waiting
    from streams.edges.warehouse import ask, connect_reader

    form = "json" if as_json else form

    if listed:
        _show_list(form == "json")
        return
    if question is None:
        raise typer.BadParameter("give the name of a query, SQL, or --list")
    if output is not None and form == "table":
        raise typer.BadParameter("-o takes --format json, csv or parquet")
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise typer.BadParameter("parquet is not for a terminal; give -o FILE, or pipe it")
    sql, parameters = _statement(question, given or [])
    with connect_reader(settings().clickhouse_dsn) as client:
        if form == "table":
            with waiting("asking the warehouse"):
                answer = ask(client, sql, "JSONCompact", parameters)
            _show_table(answer)
        else:
            with waiting("asking the warehouse"):
                content = _bytes(client, sql, form, parameters)
            _give(content, output)


def _bytes(client: "Client", sql: str, form: str, parameters: dict[str, str]) -> bytes:
    """The answer in the form asked for."""
    from streams.edges.warehouse import ask_bytes

    if form == "json":
        rows = ask_bytes(client, sql, "JSONEachRow", parameters).splitlines()
        return b"[" + b",\n ".join(rows) + b"]\n"
    return ask_bytes(client, sql, {"csv": "CSVWithNames", "parquet": "Parquet"}[form], parameters)


def _give(content: bytes, output: Path | None) -> None:
    from streams.config import MarginquakeError

    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise MarginquakeError(
            f"cannot write {output}: {error.strerror}; name a file in a folder that is there"
        ) from None


def audit(
    names: Annotated[
        list[str] | None, typer.Argument(help="Audits; all without.", show_default=False)
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show what must hold.")] = False,
    since: Annotated[str, typer.Option(help="Rows from this UTC time on.")] = "1970-01-01",
    until: Annotated[str, typer.Option(help="Rows before this UTC time.")] = "2106-01-01",
    samples: Annotated[int, typer.Option(min=1, help="Rows shown of a broken rule.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Check the warehouse (CLICKHOUSE_DSN) against the rules that its rows must obey.

    Each audit is SQL in schemas/audits that must return no row. Exits 1 when one does, or fails.

    Example: marginquake audit --since 2026-11-01
    """
    import json

    from streams.config import MarginquakeError, settings
    from streams.edges.audits import run
    from streams.edges.progress import waiting
    from streams.edges.query_catalogue import catalogue
    from streams.edges.warehouse import connect_reader

    audits = catalogue("audits")
    if listed:
        for rule in audits.values():
            typer.echo(f"{rule.name}: {rule.about}")
        return
    unknown = [name for name in names or () if name not in audits]
    if unknown:
        raise MarginquakeError(f"there is no audit {unknown[0]!r}; `marginquake audit --list`")
    with connect_reader(settings().clickhouse_dsn) as client:
        chosen = [audits[name] for name in names or audits]
        with waiting("checking the warehouse", quiet=as_json):
            findings = run(client, chosen, {"since": since, "until": until}, samples)
    broken = [one for one in findings if one.rows]
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in findings]))
    else:
        for one in findings:
            state = f"{one.rows:,} rows" if one.rows else "holds"
            typer.echo(f"{one.name}: {state}" + (f"; broken: {one.about}" if one.rows else ""))
            for sample in one.samples:
                typer.echo(f"  {sample}")
    if broken:
        raise MarginquakeError(
            f"{len(broken)} of {len(findings)} audits found rows: "
            f"{', '.join(one.name for one in broken)}"
        )


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
        names = [name for name, _, _ in pairs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise MarginquakeError(f"--set {twice} is given more than once; give one value")
        return named.sql, named.bind({name: value for name, _, value in pairs})
    if given:
        raise MarginquakeError("--set goes with a named query; write values into your SQL")
    statements = split_statements(sys.stdin.read() if question == "-" else question)
    if len(statements) != 1:
        raise MarginquakeError(f"give one SQL statement, not {len(statements)}")
    # ClickHouse's reading mode does not stop chDB from writing a file.
    if re.search(r"\bINTO\s+OUTFILE\b", _QUOTED.sub("''", statements[0]), re.IGNORECASE):
        raise MarginquakeError("INTO OUTFILE is refused: write with --format and -o FILE")
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
    app.command(rich_help_panel=PANEL)(audit)
