"""HTX tickers are partial and its books are in coins, whatever the contract."""

from functools import partial
from typing import Any

import pytest

from streams.core.events import Book, Ticker
from streams.core.normalise import Parser
from streams.venues import htx
from tests.outcomes import reasons, sole
from tests.unit.test_htx import NOW_US, forced, pushed, read


def the_book(message: object) -> Book:
    return sole(Book, read(message))


def the_ticker(message: object, parse: Parser = htx.parse) -> Ticker:
    return sole(Ticker, read(message, parse))


def test_funding_is_due_at_the_end_of_the_period() -> None:
    row = {
        "symbol": "BTC",
        "contract_code": "BTC-USDT",
        "fee_asset": "USDT",
        "funding_time": "1790006400000",
        "funding_rate": "-0.0001",
        "estimated_rate": None,
        "settlement_time": "1790006400000",
    }
    event = the_ticker(forced(row, topic="public.*.funding_rate"))
    assert (event.funding_rate, event.next_funding_us) == (-0.0001, 1_790_006_400_000_000)
    assert (event.event_time_us, event.funding_interval_s) == (1_790_000_000_541_000, None)
    unset = {**row, "funding_rate": None}
    message = forced(unset, row, topic="public.BTC-USDT.funding_rate")
    assert reasons(read(message)) == ["missing_field", "event"]


@pytest.mark.parametrize(
    ("channel", "prices"),
    [
        ("mark_price.1min", (62001.5, None, None)),
        ("index.1min", (None, 62001.5, None)),
        ("detail", (None, None, 62001.5)),
    ],
)
def test_the_last_price_of_a_kline_is_what_it_says_now(
    channel: str, prices: tuple[float | None, ...]
) -> None:
    for written in ("62001.5", 62001.5):
        event = the_ticker(pushed(f"BTC-USDT.{channel}", id=1, open="5", close=written))
        assert (event.mark_price, event.index_price, event.last_price) == prices
        assert event.event_time_us == 1_790_000_000_600_000


@pytest.mark.parametrize(
    ("channel", "at_us"),
    [
        ("basis.1min.open", 1_789_999_980_000_000),
        ("basis.1min", 1_789_999_980_000_000),
        ("basis.1min.close", 1_790_000_000_600_000),
    ],
)
def test_a_basis_is_stamped_when_its_prices_stood(channel: str, at_us: int) -> None:
    tick = {"id": 1_789_999_980, "index_price": "62003.1", "contract_price": "62000", "basis": "1"}
    event = the_ticker(pushed(f"BTC-USDT.{channel}", **tick))
    assert (event.index_price, event.last_price, event.event_time_us) == (62003.1, 62000.0, at_us)
    assert reasons(read(pushed(f"BTC-USDT.{channel}", id=1_789_999_980))) == ["empty"]
    assert reasons(read(pushed("BTC-USDT.basis.1min.average", **tick))) == ["unused_channel"]


def test_polled_open_interest_counts_one_side_and_is_known_at_receipt() -> None:
    row = {
        "volume": 517_437,
        "amount": 517.437,
        "symbol": "BTC",
        "value": 1.0,
        "contract_code": "BTC-USDT",
        "trade_amount": 1,
        "trade_volume": 2,
    }
    polled = {"status": "ok", "data": [row, {**row, "contract_code": "BTC-USD"}], "ts": 5}
    linear, inverse = read(polled)
    assert isinstance(linear, Ticker)
    assert isinstance(inverse, Ticker)
    assert (linear.open_interest_base, linear.open_interest_usd) == (517.437, None)
    assert (inverse.open_interest_base, inverse.open_interest_usd) == (None, 51_743_700_000_000)
    assert linear.event_time_us == NOW_US
    doubled = partial(htx.parse, interest_sides=2)
    assert the_ticker({"data": [row]}, doubled).open_interest_base == 258.7185
    for name in ("trade_amount", "trade_volume"):
        del row[name]
    assert the_ticker({"data": [row]}) == linear
    unlisted = {**row, "contract_code": "FIL-USDT", "volume": 20, "amount": 2.0}
    assert the_ticker({"data": [unlisted]}, doubled).open_interest_base == 1.0


LEVELS = {"bids": [[62000.0, 500], [61999.5, 20]], "asks": [[62000.1, 300]]}


@pytest.mark.parametrize("kind", ["depth.step0", "depth.step6", "depth.size_20.high_freq"])
def test_an_unmerged_book_is_in_coins(kind: str) -> None:
    event = the_book(
        pushed(
            f"BTC-USDT.{kind}",
            mrid=1,
            id=1,
            ts=1_790_000_000_598,
            version=10,
            event="snapshot",
            **LEVELS,
        )
    )
    assert (event.bids, event.asks) == (((62000.0, 0.5), (61999.5, 0.02)), ((62000.1, 0.3),))
    assert event.event_time_us == 1_790_000_000_598_000


def test_a_coin_swaps_book_divides_by_price_and_the_outer_stamp_stands_in() -> None:
    event = the_book(pushed("BTC-USD.depth.step0", bids=[[50000, 10]], asks=[["50001", "1"]]))
    assert (event.bids, event.event_time_us) == (((50000.0, 0.02),), 1_790_000_000_600_000)


def test_the_best_quotes_are_a_book_of_one_level() -> None:
    tick = {"bid": [62000.0, 38], "ask": [62000.1, 300], "ts": 1_790_000_000_525, "version": 7}
    event = the_book(pushed("BTC-USDT.bbo", **tick))
    assert (event.bids, event.asks) == (((62000.0, 0.038),), ((62000.1, 0.3),))
    assert reasons(read(pushed("BTC-USDT.bbo", **{**tick, "ask": None}))) == ["empty"]


@pytest.mark.parametrize(
    ("kind", "tick", "reason"),
    [
        ("depth.step1", LEVELS, "unused_channel"),
        ("depth.step15", LEVELS, "unused_channel"),
        ("depth.size_20.high_freq", {**LEVELS, "event": "update"}, "book_delta"),
        ("depth.size_20.high_freq", {**LEVELS, "event": "reset"}, "unknown_message"),
        ("depth.size_20.high_freq", LEVELS, "missing_field"),
        ("depth.step0", {"bids": LEVELS["bids"]}, "empty"),
        ("depth.step0", {**LEVELS, "bids": {}}, "wrong_type"),
        ("depth.step0", {**LEVELS, "asks": [[1]]}, "missing_field"),
        ("depth.step0", {**LEVELS, "asks": [[61000.0, 1]]}, "crossed_book"),
        ("mark_price.1min", {"close": "0"}, "not_positive"),
        ("mark_price.1min", {}, "missing_field"),
        ("kline.1min", {"close": "1"}, "unused_channel"),
        ("premium_index.1min", {"close": "1"}, "unused_channel"),
        ("estimated_rate.1min", {"close": "1"}, "unused_channel"),
        ("weather", {}, "unknown_channel"),
        ("trade", {}, "unknown_channel"),
        ("trade.detail", {}, "missing_field"),
        ("trade.detail", {"data": {}}, "wrong_type"),
        ("trade.detail", {"data": []}, "empty"),
    ],
)
def test_a_market_message_without_an_event_says_why(
    kind: str, tick: dict[str, Any], reason: str
) -> None:
    assert reasons(read(pushed(f"BTC-USDT.{kind}", **tick))) == [reason]
