"""Positioning and funding, documented field by field.

Twins of `streams.core.results.positioning` (held equal by a test).
"""

from collections.abc import Set
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.signals import SignalRow
from schemas.units import (
    INT64_MAX,
    Count,
    Finite,
    Micros,
    NotNegative,
    Positive,
    Row,
    Some,
    UsdMicros,
    Venue,
)
from streams.core.results.positioning import Quadrant


class Positioning(SignalRow):
    """Price against open interest over a window; definition `positioning`."""

    self_evident: ClassVar[Set[str]] = frozenset({"venue"})

    type: Literal["positioning"]
    """Tag of the message type."""
    venue: Venue | None
    """Dimension: the only venue counted. Null is the sum over all venues."""
    window_s: Some
    """Length of the window, s: 900, 14400 or 86400."""
    quadrant: Quadrant | None
    """Who acts: by the signs of both changes, `flat` inside the dead band."""
    price: Positive | None
    """Reference price at the end, USD."""
    price_change: Finite | None
    """Relative change of the price."""
    oi_usd: UsdMicros | None
    """One-sided open interest at the end, micro-dollars."""
    oi_base: NotNegative | None
    """The same in coins. Null for the market."""
    oi_change: Finite | None
    """Relative change in coins."""
    oi_change_usd: Annotated[int, Field(ge=-INT64_MAX, le=INT64_MAX)] | None
    """The change in coins at the last price, micro-dollars."""
    oi_by_venue: dict[str, UsdMicros]
    """One-sided open interest by venue, micro-dollars; empty in a venue's own row."""


class VenueFunding(Row):
    """Funding of a venue's largest contract."""

    venue: Venue
    """Venue."""
    rate: Finite
    """Rate of the present cycle, a fraction."""
    interval_s: Count | None
    """Length of the cycle, s. Null when the venue does not tell."""
    rate_8h: Finite | None
    """The same per 8 hours. Null while the cycle is not told."""
    annualised: Finite | None
    """The same per 365 days, simple. Null where the mean per 8 hours is."""
    next_funding_us: Micros | None
    """When it is due, µs UTC. Null until seen."""
    oi_usd: UsdMicros | None
    """The venue's open interest, micro-dollars. Null without it."""


class Funding(SignalRow):
    """Funding across venues; definition `funding`."""

    self_evident: ClassVar[Set[str]] = frozenset({"highest_venue", "lowest_venue"})

    type: Literal["funding"]
    """Tag of the message type."""
    rate_8h: Finite | None
    """Mean per 8 hours, weighted by open interest."""
    annualised: Finite | None
    """The same per 365 days, simple. Null where the mean per 8 hours is."""
    dispersion_8h: NotNegative | None
    """Weighted standard deviation across venues, per 8 hours. Null below two venues."""
    highest_venue: Venue | None
    """Venue with the highest rate. Null without venues."""
    lowest_venue: Venue | None
    """Venue with the lowest rate. Null without venues."""
    venues: tuple[VenueFunding, ...]
    """Each venue on its own cycle."""
