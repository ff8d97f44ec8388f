"""Replay writes what the engine gives, refuses what is no log, and survives bad lines."""

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.results import validate_result
from streams import contracts
from streams.cli import app
from streams.config import MarginquakeError
from streams.contracts import partition_for
from streams.core.events import MICROS
from streams.core.results import CascadeWindow, Print
from streams.edges.archives import lines
from streams.edges.archives.reading import Reading
from streams.edges.replay import OUTPUT_TOPICS, Folder, check_files, run_replay, write_summary
from streams.edges.summary import Summary
from streams.engines.inprocess import InProcess
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments

BEGAN_MS = 1_795_006_800_000


def forced(second: int, number: int = 0, side: str = "SELL", coin: str = "BTC") -> str:
    """A raw-log line with one forced order of Binance USD-M."""
    at_ms = BEGAN_MS + second * 1000 + number
    order = {
        "s": f"{coin}USDT",
        "S": side,
        "o": "LIMIT",
        "f": "IOC",
        "q": "2.000",
        "p": "90000.0",
        "ap": "90100.0",
        "X": "FILLED",
        "l": "2.000",
        "z": "2.000",
        "T": at_ms,
    }
    record = {
        "venue": "binance-usdm",
        "received_at_us": at_ms * 1000 + 20_000,
        "payload": {"e": "forceOrder", "E": at_ms, "o": order},
    }
    return json.dumps(record)


def rush() -> list[str]:
    """A quiet hour, then two minutes with an order each second in four coins."""
    quiet = [forced(second) for second in range(0, 3600, 400)]
    coins = ("BTC", "ETH", "SOL", "XRP")
    return quiet + [forced(s, i, coin=c) for s in range(3600, 3720) for i, c in enumerate(coins)]


def write(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(rows) + "\n")
    return path


def replayed(folder: Path, *files: Path, frames: bool = False) -> Summary:
    instruments = default_instruments()
    writer = Folder(folder, frames)
    engine = InProcess(PARSERS, instruments, partition_for)
    summary = run_replay(lines(files, PARSERS, instruments), engine, writer)
    writer.close()
    write_summary(folder, summary)
    return summary


def topic(folder: Path, name: str) -> list[bytes]:
    return (folder / f"{name}.jsonl").read_bytes().splitlines()


def test_each_topic_is_a_file_of_messages_of_that_topic(tmp_path: Path) -> None:
    summary = replayed(tmp_path / "out", write(tmp_path / "log", rush()), frames=True)
    for name in (*OUTPUT_TOPICS, contracts.FRAMES):
        values = topic(tmp_path / "out", name)
        assert len(values) == summary.rows[name]
        for value in values:
            assert contracts.encode(contracts.decode(name, value)) == value
    for name in (contracts.CASCADES, contracts.PRINTS):
        for value in topic(tmp_path / "out", name):
            validate_result(value)
    assert summary.rows[contracts.LIQUIDATIONS] == len(rush())


def test_a_window_has_one_line_a_revision_in_order(tmp_path: Path) -> None:
    summary = replayed(tmp_path / "out", write(tmp_path / "log", rush()))
    revisions: dict[str, list[int]] = {}
    finals: dict[str, bool] = {}
    for value in topic(tmp_path / "out", contracts.CASCADES):
        row = contracts.decode_result(value)
        assert isinstance(row, CascadeWindow)
        revisions.setdefault(row.id, []).append(row.revision)
        finals[row.id] = row.is_final
    assert "ALL" in {window.scope for window in summary.ordered()}
    for numbers in revisions.values():
        assert numbers == list(range(1, len(numbers) + 1))
    assert all(finals.values())
    assert {w.id: w.revision for w in summary.ordered()} == {k: v[-1] for k, v in revisions.items()}


def test_frames_are_written_only_when_asked_for(tmp_path: Path) -> None:
    replayed(tmp_path / "out", write(tmp_path / "log", rush()[:3]))
    assert not (tmp_path / "out" / "frames.v1.jsonl").exists()


def test_two_replays_of_one_log_give_the_same_bytes(tmp_path: Path) -> None:
    log = write(tmp_path / "log", rush())
    for name in ("a", "b"):
        replayed(tmp_path / name, log, frames=True)
    for name in (*OUTPUT_TOPICS, contracts.FRAMES):
        assert topic(tmp_path / "a", name) == topic(tmp_path / "b", name)


def test_a_second_replay_leaves_nothing_of_the_first_in_its_folder(tmp_path: Path) -> None:
    replayed(tmp_path / "out", write(tmp_path / "log", rush()))
    replayed(tmp_path / "out", write(tmp_path / "log", rush()[:1]))
    assert topic(tmp_path / "out", contracts.CASCADES) == []
    assert len(topic(tmp_path / "out", contracts.LIQUIDATIONS)) == 1


