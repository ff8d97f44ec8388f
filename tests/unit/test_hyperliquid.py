"""Hyperliquid: trades tell nobody's liquidation; a fill tells it of the account that it names."""

from decimal import Decimal
from typing import Any

import pytest

from streams.core.events import Book, Liquidation, Outcome, Raw, Rejected, Ticker, Trade
from streams.core.instruments import Instrument, Instruments
from streams.core.normalise import normalise
from streams.core.throttle import feed
from streams.venues import hyperliquid
from tests.outcomes import encoded, kinds, sole

NOW_US = 1_790_000_001_000_000
HYPE = Instrument("hyperliquid", "@107", "HYPE", "USDC", "spot", "base", Decimal(1))
INSTRUMENTS = Instruments({("hyperliquid", "@107"): HYPE}, hyperliquid.RULES)
PARSERS = {"hyperliquid": hyperliquid.parse}
OWN, OTHER = "0xaB" + "0" * 38, "0xcd" + "1" * 38


def read(message: object, channel: str | None = None) -> list[Outcome]:
    return normalise(
        Raw("hyperliquid", channel, "c0", NOW_US, encoded(message)), PARSERS, INSTRUMENTS
    )


def pushed(channel: str, data: Any) -> dict[str, Any]:
    return {"channel": channel, "data": data}


def row(**changes: Any) -> dict[str, Any]:
    one = {"coin": "BTC", "side": "B", "px": "62000.5", "sz": "0.012", "time": 1790000000402}
    one |= {"hash": "0x00", "tid": 500000000000001, "users": [OWN, OTHER]}
    return {key: value for key, value in {**one, **changes}.items() if value is not ...}


def fill(**changes: Any) -> dict[str, Any]:
    one: dict[str, Any] = {"coin": "ETH", "px": "2150.501", "sz": "1.5", "side": "A"}
    one |= {"time": 1790000000402, "startPosition": "1.5", "dir": "Close Long", "closedPnl": "-9"}
    one |= {"hash": "0x01", "oid": 12, "crossed": True, "fee": "0.1", "tid": 700000000000001}
    return {key: value for key, value in {**one, **changes}.items() if value is not ...}


def forced(user: str = OWN, method: str = "market", **changes: Any) -> dict[str, Any]:
    liquidation = {"liquidatedUser": user, "markPx": "2151.0", "method": method}
    return fill(liquidation=liquidation, **changes)


def of_account(*fills: Any, **changes: Any) -> dict[str, Any]:
    return pushed("userFills", {"user": OWN, "fills": list(fills), **changes})


def block(*pairs: Any) -> dict[str, Any]:
    return {"local_time": "x", "block_time": "x", "block_number": 7, "events": list(pairs)}


def the_order(message: object) -> Liquidation:
    return sole(Liquidation, read(message))


@pytest.mark.parametrize(
    ("side", "position", "order"), [("A", "long", "sell"), ("B", "short", "buy")]
)
@pytest.mark.parametrize("shape", ["account", "line", "block"])
def test_a_fill_of_the_named_account_is_its_forced_order(
    side: str, position: str, order: str, shape: str
) -> None:
    one = forced(side=side)
    event = the_order(
        {"account": of_account(one), "line": [OWN, one], "block": block([OWN, one])}[shape]
    )
    assert (event.position_side, event.order_side) == (position, order)
    # 1.5 x 2,150.501 = 3,225.7515 dollars.
    assert (event.usd, event.base_qty, event.price) == (3_225_751_500, 1.5, 2150.501)
    assert (event.asset, event.contract, event.kind) == ("ETH", "linear", "liquidation")
    assert (event.price_kind, event.event_time_us) == ("fill", 1_790_000_000_402_000)
    assert event.completeness == ("unknown" if shape == "account" else "all")


def test_the_other_party_of_a_liquidation_was_not_forced() -> None:
    buyer = forced(side="B", dir="Open Long", crossed=False)
    assert kinds(read([OTHER, buyer])) == ["unused_channel"]
    assert kinds(read(of_account(forced(user=OTHER)))) == ["unused_channel"]
    assert kinds(read(of_account(fill()))) == ["unused_channel"]
    both = read(block([OWN, forced()], [OTHER, buyer]))
    assert kinds(both) == ["Liquidation", "unused_channel"]


