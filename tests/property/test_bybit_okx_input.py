"""No bytes make these venues' parsers raise, and what they yield can be written to a topic.

Binance has a file of its own, tests/unit/test_binance_bad_input.py.
"""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.events import Ignored, Outcome, Raw, Rejected
from streams.core.instruments import Instrument, Instruments
from streams.core.normalise import normalise
from streams.venues import bybit, deribit, hyperliquid, kraken, okx

NOW_US = 1_790_000_001_000_000
SWAP = "BTC-USDT-SWAP"
PARSERS = {
    "bybit": bybit.parse,
    "bybit-spot": bybit.parse,
    "deribit": deribit.parse,
    "hyperliquid": hyperliquid.parse,
    "kraken": kraken.parse,
    "okx": okx.parse,
}
INSTRUMENTS = Instruments(
    {("okx", SWAP): Instrument("okx", SWAP, "BTC", "USDT", "linear", "contracts", Decimal("0.01"))},
    {**bybit.RULES, **deribit.RULES, **hyperliquid.RULES, **kraken.RULES, **okx.RULES},
)

FORCED = {"T": 1790000000402, "s": "BTCUSDT", "S": "Buy", "v": "0.350", "p": "61500.00"}
PRINT = {**FORCED, "i": "a-1", "BT": False}
LEVELS = {"b": [["62000.0", "3.1"]], "a": [["62000.1", "1.0"]]}
TICKER = {"markPrice": "5", "openInterest": "6", "fundingRate": "0.1", "nextFundingTime": "7"}
BYBIT: list[dict[str, Any]] = [
    {"topic": "allLiquidation.BTCUSDT", "data": [FORCED, {**FORCED, "s": "BTCUSD"}]},
    {"topic": "publicTrade.BTCUSDT", "data": [PRINT, {**PRINT, "s": "1000PEPEUSDT"}]},
    {"topic": "tickers.BTCUSDT", "ts": 1790000000800, "data": {"symbol": "BTCUSDT", **TICKER}},
    {"topic": "tickers.BTCUSD", "ts": 1790000000800, "data": {"symbol": "BTCUSD", **TICKER}},
    {
        "topic": "orderbook.50.BTCUSDT",
        "type": "snapshot",
        "ts": 1790000000900,
        "data": {"s": "BTCUSDT", **LEVELS, "u": 19},
    },
    {
        "topic": "liquidation.BTCUSD",
        "data": {
            "symbol": "BTCUSD",
            "side": "Buy",
            "price": "5",
            "size": "6",
            "time": 1790000000402,
        },
    },
]

DETAIL = {"side": "sell", "posSide": "long", "bkPx": "61500.0", "sz": "35", "ts": "1790000000402"}
TRADE = {"instId": SWAP, "tradeId": "9", "px": "62000.1", "sz": "12", "side": "buy"}
INTEREST = {"instId": SWAP, "oi": "5", "oiCcy": "6", "oiUsd": "7", "ts": "1790000000000"}
FUNDING = {"instId": SWAP, "fundingRate": "0.001", "fundingTime": "5", "nextFundingTime": "9"}
SIDES = {"bids": [["5", "1", "0", "1"]], "asks": [["6", "1", "0", "1"]], "ts": "1790000000000"}
OKX: list[dict[str, Any]] = [
    {
        "arg": {"channel": "liquidation-orders", "instType": "SWAP"},
        "data": [{"instId": SWAP, "details": [DETAIL, DETAIL]}],
    },
    {"arg": {"channel": "trades", "instId": SWAP}, "data": [{**TRADE, "ts": "1790000000500"}] * 2},
    {"arg": {"channel": "open-interest", "instId": SWAP}, "data": [INTEREST]},
    {"arg": {"channel": "funding-rate", "instId": SWAP}, "data": [FUNDING]},
    {"arg": {"channel": "books", "instId": SWAP}, "action": "snapshot", "data": [SIDES]},
]

PERPETUAL = {"instrument_name": "BTC-PERPETUAL", "timestamp": 1790000000402}
FILLED = {**PERPETUAL, "trade_id": "9", "price": 61500.5, "amount": 10.0, "direction": "sell"}
RATES = {"open_interest": 9.5, "mark_price": 6.5, "index_price": 6.5, "current_funding": 1e-05}
DEPTH = {"change_id": 7, "bids": [["new", 5.5, 10.0]], "asks": [["new", 6.5, 10.0]]}


def notification(channel: str, data: Any) -> dict[str, Any]:
    return {"method": "subscription", "params": {"channel": channel, "data": data}}


DERIBIT: list[dict[str, Any]] = [
    notification("trades.future.BTC.100ms", [FILLED, {**FILLED, "liquidation": "MT"}]),
    notification("trades.future.BTC.100ms", [FILLED, FILLED]),
    notification("ticker.BTC-PERPETUAL.100ms", {**PERPETUAL, **RATES}),
    notification("book.BTC-PERPETUAL.100ms", {**PERPETUAL, **DEPTH, "type": "snapshot"}),
    {"id": 1, "result": {"trades": [FILLED, {**FILLED, "block_trade_id": "b"}]}},
]

