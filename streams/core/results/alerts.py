"""Alerts as they are published; definition `alert` (1.8).

`schemas/alerts.py` documents the same fields.
"""

from typing import Literal

from streams.core.events import PositionSide
from streams.core.results.signals import SignalRow

AlertKind = Literal[
    "cascade_watch",
    "cascade_alert",
    "cascade_update",
    "cascade_end",
    "thin_liquidity",
    "sweep_reversal",
    "unexplained_volatility",
    "milestone",
    "feed_degraded",
]
AlertSeverity = Literal["info", "warning", "critical"]
AlertCause = Literal["positioning", "liquidity", "unexplained"]


class Alert(SignalRow, frozen=True, kw_only=True, tag="alert"):
    """Something to look at now. Fires once for one fact: the id is made of the fact.

    `group` is shared by alerts of one story (a cascade's watch, alert, updates and end);
    `evidence` holds the ids of the rows behind it; `cooldown_until` (µs) is when the kind may
    fire again for the scope. `unknown` names the conditions of the rule whose input was missing,
    with the reason: they neither passed nor failed, and took from the score.
    """

    kind: AlertKind
    severity: AlertSeverity
    score: float
    side: PositionSide | None
    venue: str | None
    cause: AlertCause | None
    group: str
    evidence: tuple[str, ...]
    cooldown_until: int | None
    facts: dict[str, float]
    unknown: dict[str, str]
    text: str
