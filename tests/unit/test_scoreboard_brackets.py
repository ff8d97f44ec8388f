"""How wide intervals and brackets are chosen to be."""

from math import inf
from pathlib import Path

import pytest

from streams.config import MarginquakeError
from streams.core.detectors.cascade.counterfactual import CounterfactualParams
from streams.core.events import MICROS
from streams.scoreboard.bracket_tuning import (
    Matched,
    Second,
    interval_errors,
    main,
    needed,
    report,
    slopes,
)

PARAMS = CounterfactualParams()


def micro(usd: float) -> int:
    return int(usd * MICROS)


def test_the_width_that_a_truth_needs_is_its_ratio_over_one_standard_error() -> None:
    # Two standard errors reach from 100/1.4 to 140: one is 0.2 of the estimate.
    wide = (micro(100), micro(100 / 1.4), micro(140), 2.0)
    assert needed(140, 10, *wide) == pytest.approx(2.0)
    assert needed(100 / 1.1, 10, *wide) == pytest.approx(0.5)
    assert needed(100, 10, *wide) == 0.0


def test_the_end_that_is_not_clamped_tells_the_error() -> None:
    bounded = (micro(100), micro(100 / 1.4), micro(105), 2.0)
    assert needed(140, 10, *bounded) == pytest.approx(2.0)


def test_no_width_holds_a_truth_below_published_dollars() -> None:
    assert needed(90, 95, micro(100), micro(95), micro(140), 2.0) == inf
    assert needed(140, 10, micro(100), micro(80), None, 2.0) is None
    assert needed(140, 10, None, None, None, 2.0) is None


def test_the_least_width_that_holds_four_in_five_is_taken() -> None:
    asked = [0.1, 0.2, 0.3, 0.74, inf]
    width, held = interval_errors([Matched("a-1", one) for one in asked])
    assert (width, held) == (0.75, 0.8)
    with pytest.raises(MarginquakeError, match="add train runs"):
        interval_errors([Matched("a-1", inf)])


def fall(truth: float, push: int) -> Matched:
    """40 bp in ten seconds; `push` dollars a second meet a depth of 1,000."""
    seconds = tuple(
        Second(n, push * MICROS, 1_000 * MICROS, 100.0 * (1 - 0.0004 * n), (push * n, push * n * 2))
        for n in range(1, 11)
    )
    return Matched("a-1", 0.5, truth, 1.5, True, 1.0, seconds)


def test_steeper_slopes_hold_more_and_are_wider() -> None:
    windows = [fall(0.0, 1), fall(0.3, 100), fall(0.9, 200)]
    narrow = slopes(windows, PARAMS)
    wide = slopes(windows, CounterfactualParams(most=2 * PARAMS.most))
    assert narrow.windows == wide.windows == 3
    assert wide.width > narrow.width
    assert wide.held >= narrow.held


def test_the_narrowest_of_those_that_hold_enough_is_chosen() -> None:
    lines = report([fall(0.0, 1), fall(0.2, 100), fall(0.3, 100)], PARAMS)
    tried = [line for line in lines if line.startswith("half-life")]
    enough = [line for line in tried if float(line.split("holds ")[1].split("%")[0]) >= 85]
    least = min(float(line.split("%, ")[1].split(" ")[0]) for line in enough)
    assert f"{least:.2f} wide" in lines[-1]
    assert lines[-1].startswith("chosen")


def test_a_test_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match="build-up-1001 is a test run"):
        main([tmp_path / "build-up-1001"])
