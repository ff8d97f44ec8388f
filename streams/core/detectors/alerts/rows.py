"""How an alert becomes a row: its identity is the fact, never the call that found it.

Used by every alert rule. Promises one id for one fact of a scope, so that a repeat after a crash
is the same row.
"""

from collections.abc import Mapping
from typing import NamedTuple

from streams.core.detectors.signal import Origin
from streams.core.events import MICROS, PositionSide, stable_id
from streams.core.results import Alert
from streams.core.results.alerts import AlertCause, AlertKind, AlertSeverity

DIGITS = 10
"""Significant digits of a figure in `facts`."""


class Fact(NamedTuple):
    """What an alert is about.

    `key` tells the fact from all others of its kind and scope; `at` (s) is when it was known.
    """

    kind: AlertKind
    at: int
    key: tuple[object, ...]
    coverage: float


def alert(
    origin: Origin,
    fact: Fact,
    severity: AlertSeverity,
    score: float,
    text: str,
    facts: Mapping[str, float | None],
    *,
    side: PositionSide | None = None,
    venue: str | None = None,
    cause: AlertCause | None = None,
    group: str | None = None,
    evidence: tuple[str, ...] = (),
    cooldown_s: int | None = None,
    unknown: Mapping[str, str] | None = None,
    null_reasons: Mapping[str, str] | None = None,
) -> Alert:
    """The row of a fact; figures that are None are left out, a fact without a group is its own."""
    head = origin.head("alert", fact.at, fact.coverage, fact.kind)
    head["id"] = stable_id("alert", fact.kind, origin.scope, *fact.key, origin.definition)
    return Alert(
        **head,
        kind=fact.kind,
        severity=severity,
        score=score,
        side=side,
        venue=venue,
        cause=cause,
        group=group or head["id"],
        evidence=evidence,
        cooldown_until=None if cooldown_s is None else (fact.at + cooldown_s) * MICROS,
        facts={
            name: float(f"{value:.{DIGITS}g}")
            for name, value in sorted(facts.items())
            if value is not None
        },
        unknown=dict(sorted((unknown or {}).items())),
        text=text,
        null_reasons=dict(null_reasons or {}),
    )
