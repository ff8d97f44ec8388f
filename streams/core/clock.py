"""The clock: which feeds are healthy and how far event time has come.

Promises: only status records move it, their order in the log is its only order, and the same
records give the same clock on every engine. A feed is one channel of one connection; feeds that
carry the same channel of the same venue for the same assets are redundant and form a stream,
whose watermark is their maximum. An asset's joint watermark is the minimum over its healthy
pushed streams. Does not hold events: `framing` does.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from streams.core.events import MICROS, FeedState, FeedStatus, Raw, Status, stable_id

PUSHED: Final = frozenset({"liquidation", "trade", "book"})
"""Channels that hold the joint watermark; polled and as-of values (tickers) do not."""

HEARTBEAT_TIMEOUT_US: Final = 10 * MICROS
"""A feed leaves the joint watermark when the log is this far past its last heartbeat."""

LEAP_US: Final = 60 * MICROS
"""A receipt so far past the middle of the recent ones is a wrong clock, not the time."""

RECENT: Final = 4
"""Status records whose receipts say what time it is."""

NOTHING: Final = -1
"""Watermark second of a stream that has not had a heartbeat yet: it holds everything open."""


class Feed(msgspec.Struct):
    """One channel of one connection. `assets` None covers every asset of the venue.

    `through_us` is the event time through which the collector has written everything (-1
    before the first heartbeat); `up_since` the second (s) from which it has been healthy; `over`:
    its connection has ended since, so that no heartbeat of the next one speaks for it.
    `last_beat_us` is log time, `claimed_us` the collector's own.
    """

    venue: str
    connection: str
    channel: str
    assets: frozenset[str] | None
    through_us: int = NOTHING
    up: bool = False
    up_since: int = 0
    last_beat_us: int = 0
    claimed_us: int = 0
    over: bool = False


class ClockState(msgspec.Struct):
    """What a checkpoint keeps of the clock.

    `log_us`: the log's time, the largest believed receipt of a status record; `recent`: the last
    receipts, believed or not.
    """

    feeds: list[Feed] = []
    log_us: int = 0
    recent: list[int] = []


class Stream:
    """Redundant feeds of one (venue, channel) as one group of assets sees them."""

    __slots__ = ("channel", "feeds", "floor", "venue")

    def __init__(self, venue: str, channel: str, feeds: list[Feed]) -> None:
        self.venue = venue
        self.channel = channel
        self.feeds = feeds
        self.floor = NOTHING
        self.refresh()

    def refresh(self) -> None:
        """Set `floor`, the first second that the stream's watermark has not passed."""
        through = max([feed.through_us for feed in self.feeds])
        self.floor = through // MICROS if through >= 0 else NOTHING

    def up_since(self) -> int | None:
        """The second from which the stream is healthy now; None while it is down."""
        since = [feed.up_since for feed in self.feeds if feed.up]
        return min(since) if since else None


class Health(msgspec.Struct, frozen=True):
    """Feed health of one second, as frames carry it."""

    venues_up: tuple[str, ...]
    venues_all: tuple[str, ...]
    channels: tuple[str, ...]

    @property
    def coverage(self) -> float:
        """Healthy share of the venues whose liquidations were ever subscribed, 0..1."""
        return len(self.venues_up) / len(self.venues_all) if self.venues_all else 0.0


class Group:
    """Assets that are covered by the same feeds, and so share a joint watermark."""

    __slots__ = ("_cached", "_joint", "_stable_from", "streams")

    def __init__(self, streams: dict[tuple[str, str], Stream]) -> None:
        self.streams = streams
        self._cached: Health | None = None
        self._joint = self._slowest()
        self._stable_from = 0

    def refresh(self, beaten: Iterable[tuple[str, str]], *, changed: bool) -> None:
        """Recompute watermarks after a status record.

        Args:
            beaten: (venue, channel) of the streams that a heartbeat spoke for.
            changed: a feed came up or went down.
        """
        for key in beaten:
            if key in self.streams:
                self.streams[key].refresh()
        if changed:
            self._cached = None
        self._joint = self._slowest()

    def joint(self) -> int | None:
        """First second that some healthy pushed stream has not passed; None if none is up."""
        return self._joint

    def _slowest(self) -> int | None:
        slowest: int | None = None
        for stream in self.streams.values():
            if stream.channel in PUSHED and (slowest is None or stream.floor < slowest):
                for feed in stream.feeds:
                    if feed.up:
                        slowest = stream.floor
                        break
        return slowest

    def changes(self) -> list[int]:
        """Seconds (ascending) at which a healthy stream came up: health may differ there."""
        since = {stream.up_since() for stream in self.streams.values()}
        return sorted(second for second in since if second is not None)

    def health(self, second: int) -> Health:
        """Health of `second` (s) as known now; a stream counts from its `up_since` on."""
        if self._cached is not None and second >= self._stable_from:
            return self._cached
        up: list[Stream] = []
        for stream in self.streams.values():
            since = stream.up_since()
            if since is not None and since <= second:
                up.append(stream)
        forced = {s.venue for s in self.streams.values() if s.channel == "liquidation"}
        health = Health(
            tuple(sorted(s.venue for s in up if s.channel == "liquidation")),
            tuple(sorted(forced)),
            tuple(sorted(f"{s.venue}/{s.channel}" for s in up if s.channel in PUSHED)),
        )
        boundaries = self.changes()
        if not boundaries or second >= boundaries[-1]:
            self._cached = health
            self._stable_from = boundaries[-1] if boundaries else 0
        return health


