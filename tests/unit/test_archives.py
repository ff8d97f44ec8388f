"""Raw logs become one live log: what is synthesised, in which order, and what changes nothing."""

import gzip
import json
import os
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from streams.core.events import MICROS, Raw, Status
from streams.core.frames import Frame
from streams.core.framing import Framer, PartitionState
from streams.core.results import CascadeWindow
from streams.edges import archives
from streams.edges.archives import Line
from streams.venues import PARSERS
from tests.drive import INSTRUMENTS, Detecting, current
from tests.logs import (
    BYBIT,
    ORIGIN,
    Event,
    binance_forced,
    bybit_forced,
    bybit_trade,
    steady,
    us,
)

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def write(path: Path, records: Iterable[Raw | Event | str]) -> Path:
    """A raw log of the records; text stands for itself."""
    lines = []
    for record in records:
        if isinstance(record, str):
            lines.append(record)
            continue
        raw = record.raw if isinstance(record, Event) else record
        row = {
            "venue": raw.venue,
            "channel": raw.channel,
            "connection": raw.connection,
            "received_at_us": raw.received_at_us,
            "payload": json.loads(raw.payload),
        }
        lines.append(json.dumps(row))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(*paths: Path) -> list[Line]:
    return list(archives.lines(paths, PARSERS, INSTRUMENTS))


def words(lines: Iterable[Line]) -> list[tuple[str, str, int, Status]]:
    """(venue, connection, second, status) of the status records."""
    return [
        (
            line.raw.venue,
            line.raw.connection,
            line.raw.received_at_us // MICROS - ORIGIN,
            msgspec.json.decode(line.raw.payload, type=Status),
        )
        for line in lines
        if line.raw.channel == "status"
    ]


def through(lines: Iterable[Line], channel: str) -> dict[int, float]:
    """Second of each heartbeat -> how far behind itself it vouches for the channel (s)."""
    return {
        second: round(ORIGIN + second - word.through_us[channel] / MICROS, 6)
        for _, _, second, word in words(lines)
        if channel in word.through_us
    }


def windows(lines: Iterable[Line]) -> Counter[bytes]:
    """Final windows of scope ALL, without partition; quiet frames are skipped, as a law allows."""
    framer = Framer(PartitionState(0, 1), PARSERS, INSTRUMENTS, lambda asset: 0, whole=True)
    detecting = Detecting()
    applied: dict[str, int] = {}
    for line in lines:
        framer.apply(line.raw, line.source)
        out = framer.drain()
        for frame in out.frames:
            if not frame.quiet:
                linked: Frame = msgspec.structs.replace(frame, prev=applied.get(frame.asset))
                applied[frame.asset] = frame.second
                for contribution in detecting.frame(linked):
                    detecting.input(contribution)
        for tick in out.ticks:
            detecting.input(tick)
    market = [
        row
        for row in current(detecting.rows).values()
        if isinstance(row, CascadeWindow) and row.scope == "ALL"
    ]
    assert all(row.is_final for row in market)
    return Counter(msgspec.json.encode(row) for row in market)


def test_a_channel_is_subscribed_by_its_first_record(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [bybit_trade(1), bybit_forced(3)])
    subscribed = [
        (second, word.channels) for _, _, second, word in words(read(path)) if word.channels
    ]
    assert subscribed == [(1, ("trade",)), (3, ("liquidation",))]


