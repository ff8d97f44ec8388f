"""Open interest of all assets: dollars by venue, and its volume at constant prices.

Part of the market stage, fed by contributions. Promises that the volume moves only when coins
are opened or closed: each asset's change in coins is valued at its price before the change, so a
price move alone leaves it where it was; and that an asset or venue that joins, or
falls silent, moves nothing. Volumes are chained indices: only their ratios mean something.
Decision: docs/decisions/market-open-interest.md.
"""

from collections.abc import Sequence

import msgspec

from streams.core.detectors.interest import SILENT_S
from streams.core.detectors.levels import chained
from streams.core.detectors.venue_sums import EIGHT_HOURS_S, rate_8h
from streams.core.frames import VenueInterest
from streams.core.results import Contribution

SETTLE_S = 600
"""A venue's contracts of an asset come in one by one: for this long its changes do not count."""


class Held(msgspec.Struct):
    """Open interest over assets: `usd` micro-dollars, `linked` those of them whose coins are
    known, `volume` the chained index of coins at constant prices, 1 at its beginning. `readings` of
    (asset, venue) are in the sums.
    """

    readings: int = 0
    usd: int = 0
    linked: int = 0
    volume: float = 1.0


class MarketInterest(msgspec.Struct):
    """Last known open interest and funding of every asset at every venue.

    `settling`: since when (s) an (asset, venue) has told its coins, while that is recent;
    `funding`: mean rate per 8 h by venue, `rate_8h` over all, as of the first renewal of `minute`
    (s // 60). `heard`: the last second (s) of each asset; `looked`: the minute in which those that
    have fallen silent were last left out.
    """

    assets: dict[str, tuple[VenueInterest, ...]] = {}
    every: Held = msgspec.field(default_factory=Held)
    venues: dict[str, Held] = {}
    settling: dict[tuple[str, str], int] = {}
    funding: dict[str, float] = {}
    rate_8h: float | None = None
    minute: int | None = None
    heard: dict[str, int] = {}
    looked: int | None = None

    def volume(self) -> float | None:
        """Chained index of all open interest; None while no coins are known."""
        return self.every.volume if self.every.linked else None


def after(past: MarketInterest) -> MarketInterest:
    """The interest of a market that goes on where the volumes of another ended."""
    venues = {name: Held(volume=held.volume) for name, held in past.venues.items()}
    return MarketInterest(every=Held(volume=past.every.volume), venues=venues)


def leave_out(state: MarketInterest, second: int) -> list[str]:
    """Leave out the assets of which nothing came for SILENT_S; their names. Looks once a minute."""
    if state.looked == second // 60:
        return []
    state.looked = second // 60
    silent = sorted(asset for asset, at in state.heard.items() if at < second - SILENT_S)
    for asset in silent:
        _renew(state, asset, ())
        del state.heard[asset]
    return silent


def take(state: MarketInterest, parts: Sequence[Contribution], second: int) -> None:
    """Take the contributions of a second (s), sorted by asset."""
    moved: dict[str, float] = {}
    for part in parts:
        for now in part.interest or ():
            dollars = _moved(state, part.asset, now, second)
            if dollars:
                moved[now.venue] = moved.get(now.venue, 0.0) + dollars
    for venue in sorted(moved):
        one = state.venues[venue]
        one.volume = chained(one.volume, moved[venue], one.linked)
    if moved:
        total = sum(moved[venue] for venue in sorted(moved))
        state.every.volume = chained(state.every.volume, total, state.every.linked)
    for part in parts:
        state.heard[part.asset] = second
        if part.interest is not None:
            _renew(state, part.asset, part.interest)


def _renew(state: MarketInterest, asset: str, now: tuple[VenueInterest, ...]) -> None:
    before = state.assets.pop(asset, ())
    _hold(state, before, -1)
    _hold(state, now, 1)
    if now:
        state.assets[asset] = now
    for venue in {one.venue for one in before} - {one.venue for one in now}:
        # It joins when it comes back.
        state.settling.pop((asset, venue), None)


def _moved(state: MarketInterest, asset: str, now: VenueInterest, second: int) -> float | None:
    """Micro-dollars of coins opened (closed: negative) since the last reading, at its price."""
    before = next((one for one in state.assets.get(asset, ()) if one.venue == now.venue), None)
    if now.volume is None:
        return None
    key = asset, now.venue
    if before is None or before.volume is None or before.oi_usd is None:
        state.settling.setdefault(key, second)
        return None
    since = state.settling.get(key)
    if since is not None:
        if second - since < SETTLE_S:
            return None
        del state.settling[key]
    priced = before if before.volume > 0 else now
    if not priced.volume or priced.oi_usd is None:
        return None
    return (now.volume - before.volume) * (priced.oi_usd / priced.volume)


def _hold(state: MarketInterest, interest: Sequence[VenueInterest], sign: int) -> None:
    for one in interest:
        usd = sign * (one.oi_usd or 0)
        for held in (state.venues.setdefault(one.venue, Held()), state.every):
            held.readings += sign
            held.usd += usd
            if one.oi_base is not None:
                held.linked += usd


def by_venue(state: MarketInterest, second: int) -> tuple[VenueInterest, ...]:
    """Open interest by venue over all assets; coins are the chained index, funding the mean.

    The funding is weighted by open interest; it is summed anew once a minute, for it takes a pass
    over every asset.
    """
    if state.minute != second // 60:
        state.minute = second // 60
        state.funding, state.rate_8h = _funding(state)
    return tuple(
        VenueInterest(
            venue,
            held.usd,
            held.volume if held.linked else None,
            state.funding.get(venue),
            EIGHT_HOURS_S if venue in state.funding else None,
            None,
        )
        for venue, held in sorted(state.venues.items())
        if held.readings
    )


def dollars_by_venue(state: MarketInterest) -> tuple[tuple[str, int], ...]:
    """Open interest of each venue over all assets that speak, micro-dollars, in order of venue."""
    return tuple((venue, held.usd) for venue, held in sorted(state.venues.items()) if held.usd > 0)


def _funding(state: MarketInterest) -> tuple[dict[str, float], float | None]:
    sums: dict[str, list[float]] = {}
    for asset in sorted(state.assets):
        for one in state.assets[asset]:
            rate = rate_8h(one)
            if rate is not None and one.oi_usd:
                tally = sums.setdefault(one.venue, [0.0, 0.0])
                tally[0] += one.oi_usd * rate
                tally[1] += one.oi_usd
    whole = sum(weight for _, weight in sums.values())
    mean = sum(total for _, (total, _) in sorted(sums.items())) / whole if whole else None
    return {venue: total / weight for venue, (total, weight) in sorted(sums.items())}, mean
