"""What no market can have is dead-lettered before any sum sees it."""

import json

import pytest

from streams.core.events import Outcome, Raw, Rejected
from streams.core.normalise import normalise
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments

INSTRUMENTS = default_instruments()
AT = 1_790_000_040_000


def outcomes(venue: str, channel: str, message: object) -> list[Outcome]:
    payload = json.dumps(message).encode()
    return normalise(Raw(venue, channel, "c", AT * 1000 + 1, payload), PARSERS, INSTRUMENTS)


def forced(price: str, size: str) -> dict[str, object]:
    return {
        "topic": "allLiquidation.BTCUSDT",
        "type": "snapshot",
        "ts": AT,
        "data": [{"T": AT, "s": "BTCUSDT", "S": "Buy", "v": size, "p": price}],
    }


def trade(price: str, size: str) -> dict[str, object]:
    row = {"T": AT, "s": "BTCUSDT", "S": "Buy", "v": size, "p": price, "i": "t1", "BT": False}
    return {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": AT, "data": [row]}


@pytest.mark.parametrize("make", [forced, trade])
@pytest.mark.parametrize(
    ("price", "size"), [("60000", "200000"), ("1e15", "0.001"), ("1e-20", "1")]
)
def test_an_order_of_ten_billion_dollars_or_a_price_of_no_market_is_rejected(
    make: object, price: str, size: str
) -> None:
    channel = "liquidation" if make is forced else "trade"
    (found,) = outcomes("bybit", channel, make(price, size))  # type: ignore[operator]
    assert isinstance(found, Rejected)
    assert found.reason == "out_of_range"


def test_the_largest_order_that_may_be_is_kept() -> None:
    (found,) = outcomes("bybit", "liquidation", forced("60000", "166666"))
    assert not isinstance(found, Rejected)


@pytest.mark.parametrize(
    ("field", "value"),
    [("markPrice", "1e13"), ("openInterest", "9e17"), ("fundingRate", "3.5")],
)
def test_a_ticker_that_no_contract_has_is_rejected(field: str, value: str) -> None:
    data = {"symbol": "BTCUSDT", "markPrice": "60000", field: value}
    message = {"topic": "tickers.BTCUSDT", "type": "delta", "ts": AT, "cs": 1, "data": data}
    (found,) = outcomes("bybit", "ticker", message)
    assert isinstance(found, Rejected)
    assert found.reason == "out_of_range"


def test_a_book_of_a_trillion_dollars_is_rejected() -> None:
    data = {"s": "BTCUSDT", "b": [["60000", "1e9"]], "a": [["60001", "1"]], "u": 1, "seq": 1}
    message = {"topic": "orderbook.50.BTCUSDT", "type": "snapshot", "ts": AT, "cts": AT}
    (found,) = outcomes("bybit", "book", {**message, "data": data})
    assert isinstance(found, Rejected)
    assert found.reason == "out_of_range"
