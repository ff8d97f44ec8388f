"""The summary keeps what a reader asks for, and says it in the units it names."""

import io
import json

import msgspec
from rich.console import Console

from schemas.results import validate_result
from streams.contracts import decode_result
from streams.core.events import MICROS
from streams.core.frames import Frame
from streams.core.results import CascadeWindow, Print, Result
from streams.edges.summary import (
    MAX_ROWS,
    Summary,
    WindowRow,
    dollars,
    moment,
    print_summary,
    window_table,
)

Examples = dict[str, list[bytes]]


def results(examples: Examples, kind: str) -> list[Result]:
    return [decode_result(value) for value in examples[kind]]


def decode_frame(value: bytes) -> Frame:
    return msgspec.json.decode(value, type=Frame)


def replaced(frame: Frame, second: int) -> Frame:
    return msgspec.structs.replace(frame, second=second)


def frame_at(second: int, examples: Examples) -> Frame:
    """A frame of that second with forced orders in it."""
    found = next(frame for value in examples["frame"] if (frame := decode_frame(value)).cells)
    return replaced(found, second)


def shown(summary: Summary) -> str:
    out = io.StringIO()
    print_summary(summary, Console(file=out, width=200))
    return out.getvalue()


def test_of_a_window_only_the_newest_revision_is_kept(examples: Examples) -> None:
    summary = Summary()
    window = results(examples, "cascade")[0]
    assert isinstance(window, CascadeWindow)
    for revision in (1, 2, 3):
        summary.take(msgspec.structs.replace(window, revision=revision))
    assert [(w.id, w.revision) for w in summary.ordered()] == [(window.id, 3)]


def test_of_prints_only_the_markets_rolling_one_over_all_venues_is_kept(
    examples: Examples,
) -> None:
    rolling = next(
        row
        for row in results(examples, "print")
        if isinstance(row, Print) and row.kind == "rolling_24h"
    )
    wanted = msgspec.structs.replace(rolling, scope="ALL", venue=None)
    summary = Summary()
    summary.see(frame_at(wanted.watermark, examples))
    summary.take(wanted)
    for other in (
        msgspec.structs.replace(wanted, scope="BTC"),
        msgspec.structs.replace(wanted, venue="okx"),
        msgspec.structs.replace(wanted, kind="utc_day"),
    ):
        summary.take(other)
    assert summary.newest_print == wanted


def test_the_print_is_that_of_the_last_market_event_whatever_the_clock_does_after_it(
    examples: Examples,
) -> None:
    rolling = next(
        row
        for row in results(examples, "print")
        if isinstance(row, Print) and row.kind == "rolling_24h" and row.venue is None
    )
    end = rolling.watermark
    rows = [
        msgspec.structs.replace(rolling, scope="ALL", watermark=end + s * MICROS, as_of=end)
        for s in range(6)
    ]
    summary = Summary()
    silent = msgspec.structs.replace(
        frame_at(end, examples), cells=(), late=(), flows=(), books=(), tickers=()
    )
    for second, row in enumerate(rows):
        at = end + second * MICROS
        # An order in seconds 0 and 2, then only a clock that runs on.
        summary.see(frame_at(at, examples) if second in (0, 2) else replaced(silent, at))
        summary.take(row)
    assert summary.newest_print == rows[2]
    assert summary.as_json()["data_end"] == end + 2 * MICROS
    assert f"before the data end, {moment(end + 2 * MICROS)} UTC" in shown(summary)
    summary.see(frame_at(end + 4 * MICROS, examples))
    assert summary.newest_print == rows[4]


def test_a_ticker_kept_from_an_earlier_second_is_no_market_event(examples: Examples) -> None:
    frame = next(frame for value in examples["frame"] if (frame := decode_frame(value)).tickers)
    bare = msgspec.structs.replace(frame, cells=(), late=(), flows=(), books=())
    newest = max(ticker.as_of_us for ticker in frame.tickers) // MICROS * MICROS
    summary = Summary()
    summary.see(replaced(bare, newest))
    summary.see(replaced(bare, newest + MICROS))
    assert (summary.data_end, summary.frames) == (newest, 2)


def test_the_json_holds_rows_as_their_topics_do(examples: Examples) -> None:
    summary = Summary(records=3, counters={"accepted:trade": 2, "dead_lettered:invalid_json": 1})
    for kind in ("cascade", "print", "milestone"):
        for row in results(examples, kind):
            summary.take(row)
    found = json.loads(json.dumps(summary.as_json()))
    assert found["accepted"] == {"trade": 2}
    assert found["dead_lettered"] == {"invalid_json": 1}
    for row in (*found["windows"], *found["milestones"]):
        validate_result(json.dumps(row).encode())
    assert len(found["windows"]) == len({w["id"] for w in found["windows"]}) > 0


def test_counters_are_told_by_outcome_largest_first() -> None:
    counters = {"late:liquidation": 1, "late_dropped:trade": 5, "late:x": 7, "received": 9}
    summary = Summary(counters=counters)
    assert list(summary.tally("late").items()) == [("x", 7), ("liquidation", 1)]
    assert summary.tally("late_dropped") == {"trade": 5}
    assert "late dropped: trade 5" in shown(summary)


def test_a_run_without_windows_says_so() -> None:
    assert "no cascade windows" in shown(Summary(target="out"))


def test_the_table_shows_what_is_open_unknown_or_not_final(examples: Examples) -> None:
    for row in results(examples, "cascade"):
        assert isinstance(row, CascadeWindow)
        summary = Summary()
        summary.take(row)
        text = shown(summary)
        assert row.scope in text
        assert moment(row.onset) in text
        assert dollars(row.usd_observed) in text
        assert ("open" in text) == (row.end is None)
        assert (f"{row.window_class}*" in text) != row.is_final
        for name, gate in row.gates.items():
            if gate.state != "pass":
                assert name in text


def test_a_long_table_is_cut_and_the_rest_counted(examples: Examples) -> None:
    window = results(examples, "cascade")[0]
    assert isinstance(window, CascadeWindow)
    summary = Summary()
    for number in range(MAX_ROWS + 5):
        summary.take(msgspec.structs.replace(window, id=f"{number:032x}"))
    assert "... and 5 more windows" in shown(summary)


def test_a_window_row_has_a_column_each(examples: Examples) -> None:
    rows = [
        WindowRow.of(row) for row in results(examples, "cascade") if isinstance(row, CascadeWindow)
    ]
    table = window_table(rows)
    assert table.row_count == len(rows)
    assert len(table.columns) == 12


def test_dollars_have_three_digits_and_the_unit_that_fits() -> None:
    amounts = (0, 999_000_000, 12_340_000_000, 999_960_000_000, 5_600_000_000_000, 10**15 * 2)
    assert [dollars(a) for a in amounts] == ["$0", "$999", "$12.3k", "$1.00M", "$5.60M", "$2.00B"]
