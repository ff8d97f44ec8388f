"""Kraken Futures: a liquidation is a print of the tape; hand-overs and unwinds are not."""

from typing import Any

import pytest

from streams.core.events import Book, Liquidation, Outcome, Raw, Ticker, Trade
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.core.throttle import feed
from streams.venues import kraken
from tests.outcomes import encoded, kinds, sole

NOW_US = 1_790_000_001_000_000
INSTRUMENTS = Instruments({}, kraken.RULES)
PARSERS = {"kraken": kraken.parse}


def read(message: object, channel: str | None = None) -> list[Outcome]:
    return normalise(Raw("kraken", channel, "c0", NOW_US, encoded(message)), PARSERS, INSTRUMENTS)


def row(**changes: Any) -> dict[str, Any]:
    one: dict[str, Any] = {
        "feed": "trade",
        "product_id": "PF_XBTUSD",
        "uid": "1111-2222",
        "side": "sell",
    }
    one |= {"type": "liquidation", "seq": 700002, "time": 1790000000402}
    one |= {"qty": 0.05, "price": 61900.5}
    return {key: value for key, value in {**one, **changes}.items() if value is not ...}


def snapshot(*rows: Any) -> dict[str, Any]:
    return {"feed": "trade_snapshot", "product_id": "PF_XBTUSD", "trades": list(rows)}


@pytest.mark.parametrize(("side", "position"), [("sell", "long"), ("buy", "short")])
@pytest.mark.parametrize("channel", [None, "trade"])
def test_the_taker_of_a_liquidation_is_the_forced_order(
    side: str, position: str, channel: str | None
) -> None:
    trade, event = read(row(side=side), channel)
    assert isinstance(trade, Trade)
    assert isinstance(event, Liquidation)
    assert (event.position_side, event.order_side) == (position, side)
    # 0.05 x 61,900.5 = 3,095.025 dollars.
    assert (event.usd, event.base_qty, event.price) == (3_095_025_000, 0.05, 61900.5)
    assert (event.asset, event.contract, event.kind) == ("BTC", "linear", "liquidation")
    assert (event.price_kind, event.completeness) == ("fill", "all")
    assert event.event_time_us == 1_790_000_000_402_000
    assert (trade.taker_side, trade.usd, trade.id) == (side, event.usd, "1111-2222")


def test_a_quantity_of_an_inverse_contract_is_dollars() -> None:
    trade, event = read(row(product_id="PI_XBTUSD", qty=5000, price=50000))
    assert isinstance(event, Liquidation)
    assert isinstance(trade, Trade)
    assert (event.usd, event.base_qty, event.contract) == (5_000_000_000, 0.1, "inverse")
    assert trade.usd == 5_000_000_000
    (dated,) = read(row(product_id="FI_ETHUSD_261225", type="fill", qty=1))
    assert isinstance(dated, Trade)
    assert (dated.asset, dated.usd) == ("ETH", 1_000_000)


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("assignment", "assignment_print"),
        ("termination", "termination_print"),
        ("block", "off_book"),
    ],
)
def test_a_position_handed_over_or_unwound_is_neither_a_trade_nor_a_forced_order(
    kind: str, outcome: str
) -> None:
    assert kinds(read(row(type=kind))) == [outcome]
    kept = kraken.witness(encoded(row(type=kind)))
    assert kept == (None if kind == "block" else "PF_XBTUSD")


def test_no_other_message_is_kept_for_its_words() -> None:
    for message in (row(), row(product_id="assignment"), row(type="assignment", feed="ticker")):
        assert kraken.witness(encoded(message)) is None
    assert kraken.witness(b'{"type":"assignment"') is None


@pytest.mark.parametrize("symbol", ["PF_XBTUSD", "PI_XBTUSD", "PF_DOGEUSD"])
def test_the_slow_path_tells_the_same_of_a_trade_as_the_fast_one(symbol: str) -> None:
    one = row(type="fill", product_id=symbol, qty=12.5, price=0.5123)
    assert read(one, "trade") == read({**one, "event": None}, "trade")
    assert kinds(read(one)) == ["Trade"]


