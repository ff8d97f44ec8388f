"""Forced orders: price, liquidated dollars by side, and the windows they formed.

Facts of `v_frame_flows`, `v_liquidations` and `v_cascades`. Published dollars (`observed`) are a
lower bound; a window carries its estimate, interval and upper bound. Auto-deleveraging is in no
total, since it closes winners against positions counted already.
"""

from decimal import Decimal
from typing import Final

import msgspec
from clickhouse_connect.driver.client import Client

from streams.facts.reading import OF_ASSET, OF_SCOPE, Span, one, rows

# Two levels: every contract's last price first, so that one venue with many trades, or one with a
# wrong print, does not move the median.
_PRICES: Final = """
SELECT start, quantileExact(0.5)(last) AS price, min(lowest) AS low, max(highest) AS high
FROM
(
    SELECT toStartOfInterval(at, toIntervalSecond({{step:UInt32}})) AS start,
        argMax(close, at) AS last, min(low) AS lowest, max(high) AS highest
    FROM ({traded})
    GROUP BY start, venue, symbol
)
GROUP BY start
ORDER BY start
"""
_TRADED_BY_SECOND: Final = """
        SELECT second AS at, venue, symbol, close, low, high
        FROM v_frame_flows
        WHERE asset = {scope:String} AND contract != 'spot'
            AND second >= fromUnixTimestamp64Micro({begin:Int64})
            AND second < fromUnixTimestamp64Micro({end:Int64})
            AND NOT (second >= fromUnixTimestamp64Micro({whole_begin:Int64})
                AND second < fromUnixTimestamp64Micro({whole_end:Int64}))
"""
_TRADED_BY_MINUTE: Final = """
        UNION ALL
        SELECT toDateTime64(minute, 6, 'UTC') AS at, venue, symbol, close, low, high
        FROM v_candles_1m
        WHERE asset = {scope:String} AND contract != 'spot'
            AND minute >= fromUnixTimestamp64Micro({whole_begin:Int64})
            AND minute < fromUnixTimestamp64Micro({whole_end:Int64})
"""
_SIDES: Final = f"""
SELECT toStartOfInterval(event_time_us, toIntervalSecond({{step:UInt32}})) AS start,
    sumIf(usd, position_side = 'long') AS long_usd,
    sumIf(usd, position_side = 'short') AS short_usd, count() AS orders
FROM v_liquidations
WHERE {OF_ASSET} AND kind != 'adl'
    AND event_time_us >= fromUnixTimestamp64Micro({{begin:Int64}})
    AND event_time_us < fromUnixTimestamp64Micro({{end:Int64}})
GROUP BY start
ORDER BY start
"""  # noqa: S608  text of this module alone
_VENUES: Final = f"""
SELECT venue,
    arrayStringConcat(arraySort(groupUniqArray(toString(feed_class))), ', ') AS feed_class,
    sumIf(usd, position_side = 'long') AS long_usd,
    sumIf(usd, position_side = 'short') AS short_usd, count() AS orders, max(usd) AS largest_usd,
    sumIf(usd, is_late) AS late_usd
FROM v_liquidation_feeds
WHERE {OF_ASSET} AND kind != 'adl'
    AND event_time_us >= fromUnixTimestamp64Micro({{begin:Int64}})
    AND event_time_us < fromUnixTimestamp64Micro({{end:Int64}})
GROUP BY venue
ORDER BY long_usd + short_usd DESC, venue
"""  # noqa: S608  text of this module alone
_ASSETS: Final = f"""
SELECT asset, sumIf(usd, position_side = 'long') AS long_usd,
    sumIf(usd, position_side = 'short') AS short_usd, count() AS orders
FROM v_liquidations
WHERE {OF_ASSET} AND kind != 'adl'
    AND event_time_us >= fromUnixTimestamp64Micro({{begin:Int64}})
    AND event_time_us < fromUnixTimestamp64Micro({{end:Int64}})
GROUP BY asset
ORDER BY long_usd + short_usd DESC, asset
LIMIT 20
"""  # noqa: S608  text of this module alone
_WINDOW_COLUMNS: Final = """id, scope, side, class, phase, onset, detected_at, peak_at, end,
    events, usd_observed, usd_low, usd_estimated, usd_high, usd_upper, usd_late, identifiability,
    impact_bp, recovery_30m, price_onset, price_extreme, oi_share, severity, confidence, coverage,
    origin_venue, excess_low, excess_high, amplification, is_final, parent_id, usd_by_venue,
    definition, params_hash, null_reasons"""
# A window longer than a day would be missed; the bound keeps old partitions unread.
_OVERLAP: Final = """onset >= fromUnixTimestamp64Micro({begin:Int64}) - INTERVAL 1 DAY
    AND onset < fromUnixTimestamp64Micro({end:Int64})
    AND coalesce(end, closed_at, watermark) >= fromUnixTimestamp64Micro({begin:Int64})"""
