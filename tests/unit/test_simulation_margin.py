"""The margin arithmetic of the simulator against hand-computed liquidations (definitions 3.7)."""

from itertools import pairwise

import pytest

pytest.importorskip("numba")

from streams.simulation.assets import TIERS, tier_tables
from streams.simulation.margin import (
    bankruptcy_price,
    liquidation_price,
    maintenance,
    tier,
)
from streams.simulation.orders import VENUES


def test_a_ten_times_long_is_called_at_the_published_exact_price() -> None:
    # 60,000 * (1 - 1/10) / (1 - 0.005); the common approximation says 54,300.
    assert liquidation_price(1, 60_000.0, 1.0, 6_000.0, 0.005, 0.0) == pytest.approx(
        54_271.3567839196
    )


def test_a_maintenance_amount_moves_the_call_of_a_long_away() -> None:
    # 60,000 * (1 - 0.1 - 50/60,000) / 0.995
    assert liquidation_price(1, 60_000.0, 1.0, 6_000.0, 0.005, 50.0) == pytest.approx(
        54_221.1055276382
    )


def test_a_ten_times_short_is_called_at_the_published_exact_price() -> None:
    # 60,000 * (1 + 0.1 + 50/60,000) / 1.005
    assert liquidation_price(-1, 60_000.0, 1.0, 6_000.0, 0.005, 50.0) == pytest.approx(
        65_721.3930348259
    )


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("coins", [0.01, 3.0, 450.0])
@pytest.mark.parametrize("leverage", [2.0, 12.5, 90.0])
def test_at_the_call_the_margin_equals_the_maintenance_margin(
    side: int, coins: float, leverage: float
) -> None:
    entry, rate = 3_120.0, 0.005
    amount = 0.001 * entry * coins
    margin = entry * coins / leverage
    call = liquidation_price(side, entry, coins, margin, rate, amount)
    left = margin + side * coins * (call - entry)
    assert left == pytest.approx(maintenance(call * coins, rate, amount), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("side", [1, -1])
def test_nothing_is_left_at_the_bankruptcy_price(side: int) -> None:
    price = bankruptcy_price(side, 100.0, 4.0, 20.0)
    assert price == 100.0 - side * 5.0
    assert 20.0 + side * 4.0 * (price - 100.0) == 0.0


def test_a_position_is_called_before_it_is_bankrupt() -> None:
    call = liquidation_price(1, 100.0, 4.0, 20.0, 0.01, 0.0)
    assert bankruptcy_price(1, 100.0, 4.0, 20.0) < call < 100.0


def test_maintenance_margin_is_continuous_where_tiers_meet() -> None:
    floors, rates, amounts = tier_tables()
    for venue in range(len(VENUES)):
        for kind in range(3):
            for low, high in pairwise(range(TIERS)):
                edge = floors[venue, kind, high]
                below = maintenance(edge, rates[venue, kind, low], amounts[venue, kind, low])
                above = maintenance(edge, rates[venue, kind, high], amounts[venue, kind, high])
                assert below == pytest.approx(above)


def test_a_notional_stands_in_the_tier_whose_floor_it_reaches() -> None:
    floors, _, _ = tier_tables()
    first = floors[0, 0]
    assert [tier(first, notional) for notional in (1.0, 299_999.0, 300_000.0, 1e9)] == [0, 0, 1, 4]
