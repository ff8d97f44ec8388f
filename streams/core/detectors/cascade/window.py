"""An open cascade window: what it has absorbed from its onset on.

Promises int64 dollar sums, and dollars corrected venue by venue in blocks of a minute from the
onset (`streams.core.scaling`). Knows nothing of how a window is found or ended, which `cascade`
decides, nor of how it is published: `row` does that.
"""

from collections.abc import Iterable, Mapping

import msgspec

from streams.core.detectors.cascade.counterfactual import Bare
from streams.core.detectors.cascade.impact import Structural
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.propagation import Spread
from streams.core.detectors.cascade.recent import Bracket
from streams.core.detectors.moment import Moment, Trace
from streams.core.dollars import Estimate
from streams.core.events import MICROS, PositionSide
from streams.core.frames import Cell, LateCell
from streams.core.results import (
    Baseline,
    Gate,
    Phase,
    Statistic,
    WindowClass,
    WindowSide,
)
from streams.core.scaling import Scale, estimate_block, estimate_late
from streams.core.slots import Slots, tally_late, tally_slots
from streams.core.throttle import ThrottleParams


class Block(msgspec.Struct):
    """A minute of a window: its throttle slots, and the venues that were up in all of it."""

    slots: Slots = {}
    up: tuple[str, ...] | None = None


class OpenWindow(msgspec.Struct):
    """One window between its alarm and its final row. Seconds in s, dollars micro-dollars.

    `held`: seconds of a quiet gap, absorbed if it ends; `ahead`: late orders of seconds after
    the last forced order, absorbed if the window gets there. `flow`: taker buys minus sells since
    the onset, `pushed` the dollars that pushed the price to its extreme, `book` the depth that
    stood before them by band; `bare` the path without
    its push; `branching` is known once the window has ended. `floor`: least
    dollars of 60 s that make a cascade; `surge_at`: since when 10-s dollars have been above a
    quarter of that rate, `before` the window as it was then.
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
    blocks: dict[int, Block] = {}
    late_slots: Slots = {}
    sealed_blocks: int = 0
    sealed: Estimate = Estimate()
    size_max: int = 0
    minute_max: float = 0.0
    price_onset: float | None = None
    price_extreme: float | None = None
    extreme_at: int | None = None
    price_recovered: float | None = None
    sigma: float | None = None
    oi_onset: int | None = None
    oi_by_venue: tuple[tuple[str, int], ...] = ()
    oi_volume_onset: float | None = None
    oi_volume: float | None = None
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
    flow: int = 0
    pushed: int = 0
    book: tuple[int | None, ...] = ()
    spread: Spread = msgspec.field(default_factory=Spread)
    structural: Structural = Structural(None, "no_zone_map")
    branching: Bracket | None = None
    floor: int = 0
    surge_at: int | None = None
    before: "OpenWindow | None" = None
    bare: Bare = msgspec.field(default_factory=Bare)

    def counts(self, side: PositionSide) -> bool:
        """Whether forced orders of `side` belong to this window."""
        return self.side in ("mixed", side)

    def own(self, trace: Trace) -> bool:
        """Whether forced orders of the window's own side are in the second."""
        return any(cell.kind != "adl" and self.counts(cell.side) for cell in trace.cells)

    def absorb(self, trace: Trace, params: CascadeParams) -> None:
        """Add a second's forced orders and price."""
        block = self.blocks.setdefault((trace.second - self.onset) // params.block_s, Block())
        tally_slots(block.slots, trace.cells, trace.second)
        up = trace.venues_up
        block.up = up if block.up is None else tuple(one for one in block.up if one in up)
        self.oi_by_venue = self.oi_by_venue or trace.oi_by_venue
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
            if usd := share.of(self.side):
                self.by_asset[share.asset] = self.by_asset.get(share.asset, 0) + usd
        self.spread.absorb(trace, self.side, params)
        self.flow += trace.flow or 0
        if trace.price is not None:
            self._price(trace.second, trace.price)
        self._bare(trace, params)
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
            # Forced orders are taker orders: where trades are known, they are among them.
            forced, taken = (self.long_usd, -self.flow) if falling else (self.short_usd, self.flow)
            self.pushed = max(forced, taken)

    def _bare(self, trace: Trace, params: CascadeParams) -> None:
        falling = self.machine == "long"
        usd = sum(c.usd for c in trace.cells if c.kind != "adl" and c.side == self.machine)
        depth = trace.stood[0 if falling else 1]
        so_far = (self.long_usd, -self.flow) if falling else (self.short_usd, self.flow)
        given = params.counterfactual
        self.bare.absorb(trace.second, usd, depth, trace.price, falling, so_far, given)

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
                self.spread.came_late(cell.venue, second)
        return found

    def widen(self, rates: Mapping[str, float]) -> None:
        """Become `mixed`, with nothing absorbed: what there was counted one side only.

        Args:
            rates: ordinary counts per second and venue of the side that joins.
        """
        self.side = "mixed"
        self.surge_at = self.before = None
        self.spread.anew(rates)
        self.flow = self.pushed = 0
        self.price_extreme = self.extreme_at = None
        self.events = self.usd = self.long_usd = self.short_usd = self.adl_usd = 0
        self.events_late = self.usd_late = 0
        self.squares = 0.0
        self.by_venue, self.by_asset = {}, {}
        self.blocks, self.sealed_blocks, self.sealed = {}, 0, Estimate()
        self.late_slots, self.ahead = {}, []
        self.bare = Bare()

    def observe(self, at: Moment | Trace) -> None:
        """Follow coverage, open interest and depth, from the onset on."""
        if self.quiet_from is None:
            self.coverage = min(self.coverage, at.coverage)
        else:
            self.held_coverage = min(self.held_coverage, at.coverage)
        self.oi_onset = at.oi_usd if self.oi_onset is None else self.oi_onset
        self.oi_volume_onset = (
            at.oi_volume if self.oi_volume_onset is None else self.oi_volume_onset
        )
        self.oi_volume = self.oi_volume if at.oi_volume is None else at.oi_volume
        depth = at.bid_usd if self.machine == "long" else at.ask_usd
        if depth is not None:
            self.depth_onset = depth if self.depth_onset is None else self.depth_onset
            self.depth_min = depth if self.depth_min is None else min(self.depth_min, depth)
        self.book = self.book or (at.bids if self.machine == "long" else at.asks)

    def estimate(self, params: CascadeParams, throttled: ThrottleParams) -> Estimate:
        """Dollars of the window by side, corrected venue by venue and block; late ones added raw.

        Venues are measured by their open interest at the onset.
        """
        last = max(self.blocks, default=0)
        for index in range(self.sealed_blocks, last):
            block = self.blocks.pop(index, Block())
            self.sealed = self.sealed.plus(
                self._block(block, index, params.block_s, params, throttled)
            )
        self.sealed_blocks = max(self.sealed_blocks, last)
        began = self.onset + last * params.block_s
        seconds = max(10, min(params.block_s, self.last_forced + 1 - began))
        current = self._block(self.blocks.get(last, Block()), last, seconds, params, throttled)
        whole = self.sealed.plus(current)
        return estimate_late(whole, self.late_slots, self.onset, throttled)

    def _block(
        self,
        block: Block,
        index: int,
        seconds: int,
        params: CascadeParams,
        throttled: ThrottleParams,
    ) -> Estimate:
        began = self.onset + index * params.block_s
        scale = Scale(dict(self.oi_by_venue), block.up or ())
        return estimate_block(block.slots, seconds, began, scale, throttled)
