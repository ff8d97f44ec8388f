"""Message to rows: which tables a message fills, and with what values in which columns.

Between the decoded structs and the insert. Promises one column per field under the field's
name (a test holds the lists equal to the structs and to the tables), integers for times (us)
and dollars (micro-dollars) untouched, and a named reason for a value that no table can hold.
Does not talk to ClickHouse. A dash of bookkeeping is added: `revision`, `is_late`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, Final

import msgspec

from streams.contracts import Message
from streams.core.events import (
    EARLIEST_EVENT_US,
    LATEST_EVENT_US,
    MICROS,
    DeadLetter,
    FeedStatus,
    LateLiquidation,
    Liquidation,
)
from streams.core.frames import (
    BookState,
    Cell,
    Flow,
    Frame,
    LateCell,
    MacroValue,
    TickerState,
)
from streams.core.results import CascadeWindow, Milestone, Print
from streams.core.results.signals import SignalRow
from streams.edges.signal_rows import SIGNAL_TABLES, signal_row
from streams.edges.signal_rows import columns as signal_columns

Row = tuple[Any, ...]

LIQUIDATIONS: Final = "liquidations"
LATE_EVENTS: Final = "late_events"
DEAD_LETTERS: Final = "dead_letters"
FEED_STATUS: Final = "feed_status"
FRAMES: Final = "frames"
CASCADES: Final = "cascades"
PRINTS: Final = "prints"
MILESTONES: Final = "milestones"

IN_TIME: Final = 1
"""`revision` of a liquidation that came in time: a late copy (0) never hides it."""
LATE: Final = 0


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table as the sink fills it: `columns` in the order of the rows."""

    name: str
    columns: tuple[str, ...]


def _names(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(struct))


def _values(struct: type[msgspec.Struct]) -> Callable[[Any], Row]:
    getter: Callable[[Any], Row] = attrgetter(*(f.name for f in msgspec.structs.fields(struct)))
    return getter


@dataclass(frozen=True, slots=True)
class _Group:
    """Members of a frame, one struct each: parallel arrays named `name.field`."""

    name: str
    columns: tuple[str, ...]
    values: Callable[[Any], Row]


def _group(name: str, struct: type[msgspec.Struct]) -> _Group:
    return _Group(name, tuple(f"{name}.{field}" for field in _names(struct)), _values(struct))


_GROUPS: Final = (
    _group("cells", Cell),
    _group("late", LateCell),
    _group("flows", Flow),
    _group("tickers", TickerState),
    _group("books", BookState),
    _group("macro", MacroValue),
)
_cells, _late, _flows, _tickers, _books, _macro = _GROUPS

_liquidation = _values(Liquidation)
_dead_letter = _values(DeadLetter)
_feed_status = _values(FeedStatus)
_cascade = _values(CascadeWindow)
_print = _values(Print)
_milestone = _values(Milestone)

_FRAME_HEAD: Final = tuple(
    name for name in _names(Frame) if name not in {*(group.name for group in _GROUPS), "v"}
)
_frame_head: Callable[[Frame], Row] = attrgetter(*_FRAME_HEAD)

_PROPAGATION: Final = _names(CascadeWindow).index("propagation")
_GATES: Final = _names(CascadeWindow).index("gates")

TABLES: Final[dict[str, TableSpec]] = {
    spec.name: spec
    for spec in (
        TableSpec(LIQUIDATIONS, (*_names(Liquidation), "is_late", "revision")),
        TableSpec(LATE_EVENTS, (*_names(Liquidation), "sealed_through_us", "revision")),
        TableSpec(DEAD_LETTERS, (*_names(DeadLetter), "revision")),
        TableSpec(FEED_STATUS, (*_names(FeedStatus), "revision")),
        TableSpec(
            FRAMES,
            (*_FRAME_HEAD, *chain(*(group.columns for group in _GROUPS)), "v", "revision"),
        ),
        TableSpec(CASCADES, _names(CascadeWindow)),
        TableSpec(PRINTS, _names(Print)),
        TableSpec(MILESTONES, _names(Milestone)),
        *(TableSpec(name, signal_columns(struct)) for struct, name in SIGNAL_TABLES.items()),
    )
}
"""Every table that the sink fills, by name."""


