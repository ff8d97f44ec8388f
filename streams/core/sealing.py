"""Where open seconds become frames: seals what the clock has passed, and ticks it.

Last part of the framer. Promises a frame for every second that is due and none for others, each
naming the one before it, and that a status record costs nothing for the assets at which nothing
can be due: each has a second to wake at, told by what may change there. That second is derived,
never stored, so a restart cannot change what is due.
"""

from collections.abc import Callable
from typing import Final

from streams.core import buckets, outside
from streams.core.buckets import Bucket
from streams.core.clock import Clock, Group
from streams.core.events import MICROS
from streams.core.frames import Frame, LateCell, Tick, TickerState
from streams.core.partition import AssetState, Emission, PartitionState

BUSY_S: Final = 600
"""Silence of liquidations, trades and books after which an asset's frames come more rarely."""

IDLE_STEP_S: Final = 10
"""Then at seconds divisible by this."""

REMEMBER_S: Final = 600
"""How long ids of sealed liquidations are kept to tell a duplicate from a late event."""

REMEMBER_STEP_S: Final = 60
"""Forgetting is done once per so many seconds of event time."""

MAX_ADVANCE_US: Final = 7 * 86_400 * MICROS
"""No end record moves the clock farther beyond the log."""

_NEVER: Final = 1 << 62
_EMPTY: Final = Bucket()


