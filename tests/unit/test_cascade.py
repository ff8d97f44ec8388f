"""What opens a cascade window, of which side and kind, and what is ordinary: sequences."""

from math import ceil, log

import pytest

from streams.core.detectors.cascade.params import CascadeParams, ScopePrior
from streams.core.events import PositionSide
from tests.seconds import FULL, SAMPLED, Scope, cell, since_start

GAIN = log(6)
DRIFT = 5 * 0.01
"""What an ordinary second takes from the statistic at the lowest ordinary rate."""
TO_ALARM = ceil(40 / (GAIN - DRIFT))
"""Consecutive seconds with one order until the alarm: 23."""


def detected(scope: Scope) -> int | None:
    return since_start(scope.windows()[0].detected_at) if scope.windows() else None


def test_the_alarm_comes_when_the_statistic_crosses_the_threshold() -> None:
    scope = Scope()
    scope.flow(100, 100 + TO_ALARM - 1)
    assert scope.rows == []
    scope.second(100 + TO_ALARM - 1, cell())
    window = scope.window()
    assert since_start(window.onset) == 100
    assert since_start(window.detected_at) == 100 + TO_ALARM - 1
    assert (window.events, window.usd_observed) == (TO_ALARM, TO_ALARM * 1_000_000_000)
    assert (window.side, window.statistic, window.window_class) == ("long", "count", "burst")


@pytest.mark.parametrize(("lone", "onset"), [(50, 100), (64, 100), (66, 66), (90, 90)])
def test_the_onset_is_the_first_second_after_the_last_zero(lone: int, onset: int) -> None:
    scope = Scope()
    scope.second(lone, cell())
    scope.flow(100, 130)
    # One order lasts ln 6 / 0.05 = 35.8 seconds in the statistic.
    assert since_start(scope.window().onset) == onset


def test_the_onset_and_the_detection_never_change() -> None:
    scope = Scope()
    scope.flow(100, 200)
    scope.second(1000)
    assert {(row.onset, row.detected_at, row.id) for row in scope.rows} == {
        (scope.window().onset, scope.window().detected_at, scope.window().id)
    }


def test_orders_of_one_side_say_nothing_of_the_other() -> None:
    scope = Scope()
    for at in range(100, 100 + TO_ALARM - 1):
        scope.second(at, cell("long"), cell("short"))
    assert scope.rows == []
    scope.second(100 + TO_ALARM - 1, cell("long"))
    assert scope.window().side == "long"
    assert scope.window().events == TO_ALARM
    assert scope.window().share_long == pytest.approx(TO_ALARM / (2 * TO_ALARM - 1))


def test_a_window_is_mixed_only_when_both_sides_alarm_together() -> None:
    scope = Scope()
    for at in range(100, 160):
        scope.second(at, cell("long"), cell("short", usd=500.0))
    scope.second(1000)
    window = scope.window()
    assert window.side == "mixed"
    assert window.events == 120
    assert window.usd_observed == 60 * 1_500_000_000
    assert window.share_long == pytest.approx(2 / 3)


def test_the_other_side_joins_a_young_window_once_and_counts_from_its_onset() -> None:
    scope = Scope()
    for at in range(100, 200):
        scope.second(at, cell("long"), *([cell("short")] if at >= 110 else []))
    scope.second(1000)
    window = scope.window()
    assert window.side == "mixed"
    assert since_start(window.onset) == 100
    assert since_start(window.detected_at) == 100 + TO_ALARM - 1
    assert window.events == 190


def test_a_side_that_alarms_later_has_a_window_of_its_own() -> None:
    scope = Scope()
    scope.flow(100, 400, cell("long"))
    scope.flow(400, 450, cell("long"), cell("short"))
    sides = {window.side: window for window in scope.windows()}
    assert set(sides) == {"long", "short"}
    assert sides["long"].events == 350
    assert sides["short"].events == 50


def test_a_mixed_window_lasts_as_long_as_either_side_does() -> None:
    scope = Scope()
    scope.flow(100, 140, cell("long"), cell("short"))
    scope.flow(140, 600, cell("short"))
    scope.second(3000)
    window = scope.window()
    assert window.side == "mixed"
    assert since_start(window.end) == 599
    assert window.events == 540


def test_a_sampled_second_counts_once_however_many_orders_it_names() -> None:
    one, many = Scope(venues=(SAMPLED,)), Scope(venues=(SAMPLED,))
    one.flow(100, 160, cell(venue=SAMPLED))
    many.flow(100, 160, cell(venue=SAMPLED, n=7))
    assert detected(one) == detected(many) == 100 + TO_ALARM - 1
    assert many.window().gates["concentration"] == one.window().gates["concentration"]


def test_every_symbol_of_a_sampled_feed_counts_for_itself() -> None:
    scope = Scope(venues=(SAMPLED,))
    pair = (cell(venue=SAMPLED), cell(venue=SAMPLED, symbol="BTCUSDC"))
    scope.flow(100, 160, *pair)
    assert detected(scope) == 100 + ceil(40 / (2 * GAIN - DRIFT)) - 1


def test_a_complete_feed_counts_every_order() -> None:
    scope = Scope()
    scope.flow(100, 110, cell(n=6))
    assert detected(scope) == 100 + ceil(40 / (6 * GAIN - DRIFT)) - 1