class BadRow(ValueError):
    """A message whose values no table can hold; the text names the field."""


def rows(message: Message) -> tuple[tuple[str, Row], ...]:
    """(table, row) pairs of one message; ticks and contributions have none.

    Times stay int64 us and dollars int64 micro-dollars; `inserts` writes both as they are.

    Raises:
        BadRow: a time outside its range or a negative revision.
    """
    match message:
        case Frame():
            return ((FRAMES, _frame(message)),)
        case Liquidation():
            _event_time("event_time_us", message.event_time_us)
            return ((LIQUIDATIONS, (*_liquidation(message), False, IN_TIME)),)
        case LateLiquidation():
            late = message.liquidation
            if late.id != message.id:
                raise BadRow(f"id {message.id!r} is not the id of its liquidation")
            _event_time("event_time_us", late.event_time_us)
            values = _liquidation(late)
            return (
                (LIQUIDATIONS, (*values, True, LATE)),
                (LATE_EVENTS, (*values, message.sealed_through_us, 0)),
            )
        case CascadeWindow():
            return ((CASCADES, _window(message)),)
        case Print():
            _revision(message.revision)
            _event_time("period_start", message.period_start)
            return ((PRINTS, _print(message)),)
        case Milestone():
            _revision(message.revision)
            _event_time("crossed_at", message.crossed_at)
            return ((MILESTONES, _milestone(message)),)
        case SignalRow():
            _event_time("at", message.at)
            return ((SIGNAL_TABLES[type(message)], signal_row(message)),)
        case DeadLetter():
            # A letter about a record without a usable time may carry 0.
            if not 0 <= message.received_at_us <= LATEST_EVENT_US:
                raise BadRow(f"received_at_us {message.received_at_us} is outside 1970..2099")
            return ((DEAD_LETTERS, (*_dead_letter(message), 0)),)
        case FeedStatus():
            _event_time("at_us", message.at_us)
            return ((FEED_STATUS, (*_feed_status(message), 0)),)
        case _:
            return ()


def _frame(frame: Frame) -> Row:
    _event_time("second", frame.second)
    if frame.second % MICROS:
        raise BadRow(f"second {frame.second} us is not a whole second")
    return (
        *_frame_head(frame),
        *_arrays(_cells, frame.cells),
        *_arrays(_late, frame.late),
        *_arrays(_flows, frame.flows),
        *_arrays(_tickers, frame.tickers),
        *_arrays(_books, frame.books),
        *_arrays(_macro, frame.macro),
        frame.v,
        0,
    )


def _arrays(group: _Group, members: Sequence[Any]) -> Sequence[Row]:
    """One tuple per field over all members, empty ones when there is no member."""
    if not members:
        return ((),) * len(group.columns)
    return tuple(zip(*map(group.values, members), strict=True))


def _window(window: CascadeWindow) -> Row:
    _revision(window.revision)
    _event_time("onset", window.onset)
    row = list(_cascade(window))
    row[_PROPAGATION] = [
        (lead.venue, lead.asset, lead.lag_s, lead.clock_uncertainty_s)
        for lead in window.propagation or ()
    ]
    row[_GATES] = {
        name: (gate.state, gate.value, gate.threshold) for name, gate in window.gates.items()
    }
    return tuple(row)


def _event_time(field: str, value: int) -> None:
    if not EARLIEST_EVENT_US <= value <= LATEST_EVENT_US:
        raise BadRow(f"{field} {value} us is outside 2010..2099")


def _revision(value: int) -> None:
    if value < 0:
        raise BadRow(f"revision {value} is negative")
