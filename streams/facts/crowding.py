"""Who held what before: open interest, who opened it, and what each side paid to hold it.

Facts of `v_positioning`, `v_funding` and `v_regimes`. Every open contract has a long and a short:
which side is crowded is read off funding (`crowd_side`) and off price against open interest
(`quadrant`), and no count of accounts is among the facts. Null where it is not known, with the
reason.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec
from clickhouse_connect.driver.client import Client

from streams.facts.reading import Span, rows
from streams.facts.standing import STANDS

_INTEREST: Final = f"""
SELECT scope, at, window_s, quadrant, price_change, oi_usd, oi_change, oi_change_usd, oi_by_venue,
    coverage, definition, params_hash, null_reasons
FROM v_positioning
WHERE has({{scopes:Array(String)}}, scope) AND venue IS NULL AND {STANDS}
ORDER BY at DESC, id
LIMIT 1 BY scope, window_s
"""  # noqa: S608  text of this module alone
_FUNDING: Final = f"""
SELECT scope, at, rate_8h, annualised, dispersion_8h, highest_venue, lowest_venue,
    arrayZip(venues.venue, venues.rate, venues.interval_s, venues.annualised,
        venues.next_funding_us, venues.oi_usd) AS venues,
    coverage, definition, params_hash, null_reasons
FROM v_funding
WHERE has({{scopes:Array(String)}}, scope) AND {STANDS}
ORDER BY at DESC, id
LIMIT 1 BY scope
"""  # noqa: S608
_CROWD: Final = f"""
SELECT scope, at, state, crowd_side,
    if(mapContains(features, 'funding'), features['funding'], NULL) AS funding_percentile,
    if(mapContains(features, 'leverage'), features['leverage'], NULL) AS leverage_percentile,
    missing, definition, params_hash, null_reasons
FROM v_regimes
WHERE has({{scopes:Array(String)}}, scope) AND {STANDS}
ORDER BY at DESC, id
LIMIT 1 BY scope
"""  # noqa: S608

NO_READING: Final = "no reading in the day before"
_SHOWN: Final = {
    "oi_usd": "open interest",
    "oi_change": "its change",
    "quadrant": "quadrant",
}
"""Fields of a reading of open interest that screens show, and what they are called there."""


class Interest(msgspec.Struct, frozen=True):
    """Open interest of a scope, one-sided, and its change over the last `window_s` seconds.

    `oi_change` is a fraction of the volume in coins, so that no price moves it.
    """

    scope: str
    at: int
    window_s: int
    quadrant: str | None
    price_change: float | None
    oi_usd: Decimal | None
    oi_change: float | None
    oi_change_usd: Decimal | None
    oi_by_venue: dict[str, Decimal]
    coverage: float
    definition: str
    params_hash: str
    null_reasons: dict[str, str]


class VenueFunding(msgspec.Struct, frozen=True, array_like=True):
    """A venue's rate of the present cycle (a fraction, longs pay when positive), and its weight."""

    venue: str
    rate: float
    interval_s: int | None
    annualised: float | None
    next_funding_us: int | None
    oi_usd: Decimal | None


class Funding(msgspec.Struct, frozen=True):
    """Funding of a scope, a mean weighted by open interest; rates are fractions."""

    scope: str
    at: int
    rate_8h: float | None
    annualised: float | None
    dispersion_8h: float | None
    highest_venue: str | None
    lowest_venue: str | None
    venues: list[VenueFunding]
    coverage: float
    definition: str
    params_hash: str
    null_reasons: dict[str, str]


class Crowd(msgspec.Struct, frozen=True):
    """Which side funding says is crowded, None when neither is or nothing can say; percentiles of
    funding and leverage in their own history, 0..1.
    """

    scope: str
    at: int
    state: str | None
    crowd_side: str | None
    funding_percentile: float | None
    leverage_percentile: float | None
    missing: dict[str, str]
    definition: str
    params_hash: str
    null_reasons: dict[str, str]

    @property
    def unknown(self) -> str | None:
        """Why no side can be told; None where one is, or where neither is crowded."""
        if self.crowd_side is not None or self.funding_percentile is not None:
            return None
        return self.missing.get("funding") or self.null_reasons.get("state") or "no_funding"


class Crowding(msgspec.Struct, frozen=True):
    """What is known of one scope; `interest` by window, the shortest first."""

    scope: str
    interest: list[Interest]
    funding: Funding | None
    crowd: Crowd | None

    def over(self, window_s: int) -> Interest | None:
        """Open interest over a window of `window_s` seconds, None without a reading."""
        return next((one for one in self.interest if one.window_s == window_s), None)

    @property
    def lacks(self) -> list[tuple[str, str]]:
        """What is not known and why, in words of the contracts."""
        found = [] if self.interest else [("open_interest", NO_READING)]
        for one in self.interest:
            found += [
                (f"{_SHOWN[field]} over {one.window_s // 60} min", reason)
                for field, reason in one.null_reasons.items()
                if field in _SHOWN
            ]
        if self.funding is None:
            found.append(("funding", NO_READING))
        else:
            found += [
                (f"funding, {field.replace('_', ' ')}", reason)
                for field, reason in self.funding.null_reasons.items()
            ]
        if self.crowd is None:
            found.append(("crowded side", NO_READING))
        elif self.crowd.unknown is not None:
            found.append(("crowded side", self.crowd.unknown))
        return found


def crowding(client: Client, span: Span, scopes: Sequence[str]) -> list[Crowding]:
    """What stood at the span's end of each scope, in the order given.

    A reading stands for a day at most; a scope without any has empty facts.
    """
    interest = rows(client, _INTEREST, Interest, span, scopes=list(scopes))
    funding = {row.scope: row for row in rows(client, _FUNDING, Funding, span, scopes=list(scopes))}
    crowds = {row.scope: row for row in rows(client, _CROWD, Crowd, span, scopes=list(scopes))}
    return [
        Crowding(
            scope,
            sorted((row for row in interest if row.scope == scope), key=lambda row: row.window_s),
            funding.get(scope),
            crowds.get(scope),
        )
        for scope in scopes
    ]
