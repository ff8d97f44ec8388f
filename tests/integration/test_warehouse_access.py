"""Getting at the warehouse: migrations, clients, commands, and the statements of the docs."""

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError
from streams.contracts import CASCADES, FRAMES, PRINTS
from streams.edges.inserts import Inserter
from streams.edges.intake import read
from streams.edges.migrate import migrate, read_migrations
from streams.edges.rows import TABLES, rows
from streams.edges.warehouse import ask as ask_text
from streams.edges.warehouse import connect, connect_reader, parse_dsn, table_sizes

pytestmark = pytest.mark.warehouse

PAGES = Path(__file__).resolve().parents[2] / "docs" / "queries"
VOLUME_MIGRATION = 8
STATEMENTS = [
    sql
    for page in sorted(PAGES.glob("*.md"))
    for sql in re.findall(r"```sql\n(.*?)```", page.read_text("utf-8"), re.S)
]


def ask(client: Client, sql: str) -> list[Any]:
    return list(client.query(sql).result_rows)


def test_migrating_twice_changes_nothing_and_a_dry_run_writes_nothing(warehouse_dsn: str) -> None:
    with connect(warehouse_dsn, create=True) as client:
        dry = migrate(client, dry_run=True)
        assert dry.applied == ()
        assert dry.pending == read_migrations()
        assert ask(client, "SHOW TABLES") == []
        assert migrate(client).applied == read_migrations()
        assert migrate(client).applied == ()
        (count,) = ask(client, "SELECT count() FROM schema_migrations")
        assert count == (len(read_migrations()),)


def test_tickers_written_before_the_volume_was_kept_are_read_without_one(
    warehouse_dsn: str,
) -> None:
    known = read_migrations()
    before = [item for item in known if item.version < VOLUME_MIGRATION]
    read_back = "SELECT venue, mark_price, volume_24h_usd FROM v_frame_tickers ORDER BY venue"
    with connect(warehouse_dsn, create=True) as client:
        migrate(client, before)
        client.command(
            "INSERT INTO frames (asset, second, tickers.venue, tickers.symbol, tickers.mark_price) "
            "VALUES ('BTC', '2026-09-21 14:13:20', ['okx', 'bybit'], ['A', 'B'], [62000.5, NULL])"
        )
        assert migrate(client).applied == known[len(before) :]
        older = [("bybit", None, None), ("okx", 62000.5, None)]
        assert ask(client, read_back) == older
        client.command(
            "INSERT INTO frames (asset, second, tickers.venue, tickers.symbol, "
            "tickers.volume_24h_usd) "
            "VALUES ('ETH', '2026-09-21 14:13:20', ['z'], ['C'], [5580009000.000001])"
        )
        assert ask(client, read_back) == [*older, ("z", None, Decimal("5580009000.000001"))]


def test_a_run_that_broke_off_is_taken_up_again(warehouse_dsn: str, tmp_path: Path) -> None:
    folder = tmp_path / "sql"
    folder.mkdir()
    table = "CREATE TABLE IF NOT EXISTS {} (a UInt8) ENGINE = MergeTree ORDER BY a;"
    (folder / "0001_a.sql").write_text(table.format("a"))
    (folder / "0002_b.sql").write_text(table.format("b") + "ALTER TABLE z MODIFY COMMENT 'x';")
    with connect(warehouse_dsn, create=True) as client:
        with pytest.raises(MarginquakeError, match="statement 2 of migration 0002_b failed"):
            migrate(client, read_migrations(folder))
        (folder / "0002_b.sql").write_text(table.format("b") + table.format("c"))
        outcome = migrate(client, read_migrations(folder))
        assert [item.label for item in outcome.applied] == ["0002_b"]
        assert {size.table for size in table_sizes(client)} == {"a", "b", "c", "schema_migrations"}


def test_a_reader_cannot_write(warehouse: Client, warehouse_dsn: str) -> None:
    with connect_reader(warehouse_dsn) as reader:
        assert ask(reader, "SELECT count() FROM v_frames") == [(0,)]
        for statement in ("DROP TABLE frames", "TRUNCATE TABLE frames", "CREATE DATABASE x"):
            with pytest.raises(Exception, match="readonly"):
                reader.command(statement)
    assert "frames" in {size.table for size in table_sizes(warehouse)}


def test_a_store_in_use_by_another_process_is_refused_with_its_number(
    warehouse: Client, warehouse_dsn: str, tmp_path: Path
) -> None:
    path = parse_dsn(warehouse_dsn).path
    with pytest.raises(MarginquakeError, match="another chDB store open"):
        connect(f"chdb://{tmp_path / 'second'}")
    code = "import sys; from streams.edges.warehouse import connect; connect(sys.argv[1])"
    other = subprocess.run(
        [sys.executable, "-c", code, warehouse_dsn], capture_output=True, text=True, check=False
    )
    assert other.returncode == 1
    assert f"the chDB store {path} is open in process" in other.stderr


def test_a_password_is_in_no_error() -> None:
    dsn = "clickhouse://reader:hunter2hunter2@127.0.0.1:1/marginquake"
    with pytest.raises(MarginquakeError, match=r"127\.0\.0\.1:1/marginquake") as caught:
        connect(dsn)
    assert "hunter2" not in f"{caught.value!r} {caught.value} {parse_dsn(dsn)!r}"
    with pytest.raises(MarginquakeError, match="neither chDB nor a server") as caught:
        connect("postgres://reader:hunter2hunter2@host/x")
    assert "hunter2" not in str(caught.value)


def test_the_commands_migrate_ask_and_tell(warehouse_dsn: str, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from streams.cli import main; main()", *arguments],
            env={"CLICKHOUSE_DSN": warehouse_dsn, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    early = run("query", "SELECT 1")
    assert early.returncode == 1
    assert "run `marginquake migrate` first" in early.stderr
    states = {m["state"] for m in json.loads(run("migrate", "--json").stdout)["migrations"]}
    assert states == {"applied"}
    status = json.loads(run("warehouse", "status", "--json").stdout)
    assert status["pending"] == []
    assert set(TABLES) < {table["table"] for table in status["tables"]}
    answer = run("query", "--json", "SELECT toDecimal64('0.1', 6) AS usd, 1 AS n; -- end")
    assert json.loads(answer.stdout) == [{"usd": 0.1, "n": 1}]
    assert run("query", "--format", "csv", "SELECT 1 AS n").stdout == '"n"\n1\n'
    refused = run("query", "SELECT 1; SELECT 2")
    assert refused.returncode == 1
    assert "give one SQL statement, not 2" in refused.stderr


def test_every_statement_of_the_docs_runs(
    warehouse: Client, warehouse_dsn: str, examples: dict[str, list[bytes]]
) -> None:
    assert len(STATEMENTS) > 15
    topics = {"cascade": CASCADES, "print": PRINTS, "milestone": PRINTS, "frame": FRAMES}
    inserter = Inserter(warehouse)
    for kind, topic in topics.items():
        for example in examples[kind]:
            for table, row in rows(read(topic, example)):
                assert inserter.insert(table, [row]) == []
    with connect_reader(warehouse_dsn) as reader:
        for sql in STATEMENTS:
            answer = json.loads(ask_text(reader, sql, "JSON"))
            assert answer["meta"]


def test_every_view_is_on_the_first_page(warehouse: Client) -> None:
    page = (PAGES / "README.md").read_text("utf-8")
    views = [name for (name,) in ask(warehouse, "SHOW TABLES") if name.startswith("v_")]
    assert [name for name in views if f"`{name}`" not in page] == []
