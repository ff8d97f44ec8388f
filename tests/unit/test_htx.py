"""HTX messages become canonical events with the right side, unit and reason."""

import gzip
import json
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from streams.core.events import (
    Liquidation,
    Outcome,
    Raw,
    Trade,
)
from streams.core.instruments import Instrument, Instruments
from streams.core.normalise import Parser, normalise
from streams.venues import htx
from streams.venues.tape import REPLAY_US
from tests.outcomes import all_of, encoded, reasons, sole

NOW_US = 1_790_000_001_000_000
SIZES = {"BTC-USDT": "0.001", "DOGE-USDT": "100"}
INSTRUMENTS = Instruments(
    {
        ("htx", name): Instrument(
            "htx", name, name.split("-")[0], "USDT", "linear", "contracts", Decimal(size)
        )
        for name, size in SIZES.items()
    },
    htx.RULES,
)


def read(message: object, parse: Parser = htx.parse) -> list[Outcome]:
    return normalise(Raw("htx", None, "c0", NOW_US, encoded(message)), {"htx": parse}, INSTRUMENTS)


def order(**changes: Any) -> dict[str, Any]:
    row = {
        "symbol": "BTC",
        "contract_code": "BTC-USDT",
        "direction": "sell",
        "offset": "close",
        "volume": 35,
        "amount": 0.035,
        "trade_turnover": 2152.5,
        "price": 61500.0,
        "created_at": 1_790_000_000_402,
        "contract_type": "swap",
        "pair": "BTC-USDT",
        "business_type": "swap",
    }
    return {**row, **changes}


def forced(*rows: Any, topic: str = "public.*.liquidation_orders") -> dict[str, Any]:
    return {"op": "notify", "topic": topic, "ts": 1_790_000_000_541, "data": list(rows)}


def pushed(channel: str, **tick: Any) -> dict[str, Any]:
    return {"ch": f"market.{channel}", "ts": 1_790_000_000_600, "tick": tick}


def trades(*rows: Any, symbol: str = "BTC-USDT") -> dict[str, Any]:
    return pushed(f"{symbol}.trade.detail", id=1, ts=1_790_000_000_590, data=list(rows))


def trade_row(**changes: Any) -> dict[str, Any]:
    row = {"amount": 22, "quantity": 0.022, "trade_turnover": 1364.0, "ts": 1_790_000_000_588}
    return {**row, "id": 1_000_000, "price": 62000.1, "direction": "buy", **changes}


def liquidations(message: object, parse: Parser = htx.parse) -> list[Liquidation]:
    return all_of(Liquidation, read(message, parse))


def the_trade(message: object, parse: Parser = htx.parse) -> Trade:
    return sole(Trade, read(message, parse))


@pytest.mark.parametrize("offset", ["close", "both", "reduce", None])
@pytest.mark.parametrize(
    ("direction", "position", "side"), [("sell", "long", "sell"), ("buy", "short", "buy")]
)
def test_the_orders_side_closes_a_position_whatever_closes_it_is_called(
    direction: str, position: str, side: str, offset: str | None
) -> None:
    (event,) = liquidations(forced(order(direction=direction, offset=offset)))
    assert (event.position_side, event.order_side) == (position, side)
    assert (event.price_kind, event.completeness, event.kind) == (
        "bankruptcy",
        "all",
        "liquidation",
    )


def test_a_forced_order_counts_contracts_by_their_size() -> None:
    (event,) = liquidations(forced(order()))
    # 35 contracts of 0.001 BTC at 61,500: 2,152.5 dollars.
    assert (event.asset, event.contract, event.base_qty) == ("BTC", "linear", 0.035)
    assert (event.usd, event.price) == (2_152_500_000, 61500.0)
    assert event.event_time_us == 1_790_000_000_402_000
    (doge,) = liquidations(forced(order(contract_code="DOGE-USDT", volume=7, price=0.123457)))
    # 700 coins at 0.123457: 86.4199 dollars.
    assert (doge.asset, doge.base_qty, doge.usd) == ("DOGE", 700.0, 86_419_900)


@pytest.mark.parametrize(("code", "usd"), [("BTC-USD", 2_600_000_000), ("ETH-USD", 260_000_000)])
def test_a_coin_swap_is_its_face_in_dollars_with_and_without_amount(code: str, usd: int) -> None:
    row = order(contract_code=code, volume=26, price=5000.0)
    for name in ("amount", "pair", "trade_turnover", "business_type", "contract_type"):
        del row[name]
    (event,) = liquidations(forced(row))
    assert (event.contract, event.usd, event.base_qty) == ("inverse", usd, usd / 5e9)


@pytest.mark.parametrize("code", ["FIL-USDT", "FIL-USDT-261225"])
def test_an_unlisted_contract_has_the_size_that_its_row_states(code: str) -> None:
    row = order(contract_code=code, volume=30, amount=3, price=4.25)
    (event,) = liquidations(forced(row))
    assert (event.symbol, event.asset, event.contract) == (code, "FIL", "linear")
    assert (event.base_qty, event.usd) == (3.0, 12_750_000)
    (trade,) = all_of(
        Trade, read(trades(trade_row(amount=30, quantity=3, price=4.25), symbol=code))
    )
    assert (trade.base_qty, trade.usd) == (1.5, 6_375_000)
    for silent in ({"amount": None}, {"amount": 0}, {"amount": "NaN"}):
        assert reasons(read(forced({**row, **silent}))) != ["event"]
    del row["amount"]
    assert reasons(read(forced(row))) == ["unknown_instrument"]


