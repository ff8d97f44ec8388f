"""What a liquidation map is worth: hourly scores of its forecast against two plain ones.

Beside the detector `zones`. At the turn of an hour the map, the volume profile and the price are
frozen; an hour later the forced orders of the bins that the price reached are held against them.
Given the path of the price, which none of the three forecasts, the question is only *where* on it
the orders fell. Promises that no score uses what came after its forecast.
Definition: docs/definitions/zones.md.
"""

from collections.abc import Sequence
from math import log, sqrt

import msgspec

from streams.core.detectors.zones.params import ZoneParams


def no_orders() -> tuple[dict[int, int], dict[int, int]]:
    """Orders of longs and of shorts by bin: none yet."""
    return {}, {}


class Forecast(msgspec.Struct, frozen=True):
    """What was known at `at` (s): `centre` is the bin of the price.

    `maps` and `volumes`: density of longs by bin downwards from the next bin below, of shorts
    upwards; `volumes` is None where no volume is known.
    """

    at: int
    centre: int
    maps: tuple[list[float], list[float]]
    volumes: tuple[list[float], list[float]] | None


class Hour(msgspec.Struct):
    """Forced orders of longs and of shorts by bin since the last forecast, and the bins reached."""

    orders: tuple[dict[int, int], dict[int, int]] = msgspec.field(default_factory=no_orders)
    lowest: int | None = None
    highest: int | None = None

    def reach(self, index: int) -> None:
        """The price was in a bin."""
        self.lowest = index if self.lowest is None else min(self.lowest, index)
        self.highest = index if self.highest is None else max(self.highest, index)


class Mean(msgspec.Struct):
    """A weighted mean with its standard error, of entries that count ever less."""

    weight: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    cross: float = 0.0
    spread: float = 0.0

    def add(self, value: float, weight: float) -> None:
        """Take an entry.

        >>> mean = Mean()
        >>> for value in (1.0, 3.0):
        ...     mean.add(value, 2.0)
        >>> mean.mean(), round(mean.error(), 6)
        (2.0, 0.707107)
        """
        self.weight += weight
        self.total += weight * value
        self.squares += weight**2
        self.cross += weight**2 * value
        self.spread += weight**2 * value**2

    def fade(self, keep: float) -> None:
        """Let all entries count less."""
        self.weight *= keep
        self.total *= keep
        self.squares *= keep**2
        self.cross *= keep**2
        self.spread *= keep**2

    def mean(self) -> float | None:
        """The mean; None without entries."""
        return self.total / self.weight if self.weight > 0 else None

    def error(self) -> float:
        """Standard error of the mean: entries are independent, orders inside one are not."""
        if self.weight <= 0:
            return 0.0
        mean = self.total / self.weight
        variance = self.spread - 2 * mean * self.cross + mean**2 * self.squares
        return sqrt(max(0.0, variance)) / self.weight


class Score(msgspec.Struct):
    """What the forecasts so far were worth; `at` (s) is the last hour scored."""

    at: int = 0
    orders: float = 0.0
    volume: Mean = msgspec.field(default_factory=Mean)
    uniform: Mean = msgspec.field(default_factory=Mean)
    auc: Mean = msgspec.field(default_factory=Mean)

    def proven(self, params: ZoneParams) -> bool:
        """Enough orders, and a skill above its error against both rivals."""
        return self.orders >= params.score_least and all(
            (mean.mean() or 0.0) > params.score_errors * mean.error()
            for mean in (self.volume, self.uniform)
        )


def settle(
    score: Score, forecast: Forecast | None, hour: Hour, now: int, params: ZoneParams
) -> None:
    """Hold an hour against its forecast; one that is older than two hours is not scored."""
    if score.at:
        keep = 0.5 ** (max(0, now - score.at) / params.score_half_life_s)
        score.orders *= keep
        for mean in (score.volume, score.uniform, score.auc):
            mean.fade(keep)
    score.at = now
    if forecast is None or now - forecast.at > 2 * 3600:
        return
    for index, bound in enumerate((hour.lowest, hour.highest)):
        if bound is None:
            continue
        apart = abs(bound - forecast.centre) if (bound > forecast.centre) == (index == 1) else 0
        bins = min(apart, len(forecast.maps[index]))
        if bins < params.score_least_bins:
            continue
        away = -1 if index == 0 else 1
        counts = [hour.orders[index].get(forecast.centre + away * k, 0) for k in range(1, bins + 1)]
        _compare(score, forecast, index, counts, params)


def _compare(
    score: Score, forecast: Forecast, index: int, counts: list[int], params: ZoneParams
) -> None:
    orders = sum(counts)
    if not orders:
        return
    bins = len(counts)
    weight = min(float(orders), params.score_hour_cap)
    own = log_score(forecast.maps[index][:bins], counts, params.score_floor)
    score.orders += weight
    score.uniform.add(own + log(bins), weight)
    if forecast.volumes is not None:
        rival = log_score(forecast.volumes[index][:bins], counts, params.score_floor)
        score.volume.add(own - rival, weight)
    area = auc(forecast.maps[index][:bins], counts)
    if area is not None:
        score.auc.add(area, weight)


def log_score(density: Sequence[float], counts: Sequence[int], least: float) -> float:
    """Mean log probability per order, in nats; `least` of it is spread evenly.

    >>> round(log_score([3.0, 1.0], [2, 2], 0.0), 6)  # (log 0.75 + log 0.25) / 2
    -0.836988
    >>> round(log_score([0.0, 0.0], [1, 0], 0.05), 6)  # an empty map says nothing: log 0.5
    -0.693147
    """
    total, bins, orders = sum(density), len(density), sum(counts)
    score = 0.0
    for value, count in zip(density, counts, strict=True):
        if count:
            share = value / total if total > 0 else 1 / bins
            score += count * log(max((1 - least) * share + least / bins, 1e-300))
    return score / orders


def auc(density: Sequence[float], counts: Sequence[int]) -> float | None:
    """Probability that a bin with orders ranks above one without; None where one kind is missing.

    >>> auc([4.0, 3.0, 2.0, 1.0], [1, 0, 5, 0])
    0.75
    """
    hit = [value for value, count in zip(density, counts, strict=True) if count]
    missed = [value for value, count in zip(density, counts, strict=True) if not count]
    if not hit or not missed:
        return None
    above = sum((one > other) + 0.5 * (one == other) for one in hit for other in missed)
    return above / (len(hit) * len(missed))
