"""Tables of OKX's v3 API, which archives hold, tell what the channels of v5 tell."""

from decimal import Decimal
from typing import Any

import pytest

from streams.core.events import (
    MICROS,
    Book,
    Ignored,
    Liquidation,
    Outcome,
    Raw,
    Ticker,
    Trade,
)
from streams.core.instruments import Instrument, Instruments
from streams.core.normalise import normalise
from streams.venues import okx
from streams.venues.tape import REPLAY_US
from tests.outcomes import encoded, reasons, sole

NOW_US = 1_610_000_001_000_000
AT = "2021-01-07T06:13:20.402Z"
AT_US = 1_610_000_000_402_000
LINEAR, INVERSE, DATED = "ETH-USDT-SWAP", "ETH-USD-SWAP", "ETH-USD-210326"
TABLE = {
    ("okx", LINEAR): Instrument(
        "okx", LINEAR, "ETH", "USDT", "linear", "contracts", Decimal("0.1")
    ),
    ("okx", INVERSE): Instrument("okx", INVERSE, "ETH", "USD", "inverse", "contracts", Decimal(10)),
    ("okx", DATED): Instrument("okx", DATED, "ETH", "USD", "inverse", "contracts", Decimal(10)),
}
INSTRUMENTS = Instruments(TABLE, okx.RULES)


def read(message: object, now_us: int = NOW_US) -> list[Outcome]:
    raw = Raw("okx", None, "c0", now_us, encoded(message))
    return normalise(raw, {"okx": okx.parse}, INSTRUMENTS)


def table(name: str, *rows: Any, **more: Any) -> dict[str, Any]:
    return {"table": name, **more, "data": list(rows)}


def closed(**changes: Any) -> dict[str, Any]:
    row = {"loss": "0", "size": "24", "price": "1205.5", "created_at": AT, "type": "3"}
    return {**row, "instrument_id": LINEAR, **changes}


def trade_row(**changes: Any) -> dict[str, Any]:
    row = {"instrument_id": LINEAR, "price": "1205.5", "side": "sell", "size": "4"}
    return {**row, "timestamp": AT, "trade_id": "700000001", **changes}


def ticker_row(**changes: Any) -> dict[str, Any]:
    return {"instrument_id": INVERSE, "last": "1205.5", "timestamp": AT, **changes}


def book_row(**changes: Any) -> dict[str, Any]:
    sides = {"bids": [["1205", "3", "0", "2"]], "asks": [[1205.5, 2, 0, 1], [1206.0, 8, 0, 1]]}
    return {"instrument_id": LINEAR, **sides, "timestamp": AT, "checksum": -5, **changes}


@pytest.mark.parametrize(
    ("kind", "position", "order"),
    [("3", "long", "sell"), ("4", "short", "buy"), (4, "short", "buy")],
)
def test_the_type_names_the_position_that_was_closed(
    kind: object, position: str, order: str
) -> None:
    event = sole(Liquidation, read(table("swap/liquidation", closed(type=kind))))
    assert (event.position_side, event.order_side) == (position, order)
    assert (event.completeness, event.price_kind) == ("sampled", "order")
    assert (event.usd, event.base_qty) == (2_893_200_000, 2.4)
    assert event.event_time_us == AT_US


@pytest.mark.parametrize("kind", ["3", "4"])
def test_a_forced_order_of_an_inverse_future_is_dollars(kind: str) -> None:
    message = table("futures/liquidation", closed(instrument_id=DATED, type=kind))
    event = sole(Liquidation, read(message))
    assert (event.contract, event.usd) == ("inverse", 240 * MICROS)


def test_equal_forced_orders_of_one_answer_are_two_and_old_ones_are_none() -> None:
    first, second = read(table("swap/liquidation", closed(), closed(size="24.0")))
    assert isinstance(first, Liquidation)
    assert isinstance(second, Liquidation)
    assert first.id != second.id
    late = read(table("swap/liquidation", closed()), AT_US + REPLAY_US + 1)
    assert late == [Ignored("replayed")]