class Clock:
    """The feeds of one raw partition, indexed for the framer."""

    def __init__(self, state: ClockState) -> None:
        self.state = state
        self.version = 0
        self._groups: dict[tuple[int, ...], Group] = {}
        self._redundant = self._pushed()

    def _pushed(self) -> list[list[Feed]]:
        """The pushed feeds, those of one venue, channel and set of assets together."""
        found: dict[tuple[str, str, frozenset[str] | None], list[Feed]] = {}
        for feed in self.state.feeds:
            if feed.channel in PUSHED:
                found.setdefault((feed.venue, feed.channel, feed.assets), []).append(feed)
        return [*found.values()]

    def _build(self, feeds: Iterable[Feed]) -> Group:
        streams: dict[tuple[str, str], list[Feed]] = {}
        for feed in feeds:
            streams.setdefault((feed.venue, feed.channel), []).append(feed)
        return Group({key: Stream(*key, members) for key, members in streams.items()})

    def group(self, asset: str) -> Group:
        """The asset's group under the present subscriptions (ask again when `version` moved)."""
        covering = tuple(
            index
            for index, feed in enumerate(self.state.feeds)
            if feed.assets is None or asset in feed.assets
        )
        group = self._groups.get(covering)
        if group is None:
            group = self._build(self.state.feeds[index] for index in covering)
            self._groups[covering] = group
        return group

    def first_up(self) -> int | None:
        """The second from which some pushed feed has been healthy; None while none is."""
        since = [f.up_since for f in self.state.feeds if f.up and f.channel in PUSHED]
        return min(since) if since else None

    def slowest(self) -> int | None:
        """First second that some healthy pushed feed of the partition has not passed.

        Every feed counts for itself here, redundant or not only through its stream per asset
        set: no asset, not even one that is still unseen, can be sealed behind this second.
        """
        slowest: int | None = None
        for feeds in self._redundant:
            through, up = NOTHING, False
            for feed in feeds:
                up = up or feed.up
                if feed.through_us > through:
                    through = feed.through_us
            if up and (slowest is None or through < slowest):
                slowest = through
        return slowest if slowest is None or slowest < 0 else slowest // MICROS

    def reach(self) -> tuple[int | None, ...]:
        """How far all has come: equal reach, with no feed up or down since, seals nothing more."""
        return (self.slowest(), *(group.joint() for group in self._groups.values()))

    def apply(self, status: Status, raw: Raw) -> list[FeedStatus]:
        """Take one status record in log order; returns the feeds that came up or went down."""
        changed: list[FeedStatus] = []
        now = self._time(raw)
        # Before the record's own word: a feed that returns after a silence has been down, whichever
        # of several silent feeds the log names first.
        for feed in self.state.feeds:
            if feed.up and now - feed.last_beat_us > HEARTBEAT_TIMEOUT_US:
                self._down(feed, "timeout", now, changed)
        if status.op == "subscribe":
            for channel in status.channels or ():
                assets = None if status.assets is None else frozenset(status.assets)
                self._up(raw, channel, assets, now, "subscribe", changed)
        elif status.op == "heartbeat":
            for channel, through_us in sorted(status.through_us.items()):
                self._beat(raw, channel, through_us, now, changed)
        else:
            # A connection begins anew with `connect`, whether or not its end was written.
            for feed in self.state.feeds:
                concerned = status.channels is None or feed.channel in status.channels
                mine = feed.connection == raw.connection and feed.venue == raw.venue
                if concerned and (mine or status.op == "end"):
                    feed.over = feed.over or status.op in ("connect", "disconnect")
                    if feed.up:
                        self._down(feed, status.op, now, changed)
        if any(change.state == "up" for change in changed):
            self._prune()
        beaten = [(raw.venue, channel) for channel in status.through_us]
        for group in self._groups.values():
            group.refresh(beaten, changed=bool(changed))
        return changed

    def _time(self, raw: Raw) -> int:
        """The log's time after a status record.

        One collector whose clock runs ahead must not time the others out, nor stop their time-outs:
        a leap counts once most recent records share it, or at once while no other connection is up
        (a lone collector, the gap between two archives).
        """
        state, received_us = self.state, raw.received_at_us
        if any(feed.up and feed.connection != raw.connection for feed in state.feeds):
            state.recent = [*state.recent, received_us][-RECENT:]
        else:
            state.recent = [received_us]
        middle = sorted(state.recent)[(len(state.recent) - 1) // 2]
        if received_us - middle <= LEAP_US:
            if received_us - state.log_us > LEAP_US:
                # The time was not believed at once: those who told it have been there since.
                for feed in state.feeds:
                    if feed.claimed_us <= received_us:
                        feed.last_beat_us = max(feed.last_beat_us, feed.claimed_us)
            state.log_us = max(state.log_us, received_us)
        if state.log_us - middle > LEAP_US:
            state.log_us = middle
            for feed in state.feeds:
                feed.last_beat_us = min(feed.last_beat_us, middle)
        return state.log_us

    def _find(self, raw: Raw, channel: str) -> list[Feed]:
        return [
            feed
            for feed in self.state.feeds
            if feed.connection == raw.connection
            and feed.channel == channel
            and feed.venue == raw.venue
        ]

    def _up(
        self,
        raw: Raw,
        channel: str,
        assets: frozenset[str] | None,
        now: int,
        reason: str,
        changed: list[FeedStatus],
    ) -> None:
        feed = next((f for f in self._find(raw, channel) if f.assets == assets), None)
        if feed is None:
            feed = Feed(raw.venue, raw.connection, channel, assets)
            self.state.feeds.append(feed)
            self._reindex()
        self._heard(feed, raw, now, reason, changed)

    def _heard(
        self, feed: Feed, raw: Raw, now: int, reason: str, changed: list[FeedStatus]
    ) -> None:
        """Somebody spoke for the feed: it is up."""
        feed.last_beat_us, feed.claimed_us, feed.over = now, raw.received_at_us, False
        if not feed.up:
            # By the collector's own clock: another's that ran ahead must not keep it out.
            feed.up, feed.up_since = True, raw.received_at_us // MICROS
            changed.append(_changed(feed, "up", reason, now))

    def _beat(
        self, raw: Raw, channel: str, through_us: int, now: int, changed: list[FeedStatus]
    ) -> None:
        feeds = self._find(raw, channel)
        if not feeds:
            self._up(raw, channel, None, now, "heartbeat", changed)
            feeds = self._find(raw, channel)
        for feed in [feed for feed in feeds if not feed.over] or feeds:
            # No collector can vouch for the time after it wrote the record.
            feed.through_us = max(feed.through_us, min(through_us, raw.received_at_us, now))
            self._heard(feed, raw, now, "heartbeat", changed)

    def _down(self, feed: Feed, reason: str, now: int, changed: list[FeedStatus]) -> None:
        feed.up = False
        changed.append(_changed(feed, "down", reason, now))

    def _prune(self) -> None:
        """Forget dead connections whose place a feed at least as far along has taken."""
        kept: list[Feed] = []
        for feed in self.state.feeds:
            heirs = (
                other
                for other in self.state.feeds
                if other is not feed
                and (other.venue, other.channel) == (feed.venue, feed.channel)
                and other.assets == feed.assets
                and (other.up or other.last_beat_us > feed.last_beat_us)
                and other.through_us >= feed.through_us
            )
            if feed.up or next(heirs, None) is None:
                kept.append(feed)
        if len(kept) != len(self.state.feeds):
            self.state.feeds = kept
            self._reindex()

    def _reindex(self) -> None:
        self.version += 1
        self._redundant = self._pushed()
        self._groups.clear()


def _changed(feed: Feed, state: FeedState, reason: str, now: int) -> FeedStatus:
    identity = stable_id("feed", feed.venue, feed.channel, feed.connection, state, now)
    return FeedStatus(
        id=identity,
        venue=feed.venue,
        channel=feed.channel,
        connection=feed.connection,
        state=state,
        reason=reason,
        at_us=now,
        through_us=feed.through_us if feed.through_us >= 0 else None,
    )
