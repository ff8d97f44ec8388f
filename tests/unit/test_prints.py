"""What the print and its milestones promise, one case at a time."""

import pytest

from streams.core.detectors.prints.detector import (
    PrintParams,
    advance,
    new_state,
)
from streams.core.events import MICROS, PositionSide, stable_id
from streams.core.results import Print
from streams.core.throttle import ThrottleParams
from tests.print_feed import (
    DAY,
    HOUR,
    META,
    MIDNIGHT,
    PARAMS,
    Rows,
    cell,
    feed_in,
    late_cell,
    prints,
)


def test_an_order_counts_for_exactly_24_hours() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT + 7, [cell(5)])
    kept = advance(state, MIDNIGHT + 7 + DAY - 1, PARAMS, META)
    assert all(row.usd_observed == 5 for row in prints(kept))
    (gone,) = prints(advance(state, MIDNIGHT + 7 + DAY, PARAMS, META))
    assert gone.usd_observed == 0
    assert gone.watermark == gone.as_of == (MIDNIGHT + 7 + DAY) * MICROS
    assert gone.null_reasons["max_hour_share"] == "no_liquidations"


def test_one_row_per_minute_is_revised_each_second_and_then_final() -> None:
    state = new_state("BTC")
    rows = feed_in(state, MIDNIGHT + 61, [cell(5)])
    rows += feed_in(state, MIDNIGHT + 63, [cell(6)])
    rows += feed_in(state, MIDNIGHT + 3_000)
    first, second, final = prints(rows)
    assert first.id == second.id == final.id
    assert first.id == stable_id(
        "print", "rolling_24h", "BTC", None, (MIDNIGHT + 60) * MICROS, "print/1"
    )
    assert [row.revision for row in (first, second, final)] == [2, 4, 61]
    assert [row.is_final for row in (first, second, final)] == [False, False, True]
    assert [row.usd_observed for row in (first, second, final)] == [5, 11, 11]
    assert final.as_of == (MIDNIGHT + 119) * MICROS
    assert final.watermark == (MIDNIGHT + 120) * MICROS


def test_the_utc_day_starts_at_midnight_and_the_rolling_window_does_not() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT - 5, [cell(5)])
    rows = feed_in(state, MIDNIGHT + 5, [cell(7)])
    ended, begun = prints(rows, "utc_day")
    assert (ended.is_final, ended.usd_observed, ended.revision) == (True, 5, DAY + 1)
    assert ended.as_of == (MIDNIGHT - 1) * MICROS
    assert (begun.is_final, begun.usd_observed) == (False, 7)
    assert prints(rows)[-1].usd_observed == 12


def test_deleveraged_winners_are_not_liquidations_but_backstops_are() -> None:
    state = new_state("BTC")
    rows = feed_in(
        state,
        MIDNIGHT,
        [cell(5), cell(7, kind="backstop"), cell(100, kind="adl")],
    )
    (row,) = prints(rows)
    assert (row.usd_observed, row.events, row.largest_usd) == (12, 2, 7)
    assert feed_in(state, MIDNIGHT + 1, [cell(9, kind="adl")]) == []


def test_sides_venues_and_open_interest_stand_in_the_row() -> None:
    state = new_state("BTC")
    cells = [cell(30), cell(10, side="short"), cell(60, venue="deribit")]
    (row,) = prints(feed_in(state, MIDNIGHT, cells, oi_usd=1_000))
    assert (row.long_usd, row.short_usd, row.long_events, row.short_events) == (90, 10, 2, 1)
    assert row.usd_by_venue == {"bybit": 40, "deribit": 60}
    assert row.oi_share == 0.1
    assert (row.partition, row.engine, row.params_hash) == (3, "inprocess", "0123456789ab")
    (unknown,) = prints(feed_in(state, MIDNIGHT + 1, cells))
    assert unknown.oi_share is None
    assert unknown.null_reasons["oi_share"] == "no_open_interest"


def test_the_market_has_rows_by_venue_and_an_asset_only_on_request() -> None:
    both = [cell(30), cell(60, venue="deribit")]
    market = feed_in(new_state("ALL"), MIDNIGHT, both)
    (row,) = prints(market, venue="deribit")
    assert (row.usd_observed, row.usd_by_venue) == (60, {"deribit": 60})
    assert row.basket == "deribit:full"
    asset = feed_in(new_state("BTC"), MIDNIGHT, both)
    assert {item.venue for item in asset if isinstance(item, Print)} == {None}
    asked = PrintParams(venue_rows_of_assets=True)
    asset = feed_in(new_state("BTC"), MIDNIGHT, both, params=asked)
    assert len(prints(asset, venue="bybit")) == 1


