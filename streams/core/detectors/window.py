"""An open cascade window: what it has absorbed and the row it publishes.

Promises int64 dollar sums, dollars corrected per throttle slot in blocks of a minute from the
onset (`streams.core.throttle`), and one revision per published change. Knows nothing of how a
window is found or ended: `cascade` decides that.
"""

from collections.abc import Iterable
from math import log, log10

import msgspec

from streams.core import throttle
from streams.core.detectors.cascade_params import CascadeParams
from streams.core.detectors.measures import severity, share_interval
from streams.core.detectors.moment import Moment, Trace
from streams.core.events import MICROS, PositionSide
from streams.core.frames import Cell, LateCell
from streams.core.results import (
    Baseline,
    CascadeWindow,
    Gate,
    Identifiability,
    Phase,
    Statistic,
    WindowClass,
    WindowSide,
)
from streams.core.rowmeta import RowMeta
from streams.core.slots import Slots, estimate_slots, tally_late, tally_slots
from streams.core.throttle import SideEstimate, ThrottleParams

NOT_DEFINED_YET = (
    "origin_venue",
    "origin_asset",
    "propagation",
    "amplification",
    "branching_low",
    "branching_high",
    "branching_structural",
    "branching_ks_p",
    "branching_label",
)
"""Fields of the contract that definition `cascade/1` does not compute."""


