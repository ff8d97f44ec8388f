"""Long/short imbalance of forced flow, documented field by field.

Twin of `streams.core.results.imbalance` (held equal by a test). Promises that corrected dollars
are not below observed ones.
"""

from collections.abc import Set
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from schemas.signals import SignalRow
from schemas.units import Count, Finite, NotNegative, Share, Some, UsdMicros, Venue
from streams.core.events import PositionSide
from streams.core.results.cascades import Identifiability
from streams.core.results.imbalance import ImbalanceLabel


class Imbalance(SignalRow):
    """Who was closed by force over a window; definition `imbalance`."""

    self_evident: ClassVar[Set[str]] = frozenset({"venue", "dominant"})

    type: Literal["imbalance"]
    """Tag of the message type."""
    venue: Venue | None
    """Dimension: the only venue counted. Null is the sum over all venues."""
    window_s: Some
    """Length of the window, s: 300, 3600 or 86400."""
    long_usd: UsdMicros | None
    """Closed longs, corrected for throttled feeds, micro-dollars. Null when no venue tells."""
    short_usd: UsdMicros | None
    """Closed shorts, likewise."""
    long_observed: UsdMicros
    """Closed longs as published, late ones included, micro-dollars."""
    short_observed: UsdMicros
    """Closed shorts as published."""
    events: Count
    """Published forced orders."""
    n_eff: NotNegative
    """Kish's effective number of orders, (sum w)^2 / sum w^2."""
    kappa_usd: UsdMicros
    """Shrinkage: the ordinary total of five minutes, micro-dollars."""
    neutral_share: Share
    """Natural long share of the basket, slowly estimated."""
    long_share: Share | None
    """Longs over both sides, unshrunk. Null when nothing was closed."""
    lsi: Finite | None
    """(L - S) / (L + S + kappa), -1..1."""
    lsi_adjusted: Finite | None
    """Logit of the shrunk long share less that of the natural share."""
    z: Finite | None
    """Significance of lsi_adjusted by the effective number of orders."""
    total_percentile: Share | None
    """Rank of the total among its own history, 0..1."""
    history_days: Count
    """Observed days of the same basket behind kappa_usd and total_percentile."""
    dominant: PositionSide | None
    """The side that dominates by share, significance and size. Null when neither does."""
    label: ImbalanceLabel | None
    """What the dominance means in context. Null when no side dominates or its context is missing
    (then with a reason)."""
    price_change: Finite | None
    """Context of a dominant side: relative change of the price over the window."""
    funding_percentile: Share | None
    """Context: rank of the funding of the day before."""
    oi_change: Finite | None
    """Context: relative change of open interest in coins over the window."""
    oi_change_7d: Finite | None
    """Context: the same over the 7 days up to the window's end."""
    identifiability: Identifiability
    """`ok`; else the corrected dollars are a floor."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        for corrected, observed in (
            (self.long_usd, self.long_observed),
            (self.short_usd, self.short_observed),
        ):
            if corrected is not None and corrected < observed:
                raise ValueError("corrected dollars are at least the observed ones")
        return self
