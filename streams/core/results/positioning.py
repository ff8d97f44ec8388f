"""Positioning and funding as they are published; definitions `positioning` and `funding`.

`schemas/positioning.py` documents the same fields.
"""

from typing import Literal

import msgspec

from streams.core.results.signals import SignalRow

Quadrant = Literal["new_longs", "short_covering", "new_shorts", "long_flush", "flat"]


class Positioning(SignalRow, frozen=True, kw_only=True, tag="positioning"):
    """Price against open interest over `window_s` (900, 14400 or 86400), one-sided.

    `venue` narrows the scope (None = all venues). `price_change` and `oi_change` are fractions,
    the latter in coins (of scope `ALL` at constant prices, each asset weighted by its dollars).
    `oi_by_venue` is micro-dollars, empty in a venue's own row.
    """

    venue: str | None
    window_s: int
    quadrant: Quadrant | None
    price: float | None
    price_change: float | None
    oi_usd: int | None
    oi_base: float | None
    oi_change: float | None
    oi_change_usd: int | None
    oi_by_venue: dict[str, int]


class VenueFunding(msgspec.Struct, frozen=True):
    """Funding of the venue's largest contract on its own cycle; rates are fractions."""

    venue: str
    rate: float
    interval_s: int | None
    rate_8h: float | None
    annualised: float | None
    next_funding_us: int | None
    oi_usd: int | None


class Funding(SignalRow, frozen=True, kw_only=True, tag="funding"):
    """Funding by venue, weighted by open interest, and its dispersion across venues."""

    rate_8h: float | None
    annualised: float | None
    dispersion_8h: float | None
    highest_venue: str | None
    lowest_venue: str | None
    venues: tuple[VenueFunding, ...]
