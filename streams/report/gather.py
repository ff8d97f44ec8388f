"""What a report tells, asked of the warehouse once.

Under `page`. Promises exact published totals, and that what was known beforehand is what stood
before the main window's onset, or before the range when there is no window: no later reading is
let in. Judges nothing that a detector has not judged.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from clickhouse_connect.driver.client import Client

from streams.facts import feeds, forced, signals, standing, totals
from streams.facts.reading import SECOND, Span

BEFORE_S: Final = 3_600
"""How far ahead of the onset alerts count as a warning, seconds."""
HISTORY_DAYS: Final = 30


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
    alerts: list[signals.Alert]


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
    windows = forced.windows(client, span, most=500)
    main = _main(windows, span)
    onset = span.begin if main is None else main.onset
    alerts = signals.alerts(client, span, most=500)
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
        before=_beforehand(client, span.scope, onset),
        timeline=_timeline(windows, alerts, transitions, crossings, span.scope),
    )


def _main(windows: list[forced.Window], span: Span) -> forced.Window | None:
    """The scope's largest window by published dollars; a cascade before any burst."""
    mine = [window for window in windows if window.scope == span.scope]
    return max(mine, key=lambda w: (w.window_class == "cascade", w.usd_observed), default=None)


def _beforehand(client: Client, scope: str, onset: int) -> Beforehand:
    span = Span(scope, onset - BEFORE_S * SECOND, onset)
    return Beforehand(
        onset,
        standing.health(client, span),
        standing.regime(client, span),
        signals.imbalance(client, span),
        [row for row in signals.liquidity(client, span) if row.venue is None],
        signals.zones(client, span),
        signals.dominance(client, span),
        [alert for alert in signals.alerts(client, span, most=500) if _concerns(alert, scope)],
    )


def _concerns(alert: signals.Alert, scope: str) -> bool:
    """Whether a report of the scope tells the alert: the market's tells the worst of each asset."""
    return alert.scope == scope or alert.severity == "critical"


def _timeline(
    windows: list[forced.Window],
    alerts: list[signals.Alert],
    transitions: list[standing.Transition],
    crossings: list[totals.Crossing],
    scope: str,
) -> list[Moment]:
    found = [
        Moment(alert.at, f"alert, {alert.severity}", alert.text)
        for alert in alerts
        if _concerns(alert, scope)
    ]
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
