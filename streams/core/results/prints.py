"""The 24 h print and its milestones as they are published; definition `print` (1.10).

`schemas/prints.py` documents the same fields.
"""

from typing import Literal

import msgspec

from streams.core.results.cascades import Identifiability

PrintKind = Literal["rolling_24h", "utc_day"]
MilestoneBasis = Literal["observed", "estimated"]


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
