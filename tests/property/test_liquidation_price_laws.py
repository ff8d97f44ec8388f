"""At the liquidation price the margin left is the maintenance margin, and no price before it is."""

from itertools import pairwise
from typing import Literal

from hypothesis import assume, given
from hypothesis import strategies as st

from streams.core.detectors.zones.liquidation_price import (
    MarginTier,
    inverse_price,
    linear_price,
    margin_tiers,
    tier_of,
)
from streams.core.detectors.zones.margin import MARGINS, liquidation_ratio
from streams.core.detectors.zones.params import ZoneParams

Side = Literal["long", "short"]
SIDES = st.sampled_from(("long", "short"))
ENTRIES = st.floats(1e-9, 1e9)
LEVERAGES = st.floats(1.0, 150.0)
RATES = st.floats(0.0, 0.5)
SIZES = st.floats(1e-6, 1e9)
AMOUNTS = st.floats(0.0, 0.02)


@given(SIDES, ENTRIES, LEVERAGES, RATES, AMOUNTS, SIZES)
def test_a_linear_position_is_liquidated_where_its_margin_is_the_maintenance_margin(
    side: Side, entry: float, leverage: float, rate: float, share: float, quantity: float
) -> None:
    amount = share * entry * quantity
    price = linear_price(side, entry, leverage, rate, amount, quantity)
    assume(price is not None)
    assert price is not None
    sign = 1 if side == "long" else -1
    margin = quantity * entry / leverage + sign * quantity * (price - entry)
    maintenance = quantity * price * rate - amount
    assert abs(margin - maintenance) / (quantity * max(entry, price)) < 1e-9


@given(SIDES, ENTRIES, LEVERAGES, RATES, AMOUNTS, SIZES)
def test_an_inverse_position_is_liquidated_where_its_margin_is_the_maintenance_margin(
    side: Side, entry: float, leverage: float, rate: float, share: float, usd: float
) -> None:
    amount = share * usd / entry
    price = inverse_price(side, entry, leverage, rate, amount, usd)
    assume(price is not None)
    assert price is not None
    sign = 1 if side == "long" else -1
    margin = usd / (entry * leverage) + sign * usd * (1 / entry - 1 / price)
    maintenance = rate * usd / price - amount
    assert abs(margin - maintenance) / (usd / min(entry, price)) < 1e-9


@given(ENTRIES, st.floats(2.0, 100.0), st.floats(1.1, 2.0))
def test_more_leverage_is_liquidated_nearer_to_the_entry(
    entry: float, leverage: float, more: float
) -> None:
    for solve in (linear_price, inverse_price):
        for side in ("long", "short"):
            near, far = solve(side, entry, leverage * more, 0.0), solve(side, entry, leverage, 0.0)
            assert near is not None and far is not None
            assert abs(near - entry) < abs(far - entry)


@given(st.lists(st.tuples(st.floats(1.0, 1e8), st.floats(0.001, 0.2)), min_size=1, max_size=8))
def test_maintenance_margin_is_continuous_where_tiers_meet(
    steps: list[tuple[float, float]],
) -> None:
    floor = rate = 0.0
    rows = [(0.0, 0.004, 125.0)]
    for wide, more in steps:
        floor, rate = floor + wide, rate + more
        rows.append((floor, 0.004 + rate, 10.0))
    tiers = margin_tiers(*rows)

    def margin(tier: MarginTier) -> float:
        return tier.rate * at - tier.amount

    for below, above in pairwise(tiers):
        at = above.floor_usd
        assert abs(margin(below) - margin(above)) < 1e-9 * max(1.0, at)
        assert tier_of(tiers, at) == above


def test_every_venue_liquidates_every_leverage_on_the_losing_side_of_its_entry() -> None:
    params = ZoneParams()
    for margin in MARGINS:
        for leverage in params.leverages:
            for size in (params.position_usd, params.position_usd_large, params.position_usd_major):
                long = liquidation_ratio(margin, "long", leverage, size)
                short = liquidation_ratio(margin, "short", leverage, size)
                assert long is not None and 0.3 < long < 1, margin
                assert short is not None and 1 < short < 2.5, margin
