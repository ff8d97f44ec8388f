"""Prints and milestones, documented field by field with unit, source and the meaning of null.

Twins of `streams.core.results.Print` and `Milestone` (held equal by a test). Promises, per row:
sides and venues sum to the total, bounds are ordered, an observed milestone was reached, every
other null has its reason. Does not compare with history: that is the detector's percentile.
"""

from collections.abc import Set
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from schemas.provenance import Reasons, ResultRow, misplaced_bound
from schemas.units import (
    Asset,
    Count,
    Id,
    Micros,
    NotNegative,
    Row,
    Share,
    Text,
    UsdMicros,
    Venue,
    Version,
)
from streams.core.events import MICROS, PositionSide
from streams.core.results import Identifiability, MilestoneBasis, PrintKind


class Print(ResultRow):
    """Liquidated dollars of a scope over 24 hours or the UTC day; definition `print`."""

    self_evident: ClassVar[Set[str]] = frozenset({"venue"})

    type: Literal["print"]
    """Tag of the message type."""
    id: Id
    """Hash of scope, kind, venue, period and definition."""
    kind: PrintKind
    """Trailing 24 hours, or the UTC day so far."""
    venue: Venue | None
    """Dimension: the only venue counted. Null is the sum over all venues, not an unknown one."""
    period_start: Micros
    """Start of the row's minute (rolling) or day, µs UTC."""
    as_of: Micros
    """The second that the totals speak for, µs UTC."""
    events: Count
    """Published forced orders."""
    usd_observed: UsdMicros
    """Their sum with late ones, micro-dollars: a lower bound."""
    usd_estimated: UsdMicros | None
    """Sampled feeds corrected, partial ones as published, micro-dollars. Null for none."""
    usd_upper: UsdMicros | None
    """Upper bound, micro-dollars. Null after a partial feed and without the bounding trades."""
    usd_late: UsdMicros
    """Part of usd_observed that arrived after its second was sealed, micro-dollars."""
    long_usd: UsdMicros
    """Observed dollars of closed longs, micro-dollars."""
    short_usd: UsdMicros
    """Observed dollars of closed shorts, micro-dollars."""
    long_events: Count
    """Orders that closed longs."""
    short_events: Count
    """Orders that closed shorts."""
    identifiability: Identifiability
    """`ok`: from what each venue published; `extrapolated`: a part from complete feeds and open
    interest; else usd_estimated is a floor: `saturated`, or a partial feed `unknown`."""
    usd_by_venue: dict[str, UsdMicros]
    """Observed micro-dollars by venue."""
    largest_usd: UsdMicros
    """Largest single order, micro-dollars."""
    max_hour_share: Share | None
    """Share of the heaviest hour. Null when nothing was liquidated."""
    percentile_365d: Share | None
    """Rank among the basket's own days, 0..1. Null below 30 days of history."""
    n_days: Count
    """Days of history behind the percentile."""
    oi_share: NotNegative | None
    """Observed dollars over open interest. Null without open interest."""
    basket: Text
    """Named set of venues that the row and its history compare."""
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
            or _totals(self)
        )
        if problem:
            raise ValueError(problem)
        return self


class PrintTotal(Row):
    """Sum of forced orders by asset, venue and side, by Flink SQL (infra/flink/sql/prints.sql).

    An oracle for `Print`, which it shares no code with. Late orders are in late.v1 and not in here.
    A minute or a period without an order has no row.
    """

    type: Literal["print_total"]
    """Tag of the message type."""
    kind: Literal["minute", "rolling_24h"]
    """One minute, or the 24 hours that end with it."""
    asset: Asset
    """Base coin; key of the record."""
    venue: Venue
    """Venue that forced the orders."""
    side: PositionSide
    """Side of the positions closed."""
    period_start: Micros
    """Begin of the period, µs UTC, inclusive."""
    period_end: Micros
    """End of the period, µs UTC, exclusive; a full minute."""
    events: Count
    """Published forced orders, each id once, deleveraging left out."""
    usd: UsdMicros
    """Their sum, micro-dollars."""

    @model_validator(mode="after")
    def _laws(self) -> Self:
        length = {"minute": 60 * MICROS, "rolling_24h": 86_400 * MICROS}[self.kind]
        if self.period_end - self.period_start != length or self.period_end % (60 * MICROS):
            raise ValueError(f"a {self.kind} does not span {self.period_start}..{self.period_end}")
        if not self.events:
            raise ValueError("a period without an order has no row")
        return self


class Milestone(ResultRow):
    """The rolling 24 h total of a scope crossed a round sum; fires once per crossing."""

    self_evident: ClassVar[Set[str]] = frozenset({"since_previous_s", "probability"})

    type: Literal["milestone"]
    """Tag of the message type."""
    id: Id
    """Hash of scope, basis, threshold, crossing and definition."""
    basis: MilestoneBasis
    """`observed` is certain; `estimated` speaks of the corrected total."""
    threshold_usd: UsdMicros
    """The round sum, micro-dollars."""
    crossed_at: Micros
    """When the total crossed it, µs UTC of event time."""
    usd_observed: UsdMicros
    """Observed total at the crossing, micro-dollars."""
    usd_estimated: UsdMicros | None
    """Estimated total at the crossing, micro-dollars. Null for none."""
    since_previous_s: NotNegative | None
    """Seconds since the scope's last crossing of this sum. Null for the first one seen."""
    percentile_365d: Share | None
    """Rank of the total among the basket's own days, 0..1. Null below 30 days of history."""
    max_hour_share: Share | None
    """Share of the heaviest hour. Null when it cannot be told."""
    probability: Share | None
    """Probability that the true total is past the sum. Null where the crossing is observed."""
    text: str
    """One sentence for readers."""
    null_reasons: Reasons
    """For every other null field its reason."""
    v: Version = 1
    """Layout version."""

    @model_validator(mode="after")
    def _laws(self) -> Self:
        problem = self.wrong_nulls(self.null_reasons)
        if problem is None and self.basis == "observed" and self.usd_observed < self.threshold_usd:
            problem = "an observed crossing has at least threshold_usd observed"
        if problem:
            raise ValueError(problem)
        return self


def _totals(row: Print) -> str | None:
    if row.long_usd + row.short_usd != row.usd_observed:
        return "long_usd and short_usd sum to usd_observed"
    if row.long_events + row.short_events != row.events:
        return "long_events and short_events sum to events"
    if row.largest_usd > row.usd_observed:
        return "largest_usd is one of the orders that usd_observed sums"
    if row.percentile_365d is not None and row.n_days < 30:
        return "no percentile below 30 days of history"
    if row.period_start > row.as_of:
        return "as_of lies in the row's period"
    return None
