"""KuCoin futures messages become canonical events with the right side, unit and reason."""

from decimal import Decimal
from typing import Any

import pytest

from streams.core.events import Book, Outcome, Raw, Ticker, Trade
from streams.core.instruments import Instrument, Instruments
from streams.core.normalise import normalise
from streams.venues import kucoin
from tests.outcomes import encoded, reasons, sole

NOW_US = 1_790_000_001_000_000
INSTRUMENTS = Instruments(
    {("kucoin", "XBTUSDM"): Instrument("kucoin", "XBTUSDM", "BTC", "USD", "inverse", "contracts")}
    | {
        ("kucoin", symbol): Instrument(
            "kucoin", symbol, asset, "USDT", "linear", "contracts", Decimal(size), units
        )
        for symbol, asset, size, units in (
            ("XBTUSDTM", "BTC", "0.001", 1),
            ("1000BONKUSDTM", "BONK", "100", 1000),
        )
    },
    {},
)


def read(message: object) -> list[Outcome]:
    raw = Raw("kucoin", None, "c0", NOW_US, encoded(message))
    return normalise(raw, {"kucoin": kucoin.parse}, INSTRUMENTS)


def pushed(channel: str, data: object, symbol: str = "XBTUSDTM", **more: Any) -> dict[str, Any]:
    return {"topic": f"{channel}:{symbol}", "type": "message", "sn": 1, "data": data, **more}


def execution(symbol: str = "XBTUSDTM", **changes: Any) -> dict[str, Any]:
    row = {
        "symbol": symbol,
        "sequence": 1,
        "side": "sell",
        "size": 5,
        "price": "62000.1",
        "takerOrderId": "a",
        "makerOrderId": "b",
        "tradeId": "c1",
        "ts": 1_790_000_000_402_000_999,
    }
    data = {**row, **changes}
    return pushed("/contractMarket/execution", data, symbol, subject="match")


def instrument(subject: str, **row: Any) -> dict[str, Any]:
    data = {"symbol": "XBTUSDTM", "timestamp": 1_790_000_000_000, **row}
    return pushed("/contract/instrument", data, subject=subject)


def the_trade(message: object) -> Trade:
    return sole(Trade, read(message))


def the_ticker(message: object) -> Ticker:
    return sole(Ticker, read(message))


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_trade_keeps_the_takers_side_and_its_nanoseconds_are_cut(side: str) -> None:
    event = the_trade(execution(side=side))
    # 5 contracts of 0.001 BTC at 62,000.1: 310.0005 dollars.
    assert (event.taker_side, event.base_qty, event.usd) == (side, 0.005, 310_000_500)
    assert (event.price, event.id, event.asset) == (62000.1, "c1", "BTC")
    assert event.event_time_us == 1_790_000_000_402_000


def test_a_coin_margined_contract_is_a_dollar_and_a_thousand_coins_are_one_unit() -> None:
    inverse = the_trade(execution("XBTUSDM", price="50000", size="25"))
    assert (inverse.contract, inverse.usd, inverse.base_qty) == ("inverse", 25_000_000, 0.0005)
    bonk = the_trade(execution("1000BONKUSDTM", price="0.02", size=3))
    # 3 contracts of 100 units of 1,000 coins, at 0.02 dollars a thousand: 6 dollars.
    assert (bonk.asset, bonk.usd, bonk.base_qty) == ("BONK", 6_000_000, 300_000.0)
    assert bonk.price == pytest.approx(0.00002)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"side": 5}, "wrong_type"),
        ({"side": ""}, "missing_field"),
        ({"size": 0}, "not_positive"),
        ({"size": "1e999"}, "not_finite"),
        ({"price": []}, "wrong_type"),
        ({"tradeId": None}, "missing_field"),
        ({"ts": "soon"}, "wrong_type"),
        ({"ts": 1_790_000_000_402}, "time_out_of_range"),
        ({"ts": 1_790_000_009_000_000_000}, "future_skew"),
    ],
)
def test_a_bad_trade_says_why(change: dict[str, Any], reason: str) -> None:
    assert reasons(read(execution(**change))) == [reason]


