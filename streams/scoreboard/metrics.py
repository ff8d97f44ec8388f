"""Detection figures of matched events: what one case counts, and statistics of pooled counts.

Promises that every figure of a scope class is a function of `Counts` alone, and that counts of
cases add up: the figure of many cases is that of their sum, never a mean of ratios. A figure
without a denominator is None. No interval is made here (`bootstrap.py`), nothing is matched here
(`matching.py`).
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, pairwise
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from streams.scoreboard.estimates import (
    Estimate,
    magnitude_error,
    relative_bias,
    relative_error,
)
from streams.scoreboard.matching import Matched
from streams.scoreboard.quantiles import median, quantile
from streams.scoreboard.spans import ALL, Case

ScopeClass = Literal["ALL", "assets"]
SIZE_EDGES: Final = (0.0, 4.0, 8.0, 16.0, 32.0)
"""Lower edges of the size classes: largest dollars of 60 s over open interest, basis points."""


class Hit(msgspec.Struct, frozen=True):
    """A matched event; seconds.

    `delay_s`: from the true onset to the second whose data gave the alarm, negative where the
    alarm was first; whoever publishes later adds that. Errors are said less true.
    """

    delay_s: int
    onset_error_s: int
    end_error_s: int
    side_right: bool
    size_bp: float
    usd: Estimate


class Counts(msgspec.Struct, frozen=True):
    """What one case, or several, add to the figures of one scope class.

    `missed_bp`: sizes of the missed events; `false`: spans that answer no event, `steady_false`
    those of them in steady cases. `scope_days`: days times scopes, for the class `assets` the same
    as asset-days, for `ALL` the same as days; `steady_scope_days` of steady cases.
    """

    hits: tuple[Hit, ...] = ()
    missed_bp: tuple[float, ...] = ()
    false: int = 0
    steady_false: int = 0
    scope_days: float = 0.0
    steady_scope_days: float = 0.0

    def __add__(self, other: "Counts") -> "Counts":
        """The counts of both."""
        return pool((self, other))

    @property
    def tp(self) -> int:
        """Matched events."""
        return len(self.hits)

    @property
    def fn(self) -> int:
        """Missed events."""
        return len(self.missed_bp)

    @property
    def fp(self) -> int:
        """Spans that answer no event."""
        return self.false


Statistic = Callable[[Counts], float | None]


def counts(case: Case, matched: Matched, scope_class: ScopeClass) -> Counts:
    """What one case adds; `matched` of all its scopes.

    Raises:
        ValueError: a span or an event has a scope that the case does not hold.
    """

    def counted(scope: str) -> bool:
        if scope != ALL and scope not in case.assets:
            raise ValueError(f"{case.name} holds no scope {scope}")
        return (scope == ALL) == (scope_class == "ALL")

    hits = tuple(
        Hit(
            pair.span.detected_at - pair.event.onset,
            pair.span.onset - pair.event.onset,
            pair.span.end - pair.event.end,
            pair.side_right,
            pair.event.size_bp,
            Estimate(pair.event.usd, pair.span.usd),
        )
        for pair in matched.pairs
        if counted(pair.event.scope)
    )
    missed = tuple(event.size_bp for event in matched.missed if counted(event.scope))
    false = sum(counted(span.scope) for span in matched.false)
    exposed = (case.end - case.begin) / 86_400 if scope_class == "ALL" else case.asset_days
    return Counts(
        hits,
        missed,
        false,
        false if case.steady else 0,
        exposed,
        exposed if case.steady else 0.0,
    )


def pool(parts: Iterable[Counts]) -> Counts:
    """The sum of counts; of none, empty counts."""
    several = tuple(parts)
    return Counts(
        tuple(chain.from_iterable(part.hits for part in several)),
        tuple(chain.from_iterable(part.missed_bp for part in several)),
        sum(part.false for part in several),
        sum(part.steady_false for part in several),
        sum(part.scope_days for part in several),
        sum(part.steady_scope_days for part in several),
    )


def precision(of: Counts) -> float | None:
    """Matched spans over all spans."""
    return _share(of.tp, of.tp + of.fp)


def recall(of: Counts) -> float | None:
    """Matched events over all events."""
    return _share(of.tp, of.tp + of.fn)


def f1(of: Counts) -> float | None:
    """2 tp / (2 tp + fp + fn), the harmonic mean of precision and recall."""
    return _share(2 * of.tp, 2 * of.tp + of.fp + of.fn)


def side_accuracy(of: Counts) -> float | None:
    """Share of matched spans that name the right side."""
    return _share(sum(hit.side_right for hit in of.hits), of.tp)


def false_per_scope_day(of: Counts) -> float | None:
    """False alarms per day and scope: per asset-day in `assets`, per day of the market in `ALL`."""
    return _share(of.false, of.scope_days)


def steady_false_per_scope_day(of: Counts) -> float | None:
    """The same, of the steady cases alone."""
    return _share(of.steady_false, of.steady_scope_days)


STATISTICS: Final[Mapping[str, Statistic]] = MappingProxyType(
    {
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "side_accuracy": side_accuracy,
        "false_per_scope_day": false_per_scope_day,
        "steady_false_per_scope_day": steady_false_per_scope_day,
        "delay_median_s": lambda of: median(hit.delay_s for hit in of.hits),
        "delay_p90_s": lambda of: quantile((hit.delay_s for hit in of.hits), 0.9),
        "onset_error_s": lambda of: median(abs(hit.onset_error_s) for hit in of.hits),
        "end_error_s": lambda of: median(abs(hit.end_error_s) for hit in of.hits),
        "usd_error": lambda of: relative_error(hit.usd for hit in of.hits),
        "usd_bias": lambda of: relative_bias(hit.usd for hit in of.hits),
        "magnitude_error": lambda of: magnitude_error(hit.usd for hit in of.hits),
    }
)
"""Figures by name. Delays and errors are of matched events only: read them beside the recall."""


class SizeRecall(msgspec.Struct, frozen=True):
    """Recall of the events of `from_bp` up to the next class; None without an event."""

    from_bp: float
    found: int
    events: int
    recall: float | None


def recall_by_size(of: Counts, edges: Sequence[float] = SIZE_EDGES) -> tuple[SizeRecall, ...]:
    """Recall of every size class; `edges` ascending, an edge belongs to the class it opens.

    Raises:
        ValueError: an event is smaller than the first edge.
    """
    found = [0] * len(edges)
    missed = [0] * len(edges)
    for sizes, into in (([hit.size_bp for hit in of.hits], found), (of.missed_bp, missed)):
        for size in sizes:
            if size < edges[0]:
                raise ValueError(f"an event of {size} bp is below the first class, {edges[0]}")
            into[bisect_right(edges, size) - 1] += 1
    return tuple(
        SizeRecall(edge, hit, hit + lost, _share(hit, hit + lost))
        for edge, hit, lost in zip(edges, found, missed, strict=True)
    )


def pr_auc(sweep: Iterable[Counts]) -> float | None:
    """Area under precision over recall of a sweep of settings, one `Counts` per setting; 0..1.

    Height at recall r: the best precision of any setting that reaches r or more, a step (upper
    envelope, no setting between two settings is invented). Down to recall 0 it stays at the height
    of the strictest setting of that envelope. Beyond the largest recall reached there is no area:
    a rule that cannot reach an event earns nothing for it. A setting without a span reaches
    recall 0 and adds nothing. None where there are no events.
    """
    points = [(r, precision(of) or 0.0) for of in sweep if (r := recall(of)) is not None]
    return envelope_area(points)


def envelope_area(points: Iterable[tuple[float, float]]) -> float | None:
    """`pr_auc` of (recall, precision) points; None of none."""
    best: dict[float, float] = {}
    height = 0.0
    for r, p in sorted(points, reverse=True):
        height = max(height, p)
        best[r] = height
    if not best:
        return None
    steps = pairwise((0.0, *sorted(best)))
    return sum((right - left) * best[right] for left, right in steps)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