def test_a_listed_contract_keeps_the_size_of_the_table() -> None:
    (event,) = liquidations(forced(order(amount=9)))
    assert event.base_qty == 0.035


@pytest.mark.parametrize(("code", "usd"), [("BTC261225", 100), ("ETH261225", 10)])
def test_a_coin_future_is_its_face_in_dollars(code: str, usd: int) -> None:
    row = order(contract_code=code, volume=1, price=5000.0)
    for name in ("amount", "pair", "trade_turnover", "business_type", "contract_type"):
        del row[name]
    (event,) = liquidations(forced(row, topic=f"public.{code[:3]}.liquidation_orders"))
    assert (event.asset, event.contract, event.usd) == (code[:3], "inverse", usd * 1_000_000)
    kind = trades(trade_row(amount=4), symbol=f"{code[:3]}_CQ")
    assert (the_trade(kind).usd, the_trade(kind).asset) == (2 * usd * 1_000_000, code[:3])


def test_a_trade_without_a_side_is_told_from_one_without_the_field() -> None:
    bare = trade_row()
    del bare["direction"]
    outcomes = read(trades(trade_row(direction=""), bare, trade_row()))
    assert reasons(outcomes) == ["event", "missing_field", "event"]


def test_the_contract_code_names_the_contract_whatever_the_topic() -> None:
    for topic in ("public.*.liquidation_orders", "public.BTC-USDT.liquidation_orders"):
        rows = [order(), order(contract_code="DOGE-USDT")]
        assert [e.asset for e in liquidations(forced(*rows, topic=topic))] == ["BTC", "DOGE"]


def test_equal_rows_are_distinct_orders_and_a_repeated_message_has_equal_ids() -> None:
    message = forced(order(), order())
    ids = [event.id for event in liquidations(message)]
    assert len(set(ids)) == 2
    assert ids == [event.id for event in liquidations(message)]
    assert liquidations(forced(order(price="61500.00", volume="35")))[0].id == ids[0]


def test_what_the_feed_carries_can_be_set() -> None:
    parse = partial(htx.parse, completeness="unknown")
    (event,) = liquidations(forced(order()), parse)
    assert event.completeness == "unknown"


def test_a_polled_forced_order_has_the_id_of_the_pushed_one() -> None:
    (live,) = liquidations(forced(order()))
    old = {key: order()[key] for key in ("contract_code", "direction", "volume", "price")}
    new = {
        "id": 1,
        "contract_code": "BTC-USDT",
        "liquidation_time": 1_790_000_000_402,
        "side": "sell",
        "position_side": "long",
        "volume": "35",
        "bankrupt_price": "61500",
        "trade_turnover": "2152.5",
    }
    rows = [{**old, "created_at": 1_790_000_000_402}, new]
    for row in rows:
        (polled,) = liquidations({"code": 200, "data": [row], "ts": 1})
        assert polled.id == live.id
        assert (polled.usd, polled.position_side) == (2_152_500_000, "long")
    contradictory = {"code": 200, "data": [{**new, "position_side": "short"}], "ts": 1}
    assert reasons(read(contradictory)) == ["unknown_side"]
    stale = (NOW_US - REPLAY_US) // 1000 - 1
    assert reasons(read({"code": 200, "data": [{**new, "liquidation_time": stale}, new]})) == [
        "replayed",
        "event",
    ]


@pytest.mark.parametrize("kept", ["bytes", "characters"])
def test_a_packed_frame_is_read_as_its_text(kept: str) -> None:
    packed = gzip.compress(json.dumps(forced(order())).encode())
    payload = packed if kept == "bytes" else packed.decode("latin-1").encode()
    assert read(payload) == read(forced(order()))
    assert reasons(read(payload[:-9])) == ["invalid_json"]
    assert reasons(read(gzip.compress(b"{}"))) == ["unknown_message"]
    assert reasons(read(gzip.compress(b"[1]"))) == ["wrong_type"]
    assert reasons(read(gzip.compress(b"{"))) == ["invalid_json"]
    assert reasons(read(gzip.compress(b'{"op":"\xff"}'))) == ["invalid_utf8"]


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_trade_counts_one_side_of_its_amount(side: str) -> None:
    event = the_trade(trades(trade_row(direction=side)))
    # 22 count both sides: 11 contracts of 0.001 BTC at 62,000.1 are 682.0011 dollars.
    assert (event.taker_side, event.base_qty, event.usd) == (side, 0.011, 682_001_100)
    assert (event.price, event.id) == (62000.1, "1000000")
    assert event.event_time_us == 1_790_000_000_588_000
    inverse = the_trade(trades(trade_row(amount=6, price=50000), symbol="BTC-USD"))
    assert (inverse.contract, inverse.usd, inverse.base_qty) == ("inverse", 300_000_000, 0.006)


