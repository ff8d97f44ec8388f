"""Both labels on toy cases, and the truth of short scenarios."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("numba")

from streams.config import MarginquakeError
from streams.simulation.assets import chosen
from streams.simulation.files import SERIES, TRUTH
from streams.simulation.flushes import Flush, FlushRule, flushes_of
from streams.simulation.labels import grouped, label
from streams.simulation.law import Law
from streams.simulation.market import Market, Opening
from streams.simulation.orders import VENUES
from streams.simulation.plan import calm, ordinary
from streams.simulation.points import KINDS, simulate_points
from streams.simulation.run import simulate
from streams.simulation.scenarios import (
    SATURDAY,
    SCENARIOS,
    WEDNESDAY,
    scenario,
    staged,
)
from streams.simulation.tape import MICROS, Tape
from streams.simulation.truth import Truth

START = 1_000_000_000


def tape_of(orders: dict[int, tuple[int, float]], steps: int = 2_000) -> Tape:
    """One asset with $1bn of interest; by second the longs' orders and dollars on one venue."""
    tape = Tape(steps, 1, len(VENUES), 1.0)
    tape.steps = steps
    tape.price[:] = 100.0
    tape.interest[:] = 1e7
    for second, (number, usd) in orders.items():
        tape.orders[second, 0, 1, 0] = number
        tape.usd[second, 0, 1, 0] = int(usd * MICROS)
    return tape


def found_in(orders: dict[int, tuple[int, float]]) -> list[Flush]:
    """Flushes of the asset; the rate of 4 bp is $400,000 in 60 s."""
    return [one for one in flushes_of(tape_of(orders), ["ETH"], START) if one.scope == "ETH"]


def test_a_flush_runs_from_the_start_of_its_run_up_to_its_last_order() -> None:
    found = found_in(dict.fromkeys(range(500, 600), (2, 20000.0)))
    assert len(found) == 1
    one = found[0]
    assert (one.side, one.onset, one.end) == ("long", START + 500, START + 599)
    assert one.usd == 2_000_000
    assert one.orders == 200
    assert one.crossed == START + 519
    assert one.usd_by_venue == {"bybit": 2_000_000}
    assert one.peaks == 1


def test_the_market_is_labelled_beside_its_assets() -> None:
    tape = tape_of(dict.fromkeys(range(500, 600), (2, 20000.0)))
    assert {one.scope for one in flushes_of(tape, ["ETH"], START)} == {"ETH", "ALL"}


def test_dollars_below_the_rate_are_no_flush() -> None:
    assert found_in(dict.fromkeys(range(500, 600), (2, 6000.0))) == []


def test_few_large_orders_are_no_flush() -> None:
    assert found_in(dict.fromkeys(range(500, 509), (1, 500000.0))) == []


def test_a_pause_within_the_quiet_time_does_not_end_a_flush() -> None:
    burst = dict.fromkeys(range(500, 600), (2, 20000.0))
    burst |= dict.fromkeys(range(780, 880), (2, 20000.0))
    found = found_in(burst)
    assert [(one.onset - START, one.end - START, one.peaks) for one in found] == [(500, 879, 2)]


def test_after_the_quiet_time_a_new_flush_begins() -> None:
    burst = dict.fromkeys(range(500, 600), (2, 20000.0))
    burst |= dict.fromkeys(range(1200, 1300), (2, 20000.0))
    assert [one.onset - START for one in found_in(burst)] == [500, 1_200]


def test_a_higher_rate_finds_no_more() -> None:
    tape = tape_of(dict.fromkeys(range(500, 600), (2, 20000.0)))
    assert flushes_of(tape, ["ETH"], START, FlushRule(rate_bp=200)) == []


def test_flushes_that_begin_together_share_a_fork_and_others_have_their_own() -> None:
    def flush(onset: int, end: int) -> Flush:
        return Flush("ETH", "long", onset, onset, end, onset, 1.0, 1.0, 1, 1.0, 1, {})

    groups = grouped([flush(100, 900), flush(130, 300), flush(150, 900), flush(400, 500)])
    assert [len(group) for group in groups] == [2, 1, 1]


def test_peaks_are_a_minute_apart_with_a_dip_between() -> None:
    burst = dict.fromkeys(range(500, 560), (2, 20000.0))
    near = burst | dict.fromkeys(range(640, 700), (2, 18000.0))
    assert [one.peaks for one in found_in(near)] == [2]
    # Sums of 60 s that only sink to 40 % of the largest are one peak.
    shallow = near | dict.fromkeys(range(560, 640), (2, 8000.0))
    assert [one.peaks for one in found_in(shallow)] == [1]


