"""The panels of the page: for each, the facts it shows and how to read them.

Under `watch`. Promises that a panel holds facts of the views alone, with the moment each speaks
for, so that the page can say what is old, missing or partial. Formats nothing.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from clickhouse_connect.driver.client import Client

from streams.facts import feeds, forced, signals, standing, totals
from streams.facts.reading import Span

Read = Callable[[Client, Span], dict[str, Any]]

MOST_LISTED: Final = 60
"""Windows and alerts of one list; the page says when there may be more."""


class Panels(msgspec.Struct, frozen=True):
    """The panels of a dashboard; a frame older than `stale_after_s` speaks for no feed."""

    stale_after_s: int

    def by_name(self) -> dict[str, Read]:
        """Every panel in the order in which they are read: what is urgent and cheap first."""
        return {**_PANELS, "feeds": self._feeds}

    def _feeds(self, client: Client, span: Span) -> dict[str, Any]:
        return {
            "venues": feeds.venues(client, span, self.stale_after_s),
            "coverage": feeds.coverage(client, span),
            "covered": feeds.covered(client, span),
            "assets": feeds.assets(client, span),
        }


def _health(client: Client, span: Span) -> dict[str, Any]:
    return {"now": standing.health(client, span), "path": standing.health_path(client, span)}


def _regime(client: Client, span: Span) -> dict[str, Any]:
    return {
        "now": standing.regime(client, span),
        "path": standing.regime_path(client, span),
        "transitions": standing.transitions(client, span),
    }


def _cascades(client: Client, span: Span) -> dict[str, Any]:
    return {"windows": forced.windows(client, span, MOST_LISTED), "most": MOST_LISTED}


def _alerts(client: Client, span: Span) -> dict[str, Any]:
    return {"alerts": signals.alerts(client, span, MOST_LISTED), "most": MOST_LISTED}


def _forced(client: Client, span: Span) -> dict[str, Any]:
    return {
        "step_s": span.step,
        "prices": forced.prices(client, span),
        "sides": forced.sides(client, span),
        "venues": forced.venue_totals(client, span),
    }


def _imbalance(client: Client, span: Span) -> dict[str, Any]:
    return {"windows": signals.imbalance(client, span), "path": signals.flow_path(client, span)}


def _print(client: Client, span: Span) -> dict[str, Any]:
    return {
        "now": totals.rolling(client, span),
        "path": totals.rolling_path(client, span),
        "milestones": totals.crossings(client, span),
    }


_PANELS: Final[dict[str, Read]] = {
    "health": _health,
    "cascades": _cascades,
    "alerts": _alerts,
    "print": _print,
    "forced": _forced,
    "imbalance": _imbalance,
    "regime": _regime,
    "liquidity": lambda client, span: {"venues": signals.liquidity(client, span)},
    "zones": lambda client, span: {"now": signals.zones(client, span)},
    "dominance": lambda client, span: {"windows": signals.dominance(client, span)},
}
