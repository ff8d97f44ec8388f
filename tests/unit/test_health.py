"""Market health: ranks in the own past, smoothing in event time, caps, and points that add up."""

from typing import Any

import msgspec
import pytest

from streams.core.detectors.health.detector import HealthIndex, power_mean
from streams.core.detectors.health.history import ABSENT, History, code
from streams.core.detectors.health.measures import COMPONENTS, MEASURES
from streams.core.detectors.health.params import HealthParams
from streams.core.detectors.health.points import Level, apportion, move, points
from streams.core.detectors.readings import Readings
from streams.core.results import Dominance, Health, Imbalance, Liquidity, Volatility, ZoneMap
from tests.signal_rows import META, minute, readings, row, valid, window

HOUR = 3600
PARAMS = HealthParams(sample_s=HOUR, history_s=100 * HOUR, least_history_s=10 * HOUR)
"""One reading an hour, ranked from the tenth on."""


def board(at: int, stress: float) -> Readings:
    """Readings of a minute's end in which every measure is `stress`, more being worse."""
    return readings(
        row(Liquidity, at, z=-stress),
        row(Volatility, at, window_s=3600, realised=stress, unexplained=1.0),
        row(Imbalance, at, window_s=3600, lsi_adjusted=-stress),
        row(Dominance, at, window_s=86400, ratio=stress, oi_market_cap=stress),
        row(ZoneMap, at, fuel_depth_below=stress, fuel_depth_above=0.0),
    )


def one(index: HealthIndex, start: int, stress: float, found: Readings | None = None) -> Health:
    """The row of the minute from `start`, in which every measure is `stress`."""
    rate = 0.0001 + stress / 1e6
    full = minute(start, forced={"long": stress}, oi_volume=stress, funding_8h=rate)
    (health,) = index.minute(full, found or board(start + 60, stress))
    assert isinstance(health, Health)
    return health


def hour(index: HealthIndex, number: int, stress: float) -> Health:
    """Every minute of an hour alike; its last row, checked."""
    found = board((number + 1) * HOUR, stress)
    rows = [one(index, number * HOUR + 60 * m, stress, found) for m in range(60)]
    valid([rows[0], rows[-1]])
    return rows[-1]


def grown(hours: int = 20, **changed: Any) -> HealthIndex:
    """An index that has seen hours of stress 1, 2, ..., `hours`."""
    index = HealthIndex("BTC", msgspec.structs.replace(PARAMS, **changed), META)
    for number in range(hours):
        hour(index, number, float(number + 1))
    return index


def test_health_is_null_until_there_is_enough_history() -> None:
    index = HealthIndex("BTC", PARAMS, META)
    first = hour(index, 0, 1.0)
    assert first.health is None and first.band is None and first.contributions == {}
    assert first.null_reasons["health"] == "history_below_14_days"
    assert set(first.missing) == set(COMPONENTS)
    for number in range(1, 12):
        before = len(index.history.slots)
        known = hour(index, number, float(number)).health is not None
        assert known == (before >= 9)  # the tenth reading is kept within the hour


def test_the_worst_reading_of_the_own_past_is_worse_than_the_best() -> None:
    worst, best = grown(), grown()
    # All measures above, or below, every reading kept: percentile 1, or 0, of the index.
    assert hour(worst, 20, 99.0).health == pytest.approx(0, abs=1e-3)
    calm = one(best, 20 * HOUR + 100 * 86400, 0.5)
    assert calm.health is not None and calm.health > 99
    assert calm.band == "healthy"


def test_the_median_reading_aims_at_fifty() -> None:
    index = grown(21)
    hour(index, 21, 11.0)
    index.recent.level = Level()
    health = one(index, 22 * HOUR, 11.0)
    assert health.stress["liquidity"] == pytest.approx(0.5, abs=0.03)
    assert health.health == pytest.approx(50, abs=3)


def test_points_sum_exactly_to_what_is_missing() -> None:
    index = grown()
    for number in range(20, 30):
        health = hour(index, number, number * 7 % 23 + 0.5)
        assert health.health is not None
        parts = [*health.contributions.values(), *health.caps.values()]
        assert sum(round(p * 1000) for p in parts) == 100_000 - round(health.health * 1000)
        assert all(p == round(p * 1000) / 1000 for p in parts)


