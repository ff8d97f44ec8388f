"""Bitget messages become canonical events with the right side, unit and reason."""

import json
from functools import partial
from typing import Any

import pytest

from streams.core.events import Book, Liquidation, Outcome, Raw, Rejected, Ticker, Trade
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.core.throttle import feed
from streams.venues import bitget
from tests.outcomes import all_of, encoded, reasons, sole

NOW_US = 1_790_000_001_000_000
INSTRUMENTS = Instruments({}, bitget.RULES)
PARSERS = dict.fromkeys(bitget.VENUES, bitget.parse)


def read(message: object, venue: str = "bitget", channel: str | None = None) -> list[Outcome]:
    return normalise(Raw(venue, channel, "c0", NOW_US, encoded(message)), PARSERS, INSTRUMENTS)


def pushed(
    topic: str, *rows: Any, symbol: str | None = "BTCUSDT", kind: str = "usdt-futures"
) -> dict[str, Any]:
    arg = {"instType": kind, "topic": topic, **({} if symbol is None else {"symbol": symbol})}
    action = "update" if topic in ("liquidation", "publicTrade") else "snapshot"
    return {"action": action, "arg": arg, "data": list(rows), "ts": 1790000000611}


def older(channel: str, *rows: Any, symbol: str = "BTCUSDT", kind: str = "USDT-FUTURES") -> Any:
    arg = {"instType": kind, "channel": channel, "instId": symbol}
    return {"action": "snapshot", "arg": arg, "data": list(rows), "ts": 1790000000502}


def forced_row(**changes: Any) -> dict[str, Any]:
    row = {"symbol": "BTCUSDT", "side": "buy", "price": "61500.0", "amount": "21525.00"}
    return {**row, "ts": "1790000000402", **changes}


def forced(*rows: Any, kind: str = "usdt-futures") -> dict[str, Any]:
    return pushed("liquidation", *rows, symbol=None, kind=kind)


def trade_row(**changes: Any) -> dict[str, Any]:
    row = {"i": "1300000000000000001", "p": "62000.1", "v": "0.012", "S": "buy"}
    return {**row, "T": "1790000000500", "L": "1300000000000000000", "isRPI": "no", **changes}


def liquidations(message: object) -> list[Liquidation]:
    return all_of(Liquidation, read(message))


def the_trade(message: object, venue: str = "bitget", channel: str | None = "trade") -> Trade:
    return sole(Trade, read(message, venue, channel))


def the_ticker(message: object, venue: str = "bitget") -> Ticker:
    return sole(Ticker, read(message, venue))


@pytest.mark.parametrize(
    ("side", "position", "order"), [("buy", "long", "sell"), ("sell", "short", "buy")]
)
def test_the_side_names_the_position_and_the_amount_its_worth(
    side: str, position: str, order: str
) -> None:
    (event,) = liquidations(forced(forced_row(side=side)))
    assert (event.position_side, event.order_side) == (position, order)
    # 21,525 USDT at 61,500
    assert (event.usd, event.base_qty, event.price) == (21_525_000_000, 0.35, 61500.0)
    assert (event.price_kind, event.completeness) == ("unknown", "sampled")
    assert (event.asset, event.contract, event.kind) == ("BTC", "linear", "liquidation")
    assert event.event_time_us == 1_790_000_000_402_000
    assert feed("bitget", event.event_time_us).slot == "symbol_side"


def test_dollars_are_the_stated_ones_whatever_the_price() -> None:
    (event,) = liquidations(forced(forced_row(price="0.333333333333", amount="1234567.1234567")))
    assert event.usd == 1_234_567_123_457
    (sats,) = liquidations(
        forced(forced_row(symbol="1000SATSUSDT", price="0.0003", amount="0.021"))
    )
    assert (sats.asset, sats.usd, sats.base_qty) == ("SATS", 21_000, 70_000.0)
    assert sats.price == pytest.approx(3e-7, rel=1e-12)
    (dollar_coin,) = liquidations(forced(forced_row(symbol="ETHPERP"), kind="usdc-futures"))
    assert (dollar_coin.asset, dollar_coin.contract) == ("ETH", "linear")


