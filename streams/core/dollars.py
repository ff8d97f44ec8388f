"""Estimated dollars with their errors: what one venue, side or scope is thought to have forced.

Beside the data path; the values that `scaling` gives to detectors. Promises sums that do not depend
on order beyond rounding of an error, and published <= low <= estimate <= high <= bound wherever
they are known. Knows nothing of how an estimate came about.
"""

from math import sqrt

import msgspec

from streams.core.results import Identifiability, WindowSide
from streams.core.throttle import SEVERITY, ThrottleParams


class Dollars(msgspec.Struct, frozen=True, gc=False):
    """Estimated dollars of one liquidated side, int64 micro-dollars.

    `usd` is None where a partial feed leaves no estimate, `upper` where nothing bounds the truth.
    `common` is the standard error that all parts share, `noise` the variance (micro-dollars
    squared) of what they do not. `floor`: the truth may lie above by any factor.
    """

    usd: int | None = 0
    upper: int | None = 0
    common: int = 0
    noise: float = 0.0
    floor: bool = False

    def plus(self, other: "Dollars") -> "Dollars":
        """The sum of two parts."""
        return Dollars(
            _plus(self.usd, other.usd),
            _plus(self.upper, other.upper),
            self.common + other.common,
            self.noise + other.noise,
            self.floor or other.floor,
        )

    def interval(self, observed: int, params: ThrottleParams) -> tuple[int | None, int | None]:
        """Ends of the interval that should hold the truth in 80 of 100 cases, micro-dollars.

        Args:
            observed: published dollars, which are certain.
            params: width of the interval in standard errors.

        Returns:
            Both None without an estimate; the high end also where the estimate is a floor that
            nothing bounds.
        """
        if self.usd is None:
            return None, None
        usd = max(observed, self.usd)
        error = params.interval_errors * sqrt(float(self.common) * self.common + self.noise)
        low = high = usd
        if usd and error:
            share = error / usd
            low = max(observed, min(usd, int(usd / (1 + share))))
            high = max(usd, int(usd * (1 + share)))
        if self.upper is not None:
            high = max(usd, self.upper if self.floor else min(high, self.upper))
        return low, None if self.floor and self.upper is None else high


class Estimate(msgspec.Struct, frozen=True, gc=False):
    """Both sides of a venue or scope. `partial`: a partial feed took part."""

    long: Dollars = Dollars()
    short: Dollars = Dollars()
    identifiability: Identifiability = "ok"
    partial: bool = False

    def of(self, side: WindowSide) -> Dollars:
        """A side, or both."""
        if side == "mixed":
            return self.long.plus(self.short)
        return self.long if side == "long" else self.short

    def plus(self, other: "Estimate") -> "Estimate":
        """The sum of two parts; the worst label stands."""
        return Estimate(
            self.long.plus(other.long),
            self.short.plus(other.short),
            max(self.identifiability, other.identifiability, key=SEVERITY.__getitem__),
            self.partial or other.partial,
        )


def _plus(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left + right
