"""One-minute return volatility of a scope's reference price, exponentially weighted.

Promises to be driven by prices only: a return is taken when a price of a later minute comes,
scaled by the square root of the minutes between, so skipped and empty seconds are equal.
"""

from math import log, sqrt

import msgspec


class MinuteReturns(msgspec.Struct):
    """`variance` of one-minute log returns; `n` returns seen; last price and its minute."""

    variance: float = 0.0
    n: int = 0
    minute: int | None = None
    minute_price: float = 0.0
    last_price: float | None = None

    def add(self, second: int, price: float, half_life_min: int) -> None:
        """Take a price at a second; the last of a minute stands for the minute."""
        minute = second // 60
        if self.minute is None:
            self.minute, self.minute_price = minute, price
        elif minute > self.minute:
            last = self.minute_price if self.last_price is None else self.last_price
            moved = log(price / last) / sqrt(minute - self.minute)
            self.n += 1
            weight = max(1 / self.n, 1 - 0.5 ** (1 / half_life_min))
            self.variance += weight * (moved**2 - self.variance)
            self.minute, self.minute_price = minute, price
        self.last_price = price

    def sigma(self, least: int) -> float | None:
        """Standard deviation of one-minute log returns; None below `least` returns."""
        return sqrt(self.variance) if self.n >= least else None
