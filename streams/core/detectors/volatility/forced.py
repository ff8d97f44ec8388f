"""How much of the variance goes with forced flow: returns around it against matched seconds.

Part of the volatility detector. Takes settled returns in order. Promises that a return counts as
forced only where its sign is that of forced flow of some weight within 3 s; that what it is
compared with was seen without forced flow, in seconds of the same scope that came after a minute
of the same variance; and that the variance a run is matched by is that before the run.
"""

from math import frexp

import msgspec

from streams.core.detectors.moment import Moment
from streams.core.detectors.volatility.params import VolatilityParams
from streams.core.detectors.volatility.returns import Step, Sums

HOUR_S = 3600
_LOWEST = -25


class Forcing(msgspec.Struct):
    """State between seconds.

    `flow`: (second, long, short, buys, sells) forced and taker micro-dollars, while a return may
    lie near, what is of unknown side in both buys and sells; `taker`,
    `taker_s`: weighted taker micro-dollars and seconds through the second `taker_at`; `trail`,
    `trail_s`: weighted squared returns and their seconds; `run`: level that the run of forced
    flow is matched by, `run_until` its end (s); `placebo`: level -> [up, down, seconds], halved
    every `placebo_half_life_h`, through the hour `placebo_hour`.
    """

    flow: list[tuple[int, int, int, int, int]] = []
    taker: float = 0.0
    taker_s: float = 0.0
    taker_at: int | None = None
    trail: float = 0.0
    trail_s: float = 0.0
    run: int | None = None
    run_until: int = 0
    placebo: dict[int, list[float]] = {}
    placebo_hour: int = 0
    coverage: float = 0.0


def note(state: Forcing, moment: Moment, oldest: int, params: VolatilityParams) -> None:
    """Take the forced and taker flow of a second; flow before `oldest` (s) is forgotten."""
    state.coverage = moment.coverage
    longs = shorts = buys = sells = unsided = 0
    for cell in moment.cells:
        # Auto-deleveraging and backstops change hands off the book.
        if cell.kind == "liquidation":
            if cell.side == "long":
                longs += cell.usd
            else:
                shorts += cell.usd
    for trades in moment.trades:
        buys += trades.buy_usd
        sells += trades.sell_usd
        unsided += trades.unknown_usd
    if longs or shorts or buys or sells or unsided:
        # The forced part of a side is not overstated: what is of unknown side may be of this one.
        state.flow.append((moment.second, longs, shorts, buys + unsided, sells + unsided))
    if state.flow and state.flow[0][0] < oldest:
        state.flow = [one for one in state.flow if one[0] >= oldest]
    if moment.trades:
        passed = 1 if state.taker_at is None else moment.second - state.taker_at
        kept = 0.5 ** (passed / params.taker_half_life_s)
        second = 0.5 ** (1 / params.taker_half_life_s)
        state.taker = state.taker * kept + buys + sells + unsided
        state.taker_s = state.taker_s * kept + (1 - kept) / (1 - second)
        state.taker_at = moment.second


def settle(state: Forcing, step: Step, sums: Sums, params: VolatilityParams) -> None:
    """Add a settled return to the sums of its minute, and learn from it."""
    seconds = step.end - step.begin
    long, short = _near(state, step, params)
    level = _level(state)
    square = step.r * step.r
    dark = state.coverage < params.min_observed
    if long is not None or short is not None:
        if state.run is None or step.begin >= state.run_until:
            state.run = level
        state.run_until = step.end + params.trail_s
        expected = _expected(state, state.run, params)
        if step.warm and not dark:
            _count(sums, step, long, short, expected)
    elif step.begin >= state.run_until:
        state.run = None
        if level is not None and not dark:
            _learn(state, level, step, square, params)
    if step.warm:
        sums.n += 1
        sums.moves += step.r != 0
        sums.seconds += seconds
        sums.up += square if step.r > 0 else 0.0
        sums.down += square if step.r < 0 else 0.0
        sums.bipower += step.bipower
        sums.quarticity += step.quarticity
        sums.dark += dark
    kept = 0.5 ** (seconds / params.trail_s)
    state.trail = state.trail * kept + square
    state.trail_s = state.trail_s * kept + seconds


def restart(state: Forcing) -> None:
    """Begin a new chain of returns: the variance before a gap says nothing of that after it."""
    state.trail = state.trail_s = 0.0


def _near(
    state: Forcing, step: Step, params: VolatilityParams
) -> tuple[float | None, float | None]:
    """Forced flow near the return as a part of the taker flow of its side: (longs, shorts).

    None where it is too light to matter; 0 where the taker flow is not known.
    """
    low, high = step.begin + 1 - params.forced_reach_s, step.end + params.forced_reach_s
    longs = shorts = buys = sells = 0
    for second, long_usd, short_usd, buy_usd, sell_usd in state.flow:
        if low <= second <= high:
            longs += long_usd
            shorts += short_usd
            buys += buy_usd
            sells += sell_usd
    ordinary = state.taker / state.taker_s if state.taker_s else 0.0
    least = max(params.forced_material * ordinary * (high - low + 1), 1)
    long = None if longs < least else min(longs / sells, 1.0) if sells else 0.0
    short = None if shorts < least else min(shorts / buys, 1.0) if buys else 0.0
    return long, short


def _level(state: Forcing) -> int | None:
    """Power of 4 of the trailing variance per second: returns twice as large are the next level.

    None without a trail.
    """
    if state.trail_s <= 0:
        return None
    if state.trail <= 0:
        return _LOWEST
    return max(frexp(state.trail / state.trail_s)[1] // 2, _LOWEST)


def _expected(
    state: Forcing, level: int | None, params: VolatilityParams
) -> tuple[float, float] | None:
    """(up, down) variance per second after a minute at the level, without forced flow.

    The level next to it, scaled by its factor of 4, stands in for one that was hardly seen; None
    without either.
    """
    if level is None:
        return None
    for near in (level, level - 1, level + 1):
        known = state.placebo.get(near)
        if known is not None and known[2] >= params.placebo_min_s:
            scale = 4.0 ** (level - near) / known[2]
            return known[0] * scale, known[1] * scale
    return None


def _count(
    sums: Sums,
    step: Step,
    long: float | None,
    short: float | None,
    expected: tuple[float, float] | None,
) -> None:
    """Variance in the direction of the forced flow beyond that of matched seconds."""
    if expected is None:
        sums.bare += 1
        return
    seconds, square = step.end - step.begin, step.r * step.r
    if long is not None:
        mine = square if step.r < 0 else 0.0
        sums.forced += mine - expected[1] * seconds
        sums.weighed += mine * long
    if short is not None:
        mine = square if step.r > 0 else 0.0
        sums.forced += mine - expected[0] * seconds
        sums.weighed += mine * short


def _learn(state: Forcing, level: int, step: Step, square: float, params: VolatilityParams) -> None:
    hour = step.end // HOUR_S
    if hour > state.placebo_hour:
        kept = 0.5 ** ((hour - state.placebo_hour) / params.placebo_half_life_h)
        faded = {key: [part * kept for part in sums] for key, sums in state.placebo.items()}
        state.placebo = {key: sums for key, sums in faded.items() if sums[2] >= 1.0}
        state.placebo_hour = hour
    known = state.placebo.setdefault(level, [0.0, 0.0, 0.0])
    known[0] += square if step.r > 0 else 0.0
    known[1] += square if step.r < 0 else 0.0
    known[2] += step.end - step.begin
