"""Funding by venue on its own cycle, its mean and its dispersion; definition `funding`.

Part of the positioning detector. Promises that a rate is brought to 8 hours by a known cycle
(`streams.core.detectors.interest`); without one it has no rate per 8 hours and no part in the mean,
here as in the funding of minutes. Rates are fractions; annualised ones are simple, over 365 days.
"""

from math import sqrt

from streams.core.detectors.interest import SILENT_S
from streams.core.detectors.minutes import Minute
from streams.core.detectors.signal import Origin
from streams.core.detectors.venue_sums import rate_8h
from streams.core.frames import VenueInterest
from streams.core.results import Funding, VenueFunding

SILENT = f"silent_for_{SILENT_S}_s"
"""Why nothing is known of venues that spoke before."""
PER_YEAR = 3 * 365
"""Periods of 8 hours in a year."""


def funding_row(origin: Origin, minute: Minute, silent: bool) -> Funding:
    """The row of a closed minute; `silent`: venues that spoke before say nothing any more."""
    venues = tuple(
        _venue(one)
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
        reason = "no_funding_cycle" if venues else SILENT if silent else "no_funding"
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


def _venue(one: VenueInterest) -> VenueFunding:
    per_8h = rate_8h(one)
    return VenueFunding(
        venue=one.venue,
        rate=one.funding_rate or 0.0,
        interval_s=one.funding_interval_s,
        rate_8h=per_8h,
        annualised=None if per_8h is None else per_8h * PER_YEAR,
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
