"""Volumes of the basket by minute, hour and day, and the trend of what they say.

Used by the dominance detector. Promises windows in event time: a minute or an hour that was not
observed is missing, never zero, and an old one leaves by its time, however long the gap.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from streams.core.detectors.dominance.lead import Lead
from streams.core.detectors.dominance.params import DominanceParams

WEEK_H: Final = 168
YEAR: Final = 366
_MOST: Final = 2**63 - 1


class Slice(msgspec.Struct, array_like=True):
    """A minute or an hour: its number (s // length), observed minutes, and micro-dollars by member.

    `usd` is empty when nothing traded.
    """

    number: int
    minutes: int = 0
    usd: tuple[int, ...] = ()
    lead: Lead = msgspec.field(default_factory=Lead)

    def add(self, other: "Slice") -> None:
        """Add another's minutes, dollars and lead."""
        self.minutes += other.minutes
        self.usd = plus(self.usd, other.usd)
        self.lead.add(other.lead)


def plus(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    """Dollars by member added up."""
    if not one or not other:
        return one or other
    return tuple(min(a + b, _MOST) for a, b in zip(one, other, strict=True))


class Day(msgspec.Struct, array_like=True):
    """A UTC day: derivatives' share with the members heard, open interest over market cap with
    the venues whose interest was known (bit masks by member); None where not known.
    """

    day: int
    share: float | None = None
    heard: int = 0
    oi_cap: float | None = None
    oi_heard: int = 0


class Window(msgspec.Struct, frozen=True):
    """Sum of a window: observed minutes, micro-dollars by member, members heard, lead."""

    minutes: int
    usd: tuple[int, ...]
    heard: tuple[bool, ...]
    lead: Lead

    @property
    def mask(self) -> int:
        """The members heard, as bits."""
        return sum(1 << index for index, one in enumerate(self.heard) if one)


def window_of(slices: Sequence[Slice], least: float, members: int) -> Window:
    """Add slices up; a member is heard that traded in at least this share of them."""
    columns = list(zip(*[one.usd for one in slices if one.usd], strict=True))
    seen = [len(column) - column.count(0) for column in columns] or [0] * members
    lead = Lead()
    for one in slices:
        if one.lead.minutes:
            lead.add(one.lead)
    return Window(
        sum([one.minutes for one in slices]),
        tuple(min(sum(column), _MOST) for column in columns) or (0,) * members,
        tuple(times > 0 and times >= least * len(slices) for times in seen),
        lead,
    )


def broke_off(slices: Sequence[Slice], index: int, params: DominanceParams) -> bool:
    """Whether a member that trades in most minutes is missing for a stretch of them.

    >>> minutes = [Slice(number, 1, (5 * (number % 2), 1)) for number in range(60)]
    >>> lost = [Slice(number, 1, (1, 1) if number < 45 else (0, 1)) for number in range(60)]
    >>> broke_off(minutes, 0, DominanceParams()), broke_off(lost, 0, DominanceParams())
    (False, True)
    """
    times = run = longest = 0
    for one in slices:
        traded = bool(one.usd and one.usd[index])
        times += traded
        run = 0 if traded else run + 1
        longest = max(longest, run)
    if longest < params.silent_minutes or times < params.silent_minutes:
        return False
    return times >= params.member_hours * (len(slices) - longest)


def by_market(usd: Sequence[int], params: DominanceParams) -> tuple[int, int]:
    """(derivatives, spot) micro-dollars."""
    if not any(usd):
        return 0, 0
    spot = sum(one for one, name in zip(usd, params.members, strict=True) if name.endswith("/spot"))
    return min(sum(usd) - spot, _MOST), min(spot, _MOST)


def silent(window: Window, week: Window, params: DominanceParams) -> bool:
    """Whether a member that weighs in its market's week is not heard in the window."""
    sides = by_market(week.usd, params)
    for name, heard, usd in zip(params.members, window.heard, week.usd, strict=True):
        side = sides[name.endswith("/spot")]
        if not heard and side and usd >= params.member_weight * side:
            return True
    return False


def trend(points: Sequence[tuple[int, float]], span: int, least: float) -> float | None:
    """Change over `span` days along the least-squares line; None with too few days.

    >>> round(trend([(day, 0.5 + day / 1000) for day in range(90)], 90, 2 / 3), 6)
    0.09
    """
    n = len(points)
    if n < 2 or n < least * span:
        return None
    mean_day = sum(day for day, _ in points) / n
    mean = sum(value for _, value in points) / n
    spread = sum((day - mean_day) ** 2 for day, _ in points)
    slope = sum((day - mean_day) * (value - mean) for day, value in points) / spread
    return slope * span
