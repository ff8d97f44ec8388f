"""Coinbase trades have the taker's side on both feeds, and books are full and sorted."""

from functools import partial
from typing import Any

import pytest

from streams.core.events import (
    MAX_BOOK_LEVELS,
    Book,
    Outcome,
    Raw,
    Ticker,
    Trade,
)
from streams.core.instruments import Instruments
from streams.core.normalise import Parser, normalise
from streams.venues import coinbase
from tests.outcomes import encoded, reasons, sole

NOW_US = 1_789_992_001_000_000
"""One second after the trades below."""
INSTRUMENTS = Instruments({}, coinbase.RULES)


def read(message: object, parse: Parser = coinbase.parse) -> list[Outcome]:
    raw = Raw("coinbase", None, "c0", NOW_US, encoded(message))
    return normalise(raw, {"coinbase": parse}, INSTRUMENTS)


def match(**changes: Any) -> dict[str, Any]:
    row = {
        "type": "match",
        "trade_id": 10,
        "sequence": 50,
        "maker_order_id": "a",
        "taker_order_id": "b",
        "time": "2026-09-21T12:00:00.402123Z",
        "product_id": "BTC-USD",
        "size": "0.01",
        "price": "62000.10",
        "side": "sell",
    }
    return {**row, **changes}


def advanced_trade(**changes: Any) -> dict[str, Any]:
    row = {
        "trade_id": "10",
        "product_id": "BTC-USD",
        "price": "62000.10",
        "size": "0.01",
        "side": "SELL",
        "time": "2026-09-21T12:00:00.402123999Z",
    }
    return {**row, **changes}


def advanced(channel: str, *events: Any, **more: Any) -> dict[str, Any]:
    return {
        "channel": channel,
        "client_id": "",
        "timestamp": "2026-09-21T12:00:00.5Z",
        "sequence_num": 5,
        "events": list(events),
        **more,
    }


def market_trades(*rows: Any, kind: str = "update") -> dict[str, Any]:
    return advanced("market_trades", {"type": kind, "trades": list(rows)})


def the_trade(message: object, parse: Parser = coinbase.parse) -> Trade:
    return sole(Trade, read(message, parse))


def the_book(message: object) -> Book:
    return sole(Book, read(message))


@pytest.mark.parametrize(("maker", "taker"), [("sell", "buy"), ("buy", "sell")])
def test_the_makers_side_is_turned_into_the_takers(maker: str, taker: str) -> None:
    event = the_trade(match(side=maker))
    # 0.01 BTC at 62,000.10: 620.001 dollars.
    assert (event.taker_side, event.usd, event.base_qty) == (taker, 620_001_000, 0.01)
    assert (event.contract, event.asset, event.id) == ("spot", "BTC", "10")
    assert event.event_time_us == NOW_US - 597_877


def test_both_feeds_tell_one_trade_under_one_id() -> None:
    assert the_trade(market_trades(advanced_trade())) == the_trade(match())


@pytest.mark.parametrize(("said", "taker"), [("SELL", "sell"), ("BUY", "buy")])
def test_whose_side_the_advanced_feed_tells_can_be_set(said: str, taker: str) -> None:
    message = market_trades(advanced_trade(side=said))
    parse = partial(coinbase.parse, advanced_side="taker")
    assert the_trade(message, parse).taker_side == taker
    assert the_trade(message).taker_side != taker
    assert the_trade(match(), parse) == the_trade(match())


def test_the_history_that_a_subscription_begins_with_is_not_counted() -> None:
    assert reasons(read(match(type="last_match"))) == ["replayed"]
    rows = [advanced_trade(), advanced_trade()]
    assert reasons(read(market_trades(*rows, kind="snapshot"))) == ["replayed", "replayed"]
    assert reasons(read(market_trades(*rows))) == ["event", "event"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"side": 5}, "wrong_type"),
        ({"side": None}, "missing_field"),
        ({"size": "0"}, "not_positive"),
        ({"size": "inf"}, "not_finite"),
        ({"price": "1e17", "size": "1e17"}, "not_finite"),
        ({"price": {}}, "wrong_type"),
        ({"time": "noon"}, "wrong_type"),
        ({"time": "2026-09-21T12:01:00Z"}, "future_skew"),
        ({"trade_id": -1}, "wrong_type"),
        ({"product_id": "ETH-BTC"}, "unknown_instrument"),
        ({"product_id": "BTC-PERP-INTX"}, "unknown_instrument"),
        ({"product_id": "BIT-31JAN25-CDE"}, "unknown_instrument"),
    ],
)
def test_a_bad_trade_says_why_on_both_feeds_and_the_good_ones_stay(
    change: dict[str, Any], reason: str
) -> None:
    assert reasons(read(match(**change))) == [reason]
    rows = [advanced_trade(), advanced_trade(**change), 7, advanced_trade()]
    assert reasons(read(market_trades(*rows))) == ["event", reason, "wrong_type", "event"]


def test_events_of_one_message_may_be_of_several_products_and_one_may_be_bad() -> None:
    ether = advanced_trade(product_id="ETH-USDC", price="3000")
    message = advanced(
        "market_trades",
        {"type": "update", "trades": [advanced_trade(), ether]},
        {"type": "update", "trades": {}},
        {"trades": []},
        7,
        {"type": "update", "trades": []},
    )
    assert reasons(read(message)) == [
        *("event", "event", "wrong_type", "missing_field", "wrong_type", "empty")
    ]


