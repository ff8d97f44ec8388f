"""Detection figures: hand-computed cases, and what pooling must keep."""

from math import log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.scoreboard.estimates import (
    Coverage,
    Estimate,
    coverage,
    magnitude_error,
    relative_bias,
    relative_error,
)
from streams.scoreboard.matching import match
from streams.scoreboard.metrics import (
    STATISTICS,
    Counts,
    Hit,
    ScopeClass,
    counts,
    envelope_area,
    f1,
    pool,
    pr_auc,
    precision,
    recall,
    recall_by_size,
)
from streams.scoreboard.quantiles import quantile
from streams.scoreboard.ranking import auc
from streams.scoreboard.spans import ALL, Case, Event, Span

DAY = 86_400
CLASSES: tuple[ScopeClass, ...] = ("ALL", "assets")


def case(*events: Event, steady: bool = False) -> Case:
    return Case("calm-1", "calm", 0, DAY, ("BTC", "ETH"), steady, events, ())


TRUE = (
    Event("BTC", "long", 1_000, 1_200, 2e6, 50, 6.0),
    Event("BTC", "short", 9_000, 9_100, 1e6, 20, 4.0),
    Event("ETH", "long", 1_010, 1_300, 3e6, 60, 40.0),
    Event(ALL, "long", 1_000, 1_300, 5e6, 110, 16.0),
)
SAID = (
    Span("BTC", "long", 1_005, 1_030, 1_190, 1e6),
    Span("ETH", "short", 1_000, 1_050, 1_400, 3.3e6),
    Span("ETH", "long", 50_000, 50_030, 50_100, 1e5),
    Span(ALL, "long", 980, 990, 1_300, None),
)


def hand_counted(steady: bool = False) -> dict[str, Counts]:
    found = match(TRUE, SAID)
    return {which: counts(case(*TRUE, steady=steady), found, which) for which in CLASSES}


def plain(tp: int, fp: int, fn: int) -> Counts:
    hit = Hit(10, 0, 0, True, 5.0, Estimate(1.0))
    return Counts((hit,) * tp, (5.0,) * fn, fp, 0, 1.0, 0.0)


def test_each_scope_class_counts_its_own_scopes_and_days() -> None:
    found = hand_counted()
    assert {which: (of.tp, of.fp, of.fn) for which, of in found.items()} == {
        "ALL": (1, 0, 0),
        "assets": (2, 1, 1),
    }
    assert [found[which].scope_days for which in CLASSES] == [1.0, 2.0]
    assert pool(found.values()).scope_days == 3.0


def test_the_figures_of_a_hand_counted_case() -> None:
    of = hand_counted()["assets"]
    figures = {name: statistic(of) for name, statistic in STATISTICS.items()}
    assert figures == {
        "precision": 2 / 3,
        "recall": 2 / 3,
        "f1": 2 / 3,
        "side_accuracy": 0.5,
        "false_per_scope_day": 0.5,
        "steady_false_per_scope_day": None,
        "delay_median_s": 35.0,
        "delay_p90_s": pytest.approx(39.0),
        "onset_error_s": 7.5,
        "end_error_s": 55.0,
        "usd_error": pytest.approx(0.3),
        "usd_bias": pytest.approx(-0.2),
        "magnitude_error": pytest.approx((log10(2) + log10(1.1)) / 2),
    }


def test_an_alarm_before_the_onset_has_a_negative_delay_and_no_estimate_is_no_error() -> None:
    of = hand_counted()["ALL"]
    assert STATISTICS["delay_median_s"](of) == -10
    assert STATISTICS["usd_error"](of) is None


def test_false_alarms_of_steady_cases_are_counted_apart() -> None:
    of = hand_counted(steady=True)["assets"] + hand_counted()["assets"]
    assert STATISTICS["false_per_scope_day"](of) == 2 / 4
    assert STATISTICS["steady_false_per_scope_day"](of) == 1 / 2


def test_recall_is_told_by_size_and_an_edge_opens_its_class() -> None:
    found = recall_by_size(pool(hand_counted().values()))
    assert [(one.from_bp, one.found, one.events) for one in found] == [
        (0.0, 0, 0),
        (4.0, 1, 2),
        (8.0, 0, 0),
        (16.0, 1, 1),
        (32.0, 1, 1),
    ]
    assert [one.recall for one in found] == [None, 0.5, None, 1.0, 1.0]
    with pytest.raises(ValueError, match=r"4\.0 bp is below"):
        recall_by_size(pool(hand_counted().values()), edges=(5.0,))


