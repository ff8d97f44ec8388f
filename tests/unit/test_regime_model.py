"""Scores, gates, filter and memory of the regime: laws and truths worked by hand."""

from math import log, sqrt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.detectors.regime.bars import HourBar, OpenHour
from streams.core.detectors.regime.classifier import Classifier
from streams.core.detectors.regime.features import AT_REST, SAMPLED, Features
from streams.core.detectors.regime.filter import EVEN, Change, Phase, advance, commit, weigh
from streams.core.detectors.regime.history import Ranks
from streams.core.detectors.regime.params import RegimeParams
from streams.core.detectors.regime.scores import crowd_of, judge, softmax
from streams.core.events import PositionSide
from tests.regime_minutes import HOUR, START, Market, minute

PARAMS = RegimeParams()
ACC, EXP, EUP, LIQ = range(4)
NEAR = {"trend": 0.0, "drawdown": 0.05, "rally": 0.05, "funding": 0.0}


def features(values: dict[str, float] | None = None, **ranks: float) -> Features:
    """All features at their medians but those given."""
    return Features({**NEAR, **(values or {})}, dict.fromkeys(SAMPLED, 0.5) | ranks, {})


def chances(given: Features, crowd: PositionSide | None = None) -> tuple[float, ...]:
    verdict = judge(given, PARAMS, crowd)
    assert verdict is not None
    return softmax(verdict.logits)


@pytest.mark.parametrize("crowd", ["long", "short", None])
def test_features_at_their_medians_give_no_phase_more_than_two_fifths(
    crowd: PositionSide | None,
) -> None:
    assert max(chances(features(), crowd)) <= 0.4


@given(st.sets(st.sampled_from(SAMPLED)))
def test_medians_say_nothing_whatever_is_missing(missing: set[str]) -> None:
    ranks = dict.fromkeys(SAMPLED, 0.5)
    verdict = judge(
        Features(NEAR, {name: ranks[name] for name in ranks if name not in missing}, {}),
        PARAMS,
        None,
    )
    assert verdict is None or max(softmax(verdict.logits)) <= 0.4


def test_a_market_always_at_its_medians_commits_no_phase() -> None:
    verdict = judge(features(), PARAMS, None)
    assert verdict is not None
    phase = Phase()
    for hour in range(2_000):
        phase.p = weigh(advance(phase.p, 1, PARAMS), [one / 24 for one in verdict.logits])
        assert commit(phase, hour * HOUR, 3, PARAMS) is None
    assert phase.state is None and max(phase.p) < PARAMS.commit_p


def test_each_phase_is_told_by_its_own_signs() -> None:
    low = chances(features(leverage=0.05, volatility=0.1, trend_size=0.1, liquidations=0.1))
    assert max(low) == low[ACC] > 0.6
    grown = chances(features({"trend": 2.0}, oi_growth=0.95, liquidations=0.3))
    assert max(grown) == grown[EXP] > 0.5
    crowded = chances(
        features(leverage=0.98, funding=0.98, basis=0.95, oi_growth=0.7, drawdown=0.05), "long"
    )
    assert max(crowded) == crowded[EUP] > 0.6
    forced = chances(features(liquidations=0.99, volatility=0.98, oi_drop=0.99, drawdown=0.95))
    assert max(forced) == forced[LIQ] > 0.8


def test_euphoria_needs_leverage_a_crowd_and_a_price_near_its_extreme() -> None:
    hot = features(leverage=0.98, funding=0.98, basis=0.95, oi_growth=0.9, drawdown=0.05)
    opened = chances(hot, "long")[EUP]
    for closed in (
        chances(hot, None),
        chances(msgspec.structs.replace(hot, ranks={**hot.ranks, "leverage": 0.59}), "long"),
        chances(msgspec.structs.replace(hot, values={**hot.values, "drawdown": 0.11}), "long"),
    ):
        assert closed[EUP] < 0.2 < opened


def test_a_short_crowd_near_the_low_is_euphoria_of_the_other_side() -> None:
    long_side = features(leverage=0.9, funding=0.97, basis=0.9, drawdown=0.05, rally=0.5)
    short_side = features(leverage=0.9, funding=0.03, basis=0.1, drawdown=0.5, rally=0.05)
    squeezed, crowded = judge(short_side, PARAMS, "short"), judge(long_side, PARAMS, "long")
    assert squeezed is not None and crowded is not None
    assert squeezed.logits[EUP] == pytest.approx(crowded.logits[EUP])
    assert squeezed.drivers[EUP][2].feature == "rally"


