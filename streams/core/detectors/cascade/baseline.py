"""Ordinary rates: a lagged, exponentially weighted rate per venue, started at a prior.

Used by the cascade detector. Promises: evaluated only where content changes, never where a
frame happens to stand, so skipped and empty seconds give equal rates; a venue does not learn
while it is down, nor does a side learn from its own open window.
"""

from bisect import bisect_left
from itertools import islice

import msgspec

Interval = tuple[int, int | None]
"""[start, end) in seconds; end None is still open."""


def overlap(intervals: list[Interval], start: int, end: int) -> int:
    """Seconds of [start, end) that the intervals cover (they do not overlap each other)."""
    total = 0
    for low, high in intervals:
        stop = end if high is None else min(high, end)
        total += max(0, stop - max(low, start))
    return total


def covers(intervals: list[Interval], second: int) -> bool:
    """Whether one of the intervals holds the second."""
    return any(low <= second and (high is None or second < high) for low, high in intervals)


class VenueRate(msgspec.Struct):
    """Rates of one venue and side; `through` is the first second not learned yet.

    `counts` per second, `units` standard orders per second; `learned` counts healthy seconds.
    """

    counts: float
    units: float
    through: int
    learned: int = 0


class Uptime(msgspec.Struct):
    """When each venue's liquidation feed was healthy, for as far back as learning needs."""

    venues: dict[str, list[Interval]] = {}

    def update(self, second: int, up: tuple[str, ...]) -> None:
        """From `second` on exactly the venues `up` are healthy."""
        for venue in up:
            runs = self.venues.setdefault(venue, [])
            if not runs or runs[-1][1] is not None:
                runs.append((second, None))
        for venue, runs in self.venues.items():
            if venue not in up and runs and runs[-1][1] is None:
                runs[-1] = (runs[-1][0], second)

    def observed(self, start: int, end: int) -> int:
        """Seconds of [start, end) in which at least one venue was healthy."""
        total, at = 0, start
        for low, high in sorted(
            (max(low, start), end if high is None else min(high, end))
            for runs in self.venues.values()
            for low, high in runs
        ):
            total += max(0, high - max(low, at))
            at = max(at, high)
        return total

    def forget(self, before: int) -> None:
        """Drop runs that ended before a second that all rates have passed."""
        for venue, runs in self.venues.items():
            if runs and runs[0][1] is not None and runs[0][1] < before:
                self.venues[venue] = [r for r in runs if r[1] is None or r[1] >= before]


def learn(
    rate: VenueRate,
    until: int,
    seen: list[tuple[int, float, float]],
    up: list[Interval],
    closed: list[Interval],
    decay: float,
) -> None:
    """Advance a rate to `until` (s, exclusive).

    Args:
        rate: advanced in place.
        until: first second not to learn.
        seen: (second, counts, units) of the venue and side, ascending; at least all of
            [rate.through, until).
        up: when the venue was healthy.
        closed: the side's windows, which are not learned.
        decay: weight that a second keeps after one more second.
    """
    if until <= rate.through:
        return
    first = bisect_left(seen, (rate.through,))
    for second, counts, units in islice(seen, first, None):
        if second >= until:
            break
        _fade(rate, second, up, closed, decay)
        if covers(up, second) and not covers(closed, second):
            rate.counts = rate.counts * decay + (1 - decay) * counts
            rate.units = rate.units * decay + (1 - decay) * units
            rate.learned += 1
        rate.through = second + 1
    _fade(rate, until, up, closed, decay)


def _fade(
    rate: VenueRate, until: int, up: list[Interval], closed: list[Interval], decay: float
) -> None:
    """Learn [rate.through, until) as seconds without forced orders."""
    seconds = overlap(up, rate.through, until)
    for low, high in closed:
        stop = until if high is None else min(high, until)
        start = max(low, rate.through)
        if stop > start:
            seconds -= overlap(up, start, stop)
    if seconds > 0:
        kept: float = decay**seconds
        rate.counts *= kept
        rate.units *= kept
        rate.learned += seconds
    rate.through = until