def test_a_scope_that_the_case_does_not_hold_is_refused() -> None:
    stray = Span("SOL", "long", 1, 2, 3)
    with pytest.raises(ValueError, match="calm-1 holds no scope SOL"):
        counts(case(), match((), (stray,)), "ALL")


def test_a_figure_without_a_denominator_is_none() -> None:
    assert {statistic(Counts()) for statistic in STATISTICS.values()} == {None}


triples = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))


@given(st.lists(triples, max_size=6))
def test_pooled_f1_is_that_of_the_sums_and_the_harmonic_mean(
    parts: list[tuple[int, int, int]],
) -> None:
    pooled = pool(plain(*part) for part in parts)
    tp, fp, fn = (sum(part[i] for part in parts) for i in range(3))
    assert (pooled.tp, pooled.fp, pooled.fn) == (tp, fp, fn)
    assert pooled.scope_days == len(parts)
    p, r = precision(pooled), recall(pooled)
    if p and r:
        assert f1(pooled) == pytest.approx(2 * p * r / (p + r))
    else:
        assert f1(pooled) in (None, 0.0)


def test_the_area_is_that_under_the_upper_steps() -> None:
    # (recall, precision): 0.6 is beaten by 0.7 at more recall, so its step is lifted.
    assert envelope_area([(0.2, 0.9), (0.5, 0.6), (0.8, 0.7)]) == pytest.approx(
        0.2 * 0.9 + 0.3 * 0.7 + 0.3 * 0.7
    )


def test_no_area_beyond_the_recall_that_was_reached() -> None:
    assert envelope_area([(0.5, 1.0)]) == 0.5
    assert pr_auc([plain(1, 0, 1), plain(2, 0, 0)]) == 1.0


def test_a_rule_that_never_speaks_has_no_area_and_no_events_give_no_figure() -> None:
    assert pr_auc([plain(0, 0, 3)]) == 0.0
    assert pr_auc([plain(0, 3, 0)]) is None
    assert pr_auc([]) is None


points = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8)


@given(points)
def test_the_area_is_the_mean_height_of_the_envelope(found: list[tuple[int, int]]) -> None:
    heights = [max((p for r, p in found if r >= column), default=0) / 20 for column in range(1, 21)]
    area = envelope_area([(r / 20, p / 20) for r, p in found])
    assert area == pytest.approx(sum(heights) / 20)


def test_coverage_counts_closed_intervals_and_leaves_out_open_ones() -> None:
    said = [
        Estimate(5.0, None, 5.0, 6.0),
        Estimate(4.0, None, 5.0, 6.0),
        Estimate(7.0, None, 5.0, 6.0),
        Estimate(6.0, None, 5.0, 6.0),
        Estimate(6.0, None, 5.0, None),
    ]
    assert coverage(said) == Coverage(inside=2, below=1, above=1)
    assert coverage(said).share == 0.5
    assert coverage(said[4:]).share is None


def test_errors_of_estimates_leave_out_what_was_not_said() -> None:
    said = [Estimate(100.0, 90.0), Estimate(100.0, 120.0), Estimate(100.0), Estimate(0.0, 5.0)]
    assert relative_error(said) == pytest.approx(0.15)
    assert relative_bias(said) == pytest.approx(0.05)
    assert magnitude_error([Estimate(1e6, 1e7), Estimate(1e6, 1e6)]) == pytest.approx(0.5)
    assert magnitude_error([Estimate(1e6, 0.0)]) is None


def test_quantiles_lie_between_order_statistics() -> None:
    assert quantile([4, 1, 3, 2], 0.5) == 2.5
    assert quantile(range(11), 0.9) == pytest.approx(9.0)
    assert quantile([7.0], 0.9) == 7.0
    assert quantile([], 0.5) is None
    with pytest.raises(ValueError, match="not finite"):
        quantile([1.0, float("nan")], 0.5)
    with pytest.raises(ValueError, match="outside"):
        quantile([1.0], 1.5)


scored = st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=20)


@given(scored)
def test_auc_is_the_share_of_pairs_in_the_right_order(found: list[tuple[int, bool]]) -> None:
    high = [score for score, outcome in found if outcome]
    low = [score for score, outcome in found if not outcome]
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in high for b in low]
    expected = sum(wins) / len(wins) if wins else None
    assert auc([score for score, _ in found], [outcome for _, outcome in found]) == expected


def test_auc_refuses_what_it_cannot_rank() -> None:
    with pytest.raises(ValueError, match="2 scores for 1 outcomes"):
        auc([1.0, 2.0], [True])
    with pytest.raises(ValueError, match="not a number"):
        auc([1.0, float("nan")], [True, False])
