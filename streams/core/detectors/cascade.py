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

from streams.core.detectors import gates, ordinary
from streams.core.detectors.cascade_params import CascadeParams
from streams.core.detectors.cascade_state import (
    SIDES,
    CascadeState,
    Counted,
    SideState,
    count,
    due_of,
    final_at,
    owner,
    recovery_at,
)
from streams.core.detectors.moment import Moment, Trace, trace_of
from streams.core.detectors.window import OpenWindow
from streams.core.events import PositionSide, stable_id
from streams.core.results import CascadeWindow, Statistic
from streams.core.rowmeta import RowMeta
from streams.core.slots import Slots, estimate_slots, tally_slots
from streams.core.throttle import ThrottleParams

_FAST, _SLOW = 0.5 ** (1 / 10), 0.5 ** (1 / 60)
"""Weight that the two intensities (per second) keep after a second."""


class _Run:
    """One call of `step`: the state, its parameters and the rows so far."""

    def __init__(
        self,
        state: CascadeState,
        params: CascadeParams,
        throttled: ThrottleParams,
        meta: RowMeta,
    ) -> None:
        self.state = state
        self.params = params
        self.throttled = throttled
        self.meta = meta
        self.prior = params.prior(state.scope)
        self.rows: list[CascadeWindow] = []

    def publish(self, window: OpenWindow, second: int) -> None:
        self.rows.append(window.row(second, self.params, self.throttled, self.meta))

    def empty_until(self, second: int) -> None:
        """Pass the seconds before `second`, in which nothing happened, jumping where quiet."""
        state = self.state
        at = second if state.last is None else state.last + 1
        while at < second:
            if self.active():
                self.second(at, None)
                at += 1
                continue
            due = [s for side in state.sides.values() for s in due_of(side, self.params)]
            at = max(at, min([second, *due]))
            if at < second:
                self.second(at, None)
                at += 1

    def active(self) -> bool:
        return any(
            side.window is not None or side.counts > 0 or side.units > 0
            for side in self.state.sides.values()
        )

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
            trace = trace_of(moment, state.moment)
            state.moment = moment
            if trace is not None and (moment.cells or moment.late or self.active()):
                state.trail.append(trace)
            if moment.price is not None:
                state.returns.add(at, moment.price, self.params.sigma_half_life_min)
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
        x = sum(v[0] for k, v in counted.items() if k[0] == name)
        q = sum(v[1] for k, v in counted.items() if k[0] == name)
        owned = owner(self.state, name) is not None
        if not (x or side.counts > 0 or side.units > 0 or owned):
            return False
        side.fast = side.fast * _FAST + (1 - _FAST) * x
        side.slow = side.slow * _SLOW + (1 - _SLOW) * x
        side.slow_units = side.slow_units * _SLOW + (1 - _SLOW) * q
        counts, units = ordinary.rates(self.state, params, name, at)
        ceiling = params.cap * params.threshold
        gain, drift = log(params.rho), params.rho - 1
        side.counts = min(ceiling, max(0.0, side.counts + x * gain - counts * drift))
        side.units = min(ceiling, max(0.0, side.units + q * gain - units * drift))
        side.counts_onset = (side.counts_onset or at) if side.counts > 0 else None
        side.units_onset = (side.units_onset or at) if side.units > 0 else None
        if owned:
            return False
        if side.counts == 0 and side.units == 0:
            side.reset()
        return side.counts >= params.threshold or side.units >= params.threshold

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
            other.widen()
            self.catch_up(other, at)
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
        side.window = window
        self.catch_up(window, at)

    def catch_up(self, window: OpenWindow, at: int) -> None:
        """Absorb the seconds from the onset up to `at`, exclusive, and their largest intensity."""
        fast = slow = slow_units = 0.0
        last = window.onset - 1
        for trace in self.state.trail:
            if not window.onset <= trace.second < at:
                continue
            if trace not in window.held:
                self.absorb(window, trace)
            window.absorb_late(trace.late)
            window.observe(trace)
            counted = count(trace.cells, self.prior.unit_usd, self.params)
            own = [found for (name, _), found in counted.items() if window.counts(name)]
            passed = trace.second - last
            fast = fast * _FAST**passed + (1 - _FAST) * sum(x for x, _ in own)
            slow = slow * _SLOW**passed + (1 - _SLOW) * sum(x for x, _ in own)
            slow_units = slow_units * _SLOW**passed + (1 - _SLOW) * sum(q for _, q in own)
            last = trace.second
            if fast > window.fast_max:
                window.fast_max, window.peak_at = fast, trace.second
            window.slow_max = max(window.slow_max, slow)
            window.slow_units_max = max(window.slow_units_max, slow_units)

    def release(self, window: OpenWindow) -> None:
        """Give a window the seconds that were held until its next own order."""
        held, window.held = window.held, []
        for trace in held:
            self.absorb(window, trace)

    def absorb(self, window: OpenWindow, trace: Trace) -> None:
        """Give a window a second, and follow its largest minute (count and corrected dollars)."""
        window.absorb(trace, self.params)
        if not trace.cells:
            return
        slots: Slots = {}
        total = 0.0
        for item in reversed(self.state.trail):
            if item.second <= max(trace.second - 60, window.onset - 1):
                break
            if item.second <= trace.second:
                tally_slots(slots, item.cells, item.second)
                counted = count(item.cells, self.prior.unit_usd, self.params)
                total += sum(v[0] for k, v in counted.items() if window.counts(k[0]))
        sides = estimate_slots(slots, 60, trace.second, self.throttled)
        longs = sides.long_usd or sum(s.long_usd for s in slots.values())
        shorts = sides.short_usd or sum(s.short_usd for s in slots.values())
        dollars = (longs if window.counts("long") else 0) + (
            shorts if window.counts("short") else 0
        )
        window.size_max = max(window.size_max, dollars)
        window.minute_max = max(window.minute_max, total)

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
        self.intensity(window, at)
        if trace is not None:
            own = any(window.counts(k[0]) for k in counted)
            window.held.append(trace)
            if own and window.quiet_from is None:
                # What lies between its own orders is the window's; what follows the last is not.
                self.release(window)
                changed = True
        if moment is not None:
            window.observe(moment)
            self.spread(window, moment)
        self.recover(window, at)
        assert self.state.moment is not None  # noqa: S101  a window opens on a moment
        gates.judge(window, self.state.moment, self.params)
        self.close(window, at)
        if changed or opened or before != (window.phase, window.window_class, window.side):
            self.publish(window, at)

    def recover(self, window: OpenWindow, at: int) -> None:
        """Note the price of 30 minutes after the extreme, at that very second."""
        if (
            window.extreme_at is not None
            and window.price_recovered is None
            and at >= recovery_at(window, self.params)
        ):
            window.price_recovered = self.state.returns.last_price

    def intensity(self, window: OpenWindow, at: int) -> None:
        """Follow the 10-s and 60-s rates: phase, peak, and where the quiet gap began."""
        params = self.params
        sides = [self.state.sides[name] for name in SIDES if window.counts(name)]
        fast, slow = sum(side.fast for side in sides), sum(side.slow for side in sides)
        window.slow_max = max(window.slow_max, slow)
        if fast > window.fast_max:
            window.fast_max, window.peak_at = fast, at
            window.peak_fixed, window.below_s = False, 0
        window.below_s = window.below_s + 1 if fast < window.fast_max * params.peak_drop else 0
        window.peak_fixed = window.peak_fixed or window.below_s >= params.peak_drop_s
        if window.peak_fixed:
            window.phase = "decay"
        else:
            window.phase = "acceleration" if window.peak_at == at else "peak"
        slow_units = sum(side.slow_units for side in sides)
        window.slow_units_max = max(window.slow_units_max, slow_units)
        lively = slow >= self.low(window.frozen, window.slow_max)
        if window.statistic != "count":
            lively = lively or slow_units >= self.low(window.frozen_units, window.slow_units_max)
        if lively:
            window.quiet_from = None
            window.coverage = min(window.coverage, window.held_coverage)
            window.held_coverage = 1.0
        elif window.quiet_from is None:
            window.quiet_from = at

    def low(self, frozen: float, peak: float) -> float:
        """The 60-s intensity below which a window is quiet."""
        return max(self.params.end_baseline_multiple * frozen, self.params.end_peak_share * peak)

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
            self.release(window)
        window.held, window.ahead = [], []
        window.end, window.closed_at, window.phase = window.last_forced, at, "end"
        self.state.sides[window.machine].closed.append(window)
        self.state.sides[window.machine].window = None
        for name in SIDES:
            if window.counts(name):
                side = self.state.sides[name]
                side.windows.append(ordinary.unlearned(side, window.onset, at + 1))
                side.latest = (window.id, at)
                side.reset()

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
) -> list[CascadeWindow]:
    """Apply one second and the empty ones before it; returns rows in order of logical time."""
    if state.last is not None and moment.second <= state.last:
        return []
    run = _Run(state, params, throttled, meta)
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
) -> list[CascadeWindow]:
    """Let the empty seconds before `second` pass; changes `state`."""
    if state.last is None or second <= state.last:
        return []
    run = _Run(state, params, throttled, meta)
    run.empty_until(second)
    return run.rows


def early_onsets(
    state: CascadeState, params: CascadeParams
) -> tuple[tuple[PositionSide, int], ...]:
    """Sides whose statistic is past the early tier or whose window is open, with the onset (s)."""
    found: list[tuple[PositionSide, int]] = []
    for name in SIDES:
        side = state.sides[name]
        if side.window is not None:
            found.append((name, side.window.onset))
        elif side.counts >= params.early and side.counts_onset is not None:
            found.append((name, side.counts_onset))
        elif side.units >= params.early and side.units_onset is not None:
            found.append((name, side.units_onset))
    return tuple(found)
