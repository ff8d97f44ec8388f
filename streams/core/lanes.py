"""The fast lane: a venue's trades between two status records, decoded at once and counted in lots.

Beside `normalise` on the data path, for the messages that are nine of ten. Promises the sealed
content that `normalise` and the framer give record by record: what a lane takes is flawless, and
what is not is handed back to be taken one by one. Order inside a stretch without status records
is free, so a lot may be counted at its end. Names no reason and knows no clock.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from streams.core.buckets import Bucket
from streams.core.events import (
    EARLIEST_EVENT_US,
    LATEST_EVENT_US,
    MAX_PAYLOAD_BYTES,
    MICROS,
    Outcome,
    Raw,
)
from streams.core.instruments import Instruments
from streams.core.normalise import FUTURE_SKEW_US, Parser
from streams.core.tapes import Key, Mark, Tape, Terms, TradeRow, tally

CHANNEL: Final = "trade"
"""The channel of the records that lanes take."""

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a typed decoder raises for bytes that are not its message."""


class TradeFormat(msgspec.Struct, frozen=True):
    """How a venue's trades are read in lots.

    `readers`: typed decoders, tried in turn; the row or rows stand in `data`, and what the
    venue's parser makes no `Trade` of is refused. `many`: the rows are a list. `buy`, `sell`: the
    objects in a row's `side`. `numbered`: row ids are numbers. `marked`: rows tell in `block`
    that they were made off the book. `plain`: whether a symbol means here what its name says.
    """

    readers: tuple[Callable[[bytes], Any], ...]
    many: bool
    buy: object
    sell: object
    numbered: bool = False
    marked: bool = False
    plain: Callable[[str], bool] = bool


class VenueParser(msgspec.Struct, frozen=True):
    """A venue's parser, with its trades in lots where it has such a format."""

    parse: Parser
    trades: TradeFormat | None = None

    def __call__(self, raw: Raw, instruments: Instruments) -> list[Outcome]:
        """Outcomes of one record; see `streams.core.normalise.Parser`."""
        return self.parse(raw, instruments)


