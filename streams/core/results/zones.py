"""Liquidation map as it is published; definition `zones` (1.5).

`schemas/zones.py` documents the same fields.
"""

import msgspec

from streams.core.events import PositionSide
from streams.core.results.signals import SignalRow

FUEL_DISTANCES = (0.005, 0.01, 0.02, 0.05)
"""Moves of the price for which the estimated forced dollars in the path are told."""


class Zone(msgspec.Struct, frozen=True):
    """A band of prices where much is estimated to be liquidated; dollars in micro-dollars.

    `distance_bp` is signed from the price to the nearer edge, `leverage_mix` the dollar share by
    leverage ("10" = 10x).
    """

    price_low: float
    price_high: float
    side: PositionSide
    usd_estimated: int
    usd_low: int
    usd_high: int
    distance_bp: float
    age_h: float
    leverage_mix: dict[str, float]


class ZoneMap(SignalRow, frozen=True, kw_only=True, tag="zones"):
    """Estimated liquidation dollars by price. Tuples follow FUEL_DISTANCES.

    `zones`, fuel and pain prices are None while `hidden` (the map's skill is not positive).
    """

    price: float | None
    hidden: bool
    skill: float | None
    skill_uniform: float | None
    auc: float | None
    n_scored: int
    observed_share: float | None
    map_usd: int | None
    fuel_below_usd: tuple[int, ...] | None
    fuel_above_usd: tuple[int, ...] | None
    fuel_depth_below: float | None
    fuel_depth_above: float | None
    armed: bool | None
    pain_long: float | None
    pain_short: float | None
    concentration: float | None
    share_within_5pct: float | None
    zones: tuple[Zone, ...] | None