class Sealer:
    """Seals the assets of one partition.

    Args:
        state: of the partition; changed in place.
        clock: of the same state.
        home: the partition of an asset, for its frames.
    """

    def __init__(self, state: PartitionState, clock: Clock, home: Callable[[str], int]) -> None:
        self._state = state
        self._clock = clock
        self._home = home
        self._groups: dict[str, Group] = {}
        self._groups_version = -1
        self._homes: dict[str, int] = {}
        self._assets: list[tuple[str, AssetState, Group]] = []
        self._assets_version = -1
        self._tickers: dict[str, tuple[TickerState, ...]] = {}
        self._wakes: dict[str, int] = {}
        self._first_up = clock.first_up()

    def group(self, asset: str) -> Group:
        """The asset's feeds as the clock sees them now."""
        if self._groups_version != self._clock.version:
            self._groups.clear()
            self._groups_version = self._clock.version
        group = self._groups.get(asset)
        if group is None:
            group = self._groups[asset] = self._clock.group(asset)
        return group

    def begin(self, asset: str) -> AssetState:
        """The state of an asset that was never seen: open from what cannot be sealed yet."""
        floors = [self.group(asset).joint(), self._clock.slowest()]
        known = [floor for floor in floors if floor is not None and floor >= 0]
        if self._state.ticked is not None:
            known.append(self._state.ticked + 1)
        state = AssetState(next_second=max(known) if known else None)
        self._state.assets[asset] = state
        return state

    def wake(self, asset: str, second: int) -> None:
        """Something was put into `second` (s) of the asset: look there when it is passed."""
        if second < self._wakes.get(asset, second):
            self._wakes[asset] = second

    def advance(self, out: Emission, slowest: int | None, *, feeds_changed: bool) -> None:
        """Seal and tick what the clock has passed.

        Args:
            out: where frames, liquidations and ticks go.
            slowest: the clock's, now.
            feeds_changed: a feed came up or went down since the last call.
        """
        if feeds_changed:
            self._wakes.clear()
            self._first_up = self._clock.first_up()
        wakes = self._wakes
        for asset, state, group in self._sorted():
            joint = group.joint()
            until = slowest if joint is None else joint
            if until is None or until < 0:
                continue
            begun = state.next_second
            if begun is None or until > wakes.get(asset, begun):
                self._seal(asset, state, until, out)
            elif until > begun:
                if state.seen:
                    self._forget(state, begun, until)
                state.next_second = until
        if slowest is not None and slowest >= 0:
            self._tick(slowest - 1, out)

    def end(self, advance_us: int, out: Emission) -> None:
        """Seal what is open, then one frame per asset `advance_us` after the log's end."""
        self._wakes.clear()
        self._first_up = self._clock.first_up()
        assets = self._sorted()
        advance = min(max(advance_us, 0), MAX_ADVANCE_US)
        last = (self._state.clock.log_us + advance) // MICROS
        last = max([last, *(max(state.open, default=0) + 1 for _, state, _ in assets)])
        for asset, state, _ in assets:
            # The end took the feeds down: the first second after the sealed ones says so.
            self._seal(asset, state, last, out)
            if state.late or (state.prev is not None and state.prev < last):
                self._emit(asset, state, last, _EMPTY, out)
            state.next_second = last + 1
        self._wakes.clear()
        self._tick(last, out)

    def _sorted(self) -> list[tuple[str, AssetState, Group]]:
        """Every asset with its state and its feeds, by name."""
        version = self._clock.version
        if self._assets_version != version or len(self._assets) != len(self._state.assets):
            self._assets_version = version
            known = sorted(self._state.assets.items())
            self._assets = [(asset, state, self.group(asset)) for asset, state in known]
        return self._assets

    def _seal(self, asset: str, state: AssetState, until: int, out: Emission) -> None:
        """Seal every second before `until`, emitting the frames that are due."""
        if state.next_second is None:
            state.next_second = min([until, *state.open])
        second = state.next_second
        group = self.group(asset)
        while second < until:
            bucket = state.open.pop(second, None)
            if bucket is not None and bucket.tickers:
                buckets.fold_tickers(state.tickers, bucket)
                self._tickers.pop(asset, None)
            if self._due(state, second, bucket, group):
                self._emit(asset, state, second, bucket or _EMPTY, out)
                # From now on: after a stall, even the copy of an old order comes only now.
                if bucket is not None and bucket.liquidations:
                    state.seen.update(dict.fromkeys(bucket.liquidations, until))
            second = self._following(state, second, group)
        self._wakes[asset] = second
        if until > state.next_second:
            self._forget(state, state.next_second, until)
            state.next_second = until

    def _forget(self, state: AssetState, begun: int, until: int) -> None:
        if state.seen and until // REMEMBER_STEP_S != begun // REMEMBER_STEP_S:
            keep = until - REMEMBER_S
            # What came late during a stall is as new as its end, like what the stall held open.
            state.seen = {
                name: until if when >= begun else when
                for name, when in state.seen.items()
                if when >= min(begun, keep)
            }

    def _due(self, state: AssetState, second: int, bucket: Bucket | None, group: Group) -> bool:
        if state.late or (bucket is not None and bucket.active):
            return True
        if state.prev is None:
            return False
        first = self._first_up
        if (
            first is not None
            and second >= first
            and (second % IDLE_STEP_S == 0 or _busy(state, second))
        ):
            return True
        health = group.health(second)
        return (health.venues_up, health.channels) != (state.venues_up, state.channels)

    def _following(self, state: AssetState, second: int, group: Group) -> int:
        """The next second that may be due: every one while busy, else jump."""
        nearest = _NEVER
        first = self._first_up
        if first is not None and state.prev is not None:
            if _busy(state, second + 1):
                nearest = max(second + 1, first)
            else:
                step = IDLE_STEP_S - second % IDLE_STEP_S
                nearest = max(second + step, -(-first // IDLE_STEP_S) * IDLE_STEP_S)
        if nearest == second + 1:
            return nearest
        return min([nearest, *(s for s in (*group.changes(), *state.open) if s > second)])

    def _emit(
        self, asset: str, state: AssetState, second: int, bucket: Bucket, out: Emission
    ) -> None:
        health = self.group(asset).health(second)
        same = (health.venues_up, health.channels) == (state.venues_up, state.channels)
        quiet = same and bucket is _EMPTY and not state.late
        late: tuple[LateCell, ...] = ()
        if state.late:
            late = tuple(
                LateCell(when * MICROS, venue, symbol, side, kind, n, usd)
                for (when, venue, symbol, side, kind), (n, usd) in sorted(state.late.items())
            )
            state.late = {}
        if bucket.liquidations:
            liquidations = buckets.ordered(bucket)
            out.liquidations.extend(liquidations)
        for (venue, _), tape in bucket.tapes.items():
            if tape.unsided:
                name = f"unsided:{venue}"
                counters = self._state.counters
                counters[name] = counters.get(name, 0) + len(tape.unsided)
        tickers = self._tickers.get(asset)
        if tickers is None:
            tickers = tuple(state.tickers[key] for key in sorted(state.tickers))
            self._tickers[asset] = tickers
        macro = self._state.macro
        out.frames.append(
            Frame(
                asset,
                self._partition(asset),
                second * MICROS,
                None if state.prev is None else state.prev * MICROS,
                health.coverage,
                health.venues_up,
                health.venues_all,
                health.channels,
                buckets.cells(bucket, health.channels) if bucket.liquidations else (),
                late,
                buckets.flows(bucket) if bucket.tapes else (),
                tickers,
                buckets.books(bucket) if bucket.books else (),
                quiet,
                outside.values(self._state, asset, second) if macro and not quiet else (),
            )
        )
        state.prev = second
        state.venues_up, state.channels = health.venues_up, health.channels
        if bucket.active:
            state.last_active = second
        frames_of = self._state.frames_of
        frames_of[second] = frames_of.get(second, 0) + (not quiet)

    def _partition(self, asset: str) -> int:
        partition = self._homes.get(asset)
        if partition is None:
            partition = self._homes[asset] = self._home(asset)
        return partition

    def _tick(self, through: int, out: Emission) -> None:
        """Tick every framed second up to `through`, and `through` itself."""
        state = self._state
        due = {second for second in state.frames_of if second <= through}
        if state.ticked is None or through > state.ticked:
            due.add(through)
        for second in sorted(due):
            prev = None if state.ticked is None else state.ticked * MICROS
            count = state.frames_of.pop(second, 0)
            out.ticks.append(Tick(state.partition, state.partitions, second * MICROS, prev, count))
            state.ticked = second


def _busy(state: AssetState, second: int) -> bool:
    return state.last_active is not None and second - state.last_active <= BUSY_S
