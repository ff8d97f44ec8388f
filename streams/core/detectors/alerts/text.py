"""Figures of alerts as readers see them, and the score of a rule that was passed.

Used by every alert rule. Promises plain text of bounded length for any finite input.
"""

from collections.abc import Sequence

from streams.core.events import MICROS, PositionSide


def dollars(usd: int) -> str:
    """Micro-dollars in three digits.

    >>> [dollars(n * MICROS) for n in (950, 41_230, 3_100_000, 1_250_000_000)]
    ['$950', '$41.2k', '$3.1M', '$1.25B']
    """
    value = usd / MICROS
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            return f"${value / size:.3g}{unit}"
    return f"${value:.3g}"


def clock(second: int) -> str:
    """Time of day of a second since 1970.

    >>> clock(1_790_000_040)
    '14:14:00 UTC'
    """
    return f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02} UTC"


def span(seconds: float) -> str:
    """A duration.

    >>> span(84), span(600), span(7300)
    ('84 s', '10 min', '2.0 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def positions(side: PositionSide | None) -> str:
    """Whose positions are closed; None is both sides."""
    return "longs and shorts" if side is None else f"{side}s"


def score(margins: Sequence[float], unknown: int, penalty: float) -> float:
    """How clearly a rule was passed, 0..1: 0.5 at every threshold, towards 1 far beyond.

    The geometric mean of m / (1 + m), so that rules with more conditions do not score lower.

    >>> score([1.0, 1.0, 1.0], 0, 0.85), score([3.0], 1, 0.8)
    (0.5, 0.6)
    """
    product = 1.0
    for margin in margins:
        product *= margin / (1 + margin)
    return round(float(product ** (1 / len(margins))) * penalty**unknown, 4)