def test_an_address_is_the_same_in_any_case() -> None:
    assert the_order([OWN.lower(), forced()]) == the_order([OWN, forced()])


def test_a_backstop_takes_the_position_and_deleveraging_closes_the_other_partys() -> None:
    taken = the_order([OWN, forced(method="backstop")])
    assert (taken.kind, taken.position_side) == ("backstop", "long")
    winner = forced(method="backstop", side="B", dir="Auto-Deleveraging", startPosition="-9")
    closed = the_order([OTHER, winner])
    assert (closed.kind, closed.position_side, closed.order_side) == ("adl", "short", "buy")
    assert closed.id != taken.id
    assert the_order([OTHER, fill(dir="Auto-Deleveraging")]).kind == "adl"


def test_a_fill_has_one_id_whoever_recorded_it() -> None:
    assert the_order([OWN, forced()]).id == the_order(of_account(forced())).id
    assert the_order([OWN, forced()]).id != the_order([OWN, forced(tid=8)]).id


def test_the_history_that_a_subscription_begins_with_is_not_counted() -> None:
    fills = [forced(), fill()]
    assert kinds(read(of_account(*fills, isSnapshot=True))) == ["replayed", "replayed"]
    for mark in (False, None):
        found = kinds(read(of_account(*fills, isSnapshot=mark)))
        assert found == ["Liquidation", "unused_channel"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sz": "0"}, "not_positive"),
        ({"px": "NaN"}, "not_finite"),
        ({"px": None}, "missing_field"),
        ({"tid": "t"}, "wrong_type"),
        ({"tid": ...}, "missing_field"),
        ({"side": "sell"}, "unknown_side"),
        ({"time": []}, "wrong_type"),
        ({"coin": "xyz:GOLD"}, "unknown_instrument"),
        ({"coin": "@9999"}, "unknown_instrument"),
        ({"method": "magic"}, "unknown_message"),
        ({"liquidation": 5}, "wrong_type"),
        ({"liquidation": {"method": "market"}}, "missing_field"),
    ],
)
def test_a_bad_fill_costs_its_neighbours_nothing(change: dict[str, Any], reason: str) -> None:
    bad = {**forced(**{k: v for k, v in change.items() if k == "method"}), **change}
    bad = {key: value for key, value in bad.items() if value is not ...}
    expected = ["Liquidation", reason, "Liquidation"]
    assert kinds(read(of_account(forced(), bad, forced()))) == expected
    assert kinds(read(block([OWN, forced()], [OWN, bad], [OWN, forced()]))) == expected


def test_a_pair_of_another_form_is_no_fill() -> None:
    pairs: list[Any] = [[OWN], [1, forced()], [OWN, 5], {}, [OWN, forced()]]
    assert kinds(read(block(*pairs))) == ["wrong_type"] * 4 + ["Liquidation"]
    assert kinds(read([OWN, forced(), 1])) == ["wrong_type"]
    assert kinds(read(block())) == ["empty"]
    assert kinds(read({"events": 5})) == ["wrong_type"]


@pytest.mark.parametrize(("side", "taker"), [("B", "buy"), ("A", "sell")])
@pytest.mark.parametrize("channel", [None, "trade"])
def test_a_trade_keeps_the_takers_side_and_tells_no_liquidation(
    side: str, taker: str, channel: str | None
) -> None:
    (event,) = read(pushed("trades", [row(side=side)]), channel)
    assert isinstance(event, Trade)
    # 62,000.5 x 0.012 = 744.006 dollars.
    assert (event.taker_side, event.usd, event.base_qty) == (taker, 744_006_000, 0.012)
    assert (event.id, event.asset, event.contract) == ("500000000000001", "BTC", "linear")
    assert event.event_time_us == 1_790_000_000_402_000


