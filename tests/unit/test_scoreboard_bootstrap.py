"""Intervals by resampling cases: the same every time, clustered, paired, silent when blind."""

from collections.abc import Sequence

import pytest

pytest.importorskip("numpy")


from streams.scoreboard.bootstrap import Interval, interval, intervals
from streams.scoreboard.estimates import Estimate
from streams.scoreboard.metrics import STATISTICS, Counts, Hit, f1, pool, pr_auc
from streams.scoreboard.quantiles import median


def counted(tp: int, fp: int, fn: int, delay: int = 10) -> Counts:
    hit = Hit(delay, 0, 0, True, 5.0, Estimate(1.0))
    return Counts((hit,) * tp, (5.0,) * fn, fp, 0, 1.0, 0.0)


def joined(parts: Sequence[list[float]]) -> list[float]:
    return [value for part in parts for value in part]


CASES = [counted(3, 1, 0, 10), counted(1, 0, 2, 50), counted(5, 0, 0, 20), counted(0, 4, 1)]


def test_the_same_cases_give_the_same_intervals() -> None:
    first = intervals(CASES, pool, STATISTICS)
    assert first == intervals(CASES, pool, STATISTICS)
    assert first["f1"] == interval(CASES, pool, f1)
    assert first["f1"] != intervals(CASES, pool, STATISTICS, seed=1)["f1"]


def test_an_interval_holds_the_figure_of_all_cases() -> None:
    for name, found in intervals(CASES, pool, STATISTICS).items():
        if found.estimate is None:
            continue
        assert found.low is not None, name
        assert found.high is not None, name
        assert found.low <= found.estimate <= found.high, name


def test_equal_cases_leave_no_doubt() -> None:
    assert interval([counted(2, 1, 1)] * 5, pool, f1) == Interval(2 / 3, 2 / 3, 2 / 3, 1_000)


def test_one_case_has_no_interval() -> None:
    assert interval(CASES[:1], pool, f1) == Interval(6 / 7, None, None, 0)
    assert interval([], pool, f1) == Interval(None, None, None, 0)


def test_events_of_one_case_are_drawn_together() -> None:
    # Ten values in two cases: by value the median would hardly ever be an end, by case half of
    # the draws hold one case alone.
    found = interval([[0.0] * 5, [1.0] * 5], joined, median)
    assert (found.estimate, found.low, found.high) == (0.5, 0.0, 1.0)


def test_a_mean_of_many_cases_has_the_width_of_its_standard_error() -> None:
    parts = [[float(number % 2)] for number in range(400)]
    found = interval(parts, joined, lambda values: sum(values) / len(values))
    assert found.estimate == 0.5
    assert found.low is not None
    assert found.high is not None
    # 1.96 standard errors of 0.5 / 20 on either side.
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.025, rel=0.15)


def test_draws_without_a_figure_are_left_out_and_counted() -> None:
    rare = [counted(0, 0, 0)] * 9 + [counted(1, 0, 0)]
    found = interval(rare, pool, f1)
    assert 0.55 < found.draws / 1_000 < 0.75
    assert (found.low, found.high) == (1.0, 1.0)


def test_too_few_figures_give_no_interval() -> None:
    # Of two cases one has orders: a figure needs it twice, which a quarter of the draws hold.
    def both_drawn(values: list[float]) -> float | None:
        return 1.0 if sum(values) >= 2 else None

    found = interval([[0.0], [1.0]], joined, both_drawn)
    assert 0 < found.draws < 500
    assert (found.estimate, found.low, found.high) == (None, None, None)


def test_the_difference_of_two_rules_is_made_of_paired_draws() -> None:
    Sweeps = tuple[Counts, Counts]
    pairs = [(part, part) for part in CASES]

    def together(parts: Sequence[Sweeps]) -> Sweeps:
        return pool(ours for ours, _ in parts), pool(theirs for _, theirs in parts)

    def difference(of: Sweeps) -> float | None:
        ours, theirs = pr_auc([of[0]]), pr_auc([of[1]])
        return None if ours is None or theirs is None else ours - theirs

    found = interval(pairs, together, difference)
    assert (found.estimate, found.low, found.high) == (0.0, 0.0, 0.0)


def test_a_level_or_a_number_of_draws_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 draws"):
        intervals(CASES, pool, STATISTICS, draws=0)
    with pytest.raises(ValueError, match="level 95"):
        intervals(CASES, pool, STATISTICS, level=95.0)
