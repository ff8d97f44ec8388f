"""Bybit messages become canonical events with the right side, unit and reason."""

import json
from decimal import Decimal
from typing import Any

import pytest

from streams.core.events import (
    Liquidation,
    Outcome,
    Raw,
    Rejected,
    Ticker,
    Trade,
)
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.venues import bybit
from tests.outcomes import all_of, encoded, reasons, sole

NOW_US = 1_790_000_001_000_000
INSTRUMENTS = Instruments({}, bybit.RULES)
PARSERS = dict.fromkeys(bybit.VENUES, bybit.parse)


def read(
    message: object, venue: str = "bybit", channel: str | None = None, now_us: int = NOW_US
) -> list[Outcome]:
    return normalise(Raw(venue, channel, "c0", now_us, encoded(message)), PARSERS, INSTRUMENTS)


def forced(*rows: dict[str, Any]) -> dict[str, Any]:
    topic = f"allLiquidation.{rows[0].get('s', '')}" if rows else "allLiquidation.BTCUSDT"
    return {"topic": topic, "type": "snapshot", "ts": 1790000000611, "data": list(rows)}


def forced_row(**changes: Any) -> dict[str, Any]:
    row = {"T": 1790000000402, "s": "BTCUSDT", "S": "Buy", "v": "0.350", "p": "61500.00"}
    return {**row, **changes}


def trades(*rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "topic": "publicTrade.BTCUSDT",
        "type": "snapshot",
        "ts": 1790000000700,
        "data": list(rows),
    }


def trade_row(**changes: Any) -> dict[str, Any]:
    row = {
        "T": 1790000000698,
        "s": "BTCUSDT",
        "S": "Sell",
        "v": "0.003",
        "p": "62000.10",
        "L": "MinusTick",
        "i": "aaaaaaaa-0000-5000-8000-000000000001",
        "BT": False,
        "seq": 200000001,
    }
    return {**row, **changes}


def ticker(symbol: str, kind: str = "delta", **values: Any) -> dict[str, Any]:
    data = {"symbol": symbol, **values}
    return {"topic": f"tickers.{symbol}", "type": kind, "cs": 7, "ts": 1790000000800, "data": data}


def liquidations(message: object, venue: str = "bybit") -> list[Liquidation]:
    return all_of(Liquidation, read(message, venue))


def the_trade(message: object, venue: str = "bybit", channel: str | None = "trade") -> Trade:
    return sole(Trade, read(message, venue, channel))


def the_ticker(message: object, venue: str = "bybit") -> Ticker:
    return sole(Ticker, read(message, venue))


@pytest.mark.parametrize(
    ("side", "position", "order"), [("Buy", "long", "sell"), ("Sell", "short", "buy")]
)
def test_the_side_names_the_position_that_was_closed(side: str, position: str, order: str) -> None:
    (event,) = liquidations(forced(forced_row(S=side)))
    assert (event.position_side, event.order_side) == (position, order)


def test_a_liquidation_states_its_price_kind_and_that_the_feed_is_complete() -> None:
    (event,) = liquidations(forced(forced_row()))
    assert (event.price_kind, event.completeness, event.kind) == (
        "bankruptcy",
        "all",
        "liquidation",
    )
    assert (event.asset, event.contract, event.price, event.base_qty) == (
        "BTC",
        "linear",
        61500.0,
        0.35,
    )
    assert event.usd == 21_525_000_000
    assert event.event_time_us == 1_790_000_000_402_000
    assert event.received_at_us == NOW_US


def test_liquidation_dollars_are_exact_where_floats_are_not() -> None:
    (event,) = liquidations(forced(forced_row(v="1234567.1", p="0.0000033")))
    assert event.usd == int((Decimal("1234567.1") * Decimal("0.0000033") * 10**6).quantize(1))


@pytest.mark.parametrize("symbol", ["BTCUSD", "BTCUSDH26"])
def test_an_inverse_size_is_dollars_whatever_the_price(symbol: str) -> None:
    (event,) = liquidations(forced(forced_row(s=symbol, v="5000", p="50000")))
    assert (event.contract, event.asset) == ("inverse", "BTC")
    assert (event.usd, event.base_qty) == (5_000_000_000, 0.1)


@pytest.mark.parametrize(
    ("symbol", "asset", "quote"),
    [
        ("BTCUSDT", "BTC", "USDT"),
        ("BTCPERP", "BTC", "USDC"),
        ("BTC-26DEC25", "BTC", "USDC"),
        ("BTCUSDT-26DEC25", "BTC", "USDT"),
        ("1INCHUSDT", "1INCH", "USDT"),
        ("PERPUSDT", "PERP", "USDT"),
        ("USDCUSDT", "USDC", "USDT"),
    ],
)
def test_a_linear_symbol_names_coin_and_quote(symbol: str, asset: str, quote: str) -> None:
    instrument = INSTRUMENTS.resolve("bybit", symbol)
    assert instrument is not None
    assert (instrument.asset, instrument.quote, instrument.contract) == (asset, quote, "linear")
    assert instrument.coins_per_unit == 1