def test_health_falls_within_minutes_and_recovers_within_hours() -> None:
    index = grown()
    hour(index, 20, 99.0)
    index.recent.level = Level(80.0, 80.0, index.recent.at)
    fallen = one(index, 21 * HOUR, 99.0)
    assert fallen.health == pytest.approx(20, abs=1)  # two half-lives of 30 s
    hour(index, 22, 0.5)
    index.recent.level = Level(0.0, 0.0, index.recent.at)
    risen = one(index, 23 * HOUR, 0.5)
    assert risen.health == pytest.approx(100 * (1 - 0.5 ** (60 / 1800)), abs=0.5)


def test_smoothing_goes_by_time_and_not_by_calls() -> None:
    often, once = Level(80.0, 80.0, 0), Level(80.0, 80.0, 0)
    for at in range(60, 601, 60):
        move(often, 90.0, {}, at, 30, 1800)
    move(once, 90.0, {}, 600, 30, 1800)
    assert often.value == pytest.approx(once.value)


def test_an_extreme_cascade_caps_health_at_twenty() -> None:
    index = grown()
    index.recent.level = Level(80.0, 80.0, index.recent.at)
    found = board(20 * HOUR + 60, 5.0)
    found.note([window(0, window_class="cascade", severity="extreme")])
    health = one(index, 20 * HOUR, 5.0, found)
    assert health.health == 20.0 and health.band == "stressed"
    assert list(health.caps) == ["extreme_cascade"]
    found.note([window(9, window_class="cascade", severity="extreme", is_final=True)])
    free = one(index, 20 * HOUR + 60, 5.0, found)
    assert free.health is not None and 20 < free.health < 25
    assert list(free.caps) == ["extreme_cascade"]


def test_a_burst_or_a_major_cascade_does_not_cap() -> None:
    index = grown()
    index.recent.level = Level(80.0, 80.0, index.recent.at)
    found = board(20 * HOUR + 60, 5.0)
    found.note([window(0, window_class="burst", severity="extreme")])
    found.note([window(0, id="other", window_class="cascade", severity="major")])
    assert one(index, 20 * HOUR, 5.0, found).caps == {}


def test_two_caps_share_what_they_hold_down() -> None:
    level = Level(60.0, 60.0, 0)
    move(level, 60.0, {"vacuum": 35.0, "extreme": 20.0}, 60, 30, 1800)
    value, contributions, caps = points(level, {"a": 3.0, "b": 1.0})
    assert value == 20.0
    assert contributions == {"a": 30.0, "b": 10.0}
    assert caps == {"vacuum": 25.0, "extreme": 15.0}


def test_a_released_cap_lets_go_with_the_rising_half_life() -> None:
    level = Level(60.0, 60.0, 0)
    move(level, 60.0, {"extreme": 20.0}, 60, 30, 1800)
    move(level, 60.0, {}, 60 + 1800, 30, 1800)
    assert level.value == pytest.approx(40)
    value, _, caps = points(level, {"a": 1.0})
    assert (value, caps) == (40.0, {"extreme": 20.0})
    move(level, 60.0, {}, 60 + 40 * 1800, 30, 1800)
    assert level.held == {} and level.value == level.free


def test_without_most_of_the_weights_there_is_no_health() -> None:
    index = HealthIndex("BTC", PARAMS, META)
    for m in range(60 * 15):
        rows = index.minute(minute(60 * m, forced={"long": 1.0}), Readings())
    (health,) = valid(rows)
    assert isinstance(health, Health)
    assert health.health is None
    assert health.null_reasons["health"] == "coverage_below_0.6"
    assert health.weight_coverage == 0.25 and list(health.stress) == ["liquidation"]
    assert health.missing["leverage"] == "no_open_interest"
    assert health.missing["liquidity"] == "no_reading"


def test_a_missing_component_gives_its_weight_to_the_others() -> None:
    index = grown()
    found = board(20 * HOUR + 60, 5.0)
    found.note([row(Liquidity, 20 * HOUR + 60, z=None, null_reasons={"z": "no_book"})])
    health = one(index, 20 * HOUR, 5.0, found)
    assert health.health is not None
    assert health.missing == {"liquidity": "no_book"}
    assert health.weight_coverage == 0.8
    assert health.weights["liquidation"] == pytest.approx(0.25 / 0.8)
    assert sum(health.weights.values()) == pytest.approx(1)


