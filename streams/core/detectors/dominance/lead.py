"""Who moves first, derivatives or spot: correlations of one-second returns at lags each way.

Used by the dominance detector. Promises that only returns over exactly one second with trades on
both ends are used, so that the market which trades less is not called the follower for that
(previous-tick prices would do so), and that what noise alone would give is taken away. The sum of
squared correlations by direction is Huth and Abergel's lead/lag ratio (2014).
"""

from math import log, sqrt

import msgspec

from streams.core.detectors.dominance.params import DominanceParams


class Lead(msgspec.Struct, array_like=True):
    """Squared correlations over noise, summed over `minutes`: when derivatives move first, or last.

    In units in which noise has mean 0 and variance 2 per lag and minute.
    """

    first: float = 0.0
    last: float = 0.0
    minutes: int = 0

    def add(self, other: "Lead") -> None:
        """Add another's minutes."""
        self.first += other.first
        self.last += other.last
        self.minutes += other.minutes

    def share(self, params: DominanceParams) -> float | None:
        """Part of the lead that derivatives have, 0..1; None where neither exceeds noise.

        >>> Lead(90.0, 30.0, 60).share(DominanceParams()), Lead(9.0, 3.0, 60).share(
        ...     DominanceParams())
        (0.75, None)
        """
        noise = params.lead_sigmas * sqrt(2 * params.lags * self.minutes)
        if max(self.first, self.last) <= noise:
            return None
        first, last = max(self.first, 0.0), max(self.last, 0.0)
        return first / (first + last)


class Returns(msgspec.Struct, array_like=True):
    """One-second returns of a minute in progress.

    Last prices (0: none) with their seconds; `kept`: returns of the last seconds, None where one
    side is not known; `squares`, `n`: of each side; `products`, `pairs`: by lag, derivatives
    first, then spot first.
    """

    derivative: float = 0.0
    derivative_at: int = 0
    spot: float = 0.0
    spot_at: int = 0
    kept: list[tuple[int, float | None, float | None]] = []
    squares: tuple[float, float] = (0.0, 0.0)
    n: tuple[int, int] = (0, 0)
    products: list[float] = []
    pairs: list[int] = []

    def add(
        self, second: int, derivative: float | None, spot: float | None, params: DominanceParams
    ) -> None:
        """Take the prices of a second; None in a second without a trade."""
        moved = spot_moved = None
        if derivative is not None:
            if self.derivative > 0 and self.derivative_at == second - 1:
                moved = log(derivative / self.derivative)
            self.derivative, self.derivative_at = derivative, second
        if spot is not None:
            if self.spot > 0 and self.spot_at == second - 1:
                spot_moved = log(spot / self.spot)
            self.spot, self.spot_at = spot, second
        if moved is None and spot_moved is None:
            return
        lags = params.lags
        if not self.products:
            self.products, self.pairs = [0.0] * (2 * lags), [0] * (2 * lags)
        dd, ss = self.squares
        nd, ns = self.n
        if moved is not None:
            dd, nd = dd + moved * moved, nd + 1
        if spot_moved is not None:
            ss, ns = ss + spot_moved * spot_moved, ns + 1
        self.squares, self.n = (dd, ss), (nd, ns)
        recent = [one for one in self.kept if one[0] >= second - lags]
        for when, before, spot_before in recent:
            lag = second - when - 1
            if before is not None and spot_moved is not None:
                self.products[lag] += before * spot_moved
                self.pairs[lag] += 1
            if spot_before is not None and moved is not None:
                self.products[lags + lag] += spot_before * moved
                self.pairs[lags + lag] += 1
        recent.append((second, moved, spot_moved))
        self.kept = recent

    def close(self, params: DominanceParams) -> Lead:
        """The minute's lead; starts the next. Returns at its end still pair with later ones."""
        lead = Lead()
        lags, (dd, ss), (nd, ns) = params.lags, self.squares, self.n
        if self.pairs and min(self.pairs) >= params.least_pairs and dd > 0 and ss > 0:
            scale = sqrt(dd / nd) * sqrt(ss / ns)
            over = [
                n * (product / n / scale) ** 2 - 1.0
                for product, n in zip(self.products, self.pairs, strict=True)
            ]
            lead = Lead(sum(over[:lags]), sum(over[lags:]), 1)
        self.squares, self.n, self.products, self.pairs = (0.0, 0.0), (0, 0), [], []
        return lead
