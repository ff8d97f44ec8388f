"""How much of a scope's one-minute returns goes with outside markets: DXY, VIX, GOLD, SPX.

Part of the volatility detector. Promises an exponentially weighted regression on exactly those
series that are fresh in the minute: its moments are those of past minutes in which all of them
were, so no missing value is ever filled in. Stale series (nights, weekends) give no share.
"""

from math import atanh, log, sqrt, tanh

import msgspec

from streams.core.detectors.least_squares import Matrix, explained, t_quantile_80
from streams.core.detectors.minutes import Minute
from streams.core.detectors.volatility.params import VolatilityParams
from streams.core.events import MICROS


class Moments(msgspec.Struct, array_like=True):
    """Weighted sums over minutes: weights and their squares, sums, and products (upper half)."""

    weight: float
    squares: float
    sums: list[float]
    products: list[float]


class Regression(msgspec.Struct):
    """Moments by set of series (bits) for one half-life, faded through the minute `at` (s)."""

    at: int = 0
    sets: dict[int, Moments] = {}


class MacroState(msgspec.Struct):
    """`price` and `values` (series -> value) at the close of the minute that ended at `at` (s).

    `regressions` by half-life; `known` series were fresh in the last minute, `present` came at all.
    """

    at: int = 0
    price: float | None = None
    values: dict[str, float] = {}
    regressions: dict[int, Regression] = {}
    known: int = 0
    present: bool = False


class Share(msgspec.Struct, frozen=True):
    """A share with its 80 % interval."""

    value: float
    low: float
    high: float


def take(state: MacroState, minute: Minute, params: VolatilityParams) -> None:
    """Learn the returns over a minute, where the minute before was closed too."""
    fresh: dict[str, float] = {}
    for series in params.macro_series:
        value = minute.macro.get(series)
        if value is None or value.value <= 0:
            continue
        age_us = minute.end * MICROS - value.at_us
        if age_us <= params.macro_fresh_s * MICROS:
            fresh[series] = value.value
    state.present = any(series in minute.macro for series in params.macro_series)
    state.known = 0
    if state.at == minute.start and state.price is not None and minute.close is not None:
        row: list[float] = []
        for bit, series in enumerate(params.macro_series):
            if series in fresh and series in state.values:
                state.known |= 1 << bit
                row.append(log(fresh[series]) - log(state.values[series]))
        if state.known:
            row.append(log(minute.close) - log(state.price))
            for half_life in sorted({params.macro_half_life_s, params.macro_half_life_day_s}):
                regression = state.regressions.setdefault(half_life, Regression())
                _learn(regression, state.known, row, minute.end, half_life)
    state.at, state.price, state.values = minute.end, minute.close, fresh


def _learn(state: Regression, known: int, row: list[float], at: int, half_life: int) -> None:
    kept = 0.5 ** ((at - state.at) / half_life)
    state.at = at
    for key in sorted(state.sets):
        one = state.sets[key]
        one.weight *= kept
        one.squares *= kept * kept
        if one.weight < 1e-3:
            del state.sets[key]
            continue
        one.sums = [value * kept for value in one.sums]
        one.products = [value * kept for value in one.products]
    mine = state.sets.get(known)
    products = [x * y for i, x in enumerate(row) for y in row[i:]]
    if mine is None:
        state.sets[known] = Moments(1.0, 1.0, row, products)
        return
    mine.weight += 1
    mine.squares += 1
    mine.sums = [a + b for a, b in zip(mine.sums, row, strict=True)]
    mine.products = [a + b for a, b in zip(mine.products, products, strict=True)]


def share(state: MacroState, half_life: int, params: VolatilityParams) -> Share | str:
    """R2 of the regression on the series fresh now, less what chance gives; or why not.

    With n effective minutes (Kish) and k series: 1 - (1 - R2)(n - 1)/(n - k - 1), at least 0.
    The interval is Fisher's, of the multiple correlation.
    """
    if not state.known:
        return "macro_stale" if state.present else "no_macro"
    wanted = [bit for bit in range(len(params.macro_series)) if state.known >> bit & 1]
    regression = state.regressions[half_life]
    weight = squares = 0.0
    size = len(wanted) + 1
    sums = [0.0] * size
    products: Matrix = [[0.0] * size for _ in range(size)]
    for key in sorted(regression.sets):
        if key & state.known != state.known:
            continue
        one = regression.sets[key]
        have = [bit for bit in range(len(params.macro_series)) if key >> bit & 1]
        places = [have.index(bit) for bit in wanted] + [len(have)]
        weight += one.weight
        squares += one.squares
        for i, place in enumerate(places):
            sums[i] += one.sums[place]
            for j, other in enumerate(places):
                products[i][j] += one.products[_place(place, other, len(have) + 1)]
    minutes = weight * weight / squares
    if minutes < params.macro_min_minutes:
        return "few_macro_minutes"
    for i in range(size):
        for j in range(size):
            products[i][j] -= sums[i] * sums[j] / weight
    if products[-1][-1] <= 0:
        return "no_variance"
    k = len(wanted)
    value = max(1 - (1 - explained(products)) * (minutes - 1) / (minutes - k - 1), 0.0)
    z = atanh(min(sqrt(value), 1 - 1e-9))
    reach = t_quantile_80(round(minutes)) / sqrt(minutes - k - 2)
    low, high = tanh(max(z - reach, 0.0)) ** 2, tanh(z + reach) ** 2
    return Share(value, min(low, value), max(high, value))


def _place(i: int, j: int, size: int) -> int:
    """Index of the product of two variables in the upper half, row by row."""
    low, high = min(i, j), max(i, j)
    return low * size - low * (low - 1) // 2 + high - low
