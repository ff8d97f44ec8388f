"""What a liquidation map looks like from a price: fuel, pain, concentration and zones.

Beside the detector `zones`; pure functions of densities by bin, nearest bin first. Distances are
logs of the price: of bin k, from `first + (k - 1) * width` to `first + k * width`, of the nearest
from 0 to `first`. Definition: docs/definitions/zones.md.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, exp


def fuel(usd: Sequence[float], first: float, width: float, distance: float) -> float:
    """Dollars between the price and a distance; bins count evenly.

    >>> fuel([10.0, 20.0, 40.0], 0.001, 0.002, 0.002)
    20.0
    """
    total = 0.0
    begin, end = 0.0, first
    for value in usd:
        if end >= distance:
            share = (distance - begin) / (end - begin) if end > begin else 1.0
            return total + value * min(1.0, max(0.0, share))
        total += value
        begin, end = end, end + width
    return total


def middle(usd: Sequence[float], first: float, width: float) -> float | None:
    """Distance within which half of the dollars lie; None of an empty map.

    >>> middle([10.0, 20.0, 30.0], 0.001, 0.002)
    0.003
    """
    half = sum(usd) / 2
    if half <= 0:
        return None
    begin, end = 0.0, first
    for value in usd:
        if value >= half > 0:
            return begin + (end - begin) * half / value
        half -= value
        begin, end = end, end + width
    return begin


def concentration(sides: Sequence[Sequence[float]], bins: int) -> float | None:
    """Herfindahl index over bands of so many bins: 1 = all in one band; None of an empty map.

    >>> concentration([[1.0, 1.0, 2.0], [4.0]], 2)
    0.375
    """
    bands = [sum(usd[at : at + bins]) for usd in sides for at in range(0, len(usd), bins)]
    total = sum(bands)
    return sum((band / total) ** 2 for band in bands) if total > 0 else None


@lru_cache(maxsize=8)
def kernel(deviation: float, width: float) -> tuple[float, ...]:
    """Weights of a normal kernel over an odd number of bins, two deviations wide on either side."""
    reach = ceil(2 * deviation / width)
    raw = [exp(-0.5 * (k * width / deviation) ** 2) for k in range(-reach, reach + 1)]
    total = sum(raw)
    return tuple(weight / total for weight in raw)


def smooth(usd: Sequence[float], weights: tuple[float, ...]) -> list[float]:
    """The density, smoothed with an even kernel; what leaves at an end is lost.

    >>> smooth([0.0, 4.0, 0.0, 8.0], (0.25, 0.5, 0.25))
    [1.0, 2.0, 3.0, 4.0]
    """
    reach = len(weights) // 2
    pad = [0.0] * reach
    padded = [*pad, *usd, *pad]
    result = [weights[reach] * value for value in usd]
    for k in range(reach):
        # The kernel is even: one weight for a bin on either side.
        pairs = zip(result, padded[k:], padded[len(weights) - 1 - k :], strict=False)
        result = [value + weights[k] * (one + other) for value, one, other in pairs]
    return result


def dense(sides: Sequence[Sequence[float]], quantile: float) -> list[list[tuple[int, int]]]:
    """Runs of bins, by side, whose density is at or above a quantile of all bins: [from, to).

    >>> dense([[1.0, 9.0, 8.0, 1.0], [1.0, 1.0, 7.0, 1.0]], 0.6)
    [[(1, 3)], [(2, 3)]]
    """
    ordered = sorted(value for usd in sides for value in usd)
    if not ordered:
        return [[] for _ in sides]
    level = ordered[min(len(ordered) - 1, ceil(quantile * len(ordered)))]
    found: list[list[tuple[int, int]]] = []
    for usd in sides:
        runs: list[tuple[int, int]] = []
        begin: int | None = None
        for at, value in enumerate(usd):
            high = value >= level and value > 0
            if high and begin is None:
                begin = at
            elif not high and begin is not None:
                runs.append((begin, at))
                begin = None
        if begin is not None:
            runs.append((begin, len(usd)))
        found.append(runs)
    return found
