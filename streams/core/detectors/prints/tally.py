"""Where forced orders enter and leave a print's sums, and what the throttle hid is shared out.

Part of the print detector (definition 1.10). Promises that the order of cells inside a second
does not matter and that whatever a row added is taken back when it expires. Orders closed by
auto-deleveraging are left out: the winners they close were not liquidated.
"""

from collections.abc import Sequence
from operator import attrgetter

import msgspec

from streams.core.detectors.prints.rolling import (
    DAY,
    EXTRAPOLATED,
    HOUR,
    PARTIAL,
    SATURATED,
    UNBOUNDED,
    UNESTIMATED,
    UNKNOWN,
    DayTally,
    Order,
    Page,
    Totals,
    Window,
    hours,
)
from streams.core.detectors.prints.state import SCOPE, PrintState, rank_days
from streams.core.dollars import Estimate
from streams.core.events import MICROS
from streams.core.frames import Cell, LateCell
from streams.core.scaling import Scale, by_venue
from streams.core.slots import SlotKey, SlotSecond, slot_seconds, tally_slots
from streams.core.throttle import ThrottleParams, feed

MINUTE = 60


class _Part(msgspec.Struct, gc=False):
    """Orders of one (venue, side) in one second, all kinds that count together."""

    n: int = 0
    usd: int = 0
    max_usd: int = 0

    def add(self, cell: Cell) -> None:
        self.n += cell.n
        self.usd += cell.usd
        self.max_usd = max(self.max_usd, cell.max_usd)


