"""A table shows data as it is: no markup, no emoji codes, nothing cut in a pipe."""

import os

import pytest
from rich.table import Table
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.edges.console import show_table, verbatim
from streams.edges.migrate import migrate
from streams.edges.warehouse import connect

AWKWARD = ('{"bids":[true],"a":[null]}', "[/x]", "[bold]", ":x:", ":smile:", "[link=a]b", "\\[a]")


@pytest.mark.parametrize("text", AWKWARD)
def test_a_cell_and_a_header_come_out_as_they_are(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table(text, title=text)
    table.add_row(text)
    show_table(table)
    assert capsys.readouterr().out.count(text) == 3


def test_a_pipe_gets_every_column_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{'n' * 40}{number}" for number in range(20)]
    table = Table(*names)
    table.add_row(*(name.upper() for name in names))
    show_table(table)
    out = capsys.readouterr().out
    assert all(name in out and name.upper() in out for name in names)
    assert "…" not in out


def test_control_characters_are_spelt_out_and_lines_are_kept() -> None:
    assert verbatim("a\x1b]0;x\x07\tb\nc é") == "a\\x1b]0;x\\x07\\tb\nc é"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    dsn = f"chdb://{tmp_path_factory.mktemp('store') / 'warehouse'}"
    with connect(dsn, create=True) as client:
        migrate(client)
    return dsn


def query(sql: str) -> Result:
    return CliRunner().invoke(app, ["query", sql])


@pytest.mark.warehouse
@pytest.mark.parametrize("text", AWKWARD)
def test_query_prints_what_the_warehouse_holds(
    store: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_DSN", store)
    literal = text.replace("\\", "\\\\")
    bare, named = query(f"SELECT '{literal}'"), query(f"SELECT '{literal}' AS `{literal}`")
    assert (bare.exit_code, named.exit_code) == (0, 0), bare.exception
    assert text in bare.stdout
    assert named.stdout.count(text) == 2


@pytest.mark.warehouse
def test_a_float_is_shortened_and_a_decimal_is_not(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_DSN", store)
    out = query(
        "SELECT 1 / 3 AS f, [1 / 3, NULL] AS fs, map('a', 1 / 3) AS m,"
        " toDecimal64('12345678.123456', 6) AS usd, 1234567890123 AS n"
    ).stdout
    for text in (
        " 0.33333333 ",
        "0.33333333, -",
        "a=0.33333333",
        "12345678.123456",
        "1234567890123",
    ):
        assert text in out


@pytest.mark.warehouse
def test_a_question_without_an_answer_says_so(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_DSN", store)
    empty = CliRunner().invoke(app, ["query", "Regime", "--set", "scope=NONE"])
    assert (empty.exit_code, empty.stderr) == (0, "no rows\n")
