"""What the detectors of a scope have last said, for the detectors that build on them.

The board between detectors of one scope. Promises that it is part of the stage's state, that a
row is published only when its content is new or the hour has turned, and that a detector sees
those before it in `registry` as of the same minute.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

import msgspec

from streams.core.events import MICROS, PositionSide
from streams.core.results import (
    Alert,
    CascadeWindow,
    Milestone,
    Print,
    RegimeResolution,
    RegimeTransition,
    Result,
    Signal,
    SignalRow,
)

HOUR_US = 3600 * MICROS
_COVERAGE_STEP = 0.1
"""Smaller changes of a mean coverage are no news: it creeps for as long as its window lasts."""

_encode = msgspec.msgpack.Encoder(order="deterministic").encode

R = TypeVar("R", bound=SignalRow)


class Early(msgspec.Struct, frozen=True):
    """A side whose cascade statistic is past the early tier or whose window is open.

    `onset` (s) is where the excursion began; `level` the statistic over the alarm's, at most 1.
    """

    side: PositionSide
    onset: int
    level: float


class Fuel(msgspec.Struct, frozen=True):
    """Estimated forced micro-dollars in the price's path, as of `at` (s), shown or hidden.

    Tuples follow FUEL_DISTANCES. A `ZoneMap` tells them only once the map has proven skill.
    """

    at: int
    below_usd: tuple[int, ...]
    above_usd: tuple[int, ...]


class Readings(msgspec.Struct):
    """Last rows of a scope, the early tier of its cascade statistics, the fuel of its map.

    `early` is as of the last second that was not quiet, `fuel` as of the last minute.
    `cascades`: windows that are not final, by id; `print_24h`: the last rolling row over all
    venues; `latest`: the last signal of each kind over all venues, by key; `sent`: when each kind
    of signal was last published (µs) and the digest of its content.
    """

    cascades: dict[str, CascadeWindow] = {}
    print_24h: Print | None = None
    latest: dict[str, Signal] = {}
    sent: dict[str, tuple[int, int]] = {}
    early: tuple[Early, ...] = ()
    fuel: Fuel | None = None

    def last(self, kind: type[R], window_s: int | None = None) -> R | None:
        """The last row of a kind over all venues; `window_s` where the kind has windows."""
        row = self.latest.get(_key(kind.__struct_config__.tag, None, window_s))
        return row if isinstance(row, kind) else None

    def open_cascades(self) -> list[CascadeWindow]:
        """Windows that have not closed, by onset."""
        found = [window for window in self.cascades.values() if window.closed_at is None]
        return sorted(found, key=lambda window: (window.onset, window.id))

    def note(self, rows: Sequence[Result]) -> list[Result]:
        """Remember rows; gives those to publish."""
        return [row for row in rows if self._note(row)]

    def _note(self, row: Result) -> bool:
        if isinstance(row, CascadeWindow):
            if row.is_final:
                self.cascades.pop(row.id, None)
            else:
                self.cascades[row.id] = row
            return True
        if isinstance(row, Print):
            if row.kind == "rolling_24h" and row.venue is None:
                self.print_24h = row
            return True
        if isinstance(row, (Milestone, Alert, RegimeTransition, RegimeResolution)):
            return True
        venue, window_s = getattr(row, "venue", None), getattr(row, "window_s", None)
        key = _key(row.__struct_config__.tag, venue, window_s)
        if venue is None:
            self.latest[key] = row
        digest = _digest(row)
        sent = self.sent.get(key)
        if sent is not None and sent[1] == digest and sent[0] // HOUR_US == row.at // HOUR_US:
            return False
        self.sent[key] = row.at, digest
        return True


def _key(kind: object, venue: str | None, window_s: int | None) -> str:
    return f"{kind}|{venue or ''}|{window_s or ''}"


def _digest(row: Signal) -> int:
    """56 bits of what a row says, apart from when it says it and from what creeps."""
    said = msgspec.structs.replace(
        row, id="", at=0, watermark=0, coverage=round(row.coverage / _COVERAGE_STEP)
    )
    if hasattr(said, "history_days"):
        said = msgspec.structs.replace(said, history_days=0)
    return int.from_bytes(blake2b(_encode(said), digest_size=7).digest())
