"""Cascade windows as they are published; definition `cascade` (1.1).

`schemas/cascades.py` documents the same fields.
"""

from typing import Literal

import msgspec

WindowSide = Literal["long", "short", "mixed"]
WindowClass = Literal["burst", "cascade"]
Phase = Literal["acceleration", "peak", "decay", "end"]
Identifiability = Literal["ok", "extrapolated", "saturated", "unknown"]
GateState = Literal["pass", "fail", "unknown"]
Baseline = Literal["prior", "blended", "observed"]
Statistic = Literal["count", "dollar", "both"]
Severity = Literal["minor", "moderate", "major", "extreme"]
Branching = Literal["subcritical", "near_critical", "unresolved"]


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
    usd_low: int | None
    usd_estimated: int | None
    usd_high: int | None
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
    excess_low: float | None
    excess_high: float | None
    amplification: float | None
    amplification_book: float | None
    amplification_book_share: float | None
    branching_low: float | None
    branching_high: float | None
    branching_structural: float | None
    branching_ks_p: float | None
    branching_label: Branching | None
    severity: Severity | None
    magnitude: float | None
    confidence: float
    elevated_day: bool
    gates: dict[str, Gate]
    parent_id: str | None
    null_reasons: dict[str, str]
    v: int = 1