def test_forced_dollars_of_another_basket_are_not_compared() -> None:
    index = grown()
    more = minute(
        20 * HOUR,
        forced={"long": 5.0},
        oi_volume=5.0,
        funding_8h=0.0001,
        up=("bybit", "okx"),
        known=("bybit", "okx"),
    )
    (health,) = index.minute(more, board(20 * HOUR + 60, 5.0))
    assert isinstance(health, Health)
    assert health.missing == {
        "liquidation": "history_below_14_days",
        "crowding": "history_below_14_days",
    }
    assert health.health is not None  # the other 0.65 of the weights


def test_with_too_few_venues_forced_dollars_are_not_read() -> None:
    index = grown()
    few = minute(20 * HOUR, forced={"long": 5.0}, oi_volume=5.0, coverage=0.5)
    (health,) = index.minute(few, board(20 * HOUR + 60, 5.0))
    assert isinstance(health, Health)
    assert health.missing["liquidation"] == "coverage_below_0.6"
    assert health.missing["crowding"] == "coverage_below_0.6"


def test_a_restart_changes_nothing() -> None:
    plain, again = grown(), grown()
    other = HealthIndex("BTC", PARAMS, META)
    other.restore({part.name: part.encode() for part in again.parts()})
    for number in range(20, 23):
        for m in range(60):
            at, stress = number * HOUR + 60 * m, float(m % 7)
            assert one(plain, at, stress) == one(other, at, stress)
    assert {p.name: p.encode() for p in plain.parts()} == {
        p.name: p.encode() for p in other.parts()
    }


def test_history_is_bounded_by_time_whatever_the_gap() -> None:
    index = grown(0)
    for number in range(200):
        one(index, number * HOUR, float(number))
    assert len(index.history.slots) == 100
    one(index, 10_000 * HOUR, 1.0)
    assert len(index.history.slots) == 1
    assert sum(len(part.encode()) for part in index.parts()) < 2_000


def test_a_full_history_is_small() -> None:
    index = HealthIndex("BTC", HealthParams(), META)
    for slot in range(600):
        values = dict.fromkeys(MEASURES, float(slot % 50))
        index.history.add(slot, "bybit:full", values, slot - 539)
    hour(index, 9, 1.0)
    assert sum(len(part.encode()) for part in index.parts()) < 20_000


def test_extreme_values_give_finite_rows() -> None:
    index = grown()
    health = one(index, 20 * HOUR, 9e18)
    assert health.health is not None and 0 <= health.health <= 100
    assert one(index, 20 * HOUR + 60, 0.0).health is not None


def test_codes_order_as_the_values_do() -> None:
    values = [-1e300, -5.0, -1e-9, 0.0, 1e-30, 0.1, 1.0, 1.5, 1e18, 1e300]
    codes = [code(value) for value in values]
    assert codes == sorted(codes) and len(set(codes)) == len(codes)
    assert max(codes) < ABSENT and code(-0.0) == code(0.0)


def test_a_history_comes_back_as_it_was_stored() -> None:
    history = History(("a", "b"), frozenset({"a"}))
    history.add(3, "x", {"a": 1.0}, 0)
    history.add(5, "y", {"a": 2.0, "b": -1.0}, 0)
    other = History(("a", "b"), frozenset({"a"}))
    other.load(history.stored())
    assert other.stored() == history.stored()
    other.rank_within("y")
    assert (other.count("a"), other.count("b")) == (1, 1)


def test_points_are_split_by_largest_remainders() -> None:
    assert apportion(10, {"a": 1.0, "b": 1.0, "c": 1.0}) == {"a": 4, "b": 3, "c": 3}
    assert apportion(0, {"a": 1.0}) == {"a": 0}
    assert sum(apportion(99_999, {str(n): 0.1 * n for n in range(1, 8)}).values()) == 99_999


def test_one_extreme_is_not_averaged_away() -> None:
    weights = {"a": 0.5, "b": 0.5}
    assert power_mean({"a": 1.0, "b": 0.0}, weights, 3) == pytest.approx(0.5 ** (1 / 3))


def test_weights_must_name_the_components_and_sum_to_one() -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        HealthParams(weights={**HealthParams().weights, "liquidity": 0.5})
    with pytest.raises(ValueError, match="name the components"):
        HealthParams(weights={"liquidation": 1.0})
