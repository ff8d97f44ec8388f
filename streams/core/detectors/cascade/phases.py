"""How a window's intensity goes: its phase, its peak, and where its quiet gap began.

Part of the cascade detector, which ends a window once the gap is long enough. Promises that a burst
is judged by the statistic that alarmed, and a cascade by the dollars that made it one.
"""

from streams.core.detectors.cascade import uptake
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.state import SIDES, CascadeState
from streams.core.detectors.cascade.window import OpenWindow
from streams.core.throttle import ThrottleParams


def follow(
    state: CascadeState,
    window: OpenWindow,
    at: int,
    params: CascadeParams,
    throttled: ThrottleParams,
) -> None:
    """Take second `at` into the 10-s and 60-s rates."""
    sides = [state.sides[name] for name in SIDES if window.counts(name)]
    fast, slow = sum(side.fast for side in sides), sum(side.slow for side in sides)
    slow_units = sum(side.slow_units for side in sides)
    window.slow_max = max(window.slow_max, slow)
    window.slow_units_max = max(window.slow_units_max, slow_units)
    if fast > window.fast_max:
        window.fast_max, window.peak_at = fast, at
        window.peak_fixed, window.below_s = False, 0
    window.below_s = window.below_s + 1 if fast < window.fast_max * params.peak_drop else 0
    window.peak_fixed = window.peak_fixed or window.below_s >= params.peak_drop_s
    if window.peak_fixed:
        window.phase = "decay"
    else:
        window.phase = "acceleration" if window.peak_at == at else "peak"
    if window.window_class == "cascade":
        dollars, _ = uptake.minute(state, window, at, params, throttled)
        lively = dollars >= max(1, window.floor * params.quiet_share)
    else:
        lively = _lively(window, slow, slow_units, params)
    if lively:
        window.quiet_from = None
        window.coverage = min(window.coverage, window.held_coverage)
        window.held_coverage = 1.0
    elif window.quiet_from is None:
        window.quiet_from = at


def _lively(window: OpenWindow, slow: float, slow_units: float, params: CascadeParams) -> bool:
    """Whether a burst's 60-s intensity is above what would be quiet for it."""
    if slow >= _low(window.frozen, window.slow_max, params):
        return True
    return window.statistic != "count" and slow_units >= _low(
        window.frozen_units, window.slow_units_max, params
    )


def _low(frozen: float, peak: float, params: CascadeParams) -> float:
    """The 60-s intensity below which a window is quiet."""
    return max(params.end_baseline_multiple * frozen, params.end_peak_share * peak)