def test_the_history_that_a_subscription_begins_with_is_not_counted() -> None:
    assert kinds(read(snapshot(row(), row(type="fill")))) == ["replayed", "replayed"]
    assert kinds(read(row())) == ["Trade", "Liquidation"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"qty": 0}, "not_positive"),
        ({"price": -1}, "not_positive"),
        ({"price": "Infinity"}, "not_finite"),
        ({"qty": {}}, "wrong_type"),
        ({"price": ...}, "missing_field"),
        ({"uid": ...}, "missing_field"),
        ({"time": "noon"}, "wrong_type"),
        ({"side": 5}, "wrong_type"),
        ({"side": ...}, "missing_field"),
        ({"type": "rumour"}, "unknown_message"),
        ({"type": 5}, "wrong_type"),
        ({"product_id": "PV_XRPXBT"}, "unknown_instrument"),
        ({"product_id": "PF_XBTEUR"}, "unknown_instrument"),
        ({"product_id": "FI_XBTUSD"}, "unknown_instrument"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason(change: dict[str, Any], reason: str) -> None:
    assert kinds(read(row(**change))) == [reason]


def execution(taker: str, maker: str = "Limit", **changes: Any) -> dict[str, Any]:
    def order(kind: str, direction: str) -> dict[str, Any]:
        return {"uid": "o", "tradeable": "PF_XBTUSD", "direction": direction, "orderType": kind}

    one = {"uid": "1111-2222", "timestamp": 1790000000402, "quantity": "0.05"}
    one |= {"price": "61900.5", "markPrice": "61901", "usdValue": "3095.02"}
    one |= {"takerOrder": order(taker, "Sell"), "makerOrder": order(maker, "Buy"), **changes}
    inner = {"Execution": {"execution": one}}
    return {"uid": "e", "timestamp": 1790000000402, "event": inner}


def test_the_history_has_the_events_of_the_feed() -> None:
    page = {"elements": [execution("PartialLiquidation")], "len": 1}
    assert read(page) == read(row())
    assert kinds(read({"elements": [execution("Market")]})) == ["Trade"]
    assert kinds(read({"elements": []})) == ["empty"]


def test_the_history_may_name_the_resting_order_as_the_forced_one() -> None:
    trade, event = read({"elements": [execution("Market", "liquidation")]})
    assert isinstance(trade, Trade)
    assert isinstance(event, Liquidation)
    assert (trade.taker_side, event.position_side, event.order_side) == ("sell", "short", "buy")


def test_a_bad_row_of_the_history_costs_its_neighbours_nothing() -> None:
    good = execution("Market")
    rows = [good, {}, {"event": {}}, execution("Market", takerOrder=5), 7, good]
    assert kinds(read({"elements": rows})) == [
        *("Trade", "missing_field", "missing_field", "wrong_type", "wrong_type", "Trade")
    ]
    side = execution("Market", takerOrder={"tradeable": "PF_XBTUSD", "direction": "sell"})
    assert kinds(read({"elements": [side]})) == ["Trade"]
    assert kinds(read({"elements": [execution("Market", makerOrder=None)]})) == ["Trade"]


def ticker(**changes: Any) -> dict[str, Any]:
    one: dict[str, Any] = {"feed": "ticker", "time": 1790000000500, "product_id": "PF_XBTUSD"}
    one |= {"funding_rate": 0.62, "next_funding_rate_time": 1790002800000, "tag": "perpetual"}
    one |= {"relative_funding_rate": 1.25e-05, "relative_funding_rate_prediction": 8.0e-06}
    one |= {"bid": 62000, "ask": 62001, "index": 62003.5, "last": 62000, "openInterest": 2100.5}
    one |= {"markPrice": 62001.2, "volume": 5200.5, "suspended": False}
    return {key: value for key, value in {**one, **changes}.items() if value is not ...}


def the_ticker(message: object) -> Ticker:
    return sole(Ticker, read(message))


def test_a_ticker_has_prices_open_interest_and_the_hourly_rate() -> None:
    event = the_ticker(ticker())
    assert (event.mark_price, event.index_price, event.last_price) == (62001.2, 62003.5, 62000.0)
    assert (event.open_interest_base, event.open_interest_usd) == (2100.5, None)
    assert (event.funding_rate, event.funding_interval_s) == (1.25e-05, 3600)
    assert event.next_funding_us == 1_790_002_800_000_000
    assert event.event_time_us == 1_790_000_000_500_000
    inverse = the_ticker(ticker(product_id="PI_XBTUSD", openInterest=1500000))
    assert (inverse.open_interest_base, inverse.open_interest_usd) == (None, 1_500_000_000_000)


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        # A rate of zero is left out.
        ({"relative_funding_rate": ..., "funding_rate": ...}, 0.0),
        # An old recording tells money per contract alone.
        ({"relative_funding_rate": ...}, None),
        ({"next_funding_rate_time": 0}, None),
        ({"next_funding_rate_time": ..., "relative_funding_rate": ..., "funding_rate": ...}, None),
        ({"next_funding_rate_time": ...}, 1.25e-05),
        ({"relative_funding_rate": -2e-05}, -2e-05),
    ],
)
def test_a_rate_left_out_is_zero_only_where_one_is_due(
    changes: dict[str, Any], rate: float | None
) -> None:
    event = the_ticker(ticker(**changes))
    assert event.funding_rate == rate
    assert event.funding_interval_s == (None if rate is None else 3600)


