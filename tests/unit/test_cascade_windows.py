"""What belongs to a cascade window, when it ends and is final, and what late orders revise."""

from math import log

import pytest

from streams.core.detectors.cascade.params import CascadeParams
from streams.core.frames import LateCell
from streams.core.results import CascadeWindow
from tests.seconds import FULL, SAMPLED, Scope, cell, late, since_start


def test_the_end_is_the_last_order_before_five_quiet_minutes() -> None:
    scope = Scope()
    scope.flow(100, 161)
    scope.second(2000)
    window = scope.window()
    # Below 5 % of the peak, and below four times the ordinary rate of 0.01 a second.
    intensity = peak = 1 - 0.5 ** (61 / 60)
    seconds = 0
    while intensity >= max(0.04, 0.05 * peak):
        intensity *= 0.5 ** (1 / 60)
        seconds += 1
    assert since_start(window.end) == 160
    assert since_start(window.closed_at) == 160 + seconds + 300
    assert window.duration_s == 60.0
    assert window.phase == "end"


def test_orders_of_the_quiet_gap_belong_to_no_window() -> None:
    scope = Scope()
    scope.flow(100, 161)
    scope.second(600, cell())
    scope.second(2000)
    assert since_start(scope.window().end) == 160
    assert scope.window().events == 61


def test_a_new_wave_within_the_quiet_gap_extends_the_window() -> None:
    scope = Scope()
    scope.flow(100, 161)
    scope.second(500, cell())
    scope.flow(600, 640)
    scope.second(3000)
    window = scope.window()
    assert since_start(window.end) == 639
    assert window.events == 61 + 1 + 40
    assert since_start(window.onset) == 100


@pytest.mark.parametrize(("again", "follows"), [(700, True), (2480, True), (2481, False)])
def test_a_wave_within_half_an_hour_of_the_close_is_an_aftershock(
    again: int, follows: bool
) -> None:
    scope = Scope()
    scope.flow(100, 161)
    scope.flow(again, again + 40)
    scope.second(9000)
    first, second = scope.windows()
    assert since_start(first.closed_at) == 680
    assert second.parent_id == (first.id if follows else None)
    assert first.parent_id is None


def test_a_window_is_split_after_its_longest_duration() -> None:
    scope = Scope(CascadeParams(split_s=900))
    scope.flow(100, 1400)
    scope.second(9000)
    first, second = scope.windows()
    assert since_start(first.closed_at) == 1000
    assert since_start(first.end) == 1000
    assert since_start(second.onset) == 1001
    assert second.parent_id == first.id
    assert first.events + second.events == 1300


def test_a_window_is_final_ten_minutes_after_its_close() -> None:
    scope = Scope()
    scope.flow(100, 161)
    scope.second(5000)
    window = scope.window()
    closed = since_start(window.closed_at)
    assert closed is not None
    assert window.is_final
    assert since_start(window.watermark) == closed + 600
    assert [row.is_final for row in scope.rows].count(True) == 1


def test_with_prices_a_window_is_final_when_its_recovery_is_known() -> None:
    scope = Scope()
    for at in range(100, 161):
        scope.second(at, cell(), price=100.0 - (at - 100) * 0.1)
    scope.second(1000, price=97.0)
    scope.second(1900, price=97.0)
    scope.second(2500, price=99.0)
    window = scope.window()
    assert window.is_final
    assert (window.price_onset, window.price_extreme) == (100.0, 94.0)
    assert since_start(window.watermark) == 160 + 1800
    assert window.recovery_30m == pytest.approx(0.5)
    assert window.impact_bp == pytest.approx(10_000 * log(0.94))


def test_the_recovery_is_that_of_thirty_minutes_however_long_the_window_lasts() -> None:
    scope = Scope()
    scope.flow(100, 150, cell())
    scope.second(150, cell(), price=100.0)
    scope.second(151, cell(), price=90.0)
    scope.flow(152, 1900, cell())
    scope.second(1900, cell(), price=95.0)
    scope.flow(1901, 2500, cell())
    scope.second(2500, cell(), price=99.0)
    scope.flow(2501, 2600, cell())
    scope.second(9000)
    assert scope.window().recovery_30m == pytest.approx(0.5)


def test_every_change_of_a_window_is_a_higher_revision() -> None:
    scope = Scope()
    scope.flow(100, 161)
    scope.second(5000)
    assert [row.revision for row in scope.rows] == list(range(1, len(scope.rows) + 1))


def _with_late(*cells: LateCell, at: int = 150) -> CascadeWindow:
    scope = Scope()
    for second in range(100, 161):
        scope.second(second, cell(), late=cells if second == at else ())
    scope.second(5000)
    return scope.window()


