"""No bytes make the parsers of Gate, Bitget and BitMEX raise, and garbage yields no event."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.events import Ignored, Outcome, Raw, Rejected
from streams.core.normalise import normalise
from streams.venues import PARSERS, bitget, bitmex, gate
from streams.venues.catalog import default_instruments
from tests.property.test_bybit_okx_input import JSON, mutate

NOW_US = 1_790_000_001_000_000
INSTRUMENTS = default_instruments()
VENUES = sorted(gate.VENUES | bitget.VENUES | bitmex.VENUES)


def gate_message(channel: str, result: Any, event: str = "update") -> dict[str, Any]:
    return {"channel": channel, "event": event, "time_ms": 1790000000600, "result": result}


SYMBOL = {"contract": "BTC_USDT"}
FORCED = {**SYMBOL, "price": "61500.5", "size": -120, "time": 1790000000402}
TAKEN = {**SYMBOL, "price": "6", "size": 5, "id": 7, "create_time_ms": 1790000000402}
RATES = {**SYMBOL, "mark_price": "6", "total_size": "5", "funding_rate": "0.1"}
RUNGS = {"t": 1790000000402, "id": 7, "bids": [{"p": "5", "s": 1}], "asks": [{"p": "6", "s": 1}]}
POLLED = {**SYMBOL, "time": 1790000000, "size": 6, "order_size": -6, "order_price": "5"}
LISTED = {"name": "BTC_USDT", "quanto_multiplier": "1", "funding_interval": 28800}
PAIR = {"id": 7, "create_time_ms": "1790000000402.1", "side": "sell", "currency_pair": "BTC_USDT"}
GATE: list[Any] = [
    gate_message("futures.public_liquidates", [FORCED, {**FORCED, "contract": "BTC_USD"}]),
    gate_message("futures.public_liquidates", FORCED),
    gate_message("futures.trades", [TAKEN, {**TAKEN, "size": "-5"}]),
    gate_message("futures.tickers", [RATES]),
    gate_message("futures.order_book", {**SYMBOL, **RUNGS}, "all"),
    [{**POLLED, "fill_price": "6"}, POLLED],
    [LISTED],
]
GATE_SPOT: list[Any] = [gate_message("spot.trades", {**PAIR, "amount": "5", "price": "6"})]


def bitget_message(topic: str, *rows: Any, kind: str = "usdt-futures") -> dict[str, Any]:
    arg = {"instType": kind, "topic": topic, "symbol": "BTCUSDT"}
    action = "snapshot" if topic == "books5" else "update"
    return {"action": action, "arg": arg, "data": [*rows], "ts": 1790000000611}


CLOSED = {"symbol": "BTCUSDT", "side": "buy", "price": "5", "amount": "6", "ts": "1790000000402"}
PRINT = {"i": "7", "p": "5", "v": "6", "S": "buy", "T": "1790000000402"}
STATE = {"markPrice": "5", "openInterest": "6", "fundingRate": "0.1", "nextFundingTime": "7"}
SIDES = {"a": [["6", "1"]], "b": [["5", "1"]], "ts": "1790000000402"}
BITGET: list[Any] = [
    bitget_message("liquidation", CLOSED, {**CLOSED, "symbol": "BTCUSD"}),
    bitget_message("publicTrade", PRINT, PRINT),
    bitget_message("ticker", STATE),
    bitget_message("books5", SIDES),
    {"code": "00000", "data": [{"symbol": "BTCUSDT", "fundInterval": "8"}]},
]

CONTRACT = {"symbol": "XBTUSD", "timestamp": "2026-09-21T12:00:00.500Z"}
WORKING = {**CONTRACT, "orderID": "a", "side": "Sell", "price": 6.5, "leavesQty": 5}
MATCH = {**CONTRACT, "side": "Buy", "size": 5, "price": 6.5, "trdMatchID": "a"}
WORTH = {"homeNotional": 0.5, "foreignNotional": 5}
MARKED = {**CONTRACT, "markPrice": 6.5, "openInterest": 5, "fundingRate": 1e-4}
TOP = {"bids": [[5, 15]], "asks": [[5.5, 12]]}
CYCLE = {"fundingInterval": "2000-01-01T08:00:00.000Z"}
BITMEX: list[Any] = [
    {"table": "liquidation", "action": "insert", "data": [WORKING, WORKING]},
    {"table": "trade", "action": "insert", "data": [{**MATCH, **WORTH}, MATCH]},
    {"table": "instrument", "action": "update", "data": [{**MARKED, **CYCLE}]},
    {"table": "orderBook10", "action": "update", "data": [{**CONTRACT, **TOP}]},
]
VALID = [
    *(("gate", one) for one in GATE),
    *(("gate-spot", one) for one in GATE_SPOT),
    *(("bitget", one) for one in BITGET),
    *(("bitmex", one) for one in BITMEX),
]
NEEDED = [
    *(("gate", GATE[0], FORCED, key) for key in FORCED),
    *(("gate", GATE[2], TAKEN, key) for key in TAKEN),
    *(("bitget", BITGET[0], CLOSED, key) for key in CLOSED),
    *(("bitget", BITGET[1], PRINT, key) for key in PRINT),
    *(("bitmex", BITMEX[0], WORKING, key) for key in WORKING if key != "timestamp"),
    *(("bitmex", BITMEX[1], MATCH, key) for key in MATCH),
]
"""Messages of forced orders or trades, a row of theirs, and a field that it cannot do without."""
GARBAGE = st.sampled_from(
    [None, True, "", " ", "x", "NaN", "-Infinity", "1e999", "5,0", [], {}, [5], {"p": 1}, "\x00"]
)


def accept(venue: str, channel: str | None, payload: bytes) -> list[Outcome]:
    outcomes = normalise(Raw(venue, channel, "c", NOW_US, payload), PARSERS, INSTRUMENTS)
    assert outcomes
    assert len(msgspec.json.decode(msgspec.json.encode(outcomes))) == len(outcomes)
    for outcome in outcomes:
        if hasattr(outcome, "usd"):
            assert 0 <= outcome.usd < 2**63
    return outcomes


@pytest.mark.parametrize(("venue", "message"), VALID)
def test_the_messages_that_are_spoilt_below_are_good(venue: str, message: Any) -> None:
    outcomes = accept(venue, None, json.dumps(message).encode())
    assert not isinstance(outcomes[0], (Rejected, Ignored)), outcomes


@settings(max_examples=600, deadline=None)
@given(st.data(), st.sampled_from(VALID), st.sampled_from([None, "trade"]))
def test_a_mutated_message_never_raises(
    data: st.DataObject, valid: tuple[str, Any], channel: str | None
) -> None:
    venue, message = valid
    accept(venue, channel, json.dumps(mutate(message, data)).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_bytes_never_raise_and_are_no_event(payload: bytes) -> None:
    for venue in VENUES:
        for channel in (None, "trade"):
            outcomes = accept(venue, channel, payload)
            assert all(isinstance(one, (Rejected, Ignored)) for one in outcomes)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NEEDED), GARBAGE, st.sampled_from([None, "trade"]))
def test_a_row_with_garbage_in_a_field_it_needs_is_no_event(
    needed: tuple[str, Any, dict[str, Any], str], garbage: Any, channel: str | None
) -> None:
    venue, message, row, key = needed
    holder = "result" if venue == "gate" else "data"
    # The name of an order or a trade may be any text.
    if key in ("i", "orderID", "trdMatchID") and isinstance(garbage, str) and garbage:
        return
    spoilt = {**message, holder: [{**row, key: garbage}]}
    (outcome,) = accept(venue, channel, json.dumps(spoilt).encode())
    assert isinstance(outcome, Rejected), outcome


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 100_000,
        b'{"data":' * 50_000,
        b'{"channel":"futures.trades","result":' + b"[" * 90_000,
    ],
)
def test_deep_nesting_never_raises(venue: str, payload: bytes) -> None:
    accept(venue, None, payload)
    accept(venue, "trade", payload)