def test_mark_and_index_come_together() -> None:
    row = {"granularity": 1000, "indexPrice": 62003.0, "markPrice": 62001.5}
    event = the_ticker(instrument("mark.index.price", **row))
    assert (event.mark_price, event.index_price, event.last_price) == (62001.5, 62003.0, None)
    assert event.event_time_us == 1_790_000_000_000_000
    unlisted = the_ticker(instrument("mark.index.price", **{**row, "indexPrice": 0}))
    assert (unlisted.mark_price, unlisted.index_price) == (62001.5, None)


def test_a_forecast_is_the_rate_due_and_a_settled_rate_tells_its_cycle_alone() -> None:
    forecast = the_ticker(instrument("funding.rate", granularity=60000, fundingRate=-0.0001))
    assert (forecast.funding_rate, forecast.funding_interval_s) == (-0.0001, None)
    settled = the_ticker(instrument("funding.rate", granularity=28800000, fundingRate="1e-4"))
    assert (settled.funding_rate, settled.funding_interval_s) == (None, 28_800)


@pytest.mark.parametrize(
    ("subject", "row", "reason"),
    [
        ("mark.index.price", {"markPrice": "0"}, "not_positive"),
        ("mark.index.price", {}, "missing_field"),
        ("funding.rate", {"granularity": 60000}, "missing_field"),
        ("funding.rate", {"granularity": 0, "fundingRate": "0"}, "not_positive"),
        ("funding.rate", {"granularity": 90_000_000, "fundingRate": "0"}, "not_positive"),
        ("funding.rate", {"granularity": 60000, "fundingRate": "2"}, "out_of_range"),
        ("weather", {}, "unknown_channel"),
    ],
)
def test_an_instrument_message_without_a_good_value_says_why(
    subject: str, row: dict[str, Any], reason: str
) -> None:
    assert reasons(read(instrument(subject, **row))) == [reason]


LEVELS = {"asks": [[62000.2, 50]], "bids": [["62000.1", 80], [62000.0, 10]]}


@pytest.mark.parametrize("channel", ["level2Depth5", "level2Depth50"])
@pytest.mark.parametrize("stamp", ["ts", "timestamp"])
def test_a_book_is_in_coins_and_named_by_its_topic(channel: str, stamp: str) -> None:
    row = {"sequence": 9, **LEVELS, stamp: 1_790_000_000_402}
    (event,) = read(pushed(f"/contractMarket/{channel}", row))
    assert isinstance(event, Book)
    assert (event.bids, event.asks) == (((62000.1, 0.08), (62000.0, 0.01)), ((62000.2, 0.05),))
    assert (event.symbol, event.event_time_us) == ("XBTUSDTM", 1_790_000_000_402_000)


def test_the_best_quotes_are_a_book_of_one_level() -> None:
    row = {
        "symbol": "XBTUSDTM",
        "sequence": 7,
        "bestBidSize": 685,
        "bestBidPrice": "62000",
        "bestAskPrice": "62000.1",
        "bestAskSize": 40,
        "ts": 1_790_000_000_402_000_000,
    }
    (event,) = read(pushed("/contractMarket/tickerV2", row))
    assert isinstance(event, Book)
    assert (event.bids, event.asks) == (((62000.0, 0.685),), ((62000.1, 0.04),))
    assert event.event_time_us == 1_790_000_000_402_000
    unset = {**row, "bestAskPrice": None}
    assert reasons(read(pushed("/contractMarket/tickerV2", unset))) == ["missing_field"]


