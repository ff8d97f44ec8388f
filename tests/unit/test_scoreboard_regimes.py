"""Scores of the slow signals: delays, confusions and areas worked by hand on small cycles."""

from math import inf
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from streams.config import MarginquakeError
from streams.core.detectors.health.params import HealthParams
from streams.core.detectors.regime.bars import HOUR, HourBar
from streams.core.detectors.regime.params import RegimeParams
from streams.core.results.regimes import RegimeName
from streams.scoreboard import regime_ceiling
from streams.scoreboard.cycles import Cycle, Entered
from streams.scoreboard.health import auc, indices
from streams.scoreboard.regime_tuning import measured, rejudged, tune
from streams.scoreboard.regimes import (
    Telling,
    classified,
    figures_of,
    judged,
    macro_f1,
    median_delay,
    pooled,
    quantile_rule,
)

START = 1_794_960_000


def waves(days: int) -> tuple[HourBar, ...]:
    """A market that swells for ten days, with a burst of forced flow, and begins anew."""
    found = []
    for hour in range(days * 24):
        beat = hour % 240 / 240
        burst = 1.0 if 0.9 < beat < 0.95 else 0.0
        price = 50_000 * (1 + 0.1 * beat - 0.05 * burst)
        coins = 100_000 * (1 + 0.3 * beat) * (1 - 0.1 * burst)
        found.append(
            HourBar(
                start=START + hour * HOUR,
                close=price,
                high=price * (1.003 + 0.01 * burst),
                low=price * (0.997 - 0.01 * burst),
                variance=4e-5 * (1 + beat + 30 * burst),
                oi_usd=coins * price,
                oi_base=coins,
                funding_8h=0.0001,
                long_usd=1e6 * (1 + 3 * beat + 100 * burst),
                short_usd=8e5 * (1 + hour % 7),
                spot_usd=1e8 * (1 + hour % 5 / 10),
            )
        )
    return tuple(found)


def cycle(hours: tuple[HourBar, ...], *phases: tuple[int, RegimeName]) -> Cycle:
    """A seed whose phases begin so many hours after the start."""
    return Cycle(
        1, START, hours, tuple(Entered(START + at * HOUR, name) for at, name in phases), (), ()
    )


def bare(count: int) -> tuple[HourBar, ...]:
    return tuple(HourBar(start=START + hour * HOUR) for hour in range(count))


ACC: RegimeName = "accumulation"
EXP: RegimeName = "expansion"


def test_a_delay_runs_from_the_true_beginning_to_the_first_close_that_says_it() -> None:
    run = cycle(bare(10), (0, ACC), (4, EXP))
    telling = Telling((ACC,) * 6 + (EXP,) * 4)
    of = judged(run, telling, [None] * 10)
    # Hour 6 is the first that says it and closes at 7, three hours after the beginning at 4.
    assert of.delays == ((EXP, 3.0),)
    assert of.confusion == {(ACC, ACC): 4, (EXP, ACC): 2, (EXP, EXP): 4}
    assert of.flips == 1
    # Accumulation 2 * 4 / (4 + 6), expansion 2 * 4 / (6 + 4).
    assert macro_f1(of) == pytest.approx(0.8)


def test_a_phase_said_only_after_it_ended_is_missed() -> None:
    run = cycle(bare(10), (0, ACC), (4, "liquidation"), (6, ACC))
    telling = Telling((ACC,) * 6 + ("liquidation",) * 2 + (ACC,) * 2)
    of = judged(run, telling, [None] * 10)
    assert of.delays == (("liquidation", inf), (ACC, 3.0))
    assert median_delay(of) is None


def test_hours_without_a_verdict_are_in_no_figure() -> None:
    run = cycle(bare(10), (0, ACC), (4, EXP))
    of = judged(run, Telling((EXP,) * 10), ["history_below_14_days"] * 6 + [None] * 4)
    assert of.confusion == {(EXP, EXP): 4}
    # The entry lies before the first hour that counts.
    assert of.delays == ()


