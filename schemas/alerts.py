"""Alerts, documented field by field.

Twin of `streams.core.results.alerts` (held equal by a test).
"""

from collections.abc import Set
from typing import ClassVar, Literal

from schemas.signals import SignalRow
from schemas.units import Finite, Id, Micros, Share, Text, Venue
from streams.core.events import PositionSide
from streams.core.results.alerts import AlertCause, AlertKind, AlertSeverity


class Alert(SignalRow):
    """Something to look at now; definition `alert`. Fires once for one fact."""

    self_evident: ClassVar[Set[str]] = frozenset({"side", "venue", "cause", "cooldown_until"})

    type: Literal["alert"]
    """Tag of the message type."""
    kind: AlertKind
    """What happened."""
    severity: AlertSeverity
    """How urgent it is."""
    score: Share
    """Product of the margins by which the rule was passed, 0..1."""
    side: PositionSide | None
    """Positions concerned. Null where sides do not apply."""
    venue: Venue | None
    """Venue concerned. Null where it is the whole scope."""
    cause: AlertCause | None
    """Why volatility is unexplained. Null for other kinds."""
    group: Text
    """Shared by the alerts of one story."""
    evidence: tuple[Id, ...]
    """Ids of the rows behind it."""
    cooldown_until: Micros | None
    """When the kind may fire again for the scope, µs UTC. Null without a cooldown."""
    facts: dict[str, Finite]
    """The figures of the text, by name."""
    unknown: dict[str, Text]
    """Conditions of the rule whose input was missing, with the reason."""
    text: Text
    """One plain sentence."""