@pytest.mark.parametrize(
    ("rank", "above_anchor", "crowd"),
    [
        (0.9, -0.00005, "long"),
        (0.9, -0.0001, None),
        (0.8, 0.0001, None),
        (0.1, -0.0001, "short"),
        (0.1, -0.00005, None),
        (0.2, -0.0002, None),
    ],
)
def test_a_crowd_is_the_side_that_pays_and_more_than_it_mostly_has(
    rank: float, above_anchor: float, crowd: PositionSide | None
) -> None:
    assert crowd_of(features({"funding": above_anchor}, funding=rank), PARAMS) == crowd


@pytest.mark.parametrize(
    ("grown", "trend", "crowd"), [(0.6, 0.5, "long"), (0.6, -0.5, "short"), (0.59, 0.5, None)]
)
def test_where_funding_rests_growth_of_interest_makes_the_crowd(
    grown: float, trend: float, crowd: PositionSide | None
) -> None:
    given = features({"trend": trend}, oi_growth=grown)
    ranks = {name: rank for name, rank in given.ranks.items() if name != "funding"}
    assert crowd_of(Features(given.values, ranks, {"funding": AT_REST}), PARAMS) == crowd
    assert crowd_of(Features(given.values, ranks, {"funding": "no_funding"}), PARAMS) is None


@pytest.mark.parametrize(("other", "rests"), [(0.0001, True), (0.0003, False)])
def test_funding_that_never_moved_is_told_as_resting(other: float, rests: bool) -> None:
    classifier = Classifier(PARAMS)
    for hour in range(20 * 24):
        rate = other if hour % 48 < 24 else 0.0001
        bar = HourBar(start=START + hour * HOUR, close=50_000.0, oi_base=1.0, funding_8h=rate)
        classifier.hour(bar, bar.start + HOUR)
    assert (classifier.reading.missing.get("funding") == AT_REST) is rests
    assert ("funding" in classifier.reading.features) is not rests
    assert "funding_raw" in classifier.reading.features


def test_liquidation_needs_forced_flow_or_a_grave_cascade() -> None:
    stormy = features(liquidations=0.85, volatility=0.99, oi_drop=0.99, drawdown=0.99)
    shut, opened = judge(stormy, PARAMS, None), judge(stormy, PARAMS, None, cascade=True)
    assert shut is not None and opened is not None
    assert shut.logits[LIQ] == -PARAMS.closed_logits
    assert softmax(opened.logits)[LIQ] > 0.5


def test_drivers_are_the_terms_that_add_most() -> None:
    verdict = judge(features(liquidations=1.0, volatility=0.75), PARAMS, None)
    assert verdict is not None
    first, second, *_ = verdict.drivers[LIQ]
    # 2.0 x 1 and 1.2 x 0.5 over the weights 5.2.
    assert (first.feature, first.value) == ("liquidations", 1.0)
    assert first.weight == pytest.approx(2.0 / 5.2)
    assert second.feature == "volatility"
    assert second.weight == pytest.approx(0.6 / 5.2)


@given(st.integers(0, 60), st.lists(st.floats(0.001, 1), min_size=4, max_size=4))
def test_a_leap_is_equal_to_as_many_steps(hours: int, weights: list[float]) -> None:
    start = tuple(weight / sum(weights) for weight in weights)
    stepped = start
    for _ in range(hours):
        stepped = advance(stepped, 1, PARAMS)
    leapt = advance(start, hours, PARAMS)
    assert leapt == pytest.approx(stepped, abs=1e-9)
    assert sum(leapt) == pytest.approx(1.0)


def test_a_leap_of_ages_is_bounded() -> None:
    assert sum(advance(EVEN, 10**6, PARAMS)) == pytest.approx(1.0)


def test_expected_stays_are_those_of_the_definition() -> None:
    for index, hours in enumerate(PARAMS.dwell_h):
        start = tuple(float(index == other) for other in range(4))
        assert advance(start, 1, PARAMS)[index] == pytest.approx(1 - 1 / hours)


def test_a_phase_never_leads_straight_where_it_may_not() -> None:
    certain = (1.0, 0.0, 0.0, 0.0)
    assert advance(certain, 1, PARAMS)[EUP] == 0.0
    assert advance((0.0, 0.0, 0.0, 1.0), 1, PARAMS)[EUP] == 0.0


def test_a_phase_is_committed_at_the_third_look_and_released_below_two_fifths() -> None:
    phase = Phase(p=(0.7, 0.3, 0.0, 0.0))
    assert [commit(phase, hour * HOUR, 3, PARAMS) for hour in range(3)] == [
        None,
        None,
        Change(None, "accumulation"),
    ]
    phase.p = (0.39, 0.55, 0.06, 0.0)
    assert commit(phase, 20 * HOUR, 3, PARAMS) is None
    assert phase.state == "accumulation"
    after = Phase(p=phase.p, state="accumulation", since=2 * HOUR)
    commit(after, 26 * HOUR, 3, PARAMS)
    assert (after.state, after.left) == (None, "accumulation")


