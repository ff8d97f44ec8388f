"""Cascade windows of one scope: a count and a dollar CUSUM per side (definition 1.1).

Each second, per side: `S = max(0, S + x ln(rho) - b (rho - 1))`, where x counts forced orders
(occupied symbol-side-seconds on sampled feeds) and b is the lagged ordinary rate of the venues
healthy now; a second statistic does the same with standard orders of dollars. Crossing h opens
a window whose onset is the last zero of the statistic; it ends when the 60-s intensity of what
alarmed has been low for 300 s, and is final 10 minutes later. Promises: pure, int64 dollars, and
equal rows whether an empty second is passed or skipped. Gates are in `gates`, dollars in
`window`, ordinary rates in `ordinary`.
"""

from math import log

from streams.core.detectors.cascade import gates, ordinary, phases, surge, uptake
from streams.core.detectors.cascade.impact import structural
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.row import next_row
from streams.core.detectors.cascade.state import (
    FAST,
    SIDES,
    SLOW,
    CascadeState,
    Counted,
    SideState,
    count,
    due_of,
    final_at,
    owner,
    recovery_at,
    remember,
    stood,
)
from streams.core.detectors.cascade.window import OpenWindow
from streams.core.detectors.moment import Moment, Trace, trace_of
from streams.core.detectors.readings import Readings
from streams.core.events import PositionSide, stable_id
from streams.core.results import CascadeWindow, Statistic, ZoneMap
from streams.core.rowmeta import RowMeta
from streams.core.throttle import ThrottleParams


