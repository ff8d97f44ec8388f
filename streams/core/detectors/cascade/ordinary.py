"""What is ordinary in a scope: the lagged rate of its healthy venues, and its mean minute.

Used by the cascade detector, over its state. Promises that a rate is evaluated only at seconds
with content or a change of health, which no engine may skip, so that skipped and empty seconds
give equal floats; that a venue's rate stands still while the venue is down; and that no side
learns from a window that counts it.
"""

from streams.core.detectors.cascade.baseline import Interval, VenueRate, learn
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.state import SIDES, CascadeState, SideState, owner
from streams.core.events import PositionSide
from streams.core.results import Baseline

_WARM_S = (3600, 8 * 3600)


def connect(
    state: CascadeState, params: CascadeParams, second: int, venues_up: tuple[str, ...]
) -> None:
    """From `second` (s) on exactly `venues_up` are healthy."""
    if venues_up == state.venues_up:
        return
    prior = params.prior(state.scope)
    for name in SIDES:
        side = state.sides[name]
        # Learning up to here lets the runs before be forgotten, however often a feed flaps.
        _learn(state, params, name, second - params.baseline_lag_s)
        for venue in venues_up:
            if venue not in side.rates:
                side.rates[venue] = VenueRate(prior.count_rate, prior.dollar_rate, second)
    state.uptime.update(second, venues_up)
    reach = params.split_s + params.concentration_minutes * 60 + params.baseline_lag_s
    state.uptime.forget(second - reach)
    state.venues_up = venues_up


def note(state: CascadeState, side: str, venue: str, at: int, x: float, q: float) -> None:
    """Keep a second for the lagged rate, and forget those that the rate has passed.

    Orders of a venue that is not healthy are not kept: its rate does not learn them.
    """
    rate = state.sides[side].rates.get(venue)
    if rate is None or venue not in state.venues_up:
        return
    kept = state.seen[side].setdefault(venue, [])
    if kept and kept[0][0] < rate.through:
        kept = [item for item in kept if item[0] >= rate.through]
        state.seen[side][venue] = kept
    kept.append((at, x, q))


def rates(
    state: CascadeState, params: CascadeParams, name: PositionSide, at: int
) -> tuple[float, float]:
    """Lagged counts and standard orders per second of the venues healthy now, floored."""
    _learn(state, params, name, at - params.baseline_lag_s)
    known = state.sides[name].rates
    counts = sum([known[venue].counts for venue in state.venues_up])
    units = sum([known[venue].units for venue in state.venues_up])
    return max(counts, params.baseline_floor), max(units, params.baseline_floor)


def _learn(state: CascadeState, params: CascadeParams, name: PositionSide, until: int) -> None:
    side = state.sides[name]
    decay = 0.5 ** (1 / params.baseline_half_life_s)
    closed = list(side.windows)
    window = owner(state, name)
    if window is not None:
        closed.append(unlearned(side, window.onset, None))
    for venue, rate in side.rates.items():
        seen = state.seen[name].get(venue, [])
        learn(rate, until, seen, state.uptime.venues[venue], closed, decay)
    if side.windows and side.rates:
        passed = min(rate.through for rate in side.rates.values())
        side.windows = [run for run in side.windows if run[1] is None or run[1] > passed]


def unlearned(side: SideState, onset: int, stop: int | None) -> Interval:
    """The interval of a window, clipped: those of one side must not overlap."""
    last = side.windows[-1][1] if side.windows else None
    return (onset if last is None else max(onset, last), stop)


def hour_seen(state: CascadeState, params: CascadeParams, onset: int) -> bool:
    """Whether some venue was healthy throughout the hour before the onset's minute."""
    last = onset // 60 * 60
    span = params.concentration_minutes * 60
    return state.uptime.observed(last - span, last) == span


def minute_mean(
    state: CascadeState, params: CascadeParams, name: PositionSide, onset: int, ordinary: float
) -> float:
    """Mean count per minute of the hour before the onset's minute.

    Seconds in which no venue was healthy take the ordinary rate, and so do the minutes of past
    cascades of the side (else one cascade would hide the next) and an hour without any forced
    order.
    """
    span, last = params.concentration_minutes, onset // 60
    first = last - span
    dark = span * 60 - state.uptime.observed(first * 60, last * 60)
    past = {
        minute
        for began, end in state.sides[name].cascades
        for minute in range(max(first, began // 60), min(last, end // 60 + 1))
    }
    seen = sum(
        state.minutes[minute][name]
        for minute in range(first, last)
        if minute in state.minutes and minute not in past
    )
    mean = (seen + max(dark, 60 * len(past)) * ordinary) / span
    return mean if mean > 0 else ordinary * 60


def warmth(side: SideState) -> Baseline:
    """Whether the side's rates rest on the prior, on observation, or on both."""
    learned = max((rate.learned for rate in side.rates.values()), default=0)
    if learned < _WARM_S[0]:
        return "prior"
    return "blended" if learned < _WARM_S[1] else "observed"
