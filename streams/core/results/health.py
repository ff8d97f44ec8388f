"""Market health as it is published; definition `health` (1.9).

`schemas/health.py` documents the same fields.
"""

from typing import Literal

from streams.core.results.signals import SignalRow

HealthBand = Literal["healthy", "fragile", "stressed", "critical"]


class Health(SignalRow, frozen=True, kw_only=True, tag="health"):
    """0 (worst) to 100 of a scope, each minute.

    `contributions` are points by component and `caps` points by cap: together they sum exactly to
    100 - health, all being multiples of 0.001. `stress` is each component's percentile, 0..1;
    `weights` are those used, renormalised over the components present; `weight_coverage` is the
    share of the definition's weight that they hold, and `missing` says why a component is absent.
    """

    health: float | None
    band: HealthBand | None
    raw_stress: float | None
    contributions: dict[str, float]
    caps: dict[str, float]
    stress: dict[str, float]
    weights: dict[str, float]
    weight_coverage: float
    missing: dict[str, str]
    history_days: float
