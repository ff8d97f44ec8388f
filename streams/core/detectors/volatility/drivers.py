"""What the hourly log variance goes with: its own past, leverage, depth, macro, institutions.

Part of the volatility detector. A regression over complete hours only, split by Shapley shares
with a delete-block jackknife; no random numbers. Promises that shares and `unexplained` add up to
1, and that a driver without enough hours leaves the regression with its reason instead of being
filled in. The shares are associations.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import isnan
from operator import mul

import msgspec

from streams.core.detectors.least_squares import Matrix, interval_80, shapley
from streams.core.detectors.volatility.hours import DEPTHS, WEEK_H, Hours
from streams.core.detectors.volatility.macro import Share
from streams.core.detectors.volatility.params import VolatilityParams

DRIVERS = ("persistence", "leverage", "depth", "uncertainty", "institutional", "dominance")
_LAGS_H = (1, 24, WEEK_H)
_LEAST_KNOWN = 0.6
_ABSENT = {
    "leverage": "no_liquidation_map",
    "depth": "no_book",
    "uncertainty": "no_macro",
    "institutional": "no_institutional_series",
    "dominance": "no_dominance",
}


class DriverShares(msgspec.Struct):
    """Shares by driver and `unexplained`, over `hours`; `missing` says why one is not there."""

    hours: int = 0
    shares: dict[str, Share] = {}
    missing: dict[str, str] = {}


def fit(history: Hours, params: VolatilityParams) -> DriverShares:
    """The shares over the hours kept."""
    short = f"history_below_{params.driver_min_hours // 24}_days"
    y = list(history.columns["variance"])
    hours = [i for i, variance in enumerate(y) if not isnan(variance)]
    lags: list[list[float]] = []
    if len(hours) >= params.driver_min_hours:
        lags = [_means(y, lag) for lag in _LAGS_H]
        hours = [i for i in hours if not any(isnan(column[i]) for column in lags)]
    if len(hours) < params.driver_min_hours:
        names = (*DRIVERS, "unexplained")
        return DriverShares(missing=dict.fromkeys(names, short))
    columns: list[tuple[str, Sequence[float]]] = [("persistence", column) for column in lags]
    chosen, hours = _complete(history, hours, params.driver_min_hours)
    columns += [(group, history.columns[name]) for group, name in chosen]
    columns.sort(key=lambda column: DRIVERS.index(column[0]))
    present = [name for name in DRIVERS if any(group == name for group, _ in columns)]
    widths = [sum(group == name for group, _ in columns) for name in present]
    data = [[column[i] for i in hours] for _, column in (*columns, ("variance", y))]
    count = min(params.driver_blocks, len(hours) // params.driver_block_h)
    whole, without = _shares(data, widths, max(count, 2))
    found: dict[str, Share] = {}
    for place, name in enumerate((*present, "unexplained")):
        found[name] = Share(whole[place], *interval_80(whole[place], [s[place] for s in without]))
    missing: dict[str, str] = {}
    for name in DRIVERS:
        if name not in present:
            missing[name] = _why(history, name) or short
    return DriverShares(len(hours), found, missing)


def _why(history: Hours, driver: str) -> str | None:
    """Why a driver is not in the regression; None where only hours are missing."""
    values = {
        x
        for name, column in history.columns.items()
        if name != "variance" and group_of(name) == driver
        for x in column
        if not isnan(x)
    }
    if not values:
        return _ABSENT[driver]
    return "never_changed" if len(values) == 1 else None


def group_of(column: str) -> str:
    """The driver that a column of the history belongs to.

    >>> group_of("depth_10"), group_of("etf_net_flow")
    ('depth', 'institutional')
    """
    if column in DEPTHS:
        return "depth"
    return column if column in DRIVERS else "institutional"


def _complete(
    history: Hours, hours: list[int], least: int
) -> tuple[list[tuple[str, str]], list[int]]:
    """Columns known together in at least `least` hours, as (driver, column), and those hours.

    A column that never changed is left out; then the rarest leaves until enough hours are
    complete.
    """
    known = {
        name: frozenset(i for i in hours if not isnan(column[i]))
        for name, column in history.columns.items()
        if name != "variance"
    }
    names = [
        name
        for name, places in known.items()
        if len(places) >= least and len({history.columns[name][i] for i in places}) > 1
    ]
    while True:
        complete = [i for i in hours if all(i in known[name] for name in names)]
        if len(complete) >= least:
            return [(group_of(name), name) for name in names], complete
        names.remove(min(names, key=lambda name: len(known[name])))


def _means(y: list[float], lag: int) -> list[float]:
    """Mean of the `lag` values before each place; NaN where too few of them are known."""
    sums = list(accumulate((0.0 if isnan(x) else x for x in y), initial=0.0))
    counts = list(accumulate((0 if isnan(x) else 1 for x in y), initial=0))
    found: list[float] = []
    for i in range(len(y)):
        start = max(i - lag, 0)
        n = counts[i] - counts[start]
        enough = n > 0 and n >= _LEAST_KNOWN * lag
        found.append((sums[i] - sums[start]) / n if enough else float("nan"))
    return found


def _shares(
    data: list[list[float]], widths: list[int], blocks: int
) -> tuple[list[float], list[list[float]]]:
    """Shares and what is left, over all hours and without each block of hours in turn."""
    rows = len(data[0])
    # A column that never changes becomes exactly zero, and adds nothing.
    shifted = [[1.0] * rows, *([x - column[0] for x in column] for column in data)]
    cuts = [i * rows // blocks for i in range(blocks + 1)]
    parts = [_products([column[low:high] for column in shifted]) for low, high in pairwise(cuts)]
    size = len(shifted)
    total = [[sum(part[i][j] for part in parts) for j in range(size)] for i in range(size)]
    whole = _split(total, widths)
    without = [
        _split([[total[i][j] - part[i][j] for j in range(size)] for i in range(size)], widths)
        for part in parts
    ]
    return whole, without


def _products(columns: list[list[float]]) -> Matrix:
    size = len(columns)
    matrix: Matrix = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i, size):
            matrix[i][j] = matrix[j][i] = sum(map(mul, columns[i], columns[j]))
    return matrix


def _split(moments: Matrix, widths: list[int]) -> list[float]:
    """Shares by group and what is left, from raw moments with a constant in front."""
    head, *rest = moments
    about_mean = [
        [value - row[0] / head[0] * first for value, first in zip(row[1:], head[1:], strict=True)]
        for row in rest
    ]
    shares = [max(share, 0.0) for share in shapley(about_mean, widths)]
    return [*shares, max(1 - sum(shares), 0.0)]