def market(impact: float, depth: float) -> Callable[[], Market]:
    assets = chosen(1)
    plan = calm(1_200, 1, 3)
    plan.drift[300:420, 0] -= 0.03 / 120
    law = Law(impact=impact, depth=depth, herd=0.0, stops=0.0)
    return lambda: Market(assets, law, plan, 5, START, Opening(0.8, 4.0, 0.02))


@pytest.mark.parametrize(("impact", "depth", "expected"), [(0.02, 0.1, False), (1.5, 0.006, True)])
def test_a_flush_feeds_on_itself_only_where_impact_matters(
    impact: float, depth: float, expected: bool
) -> None:
    opened = market(impact, depth)
    one = opened()
    tape = Tape(1_200, 1, 3, 1.0)
    for first, steps, orders, block in one.blocks(1_200):
        tape.take(first, steps, orders, block)
    found = [flush for flush in flushes_of(tape, ["BTC"], START) if flush.scope == "BTC"]
    labels = label(found, tape, opened)
    assert labels
    largest = max(labels, key=lambda one: one.flush.usd)
    assert largest.excess_share is not None
    assert largest.self_reinforcing is expected
    if not expected:
        assert abs(largest.excess_share) < 0.05
    else:
        assert largest.move_bp is not None and largest.counterfactual_move_bp is not None
        assert largest.move_bp < largest.counterfactual_move_bp


def test_weekends_and_hours_have_their_own_depth() -> None:
    week = ordinary(WEDNESDAY, 86_400, 1.0, 1, 3)
    rest = ordinary(SATURDAY, 86_400, 1.0, 1, 3)
    assert rest.depth.max() < week.depth.max()
    assert week.volatility[14 * 3600] > week.volatility[4 * 3600]


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_scenario_has_a_plan_for_every_seed(name: str) -> None:
    preset = scenario(name)
    for seed in range(4):
        stage = staged(preset, seed, [1.0, 1.2])
        assert len(stage.plan.drift) == stage.steps
        assert np.isfinite(stage.plan.drift).all()
        assert all(0 <= gap.begin < gap.end < stage.steps for gap in stage.gaps)


def test_plans_of_two_seeds_differ() -> None:
    one, two = (staged(scenario("build-up"), seed, [1.0]).plan.drift for seed in (1, 2))
    assert not np.array_equal(one, two)


def test_an_unknown_scenario_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(MarginquakeError, match="build-up"):
        scenario("nonsense")


@pytest.mark.parametrize(
    "name", ["build-up", "news-shock", "short-squeeze", "index-fault", "flash-wick", "feed-gap"]
)
def test_an_event_scenario_writes_its_truth(name: str, tmp_path: Path) -> None:
    run = simulate(scenario(name), 1, tmp_path, assets=1, hours=1.0)
    truth = msgspec.json.decode((tmp_path / TRUTH).read_bytes(), type=Truth)
    assert truth.scenario == name
    assert truth.forced_orders == int(run.tape.orders.sum()) > 0
    assert sum(row[5] for row in truth.forced) == pytest.approx(sum(truth.forced_usd.values()))
    assert truth.published_orders <= truth.forced_orders
    assert truth.parameters["gamma"] == 0.87
    assert truth.forced == sorted(truth.forced, key=lambda row: row[0])


def test_a_day_of_cycles_is_a_series_with_a_regime_path(tmp_path: Path) -> None:
    run = simulate(scenario("cycles"), 1, tmp_path, assets=1, hours=400)
    rows = (tmp_path / SERIES).read_text().splitlines()
    assert len(rows) == 401
    assert rows[0].startswith("time,open,high,low,close,oi_usd")
    assert run.lines == 0
    path = run.truth.regimes
    assert path[0].phase == "accumulation"
    assert [phase.at for phase in path] == sorted(phase.at for phase in path)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_second_generator_keeps_its_word(kind: str, tmp_path: Path) -> None:
    truth = simulate_points(kind, 2, tmp_path, assets=2, hours=1.0)
    assert bool(truth.flushes) == (kind == "event")
    assert 0 < truth.published_orders <= truth.forced_orders
    assert (truth.endogenous_share is None) == (kind != "event")
    if truth.endogenous_share is not None:
        assert 0.3 < truth.endogenous_share < 0.8


def test_bad_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match="--assets 99"):
        simulate(scenario("calm"), 1, tmp_path, assets=99)
    with pytest.raises(MarginquakeError, match="--hours"):
        simulate(scenario("calm"), 1, tmp_path, hours=1e6)
    with pytest.raises(MarginquakeError, match="needs at least --hours 10"):
        simulate(scenario("october-2025"), 1, tmp_path, hours=2)
    with pytest.raises(MarginquakeError, match="no point process"):
        simulate_points("nonsense", 1, tmp_path)
