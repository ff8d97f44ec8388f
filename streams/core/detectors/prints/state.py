"""State of one scope's print, and how it is cut into a hot record and sealed pages.

Part of the print detector (definition 1.10). Promises that `restore(hot(s), sealed_pages(s))`
equals `s` between any two steps. A page's name changes with its content, so a page once written
is never written again; what can be summed from rows is left out of the hot record.
"""

from collections.abc import Container, Mapping
from typing import Final

import msgspec

from streams.core.detectors.prints.days import History
from streams.core.detectors.prints.milestones import Mark
from streams.core.detectors.prints.rolling import (
    DAY,
    HOUR,
    Coverage,
    DayTally,
    Page,
    Totals,
    Window,
)
from streams.core.slots import Slots

SCOPE: Final = ""
"""Key of the scope's own sums; the other keys are venues."""


class PrintState(msgspec.Struct):
    """Everything the print of one scope remembers; times are whole seconds since 1970.

    `applied` is the last second walked (None before the first). `pages` holds the rows of the
    last 24 h by hour. `minute` is the open minute (None when nothing changed in it), with the
    keys that changed and its slots; `shares` holds by venue what the open minute's estimate adds
    to published dollars, and its flags, `hidden` the same by key. `oi_by_venue` micro-dollars;
    `up` the healthy venues, `back` since when they have been. `dirty`, `dirty_days` are keys that
    changed since their last row, `due` is the second of the next rows. `edge` is the first minute
    of the windows.
    """

    scope: str
    applied: int | None = None
    coverage: Coverage = msgspec.field(default_factory=lambda: Coverage(0))
    health_ppm: int = 0
    oi_usd: int | None = None
    venues: list[str] = []
    basket: str = ""
    edge: int = 0
    pages: dict[int, Page] = {}
    windows: dict[str, Window] = msgspec.field(default_factory=lambda: {SCOPE: Window()})
    usd_by_venue: dict[str, int] = {}
    minute: int | None = None
    minute_keys: list[str] = []
    slots: Slots = {}
    shares: dict[str, tuple[int, int]] = {}
    hidden: dict[str, Totals] = {}
    oi_by_venue: tuple[tuple[str, int], ...] = ()
    up: tuple[str, ...] = ()
    back: dict[str, int] = {}
    day: int = 0
    day_basket: str = ""
    day_mixed: bool = False
    day_tallies: dict[str, DayTally] = {}
    day_usd_by_venue: dict[str, int] = {}
    dirty: list[str] = []
    dirty_days: list[str] = []
    due: int | None = None
    marks: dict[str, Mark] = {}
    history: History = msgspec.field(default_factory=History)
    ranks: dict[str, list[int]] = {}


class HotRecord(msgspec.Struct):
    """The part of a state that changes every second, and the names of the pages it needs."""

    state: PrintState
    pages: list[str]
    layout: int = 1


def new_state(scope: str) -> PrintState:
    """The state of a scope before its first second."""
    return PrintState(scope)


def page_names(state: PrintState) -> list[str]:
    """Names of the sealed pages that the state needs now."""
    names = [_page_name(hour, page) for hour, page in state.pages.items() if _sealed(state, hour)]
    if state.history.days:
        names.append(_history_name(state))
    return names


def sealed_pages(state: PrintState, known: Container[str] = ()) -> dict[str, bytes]:
    """Sealed pages by name, without those already `known` to be stored.

    An hour is sealed once it is over; a late order in a sealed hour seals it again under a new
    name. The days' history is a page of its own, renewed when a day is added.
    """
    sealed = {
        name: msgspec.msgpack.encode(page)
        for hour, page in state.pages.items()
        if _sealed(state, hour) and (name := _page_name(hour, page)) not in known
    }
    if state.history.days and (name := _history_name(state)) not in known:
        sealed[name] = msgspec.msgpack.encode(state.history)
    return sealed


def hot(state: PrintState) -> bytes:
    """The hot record: the state without its sealed pages and without sums of rows."""
    lean = msgspec.structs.replace(
        state,
        pages={hour: page for hour, page in state.pages.items() if not _sealed(state, hour)},
        windows={key: Window(window.totals) for key, window in state.windows.items()},
        history=History(),
        ranks={},
    )
    return msgspec.msgpack.encode(HotRecord(lean, page_names(state)))


def restore(record: bytes, pages: Mapping[str, bytes]) -> PrintState:
    """The state that `hot` and `sealed_pages` were taken of.

    Raises:
        ValueError: when a page that the record names is missing.
    """
    decoded = _decode_record(record)
    state = decoded.state
    missing = [name for name in decoded.pages if name not in pages]
    if missing:
        raise ValueError(f"state of {state.scope}: page {missing[0]} is missing")
    hours = state.pages
    for name in decoded.pages:
        kind, number, _ = name.split("/")
        if kind == "days":
            state.history = _decode_history(pages[name])
        else:
            hours[int(number) * HOUR] = _decode_page(pages[name])
    state.pages = dict(sorted(hours.items()))
    _resum(state)
    rank_days(state)
    return state


def own_venues(state: PrintState) -> list[str]:
    """Venues that have a window of their own."""
    return [key for key in state.windows if key != SCOPE]


def rank_days(state: PrintState) -> None:
    """Derive the sorted daily totals from the history; needed when day or basket change."""
    state.ranks = state.history.ranks(state.day, state.basket, own_venues(state))


def _sealed(state: PrintState, hour: int) -> bool:
    return state.applied is not None and hour + HOUR <= state.applied


def _page_name(hour: int, page: Page) -> str:
    return f"hour/{hour // HOUR}/{page.version}"


def _history_name(state: PrintState) -> str:
    return f"days/{state.history.through}/0"


def _resum(state: PrintState) -> None:
    """Rebuild the windows' minutes, hours and orders from the unexpired rows."""
    if state.applied is None:
        return
    edge = state.applied - DAY
    for hour, page in state.pages.items():
        for row in page.rows[page.after(edge - hour) :]:
            second = hour + row.at
            for key in (SCOPE, row.venue):
                window = state.windows.get(key)
                if window is not None:
                    minute = second // 60
                    if row.usd:
                        window.minutes[minute] = window.minutes.get(minute, 0) + row.usd
                    window.rank(second, row.max_usd)
    for window in state.windows.values():
        window.resum(state.edge)


_decode_record = msgspec.msgpack.Decoder(HotRecord).decode
_decode_history = msgspec.msgpack.Decoder(History).decode
_decode_page = msgspec.msgpack.Decoder(Page).decode
