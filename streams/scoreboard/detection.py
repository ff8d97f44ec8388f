"""The table of flush detection: every rule at its authors' values and as tuned on train seeds.

Promises figures of pooled counts with intervals by whole runs, the area under precision and recall
over the rule's one threshold, and what remains when a family of scenarios was not there to tune on.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from streams.scoreboard.bootstrap import Interval, interval, intervals
from streams.scoreboard.judging import CLASSES, OURS, Judged, Setting, column, default_of
from streams.scoreboard.judging import settings_of as settings_of_rule
from streams.scoreboard.metrics import (
    STATISTICS,
    Counts,
    ScopeClass,
    SizeRecall,
    f1,
    pool,
    pr_auc,
    recall,
    recall_by_size,
)
from streams.scoreboard.tuning import Choices, best
from streams.simulation.flushes import FlushRule

Tuned = Literal["default", "tuned"]


class Line(msgspec.Struct, frozen=True):
    """One rule at one setting over the runs of a split, for one scope class.

    `figures` as in `metrics.STATISTICS`; `pr_auc`: over the threshold at the line's further dial;
    `lead`: F1 and area of ours less this line's, of the same draws (None for ours).
    """

    rule: str
    tuned: Tuned
    setting: Setting
    scope_class: ScopeClass
    true_positives: int
    false_positives: int
    missed: int
    figures: dict[str, Interval]
    pr_auc: Interval
    lead: dict[str, Interval] | None
    sizes: tuple[SizeRecall, ...]
    f1_by_family: dict[str, float | None]


class LeftOut(msgspec.Struct, frozen=True):
    """F1 where a family is judged by the setting that is best on the train runs of the others."""

    rule: str
    scope_class: ScopeClass
    f1: Interval
    by_family: dict[str, float | None]


class Sensitivity(msgspec.Struct, frozen=True):
    """Figures of ours when the label asks for `rate_bp`, at the setting that is nearest to our
    definition's in proportion.
    """

    rate_bp: float
    setting: Setting
    scope_class: ScopeClass
    events: int
    recall: float | None
    f1: float | None


def lines(judged: Sequence[Judged], choices: Choices) -> tuple[Line, ...]:
    """Ours first, then the rivals, each at both settings."""
    found: list[Line] = []
    for kind in CLASSES:
        mine = _sweep(judged, OURS, choices.setting(OURS, kind), kind)
        for rule in judged[0].counts:
            tried: list[tuple[Tuned, Setting]] = [("tuned", choices.setting(rule, kind))]
            if rule != OURS:
                tried.insert(0, ("default", default_of(rule)))
            for name, setting in tried:
                found.append(_line(judged, rule, name, setting, kind, mine))
    return tuple(found)


def left_out(
    train: Sequence[Judged], test: Sequence[Judged], rules: Sequence[str]
) -> tuple[LeftOut, ...]:
    """Leave one family out of tuning, and judge it; all families pooled."""
    families = sorted({one.family for one in test})
    found: list[LeftOut] = []
    for rule in rules:
        for kind in CLASSES:
            classes = CLASSES if rule == OURS else (kind,)
            parts: list[Counts] = []
            by_family: dict[str, float | None] = {}
            for family in families:
                others = [one for one in train if one.family != family]
                setting, _ = best(others, rule, classes)
                own = column([one for one in test if one.family == family], rule, setting, kind)
                by_family[family] = f1(pool(own))
                parts += own
            found.append(LeftOut(rule, kind, interval(parts, pool, f1), by_family))
    return tuple(found)


def sensitivity(judged: Sequence[Judged], rates: Sequence[float]) -> tuple[Sensitivity, ...]:
    """What becomes of our figures when the label asks for another rate.

    Raises:
        KeyError: a run has no events of a rate.
    """
    found: list[Sensitivity] = []
    for rate in rates:
        wanted = default_of(OURS)[0] * rate / FlushRule().rate_bp
        setting = min(settings_of_rule(OURS), key=lambda one: abs(one[0] - wanted))
        for kind in CLASSES:
            own = rate == FlushRule().rate_bp
            whole = pool(
                (one.counts[OURS] if own else one.at_rates[rate])[setting][kind] for one in judged
            )
            events = len(whole.hits) + len(whole.missed_bp)
            found.append(Sensitivity(rate, setting, kind, events, recall(whole), f1(whole)))
    return tuple(found)


_Sweep = list[list[Counts]]
"""Of each run: counts at the line's own setting, then at every threshold with its further dial."""


def _sweep(judged: Sequence[Judged], rule: str, setting: Setting, kind: ScopeClass) -> _Sweep:
    same = [one for one in settings_of_rule(rule) if one[1:] == setting[1:]]
    if setting not in same:
        same.append(setting)
    columns = [column(judged, rule, one, kind) for one in (setting, *same)]
    return [list(row) for row in zip(*columns, strict=True)]


def _pooled(parts: Sequence[list[Counts]]) -> list[Counts]:
    return [pool(one) for one in zip(*parts, strict=True)]


def _area(of: list[Counts]) -> float | None:
    return pr_auc(of[1:])


def _line(
    judged: Sequence[Judged],
    rule: str,
    tuned: Tuned,
    setting: Setting,
    kind: ScopeClass,
    mine: _Sweep,
) -> Line:
    parts = _sweep(judged, rule, setting, kind)
    own = [row[0] for row in parts]
    whole = pool(own)
    families = sorted({one.family for one in judged})
    return Line(
        rule,
        tuned,
        setting,
        kind,
        whole.tp,
        whole.fp,
        whole.fn,
        intervals(own, pool, STATISTICS),
        interval(parts, _pooled, _area),
        None if rule == OURS else _lead(mine, parts),
        recall_by_size(whole),
        {
            family: f1(pool(column([o for o in judged if o.family == family], rule, setting, kind)))
            for family in families
        },
    )


def _lead(mine: _Sweep, theirs: _Sweep) -> dict[str, Interval]:
    """Ours less theirs, on the same draws of runs."""
    width = len(mine[0])
    both = [[*left, *right] for left, right in zip(mine, theirs, strict=True)]

    def less(
        figure: Callable[[list[Counts]], float | None],
    ) -> Callable[[list[Counts]], float | None]:
        def difference(of: list[Counts]) -> float | None:
            left, right = figure(of[:width]), figure(of[width:])
            return None if left is None or right is None else left - right

        return difference

    return intervals(both, _pooled, {"f1": less(lambda of: f1(of[0])), "pr_auc": less(_area)})
