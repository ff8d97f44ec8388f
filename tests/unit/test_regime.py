"""The regime detector on minutes: what it says when, and why a null is null."""

import msgspec
import pytest

from streams.core.detectors.regime.params import RegimeParams
from streams.core.events import MICROS
from streams.core.results import MARKET, Severity, WindowClass
from tests.regime_minutes import HOUR, START, Market, Run, cascade, days, minute, ordinary

CALM = Market(long_usd=1_000.0, short_usd=1_000.0)


def warmed(count: int = 21) -> Run:
    run = Run()
    run.hours(*days(count))
    return run


def crash(hours: int = 1) -> list[Market]:
    """Hours in which open interest falls, longs are closed and the price swings."""
    return [
        Market(
            price=50_000 * (1 - 0.03 * (step + 1)),
            swing=0.02,
            oi_base=100_000 * (1 - 0.02 * (step + 1)),
            long_usd=8e7,
            short_usd=1e6,
        )
        for step in range(hours)
    ]


def test_a_reading_comes_at_each_full_hour() -> None:
    run = Run()
    run.hours(CALM, CALM)
    assert [row.at for row in run.said()] == [(START + HOUR) * MICROS, (START + 2 * HOUR) * MICROS]
    assert run.last().watermark == run.last().at


def test_nothing_is_said_before_14_days_and_history_is_told() -> None:
    run = Run()
    run.hours(*days(13))
    young = run.last()
    assert young.state is None and young.p_liquidation is None
    assert (
        young.null_reasons["state"] == young.null_reasons["p_euphoria"] == "history_below_14_days"
    )
    assert young.history_days == 13.0
    run.hours(*days(2, first=13))
    assert run.last().p_liquidation is not None
    assert "p_liquidation" not in run.last().null_reasons


def test_an_ordinary_market_is_no_liquidation_and_no_euphoria() -> None:
    run = warmed(60)
    assert {row.state for row in run.said()} <= {None, "accumulation", "expansion"}
    assert run.last().drivers[0].feature in run.last().features


def test_percentiles_stand_beside_their_values() -> None:
    row = warmed().last()
    assert 0 <= row.features["leverage"] <= 1
    assert row.leverage_basis == "spot_volume"
    # 100,000 coins at about 50,000 over 24 x 1e8 of spot a day.
    assert row.features["leverage_raw"] == pytest.approx(5e9 / 2.4e9, rel=0.05)
    # 24 x 180,000 forced over 5e9.
    assert row.features["liquidations_raw"] == pytest.approx(24 * 180_000 / 5e9, rel=0.05)
    assert row.features["funding_raw"] == pytest.approx(0.0, abs=0.0001)
    assert row.missing == {"basis": "no_dated_futures"}


def test_an_input_that_is_missing_is_named_and_never_made_up() -> None:
    run = Run()
    nothing = Market(oi_base=None, funding_8h=None, spot_usd=None, depth_usd=None)
    run.hours(*[nothing] * 24 * 16)
    row = run.last()
    assert row.state is None
    assert row.null_reasons["state"] == "too_few_inputs"
    assert row.null_reasons["leverage_basis"] == "no_reserve_market_cap_or_spot_volume"
    assert row.missing["funding"] == "no_funding"
    assert row.missing["depth"] == "no_book"
    assert row.missing["oi_growth"] == row.missing["liquidations"] == "no_open_interest"
    assert "oi_growth" not in row.features and "funding_raw" not in row.features


def test_forced_dollars_of_a_half_blind_day_are_not_known() -> None:
    run = warmed()
    run.hours(*[msgspec.structs.replace(CALM, coverage=0.5)] * 13)
    assert run.last().missing["liquidations"] == "coverage_below_0.6"


@pytest.mark.parametrize("worse", ["major", "extreme"])
def test_a_grave_cascade_makes_a_liquidation_phase_in_ten_minutes(worse: Severity) -> None:
    run = warmed()
    run.hours(ordinary(21, 0))
    window = cascade(worse)
    run.readings.cascades[window.id] = window
    begun = run.at
    run.minutes(crash()[0], 2)
    (change,) = [one for one in run.transitions() if one.to_state == "liquidation"]
    assert change.at <= (begun + 600) * MICROS
    assert change.trigger_cascade_id == window.id
    assert change.probability >= 0.6
    row = run.last()
    assert (row.state, row.sub_state, row.transition_id) == ("liquidation", "active", change.id)
    assert row.dwell_h == 0.0


@pytest.mark.parametrize(
    ("severity", "window_class"),
    [("minor", "cascade"), ("moderate", "cascade"), (None, "cascade"), ("extreme", "burst")],
)
def test_a_lesser_window_does_not_hurry(severity: Severity, window_class: WindowClass) -> None:
    run = warmed()
    window = cascade(severity, window_class)
    run.readings.cascades[window.id] = window
    before = len(run.rows)
    run.minutes(ordinary(21, 0), 11)
    assert run.rows[before:] == []


def test_forced_flow_alone_makes_a_liquidation_phase_within_a_day() -> None:
    run = warmed()
    run.hours(*crash(8), *[crash(8)[-1]] * 12)
    (change,) = [one for one in run.transitions() if one.to_state == "liquidation"]
    assert change.trigger_cascade_id is None
    assert change.drivers[0].feature == "liquidations"
    assert change.drivers[0].value == 1.0


