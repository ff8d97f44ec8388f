"""The demo's hour is deterministic, honest about the feeds, and readable by the venue parsers."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.contracts import partition_for
from streams.core.events import MICROS, Book, Ignored, Liquidation, Raw, Rejected, Ticker, Trade
from streams.core.normalise import normalise
from streams.core.results import MARKET
from streams.edges import rawlog
from streams.edges.archives import lines
from streams.edges.generator import BEGAN_S, BOOK_ASSETS, LATENESS_S, Hour, generate
from streams.edges.replay import Folder, run_replay
from streams.edges.simulated_market import ASSETS, Market
from streams.edges.summary import Summary
from streams.engines.inprocess import InProcess
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Hour:
    return generate(tmp_path_factory.mktemp("hour") / "hour.jsonl.zst")


@pytest.fixture(scope="module")
def records(hour: Hour) -> list[Raw]:
    found = [item for _, item in rawlog.read(hour.path)]
    assert all(isinstance(item, Raw) for item in found)
    return [item for item in found if isinstance(item, Raw)]


@pytest.fixture(scope="module")
def outcomes(records: list[Raw]) -> list[Any]:
    instruments = default_instruments()
    return [
        outcome
        for raw in records
        if raw.channel != "status"
        for outcome in normalise(raw, PARSERS, instruments)
    ]


@pytest.fixture(scope="module")
def summary(hour: Hour, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    instruments = default_instruments()
    engine = InProcess(PARSERS, instruments, partition_for)
    writer = Folder(tmp_path_factory.mktemp("out"))
    found = run_replay(lines([hour.path], PARSERS, instruments), engine, writer)
    writer.close()
    return found


def test_one_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.zst" for number in range(3)]
    for file, seed in zip(files, (5, 5, 6), strict=True):
        generate(file, seed, minutes=2)
    assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()


def test_the_log_stands_in_order_of_receipt(records: list[Raw]) -> None:
    received = [raw.received_at_us for raw in records]
    assert received == sorted(received)
    assert 100_000 < len(records) < 300_000


def test_every_message_but_the_one_cut_off_is_read_by_its_venue_parser(outcomes: list[Any]) -> None:
    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds[Rejected] == 1
    assert kinds[Ignored] == 5  # the acknowledged subscriptions
    assert min(kinds[kind] for kind in (Liquidation, Trade, Ticker, Book)) > 1_000


def test_every_asset_and_venue_has_its_channels(outcomes: list[Any]) -> None:
    traded = {(o.venue, o.asset) for o in outcomes if isinstance(o, Trade) and o.contract != "spot"}
    spot = {o.asset for o in outcomes if isinstance(o, Trade) and o.contract == "spot"}
    forced = {(o.venue, o.asset) for o in outcomes if isinstance(o, Liquidation)}
    names = {asset.name for asset in ASSETS}
    assert {asset for venue, asset in traded if venue == "bybit"} == names
    assert forced == traded
    assert spot == names
    assert {o.asset for o in outcomes if isinstance(o, Book)} == {a.name for a in BOOK_ASSETS}


def test_sampled_feeds_publish_at_most_one_order_per_symbol_and_second(
    outcomes: list[Any],
) -> None:
    slots = Counter(
        (o.venue, o.symbol, o.event_time_us // MICROS)
        for o in outcomes
        if isinstance(o, Liquidation) and o.venue != "bybit"
    )
    assert set(slots.values()) == {1}


def test_a_complete_feed_publishes_every_forced_order(hour: Hour, outcomes: list[Any]) -> None:
    true = Counter(
        order.venue
        for second in Market(hour.seed, BEGAN_S).seconds(3600)
        for order in second.forced
    )
    seen = Counter(o.venue for o in outcomes if isinstance(o, Liquidation))
    assert seen["bybit"] == true["bybit"]
    assert seen["binance-usdm"] < true["binance-usdm"]
    assert sum(seen.values()) == hour.published < hour.forced == sum(true.values())


def test_published_dollars_never_exceed_what_was_forced(hour: Hour, outcomes: list[Any]) -> None:
    forced = [o for o in outcomes if isinstance(o, Liquidation)]
    for side, true in hour.forced_usd.items():
        published = sum(o.usd for o in forced if o.position_side == side) / MICROS
        assert 0.5 * true < published < true


def test_a_forced_order_of_a_full_feed_stands_on_the_tape(outcomes: list[Any]) -> None:
    tape = {
        (o.symbol, o.event_time_us, o.taker_side, o.base_qty)
        for o in outcomes
        if isinstance(o, Trade) and o.venue == "bybit"
    }
    for o in outcomes:
        if isinstance(o, Liquidation) and o.venue == "bybit":
            assert (o.symbol, o.event_time_us, o.order_side, o.base_qty) in tape


def test_heartbeats_come_each_second_and_never_vouch_for_the_future(records: list[Raw]) -> None:
    beats: dict[str, list[int]] = {}
    for raw in records:
        if raw.channel != "status":
            continue
        status = msgspec.json.decode(raw.payload)
        if status["op"] == "heartbeat":
            beats.setdefault(raw.connection, []).append(raw.received_at_us)
            for channel, through in status["through_us"].items():
                assert through < raw.received_at_us - LATENESS_S[channel] * MICROS
    assert len(beats) == 5
    for times in beats.values():
        assert {b - a for a, b in pairwise(times)} == {MICROS}
        assert len(times) >= 3600


def test_the_hour_holds_exactly_one_market_wide_cascade_of_longs(summary: Summary) -> None:
    market = [w for w in summary.windows.values() if w.scope == MARKET]
    cascades = [w for w in market if w.window_class == "cascade"]
    assert [(w.side, w.is_final) for w in cascades] == [("long", True)]
    began = (cascades[0].onset // MICROS - BEGAN_S) / 60
    assert 34 <= began <= 38
    assert 120 <= (cascades[0].duration_s or 0) <= 900
    assert cascades[0].breadth == 1.0
    assets = {w.scope for w in summary.windows.values() if w.window_class == "cascade"}
    assert {"BTC", "ETH", "SOL"} < assets


def test_the_estimate_lies_between_what_was_published_and_what_was_forced(
    hour: Hour, summary: Summary
) -> None:
    windows = [w for w in summary.windows.values() if w.usd_estimated is not None]
    assert windows
    for window in windows:
        assert window.usd_observed <= (window.usd_estimated or 0)
        if "okx" in window.venues:
            assert window.null_reasons["usd_upper"] == "partial_feed"
        else:
            assert window.usd_upper is not None
            assert (window.usd_estimated or 0) <= window.usd_upper
    assert any(window.usd_upper is not None for window in windows)
    total = summary.newest_print
    assert total is not None
    assert total.usd_observed / MICROS < sum(hour.forced_usd.values())
    assert total.events == hour.published


def test_every_published_order_is_accepted_or_late(hour: Hour, summary: Summary) -> None:
    accepted = summary.tally("accepted")["liquidation"]
    late = summary.tally("late")["liquidation"]
    assert accepted + late == hour.published
    assert 0 < late < 20
    assert summary.tally("dead_lettered") == {"invalid_json": 1}
    assert summary.tally("late_dropped") == {}
