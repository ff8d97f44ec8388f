"""Levels of a scope now and some time ago: price, and open interest counted in coins.

Between closed minutes and the detectors that ask what changed over a window. Promises that a
venue that joins is not read as growth, that a level is found by its time however long a gap was,
and that memory is bounded by the rings' spans. Knows nothing of a level between two steps of a
ring.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import inf
from operator import attrgetter

import msgspec

from streams.core.frames import VenueInterest


class Level(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What stood at `at` (s): price in USD, open interest in micro-dollars and in coins.

    `coins` are comparable between levels of one series only.
    """

    at: int
    price: float | None
    usd: int | None
    coins: float | None


class Ring(msgspec.Struct):
    """Levels at multiples of `step` seconds, for `span` seconds back, oldest first."""

    step: int
    span: int
    levels: list[Level] = []

    def add(self, level: Level) -> None:
        """Keep a level whose time is a multiple of the step; forget what nobody can ask for."""
        if level.at % self.step:
            return
        self.levels.append(level)
        until = level.at - self.span - self.step
        if self.levels[0].at <= until:
            self.levels = [one for one in self.levels if one.at > until]

    def at(self, second: int) -> Level | None:
        """The level that stood at `second`; None when none was kept in the step before it.

        >>> ring = Ring(60, 300)
        >>> for at in (60, 120, 180): ring.add(Level(at, float(at), None, None))
        >>> ring.at(130).price, ring.at(30), ring.at(240)
        (120.0, None, None)
        """
        index = bisect_right(self.levels, second, key=_AT) - 1
        if index < 0 or self.levels[index].at <= second - self.step:
            return None
        return self.levels[index]


_AT = attrgetter("at")


def change(before: float | None, now: float | None) -> float | None:
    """Relative change; None unless both are known and there was something before.

    >>> change(50.0, 75.0), change(None, 75.0), change(0.0, 75.0)
    (0.5, None, None)
    """
    if before is None or now is None or before <= 0:
        return None
    ratio = now / before - 1
    return ratio if ratio < inf else None


class Holding(msgspec.Struct, array_like=True):
    """Coins held at a venue, and since when (s) the venue has told them."""

    coins: float
    since: int


class Coins(msgspec.Struct):
    """Open interest of an asset in coins, chained over the venues known at both ends of a step.

    I <- I * (1 + sum over venues of dQ / sum over the same venues of Q): equal to the coins
    themselves while the venues stay the same, and unmoved by a venue that joins. The first
    `settle_s` seconds of a venue count as joining, since its contracts come in one by one.
    """

    total: float | None = None
    holdings: dict[str, Holding] = {}

    def take(self, interest: Sequence[VenueInterest], at: int, settle_s: int) -> None:
        """Take what the venues hold at `at` (s).

        >>> def held(**coins):
        ...     return [VenueInterest(v, None, q, None, None, None) for v, q in coins.items()]
        >>> coins = Coins()
        >>> coins.take(held(bybit=100.0), 0, 60)
        >>> coins.take(held(bybit=100.0), 60, 60)
        >>> coins.take(held(bybit=110.0, okx=900.0), 120, 60)
        >>> round(coins.total, 9)
        110.0
        """
        moved = held = 0.0
        for one in sorted(interest, key=_VENUE):
            coins = one.volume
            if coins is None:
                continue
            before = self.holdings.get(one.venue)
            if before is None:
                self.holdings[one.venue] = Holding(coins, at)
                continue
            if at - before.since >= settle_s:
                moved += coins - before.coins
                held += before.coins
            before.coins = coins
        if self.total is None:
            self.total = held + moved or None
        else:
            self.total = chained(self.total, moved, held)

    def settled(self, venue: str, at: int, settle_s: int) -> bool:
        """Whether the venue's coins at `at` (s) may be compared with later ones."""
        holding = self.holdings.get(venue)
        return holding is not None and at - holding.since >= settle_s


_VENUE = attrgetter("venue")


def chained(index: float, moved: float, held: float) -> float:
    """An index after a step in which `moved` was added to `held`, in one unit.

    A step from nothing or to nothing is no ratio: the index stands.

    >>> chained(2.0, 5.0, 10.0), chained(2.0, 5.0, 0.0), chained(2.0, -10.0, 10.0)
    (3.0, 2.0, 2.0)
    """
    if held <= 0:
        return index
    result = index * (1 + moved / held)
    return result if 0 < result < inf else index
