"""Whole days of the print, their ranks and milestones, and its stored state."""

from collections.abc import Sequence

import msgspec
import pytest

from streams.core.detectors.prints.detector import (
    PrintParams,
    PrintState,
    advance,
    hot,
    new_state,
    page_names,
    restore,
    sealed_pages,
)
from streams.core.detectors.prints.milestones import headline
from streams.core.events import MICROS
from streams.core.results import Print
from tests.print_feed import (
    DAY,
    HOUR,
    META,
    MIDNIGHT,
    MILLION,
    PARAMS,
    Rows,
    cell,
    feed_in,
    late_cell,
    milestones,
    prints,
)


def days_of(state: PrintState, totals: Sequence[int], first: int = MIDNIGHT) -> Rows:
    rows = Rows()
    for number, usd in enumerate(totals):
        rows += feed_in(state, first + number * DAY)
        rows += feed_in(state, first + number * DAY + 600, [cell(usd)])
    return rows


def test_a_total_is_ranked_among_30_or_more_whole_days() -> None:
    state = new_state("BTC")
    rows = days_of(state, range(1, 32))
    (before,) = prints(rows)[-1:]
    assert (before.n_days, before.percentile_365d) == (30, 1.0)
    rows = days_of(state, [15], MIDNIGHT + 31 * DAY)
    (row,) = prints(rows)[-1:]
    assert row.n_days == 31
    assert row.percentile_365d == (14 + 0.5) / 31
    unfinished = prints(rows, "utc_day")[-1]
    assert unfinished.null_reasons["percentile_365d"] == "day_not_over"
    ended = prints(advance(state, MIDNIGHT + 33 * DAY, PARAMS, META), "utc_day")[0]
    assert (ended.is_final, ended.percentile_365d) == (True, row.percentile_365d)


def test_fewer_days_give_no_percentile() -> None:
    state = new_state("BTC")
    row = prints(days_of(state, range(1, 31)))[-1]
    assert (row.n_days, row.percentile_365d) == (29, None)
    assert row.null_reasons["percentile_365d"] == "fewer_than_30_days"


def test_days_mostly_unseen_are_not_compared_with() -> None:
    state = new_state("BTC")
    days_of(state, [5, 5])
    feed_in(state, MIDNIGHT + 2 * DAY + 8 * HOUR, coverage=0.0)
    feed_in(state, MIDNIGHT + 6 * DAY)
    row = prints(days_of(state, [5], MIDNIGHT + 7 * DAY))[-1]
    assert row.n_days == 3


def test_history_starts_anew_when_a_venue_joins_or_a_feed_changes_its_meaning() -> None:
    state = new_state("ALL")
    days_of(state, [5] * 3)
    apart = MIDNIGHT + 3 * DAY
    feed_in(state, apart - 1, venues=("bybit", "deribit"))
    rows = feed_in(state, apart + DAY + 1, [cell(5)], venues=("bybit", "deribit"))
    assert prints(rows)[-1].n_days == 1
    assert prints(rows)[-1].basket == "bybit:full+deribit:full"
    assert prints(rows, venue="bybit")[-1].n_days == 3
    broken = new_state("ALL")
    gate_break = 1_787_184_000
    for number in range(-3, 2):
        rows = feed_in(broken, gate_break + number * DAY, [cell(5, venue="gate")], venues=("gate",))
    assert prints(rows)[-1].basket == "gate:full"
    assert prints(rows)[-1].n_days == 1
    assert prints(rows, venue="gate")[-1].n_days == 1


def test_a_milestone_fires_once_and_again_after_a_fall_below_80_percent() -> None:
    state = new_state("ALL")
    first = milestones(feed_in(state, MIDNIGHT, [cell(101 * MILLION)]))
    assert [(row.basis, row.threshold_usd) for row in first] == [
        ("observed", 100 * MILLION),
        ("estimated", 100 * MILLION),
    ]
    assert first[0].id != first[1].id
    assert first[0].text == "$100M liquidated in 24 h"
    assert first[0].null_reasons["probability"] == "uncalibrated"
    assert first[0].since_previous_s is None
    again = feed_in(state, MIDNIGHT + DAY - 5, [cell(85 * MILLION)])
    again += feed_in(state, MIDNIGHT + DAY + 5, [cell(30 * MILLION)])
    assert milestones(again) == []
    feed_in(state, MIDNIGHT + 2 * DAY + 5)
    once_more = milestones(feed_in(state, MIDNIGHT + 2 * DAY + 6, [cell(100 * MILLION)]))
    assert [row.since_previous_s for row in once_more] == [2 * DAY + 6.0] * 2


