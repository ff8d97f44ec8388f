"""The benchmark's log: deterministic, of the mix it states, and whole for the framer."""

import json
from collections import Counter

import pytest

from streams.core.framing import Framer, PartitionState
from streams.edges.bench_log import FORCED_PER_S, TRADES_PER_S, WEIGHT, Item, raw_log
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments


@pytest.fixture(scope="module")
def log() -> list[Item]:
    """Three seconds of the log."""
    return raw_log(12_000)


def test_the_same_arguments_give_the_same_records(log: list[Item]) -> None:
    assert raw_log(12_000) == log
    assert raw_log(12_000, seed=2) != log


def test_records_come_in_order_of_receipt_with_a_heartbeat_a_second(log: list[Item]) -> None:
    received = [item.raw.received_at_us for item in log]
    assert received == sorted(received)
    beats = Counter(i.raw.connection for i in log if b'"heartbeat"' in i.raw.payload)
    assert len(beats) == 9
    assert set(beats.values()) == {4}


def test_the_mix_is_the_one_that_is_stated(log: list[Item]) -> None:
    trades = [item for item in log if item.raw.channel == "trade"]
    assert len(trades) == 3 * TRADES_PER_S
    share = Counter(item.raw.venue for item in trades)
    assert share["binance-usdm"] / len(trades) == pytest.approx(0.72, abs=0.02)
    assert share["okx"] / len(trades) == pytest.approx(0.14, abs=0.02)
    rows = [item.rows for item in trades if item.raw.venue == "bybit"]
    assert sum(rows) / len(rows) == pytest.approx(1.5, abs=0.06)
    binance = [len(i.raw.payload) for i in trades if i.raw.venue == "binance-usdm"]
    assert sum(binance) / len(binance) == pytest.approx(204, abs=3)
    others = Counter(item.raw.channel for item in log)
    assert others["liquidation"] == 3 * FORCED_PER_S
    assert others["ticker"] == 3 * 3 * len(WEIGHT)
    assert others["book"] == 3 * 2 * len(WEIGHT)


def test_every_message_is_json_and_every_event_is_accepted(log: list[Item]) -> None:
    framer = Framer(
        PartitionState(0, 1), PARSERS, default_instruments(), lambda asset: 0, whole=True
    )
    for item in log:
        json.loads(item.raw.payload)
    framer.apply_all([item.raw for item in log], range(len(log)))
    counters = framer.state.counters
    accepted = sum(n for name, n in counters.items() if name.startswith("accepted"))
    assert accepted == sum(item.rows for item in log)
    assert {name.partition(":")[0] for name in counters} == {"received", "accepted", "filtered"}
    assert {frame.asset for frame in framer.drain().frames} == set(WEIGHT)