def test_a_k_coin_is_a_thousand_and_spot_is_spot() -> None:
    (pepe,) = read(pushed("trades", [row(coin="kPEPE", px="0.0125", sz="4000")]))
    assert isinstance(pepe, Trade)
    assert (pepe.asset, pepe.base_qty, pepe.usd) == ("PEPE", 4_000_000.0, 50_000_000)
    assert pepe.price == pytest.approx(0.0000125)
    for name, asset in (("PURR/USDC", "PURR"), ("@107", "HYPE")):
        (spot,) = read(pushed("trades", [row(coin=name)]))
        assert isinstance(spot, Trade)
        assert (spot.asset, spot.contract) == (asset, "spot")


@pytest.mark.parametrize("coin", ["BTC", "kPEPE", "@107"])
def test_the_slow_path_tells_the_same_of_a_trade_as_the_fast_one(coin: str) -> None:
    one = row(coin=coin, px="0.0125", sz="4000")
    assert read(pushed("trades", [one, 7]), "trade")[0] == read(pushed("trades", [one]))[0]


@pytest.mark.parametrize("field", ["tid", "time"])
def test_a_number_too_small_to_be_is_not_zero(field: str) -> None:
    # A lax decoder reads it as 0, and a trade of no number or of 1970 would come of it.
    told = read(pushed("trades", [row(**{field: "9E-" + "9" * 60})]))
    assert [one.reason for one in told if isinstance(one, Rejected)] == ["wrong_type"]


def test_a_trades_message_sent_again_has_the_ids_that_it_had() -> None:
    message = pushed("trades", [row(), row(tid=2, time=1789999000000)])
    assert kinds(read(message)) == ["Trade", "Trade"]
    assert read(message) == read(message)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sz": "0"}, "not_positive"),
        ({"px": "1e999"}, "not_finite"),
        ({"px": {}}, "wrong_type"),
        ({"tid": -1}, "wrong_type"),
        ({"time": None}, "missing_field"),
        ({"time": 1790000060000}, "future_skew"),
        ({"side": 5}, "wrong_type"),
        ({"coin": "xyz:GOLD"}, "unknown_instrument"),
        ({"coin": "btc"}, "unknown_instrument"),
    ],
)
def test_a_bad_trade_costs_its_neighbours_nothing(change: dict[str, Any], reason: str) -> None:
    found = read(pushed("trades", [row(), row(**change), row(tid=2)]), "trade")
    assert kinds(found) == ["Trade", reason, "Trade"]


def context(coin: str = "BTC", **changes: Any) -> dict[str, Any]:
    one: dict[str, Any] = {"funding": "0.0000125", "openInterest": "30000.5", "markPx": "62001.0"}
    one |= {"prevDayPx": "61000.0", "dayNtlVlm": "2500000000.1", "premium": None, "midPx": None}
    one |= {"oraclePx": "62003.0", "impactPxs": None, **changes}
    return pushed("activeAssetCtx", {"coin": coin, "ctx": one})


def test_a_context_has_no_stamp_and_its_hourly_rate_is_due_at_the_next_hour() -> None:
    (event,) = read(context())
    assert isinstance(event, Ticker)
    assert (event.mark_price, event.index_price, event.last_price) == (62001.0, 62003.0, None)
    assert (event.open_interest_base, event.open_interest_usd) == (30000.5, None)
    assert (event.funding_rate, event.funding_interval_s) == (0.0000125, 3600)
    assert event.event_time_us == NOW_US
    # 14:13:21 UTC on 2026-09-21; the next hour is 15:00.
    assert event.next_funding_us == 1_790_002_800_000_000


def test_a_context_of_a_k_coin_is_per_coin_and_an_empty_one_says_so() -> None:
    (event,) = read(context("kPEPE", openInterest="7", markPx="0.0125"))
    assert isinstance(event, Ticker)
    assert event.open_interest_base == 7000.0
    assert event.mark_price == pytest.approx(0.0000125)
    nothing: dict[str, Any] = {
        "funding": "",
        "openInterest": None,
        "markPx": "",
        "oraclePx": "0",
        "dayNtlVlm": "",
    }
    assert kinds(read(context(**nothing))) == ["empty"]
    assert kinds(read(context(markPx="0"))) == ["not_positive"]
    assert kinds(read(context("xyz:GOLD"))) == ["unknown_instrument"]