CONTRACT = {
    "symbol": "XBTUSDTM",
    "baseCurrency": "XBT",
    "multiplier": 0.001,
    "isInverse": False,
    "isQuanto": True,
    "openInterest": "10964478",
    "fundingFeeRate": 0.0003,
    "predictedFundingFeeRate": -0.0002,
    "fundingRateGranularity": 28800000,
    "nextFundingRateTime": 11_077_610,
    "markPrice": 62001.5,
    "indexPrice": 62003.0,
    "lastTradePrice": 62000.5,
    "volumeOf24h": 14145.383,
}


def test_a_polled_contract_tells_interest_prices_and_the_rate_due() -> None:
    event = the_ticker({"code": "200000", "data": CONTRACT})
    assert (event.open_interest_base, event.open_interest_usd) == (10_964.478, None)
    assert (event.mark_price, event.index_price, event.last_price) == (62001.5, 62003.0, 62000.5)
    assert (event.funding_rate, event.funding_interval_s) == (-0.0002, 28_800)
    # 11,077.61 s after the receipt is 1.39 s before a whole minute.
    assert event.next_funding_us == 1_790_011_080_000_000
    assert event.event_time_us == NOW_US


def test_a_polled_list_is_read_row_by_row_and_an_inverse_contract_is_dollars() -> None:
    inverse = {"symbol": "XBTUSDM", "openInterest": "48496848", "multiplier": -1}
    strange = {"symbol": "NEWUSDTM", "openInterest": "1"}
    first, second, third, fourth, fifth = read(
        {"code": "200000", "data": [CONTRACT, inverse, strange, 7, {"symbol": "XBTUSDM"}]}
    )
    assert isinstance(first, Ticker)
    assert isinstance(second, Ticker)
    assert (second.open_interest_base, second.open_interest_usd) == (None, 48_496_848_000_000)
    assert (second.funding_rate, second.next_funding_us, second.funding_interval_s) == (None,) * 3
    assert reasons([third, fourth, fifth]) == [
        *("unknown_instrument", "wrong_type", "unknown_message")
    ]


def test_without_a_forecast_the_current_rate_is_the_one_due() -> None:
    event = the_ticker({"code": "200000", "data": {**CONTRACT, "predictedFundingFeeRate": None}})
    assert event.funding_rate == 0.0003


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"id":"x","type":"welcome"}', "control"),
        (b'{"id":"2","type":"ack"}', "control"),
        (b'{"id":"1","type":"pong","timestamp":1}', "control"),
        (b'{"id":"1","type":"error","code":404,"data":"topic"}', "control"),
        (b'{"type":"message","topic":"/contractMarket/level2:XBTUSDTM","data":{}}', "book_delta"),
        (
            b'{"type":"message","topic":"/contractMarket/snapshot:XBTUSDTM","data":{}}',
            "unused_channel",
        ),
        (b'{"type":"message","topic":"/contract/announcement","data":{}}', "unused_channel"),
        (b'{"type":"message","topic":"/weather:XBTUSDTM","data":{}}', "unknown_channel"),
        (b'{"type":"message","topic":"/contractMarket/execution:NEWUSDTM","data":{}}', "strange"),
        (b'{"type":"message","topic":"/contractMarket/execution","data":{}}', "strange"),
        (
            b'{"type":"message","topic":"/contractMarket/execution:XBTUSDTM","data":[]}',
            "wrong_type",
        ),
        (b'{"type":"message","topic":"/contractMarket/execution:XBTUSDTM"}', "missing_field"),
        (b'{"type":"message","topic":7}', "wrong_type"),
        (b'{"type":"message"}', "missing_field"),
        (b'{"type":[]}', "unknown_message"),
        (b'{"code":"200000","data":[]}', "empty"),
        (b'{"code":"200000","data":5}', "wrong_type"),
        (b"{}", "unknown_message"),
        (b"[]", "wrong_type"),
        (b"{", "invalid_json"),
        (b'{"type":"\xff"}', "invalid_utf8"),
    ],
)
def test_a_message_without_events_says_why(payload: bytes, reason: str) -> None:
    expected = "unknown_instrument" if reason == "strange" else reason
    assert reasons(read(payload)) == [expected]
