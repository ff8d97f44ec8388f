"""Alerts of 24 h totals that reached a round sum (definitions 1.8 and 1.10).

Promises one alert for the largest sum of a second, the observed total before the estimated one,
and one group for both totals of a rise.
"""

from collections.abc import Iterator, Sequence

import msgspec

from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.alerts.rows import Fact, alert
from streams.core.detectors.signal import Origin
from streams.core.events import MICROS
from streams.core.results import Alert, Milestone
from streams.core.results.alerts import AlertSeverity


class Rise(msgspec.Struct):
    """The last rise to a sum: its group, and the totals that have reached it."""

    group: str
    bases: list[str] = []


Rises = dict[int, Rise]
"""By sum, micro-dollars."""


def milestones(
    rises: Rises, rows: Sequence[Milestone], params: AlertParams, origin: Origin
) -> Iterator[Alert]:
    """Alerts of the crossings that came together."""
    largest: dict[int, Milestone] = {}
    for row in rows:
        rise = rises.get(row.threshold_usd)
        if rise is None or row.basis in rise.bases:
            rise = rises[row.threshold_usd] = Rise(row.id)
        rise.bases.append(row.basis)
        best = largest.get(row.crossed_at)
        if best is None or _order(row) > _order(best):
            largest[row.crossed_at] = row
    for stamp in sorted(largest):
        yield _row(largest[stamp], rises, params, origin)


def _order(row: Milestone) -> tuple[int, bool]:
    return row.threshold_usd, row.basis == "observed"


def _row(row: Milestone, rises: Rises, params: AlertParams, origin: Origin) -> Alert:
    rank = row.percentile_365d
    severity: AlertSeverity = "info"
    unknown: dict[str, str] = {}
    if rank is None:
        unknown["percentile_365d"] = row.null_reasons.get("percentile_365d", "no_history")
    elif rank >= params.milestone_warning:
        severity = "critical" if rank >= params.milestone_critical else "warning"
    estimated = row.usd_estimated
    return alert(
        origin,
        Fact("milestone", row.crossed_at // MICROS, (row.id,), row.coverage),
        severity,
        0.5 if rank is None else round(rank, 4),
        f"{row.text}.",
        {
            "threshold_usd": row.threshold_usd / MICROS,
            "usd_observed": row.usd_observed / MICROS,
            "usd_estimated": None if estimated is None else estimated / MICROS,
            "percentile_365d": rank,
            "max_hour_share": row.max_hour_share,
            "since_previous_s": row.since_previous_s,
        },
        group=rises[row.threshold_usd].group,
        evidence=(row.id,),
        unknown=unknown,
    )
