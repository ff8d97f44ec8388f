"""What Binance tells of a contract's state: marks, funding, open interest, books."""

from typing import Any

import pytest

from streams.core.events import Book, Ignored, Rejected, Ticker
from tests.outcomes import sole
from tests.unit.test_binance import NOW_MS, NOW_US, RECEIVED_US, only, outcomes


def ticker(message: Any, venue: str = "binance-usdm") -> Ticker:
    return sole(Ticker, outcomes(message, venue))


def book(message: Any, venue: str = "binance-usdm", channel: str | None = None) -> Book:
    return sole(Book, outcomes(message, venue, channel))


def test_a_mark_price_carries_index_and_the_funding_due() -> None:
    message = {"e": "markPriceUpdate", "E": NOW_MS, "s": "BTCUSDT", "p": "61000", "i": "61003.5"}
    due = message | {"P": "61010", "r": "-0.00015", "T": NOW_MS + 3_600_000}
    event = ticker(due)
    assert (event.mark_price, event.index_price, event.funding_rate) == (61000, 61003.5, -0.00015)
    assert event.next_funding_us == NOW_US + 3_600_000_000
    assert event.event_time_us == NOW_US
    assert event.last_price is event.open_interest_base is event.open_interest_usd is None


def test_a_delivery_contract_has_no_funding() -> None:
    message = {"e": "markPriceUpdate", "E": NOW_MS, "s": "BTCUSDT_261225", "p": "61000"}
    for rate in ("", "0.00000000"):
        event = ticker(message | {"i": "0", "r": rate, "T": 0})
        assert event.funding_rate is event.next_funding_us is event.index_price is None


def test_an_array_of_mark_prices_gives_one_ticker_a_row_and_spares_the_neighbours() -> None:
    row = {"e": "markPriceUpdate", "E": NOW_MS, "s": "BTCUSDT", "p": "61000", "r": "", "T": 0}
    rows = [row, row | {"p": "NaN"}, 5, row | {"s": "1000PEPEUSDT", "p": "0.012"}]
    first, second, third, fourth = outcomes({"stream": "!markPrice@arr@1s", "data": rows})
    assert isinstance(first, Ticker)
    assert isinstance(second, Rejected)
    assert isinstance(third, Rejected)
    assert isinstance(fourth, Ticker)
    assert (second.reason, third.reason) == ("not_finite", "wrong_type")
    assert (fourth.asset, fourth.mark_price) == ("PEPE", 1.2e-05)


def test_the_day_ticker_gives_the_last_price() -> None:
    message = {"e": "24hrTicker", "E": NOW_MS, "s": "BTCUSDT", "p": "-88.1", "c": "61000.1"}
    assert ticker(message).last_price == 61000.1


def test_open_interest_is_coins_or_dollars_as_of_its_receipt() -> None:
    linear = ticker({"symbol": "BTCUSDT", "openInterest": "81234.5", "time": NOW_MS})
    assert (linear.open_interest_base, linear.open_interest_usd) == (81234.5, None)
    assert linear.event_time_us == RECEIVED_US
    inverse = ticker({"symbol": "BTCUSD_PERP", "pair": "BTCUSD", "openInterest": "500"})
    assert (inverse.venue, inverse.open_interest_usd) == ("binance-coinm", 50_000_000_000)
    assert inverse.open_interest_base is None
    thousand = ticker({"symbol": "1000PEPEUSDT", "openInterest": "5"})
    assert thousand.open_interest_base == 5000


def test_polled_premium_and_funding_interval_are_tickers() -> None:
    premium: dict[str, Any] = {"symbol": "BTCUSDT", "markPrice": "61000", "indexPrice": "61001"}
    premium |= {"lastFundingRate": "0.0001", "nextFundingTime": NOW_MS, "time": NOW_MS}
    event, interval = outcomes([premium, {"symbol": "BTCUSDT", "fundingIntervalHours": 4}])
    assert isinstance(event, Ticker)
    assert isinstance(interval, Ticker)
    assert (event.mark_price, event.funding_rate, event.event_time_us) == (
        61000,
        0.0001,
        RECEIVED_US,
    )
    assert interval.funding_interval_s == 14_400


DEPTH: dict[str, Any] = {
    "e": "depthUpdate",
    "E": NOW_MS + 2,
    "T": NOW_MS,
    "s": "BTCUSDT",
    "U": 1,
    "u": 9,
    "pu": 0,
}
DEPTH |= {"b": [["60999.9", "3.1"], ["60999.8", "1"]], "a": [["61000.0", "4.4"]]}


@pytest.mark.parametrize("stream", ["btcusdt@depth20@100ms", "btcusdt@depth5", "btcusdt@depth10"])
def test_partial_depth_is_a_full_book(stream: str) -> None:
    event = book({"stream": stream, "data": DEPTH})
    assert event.bids == ((60999.9, 3.1), (60999.8, 1.0))
    assert (event.asks, event.id, event.event_time_us) == (((61000.0, 4.4),), "9", NOW_US)


@pytest.mark.parametrize("stream", ["btcusdt@depth", "btcusdt@depth@100ms", "btcusdt@rpiDepth"])
def test_diff_depth_is_never_taken_for_a_book(stream: str) -> None:
    assert only({"stream": stream, "data": DEPTH}, channel="book") == Ignored("book_delta")


def test_bare_depth_is_a_book_only_on_the_channel_that_carries_nothing_else() -> None:
    assert book(DEPTH, channel="book").bids[0] == (60999.9, 3.1)
    assert only(DEPTH) == Ignored("book_delta")


def test_coin_margined_depth_is_turned_into_coins() -> None:
    depth = DEPTH | {"s": "BTCUSD_PERP", "b": [["50000", "10"]], "a": [["50001", "5"]]}
    event = book({"stream": "btcusd_perp@depth20", "data": depth}, "binance-coinm")
    assert event.bids == ((50000.0, 0.02),)


def test_best_quotes_and_snapshots_are_books() -> None:
    quote = {"u": 5, "s": "BTCUSDT", "b": "60999.9", "B": "3", "a": "61000", "A": "4"}
    assert book(quote | {"e": "bookTicker", "T": NOW_MS, "E": NOW_MS + 1}).event_time_us == NOW_US
    assert book(quote, "binance-spot").event_time_us == RECEIVED_US
    levels = {"lastUpdateId": 8, "bids": [["60999.9", "3"]], "asks": [["61000", "4"]]}
    spot = book({"stream": "btcusdt@depth20", "data": levels}, "binance-spot")
    assert (spot.symbol, spot.id, spot.venue) == ("BTCUSDT", "8", "binance-spot")
    assert book(levels | {"symbol": "BTCUSDT", "T": NOW_MS}).event_time_us == NOW_US
