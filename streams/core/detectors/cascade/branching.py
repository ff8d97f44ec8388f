"""Branching ratio of forced orders: how many orders one order calls forth (definition 1.1).

A Hawkes process on a grid of seconds, fitted by maximum likelihood: beside the state of a window,
asked once when it closes. The rate of second t is

    mu + k x(t) + sum_j a_j sum_{s<t} m(s) (1 - r_j) r_j^(t-s-1),    r_j = exp(-1 / tau_j)

with m(s) the mass of the orders of second s (one per order on average), and the ratio is
n = sum_j a_j. Promises the same figures for the same seconds, bounded work, and no random draw:
orders of one second are spread over it by a hash of the second. Does not prove that an order
caused another: whatever else moves the rate and is not in x is counted as branching.
"""

from collections.abc import Sequence
from math import exp, log, sqrt
from operator import add, mul, truediv
from typing import NamedTuple

import msgspec

from streams.core.results import Branching

_WORD = (1 << 64) - 1


class BranchingParams(msgspec.Struct, frozen=True):
    """Of the branching estimate. Durations in seconds.

    `stretch_s`: so long before the window's close is fitted, the quiet gap with it; `tau_s`: time
    scales of the exponential mixture; `drive_s`: span of the spot return that is x(t), on a grid
    of `bin_s`; `rounds`: at most so many accelerated rounds, of three passes each, or until one
    gains less than `gain` log likelihood per order; `most_residuals`: the last so many orders are
    tested; `least_orders`: none below; `least_observed`: share of the stretch in which some feed
    was healthy; `stale_s`: a spot price older says nothing; `critical`, `least_p`: bounds of the
    label; `least_driven`: share of the orders that the drive must explain before what it leaves
    counts as the orders' own.
    """

    stretch_s: int = 7200
    tau_s: tuple[float, ...] = (1.0, 5.0, 20.0, 60.0, 300.0)
    bin_s: int = 5
    drive_s: int = 60
    rounds: int = 20
    gain: float = 1e-6
    most_residuals: int = 20_000
    least_orders: int = 30
    least_observed: float = 0.9
    stale_s: int = 300
    critical: float = 0.8
    least_p: float = 0.05
    least_driven: float = 0.02


class Orders(NamedTuple):
    """Orders of a stretch of `span` seconds: ascending occupied seconds (0..span-1), how many
    orders each has (at least one), and their mass (any unit; scaled to one an order).
    """

    span: int
    seconds: Sequence[int]
    counts: Sequence[int]
    masses: Sequence[float]


class Drive(NamedTuple):
    """x(t) of a stretch: not negative, constant over bins of `bin_s` seconds from its start."""

    bin_s: int
    values: Sequence[float]


class Fit(NamedTuple):
    """A fitted model: `ratio` is n, `base` mu per second, `slope` k (0 without a drive), `weights`
    a_j, `driven` the share of the orders that the drive explains, `ks_p` the probability of
    residuals this far from those of the model.
    """

    ratio: float
    base: float
    slope: float
    weights: tuple[float, ...]
    driven: float
    ks_p: float


