"""Ordinary five-minute volatility of a scope by hour of the day, weekdays and weekends apart.

Part of the volatility detector. Promises that a block of 5 minutes is learned only when the next
one is sealed, so that no window is held against itself, and that one wild day moves the baseline
no more than `baseline_clip` standard deviations a block.
"""

from math import sqrt

import msgspec

from streams.core.detectors.volatility.params import VolatilityParams

DAY_S = 86400
_MONDAY = 4  # 1970-01-01 was a Thursday: four days on is the first Monday.


class Mean(msgspec.Struct, array_like=True):
    """Exponentially weighted mean: `weight` of the observations through the second `at`."""

    weight: float = 0.0
    value: float = 0.0
    at: int = 0

    def add(self, at: int, x: float, half_life_s: int) -> None:
        """Take an observation."""
        self.weight = self.weight * 0.5 ** (max(at - self.at, 0) / half_life_s) + 1.0
        self.value += (x - self.value) / self.weight
        self.at = at


class HourBaseline(msgspec.Struct):
    """`cells`: mean log variance by hour and kind of day; `overall` over all, `variance` of what
    they leave over; `blocks` learned. `waiting`: the last block (number, log variance), which is
    not learned yet.
    """

    cells: dict[int, Mean] = {}
    overall: Mean = msgspec.field(default_factory=Mean)
    variance: Mean = msgspec.field(default_factory=Mean)
    blocks: int = 0
    waiting: tuple[int, float] | None = None

    def take(self, block: int, x: float, params: VolatilityParams) -> None:
        """Learn the block before, and keep this one for the next call."""
        if self.waiting is not None:
            self._learn(self.waiting[0] * 300, self.waiting[1], params)
        self.waiting = block, x

    def _learn(self, at: int, x: float, params: VolatilityParams) -> None:
        half_life = params.baseline_half_life_s
        mean, deviation = self._expected(at, params)
        if mean is not None:
            if deviation > 0:
                reach = params.baseline_clip * deviation
                x = min(max(x, mean - reach), mean + reach)
            self.variance.add(at, (x - mean) ** 2, half_life)
        self.cells.setdefault(cell_of(at), Mean()).add(at, x, half_life)
        self.overall.add(at, x, half_life)
        self.blocks += 1

    def z(self, at: int, x: float, params: VolatilityParams) -> float | None:
        """Standard deviations of a log variance above the ordinary of the hour; None too early."""
        if self.history_days < params.baseline_min_days:
            return None
        mean, deviation = self._expected(at, params)
        return None if mean is None or deviation <= 0 else (x - mean) / deviation

    @property
    def history_days(self) -> float:
        """Days of observed blocks."""
        return self.blocks * 300 / DAY_S

    def _expected(self, at: int, params: VolatilityParams) -> tuple[float | None, float]:
        """Mean of the cell, drawn to the mean over all, and the standard deviation around it."""
        if self.overall.weight <= 0:
            return None, 0.0
        cell = self.cells.get(cell_of(at))
        mean = self.overall.value
        if cell is not None:
            # A cell seen long ago weighs less than it did then.
            weight = cell.weight * 0.5 ** (max(at - cell.at, 0) / params.baseline_half_life_s)
            mean += (cell.value - mean) * weight / (weight + params.baseline_shrink)
        return mean, sqrt(self.variance.value)


def cell_of(at: int) -> int:
    """Hour of the day (UTC), plus 24 on Saturdays and Sundays.

    >>> cell_of(0), cell_of(2 * 86400), cell_of(4 * 86400 + 7200)
    (0, 24, 2)
    """
    weekday = (at // DAY_S - _MONDAY) % 7
    return at % DAY_S // 3600 + (24 if weekday >= 5 else 0)