def test_a_bad_forced_order_costs_its_neighbours_nothing() -> None:
    bad: list[dict[str, Any]] = [
        *({"type": "1"}, {"type": None}, {"size": "0"}, {"price": "x"}, {"created_at": "today"}),
        {"instrument_id": "NEVERLISTED-USDT-SWAP"},
    ]
    rows = [closed(**change) for change in bad]
    assert reasons(read(table("swap/liquidation", *rows, 7, closed()))) == [
        *("unknown_side", "missing_field", "not_positive", "wrong_type", "wrong_type"),
        *("unknown_instrument", "wrong_type", "event"),
    ]


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize(
    ("name", "row", "usd"),
    [
        ("swap/trade", trade_row(), 482_200_000),
        ("futures/trade", {**trade_row(instrument_id=DATED), "qty": 4, "size": ""}, 40 * MICROS),
        ("spot/trade", trade_row(instrument_id="ETH-USDT"), 4_822_000_000),
    ],
)
def test_a_trade_has_the_takers_side_and_dollars_by_its_contract(
    side: str, name: str, row: dict[str, Any], usd: int
) -> None:
    event = sole(Trade, read(table(name, {**row, "side": side})))
    assert (event.taker_side, event.id, event.price) == (side, "700000001", 1205.5)
    assert (event.usd, event.event_time_us) == (usd, AT_US)


def test_a_ticker_has_the_last_price_and_contracts_in_dollars_or_coins() -> None:
    event = sole(Ticker, read(table("swap/ticker", ticker_row(open_interest="500.0"))))
    assert (event.last_price, event.open_interest_usd) == (1205.5, 5_000 * MICROS)
    assert (event.open_interest_base, event.mark_price) == (None, None)
    row = ticker_row(instrument_id=LINEAR, open_interest="500")
    linear = sole(Ticker, read(table("swap/ticker", row)))
    assert (linear.open_interest_base, linear.open_interest_usd) == (50.0, None)
    assert sole(Ticker, read(table("spot/ticker", ticker_row(instrument_id="ETH-USDT")))).last_price


def test_an_index_keeps_its_own_name() -> None:
    event = sole(Ticker, read(table("index/ticker", ticker_row(instrument_id="ETH-USD"))))
    assert (event.symbol, event.contract) == ("ETH-USD", "spot")
    assert (event.index_price, event.last_price) == (1205.5, None)


def test_marks_have_their_stamp_and_funding_that_of_its_receipt() -> None:
    row = {"instrument_id": INVERSE, "mark_price": "1205.25", "timestamp": AT}
    mark = sole(Ticker, read(table("swap/mark_price", row)))
    assert (mark.mark_price, mark.event_time_us) == (1205.25, AT_US)
    row = {"instrument_id": INVERSE, "funding_rate": "-0.00035", "interest_rate": "0"}
    row["funding_time"] = "2021-01-07T08:00:00.000Z"
    funding = sole(Ticker, read(table("swap/funding_rate", row)))
    assert (funding.funding_rate, funding.next_funding_us) == (-0.00035, 1_610_006_400_000_000)
    assert funding.event_time_us == NOW_US


@pytest.mark.parametrize(
    "message",
    [
        table("swap/depth_l2_tbt", book_row(), action="partial"),
        table("swap/depth", book_row(), action="partial"),
        table("swap/depth5", book_row()),
    ],
)
def test_a_whole_book_is_in_coins(message: object) -> None:
    found = sole(Book, read(message))
    assert [price for price, _ in (*found.bids, *found.asks)] == [1205.0, 1205.5, 1206.0]
    assert [coins for _, coins in (*found.bids, *found.asks)] == pytest.approx([0.3, 0.2, 0.8])
    assert found.event_time_us == AT_US


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (table("swap/depth_l2_tbt", book_row(), action="update"), "book_delta"),
        (table("swap/depth5", book_row(bids=5)), "wrong_type"),
        (table("swap/depth5", book_row(asks=[["1205.5", "0"]])), "not_positive"),
        (table("swap/ticker", ticker_row(last="0")), "not_positive"),
        (table("swap/ticker", ticker_row(timestamp="1610000000402")), "wrong_type"),
        (table("spot/ticker", ticker_row(instrument_id="ETH-BTC")), "unknown_instrument"),
        (table("swap/trade"), "empty"),
        ({"table": "swap/trade"}, "missing_field"),
        ({"table": "swap/trade", "data": {}}, "wrong_type"),
        (table("swap/liquidation", {}), "missing_field"),
        (table("swap/candle60s", {}), "unused_channel"),
        (table("swap/price_range", {}), "unused_channel"),
        (table("futures/estimated_price", {}), "unused_channel"),
        (table("option/trade", {}), "unused_channel"),
        (table("swap/weather", {}), "unknown_channel"),
        (table("moon/trade", {}), "unknown_channel"),
        ({"table": 5, "data": []}, "wrong_type"),
        ({"event": "subscribe", "channel": "swap/trade:ETH-USDT-SWAP"}, "control"),
    ],
)
def test_a_message_without_events_says_why(message: object, reason: str) -> None:
    assert reasons(read(message)) == [reason]