def test_tickers_tell_the_last_price() -> None:
    pushed = {
        "type": "ticker",
        "product_id": "BTC-USD",
        "price": "62000.1",
        "volume_24h": "5",
        "side": "sell",
        "time": "2026-09-21T12:00:00.402123Z",
    }
    (event,) = read(pushed)
    assert isinstance(event, Ticker)
    assert (event.last_price, event.mark_price) == (62000.1, None)
    assert event.event_time_us == NOW_US - 597_877
    rows = [{"type": "ticker", "product_id": "BTC-USD", "price": "62000.1"}, {"price": "1"}]
    for channel in ("ticker", "ticker_batch"):
        first, second = read(advanced(channel, {"type": "snapshot", "tickers": rows}))
        assert isinstance(first, Ticker)
        assert (first.last_price, first.event_time_us) == (62000.1, NOW_US - 500_000)
        assert reasons([second]) == ["missing_field"]


def test_an_exchange_snapshot_is_a_book_cut_to_its_best_levels() -> None:
    deep = MAX_BOOK_LEVELS + 7
    bids = [[f"{60000 - i}", "0.5"] for i in range(deep)]
    asks = [[f"{60001 + i}", "0.25"] for i in range(deep)]
    snapshot = {"type": "snapshot", "product_id": "BTC-USD", "bids": bids, "asks": asks}
    event = the_book(snapshot)
    assert (event.bids[0], event.asks[0]) == ((60000.0, 0.5), (60001.0, 0.25))
    assert (len(event.bids), len(event.asks)) == (MAX_BOOK_LEVELS,) * 2
    assert event.event_time_us == NOW_US
    stamped = the_book({**snapshot, "time": "2026-09-21T12:00:00.402123Z"})
    assert stamped.event_time_us == NOW_US - 597_877
    assert reasons(read({**snapshot, "bids": []})) == ["empty"]
    assert reasons(read({**snapshot, "bids": None})) == ["missing_field"]
    assert reasons(read({**snapshot, "bids": [["1"]]})) == ["missing_field"]


def level(side: str, price: str, size: str) -> dict[str, str]:
    stamp = "1970-01-01T00:00:00Z"
    return {"side": side, "event_time": stamp, "price_level": price, "new_quantity": size}


def levels(*updates: Any, kind: str = "snapshot") -> dict[str, Any]:
    return advanced("l2_data", {"type": kind, "product_id": "BTC-USD", "updates": list(updates)})


def test_an_advanced_snapshot_is_sorted_into_a_book_of_the_messages_time() -> None:
    event = the_book(
        levels(
            level("offer", "62000.2", "1"),
            level("bid", "61999", "1"),
            level("bid", "62000.0", "0.5"),
            level("ask", "62000.1", "0.3"),
            level("bid", "61998", "0"),
        )
    )
    assert event.bids == ((62000.0, 0.5), (61999.0, 1.0))
    assert event.asks == ((62000.1, 0.3), (62000.2, 1.0))
    assert event.event_time_us == NOW_US - 500_000


@pytest.mark.parametrize(
    ("updates", "kind", "reason"),
    [
        ([level("bid", "1", "1")], "update", "book_delta"),
        ([level("bid", "1", "1")], "weather", "unknown_message"),
        ([level("bid", "1", "1")], "snapshot", "empty"),
        ([level("both", "1", "1")], "snapshot", "unknown_side"),
        ([level("bid", "x", "1")], "snapshot", "wrong_type"),
        ([level("bid", "1", "-1")], "snapshot", "not_positive"),
        ([{"side": "bid"}], "snapshot", "missing_field"),
        ([7], "snapshot", "wrong_type"),
    ],
)
def test_levels_that_are_no_book_say_why(updates: list[Any], kind: str, reason: str) -> None:
    assert reasons(read(levels(*updates, kind=kind))) == [reason]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"type":"subscriptions","channels":[]}', "control"),
        (b'{"type":"heartbeat","sequence":1,"product_id":"BTC-USD"}', "control"),
        (b'{"type":"error","message":"no"}', "control"),
        (b'{"type":"l2update","product_id":"BTC-USD","changes":[]}', "book_delta"),
        (b'{"type":"rfq_match","product_id":"BTC-USD"}', "off_book"),
        (b'{"type":"open","product_id":"BTC-USD"}', "unused_channel"),
        (b'{"type":"status","products":[]}', "unused_channel"),
        (b'{"type":"weather"}', "unknown_message"),
        (b'{"type":[]}', "wrong_type"),
        (b'{"type":"match"}', "missing_field"),
        (b'{"channel":"heartbeats","events":[{}]}', "control"),
        (b'{"channel":"subscriptions","events":[{}]}', "control"),
        (b'{"channel":"candles","events":[{}]}', "unused_channel"),
        (b'{"channel":"weather","events":[{}]}', "unknown_channel"),
        (b'{"channel":"market_trades"}', "missing_field"),
        (b'{"channel":"market_trades","events":{}}', "wrong_type"),
        (b'{"channel":"market_trades","events":[]}', "empty"),
        (b'{"channel":5}', "wrong_type"),
        (b"{}", "unknown_message"),
        (b"[]", "wrong_type"),
        (b"{", "invalid_json"),
        (b'{"type":"\xff"}', "invalid_utf8"),
    ],
)
def test_a_message_without_events_says_why(payload: bytes, reason: str) -> None:
    assert reasons(read(payload)) == [reason]