# Windows of the scope itself and those of others are limited apart: many small ones must not hide
# the market's own.
_WINDOWS: Final = f"""
SELECT {_WINDOW_COLUMNS}
FROM v_cascades
WHERE {OF_SCOPE} AND {_OVERLAP}
ORDER BY onset DESC, scope != 'ALL', scope, side, id
LIMIT {{most:UInt32}} BY scope = {{scope:String}}
"""  # noqa: S608  text of this module alone
_LARGEST: Final = f"""
SELECT {_WINDOW_COLUMNS}
FROM v_cascades
WHERE scope = {{scope:String}} AND {_OVERLAP}
ORDER BY class = 'cascade' DESC, usd_observed DESC, onset, id
LIMIT 1
"""  # noqa: S608  text of this module alone
_EARLIER: Final = """
SELECT count() AS windows, quantileExact(0.5)(usd_observed) AS median_usd,
    max(usd_observed) AS largest_usd, quantileExact(0.5)(abs(impact_bp)) AS median_impact_bp,
    countIf(usd_observed >= {usd:Decimal(18, 6)}) AS as_large, min(onset) AS since
FROM v_cascades
WHERE scope = {scope:String} AND class = 'cascade'
    AND onset >= fromUnixTimestamp64Micro({begin:Int64}) - INTERVAL 365 DAY
    AND onset < fromUnixTimestamp64Micro({begin:Int64})
"""


class PriceBar(msgspec.Struct, frozen=True):
    """Trades of perpetuals and futures in a bucket, USD per coin; `price` is the median of the
    contracts' last prices.
    """

    start: int
    price: float
    low: float
    high: float


class SideBar(msgspec.Struct, frozen=True):
    """Published USD of positions closed by force in a bucket."""

    start: int
    long_usd: Decimal
    short_usd: Decimal
    orders: int


class VenueTotal(msgspec.Struct, frozen=True):
    """Published USD of a venue, with the class of its feed, or the classes if it changed."""

    venue: str
    feed_class: str
    long_usd: Decimal
    short_usd: Decimal
    orders: int
    largest_usd: Decimal
    late_usd: Decimal


class AssetTotal(msgspec.Struct, frozen=True):
    """Published USD of an asset."""

    asset: str
    long_usd: Decimal
    short_usd: Decimal
    orders: int


class Window(msgspec.Struct, frozen=True):
    """A window of forced selling or buying, its newest revision; fields as in `cascades.v1`."""

    id: str
    scope: str
    side: str
    window_class: str = msgspec.field(name="class")
    phase: str
    onset: int
    detected_at: int
    peak_at: int
    end: int | None
    events: int
    usd_observed: Decimal
    usd_low: Decimal | None
    usd_estimated: Decimal | None
    usd_high: Decimal | None
    usd_upper: Decimal | None
    usd_late: Decimal
    identifiability: str
    impact_bp: float | None
    recovery_30m: float | None
    price_onset: float | None
    price_extreme: float | None
    oi_share: float | None
    severity: str | None
    confidence: float
    coverage: float
    origin_venue: str | None
    excess_low: float | None
    excess_high: float | None
    amplification: float | None
    is_final: bool
    parent_id: str | None
    usd_by_venue: dict[str, Decimal]
    definition: str
    params_hash: str
    null_reasons: dict[str, str]


class Earlier(msgspec.Struct, frozen=True):
    """Cascades of the 365 days before; `as_large` published as much as the one compared."""

    windows: int
    median_usd: Decimal
    largest_usd: Decimal
    median_impact_bp: float | None
    as_large: int
    since: int


def prices(client: Client, span: Span) -> list[PriceBar]:
    """Prices of an asset by bucket; buckets without trades are absent. The market has none.

    Those of a long range are read by the minute, which gives the same numbers.
    """
    if span.market:
        return []
    traded, whole = _TRADED_BY_SECOND, (span.end, span.end)
    if span.long:
        traded, whole = _TRADED_BY_SECOND + _TRADED_BY_MINUTE, span.whole(60)
    sql = _PRICES.format(traded=traded)
    return rows(
        client, sql, PriceBar, span, step=span.step, whole_begin=whole[0], whole_end=whole[1]
    )


def sides(client: Client, span: Span) -> list[SideBar]:
    """Published dollars by side and bucket; buckets without orders are absent."""
    return rows(client, _SIDES, SideBar, span, step=span.step)


def venue_totals(client: Client, span: Span) -> list[VenueTotal]:
    """Published dollars of the span by venue, largest first."""
    return rows(client, _VENUES, VenueTotal, span)


def asset_totals(client: Client, span: Span) -> list[AssetTotal]:
    """Published dollars of the span by asset, the 20 largest."""
    return rows(client, _ASSETS, AssetTotal, span)


def windows(client: Client, span: Span, most: int) -> list[Window]:
    """Windows that overlap the span, newest first; of every scope when it is the market's.

    `most` of the scope itself, and of the market as many of other scopes.
    """
    return rows(client, _WINDOWS, Window, span, most=most)


def largest(client: Client, span: Span) -> Window | None:
    """The scope's largest window by published dollars, a cascade before any burst."""
    return one(client, _LARGEST, Window, span)


def earlier(client: Client, span: Span, usd: Decimal) -> Earlier | None:
    """Cascades of the scope in the 365 days before the span, None without any."""
    (found,) = rows(client, _EARLIER, Earlier, span, usd=str(usd))
    return found if found.windows else None
