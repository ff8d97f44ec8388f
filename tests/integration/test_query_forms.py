"""What the forms of an answer promise: the same rows, exactly, in every one."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner

from streams.cli import app
from streams.config import MarginquakeError
from streams.edges.inserts import Inserter
from streams.edges.rows import LIQUIDATIONS, rows
from streams.edges.warehouse import connect_reader
from streams.edges.warehouse_frames import named, pandas_frame, polars_frame
from tests.rollup_facts import forced_order

pytestmark = pytest.mark.warehouse

EXACT = Decimal("99999999999.999999")
"""More digits than a float holds."""


@pytest.fixture
def filled(warehouse: Client, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    batch = [forced_order(1, 0, 99_999_999_999_999_999), forced_order(2, 1, 1, "okx", "short")]
    orders = [row for one in batch for _, row in rows(one)]
    assert Inserter(warehouse).insert(LIQUIDATIONS, orders) == []
    monkeypatch.setenv("CLICKHOUSE_DSN", warehouse_dsn)
    return warehouse_dsn


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["query", "largest-orders", *words])


def test_every_form_holds_the_same_exact_dollars(filled: str, tmp_path: Path) -> None:
    told = run("--json").output
    assert [row["asset"] for row in json.loads(told)] == ["BTC", "ETH"]
    assert f'"usd":{EXACT}' in told
    by_name = list(csv.DictReader(io.StringIO(run("--format", "csv").output)))
    assert [Decimal(row["usd"]) for row in by_name] == [EXACT, Decimal("0.000001")]
    target = tmp_path / "orders.parquet"
    assert run("--format", "parquet", "-o", str(target)).exit_code == 0
    frame = pl.read_parquet(target)
    assert frame["usd"].to_list() == [EXACT, Decimal("0.000001")]
    assert frame.schema["usd"] == pl.Decimal(18, 6)
    piped = CliRunner().invoke(app, ["query", "largest-orders", "--format", "parquet"])
    assert piped.stdout_bytes == target.read_bytes()


def test_json_and_csv_go_to_a_file_as_to_the_terminal(filled: str, tmp_path: Path) -> None:
    for form in ("json", "csv"):
        target = tmp_path / form
        shown = run("--format", form).output
        assert run("--format", form, "-o", str(target)).output == ""
        assert target.read_text("utf-8") == shown


def test_what_would_garble_a_terminal_or_name_no_file_is_refused(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = run("-o", str(tmp_path / "x"))
    assert table.exit_code == 2
    assert not (tmp_path / "x").exists()
    nowhere = run("--format", "csv", "-o", str(tmp_path / "none" / "x"))
    assert isinstance(nowhere.exception, MarginquakeError)
    assert "No such file" in str(nowhere.exception)


def test_binary_is_refused_by_a_terminal(filled: str) -> None:
    import os
    import pty
    import subprocess
    import sys

    master, slave = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "query", "largest-orders", "--format", "parquet"],
        stdout=slave,
        stderr=subprocess.PIPE,
        check=False,
        timeout=200,
    )
    os.close(slave)
    os.close(master)
    assert done.returncode == 2
    assert b"-o FILE" in done.stderr


def test_frames_keep_decimals_times_and_nulls(filled: str) -> None:
    with connect_reader(filled) as client:
        for frame in (
            polars_frame(client, *named("largest-orders", rows="1")).to_arrow(),
            pa.Table.from_pandas(pandas_frame(client, *named("largest-orders", rows="1"))),
        ):
            (row,) = frame.select(["usd", "event_time_us", "asset"]).to_pylist()
            assert row["usd"] == EXACT
            assert row["event_time_us"].isoformat() == "2026-11-01T00:00:00+00:00"
            assert row["asset"] == "BTC"
        nothing = polars_frame(client, "SELECT CAST(NULL AS Nullable(Decimal(18, 6))) AS usd")
        assert nothing["usd"].to_list() == [None]
        with pytest.raises(MarginquakeError, match="no parameter"):
            named("largest-orders", colour="red")


def test_hours_and_minutes_are_times_in_frames_too(filled: str) -> None:
    with connect_reader(filled) as client:
        for asset in ("*", "NONE"):
            asked = named("worst-minutes", asset=asset)
            frame = polars_frame(client, *asked)
            assert frame.schema["minute"] == pl.Datetime("us", "UTC")
            assert frame.schema["forced_usd"] == pl.Decimal(38, 6)
            types = dict(pandas_frame(client, *asked).dtypes)
            assert pa.types.is_timestamp(types["minute"].pyarrow_dtype)
            assert types["minute"].pyarrow_dtype.tz == "UTC"
            assert frame.is_empty() == (asset == "NONE")


def test_a_statement_cannot_write_a_file(filled: str, tmp_path: Path) -> None:
    target = tmp_path / "out"
    for sql in (
        f"SELECT 1 INTO OUTFILE '{target}'",
        f"SELECT 'it''s' AS a /* x */ into\n outfile '{target}' TRUNCATE",
    ):
        refused = CliRunner().invoke(app, ["query", sql])
        assert isinstance(refused.exception, MarginquakeError)
        assert "-o FILE" in str(refused.exception)
    assert not target.exists()
    words = CliRunner().invoke(app, ["query", "SELECT 'into outfile' AS a", "--json"])
    assert json.loads(words.output) == [{"a": "into outfile"}]


def test_a_value_given_twice_is_refused(filled: str) -> None:
    twice = run("--set", "rows=1", "--set", "rows=2")
    assert "more than once" in str(twice.exception)


def test_a_null_in_csv_is_empty_and_an_empty_text_is_quoted(filled: str) -> None:
    told = CliRunner().invoke(app, ["query", "SELECT NULL AS a, '' AS b", "--format", "csv"])
    assert told.output.splitlines() == ['"a","b"', ',""']
