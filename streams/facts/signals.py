"""The standing reading of imbalance, liquidity, liquidation map and dominance, and the alerts.

Facts of `v_imbalance`, `v_liquidity`, `v_zones`, `v_dominance` and `v_alerts`. A number that
cannot be known is None with its reason in `null_reasons`; a map without proven skill has no zones.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, get_args

import msgspec
from clickhouse_connect.driver.client import Client

from streams.core.results.alerts import AlertSeverity
from streams.facts.reading import Span, one, rows
from streams.facts.standing import STANDS, WITHIN

_IMBALANCE: Final = f"""
SELECT at, window_s, long_observed, short_observed, long_usd, short_usd, long_share, neutral_share,
    lsi_adjusted, z, n_eff, events, dominant, label, identifiability, coverage, definition,
    params_hash, null_reasons
FROM v_imbalance
WHERE scope = {{scope:String}} AND venue IS NULL AND {STANDS}
ORDER BY at DESC
LIMIT 1 BY window_s
"""  # noqa: S608  text of this module alone
_FLOW_PATH: Final = f"""
SELECT max(at) AS read_at, argMax(long_observed, at) AS long_observed,
    argMax(short_observed, at) AS short_observed, argMax(tuple(long_usd), at).1 AS long_usd,
    argMax(tuple(short_usd), at).1 AS short_usd
FROM v_imbalance
WHERE scope = {{scope:String}} AND venue IS NULL AND window_s = 300 AND {WITHIN}
GROUP BY toStartOfInterval(at, toIntervalSecond({{step:UInt32}}))
ORDER BY read_at
"""  # noqa: S608
_LIQUIDITY: Final = f"""
SELECT at, venue, state, since, z, spread_bp, bid_usd, ask_usd, depth_ratio, sell_slip_100k_bp,
    sell_slip_1m_bp, refill_half_life_s, frozen, coverage, definition, params_hash, null_reasons
FROM v_liquidity
WHERE scope = {{scope:String}} AND {STANDS}
ORDER BY at DESC
LIMIT 1 BY venue
"""  # noqa: S608
_ZONES: Final = f"""
SELECT at, price, hidden, skill, skill_uniform, auc, n_scored, observed_share, map_usd, armed,
    fuel_below_usd, fuel_above_usd, pain_long, pain_short,
    arrayZip(zones.price_low, zones.price_high, zones.side, zones.usd_estimated, zones.usd_low,
        zones.usd_high, zones.distance_bp) AS zones,
    coverage, definition, params_hash, null_reasons
FROM v_zones
WHERE scope = {{scope:String}} AND {STANDS}
ORDER BY at DESC
LIMIT 1
"""  # noqa: S608
_DOMINANCE: Final = f"""
SELECT at, window_s, derivatives_usd, spot_usd, share, ratio, oi_spot_adv, lead_share, state,
    basket, basket_coverage, trend_90d, coverage, definition, params_hash, null_reasons
FROM v_dominance
WHERE scope = {{scope:String}} AND {STANDS}
ORDER BY at DESC
LIMIT 1 BY window_s
"""  # noqa: S608
_ALERTS: Final = f"""
SELECT id, at, scope, kind, severity, score, side, venue, cause, text, unknown, evidence
FROM v_alerts
WHERE (scope = {{scope:String}}
    OR ({{scope:String}} = 'ALL' AND has({{severities:Array(String)}}, severity))) AND {WITHIN}