def polled(*coins: tuple[str, dict[str, Any]], **listed: Any) -> list[Any]:
    universe = [{"szDecimals": 5, "name": name, "maxLeverage": 40, **listed} for name, _ in coins]
    return [{"universe": universe, "marginTables": []}, [values for _, values in coins]]


def test_polled_contexts_are_the_pushed_ones_of_all_coins() -> None:
    names = ("BTC", "kPEPE")
    answer = polled(*((name, context(name)["data"]["ctx"]) for name in names))
    assert read(answer) == [event for name in names for event in read(context(name))]


def test_a_bad_polled_context_costs_its_neighbours_nothing() -> None:
    values = context()["data"]["ctx"]
    odd: list[Any] = [
        *(("xyz:GOLD", values), ("ETH", values | {"markPx": "0"}), ("SOL", 5), (7, values)),
        ("ETH", {"dayBaseVlm": "0.0"}),
    ]
    assert kinds(read(polled(("BTC", values), *odd, ("ETH", values)))) == [
        *("Ticker", "unknown_instrument", "not_positive", "wrong_type", "wrong_type", "empty"),
        "Ticker",
    ]
    assert kinds(read(polled(("BTC", values), isDelisted=True))) == ["empty"]


def test_polled_contexts_without_a_coin_each_are_none() -> None:
    meta, contexts = polled(("BTC", context()["data"]["ctx"]))
    assert kinds(read([meta, [*contexts, *contexts]])) == ["wrong_type"]
    assert kinds(read([{}, contexts])) == ["missing_field"]
    assert kinds(read([{"universe": []}, []])) == ["empty"]


def levels(**changes: Any) -> dict[str, Any]:
    bids = [{"px": "62000.0", "sz": "3.1", "n": 5}, {"px": "61999.0", "sz": "2", "n": 1}]
    one = {"coin": "BTC", "time": 1790000000500, "levels": [bids, [{"px": "62001.0", "sz": "1"}]]}
    return pushed("l2Book", {**one, **changes})


def test_a_book_is_a_full_snapshot() -> None:
    (event,) = read(levels())
    assert isinstance(event, Book)
    assert event.bids == ((62000.0, 3.1), (61999.0, 2.0))
    assert event.asks == ((62001.0, 1.0),)
    assert event.event_time_us == 1_790_000_000_500_000
    assert kinds(read(levels(levels=[[], []]))) == ["empty"]
    assert kinds(read(levels(levels=[[]]))) == ["wrong_type"]
    assert kinds(read(levels(levels=[[5], []]))) == ["wrong_type"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (pushed("subscriptionResponse", {"method": "subscribe"}), "control"),
        ({"channel": "pong"}, "control"),
        (pushed("error", "Invalid subscription"), "control"),
        (pushed("user", {"fills": [forced()]}), "unused_channel"),
        (pushed("allMids", {"mids": {}}), "unused_channel"),
        (pushed("allDexsAssetCtxs", {}), "unused_channel"),
        (pushed("weather", {}), "unknown_channel"),
        (pushed("trades", {}), "wrong_type"),
        (pushed("trades", []), "empty"),
        (pushed("trades", [5]), "wrong_type"),
        (pushed("userFills", {"user": OWN}), "missing_field"),
        (pushed("userFills", {"fills": []}), "missing_field"),
        (pushed("activeAssetCtx", {"coin": "BTC"}), "missing_field"),
        (pushed("l2Book", []), "wrong_type"),
        ({"channel": 5}, "unknown_message"),
        ({}, "unknown_message"),
        (b"[]", "wrong_type"),
        (b"5", "wrong_type"),
        (b"pong", "invalid_json"),
        (b'{"channel":"\xff"}', "invalid_utf8"),
    ],
)
@pytest.mark.parametrize("channel", [None, "trade"])
def test_a_message_without_events_says_why(
    message: object, reason: str, channel: str | None
) -> None:
    assert kinds(read(message, channel)) == [reason]


def test_only_a_nodes_fills_make_a_complete_feed() -> None:
    assert feed("hyperliquid", NOW_US, "unknown").feed_class == "partial"
    assert feed("hyperliquid", NOW_US, "all").feed_class == "full"
