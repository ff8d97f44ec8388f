"""Driver shares add up, name what they lack, and give known truths back."""

from math import isnan, nan
from random import Random

import pytest

from streams.core.detectors.least_squares import explained, interval_80, shapley
from streams.core.detectors.minutes import Minute
from streams.core.detectors.readings import Readings
from streams.core.detectors.volatility.drivers import DriverShares, fit
from streams.core.detectors.volatility.hours import Hours, drivers_of, names_of
from streams.core.detectors.volatility.params import VolatilityParams
from streams.core.events import MICROS
from streams.core.frames import MacroValue
from streams.core.results import Dominance, Liquidity, ZoneMap

PARAMS = VolatilityParams()
KEEP = 60 * 24 + 168
NOON = 1_790_000_000 // 86400 * 86400 + 12 * 3600


def history(hours: int, *, weekends: bool = True) -> Hours:
    """Log variance = 2 leverage + 1 depth + 2 noise, all standard normal and independent."""
    random = Random(5)  # noqa: S311
    found = Hours(names_of(PARAMS), KEEP)
    for hour in range(hours):
        lever, thin, noise = (random.gauss(0, 1) for _ in range(3))
        values = {"leverage": lever, "depth_50": thin, "variance": 2 * lever + thin + 2 * noise}
        if weekends or hour // 24 % 7 < 5:
            values["uncertainty"] = random.gauss(0, 1)
        values["cme_oi_share"] = 0.25
        found.append(hour, values)
    return found


def added(shares: DriverShares) -> float:
    return sum(share.value for share in shares.shares.values())


def test_independent_drivers_get_their_part_of_the_variance() -> None:
    shares = fit(history(KEEP), PARAMS)
    assert shares.hours == KEEP - 101
    assert shares.shares["leverage"].value == pytest.approx(4 / 9, abs=0.05)
    assert shares.shares["depth"].value == pytest.approx(1 / 9, abs=0.03)
    assert shares.shares["unexplained"].value == pytest.approx(4 / 9, abs=0.05)
    assert shares.shares["persistence"].value < 0.02
    assert shares.shares["uncertainty"].value < 0.01
    for share in shares.shares.values():
        assert 0 <= share.low <= share.value <= share.high <= 1
    lever = shares.shares["leverage"]
    # The standard error of R2 at n hours is about 2 R (1 - R2) / sqrt(n) = 0.02.
    assert 0.01 < (lever.high - lever.low) / 2 / 1.3 < 0.03


def test_shares_add_up_to_one() -> None:
    assert added(fit(history(500), PARAMS)) == pytest.approx(1.0)


def test_what_is_missing_is_named() -> None:
    shares = fit(history(600), PARAMS)
    assert shares.missing == {"institutional": "never_changed", "dominance": "no_dominance"}


def test_hours_with_all_drivers_are_counted_alone() -> None:
    assert fit(history(KEEP, weekends=False), PARAMS).hours < KEEP * 5 / 7 + 24
    few = fit(history(500, weekends=False), PARAMS)
    assert few.missing["uncertainty"] == "history_below_14_days"
    assert few.hours == 500 - 101


def test_a_short_history_gives_no_share() -> None:
    shares = fit(history(336), PARAMS)
    assert not shares.shares
    assert set(shares.missing.values()) == {"history_below_14_days"}
    assert "unexplained" in shares.missing


def test_a_column_that_repeats_another_shares_its_part() -> None:
    moments = [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 2.0]]
    assert shapley(moments, [1, 1]) == [0.25, 0.25]
    assert explained(moments) == 0.5


def test_columns_of_one_group_are_taken_together() -> None:
    moments = [
        [1.0, 0.0, 0.0, 1.0],
        [0.0, 1.0, 0.0, 1.0],
        [0.0, 0.0, 1.0, 1.0],
        [1.0, 1.0, 1.0, 4.0],
    ]
    assert shapley(moments, [2, 1]) == [0.5, 0.25]


def test_shapley_averages_over_the_orders() -> None:
    # Correlated by 0.5; y = x1 + x2. Alone each explains 0.75 of 3, both all of it.
    moments = [[1.0, 0.5, 1.5], [0.5, 1.0, 1.5], [1.5, 1.5, 3.0]]
    assert shapley(moments, [1, 1]) == pytest.approx([0.5, 0.5])
    # y = x1 alone: x2 first takes 0.25, x1 after it 0.75.
    moments = [[1.0, 0.5, 1.0], [0.5, 1.0, 0.5], [1.0, 0.5, 1.0]]
    assert shapley(moments, [1, 1]) == pytest.approx([0.875, 0.125])


def test_the_jackknife_interval_of_a_mean_is_students() -> None:
    data = [0.3, 0.5, 0.4, 0.6, 0.2]
    without = [(sum(data) - x) / 4 for x in data]
    low, high = interval_80(0.4, without)
    error = (sum((x - 0.4) ** 2 for x in data) / 4 / 5) ** 0.5
    assert low == pytest.approx(0.4 - 1.533 * error, abs=1e-3)
    assert high == pytest.approx(0.4 + 1.533 * error, abs=1e-3)


def test_hours_in_between_stay_unknown_and_old_ones_go() -> None:
    hours = Hours(("variance", "leverage"), 5)
    hours.append(10, {"variance": 1.0})
    hours.append(13, {"variance": 2.0, "leverage": 3.0})
    assert hours.first == 10
    assert [isnan(x) for x in hours.columns["variance"]] == [False, True, True, False]
    hours.append(16, {"variance": 4.0})
    assert (hours.first, len(hours)) == (12, 5)
    hours.append(10_000_000, {"variance": nan, "leverage": 1e300})
    assert (hours.first, len(hours)) == (10_000_000, 1)
    assert hours.columns["leverage"][0] == pytest.approx(1e12)


def test_stored_hours_come_back() -> None:
    one, again = history(50), Hours(names_of(PARAMS), KEEP)
    again.decode(one.encode())
    assert again.first == one.first
    assert again.encode() == one.encode()


def minute(end: int, macro: dict[str, MacroValue] | None = None) -> Minute:
    return Minute(
        "BTC",
        end - 60,
        1.0,
        (),
        (),
        None,
        None,
        None,
        None,
        None,
        10_000 * MICROS,
        None,
        None,
        (),
        (),
        (),
        (),
        (),
        (),
        macro or {},
    )


def test_drivers_are_read_when_the_hour_begins() -> None:
    macro = {
        "VIX": MacroValue("VIX", 20.0, NOON * MICROS),
        "etf_net_flow": MacroValue("etf_net_flow", -3e8, (NOON - 86400) * MICROS),
        "coinbase_premium": MacroValue("coinbase_premium", 1e-4, (NOON - 7200) * MICROS),
    }
    found = drivers_of(minute(NOON, macro), Readings(), PARAMS)
    assert found == {"uncertainty": pytest.approx(2.9957, abs=1e-4), "etf_net_flow": -3e8}
    assert drivers_of(minute(NOON + 1200, macro), Readings(), PARAMS) == {}


def test_without_other_detectors_a_driver_is_missing() -> None:
    assert drivers_of(minute(NOON), Readings(), PARAMS) == {}
    for kind in (Dominance, Liquidity, ZoneMap):
        assert Readings().last(kind) is None
