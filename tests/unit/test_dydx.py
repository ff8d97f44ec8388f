"""dYdX messages become canonical events: a forced fill is a trade and the order of its taker."""

from typing import Any

import pytest

from streams.core.events import (
    Book,
    Liquidation,
    Outcome,
    Raw,
    Ticker,
    Trade,
)
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.venues import dydx
from tests.outcomes import encoded, reasons

NOW_US = 1_789_992_001_000_000
"""One second after the trades below."""
INSTRUMENTS = Instruments({}, dydx.RULES)


def read(message: object) -> list[Outcome]:
    raw = Raw("dydx", None, "c0", NOW_US, encoded(message))
    return normalise(raw, {"dydx": dydx.parse}, INSTRUMENTS)


def row(**changes: Any) -> dict[str, Any]:
    made = {
        "id": "00000001-0000-5000-8000-000000000001",
        "side": "SELL",
        "size": "0.25",
        "price": "61900.123",
        "type": "LIMIT",
        "createdAt": "2026-09-21T12:00:00.402Z",
    }
    return {**made, **changes}


def framed(channel: str, contents: object, kind: str = "channel_data", **more: Any) -> Any:
    return {
        "type": kind,
        "connection_id": "c1",
        "message_id": 3,
        "id": "BTC-USD",
        "channel": channel,
        "version": "2.1.0",
        "contents": contents,
        **more,
    }


def trades(*rows: Any, kind: str = "channel_data") -> Any:
    return framed("v4_trades", {"trades": list(rows)}, kind)


@pytest.mark.parametrize(
    ("side", "position", "order"), [("SELL", "long", "sell"), ("BUY", "short", "buy")]
)
def test_a_liquidated_takers_trade_is_a_trade_and_a_forced_order(
    side: str, position: str, order: str
) -> None:
    trade, forced = read(trades(row(type="LIQUIDATED", side=side)))
    assert isinstance(trade, Trade)
    assert isinstance(forced, Liquidation)
    assert (forced.position_side, forced.order_side, trade.taker_side) == (position, order, order)
    assert (forced.price_kind, forced.completeness, forced.kind) == ("fill", "all", "liquidation")
    # 0.25 BTC at 61,900.123: 15,475.03075 dollars.
    assert (forced.usd, forced.base_qty, forced.price) == (15_475_030_750, 0.25, 61900.123)
    assert (trade.usd, trade.id) == (forced.usd, "00000001-0000-5000-8000-000000000001")
    assert forced.event_time_us == trade.event_time_us == NOW_US - 598_000
    assert (forced.asset, forced.symbol, forced.contract) == ("BTC", "BTC-USD", "linear")


def test_a_deleveraged_position_is_apart_and_off_the_tape() -> None:
    (event,) = read(trades(row(type="DELEVERAGED", side="BUY")))
    assert isinstance(event, Liquidation)
    assert (event.kind, event.position_side, event.usd) == ("adl", "short", 15_475_030_750)
    assert event.price_kind == "bankruptcy"


@pytest.mark.parametrize("kind", ["LIMIT", "MARKET", "TWAP_SUBORDER"])
def test_any_other_known_trade_is_a_trade(kind: str) -> None:
    (event,) = read(trades(row(type=kind, side="BUY")))
    assert isinstance(event, Trade)
    assert (event.taker_side, event.base_qty) == ("buy", 0.25)


def test_the_history_that_a_subscription_begins_with_is_not_counted() -> None:
    rows = [row(type="LIQUIDATED"), row(type="DELEVERAGED"), row()]
    assert reasons(read(trades(*rows, kind="subscribed"))) == ["replayed"] * 3
    assert reasons(read(trades(*rows))) == ["event"] * 4


def test_a_batch_holds_several_contents_and_a_bad_one_costs_its_neighbours_nothing() -> None:
    parts = [{"trades": [row()]}, 7, {"trades": {}}, {}, {"trades": [row(id="b"), row(size="0")]}]
    outcomes = read(framed("v4_trades", parts, "channel_batch_data"))
    assert reasons(outcomes) == [
        *("event", "wrong_type", "wrong_type", "missing_field", "event", "not_positive")
    ]
    assert reasons(read(framed("v4_trades", [], "channel_batch_data"))) == ["empty"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "SECRET"}, "unknown_message"),
        ({"type": None}, "missing_field"),
        ({"side": 5}, "wrong_type"),
        ({"size": "NaN"}, "not_finite"),
        ({"size": "1e17", "price": "1e17"}, "not_finite"),
        ({"price": "-1"}, "not_positive"),
        ({"createdAt": "2026-09-21"}, "wrong_type"),
        ({"createdAt": "2026-09-21T12:01:00Z"}, "future_skew"),
        ({"createdAt": "1970-01-01T00:00:00Z"}, "time_out_of_range"),
        ({"id": ""}, "missing_field"),
    ],
)
def test_a_bad_trade_is_rejected_with_its_reason_and_the_good_ones_stay(
    change: dict[str, Any], reason: str
) -> None:
    outcomes = read(trades(row(), row(**change), 7, row()))
    assert reasons(outcomes) == ["event", reason, "wrong_type", "event"]