ORDER BY at DESC, id
LIMIT {{most:UInt32}}
"""  # noqa: S608

SEVERITIES: Final[tuple[str, ...]] = get_args(AlertSeverity)
"""Of alerts, the least urgent first."""


class Imbalance(msgspec.Struct, frozen=True):
    """Who was closed by force in the last `window_s` seconds; USD published and corrected."""

    at: int
    window_s: int
    long_observed: Decimal
    short_observed: Decimal
    long_usd: Decimal | None
    short_usd: Decimal | None
    long_share: float | None
    neutral_share: float
    lsi_adjusted: float | None
    z: float | None
    n_eff: float
    events: int
    dominant: str | None
    label: str | None
    identifiability: str
    coverage: float
    definition: str
    params_hash: str
    null_reasons: dict[str, str]


class FlowPoint(msgspec.Struct, frozen=True):
    """Dollars closed in the five minutes before `read_at` by side, published and corrected, USD."""

    read_at: int
    long_observed: Decimal
    short_observed: Decimal
    long_usd: Decimal | None
    short_usd: Decimal | None


class Liquidity(msgspec.Struct, frozen=True):
    """Books of a venue, or of all (`venue` None); depth in USD within 10, 25, 50 and 100 bp."""

    at: int
    venue: str | None
    state: str | None
    since: int | None
    z: float | None
    spread_bp: float | None
    bid_usd: list[Decimal | None]
    ask_usd: list[Decimal | None]
    depth_ratio: list[float | None]
    sell_slip_100k_bp: float | None
    sell_slip_1m_bp: float | None
    refill_half_life_s: float | None
    frozen: bool
    coverage: float
    definition: str
    params_hash: str
    null_reasons: dict[str, str]


class Zone(msgspec.Struct, frozen=True, array_like=True):
    """Prices at which estimated USD of a side would be closed, with the estimate's interval."""

    price_low: float
    price_high: float
    side: str
    usd_estimated: Decimal
    usd_low: Decimal
    usd_high: Decimal
    distance_bp: float


class Zones(msgspec.Struct, frozen=True):
    """The liquidation map and what it has been worth; `hidden` while it has shown no skill."""

    at: int
    price: float | None
    hidden: bool
    skill: float | None
    skill_uniform: float | None
    auc: float | None
    n_scored: int
    observed_share: float | None
    map_usd: Decimal | None
    armed: bool | None
    fuel_below_usd: list[Decimal]
    fuel_above_usd: list[Decimal]
    pain_long: float | None
    pain_short: float | None
    zones: list[Zone]
    coverage: float
    definition: str
    params_hash: str
    null_reasons: dict[str, str]


class Dominance(msgspec.Struct, frozen=True):
    """Derivatives against spot volume of the last `window_s` seconds, USD."""

    at: int
    window_s: int
    derivatives_usd: Decimal | None
    spot_usd: Decimal | None
    share: float | None
    ratio: float | None
    oi_spot_adv: float | None
    lead_share: float | None
    state: str | None
    basket: str
    basket_coverage: float
    trend_90d: float | None
    coverage: float
    definition: str
    params_hash: str
    null_reasons: dict[str, str]


class Alert(msgspec.Struct, frozen=True):
    """An alert; `unknown` names conditions of its rule whose input was missing."""

    id: str
    at: int
    scope: str
    kind: str
    severity: str
    score: float
    side: str | None
    venue: str | None
    cause: str | None
    text: str
    unknown: dict[str, str]
    evidence: list[str]


def imbalance(client: Client, span: Span) -> list[Imbalance]:
    """The standing reading of each window, shortest first."""
    return sorted(rows(client, _IMBALANCE, Imbalance, span), key=lambda row: row.window_s)


def flow_path(client: Client, span: Span) -> list[FlowPoint]:
    """Sliding five-minute dollars over the span, the last reading of each bucket."""
    return rows(client, _FLOW_PATH, FlowPoint, span, step=span.step)


def liquidity(client: Client, span: Span) -> list[Liquidity]:
    """The standing reading over all venues, then of each."""
    return sorted(rows(client, _LIQUIDITY, Liquidity, span), key=lambda row: row.venue or "")


def zones(client: Client, span: Span) -> Zones | None:
    """The standing map, None without one in the day before the span's end."""
    return one(client, _ZONES, Zones, span)


def dominance(client: Client, span: Span) -> list[Dominance]:
    """The standing reading of each window, shortest first."""
    return sorted(rows(client, _DOMINANCE, Dominance, span), key=lambda row: row.window_s)


def alerts(
    client: Client, span: Span, most: int, others: Sequence[str] = SEVERITIES
) -> list[Alert]:
    """Alerts in the span, newest first.

    Args:
        client: a reader of the warehouse.
        span: of the market, it holds alerts of every asset too.
        most: how many of the newest.
        others: severities by which an asset's alert is told to who asks about the market.
    """
    return rows(client, _ALERTS, Alert, span, most=most, severities=list(others))
