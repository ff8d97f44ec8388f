"""References that prices sweep: extremes of the last hour, round numbers, liquidation zones.

Used by `alert_sweep`. Promises that references are told from closed minutes only, one nearest of
each kind and direction, within a bounded memory of minutes that is pruned by event time.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, log10, sqrt
from typing import Literal

import msgspec

from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.minutes import Minute
from streams.core.results import ZoneMap

LevelKind = Literal["extreme", "round", "zone"]
FIVE_MINUTES = 300
DAY_SLOTS = 288


class Bar(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A closed minute with a price; taker volume of derivatives in micro-dollars, or None."""

    start: int
    high: float
    low: float
    close: float
    taker: int | None


class Level(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A reference price; `evidence` is the row that it comes from, or empty."""

    kind: LevelKind
    price: float
    evidence: str = ""


class Terrain(msgspec.Struct):
    """Minutes of the last hour, and what follows from them.

    `above`, `below`: references by rising distance; `least`: overshoot that counts, a fraction of
    the reference; `taker`: micro-dollars of the median minute; None where too little is known.
    `at`: end (s) of the last minute.
    """

    at: int = 0
    bars: list[Bar] = []
    above: list[Level] = []
    below: list[Level] = []
    least: float | None = None
    taker: float | None = None


class Slot(msgspec.Struct):
    """Forced micro-dollars of the 5-minute slot in progress (`number`, s // 300; -1 is none)."""

    number: int = -1
    longs: int = 0
    shorts: int = 0


class ForcedDay(msgspec.Struct):
    """Forced micro-dollars by 5-minute slot of a day: closed slots in which a minute was seen."""

    slots: list[int] = []
    longs: list[int] = []
    shorts: list[int] = []

    def add(self, slot: Slot, minute: Minute) -> Slot:
        """Take a minute into its slot, which closes the one before; gives the slot in progress."""
        number = minute.start // FIVE_MINUTES
        if number != slot.number:
            if slot.number >= 0:
                self.slots.append(slot.number)
                self.longs.append(slot.longs)
                self.shorts.append(slot.shorts)
            gone = sum(one <= number - DAY_SLOTS for one in self.slots)
            del self.slots[:gone], self.longs[:gone], self.shorts[:gone]
            slot = Slot(number)
        slot.longs += minute.forced_usd("long")
        slot.shorts += minute.forced_usd("short")
        return slot

    def quantile(self, side: str, share: float, least: int) -> int | None:
        """The sum of a side that `share` of the slots do not exceed; None below `least` slots."""
        sums = sorted(self.longs if side == "long" else self.shorts)
        return sums[max(0, ceil(share * len(sums)) - 1)] if len(sums) >= least else None


def step_of(price: float) -> float:
    """Distance between round numbers: one tenth of the price's power of ten.

    >>> step_of(61_250.0), step_of(3_000.0), step_of(0.25)
    (1000.0, 100.0, 0.01)
    """
    return float(f"1e{floor(log10(price)) - 1}")


def rounds(price: float) -> tuple[float, float]:
    """The nearest round numbers below and above a price, not itself.

    >>> rounds(61_250.0), rounds(0.25)
    ((61000.0, 62000.0), (0.24, 0.26))
    """
    step = step_of(price)
    number = price / step
    nearest = round(number)
    whole = abs(number - nearest) < 1e-9 * number
    below, above = (nearest - 1, nearest + 1) if whole else (floor(number), ceil(number))
    return float(f"{below * step:.12g}"), float(f"{above * step:.12g}")


def survey(terrain: Terrain, minute: Minute, zones: ZoneMap | None, params: AlertParams) -> None:
    """Take a closed minute, and tell the references of the seconds after it."""
    if minute.high is not None and minute.low is not None and minute.close is not None:
        taker = minute.traded_usd("derivative") if minute.trades else None
        terrain.bars.append(Bar(minute.start, minute.high, minute.low, minute.close, taker))
    terrain.at = minute.end
    oldest = minute.end - params.sweep_extreme_s
    if terrain.bars and terrain.bars[0].start < oldest:
        terrain.bars = [bar for bar in terrain.bars if bar.start >= oldest]
    bars = terrain.bars
    terrain.above, terrain.below = [], []
    terrain.least = terrain.taker = None
    if len(bars) < params.sweep_least_bars:
        return
    price = bars[-1].close
    ranges = _range(bars) / price
    terrain.least = max(params.sweep_breach_bp / 10_000, params.sweep_breach_atr * ranges * sqrt(5))
    takers = sorted(bar.taker for bar in bars if bar.taker is not None)
    if len(takers) >= params.sweep_least_bars:
        terrain.taker = float(takers[len(takers) // 2])
    low, high = rounds(price)
    above = [Level("extreme", max(bar.high for bar in bars)), Level("round", high)]
    below = [Level("extreme", min(bar.low for bar in bars)), Level("round", low)]
    if zones is not None:
        for zone in zones.zones or ():
            if zone.side == "short":
                above.append(Level("zone", zone.price_low, zones.id))
            else:
                below.append(Level("zone", zone.price_high, zones.id))
    terrain.above = _nearest([one for one in above if one.price >= price], price)
    terrain.below = _nearest([one for one in below if 0 < one.price <= price], price)


def _nearest(levels: Sequence[Level], price: float) -> list[Level]:
    """The nearest of each kind, by rising distance."""
    ordered = sorted(levels, key=lambda one: (abs(one.price - price), one.kind))
    found: dict[LevelKind, Level] = {}
    for level in ordered:
        found.setdefault(level.kind, level)
    return list(found.values())


def _range(bars: Sequence[Bar]) -> float:
    """Mean true range of a minute."""
    total = bars[0].high - bars[0].low
    for before, bar in pairwise(bars):
        total += max(bar.high, before.close) - min(bar.low, before.close)
    return total / len(bars)