def test_how_many_sides_a_trade_counts_can_be_set() -> None:
    event = the_trade(trades(trade_row()), partial(htx.parse, trade_sides=1))
    assert (event.base_qty, event.usd) == (0.022, 1_364_002_200)
    odd = the_trade(trades(trade_row(amount=1)))
    assert (odd.base_qty, odd.usd) == (0.0005, 31_000_050)


def test_a_bad_trade_costs_its_neighbours_nothing() -> None:
    changes: list[dict[str, Any]] = [
        {"direction": None},
        {"direction": 5},
        {"amount": 0},
        {"price": "NaN"},
        {"ts": None},
        {"id": {}},
    ]
    rows = [trade_row(**change) for change in changes]
    assert reasons(read(trades(trade_row(), *rows, 7, trade_row()))) == [
        *("event", "missing_field", "wrong_type", "not_positive", "not_finite"),
        *("missing_field", "wrong_type", "wrong_type", "event"),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"volume": "NaN"}, "not_finite"),
        ({"volume": 0}, "not_positive"),
        ({"volume": None}, "missing_field"),
        ({"volume": True}, "wrong_type"),
        ({"price": -1.5}, "not_positive"),
        ({"price": "1e17", "volume": "1e17"}, "not_finite"),
        ({"created_at": "soon"}, "wrong_type"),
        ({"created_at": 1_790_000_060_000}, "future_skew"),
        ({"direction": "long"}, "unknown_side"),
        ({"offset": "open"}, "unknown_side"),
        ({"position_side": "short"}, "unknown_side"),
        ({"direction": "buy", "position_side": "long"}, "unknown_side"),
        ({"contract_code": "BTC-USDT-261225", "amount": None}, "unknown_instrument"),
        ({"contract_code": "NEW-USDT", "amount": ""}, "unknown_instrument"),
        ({"contract_code": "NEW-USDT", "amount": 0}, "not_positive"),
        ({"contract_code": 7}, "wrong_type"),
    ],
)
def test_a_bad_order_is_rejected_with_its_reason_and_the_good_ones_stay(
    change: dict[str, Any], reason: str
) -> None:
    outcomes = read(forced(order(), order(**change), 7, order()))
    assert reasons(outcomes) == ["event", reason, "wrong_type", "event"]


@pytest.mark.parametrize("symbol", ["BTC_XQ", "BTC24062", "NEW-USDT-2612", "BTC-EUR", "*"])
def test_a_stranger_is_an_unknown_instrument(symbol: str) -> None:
    assert reasons(read(trades(trade_row(), symbol=symbol))) == ["unknown_instrument"]
    assert reasons(read(pushed(f"{symbol}.detail", close=5))) == ["unknown_instrument"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"ping":1790000000000}', "control"),
        (b'{"pong":1790000000000}', "control"),
        (b'{"op":"ping","ts":"1790000000000"}', "control"),
        (b'{"op":"sub","cid":"1","topic":"public.*.liquidation_orders","err-code":0}', "control"),
        (b'{"op":"close","ts":1}', "control"),
        (b'{"op":"error","ts":1}', "control"),
        (b'{"id":"1","status":"ok","subbed":"market.BTC-USDT.trade.detail","ts":1}', "control"),
        (b'{"id":"1","status":"error","err-code":"bad-request","ts":1}', "control"),
        (b'{"op":"notify","topic":"public.linear-swap.heartbeat","data":{}}', "control"),
        (b'{"op":"notify","topic":"public.*.contract_info","data":[{}]}', "unused_channel"),
        (b'{"op":"notify","topic":"public.*.weather","data":[{}]}', "unknown_channel"),
        (b'{"op":"notify","data":[{}]}', "missing_field"),
        (b'{"op":"notify","topic":"public.*.liquidation_orders"}', "missing_field"),
        (b'{"op":"notify","topic":"public.*.liquidation_orders","data":{}}', "wrong_type"),
        (b'{"op":"notify","topic":"public.*.liquidation_orders","data":[]}', "empty"),
        (b'{"op":"notify","topic":"public.*.funding_rate","data":[{}]}', "missing_field"),
        (b'{"rep":"market.BTC-USDT.trade.detail","status":"ok","data":[{}]}', "replayed"),
        (b'{"status":"ok","data":[{"volume":1}]}', "unknown_message"),
        (b'{"ch":"public.BTC-USDT.detail","tick":{}}', "unknown_channel"),
        (b'{"ch":"market.BTC-USDT"}', "unknown_channel"),
        (b'{"ch":5}', "wrong_type"),
        (b'{"ch":"market.BTC-USDT.detail"}', "missing_field"),
        (b'{"ch":"market.BTC-USDT.detail","tick":[]}', "wrong_type"),
        (b"{}", "unknown_message"),
        (b"[]", "wrong_type"),
        (b"{", "invalid_json"),
        (b'{"op":"\xff"}', "invalid_utf8"),
    ],
)
def test_a_message_without_events_says_why(payload: bytes, reason: str) -> None:
    assert reasons(read(payload)) == [reason]
