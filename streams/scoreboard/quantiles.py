"""Quantiles of measured values: one definition for every figure of the scoreboard.

Promises that no value gives no quantile (None), not zero. Knows nothing of what is measured.
"""

from collections.abc import Iterable
from math import isfinite


def quantile(values: Iterable[float], share: float) -> float | None:
    """The value below which `share` of the values lie, linear between order statistics.

    Hyndman and Fan (1996), type 7; the median of an even number is the mean of the middle two.
    None of no values.

    Raises:
        ValueError: `share` outside 0..1, or a value that is not finite.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share {share} is outside 0..1")
    ordered = sorted(values)
    if not all(map(isfinite, ordered)):
        raise ValueError("a value is not finite")
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def median(values: Iterable[float]) -> float | None:
    """`quantile` at one half."""
    return quantile(values, 0.5)
