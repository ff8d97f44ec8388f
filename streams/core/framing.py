"""The framer: raw records of one partition in, liquidations, frames, ticks and rejects out.

Third station of the data path: normalise, dedupe, put on the clock; `sealing` makes the frames.
Promises: the same log gives the same bytes, from the start or from any checkpoint; any arrival
order within the collectors' lateness gives the same sealed content; nothing is dropped without
a counter. Does no I/O: `streams.edges.framer` runs it on Kafka, `streams.engines.inprocess` on
files.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from streams.core import canonical, outside
from streams.core.buckets import Bucket
from streams.core.clock import Clock
from streams.core.events import (
    DEAD_LETTER_BYTES,
    LATEST_EVENT_US,
    MICROS,
    BadLine,
    Book,
    DeadLetter,
    Ignored,
    LateLiquidation,
    Liquidation,
    Outcome,
    Raw,
    Rejected,
    Status,
    Ticker,
    Trade,
    stable_id,
)
from streams.core.instruments import Instruments
from streams.core.lanes import CHANNEL, Lane, VenueParser, on_time
from streams.core.normalise import Parser, normalise, rejection
from streams.core.partition import STATE_VERSION, AssetState, Emission, PartitionState
from streams.core.sealing import Sealer
from streams.core.tapes import TradeRow, merge

__all__ = ["STATE_VERSION", "Emission", "Framer", "PartitionState"]

STATUS: Final = "status"
CHANNELS: Final = frozenset(
    {"liquidation", "trade", "ticker", "book", STATUS, outside.CHANNEL, canonical.CHANNEL}
)
"""What records are counted by; any other channel is counted as unknown."""

_KIND: Final[dict[type, str]] = {
    Liquidation: "liquidation",
    Trade: "trade",
    Ticker: "ticker",
    Book: "book",
}

_decode_status = msgspec.json.Decoder(Status).decode


class Framer:
    """The framer of one partition. Feed it records in log order with `apply`, then `drain`.

    Args:
        state: where to begin; a fresh `PartitionState` or a checkpoint.
        parsers: parser by venue.
        instruments: contract sizes.
        home: the partition that an asset's frames belong to; a record of an asset of another
            partition is rejected, since its history would be told twice. The in-process engine
            frames all partitions in one and passes `whole=True`.
    """

    def __init__(
        self,
        state: PartitionState,
        parsers: Mapping[str, Parser],
        instruments: Instruments,
        home: Callable[[str], int],
        *,
        whole: bool = False,
        origin: str = "",
    ) -> None:
        self.state = state
        self._origin = origin
        self._parsers = parsers
        self._instruments = instruments
        self._home = home
        self._whole = whole
        self._clock = Clock(state.clock)
        self._sealer = Sealer(state, self._clock, home)
        self._counters = state.counters
        self._names: dict[tuple[str, str | None], str] = {}
        self._batch: tuple[Sequence[Raw], Sequence[int | str]] = ((), ())
        self._reach: tuple[int | None, ...] | None = None
        self._lanes = {
            venue: Lane(venue, parser.trades, instruments)
            for venue, parser in parsers.items()
            if isinstance(parser, VenueParser) and parser.trades is not None
        }
        self._out = Emission()

    @property
    def slowest(self) -> int | None:
        """First second (s) that some healthy pushed feed has not passed; None if none is up."""
        return self._clock.slowest()

    def feeds_up(self) -> dict[tuple[str, str], int]:
        """Feeds that are up by venue and channel, 0 for those that were; strange words as
        `unknown`.
        """
        found: dict[tuple[str, str], int] = {}
        for feed in self.state.clock.feeds:
            labels = self._labels(feed.venue, feed.channel)
            found[labels] = found.get(labels, 0) + feed.up
        return found

    def drain(self) -> Emission:
        """Take what has been emitted since the last call."""
        out, self._out = self._out, Emission()
        return out

    def apply(self, raw: Raw, position: int | str = 0) -> None:
        """Take one record in log order; `origin` and `position` name it in a dead letter."""
        self._received(raw.venue, raw.channel, 1)
        self._take(raw, position)

    def _take(self, raw: Raw, position: int | str) -> None:
        if raw.channel == STATUS:
            self._status(raw, position)
            return
        if raw.channel == outside.CHANNEL:
            self._outside(raw, position)
            return
        for row, outcome in enumerate(normalise(raw, self._parsers, self._instruments)):
            self._outcome(outcome, raw, position, row)

    def apply_all(self, raws: Sequence[Raw], positions: Sequence[int | str]) -> None:
        """Take records in log order, as `apply` would one by one, trades in lots.

        The sealed content and the counters are the same; the dead letters of a stretch between
        two status records may come in another order.

        Args:
            raws: the records.
            positions: of each, for dead letters.
        """
        self._batch = raws, positions
        lanes = self._lanes
        for index, raw in enumerate(raws):
            if raw.channel == CHANNEL:
                lane = lanes.get(raw.venue)
                if lane is not None:
                    lane.waiting.append(index)
                    continue
            elif raw.channel == STATUS:
                self._gather()
            self.apply(raw, positions[index])
        self._gather()
        self._settle()

    def reject(self, bad: BadLine) -> None:
        """Take what could not be read; its place is part of its id, since its text may recur."""
        self._received("unknown", None, 1)
        self._letter(bad, 0, f"at {bad.source}")

    def _reject(self, rejected: Rejected, raw: Raw, position: int | str, row: int = 0) -> None:
        """Dead-letter a record (or one row of it) under an id of its content."""
        self._letter(
            BadLine(rejected, raw, len(raw.payload), f"{self._origin}{position}"), row, row
        )

    def _letter(self, bad: BadLine, row: int, which: int | str) -> None:
        rejected, raw = bad.rejected, bad.raw
        self._count(f"dead_lettered:{rejected.reason}")
        text = raw.payload[:DEAD_LETTER_BYTES].decode("utf-8", "replace")
        identity = stable_id(
            "dead", raw.venue, raw.connection, raw.received_at_us, stable_id(raw.payload), which
        )
        self._out.dead.append(
            DeadLetter(
                identity,
                rejected.reason,
                rejected.detail,
                "framer",
                bad.source,
                row,
                raw.venue,
                raw.channel,
                raw.connection,
                raw.received_at_us,
                text,
                bad.size,
            )
        )

    def _count(self, name: str, number: int = 1) -> None:
        self._counters[name] = self._counters.get(name, 0) + number

    def _labels(self, venue: str, channel: str | None) -> tuple[str, str]:
        known = venue if venue in self._parsers else "unknown"
        return known, channel if channel in CHANNELS else "unknown"

    def _received(self, venue: str, channel: str | None, number: int) -> None:
        """Count records by venue and channel, all that we do not know as `unknown`."""
        name = self._names.get((venue, channel))
        if name is None:
            known, what = self._labels(venue, channel)
            name = f"received:{known}/{what}"
            if "unknown" not in (known, what):
                self._names[venue, channel] = name
        self._count(name, number)

    def _gather(self) -> None:
        """Decode the trades that wait; open their assets as the clock stands now."""
        raws, positions = self._batch
        for lane in self._lanes.values():
            if not lane.waiting:
                continue
            self._received(lane.venue, CHANNEL, len(lane.waiting))
            unread, symbols = lane.gather(raws)
            for index in unread:
                self._take(raws[index], positions[index])
            for symbol in symbols:
                terms = lane.terms(symbol)
                if terms is not None:
                    self._asset(terms.asset)

    def _settle(self, venue: str | None = None) -> None:
        """Put on tapes what lanes have gathered, of all venues or one; the odd is taken singly.

        Called before anything changes that decides whether a trade is on time: the watermark of
        its venue, and what is sealed.
        """
        raws, positions = self._batch
        for lane in self._lanes.values():
            if not lane.lots or (venue is not None and lane.venue != venue):
                continue
            lots, taken = lane.settle()
            odd = {s for s, rows in lots.items() if not self._lot(lane, s, rows)}
            for index in taken if odd else ():
                if lane.symbol_of(raws[index]) in odd:
                    self._take(raws[index], positions[index])
            lane.earliest_us = LATEST_EVENT_US

    def _lot(self, lane: Lane, symbol: str, rows: list[TradeRow]) -> bool:
        """Put a symbol's rows on its tapes; False, with nothing changed, when one is odd."""
        terms = lane.terms(symbol)
        state = None if terms is None else self.state.assets.get(terms.asset)
        if terms is None or state is None:
            return False
        news = lane.tapes(rows, symbol, terms, state.open)
        stream = self._sealer.group(terms.asset).streams.get((lane.venue, CHANNEL))
        floor = max(state.next_second or 0, 0 if stream is None else stream.floor)
        if news is None or not on_time(news, floor, lane.earliest_us):
            return False
        fresh = 0
        for second, tape in news.items():
            if tape.ids:
                fresh += len(tape.ids)
                bucket = state.open.get(second)
                if bucket is None:
                    bucket = state.open[second] = Bucket()
                    self._sealer.wake(terms.asset, second)
                merge(bucket.tapes, tape, (lane.venue, symbol))
        self._count("accepted:trade", fresh)
        if fresh < len(rows):
            self._count("duplicates:trade", len(rows) - fresh)
        return True

    def _outcome(self, outcome: Outcome, raw: Raw, position: int | str, row: int) -> None:
        if isinstance(outcome, Rejected):
            self._reject(outcome, raw, position, row)
            return
        if isinstance(outcome, Ignored):
            self._count(f"filtered:{outcome.reason}")
            return
        asset = outcome.asset
        state = self._asset(asset)
        if state is None:
            detail = f"asset {asset!r} belongs to partition {self._home(asset)}"
            self._reject(Rejected("wrong_partition", detail), raw, position, row)
            return
        kind = _KIND[type(outcome)]
        stream = self._sealer.group(asset).streams.get((raw.venue, kind))
        second = outcome.event_time_us // MICROS
        passed = stream is not None and second < stream.floor
        if passed or (state.next_second is not None and second < state.next_second):
            self._late(state, outcome, kind, second)
            return
        if isinstance(outcome, Liquidation) and outcome.id in state.seen:
            self._count("duplicates:liquidation")
            return
        bucket = state.open.get(second)
        if bucket is None:
            bucket = state.open[second] = Bucket()
            self._sealer.wake(asset, second)
        if isinstance(outcome, Trade):
            lane = self._lanes.get(outcome.venue)
            fresh = bucket.add_trade(outcome, numbered=lane is not None and lane.numbered)
        elif isinstance(outcome, Liquidation):
            fresh = bucket.add_liquidation(outcome)
        elif isinstance(outcome, Book):
            fresh = bucket.add_book(outcome)
        else:
            fresh = bucket.add_ticker(outcome)
        self._count(f"accepted:{kind}" if fresh else f"duplicates:{kind}")

    def _asset(self, asset: str) -> AssetState | None:
        """The asset's state, begun when it is new; None when it belongs to another partition."""
        state = self.state.assets.get(asset)
        if state is None and (self._whole or self._home(asset) == self.state.partition):
            state = self._sealer.begin(asset)
        return state

    def _late(
        self, state: AssetState, event: Liquidation | Trade | Ticker | Book, kind: str, second: int
    ) -> None:
        """A late liquidation revises dollars; other late events are only counted."""
        if not isinstance(event, Liquidation):
            self._count(f"late_dropped:{event.venue}/{kind}")
            return
        if event.id in state.seen or (
            second in state.open and event.id in state.open[second].liquidations
        ):
            self._count("duplicates:liquidation")
            return
        self._count(f"late:{event.venue}/{kind}")
        sealed = state.next_second or 0
        state.seen[event.id] = max(second, sealed)
        key = (second, event.venue, event.symbol, event.position_side, event.kind)
        tally = state.late.setdefault(key, [0, 0])
        tally[0] += 1
        tally[1] += event.usd
        self._sealer.wake(event.asset, sealed)
        self._out.late.append(LateLiquidation(event.id, event, max(sealed, second) * MICROS))

    def _outside(self, raw: Raw, position: int | str) -> None:
        """Keep the outside values of a record; the record counts once."""
        values = outside.read(raw)
        bad = values if isinstance(values, Rejected) else None
        for value in [] if isinstance(values, Rejected) else values:
            bad = outside.keep(self.state, value, raw.received_at_us) or bad
        if bad is not None:
            self._reject(bad, raw, position)
        else:
            self._count("accepted:macro")

    def _status(self, raw: Raw, position: int | str) -> None:
        try:
            status = _decode_status(raw.payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._reject(rejection(error, raw.payload), raw, position)
            return
        self._count("filtered:status_only")
        # A heartbeat of other channels moves no watermark of trades.
        if status.op != "heartbeat" or CHANNEL in status.through_us:
            self._settle(raw.venue)
        changed = self._clock.apply(status, raw)
        self._out.feeds.extend(changed)
        reach = self._clock.reach()
        if reach == self._reach and not changed and status.op != "end":
            return
        self._settle()
        self._reach = reach
        slowest = reach[0]
        if status.op == "end" and slowest is None:
            self._sealer.end(status.advance_us, self._out)
        else:
            self._sealer.advance(self._out, slowest, feeds_changed=bool(changed))
