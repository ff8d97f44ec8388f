"""Volatility and what drives it, documented field by field.

Twin of `streams.core.results.volatility` (held equal by a test). Promises that each interval
holds its share.
"""

from typing import Literal, Self

from pydantic import model_validator

from schemas.signals import SignalRow
from schemas.units import Count, Finite, NotNegative, Share, Some

SHARES = (
    "forced",
    "macro",
    "persistence",
    "leverage",
    "depth",
    "uncertainty",
    "institutional",
    "dominance",
    "unexplained",
)


class Volatility(SignalRow):
    """Realised variance over a window and its attribution; definition `volatility`."""

    type: Literal["volatility"]
    """Tag of the message type."""
    window_s: Some
    """Length of the window, s: 300, 3600 or 86400."""
    realised: NotNegative | None
    """Sum of squared 5-s log returns. Null without enough prices."""
    annualised: NotNegative | None
    """Standard deviation per 365 days."""
    bipower: NotNegative | None
    """Bipower variation, robust to jumps."""
    jump: NotNegative | None
    """Realised less bipower, at least 0."""
    jump_z: Finite | None
    """Jump test of Barndorff-Nielsen and Shephard."""
    jump_significant: bool | None
    """The test rejects a path without jumps at 99.9 %."""
    semivariance_up: NotNegative | None
    """Part of realised from rising returns."""
    semivariance_down: NotNegative | None
    """Part of realised from falling returns."""
    realised_z: Finite | None
    """Realised against its ordinary value at this hour, in standard deviations."""
    forced: Share | None
    """Share of variance: variance around forced flow beyond that of matched seconds."""
    forced_low: Share | None
    """Lower end of its 80 % interval."""
    forced_high: Share | None
    """Upper end."""
    macro: Share | None
    """Share of variance: variance that outside series explain."""
    macro_low: Share | None
    """Lower end of its 80 % interval."""
    macro_high: Share | None
    """Upper end."""
    persistence: Share | None
    """Share of variance: driver: its own past (HAR terms)."""
    persistence_low: Share | None
    """Lower end of its 80 % interval."""
    persistence_high: Share | None
    """Upper end."""
    leverage: Share | None
    """Share of variance: driver: leverage density."""
    leverage_low: Share | None
    """Lower end of its 80 % interval."""
    leverage_high: Share | None
    """Upper end."""
    depth: Share | None
    """Share of variance: driver: thin books."""
    depth_low: Share | None
    """Lower end of its 80 % interval."""
    depth_high: Share | None
    """Upper end."""
    uncertainty: Share | None
    """Share of variance: driver: macro uncertainty."""
    uncertainty_low: Share | None
    """Lower end of its 80 % interval."""
    uncertainty_high: Share | None
    """Upper end."""
    institutional: Share | None
    """Share of variance: driver: institutional proxies."""
    institutional_low: Share | None
    """Lower end of its 80 % interval."""
    institutional_high: Share | None
    """Upper end."""
    dominance: Share | None
    """Share of variance: driver: derivatives dominance."""
    dominance_low: Share | None
    """Lower end of its 80 % interval."""
    dominance_high: Share | None
    """Upper end."""
    unexplained: Share | None
    """Share of variance: what nothing above explains."""
    unexplained_low: Share | None
    """Lower end of its 80 % interval."""
    unexplained_high: Share | None
    """Upper end."""
    driver_hours: Count
    """Hours behind the shares of drivers."""
    history_days: NotNegative
    """Days of history."""

    @model_validator(mode="after")
    def _intervals(self) -> Self:
        for name in SHARES:
            share, low, high = (getattr(self, f"{name}{end}") for end in ("", "_low", "_high"))
            if None not in (share, low, high) and not low <= share <= high:
                raise ValueError(f"{name}_low <= {name} <= {name}_high")
        return self