def test_a_market_tells_interest_in_coins_and_the_hourly_rate() -> None:
    contents = {
        "trading": {
            "BTC-USD": {
                "openInterest": "3000.5",
                "nextFundingRate": "-0.00001",
                "volume24H": "900000000.1",
                "trades24H": 52000,
            },
            "ETH-USD": {"openInterest": "7"},
            "SOL-USD": {"trades24H": 5},
            "COIN,dex,0x12-USD": {"openInterest": "7"},
            "XRP-USD": 7,
            "ADA-USD": {"openInterest": "-7"},
        }
    }
    first, second, *rest = read(framed("v4_markets", contents))
    assert isinstance(first, Ticker)
    assert isinstance(second, Ticker)
    assert (first.open_interest_base, first.open_interest_usd) == (3000.5, None)
    assert (first.funding_rate, first.funding_interval_s) == (-0.00001, 3600)
    assert (first.mark_price, first.event_time_us) == (None, NOW_US)
    assert (second.asset, second.funding_rate, second.funding_interval_s) == ("ETH", None, None)
    assert reasons(rest) == ["empty", "unknown_instrument", "wrong_type", "not_positive"]


def test_the_oracle_stands_for_mark_and_index_from_when_it_was_in_force() -> None:
    price = {
        "oraclePrice": "62003.1",
        "effectiveAt": "2026-09-21T12:00:00.500Z",
        "effectiveAtHeight": "1",
        "marketId": 0,
    }
    (event,) = read(framed("v4_markets", {"oraclePrices": {"BTC-USD": price}}))
    assert isinstance(event, Ticker)
    assert (event.mark_price, event.index_price, event.last_price) == (62003.1, 62003.1, None)
    assert event.event_time_us == NOW_US - 500_000


def test_a_snapshot_of_markets_and_a_polled_list_have_all_in_one_row() -> None:
    market = {
        "ticker": "BTC-USD",
        "status": "ACTIVE",
        "oraclePrice": "62003.1",
        "openInterest": "3000.5",
        "nextFundingRate": "0.00001",
    }
    rows = {"markets": {"BTC-USD": market, "OLD-USD": {"oraclePrice": "0"}}}
    pushed = read(framed("v4_markets", rows, "subscribed"))
    assert read(rows) == pushed
    assert isinstance(pushed[0], Ticker)
    assert (pushed[0].mark_price, pushed[0].open_interest_base) == (62003.1, 3000.5)
    assert reasons(pushed) == ["event", "empty"]
    batch = [{"trading": {"BTC-USD": {"openInterest": "1"}}, "oraclePrices": 5}, {}]
    outcomes = read(framed("v4_markets", batch, "channel_batch_data"))
    assert reasons(outcomes) == ["event", "wrong_type", "empty"]


def test_the_book_of_a_subscription_is_full_and_its_changes_are_left_to_the_collector() -> None:
    sides = {
        "bids": [{"price": "62000.0", "size": "0.5"}, {"price": "61999", "size": "1"}],
        "asks": [{"price": "62000.1", "size": "0.3"}],
    }
    (event,) = read(framed("v4_orderbook", sides, "subscribed"))
    assert isinstance(event, Book)
    assert (event.bids, event.asks) == (((62000.0, 0.5), (61999.0, 1.0)), ((62000.1, 0.3),))
    assert event.event_time_us == NOW_US
    change = {"bids": [["62000.0", "0"]]}
    assert reasons(read(framed("v4_orderbook", change))) == ["book_delta"]
    assert reasons(read(framed("v4_orderbook", [change], "channel_batch_data"))) == ["book_delta"]
    crossed = {**sides, "asks": [{"price": "61000", "size": "1"}]}
    assert reasons(read(framed("v4_orderbook", crossed, "subscribed"))) == ["crossed_book"]
    bad = {**sides, "asks": [["62000.1", "1"]]}
    assert reasons(read(framed("v4_orderbook", bad, "subscribed"))) == ["wrong_type"]
    assert reasons(read(framed("v4_orderbook", [sides], "subscribed"))) == ["wrong_type"]


@pytest.mark.parametrize("market", ["COIN,dex,0x12-USD", "btc-usd", "BTC-EUR", "BTC"])
def test_a_market_of_more_than_a_coin_is_an_unknown_instrument(market: str) -> None:
    message = {**trades(row()), "id": market}
    assert reasons(read(message)) == ["unknown_instrument"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"type":"connected","connection_id":"c1","message_id":0}', "control"),
        (b'{"type":"unsubscribed","channel":"v4_trades","id":"BTC-USD"}', "control"),
        (b'{"type":"error","message":"no"}', "control"),
        (b'{"type":"channel_data","channel":"v4_candles","contents":{}}', "unused_channel"),
        (b'{"type":"channel_data","channel":"weather","contents":{}}', "unknown_channel"),
        (b'{"type":"channel_data","contents":{}}', "missing_field"),
        (b'{"type":"channel_data","channel":"v4_trades","id":"BTC-USD"}', "missing_field"),
        (b'{"type":"channel_data","channel":"v4_trades","contents":{}}', "missing_field"),
        (
            b'{"type":"channel_data","channel":"v4_trades","id":"BTC-USD","contents":{"trades":[]}}',
            "empty",
        ),
        (b'{"type":"channel_data","channel":"v4_markets","contents":{}}', "empty"),
        (b'{"type":"channel_data","channel":"v4_markets","contents":5}', "wrong_type"),
        (b'{"type":"channel_data","channel":[]}', "wrong_type"),
        (b'{"type":"weather"}', "unknown_message"),
        (b'{"type":5}', "unknown_message"),
        (b'{"markets":{}}', "empty"),
        (b'{"markets":[]}', "wrong_type"),
        (b"{}", "unknown_message"),
        (b"[]", "wrong_type"),
        (b"{", "invalid_json"),
        (b'{"type":"\xff"}', "invalid_utf8"),
    ],
)
def test_a_message_without_events_says_why(payload: bytes, reason: str) -> None:
    assert reasons(read(payload)) == [reason]
