"""How the market stands: health with its contributions, and the leverage phase with its path.

Facts of `v_health`, `v_regimes`, `v_regime_transitions` and `v_regime_resolutions`. A reading
stands until the next of its scope; none older than a day before the span's end is taken for it.
"""

from typing import Final

import msgspec
from clickhouse_connect.driver.client import Client

from streams.facts.reading import Span, one, rows

STANDS: Final = (
    "at >= fromUnixTimestamp64Micro({end:Int64}) - INTERVAL 1 DAY "
    "AND at < fromUnixTimestamp64Micro({end:Int64})"
)
"""Condition of the readings that may still stand at the end of a span."""
WITHIN: Final = (
    "at >= fromUnixTimestamp64Micro({begin:Int64}) AND at < fromUnixTimestamp64Micro({end:Int64})"
)

_HEALTH: Final = f"""
SELECT at, health, band, contributions, caps, missing, weight_coverage, coverage, history_days,
    definition, params_hash, null_reasons
FROM v_health
WHERE scope = {{scope:String}} AND {STANDS}
ORDER BY at DESC
LIMIT 1
"""  # noqa: S608  text of this module alone
_HEALTH_PATH: Final = f"""
SELECT max(at) AS read_at, argMax(tuple(health), at).1 AS health, min(coverage) AS coverage
FROM v_health
WHERE scope = {{scope:String}} AND {WITHIN}
GROUP BY toStartOfInterval(at, toIntervalSecond({{step:UInt32}}))
ORDER BY read_at
"""  # noqa: S608
_REGIME: Final = f"""
SELECT at, state, sub_state, crowd_side, p_accumulation, p_expansion, p_euphoria, p_liquidation,
    arrayZip(drivers.feature, drivers.value, drivers.weight) AS drivers, since, history_days,
    coverage, definition, params_hash, null_reasons
FROM v_regimes
WHERE scope = {{scope:String}} AND {STANDS}
ORDER BY at DESC
LIMIT 1
"""  # noqa: S608
_REGIME_PATH: Final = f"""
SELECT max(at) AS read_at, argMax(tuple(state), at).1 AS state,
    argMax(tuple(p_accumulation), at).1 AS p_accumulation,
    argMax(tuple(p_expansion), at).1 AS p_expansion,
    argMax(tuple(p_euphoria), at).1 AS p_euphoria,
    argMax(tuple(p_liquidation), at).1 AS p_liquidation
FROM v_regimes
WHERE scope = {{scope:String}} AND {WITHIN}
GROUP BY toStartOfInterval(at, toIntervalSecond({{step:UInt32}}))
ORDER BY read_at
"""  # noqa: S608
_TRANSITIONS: Final = """
SELECT t.at AS at, t.from_state AS from_state, t.to_state AS to_state,
    t.probability AS probability, t.trigger_cascade_id AS trigger_cascade_id,
    r.resolved AS resolved
FROM v_regime_transitions AS t
LEFT JOIN v_regime_resolutions AS r ON r.transition_id = t.id
WHERE t.scope = {scope:String}
    AND t.at >= fromUnixTimestamp64Micro({begin:Int64})
    AND t.at < fromUnixTimestamp64Micro({end:Int64})
ORDER BY at DESC
LIMIT 50
"""


class Health(msgspec.Struct, frozen=True):
    """The standing reading; points 0 to 100, contributions and caps sum to 100 less health."""

    at: int
    health: float | None
    band: str | None
    contributions: dict[str, float]
    caps: dict[str, float]
    missing: dict[str, str]
    weight_coverage: float
    coverage: float
    history_days: float
    definition: str
    params_hash: str
    null_reasons: dict[str, str]


class HealthPoint(msgspec.Struct, frozen=True):
    """The last reading of a bucket of time, and the bucket's lowest coverage."""

    read_at: int
    health: float | None
    coverage: float


class Regime(msgspec.Struct, frozen=True):
    """The standing phase with its filtered probabilities; drivers are (feature, value, weight)."""

    at: int
    state: str | None
    sub_state: str | None
    crowd_side: str | None
    p_accumulation: float | None
    p_expansion: float | None
    p_euphoria: float | None
    p_liquidation: float | None
    drivers: list[tuple[str, float, float]]
    since: int | None
    history_days: float
    coverage: float
    definition: str
    params_hash: str
    null_reasons: dict[str, str]


class RegimePoint(msgspec.Struct, frozen=True):
    """The last reading of a bucket of time."""

    read_at: int
    state: str | None
    p_accumulation: float | None
    p_expansion: float | None
    p_euphoria: float | None
    p_liquidation: float | None


class Transition(msgspec.Struct, frozen=True):
    """A committed change of phase; `resolved` is told 72 h later."""

    at: int
    from_state: str | None
    to_state: str
    probability: float
    trigger_cascade_id: str | None
    resolved: str | None


def health(client: Client, span: Span) -> Health | None:
    """Health at the span's end, None without a reading in the day before."""
    return one(client, _HEALTH, Health, span)


def health_path(client: Client, span: Span) -> list[HealthPoint]:
    """Health over the span, by bucket of `span.step`."""
    return rows(client, _HEALTH_PATH, HealthPoint, span, step=span.step)


def regime(client: Client, span: Span) -> Regime | None:
    """The phase at the span's end, None without a reading in the day before."""
    return one(client, _REGIME, Regime, span)


def regime_path(client: Client, span: Span) -> list[RegimePoint]:
    """The phase over the span, by bucket of `span.step`."""
    return rows(client, _REGIME_PATH, RegimePoint, span, step=span.step)


def transitions(client: Client, span: Span) -> list[Transition]:
    """Changes of phase in the span, newest first, 50 at most."""
    return rows(client, _TRANSITIONS, Transition, span)
