"""One-minute return volatility of a scope's reference price, exponentially weighted.

Promises to be driven by prices only: the return between the closes of two minutes is taken when
a price of a later minute comes, scaled by the square root of the minutes between them, so
skipped and empty seconds are equal.
"""

from math import log, sqrt

import msgspec


class MinuteReturns(msgspec.Struct):
    """`variance` of one-minute log returns over `n` of them; the minute in progress with its last
    price, and the close of the minute with a price before it.
    """

    variance: float = 0.0
    n: int = 0
    minute: int | None = None
    last_price: float | None = None
    close_minute: int = 0
    close: float | None = None

    def add(self, second: int, price: float, half_life_min: int) -> None:
        """Take a price at a second; the last of a minute is its close.

        >>> returns = MinuteReturns()
        >>> for second, price in ((0, 50.0), (59, 100.0), (61, 120.0), (119, 110.0), (120, 1.0)):
        ...     returns.add(second, price, 1440)
        >>> returns.n, round(returns.variance ** 0.5, 6)
        (1, 0.09531)
        """
        minute = second // 60
        if self.minute is not None and minute > self.minute and self.last_price is not None:
            if self.close is not None:
                between = self.minute - self.close_minute
                moved = log(self.last_price / self.close) / sqrt(between)
                self.n += 1
                weight = max(1 / self.n, 1 - 0.5 ** (1 / half_life_min))
                self.variance += weight * (moved**2 - self.variance)
            self.close_minute, self.close = self.minute, self.last_price
        self.minute, self.last_price = minute, price

    def sigma(self, least: int) -> float | None:
        """Standard deviation of one-minute log returns; None below `least` returns."""
        return sqrt(self.variance) if self.n >= least else None