@pytest.mark.parametrize(
    ("symbol", "asset", "units"),
    [
        ("1000PEPEUSDT", "PEPE", 1000),
        ("10000SATSUSDT", "SATS", 10_000),
        ("1000000MOGUSDT", "MOG", 1_000_000),
        ("SHIB1000USDT", "SHIB", 1000),
        ("1000BONKPERP", "BONK", 1000),
    ],
)
def test_a_symbol_of_a_thousand_coins_is_counted_per_coin(
    symbol: str, asset: str, units: int
) -> None:
    (event,) = liquidations(forced(forced_row(s=symbol, v="40", p="0.02")))
    assert event.asset == asset
    assert event.usd == 800_000
    assert event.price == pytest.approx(0.02 / units, rel=1e-12)
    assert event.base_qty == 40 * units
    print_ = the_trade(trades(trade_row(s=symbol, v="40", p="0.02")))
    assert (print_.usd, print_.base_qty) == (800_000, 40 * units)
    state = the_ticker(ticker(symbol, markPrice="0.02", openInterest="5"))
    assert state.mark_price == pytest.approx(0.02 / units, rel=1e-12)
    assert state.open_interest_base == 5 * units / 2


@pytest.mark.parametrize("symbol", ["BTC-26DEC25-100000-C", "ETHBTC", "", "USDT", "BTC_USDT"])
def test_a_symbol_without_a_rule_is_an_unknown_instrument(symbol: str) -> None:
    (outcome,) = read(forced(forced_row(s=symbol or "?")))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unknown_instrument"


def test_every_row_of_a_message_becomes_an_event() -> None:
    events = liquidations(forced(*(forced_row(T=1790000000000 + n) for n in range(40))))
    assert [event.event_time_us for event in events] == [
        1_790_000_000_000_000 + 1000 * n for n in range(40)
    ]


def test_equal_rows_of_one_message_are_distinct_orders_with_stable_ids() -> None:
    message = forced(forced_row(), forced_row(), forced_row(S="Sell"))
    ids = [event.id for event in liquidations(message)]
    assert len(set(ids)) == 3
    assert ids == [event.id for event in liquidations(message)]


def test_an_id_depends_on_the_values_and_not_on_how_they_were_written() -> None:
    texts = liquidations(forced(forced_row(v="0.350", p="61500.00")))
    numbers = liquidations(forced(forced_row(v=0.35, p=61500)))
    assert texts[0].id == numbers[0].id
    assert texts[0].usd == numbers[0].usd


@pytest.mark.parametrize(
    "data",
    [
        {"updatedTime": 1673251091822, "symbol": "X", "side": "Buy", "size": "16", "price": "2.5"},
        {"symbol": "X", "side": "Buy", "price": "2.5", "qty": "16", "time": 1673251091822},
        [{"id": 3, "qty": 16, "side": "Buy", "time": 1673251091822, "symbol": "X", "price": 2.5}],
    ],
)
def test_the_retired_liquidation_topic_is_read_as_a_sample(data: Any) -> None:
    for row in data if isinstance(data, list) else [data]:
        row["symbol"] = "GALAUSDT"
    (event,) = liquidations({"topic": "liquidation.GALAUSDT", "data": data})
    assert (event.position_side, event.order_side, event.completeness) == (
        "long",
        "sell",
        "sampled",
    )
    assert (event.usd, event.event_time_us) == (40_000_000, 1_673_251_091_822_000)


@pytest.mark.parametrize(("side", "taker"), [("Buy", "buy"), ("Sell", "sell")])
@pytest.mark.parametrize("channel", ["trade", None, "liquidation"])
def test_a_trade_keeps_the_takers_side_and_the_native_id(
    side: str, taker: str, channel: str | None
) -> None:
    event = the_trade(trades(trade_row(S=side)), channel=channel)
    assert (event.taker_side, event.id) == (taker, "aaaaaaaa-0000-5000-8000-000000000001")
    assert (event.price, event.base_qty, event.usd) == (62000.1, 0.003, 186_000_300)
    assert event.event_time_us == 1_790_000_000_698_000


def test_an_inverse_trade_is_dollars() -> None:
    event = the_trade(trades(trade_row(s="BTCUSD", v="5823", p="29115")))
    assert (event.contract, event.usd, event.base_qty) == ("inverse", 5_823_000_000, 0.2)


def test_a_block_trade_is_off_the_book() -> None:
    outcomes = read(trades(trade_row(), trade_row(BT=True)), channel="trade")
    assert reasons(outcomes) == ["event", "off_book"]


