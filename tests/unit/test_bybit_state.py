"""Bybit tickers are partial and books are in coins, whatever the contract."""

from typing import Any

import pytest

from streams.core.events import (
    Book,
    Raw,
    Ticker,
)
from streams.venues import bybit
from tests.outcomes import encoded, reasons, sole
from tests.unit.test_bybit import INSTRUMENTS, read, ticker


def book(**changes: Any) -> dict[str, Any]:
    data = {"s": "BTCUSDT", "b": [["62000.0", "3.1"]], "a": [["62000.1", "1.0"]], "u": 19, "seq": 8}
    message = {"topic": "orderbook.50.BTCUSDT", "type": "snapshot", "ts": 1790000000900}
    return {**message, "cts": 1790000000898, "data": {**data, **changes}}


def the_ticker(message: object, venue: str = "bybit") -> Ticker:
    return sole(Ticker, read(message, venue))


def test_a_linear_snapshot_gives_the_whole_ticker() -> None:
    event = the_ticker(
        ticker(
            "BTCUSDT",
            "snapshot",
            lastPrice="62000.10",
            markPrice="62001.00",
            indexPrice="62003.00",
            openInterest="110000.5",
            singleOpenInterest="55000.25",
            nextFundingTime="1790006400000",
            fundingRate="-0.0001",
            fundingIntervalHour="8",
        )
    )
    assert (event.last_price, event.mark_price, event.index_price) == (62000.1, 62001.0, 62003.0)
    assert (event.open_interest_base, event.open_interest_usd) == (55000.25, None)
    assert (event.funding_rate, event.funding_interval_s) == (-0.0001, 28_800)
    assert event.next_funding_us == 1_790_006_400_000_000
    assert event.event_time_us == 1_790_000_000_800_000


def test_a_delta_leaves_absent_values_unchanged() -> None:
    event = the_ticker(ticker("BTCUSDT", markPrice="62001.10"))
    assert event.mark_price == 62001.1
    assert (event.last_price, event.index_price, event.open_interest_base) == (None, None, None)
    assert (event.funding_rate, event.next_funding_us, event.funding_interval_s) == (None,) * 3


def test_inverse_open_interest_is_dollars() -> None:
    event = the_ticker(ticker("BTCUSD", openInterest="449736676"))
    assert (event.open_interest_usd, event.open_interest_base) == (224_868_338_000_000, None)


def test_open_interest_does_not_step_where_the_figure_of_one_side_appears() -> None:
    before = the_ticker(ticker("BTCUSDT", openInterest="110000.5"))
    held = {"openInterest": "110000.5", "singleOpenInterest": "55000.25"}
    assert the_ticker(ticker("BTCUSDT", **held)).open_interest_base == before.open_interest_base


def test_how_many_sides_open_interest_counts_can_be_said() -> None:
    payload = encoded(ticker("BTCUSDT", openInterest="110000.5"))
    raw = Raw("bybit", None, "c", 1_790_000_001_000_000, payload)
    event = sole(Ticker, bybit.parse(raw, INSTRUMENTS, interest_sides=1))
    assert event.open_interest_base == 110000.5


def test_empty_strings_and_an_index_of_zero_are_unknown_not_zero() -> None:
    event = the_ticker(
        ticker("BTCUSDU26", fundingRate="", nextFundingTime="", indexPrice="0", markPrice="5")
    )
    assert (event.funding_rate, event.next_funding_us, event.index_price) == (None, None, None)


def test_a_ticker_that_changes_nothing_we_use_is_ignored() -> None:
    assert reasons(read(ticker("BTCUSDT", bid1Price="1", ask1Price="2"))) == ["empty"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"markPrice": "0"}, "not_positive"),
        ({"markPrice": "nan"}, "not_finite"),
        ({"openInterest": "-1"}, "not_positive"),
        ({"fundingRate": {}}, "wrong_type"),
    ],
)
def test_a_ticker_with_a_bad_number_is_rejected(values: dict[str, Any], reason: str) -> None:
    assert reasons(read(ticker("BTCUSDT", **values))) == [reason]


def test_a_book_snapshot_keeps_every_level_and_the_engines_time() -> None:
    (event,) = read(book(b=[["62000.0", "3.1"], ["61999.5", "2"]]))
    assert isinstance(event, Book)
    assert event.bids == ((62000.0, 3.1), (61999.5, 2.0))
    assert event.asks == ((62000.1, 1.0),)
    assert event.event_time_us == 1_790_000_000_898_000


def test_book_quantities_are_coins_for_inverse_and_thousands() -> None:
    (inverse,) = read(book(s="BTCUSD", b=[["50000", "5000"]], a=[["50001", "1"]]))
    (pepe,) = read(book(s="1000PEPEUSDT", b=[["0.01", "7"]], a=[["0.02", 8]]))
    assert isinstance(inverse, Book)
    assert isinstance(pepe, Book)
    assert inverse.bids == ((50000.0, 0.1),)
    assert pepe.bids == ((0.01 / 1000, 7000.0),)
    assert pepe.asks == ((0.02 / 1000, 8000.0),)


def test_a_book_delta_is_left_to_the_collector() -> None:
    assert reasons(read({**book(), "type": "delta"})) == ["book_delta"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"b": [["NaN", "1"]]}, "not_finite"),
        ({"b": [["1", "0"]]}, "not_positive"),
        ({"b": [["1"]]}, "missing_field"),
        ({"b": ["1"]}, "wrong_type"),
        ({"a": "x"}, "wrong_type"),
        ({"a": []}, "empty"),
        ({"a": [["61000", "1"]]}, "crossed_book"),
    ],
)
def test_a_bad_book_is_rejected(change: dict[str, Any], reason: str) -> None:
    assert reasons(read(book(**change))) == [reason]