def test_a_phase_taken_up_again_within_a_day_has_not_changed() -> None:
    phase = Phase(p=(0.7, 0.3, 0.0, 0.0))
    commit(phase, 0, 1, PARAMS)
    phase.p = (0.39, 0.55, 0.06, 0.0)
    commit(phase, 30 * HOUR, 1, PARAMS)
    phase.p = (0.61, 0.3, 0.09, 0.0)
    assert commit(phase, 40 * HOUR, 1, PARAMS) is None
    assert (phase.state, phase.since) == ("accumulation", 0)


def test_a_phase_that_may_not_follow_waits_until_the_other_is_forgotten() -> None:
    phase = Phase(p=(0.7, 0.3, 0.0, 0.0))
    commit(phase, 0, 1, PARAMS)
    phase.p = (0.2, 0.1, 0.7, 0.0)
    assert commit(phase, 30 * HOUR, 1, PARAMS) is None
    assert commit(phase, 54 * HOUR, 1, PARAMS) is None
    assert commit(phase, 55 * HOUR, 1, PARAMS) == Change(None, "euphoria")


@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60),
    st.floats(-1e6, 1e6, width=32),
)
def test_a_rank_is_the_middle_of_its_ties_and_survives_a_restart(
    past: list[float], value: float
) -> None:
    ranks = Ranks()
    for hour, one in enumerate(past):
        ranks.add(hour, {"x": one}, keep_h=40)
    kept = past[-40:]
    below, equal = sum(one < value for one in kept), sum(one == value for one in kept)
    assert ranks.rank("x", value) == (below + equal / 2) / len(kept)
    again = Ranks(ranks.stored())
    assert again.rank("x", value) == ranks.rank("x", value)
    assert again.stored() == ranks.stored()


def test_what_is_forgotten_or_missing_does_not_shift_the_others() -> None:
    ranks = Ranks()
    ranks.add(0, {"x": 1.0, "y": 1.0}, keep_h=10)
    ranks.add(4, {"y": 2.0}, keep_h=10)
    ranks.forget("y", 5)
    ranks.add(8, {"x": 3.0, "y": 9.0}, keep_h=10)
    assert (ranks.count("x"), ranks.count("y"), ranks.middle("y")) == (2, 1, 9.0)
    ranks.add(12, {"x": 5.0}, keep_h=10)
    assert (ranks.count("x"), ranks.middle("x")) == (2, 5.0)


def test_leverage_starts_anew_when_something_better_to_divide_by_is_known() -> None:
    classifier = Classifier(RegimeParams(min_feature_days=1))
    for hour in range(24 * 16):
        better = {"market_cap_usd": 1e12} if hour >= 24 * 12 else {}
        classifier.hour(
            HourBar(start=START + hour * HOUR, close=100.0, oi_usd=1e9, spot_usd=1e8, **better),
            START + (hour + 1) * HOUR,
        )
        if hour == 24 * 12 - 1:
            assert classifier.reading.basis == "spot_volume"
            assert classifier.reading.features["leverage"] == 0.5
        if hour == 24 * 12:
            assert classifier.reading.basis == "market_cap"
            assert "leverage" not in classifier.reading.features
            assert classifier.reading.features["leverage_raw"] == 1e-3
    assert classifier.reading.features["leverage"] == 0.5


def test_minutes_add_up_to_their_hour() -> None:
    open_hour = OpenHour()
    open_hour.begin(START)
    market = Market(price=100.0, swing=0.02, long_usd=1_200.0, short_usd=600.0, spot_usd=2_400.0)
    for step in range(12):
        open_hour.add(minute(START + step * 300 + 240, market))
    bar = open_hour.bar(0.25)
    assert (bar.high, bar.low) == (101.0, 99.0)
    assert (bar.long_usd, bar.short_usd, bar.spot_usd, bar.depth_usd) == (1_200, 600, 2_400, 2e7)
    assert bar.lsi == 0.25
    # Eleven returns between 99 and 101, scaled to the twelve of an hour.
    assert bar.variance == pytest.approx(12 * log(101 / 99) ** 2)
    assert sqrt(bar.variance or 0) > 0


def test_a_thin_hour_has_no_variance() -> None:
    open_hour = OpenHour()
    open_hour.begin(START)
    for step in (0, 1, 5, 9):
        open_hour.add(minute(START + step * 300 + 240, Market()))
    assert open_hour.bar(None).variance is None
