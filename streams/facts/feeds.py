"""Which venues were heard, how much of them the frames cover, and how far the data reaches.

Facts of `v_feed_status`, `v_frames` and its rollups. A venue is `live` when every channel's last
word is up, `partial` when some are, `stale` when none is or its frames ended, `silent` when it fell
silent without a word (or never spoke) though it is subscribed. Promises no more than the log said.
"""

import re
from difflib import get_close_matches
from typing import Final, Literal

import msgspec
from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError
from streams.core.results import MARKET
from streams.facts.reading import OF_ASSET, SECOND, Span, one, rows

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
_COVERAGE: Final = f"""
SELECT second, coverage, venues_up, venues_all
FROM v_frames
WHERE {OF_ASSET}
    AND second >= fromUnixTimestamp64Micro({{end:Int64}}) - INTERVAL 5 MINUTE
    AND second < fromUnixTimestamp64Micro({{end:Int64}})
ORDER BY second DESC, coverage
LIMIT 1
"""  # noqa: S608  text of this module alone
# Each frame is counted once: by its second, or in its whole hour where there are many.
_COVERED: Final = """
SELECT sum(frames) AS frames, min(lowest) AS lowest, sum(complete) AS complete
FROM ({counted})
"""
_BY_SECOND: Final = f"""
    SELECT count() AS frames, min(coverage) AS lowest, countIf(coverage = 1) AS complete
    FROM v_frames
    WHERE {OF_ASSET}
        AND second >= fromUnixTimestamp64Micro({{begin:Int64}})
        AND second < fromUnixTimestamp64Micro({{end:Int64}})
        AND NOT (second >= fromUnixTimestamp64Micro({{whole_begin:Int64}})
            AND second < fromUnixTimestamp64Micro({{whole_end:Int64}}))
    HAVING frames > 0
"""  # noqa: S608  text of this module alone
_BY_HOUR: Final = f"""
    UNION ALL
    SELECT sum(frames) AS frames, min(coverage_min) AS lowest, sum(complete) AS complete
    FROM v_frames_1h
    WHERE {OF_ASSET}
        AND hour >= fromUnixTimestamp64Micro({{whole_begin:Int64}})
        AND hour < fromUnixTimestamp64Micro({{whole_end:Int64}})
    HAVING frames > 0
"""  # noqa: S608  text of this module alone
# Without FINAL: the bounds of a column that partitions follow stand beside the parts.
_REACH: Final = "SELECT count() AS frames, min(second) AS oldest, max(second) AS newest FROM frames"
# The hours that a rollup keeps count of name every asset, without a look at any frame.
_ASSETS: Final = """
SELECT DISTINCT toString(asset) AS asset
FROM v_rollup_hours
WHERE rollup = 'frames_1h'
    AND hour >= toStartOfHour(fromUnixTimestamp64Micro({begin:Int64}, 'UTC'))
    AND hour < fromUnixTimestamp64Micro({end:Int64})
ORDER BY asset
"""

_KNOWN: Final = "SELECT DISTINCT toString(asset) AS asset FROM v_rollup_hours ORDER BY asset"

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
    complete: int

    @property
    def complete_share(self) -> float:
        """Share of the frames that had every subscribed venue, 0..1."""
        return self.complete / self.frames


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
    counted, whole = _BY_SECOND, (span.end, span.end)
    if span.long:
        counted, whole = _BY_SECOND + _BY_HOUR, span.whole(3_600)
    sql = _COVERED.format(counted=counted)
    found = one(client, sql, Covered, span, whole_begin=whole[0], whole_end=whole[1])
    return found if found is not None and found.frames else None


def assets(client: Client, span: Span) -> list[str]:
    """Assets with a frame in the hours of the clock that the span touches, by name."""
    return [row.asset for row in rows(client, _ASSETS, _Asset, span)]


def check_known(client: Client, span: Span) -> None:
    """Raise MarginquakeError when the warehouse knows assets, and the span's is none of them."""
    known = [row.asset for row in rows(client, _KNOWN, _Asset, span)]
    if span.market or not known or span.scope in known:
        return
    like = get_close_matches(span.scope.upper(), known) or known[:10]
    raise MarginquakeError(
        f"the warehouse knows no asset {span.scope!r}: give {', '.join(like)}, or {MARKET}"
    )


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
    for channel in standing(rows(client, _LAST_WORDS, Channel, span)):
        by_venue.setdefault(channel.venue, []).append(channel)
    heard = newest.venues_up if newest is not None else []
    return [
        judge(venue, channels, fresh, venue in heard)
        for venue, channels in sorted(by_venue.items())
    ]


def standing(words: list[Channel]) -> list[Channel]:
    """The words that still count: of connections that held one place in turn, the last holder's.

    A collector names the connections of a place in turn `...a` and `...b`, and closes one when the
    next is heard. A word `up` counts before any `down`: the old one is closed last.

    >>> gone = Channel("okx", "trade", "public-0a", "down", "disconnect", 9, None)
    >>> heir = Channel("okx", "trade", "public-0b", "up", "subscribe", 8, None)
    >>> [one.connection for one in standing([gone, heir])]
    ['public-0b']
    """
    last: dict[tuple[str, str, str], Channel] = {}
    for word in words:
        place = (word.venue, word.channel, re.sub(r"(?<=.)[ab]$", "", word.connection))
        known = last.get(place)
        if known is None or (known.state == "up", known.at_us) < (word.state == "up", word.at_us):
            last[place] = word
    return list(last.values())


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
