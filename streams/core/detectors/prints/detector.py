"""Liquidated dollars of one scope over the rolling 24 h and the UTC day (definition 1.10).

Detector stage of the data path: sealed seconds in, `Print` and `Milestone` rows out. Promises
exact second edges, int64 sums, and the same rows and state whether an empty second is passed or
skipped: between two inputs it visits only seconds at which something ends. Does not correct a
row after its minute or day is over; a late order counts from the second it is handed over.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET

from streams.core.detectors.prints.milestones import Crossing, crossings, milestone_row
from streams.core.detectors.prints.params import PrintParams
from streams.core.detectors.prints.rolling import DAY, HOUR, PPM, Coverage
from streams.core.detectors.prints.rows import day_row, estimated_usd, rolling_row, standing
from streams.core.detectors.prints.state import (
    SCOPE,
    PrintState,
    hot,
    new_state,
    own_venues,
    page_names,
    rank_days,
    restore,
    sealed_pages,
)
from streams.core.detectors.prints.tally import close_slots, count_cells, count_late, expire
from streams.core.events import MICROS
from streams.core.frames import Cell, LateCell
from streams.core.results import MARKET, Milestone, Print
from streams.core.rowmeta import RowMeta
from streams.core.throttle import Doubted, ThrottleParams, basket

__all__ = [
    "PrintParams",
    "PrintState",
    "advance",
    "hot",
    "new_state",
    "next_end",
    "page_names",
    "restore",
    "sealed_pages",
    "step",
]

Rows = list[Print | Milestone]


def step(
    state: PrintState,
    second: int,
    cells: Sequence[Cell],
    late: Sequence[LateCell],
    oi_usd: int | None,
    coverage: float,
    params: PrintParams,
    meta: RowMeta,
    *,
    throttle: ThrottleParams,
    venues: Iterable[str] = (),
    up: tuple[str, ...] = (),
    oi_by_venue: tuple[tuple[str, int], ...] = (),
) -> Rows:
    """Apply one sealed second of the scope; changes `state`.

    Args:
        state: from `new_state` or `restore`.
        second: event-time second, s since 1970; at or before the last one it is ignored.
        cells: forced orders of the second, in any order.
        late: forced orders of earlier seconds that came too late.
        oi_usd: one-sided open interest of the scope, micro-dollars, None when unknown.
        coverage: share of venues healthy in this second and until the next one given.
        params: the print's parameters.
        meta: origin stamped on every row.
        throttle: parameters of the throttle correction.
        venues: venues connected to the scope; without them the venues seen so far.
        up: those of them whose forced orders come in this second and until the next one given.
        oi_by_venue: the parts of `oi_usd`, by which throttled venues are measured.

    Returns:
        Rows of the seconds walked, in order of the logical second that caused them.
    """
    if state.applied is None:
        _begin(state, second)
    elif second <= state.applied:
        return []
    rows = advance(state, second - 1, params, meta, throttle.doubted)
    _close(state, second, params, meta, rows, throttle.doubted)
    state.oi_usd, state.oi_by_venue = oi_usd, oi_by_venue
    state.back = {venue: state.back[venue] if venue in state.up else second for venue in up}
    state.up = up
    state.health_ppm = round(coverage * PPM)
    _connect(state, venues, (*cells, *late), throttle.doubted)
    _enter(state, second, params)
    venue_rows = state.scope == MARKET or params.venue_rows_of_assets
    if cells:
        keys = count_cells(state, second, cells, venue_rows, throttle)
        _mark(state, second, keys, keys, params)
    if late:
        _mark(state, second, *count_late(state, second, late, venue_rows, throttle), params)
    _publish(state, second, params, meta, rows)
    return rows


def advance(
    state: PrintState,
    to_second: int,
    params: PrintParams,
    meta: RowMeta,
    doubted: Doubted = UNSET,
) -> Rows:
    """Let empty seconds pass up to and including `to_second`; changes `state`.

    Only seconds at which a row expires, a minute or day ends or rows are due are visited, so a
    gap of months costs what ends in it, not its length.
    """
    rows: Rows = []
    if state.applied is None:
        return rows
    while (second := next_end(state)) is not None and second <= to_second:
        _close(state, second, params, meta, rows, doubted)
        _enter(state, second, params)
        _publish(state, second, params, meta, rows)
    if to_second > state.applied:
        state.coverage.extend(to_second, state.health_ppm)
        _slide(state, to_second)
        _drop_pages(state, to_second)
        state.applied = to_second
    return rows


def _begin(state: PrintState, second: int) -> None:
    state.applied = second - 1
    state.coverage = Coverage(second - 1)
    state.edge = (second - DAY) // 60
    state.day = second // DAY


def next_end(state: PrintState) -> int | None:
    """The next second (s) after the last one at which something ends; None before the first."""
    if state.applied is None:
        return None
    end = (state.day + 1) * DAY
    if state.minute is not None:
        end = min(end, state.minute * 60 + 60)
    if state.due is not None:
        end = min(end, state.due)
    expiry = _next_expiry(state)
    return end if expiry is None else min(end, expiry)


def _next_expiry(state: PrintState) -> int | None:
    if state.applied is None:
        return None
    edge = state.applied - DAY
    for hour, page in state.pages.items():
        index = page.after(edge - hour)
        if index < len(page.rows):
            return hour + page.rows[index].at + DAY
    return None


def _close(
    state: PrintState,
    second: int,
    params: PrintParams,
    meta: RowMeta,
    rows: Rows,
    doubted: Doubted,
) -> None:
    """End the minute and the day that are over at `second`; their rows are final."""
    state.coverage.extend(second - 1, state.health_ppm)
    if state.minute is not None and second >= state.minute * 60 + 60:
        close_slots(state)
        rows.extend(
            rolling_row(state, key, second, state.minute * 60, params, meta)
            for key in sorted(state.minute_keys)
        )
        state.minute, state.minute_keys, state.dirty = None, [], []
        if not state.dirty_days:
            state.due = None
    if second >= (state.day + 1) * DAY:
        rows.extend(day_row(state, key, second, params, meta) for key in sorted(state.day_tallies))
        _remember_day(state, params)
        state.day = second // DAY
        state.day_tallies, state.day_usd_by_venue, state.dirty_days = {}, {}, []
        state.coverage.day = 0
        state.due = None
        _name_basket(state, doubted)
        state.day_basket, state.day_mixed = state.basket, False


def _remember_day(state: PrintState, params: PrintParams) -> None:
    """Keep the day for comparison when it was observed and its basket meant one thing."""
    seen = state.coverage.day >= params.least_day_coverage * DAY * PPM
    if not seen or state.day_mixed or not state.day_basket:
        return
    tally = state.day_tallies.get(SCOPE)
    by_venue = {
        venue: state.day_usd_by_venue.get(venue, 0)
        for venue in sorted(own_venues(state))
        if venue in state.venues
    }
    usd = tally.totals.usd if tally else 0
    state.history.add(state.day, state.day_basket, usd, by_venue, params.history_days)


def _connect(
    state: PrintState,
    venues: Iterable[str],
    cells: Sequence[Cell | LateCell],
    doubted: Doubted,
) -> None:
    named = sorted(set(venues) or {*state.venues, *(cell.venue for cell in cells)})
    if named != state.venues:
        state.venues = named
        _name_basket(state, doubted)
        if not state.day_basket:
            state.day_basket = state.basket
        state.day_mixed = state.day_mixed or state.basket != state.day_basket


def _name_basket(state: PrintState, doubted: Doubted) -> None:
    state.basket = basket(state.venues, state.day * DAY * MICROS, doubted)
    rank_days(state)


def _enter(state: PrintState, second: int, params: PrintParams) -> None:
    """Move the windows to `second` and drop what has expired."""
    state.coverage.extend(second, state.health_ppm)
    _slide(state, second)
    expired = expire(state, second)
    _drop_pages(state, second)
    state.applied = second
    _mark(state, second, expired, (), params)


def _slide(state: PrintState, second: int) -> None:
    edge = (second - DAY + 1) // 60
    if edge != state.edge:
        for window in state.windows.values():
            window.slide(state.edge, edge)
        state.edge = edge


def _drop_pages(state: PrintState, second: int) -> None:
    for hour in list(state.pages):
        if hour + HOUR > second - DAY + 1:
            break
        del state.pages[hour]


def _mark(
    state: PrintState,
    second: int,
    keys: Iterable[str],
    day_keys: Iterable[str],
    params: PrintParams,
) -> None:
    """Note whose sums changed at `second`, and when their rows are due."""
    for key in keys:
        if key not in state.dirty:
            state.dirty.append(key)
        if key not in state.minute_keys:
            state.minute_keys.append(key)
        state.minute = second // 60
    state.dirty_days.extend(key for key in day_keys if key not in state.dirty_days)
    if state.due is None and (state.dirty or state.dirty_days):
        state.due = -(-second // params.emit_every_s) * params.emit_every_s


def _publish(
    state: PrintState, second: int, params: PrintParams, meta: RowMeta, rows: Rows
) -> None:
    """Rows that are due, scope before venues, then the milestones just crossed."""
    reached = list(_crossings(state, second, params)) if SCOPE in state.dirty else []
    if state.due is not None and second >= state.due:
        for key in sorted({*state.dirty, *state.dirty_days}):
            if key in state.dirty:
                rows.append(rolling_row(state, key, second, second // 60 * 60, params, meta))
            if key in state.dirty_days:
                rows.append(day_row(state, key, second, params, meta))
        state.dirty, state.dirty_days, state.due = [], [], None
    if reached:
        total = standing(state, params)
        rows.extend(milestone_row(state.scope, one, total, params, meta) for one in reached)


def _crossings(state: PrintState, second: int, params: PrintParams) -> Iterator[Crossing]:
    """Crossings of the totals without late orders, which may revise dollars but not these."""
    totals = state.windows[SCOPE].totals
    on_time = totals.usd - totals.late_usd
    yield from crossings(state.marks, "observed", on_time, second, params)
    estimated = estimated_usd(state, SCOPE, totals)
    if estimated is not None:
        yield from crossings(state.marks, "estimated", estimated - totals.late_usd, second, params)
