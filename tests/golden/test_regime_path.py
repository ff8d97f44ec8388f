"""The regime's path through real years, as a practitioner would draw it.

The series is local and never committed. Dates of the crashes are history: Terra and its aftermath
(2022-05-12), Celsius (2022-06-13), FTX (2022-11-09). The path was looked at while weights were
chosen: this holds its sanity, it is no out-of-sample score.
"""

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from streams.edges.series import RegimePath, read_series, regime_path

SERIES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "series"
DAILY = SERIES / "btc_daily_2022_01_2023_06.csv"
HOURLY = SERIES / "btc_hourly_2025_12_2026_01.csv"
pytestmark = pytest.mark.skipif(
    not DAILY.exists() and "CI" not in os.environ, reason="the shared series are not here"
)
WITHIN = timedelta(days=4)


@cache
def path(file: Path) -> RegimePath:
    return regime_path(read_series(file))


def when(second: int | None) -> datetime:
    return (
        datetime.max.replace(tzinfo=UTC) if second is None else datetime.fromtimestamp(second, UTC)
    )


@pytest.mark.parametrize("crash", ["2022-05-12", "2022-06-13", "2022-11-09"])
def test_a_crash_of_2022_is_a_liquidation_phase_within_days(crash: str) -> None:
    day = datetime.fromisoformat(crash).replace(tzinfo=UTC)
    entered = [
        passage
        for passage in path(DAILY).passages
        if passage.to_state == "liquidation" and abs(when(passage.at) - day) <= WITHIN
    ]
    assert entered
    (first, *_) = entered
    assert first.drivers[0].feature == "liquidations"
    assert when(first.until) > when(first.at) + timedelta(hours=24)


def test_euphoria_is_rare_and_liquidation_an_exception() -> None:
    hours = path(DAILY).hours
    total = sum(hours.values())
    assert hours.get("euphoria", 0) / total < 0.05
    assert 0.01 < hours["liquidation"] / total < 0.10
    assert hours.get("none", 0) / total < 0.15


def test_nothing_is_told_before_14_days() -> None:
    for file in (DAILY, HOURLY):
        bars = read_series(file)
        begin = next(bars).start
        first = path(file).passages[0]
        assert when(first.at) >= when(begin) + timedelta(days=14)
        assert path(file).hours["unknown"] >= 13 * 24


def test_phases_follow_each_other_as_the_definition_allows() -> None:
    allowed = {
        (None, "accumulation"),
        (None, "expansion"),
        (None, "euphoria"),
        (None, "liquidation"),
        ("accumulation", "expansion"),
        ("expansion", "accumulation"),
        ("expansion", "euphoria"),
        ("euphoria", "expansion"),
        ("accumulation", "liquidation"),
        ("expansion", "liquidation"),
        ("euphoria", "liquidation"),
        ("liquidation", "accumulation"),
        ("liquidation", "expansion"),
    }
    for file in (DAILY, HOURLY):
        assert {(one.from_state, one.to_state) for one in path(file).passages} <= allowed


def test_a_phase_is_not_changed_for_another_within_its_least_stay() -> None:
    least = {"accumulation": 24, "expansion": 24, "euphoria": 12, "liquidation": 1}
    for passage in path(DAILY).passages:
        assert when(passage.until) >= when(passage.at) + timedelta(hours=least[passage.to_state])


def test_the_slide_of_january_2026_is_the_only_liquidation_phase_of_its_series() -> None:
    crashes = [one for one in path(HOURLY).passages if one.to_state == "liquidation"]
    assert [when(one.at).date().isoformat() for one in crashes] == ["2026-01-21"]


def test_every_liquidation_phase_old_enough_is_resolved_from_hindsight() -> None:
    passages = path(DAILY).passages
    forced = [one for one in passages if one.to_state == "liquidation"]
    assert len(forced) >= 5
    assert {one.resolved for one in forced} == {"trend_resumed", "consolidation"}
    assert all(one.resolved is None for one in passages if one.to_state != "liquidation")
