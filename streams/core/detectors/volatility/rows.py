"""Rows of the volatility detector: window sums, shares and the reasons of what is not known.

Part of the volatility detector. Promises that every field that is None has its reason, and that
each interval holds its share.
"""

from itertools import chain
from math import sqrt
from typing import Any

from streams.core.detectors.least_squares import interval_80
from streams.core.detectors.signal import RowHead
from streams.core.detectors.volatility.baseline import HourBaseline
from streams.core.detectors.volatility.drivers import DRIVERS, DriverShares
from streams.core.detectors.volatility.macro import Share
from streams.core.detectors.volatility.params import VolatilityParams
from streams.core.detectors.volatility.returns import YEAR_S, Sums, jump_of, total
from streams.core.events import MICROS
from streams.core.results import Volatility

FAST_S = 300
_JUMP = ("bipower", "jump", "jump_z", "jump_significant")
_RETURNS = ("realised", "annualised", *_JUMP, "semivariance_up", "semivariance_down", "realised_z")
_SHARES = {
    name: (name, f"{name}_low", f"{name}_high")
    for name in ("forced", "macro", *DRIVERS, "unexplained")
}
_UNKNOWN = dict.fromkeys((*_RETURNS, *chain.from_iterable(_SHARES.values())))


def row_of(
    head: RowHead,
    window_s: int,
    parts: list[Sums],
    baseline: HourBaseline,
    macro: Share | str,
    drivers: DriverShares,
    params: VolatilityParams,
) -> Volatility:
    """The row of a window; `parts` are its sums, in the order of time."""
    whole = total(parts)
    values: dict[str, Any] = _UNKNOWN.copy()
    reasons: dict[str, str] = {}
    if whole.observed(window_s, params):
        _returns(whole, values, reasons, params)
        if window_s != FAST_S:
            reasons["realised_z"] = "five_minutes_only"
        else:
            z = baseline.z(head["at"] // MICROS - 1, whole.log_rate(params), params)
            values["realised_z"] = z
            if z is None:
                reasons["realised_z"] = f"history_below_{params.baseline_min_days}_days"
    else:
        why = "no_price" if whole.n == 0 else "prices_below_0.6"
        reasons = dict.fromkeys(_RETURNS, why)
    shares: dict[str, Share | str] = {
        "forced": forced_share(parts, window_s, params),
        "macro": macro,
    }
    for name in (*DRIVERS, "unexplained"):
        shares[name] = drivers.shares.get(name) or drivers.missing[name]
    for name, (value, low, high) in _SHARES.items():
        share = shares[name]
        if isinstance(share, str):
            reasons[value] = reasons[low] = reasons[high] = share
        else:
            values[value], values[low], values[high] = share.value, share.low, share.high
    return Volatility(
        **head,
        null_reasons=reasons,
        window_s=window_s,
        driver_hours=drivers.hours,
        history_days=baseline.history_days,
        **values,
    )


def _returns(
    whole: Sums, values: dict[str, Any], reasons: dict[str, str], params: VolatilityParams
) -> None:
    values["realised"] = whole.realised
    values["annualised"] = sqrt(whole.realised / whole.seconds * YEAR_S)
    values["semivariance_up"], values["semivariance_down"] = whole.up, whole.down
    if whole.moves < params.min_moves * whole.n:
        # Standing prices make products of neighbours zero: every move would look like a jump.
        reasons.update(dict.fromkeys(_JUMP, "price_stands"))
        return
    jump = jump_of(whole)
    values["bipower"], values["jump"], values["jump_z"] = jump.bipower, jump.jump, jump.z
    if jump.z is None:
        reasons["jump_z"] = reasons["jump_significant"] = "no_variance"
    else:
        values["jump_significant"] = jump.z > params.jump_level


def forced_share(parts: list[Sums], window_s: int, params: VolatilityParams) -> Share | str:
    """Share of the variance that goes with forced flow, or why it is not known.

    Forced orders follow moves as well as make them, so the share is the most that forced flow can
    account for. Its interval reaches down to the same returns weighed by how much of the taker
    flow was forced, and beyond both ends by the error of a jackknife over the window's stretches.
    """
    whole = total(parts)
    if not whole.observed(window_s, params):
        return "no_price" if whole.n == 0 else "prices_below_0.6"
    if whole.dark > (1 - params.min_observed) * whole.n:
        return "coverage_below_0.6"
    if whole.bare:
        return "no_matched_seconds"
    rest = [whole.realised - one.realised for one in parts]
    if whole.realised <= 0 or len(parts) < 2:
        return "no_variance"
    share = _ratio(whole.forced, whole.realised)
    least = min(_ratio(whole.weighed, whole.realised), share)
    highs = [_ratio(whole.forced - one.forced, r) for one, r in zip(parts, rest, strict=True)]
    lows = [_ratio(whole.weighed - one.weighed, r) for one, r in zip(parts, rest, strict=True)]
    return Share(share, interval_80(least, lows)[0], interval_80(share, highs)[1])


def _ratio(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0) if whole > 0 else 0.0
