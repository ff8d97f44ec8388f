"""What the branching estimate recovers of simulated orders whose true ratio is known."""

from collections import Counter
from collections.abc import Callable
from math import exp
from random import Random

import pytest

from streams.core.detectors.cascade.baseline import Uptime
from streams.core.detectors.cascade.branching import (
    BranchingParams,
    Drive,
    Fit,
    Orders,
    fit,
    ks_p,
    label,
)
from streams.core.detectors.cascade.recent import KEPT_S, Recent

PARAMS = BranchingParams()
Rate = Callable[[float], float]


def times(seed: int, span: int, rate: Rate, most: float, ratio: float) -> list[float]:
    """Orders of a Hawkes process: each calls forth `ratio` others, after 5 s or 60 s on average."""
    random = Random(seed)  # noqa: S311
    waiting: list[float] = []
    at = random.expovariate(most)
    while at < span:
        if random.random() < rate(at) / most:
            waiting.append(at)
        at += random.expovariate(most)
    found: list[float] = []
    while waiting:
        parent = waiting.pop()
        found.append(parent)
        left = random.random()
        while left > exp(-ratio):
            left *= random.random()
            child = parent + random.expovariate(1 / random.choice((5.0, 60.0)))
            if child < span:
                waiting.append(child)
    return found


def orders(found: list[float], span: int) -> Orders:
    """The orders on the grid of seconds, all of one mass."""
    counts = Counter(int(at) for at in found)
    seconds = sorted(counts)
    return Orders(
        span, seconds, [counts[at] for at in seconds], [float(counts[at]) for at in seconds]
    )


@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.8])
def test_long_samples_give_back_the_ratio_they_were_made_with(ratio: float) -> None:
    span = 36_000
    found = [
        fit(orders(times(seed, span, lambda _: 0.1, 0.1, ratio), span), None, PARAMS)
        for seed in range(3)
    ]
    assert sum(one.ratio for one in found) / 3 == pytest.approx(ratio, abs=0.1)
    assert all(one.ratio == pytest.approx(ratio, abs=0.15) for one in found)
    assert all(one.base == pytest.approx(0.1, rel=0.35) for one in found)


@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.8])
def test_two_hours_give_the_ratio_within_a_fifth_on_average(ratio: float) -> None:
    span = 7_200
    errors = [
        fit(orders(times(seed, span, lambda _: 0.1, 0.1, ratio), span), None, PARAMS).ratio - ratio
        for seed in range(4)
    ]
    assert abs(sum(errors) / len(errors)) < 0.2


def ramp(at: float) -> float:
    """Twenty times the ordinary rate at its top, which nothing of the orders causes."""
    return 0.05 * (1 + 19 * max(0.0, 1 - abs(at - 4_000) / 900))


