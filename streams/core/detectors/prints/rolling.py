"""Sums of forced orders that move with the clock: rows by second, and windows over them.

Second half of the print detector (definition 1.10). Promises that every sum is a function of the
unexpired rows alone, whatever the order in which they came, so that a window can be rebuilt from
its rows. Knows nothing of scopes, feeds or what is published.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

import msgspec

HOUR: Final = 3600
DAY: Final = 86_400
PPM: Final = 1_000_000

SATURATED: Final = 1
"""Flag of a row: a slot of its minute was saturated."""
PARTIAL: Final = 2
"""Flag of a row: its feed is partial, so nothing bounds its dollars."""
UNBOUNDED: Final = 4
"""Flag of a row: the trades that would bound its dollars are unknown."""
UNESTIMATED: Final = 8
"""Flag of a row: the parameters leave a partial feed without an estimate."""
UNKNOWN: Final = 16
"""Flag of a row: its feed is partial and nothing measures it: its dollars are a floor."""
EXTRAPOLATED: Final = 32
"""Flag of a row: the estimate of its minute rests on other venues."""


class Order(msgspec.Struct, array_like=True, gc=False):
    """Forced orders of one (venue, side) in one second: what expiry must take back.

    `at` is the second within the hour. `hidden_usd` is what the estimate adds to the published
    dollars, known once the minute is over; `slack_usd` is what the bound of the venue's slots
    adds in this second, kept in the first of its rows. `late_usd` is the part of `usd` that came
    after the second was sealed.
    """

    at: int
    venue: str
    long: bool
    n: int
    usd: int
    max_usd: int
    late_usd: int = 0
    hidden_usd: int = 0
    slack_usd: int = 0
    flags: int = 0


class Page(msgspec.Struct):
    """One hour of rows, sorted by (at, venue, long); `version` counts late revisions."""

    version: int = 0
    rows: list[Order] = []

    def place(self, at: int, venue: str, long: bool) -> Order:
        """The row of (at, venue, long), inserted empty where there is none."""
        rows = self.rows
        if not rows or _place(rows[-1]) < (at, venue, long):
            rows.append(Order(at, venue, long, 0, 0, 0))
            return rows[-1]
        index = bisect_left(rows, (at, venue, long), key=_place)
        if index == len(rows) or _place(rows[index]) != (at, venue, long):
            rows.insert(index, Order(at, venue, long, 0, 0, 0))
        return rows[index]

    def after(self, at: int) -> int:
        """Index of the first row later than `at`."""
        return bisect_right(self.rows, at, key=_at)


def _at(row: Order) -> int:
    return row.at


def _place(row: Order) -> tuple[int, str, bool]:
    return row.at, row.venue, row.long


class Totals(msgspec.Struct):
    """Sums over rows, int64 micro-dollars; the flags are counted in rows."""

    long_usd: int = 0
    short_usd: int = 0
    long_n: int = 0
    short_n: int = 0
    late_usd: int = 0
    hidden_usd: int = 0
    slack_usd: int = 0
    saturated: int = 0
    partial: int = 0
    unbounded: int = 0
    unestimated: int = 0
    unknown: int = 0
    extrapolated: int = 0

    @property
    def usd(self) -> int:
        """Published dollars of both sides."""
        return self.long_usd + self.short_usd

    def count(self, long: bool, n: int, usd: int, late_usd: int) -> None:
        """Add orders; negative figures take them back."""
        if long:
            self.long_usd += usd
            self.long_n += n
        else:
            self.short_usd += usd
            self.short_n += n
        self.late_usd += late_usd

    def correct(self, hidden_usd: int, slack_usd: int, flags: int, sign: int = 1) -> None:
        """Add what the throttle hid and what bounds it; `sign` -1 takes it back."""
        self.hidden_usd += sign * hidden_usd
        self.slack_usd += sign * slack_usd
        if flags:
            self.saturated += sign * (flags & SATURATED)
            self.partial += sign * ((flags & PARTIAL) // PARTIAL)
            self.unbounded += sign * ((flags & UNBOUNDED) // UNBOUNDED)
            self.unestimated += sign * ((flags & UNESTIMATED) // UNESTIMATED)
            self.unknown += sign * ((flags & UNKNOWN) // UNKNOWN)
            self.extrapolated += sign * ((flags & EXTRAPOLATED) // EXTRAPOLATED)


class Window(msgspec.Struct):
    """The rolling 24 h of one key, with its busiest hour and its largest order.

    `minutes`: unexpired dollars by minute. `peaks`: (minute, dollars of the 60 minutes that end
    with it), only those no later one reaches, for hours that lie wholly inside the window.
    `lead_usd`: unexpired dollars of the window's first 60 minutes. `orders`: (second, largest
    order), only those no later one reaches. All but `totals` can be rebuilt from rows.
    """

    totals: Totals = msgspec.field(default_factory=Totals)
    minutes: dict[int, int] = {}
    peaks: list[tuple[int, int]] = []
    orders: list[tuple[int, int]] = []
    lead_usd: int = 0

    @property
    def busiest_usd(self) -> int:
        """Dollars of the busiest 60 minutes, on the grid of minutes."""
        return max(self.lead_usd, self.peaks[0][1]) if self.peaks else self.lead_usd

    @property
    def largest_usd(self) -> int:
        """Largest order of the window."""
        return self.orders[0][1] if self.orders else 0

    def grow(self, minute: int, usd: int) -> int:
        """Add dollars to the newest minute; dollars of the 60 minutes that end with it."""
        if usd <= 0:
            return 0
        hour = usd
        if self.peaks and minute - self.peaks[-1][0] < 60:
            last, before = self.peaks[-1]
            hour += before - sum(
                self.minutes.get(gone, 0) for gone in range(last - 59, minute - 59)
            )
        self.minutes[minute] = self.minutes.get(minute, 0) + usd
        self._peak(minute, hour)
        return hour

    def resum(self, edge: int) -> None:
        """Derive peaks and lead from `minutes`; `edge` is the window's first minute."""
        self.minutes = dict(sorted(self.minutes.items()))
        self.lead_usd = sum(usd for minute, usd in self.minutes.items() if minute < edge + 60)
        self.peaks = []
        for minute, hour in hours(self.minutes):
            if minute >= edge + 60:
                self._peak(minute, hour)

    def shrink(self, minute: int, usd: int) -> None:
        """Take expired dollars from a minute of the lead."""
        left = self.minutes.get(minute, 0) - usd
        if left > 0:
            self.minutes[minute] = left
        else:
            self.minutes.pop(minute, None)
        self.lead_usd -= usd

    def slide(self, before: int, edge: int) -> None:
        """Move the window's first minute from `before` to `edge`."""
        if edge - before > 60:
            self.lead_usd = sum(usd for minute, usd in self.minutes.items() if minute < edge + 60)
        else:
            self.lead_usd += sum(
                self.minutes.get(minute, 0) for minute in range(before + 60, edge + 60)
            )
        while self.peaks and self.peaks[0][0] < edge + 60:
            del self.peaks[0]

    def rank(self, second: int, usd: int) -> None:
        """Remember an order's dollars as long as no later order reaches them."""
        orders = self.orders
        index = len(orders)
        while index and orders[index - 1][0] > second:
            index -= 1
        if index < len(orders) and orders[index][1] >= usd:
            return
        if index and orders[index - 1][0] == second and orders[index - 1][1] >= usd:
            return
        start = index
        while start and orders[start - 1][1] <= usd:
            start -= 1
        orders[start:index] = [(second, usd)]

    def forget(self, second: int) -> None:
        """Drop orders up to and including `second`."""
        while self.orders and self.orders[0][0] <= second:
            del self.orders[0]

    def _peak(self, minute: int, hour: int) -> None:
        while self.peaks and self.peaks[-1][1] <= hour:
            del self.peaks[-1]
        self.peaks.append((minute, hour))


