"""What a report tells, asked of the warehouse once.

Under `page`. Promises exact published totals, and that what was known beforehand is what stood
before the main window's onset, or before the range when there is no window: no later reading is
let in. Judges nothing that a detector has not judged.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from clickhouse_connect.driver.client import Client

from streams.facts import crowding, feeds, forced, signals, standing, totals
from streams.facts.reading import SECOND, Span

BEFORE_S: Final = 3_600
"""How far ahead of the onset alerts count as a warning, seconds."""
HISTORY_DAYS: Final = 30
MOST_WINDOWS: Final = 500
"""Windows of the report's scope that are listed, and of a market's report as many of others."""
MOST_ALERTS: Final = 2_000
MOST_ASSETS: Final = 10
"""Assets of a market's event whose crowding is told."""
WORST: Final = ("critical",)
"""Severities by which an asset's alert is told in the market's report."""


@dataclass(frozen=True, slots=True)
class Beforehand:
    """Readings that stood at `at` (microseconds UTC), and alerts of the hour before."""

    at: int
    health: standing.Health | None
    regime: standing.Regime | None
    imbalance: list[signals.Imbalance]
    liquidity: list[signals.Liquidity]
    zones: signals.Zones | None
    dominance: list[signals.Dominance]
    crowding: list[crowding.Crowding]
    alerts: list[signals.Alert]

    @property
    def unknown(self) -> list[tuple[list[str], list[tuple[str, str]]]]:
        """What is not known of the crowd, scopes that lack the same together."""
        found: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for one in self.crowding:
            found.setdefault(tuple(one.lacks), []).append(one.scope)
        return [(scopes, list(lacks)) for lacks, scopes in found.items() if lacks]


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the timeline."""

    at: int
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything of one report; dollars are Decimal USD, times microseconds UTC."""

    span: Span
    main: forced.Window | None
    windows: list[forced.Window]
    prices: list[forced.PriceBar]
    sides: list[forced.SideBar]
    venues: list[forced.VenueTotal]
    assets: list[forced.AssetTotal]
    health_path: list[standing.HealthPoint]
    transitions: list[standing.Transition]
    crossings: list[totals.Crossing]
    rolling: totals.Total | None
    days: list[totals.Total]
    earlier: forced.Earlier | None
    alerts: list[signals.Alert]
    covered: feeds.Covered | None
    before: Beforehand
    timeline: list[Moment]

    @property
    def windows_cut(self) -> bool:
        """Whether the range may hold more windows than are listed."""
        mine = sum(window.scope == self.span.scope for window in self.windows)
        return MOST_WINDOWS in (mine, len(self.windows) - mine)

    @property
    def alerts_cut(self) -> bool:
        """Whether the range may hold more alerts than are told."""
        return len(self.alerts) == MOST_ALERTS

    @property
    def long_usd(self) -> Decimal:
        """Published USD of longs closed in the range."""
        return sum((venue.long_usd for venue in self.venues), Decimal(0))

    @property
    def short_usd(self) -> Decimal:
        """Published USD of shorts closed in the range."""
        return sum((venue.short_usd for venue in self.venues), Decimal(0))

    @property
    def orders(self) -> int:
        """Forced orders published in the range."""
        return sum(venue.orders for venue in self.venues)

    @property
    def late_usd(self) -> Decimal:
        """Part of the published dollars that came late, USD."""
        return sum((venue.late_usd for venue in self.venues), Decimal(0))

    @property
    def definitions(self) -> list[tuple[str, str]]:
        """Definition and hash of its parameters, of every reading in the report."""
        before = self.before
        readings: Iterable[object] = (
            *self.windows,
            *self.days,
            self.rolling,
            before.health,
            before.regime,
            *before.imbalance,
            *before.liquidity,
            before.zones,
            *before.dominance,
            *(one for scope in before.crowding for one in (*scope.interest, scope.funding)),
        )
        return sorted(
            {
                (str(getattr(one, "definition", "")), str(getattr(one, "params_hash", "")))
                for one in readings
                if one is not None
            }
        )


def gather(client: Client, span: Span) -> Story:
    """Ask for all of it.

    Raises:
        MarginquakeError: the warehouse is away or refuses.
    """
    windows = forced.windows(client, span, MOST_WINDOWS)
    # Not the largest of those listed: a long range has more.
    main = forced.largest(client, span)
    onset = span.begin if main is None else main.onset
    alerts = signals.alerts(client, span, MOST_ALERTS, WORST)
    transitions = standing.transitions(client, span)
    crossings = totals.crossings(client, span)
    return Story(
        span=span,
        main=main,
        windows=windows,
        prices=forced.prices(client, span),
        sides=forced.sides(client, span),
        venues=forced.venue_totals(client, span),
        assets=forced.asset_totals(client, span),
        health_path=standing.health_path(client, span),
        transitions=transitions,
        crossings=crossings,
        rolling=totals.rolling(client, span),
        days=totals.days(client, span, HISTORY_DAYS),
        earlier=None
        if main is None
        else forced.earlier(client, Span(span.scope, main.onset, span.end), main.usd_observed),
        alerts=alerts,
        covered=feeds.covered(client, span),
        before=_beforehand(client, span.scope, onset, _assets(client, span, main)),
        timeline=_timeline(windows, alerts, transitions, crossings, span.scope),
    )


def _assets(client: Client, span: Span, main: forced.Window | None) -> list[str]:
    """Whose crowding is told: the scope's, and of the market that of the assets closed the most."""
    if not span.market:
        return [span.scope]
    event = span
    if main is not None:
        # The last order of a window belongs to it.
        end = span.end if main.end is None else main.end + SECOND
        event = Span(span.scope, main.onset, max(end, main.onset + SECOND))
    closed = forced.asset_totals(client, event)
    return [span.scope, *(one.asset for one in closed[:MOST_ASSETS])]


def _beforehand(client: Client, scope: str, onset: int, assets: Sequence[str]) -> Beforehand:
    span = Span(scope, onset - BEFORE_S * SECOND, onset)
    return Beforehand(
        onset,
        standing.health(client, span),
        standing.regime(client, span),
        signals.imbalance(client, span),
        [row for row in signals.liquidity(client, span) if row.venue is None],
        signals.zones(client, span),
        signals.dominance(client, span),
        crowding.crowding(client, span, assets),
        signals.alerts(client, span, MOST_ALERTS, WORST),
    )


def _timeline(
    windows: list[forced.Window],
    alerts: list[signals.Alert],
    transitions: list[standing.Transition],
    crossings: list[totals.Crossing],
    scope: str,
) -> list[Moment]:
    found = [Moment(alert.at, f"alert, {alert.severity}", alert.text) for alert in alerts]
    found += [
        Moment(change.at, "regime", f"{change.from_state or 'no phase'} to {change.to_state}")
        for change in transitions
    ]
    found += [Moment(crossing.crossed_at, "milestone", crossing.text) for crossing in crossings]
    for window in windows:
        if window.scope != scope:
            continue
        name = f"{window.window_class}, {window.side}"
        found.append(Moment(window.onset, name, "onset"))
        found.append(Moment(window.detected_at, name, "detected"))
        found.append(Moment(window.peak_at, name, "highest intensity"))
        if window.end is not None:
            found.append(Moment(window.end, name, "last forced order"))
    return sorted(found, key=lambda moment: moment.at)