def test_a_coin_futures_amount_has_no_unit_until_somebody_names_it() -> None:
    message = forced(forced_row(symbol="BTCUSD"), forced_row(), kind="coin-futures")
    outcomes = read(message)
    assert reasons(outcomes) == ["unknown_notional", "event"]
    assert isinstance(outcomes[0], Rejected)
    assert "not verified" in outcomes[0].detail
    raw = Raw("bitget", None, "c", NOW_US, json.dumps(message).encode())
    coins = partial(bitget.parse, assumed=bitget.Assumed(inverse_amount="base"))
    (first, _) = coins(raw, INSTRUMENTS)
    assert isinstance(first, Liquidation)
    assert (first.contract, first.usd) == ("inverse", 21525 * 61500 * 10**6)
    dollars = bitget.Assumed(price_kind="avg_fill", inverse_amount="quote")
    (first, _) = bitget.parse(raw, INSTRUMENTS, dollars)
    assert isinstance(first, Liquidation)
    assert (first.usd, first.base_qty, first.price_kind) == (21_525_000_000, 0.35, "avg_fill")


def test_equal_rows_are_distinct_orders_with_ids_of_their_values() -> None:
    message = forced(forced_row(), forced_row(), forced_row(side="sell"))
    ids = [event.id for event in liquidations(message)]
    assert len(set(ids)) == 3
    assert ids == [event.id for event in liquidations(message)]
    (again,) = liquidations(forced(forced_row(price=61500, amount="21525", ts=1790000000402)))
    assert again.id == ids[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": "NaN"}, "not_finite"),
        ({"amount": "1e17"}, "not_finite"),
        ({"amount": "0"}, "not_positive"),
        ({"price": "-1"}, "not_positive"),
        ({"price": [1]}, "wrong_type"),
        ({"price": ""}, "missing_field"),
        ({"ts": None}, "missing_field"),
        ({"ts": "1790000060000"}, "future_skew"),
        ({"side": "long"}, "unknown_side"),
        ({"side": "Buy"}, "unknown_side"),
        ({"symbol": "BTCEUR"}, "unknown_instrument"),
        ({"symbol": 7}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_good_ones_stay(
    change: dict[str, Any], reason: str
) -> None:
    outcomes = read(forced(forced_row(), forced_row(**change), 7, forced_row()))
    assert reasons(outcomes) == ["event", reason, "wrong_type", "event"]


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("channel", ["trade", None])
def test_a_trade_keeps_the_takers_side_in_both_apis(side: str, channel: str | None) -> None:
    newer = the_trade(pushed("publicTrade", trade_row(S=side)), channel=channel)
    assert (newer.taker_side, newer.id, newer.symbol) == (side, "1300000000000000001", "BTCUSDT")
    assert (newer.price, newer.base_qty, newer.usd) == (62000.1, 0.012, 744_001_200)
    assert newer.event_time_us == 1_790_000_000_500_000
    row = {"ts": "1790000000500", "price": "62000.1", "size": "0.012", "side": side}
    message = older("trade", {**row, "tradeId": "1300000000000000001"})
    assert the_trade(message | {"action": "update"}, channel=channel) == newer


def test_a_coin_future_is_traded_in_coins() -> None:
    message = pushed("publicTrade", trade_row(v="0.5"), symbol="BTCUSD", kind="coin-futures")
    event = the_trade(message)
    assert (event.contract, event.base_qty, event.usd) == ("inverse", 0.5, 31_000_050_000)


def test_the_product_tells_spot_from_futures_and_not_the_connection() -> None:
    message = pushed("publicTrade", trade_row(), kind="spot")
    for venue in ("bitget", "bitget-spot"):
        event = the_trade(message, venue)
        assert (event.venue, event.contract) == ("bitget-spot", "spot")
    assert the_trade(pushed("publicTrade", trade_row()), "bitget-spot").venue == "bitget"
    unknown = pushed("publicTrade", trade_row(), kind="options")
    assert reasons(read(unknown)) == ["unknown_channel"]
    assert reasons(read(pushed("publicTrade", trade_row(), symbol="ETHBTC", kind="spot"))) == [
        "unknown_instrument"
    ]


def test_the_history_that_a_subscription_begins_with_is_not_counted() -> None:
    rows = [trade_row(), trade_row(i="2")]
    snapshot = pushed("publicTrade", *rows) | {"action": "snapshot"}
    assert reasons(read(snapshot, channel="trade")) == ["replayed", "replayed"]
    assert reasons(read(pushed("publicTrade", *rows))) == ["event", "event"]
    for topic in ("liquidation", "ticker", "books", "publicTrade"):
        message = pushed(topic, forced_row()) | {"action": "refresh"}
        assert reasons(read(message)) == ["unknown_message"]
    for action, reason in (("partial", "unknown_message"), ("", "missing_field")):
        message = pushed("publicTrade", *rows) | {"action": action}
        assert reasons(read(message, channel="trade")) == [reason]


def test_the_slow_path_tells_the_same_of_a_trade_as_the_fast_one() -> None:
    for symbol, kind in (
        ("BTCUSDT", "usdt-futures"),
        ("1000SATSUSDT", "usdt-futures"),
        ("BTCUSD", "coin-futures"),
    ):
        row = trade_row(p="62000.5", v="4")
        fast = the_trade(pushed("publicTrade", row, symbol=symbol, kind=kind))
        odd = pushed("publicTrade", row, "odd", symbol=symbol, kind=kind)
        assert read(odd, channel="trade")[0] == fast


def test_a_bad_trade_costs_its_neighbours_nothing() -> None:
    changes: list[dict[str, Any]] = [
        *({"p": "NaN"}, {"v": "0"}, {"S": 5}, {"T": []}, {"i": ""}),
    ]
    rows = [trade_row(**change) for change in changes]
    outcomes = read(pushed("publicTrade", trade_row(), *rows, 7, trade_row()), channel="trade")
    assert reasons(outcomes) == [
        *("event", "not_finite", "not_positive", "wrong_type"),
        *("wrong_type", "missing_field", "wrong_type", "event"),
    ]


TICKER = {
    "lastPrice": "62000.1",
    "indexPrice": "62003",
    "markPrice": "62001",
    "fundingRate": "-0.0001",
    "openInterest": "35000.5",
    "nextFundingTime": "1790006400000",
    "turnover24h": "2100000000",
}


def test_a_ticker_is_the_same_in_both_apis() -> None:
    newer = the_ticker(pushed("ticker", TICKER))
    assert (newer.mark_price, newer.index_price, newer.last_price) == (62001.0, 62003.0, 62000.1)
    assert (newer.open_interest_base, newer.open_interest_usd) == (35_000.5, None)
    assert (newer.funding_rate, newer.next_funding_us) == (-0.0001, 1_790_006_400_000_000)
    assert newer.event_time_us == 1_790_000_000_611_000
    renamed = {"lastPrice": "lastPr", "openInterest": "holdingAmount", "turnover24h": "quoteVolume"}
    row = {renamed.get(key, key): value for key, value in TICKER.items()} | {"ts": "1790000000611"}
    assert the_ticker(older("ticker", row)) == newer


def test_a_ticker_is_partial_and_a_dated_contract_has_no_funding() -> None:
    event = the_ticker(pushed("ticker", {"markPrice": "5", "fundingRate": "0.1"}))
    assert (event.mark_price, event.funding_rate, event.last_price) == (5.0, 0.1, None)
    for due in ("0", ""):
        event = the_ticker(pushed("ticker", TICKER | {"nextFundingTime": due}))
        assert (event.funding_rate, event.next_funding_us) == (None, None)
    assert reasons(read(pushed("ticker", {"volume24h": "5"}))) == ["empty"]


def test_open_interest_of_a_coin_future_and_of_a_thousand_coins_is_in_coins() -> None:
    coin = the_ticker(pushed("ticker", TICKER, symbol="BTCUSD", kind="coin-futures"))
    assert (coin.contract, coin.open_interest_base, coin.open_interest_usd) == (
        *("inverse", 35_000.5),
        None,
    )
    sats = the_ticker(pushed("ticker", TICKER, symbol="1000SATSUSDT"))
    assert sats.open_interest_base == 35_000_500.0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"markPrice": "0"}, "not_positive"),
        ({"lastPrice": "inf"}, "not_finite"),
        ({"openInterest": "-1"}, "not_positive"),
        ({"fundingRate": {}}, "wrong_type"),
        ({"nextFundingTime": "x"}, "wrong_type"),
    ],
)
def test_a_ticker_with_a_bad_number_is_rejected(change: dict[str, Any], reason: str) -> None:
    assert reasons(read(pushed("ticker", TICKER | change))) == [reason]


