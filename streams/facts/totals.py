"""The 24 h print, its path and history, and the round numbers it crossed.

Facts of `v_prints` and `v_milestones`. `usd_observed` is what feeds published, `usd_estimated`
corrects sampled ones (a floor unless `identifiability` is ok or extrapolated), `usd_upper` bounds.
"""

from decimal import Decimal
from typing import Final

import msgspec
from clickhouse_connect.driver.client import Client

from streams.facts.reading import Span, one, rows

_COLUMNS: Final = """period_start, as_of, usd_observed, usd_estimated, usd_upper, usd_late,
    long_usd, short_usd, events, largest_usd, max_hour_share, percentile_365d, n_days, oi_share,
    identifiability, usd_by_venue, coverage, definition, params_hash, null_reasons"""
# The row of a minute is revised until the minute is over: one that speaks for a second after the
# span's end counts orders of after it.
_ROLLING: Final = f"""
SELECT {_COLUMNS}
FROM v_prints
WHERE kind = 'rolling_24h' AND venue IS NULL AND scope = {{scope:String}}
    AND period_start >= fromUnixTimestamp64Micro({{end:Int64}}) - INTERVAL 1 DAY
    AND as_of < fromUnixTimestamp64Micro({{end:Int64}})
ORDER BY period_start DESC
LIMIT 1
"""  # noqa: S608  text of this module alone
_PATH: Final = """
SELECT max(period_start) AS minute, argMax(usd_observed, period_start) AS usd_observed,
    argMax(tuple(usd_estimated), period_start).1 AS usd_estimated
FROM v_prints
WHERE kind = 'rolling_24h' AND venue IS NULL AND scope = {scope:String}
    AND period_start >= fromUnixTimestamp64Micro({begin:Int64})
    AND as_of < fromUnixTimestamp64Micro({end:Int64})
GROUP BY toStartOfInterval(period_start, toIntervalSecond({step:UInt32}))
ORDER BY minute
"""
_DAYS: Final = f"""
SELECT {_COLUMNS}
FROM v_prints
WHERE kind = 'utc_day' AND venue IS NULL AND scope = {{scope:String}}
    AND period_start >= toStartOfDay(fromUnixTimestamp64Micro({{begin:Int64}}, 'UTC'))
        - toIntervalDay({{before:UInt32}})
    AND period_start < fromUnixTimestamp64Micro({{end:Int64}})
ORDER BY period_start
"""  # noqa: S608
_MILESTONES: Final = """
SELECT crossed_at, basis, threshold_usd, usd_observed, usd_estimated, probability,
    since_previous_s, text
FROM v_milestones
WHERE scope = {scope:String} AND crossed_at >= fromUnixTimestamp64Micro({begin:Int64})
    AND crossed_at < fromUnixTimestamp64Micro({end:Int64})
ORDER BY crossed_at DESC
LIMIT 50
"""


class Total(msgspec.Struct, frozen=True):
    """A print, rolling or of a UTC day; USD."""

    period_start: int
    as_of: int
    usd_observed: Decimal
    usd_estimated: Decimal | None
    usd_upper: Decimal | None
    usd_late: Decimal
    long_usd: Decimal
    short_usd: Decimal
    events: int
    largest_usd: Decimal
    max_hour_share: float | None
    percentile_365d: float | None
    n_days: int
    oi_share: float | None
    identifiability: str
    usd_by_venue: dict[str, Decimal]
    coverage: float
    definition: str
    params_hash: str
    null_reasons: dict[str, str]


class TotalPoint(msgspec.Struct, frozen=True):
    """The last minute's rolling total of a bucket of time, USD."""

    minute: int
    usd_observed: Decimal
    usd_estimated: Decimal | None


class Crossing(msgspec.Struct, frozen=True):
    """A round total that the print crossed, USD."""

    crossed_at: int
    basis: str
    threshold_usd: Decimal
    usd_observed: Decimal
    usd_estimated: Decimal | None
    probability: float | None
    since_previous_s: float | None
    text: str


def rolling(client: Client, span: Span) -> Total | None:
    """The rolling print at the span's end, None without one in the day before."""
    return one(client, _ROLLING, Total, span)


def rolling_path(client: Client, span: Span) -> list[TotalPoint]:
    """The rolling print over the span; a minute at least apart."""
    return rows(client, _PATH, TotalPoint, span, step=max(60, span.step))


def days(client: Client, span: Span, before: int = 0) -> list[Total]:
    """UTC days of the span and of `before` days ahead of it, oldest first."""
    return rows(client, _DAYS, Total, span, before=before)


def crossings(client: Client, span: Span) -> list[Crossing]:
    """Round totals crossed in the span, newest first, 50 at most."""
    return rows(client, _MILESTONES, Crossing, span)