def fit(orders: Orders, drive: Drive | None, params: BranchingParams) -> Fit:
    """Fit the model by EM (Dempster, Laird & Rubin 1977), accelerated (Varadhan & Roland 2008).

    Each part of the rate (constant, drive, one exponential each) is a density over the stretch,
    so that the shares of the orders that they explain are those of a mixture: the likelihood is
    concave in them and the start does not matter.

    >>> regular = Orders(3600, range(0, 3600, 30), [1] * 120, [1.0] * 120)
    >>> round(fit(regular, None, BranchingParams()).ratio, 1)
    0.0
    """
    total = sum(orders.counts)
    scale = total / sum(orders.masses)
    masses = [mass * scale for mass in orders.masses]
    decays = [exp(-1 / tau) for tau in params.tau_s]
    columns = [_excited(orders, masses, decay) for decay in decays]
    exposures = [
        sum(map(mul, masses, [1 - decay ** (orders.span - 1 - s) for s in orders.seconds]))
        for decay in decays
    ]
    driven = 0.0
    if drive is not None:
        columns.insert(0, [drive.values[s // drive.bin_s] for s in orders.seconds])
        driven = _driven(drive, orders.span)
        exposures.insert(0, driven)
    columns.insert(0, [1.0] * len(orders.seconds))
    exposures.insert(0, float(orders.span))
    parts = [part for part, exposure in enumerate(exposures) if exposure > 0]
    densities = [[value * total / exposures[part] for value in columns[part]] for part in parts]
    found = _shares(densities, orders.counts, total, params)
    sizes = [0.0] * len(exposures)
    for part, share in zip(parts, found, strict=True):
        sizes[part] = share * total / exposures[part]
    first = 1 if drive is None else 2
    weights = tuple(sizes[first:])
    slope = 0.0 if drive is None else sizes[1]
    skipped = total - params.most_residuals
    residuals = _residuals(orders, masses, drive, decays, (sizes[0], slope, weights), skipped)
    return Fit(sum(weights), sizes[0], slope, weights, slope * driven / total, ks_p(residuals))


def _excited(orders: Orders, masses: Sequence[float], decay: float) -> list[float]:
    """What one exponential adds to the rate of each occupied second, per unit of its weight."""
    column: list[float] = []
    value, before, mass = 0.0, 0, 0.0
    for second, own in zip(orders.seconds, masses, strict=True):
        if column:
            value = (value * decay + (1 - decay) * mass) * decay ** (second - before - 1)
        column.append(value)
        before, mass = second, own
    return column


def _driven(drive: Drive, span: int) -> float:
    """Sum of x(t) over the stretch."""
    whole, rest = divmod(span, drive.bin_s)
    total = sum(drive.values[:whole]) * drive.bin_s
    return total + (drive.values[whole] * rest if rest else 0.0)


def _shares(
    densities: Sequence[Sequence[float]],
    counts: Sequence[int],
    total: int,
    params: BranchingParams,
) -> list[float]:
    """Shares of a mixture of known densities, one an order, that make the counts likeliest."""

    def improved(shares: Sequence[float]) -> tuple[list[float], float]:
        """One round of EM, and the log likelihood per order before it."""
        rates = [0.0] * len(counts)
        for share, density in zip(shares, densities, strict=True):
            if share > 0:
                rates = list(map(add, rates, [share * value for value in density]))
        owed = list(map(truediv, counts, rates))
        fitted = sum(map(mul, counts, map(log, rates))) / total
        gained = [
            share * sum(map(mul, owed, density)) / total
            for share, density in zip(shares, densities, strict=True)
        ]
        return gained, fitted

    shares = [1 / len(densities)] * len(densities)
    last = None
    for _ in range(params.rounds):
        once, fitted = improved(shares)
        if last is not None and fitted - last < params.gain:
            break
        last = fitted
        twice, _ = improved(once)
        leap = _leap(shares, once, twice)
        if leap is not None:
            landed, reached = improved(leap)
            if reached >= fitted:
                shares = landed
                continue
        shares = twice
    return shares


def _leap(start: list[float], once: list[float], twice: list[float]) -> list[float] | None:
    """Where two rounds of EM point to; None when nothing moves or a share would turn negative."""
    steps = [b - a for a, b in zip(start, once, strict=True)]
    bends = [c - 2 * b + a for a, b, c in zip(start, once, twice, strict=True)]
    bend = sum(value * value for value in bends)
    if bend == 0:
        return None
    length = max(1.0, sqrt(sum(value * value for value in steps) / bend))
    target = [
        a + 2 * length * step + length * length * turn
        for a, step, turn in zip(start, steps, bends, strict=True)
    ]
    # A share at zero would stay there for good; a little keeps it free.
    kept = [max(value, 0.1 * c) for value, c in zip(target, twice, strict=True)]
    whole = sum(kept)
    return [value / whole for value in kept] if whole > 0 else None


def _residuals(
    orders: Orders,
    masses: Sequence[float],
    drive: Drive | None,
    decays: Sequence[float],
    sizes: tuple[float, float, tuple[float, ...]],
    skipped: int,
) -> list[float]:
    """Expected orders between one order and the next: of mean 1 and exponential in a true model.

    Counts of whole seconds are spread over their second (Haslinger, Pipa & Brown 2010). Seconds
    whose orders are all among the first `skipped` give none.
    """
    base, slope, weights = sizes
    before_bins = [0.0]
    if drive is not None:
        for value in drive.values:
            before_bins.append(before_bins[-1] + value * drive.bin_s)
    excited = [0.0] * len(decays)
    found: list[float] = []
    at, mass, passed, since = -1, 0.0, 0.0, 0.0
    for second, count, own in zip(orders.seconds, orders.counts, masses, strict=True):
        wait = second - at
        rate, expected = base, base * (wait - 1)
        for part, decay in enumerate(decays):
            first = excited[part] * decay + (1 - decay) * mass
            left = decay ** (wait - 1)
            expected += weights[part] * first * (1 - left) / (1 - decay)
            excited[part] = first * left
            rate += weights[part] * excited[part]
        if drive is not None and slope > 0:
            driven = slope * (_before(drive, before_bins, second))
            expected += driven - passed
            rate += slope * drive.values[second // drive.bin_s]
            passed = driven + slope * drive.values[second // drive.bin_s]
        at, mass = second, own
        if skipped >= count:
            skipped, since = skipped - count, 0.0
            continue
        places = sorted(_place(second, number) for number in range(count))
        for number, place in enumerate(places):
            begin = places[number - 1] if number else 0.0
            found.append((since + expected if number == 0 else 0.0) + rate * (place - begin))
        since = rate * (1 - places[-1])
    return found


def _before(drive: Drive, before_bins: Sequence[float], second: int) -> float:
    """Sum of x over the seconds before `second`."""
    whole, rest = divmod(second, drive.bin_s)
    return before_bins[whole] + (drive.values[whole] * rest if rest else 0.0)


def _place(second: int, number: int) -> float:
    """Where in its second an order stands, 0..1: a hash (SplitMix64), equal in every process."""
    word = ((second << 20) + number) * 0x9E3779B97F4A7C15 & _WORD
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & _WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & _WORD
    return ((word ^ (word >> 31)) >> 11) / (1 << 53)


def ks_p(residuals: Sequence[float]) -> float:
    """Probability of a Kolmogorov distance as large from the unit exponential (Stephens 1970).

    It is too kind where the parameters were fitted to the same orders.

    >>> from math import log
    >>> round(ks_p([-log(1 - (i + 0.5) / 100) for i in range(100)]), 3)
    1.0
    >>> ks_p([1.0] * 100) < 1e-6
    True
    """
    n = len(residuals)
    distance = 0.0
    for rank, value in enumerate(sorted(residuals)):
        below = 1 - exp(-value)
        distance = max(distance, below - rank / n, (rank + 1) / n - below)
    scaled = (sqrt(n) + 0.12 + 0.11 / sqrt(n)) * distance
    if scaled < 0.2:
        return 1.0
    tail = 0.0
    for k in range(1, 101):
        term = exp(-2 * (k * scaled) ** 2)
        tail += term if k % 2 else -term
        if term < 1e-12:
            break
    return min(1.0, max(0.0, 2 * tail))


def label(low: Fit | None, high: Fit, sampled_only: bool, params: BranchingParams) -> Branching:
    """What the bracket allows to say; nothing where residuals reject the model.

    Args:
        low: the fit with the drive, None without one.
        high: the fit without.
        sampled_only: no complete feed took part.
        params: the bounds.
    """
    best = high if low is None else low
    if best.ks_p <= params.least_p:
        return "unresolved"
    if low is not None and min(low.ratio, high.ratio) > params.critical:
        # A drive that explains nothing has not shown that nothing drove the orders.
        return "near_critical" if low.driven >= params.least_driven else "unresolved"
    # A sampled feed hides orders that follow at once, and with them what would raise the ratio.
    return "subcritical" if high.ratio <= params.critical and not sampled_only else "unresolved"