def test_polled_contracts_tell_how_often_funding_is_paid() -> None:
    rows = [
        {"symbol": "BTCUSDT", "fundInterval": "8", "sizeMultiplier": "0.001"},
        {"symbol": "BTCUSDZ26", "fundInterval": ""},
        {"symbol": "ETHUSDT", "fundInterval": "48"},
        {"symbol": "XRPUSDT"},
        {"symbol": "XRPEUR", "fundInterval": "8"},
    ]
    outcomes = read({"code": "00000", "msg": "success", "data": rows})
    assert reasons(outcomes) == [
        *("event", "empty", "wrong_type", "unknown_message", "unknown_instrument")
    ]
    assert isinstance(outcomes[0], Ticker)
    assert (outcomes[0].funding_interval_s, outcomes[0].event_time_us) == (28_800, NOW_US)


def levels(**changes: Any) -> dict[str, Any]:
    row = {"a": [["62000.2", "1.5"]], "b": [["62000.1", "2"], ["61999", "1"]]}
    return {**row, "seq": 7, "pseq": 6, "ts": "1790000000500", **changes}


@pytest.mark.parametrize("topic", ["books", "books1", "books5", "books50"])
def test_a_book_snapshot_keeps_every_level(topic: str) -> None:
    (event,) = read(pushed(topic, levels()))
    assert isinstance(event, Book)
    assert event.bids == ((62000.1, 2.0), (61999.0, 1.0))
    assert event.asks == ((62000.2, 1.5),)
    assert event.event_time_us == 1_790_000_000_500_000
    assert reasons(read(pushed(topic, levels(b=[])) | {"action": "update"})) == ["book_delta"]


