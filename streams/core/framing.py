"""The framer: raw records of one partition in, liquidations, frames, ticks and rejects out.

Third station of the data path: normalise, dedupe, put on the clock, seal seconds. Promises: the
same log gives the same bytes, from the start or from any checkpoint; any arrival order within
the collectors' lateness gives the same sealed content; nothing is dropped without a counter.
Does no I/O: `streams.edges.framer` runs it on Kafka, `streams.engines.inprocess` on files.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from streams.core import buckets
from streams.core.buckets import Bucket
from streams.core.clock import Clock, ClockState, Group, Health
from streams.core.events import (
    MICROS,
    Book,
    DeadLetter,
    FeedStatus,
    Ignored,
    LateLiquidation,
    Liquidation,
    LiquidationKind,
    Outcome,
    PositionSide,
    Raw,
    Rejected,
    Status,
    Ticker,
    Trade,
    stable_id,
)
from streams.core.frames import Frame, LateCell, Tick, TickerState
from streams.core.instruments import Instruments
from streams.core.normalise import Parser, normalise, rejection

BUSY_S: Final = 600
"""Frames come each second until so long after the asset's last liquidation, trade or book."""

IDLE_STEP_S: Final = 10
"""Then at seconds divisible by this."""

REMEMBER_S: Final = 600
"""How long ids of sealed liquidations are kept to tell a duplicate from a late event."""

REMEMBER_STEP_S: Final = 60
"""Forgetting is done once per so many seconds of event time."""

DEAD_LETTER_TEXT: Final = 4096

STATE_VERSION: Final = 1

_KIND: Final[dict[type, str]] = {
    Liquidation: "liquidation",
    Trade: "trade",
    Ticker: "ticker",
    Book: "book",
}


class AssetState(msgspec.Struct):
    """One asset between two seals. Seconds are in s; `prev` is the last frame's second."""

    next_second: int | None = None
    prev: int | None = None
    last_active: int | None = None
    venues_up: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    open: dict[int, Bucket] = {}
    seen: dict[str, int] = {}
    late: dict[tuple[int, str, str, PositionSide, LiquidationKind], list[int]] = {}
    tickers: dict[tuple[str, str], TickerState] = {}


class PartitionState(msgspec.Struct):
    """A checkpoint: everything the framer knows of one raw partition.

    `next_offset` is the raw offset to continue from; `frames_of` counts frames of seconds that
    have not been ticked yet; `ticked` is the last ticked second (s).
    """

    partition: int
    partitions: int
    next_offset: int = 0
    clock: ClockState = msgspec.field(default_factory=ClockState)
    assets: dict[str, AssetState] = {}
    frames_of: dict[int, int] = {}
    ticked: int | None = None
    counters: dict[str, int] = {}
    v: int = STATE_VERSION