class OpenWindow(msgspec.Struct):
    """One window between its alarm and its final row. Seconds in s, dollars micro-dollars.

    `held`: seconds of a quiet gap, absorbed if it ends; `ahead`: late orders of seconds after
    the last forced order, absorbed if the window gets there.
    """

    id: str
    scope: str
    machine: PositionSide
    side: WindowSide
    onset: int
    detected_at: int
    statistic: Statistic
    baseline: Baseline
    frozen: float
    frozen_units: float
    prior_mean: float
    hour_seen: bool
    parent_id: str | None
    revision: int = 0
    phase: Phase = "acceleration"
    window_class: WindowClass = "burst"
    fast_max: float = 0.0
    slow_max: float = 0.0
    slow_units_max: float = 0.0
    peak_at: int = 0
    peak_fixed: bool = False
    below_s: int = 0
    quiet_from: int | None = None
    last_forced: int = 0
    end: int | None = None
    closed_at: int | None = None
    final: bool = False
    events: int = 0
    usd: int = 0
    usd_late: int = 0
    events_late: int = 0
    adl_usd: int = 0
    long_usd: int = 0
    short_usd: int = 0
    squares: float = 0.0
    by_venue: dict[str, int] = {}
    by_asset: dict[str, int] = {}
    blocks: dict[int, Slots] = {}
    late_slots: Slots = {}
    sealed_blocks: int = 0
    sealed: SideEstimate | None = None
    size_max: int = 0
    minute_max: float = 0.0
    price_onset: float | None = None
    price_extreme: float | None = None
    extreme_at: int | None = None
    price_recovered: float | None = None
    sigma: float | None = None
    oi_onset: int | None = None
    oi_base_onset: float | None = None
    oi_base: float | None = None
    depth_onset: int | None = None
    depth_min: int | None = None
    coverage: float = 1.0
    onset_assets: tuple[str, ...] = ()
    assets_known: int = 1
    sampled_only: bool = True
    gates: dict[str, Gate] = {}
    held: list[Trace] = []
    held_coverage: float = 1.0
    ahead: list[LateCell] = []

    def counts(self, side: PositionSide) -> bool:
        """Whether forced orders of `side` belong to this window."""
        return self.side in ("mixed", side)

    def own(self, trace: Trace) -> bool:
        """Whether forced orders of the window's own side are in the second."""
        return any(cell.kind != "adl" and self.counts(cell.side) for cell in trace.cells)

    def absorb(self, trace: Trace, params: CascadeParams) -> None:
        """Add a second's forced orders and price."""
        block = self.blocks.setdefault((trace.second - self.onset) // params.block_s, {})
        tally_slots(block, trace.cells, trace.second)
        for cell in trace.cells:
            if cell.kind == "adl":
                self.adl_usd += cell.usd if self.counts(cell.side) else 0
                continue
            self.squares += (cell.usd / MICROS) ** 2
            self._add(cell)
            if self.counts(cell.side):
                self.last_forced = max(self.last_forced, trace.second)
                self.sampled_only = self.sampled_only and cell.completeness != "all"
        for share in trace.shares:
            usd = _of_side(share.long_usd, share.short_usd, self.side)
            if usd:
                self.by_asset[share.asset] = self.by_asset.get(share.asset, 0) + usd
        if trace.price is not None:
            self._price(trace.second, trace.price)
        if self.ahead:
            ahead, self.ahead = self.ahead, []
            self.absorb_late(ahead)

    def _add(self, cell: Cell | LateCell) -> None:
        """Count forced orders: both sides for the share of longs, the rest by the own side."""
        if cell.side == "long":
            self.long_usd += cell.usd
        else:
            self.short_usd += cell.usd
        if self.counts(cell.side):
            self.events += cell.n
            self.usd += cell.usd
            self.by_venue[cell.venue] = self.by_venue.get(cell.venue, 0) + cell.usd

    def _price(self, second: int, price: float) -> None:
        if self.price_onset is None:
            self.price_onset = price
        falling = self.machine == "long"
        extreme = self.price_extreme
        if self.end is None and (
            extreme is None or (price < extreme if falling else price > extreme)
        ):
            self.price_extreme, self.extreme_at, self.price_recovered = price, second, None

    def absorb_late(self, cells: Iterable[LateCell]) -> bool:
        """Add late forced orders from onset to end; True when the row changes."""
        found = False
        last = self.last_forced if self.end is None else self.end
        for cell in cells:
            second = cell.second // MICROS
            if second < self.onset or cell.kind == "adl":
                continue
            if second > last:
                if self.end is None:
                    self.ahead.append(cell)
                continue
            tally_late(self.late_slots, cell)
            self._add(cell)
            found = True
            if self.counts(cell.side):
                self.usd_late += cell.usd
                self.events_late += cell.n
        return found

    def widen(self) -> None:
        """Become `mixed`, with nothing absorbed: what there was counted one side only."""
        self.side = "mixed"
        self.events = self.usd = self.long_usd = self.short_usd = self.adl_usd = 0
        self.events_late = self.usd_late = 0
        self.squares = 0.0
        self.by_venue, self.by_asset = {}, {}
        self.blocks, self.sealed_blocks, self.sealed = {}, 0, None
        self.late_slots, self.ahead = {}, []

    def observe(self, at: Moment | Trace) -> None:
        """Follow coverage, open interest and depth, from the onset on."""
        if self.quiet_from is None:
            self.coverage = min(self.coverage, at.coverage)
        else:
            self.held_coverage = min(self.held_coverage, at.coverage)
        self.oi_onset = at.oi_usd if self.oi_onset is None else self.oi_onset
        self.oi_base_onset = at.oi_base if self.oi_base_onset is None else self.oi_base_onset
        self.oi_base = self.oi_base if at.oi_base is None else at.oi_base
        depth = at.bid_usd if self.machine == "long" else at.ask_usd
        if depth is not None:
            self.depth_onset = depth if self.depth_onset is None else self.depth_onset
            self.depth_min = depth if self.depth_min is None else min(self.depth_min, depth)

    def estimate(self, params: CascadeParams, throttled: ThrottleParams) -> SideEstimate:
        """Dollars of the window by side, corrected per slot and block; late dollars added raw."""
        last = max(self.blocks, default=0)
        for index in range(self.sealed_blocks, last):
            began = self.onset + index * params.block_s
            part = estimate_slots(self.blocks.pop(index, {}), params.block_s, began, throttled)
            self.sealed = throttle.combine([part] if self.sealed is None else [self.sealed, part])
        self.sealed_blocks = max(self.sealed_blocks, last)
        began = self.onset + last * params.block_s
        seconds = max(10, min(params.block_s, self.last_forced + 1 - began))
        current = estimate_slots(self.blocks.get(last, {}), seconds, began, throttled)
        late = estimate_slots(self.late_slots, params.block_s, self.onset, throttled)
        parts = [current, late] if self.sealed is None else [self.sealed, current, late]
        return throttle.combine(parts)

    def row(
        self, watermark: int, params: CascadeParams, throttled: ThrottleParams, meta: RowMeta
    ) -> CascadeWindow:
        """The next revision of the window, as of `watermark` (s)."""
        self.revision += 1
        reasons: dict[str, str] = dict.fromkeys(NOT_DEFINED_YET, "not_in_definition")
        sides = self.estimate(params, throttled)
        estimated = _of_side_or_none(sides.long_usd, sides.short_usd, self.side)
        upper = _of_side_or_none(sides.long_upper, sides.short_upper, self.side)
        if estimated is None:
            reasons["usd_estimated"] = throttle.NO_ESTIMATE
        else:
            estimated = max(self.usd, estimated)
        if upper is None:
            reasons["usd_upper"] = throttle.no_bound(sides.identifiability)
        else:
            upper = max(upper, estimated or self.usd)
        ends = self.last_forced if self.end is None else self.end
        known = {
            "end": None if self.end is None else self.end * MICROS,
            "closed_at": None if self.closed_at is None else self.closed_at * MICROS,
        }
        reasons.update({name: "window_open" for name, value in known.items() if value is None})
        impact = self._impact(reasons)
        recovery = self._recovery(reasons)
        oi_share = None if not self.oi_onset else (estimated or self.usd) / self.oi_onset
        if oi_share is None:
            reasons["oi_share"] = reasons["severity"] = "no_open_interest"
        oi_change = None
        if self.oi_base_onset and self.oi_base is not None:
            oi_change = self.oi_base / self.oi_base_onset - 1
        else:
            reasons["oi_change"] = "no_open_interest"
        depth_ratio = None
        if self.depth_onset and self.depth_min is not None:
            depth_ratio = self.depth_min / self.depth_onset
        else:
            reasons["depth_min_ratio"] = "no_depth"
        dollars = (self.usd if estimated is None else estimated) / MICROS
        if dollars < 1:
            reasons["magnitude"] = "no_dollars"
        share, low, high = self._share_long(reasons)
        breadth = None
        if self.scope == "ALL":
            breadth = len(self.onset_assets) / max(1, self.assets_known)
        else:
            reasons["breadth"] = "market_only"
        if self.parent_id is None:
            reasons["parent_id"] = "no_parent"
        return CascadeWindow(
            id=self.id,
            revision=self.revision,
            is_final=self.final,
            definition=params.definition,
            params_hash=meta.params_hash,
            engine=meta.engine,
            scope=self.scope,
            partition=meta.partition,
            coverage=self.coverage,
            watermark=watermark * MICROS,
            side=self.side,
            window_class=self.window_class,
            phase=self.phase,
            statistic=self.statistic,
            baseline=self.baseline,
            onset=self.onset * MICROS,
            detected_at=self.detected_at * MICROS,
            peak_at=self.peak_at * MICROS,
            end=known["end"],
            closed_at=known["closed_at"],
            duration_s=float(ends - self.onset),
            events=self.events,
            usd_observed=self.usd,
            usd_estimated=estimated,
            usd_upper=upper,
            usd_late=self.usd_late,
            events_late=self.events_late,
            adl_usd=self.adl_usd,
            identifiability=sides.identifiability,
            share_long=share,
            share_long_low=low,
            share_long_high=high,
            venues=tuple(sorted(self.by_venue)),
            usd_by_venue=dict(sorted(self.by_venue.items())),
            assets=tuple(sorted(self.by_asset)),
            breadth=breadth,
            origin_venue=None,
            origin_asset=None,
            propagation=None,
            price_onset=self.price_onset,
            price_extreme=self.price_extreme,
            impact_bp=impact,
            recovery_30m=recovery,
            oi_share=oi_share,
            oi_change=oi_change,
            depth_min_ratio=depth_ratio,
            amplification=None,
            branching_low=None,
            branching_high=None,
            branching_structural=None,
            branching_ks_p=None,
            branching_label=None,
            severity=None if oi_share is None else severity(oi_share),
            magnitude=log10(dollars) if dollars >= 1 else None,
            confidence=self._confidence(sides.identifiability),
            elevated_day=self.hour_seen and self.gates["concentration"].state == "fail",
            gates=dict(sorted(self.gates.items())),
            parent_id=self.parent_id,
            null_reasons=dict(sorted(reasons.items())),
        )

    def _impact(self, reasons: dict[str, str]) -> float | None:
        if self.price_onset is None or self.price_extreme is None:
            reasons.update(dict.fromkeys(("price_onset", "price_extreme", "impact_bp"), "no_price"))
            return None
        return 10_000 * log(self.price_extreme / self.price_onset)

    def _recovery(self, reasons: dict[str, str]) -> float | None:
        onset, extreme, later = self.price_onset, self.price_extreme, self.price_recovered
        if onset is None or extreme is None or onset == extreme:
            reasons["recovery_30m"] = "no_price" if onset is None else "no_displacement"
            return None
        if later is None:
            reasons["recovery_30m"] = "no_price" if self.final else "not_elapsed"
            return None
        return 1 - abs(later - onset) / abs(extreme - onset)

    def _share_long(
        self, reasons: dict[str, str]
    ) -> tuple[float | None, float | None, float | None]:
        """Long share of observed dollars with its interval."""
        total = self.long_usd + self.short_usd
        if total == 0 or self.squares == 0:
            names = ("share_long", "share_long_low", "share_long_high")
            reasons.update(dict.fromkeys(names, "no_dollars"))
            return None, None, None
        share = self.long_usd / total
        return share, *share_interval(share, max(1.0, (total / MICROS) ** 2 / self.squares))

    def _confidence(self, identifiability: Identifiability) -> float:
        """Uncalibrated 0..1: each failed or unknown gate, prior or lone sampled feed lowers it."""
        score = 1.0
        for gate in self.gates.values():
            score *= {"pass": 1.0, "unknown": 0.85, "fail": 0.5}[gate.state]
        score *= {"observed": 1.0, "blended": 0.9, "prior": 0.75}[self.baseline]
        score *= {"ok": 1.0, "saturated": 0.9, "unknown": 0.8}[identifiability]
        if self.sampled_only and len(self.by_venue) <= 1:
            score *= 0.9
        return round(score, 6)


def _of_side(longs: int, shorts: int, side: WindowSide) -> int:
    return longs + shorts if side == "mixed" else longs if side == "long" else shorts


def _of_side_or_none(longs: int | None, shorts: int | None, side: WindowSide) -> int | None:
    if side == "mixed":
        return None if longs is None or shorts is None else longs + shorts
    return longs if side == "long" else shorts
