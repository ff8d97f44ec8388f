"""Which venues were heard, how much of them the frames cover, and how far the data reaches.

Facts of `v_feed_status` and `v_frames`. A venue is `live` when every channel's last word is up,
`partial` when some are, `stale` when none is or its frames ended, `silent` when it fell silent
without a word (or never spoke) though it is subscribed. Promises no more than the log said.
"""

from typing import Final, Literal

import msgspec
from clickhouse_connect.driver.client import Client

from streams.facts.reading import SECOND, Span, one, rows

_LAST_WORDS: Final = """
SELECT venue, channel, connection, state, reason, at_us, through_us
FROM
(
    SELECT venue, channel, connection, state, reason, at_us, through_us
    FROM v_feed_status
    WHERE at_us < fromUnixTimestamp64Micro({end:Int64})
    ORDER BY at_us DESC
    LIMIT 1 BY venue, channel, connection
)
ORDER BY venue, channel, connection
"""
_COVERAGE: Final = """
SELECT second, coverage, venues_up, venues_all
FROM v_frames
WHERE {scope:String} IN ('ALL', asset)
    AND second >= fromUnixTimestamp64Micro({end:Int64}) - INTERVAL 5 MINUTE
    AND second < fromUnixTimestamp64Micro({end:Int64})
ORDER BY second DESC, coverage
LIMIT 1
"""
_COVERED: Final = """
SELECT count() AS frames, min(coverage) AS lowest, avg(coverage) AS mean,
    countIf(coverage = 1) AS complete
FROM v_frames
WHERE {scope:String} IN ('ALL', asset)
    AND second >= fromUnixTimestamp64Micro({begin:Int64})
    AND second < fromUnixTimestamp64Micro({end:Int64})
"""
# Without FINAL: the bounds of a column that partitions follow stand beside the parts.
_REACH: Final = "SELECT count() AS frames, min(second) AS oldest, max(second) AS newest FROM frames"
_ASSETS: Final = """
SELECT DISTINCT toString(asset) AS asset
FROM v_frames
WHERE second >= fromUnixTimestamp64Micro({end:Int64}) - INTERVAL 1 HOUR
    AND second < fromUnixTimestamp64Micro({end:Int64})
ORDER BY asset
"""

FeedState = Literal["live", "partial", "stale", "silent"]


class Channel(msgspec.Struct, frozen=True):
    """The last word on a channel of a connection."""

    venue: str
    channel: str
    connection: str
    state: str
    reason: str
    at_us: int
    through_us: int | None


class Venue(msgspec.Struct, frozen=True):
    """A venue's feed at the span's end; `why` names what is down."""

    venue: str
    state: FeedState
    why: str
    channels: list[Channel]


class Coverage(msgspec.Struct, frozen=True):
    """The newest frame of the span's last five minutes, the least covered of its second."""

    second: int
    coverage: float
    venues_up: list[str]
    venues_all: list[str]


class Covered(msgspec.Struct, frozen=True):
    """Coverage over a span: frames, and how many had every subscribed venue."""

    frames: int
    lowest: float
    mean: float
    complete: int


class Reach(msgspec.Struct, frozen=True):
    """First and last second of all frames, microseconds UTC."""

    frames: int
    oldest: int
    newest: int


class _Asset(msgspec.Struct, frozen=True):
    asset: str


def reach(client: Client, span: Span) -> Reach | None:
    """How far the data reaches, None in an empty warehouse."""
    found = one(client, _REACH, Reach, span)
    return found if found is not None and found.frames else None


def coverage(client: Client, span: Span) -> Coverage | None:
    """The newest frame, None without one in the span's last five minutes."""
    return one(client, _COVERAGE, Coverage, span)


def covered(client: Client, span: Span) -> Covered | None:
    """Coverage over the span, None without frames."""
    found = one(client, _COVERED, Covered, span)
    return found if found is not None and found.frames else None


def assets(client: Client, span: Span) -> list[str]:
    """Assets with a frame in the hour before the span's end, by name."""
    return [row.asset for row in rows(client, _ASSETS, _Asset, span)]


def venues(client: Client, span: Span, stale_after_s: int) -> list[Venue]:
    """Every venue that was ever heard or subscribed, by name.

    Args:
        client: a reader of the warehouse.
        span: its end is the moment that is judged.
        stale_after_s: a frame older than this no longer speaks for its feeds.
    """
    newest = coverage(client, span)
    fresh = newest is not None and span.end - newest.second <= stale_after_s * SECOND
    by_venue: dict[str, list[Channel]] = {
        venue: [] for venue in (newest.venues_all if newest is not None else [])
    }
    for channel in rows(client, _LAST_WORDS, Channel, span):
        by_venue.setdefault(channel.venue, []).append(channel)
    heard = newest.venues_up if newest is not None else []
    return [
        judge(venue, channels, fresh, venue in heard)
        for venue, channels in sorted(by_venue.items())
    ]


def judge(venue: str, channels: list[Channel], fresh: bool, heard: bool) -> Venue:
    """The state of a venue from the last words on its channels.

    Args:
        venue: its id.
        channels: the last word on each.
        fresh: whether the newest frame still speaks for feeds.
        heard: whether that frame counts the venue's forced orders as healthy.

    >>> up = Channel("okx", "trade", "a", "up", "subscribe", 0, None)
    >>> judge("okx", [up], True, True).state, judge("okx", [up], False, True).state
    ('live', 'stale')
    >>> judge("okx", [], True, False).state
    'silent'
    """
    down = [channel for channel in channels if channel.state != "up"]
    why = ", ".join(sorted({f"{one.channel} down: {one.reason}" for one in down}))
    if not channels and not heard:
        return Venue(venue, "silent", "subscribed, no word yet", channels)
    if channels and len(down) == len(channels):
        timed_out = all(channel.reason == "timeout" for channel in down)
        return Venue(venue, "silent" if timed_out else "stale", why, channels)
    if not fresh:
        return Venue(venue, "stale", why or "no frame of late", channels)
    if not channels:
        return Venue(venue, "live", "by its frames; no change of it was written", channels)
    return Venue(venue, "partial" if down else "live", why, channels)
