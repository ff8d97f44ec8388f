"""Liquidation map, documented field by field.

Twins of `streams.core.results.zones` (held equal by a test). Promises that a hidden map shows
nothing, and that a zone's bounds are ordered.
"""

from collections.abc import Set
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from schemas.signals import SignalRow
from schemas.units import Count, Finite, NotNegative, Positive, Row, Share, UsdMicros
from streams.core.events import PositionSide


class Zone(Row):
    """A band of prices where much is estimated to be liquidated."""

    price_low: Positive
    """Lower edge, USD."""
    price_high: Positive
    """Upper edge, USD."""
    side: PositionSide
    """Which positions would be closed."""
    usd_estimated: UsdMicros
    """Estimated dollars, micro-dollars."""
    usd_low: UsdMicros
    """Lower end of the estimate."""
    usd_high: UsdMicros
    """Upper end of the estimate."""
    distance_bp: Finite
    """Signed distance from the price to the nearer edge, basis points."""
    age_h: NotNegative
    """Mean age of the positions behind it, hours."""
    leverage_mix: dict[str, Share]
    """Share of the dollars by leverage; `10` is 10x."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.price_low < self.price_high:
            raise ValueError("price_low lies below price_high")
        if not self.usd_low <= self.usd_estimated <= self.usd_high:
            raise ValueError("usd_low <= usd_estimated <= usd_high")
        return self


class ZoneMap(SignalRow):
    """Estimated liquidation dollars by price; definition `zones`."""

    self_evident: ClassVar[Set[str]] = frozenset()

    type: Literal["zones"]
    """Tag of the message type."""
    price: Positive | None
    """Reference price, USD."""
    hidden: bool
    """The map's skill is not positive, or not known: the map is not shown."""
    skill: Finite | None
    """Log-score against a volume-profile map, per liquidated dollar. Null before enough scores."""
    skill_uniform: Finite | None
    """Log-score against a map that knows distance only."""
    auc: Share | None
    """Probability that a liquidation's price ranks above a random one of the map."""
    n_scored: Count
    """Liquidations behind the scores."""
    observed_share: Share | None
    """Share of open interest whose positions are public. Null without open interest."""
    map_usd: UsdMicros | None
    """Dollars on the whole map, micro-dollars."""
    fuel_below_usd: tuple[UsdMicros, ...] | None
    """Longs to be closed on the way 0.5, 1, 2 and 5 % down, micro-dollars."""
    fuel_above_usd: tuple[UsdMicros, ...] | None
    """Shorts to be closed on the way up, likewise."""
    fuel_depth_below: NotNegative | None
    """Fuel within 1 % below over bid depth there."""
    fuel_depth_above: NotNegative | None
    """Fuel within 1 % above over ask depth there."""
    armed: bool | None
    """Fuel exceeds depth on a side."""
    pain_long: Positive | None
    """Price at which half of the mapped longs are closed, USD."""
    pain_short: Positive | None
    """Price at which half of the mapped shorts are closed, USD."""
    concentration: Share | None
    """Herfindahl index of the map's bins."""
    share_within_5pct: Share | None
    """Share of the map within 5 % of the price."""
    zones: tuple[Zone, ...] | None
    """The zones, nearest first. Null while hidden."""

    @model_validator(mode="after")
    def _hides(self) -> Self:
        if self.hidden and (self.zones is not None or self.fuel_below_usd is not None):
            raise ValueError("a hidden map shows no zones and no fuel")
        return self
