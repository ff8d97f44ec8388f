"""Canonical records: what of an event is taken back, and what contradicts itself."""

import json
from typing import Any

import msgspec
import pytest

from streams.core import canonical
from streams.core.events import Raw, Rejected, Trade
from streams.core.framing import Framer, PartitionState
from streams.core.normalise import normalise
from streams.venues import PARSERS
from tests.archived import INSTRUMENTS

AT_US = 1_790_000_000_000_000
TRADE = Trade("okx", "BTC-USDT-SWAP", "BTC", "linear", "buy", 5.0, 2.0, 10, AT_US, AT_US, "7")
FORCED = {
    **json.loads(msgspec.json.encode(TRADE)),
    "type": "liquidation",
    "kind": "liquidation",
    "position_side": "short",
    "order_side": "buy",
    "price_kind": "fill",
    "completeness": "all",
}


def read(payload: Any, venue: str = "okx", received_us: int = AT_US) -> Any:
    raw = Raw(venue, "canonical", "a", received_us, json.dumps(payload).encode())
    return normalise(raw, PARSERS, INSTRUMENTS)[0]


def test_an_event_comes_back_with_the_receipt_of_its_record() -> None:
    raw = msgspec.structs.replace(canonical.record(TRADE, "file"), received_at_us=AT_US + 1)
    assert normalise(raw, PARSERS, INSTRUMENTS) == [
        msgspec.structs.replace(TRADE, received_at_us=AT_US + 1)
    ]


def test_a_trade_without_a_side_comes_back_and_another_word_than_ours_does_not() -> None:
    unsided = msgspec.structs.replace(TRADE, taker_side="unknown")
    payload = msgspec.to_builtins(unsided)
    assert read(payload, TRADE.venue, TRADE.received_at_us) == unsided
    outcome = read(payload | {"taker_side": "Strange"}, TRADE.venue)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "wrong_type"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"venue": "bybit"}, "unknown_venue"),
        ({"position_side": "long"}, "unknown_side"),
        ({"usd": -1}, "not_positive"),
        ({"base_qty": -1.0}, "not_positive"),
        ({"price": 0.0}, "out_of_range"),
        ({"symbol": ""}, "wrong_type"),
        ({"id": "x" * 101}, "wrong_type"),
        ({"event_time_us": 1}, "time_out_of_range"),
        ({"event_time_us": AT_US + 6_000_000}, "future_skew"),
        ({"type": "status"}, "wrong_type"),
    ],
)
def test_an_event_that_cannot_be_is_rejected(changed: dict[str, Any], reason: str) -> None:
    outcome = read(FORCED | changed)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == reason


@pytest.mark.parametrize("identity", ["x7", "9" * 40, "7"])
def test_a_trade_may_have_any_id_where_the_venue_numbers_its_trades(identity: str) -> None:
    state = PartitionState(0, 1)
    framer = Framer(state, PARSERS, INSTRUMENTS, lambda asset: 0, whole=True)
    event = msgspec.structs.replace(TRADE, venue="binance-usdm", symbol="BTCUSDT", id=identity)
    for _ in range(2):
        framer.apply(canonical.record(event, "file"))
    assert state.counters["accepted:trade"] == 1
    assert state.counters["duplicates:trade"] == 1