class Lane:
    """A venue's trades on their way to tapes, in lots.

    `waiting` holds the indices of records not decoded yet, `lots` the rows by symbol that are;
    none of these records was received before `earliest_us`.
    """

    def __init__(self, venue: str, form: TradeFormat, instruments: Instruments) -> None:
        self.venue = venue
        self.numbered = form.numbered
        self.waiting: list[int] = []
        self.lots: defaultdict[str, list[TradeRow]] = defaultdict(list)
        self.earliest_us = LATEST_EVENT_US
        self._taken: list[int] = []
        self._form = form
        self._instruments = instruments
        self._decode = form.readers[0]
        self._terms: dict[str, Terms] = {}

    def gather(self, raws: Sequence[Raw]) -> tuple[list[int], list[str]]:
        """Decode what waits; the indices that this lane cannot read, and symbols new in `lots`."""
        waiting, self.waiting = self.waiting, []
        own = [raws[index] for index in waiting]
        self.earliest_us = min(self.earliest_us, min([raw.received_at_us for raw in own]))
        found = self._read_all([raw.payload for raw in own])
        unread: list[int] = []
        if not all(found):
            unread = [at for at, message in zip(waiting, found, strict=True) if message is None]
            waiting = [at for at, message in zip(waiting, found, strict=True) if message]
        self._taken += waiting
        before = len(self.lots)
        self._add(found)
        return unread, list(self.lots)[before:]

    def settle(self) -> tuple[dict[str, list[TradeRow]], list[int]]:
        """Rows by symbol, and the indices of their records; the lane is empty then."""
        lots, taken = self.lots, self._taken
        self.lots, self._taken = defaultdict(list), []
        return lots, taken

    def symbol_of(self, raw: Raw) -> str | None:
        """The symbol that a record's rows stand under; None when the lane cannot read it."""
        found = self._read(raw.payload)
        if found is None:
            return None
        symbol: str = found[0].symbol if self._form.many else found.symbol
        return symbol

    def _read_all(self, payloads: Sequence[bytes]) -> list[Any]:
        if max(map(len, payloads)) <= MAX_PAYLOAD_BYTES and all(map(bytes.isascii, payloads)):
            try:
                return [message.data or None for message in map(self._decode, payloads)]
            except UNREADABLE:
                pass
        return [self._read(payload) for payload in payloads]

    def _read(self, payload: bytes) -> Any:
        if len(payload) <= MAX_PAYLOAD_BYTES and _is_text(payload):
            for decode in self._form.readers:
                try:
                    found = decode(payload).data
                except UNREADABLE:
                    continue
                self._decode = decode
                return found or None
        return None

    def _add(self, found: Sequence[Any]) -> None:
        """Put rows into `lots`; a list's rows all under its first one's symbol."""
        lots = self.lots
        if self._form.many:
            for rows in found:
                if rows:
                    lots[rows[0].symbol] += rows
            return
        for row in found:
            if row is not None:
                lots[row.symbol].append(row)

    def terms(self, symbol: str) -> Terms | None:
        """What the symbol's rows are worth; None when the lane cannot tell."""
        terms = self._terms.get(symbol)
        if terms is None and self._form.plain(symbol):
            found = self._instruments.resolve(self.venue, symbol)
            if found is None or found.size_unit == "quote":
                return None
            if found.contract in ("inverse", "quanto") and not found.in_dollars:
                return None
            terms = Terms(found.asset, found.contract, found.micros_per_unit, found.coins_per_unit)
            self._terms[symbol] = terms
        return terms

    def tapes(
        self, rows: list[TradeRow], symbol: str, terms: Terms, open_seconds: Mapping[int, Bucket]
    ) -> dict[int, Tape] | None:
        """Tapes of a symbol's rows by second (s), of the trades that are not on one yet.

        None when a row is odd: of another symbol, off the book, one that `tally` refuses, or the
        copy of a trade whose side is unknown.
        """
        form = self._form
        if form.many and not self._alike(rows, symbol):
            return None
        key = (self.venue, symbol)
        second = rows[0].time // 1000
        if rows[-1].time // 1000 == second:
            known = _marks(open_seconds.get(second), key, rows)
            if known is None:
                return None
            tape = tally(rows, second, known, terms, form.buy, form.sell)
            if tape is not None:
                return {second: tape}
        parts: dict[int, list[TradeRow]] = {}
        for row in rows:
            parts.setdefault(row.time // 1000, []).append(row)
        found: dict[int, Tape] = {}
        for second, part in parts.items():
            known = _marks(open_seconds.get(second), key, part)
            if known is None:
                return None
            tape = tally(part, second, known, terms, form.buy, form.sell)
            if tape is None:
                return None
            found[second] = tape
        return found

    def _alike(self, rows: Sequence[Any], symbol: str) -> bool:
        """Whether rows that came in lists are all of the symbol, and made on the book."""
        if self._form.marked and True in [row.block for row in rows]:
            return False
        return [row.symbol for row in rows].count(symbol) == len(rows)


def _is_text(payload: bytes) -> bool:
    """Whether the payload is UTF-8, also in fields that typed decoders skip unread."""
    if not payload.isascii():
        try:
            payload.decode()
        except UnicodeDecodeError:
            return False
    return True


def _marks(bucket: Bucket | None, key: Key, rows: Sequence[TradeRow]) -> AbstractSet[Mark] | None:
    """Marks of the trades that a second has of a symbol; None when a row tells one of them a side.

    Args:
        bucket: the second.
        key: the symbol.
        rows: of the symbol and the second.
    """
    tape = None if bucket is None else bucket.tapes.get(key)
    if tape is None:
        return frozenset()
    if tape.unsided and not tape.unsided.keys().isdisjoint([row.id for row in rows]):
        return None
    return tape.ids


def on_time(seconds: Collection[int], floor_s: int, earliest_us: int) -> bool:
    """Whether all of some seconds (s) are open and in the range that `normalise` allows.

    Args:
        seconds: in which events are stamped.
        floor_s: the first that is open to them.
        earliest_us: a time of receipt (us) that none of the events was received before.
    """
    first, last = min(seconds), max(seconds)
    return (
        floor_s <= first
        and first * MICROS >= EARLIEST_EVENT_US
        and (last + 1) * MICROS <= min(LATEST_EVENT_US, earliest_us + FUTURE_SKEW_US)
    )