def kraken_trade() -> bytes:
    named = {"feed": "trade", "product_id": "PF_XBTUSD", "uid": "u", "side": "sell"}
    numbers = {"type": "fill", "time": us(1) // 1000, "qty": 0.5, "price": 100.0}
    return json.dumps({**named, **numbers}).encode()


def dydx_trade() -> bytes:
    row = {"id": "a", "side": "SELL", "size": "0.5", "price": "100", "type": "LIMIT"}
    row |= {"createdAt": datetime.fromtimestamp(us(1) / 1e6, UTC).isoformat()}
    message = {"type": "channel_data", "channel": "v4_trades", "id": "BTC-USD"}
    return json.dumps({**message, "contents": {"trades": [row]}}).encode()


@pytest.mark.parametrize(("venue", "payload"), [("kraken", kraken_trade()), ("dydx", dydx_trade())])
def test_trades_vouch_for_the_forced_orders_that_are_marked_among_them(
    tmp_path: Path, venue: str, payload: bytes
) -> None:
    lines = read(write(tmp_path / "a.jsonl", [Raw(venue, "trade", "c", us(1), payload)]))
    subscribed = [word.channels for _, _, _, word in words(lines) if word.channels]
    assert subscribed == [("trade",), ("liquidation",)]
    assert through(lines, "liquidation") == through(lines, "trade") != {}


def test_a_file_is_vouched_for_each_second_until_300_s_after_its_last_record(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "a.jsonl", [bybit_forced(1.5), bybit_forced(4.2)])
    lines = read(path)
    beats = [second for _, _, second, word in words(lines) if word.op == "heartbeat"]
    assert beats == list(range(2, 305))
    assert [(s, w.op) for _, _, s, w in words(lines)][-2:] == [(305, "gap"), (305, "end")]
    assert [line.raw.received_at_us for line in lines] == sorted(
        line.raw.received_at_us for line in lines
    )


def test_a_heartbeat_stays_behind_by_the_largest_lag_of_a_minute_and_the_lateness(
    tmp_path: Path,
) -> None:
    lagging = bybit_forced(10, lag_us=7_500_000)
    path = write(tmp_path / "a.jsonl", [bybit_forced(1, lag_us=0), lagging, bybit_trade(20)])
    behind = through(read(path), "liquidation")
    assert behind[10] == 2.0
    assert behind[18] == behind[77] == 9.5
    assert behind[78] == 2.0
    assert through(read(path), "trade")[21] == 2.04


def test_sampled_feeds_are_given_a_second_more(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [binance_forced(1, lag_us=0)])
    assert set(through(read(path), "liquidation").values()) == {3.0}


def test_a_clock_that_runs_ahead_of_the_venue_vouches_for_no_more_than_now(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "a.jsonl", [bybit_forced(1, lag_us=-900_000)])
    assert set(through(read(path), "liquidation").values()) == {2.0}


def test_an_order_as_late_as_those_before_it_is_on_time(tmp_path: Path) -> None:
    records = [bybit_forced(at, lag_us=4_000_000) for at in range(1, 60)]
    framer = _framed(read(write(tmp_path / "a.jsonl", records)))
    assert framer.state.counters.get("late:bybit/liquidation", 0) == 0
    assert framer.state.counters["accepted:liquidation"] == 59


def test_after_a_silence_the_file_subscribes_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [bybit_forced(1), bybit_forced(10_000)])
    told = [(s, w.op) for _, _, s, w in words(read(path)) if w.op != "heartbeat"]
    assert told == [
        (1, "subscribe"),
        (302, "gap"),
        (10_000, "subscribe"),
        (10_301, "gap"),
        (10_301, "end"),
    ]


def test_a_gap_of_a_year_costs_no_records(tmp_path: Path) -> None:
    year = 366 * 86_400
    path = write(tmp_path / "a.jsonl", [bybit_forced(1), bybit_forced(year)])
    assert len(read(path)) < 620


def test_a_recorder_whose_clock_steps_back_keeps_its_order(tmp_path: Path) -> None:
    records = [bybit_forced(10), bybit_forced(4, usd=7.0), bybit_forced(11)]
    lines = [line for line in read(write(tmp_path / "a.jsonl", records)) if line.assets]
    assert [line.source for line in lines] == ["a.jsonl:1", "a.jsonl:2", "a.jsonl:3"]
    assert [line.raw.received_at_us for line in lines] == [us(10.04), us(10.04), us(11.04)]


def test_files_are_merged_by_receipt_and_ended_once(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", [bybit_forced(1), bybit_forced(9)])
    second = write(tmp_path / "b.jsonl", [binance_forced(4), binance_forced(700)])
    lines = read(first, second)
    assert [line.source for line in lines if line.assets] == [
        "a.jsonl:1",
        "b.jsonl:1",
        "a.jsonl:2",
        "b.jsonl:2",
    ]
    ends = [(s, w) for _, _, s, w in words(lines) if w.op == "end"]
    assert len(ends) == 1
    assert lines[-1].raw.received_at_us == max(line.raw.received_at_us for line in lines)
    assert ends[0][1].advance_us == 4 * 3600 * MICROS


def test_each_file_and_venue_is_a_connection_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [bybit_forced(1), binance_forced(2)])
    connections = {line.raw.connection for line in read(path, path)}
    assert len(connections) == 5
    assert "archive" in connections


def test_a_collector_s_own_log_vouches_for_itself(tmp_path: Path) -> None:
    beats = steady(BYBIT, 0, 10, connection="mine")
    path = write(tmp_path / "a.jsonl", [*beats, bybit_forced(5)])
    lines = read(path)
    assert [line.raw.payload for line in lines[:-1] if line.raw.channel == "status"] == [
        json.dumps(json.loads(raw.payload)).encode() for raw in beats
    ]
    assert {line.raw.connection for line in lines[:-1]} == {"mine", "bybit/a"}


def test_a_line_that_is_no_record_is_named_and_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [bybit_forced(1), "{nonsense", bybit_forced(2)])
    (bad,) = [line for line in read(path) if line.bad is not None]
    assert bad.source == "a.jsonl:2"
    assert bad.bad is not None and bad.bad.rejected.reason == "invalid_json"
    assert _framed(read(path)).state.counters["accepted:liquidation"] == 2


FAR = 72 * 365 * 86_400
"""Seconds from the tests' origin to a stamp of 2098."""


