"""Figures of a cascade window that follow from its sums alone.

Plain functions of numbers, used for its rows; each states its source.
"""

from math import sqrt

from streams.core.results import Severity

_Z95 = 1.959964
_SEVERITY: tuple[tuple[float, Severity], ...] = (
    (0.001, "minor"),
    (0.005, "moderate"),
    (0.02, "major"),
)


def severity(oi_share: float) -> Severity:
    """Class by share of open interest: 0.1, 0.5 and 2 % are the bounds.

    >>> severity(0.0004), severity(0.085)
    ('minor', 'extreme')
    """
    return next((name for bound, name in _SEVERITY if oi_share < bound), "extreme")


def share_interval(share: float, size: float) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927) seen in `size` equally weighted orders.

    Orders of unequal dollars count as Kish's effective number, (sum w)^2 / sum w^2.

    >>> [round(bound, 3) for bound in share_interval(1.0, 20)]
    [0.839, 1.0]
    """
    scale = 1 + _Z95**2 / size
    middle = (share + _Z95**2 / (2 * size)) / scale
    half = _Z95 * sqrt(share * (1 - share) / size + _Z95**2 / (4 * size**2)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)
