"""Gate tickers are partial and books are in coins, whatever the contract."""

from typing import Any

import pytest

from streams.core.events import Book, Rejected, Ticker
from tests.outcomes import reasons, sole
from tests.unit.test_gate import NOW_US, read, update


def ticker_row(**changes: Any) -> dict[str, Any]:
    prices = {"last": "62000.1", "mark_price": "62001", "index_price": "62003"}
    funding = {"funding_rate": "0.0001", "funding_rate_indicative": "0.0002"}
    held = {"total_size": "530000000", "volume_24h": "90000000", "quanto_base_rate": ""}
    return {"contract": "BTC_USDT", **prices, **funding, **held, **changes}


def the_ticker(message: object, venue: str = "gate") -> Ticker:
    return sole(Ticker, read(message, venue))


def the_book(message: object, venue: str = "gate") -> Book:
    return sole(Book, read(message, venue))


@pytest.mark.parametrize("result", [ticker_row(), [ticker_row()], [[ticker_row()]]])
def test_a_ticker_is_read_in_every_shape(result: Any) -> None:
    event = the_ticker(update("futures.tickers", result))
    assert (event.mark_price, event.index_price, event.last_price) == (62001.0, 62003.0, 62000.1)
    assert (event.open_interest_base, event.open_interest_usd) == (53_000.0, None)
    assert (event.funding_rate, event.next_funding_us, event.funding_interval_s) == (
        *(0.0001, None),
        None,
    )
    assert event.event_time_us == 1_790_000_000_600_000


def test_a_ticker_without_milliseconds_takes_the_second() -> None:
    message = update("futures.tickers", [ticker_row()])
    del message["time_ms"]
    assert the_ticker(message).event_time_us == 1_790_000_000_000_000


def test_inverse_open_interest_is_dollars() -> None:
    row = ticker_row(contract="BTC_USD", total_size="7850576")
    event = the_ticker(update("futures.tickers", [row]))
    assert (event.open_interest_base, event.open_interest_usd) == (None, 7_850_576_000_000)


def test_a_bad_ticker_costs_its_neighbours_nothing() -> None:
    rows = [
        ticker_row(),
        ticker_row(mark_price="0"),
        ticker_row(total_size="-1"),
        ticker_row(funding_rate="NaN"),
        ticker_row(contract="NEW_USDT"),
        {"contract": "BTC_USDT", "volume_24h": "5"},
        ticker_row(),
    ]
    assert reasons(read(update("futures.tickers", rows))) == [
        *("event", "not_positive", "not_positive", "not_finite"),
        *("unknown_instrument", "empty", "event"),
    ]


def test_a_polled_contract_tells_when_funding_is_due_and_how_often() -> None:
    row = {
        "name": "BTC_USDT",
        "type": "direct",
        "quanto_multiplier": "0.0001",
        "mark_price": "73089.9",
        "index_price": "73115.73",
        "last_price": "73090",
        "funding_rate": "-0.000071",
        "funding_next_apply": 1790006400,
        "funding_interval": 28800,
        "position_size": 318726417,
    }
    for message in ([row], row):
        event = the_ticker(message)
        assert (event.funding_rate, event.funding_interval_s) == (-0.000071, 28_800)
        assert event.next_funding_us == 1_790_006_400_000_000
        assert event.open_interest_base == pytest.approx(31_872.6417)
        assert (event.mark_price, event.last_price) == (73089.9, 73090.0)
        assert event.event_time_us == NOW_US
    assert reasons(read([row | {"name": "NEW_USDT"}])) == ["unknown_instrument"]


def levels(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"p": price, "s": size} for price, size in pairs]


