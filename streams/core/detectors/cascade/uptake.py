"""How a window takes seconds in: those between its onset and its alarm, and those of a gap.

Part of the cascade detector. Promises that a window holds what lies between its own orders and
nothing that follows the last, and that its largest minute is told from the trail that `cascade`
keeps. Does not judge what it takes in.
"""

from collections.abc import Sequence

from streams.core.detectors.cascade import surge
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.state import FAST, SLOW, CascadeState, count
from streams.core.detectors.cascade.window import OpenWindow
from streams.core.detectors.moment import Trace
from streams.core.scaling import Scale, estimate_block
from streams.core.slots import Slots, tally_slots
from streams.core.throttle import ThrottleParams


def catch_up(
    state: CascadeState,
    window: OpenWindow,
    at: int,
    params: CascadeParams,
    throttled: ThrottleParams,
) -> None:
    """Absorb the seconds from the onset up to `at`, exclusive, and their largest intensity."""
    fast = slow = slow_units = 0.0
    unit_usd = params.prior(state.scope).unit_usd
    last = window.onset - 1
    since: list[Trace] = []
    for trace in state.trail:
        if not window.onset <= trace.second < at:
            continue
        window.absorb_late(trace.late)
        if trace not in window.held:
            since.append(trace)
            if window.own(trace):
                _take(state, window, since, params, throttled)
                since = []
        window.observe(trace)
        counted = count(trace.cells, unit_usd, params)
        own = [found for (name, _), found in counted.items() if window.counts(name)]
        passed = trace.second - last
        fast = fast * FAST**passed + (1 - FAST) * sum(x for x, _ in own)
        slow = slow * SLOW**passed + (1 - SLOW) * sum(x for x, _ in own)
        slow_units = slow_units * SLOW**passed + (1 - SLOW) * sum(q for _, q in own)
        last = trace.second
        if fast > window.fast_max:
            window.fast_max, window.peak_at = fast, trace.second
        window.slow_max = max(window.slow_max, slow)
        window.slow_units_max = max(window.slow_units_max, slow_units)
    window.held = [*since, *window.held]


def release(
    state: CascadeState, window: OpenWindow, params: CascadeParams, throttled: ThrottleParams
) -> None:
    """Give a window the seconds that were held until its next own order."""
    held, window.held = window.held, []
    _take(state, window, held, params, throttled)


def _take(
    state: CascadeState,
    window: OpenWindow,
    traces: Sequence[Trace],
    params: CascadeParams,
    throttled: ThrottleParams,
) -> None:
    """Give a window seconds that end with its own order, and follow its largest minute."""
    for trace in traces:
        surge.watch(state, window, trace, params)
        window.absorb(trace, params)
        if trace.cells:
            dollars, orders = minute(state, window, trace.second, params, throttled)
            window.size_max = max(window.size_max, dollars)
            window.minute_max = max(window.minute_max, orders)


def minute(
    state: CascadeState,
    window: OpenWindow,
    second: int,
    params: CascadeParams,
    throttled: ThrottleParams,
) -> tuple[int, float]:
    """Micro-dollars and counted orders of a window's side in the 60 s up to `second`.

    Dollars are the low end of the interval of the estimate: where few orders of a throttled feed
    stand for many, the estimate itself jumps.
    """
    unit_usd = params.prior(state.scope).unit_usd
    slots: Slots = {}
    orders = 0.0
    up: tuple[str, ...] | None = None
    for item in reversed(state.trail):
        if item.second <= second - 60:
            break
        if item.cells and item.second <= second:
            tally_slots(slots, item.cells, item.second)
            counted = count(item.cells, unit_usd, params)
            orders += sum(v[0] for k, v in counted.items() if window.counts(k[0]))
            there = item.venues_up
            up = there if up is None else tuple(one for one in up if one in there)
    scale = Scale(dict(window.oi_by_venue), up or ())
    published = sum(
        (one.long_usd if window.counts("long") else 0)
        + (one.short_usd if window.counts("short") else 0)
        for one in slots.values()
    )
    dollars = estimate_block(slots, 60, second, scale, throttled).of(window.side)
    low, _ = dollars.interval(published, throttled)
    return published if low is None else low, orders
