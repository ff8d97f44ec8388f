"""Cascade windows of one scope: a count and a dollar CUSUM per side (definition 1.1).

Each second, per side: `S = max(0, S + x ln(rho) - b (rho - 1))`, where x counts forced orders
(occupied symbol-side-seconds on sampled feeds) and b is the lagged ordinary rate of the venues
healthy now; a second statistic does the same with standard orders of dollars. Crossing h opens
a window whose onset is the last zero of the statistic; it ends when the 60-s intensity has been
low for 300 s, and is final 10 minutes later. Promises: pure, int64 dollars, and equal rows
whether an empty second is passed or skipped. Gates are in `gates`, dollars in `window`.
"""

from math import log

from streams.core.detectors import gates
from streams.core.detectors.baseline import VenueRate, learn
from streams.core.detectors.cascade_params import CascadeParams
from streams.core.detectors.cascade_state import SIDES, CascadeState, SideState, count, final_at
from streams.core.detectors.moment import Moment
from streams.core.detectors.window import OpenWindow, Trace
from streams.core.events import PositionSide, stable_id
from streams.core.results import Baseline, CascadeWindow, Statistic
from streams.core.rowmeta import RowMeta
from streams.core.slots import Slots, estimate_slots, tally_slots
from streams.core.throttle import ThrottleParams

