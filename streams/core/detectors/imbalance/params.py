"""Parameters of the imbalance definition (1.3)."""

import msgspec

from streams.core.events import MICROS

_KAPPA = {"ALL": 50_000 * MICROS, "BTC": 10_000 * MICROS, "ETH": 8_000 * MICROS}


class ImbalanceParams(msgspec.Struct, frozen=True):
    """Definition `imbalance` version 1. Dollars are int64 micro-dollars, durations seconds.

    `kappa_prior_usd`: five-minute total by scope that shrinks thin windows before its own history
    does, `kappa_other_usd` that of other assets, both worth `kappa_prior_blocks` five minutes with
    forced orders (priors from 53 five-minute totals of Binance USD-M, 2024-06 to 2025-12).
    `history_half_life_days`: of the totals behind kappa and the percentile, which needs
    `least_history_days`; an hour counts when `least_history_coverage` of it was seen.
    `neutral_prior`: natural long share (0.556 of dollars in 2022-23, 0.554 in 2025-26), worth
    `neutral_prior_days`; `neutral_half_life_days`: of the scope's own.
    A side dominates from `dominant_logit`, `dominant_z` and `dominant_percentile` on (priors), in
    a window of which `least_coverage` was seen.
    Context of labels: funding averaged with `funding_half_life_s`, sampled every
    `funding_every_s` and ranked among `funding_days`; `funding_high` and `funding_low` are its
    crowded ends.
    """

    definition: str = "imbalance/1"
    kappa_prior_usd: dict[str, int] = msgspec.field(default_factory=_KAPPA.copy)
    kappa_other_usd: int = 1_000 * MICROS
    kappa_prior_blocks: float = 12.0
    history_half_life_days: float = 90.0
    least_history_days: int = 30
    least_history_coverage: float = 0.9
    neutral_prior: float = 0.55
    neutral_prior_days: float = 30.0
    neutral_half_life_days: float = 180.0
    dominant_logit: float = 0.85
    dominant_z: float = 3.0
    dominant_percentile: float = 0.75
    least_coverage: float = 0.6
    funding_half_life_s: int = 86_400
    funding_every_s: int = 14_400
    funding_days: int = 90
    funding_high: float = 0.8
    funding_low: float = 0.2

    def kappa_prior(self, scope: str) -> int:
        """Prior five-minute total of a scope, micro-dollars."""
        return self.kappa_prior_usd.get(scope, self.kappa_other_usd)
