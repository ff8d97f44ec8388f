"""How well a score ranks what happened above what did not: the figure for health indices.

Pure; promises the exact area under the ROC curve, ties in the middle. Neighbouring hours are not
independent: intervals come from `bootstrap.py`, by cluster.
"""

from collections.abc import Sequence
from itertools import groupby


def auc(scores: Sequence[float], outcomes: Sequence[bool]) -> float | None:
    """Probability that a true outcome scores above a false one, ties counted half.

    Mann and Whitney (1947) by mid-ranks. None unless both outcomes occur. Leave out moments
    without a score before: what is not known is not low.

    Raises:
        ValueError: lengths differ, or a score is not a number.
    """
    if len(scores) != len(outcomes):
        raise ValueError(f"{len(scores)} scores for {len(outcomes)} outcomes")
    if any(score != score for score in scores):
        raise ValueError("a score is not a number")
    true = sum(outcomes)
    false = len(outcomes) - true
    if not true or not false:
        return None
    doubled = below = 0
    ranked = sorted(zip(scores, outcomes, strict=True))
    for _, tied in groupby(ranked, key=lambda one: one[0]):
        answers = [outcome for _, outcome in tied]
        above = sum(answers)
        level = len(answers) - above
        doubled += above * (2 * below + level)
        below += level
    return doubled / (2 * true * false)
