"""Laws of the print that hold for any input: checked against a count over the bare events."""

from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.detectors.prints.detector import (
    advance,
    hot,
    new_state,
    page_names,
    restore,
    sealed_pages,
)
from streams.core.events import MICROS
from streams.core.frames import Cell
from streams.core.results import Print
from tests.print_facts import (
    BEGIN,
    DAY,
    LAWS,
    META,
    PARAMS,
    Rows,
    Second,
    check_totals,
    facts,
    feed_in,
    in_window,
    inputs,
    run,
)


@given(inputs())
@LAWS
def test_rolling_rows_equal_a_count_over_the_events_of_their_24_hours(
    seconds: list[Second],
) -> None:
    known = facts(seconds)
    _, rows = run(seconds)
    for row in rows:
        if isinstance(row, Print) and row.kind == "rolling_24h":
            now = row.as_of // MICROS
            check_totals(row, in_window(known, now), (now - DAY + 1) // 60)


@given(
    st.lists(st.tuples(st.integers(1, 1_500), st.integers(1, 9)), min_size=8, max_size=30),
)
@settings(LAWS, max_examples=40)
def test_the_busiest_hour_is_right_while_a_long_flush_enters_and_leaves_the_window(
    orders: list[tuple[int, int]],
) -> None:
    at, seconds = BEGIN, []
    for gap, usd in orders:
        at += gap
        one = Cell("bybit", "A", "long", "liquidation", "all", 1, usd, usd)
        seconds.append(Second(at, (one,), (), None, 1.0))
    state, rows = run(seconds)
    rows.extend(advance(state, at + DAY - 1, PARAMS, META))
    known = facts(seconds)
    for row in rows:
        if isinstance(row, Print) and row.kind == "rolling_24h":
            now = row.as_of // MICROS
            check_totals(row, in_window(known, now), (now - DAY + 1) // 60)


@given(inputs())
@LAWS
def test_day_rows_equal_a_count_over_the_events_of_their_day(seconds: list[Second]) -> None:
    known = facts(seconds)
    _, rows = run(seconds)
    for row in rows:
        if isinstance(row, Print) and row.kind == "utc_day":
            begun, now = row.period_start // MICROS, row.as_of // MICROS
            inside = [fact for fact in known if begun <= fact.at <= fact.known <= now < begun + DAY]
            check_totals(row, inside, begun // 60)


@given(inputs(), st.lists(st.integers(0, 5 * DAY), max_size=6))
@LAWS
def test_the_rolling_total_is_right_at_every_second_published_or_not(
    seconds: list[Second], more: list[int]
) -> None:
    known = facts(seconds)
    edges = {fact.at + DAY + shift for fact in known for shift in (-1, 0)}
    nexts = iter(seconds)
    state, following = new_state("ALL"), next(nexts, None)
    for now in sorted({*edges, *(BEGIN + ahead for ahead in more), *(s.at for s in seconds)}):
        while following is not None and following.at <= now:
            feed_in(state, following)
            following = next(nexts, None)
        advance(state, now, PARAMS, META)
        total = sum(fact.usd for fact in in_window(known, now))
        assert state.windows[""].totals.usd == total
        assert sum(state.usd_by_venue.values()) == total


@given(inputs(), st.lists(st.integers(0, 5 * DAY), max_size=8))
@LAWS
def test_an_empty_second_passed_or_skipped_changes_no_byte(
    seconds: list[Second], more: list[int]
) -> None:
    ends = {one.at + length for one in seconds for length in (1, 59, 60, DAY - 1, DAY)}
    ends |= {one.at // 60 * 60 + 60 for one in seconds} | {BEGIN + ahead for ahead in more}
    padded: list[Second] = []
    for one, following in pairwise([*seconds, None]):
        assert one is not None
        until = one.at + 2 * DAY if following is None else following.at
        padded.append(one)
        padded.extend(
            Second(at, (), (), one.oi_usd, one.coverage)
            for at in sorted(ends)
            if one.at < at < until
        )
    passed, rows = run(padded)
    skipped, fewer = run(seconds)
    fewer.extend(advance(skipped, padded[-1].at, PARAMS, META))
    assert msgspec.json.encode(rows) == msgspec.json.encode(fewer)
    assert msgspec.msgpack.encode(passed) == msgspec.msgpack.encode(skipped)


@given(inputs())
@LAWS
def test_a_state_restored_after_any_step_is_the_state(seconds: list[Second]) -> None:
    state, stored = new_state("ALL"), dict[str, bytes]()
    whole, rows = run(seconds)
    again: Rows = []
    for one in seconds:
        again.extend(feed_in(state, one))
        fresh = sealed_pages(state, known=stored)
        assert not fresh.keys() & stored.keys()
        stored.update(fresh)
        needed = {name: stored[name] for name in page_names(state)}
        assert needed == sealed_pages(state)
        restored = restore(hot(state), needed)
        assert restored == state
        assert msgspec.msgpack.encode(restored) == msgspec.msgpack.encode(state)
        state = restored
    assert state == whole
    assert again == rows


@given(inputs(), st.randoms(use_true_random=False))
@LAWS
def test_the_order_of_cells_inside_a_second_does_not_matter(
    seconds: list[Second], chance: object
) -> None:
    shuffle = chance.shuffle  # type: ignore[attr-defined]
    mixed = []
    for one in seconds:
        some, late = list(one.cells), list(one.late)
        shuffle(some)
        shuffle(late)
        mixed.append(Second(one.at, tuple(some), tuple(late), one.oi_usd, one.coverage))
    state, rows = run(seconds)
    other, again = run(mixed)
    assert msgspec.json.encode(rows) == msgspec.json.encode(again)
    assert msgspec.msgpack.encode(state) == msgspec.msgpack.encode(other)
