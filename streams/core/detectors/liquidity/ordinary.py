"""Ordinary values of a measure: its logarithm by hour of day, on weekdays and at weekends.

Used by the liquidity detector. Promises a memory that fades with time and not with calls, cells
shrunk to the mean over all hours while they are thin, and that one extreme hour moves it little.
Geometric means stand for medians: depth, spread and impact are near lognormal.
"""

from math import exp, log, sqrt

import msgspec

from streams.core.detectors.liquidity.params import LiquidityParams

CELLS = 48


def cell_of(hour: int) -> int:
    """The cell of an hour (s // 3600): hour of day, weekends (UTC) 24 later.

    >>> cell_of(0), cell_of(2 * 24 + 5)  # Thursday 1 January 1970, the Saturday after
    (0, 29)
    """
    return hour % 24 + (24 if (hour // 24 + 3) % 7 >= 5 else 0)


class HourSum(msgspec.Struct, array_like=True):
    """Minutes of the hour in progress: count, sum and sum of squares of the logarithm."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float | None) -> None:
        """Take a minute's value; None and zero are not known."""
        if value is not None and value > 0:
            logarithm = log(value)
            self.n += 1
            self.total += logarithm
            self.squares += logarithm * logarithm


class Ordinary(msgspec.Struct, array_like=True):
    """Faded means of a logarithm by cell (weights in hours), their mean, and the scatter.

    `hour` is the last hour learned.
    """

    hour: int = 0
    mean: float = 0.0
    weight: float = 0.0
    variance: float = 0.0
    means: list[float] = []
    weights: list[float] = []

    def learn(self, hour: int, seen: HourSum, params: LiquidityParams) -> None:
        """Take an hour's minutes.

        >>> ordinary, hour = Ordinary(), HourSum(60, 60 * log(2.0), 60 * log(2.0) ** 2)
        >>> for h in range(24):
        ...     ordinary.learn(h, hour, LiquidityParams())
        >>> [round(exp(ordinary.at(h, LiquidityParams())), 9) for h in (3, 100)]
        [2.0, 2.0]
        """
        if seen.n == 0:
            return
        if not self.means:
            self.means, self.weights = [0.0] * CELLS, [0.0] * CELLS
        value, share = seen.total / seen.n, min(1.0, seen.n / 60)
        expected = self.at(hour, params) if self.weight > 0 else value
        scatter = seen.squares / seen.n - 2 * expected * value + expected * expected
        most = log(params.learn_ratio)
        if self.weight >= params.least_history_h / 2:
            value = min(max(value, expected - most), expected + most)
            scatter = min(scatter, most * most)
        self.fade(hour, params)
        cell = cell_of(hour)
        self.weight += share
        self.mean += share / self.weight * (value - self.mean)
        self.variance += share / self.weight * (max(0.0, scatter) - self.variance)
        self.weights[cell] += share
        self.means[cell] += share / self.weights[cell] * (value - self.means[cell])

    def fade(self, hour: int, params: LiquidityParams) -> None:
        """Let the weights fade up to an hour."""
        if hour > self.hour:
            kept = 0.5 ** ((hour - self.hour) / params.ordinary_half_life_h)
            self.weight *= kept
            self.weights = [weight * kept for weight in self.weights]
            self.hour = hour

    def at(self, hour: int, params: LiquidityParams) -> float:
        """The ordinary logarithm in an hour: its cell's, shrunk to the mean over all hours."""
        cell = cell_of(hour)
        own = self.weights[cell]
        return (own * self.means[cell] + params.shrink_h * self.mean) / (own + params.shrink_h)

    def sigma(self, params: LiquidityParams) -> float:
        """Scatter of a minute's logarithm about its ordinary value, at least the floor."""
        return max(sqrt(self.variance), params.least_sigma)


class Norm(msgspec.Struct, frozen=True, array_like=True):
    """What is ordinary now: the value, its logarithm and the scatter of that."""

    value: float
    log: float
    sigma: float

    def z(self, value: float) -> float:
        """How far above the ordinary a positive value is, in standard deviations."""
        return (log(value) - self.log) / self.sigma


def norm(
    ordinary: Ordinary | None, hour: int, observed: Ordinary, params: LiquidityParams
) -> Norm | None:
    """The norm of an hour; None where the measure is known too seldom.

    Args:
        ordinary: of the measure.
        hour: s // 3600.
        observed: of the measure that is known best at the place: one known in few of its hours
            (a band that only a thin book reaches) is no norm.
        params: of the definition.
    """
    if ordinary is None or ordinary.weight <= 0:
        return None
    faded = ordinary.weight * 0.5 ** ((hour - ordinary.hour) / params.ordinary_half_life_h)
    best = observed.weight * 0.5 ** ((hour - observed.hour) / params.ordinary_half_life_h)
    if faded < params.least_reach * best:
        return None
    value = ordinary.at(hour, params)
    return Norm(exp(value), value, ordinary.sigma(params))