class _Run:
    """One call of `step`: the state, its parameters and the rows so far."""

    def __init__(
        self,
        state: CascadeState,
        params: CascadeParams,
        throttled: ThrottleParams,
        meta: RowMeta,
        readings: Readings | None,
    ) -> None:
        self.state = state
        self.params = params
        self.throttled = throttled
        self.meta = meta
        self.readings = readings
        self.prior = params.prior(state.scope)
        self.rows: list[CascadeWindow] = []

    def publish(self, window: OpenWindow, second: int) -> None:
        self.rows.append(next_row(window, second, self.params, self.throttled, self.meta))

    def empty_until(self, second: int) -> None:
        """Pass the seconds before `second`, in which nothing happened, jumping where quiet."""
        state = self.state
        at = second if state.last is None else state.last + 1
        while at < second:
            if all(side.window is None for side in state.sides.values()):
                due = [s for side in state.sides.values() for s in due_of(side, self.params)]
                until = max(at, min([second, *due]))
                self.fall(at, until)
                at = until
            if at < second:
                self.second(at, None)
                at += 1

    def active(self) -> bool:
        return any(side.window is not None or side.running for side in self.state.sides.values())

    def fall(self, begin: int, end: int) -> None:
        """Pass the empty seconds [begin, end) without an open window: statistics fall, no alarm."""
        passed = begin
        for name in SIDES:
            side, at = self.state.sides[name], begin
            while at < end and side.running:
                self.run(name, at, 0.0, 0.0)
                at += 1
            if at > begin and not side.running:
                side.reset()
            passed = max(passed, at)
        if passed > begin:
            self.state.last = passed - 1
            self.forget(passed - 1)

    def second(self, at: int, moment: Moment | None) -> None:
        """Process one second; `moment` None is an empty one."""
        state = self.state
        counted = count(moment.cells, self.prior.unit_usd, self.params) if moment else {}
        for (side, venue), (x, q) in counted.items():
            ordinary.note(state, side, venue, at, x, q)
            minute = state.minutes.setdefault(at // 60, dict.fromkeys(SIDES, 0.0))
            minute[side] += x
        trace = None
        if moment is not None:
            trace = trace_of(moment, state.moment, stood(state, at, self.params))
            state.moment = moment
            if trace is not None and (moment.cells or moment.late or self.active()):
                state.trail.append(trace)
            if moment.price is not None:
                state.returns.add(at, moment.price, self.params.sigma_half_life_min)
            remember(state, at, moment, trace, counted, self.params)
        alarmed = [s for s in SIDES if self.statistic(s, at, counted)]
        for name in alarmed:
            self.open(name, at)
        for name in SIDES:
            self.follow(name, at, trace, moment, counted, opened=name in alarmed)
        state.last = at
        self.forget(at)

    def statistic(self, name: PositionSide, at: int, counted: Counted) -> bool:
        """Advance one side's statistics; True when an alarm opens a window."""
        side, params = self.state.sides[name], self.params
        x = q = 0.0
        for (whose, _), (orders, units) in counted.items():
            if whose == name:
                x, q = x + orders, q + units
        owned = owner(self.state, name) is not None
        if not (x or side.running or owned):
            return False
        self.run(name, at, x, q)
        if owned:
            return False
        if not side.running:
            side.reset()
        return side.counts >= params.threshold or side.units >= params.threshold

    def run(self, name: PositionSide, at: int, x: float, q: float) -> None:
        """Take a second of `x` orders and `q` standard orders into a side's statistics."""
        side, params = self.state.sides[name], self.params
        side.fast = side.fast * FAST + (1 - FAST) * x
        side.slow = side.slow * SLOW + (1 - SLOW) * x
        side.slow_units = side.slow_units * SLOW + (1 - SLOW) * q
        counts, units = ordinary.rates(self.state, params, name, at)
        ceiling = params.cap * params.threshold
        gain, drift = log(params.rho), params.rho - 1
        side.counts = min(ceiling, max(0.0, side.counts + x * gain - counts * drift))
        side.units = min(ceiling, max(0.0, side.units + q * gain - units * drift))
        side.counts_onset = (side.counts_onset or at) if side.counts > 0 else None
        side.units_onset = (side.units_onset or at) if side.units > 0 else None

    def open(self, name: PositionSide, at: int) -> None:
        """Open a window for an alarm, or join the other side's young window as `mixed`."""
        state, params = self.state, self.params
        side = state.sides[name]
        frozen, frozen_units = ordinary.rates(state, params, name, at)
        other = state.sides["short" if name == "long" else "long"].window
        if other is not None and at - other.detected_at <= params.mixed_within_s:
            other.frozen += frozen
            other.frozen_units += frozen_units
            other.prior_mean += ordinary.minute_mean(state, params, name, other.onset, frozen)
            other.widen(self.rates(name))
            uptake.catch_up(state, other, at, params, self.throttled)
            return
        by_count = side.counts >= params.threshold
        by_units = side.units >= params.threshold
        statistic: Statistic = "both" if by_count and by_units else "count"
        if not by_count:
            statistic = "dollar"
        onset = (side.counts_onset if by_count else side.units_onset) or at
        window = OpenWindow(
            stable_id("cascade", state.scope, name, onset, params.definition),
            state.scope,
            name,
            name,
            onset,
            at,
            statistic,
            ordinary.warmth(side),
            frozen,
            frozen_units,
            ordinary.minute_mean(state, params, name, onset, frozen),
            ordinary.hour_seen(state, params, onset),
            self.parent(side, onset),
            peak_at=onset,
            last_forced=onset,
        )
        window.sigma = state.returns.sigma(params.sigma_least_returns)
        window.spread.rates = self.rates(name)
        side.window = window
        assert state.moment is not None  # noqa: S101  a window opens on a moment
        window.floor = gates.least_dollars(window, state.moment, params, self.throttled)
        uptake.catch_up(state, window, at, params, self.throttled)

    def rates(self, name: PositionSide) -> dict[str, float]:
        """Ordinary counts per second of the venues healthy now."""
        found = self.state.sides[name].rates
        return {venue: found[venue].counts for venue in self.state.venues_up}

    def follow(
        self,
        name: PositionSide,
        at: int,
        trace: Trace | None,
        moment: Moment | None,
        counted: Counted,
        *,
        opened: bool,
    ) -> None:
        """Advance a side's open window and its closed ones; publish what changed."""
        side = self.state.sides[name]
        for ended in side.closed:
            changed = moment is not None and ended.absorb_late(moment.late)
            self.recover(ended, at)
            ended.final = at >= final_at(ended, self.params)
            if changed or ended.final:
                self.publish(ended, at)
        side.closed = [window for window in side.closed if not window.final]
        window = side.window
        if window is None:
            return
        before = (window.phase, window.window_class, window.side)
        changed = moment is not None and window.absorb_late(moment.late)
        phases.follow(self.state, window, at, self.params, self.throttled)
        if trace is not None:
            own = any(window.counts(k[0]) for k in counted)
            window.held.append(trace)
            if own and window.quiet_from is None:
                # What lies between its own orders is the window's; what follows the last is not.
                uptake.release(self.state, window, self.params, self.throttled)
                changed = True
        if moment is not None:
            window.observe(moment)
            self.spread(window, moment)
            window.spread.observe(moment, window.onset, window.side, self.params)
            if opened or window.peak_at == at:
                chart = None if self.readings is None else self.readings.last(ZoneMap)
                falling = window.machine == "long"
                window.structural = structural(self.state.slope, chart, falling, at, self.params)
        self.recover(window, at)
        assert self.state.moment is not None  # noqa: S101  a window opens on a moment
        gates.judge(window, self.state.moment, self.params, self.throttled)
        if window.window_class == "cascade" and window.before is not None:
            window = self.part(window, at)
        self.close(window, at)
        if changed or opened or before != (window.phase, window.window_class, window.side):
            self.publish(window, at)

    def part(self, window: OpenWindow, at: int) -> OpenWindow:
        """Give a cascade that flared inside a burst a window of its own, and return it."""
        burst = surge.apart(self.state, window, self.params)
        if burst is None:
            return window
        assert self.state.moment is not None  # noqa: S101  a window opens on a moment
        gates.judge(burst, self.state.moment, self.params, self.throttled)
        self.end(burst, at)
        self.publish(burst, at)
        for name in SIDES:
            if burst.counts(name):
                side = self.state.sides[name]
                side.windows.append(ordinary.unlearned(side, burst.onset, window.surge_at))
        flare = surge.begun(window, burst, at, self.params)
        flare.spread.rates = self.rates(window.machine)
        flare.floor = window.floor
        self.state.sides[window.machine].window = flare
        uptake.catch_up(self.state, flare, at + 1, self.params, self.throttled)
        gates.judge(flare, self.state.moment, self.params, self.throttled)
        return flare

    def recover(self, window: OpenWindow, at: int) -> None:
        """Note the price of 30 minutes after the extreme, at that very second."""
        if (
            window.extreme_at is not None
            and window.price_recovered is None
            and at >= recovery_at(window, self.params)
        ):
            window.price_recovered = self.state.returns.last_price

    def spread(self, window: OpenWindow, moment: Moment) -> None:
        """Breadth of a market window: assets with an onset near the window's own."""
        near = {
            asset
            for asset, side, onset in moment.onsets
            if window.counts(side) and abs(onset - window.onset) <= self.params.breadth_within_s
        }
        if near - set(window.onset_assets):
            window.onset_assets = tuple(sorted(near | set(window.onset_assets)))
        window.assets_known = max(window.assets_known, moment.assets_known)

    def close(self, window: OpenWindow, at: int) -> None:
        """END rule, or the hard split; the window's sides start afresh."""
        params = self.params
        quiet = window.quiet_from is not None and at - window.quiet_from >= params.end_quiet_s
        if not quiet and at - window.onset < params.split_s:
            return
        if not quiet:
            while window.held and not window.own(window.held[-1]):
                window.held.pop()
            uptake.release(self.state, window, params, self.throttled)
        self.end(window, at)
        self.state.sides[window.machine].window = None
        for name in SIDES:
            if window.counts(name):
                side = self.state.sides[name]
                side.windows.append(ordinary.unlearned(side, window.onset, at + 1))
                side.latest = (window.id, at)
                if window.window_class == "cascade":
                    span = params.concentration_minutes * 60 + params.split_s
                    side.cascades = [one for one in side.cascades if one[1] > at - span]
                    side.cascades.append((window.onset, window.last_forced))
                side.reset()

    def end(self, window: OpenWindow, at: int) -> None:
        """End a window at its last forced order; it waits for its final row."""
        window.held, window.ahead, window.before = [], [], None
        window.end, window.closed_at, window.phase = window.last_forced, at, "end"
        window.branching = self.state.recent.bracket(
            at, window.side, self.state.uptime, window.sampled_only, self.params.branching
        )
        self.state.sides[window.machine].closed.append(window)

    def parent(self, side: SideState, onset: int) -> str | None:
        if side.latest is None or onset - side.latest[1] > self.params.aftershock_s:
            return None
        return side.latest[0]

    def forget(self, at: int) -> None:
        """Drop what no rule can look back to any more."""
        state, params = self.state, self.params
        if state.trail and state.trail[0].second < at - 60:
            began = [at]
            for name in SIDES:
                side, window = state.sides[name], owner(state, name)
                if window is None:
                    known = (side.counts_onset, side.units_onset)
                    began.extend(second for second in known if second is not None)
                elif at - window.detected_at <= params.mixed_within_s:
                    # It may still become mixed, and then absorbs everything anew.
                    began.append(window.onset)
                else:
                    began.append(window.last_forced)
                if window is not None and window.surge_at is not None:
                    began.append(window.surge_at)
            oldest = max(min(began) - 60, at - params.split_s - 60)
            if state.trail[0].second <= oldest:
                state.trail = [trace for trace in state.trail if trace.second > oldest]
        reach = params.split_s // 60 + params.concentration_minutes
        if len(state.minutes) > reach:
            first = at // 60 - reach
            state.minutes = {m: seen for m, seen in state.minutes.items() if m >= first}


def step(
    state: CascadeState,
    moment: Moment,
    params: CascadeParams,
    throttled: ThrottleParams,
    meta: RowMeta,
    readings: Readings | None = None,
) -> list[CascadeWindow]:
    """Apply one second and the empty ones before it; returns rows in order of logical time."""
    if state.last is not None and moment.second <= state.last:
        return []
    run = _Run(state, params, throttled, meta, readings)
    run.empty_until(moment.second)
    ordinary.connect(state, params, moment.second, moment.venues_up)
    run.second(moment.second, moment)
    return run.rows


def advance(
    state: CascadeState,
    second: int,
    params: CascadeParams,
    throttled: ThrottleParams,
    meta: RowMeta,
    readings: Readings | None = None,
) -> list[CascadeWindow]:
    """Let the empty seconds before `second` pass; changes `state`."""
    if state.last is None or second <= state.last:
        return []
    run = _Run(state, params, throttled, meta, readings)
    run.empty_until(second)
    return run.rows