def test_bad_lines_are_dead_lettered_and_their_neighbours_are_not(tmp_path: Path) -> None:
    rows = rush()
    bad = ['{"venue":"binance-usdm","received_at', "[]", '{"venue":"nowhere","received_at_us":1}']
    summary = replayed(tmp_path / "out", write(tmp_path / "log", [rows[0], *bad, *rows[1:]]))
    assert summary.rows[contracts.LIQUIDATIONS] == len(rows)
    letters = [json.loads(value) for value in topic(tmp_path / "out", contracts.DEADLETTERS)]
    assert [letter["source"] for letter in letters] == ["log:2", "log:3", "log:4"]
    assert sum(summary.tally("dead_lettered").values()) == 3


def test_what_was_read_is_accepted_filtered_late_duplicate_or_dead(tmp_path: Path) -> None:
    rows = rush()
    log = write(tmp_path / "log", [*rows[:50], *rows[:3], "no record", *rows[50:]])
    summary = replayed(tmp_path / "out", log)
    told = sum(
        sum(summary.tally(outcome).values())
        for outcome in ("accepted", "filtered", "duplicates", "late", "late_dropped")
    )
    dead = sum(summary.tally("dead_lettered").values())
    assert dead == 1
    assert told + dead == summary.records


def test_files_are_merged_by_receipt_time(tmp_path: Path) -> None:
    rows = rush()
    whole = write(tmp_path / "whole", rows)
    odd, even = write(tmp_path / "odd", rows[1::2]), write(tmp_path / "even", rows[::2])
    one = replayed(tmp_path / "a", whole)
    two = replayed(tmp_path / "b", odd, even)
    assert [w.usd_observed for w in one.ordered()] == [w.usd_observed for w in two.ordered()]
    assert one.newest_print is not None
    assert two.newest_print is not None
    assert one.newest_print.usd_observed == two.newest_print.usd_observed


def test_the_print_counts_every_dollar(tmp_path: Path) -> None:
    rows = rush()
    summary = replayed(tmp_path / "out", write(tmp_path / "log", rows))
    assert summary.newest_print is not None
    assert summary.newest_print.usd_observed == len(rows) * 2 * 90_100 * MICROS
    assert summary.newest_print.events == len(rows)


def test_the_print_shown_is_that_of_the_end_of_the_data(tmp_path: Path) -> None:
    # The first order leaves the 24 hours in the hours by which the clock runs on.
    rows = [forced(0), forced(22 * 3600)]
    summary = replayed(tmp_path / "out", write(tmp_path / "log", rows))
    assert summary.data_end == (BEGAN_MS + 22 * 3600 * 1000) * 1000
    assert summary.newest_print is not None
    assert (summary.newest_print.events, summary.newest_print.as_of) == (2, summary.data_end)
    market = [
        row
        for value in topic(tmp_path / "out", contracts.PRINTS)
        if isinstance(row := contracts.decode_result(value), Print) and row.scope == "ALL"
    ]
    assert market[-1].as_of > summary.data_end
    assert {row.events for row in market[-2:]} == {1}


def test_the_folder_holds_a_summary_of_the_run(tmp_path: Path) -> None:
    summary = replayed(tmp_path / "out", write(tmp_path / "log", rush()))
    found = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert found == json.loads(json.dumps(summary.as_json()))
    assert found["units"] == {"usd": "micro-dollars", "times": "microseconds UTC"}


@pytest.mark.parametrize("content", ["", "\n\n", "a,b\n1,2\n", '{"some":"json"}\n'])
def test_a_file_without_any_record_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "trades.csv"
    path.write_text(content)
    with pytest.raises(MarginquakeError, match=r"trades\.csv holds no record"):
        check_files([path], Reading(default_instruments()))


def test_a_file_whose_first_record_comes_late_is_taken(tmp_path: Path) -> None:
    check_files(
        [write(tmp_path / "log", ["x"] * 500 + [forced(0)])], Reading(default_instruments())
    )


def test_a_missing_file_is_named_with_the_mend(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["replay", str(tmp_path / "absent"), "--jsonl", "out"])
    assert isinstance(result.exception, MarginquakeError)
    assert "absent" in str(result.exception)
    assert not Path("out").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MarginquakeError, match="choose another --jsonl folder"):
        Folder(tmp_path / "file" / "out")


def test_the_command_prints_the_summary_as_json(tmp_path: Path) -> None:
    log = tmp_path / "log.gz"
    log.write_bytes(gzip.compress("\n".join(rush()).encode()))
    result = CliRunner().invoke(
        app, ["replay", str(log), "--jsonl", str(tmp_path / "out"), "--json"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["target"] == str(tmp_path / "out")
    assert found["accepted"] == {"liquidation": len(rush())}


def test_frames_without_a_folder_is_bad_usage(tmp_path: Path) -> None:
    log = write(tmp_path / "log", rush()[:1])
    assert CliRunner().invoke(app, ["replay", str(log), "--frames"]).exit_code == 2