class Emission(msgspec.Struct):
    """What a batch of raw records gave, in order; the edge sends each list to its topic."""

    liquidations: list[Liquidation] = []
    frames: list[Frame] = []
    ticks: list[Tick] = []
    late: list[LateLiquidation] = []
    dead: list[DeadLetter] = []
    feeds: list[FeedStatus] = []


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
        self._groups: dict[str, Group] = {}
        self._groups_version = -1
        self._homes: dict[str, int] = {}
        self._counters = state.counters
        self._out = Emission()

    @property
    def slowest(self) -> int | None:
        """First second (s) that some healthy pushed feed has not passed; None if none is up."""
        return self._clock.slowest()

    def drain(self) -> Emission:
        """Take what has been emitted since the last call."""
        out, self._out = self._out, Emission()
        return out

    def apply(self, raw: Raw, position: int | str = 0) -> None:
        """Take one record in log order; `origin` and `position` name it in a dead letter."""
        self._count("received")
        if raw.channel == "status":
            self._status(raw, position)
            return
        for row, outcome in enumerate(normalise(raw, self._parsers, self._instruments)):
            self._outcome(outcome, raw, position, row)

    def reject(self, rejected: Rejected, raw: Raw, position: int | str = 0, row: int = 0) -> None:
        """Dead-letter a record (or one row of it) under a content-derived id."""
        self._count(f"dead_lettered:{rejected.reason}")
        text = raw.payload[:DEAD_LETTER_TEXT].decode("utf-8", "replace")
        identity = stable_id(
            "dead", raw.venue, raw.connection, raw.received_at_us, stable_id(raw.payload), row
        )
        self._out.dead.append(
            DeadLetter(
                identity,
                rejected.reason,
                rejected.detail,
                "framer",
                f"{self._origin}{position}",
                row,
                raw.venue,
                raw.channel,
                raw.connection,
                raw.received_at_us,
                text,
                len(raw.payload),
            )
        )

    def _count(self, name: str) -> None:
        self._counters[name] = self._counters.get(name, 0) + 1

    def _outcome(self, outcome: Outcome, raw: Raw, position: int | str, row: int) -> None:
        if isinstance(outcome, Rejected):
            self.reject(outcome, raw, position, row)
            return
        if isinstance(outcome, Ignored):
            self._count(f"filtered:{outcome.reason}")
            return
        asset = outcome.asset
        state = self.state.assets.get(asset)
        if state is None:
            state = self._open_asset(asset)
            if state is None:
                detail = f"asset {asset!r} belongs to partition {self._home(asset)}"
                self.reject(Rejected("wrong_partition", detail), raw, position, row)
                return
        kind = _KIND[type(outcome)]
        stream = self._group(asset).streams.get((raw.venue, kind))
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
        if isinstance(outcome, Trade):
            fresh = bucket.add_trade(outcome)
        elif isinstance(outcome, Liquidation):
            fresh = bucket.add_liquidation(outcome)
        elif isinstance(outcome, Book):
            fresh = bucket.add_book(outcome)
        else:
            fresh = bucket.add_ticker(outcome)
        self._count(f"accepted:{kind}" if fresh else f"duplicates:{kind}")

    def _open_asset(self, asset: str) -> AssetState | None:
        if not self._whole and self._home(asset) != self.state.partition:
            return None
        floors = [self._clock.group(asset).joint(), self._clock.slowest()]
        known = [floor for floor in floors if floor is not None and floor >= 0]
        if self.state.ticked is not None:
            known.append(self.state.ticked + 1)
        state = AssetState(next_second=max(known) if known else None)
        self.state.assets[asset] = state
        return state

    def _group(self, asset: str) -> Group:
        if self._groups_version != self._clock.version:
            self._groups.clear()
            self._groups_version = self._clock.version
        group = self._groups.get(asset)
        if group is None:
            group = self._groups[asset] = self._clock.group(asset)
        return group

    def _late(
        self, state: AssetState, event: Liquidation | Trade | Ticker | Book, kind: str, second: int
    ) -> None:
        """A late liquidation revises dollars; other late events are only counted."""
        if not isinstance(event, Liquidation):
            self._count(f"late_dropped:{kind}")
            return
        if event.id in state.seen or (
            second in state.open and event.id in state.open[second].liquidations
        ):
            self._count("duplicates:liquidation")
            return
        self._count("late:liquidation")
        sealed = state.next_second or 0
        state.seen[event.id] = max(second, sealed)
        key = (second, event.venue, event.symbol, event.position_side, event.kind)
        tally = state.late.setdefault(key, [0, 0])
        tally[0] += 1
        tally[1] += event.usd
        self._out.late.append(LateLiquidation(event.id, event, max(sealed, second) * MICROS))

    def _status(self, raw: Raw, position: int | str) -> None:
        try:
            status = _decode_status(raw.payload)
        except msgspec.MsgspecError as error:
            self.reject(rejection(error, raw.payload), raw, position)
            return
        self._count("filtered:status_only")
        self._out.feeds.extend(self._clock.apply(status, raw))
        slowest = self._clock.slowest()
        if status.op == "end" and slowest is None:
            self._end(status.advance_us)
            return
        for asset in sorted(self.state.assets):
            joint = self._group(asset).joint()
            until = slowest if joint is None else joint
            if until is not None and until >= 0:
                self._seal(asset, until)
        if slowest is not None and slowest >= 0:
            self._tick(slowest - 1)

    def _end(self, advance_us: int) -> None:
        """Seal what is open, then one empty frame per asset `advance_us` after the log's end."""
        last = (self.state.clock.log_us + advance_us) // MICROS
        last = max([last, *(max(a.open, default=0) for a in self.state.assets.values())])
        for asset, state in sorted(self.state.assets.items()):
            if state.open:
                self._seal(asset, max(state.open) + 1)
            if state.prev is not None and state.prev < last:
                self._emit(asset, state, last, Bucket())
            state.next_second = last + 1
        self._tick(last)

    def _seal(self, asset: str, until: int) -> None:
        """Seal every second of `asset` before `until`, emitting the frames that are due."""
        state = self.state.assets[asset]
        if state.next_second is None:
            state.next_second = min([until, *state.open])
        second = state.next_second
        if second >= until:
            return
        group = self._group(asset)
        while second < until:
            bucket = state.open.pop(second, None)
            if bucket is not None:
                buckets.fold_tickers(state.tickers, bucket)
            if self._due(state, second, bucket, group):
                self._emit(asset, state, second, bucket or Bucket())
            second = self._following(state, second, until, group)
        if state.seen and until // REMEMBER_STEP_S != state.next_second // REMEMBER_STEP_S:
            keep = until - REMEMBER_S
            state.seen = {name: when for name, when in state.seen.items() if when >= keep}
        state.next_second = until

    def _due(self, state: AssetState, second: int, bucket: Bucket | None, group: Group) -> bool:
        if state.late or (bucket is not None and bucket.active):
            return True
        if state.prev is None:
            return False
        busy = state.last_active is not None and second - state.last_active <= BUSY_S
        if (busy or second % IDLE_STEP_S == 0) and self._clock_runs(second):
            return True
        health = group.health(second)
        return (health.venues_up, health.channels) != (state.venues_up, state.channels)

    def _clock_runs(self, second: int) -> bool:
        first = self._clock.first_up()
        return first is not None and second >= first

    def _following(self, state: AssetState, second: int, until: int, group: Group) -> int:
        """The next second that may be due: every one while busy, else jump."""
        busy = state.last_active is not None and second + 1 - state.last_active <= BUSY_S
        candidates = [until, *(s for s in group.changes() if s > second)]
        candidates.extend(s for s in state.open if s > second)
        first = self._clock.first_up()
        if first is not None and state.prev is not None:
            step = 1 if busy else IDLE_STEP_S - second % IDLE_STEP_S
            resumed = first if busy else -(-first // IDLE_STEP_S) * IDLE_STEP_S
            candidates.append(max(second + step, resumed))
        return min(candidates)

    def _emit(self, asset: str, state: AssetState, second: int, bucket: Bucket) -> None:
        health: Health = self._group(asset).health(second)
        traded = frozenset(c.split("/")[0] for c in health.channels if c.endswith("/trade"))
        late = tuple(
            LateCell(when * MICROS, venue, symbol, side, kind, n, usd)
            for (when, venue, symbol, side, kind), (n, usd) in sorted(state.late.items())
        )
        state.late = {}
        liquidations = buckets.ordered(bucket)
        for event in liquidations:
            state.seen[event.id] = second
        self._out.liquidations.extend(liquidations)
        self._out.frames.append(
            Frame(
                asset,
                self._partition(asset),
                second * MICROS,
                None if state.prev is None else state.prev * MICROS,
                health.coverage,
                health.venues_up,
                health.venues_all,
                health.channels,
                buckets.cells(bucket, traded),
                late,
                buckets.flows(bucket),
                tuple(state.tickers[key] for key in sorted(state.tickers)),
                buckets.books(bucket),
            )
        )
        state.prev = second
        state.venues_up, state.channels = health.venues_up, health.channels
        if bucket.active:
            state.last_active = second
        self.state.frames_of[second] = self.state.frames_of.get(second, 0) + 1

    def _partition(self, asset: str) -> int:
        partition = self._homes.get(asset)
        if partition is None:
            partition = self._homes[asset] = self._home(asset)
        return partition

    def _tick(self, through: int) -> None:
        """Tick every framed second up to `through`, and `through` itself."""
        state = self.state
        due = {second for second in state.frames_of if second <= through}
        if state.ticked is None or through > state.ticked:
            due.add(through)
        for second in sorted(due):
            prev = None if state.ticked is None else state.ticked * MICROS
            count = state.frames_of.pop(second, 0)
            self._out.ticks.append(
                Tick(state.partition, state.partitions, second * MICROS, prev, count)
            )
            state.ticked = second