def test_a_few_large_orders_raise_the_dollar_statistic() -> None:
    scope = Scope()
    scope.second(100, cell(usd=2_000_000))
    assert scope.rows == []
    scope.second(110, cell(usd=2_000_000))
    window = scope.window()
    assert window.statistic == "dollar"
    assert since_start(window.onset) == 100
    assert window.events == 2
    scope.second(200, cell(usd=1_000_000))
    scope.second(2000)
    assert since_start(scope.window().end) == 200
    assert scope.window().events == 3


def test_one_order_however_large_is_no_window() -> None:
    scope = Scope()
    scope.second(100, cell(usd=500_000_000))
    scope.second(1000)
    assert scope.rows == []


def test_auto_deleveraging_is_reported_and_not_counted() -> None:
    scope = Scope()
    scope.flow(100, 200, cell(kind="adl", usd=9_000_000))
    assert scope.rows == []
    scope.flow(200, 240, cell(), cell(kind="adl", usd=50.0))
    window = scope.window()
    assert since_start(window.onset) == 200
    assert window.events == 40
    assert window.usd_observed == 40_000_000_000
    assert window.adl_usd == 40 * 50_000_000


def test_the_ordinary_rate_is_frozen_while_a_window_is_open() -> None:
    scope = Scope()
    scope.flow(100, 3700)
    rate = scope.state.sides["long"].rates[FULL]
    assert rate.counts <= 0.01
    assert scope.windows()[0].closed_at is None
    scope.second(9000)
    assert len(scope.windows()) == 1
    assert scope.state.sides["long"].rates[FULL].counts <= 0.01


def test_neither_side_of_a_mixed_window_learns_from_it() -> None:
    scope = Scope()
    scope.flow(100, 2000, cell("long"), cell("short"))
    scope.second(4000)
    scope.second(6000, cell("long"), cell("short"))
    sides: list[PositionSide] = ["long", "short"]
    assert [scope.state.sides[side].rates[FULL].counts <= 0.01 for side in sides] == [True, True]


def test_a_steady_rate_is_learned_and_raises_no_alarm() -> None:
    scope = Scope()
    scope.flow(0, 8 * 3600, step=40)
    assert scope.rows == []
    scope.flow(8 * 3600, 16 * 3600, step=20)
    assert scope.rows == []
    rate = scope.state.sides["long"].rates[FULL]
    assert 0.04 < rate.counts < 0.06


BUSY = CascadeParams(assets={"BTC": ScopePrior(0.5, 0.01, 50_000_000_000, 10**12, 40.0)})


def test_a_full_feed_that_returns_after_three_hours_does_not_fire() -> None:
    scope = Scope(BUSY, venues=(FULL, SAMPLED))
    scope.flow(0, 3600, step=2)
    scope.second(3600, up=(SAMPLED,))
    before = scope.state.sides["long"].rates[FULL].counts
    scope.second(3600 + 3 * 3600, up=(FULL, SAMPLED))
    scope.flow(4 * 3600 + 1, 5 * 3600, step=2)
    assert scope.rows == []
    assert scope.state.sides["long"].rates[FULL].counts == pytest.approx(before, rel=0.3)


def test_a_venue_that_is_down_is_no_part_of_the_ordinary_rate() -> None:
    scope = Scope(BUSY, venues=(FULL, SAMPLED))
    scope.second(0)
    scope.second(100, up=(SAMPLED,))
    scope.flow(200, 330, cell(venue=SAMPLED))
    # The sampled venue alone is ordinary at 0.5 a second: one order a second loses ground.
    assert scope.rows == []


def test_bounds_are_ordered_on_a_sampled_feed() -> None:
    scope = Scope(venues=(SAMPLED,))
    for at in range(100, 161, 2):
        scope.second(at, cell(venue=SAMPLED, taker=50_000.0))
        scope.second(at + 1, cell(venue=SAMPLED, taker=50_000.0, symbol="BTCUSDC"))
    window = scope.window()
    assert window.usd_estimated is not None and window.usd_upper is not None
    assert window.usd_observed < window.usd_estimated < window.usd_upper
    assert window.usd_upper == window.events * 50_000_000_000


def test_the_market_window_counts_the_assets_with_an_onset_nearby() -> None:
    scope = Scope(CascadeParams(market=ScopePrior(0.01, 0.01, 10**10, 10**12, 40.0)), "ALL")
    onsets: list[tuple[str, PositionSide, int]] = [
        ("BTC", "long", 100),
        ("SOL", "long", 1200),
        ("XRP", "long", 1301),
        ("ADA", "short", 110),
    ]
    for at in range(100, 161):
        scope.second(at, cell(), onsets=onsets, assets_known=8)
    assert scope.window().breadth == pytest.approx(2 / 8)


def test_what_follows_the_last_own_order_is_not_the_windows() -> None:
    scope = Scope()
    for at in range(100, 160):
        scope.second(at, cell("long"), price=100.0)
    for at in range(166, 171):
        scope.second(at, cell("short", usd=50_000.0), price=90.0)
    scope.second(5000)
    window = scope.window()
    assert window.is_final
    assert (window.share_long, window.events) == (1.0, 60)
    assert window.usd_upper == window.usd_estimated == window.usd_observed
    assert window.price_extreme == 100.0


def test_what_lies_between_own_orders_is_the_windows() -> None:
    scope = Scope()
    for at in range(100, 160):
        scope.second(at, cell("long"), price=100.0)
    scope.second(161, cell("short"), price=90.0)
    scope.second(162, cell("long"), price=95.0)
    scope.second(5000)
    window = scope.window()
    assert (window.share_long, window.price_extreme) == (61 / 62, 90.0)