def count_cells(
    state: PrintState,
    second: int,
    cells: Sequence[Cell],
    venue_rows: bool,
    throttle: ThrottleParams,
) -> list[str]:
    """Add the orders of a second to windows, day and slots; the keys that changed."""
    sides: dict[tuple[str, bool], _Part] = {}
    for cell in cells:
        if cell.kind != "adl":
            sides.setdefault((cell.venue, cell.side == "long"), _Part()).add(cell)
    for venue, _ in sorted(sides):
        _open_windows(state, venue, venue_rows)
    tally_slots(state.slots, tuple(cells), second)
    bounds = _bounds(slot_seconds(tuple(cells), second))
    _estimate(state, second // MINUTE * MINUTE, throttle)
    changed: list[str] = []
    for venue, long in sorted(sides):
        side = sides[venue, long]
        slack, flags = bounds.pop(venue, (0, 0))
        row = _page(state, second).place(second % HOUR, venue, long)
        row.n, row.usd, row.max_usd = row.n + side.n, row.usd + side.usd, side.max_usd
        row.slack_usd, row.flags = slack, flags
        for key in _keys(state, venue):
            window, today = state.windows[key], state.day_tallies[key]
            for totals in (window.totals, today.totals):
                totals.count(long, side.n, side.usd, 0)
                totals.correct(0, slack, flags)
            hour = window.grow(second // MINUTE, side.usd)
            if second % DAY < HOUR:
                hour = today.totals.usd
            today.busiest_usd = max(today.busiest_usd, hour)
            window.rank(second, side.max_usd)
            today.largest_usd = max(today.largest_usd, side.max_usd)
            if key not in changed:
                changed.append(key)
        _count_venue(state.usd_by_venue, venue, side.usd)
        _count_venue(state.day_usd_by_venue, venue, side.usd)
    return changed


def count_late(
    state: PrintState,
    second: int,
    late: Sequence[LateCell],
    venue_rows: bool,
    throttle: ThrottleParams,
) -> tuple[list[str], list[str]]:
    """Add late orders to the sums of their own second; keys changed in the window, in the day.

    Those more than 24 h old are left out, and so are those of a closed day from the day's sums.
    An order stamped ahead of `second` counts at `second`.
    """
    changed: list[str] = []
    days: list[str] = []
    for cell in sorted(late, key=attrgetter("second", "venue", "side")):
        at = min(cell.second // MICROS, second)
        if cell.kind == "adl" or at <= second - DAY:
            continue
        _open_windows(state, cell.venue, venue_rows)
        long = cell.side == "long"
        # The cell states no largest order; the mean is a floor of it, exact for one order.
        largest = cell.usd // cell.n if cell.n else 0
        flags = _revise(_page(state, at), at, cell, largest, _late_flags(state, at, cell, throttle))
        for key in _keys(state, cell.venue):
            window, today = state.windows[key], state.day_tallies[key]
            _count_late(window, at, long, cell, largest)
            window.totals.correct(0, 0, flags)
            if key not in changed:
                changed.append(key)
            if at // DAY == state.day:
                today.totals.count(long, cell.n, cell.usd, cell.usd)
                today.totals.correct(0, 0, flags)
                today.largest_usd = max(today.largest_usd, largest)
                if key not in days:
                    days.append(key)
        _count_venue(state.usd_by_venue, cell.venue, cell.usd)
        if at // DAY == state.day:
            _count_venue(state.day_usd_by_venue, cell.venue, cell.usd)
    for key in changed:
        state.windows[key].resum(state.edge)
    for key in days:
        begun = state.day * (DAY // MINUTE)
        inside = {at: usd for at, usd in state.windows[key].minutes.items() if at >= begun}
        busiest = max((usd for _, usd in hours(inside)), default=0)
        state.day_tallies[key].busiest_usd = busiest
    return changed, days


def close_slots(state: PrintState) -> None:
    """Share what the open minute's slots hid among the minute's rows; the slots are done."""
    if state.minute is not None and state.shares:
        hour = state.minute * MINUTE // HOUR * HOUR
        page = state.pages[hour]
        rows = page.rows[page.after(state.minute * MINUTE - hour - 1) :]
        for venue, (hidden, flags) in sorted(state.shares.items()):
            _share(state, venue, hidden, flags, [row for row in rows if row.venue == venue])
    state.slots, state.shares, state.hidden = {}, {}, {}


def expire(state: PrintState, second: int) -> list[str]:
    """Take back the rows that leave the windows at `second`; the keys that changed."""
    changed: list[str] = []
    before = second - DAY if state.applied is None else state.applied - DAY
    for hour, page in state.pages.items():
        if hour > second - DAY:
            break
        for row in page.rows[page.after(before - hour) : page.after(second - DAY - hour)]:
            at = hour + row.at
            for key in _keys(state, row.venue):
                window = state.windows[key]
                window.totals.count(row.long, -row.n, -row.usd, -row.late_usd)
                window.totals.correct(row.hidden_usd, row.slack_usd, row.flags, -1)
                window.shrink(at // MINUTE, row.usd)
                window.forget(at)
                if key not in changed:
                    changed.append(key)
            _count_venue(state.usd_by_venue, row.venue, -row.usd)
    return changed


def _open_windows(state: PrintState, venue: str, by_venue: bool) -> None:
    if by_venue and venue not in state.windows:
        state.windows[venue] = Window()
        rank_days(state)
    for key in _keys(state, venue):
        if key not in state.day_tallies:
            state.day_tallies[key] = DayTally()


def _keys(state: PrintState, venue: str) -> tuple[str, ...]:
    return (SCOPE, venue) if venue in state.windows else (SCOPE,)


def _page(state: PrintState, second: int) -> Page:
    hour = second // HOUR * HOUR
    page = state.pages.get(hour)
    if page is None:
        page = state.pages[hour] = Page()
        if next(reversed(state.pages)) < max(state.pages):
            state.pages = dict(sorted(state.pages.items()))
    return page


def _count_venue(shares: dict[str, int], venue: str, usd: int) -> None:
    left = shares.get(venue, 0) + usd
    if left:
        shares[venue] = left
    else:
        shares.pop(venue, None)


def _bounds(seconds: Sequence[tuple[SlotKey, SlotSecond]]) -> dict[str, tuple[int, int]]:
    """By venue the second's slack and whether a bound is missing that trades would have given."""
    bounds: dict[str, tuple[int, int]] = {}
    for (venue, _, _), one in seconds:
        slack, flags = bounds.get(venue, (0, 0))
        if one.slack is not None:
            slack += one.slack
        elif one.feed.feed_class != "partial":
            flags |= UNBOUNDED
        bounds[venue] = (slack, flags)
    return bounds


def _estimate(state: PrintState, begun: int, throttle: ThrottleParams) -> None:
    """Estimate the venues of the open minute as if the rest of it stayed empty.

    Dividing by the seconds elapsed instead would read the first order of every minute as a
    saturated slot.
    """
    up = [venue for venue in state.up if state.back[venue] <= begun]
    scale = Scale(dict(state.oi_by_venue), up)
    published: dict[str, int] = {}
    for (venue, _, _), tally in state.slots.items():
        published[venue] = published.get(venue, 0) + tally.long_usd + tally.short_usd
    state.shares, state.hidden = {}, {}
    for venue, found in by_venue(state.slots, MINUTE, begun, scale, throttle).items():
        usd = found.of("mixed").usd
        hidden, flags = 0 if usd is None else usd - published[venue], _flags(found)
        if hidden or flags:
            state.shares[venue] = (hidden, flags)
            for key in _keys(state, venue):
                state.hidden.setdefault(key, Totals()).correct(hidden, 0, flags)


def _flags(found: Estimate) -> int:
    flags = {"saturated": SATURATED, "unknown": UNKNOWN, "extrapolated": EXTRAPOLATED}.get(
        found.identifiability, 0
    )
    flags |= PARTIAL if found.partial else 0
    return flags | (UNESTIMATED if found.of("mixed").usd is None else 0)


def _late_flags(state: PrintState, at: int, cell: LateCell, throttle: ThrottleParams) -> int:
    """What a late order says of its second: on a feed that leaves orders out nothing bounds it.

    A venue outside the table counts as partial. It is a floor unless a complete feed measures it.
    """
    source = feed(cell.venue, at * MICROS, None, throttle.doubted).feed_class
    if source != "partial":
        return 0 if source == "full" else UNBOUNDED
    if throttle.partial == "unknown":
        return PARTIAL | UNKNOWN | UNESTIMATED
    known = dict(state.oi_by_venue)
    up = {venue: feed(venue, at * MICROS, None, throttle.doubted) for venue in state.up}
    measured = any(one.feed_class == "full" and known.get(venue) for venue, one in up.items())
    return PARTIAL if measured else PARTIAL | UNKNOWN


def _share(state: PrintState, venue: str, hidden: int, flags: int, rows: list[Order]) -> None:
    """Spread a venue's hidden dollars of a minute over its rows by published dollars."""
    parts = _spread(hidden, [row.usd - row.late_usd for row in rows])
    for row, more in zip(rows, parts, strict=True):
        news = flags & ~row.flags
        row.hidden_usd += more
        row.flags |= flags
        for key in _keys(state, venue):
            state.windows[key].totals.correct(more, 0, news)
            state.day_tallies[key].totals.correct(more, 0, news)


def _spread(usd: int, weights: list[int]) -> list[int]:
    """`usd` in whole micro-dollars in proportion to `weights`; the parts sum to it.

    >>> _spread(10, [1, 1, 1])
    [3, 3, 4]
    """
    total = sum(weights)
    parts: list[int] = []
    passed = given = 0
    for weight in weights:
        passed += weight
        share = usd * passed // total - given if total else 0
        parts.append(share)
        given += share
    return parts


def _revise(page: Page, at: int, cell: LateCell, largest: int, flags: int) -> int:
    """Add a late order to its row and give the page a new version; the row's new flags."""
    row = page.place(at % HOUR, cell.venue, cell.side == "long")
    news = flags & ~row.flags
    row.n, row.usd, row.late_usd = row.n + cell.n, row.usd + cell.usd, row.late_usd + cell.usd
    row.max_usd = max(row.max_usd, largest)
    row.flags |= flags
    page.version += 1
    return news


def _count_late(window: Window, at: int, long: bool, cell: LateCell, largest: int) -> None:
    minute = at // MINUTE
    window.totals.count(long, cell.n, cell.usd, cell.usd)
    window.minutes[minute] = window.minutes.get(minute, 0) + cell.usd
    window.rank(at, largest)
