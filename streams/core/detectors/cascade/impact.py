"""What taker flow does to the price: as the book predicts it, and as seconds measure it.

Used by the cascade detector for amplification and for the structural branching ratio (definition
1.1). Dollars of flow are signed, buys positive. Promises that only seconds with trades change the
slope, so that skipped and empty seconds are equal. Says nothing of why the flow came.
"""

from collections.abc import Sequence
from math import log

import msgspec

from streams.core.detectors.cascade.params import CascadeParams
from streams.core.events import MICROS
from streams.core.frames import DEPTH_BANDS_BP
from streams.core.results import ZoneMap
from streams.core.results.zones import FUEL_DISTANCES


class Walk(msgspec.Struct, frozen=True):
    """A walk through a book: `bp` from the mid, and the `share` of the order that lay in it."""

    bp: float
    share: float


def walk(curve: Sequence[int | None], usd: int) -> Walk | None:
    """How far an order of `usd` would walk a book, in basis points from the mid.

    Public books end within a few basis points, and what cascades sell does not: beyond the last
    known band the book is taken to go on at its mean density so far, and `share` says how much of
    the order that concerns.

    Args:
        curve: depth within each of DEPTH_BANDS_BP, micro-dollars, None where it is not known.
        usd: the order, micro-dollars.

    Returns:
        The distance, linear between the bands; None without a level.

    >>> walk((100, 250, 500, 1000), 175), walk((100, None, 500, 1000), 300).bp
    (Walk(bp=17.5, share=1.0), 30.0)
    >>> walk((100, 250, None, None), 500), walk((0, None, None, None), 5) is None
    (Walk(bp=50.0, share=0.5), True)
    """
    before_bp, before = 0.0, 0
    for band, depth in zip(DEPTH_BANDS_BP, curve, strict=False):
        if depth is None:
            continue
        if usd <= depth:
            if depth == before:
                return Walk(before_bp, 1.0)
            return Walk(before_bp + (band - before_bp) * (usd - before) / (depth - before), 1.0)
        before_bp, before = float(band), max(before, depth)
    return Walk(before_bp * usd / before, before / usd) if before else None


class FlowSlope(msgspec.Struct):
    """Regression of the log return on signed taker dollars, second by second, fading by half
    every `half_life_s`: weight, weighted sums, and flow since the last price.
    """

    weight: float = 0.0
    flow: float = 0.0
    moved: float = 0.0
    flow_2: float = 0.0
    both: float = 0.0
    price: float | None = None
    at: int = 0
    since: int = 0

    def add(self, second: int, price: float | None, flow: int | None, half_life_s: int) -> None:
        """Take a second's price and signed flow (micro-dollars)."""
        self.since += flow or 0
        if price is None:
            return
        if self.price is not None:
            faded = 0.5 ** ((second - self.at) / half_life_s)
            dollars, move = self.since / MICROS, log(price / self.price)
            self.weight = self.weight * faded + 1
            self.flow = self.flow * faded + dollars
            self.moved = self.moved * faded + move
            self.flow_2 = self.flow_2 * faded + dollars * dollars
            self.both = self.both * faded + dollars * move
        self.price, self.at, self.since = price, second, 0

    def percent_per_usd(self, least_weight: float) -> float | None:
        """Cov(return, flow) / Var(flow) in percent per dollar; None below `least_weight` seconds.

        >>> slope = FlowSlope()
        >>> for at in range(60):
        ...     slope.add(at, 100.0 if at % 2 else 100.1, -10**12 if at % 2 else 10**12, 60)
        >>> round(slope.percent_per_usd(20.0) * 1e6, 2)
        0.1
        """
        if self.weight < least_weight:
            return None
        variance = self.flow_2 - self.flow * self.flow / self.weight
        if variance <= 1e-9 * self.flow_2:
            return None
        return 100 * (self.both - self.flow * self.moved / self.weight) / variance


class Structural(msgspec.Struct, frozen=True):
    """Forced dollars that one taker dollar calls forth by the map; None with `why`."""

    ratio: float | None
    why: str


def structural(
    slope: FlowSlope, chart: ZoneMap | None, falling: bool, at: int, params: CascadeParams
) -> Structural:
    """Percent per dollar times mapped dollars per percent over the next 50 bp of the forced side.

    Args:
        slope: of the price on taker flow.
        chart: the last map of liquidation prices.
        falling: longs are forced, below the price.
        at: the second (s) at which it is asked.
        params: the least weight of the slope and the age of the map.
    """
    if chart is None or at - chart.at // MICROS > params.map_stale_s:
        return Structural(None, "no_zone_map")
    fuel = chart.fuel_below_usd if falling else chart.fuel_above_usd
    if not fuel:
        return Structural(None, "zone_map_hidden")
    percent = slope.percent_per_usd(params.flow_least)
    if percent is None:
        return Structural(None, "too_few_trades" if slope.flow_2 else "no_trades")
    if percent < 0:
        return Structural(None, "impact_not_positive")
    reach = 100 * FUEL_DISTANCES[0]
    return Structural(round(percent * fuel[0] / MICROS / reach, 6), "")
