"""The gates that turn a burst into a cascade (definition 1.1, Q1 to Q5).

Each gate is pass, fail or unknown (its input is missing); an unknown one costs confidence and
decides nothing; the row lists all with their values. Size and both halves of Q2 must pass for a
window to be of class `cascade`; price, open interest and coverage support it. A feed that is away
hides forced dollars and adds none, so what was published is enough to call a cascade.
"""

from math import exp, lgamma, log, sqrt
from typing import Final

from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.window import OpenWindow
from streams.core.detectors.moment import Moment
from streams.core.events import MICROS
from streams.core.results import Gate, GateState
from streams.core.throttle import ThrottleParams, feed

REQUIRED: Final = ("size", "concentration", "improbability")


def poisson_tail(count: int, mean: float) -> float:
    """P(N >= count) for a Poisson count of the given mean (> 0).

    >>> round(poisson_tail(3, 1.0), 6)
    0.080301
    """
    if count <= 0:
        return 1.0
    if count <= mean:
        head = sum(exp(i * log(mean) - mean - lgamma(i + 1)) for i in range(count))
        return max(0.0, 1.0 - head)
    term = exp(count * log(mean) - mean - lgamma(count + 1))
    total, index = 0.0, count
    while term > total * 1e-16:
        total += term
        index += 1
        term *= mean / index
    return min(1.0, total)


def _state(passed: bool) -> GateState:
    return "pass" if passed else "fail"


def size_floor(
    window: OpenWindow,
    venues: tuple[str, ...],
    params: CascadeParams,
    throttled: ThrottleParams,
) -> int:
    """Least dollars in 60 s, micro-dollars; `ALL` is scaled to what its `venues` publish.

    The market floor is multiplied by the connected share of open interest, and the share of a
    sampled venue by what a sampled feed publishes in a burst.
    """
    floor = params.prior(window.scope).floor_usd
    if window.scope != "ALL":
        return floor
    share = 0.0
    for venue in venues:
        carried = feed(venue, window.onset * MICROS, None, throttled.doubted)
        factor = 1.0 if carried.feed_class == "full" else params.sampled_floor
        share += params.connected.get(venue, 0.02) * factor
    return round(floor * min(1.0, share))


def least_dollars(
    window: OpenWindow, moment: Moment, params: CascadeParams, throttled: ThrottleParams
) -> int:
    """Dollars of 60 s from which a window may be a cascade: the floor, and a share of interest."""
    floor = size_floor(window, moment.venues_all, params, throttled)
    interest = moment.oi_usd if window.oi_onset is None else window.oi_onset
    return floor if interest is None else max(floor, round(interest * params.size_oi_share))


def size(window: OpenWindow) -> Gate:
    """Q1: the largest corrected 60-s total against the least dollars."""
    passed = window.size_max >= window.floor
    return Gate(_state(passed), window.size_max / MICROS, window.floor / MICROS)


def concentration(window: OpenWindow, params: CascadeParams) -> Gate:
    """Q2: the peak minute's count against the mean minute of the hour before."""
    ratio = window.minute_max / max(window.prior_mean, 1e-9)
    return Gate(_state(ratio >= params.concentration_ratio), ratio, params.concentration_ratio)


def improbability(window: OpenWindow, params: CascadeParams) -> Gate:
    """Q2: Poisson probability of so full a minute; a ratio of small counts proves nothing."""
    p = poisson_tail(round(window.minute_max), max(window.prior_mean, 1e-9))
    return Gate(_state(p < params.concentration_p), p, params.concentration_p)


def displacement(window: OpenWindow, params: CascadeParams) -> Gate:
    """Q3: price moved in the forced direction, in absolute terms and against its own noise.

    Support for confidence only: asked of every window it missed a third of the simulator's true
    flushes, whose price had moved before the forced orders came.
    """
    least = params.prior(window.scope).move_bp
    onset, extreme, at = window.price_onset, window.price_extreme, window.extreme_at
    if onset is None or extreme is None or at is None:
        return Gate("unknown", None, least)
    direction = -1 if window.machine == "long" else 1
    moved = direction * 10_000 * log(extreme / onset)
    if window.sigma is not None:
        elapsed = max(60, at - window.onset)
        least = max(least, params.move_sigmas * window.sigma * sqrt(elapsed / 60) * 10_000)
    return Gate(_state(moved >= least), moved, least)


def deleveraging(window: OpenWindow, params: CascadeParams) -> Gate:
    """Q4: volume of open interest; support for confidence only, so it never fails a window."""
    if not window.oi_volume_onset or window.oi_volume is None:
        return Gate("unknown", None, params.oi_supports)
    change = window.oi_volume / window.oi_volume_onset - 1
    supported = change <= params.oi_supports
    return Gate("pass" if supported else "unknown", change, params.oi_supports)


def data(window: OpenWindow, params: CascadeParams) -> Gate:
    """Q5: coverage over the whole window; a feed gap shows as coverage. Supports only."""
    passed = window.coverage >= params.least_coverage
    return Gate(_state(passed), window.coverage, params.least_coverage)


def judge(
    window: OpenWindow, moment: Moment, params: CascadeParams, throttled: ThrottleParams
) -> None:
    """Re-evaluate all gates and latch the class once the window qualifies."""
    window.floor = least_dollars(window, moment, params, throttled)
    window.gates = {
        "size": size(window),
        "concentration": concentration(window, params),
        "improbability": improbability(window, params),
        "displacement": displacement(window, params),
        "deleveraging": deleveraging(window, params),
        "data": data(window, params),
    }
    if all(window.gates[name].state == "pass" for name in REQUIRED):
        window.window_class = "cascade"
