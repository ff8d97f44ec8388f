"""What detectors publish: cascade windows, prints, milestones, and the market's inputs.

Every row is an upsert by `id`; the highest `revision` is current. Times are int64 µs UTC of
event time, dollars int64 micro-dollars. A number that cannot be known is None and
`null_reasons` names the field and why. `schemas/results.py` documents the same fields.
"""

from typing import Literal

import msgspec

from streams.core.events import PositionSide
from streams.core.frames import Cell, LateCell

WindowSide = Literal["long", "short", "mixed"]
WindowClass = Literal["burst", "cascade"]
Phase = Literal["acceleration", "peak", "decay", "end"]
Identifiability = Literal["ok", "saturated", "unknown"]
GateState = Literal["pass", "fail", "unknown"]
Baseline = Literal["prior", "blended", "observed"]
Statistic = Literal["count", "dollar", "both"]
Severity = Literal["minor", "moderate", "major", "extreme"]
PrintKind = Literal["rolling_24h", "utc_day"]
MilestoneBasis = Literal["observed", "estimated"]

MARKET = "ALL"
"""Scope of the market-wide stage."""


class Gate(msgspec.Struct, frozen=True):
    """One qualification gate: its state, the measured value and the threshold it met."""

    state: GateState
    value: float | None
    threshold: float | None


class Lead(msgspec.Struct, frozen=True):
    """One follower in a propagation: lag behind the origin and the clock's uncertainty, s."""

    venue: str
    asset: str
    lag_s: float | None
    clock_uncertainty_s: float


class CascadeWindow(msgspec.Struct, frozen=True, tag_field="type", tag="cascade"):
    """A window of forced selling or buying in one scope; definition `cascade` (1.1)."""

    id: str
    revision: int
    is_final: bool
    definition: str
    params_hash: str
    engine: str
    scope: str
    partition: int
    coverage: float
    watermark: int
    side: WindowSide
    window_class: WindowClass = msgspec.field(name="class")
    phase: Phase
    statistic: Statistic
    baseline: Baseline
    onset: int
    detected_at: int
    peak_at: int
    end: int | None
    closed_at: int | None
    duration_s: float | None
    events: int
    usd_observed: int
    usd_estimated: int | None
    usd_upper: int | None
    usd_late: int
    events_late: int
    adl_usd: int
    identifiability: Identifiability
    share_long: float | None
    share_long_low: float | None
    share_long_high: float | None
    venues: tuple[str, ...]
    usd_by_venue: dict[str, int]
    assets: tuple[str, ...]
    breadth: float | None
    origin_venue: str | None
    origin_asset: str | None
    propagation: tuple[Lead, ...] | None
    price_onset: float | None
    price_extreme: float | None
    impact_bp: float | None
    recovery_30m: float | None
    oi_share: float | None
    oi_change: float | None
    depth_min_ratio: float | None
    amplification: float | None
    branching_low: float | None
    branching_high: float | None
    severity: Severity | None
    magnitude: float | None
    confidence: float
    elevated_day: bool
    gates: dict[str, Gate]
    parent_id: str | None
    null_reasons: dict[str, str]
    v: int = 1


class Print(msgspec.Struct, frozen=True, tag_field="type", tag="print"):
    """Liquidated dollars of one scope over 24 h or the UTC day; definition `print` (1.10).

    `scope` is `ALL` or an asset; `venue` narrows it (None = all venues). One row per minute
    (rolling) or day; `as_of` is the second it speaks for, `period_start` the row's minute or day.
    """

    id: str
    revision: int
    is_final: bool
    definition: str
    params_hash: str
    engine: str
    scope: str
    partition: int
    coverage: float
    watermark: int
    kind: PrintKind
    venue: str | None
    period_start: int
    as_of: int
    events: int
    usd_observed: int
    usd_estimated: int | None
    usd_upper: int | None
    usd_late: int
    long_usd: int
    short_usd: int
    long_events: int
    short_events: int
    identifiability: Identifiability
    usd_by_venue: dict[str, int]
    largest_usd: int
    max_hour_share: float | None
    percentile_365d: float | None
    n_days: int
    oi_share: float | None
    basket: str
    null_reasons: dict[str, str]
    v: int = 1


class Milestone(msgspec.Struct, frozen=True, tag_field="type", tag="milestone"):
    """The rolling 24 h total of a scope crossed `threshold_usd` at `crossed_at`; fires once."""

    id: str
    revision: int
    is_final: bool
    definition: str
    params_hash: str
    engine: str
    scope: str
    partition: int
    coverage: float
    watermark: int
    basis: MilestoneBasis
    threshold_usd: int
    crossed_at: int
    usd_observed: int
    usd_estimated: int | None
    since_previous_s: float | None
    percentile_365d: float | None
    max_hour_share: float | None
    probability: float | None
    text: str
    null_reasons: dict[str, str]
    v: int = 1


class Contribution(msgspec.Struct, frozen=True, tag_field="type", tag="contribution"):
    """What one frame gives the market stage; one per (asset, second).

    `price` is the asset's reference price in USD, `oi_usd` its one-sided open interest,
    `onsets` the sides whose statistic is past the early tier, with the onset second (µs).
    """

    asset: str
    partition: int
    second: int
    prev: int | None
    coverage: float
    venues_up: tuple[str, ...]
    venues_all: tuple[str, ...]
    cells: tuple[Cell, ...]
    late: tuple[LateCell, ...]
    price: float | None
    oi_usd: int | None
    onsets: tuple[tuple[PositionSide, int], ...]
    v: int = 1


Result = CascadeWindow | Print | Milestone
Output = CascadeWindow | Print | Milestone | Contribution
