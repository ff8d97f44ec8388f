"""No bytes make the parsers of HTX, KuCoin, dYdX and Coinbase raise; garbage yields no event."""

import gzip
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.events import Ignored, Outcome, Raw, Rejected
from streams.core.normalise import normalise
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments
from tests.property.test_bybit_okx_input import JSON, mutate

NOW_US = 1_790_000_001_000_000
INSTRUMENTS = default_instruments()

HTX_ORDER = {
    "contract_code": "BTC-USDT",
    "direction": "sell",
    "offset": "close",
    "volume": 35,
    "price": 61500.5,
    "created_at": 1790000000402,
}
HTX_PRINT = {"amount": 22, "ts": 1790000000588, "id": 9, "price": 62000.1, "direction": "buy"}
HTX_RATE = {"contract_code": "BTC-USD", "funding_time": "1790006400000", "funding_rate": "1e-4"}
HTX_HELD = {"contract_code": "BTC-USDT", "volume": 35, "trade_volume": 5}
HTX_LEVELS = {"bids": [[62000.5, 5]], "asks": [[62000.6, 3]], "ts": 1790000000598, "version": 1}
HTX: list[Any] = [
    {"op": "notify", "topic": "public.*.liquidation_orders", "data": [HTX_ORDER, HTX_ORDER]},
    {"op": "notify", "topic": "public.*.funding_rate", "ts": 1790000000600, "data": [HTX_RATE]},
    {"ch": "market.BTC-USDT.trade.detail", "ts": 1, "tick": {"data": [HTX_PRINT, HTX_PRINT]}},
    {"ch": "market.BTC-USD.depth.step0", "ts": 1790000000600, "tick": HTX_LEVELS},
    {"ch": "market.BTC-USDT.bbo", "ts": 1790000000600, "tick": {"bid": [5, 1], "ask": [6, 1]}},
    {"ch": "market.BTC-USDT.mark_price.1min", "ts": 1790000000600, "tick": {"close": "5"}},
    {"ch": "market.BTC-USDT.basis.1min", "ts": 1, "tick": {"id": 1790000000, "index_price": "5"}},
    {"status": "ok", "data": [HTX_HELD, HTX_ORDER]},
]
KUCOIN_PRINT = {"side": "sell", "size": 5, "price": "62000.1", "tradeId": "c"}
KUCOIN_RATE = {"granularity": 60000, "fundingRate": 1e-4, "timestamp": 1790000000000}
KUCOIN_LEVELS = {"sequence": 9, "bids": [[5, 1]], "asks": [["6", "1"]], "ts": 1790000000402}
KUCOIN_HELD = {"openInterest": "5", "nextFundingRateTime": 5, "fundingRateGranularity": 28800000}
KUCOIN: list[Any] = [
    {
        "topic": "/contractMarket/execution:XBTUSDTM",
        "type": "message",
        "data": {**KUCOIN_PRINT, "ts": 1790000000402000000},
    },
    {
        "topic": "/contract/instrument:XBTUSDM",
        "type": "message",
        "subject": "funding.rate",
        "data": KUCOIN_RATE,
    },
    {
        "topic": "/contractMarket/level2Depth5:XBTUSDTM",
        "type": "message",
        "data": KUCOIN_LEVELS,
    },
    {"code": "200000", "data": [{"symbol": "XBTUSDTM", "markPrice": 5.5, **KUCOIN_HELD}]},
]
DYDX_PRINT = {
    "id": "a",
    "side": "SELL",
    "size": "0.25",
    "price": "61900",
    "type": "LIQUIDATED",
    "createdAt": "2026-09-21T13:33:20.402Z",
}
DYDX_MARKET = {"openInterest": "5", "nextFundingRate": "1e-5", "oraclePrice": "62003.1"}
DYDX_LEVELS = {"bids": [{"price": "5", "size": "1"}], "asks": [{"price": "6", "size": "1"}]}
DYDX: list[Any] = [
    {"type": kind, "id": "BTC-USD", "channel": channel, "contents": contents}
    for kind, channel, contents in (
        ("channel_data", "v4_trades", {"trades": [DYDX_PRINT, {**DYDX_PRINT, "type": "LIMIT"}]}),
        ("channel_batch_data", "v4_trades", [{"trades": [DYDX_PRINT]}] * 2),
        ("subscribed", "v4_markets", {"markets": {"BTC-USD": DYDX_MARKET}}),
        ("channel_data", "v4_markets", {"trading": {"BTC-USD": DYDX_MARKET}}),
        ("subscribed", "v4_orderbook", DYDX_LEVELS),
    )
]
COINBASE_PRINT = {
    "trade_id": 10,
    "product_id": "BTC-USD",
    "price": "62000.10",
    "size": "0.01",
    "side": "sell",
    "time": "2026-09-21T13:33:20.402123Z",
}
COINBASE_LEVELS = [
    {"side": side, "price_level": price, "new_quantity": "1"}
    for side, price in (("bid", "5"), ("offer", "6"))
]
COINBASE: list[Any] = [
    {"type": "match", **COINBASE_PRINT},
    {"type": "ticker", **COINBASE_PRINT},
    {"type": "snapshot", "product_id": "BTC-USD", "bids": [["5", "1"]], "asks": [["6", "1"]]},
    {
        "channel": "market_trades",
        "events": [{"type": "update", "trades": [COINBASE_PRINT, COINBASE_PRINT]}],
    },
    {
        "channel": "l2_data",
        "timestamp": "2026-09-21T13:33:20Z",
        "events": [{"type": "snapshot", "product_id": "BTC-USD", "updates": COINBASE_LEVELS}],
    },
]
MESSAGES = {"htx": HTX, "kucoin": KUCOIN, "dydx": DYDX, "coinbase": COINBASE}
VALID = [(venue, message) for venue, messages in MESSAGES.items() for message in messages]
NAMES = ("tradeId", "id")
"""Fields that any text will do for, where they are text."""
NEEDED = [
    *(("htx", HTX[0], HTX_ORDER, key) for key in HTX_ORDER if key != "offset"),
    *(("htx", HTX[2], HTX_PRINT, key) for key in HTX_PRINT),
    *(("kucoin", KUCOIN[0], KUCOIN[0]["data"], key) for key in KUCOIN[0]["data"]),
    *(("dydx", DYDX[1], DYDX_PRINT, key) for key in DYDX_PRINT),
    *(("coinbase", COINBASE[3], COINBASE_PRINT, key) for key in COINBASE_PRINT),
]
"""Messages of forced orders or trades, their row, and a field that it cannot do without."""
GARBAGE = st.sampled_from(
    [None, True, "", " ", "x", "NaN", "-Infinity", "1e999", "5,0", [], {}, [5], {"p": 1}, "\x00"]
)


