"""Where in a window the run-up began that made it a cascade.

Part of the cascade detector. A burst may smoulder for half an hour before it flares: the cascade is
then a window of its own that begins with the flare, and the burst before it ends there. Promises
that every order is in one of the two. Does not judge size, which `gates` does.
"""

from copy import deepcopy

from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.state import CascadeState
from streams.core.detectors.cascade.window import OpenWindow
from streams.core.detectors.moment import Trace
from streams.core.events import MICROS, stable_id

RUN_S = 10
MINUTE_S = 60


def watch(state: CascadeState, window: OpenWindow, trace: Trace, params: CascadeParams) -> None:
    """Note the beginning of a surge before its second is absorbed, or that the last one sank.

    A surge goes on while the published dollars of 10 s stay above `quiet_share` of the rate that
    makes a cascade. Between two seconds with orders they only fall, so these are looked at alone.
    """
    if window.window_class == "cascade" or not window.own(trace):
        return
    level = window.floor * params.quiet_share * RUN_S / MINUTE_S
    earlier = now = 0
    for item in reversed(state.trail):
        if item.second <= trace.second - RUN_S - 1:
            break
        usd = sum(c.usd for c in item.cells if c.kind != "adl" and window.counts(c.side))
        if item.second < trace.second:
            earlier += usd
        if trace.second - RUN_S < item.second <= trace.second:
            now += usd
    if earlier < level:
        window.surge_at = window.before = None
    if window.surge_at is None and now >= level > 0:
        window.surge_at, window.before = trace.second, deepcopy(window)


def apart(state: CascadeState, window: OpenWindow, params: CascadeParams) -> OpenWindow | None:
    """What came before the surge of a window that has become a cascade, if it is long enough.

    It reaches up to the surge, so that an order between its own last one and the surge, however
    late, is in it.
    """
    before, surge_at = window.before, window.surge_at
    window.before = None
    if surge_at is None or before is None or not before.last_forced:
        return None
    if surge_at - window.onset <= params.surge_after_s:
        return None
    before.revision = window.revision
    # The copy holds what was late up to the surge's first second, itself included.
    late = [cell for trace in state.trail if trace.second > surge_at for cell in trace.late]
    tardy = [cell for cell in (*before.ahead, *late) if cell.second // MICROS < surge_at]
    before.ahead, before.last_forced = [], surge_at - 1
    before.absorb_late(tardy)
    return before


def begun(window: OpenWindow, burst: OpenWindow, at: int, params: CascadeParams) -> OpenWindow:
    """The window of a surge, with nothing absorbed; `burst` is what came before it.

    `at`: the second in which it became a cascade.
    """
    onset = window.surge_at or window.onset
    return OpenWindow(
        stable_id("cascade", window.scope, window.machine, onset, params.definition),
        window.scope,
        window.machine,
        window.side,
        onset,
        at,
        window.statistic,
        window.baseline,
        window.frozen,
        window.frozen_units,
        window.prior_mean,
        window.hour_seen,
        burst.id,
        peak_at=onset,
        last_forced=onset,
        sigma=window.sigma,
        structural=window.structural,
    )