PRODUCT = {"product_id": "PF_XBTUSD", "time": 1790000000402}
TAKEN = {**PRODUCT, "uid": "u", "side": "sell", "type": "liquidation", "qty": 0.5, "price": 6.5}
HOURLY = {"relative_funding_rate": 1e-05, "next_funding_rate_time": 1790002800000}
SIZED = {"bids": [{"price": 5.5, "qty": 1}], "asks": [{"price": 6, "qty": 1}], "seq": 7}
SIDED = {"tradeable": "PI_XBTUSD", "direction": "Sell", "orderType": "PartialLiquidation"}
EXECUTED = {
    "uid": "u",
    "timestamp": 1790000000402,
    "quantity": "5",
    "price": "6",
    "takerOrder": SIDED,
}
KRAKEN: list[dict[str, Any]] = [
    {"feed": "trade", **TAKEN},
    {"feed": "trade", **TAKEN, "type": "fill"},
    {"feed": "trade_snapshot", "product_id": "PF_XBTUSD", "trades": [TAKEN, TAKEN]},
    {"feed": "ticker", **PRODUCT, **HOURLY, "openInterest": 5, "markPrice": 6.5, "index": 6.5},
    {"feed": "book_snapshot", "product_id": "PI_XBTUSD", "timestamp": 1790000000402, **SIZED},
    {"elements": [{"event": {"Execution": {"execution": EXECUTED}}}] * 2},
]

COIN = {"coin": "kPEPE", "time": 1790000000402, "side": "A", "px": "6.5", "sz": "5", "tid": 7}
CLOSED = {**COIN, "liquidation": {"liquidatedUser": "0xab", "method": "market"}}
CONTEXT = {"funding": "1e-05", "openInterest": "5", "markPx": "6.5", "oraclePx": "6.5"}
RUNGS = [[{"px": "5.5", "sz": "1"}], [{"px": "6", "sz": "1"}]]
HYPERLIQUID: list[Any] = [
    {"channel": "trades", "data": [COIN, COIN]},
    {"channel": "userFills", "data": {"user": "0xab", "isSnapshot": True, "fills": [CLOSED] * 2}},
    {"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": CONTEXT}},
    [{"universe": [{"name": "BTC"}, {"name": "ETH"}]}, [CONTEXT, CONTEXT]],
    {"channel": "l2Book", "data": {"coin": "BTC", "time": 1790000000402, "levels": RUNGS}},
    {"events": [["0xab", CLOSED], ["0xab", {**COIN, "dir": "Auto-Deleveraging"}]]},
    ["0xab", CLOSED],
]
MESSAGES: dict[str, list[Any]] = {
    "bybit": BYBIT,
    "okx": OKX,
    "deribit": DERIBIT,
    "kraken": KRAKEN,
    "hyperliquid": HYPERLIQUID,
}
VALID = [(venue, one) for venue, messages in MESSAGES.items() for one in messages]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["NaN", "-Infinity", "1e999", "1E-400", "9" * 4000, "0", "-0", "", "1e17"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)


def mutate(value: Any, data: st.DataObject) -> Any:
    """The value with some of its leaves or branches replaced or dropped."""
    if data.draw(st.integers(0, 9)) == 0:
        return data.draw(JSON)
    if isinstance(value, dict):
        return {k: mutate(v, data) for k, v in value.items() if data.draw(st.integers(0, 19))}
    if isinstance(value, list):
        return [mutate(item, data) for item in value]
    return value


def accept(venue: str, channel: str | None, payload: bytes) -> list[Outcome]:
    outcomes = normalise(Raw(venue, channel, "c", NOW_US, payload), PARSERS, INSTRUMENTS)
    assert outcomes
    assert len(msgspec.json.decode(msgspec.json.encode(outcomes))) == len(outcomes)
    for outcome in outcomes:
        if hasattr(outcome, "usd"):
            assert 0 <= outcome.usd < 2**63
    return outcomes


@settings(max_examples=800, deadline=None)
@given(st.data(), st.sampled_from(VALID), st.sampled_from([None, "trade"]))
def test_a_mutated_message_never_raises(
    data: st.DataObject, valid: tuple[str, Any], channel: str | None
) -> None:
    venue, message = valid
    accept(venue, channel, json.dumps(mutate(message, data)).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_bytes_never_raise_and_hold_no_event(payload: bytes) -> None:
    for venue in PARSERS:
        for channel in (None, "trade"):
            found = accept(venue, channel, payload)
            assert all(isinstance(one, Rejected | Ignored) for one in found)


@pytest.mark.parametrize(("venue", "message"), VALID)
def test_the_messages_that_are_mutated_hold_events(venue: str, message: Any) -> None:
    found = accept(venue, None, json.dumps(message).encode())
    assert not all(isinstance(one, Rejected | Ignored) for one in found), found


@pytest.mark.parametrize("venue", sorted(PARSERS))
@pytest.mark.parametrize(
    "payload",
    [b"[" * 100_000, b'{"data":' * 50_000, b'{"topic":"publicTrade.X","data":' + b"[" * 90_000],
)
def test_deep_nesting_never_raises(venue: str, payload: bytes) -> None:
    accept(venue, None, payload)
    accept(venue, "trade", payload)