def test_silence_is_wrong_and_told_apart() -> None:
    run = cycle(bare(4), (0, ACC))
    figures = figures_of("x", [judged(run, Telling((None, None, ACC, ACC)), [None] * 4)])
    assert figures.silent == 0.5
    assert figures.macro_f1.estimate == pytest.approx(2 * 2 / (4 + 2))
    assert figures.log_loss is None


def test_seeds_pool_to_the_figures_of_their_sum() -> None:
    run = cycle(bare(4), (0, ACC))
    one = judged(run, Telling((ACC,) * 4), [None] * 4)
    two = judged(run, Telling((EXP,) * 4), [None] * 4)
    both = pooled([one, two])
    assert both.hours == 8
    assert macro_f1(both) == pytest.approx(2 * 4 / (8 + 4))


def test_the_quantile_rule_calls_growing_interest_expansion_and_a_fall_liquidation() -> None:
    run = cycle(waves(30), (0, ACC))
    said = quantile_rule(run).said
    assert said[240 + 200] == EXP
    assert said[480 + 5] == "liquidation"
    assert said[480 + 40] == ACC


def test_a_judged_again_seed_says_what_the_classifier_says() -> None:
    run = cycle(waves(45), (0, ACC))
    params = RegimeParams()
    telling, unknown = classified(run, params)
    known = measured(run, params)
    again = rejudged(known, params)
    assert list(known.unknown) == unknown
    assert again.said == telling.said
    assert len({one for one in again.said if one}) >= 2


def test_tuning_refuses_test_seeds(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match="1001 is no train seed"):
        tune([1, 1001], tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_area_counts_ties_as_half() -> None:
    assert auc(np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])) == pytest.approx(0.5)
    assert auc(np.array([0.0, 0.0, 2.0]), np.array([1.0, 1.0, 1.0])) == pytest.approx(5 / 6)
    assert auc(np.zeros(3), np.ones(3)) is None


def test_health_reads_cycles_hour_by_hour_and_knows_its_single_factors() -> None:
    hours = waves(20)
    run = cycle(hours, (0, ACC))
    prices = tuple(
        50_000 * (1 + 0.002 * (minute % 3) * (1 + hour % 9))
        for hour in range(len(hours))
        for minute in range(60)
    )
    forced = tuple((bar.start + 600, bar.long_usd or 0.0, bar.short_usd or 0.0) for bar in hours)
    read = indices(Cycle(1, START, hours, run.phases, prices, forced), HealthParams())
    assert set(read.stress) == {"ours", "liquidation", "volatility"}
    # Nothing before 14 days of readings, of which one is kept in four hours.
    assert np.isnan(read.stress["ours"][: 14 * 24 - 8]).all()
    late = slice(15 * 24, None)
    assert not np.isnan(read.stress["ours"][late]).any()
    assert read.components["leverage"] == read.components["volatility"]
    assert "liquidity" not in read.components
    # The burst of forced flow at hours 217 to 227 of ten days is the worst that liquidation knows.
    assert read.stress["liquidation"][240 + 220] > 90


def test_a_fit_never_judges_a_seed_that_it_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    class Counting(regime_ceiling.Logit):
        def __init__(self, rows: NDArray[np.float64], phases: NDArray[np.int64]) -> None:
            seen.append(len(rows))
            super().__init__(rows, phases)

    monkeypatch.setattr(regime_ceiling, "Logit", Counting)
    params = RegimeParams()
    runs = [
        msgspec.structs.replace(cycle(waves(18 + seed), (0, ACC), (17 * 24, EXP)), seed=seed)
        for seed in (1, 2)
    ]
    seeds = [measured(run, params) for run in runs]
    hours = [sum(why is None for why in one.unknown) for one in seeds]
    told = regime_ceiling.ceiling(seeds, seeds, params)
    assert seen == [hours[1], hours[0]]
    assert [len(one.said) for one in told] == [len(one.run.hours) for one in seeds]


def test_a_logit_finds_what_parts_the_phases() -> None:
    rows = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0, 1.0]] * 50)
    phases = np.array([0, 1, 2, 3] * 50)
    fitted = regime_ceiling.Logit(rows, phases)
    assert (fitted.logits(rows).argmax(axis=1) == phases).all()
