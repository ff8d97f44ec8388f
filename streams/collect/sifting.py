"""What a connection makes of a message: records by asset, books once a second, lags.

Between the socket and the sink, without either. Promises the venue's bytes, rows of several
assets cut as `slicing` does, no asset that nobody asked for, and of each symbol's books the last.
What the parser rejects goes on under an unknown asset, so that the framer dead-letters it; control
frames end here. Does not keep books by changes: those come from a `Fold`.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from streams.collect.folding import Fold
from streams.collect.records import Record
from streams.core.events import (
    MICROS,
    Book,
    Ignored,
    Liquidation,
    Outcome,
    Raw,
    Rejected,
    Ticker,
    Trade,
    stable_id,
)
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.edges.slicing import UNKNOWN, slices
from streams.parsing import parsers
from streams.venues import FORCED_ON_TAPE, WITNESSES
from streams.venues.book_changes import Changes

LAG_WINDOW_US: Final = 60 * MICROS
_CHANNELS: Final[Mapping[type, str]] = {
    Liquidation: "liquidation",
    Trade: "trade",
    Ticker: "ticker",
    Book: "book",
}


class Lags:
    """The largest lag of the last 60 s of one channel."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, int]] = deque()

    def note(self, received_us: int, lag_us: int) -> None:
        """An event came; only lags that no later one exceeds can be a maximum again."""
        while self._kept and self._kept[-1][1] <= lag_us:
            self._kept.pop()
        self._kept.append((received_us, lag_us))

    def largest(self, at_us: int) -> int:
        """In microseconds, never below zero."""
        while self._kept and self._kept[0][0] < at_us - LAG_WINDOW_US:
            self._kept.popleft()
        return max(0, self._kept[0][1]) if self._kept else 0


class Sifter:
    """The messages of one connection. `heard_us`: when each channel last had an event."""

    def __init__(
        self,
        venue: str,
        connection: str,
        wanted: frozenset[str],
        instruments: Instruments,
        since_us: int,
        *,
        channels: Iterable[str] = (),
        folded: Changes | None = None,
    ) -> None:
        """Begin with nothing heard.

        Args:
            venue: whose messages these are.
            connection: its name in the records.
            wanted: assets; events of others are dropped.
            instruments: contract sizes and classes.
            since_us: what happened before is history that a venue repeats, and tells no lag.
            channels: those whose lags are told.
            folded: how books come as changes; None where each message holds a full one.
        """
        self._venue = venue
        self._connection = connection
        self._wanted = wanted
        self._instruments = instruments
        self._parsers = parsers()
        self._since_us = since_us
        self._number = 0
        self._held: dict[str, Record] = {}
        self._fold = None if folded is None else Fold(folded)
        self._lags = {channel: Lags() for channel in channels}
        self.heard_us: dict[str, int] = {}

    def take(self, payload: bytes, received_us: int) -> list[Record]:
        """Records of a message, but for its books, which wait for `release`."""
        self._number += 1
        if self._fold is not None and self._fold.take(payload, received_us):
            return []
        raw = Raw(self._venue, None, self._connection, received_us, payload)
        outcomes = normalise(raw, self._parsers, self._instruments)
        if all(isinstance(outcome, Ignored) for outcome in outcomes):
            return self._witness(raw)
        events = [o for o in outcomes if not isinstance(o, (Ignored, Rejected))]
        channel = _CHANNELS[type(events[0])] if events else None
        raw = Raw(raw.venue, channel, self._connection, received_us, payload)
        wanted = [event for event in events if event.asset in self._wanted]
        self._hear(wanted, received_us)
        if not events:
            return [Record(raw, UNKNOWN)]
        if not wanted and len(events) == len(outcomes):
            return []
        records = self._cut(raw, outcomes)
        if isinstance(events[0], Book):
            for record in records:
                self._held[events[0].symbol] = record
            return []
        return records

    def release(self) -> list[Record]:
        """The last book of each symbol since the last call."""
        records = [*self._held.values()]
        self._held.clear()
        if self._fold is not None:
            for topic, payload, received_us in self._fold.full():
                records += self._folded(self._fold, topic, payload, received_us)
        return records

    def torn(self) -> bool:
        """Whether a book has become wrong since the last call."""
        return self._fold is not None and self._fold.torn()

    def spoil(self) -> None:
        """A message is missing that may have changed any book."""
        if self._fold is not None:
            self._fold.spoil_all()

    def lag_us(self, channel: str, at_us: int) -> int:
        """The largest time from an event of a channel to its receipt, in the last 60 s."""
        return self._lags[channel].largest(at_us)

    def _folded(self, fold: Fold, topic: str, payload: bytes, received_us: int) -> list[Record]:
        raw = Raw(self._venue, "book", self._connection, received_us, payload)
        outcomes = normalise(raw, self._parsers, self._instruments)
        books = [outcome for outcome in outcomes if isinstance(outcome, Book)]
        if any(isinstance(outcome, Rejected) for outcome in outcomes):
            fold.spoil(topic)
        self._hear([*books], received_us)
        return [Record(raw, book.asset) for book in books if book.asset in self._wanted]

    def _hear(self, events: list[Liquidation | Trade | Ticker | Book], received_us: int) -> None:
        on_tape = self._venue in FORCED_ON_TAPE
        for event in events:
            channel = _CHANNELS[type(event)]
            for name in (channel, "liquidation") if on_tape and channel == "trade" else (channel,):
                self.heard_us[name] = received_us
                if name in self._lags and event.event_time_us >= self._since_us:
                    self._lags[name].note(received_us, received_us - event.event_time_us)

    def _witness(self, raw: Raw) -> list[Record]:
        """A message without an event that the framer reads or counts all the same."""
        told_of = WITNESSES.get(self._venue)
        symbol = None if told_of is None else told_of(raw.payload)
        instrument = None if symbol is None else self._instruments.resolve(self._venue, symbol)
        if instrument is None or instrument.asset not in self._wanted:
            return []
        return [Record(raw, instrument.asset)]

    def _cut(self, raw: Raw, outcomes: list[Outcome]) -> list[Record]:
        assets = {getattr(outcome, "asset", None) for outcome in outcomes} - {None}
        if len(assets) == 1:
            return [Record(raw, assets.pop())]
        parts = slices(raw, self._instruments)
        identity = stable_id(raw.venue, raw.connection, raw.received_at_us, self._number)
        wanted = (*self._wanted, UNKNOWN)
        return [
            Record(
                Raw(raw.venue, raw.channel, raw.connection, raw.received_at_us, value),
                asset,
                (index, len(parts)),
                identity,
            )
            for index, (asset, value) in enumerate(parts)
            if asset in wanted
        ]