def test_a_ramp_from_outside_looks_critical_and_its_cause_takes_that_away() -> None:
    span = 7_200
    for seed in range(3):
        found = orders(times(seed, span, ramp, 1.0, 0.0), span)
        outside = Drive(5, [ramp(5 * at + 2) - 0.05 for at in range(span // 5)])
        high, low = fit(found, None, PARAMS), fit(found, outside, PARAMS)
        assert high.ratio > 0.85
        assert low.ratio < 0.2
        assert low.slope == pytest.approx(1.0, rel=0.25)


def test_what_orders_cause_stays_when_the_outside_drive_is_taken_out() -> None:
    span = 7_200
    found = orders(times(3, span, ramp, 1.0, 0.6), span)
    outside = Drive(5, [ramp(5 * at + 2) - 0.05 for at in range(span // 5)])
    assert fit(found, outside, PARAMS).ratio == pytest.approx(0.6, abs=0.2)


def test_residuals_of_the_true_kind_are_not_rejected_and_others_are() -> None:
    span = 7_200
    plain = orders(times(1, span, lambda _: 0.1, 0.1, 0.5), span)
    assert fit(plain, None, PARAMS).ks_p > 0.05
    batches = Orders(span, range(0, span, 60), [40] * 120, [40.0] * 120)
    assert fit(batches, None, PARAMS).ks_p < 0.001
    random = Random(5)  # noqa: S311
    assert ks_p([random.expovariate(1.0) for _ in range(2_000)]) > 0.01
    assert ks_p([random.expovariate(1.3) for _ in range(2_000)]) < 1e-6


def test_the_order_of_large_and_small_orders_is_heard_through_their_mass() -> None:
    # Every large order has five followers, the small ones none: masses make the fit better.
    seconds, counts, masses = [], [], []
    for at in range(0, 7_200, 120):
        for lag, mass in ((0, 10.0), (2, 1.0), (4, 1.0), (7, 1.0), (11, 1.0), (16, 1.0)):
            seconds.append(at + lag)
            counts.append(1)
            masses.append(mass)
    weighed = fit(Orders(7_200, seconds, counts, masses), None, PARAMS)
    equal = fit(Orders(7_200, seconds, counts, [1.0] * len(seconds)), None, PARAMS)
    assert weighed.base < equal.base


@pytest.mark.parametrize("count", [1, 65_535])
def test_extreme_counts_give_numbers(count: int) -> None:
    full = Orders(600, range(600), [count] * 600, [1e-9 * count] * 600)
    found = fit(full, Drive(5, [0.0] * 120), PARAMS)
    assert 0 <= found.ratio < 2
    assert 0 <= found.ks_p <= 1


@pytest.mark.parametrize(
    ("low", "high", "driven", "p", "sampled_only", "said"),
    [
        (0.2, 0.7, 0.3, 0.3, False, "subcritical"),
        (0.2, 0.7, 0.3, 0.04, False, "unresolved"),
        (0.2, 0.7, 0.3, 0.3, True, "unresolved"),
        (0.2, 0.95, 0.3, 0.3, False, "unresolved"),
        (0.85, 0.97, 0.1, 0.3, True, "near_critical"),
        (0.85, 0.97, 0.1, 0.01, True, "unresolved"),
        (0.97, 0.97, 0.0, 0.3, False, "unresolved"),
        (None, 0.7, 0.0, 0.3, False, "subcritical"),
        (None, 0.97, 0.0, 0.3, False, "unresolved"),
    ],
)
def test_the_label_says_no_more_than_the_bracket(
    low: float | None, high: float, driven: float, p: float, sampled_only: bool, said: str
) -> None:
    upper = Fit(high, 0.1, 0.0, (high,), 0.0, p)
    lower = None if low is None else Fit(low, 0.1, 1.0, (low,), driven, p)
    assert label(lower, upper, sampled_only, PARAMS) == said


def seen(recent: Recent, seconds: range, count: float = 1.0) -> Uptime:
    """One order of a long in each of the seconds, and a feed that was up throughout."""
    uptime = Uptime()
    uptime.update(seconds.start, ("bybit",))
    recent.began = seconds.start
    for at in seconds:
        recent.add_orders(at, (count, count), (0.0, 0.0))
    return uptime


def test_memory_is_bounded_and_the_stretch_is_kept_in_full() -> None:
    recent = Recent()
    seen(recent, range(1_000_000, 1_030_000))
    for at in range(1_000_000, 1_030_000):
        recent.add_spot(at, 100.0, PARAMS)
    assert len(recent.orders) == KEPT_S * 12
    assert len(recent.moves) <= 2 * (KEPT_S + 60) / 5
    began, kept = recent.stretch(1_029_999, "long", PARAMS)
    assert began == 1_022_800
    assert (kept.span, sum(kept.counts)) == (7_200, 7_200)
    assert recent.stretch(1_029_999, "short", PARAMS)[1].seconds == []


def test_the_drive_is_the_move_of_spot_over_the_last_minute() -> None:
    recent = Recent()
    for at in range(1_000_000, 1_007_200, 5):
        # A rise of 100 bp in the two seconds from 1,003,600 on.
        recent.add_spot(at, 100.0 if at < 1_003_600 else 101.00501670841679, PARAMS)
    drive = recent.drive(1_000_000, 1_007_195, PARAMS)
    assert drive is not None
    assert len(drive.values) == 1_440
    moved = [index for index, value in enumerate(drive.values) if value]
    assert moved == list(range(720, 732))
    assert set(drive.values) == {0.0, 1_000.0}


def test_spot_that_began_late_or_stood_still_too_long_is_no_drive() -> None:
    recent = Recent()
    for at in range(1_000_000, 1_003_600, 10):
        recent.add_spot(at, 100.0, PARAMS)
    assert recent.drive(999_000, 1_003_500, PARAMS) is None
    assert recent.drive(999_900, 1_003_800, PARAMS) is not None
    assert recent.drive(1_000_000, 1_004_000, PARAMS) is None
    recent.add_spot(1_003_990, 100.0, PARAMS)
    assert recent.drive(1_000_000, 1_004_000, PARAMS) is None


def test_a_bracket_says_why_it_is_not_known() -> None:
    recent = Recent()
    uptime = seen(recent, range(1_000_000, 1_000_029))
    few = recent.bracket(1_000_028, "long", uptime, False, PARAMS)
    assert few.high is None
    assert set(few.why.values()) == {"too_few_orders"}
    recent.began = 990_000
    gap = recent.bracket(1_000_028, "long", uptime, False, PARAMS)
    assert set(gap.why.values()) == {"feed_gap"}


def test_without_spot_only_the_upper_end_is_known() -> None:
    recent = Recent()
    uptime = seen(recent, range(1_000_000, 1_000_600, 3))
    one = recent.bracket(1_000_599, "long", uptime, False, PARAMS)
    assert one.low is None
    assert one.high is not None and one.ks_p is not None
    assert one.why == {"branching_low": "no_spot"}


def test_the_lower_end_is_never_above_the_upper() -> None:
    random = Random(11)  # noqa: S311
    recent = Recent()
    uptime = Uptime()
    uptime.update(1_000_000, ("bybit",))
    recent.began = 1_000_000
    price = 100.0
    for at in range(1_000_000, 1_003_000):
        price *= 1 + random.gauss(0, 0.0003)
        recent.add_spot(at, price, PARAMS)
        if random.random() < 0.1:
            recent.add_orders(at, (1.0, 1.0), (0.0, 0.0))
    both = recent.bracket(1_002_999, "mixed", uptime, False, PARAMS)
    assert both.low is not None and both.high is not None
    assert both.low <= both.high
