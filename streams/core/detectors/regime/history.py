"""What the regime remembers: raw hours, days, and 90 days of each feature.

State behind the features. Promises bounded work however long a gap is, pruning by time and not
by count of calls, and the same ranks after a restart. Ranks are mid-ranks over single-precision
values: a value equal to half of its history ranks 0.5.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from math import isnan, nan
from struct import pack, unpack

import msgspec

_LIMIT = 1e30
"""Beyond it a value is cut, so that single precision holds it."""


class Hour(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One past hour: its number since 1970, prices in USD, forced dollars, realised variance."""

    hour: int
    close: float | None
    high: float | None
    low: float | None
    long_usd: float | None
    short_usd: float | None
    variance: float | None


class Day(msgspec.Struct, array_like=True, gc=False):
    """One UTC day, in progress or past: extremes, summed variance and spot dollars of the hours
    (`hours`, `spots`) in which they were known.
    """

    day: int
    high: float | None = None
    low: float | None = None
    variance: float = 0.0
    hours: int = 0
    spot_usd: float = 0.0
    spots: int = 0


class Samples(msgspec.Struct):
    """Stored form of `Ranks`: hours, and each feature's values as little-endian singles."""

    changed: int = 0
    hours: list[int] = []
    values: dict[str, bytes] = {}


class Ranks:
    """Past values of each feature, in time and in order of size; `changed` in the hour told (s)."""

    def __init__(self, samples: Samples | None = None) -> None:
        self.hours: list[int] = list(samples.hours) if samples else []
        self.changed = samples.changed if samples else 0
        self._columns: dict[str, array[float]] = {}
        self._sorted: dict[str, array[float]] = {}
        for name, raw in sorted(samples.values.items()) if samples else ():
            column = array("f", unpack(f"<{len(raw) // 4}f", raw))
            self._columns[name] = column
            self._sorted[name] = array("f", sorted(one for one in column if not isnan(one)))

    def stored(self) -> Samples:
        """What `Ranks` is made from again."""
        values = {
            name: pack(f"<{len(column)}f", *column)
            for name, column in sorted(self._columns.items())
        }
        return Samples(self.changed, list(self.hours), values)

    def count(self, name: str) -> int:
        """How many values of a feature are known."""
        return len(self._sorted.get(name, ()))

    def rank(self, name: str, value: float) -> float:
        """Mid-rank of a value among the past ones, 0..1; the feature must have some.

        >>> ranks = Ranks()
        >>> for hour, value in enumerate((1.0, 2.0, 2.0, 3.0)):
        ...     ranks.add(hour, {"x": value}, keep_h=100)
        >>> ranks.rank("x", 2.0), ranks.rank("x", 9.0), ranks.rank("x", 1.0)
        (0.5, 1.0, 0.125)
        """
        known, single = self._sorted[name], _single(value)
        return (bisect_left(known, single) + bisect_right(known, single)) / (2 * len(known))

    def ties(self, name: str, value: float) -> float:
        """Share of the past values that equal a value; the feature must have some."""
        known, single = self._sorted[name], _single(value)
        return (bisect_right(known, single) - bisect_left(known, single)) / len(known)

    def middle(self, name: str) -> float | None:
        """Median of a feature's past values; None without one."""
        known = self._sorted.get(name)
        return known[len(known) // 2] if known else None

    def forget(self, name: str, hour: int) -> None:
        """Drop the past of a feature: what it measures is not comparable from `hour` on."""
        self.changed = hour * 3600
        if name in self._columns:
            self._columns[name] = array("f", [nan] * len(self.hours))
            self._sorted[name] = array("f")

    def add(self, hour: int, values: dict[str, float], keep_h: int) -> None:
        """Remember the values of an hour; those `keep_h` hours older are forgotten."""
        self.changed = hour * 3600
        gone = bisect_right(self.hours, hour - keep_h)
        for name, column in self._columns.items():
            for old in column[:gone]:
                if not isnan(old):
                    known = self._sorted[name]
                    del known[bisect_left(known, old)]
            del column[:gone]
        del self.hours[:gone]
        for name in sorted(values.keys() - self._columns.keys()):
            self._columns[name] = array("f", [nan] * len(self.hours))
            self._sorted[name] = array("f")
        self.hours.append(hour)
        for name, column in self._columns.items():
            value = values.get(name)
            column.append(nan if value is None else _single(value))
            if value is not None:
                insort(self._sorted[name], _single(value))


def _single(value: float) -> float:
    cut = max(-_LIMIT, min(_LIMIT, value))
    return float(unpack("<f", pack("<f", cut))[0])