class DayTally(msgspec.Struct):
    """The UTC day so far of one key; largest order and busiest 60 minutes inside the day."""

    totals: Totals = msgspec.field(default_factory=Totals)
    largest_usd: int = 0
    busiest_usd: int = 0


def hours(minutes: dict[int, int]) -> Iterable[tuple[int, int]]:
    """(minute, dollars of the 60 minutes that end with it) for every minute of a sorted dict.

    >>> list(hours({0: 5, 59: 1, 60: 2}))
    [(0, 5), (59, 6), (60, 3)]
    """
    entries = list(minutes.items())
    oldest, total = 0, 0
    for minute, usd in entries:
        total += usd
        while entries[oldest][0] <= minute - 60:
            total -= entries[oldest][1]
            oldest += 1
        yield minute, total


class Coverage(msgspec.Struct):
    """Feed health over time, in millionths: what part of a period was observed.

    `runs`: (first second, health) of each stretch that reaches into the last 24 h; `total` and
    `day` are health times seconds over the last 24 h and over the current UTC day.
    """

    through: int
    total: int = 0
    day: int = 0
    runs: list[tuple[int, int]] = []

    def extend(self, through: int, ppm: int) -> None:
        """Count the seconds after the last one counted, up to `through`, at health `ppm`."""
        seconds = through - self.through
        if seconds <= 0:
            return
        runs = self.runs
        if not runs or runs[-1][1] != ppm:
            runs.append((self.through + 1, ppm))
        self.total += seconds * ppm
        self.day += seconds * ppm
        first, edge = max(self.through - DAY + 1, runs[0][0]), through - DAY
        while first <= edge:
            end = runs[1][0] - 1 if len(runs) > 1 else through
            last = min(end, edge)
            self.total -= runs[0][1] * (last - first + 1)
            first = last + 1
            if first > end:
                del runs[0]
        self.through = through

    def of_24h(self) -> float:
        """Mean health of the last 24 h, 0..1; time before the first record counts as unseen."""
        return self.total / (DAY * PPM)

    def of_day(self, seconds: int) -> float:
        """Mean health of the day's first `seconds` seconds, 0..1."""
        return self.day / (seconds * PPM)
