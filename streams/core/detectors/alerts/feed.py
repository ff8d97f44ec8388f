"""Alerts of venues whose liquidation feed left or came back (definition 1.8).

Promises event time with hysteresis: a venue is told as away after `feed_away_s` (short returns do
not count), as back after `feed_back_s` without a gap; what was away while no event came is told
once, when time moves on. Told by the market and a few assets: a venue that leaves is one fact, not
one for each of its symbols.
"""

from collections.abc import Iterator

import msgspec

from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.alerts.rows import Fact, alert
from streams.core.detectors.alerts.text import clock, span
from streams.core.detectors.signal import Origin
from streams.core.events import stable_id
from streams.core.results import Alert
from streams.core.results.alerts import AlertSeverity


class Away(msgspec.Struct):
    """A venue that left at `left` (s); `back`: since when it is up again; `told`: as away."""

    left: int
    back: int | None = None
    told: bool = False


class Feeds(msgspec.Struct):
    """Venues that are away or not yet back for long enough, and the health last seen."""

    away: dict[str, Away] = {}
    up: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


def feeds(
    state: Feeds,
    second: int,
    up: tuple[str, ...],
    known: tuple[str, ...],
    params: AlertParams,
    origin: Origin,
) -> Iterator[Alert]:
    """Alerts that the health of `second` (s) gives: venues `up` of those `known`."""
    if up != state.up or known != state.known:
        state.up, state.known = up, known
        for venue in known:
            _note(state, venue, second, venue in up)
        for venue in [one for one in state.away if one not in known]:
            del state.away[venue]
    coverage = len(up) / len(known) if known else 0.0
    for venue in sorted(state.away):
        away = state.away[venue]
        gone = (second if away.back is None else away.back) - away.left
        if not away.told and gone >= params.feed_away_s:
            away.told = True
            yield _left(venue, away, second, coverage, params, origin)
            if away.back is not None:
                del state.away[venue]
        elif away.back is not None and second - away.back >= params.feed_back_s:
            del state.away[venue]
            if away.told:
                yield _returned(venue, away, away.back, second, coverage, origin)


def _note(state: Feeds, venue: str, second: int, up: bool) -> None:
    away = state.away.get(venue)
    if not up and away is None:
        state.away[venue] = Away(second)
    elif not up and away is not None:
        away.back = None
    elif away is not None and away.back is None:
        away.back = second


def _group(venue: str, away: Away) -> str:
    """One story for all scopes that lost the venue at once."""
    return stable_id("feed", venue, away.left)


def _left(
    venue: str, away: Away, second: int, coverage: float, params: AlertParams, origin: Origin
) -> Alert:
    severity: AlertSeverity = "critical" if coverage < params.feed_critical_coverage else "warning"
    since, gone = f"is away since {clock(away.left)}", second - away.left
    if away.back is not None:
        severity, gone = "info", away.back - away.left
        since = f"was away for {span(gone)} from {clock(away.left)} on"
    return alert(
        origin,
        Fact("feed_degraded", second, (venue, away.left, "away"), coverage),
        severity,
        round(1 - coverage, 4),
        f"{origin.scope}: the liquidation feed of {venue} {since};"
        f" {coverage:.0%} of venues are healthy.",
        {"coverage": coverage, "away_s": float(gone)},
        venue=venue,
        group=_group(venue, away),
    )


def _returned(
    venue: str, away: Away, back: int, second: int, coverage: float, origin: Origin
) -> Alert:
    gone = back - away.left
    return alert(
        origin,
        Fact("feed_degraded", second, (venue, away.left, "back"), coverage),
        "info",
        round(1 - coverage, 4),
        f"{origin.scope}: the liquidation feed of {venue} is back since {clock(back)},"
        f" after {span(gone)} away; {coverage:.0%} of venues are healthy.",
        {"coverage": coverage, "away_s": float(gone)},
        venue=venue,
        group=_group(venue, away),
    )
