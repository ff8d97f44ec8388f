"""Parameters of the leverage regime, with units and where they come from.

Read by every module of the regime. Weights, dwell times and thresholds are priors (definition 1.2)
unless marked `path`: those were set while looking at the real series of 2022-01..2023-06 and
2025-12..2026-01, for the sanity of the path alone; or `cycles`: chosen on simulated cycles
(docs/decisions/regime-path.md).
"""

import msgspec

from streams.core.results.regimes import RegimeName

PHASES: tuple[RegimeName, ...] = ("accumulation", "expansion", "euphoria", "liquidation")
"""Order of every vector of four."""

Weights = tuple[tuple[str, float], ...]
"""Terms of a score with their weights; see `regime_scores.TERMS`."""


class RegimeParams(msgspec.Struct, frozen=True):
    """History, scores, filter and commitment of the regime.

    History: `history_days` behind the percentiles, sampled every `grain_h` hours; nothing is told
    before `min_history_days`, a percentile not before `min_feature_days` of its own: a growth over
    a week begins a week late. `least_inputs`: share of a score's weight that must be known.

    Scores: `gain` logits per unit of score; `cascade_logits` added to liquidation in the fast
    lane. Euphoria is open only with leverage percentile >= `gate_leverage`, price within
    `gate_distance` of its 30-day extreme and a crowd: funding percentile >= `gate_funding` and
    above zero, or percentile <= the mirror and not above zero. Funding that equals `rest_share` or
    more of its past says nothing; then growth of open interest at percentile >= `gate_growth`
    (cycles) makes a crowd. Liquidation is open only with forced dollars at percentile >=
    `gate_liquidations` (path) or a cascade of class major or worse within the day.
    `closed_logits` is what a closed gate costs.

    Filter: evidence of an hour counts 1/`tau_h`, that for or against liquidation 1/`tau_forced_h`
    (path); `dwell_h` expected hours in a phase, `exits` the odds of where it goes, zero where it
    may not; after more than `forget_h` without an hour the filter starts anew.

    Commitment: p >= `commit_p` in `commit_evals` hours running, release below `release_p`, not
    before `min_dwell_h`; a phase left no more than `recall_h` ago is the one it came from. Fast
    lane: every `fast_lane_s` s while such a cascade is open. Sub-state: reset when forced flow has
    been below `reset_ratio` times its median and open interest has not fallen for `reset_h` hours.
    A liquidation phase is resolved after `resolution_h`.
    """

    history_days: int = 90
    grain_h: int = 4
    min_history_days: int = 14
    min_feature_days: int = 7
    least_inputs: float = 0.5
    gain: float = 3.0
    cascade_logits: float = 4.5
    gate_leverage: float = 0.6
    gate_funding: float = 0.9
    gate_growth: float = 0.6
    rest_share: float = 0.9
    funding_anchor: float = 0.0001
    gate_distance: float = 0.10
    gate_liquidations: float = 0.9
    closed_logits: float = 1.0
    tau_h: float = 24.0
    tau_forced_h: float = 6.0
    dwell_h: tuple[float, float, float, float] = (240.0, 240.0, 72.0, 12.0)
    exits: tuple[tuple[float, float, float, float], ...] = (
        (0.0, 0.8, 0.0, 0.2),
        (0.5, 0.0, 0.25, 0.25),
        (0.0, 0.5, 0.0, 0.5),
        (0.7, 0.3, 0.0, 0.0),
    )
    forget_h: int = 72
    commit_p: float = 0.6
    release_p: float = 0.4
    commit_evals: int = 3
    recall_h: int = 24
    min_dwell_h: tuple[float, float, float, float] = (24.0, 24.0, 12.0, 1.0)
    fast_lane_s: int = 300
    reset_ratio: float = 2.0
    reset_h: int = 2
    resolution_h: int = 72
    accumulation: Weights = (
        ("leverage", -1.5),
        ("volatility", -1.2),
        ("calm", 0.6),
        ("liquidations", -1.0),
    )
    expansion: Weights = (
        ("trend", 1.5),
        ("oi_growth", 1.3),
        ("liquidations", -0.8),
    )
    euphoria: Weights = (
        ("leverage", 1.6),
        ("crowded_funding", 1.4),
        ("crowded_basis", 0.8),
        ("oi_growth", 0.6),
        ("volatility", -0.4),
        ("distance", -0.8),
    )
    liquidation: Weights = (
        ("liquidations", 2.0),
        ("volatility", 1.2),
        ("oi_drop", 1.2),
        ("drawdown", 0.8),
    )