def test_a_partial_feed_adds_its_published_dollars_as_a_floor_without_a_bound() -> None:
    state = new_state("ALL")
    rows = feed_in(state, MIDNIGHT, [cell(30), cell(5, venue="okx", taker_usd=70)])
    (row,) = prints(rows)
    assert (row.usd_observed, row.usd_estimated, row.usd_upper) == (35, 35, None)
    assert row.identifiability == "unknown"
    assert row.null_reasons["usd_upper"] == "partial_feed"
    assert "usd_estimated" not in row.null_reasons
    (full,) = prints(rows, venue="bybit")
    assert (full.usd_estimated, full.usd_upper, full.identifiability) == (30, 30, "ok")
    (after,) = prints(advance(state, MIDNIGHT + DAY, PARAMS, META))[-1:]
    assert (after.usd_estimated, after.usd_upper, after.identifiability) == (0, 0, "ok")


def test_a_partial_feed_leaves_the_estimate_open_when_the_parameters_say_so() -> None:
    state, strict = new_state("ALL"), ThrottleParams(partial="unknown")
    rows = feed_in(state, MIDNIGHT, [cell(30), cell(5, venue="okx")], throttle=strict)
    (row,) = prints(rows)
    assert (row.usd_observed, row.usd_estimated, row.usd_upper) == (35, None, None)
    assert row.null_reasons["usd_estimated"] == row.null_reasons["usd_upper"] == "partial_feed"
    late = [late_cell(MIDNIGHT + 9, 3, "okx")]
    (row,) = prints(feed_in(new_state("BTC"), MIDNIGHT + 10, (), late, throttle=strict))
    assert (row.usd_estimated, row.usd_upper, row.identifiability) == (None, None, "unknown")


@pytest.mark.parametrize("side", ["long", "short"])
def test_one_side_published_in_a_shared_slot_bounds_both(side: PositionSide) -> None:
    only = cell(10, venue="binance-usdm", side=side, taker_usd=100, opposite_taker_usd=40)
    (row,) = prints(feed_in(new_state("BTC"), MIDNIGHT, [only]))
    assert row.usd_upper == 140
    alone = cell(10, venue="bitget", side=side, taker_usd=100, opposite_taker_usd=40)
    (row,) = prints(feed_in(new_state("BTC"), MIDNIGHT, [alone]))
    assert row.usd_upper == 100
    unstated = cell(10, venue="binance-usdm", side=side, taker_usd=100)
    (row,) = prints(feed_in(new_state("BTC"), MIDNIGHT, [unstated]))
    assert (row.usd_upper, row.null_reasons["usd_upper"]) == (None, "no_trades")


def test_a_bound_leaves_the_window_with_its_own_second() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT, [cell(900, venue="bitget", taker_usd=1_000)])
    feed_in(state, MIDNIGHT + 1, [cell(1, venue="bitget", taker_usd=5_000)])
    rows = prints(advance(state, MIDNIGHT + DAY, PARAMS, META))
    assert rows[0].usd_upper == 6_000
    assert (rows[-1].usd_observed, rows[-1].usd_upper) == (1, 5_000)


def test_a_late_order_of_a_sampled_feed_leaves_its_second_without_a_bound() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT, [cell(10, venue="bitget", taker_usd=100)])
    late = [late_cell(MIDNIGHT, 7, "bitget")]
    (row,) = prints(feed_in(state, MIDNIGHT + 9, (), late))
    assert (row.usd_observed, row.usd_upper, row.identifiability) == (17, None, "ok")
    assert row.null_reasons["usd_upper"] == "no_trades"
    (full,) = prints(feed_in(new_state("BTC"), MIDNIGHT + 9, (), [late_cell(MIDNIGHT, 7)]))
    assert full.usd_upper == 7


def test_a_sampled_feed_is_corrected_and_a_saturated_slot_says_so() -> None:
    state, rows = new_state("BTC"), Rows()
    for second in range(30):
        rows += feed_in(state, MIDNIGHT + second, [cell(100, venue="bitget", taker_usd=10**6)])
    half = prints(rows)[-1]
    assert half.usd_observed == 3_000
    assert half.usd_estimated == 3_000 * 1_059_402 // 1_000_000
    assert half.usd_upper == 30 * 10**6
    assert [row.identifiability for row in prints(rows)][11:13] == ["ok", "saturated"]
    for second in range(30, 60):
        rows += feed_in(state, MIDNIGHT + second, [cell(100, venue="bitget", taker_usd=10**6)])
    rows += advance(state, MIDNIGHT + 60, PARAMS, META)
    full = prints(rows)[-1]
    assert full.is_final
    assert full.usd_estimated == 6_000 * 1_225_780 // 1_000_000
    assert full.identifiability == "saturated"
    assert state.slots == {}


