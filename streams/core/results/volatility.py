"""Volatility and what drives it, as published; definition `volatility` (1.7).

`schemas/volatility.py` documents the same fields.
"""

from streams.core.results.signals import SignalRow


class Volatility(SignalRow, frozen=True, kw_only=True, tag="volatility"):
    """Realised variance over `window_s` (300, 3600 or 86400) and its attribution.

    Variances are sums of squared 5-s log returns; `annualised` is the standard deviation a year.
    Shares are associations, 0..1 with an 80 % interval, None where the input is missing. `forced`
    and `macro` are parts of this window's variance. `persistence`, `leverage`, `depth`,
    `uncertainty` (macro), `institutional`, `dominance` and `unexplained` split the variance of
    the hourly log variance over `driver_hours` hours: they add up to 1 and stand alike in the
    rows of all windows.
    """

    window_s: int
    realised: float | None
    annualised: float | None
    bipower: float | None
    jump: float | None
    jump_z: float | None
    jump_significant: bool | None
    semivariance_up: float | None
    semivariance_down: float | None
    realised_z: float | None
    forced: float | None
    forced_low: float | None
    forced_high: float | None
    macro: float | None
    macro_low: float | None
    macro_high: float | None
    persistence: float | None
    persistence_low: float | None
    persistence_high: float | None
    leverage: float | None
    leverage_low: float | None
    leverage_high: float | None
    depth: float | None
    depth_low: float | None
    depth_high: float | None
    uncertainty: float | None
    uncertainty_low: float | None
    uncertainty_high: float | None
    institutional: float | None
    institutional_low: float | None
    institutional_high: float | None
    dominance: float | None
    dominance_low: float | None
    dominance_high: float | None
    unexplained: float | None
    unexplained_low: float | None
    unexplained_high: float | None
    driver_hours: int
    history_days: float
