"""Cascade windows, documented field by field with unit, source and the meaning of null.

Twin of `streams.core.results.CascadeWindow` (held equal by a test). Promises, per row: the life
of a window is in order, bounds are ordered, venues sum up, every other null has its reason.
Does not compare revisions and does not judge whether it was a cascade.
"""

from collections.abc import Set
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.provenance import Reasons, ResultRow, misplaced_bound
from schemas.units import (
    Asset,
    Count,
    Finite,
    Id,
    Micros,
    NotNegative,
    Positive,
    Row,
    Share,
    UsdMicros,
    Venue,
    Version,
)
from streams.core.results import (
    Baseline,
    Branching,
    GateState,
    Identifiability,
    Phase,
    Severity,
    Statistic,
    WindowClass,
    WindowSide,
)

ROUNDING = 1e-9
"""What floating point may take from the ends of an interval at shares of exactly 0 and 1."""


class Gate(Row):
    """One qualification gate."""

    state: GateState
    """`unknown` when an input is missing: neither passed nor failed, it lowers confidence."""
    value: Finite | None
    """The measured value in the unit of the threshold. Null when unknown."""
    threshold: Finite | None
    """What the value was held against. Null when it depends on a missing input."""


class Lead(Row):
    """One follower of the origin in a propagation."""

    venue: Venue
    """Where the follower trades."""
    asset: Asset
    """Its base coin."""
    lag_s: Finite | None
    """Seconds behind the origin. Null when inside the clock uncertainty."""
    clock_uncertainty_s: NotNegative
    """How far the two clocks may differ, seconds."""


class CascadeWindow(ResultRow):
    """A window of forced selling or buying in one scope; definition `cascade`."""

    self_evident: ClassVar[Set[str]] = frozenset({"end", "closed_at", "parent_id"})

    type: Literal["cascade"]
    """Tag of the message type."""
    id: Id
    """Hash of scope, side, onset and definition."""
    is_final: bool
    """True ten minutes of event time after the close: no later revision comes."""
    side: WindowSide
    """What was closed by force; `mixed` when both sides alarmed together."""
    window_class: WindowClass = Field(alias="class")
    """`burst` while some required gate has not passed; once `cascade`, always `cascade`."""
    phase: Phase
    """Where the window is in its life; `end` once closed."""
    statistic: Statistic
    """Which statistic alarmed: order count, dollars, or both."""
    baseline: Baseline
    """Whether the ordinary rate was a prior, a blend or observed."""
    onset: Micros
    """Estimated change point: last zero of the statistic before it alarmed, µs UTC."""
    detected_at: Micros
    """When the statistic alarmed, µs UTC of event time."""
    peak_at: Micros
    """Highest intensity so far, µs UTC."""
    end: Micros | None
    """Last forced order before the quiet gap, µs UTC. Null while open."""
    closed_at: Micros | None
    """When the end rule fired, µs UTC. Null while open."""
    duration_s: NotNegative | None
    """From onset to the end, or to the last order so far, seconds. Null without an order."""
    events: Count
    """Published forced orders."""
    usd_observed: UsdMicros
    """Their sum with late ones, micro-dollars: a lower bound of what was forced."""
    usd_low: UsdMicros | None
    """Lower end of the 80 % interval of the true dollars, micro-dollars. Null without estimate."""
    usd_estimated: UsdMicros | None
    """What was forced, with what feeds left out, micro-dollars. Null for none."""
    usd_high: UsdMicros | None
    """Upper end of the interval, micro-dollars. Null where nothing tells how much is hidden."""
    usd_upper: UsdMicros | None
    """Upper bound, micro-dollars. Null after a partial feed and without the bounding trades."""
    usd_late: UsdMicros
    """Part of usd_observed that arrived after its second was sealed, micro-dollars."""
    events_late: Count
    """Part of events that arrived after its second was sealed."""
    adl_usd: UsdMicros
    """Auto-deleveraged dollars, micro-dollars."""
    identifiability: Identifiability
    """`ok`: from what each venue published; `extrapolated`: a part from complete feeds and open
    interest; else usd_estimated is a floor: `saturated`, or a partial feed `unknown`."""
    share_long: Share | None
    """Long share of the observed dollars of both sides. Null without dollars."""
    share_long_low: Share | None
    """Lower end of its 95 % interval. Null without dollars."""
    share_long_high: Share | None
    """Upper end of its 95 % interval. Null without dollars."""
    venues: tuple[Venue, ...]
    """Venues with forced orders, sorted."""
    usd_by_venue: dict[str, UsdMicros]
    """Observed micro-dollars by venue."""
    assets: tuple[Asset, ...]
    """Base coins with forced orders, sorted."""
    breadth: Share | None
    """Share of assets with an onset within 20 minutes. Null below scope `ALL`."""
    origin_venue: Venue | None
    """Where it began. Null for one venue alone, with too few orders, or when clocks cannot tell."""
    origin_asset: Asset | None
    """Base coin in which it began: the scope, or for `ALL` the first one. Null when clocks cannot
    tell or nothing joined."""
    propagation: tuple[Lead, ...] | None
    """Other venues, for `ALL` other assets, in the order in which they began; the first stands with
    them when clocks cannot tell it apart. Null for one venue alone and with too few orders."""
    price_onset: Positive | None
    """Reference price at the onset, USD per coin (index points for `ALL`). Null without prices."""
    price_extreme: Positive | None
    """Farthest price in the forced direction, same unit. Null without prices."""
    impact_bp: Finite | None
    """Log return from onset to extreme, basis points, signed. Null without prices."""
    recovery_30m: Finite | None
    """Share of the impact undone 30 minutes later. Null before that and without prices."""
    oi_share: NotNegative | None
    """Dollars, estimated where possible, over open interest at onset. Null without the latter."""
    oi_change: Finite | None
    """Relative change of open interest in coins. Null without open interest."""
    depth_min_ratio: NotNegative | None
    """Lowest depth over ordinary depth. Null without books."""
    excess_low: Share | None
    """Share of the forced dollars that the forced orders' own push on the price called forth: lower
    end of the bracket. Null while open, without books, below a move of 5 bp and for `ALL`."""
    excess_high: Share | None
    """Upper end of that bracket. Null where excess_low is."""
    amplification: NotNegative | None
    """Price move over the move left without the forced orders' push, 1 or more. Null where
    excess_low is."""
    amplification_book: NotNegative | None
    """Price move over what the book at onset predicts for the window's flow. Null without books
    and for `ALL`."""
    amplification_book_share: Share | None
    """Share of that flow which the book was seen to hold; below 1 the rest of the walk goes on at
    the book's mean density. Null where amplification_book is."""
    branching_low: NotNegative | None
    """Branching ratio with the moves of spot taken out: lower bracket. Null while open, without
    spot trades and with too few orders."""
    branching_high: NotNegative | None
    """Branching ratio with nothing taken out: upper bracket. Null while open and with too few
    orders."""
    branching_structural: NotNegative | None
    """Impact of a taker dollar times the mapped dollars it reaches: a ratio of another kind, no
    part of the bracket. Null without trades or without a map."""
    branching_ks_p: Share | None
    """Probability of residuals this far from the fitted model's. Null with branching_high."""
    branching_label: Branching | None
    """What the bracket allows to say. Null with branching_high."""
    severity: Severity | None
    """Class by share of open interest. Null without open interest."""
    magnitude: Finite | None
    """Decimal logarithm of the dollars, estimated where possible. Null below one dollar."""
    confidence: Share
    """Calibrated probability that the window is a cascade."""
    elevated_day: bool
    """True when the day's rate is high throughout, which is no cascade."""
    gates: dict[str, Gate]
    """Qualification gates by name."""
    parent_id: Id | None
    """Window that this one follows as an aftershock. Null for none."""
    null_reasons: Reasons
    """For every other null field its reason."""
    v: Version = 1
    """Layout version."""

    @model_validator(mode="after")
    def _laws(self) -> Self:
        problem = (
            self.wrong_nulls(self.null_reasons)
            or misplaced_bound(
                self.usd_observed, self.usd_estimated, self.usd_upper, self.usd_by_venue
            )
            or _misplaced_interval(self)
            or _life(self)
        )
        if problem:
            raise ValueError(problem)
        return self