def test_a_full_futures_book_is_in_coins() -> None:
    asks, bids = levels(("62000.2", 5000)), levels(("62000.1", "7000"), ("61999", 10))
    row = {"t": 1790000000598, "id": 88, "contract": "BTC_USDT", "asks": asks, "bids": bids}
    event = the_book(update("futures.order_book", row, "all"))
    assert event.asks == ((62000.2, 0.5),)
    assert [price for price, _ in event.bids] == [62000.1, 61999.0]
    assert [coins for _, coins in event.bids] == pytest.approx([0.7, 0.001])
    assert event.event_time_us == 1_790_000_000_598_000
    inverse = {**row, "contract": "BTC_USD", "asks": levels(("50000", 5000)), "bids": bids}
    (outcome,) = read(update("futures.order_book", inverse, "all"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "crossed_book"


def test_an_update_is_a_book_only_where_it_is_full() -> None:
    row = {"t": 1790000000598, "s": "BTC_USDT", "U": 7, "u": 9}
    sides = {"b": levels(("62000.1", 1)), "a": levels(("62000.2", 2))}
    event = the_book(update("futures.order_book_update", {**row, **sides, "full": True}))
    assert (event.bids, event.asks) == (((62000.1, 0.0001),), ((62000.2, 0.0002),))
    for message in (
        update("futures.order_book_update", {**row, **sides}),
        update("futures.order_book_update", {**row, **sides, "full": False}),
        update("futures.order_book", [{"p": "5", "s": 1, "c": "BTC_USDT"}]),
    ):
        assert reasons(read(message)) == ["book_delta"]


def test_the_best_quote_is_a_book_of_one_level_when_it_has_two_sides() -> None:
    row = {"t": 1790000000598, "u": 26, "s": "BTC_USDT", "b": "62000.1", "B": 7000}
    both = {**row, "a": "62000.2", "A": 5000}
    event = the_book(update("futures.book_ticker", both))
    assert (event.bids, event.asks) == (((62000.1, 0.7000000000000001),), ((62000.2, 0.5),))
    assert reasons(read(update("futures.book_ticker", {**both, "a": "", "A": 0}))) == ["empty"]
    spot = the_book(update("spot.book_ticker", {**both, "B": "7", "A": "5"}), "gate-spot")
    assert (spot.venue, spot.bids) == ("gate-spot", ((62000.1, 7.0),))


def test_a_spot_book_and_ticker_are_of_the_pair() -> None:
    row = {"t": 1790000000123, "lastUpdateId": 48, "s": "BTC_USDT", "l": "5"}
    sides = {"bids": [["19079.55", "0.0195"]], "asks": [["19080.24", "0.1638"]]}
    event = the_book(update("spot.order_book", {**row, **sides}), "gate-spot")
    assert (event.contract, event.bids) == ("spot", ((19079.55, 0.0195),))
    last = the_ticker(
        update("spot.tickers", {"currency_pair": "BTC_USDC", "last": "62000.1"}), "gate-spot"
    )
    assert (last.asset, last.last_price, last.mark_price) == ("BTC", 62000.1, None)
    delta = update("spot.order_book_update", {"s": "BTC_USDT", "b": [], "a": []})
    assert reasons(read(delta, "gate-spot")) == ["book_delta"]
    unused = update("spot.candlesticks", {"t": 1})
    assert reasons(read(unused, "gate-spot")) == ["unused_channel"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"bids": [["1"]]}, "wrong_type"),
        ({"bids": [{"p": "1"}]}, "missing_field"),
        ({"bids": [{"p": "1", "s": 0}]}, "not_positive"),
        ({"bids": "x"}, "wrong_type"),
        ({"bids": []}, "empty"),
        ({"asks": [{"p": "0.5", "s": 1}]}, "crossed_book"),
        ({"contract": "NEW_USDT"}, "unknown_instrument"),
        ({"id": None}, "missing_field"),
    ],
)
def test_a_bad_book_is_rejected(change: dict[str, Any], reason: str) -> None:
    sides = {"asks": levels(("2", 1)), "bids": levels(("1", 1))}
    row = {"t": 1790000000598, "id": 8, "contract": "BTC_USDT", **sides, **change}
    assert reasons(read(update("futures.order_book", row, "all"))) == [reason]
    assert reasons(read(update("futures.order_book", [row], "all"))) == ["wrong_type"]