_FAST_S, _SLOW_S = 10, 60
_WARM_S = (3600, 8 * 3600)


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
        self.decay = 0.5 ** (1 / params.baseline_half_life_s)
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
            due = [final_at(w, self.params) for s in state.sides.values() for w in s.closed]
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
            self.note(side, venue, at, x, q)
            minute = state.minutes.setdefault(at // 60, dict.fromkeys(SIDES, 0.0))
            minute[side] += x
        content = moment is not None and (moment.cells or moment.price is not None)
        trace = None
        if moment is not None and content:
            trace = Trace(at, moment.cells, moment.shares, moment.price)
            if self.active() or moment.cells:
                state.trail.append(trace)
            if moment.price is not None:
                state.returns.add(at, moment.price, self.params.sigma_half_life_min)
        if moment is not None:
            state.moment = moment
        alarmed = [s for s in SIDES if self.statistic(s, at, counted)]
        for name in alarmed:
            self.open(name, at, alarmed)
        for name in SIDES:
            self.follow(name, at, trace, moment, counted, opened=name in alarmed)
        state.last = at
        self.forget(at)

    def note(self, side: str, venue: str, at: int, x: float, q: float) -> None:
        """Keep a second for the lagged rate, and forget those that the rate has passed."""
        kept = self.state.seen[side].setdefault(venue, [])
        rate = self.state.sides[side].rates.get(venue)
        passed = at - self.params.baseline_lag_s if rate is None else rate.through
        if kept and kept[0][0] < passed:
            kept = [item for item in kept if item[0] >= passed]
            self.state.seen[side][venue] = kept
        kept.append((at, x, q))

    def statistic(
        self, name: PositionSide, at: int, counted: dict[tuple[str, str], tuple[float, float]]
    ) -> bool:
        """Advance one side's statistics; True when an alarm opens a window."""
        side, params = self.state.sides[name], self.params
        x = sum(v[0] for k, v in counted.items() if k[0] == name)
        q = sum(v[1] for k, v in counted.items() if k[0] == name)
        if not (x or side.counts > 0 or side.units > 0 or side.window is not None):
            return False
        side.fast = side.fast * 0.5 ** (1 / _FAST_S) + (1 - 0.5 ** (1 / _FAST_S)) * x
        side.slow = side.slow * 0.5 ** (1 / _SLOW_S) + (1 - 0.5 ** (1 / _SLOW_S)) * x
        counts, units = self.ordinary(name, at)
        ceiling = params.cap * params.threshold
        gain, drift = log(params.rho), params.rho - 1
        side.counts = min(ceiling, max(0.0, side.counts + x * gain - counts * drift))
        side.units = min(ceiling, max(0.0, side.units + q * gain - units * drift))
        side.counts_onset = (side.counts_onset or at) if side.counts > 0 else None
        side.units_onset = (side.units_onset or at) if side.units > 0 else None
        if side.window is not None:
            return False
        if side.counts == 0 and side.units == 0:
            side.fast = side.slow = 0.0
        return side.counts >= params.threshold or side.units >= params.threshold

    def ordinary(self, name: PositionSide, at: int) -> tuple[float, float]:
        """Lagged ordinary rates (per second) of the venues healthy now, floored."""
        state, params = self.state, self.params
        side = state.sides[name]
        counts = units = 0.0
        closed = side.windows
        if side.window is not None:
            closed = [*closed, (side.window.onset, None)]
        for venue in state.venues_up:
            rate = side.rates.get(venue)
            if rate is None:
                began = state.uptime.venues[venue][0][0]
                rate = VenueRate(self.prior.count_rate, self.prior.dollar_rate, began)
                side.rates[venue] = rate
            seen = state.seen[name].get(venue, [])
            until = at - params.baseline_lag_s
            learn(rate, until, seen, state.uptime.venues[venue], closed, self.decay)
            counts += rate.counts
            units += rate.units
        if side.rates:
            passed = min(rate.through for rate in side.rates.values())
            side.windows = [run for run in side.windows if run[1] is None or run[1] > passed]
        return max(counts, params.baseline_floor), max(units, params.baseline_floor)

    def open(self, name: PositionSide, at: int, alarmed: list[PositionSide]) -> None:
        """Open a window for an alarm, or join the other side's young window as `mixed`."""
        state, params = self.state, self.params
        side = state.sides[name]
        other = state.sides["short" if name == "long" else "long"].window
        if other is not None and at - other.detected_at <= params.mixed_within_s:
            # Dollars absorbed so far are of one side only: absorb the past once more as both.
            self.widen(other)
            side.counts = side.units = 0.0
            side.counts_onset = side.units_onset = None
            return
        by_count = side.counts >= params.threshold
        by_units = side.units >= params.threshold
        statistic: Statistic = "both" if by_count and by_units else "count"
        if not by_count:
            statistic = "dollar"
        onset = (side.counts_onset if by_count else side.units_onset) or at
        frozen, _ = self.ordinary(name, at)
        mean = self.minute_mean(name, onset, frozen)
        window = OpenWindow(
            stable_id("cascade", state.scope, name, onset, params.definition),
            state.scope,
            name,
            name,
            onset,
            at,
            statistic,
            self.baseline(side),
            frozen,
            mean,
            self.parent(side, onset),
            peak_at=at,
            last_forced=onset,
        )
        window.sigma = state.returns.sigma(params.sigma_least_returns)
        if state.moment is not None:
            window.oi_onset = state.moment.oi_usd
            window.oi_base_onset = state.moment.oi_base
            falling = name == "long"
            window.depth_onset = state.moment.bid_usd if falling else state.moment.ask_usd
        side.window = window
        for trace in state.trail:
            if onset <= trace.second < at:
                self.absorb(window, trace)

    def widen(self, window: OpenWindow) -> None:
        """Make a window `mixed`: everything since its onset is absorbed anew for both sides."""
        window.side = "mixed"
        window.events = window.usd = window.long_usd = window.short_usd = window.adl_usd = 0
        window.squares = 0.0
        window.by_venue, window.by_asset = {}, {}
        window.blocks, window.sealed_blocks, window.sealed = {}, 0, None
        held, window.held = window.held, []
        for trace in self.state.trail:
            if trace.second >= window.onset and trace not in held:
                self.absorb(window, trace)
        window.held = held

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
                total += sum(v[0] for k, v in counted.items() if window.counts(_side(k[0])))
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
        counted: dict[tuple[str, str], tuple[float, float]],
        *,
        opened: bool,
    ) -> None:
        """Advance a side's open window and its closed ones; publish what changed."""
        side = self.state.sides[name]
        for ended in side.closed:
            changed = moment is not None and ended.absorb_late(moment.late)
            due = ended.extreme_at is not None and at >= ended.extreme_at + self.params.recovery_s
            if due and ended.price_recovered is None:
                ended.price_recovered = self.state.returns.last_price
            ended.final = at >= final_at(ended, self.params)
            if changed or ended.final:
                self.publish(ended, at)
        side.closed = [window for window in side.closed if not window.final]
        window = side.window
        if window is None:
            return
        before = (window.phase, window.window_class, window.side)
        changed = moment is not None and window.absorb_late(moment.late)
        self.intensity(window, side, at)
        if trace is not None:
            if window.quiet_from is None:
                self.absorb(window, trace)
                changed = changed or any(window.counts(_side(k[0])) for k in counted)
            else:
                window.held.append(trace)
        if moment is not None:
            window.observe(moment)
            self.spread(window, moment)
        assert self.state.moment is not None  # noqa: S101  a window opens on a moment
        gates.judge(window, self.state.moment, self.params)
        self.close(window, side, at)
        if changed or opened or before != (window.phase, window.window_class, window.side):
            self.publish(window, at)

    def intensity(self, window: OpenWindow, side: SideState, at: int) -> None:
        """Follow the 10-s and 60-s rates: phase, peak, and where the quiet gap began."""
        params = self.params
        window.slow_max = max(window.slow_max, side.slow)
        if side.fast > window.fast_max:
            window.fast_max, window.peak_at = side.fast, at
            window.peak_fixed, window.below_s = False, 0
        window.below_s = window.below_s + 1 if side.fast < window.fast_max * params.peak_drop else 0
        window.peak_fixed = window.peak_fixed or window.below_s >= params.peak_drop_s
        if window.peak_fixed:
            window.phase = "decay"
        else:
            window.phase = "acceleration" if window.peak_at == at else "peak"
        low = max(
            params.end_baseline_multiple * window.frozen, params.end_peak_share * window.slow_max
        )
        if side.slow >= low:
            held, window.held = window.held, []
            window.quiet_from = None
            window.coverage = min(window.coverage, window.held_coverage)
            window.held_coverage = 1.0
            for trace in held:
                self.absorb(window, trace)
        elif window.quiet_from is None:
            window.quiet_from = at

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

    def close(self, window: OpenWindow, side: SideState, at: int) -> None:
        """END rule, or the hard split; the side starts afresh."""
        params = self.params
        quiet = window.quiet_from is not None and at - window.quiet_from >= params.end_quiet_s
        if not quiet and at - window.onset < params.split_s:
            return
        if not quiet:
            for trace in window.held:
                self.absorb(window, trace)
        window.held = []
        window.end, window.closed_at, window.phase = window.last_forced, at, "end"
        side.windows.append((window.onset, at + 1))
        side.closed.append(window)
        side.latest = (window.id, at)
        side.window = None
        side.counts = side.units = side.fast = side.slow = 0.0
        side.counts_onset = side.units_onset = None

    def minute_mean(self, name: str, onset: int, frozen: float) -> float:
        """Mean count per minute of the hour before the onset; unobserved minutes take the prior."""
        state, span = self.state, self.params.concentration_minutes
        first = onset // 60 - span
        began = onset if state.started is None else state.started
        missing = min(span, max(0, -(-began // 60) - first))
        seen = sum(
            state.minutes[minute][name]
            for minute in range(first + missing, onset // 60)
            if minute in state.minutes
        )
        mean = (seen + missing * frozen * 60) / span
        return mean if mean > 0 else frozen * 60

    def baseline(self, side: SideState) -> Baseline:
        learned = max((rate.learned for rate in side.rates.values()), default=0)
        if learned < _WARM_S[0]:
            return "prior"
        return "blended" if learned < _WARM_S[1] else "observed"

    def parent(self, side: SideState, onset: int) -> str | None:
        if side.latest is None or onset - side.latest[1] > self.params.aftershock_s:
            return None
        return side.latest[0]

    def forget(self, at: int) -> None:
        """Drop what no rule can look back to any more."""
        state, params = self.state, self.params
        began = [
            onset
            for side in state.sides.values()
            for onset in (
                side.window.onset if side.window else None,
                side.counts_onset,
                side.units_onset,
            )
            if onset is not None
        ]
        oldest = max(min([at, *began]) - 60, at - params.split_s - 60)
        if state.trail and state.trail[0].second <= oldest:
            state.trail = [trace for trace in state.trail if trace.second > oldest]
        first = at // 60 - params.split_s // 60 - params.concentration_minutes
        for minute in [m for m in state.minutes if m < first]:
            del state.minutes[minute]


def _side(name: str) -> PositionSide:
    return "long" if name == "long" else "short"


def step(
    state: CascadeState,
    moment: Moment,
    params: CascadeParams,
    throttled: ThrottleParams,
    meta: RowMeta,
) -> list[CascadeWindow]:
    """Apply one second (and the empty ones before it); ignores seconds already applied.

    Returns:
        Rows in order of logical time; each an upsert by id and revision.
    """
    if state.last is not None and moment.second <= state.last:
        return []
    run = _Run(state, params, throttled, meta)
    run.empty_until(moment.second)
    if state.started is None:
        state.started = moment.second
    state.uptime.update(moment.second, moment.venues_up)
    state.venues_up = moment.venues_up
    run.second(moment.second, moment)
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
