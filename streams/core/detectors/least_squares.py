"""Explained variance of linear regressions, from second moments in pure Python.

Used by the volatility detector. Promises: deterministic, no libraries, and a column that the
others already span adds nothing instead of dividing by almost zero.
"""

from collections.abc import Sequence
from math import factorial

Matrix = list[list[float]]
"""Symmetric; the last row and column belong to the explained variable."""

_SPANNED = 1e-9


def pivot(matrix: Matrix, scale: float) -> Matrix:
    """The matrix without its first column, given that column (a Schur complement).

    `scale` is the column's own second moment before any other was taken out.
    """
    head, *rest = matrix
    if head[0] <= _SPANNED * scale:
        return [row[1:] for row in rest]
    return [
        [value - row[0] / head[0] * first for value, first in zip(row[1:], head[1:], strict=True)]
        for row in rest
    ]


def explained(matrix: Matrix) -> float:
    """R2 of the last variable on all others; 0 when it does not vary.

    >>> explained([[4.0, 2.0], [2.0, 2.0]])
    0.5
    """
    whole = matrix[-1][-1]
    if whole <= 0:
        return 0.0
    scales = [row[i] for i, row in enumerate(matrix)]
    for scale in scales[:-1]:
        matrix = pivot(matrix, scale)
    return min(max(1 - matrix[0][0] / whole, 0.0), 1.0)


def shapley(matrix: Matrix, groups: Sequence[int]) -> list[float]:
    """Shares of R2 by group of columns, averaged over the orders in which groups may enter.

    Lindeman, Merenda & Gold (1980), for groups. The shares add up to R2.

    Args:
        matrix: second moments about the mean, columns in the order of the groups.
        groups: how many columns each group has.

    >>> shapley([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0], [2.0, 1.0, 8.0]], [1, 1])
    [0.5, 0.125]
    """
    whole = matrix[-1][-1]
    if whole <= 0:
        return [0.0] * len(groups)
    scales = [row[i] for i, row in enumerate(matrix)]
    fits = [0.0] * (1 << len(groups))

    def descend(rest: Matrix, group: int, start: int, members: int) -> None:
        """Leave the group out, then take it in; at the end the residual of the subset stands."""
        if group == len(groups):
            fits[members] = min(max(1 - rest[0][0] / whole, 0.0), 1.0)
            return
        width = groups[group]
        descend([row[width:] for row in rest[width:]], group + 1, start + width, members)
        for scale in scales[start : start + width]:
            rest = pivot(rest, scale)
        descend(rest, group + 1, start + width, members | 1 << group)

    descend(matrix, 0, 0, 0)
    count = len(groups)
    shares: list[float] = []
    for group in range(count):
        mine, share = 1 << group, 0.0
        for members in range(1 << count):
            if not members & mine:
                size = members.bit_count()
                orders = factorial(size) * factorial(count - size - 1)
                share += orders * (fits[members | mine] - fits[members])
        shares.append(share / factorial(count))
    return shares


def t_quantile_80(freedom: int) -> float:
    """Two-sided 80 % quantile of Student's t, by Cornish-Fisher.

    >>> round(t_quantile_80(4), 2), round(t_quantile_80(1000), 2)
    (1.53, 1.28)
    """
    z = 1.2815515655446004
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / freedom + second / freedom**2


def interval_80(value: float, without: Sequence[float]) -> tuple[float, float]:
    """80 % interval of a share by the delete-one-block jackknife, inside 0..1.

    Args:
        value: the share over all blocks.
        without: the share without each block in turn; at least two.
    """
    blocks = len(without)
    mean = sum(without) / blocks
    error = ((blocks - 1) / blocks * sum((one - mean) ** 2 for one in without)) ** 0.5
    reach = t_quantile_80(blocks - 1) * error
    return max(min(value - reach, value), 0.0), min(max(value + reach, value), 1.0)
