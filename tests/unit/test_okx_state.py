"""OKX tickers are partial and books are in coins, whatever the contract."""

from typing import Any

import pytest

from streams.core.events import (
    Book,
    Ticker,
)
from tests.outcomes import reasons, sole
from tests.unit.test_okx import NOW_US, read


def pushed(channel: str, *rows: Any, symbol: str = "BTC-USDT-SWAP") -> dict[str, Any]:
    rows_ = [{"instId": symbol, **row} if isinstance(row, dict) else row for row in rows]
    return {"arg": {"channel": channel, "instId": symbol}, "data": rows_}


def the_ticker(message: object) -> Ticker:
    return sole(Ticker, read(message))


def test_open_interest_is_coins_and_dollars() -> None:
    row = {"oi": "2900000", "oiCcy": "29000", "oiUsd": "1798000000", "ts": "1790000000000"}
    event = the_ticker(pushed("open-interest", row))
    assert (event.open_interest_base, event.open_interest_usd) == (29000.0, 1_798_000_000_000_000)
    assert (event.mark_price, event.funding_rate) == (None, None)


def test_open_interest_in_contracts_alone_follows_from_the_contract_value() -> None:
    row = {"oi": "500", "ts": "1790000000000"}
    linear = the_ticker(pushed("open-interest", row))
    inverse = the_ticker(pushed("open-interest", row, symbol="BTC-USD-SWAP"))
    assert (linear.open_interest_base, linear.open_interest_usd) == (5.0, None)
    assert (inverse.open_interest_base, inverse.open_interest_usd) == (None, 50_000_000_000)


def test_funding_time_is_the_next_settlement_and_the_interval_follows() -> None:
    row = {
        "fundingRate": "-0.0001",
        "nextFundingRate": "",
        "fundingTime": "1790006400000",
        "nextFundingTime": "1790020800000",
        "ts": "1790000000000",
    }
    event = the_ticker(pushed("funding-rate", row))
    assert (event.funding_rate, event.funding_interval_s) == (-0.0001, 14_400)
    assert event.next_funding_us == 1_790_006_400_000_000


def test_a_funding_rate_without_a_stamp_takes_the_time_of_receipt() -> None:
    event = the_ticker(pushed("funding-rate", {"fundingTime": "1790006400000"}))
    assert event.event_time_us == NOW_US
    assert (event.funding_rate, event.funding_interval_s) == (None, None)


def test_mark_and_last_prices_are_partial_tickers() -> None:
    mark = the_ticker(pushed("mark-price", {"markPx": "62001.0", "ts": "1790000000500"}))
    last = the_ticker(pushed("tickers", {"last": "62000.1", "ts": "1790000000500"}))
    assert (mark.mark_price, mark.last_price, mark.symbol) == (62001.0, None, "BTC-USDT-SWAP")
    assert (last.mark_price, last.last_price) == (None, 62000.1)
    assert mark.id != last.id


def test_an_index_price_belongs_to_the_index_name() -> None:
    row = {"idxPx": "62003.0", "open24h": "1", "ts": "1790000000500"}
    event = the_ticker(pushed("index-tickers", row, symbol="BTC-USD"))
    assert (event.symbol, event.asset, event.contract) == ("BTC-USD", "BTC", "spot")
    assert (event.index_price, event.mark_price, event.last_price) == (62003.0, None, None)


@pytest.mark.parametrize(
    ("channel", "row", "reason"),
    [
        ("tickers", {"last": "", "ts": "1790000000500"}, "empty"),
        ("tickers", {"ts": "1790000000500"}, "missing_field"),
        ("mark-price", {"markPx": "0"}, "not_positive"),
        ("mark-price", {"markPx": "inf"}, "not_finite"),
        ("open-interest", {"oi": "-1"}, "not_positive"),
        ("open-interest", {"oi": "1", "oiUsd": "1e17"}, "not_finite"),
        ("funding-rate", {"fundingTime": "x"}, "wrong_type"),
    ],
)
def test_a_ticker_without_a_good_value_says_why(
    channel: str, row: dict[str, Any], reason: str
) -> None:
    assert reasons(read(pushed(channel, row))) == [reason]


def levels(**changes: Any) -> dict[str, Any]:
    row = {"asks": [["62000.2", "50", "0", "4"]], "bids": [["62000.1", "80", "0", "6"]]}
    return {**row, "ts": "1790000000500", "seqId": 555, **changes}


@pytest.mark.parametrize("channel", ["books", "books5", "bbo-tbt", "books-l2-tbt"])
def test_a_book_snapshot_is_in_coins(channel: str) -> None:
    (event,) = read({**pushed(channel, levels()), "action": "snapshot"})
    assert isinstance(event, Book)
    assert (event.bids, event.asks) == (((62000.1, 0.8),), ((62000.2, 0.5),))
    assert event.event_time_us == 1_790_000_000_500_000


def test_a_book_row_may_leave_the_name_to_arg_and_inverse_sizes_divide_by_price() -> None:
    row = levels(bids=[["50000", "8", "0", "6"]], asks=[["50001", "1", "0", "1"]])
    arg = {"channel": "books5", "instId": "BTC-USD-SWAP"}
    (event,) = read({"arg": arg, "data": [row]})
    assert isinstance(event, Book)
    assert event.bids == ((50000.0, 0.016),)


def test_a_book_update_is_left_to_the_collector() -> None:
    assert reasons(read({**pushed("books", levels(bids=[])), "action": "update"})) == ["book_delta"]
