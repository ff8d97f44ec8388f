"""The simulator stands near published figures, on train seeds."""

import numpy as np
import pytest

from streams.config import MarginquakeError
from streams.simulation.calibration import OCTOBER, depth_falls, main, market, october


@pytest.fixture(scope="module")
def falls() -> list[float]:
    names = ("build-up", "news-shock", "slow-grind", "weekend")
    return [fall for name in names for fall in depth_falls(market(name, 1, 3))]


def test_depth_falls_in_degrees(falls: list[float]) -> None:
    """Published of liquidation events: 3.4 times (median), 17 times (90th percentile)."""
    middle, high = np.quantile(falls, (0.5, 0.9))
    assert len(falls) >= 10
    assert 1.5 < middle < 8.0
    assert 5.0 < high < 25.0
    assert sum(2.0 < fall < 10.0 for fall in falls) >= len(falls) / 4


def test_october_breaks_in_two_blows_near_its_published_shares() -> None:
    found = october(market(OCTOBER, 5, 11))
    assert found.long == pytest.approx(0.84, abs=0.1)
    assert found.in_break == pytest.approx(0.70, abs=0.1)
    assert found.peak_minute == pytest.approx(0.32, abs=0.1)
    assert found.peaks == 2
    assert found.adl_s is not None
    assert found.adl_s == pytest.approx(62, abs=30)


@pytest.mark.parametrize("arguments", [[], ["0"], ["x"], ["100"], ["1", "2"]])
def test_a_wrong_number_of_seeds_is_named(arguments: list[str]) -> None:
    with pytest.raises(MarginquakeError, match="number of seeds"):
        main(arguments)