def test_late_orders_revise_the_dollars_and_nothing_of_the_onset() -> None:
    plain, revised = _with_late(), _with_late(late(120, usd=777.0, n=2))
    assert revised.usd_late == 777_000_000
    assert revised.events_late == 2
    assert revised.usd_observed == plain.usd_observed + 777_000_000
    assert revised.usd_by_venue == {FULL: revised.usd_observed}
    same = ("onset", "detected_at", "end", "closed_at", "peak_at", "id", "gates")
    assert [getattr(plain, name) for name in same] == [getattr(revised, name) for name in same]


def test_orders_late_before_the_alarm_are_counted_too() -> None:
    window = _with_late(late(104, usd=777.0), at=110)
    assert window.usd_late == 777_000_000


def test_a_late_order_waits_for_the_window_to_reach_its_second() -> None:
    scope = Scope()
    scope.flow(100, 161)
    scope.second(200, late=[late(190, usd=777.0), late(240, usd=5.0)])
    assert scope.window().usd_late == 0
    scope.second(210, cell())
    assert scope.window().usd_late == 777_000_000
    scope.second(5000)
    assert scope.window().usd_late == 777_000_000
    assert since_start(scope.window().end) == 210


@pytest.mark.parametrize(
    ("cells", "late_usd"),
    [
        ((late(99, usd=7.0),), 0),
        ((late(170, usd=7.0),), 0),
        ((late(120, "short", usd=7.0),), 0),
        ((late(120, usd=7.0, kind="adl"),), 0),
        ((late(100, usd=7.0),), 7_000_000),
    ],
)
def test_late_orders_outside_the_window_are_not_its_own(
    cells: tuple[LateCell, ...], late_usd: int
) -> None:
    assert _with_late(*cells).usd_late == late_usd


def test_a_window_takes_late_orders_until_it_is_final_and_none_after() -> None:
    scope = Scope()
    scope.flow(100, 161)
    scope.second(700, late=[late(130, usd=3.0)])
    assert scope.window().phase == "end"
    assert scope.window().usd_late == 3_000_000
    scope.second(5000)
    assert scope.window().is_final
    revision = scope.window().revision
    scope.second(5001, late=[late(130, usd=3.0)])
    assert scope.window().revision == revision


def test_late_orders_of_both_sides_survive_that_a_window_becomes_mixed() -> None:
    scope = Scope()
    for at in range(100, 180):
        orders = [late(105, usd=3.0), late(106, "short", usd=4.0)] if at == 115 else []
        scope.second(at, cell("long"), *([cell("short")] if at >= 110 else []), late=orders)
    window = scope.window()
    assert window.side == "mixed"
    assert (window.usd_late, window.events_late) == (7_000_000, 2)
    assert window.usd_observed == (80 + 70) * 1_000_000_000 + 7_000_000


def test_the_peak_is_the_strongest_moment_since_the_onset() -> None:
    scope = Scope()
    scope.second(100, cell(n=20))
    scope.flow(101, 130)
    window = scope.window()
    assert since_start(window.detected_at) in range(101, 110)
    assert since_start(window.peak_at) == 100


def test_open_interest_and_depth_are_measured_against_the_onset() -> None:
    scope = Scope()
    scope.second(99, price=100.0, oi_usd=5e9, oi_volume=1_000.0, depth_usd=9e6)
    for at in range(100, 160):
        fallen = 1.0 - (at - 100) / 100
        usd, volume, depth = 4e9 * fallen, 900 * fallen, 8e6 * fallen
        scope.second(at, cell(), oi_usd=usd, oi_volume=volume, depth_usd=depth)
    window = scope.window()
    assert window.oi_share == pytest.approx(60_000 / 4e9)
    assert window.oi_change == pytest.approx(-0.59)
    assert window.depth_min_ratio == pytest.approx(0.41)


def test_a_feed_gap_between_onset_and_alarm_shows_in_the_coverage() -> None:
    scope = Scope(venues=(FULL, SAMPLED))
    scope.flow(100, 105)
    scope.second(105, up=(FULL,))
    scope.second(108, up=(FULL, SAMPLED))
    scope.flow(109, 140)
    assert scope.window().coverage == 0.5


def test_a_long_window_keeps_no_more_than_its_rules_look_back() -> None:
    scope = Scope()
    scope.flow(100, 1900)
    assert len(scope.state.trail) <= 61
    scope.second(2300, cell())
    assert len(scope.state.trail) <= 65
    assert scope.window().events == 1800