def test_a_ticker_without_a_good_value_says_why() -> None:
    fresh = the_ticker(ticker(index=0, last=0))
    assert (fresh.index_price, fresh.last_price) == (None, None)
    bare = ("index", "last", "openInterest", "markPrice", "next_funding_rate_time")
    empty = ticker(**dict.fromkeys((*bare, "relative_funding_rate"), ...))
    assert kinds(read(empty)) == ["empty"]
    assert kinds(read(ticker(markPrice=0))) == ["not_positive"]
    assert kinds(read(ticker(product_id="IN_XBTUSD"))) == ["unknown_instrument"]


def levels(**changes: Any) -> dict[str, Any]:
    one: dict[str, Any] = {"feed": "book_snapshot", "product_id": "PI_XBTUSD", "seq": 5}
    one |= {"timestamp": 1790000000500, "tickSize": None}
    one |= {"bids": [{"price": 50000.0, "qty": 1000}], "asks": [{"price": 62500, "qty": 500.0}]}
    return {**one, **changes}


def test_a_book_snapshot_is_in_coins_and_updates_are_left_to_the_collector() -> None:
    (event,) = read(levels())
    assert isinstance(event, Book)
    assert (event.bids, event.asks) == (((50000.0, 0.02),), ((62500.0, 0.008),))
    assert event.event_time_us == 1_790_000_000_500_000
    change = {"feed": "book", "product_id": "PI_XBTUSD", "side": "buy", "seq": 6, "price": 1}
    assert kinds(read(change)) == ["book_delta"]
    assert kinds(read(levels(bids=[[50000.0, 1000]]))) == ["wrong_type"]
    assert kinds(read(levels(asks=[]))) == ["empty"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"event": "info", "version": 1}, "control"),
        ({"event": "subscribed", "feed": "trade", "product_ids": ["PF_XBTUSD"]}, "control"),
        ({"event": "subscribed_failed", "feed": "trade"}, "control"),
        ({"event": "error", "message": "Invalid product id"}, "control"),
        ({"event": "alert", "message": "Bad websocket message"}, "control"),
        ({"feed": "heartbeat", "time": 1790000000500}, "control"),
        ({"feed": "ticker_lite", "product_id": "PF_XBTUSD"}, "unused_channel"),
        ({"feed": "weather"}, "unknown_channel"),
        ({"feed": 5}, "wrong_type"),
        ({"feed": "trade_snapshot", "product_id": "PF_XBTUSD"}, "missing_field"),
        ({"feed": "trade_snapshot", "trades": {}}, "wrong_type"),
        (snapshot(), "empty"),
        (snapshot(5), "wrong_type"),
        ({}, "unknown_message"),
        (b"[]", "wrong_type"),
        (b"pong", "invalid_json"),
        (b'{"feed":"\xff"}', "invalid_utf8"),
    ],
)
@pytest.mark.parametrize("channel", [None, "trade"])
def test_a_message_without_events_says_why(
    message: object, reason: str, channel: str | None
) -> None:
    assert kinds(read(message, channel)) == [reason]


def test_the_feed_is_complete_at_any_time() -> None:
    assert feed("kraken", NOW_US).feed_class == "full"