def test_books_of_the_older_api_and_of_coin_futures_are_in_coins() -> None:
    row = {"asks": [["62000.2", "1.5"]], "bids": [["62000.1", "2"]], "ts": "1790000000500"}
    (event,) = read(older("books15", row))
    assert isinstance(event, Book)
    assert (event.bids, event.asks) == (((62000.1, 2.0),), ((62000.2, 1.5),))
    (coin,) = read(pushed("books5", levels(), symbol="BTCUSD", kind="coin-futures"))
    assert isinstance(coin, Book)
    assert coin.asks == ((62000.2, 1.5),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"b": [["0", "0"]]}, "empty"),
        ({"a": []}, "empty"),
        ({"a": None}, "missing_field"),
        ({"b": [["NaN", "1"]]}, "not_finite"),
        ({"b": [["1", "0"]]}, "not_positive"),
        ({"b": ["1"]}, "wrong_type"),
        ({"a": [["5", "1"]]}, "crossed_book"),
    ],
)
def test_a_bad_book_is_rejected(change: dict[str, Any], reason: str) -> None:
    assert reasons(read(pushed("books5", levels(**change)))) == [reason]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"pong", "control"),
        (b"pon", "invalid_json"),
        (b'{"event":"\xff"}', "invalid_utf8"),
        (b"[]", "wrong_type"),
        (b"{}", "unknown_message"),
        (b'{"code":"40034","msg":"bad"}', "missing_field"),
        (b'{"arg":5,"data":[]}', "unknown_message"),
        (b'{"arg":{},"data":[]}', "missing_field"),
        (b'{"event":"subscribe","arg":{"instType":"spot","topic":"publicTrade"}}', "control"),
        (b'{"event":"error","code":30001,"msg":"no such channel"}', "control"),
        (b'{"op":"ping"}', "control"),
        (b'{"arg":{"topic":"liquidation","instType":"usdt-futures"}}', "missing_field"),
        (b'{"arg":{"topic":"liquidation","instType":"usdt-futures"},"data":{}}', "wrong_type"),
        (b'{"arg":{"topic":"liquidation","instType":"usdt-futures"},"data":[]}', "empty"),
        (b'{"arg":{"topic":"liquidation"},"data":[{}]}', "missing_field"),
        (b'{"arg":{"topic":"liquidation","instType":"mct"},"data":[{}]}', "unknown_channel"),
        (b'{"arg":{"topic":"ticker","instType":"spot"},"data":[{}]}', "missing_field"),
        (b'{"arg":{"topic":"kline","instType":"spot"},"data":[{}]}', "unused_channel"),
        (b'{"arg":{"channel":"candle1m","instType":"SPOT"},"data":[{}]}', "unused_channel"),
        (b'{"arg":{"topic":"weather","instType":"spot"},"data":[{}]}', "unknown_channel"),
        (
            b'{"action":"x","arg":{"topic":"books","instType":"spot","symbol":"A"},"data":[{}]}',
            "unknown_message",
        ),
    ],
)
@pytest.mark.parametrize("channel", [None, "trade"])
def test_a_message_without_events_says_why(
    payload: bytes, reason: str, channel: str | None
) -> None:
    assert reasons(read(payload, channel=channel)) == [reason]