def test_a_jump_crosses_every_sum_on_its_way() -> None:
    rows = milestones(feed_in(new_state("BTC"), MIDNIGHT, [cell(420 * MILLION)]))
    observed = [row.threshold_usd // MILLION for row in rows if row.basis == "observed"]
    assert observed == [100, 250, 400]
    assert rows[2].text == "BTC: $400M liquidated in 24 h"


def test_the_estimate_crosses_a_sum_before_the_published_dollars_do() -> None:
    state, rows = new_state("BTC"), Rows()
    for second in range(30):
        rows += feed_in(state, MIDNIGHT + second, [cell(32 * 10**5 * MICROS, venue="bitget")])
    (row,) = milestones(rows)
    assert (row.basis, row.threshold_usd) == ("estimated", 100 * MILLION)
    assert row.usd_observed < row.threshold_usd
    assert row.usd_estimated is not None
    assert row.usd_estimated >= row.threshold_usd


def test_a_late_order_neither_fires_nor_holds_a_milestone() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT, [cell(60 * MILLION)])
    assert milestones(feed_in(state, MIDNIGHT + 9, (), [late_cell(MIDNIGHT, 90 * MILLION)])) == []
    (row, _) = milestones(feed_in(state, MIDNIGHT + 10, [cell(40 * MILLION)]))
    assert row.usd_observed == 190 * MILLION


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.91, "91st"), (0.12, "12th"), (0.02, "2nd"), (0.83, "83rd"), (0.29, "29th"), (1.0, "100th")],
)
def test_a_headline_names_the_percentile_of_the_day(share: float, words: str) -> None:
    text = headline("ALL", "observed", 2_000 * MILLION, share)
    assert text == f"$2B liquidated in 24 h ({words} percentile day)"


def test_a_second_already_applied_changes_nothing() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT, [cell(5)])
    before = msgspec.msgpack.encode(state)
    assert feed_in(state, MIDNIGHT, [cell(5)]) == []
    assert feed_in(state, MIDNIGHT - 1, [cell(5)]) == []
    assert msgspec.msgpack.encode(state) == before


def test_a_year_without_input_leaves_only_what_ended() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT, [cell(5)])
    rows = feed_in(state, MIDNIGHT + 400 * DAY)
    assert [(row.kind, row.is_final) for row in rows if isinstance(row, Print)] == [
        ("rolling_24h", True),
        ("utc_day", True),
        ("rolling_24h", False),
        ("rolling_24h", True),
    ]
    assert state.pages == {}
    assert len(state.history.days) == 365


def test_an_hour_is_sealed_once_and_again_only_for_a_late_order() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT, [cell(5)])
    assert sealed_pages(state) == {}
    feed_in(state, MIDNIGHT + HOUR, [cell(5)])
    (name,) = page_names(state)
    page = sealed_pages(state)[name]
    feed_in(state, MIDNIGHT + 2 * HOUR, [cell(5)])
    assert sealed_pages(state)[name] == page
    feed_in(state, MIDNIGHT + 2 * HOUR + 1, (), [late_cell(MIDNIGHT + 5, 5)])
    assert name not in page_names(state)
    assert len(page_names(state)) == 2
    assert sealed_pages(state, known=set(page_names(state))) == {}


def test_restore_names_the_page_it_misses() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT, [cell(5)])
    feed_in(state, MIDNIGHT + HOUR)
    with pytest.raises(ValueError, match=f"state of BTC: page {page_names(state)[0]}"):
        restore(hot(state), {})


def test_an_interval_that_leaves_its_minute_is_refused() -> None:
    with pytest.raises(ValueError, match="emit_every_s=7 does not divide 60"):
        PrintParams(emit_every_s=7)
