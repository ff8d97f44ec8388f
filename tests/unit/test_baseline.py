"""Ordinary rates are what a count of every second gives, whenever they are asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.detectors.cascade import ordinary
from streams.core.detectors.cascade.baseline import (
    Interval,
    Uptime,
    VenueRate,
    covers,
    learn,
    overlap,
)
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.state import CascadeState, new_state
from streams.core.detectors.minute_returns import MinuteReturns
from tests.seconds import FULL, SAMPLED

DECAY = 0.5 ** (1 / 100)
HORIZON = 400


def runs(cuts: list[int]) -> list[Interval]:
    """Disjoint intervals, the last one open when a cut is left over."""
    ordered = sorted(set(cuts))
    pairs: list[Interval] = list(zip(ordered[::2], ordered[1::2], strict=False))
    return [*pairs, (ordered[-1], None)] if len(ordered) % 2 else pairs


CUTS = st.lists(st.integers(0, HORIZON), max_size=7)
SEEN = st.dictionaries(st.integers(0, HORIZON), st.integers(1, 5), max_size=30)


@given(CUTS, CUTS, SEEN, st.lists(st.integers(0, HORIZON), max_size=4))
def test_a_rate_is_what_each_healthy_second_outside_a_window_adds(
    up_cuts: list[int], window_cuts: list[int], seen: dict[int, int], asked: list[int]
) -> None:
    up, closed = runs(up_cuts), runs(window_cuts)
    rate = VenueRate(0.2, 0.3, 0)
    expected, learned = 0.2, 0
    for second in range(HORIZON):
        if covers(up, second) and not covers(closed, second):
            expected = expected * DECAY + (1 - DECAY) * seen.get(second, 0)
            learned += 1
    content = [(second, float(x), 0.0) for second, x in sorted(seen.items())]
    for until in [*sorted(asked), HORIZON]:
        learn(rate, until, content, up, closed, DECAY)
    assert rate.counts == pytest.approx(expected, rel=1e-9)
    assert rate.units == pytest.approx(0.3 * DECAY**learned)
    assert rate.learned == learned
    assert rate.through == HORIZON


@given(CUTS, st.integers(0, HORIZON), st.integers(0, HORIZON))
def test_overlap_counts_seconds(cuts: list[int], start: int, end: int) -> None:
    intervals = runs(cuts)
    expected = sum(covers(intervals, second) for second in range(start, end))
    assert overlap(intervals, start, end) == expected


@given(CUTS, CUTS, st.integers(0, HORIZON), st.integers(0, HORIZON))
def test_a_second_is_observed_when_any_venue_was_healthy(
    first: list[int], second: list[int], start: int, end: int
) -> None:
    uptime = Uptime({"a": runs(first), "b": runs(second)})
    every = [run for members in uptime.venues.values() for run in members]
    expected = sum(covers(every, at) for at in range(start, end))
    assert uptime.observed(start, end) == expected


def test_uptime_keeps_what_a_flapping_feed_did_lately_and_no_more() -> None:
    params = CascadeParams()
    state = new_state("BTC")
    for second in range(0, 40 * 86_400, 1800):
        ordinary.connect(state, params, second, (FULL,) if second % 3600 else ())
    assert len(state.uptime.venues[FULL]) < 10
    rate = state.sides["long"].rates[FULL]
    assert rate.learned == pytest.approx(20 * 86_400, rel=0.01)


def connected(params: CascadeParams, *changes: tuple[int, tuple[str, ...]]) -> CascadeState:
    state = new_state("BTC")
    for second, venues in changes:
        ordinary.connect(state, params, second, venues)
    return state


def test_the_ordinary_rate_is_the_sum_over_healthy_venues() -> None:
    params = CascadeParams(baseline_floor=0.001)
    state = connected(params, (0, (FULL, SAMPLED)))
    assert ordinary.rates(state, params, "long", 10) == pytest.approx((0.02, 0.02))
    ordinary.connect(state, params, 20, (FULL,))
    assert ordinary.rates(state, params, "long", 20) == pytest.approx((0.01, 0.01))
    ordinary.connect(state, params, 30, ())
    assert ordinary.rates(state, params, "long", 30) == (0.001, 0.001)


def test_a_rate_trails_by_ten_minutes() -> None:
    params = CascadeParams()
    state = connected(params, (0, (FULL,)))
    for second in range(100, 700):
        ordinary.note(state, "long", FULL, second, 1.0, 0.0)
    before, _ = ordinary.rates(state, params, "long", 700)
    after, _ = ordinary.rates(state, params, "long", 1300)
    assert before == pytest.approx(0.01, rel=0.1)
    assert after > 0.1


def test_a_venue_that_is_down_neither_learns_nor_forgets() -> None:
    params = CascadeParams()
    state = connected(params, (0, (FULL,)), (1000, ()))
    ordinary.rates(state, params, "long", 1600)
    before = state.sides["long"].rates[FULL].counts
    for second in range(1100, 9000):
        ordinary.note(state, "long", FULL, second, 5.0, 5.0)
    ordinary.connect(state, params, 9000, (FULL,))
    ordinary.rates(state, params, "long", 9500)
    assert state.sides["long"].rates[FULL].counts == before
    assert state.seen["long"].get(FULL, []) == []


def test_the_hour_before_an_onset_takes_the_ordinary_rate_where_nobody_watched() -> None:
    params = CascadeParams()
    state = connected(params, (0, (FULL,)), (7200, ()), (10_200, (FULL,)))
    state.minutes[170] = {"long": 9.0, "short": 0.0}
    # Of the hour before 10,800 the feed saw its last ten minutes, and the orders in minute 170.
    mean = ordinary.minute_mean(state, params, "long", 10_800, 0.5)
    assert mean == pytest.approx((9.0 + 3000 * 0.5) / 60)
    assert ordinary.minute_mean(state, params, "short", 7200, 0.5) == 0.5 * 60


def test_a_return_is_from_close_to_close() -> None:
    returns = MinuteReturns()
    for minute in range(40):
        for second in range(60):
            # Inside a minute the price swings; its closes alternate by one percent.
            inside = 150.0 if second < 59 else 100.0 * 1.01 ** (minute % 2)
            returns.add(minute * 60 + second, inside, 1440)
    assert returns.n == 38
    assert returns.sigma(30) == pytest.approx(0.00995, rel=1e-3)
    assert returns.sigma(39) is None


def test_a_return_over_several_minutes_is_scaled_to_one() -> None:
    returns = MinuteReturns()
    for second, price in ((0, 100.0), (960, 104.0), (1020, 1.0)):
        returns.add(second, price, 1440)
    assert returns.sigma(1) == pytest.approx(0.0392207 / 4)
