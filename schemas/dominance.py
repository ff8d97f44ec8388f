"""Derivatives against spot, documented field by field.

Twin of `streams.core.results.dominance` (held equal by a test).
"""

from typing import Literal

from schemas.signals import SignalRow
from schemas.units import Finite, NotNegative, Share, Some, Text, UsdMicros
from streams.core.results.dominance import DominanceState


class Dominance(SignalRow):
    """Volume of a fixed basket over a window; definition `dominance`."""

    type: Literal["dominance"]
    """Tag of the message type."""
    window_s: Some
    """Length of the window, s: 3600, 86400 or 604800."""
    derivatives_usd: UsdMicros | None
    """Volume of perpetuals and futures, micro-dollars. Null without their trades."""
    spot_usd: UsdMicros | None
    """Volume of spot markets, micro-dollars. Null without their trades."""
    share: Share | None
    """Derivatives over both."""
    ratio: NotNegative | None
    """Derivatives over spot."""
    oi_spot_adv: NotNegative | None
    """Open interest over the average daily spot volume."""
    lead_share: Share | None
    """How often derivatives move first. Null without both prices."""
    state: DominanceState | None
    """Who leads. Null when the ratio or what else decides is missing."""
    basket: Text
    """Name of the fixed basket of venues."""
    basket_coverage: Share
    """Share of the basket's venues that were healthy."""
    trend_90d: Finite | None
    """Change of the share over 90 days."""
    trend_365d: Finite | None
    """Change of the share over 365 days."""
    oi_market_cap: NotNegative | None
    """Open interest over market capitalisation. Null without the outside series."""
    oi_market_cap_90d: Finite | None
    """Its change over 90 days."""
    history_days: NotNegative
    """Days of history."""
