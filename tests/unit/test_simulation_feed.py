"""The feed layer: what each venue publishes of its forced orders, and what a collector logs."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba")

import msgspec

from streams.contracts import partition_for
from streams.core.events import (
    MICROS,
    Book,
    Ignored,
    Liquidation,
    Raw,
    Rejected,
    Status,
    Ticker,
    Trade,
)
from streams.core.normalise import normalise
from streams.edges import rawlog
from streams.edges.archives import lines
from streams.edges.replay import Folder, run_replay
from streams.engines.inprocess import InProcess
from streams.simulation.assets import ASSETS
from streams.simulation.connections import SWAP, Line
from streams.simulation.feed import BINANCE_LARGEST_FROM, BYBIT_FULL_FROM, chosen_orders
from streams.simulation.files import LOG
from streams.simulation.orders import Forced, Venue
from streams.simulation.run import Run, simulate
from streams.simulation.scenarios import SCENARIOS, Gap, Scenario, Stage
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments


def order(at_ms: int, usd: float, side: str = "long", venue: Venue = "bybit") -> Forced:
    second_us = BINANCE_LARGEST_FROM * MICROS
    return Forced(second_us + at_ms * 1000, venue, ASSETS[1], side, usd / 3_120, 3_120.0, 3_100.0)  # type: ignore[arg-type]


def _down(stage: Stage, beta: list[float]) -> None:
    stage.move(600, 240, -0.05, beta)
    stage.gaps.append(Gap("linear-0", 700, 730))
    stage.gaps.append(Gap("public-0", 760, 770))


RUSH = Scenario("rush", "a crash with two gaps", 0.5, 6, _down)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    folder = tmp_path_factory.mktemp("rush")
    return simulate(RUSH, 2, folder, labels=False), folder


@pytest.fixture(scope="module")
def records(run: tuple[Run, Path]) -> list[Raw]:
    found = [item for _, item in rawlog.read(run[1] / LOG)]
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


SECOND = [order(100, 50.0), order(300, 900.0, "short"), order(800, 20.0)]


def test_since_april_2026_binance_tells_the_largest_order_of_a_second_of_either_side() -> None:
    told = chosen_orders("binance-usdm", BINANCE_LARGEST_FROM, SECOND)
    assert [[o.usd for o in message] for message in told] == [[pytest.approx(900.0)]]


def test_before_april_2026_binance_tells_the_latest_order_of_a_second() -> None:
    told = chosen_orders("binance-usdm", BINANCE_LARGEST_FROM - 1, SECOND)
    assert [[o.usd for o in message] for message in told] == [[pytest.approx(20.0)]]


def test_okx_tells_the_latest_order_of_a_second() -> None:
    assert chosen_orders("okx", BINANCE_LARGEST_FROM, SECOND) == [[SECOND[2]]]


def test_bybit_tells_every_order_in_batches_of_half_a_second() -> None:
    told = chosen_orders("bybit", BINANCE_LARGEST_FROM, SECOND)
    assert told == [SECOND[:2], SECOND[2:]]
    assert chosen_orders("bybit", BYBIT_FULL_FROM - 1, SECOND) == [[SECOND[2]]]


def test_the_log_stands_in_order_of_receipt(records: list[Raw]) -> None:
    received = [raw.received_at_us for raw in records]
    assert received == sorted(received)


def test_every_message_is_read_by_its_venue_parser(outcomes: list[Any]) -> None:
    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds[Rejected] == 0
    assert kinds[Ignored] >= 5  # the acknowledged subscriptions
    assert min(kinds[kind] for kind in (Liquidation, Trade, Ticker, Book)) > 300


def test_throttled_feeds_tell_one_order_per_symbol_and_second(outcomes: list[Any]) -> None:
    distinct = {
        (o.venue, o.symbol, o.event_time_us, o.usd)
        for o in outcomes
        if isinstance(o, Liquidation) and o.venue != "bybit"
    }
    slots = Counter((venue, symbol, at // MICROS) for venue, symbol, at, _ in distinct)
    assert set(slots.values()) == {1}


def test_published_dollars_of_throttled_feeds_fall_short_of_the_truth(
    run: tuple[Run, Path], outcomes: list[Any]
) -> None:
    true = run[0].truth.forced_usd_by_venue
    told = dict.fromkeys(true, 0.0)
    for event in {
        (o.venue, o.symbol, o.event_time_us, o.usd) for o in outcomes if isinstance(o, Liquidation)
    }:
        told[event[0]] += event[3] / MICROS
    assert 0.02 * true["binance-usdm"] < told["binance-usdm"] < 0.8 * true["binance-usdm"]
    assert told["okx"] < 0.6 * true["okx"]


def test_nothing_is_received_while_a_connection_is_down_but_it_says_so(
    run: tuple[Run, Path], records: list[Raw]
) -> None:
    begin = run[0].truth.begin
    down, back = (begin + 700) * MICROS, (begin + 730) * MICROS
    held = [r for r in records if r.connection == "linear-0" and down <= r.received_at_us < back]
    assert len(held) == 1
    assert msgspec.json.decode(held[0].payload, type=Status).op == "disconnect"
    after = next(r for r in records if r.connection == "linear-0" and r.received_at_us >= back)
    assert msgspec.json.decode(after.payload, type=Status).op == "connect"


def test_okx_repeats_its_last_orders_after_a_new_subscription(outcomes: list[Any]) -> None:
    seen = Counter(
        (o.symbol, o.event_time_us, o.usd)
        for o in outcomes
        if isinstance(o, Liquidation) and o.venue == "okx"
    )
    assert sum(1 for count in seen.values() if count > 1) >= 2


def test_nothing_is_received_before_it_happened(records: list[Raw]) -> None:
    instruments = default_instruments()
    early = [
        (outcome.event_time_us, raw.received_at_us)
        for raw in records
        if raw.channel == "liquidation"
        for outcome in normalise(raw, PARSERS, instruments)
        if isinstance(outcome, Liquidation) and outcome.event_time_us > raw.received_at_us
    ]
    assert early == []


def test_the_tape_holds_every_forced_order_that_reached_the_book(
    run: tuple[Run, Path], outcomes: list[Any]
) -> None:
    truth = run[0].truth
    on_tape = {
        (o.asset, o.event_time_us)
        for o in outcomes
        if isinstance(o, Trade) and o.venue == "binance-usdm"
    }
    told = {
        (o.asset, o.event_time_us)
        for o in outcomes
        if isinstance(o, Liquidation) and o.venue == "binance-usdm"
    }
    assert truth.forced_orders > 1_000
    assert told <= on_tape


def test_a_simulated_log_is_replayed_into_windows(run: tuple[Run, Path], tmp_path: Path) -> None:
    instruments = default_instruments()
    engine = InProcess(PARSERS, instruments, partition_for)
    writer = Folder(tmp_path)
    summary = run_replay(lines([str(run[1] / LOG)], PARSERS, instruments), engine, writer)
    writer.close()
    assert summary is not None
    assert (tmp_path / "cascades.v1.jsonl").stat().st_size > 0


def test_one_seed_gives_the_same_files_and_another_does_not(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder, seed in zip(folders, (1, 1, 2), strict=True):
        simulate(SCENARIOS["calm"], seed, folder, assets=1, hours=0.1)
    for name in (LOG, "truth.json", "series.csv"):
        first, again, other = ((folder / name).read_bytes() for folder in folders)
        assert first == again
        if name != "series.csv":
            assert first != other


def test_a_heartbeat_knows_only_the_lags_of_what_has_come() -> None:
    second = 1_000_000
    line = Line(SWAP, dict.fromkeys(SWAP.channels, ("BTC",)), ())
    before = dict(line.through(100 * second))["liquidation"]
    line.note("liquidation", 109 * second, 99 * second)
    assert dict(line.through(100 * second))["liquidation"] == before
    after = dict(line.through(109 * second))["liquidation"]
    assert after == before + 9 * second - 10 * second
