"""A liquidation map as seen from a price: the figures that a row tells.

Beside the detector `zones`. Densities are dollars by bin, from the price outwards, as far as the
map is published. Promises int64 micro-dollars. Definition: docs/definitions/zones.md.
"""

from math import ceil, exp, log, log1p, sqrt
from operator import mul
from typing import Self

from streams.core.detectors.zones.map import SIDES, LiquidationMap
from streams.core.detectors.zones.params import ZoneParams
from streams.core.detectors.zones.shape import concentration, dense, fuel, kernel, middle, smooth
from streams.core.events import MICROS
from streams.core.results import Zone
from streams.core.results.zones import FUEL_DISTANCES

_MOST = 2**63 - 1
_NORMAL_80 = 1.2816
"""Deviations that hold 80 % of a normal distribution."""
_BAND = 0.01
"""Width of the bands whose concentration is told, log price."""


class View:
    """The map from one price."""

    def __init__(
        self,
        chart: LiquidationMap,
        params: ZoneParams,
        price: float,
        first: tuple[float, float],
        rows: tuple[list[tuple[float, ...]], list[tuple[float, ...]]],
    ) -> None:
        self.chart = chart
        self.params = params
        self.price = price
        self.first = first
        self.rows = rows
        self.weights = (chart.weights(0), chart.weights(1))
        self.usd = (self._dollars(0), self._dollars(1))
        self.mapped = chart.mapped_share() or 1.0
        self.mixture = [
            share * factor
            for share, factor in zip(params.leverage_shares, chart.factors(), strict=True)
        ]
        self.map_usd = micros(sum(self.usd[0]) + sum(self.usd[1]))

    @classmethod
    def of(cls, chart: LiquidationMap, params: ZoneParams, price: float) -> Self | None:
        """The map from a price; None where it does not reach."""
        at, width, here = chart.bin_of(price), chart.width, log(price)
        first = (max(0.0, here - at * width), max(0.0, (at + 1) * width - here))
        ends = (-log(1 - params.reach), log1p(params.reach))
        bins = [ceil((end - near) / width) + 1 for end, near in zip(ends, first, strict=True)]
        longs, shorts = chart.rows(0, price, bins[0]), chart.rows(1, price, bins[1])
        return cls(chart, params, price, first, (longs, shorts)) if longs and shorts else None

    def _dollars(self, index: int) -> list[float]:
        chart, weights = self.chart, self.weights[index]
        worth = chart.edge(chart.bin_of(self.price)) * exp(chart.width / 2)
        ratio = exp(chart.width if index else -chart.width)
        dollars: list[float] = []
        for row in self.rows[index]:
            dollars.append(sum(map(mul, weights, row)) * worth)
            worth *= ratio
        return dollars

    def smoothed(self, index: int) -> list[float]:
        """Dollars by bin, smoothed as zones and forecasts are."""
        return smooth(self.usd[index], kernel(self.params.smooth, self.chart.width))

    def fuel(self, index: int) -> tuple[int, ...]:
        """Micro-dollars in the path of each of FUEL_DISTANCES."""
        moves = [log1p(move) if index else -log(1 - move) for move in FUEL_DISTANCES]
        usd, first, width = self.usd[index], self.first[index], self.chart.width
        return tuple(micros(fuel(usd, first, width, move)) for move in moves)

    def pain(self, index: int) -> float | None:
        """The price at which half of a side is closed; None of an empty side."""
        away = middle(self.usd[index], self.first[index], self.chart.width)
        return None if away is None else self.price * exp(away if index else -away)

    def concentration(self) -> float | None:
        """Herfindahl index of the map in bands of 1 %; None of an empty map."""
        found = concentration(self.usd, max(1, round(_BAND / self.chart.width)))
        return None if found is None else min(1.0, found)

    def share_near(self) -> float | None:
        """Share of the map within the last of FUEL_DISTANCES; None of an empty map."""
        if self.map_usd <= 0:
            return None
        return min(1.0, (self.fuel(0)[-1] + self.fuel(1)[-1]) / self.map_usd)

    def zones(self) -> tuple[Zone, ...]:
        """Runs of dense bins that hold enough, nearest first."""
        params, chart = self.params, self.chart
        coins = chart.known(0) + chart.unknown[0]
        least = params.zone_least_oi * coins * self.price
        found: list[Zone] = []
        runs = dense((self.smoothed(0), self.smoothed(1)), params.zone_quantile)
        for index, some in enumerate(runs):
            for begin, end in some:
                if sum(self.usd[index][begin:end]) >= max(least, 1 / MICROS):
                    found.append(self._zone(index, begin, end))
        largest = sorted(found, key=lambda zone: (-zone.usd_estimated, zone.price_low))
        shown = largest[: params.zones_most]
        return tuple(sorted(shown, key=lambda zone: (abs(zone.distance_bp), zone.price_low)))

    def _zone(self, index: int, begin: int, end: int) -> Zone:
        chart = self.chart
        at = chart.bin_of(self.price)
        low, high = (at + begin, at + end) if index else (at - end + 1, at - begin + 1)
        price_low, price_high = chart.edge(low), chart.edge(high)
        if price_low <= self.price <= price_high:
            apart = 0.0
        else:
            apart = (price_low if index else price_high) / self.price - 1
        usd = sum(self.usd[index][begin:end])
        mix, age = self._mix(index, begin, end)
        doubt = _NORMAL_80 * self._deviation(mix)
        names = [f"{leverage:g}" for leverage in chart.params.leverages]
        return Zone(
            price_low,
            price_high,
            SIDES[index],
            micros(usd),
            micros(usd * max(0.0, 1 - doubt)),
            micros(usd * (1 + doubt) / self.mapped),
            apart * 1e4,
            age,
            {name: share for name, share in zip(names, mix, strict=True) if share > 0},
        )

    def _mix(self, index: int, begin: int, end: int) -> tuple[list[float], float]:
        """Share of the dollars by leverage, and the mean age in hours, of some bins."""
        sums = [sum(column) for column in zip(*self.rows[index][begin:end], strict=True)]
        weighed = [w * part for w, part in zip(self.weights[index], sums, strict=False)]
        total, coins = sum(weighed), sum(sums[:-1])
        opened = sums[-1] / coins if coins > 0 else 0.0
        age = max(0.0, (self.chart.at or 0) / 3600 - opened)
        return [min(1.0, part / total) for part in weighed], age

    def _deviation(self, mix: list[float]) -> float:
        """Relative deviation of a zone's dollars if the mixture is Dirichlet about its mean."""
        weight = self.chart.evidence() + 1
        return sqrt(
            sum(
                part**2 * max(0.0, 1 - share) / (share * weight)
                for part, share in zip(mix, self.mixture, strict=True)
            )
        )


def micros(usd: float) -> int:
    """Micro-dollars of dollars, at most int64."""
    return min(_MOST, max(0, round(usd * MICROS)))
