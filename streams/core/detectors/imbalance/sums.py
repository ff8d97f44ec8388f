"""Forced dollars of the last day by venue: minutes of the last hour, five minutes of the day.

State of the imbalance detector. Promises int64 dollars, late orders in the minute they belong to,
and windows that are exact: the hour ends with any minute, the day with any fifth one. Time in
which no minute was closed counts as unseen.
"""

from bisect import bisect_left
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

import msgspec

from streams.core.detectors.minutes import MINUTE, Forced, Minute
from streams.core.events import MICROS
from streams.core.frames import LateCell
from streams.core.results import Identifiability

BLOCK: Final = 300
HOUR: Final = 3600
DAY: Final = 86_400

_WORST: Final[tuple[Identifiability, ...]] = (
    "ok",
    "extrapolated",
    "saturated",
    "unknown",
)
_RANK: Final = {name: rank for rank, name in enumerate(_WORST)}


class Sums(msgspec.Struct, array_like=True, gc=False):
    """Forced orders of one venue, or of all, over some time.

    Published and corrected micro-dollars by liquidated side; `hidden` when a side could not be
    corrected, whose dollars are then the published ones; `squares` sums the squared dollars of
    published orders; `worst` is the identifiability by severity.
    """

    long_observed: int = 0
    short_observed: int = 0
    long_usd: int = 0
    short_usd: int = 0
    events: int = 0
    squares: float = 0.0
    hidden: bool = False
    worst: int = 0

    @property
    def observed(self) -> int:
        """Published micro-dollars of both sides."""
        return self.long_observed + self.short_observed

    @property
    def usd(self) -> int:
        """Corrected micro-dollars of both sides."""
        return self.long_usd + self.short_usd

    @property
    def identifiability(self) -> Identifiability:
        """The worst of the parts."""
        return _WORST[self.worst]

    @property
    def n_eff(self) -> float:
        """Kish's effective number of published orders, (sum w)^2 / sum w^2."""
        return (self.observed / MICROS) ** 2 / self.squares if self.squares > 0 else 0.0

    def add(self, other: "Sums") -> None:
        """Add what another venue or time holds."""
        self.long_observed += other.long_observed
        self.short_observed += other.short_observed
        self.long_usd += other.long_usd
        self.short_usd += other.short_usd
        self.events += other.events
        self.squares += other.squares
        self.hidden = self.hidden or other.hidden
        self.worst = max(self.worst, other.worst)

    def add_forced(self, forced: Forced) -> None:
        """Add a side of a closed minute, apart from the late orders that the minute brought."""
        corrected = forced.usd if forced.usd_estimated is None else forced.usd_estimated
        self._side(forced.side == "long", forced.usd, corrected)
        self.events += forced.events
        self.squares += forced.squares
        self.hidden = self.hidden or forced.usd_estimated is None
        self.worst = max(self.worst, _RANK[forced.identifiability])

    def add_late(self, late: LateCell) -> None:
        """Add late orders as published; those of one cell count as equal."""
        self._side(late.side == "long", late.usd, late.usd)
        self.events += late.n
        self.squares += (late.usd / MICROS) ** 2 / late.n

    def _side(self, long: bool, observed: int, corrected: int) -> None:
        if long:
            self.long_observed += observed
            self.long_usd += corrected
        else:
            self.short_observed += observed
            self.short_usd += corrected


class Slice(msgspec.Struct, array_like=True):
    """A minute or five from `start` (s): seconds seen (times the share of venues), by venue."""

    start: int
    seen_s: float = 0.0
    venues: dict[str, Sums] = {}


class Total(msgspec.Struct):
    """A window of `span` s: its sums over all venues (`every`) and by venue."""

    span: int
    every: Sums
    venues: dict[str, Sums]
    seen_s: float

    @property
    def coverage(self) -> float:
        """Mean share of healthy venues, 0..1; time not seen counts as none."""
        return min(1.0, self.seen_s / self.span)

    def of(self, venue: str) -> Sums:
        """The sums of a venue; of all of them under the empty name."""
        return self.venues.get(venue) or Sums() if venue else self.every


