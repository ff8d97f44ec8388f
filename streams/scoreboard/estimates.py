"""How good an estimated figure is where the truth is known: dollars, brackets, amplification.

Pure functions over pairs of truth and estimate, whatever the quantity. Promises that an estimate
which is not there is left out and never read as zero; how many were there is for the caller to say.
Which estimates count as identifiable is decided by whoever builds the sequence.
"""

from collections.abc import Iterable
from math import log10

import msgspec

from streams.scoreboard.quantiles import median


class Estimate(msgspec.Struct, frozen=True):
    """The truth, what was said of it, and the ends of the interval that was said.

    All in one unit, for instance USD. None: not said, or unbounded.
    """

    truth: float
    value: float | None = None
    low: float | None = None
    high: float | None = None


class Coverage(msgspec.Struct, frozen=True):
    """Numbers of truths `inside` closed intervals, `below` their low end and `above` their high."""

    inside: int
    below: int
    above: int

    @property
    def share(self) -> float | None:
        """Share inside; None without an interval."""
        total = self.inside + self.below + self.above
        return self.inside / total if total else None


def coverage(estimates: Iterable[Estimate]) -> Coverage:
    """Where the truth lay, of the estimates that have both ends."""
    inside = below = above = 0
    for one in estimates:
        if one.low is None or one.high is None:
            continue
        if one.truth < one.low:
            below += 1
        elif one.truth > one.high:
            above += 1
        else:
            inside += 1
    return Coverage(inside, below, above)


def relative_errors(estimates: Iterable[Estimate]) -> list[float]:
    """(value - truth) / truth, signed, of the estimates with a value and a truth above zero."""
    return [
        (one.value - one.truth) / one.truth
        for one in estimates
        if one.value is not None and one.truth > 0
    ]


def relative_error(estimates: Iterable[Estimate]) -> float | None:
    """Median of the relative errors without their sign; 0.15 is 15 %."""
    return median(abs(error) for error in relative_errors(estimates))


def relative_bias(estimates: Iterable[Estimate]) -> float | None:
    """Median of the signed relative errors; below zero the estimates are too low."""
    return median(relative_errors(estimates))


def magnitude_error(estimates: Iterable[Estimate]) -> float | None:
    """Mean absolute difference of magnitudes, log10 of USD (`docs/definitions/cascade.md`).

    Only of estimates where value and truth are above zero.
    """
    errors = [
        abs(log10(one.value) - log10(one.truth))
        for one in estimates
        if one.value is not None and one.value > 0 and one.truth > 0
    ]
    return sum(errors) / len(errors) if errors else None
