"""Market health, documented field by field.

Twin of `streams.core.results.health` (held equal by a test). Promises that contributions and caps
sum exactly to what is missing to 100.
"""

from typing import Literal, Self

from pydantic import model_validator

from schemas.signals import SignalRow
from schemas.units import Finite, NotNegative, Share, Text
from streams.core.results.health import HealthBand


class Health(SignalRow):
    """Health of a scope from 0 (worst) to 100; definition `health`."""

    type: Literal["health"]
    """Tag of the message type."""
    health: NotNegative | None
    """0 to 100, a multiple of 0.001. Null when too little is known."""
    band: HealthBand | None
    """Band of the value."""
    raw_stress: Share | None
    """Power mean of the components' stress, 0..1."""
    contributions: dict[str, Finite]
    """Points by component, multiples of 0.001."""
    caps: dict[str, Finite]
    """Points by cap that held the value down, multiples of 0.001."""
    stress: dict[str, Share]
    """Percentile of each component, 0..1; what was missing is absent."""
    weights: dict[str, Share]
    """Weights in use, summing to 1 over the components present."""
    weight_coverage: Share
    """Share of the definition's weight that the components present hold."""
    missing: dict[str, Text]
    """Why a component is absent."""
    history_days: NotNegative
    """Days of history."""

    @model_validator(mode="after")
    def _sums(self) -> Self:
        if self.health is None:
            return self
        if self.health > 100:
            raise ValueError("health is at most 100")
        parts = sum(round(p * 1000) for p in (*self.contributions.values(), *self.caps.values()))
        if parts != 100_000 - round(self.health * 1000):
            raise ValueError("contributions and caps sum to 100 - health")
        return self