class Series(msgspec.Struct):
    """Slices of `step` seconds for `span` seconds back, oldest first."""

    step: int
    span: int
    slices: list[Slice] = []

    def at(self, second: int) -> Slice:
        """The slice of a second, begun when there is none."""
        start = second - second % self.step
        index = bisect_left(self.slices, start, key=_START)
        if index < len(self.slices) and self.slices[index].start == start:
            return self.slices[index]
        one = Slice(start)
        self.slices.insert(index, one)
        return one

    def between(self, begin: int, end: int) -> list[Slice]:
        """The slices of [begin, end)."""
        if begin >= end:
            return []
        first = bisect_left(self.slices, begin, key=_START)
        return self.slices[first : bisect_left(self.slices, end, key=_START)]

    def late(self, cell: LateCell, at: int) -> None:
        """Add a late cell to the slice of its second."""
        self.at(at).venues.setdefault(cell.venue, Sums()).add_late(cell)

    def forget(self, end: int) -> None:
        """Drop slices that no window ending at `end` (s) or later holds."""
        if self.slices and self.slices[0].start < end - self.span:
            self.slices = self.between(end - self.span, end)


_START = attrgetter("start")


def _sum(slices: Iterable[Slice], span: int) -> Total:
    seen = 0.0
    venues: dict[str, Sums] = {}
    for one in slices:
        seen += one.seen_s
        for venue, sums in one.venues.items():
            mine = venues.get(venue)
            if mine is None:
                mine = venues[venue] = Sums()
            mine.add(sums)
    every = Sums()
    for venue in sorted(venues):
        every.add(venues[venue])
    return Total(span, every, venues, seen)


class Closed(msgspec.Struct):
    """The last day by five minutes and by hours; `changed` (s)."""

    changed: int = 0
    blocks: Series = msgspec.field(default_factory=lambda: Series(BLOCK, DAY))
    hours: Series = msgspec.field(default_factory=lambda: Series(HOUR, DAY))


class Open(msgspec.Struct):
    """The last hour by minutes; starts (s) of the five minutes and of the hour in progress."""

    minutes: Series = msgspec.field(default_factory=lambda: Series(MINUTE, HOUR))
    block: int | None = None
    hour: int | None = None


class Day:
    """The last day: `open` changes each minute, `closed` each fifth one."""

    def __init__(self) -> None:
        """Nothing seen."""
        self.open = Open()
        self.closed = Closed()

    def reach(self, second: int) -> None:
        """Close what has ended before `second`, all minutes of which are closed."""
        now, past = self.open, self.closed
        if now.block is not None and second >= now.block + BLOCK:
            end = now.block + BLOCK
            total = _sum(now.minutes.between(now.block, end), BLOCK)
            past.blocks.slices.append(Slice(now.block, total.seen_s, total.venues))
            past.blocks.forget(end)
            now.block, past.changed = None, second
        if now.hour is not None and second >= now.hour + HOUR:
            end = now.hour + HOUR
            total = _sum(past.blocks.between(now.hour, end), HOUR)
            past.hours.slices.append(Slice(now.hour, total.seen_s, total.venues))
            past.hours.forget(end)
            now.hour, past.changed = None, second

    def take(self, minute: Minute) -> None:
        """Add a closed minute."""
        now = self.open
        now.block = minute.start - minute.start % BLOCK
        now.hour = minute.start - minute.start % HOUR
        held = now.minutes.at(minute.start)
        held.seen_s += minute.coverage * MINUTE
        for forced in minute.forced:
            if forced.events:
                held.venues.setdefault(forced.venue, Sums()).add_forced(forced)
        self.reach(minute.end)
        now.minutes.forget(minute.end)

    def take_late(self, cells: Iterable[LateCell], second: int) -> bool:
        """Add late cells handed over in `second` (s) where they belong; tells if any was added."""
        self.reach(second)
        now, past, found = self.open, self.closed, False
        for cell in cells:
            at = min(cell.second // MICROS, second)
            if cell.kind == "adl" or at < second - DAY:
                continue
            found = True
            if at >= second - HOUR - BLOCK:
                now.minutes.late(cell, at)
            # What is still in progress takes the cell from its minutes when it closes.
            for series, start in ((past.blocks, now.block), (past.hours, now.hour)):
                if at < (second - second % series.step if start is None else start):
                    series.late(cell, at)
                    past.changed = second
        return found

    def total(self, end: int, span: int) -> Total:
        """Sums of [end - span, end): an hour at most, or a day that ends with five minutes."""
        begin, now, past = end - span, self.open, self.closed
        if span <= HOUR:
            first, last = -(-begin // BLOCK) * BLOCK, end // BLOCK * BLOCK
            fine, coarse = now.minutes, past.blocks
        else:
            first, last = -(-begin // HOUR) * HOUR, end // HOUR * HOUR
            fine, coarse = past.blocks, past.hours
        edges = fine.between(begin, first), coarse.between(first, last), fine.between(last, end)
        return _sum((one for part in edges for one in part), span)
