"""Round sums that a rolling total crosses (definition 1.10, `milestone`).

Part of the print detector. Promises one crossing per rise: a sum fires when the total reaches it
and is armed again only below a share of it. It is fed totals without late orders, so that a late
order can neither fire nor take back a milestone.
"""

from collections.abc import Iterator, Mapping

import msgspec

from streams.core.detectors.prints.params import PrintParams
from streams.core.events import MICROS, stable_id
from streams.core.results import MARKET, Milestone, MilestoneBasis
from streams.core.rowmeta import RowMeta


class Mark(msgspec.Struct):
    """One round sum of one basis: whether it may fire, and the second it last fired."""

    armed: bool = True
    crossed_at: int | None = None


class Crossing(msgspec.Struct, frozen=True):
    """A round sum reached at `second`; `since_previous_s` after it was last reached."""

    basis: MilestoneBasis
    threshold_usd: int
    second: int
    since_previous_s: int | None


class Standing(msgspec.Struct, frozen=True):
    """The total at a crossing, late orders included, as its print states it."""

    usd_observed: int
    usd_estimated: int | None
    coverage: float
    percentile_365d: float | None
    max_hour_share: float | None
    null_reasons: Mapping[str, str]


def crossings(
    marks: dict[str, Mark], basis: MilestoneBasis, usd: int, second: int, params: PrintParams
) -> Iterator[Crossing]:
    """Sums that `usd` has just reached, smallest first; updates `marks`.

    Args:
        marks: state by basis and sum.
        basis: which total `usd` is.
        usd: rolling total without late orders, micro-dollars.
        second: event-time second of the total.
        params: the sums and the share at which they are armed again.
    """
    for threshold in params.milestones_usd:
        name = f"{basis}/{threshold}"
        mark = marks.get(name)
        if usd < threshold:
            if mark is not None and usd * 100 < threshold * params.rearm_percent:
                mark.armed = True
            elif mark is None:
                return
            continue
        if mark is None:
            mark = marks[name] = Mark()
        if mark.armed:
            since = None if mark.crossed_at is None else second - mark.crossed_at
            marks[name] = Mark(False, second)
            yield Crossing(basis, threshold, second, since)


def milestone_row(
    scope: str, crossing: Crossing, standing: Standing, params: PrintParams, meta: RowMeta
) -> Milestone:
    """The row of a crossing. No probability is stated: nothing has calibrated one yet."""
    reasons = {"probability": "uncalibrated"}
    if crossing.since_previous_s is None:
        reasons["since_previous_s"] = "first_crossing"
    for field in ("usd_estimated", "percentile_365d", "max_hour_share"):
        if field in standing.null_reasons:
            reasons[field] = standing.null_reasons[field]
    since = crossing.since_previous_s
    return Milestone(
        id=stable_id(
            "milestone",
            scope,
            crossing.basis,
            crossing.threshold_usd,
            crossing.second * MICROS,
            params.milestone_definition,
        ),
        revision=1,
        is_final=True,
        definition=params.milestone_definition,
        params_hash=meta.params_hash,
        engine=meta.engine,
        scope=scope,
        partition=meta.partition,
        coverage=standing.coverage,
        watermark=crossing.second * MICROS,
        basis=crossing.basis,
        threshold_usd=crossing.threshold_usd,
        crossed_at=crossing.second * MICROS,
        usd_observed=standing.usd_observed,
        usd_estimated=standing.usd_estimated,
        since_previous_s=None if since is None else float(since),
        percentile_365d=standing.percentile_365d,
        max_hour_share=standing.max_hour_share,
        probability=None,
        text=headline(scope, crossing.basis, crossing.threshold_usd, standing.percentile_365d),
        null_reasons=dict(sorted(reasons.items())),
    )


def headline(
    scope: str, basis: MilestoneBasis, threshold_usd: int, percentile: float | None
) -> str:
    """One line for readers.

    >>> headline("ALL", "observed", 400_000_000_000_000, 0.972)
    '$400M liquidated in 24 h (97th percentile day)'
    >>> headline("BTC", "estimated", 1_000_000_000_000_000, None)
    'BTC: $1B liquidated in 24 h by estimate'
    """
    millions = threshold_usd / MICROS / 1e6
    sum_text = f"${millions / 1000:g}B" if millions >= 1000 else f"${millions:g}M"
    subject = "" if scope == MARKET else f"{scope}: "
    text = f"{subject}{sum_text} liquidated in 24 h"
    if basis == "estimated":
        text += " by estimate"
    return text if percentile is None else f"{text} ({_ordinal(percentile)} percentile day)"


def _ordinal(share: float) -> str:
    number = int(share * 100 + 1e-9)
    suffix = "th" if number // 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