def test_the_phase_is_reset_when_flow_and_open_interest_have_settled_for_two_hours() -> None:
    run = warmed()
    window = cascade()
    run.readings.cascades[window.id] = window
    run.hours(*crash(2))
    assert run.last().sub_state == "active"
    run.readings.cascades.clear()
    settled = Market(price=47_000, oi_base=96_000.0, long_usd=50_000.0, short_usd=50_000.0)
    run.hours(settled)
    assert run.last().sub_state == "active"
    run.hours(settled)
    assert (run.last().state, run.last().sub_state) == ("liquidation", "reset")


def test_the_outcome_is_told_72_hours_later_in_a_row_of_its_own() -> None:
    run = warmed()
    window = cascade()
    run.readings.cascades[window.id] = window
    run.minutes(crash()[0], 2)
    (change,) = [one for one in run.transitions() if one.to_state == "liquidation"]
    run.minutes(crash()[0], 10)
    run.readings.cascades.clear()
    low = Market(price=48_000.0, oi_base=98_000.0, swing=0.0)
    high = Market(price=53_000.0, oi_base=98_000.0, swing=0.0)
    run.hours(*[low] * 40, *[high] * 31)
    assert run.resolutions() == []
    run.hours(high)
    (outcome,) = run.resolutions()
    assert outcome.transition_id == change.id
    assert outcome.resolved == "trend_resumed"
    assert outcome.price_high_after == 53_000.0
    assert outcome.price_before is not None and outcome.price_before < 51_000.0
    run.hours(*[high] * 80)
    assert len(run.resolutions()) == 1


def test_a_restart_at_any_hour_changes_nothing() -> None:
    plain, broken = Run(), Run()
    window = cascade()
    path = [*days(20), *crash(3), *days(3, first=21)]
    for index, market in enumerate(path):
        for run in (plain, broken):
            if index == 480:
                run.readings.cascades[window.id] = window
            run.minutes(market, 7)
            if run is broken and (index % 37 == 0 or index > 470):
                run.restart()
            run.minutes(market, 5)
    assert plain.rows == broken.rows
    assert any(row.to_state == "liquidation" for row in plain.transitions())


def test_the_state_is_small() -> None:
    run = Run()
    run.hours(*days(92))
    sizes = {part.name: len(part.encode()) for part in run.detector.parts()}
    assert sizes["live"] < 2_000
    assert sum(sizes.values()) < 40_000


def test_parts_keep_their_version_while_they_do_not_change() -> None:
    run = warmed(15)
    before = {part.name: (part.version, part.encode()) for part in run.detector.parts()}
    run.minutes(ordinary(15, 0), 6)
    after = {part.name: (part.version, part.encode()) for part in run.detector.parts()}
    for name in ("past", "ranks"):
        assert before[name] == after[name]
    run.minutes(ordinary(15, 0), 6)
    assert next(p.version for p in run.detector.parts() if p.name == "past") != before["past"][0]


def test_a_gap_of_months_starts_the_filter_anew_and_costs_nothing() -> None:
    run = warmed()
    assert run.last().p_expansion is not None
    run.at += 70 * 24 * HOUR
    run.minutes(ordinary(91, 0), 1)
    run.hours(*days(1, first=91))
    row = run.last()
    assert row.history_days < 21
    assert row.missing["oi_growth"] == "no_open_interest_168_h_ago"


def test_an_hour_that_breaks_off_is_closed_by_the_next_minute() -> None:
    run = Run()
    run.take(minute(START, CALM))
    assert run.rows == []
    run.take(minute(START + 5 * HOUR, CALM))
    (row,) = run.said()
    assert row.at == (START + 5 * HOUR + 60) * MICROS


def test_the_market_s_open_interest_is_in_units_of_its_basket() -> None:
    run = Run(scope=MARKET)
    for index, market in enumerate(days(21)):
        at = START + index * HOUR
        for step in range(12):
            one = minute(at + step * 300 + 240, market, MARKET)
            run.take(msgspec.structs.replace(one, oi_volume=None))
    row = run.last()
    assert row.scope == MARKET and row.p_expansion is not None
    assert abs(row.features["oi_growth_raw"]) < 0.05


@pytest.mark.parametrize("price", [1e-9, 1e9])
@pytest.mark.parametrize("size", [1e-9, 9e12])
def test_extreme_values_neither_raise_nor_spread(price: float, size: float) -> None:
    run = Run(RegimeParams(min_history_days=1, min_feature_days=1))
    for index, market in enumerate(days(9)):
        wild = index % 2 == 0
        run.hours(
            msgspec.structs.replace(
                market,
                price=price if wild else 50_000.0,
                oi_base=size / price if wild else 1e-12,
                long_usd=9e11 if wild else 0.0,
                short_usd=0.0,
                funding_8h=1e6 if wild else -1e6,
                spot_usd=0.0,
                depth_usd=0.0,
            )
        )
    for row in run.said():
        assert b"null" not in msgspec.json.encode(row.features)