@pytest.mark.parametrize(
    ("stamps", "wrong"),
    [
        ([1, 2, FAR, 3, 4], [3]),
        ([FAR, 1, 2, 3], [1]),
        ([1, 2, 3 + 3601, 3], [3]),
        ([1, 2, FAR, 1.5, 3, FAR, 4], [3, 6]),
        ([1, 2, 3 + 3500, 3], []),
        ([1, 2, 90 * 86_400, 90 * 86_400 + 1], []),
        ([1, 90 * 86_400, 90 * 86_400 - 5, 90 * 86_400 + 1], []),
        ([1, 90 * 86_400], []),
    ],
)
def test_a_line_that_leaps_ahead_of_both_neighbours_moves_nothing(
    tmp_path: Path, stamps: list[float], wrong: list[int]
) -> None:
    lines = read(write(tmp_path / "a.jsonl", [bybit_forced(at) for at in stamps]))
    bad = [line.bad for line in lines if line.bad is not None]
    assert [found.source for found in bad] == [f"a.jsonl:{number}" for number in wrong]
    for found in bad:
        assert found.rejected.reason == "time_out_of_range"
        assert "leaps over an hour ahead" in found.rejected.detail
    times = [line.raw.received_at_us for line in lines]
    assert times == sorted(times)
    if wrong:
        assert _framed(lines).state.counters["accepted:liquidation"] == len(stamps) - len(wrong)
        assert _framed(lines).state.counters.get("late:bybit/liquidation", 0) == 0
        assert max(times) < us(3602)


def test_an_unreadable_line_beside_a_leap_hides_it_not(tmp_path: Path) -> None:
    records: list[Event | str] = [bybit_forced(1), bybit_forced(FAR), "{nonsense", bybit_forced(2)]
    bad = [line.bad for line in read(write(tmp_path / "a.jsonl", records)) if line.bad is not None]
    assert {(found.source, found.rejected.reason) for found in bad} == {
        ("a.jsonl:3", "invalid_json"),
        ("a.jsonl:2", "time_out_of_range"),
    }


def test_an_empty_file_gives_an_end_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"")
    assert [word.op for _, _, _, word in words(read(path))] == ["end"]


def burst() -> list[Event]:
    """Two waves of one market over two venues, a quarter of an hour apart."""
    events = []
    for begin, side in ((60, "long"), (1000, "short")):
        for number in range(120):
            make = binance_forced if number % 3 else bybit_forced
            asset = ("BTC", "SOL", "XRP")[number % 4 % 3]
            events.append(make(begin + number * 0.5, asset, side, usd=100_000 + number))
    return events


def test_recordings_cut_anywhere_named_in_any_order_and_doubled_are_one(tmp_path: Path) -> None:
    events = burst()
    expected = windows(read(write(tmp_path / "whole.jsonl", events)))
    assert sum(expected.values()) == 2
    twice = [event for event in events for _ in range(2)]
    assert windows(read(write(tmp_path / "twice.jsonl", twice))) == expected
    for cut in (1, 120):
        first = write(tmp_path / f"{cut}-first.jsonl", events[:cut])
        second = write(tmp_path / f"{cut}-second.jsonl", events[cut:])
        assert windows(read(first, second)) == expected
        assert windows(read(second, first)) == expected


@pytest.fixture(scope="module")
def recording() -> list[str]:
    path = SHARED / "recordings" / "binance_usdm_2025-12-27.jsonl.gz"
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{path} is missing")
        pytest.skip(f"{path} is not here")
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def test_a_recording_doubled_or_cut_in_two_gives_the_same_market_windows(
    recording: list[str], tmp_path: Path
) -> None:
    expected = windows(read(write(tmp_path / "whole.jsonl", recording)))
    assert sum(expected.values()) >= 3
    twice = [line for line in recording for _ in range(2)]
    assert windows(read(write(tmp_path / "twice.jsonl", twice))) == expected
    half = len(recording) // 2
    parts = (
        write(tmp_path / "first.jsonl", recording[:half]),
        write(tmp_path / "second.jsonl", recording[half:]),
    )
    assert windows(read(*parts)) == expected


def _framed(lines: Iterable[Line]) -> Framer:
    framer = Framer(PartitionState(0, 1), PARSERS, INSTRUMENTS, lambda asset: 0, whole=True)
    for line in lines:
        if line.bad is None:
            framer.apply(line.raw, line.source)
    return framer


@pytest.mark.parametrize("vouched", [False, True])
def test_a_log_that_another_follows_ends_with_its_last_record(
    tmp_path: Path, vouched: bool
) -> None:
    end = msgspec.json.encode(Status("end", advance_us=MICROS))
    records: list[Raw | Event | str] = [bybit_trade(ORIGIN), bybit_trade(ORIGIN + 2)]
    if vouched:
        beat = msgspec.json.encode(Status("connect", channels=("trade",)))
        at = us(ORIGIN + 2) + MICROS
        records = [
            Raw("bybit", "status", "linear-0", us(ORIGIN), beat),
            *records,
            Raw("bybit", "status", "linear-0", at, end),
        ]
    path = write(tmp_path / "log.jsonl", records)
    found = list(archives.lines([path], PARSERS, INSTRUMENTS, run_on=False))
    ends = [status for *_, status in words(found) if status.op == "end"]
    assert [status.advance_us for status in ends] == [0]
    last = max(line.raw.received_at_us for line in found if line.raw.channel != "status")
    assert found[-1].raw.received_at_us <= last + MICROS
