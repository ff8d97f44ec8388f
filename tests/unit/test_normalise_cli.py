"""`marginquake normalise` and `instruments`: what a user sees on both output streams."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app

RECEIVED_US = 1_790_000_003_000_000
NOW_MS = 1_790_000_001_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MARGINQUAKE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def line(payload: Any, venue: str = "binance-usdm", received_us: int = RECEIVED_US) -> str:
    return json.dumps({"venue": venue, "received_at_us": received_us, "payload": payload})


def forced(side: str = "SELL", **order: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"s": "BTCUSDT", "S": side, "q": "2", "p": "1", "ap": "50000"}
    fields |= {"X": "FILLED", "z": "2", "T": NOW_MS}
    return {"e": "forceOrder", "E": NOW_MS, "o": fields | order}


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


def printed(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(text) for text in result.stdout.splitlines()]


def test_events_come_out_in_the_order_of_the_input(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    ack = {"result": None, "id": 7}
    lines = [line(forced()), "", line(ack), "{broken", line(forced("BUY", z="NaN")), line(1, "x")]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    result = run("normalise", str(path), "--source")
    rows = printed(result)
    assert [(row["type"], row["line"]) for row in rows] == [
        ("liquidation", 1),
        ("rejected", 4),
        ("rejected", 5),
        ("rejected", 6),
    ]
    first = rows[0]
    assert (first["position_side"], first["usd"], first["venue"]) == (
        "long",
        100_000_000_000,
        "binance-usdm",
    )
    reasons = [row["reason"] for row in rows[1:]]
    assert reasons == ["invalid_json", "not_finite", "unknown_venue"]
    assert all(row["detail"] for row in rows[1:])
    assert result.stderr.startswith("5 lines: 1 ignored:control, 1 liquidation")


def test_lines_are_bare_unless_the_source_is_asked_for() -> None:
    (row,) = printed(run("normalise", "-", stdin=line(forced())))
    assert "line" not in row
    assert row["type"] == "liquidation"


def test_ignored_messages_are_shown_only_on_request() -> None:
    stdin = line({"result": None, "id": 7})
    assert printed(run("normalise", "-", stdin=stdin)) == []
    rows = printed(run("normalise", "-", "--ignored", stdin=stdin))
    assert rows == [{"type": "ignored", "reason": "control"}]


def test_several_files_are_named_in_the_source(tmp_path: Path) -> None:
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for path in paths:
        path.write_text(line(forced()), encoding="utf-8")
    rows = printed(run("normalise", *map(str, paths), "--source"))
    assert [(row["file"], row["line"]) for row in rows] == [(str(path), 1) for path in paths]


def test_an_event_after_its_receipt_is_shown_with_a_mark_or_rejected_on_request() -> None:
    stdin = line([forced(), forced(T=NOW_MS + 60_000)])
    shown = run("normalise", "-", "--source", stdin=stdin)
    assert [row["type"] for row in printed(shown)] == ["liquidation", "liquidation"]
    assert [row.get("quarantine") for row in printed(shown)] == [None, "future_skew"]
    assert [row["line"] for row in printed(shown)] == [1, 1]
    assert printed(shown)[1]["received_at_us"] == RECEIVED_US
    assert "1 stamped over 5 s after receipt" in shown.stderr
    rows = printed(run("normalise", "-", "--quarantine", stdin=stdin))
    assert [row.get("reason") for row in rows] == [None, "future_skew"]
    assert not any("quarantine" in row for row in rows)


def test_an_unmarked_line_is_what_the_framer_accepts() -> None:
    stdin = "\n".join(line(forced(T=NOW_MS + ms)) for ms in (6_999, 7_000, 7_001, 60_000))
    marks = [row.get("quarantine") for row in printed(run("normalise", "-", stdin=stdin))]
    assert marks == [None, None, "future_skew", "future_skew"]


@pytest.mark.parametrize(
    ("venue", "payload"),
    [
        (
            "bybit",
            {
                "topic": "allLiquidation.BTCUSDT",
                "type": "snapshot",
                "ts": NOW_MS,
                "data": [{"T": NOW_MS, "s": "BTCUSDT", "S": "Buy", "v": "2", "p": "50000"}],
            },
        ),
        (
            "okx",
            {
                "arg": {"channel": "liquidation-orders", "instType": "SWAP"},
                "data": [
                    {
                        "instId": "BTC-USDT-SWAP",
                        "details": [
                            {
                                "side": "sell",
                                "posSide": "long",
                                "bkPx": "50000",
                                "sz": "200",
                                "ts": str(NOW_MS),
                            }
                        ],
                    }
                ],
            },
        ),
        ("binance-usdm", forced()),
    ],
)
def test_every_venue_is_read_without_a_channel(venue: str, payload: Any) -> None:
    (row,) = printed(run("normalise", "-", stdin=line(payload, venue)))
    assert (row["venue"], row["position_side"]) == (venue, "long")
    assert row["usd"] == 100_000_000_000


def test_a_closed_pipe_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join([line(forced())] * 5000), encoding="utf-8")
    program = f"import sys; sys.argv = ['marginquake', 'normalise', {str(path)!r}]; "
    program += "from streams.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_a_missing_file_fails_with_its_name() -> None:
    result = run("normalise", "absent.jsonl")
    assert result.exit_code == 1
    assert "absent.jsonl" in str(result.exception)


def test_the_instrument_list_is_a_table_or_json() -> None:
    rows = json.loads(run("instruments", "list", "--venue", "okx", "--json").stdout)
    sizes = {row["symbol"]: row["contract_size"] for row in rows}
    assert sizes["BTC-USDT-SWAP"] == "0.01"
    assert {row["venue"] for row in rows} == {"okx"}
    assert "BTCUSD_PERP" in run("instruments", "list").stdout


def test_a_saved_answer_renews_the_table(tmp_path: Path) -> None:
    saved = tmp_path / "okx.json"
    row = {"instId": "BTC-USDT-SWAP", "instFamily": "BTC-USDT", "ctType": "linear"}
    row |= {"ctVal": "0.5", "ctMult": "1", "ctValCcy": "BTC"}
    saved.write_text(json.dumps({"code": "0", "data": [row]}), encoding="utf-8")
    done = run("instruments", "refresh", "--venue", "okx", "--from", str(saved), "--json")
    (change,) = json.loads(done.stdout)
    assert change["changed"] == ["BTC-USDT-SWAP"]
    rows = json.loads(run("instruments", "list", "--venue", "okx", "--json").stdout)
    renewed = next(row for row in rows if row["symbol"] == "BTC-USDT-SWAP")
    assert (renewed["contract_size"], renewed["basis"]) == ("0.5", "venue")
    again = run("instruments", "refresh", "--venue", "okx", "--from", str(saved))
    assert again.exit_code == 0
    assert "okx" in again.stdout


@pytest.mark.parametrize(
    "arguments", [["--venue", "nowhere"], ["--from", "x.json"], ["--nonsense"]]
)
def test_bad_usage_of_refresh_exits_with_2(arguments: list[str]) -> None:
    assert run("instruments", "refresh", *arguments).exit_code == 2


def test_a_damaged_table_is_an_error_that_names_the_mend(home: Path) -> None:
    home.mkdir()
    (home / "instruments.csv").write_text("nonsense\n", encoding="utf-8")
    for arguments in (["normalise", "-"], ["instruments", "list"]):
        result = run(*arguments, stdin="")
        assert result.exit_code == 1
        assert "delete it" in str(result.exception)


@pytest.mark.parametrize("command", [["normalise"], ["instruments", "list"]])
def test_help_shows_an_example(command: list[str]) -> None:
    assert "Example: marginquake" in " ".join(run(*command, "--help").stdout.split())
