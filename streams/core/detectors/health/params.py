"""Parameters of the market-health index (definition 1.9). All values are priors.

Promises: one frozen value whose hash stands in every row. No default has been fitted.
"""

import msgspec

_WEIGHTS = {
    "liquidation": 0.25,
    "leverage": 0.20,
    "liquidity": 0.20,
    "volatility": 0.15,
    "crowding": 0.10,
    "structure": 0.10,
}


class HealthParams(msgspec.Struct, frozen=True):
    """Definition `health` version 1. Durations in seconds, points on the scale 0..100.

    `weights`: by component, summing to 1; `power`: of the mean over components; `sample_s`: one
    reading is kept of each such stretch of UTC time, `history_s` long; a measure is ranked once
    it has `least_history_s` of them. `least_weight`: share of the weights that must be present;
    `least_coverage`: venues that must be healthy for forced dollars to count;
    `hour_least_minutes`: minutes of the last 60 that must have been observed.
    `fall_half_life_s`, `rise_half_life_s`: of the smoothing. `extreme_cap`, `vacuum_cap`: highest
    value while an extreme cascade is open, or while liquidity is in state vacuum.
    `healthy`, `fragile`, `stressed`: lower edges of the bands. `funding_anchor_8h`: the ordinary
    funding rate per 8 hours, from which its extremity is measured.
    """

    definition: str = "health/1"
    weights: dict[str, float] = msgspec.field(default_factory=_WEIGHTS.copy)
    power: int = 3
    sample_s: int = 4 * 3600
    history_s: int = 90 * 86400
    least_history_s: int = 14 * 86400
    least_weight: float = 0.6
    least_coverage: float = 0.6
    hour_least_minutes: int = 45
    fall_half_life_s: float = 30.0
    rise_half_life_s: float = 1800.0
    extreme_cap: float = 20.0
    vacuum_cap: float = 35.0
    healthy: float = 50.0
    fragile: float = 25.0
    stressed: float = 5.0
    funding_anchor_8h: float = 0.0001

    def __post_init__(self) -> None:
        """Refuse weights that do not name the components or do not sum to 1."""
        if sorted(self.weights) != sorted(_WEIGHTS):
            raise ValueError(f"weights name the components {', '.join(sorted(_WEIGHTS))}")
        if abs(sum(self.weights.values()) - 1) > 1e-9 or min(self.weights.values()) < 0:
            raise ValueError("weights are at least 0 and sum to 1")
        if self.sample_s < 60 or self.sample_s % 60:
            raise ValueError("sample_s is a multiple of 60")
