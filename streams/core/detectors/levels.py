"""Levels of a scope now and some time ago: price, and the volume of open interest.

Between closed minutes and the detectors that ask what changed over a window. Promises that a level
is found by its time however long a gap was, and that memory is bounded by the rings' spans. Knows
nothing of a level between two steps of a ring.
"""

from bisect import bisect_right
from math import inf
from operator import attrgetter

import msgspec


class Level(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What stood at `at` (s): price in USD, open interest in micro-dollars and as a volume.

    `coins` are those of a venue or the index of a scope: comparable within one series only.
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
