"""Funding by venue on its own cycle, its mean and its dispersion; definition `funding`.

Part of the positioning detector. Promises that a rate is brought to 8 hours by a cycle that the
venue has told, or that was seen between two of its due times; until then it has no rate per 8
hours and no part in the mean. Rates are fractions; annualised ones are simple, over 365 days.
"""

from math import sqrt

import msgspec

from streams.core.detectors.minutes import Minute
from streams.core.detectors.signal import Origin
from streams.core.detectors.venue_sums import EIGHT_HOURS_S
from streams.core.events import MICROS
from streams.core.frames import VenueInterest
from streams.core.results import Funding, VenueFunding

HOUR_S = 3600
PER_YEAR = 3 * 365
"""Periods of 8 hours in a year."""


class Cycle(msgspec.Struct, array_like=True):
    """Next due time (µs) that a venue has told, and the cycle (s) seen between two of them."""

    due_us: int
    seen_s: int | None = None


def turn(cycles: dict[str, Cycle], one: VenueInterest, at: int) -> None:
    """Note a venue's due time at `at` (s); its cycle is seen when the due time moves on.

    Only within an hour after the old due time, when no cycle can have been missed, and by whole
    hours up to eight: another contract's due time is not a cycle.

    >>> cycles: dict[str, Cycle] = {}
    >>> for at, hours in ((0, 4), (4 * 3600, 8)):
    ...     due = hours * 3600 * 1_000_000
    ...     turn(cycles, VenueInterest("okx", None, None, 1e-4, None, due), at)
    >>> cycles["okx"].seen_s
    14400
    """
    due = one.next_funding_us
    if due is None:
        return
    cycle = cycles.get(one.venue)
    if cycle is None:
        cycles[one.venue] = Cycle(due)
        return
    moved, late = (due - cycle.due_us) // MICROS, at - cycle.due_us // MICROS
    if 0 <= late < HOUR_S and 0 < moved <= EIGHT_HOURS_S and moved % HOUR_S == 0:
        cycle.seen_s = moved
    cycle.due_us = due


def funding_row(origin: Origin, minute: Minute, cycles: dict[str, Cycle]) -> Funding:
    """The row of a closed minute."""
    venues = tuple(
        _venue(one, cycles.get(one.venue))
        for one in sorted(minute.interest, key=lambda one: one.venue)
        if one.funding_rate is not None
    )
    rated = [(one.rate_8h, one) for one in venues if one.rate_8h is not None]
    reasons: dict[str, str] = {}
    mean = dispersion = None
    lowest = highest = None
    if rated:
        mean, dispersion = weighed([(rate, one.oi_usd) for rate, one in rated])
        # Of equal rates the first venue by name is named.
        lowest = min(rated, key=lambda pair: pair[0])[1].venue
        highest = max(rated, key=lambda pair: pair[0])[1].venue
    else:
        reason = "no_funding_cycle" if venues else "no_funding"
        reasons = dict.fromkeys(("rate_8h", "annualised", "highest_venue", "lowest_venue"), reason)
    if dispersion is None:
        reasons["dispersion_8h"] = "fewer_than_2_venues"
    return Funding(
        **origin.head("funding", minute.end, minute.coverage),
        rate_8h=mean,
        annualised=None if mean is None else mean * PER_YEAR,
        dispersion_8h=dispersion,
        highest_venue=highest,
        lowest_venue=lowest,
        venues=venues,
        null_reasons=reasons,
    )


def _venue(one: VenueInterest, cycle: Cycle | None) -> VenueFunding:
    interval = one.funding_interval_s or (None if cycle is None else cycle.seen_s)
    rate = one.funding_rate or 0.0
    rate_8h = rate * EIGHT_HOURS_S / interval if interval else None
    return VenueFunding(
        venue=one.venue,
        rate=rate,
        interval_s=interval,
        rate_8h=rate_8h,
        annualised=None if rate_8h is None else rate_8h * PER_YEAR,
        next_funding_us=one.next_funding_us,
        oi_usd=one.oi_usd,
    )


def weighed(rates: list[tuple[float, int | None]]) -> tuple[float, float | None]:
    """Mean and standard deviation of (rate, open interest), weighted by the latter.

    The plain ones where no open interest is known. A venue without it has no weight beside those
    that tell it; fewer than two rates have no dispersion.

    >>> weighed([(1.0, 300), (5.0, 100)]), weighed([(1.0, None), (5.0, None)])
    ((2.0, 1.7320508075688772), (3.0, 2.0))
    """
    known = [(rate, float(usd)) for rate, usd in rates if usd]
    weights = known or [(rate, 1.0) for rate, _ in rates]
    total = sum(weight for _, weight in weights)
    mean = sum(rate * (weight / total) for rate, weight in weights)
    if len(weights) < 2:
        return mean, None
    return mean, sqrt(sum((rate - mean) ** 2 * (weight / total) for rate, weight in weights))
