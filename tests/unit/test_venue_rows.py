"""What the venue files share: rows of several events, sides, open interest, books, forced fills."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from streams.core.events import Ignored, Outcome, Raw, Rejected, Ticker
from streams.core.instruments import Instrument
from streams.venues.fields import (
    BadField,
    Row,
    array,
    as_decimal,
    id_text,
    integer,
    nested,
    quick_float,
    text,
)
from streams.venues.quotes import book, interest, read_ticker, ticker
from streams.venues.rows import (
    PLAIN_SIDES,
    all_of_each,
    each_row,
    keyed_ladder,
    ladder,
    order_side,
    taker_side,
)
from streams.venues.tape import REPLAY_US, forced_with_id, replayed

NOW_US = 1_790_000_001_000_000
RAW = Raw("venue", None, "c0", NOW_US, b"{}")
LINEAR = Instrument("venue", "BTCUSD", "BTC", "USD", "linear", "base")
THOUSANDS = Instrument(
    "venue", "kPEPE", "PEPE", "USD", "linear", "contracts", Decimal(10), coins_per_unit=1000
)
INVERSE = Instrument("venue", "XBTUSD", "BTC", "USD", "inverse", "contracts", Decimal(100))


def reason(error: pytest.ExceptionInfo[BadField]) -> str:
    return error.value.outcome.reason


def test_a_row_may_hold_several_events_and_a_bad_row_costs_its_neighbours_nothing() -> None:
    def read(row: Row) -> list[Outcome]:
        word = text(row, "word")
        return [Rejected("too_deep", word), Rejected("too_deep", word)]

    rows: list[object] = [{"word": "a"}, {}, 5, {"word": "b"}]
    found = all_of_each(rows, read)
    assert [getattr(one, "detail", "")[:1] for one in found] == ["a", "a", "f", "a", "b", "b"]
    assert [getattr(one, "reason", "") for one in found][2:4] == ["missing_field", "wrong_type"]
    assert all_of_each([], read) == each_row([], lambda row: Ignored("empty")) == [Ignored("empty")]


@pytest.mark.parametrize("written", ["1_000", " 5 ", "5\n", "\u0661\u0662", "\uff11", "1 0"])
def test_only_what_a_venue_writes_is_a_number(written: str) -> None:
    assert quick_float(written) is None
    for read in (
        lambda: as_decimal(written, "p"),
        lambda: integer({"n": written}, "n"),
        lambda: ladder([[written, "1"]], LINEAR, "bids"),
        lambda: ladder([["1", written]], LINEAR, "bids"),
    ):
        with pytest.raises(BadField) as caught:
            read()
        assert reason(caught) == "wrong_type"


def test_an_id_of_digits_is_the_same_as_text_and_as_a_number() -> None:
    assert id_text({"i": 7}, "i") == id_text({"i": "7"}, "i") == "7"
    for odd in (True, 7.0, -7, 10**18, [7], None, ""):
        with pytest.raises(BadField):
            id_text({"i": odd}, "i")


def test_a_side_is_one_of_the_venues_words() -> None:
    assert order_side({"s": "sell"}, "s", PLAIN_SIDES) == "sell"
    for row, expected in (({"s": "Sell"}, "unknown_side"), ({"s": 1}, "wrong_type")):
        with pytest.raises(BadField) as error:
            order_side(row, "s", PLAIN_SIDES)
        assert reason(error) == expected


def test_any_other_word_for_a_takers_side_is_unknown_and_no_word_is_none() -> None:
    words = ("buy", "sell", "Sell", "unknown")
    sides = [taker_side({"s": word}, "s", PLAIN_SIDES) for word in words]
    assert sides == ["buy", "sell", "unknown", "unknown"]
    for value, expected in ((None, "missing_field"), ("", "missing_field"), (1, "wrong_type")):
        with pytest.raises(BadField) as error:
            taker_side({"s": value}, "s", PLAIN_SIDES)
        assert reason(error) == expected


@pytest.mark.parametrize("read", [nested, array])
@pytest.mark.parametrize(("value", "expected"), [(None, "missing_field"), ("x", "wrong_type")])
def test_a_container_of_another_kind_is_named(read: Any, value: object, expected: str) -> None:
    with pytest.raises(BadField) as error:
        read({"data": value}, "data")
    assert reason(error) == expected
    assert nested({"data": {"a": 1}}, "data") == {"a": 1}
    assert array({"data": [1]}, "data") == [1]


def test_open_interest_is_coins_or_the_dollars_of_inverse_contracts() -> None:
    assert interest(LINEAR, Decimal("2100.5")) == (2100.5, None)
    assert interest(THOUSANDS, Decimal(3)) == (30_000.0, None)
    assert interest(INVERSE, Decimal(7)) == (None, 700_000_000)


def test_levels_that_are_objects_are_read_by_their_keys() -> None:
    levels = [{"px": "2.0", "sz": "3", "n": 1}, {"px": "1.0", "sz": "4"}]
    assert keyed_ladder(levels, LINEAR, "bids", "px", "sz") == ((2.0, 3.0), (1.0, 4.0))
    for wrong, expected in (
        ({}, "wrong_type"),
        ([["2.0", "3"]], "wrong_type"),
        ([{"px": "2.0"}], "missing_field"),
        ([{"px": "2.0", "sz": "0"}], "not_positive"),
    ):
        with pytest.raises(BadField) as error:
            keyed_ladder(wrong, LINEAR, "bids", "px", "sz")
        assert reason(error) == expected


def test_a_ticker_leaves_open_what_it_was_not_told() -> None:
    event = ticker(RAW, LINEAR, "mark", 5, mark=1.5, funding=(0.1, 9))
    assert (event.mark_price, event.funding_rate, event.next_funding_us) == (1.5, 0.1, 9)
    assert (event.index_price, event.open_interest_base, event.funding_interval_s) == (None,) * 3
    assert event.id != ticker(RAW, LINEAR, "last", 5, mark=1.5, funding=(0.1, 9)).id


def test_a_ticker_of_named_fields_is_empty_without_any_value() -> None:
    def read(
        row: Row, rate: float | None = None, due: int | None = None, cycle: int | None = None
    ) -> Ticker | Ignored:
        named = partial(read_ticker, mark="m", index="i", held="o", last="l")
        return named(RAW, INVERSE, "t", 5, row, funding=(rate, due), interval_s=cycle)

    assert read({"x": 5, "i": 0, "l": "0"}) == Ignored("empty")
    told = read({"m": "2", "i": 0, "o": 3, "l": "2.5"})
    assert isinstance(told, Ticker)
    assert (told.mark_price, told.index_price, told.last_price) == (2.0, None, 2.5)
    assert (told.open_interest_usd, told.funding_interval_s) == (300_000_000, None)
    assert isinstance(read({}, rate=0.0), Ticker)
    assert isinstance(read({}, due=9), Ticker)
    cycle = read({}, cycle=60)
    assert isinstance(cycle, Ticker)
    assert (cycle.funding_rate, cycle.funding_interval_s) == (None, 60)
    bare = read_ticker(RAW, INVERSE, "t", 5, {"": 7, "l": 2}, mark="m", index="i")
    assert bare == Ignored("empty")


def test_a_book_is_its_instruments() -> None:
    event = book(RAW, LINEAR, ((1.0, 2.0),), ((1.5, 2.0),), 5, "7")
    assert (event.symbol, event.asset, event.id, event.event_time_us) == ("BTCUSD", "BTC", "7", 5)


def test_a_forced_fill_is_exact_and_named_by_trade_and_side() -> None:
    size, price = Decimal("0.05"), Decimal("61900.123457")
    sold = forced_with_id(RAW, LINEAR, "sell", size, price, 5, "all", "t1")
    bought = forced_with_id(RAW, LINEAR, "buy", size, price, 5, "all", "t1", "adl")
    # 0.05 x 61,900.123457 = 3,095.00617285 dollars, half-even to 3,095,006,173 micro-dollars.
    assert (sold.position_side, sold.usd, sold.base_qty) == ("long", 3_095_006_173, 0.05)
    assert (bought.position_side, bought.kind, bought.price_kind) == ("short", "adl", "fill")
    assert sold.kind == "liquidation"
    again = forced_with_id(RAW, LINEAR, "sell", size, price, 5, "all", "t1")
    assert again.id == sold.id != bought.id


def test_a_row_of_ten_minutes_ago_is_an_old_one_sent_again() -> None:
    assert replayed(RAW, NOW_US - REPLAY_US - 1)
    assert not replayed(RAW, NOW_US - REPLAY_US)