def swapped(value: Any, row: Any, other: Any) -> Any:
    """The value with every copy of the row replaced by the other."""
    if value == row:
        return other
    if isinstance(value, dict):
        return {key: swapped(inner, row, other) for key, inner in value.items()}
    return [swapped(inner, row, other) for inner in value] if isinstance(value, list) else value


def accept(venue: str, payload: bytes, channel: str | None = None) -> list[Outcome]:
    outcomes = normalise(Raw(venue, channel, "c", NOW_US, payload), PARSERS, INSTRUMENTS)
    assert outcomes
    assert len(msgspec.json.decode(msgspec.json.encode(outcomes))) == len(outcomes)
    for outcome in outcomes:
        if hasattr(outcome, "usd"):
            assert 0 <= outcome.usd < 2**63
    return outcomes


def events(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if not isinstance(outcome, (Rejected, Ignored))]


@pytest.mark.parametrize(("venue", "message"), VALID)
def test_the_messages_that_are_mutated_hold_events(venue: str, message: Any) -> None:
    outcomes = accept(venue, json.dumps(message).encode())
    assert outcomes == events(outcomes)


@settings(max_examples=800, deadline=None)
@given(st.data(), st.sampled_from(VALID), st.sampled_from([None, "trade"]))
def test_a_mutated_message_never_raises(
    data: st.DataObject, valid: tuple[str, Any], channel: str | None
) -> None:
    venue, message = valid
    accept(venue, json.dumps(mutate(message, data)).encode(), channel)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_never_raises_and_yields_no_event(payload: bytes) -> None:
    for venue in MESSAGES:
        for channel in (None, "trade"):
            assert not events(accept(venue, payload, channel))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NEEDED), GARBAGE)
def test_a_row_with_garbage_in_a_field_that_it_needs_is_no_event(
    needed: tuple[str, Any, dict[str, Any], str], garbage: Any
) -> None:
    venue, message, row, key = needed
    if key in NAMES and isinstance(row[key], str) and isinstance(garbage, str) and garbage:
        return
    spoilt = swapped(message, row, {**row, key: garbage})
    outcomes = accept(venue, json.dumps(spoilt).encode())
    assert all(isinstance(outcome, Rejected) for outcome in outcomes), outcomes


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 200), st.sampled_from(HTX))
def test_a_damaged_frame_never_raises(noise: bytes, at: int, message: Any) -> None:
    packed = gzip.compress(json.dumps(message).encode())
    assert events(accept("htx", packed)) == events(accept("htx", json.dumps(message).encode()))
    accept("htx", packed[:at] + noise + packed[at + len(noise) :])
    accept("htx", (packed[:at] + noise).decode("latin-1").encode())


@pytest.mark.parametrize("venue", sorted(MESSAGES))
@pytest.mark.parametrize(
    "payload",
    [b"[" * 100_000, b'{"data":' * 50_000, b'{"op":"notify","data":' + b"[" * 90_000],
)
def test_deep_nesting_never_raises(venue: str, payload: bytes) -> None:
    assert not events(accept(venue, payload))
