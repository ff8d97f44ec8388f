"""Each gate passes, fails or is unknown, and the class follows from all of them."""

from math import exp, factorial

import pytest

from streams.core.detectors.cascade.gates import poisson_tail
from streams.core.detectors.cascade.params import CascadeParams, ScopePrior
from streams.core.results import CascadeWindow
from tests.seconds import FULL, SAMPLED, Scope, cell


def flush(
    usd: float = 200_000.0,
    to: float | None = 90.0,
    oi_usd: float | None = None,
    oi_base: tuple[float, float] | None = None,
    seconds: int = 60,
    scope: Scope | None = None,
) -> CascadeWindow:
    """A minute of long liquidations, with a price falling from 100 and open interest."""
    scope = scope or Scope()
    scope.second(99, price=None if to is None else 100.0)
    for at in range(100, 100 + seconds):
        share = (at - 100) / (seconds - 1)
        coins = None if oi_base is None else oi_base[0] + share * (oi_base[1] - oi_base[0])
        price = None if to is None else 100.0 + share * (to - 100.0)
        scope.second(at, cell(usd=usd), price=price, oi_usd=oi_usd, oi_volume=coins)
    return scope.window()


def states(window: CascadeWindow) -> dict[str, str]:
    return {name: gate.state for name, gate in window.gates.items()}


def test_a_large_sudden_fall_on_a_healthy_feed_is_a_cascade() -> None:
    window = flush(oi_usd=10**10, oi_base=(100.0, 97.0))
    assert states(window) == {
        "size": "pass",
        "concentration": "pass",
        "improbability": "pass",
        "displacement": "pass",
        "deleveraging": "pass",
        "data": "pass",
    }
    assert window.window_class == "cascade"
    assert not window.elevated_day


def test_the_class_is_kept_once_a_window_has_qualified() -> None:
    scope = Scope()
    flush(scope=scope)
    scope.second(170, cell(), price=100.0, up=())
    scope.second(5000)
    assert scope.window().window_class == "cascade"


def test_too_few_dollars_leave_a_burst() -> None:
    window = flush(usd=20_000.0)
    assert states(window)["size"] == "fail"
    assert window.gates["size"].value == pytest.approx(1_200_000)
    assert window.gates["size"].threshold == 3_000_000
    assert window.window_class == "burst"


def test_the_floor_rises_with_open_interest() -> None:
    window = flush(usd=60_000.0, oi_usd=20_000_000_000)
    assert window.gates["size"].threshold == 6_400_000
    assert states(window)["size"] == "fail"
    assert states(flush(usd=60_000.0, oi_usd=2_000_000_000))["size"] == "pass"


def test_without_open_interest_the_floor_of_the_tier_stands() -> None:
    window = flush()
    assert window.gates["size"].threshold == 3_000_000
    assert window.oi_share is None
    assert window.null_reasons["oi_share"] == "no_open_interest"


def test_a_rise_over_a_busy_hour_is_not_concentrated() -> None:
    scope = Scope()
    scope.flow(0, 3600, cell(usd=10.0), step=15)
    for at in range(3600, 3720):
        scope.second(at, cell(usd=200_000.0, n=1 if at % 4 else 2), price=200.0 - at / 100)
    window = scope.windows()[-1]
    # 4 orders a minute before, 75 at the peak: more than three times, and no accident.
    assert states(window)["concentration"] == "pass"
    # So busy an hour hides the rise from the count; the dollars alarm.
    busy = ScopePrior(0.2, 0.01, 50_000 * 10**6, 10**12, 40.0)
    busier = Scope(CascadeParams(assets={"BTC": busy}))
    busier.flow(0, 3600, cell(usd=10.0), step=2)
    for at in range(3600, 3720):
        busier.second(at, cell(usd=200_000.0), price=200.0 - at / 100)
    crowded = busier.window()
    assert states(crowded)["concentration"] == "fail"
    assert crowded.elevated_day
    assert crowded.window_class == "burst"


def test_a_flush_without_a_price_move_is_a_cascade_less_surely() -> None:
    window = flush(to=99.9)
    assert states(window)["displacement"] == "fail"
    assert window.gates["displacement"].value == pytest.approx(10.005, rel=1e-3)
    assert window.window_class == "cascade"
    assert window.confidence == pytest.approx(flush().confidence / 2)


def test_a_move_against_the_forced_direction_fails() -> None:
    window = flush(to=110.0)
    assert states(window)["displacement"] == "fail"
    assert window.impact_bp == 0.0


def test_a_move_must_stand_out_of_the_noise() -> None:
    scope = Scope()
    for minute in range(-60, 0):
        scope.second(60 * minute, price=100.0 + minute % 2)
    window = flush(to=98.0, scope=scope)
    # One percent a minute of noise asks for three percent.
    assert window.gates["displacement"].threshold == pytest.approx(298.5, rel=0.05)
    assert states(window)["displacement"] == "fail"


def test_without_prices_the_displacement_is_unknown_and_the_window_may_qualify() -> None:
    window = flush(to=None)
    assert states(window)["displacement"] == "unknown"
    assert window.window_class == "cascade"
    assert window.confidence < flush().confidence


def test_open_interest_supports_and_never_fails() -> None:
    assert states(flush(oi_base=(100.0, 99.0)))["deleveraging"] == "pass"
    assert states(flush(oi_base=(100.0, 101.0)))["deleveraging"] == "unknown"
    assert states(flush())["deleveraging"] == "unknown"
    assert flush(oi_base=(100.0, 101.0)).gates["deleveraging"].value == pytest.approx(0.01)


def test_a_feed_that_is_away_makes_a_cascade_less_sure_and_hides_none() -> None:
    scope = Scope(venues=(FULL, SAMPLED))
    scope.second(98)
    scope.second(110, up=(FULL,))
    window = flush(scope=scope)
    assert window.coverage == 0.5
    assert states(window)["data"] == "fail"
    assert window.window_class == "cascade"
    assert window.confidence < flush().confidence


def test_a_lone_sampled_venue_lowers_confidence_and_does_not_fail() -> None:
    scope = Scope(venues=(SAMPLED,))
    for at in range(100, 160):
        scope.second(at, cell(usd=200_000.0, venue=SAMPLED), price=100.0 - (at - 100) / 6)
    assert states(scope.window())["data"] == "pass"
    assert scope.window().window_class == "cascade"
    assert scope.window().confidence < flush().confidence


@pytest.mark.parametrize(("venues", "floor"), [((FULL,), 0.2), ((SAMPLED,), 0.175)])
def test_the_market_floor_is_scaled_to_what_the_feeds_publish(
    venues: tuple[str, ...], floor: float
) -> None:
    scope = Scope(scope="ALL", venues=venues)
    for at in range(100, 200):
        scope.second(at, cell(usd=500_000.0, venue=venues[0]))
    assert scope.windows()[0].gates["size"].threshold == pytest.approx(floor * 10_000_000)


@pytest.mark.parametrize(("count", "mean"), [(0, 1.0), (1, 0.3), (7, 2.0), (12, 12.0), (3, 20.0)])
def test_the_poisson_tail_is_the_sum_of_its_terms(count: int, mean: float) -> None:
    head = sum(exp(-mean) * mean**i / factorial(i) for i in range(count))
    assert poisson_tail(count, mean) == pytest.approx(1 - head, rel=1e-9)


def test_the_poisson_tail_holds_far_out() -> None:
    assert poisson_tail(10_000, 3.0) == 0.0
    assert poisson_tail(3, 1e-9) == pytest.approx(1e-27 / 6)
    assert poisson_tail(10, 50_000.0) == 1.0