def _misplaced_interval(row: CascadeWindow) -> str | None:
    ends = (row.usd_observed, row.usd_low, row.usd_estimated, row.usd_high, row.usd_upper)
    known = [end for end in ends if end is not None]
    if known != sorted(known):
        return "usd_observed <= usd_low <= usd_estimated <= usd_high <= usd_upper"
    if (row.usd_low is None) != (row.usd_estimated is None):
        return "usd_low and usd_estimated are known together"
    return None


def _life(row: CascadeWindow) -> str | None:
    if row.onset > min(row.detected_at, row.peak_at):
        return "onset comes first: detected_at and peak_at are not before it"
    if row.usd_late > row.usd_observed or row.events_late > row.events:
        return "usd_late and events_late are parts of usd_observed and events"
    if row.end is None or row.closed_at is None:
        if row.end is not row.closed_at:
            return "end and closed_at are known together"
        if row.phase == "end" or row.is_final:
            return "a window in phase end, or final, is closed"
    elif row.phase != "end":
        return "a closed window is in phase end"
    elif not row.onset <= row.end <= row.closed_at:
        return "end lies between onset and closed_at"
    if not row.usd_by_venue.keys() <= set(row.venues):
        return "usd_by_venue names venues of the window"
    if row.share_long is not None:
        low, high = row.share_long_low, row.share_long_high
        if low is None or high is None or not low - ROUNDING <= row.share_long <= high + ROUNDING:
            return "share_long lies inside its interval"
    bracket = (row.branching_low, row.branching_high)
    if bracket[0] is not None and bracket[1] is not None and bracket[0] > bracket[1]:
        return "branching_low is at most branching_high"
    excess = (row.excess_low, row.excess_high, row.amplification)
    if any(value is None for value in excess) and any(value is not None for value in excess):
        return "excess_low, excess_high and amplification are known together"
    if row.excess_low is not None and row.excess_high is not None:
        if row.excess_low > row.excess_high:
            return "excess_low is at most excess_high"
        if row.amplification is not None and row.amplification < 1:
            return "amplification is at least 1"
    if row.parent_id == row.id:
        return "a window is not its own parent"
    return None
