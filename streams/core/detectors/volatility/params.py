"""Parameters of the volatility definition (1.7).

Promises: one frozen value whose hash stands in every row. Values marked prior are assumptions
until a scoreboard has fitted them.
"""

import msgspec

_DAYS_4 = 96 * 3600
_INSTITUTIONAL = {"cme_oi_share": _DAYS_4, "coinbase_premium": 3600, "etf_net_flow": _DAYS_4}


class VolatilityParams(msgspec.Struct, frozen=True):
    """Definition `volatility` version 1.

    Returns: `max_gap_s` longest return (s), beyond it the chain of returns starts anew;
    `min_observed` least share of a window that returns must cover; `min_returns` least returns in
    a window; `min_moves` least share of returns that are not zero for the bipower variation;
    `jump_level` one-sided normal quantile of the jump test (99.9 %, Barndorff-Nielsen & Shephard
    2006); `variance_floor` least variance per second of which a logarithm is taken.

    Baseline: `baseline_half_life_s`, `baseline_shrink` blocks of 5 min that the mean over all
    hours counts in each cell, `baseline_clip` largest deviation learned (standard deviations),
    `baseline_min_days` of observed history before a z is published. All priors.

    Forced share: `forced_reach_s` how far forced flow is looked for on both sides of a return;
    `forced_material` least share of ordinary taker volume (`taker_half_life_s`); `trail_s`
    half-life of the variance that seconds are matched by, and quiet time between two runs of
    forced flow; `placebo_half_life_h`; `placebo_min_s` least seconds of a level. All priors.

    Macro share: `macro_series` read from the outside values; `macro_fresh_s` oldest value in use;
    `macro_half_life_s` of the moments, `macro_half_life_day_s` for the window of a day;
    `macro_min_minutes` least effective minutes. Priors.

    Drivers: `uncertainty_series`, `institutional_series` with the age (s) at which a value is
    stale; `reading_stale_s` the same for other detectors' rows; `driver_days` of hourly
    observations kept; `driver_min_hours` least complete hours; `driver_blocks` of the jackknife,
    each at least `driver_block_h` hours. Priors.
    """

    definition: str = "volatility/1"
    max_gap_s: int = 60
    min_observed: float = 0.6
    min_returns: int = 12
    min_moves: float = 0.5
    jump_level: float = 3.0902
    variance_floor: float = 1e-14
    baseline_half_life_s: int = 14 * 86400
    baseline_shrink: float = 24.0
    baseline_clip: float = 4.0
    baseline_min_days: int = 7
    forced_reach_s: int = 3
    forced_material: float = 0.01
    taker_half_life_s: int = 300
    trail_s: int = 60
    placebo_half_life_h: float = 168.0
    placebo_min_s: float = 300.0
    macro_series: tuple[str, ...] = ("DXY", "GOLD", "SPX", "VIX")
    macro_fresh_s: int = 300
    macro_half_life_s: int = 3600
    macro_half_life_day_s: int = 86400
    macro_min_minutes: float = 60.0
    uncertainty_series: str = "VIX"
    uncertainty_stale_s: int = 3600
    institutional_series: dict[str, int] = msgspec.field(default_factory=_INSTITUTIONAL.copy)
    reading_stale_s: int = 3600
    driver_days: int = 60
    driver_min_hours: int = 336
    driver_blocks: int = 20
    driver_block_h: int = 24