def test_a_bad_trade_costs_its_neighbours_nothing() -> None:
    bad: list[dict[str, Any]] = [
        {"p": "NaN"},
        {"p": "0"},
        {"v": "-1"},
        {"S": 5},
        {"v": []},
        {"T": "soon"},
    ]
    rows = [trade_row(**change) for change in bad]
    del (short := trade_row())["i"]
    outcomes = read(trades(trade_row(), *rows, short, trade_row()), channel="trade")
    assert reasons(outcomes) == [
        *("event", "not_finite", "not_positive", "not_positive", "wrong_type"),
        *("wrong_type", "wrong_type", "missing_field", "event"),
    ]


def test_the_slow_path_tells_the_same_of_a_trade_as_the_fast_one() -> None:
    for symbol, size in (("BTCUSDT", "0.25"), ("BTCUSD", "500"), ("1000PEPEUSDT", "4")):
        row = trade_row(s=symbol, v=size, p="62000.5")
        fast = the_trade(trades(row))
        slow = read(trades(row, "odd"), channel="trade")[0]  # type: ignore[arg-type]
        assert slow == fast


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"v": "NaN"}, "not_finite"),
        ({"v": "Infinity"}, "not_finite"),
        ({"v": "1e999"}, "not_finite"),
        ({"v": "1e17", "p": "1e17"}, "not_finite"),
        ({"p": "0"}, "not_positive"),
        ({"p": "-5"}, "not_positive"),
        ({"v": True}, "wrong_type"),
        ({"v": "many"}, "wrong_type"),
        ({"T": "x"}, "wrong_type"),
        ({"T": 12}, "time_out_of_range"),
        ({"T": 1790000060000}, "future_skew"),
        ({"p": None}, "missing_field"),
        ({"p": ""}, "missing_field"),
        ({"S": "Both"}, "unknown_side"),
        ({"s": "ETHBTC"}, "unknown_instrument"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_good_ones_stay(
    change: dict[str, Any], reason: str
) -> None:
    outcomes = read(forced(forced_row(), forced_row(**change), forced_row()))
    assert reasons(outcomes) == ["event", reason, "event"]


def test_a_number_beyond_floats_spoils_only_its_row() -> None:
    payload = json.dumps(forced(forced_row(), forced_row(p=1)))
    assert reasons(read(payload.replace('"p": 1', '"p": 1e999').encode())) == [
        "event",
        "not_finite",
    ]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"pong", "invalid_json"),
        (b'{"topic":"allLiquidation.BTCUSDT"', "invalid_json"),
        (b'{"topic":"\xff"}', "invalid_utf8"),
        (b"[]", "wrong_type"),
        (b'{"topic":5}', "wrong_type"),
        (b"{}", "unknown_message"),
        (b'{"topic":"allLiquidation.BTCUSDT"}', "missing_field"),
        (b'{"topic":"allLiquidation.BTCUSDT","data":{}}', "wrong_type"),
        (b'{"topic":"allLiquidation.BTCUSDT","data":[7]}', "wrong_type"),
        (b'{"topic":"allLiquidation.BTCUSDT","data":[]}', "empty"),
        (b'{"topic":"weather.BTCUSDT","data":[]}', "unknown_channel"),
        (b'{"topic":"bookticker.BTCUSDT","data":{}}', "retired_format"),
        (b'{"topic":"klineV2.1.BTCUSD","data":[]}', "unused_channel"),
        (b'{"topic":"kline.5.BTCUSDT","data":[]}', "unused_channel"),
        (b'{"topic":"insurance.USDT","type":"delta","data":[]}', "unused_channel"),
        (b'{"topic":"adlAlert.USDT","data":[]}', "unused_channel"),
        (b'{"topic":"orderbook.rpi.BTCUSDT","type":"snapshot"}', "unused_channel"),
        (b'{"success":true,"ret_msg":"subscribe","conn_id":"c0","op":"subscribe"}', "control"),
        (b'{"success":true,"ret_msg":"pong","conn_id":"c0","op":"ping"}', "control"),
        (b'{"req_id":"1","op":"pong","args":["1790000000000"]}', "control"),
        (b'{"success":false,"ret_msg":"bad topic","op":"subscribe"}', "control"),
        (b'{"topic":"depth","event":"cancel","code":"0","msg":"Success"}', "control"),
    ],
)
@pytest.mark.parametrize("channel", [None, "trade"])
def test_a_message_without_events_says_why(
    payload: bytes, reason: str, channel: str | None
) -> None:
    assert reasons(read(payload, channel=channel)) == [reason]


def test_the_venue_id_tells_spot_from_linear() -> None:
    event = the_trade(trades(trade_row()), venue="bybit-spot")
    assert (event.venue, event.contract, event.usd) == ("bybit-spot", "spot", 186_000_300)
    spot = the_ticker(ticker("BTCUSDC", "snapshot", lastPrice="5"), venue="bybit-spot")
    assert (spot.asset, spot.last_price, spot.contract) == ("BTC", 5.0, "spot")
    assert reasons(read(trades(trade_row(s="ETHBTC")), "bybit-spot")) == ["unknown_instrument"]
