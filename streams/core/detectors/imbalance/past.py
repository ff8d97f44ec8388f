"""What is ordinary in a basket: totals of five minutes, hours and days, and its long share.

State of the imbalance detector, learned once an hour. Promises that a basket is compared with
itself only: a venue more or a break in a feed's meaning starts anew; and that memory is bounded
by a grid of ten bins a decade: totals of one bin count as equal to each other.
"""

from math import floor, log10

import msgspec

from streams.core.detectors.imbalance.sums import BLOCK, Sums

BINS = 10
"""Bins a decade of dollars; a bin spans 26 %."""
_NONE = -1_000
"""Bin of an empty total, below all others."""
_FAINT = 1e-6


class Histogram(msgspec.Struct, array_like=True):
    """Weights of totals by bin, floor(10 log10(micro-dollars))."""

    bins: dict[int, float] = {}

    def add(self, usd: int, weight: float = 1.0) -> None:
        """Count a total in micro-dollars."""
        index = _bin(usd)
        self.bins[index] = self.bins.get(index, 0.0) + weight

    def fade(self, factor: float) -> None:
        """Weaken all totals; forget those that have become faint."""
        faded = ((index, weight * factor) for index, weight in sorted(self.bins.items()))
        self.bins = {index: weight for index, weight in faded if weight > _FAINT}

    def rank(self, usd: int) -> float | None:
        """Mid-rank of a total's bin, 0..1; None without totals.

        >>> days = Histogram()
        >>> for usd in (0, 10, 1000, 100_000): days.add(usd)
        >>> days.rank(0), days.rank(500), days.rank(10**9)
        (0.125, 0.5, 1.0)
        """
        total = sum(self.bins[index] for index in sorted(self.bins))
        if total <= 0:
            return None
        mine = _bin(usd)
        below = sum(weight for index, weight in sorted(self.bins.items()) if index < mine)
        return min(1.0, (below + self.bins.get(mine, 0.0) / 2) / total)

    def median(self) -> float | None:
        """Median of the totals that are not empty, micro-dollars; None without one.

        >>> totals = Histogram()
        >>> for usd in (0, 0, 0, 10**6, 10**9, 10**12): totals.add(usd)
        >>> round(totals.median() / 10**9, 2)
        1.12
        """
        full = sorted(item for item in self.bins.items() if item[0] != _NONE)
        rest = sum(weight for _, weight in full) / 2
        for index, weight in full:
            if weight >= rest:
                return float(10 ** ((index + rest / weight) / BINS))
            rest -= weight
        return None


def _bin(usd: int) -> int:
    return floor(BINS * log10(usd)) if usd > 0 else _NONE


class Longs(msgspec.Struct, array_like=True):
    """Exponentially weighted dollars by liquidated side, a UTC day at a time.

    `squares` sums the squared days: their effective number is small while one day outweighs the
    rest. `today` are the (long, short) micro-dollars of the unfinished day.
    """

    long_usd: float = 0.0
    short_usd: float = 0.0
    squares: float = 0.0
    today: tuple[int, int] = (0, 0)

    def add(self, sums: Sums) -> None:
        """Add an hour to the day."""
        self.today = self.today[0] + sums.long_usd, self.today[1] + sums.short_usd

    def turn(self, days: int, half_life_days: float) -> None:
        """End the day; `days` have passed since it began."""
        long, short = self.today[0] / 1e6, self.today[1] / 1e6
        kept = 0.5 ** (min(days, 100_000) / half_life_days)
        self.long_usd = (self.long_usd + long) * kept
        self.short_usd = (self.short_usd + short) * kept
        self.squares = (self.squares + (long + short) ** 2) * kept**2
        self.today = 0, 0

    def share(self, prior: float, prior_days: float) -> float:
        """Long share of dollars, shrunk to `prior` as if that were `prior_days` equal days.

        >>> longs = Longs()
        >>> for _ in range(30):
        ...     longs.today = 600_000_000, 400_000_000
        ...     longs.turn(0, 180.0)
        >>> round(longs.share(0.5, 30.0), 6)
        0.55
        """
        total = self.long_usd + self.short_usd
        if total <= 0 or self.squares <= 0:
            return prior
        days = total * (total / self.squares)
        return (days * (self.long_usd / total) + prior_days * prior) / (days + prior_days)


class Past(msgspec.Struct):
    """What is ordinary in one basket of feeds (`throttle.basket`), or in one venue's own.

    `since` (s): begun, `totals`: by window (s), `hours`: observed ones.
    """

    basket: str
    since: int
    totals: dict[int, Histogram] = {}
    longs: Longs = msgspec.field(default_factory=Longs)
    hours: int = 0

    def add(self, window_s: int, usd: int) -> None:
        """Count the total of a window."""
        self.totals.setdefault(window_s, Histogram()).add(usd)

    def turn(self, days: int, history_half_life: float, neutral_half_life: float) -> None:
        """End the UTC day; `days` have passed since it began."""
        self.longs.turn(days, neutral_half_life)
        kept = 0.5 ** (min(days, 100_000) / history_half_life)
        for window_s in sorted(self.totals):
            self.totals[window_s].fade(kept)

    def kappa(self, prior: int, prior_blocks: float) -> int:
        """Median five-minute total among those with forced orders, micro-dollars.

        The prior counts as `prior_blocks` of them.
        """
        own = self.totals.get(BLOCK)
        if own is None or own.median() is None:
            return prior
        totals = Histogram(dict(own.bins))
        totals.add(prior, prior_blocks)
        # A bin reaches past the largest total in it, and past int64 at the end of the scale.
        return min(2**63 - 1, max(1, round(totals.median() or prior)))

    def percentile(self, window_s: int, usd: int, least_days: int) -> float | None:
        """Rank of a window's total; None while fewer than `least_days` were observed."""
        if self.hours < 24 * least_days or window_s not in self.totals:
            return None
        return self.totals[window_s].rank(usd)