def test_two_sides_in_one_second_occupy_a_shared_slot_once() -> None:
    pair = [
        cell(300 * MICROS, venue="binance-usdm"),
        cell(100 * MICROS, venue="binance-usdm", side="short"),
    ]
    state, rows = new_state("BTC"), Rows()
    for second in range(15):
        rows += feed_in(state, MIDNIGHT + second, pair)
    assert prints(rows)[-1].usd_estimated == 15 * 400 * 1_025_290
    apart, rows = new_state("BTC"), Rows()
    for second in range(15):
        both = [cell(one.usd, venue="bitget", side=one.side) for one in pair]
        rows += feed_in(apart, MIDNIGHT + second, both)
    assert prints(rows)[-1].usd_estimated == 15 * 400 * 1_025_290
    assert len(state.slots) == 1
    assert len(apart.slots) == 2


def test_an_estimate_leaves_the_window_together_with_its_orders() -> None:
    state = new_state("BTC")
    for second in range(40):
        feed_in(state, MIDNIGHT + second, [cell(100 * MICROS, venue="bitget")])
    rows = prints(advance(state, MIDNIGHT + DAY + 40, PARAMS, META))
    estimates = [row.usd_estimated for row in rows if row.as_of >= (MIDNIGHT + DAY) * MICROS]
    assert len(estimates) == 40
    assert estimates == sorted(estimates, key=lambda usd: -(usd or 0))
    assert estimates[19] == 2_000 * 1_091_861
    assert estimates[-1] == 0


def test_taker_volume_bounds_orders_of_two_kinds_once() -> None:
    pair = [
        cell(5, venue="bitget", taker_usd=100),
        cell(7, venue="bitget", kind="backstop", taker_usd=100),
    ]
    (row,) = prints(feed_in(new_state("BTC"), MIDNIGHT, pair))
    assert row.usd_upper == 100
    pair[1] = cell(7, venue="bitget", kind="backstop")
    (row,) = prints(feed_in(new_state("BTC"), MIDNIGHT, pair))
    assert row.usd_upper is None
    assert row.null_reasons["usd_upper"] == "no_trades"


def test_the_busiest_hour_may_straddle_the_clock_hour() -> None:
    state = new_state("BTC")
    for minute, usd in ((0, 10), (50, 40), (80, 40), (300, 10)):
        rows = feed_in(state, MIDNIGHT + minute * 60, [cell(usd)])
    assert prints(rows)[-1].max_hour_share == 0.8
    assert prints(rows, "utc_day")[-1].max_hour_share == 0.8


def test_a_late_order_revises_its_day_and_its_24_hours_and_is_named() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT, [cell(5)])
    rows = feed_in(state, MIDNIGHT + 900, (), [late_cell(MIDNIGHT + 3, 40)])
    for row in (prints(rows)[-1], prints(rows, "utc_day")[-1]):
        assert (row.usd_observed, row.usd_late, row.events, row.largest_usd) == (45, 40, 2, 40)
    left = prints(advance(state, MIDNIGHT + DAY + 2, PARAMS, META))[-1]
    assert left.usd_observed == left.usd_late == 40
    assert prints(advance(state, MIDNIGHT + DAY + 3, PARAMS, META))[-1].usd_late == 0


def test_a_late_order_of_a_closed_day_counts_in_the_24_hours_only() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT - 9)
    rows = feed_in(state, MIDNIGHT + 9, (), [late_cell(MIDNIGHT - 2, 40)])
    assert prints(rows)[-1].usd_observed == 40
    assert prints(rows, "utc_day") == []


def test_a_late_order_of_yesterdays_hour_is_dropped() -> None:
    state = new_state("BTC")
    assert feed_in(state, MIDNIGHT, (), [late_cell(MIDNIGHT - DAY, 40)]) == []
    assert len(feed_in(state, MIDNIGHT + 1, (), [late_cell(MIDNIGHT - DAY + 2, 40)])) == 1


def test_coverage_is_that_of_the_24_hours_not_of_the_moment() -> None:
    state = new_state("BTC")
    feed_in(state, MIDNIGHT)
    (row,) = prints(feed_in(state, MIDNIGHT + 6 * HOUR - 1, [cell(5)]))
    assert row.coverage == 0.25
    feed_in(state, MIDNIGHT + 6 * HOUR, coverage=0.5)
    rows = feed_in(state, MIDNIGHT + 12 * HOUR - 1, [cell(5)], coverage=0.5)
    assert prints(rows)[-1].coverage == 0.375
    assert prints(rows, "utc_day")[-1].coverage == 0.75
