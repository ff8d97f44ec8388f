"""Dollars of a block of seconds, venue by venue: what throttled and partial feeds left out.

Beside the data path; between slots and detectors. Where a complete feed was up, it says how crowded
the seconds were and what a dollar of open interest forced, and throttled venues are estimated from
both; elsewhere each slot is inverted by itself (`throttle`). Promises order-free results, published
<= low <= estimate <= high <= bound wherever they are known, and a label that says what the estimate
rests on. Does not know why a venue differs from another. Definition: docs/definitions/throttle.md.
"""

from collections.abc import Collection, Iterable, Mapping
from math import isqrt, sqrt
from typing import Final

import msgspec

from streams.core.events import MICROS
from streams.core.results import Identifiability, WindowSide
from streams.core.slots import SlotKey, Slots
from streams.core.thinning import NOTHING, Rule, Thinned
from streams.core.throttle import (
    SEVERITY,
    Feed,
    SideEstimate,
    SlotTally,
    ThrottleParams,
    combine,
    estimate,
    feed,
)

_PPM: Final = 1_000_000
_LEAST: Final = 1e-6
"""Variance of a thinning factor of one: below what matters, above zero."""
_NOTHING_SHOWN: Final = 10.0
"""Error of the thinning factor where the other side hid all orders of the complete feeds."""
_OTHER: Final = 0.25
"""Share of a disagreement that the higher of two estimates is charged with."""


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
        error = params.interval_errors * sqrt(float(self.common) ** 2 + self.noise)
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


class Scale(msgspec.Struct, frozen=True):
    """Open interest by venue, micro-dollars; and the venues whose forced orders came throughout."""

    interest: Mapping[str, int] = {}
    up: Collection[str] = ()


def _plus(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left + right


class _Yard(msgspec.Struct, frozen=True):
    """One side of the complete venues: their orders, and their open interest in micro-dollars."""

    thinned: Thinned
    interest: int

    @property
    def orders(self) -> float:
        """Effective number of orders (Kish): how many equal ones would scatter as much."""
        usd = self.thinned.usd / MICROS
        return usd * usd / max(1, self.thinned.squares)


class _Venue(msgspec.Struct):
    """A venue's slots of the block."""

    rule: Feed
    own: SideEstimate = SideEstimate(0, 0, 0, 0, "ok")
    published: tuple[int, int] = (0, 0)
    thinned: tuple[Thinned, Thinned] = (NOTHING, NOTHING)
    occupied: int = 0

    def add(self, rule: Feed, tally: SlotTally, seconds: int, params: ThrottleParams) -> None:
        if rule.feed_class == "partial":
            self.rule = rule
        self.own = combine([self.own, estimate(rule, tally, seconds, params)])
        longs, shorts = self.published
        self.published = longs + tally.long_usd, shorts + tally.short_usd
        if tally.thinned is not None:
            first, second = self.thinned
            self.thinned = first.plus(tally.thinned[0]), second.plus(tally.thinned[1])
        self.occupied = max(self.occupied, tally.occupied)


def estimate_block(
    slots: Slots, seconds: int, at: int, scale: Scale, params: ThrottleParams
) -> Estimate:
    """Dollars of all venues; `by_venue` summed."""
    total = Estimate()
    for one in by_venue(slots, seconds, at, scale, params).values():
        total = total.plus(one)
    return total


def estimate_late(sealed: Estimate, late: Slots, at: int, params: ThrottleParams) -> Estimate:
    """The estimate of sealed seconds with late dollars added as they are.

    Late orders of a partial feed that was estimated in time change the bound alone.
    """
    parts = _venues(late, 1, at, params).values()
    total = sealed
    for part in parts:
        own = part.own
        partial = part.rule.feed_class == "partial"
        label = "ok" if _throttled(part.rule) else own.identifiability
        if partial and sealed.partial:
            label = sealed.identifiability
        total = total.plus(
            Estimate(
                Dollars(own.long_usd, own.long_upper),
                Dollars(own.short_usd, own.short_upper),
                label,
                partial,
            )
        )
    return total


def by_venue(
    slots: Slots, seconds: int, at: int, scale: Scale, params: ThrottleParams
) -> dict[str, Estimate]:
    """Dollars behind what each venue published in a block, in order of venue.

    Args:
        slots: the block's orders by throttle slot.
        seconds: length of the block, s; of use where a slot is inverted by itself.
        at: a second of the block (s since 1970), which decides the feeds in force.
        scale: open interest by venue, and who was up throughout.
        params: errors of the two ways, and the size prior.

    Returns:
        For each venue in `slots`: a complete feed as published; a throttled one from the complete
        feeds and its own orders, or from its own alone; a partial one by open interest from the
        others, or as published.
    """
    venues = _venues(slots, seconds, at, params)
    full = [name for name in sorted(scale.up) if _complete(name, at, venues)]
    full = [name for name in full if scale.interest.get(name, 0) > 0]
    interest = sum(scale.interest[name] for name in full)
    yards = tuple(_yard(side, full, interest, venues) for side in (0, 1))
    found: dict[str, Estimate] = {}
    told = {name: scale.interest[name] for name in full}
    for name in sorted(scale.up):
        if _throttled(feed(name, at * MICROS)) and scale.interest.get(name, 0) > 0:
            told[name] = scale.interest[name]
    for name, venue in venues.items():
        if venue.rule.feed_class == "full":
            found[name] = _as_published(venue)
        elif _throttled(venue.rule):
            found[name] = _of_throttled(venue, seconds, scale.interest.get(name, 0), yards, params)
    for name, venue in venues.items():
        if venue.rule.feed_class == "partial":
            known = [found[other] for other in told if other in found]
            found[name] = _of_partial(
                venue, known, sum(told.values()), scale.interest.get(name, 0), yards, params
            )
    return {name: found[name] for name in venues}


def _venues(slots: Slots, seconds: int, at: int, params: ThrottleParams) -> dict[str, _Venue]:
    venues: dict[str, _Venue] = {}
    for key, tally in sorted(slots.items(), key=_by_key):
        rule = feed(key[0], at * MICROS, "all" if tally.all_orders else "unknown")
        venues.setdefault(key[0], _Venue(rule)).add(rule, tally, seconds, params)
    return venues


def _by_key(item: tuple[SlotKey, SlotTally]) -> SlotKey:
    return item[0]


def _throttled(rule: Feed) -> bool:
    return rule.feed_class in ("largest_1s", "latest_1s")


def _complete(name: str, at: int, venues: Mapping[str, _Venue]) -> bool:
    rule = venues[name].rule if name in venues else feed(name, at * MICROS)
    return rule.feed_class == "full"


def _yard(side: int, full: Iterable[str], interest: int, venues: Mapping[str, _Venue]) -> _Yard:
    total = NOTHING
    for name in full:
        if name in venues:
            total = total.plus(venues[name].thinned[side])
    return _Yard(total, interest)


def _as_published(venue: _Venue) -> Estimate:
    own = venue.own
    return Estimate(
        Dollars(own.long_usd, own.long_upper),
        Dollars(own.short_usd, own.short_upper),
        own.identifiability,
    )


def _of_throttled(
    venue: _Venue, seconds: int, interest: int, yards: tuple[_Yard, ...], params: ThrottleParams
) -> Estimate:
    """A throttled venue: both sides, and whether open interest said more than its orders."""
    own = venue.own
    label: Identifiability = "ok"
    sides: list[Dollars] = []
    for published, alone, upper, yard in zip(
        venue.published,
        (own.long_usd or 0, own.short_usd or 0),
        (own.long_upper, own.short_upper),
        yards,
        strict=True,
    ):
        if not published:
            sides.append(Dollars(0, upper))
        elif not (interest and yard.interest):
            sides.append(Dollars(alone, upper, alone - published, floor=True))
            crowded = venue.occupied * 100 > params.alone_percent * seconds
            label = "saturated" if crowded else label
        elif not yard.thinned.usd:
            sides.append(Dollars(alone, upper, int(alone * params.thinning_error)))
        else:
            dollars, weight = _blend(published, alone, upper, interest, yard, venue.rule, params)
            sides.append(dollars)
            if weight >= 0.5 and label == "ok":
                label = "extrapolated"
    return Estimate(sides[0], sides[1], label)


def _blend(
    published: int,
    alone: int,
    upper: int | None,
    interest: int,
    yard: _Yard,
    rule: Feed,
    params: ThrottleParams,
) -> tuple[Dollars, float]:
    """A throttled side from both ways, weighed by their errors; and the weight of the interest."""
    thinned = yard.thinned
    across = thinned.usd * interest // yard.interest
    shown = thinned.shown(_rule(rule))
    # A venue of another size is thinned otherwise: hidden dollars grow about with the root of it.
    root = isqrt(interest * _PPM * _PPM // yard.interest)
    hidden = thinned.usd - shown
    counted = alone
    excess = _NOTHING_SHOWN
    if shown > 0:
        counted = max(alone, published + published * hidden * root // (shown * _PPM))
        excess = hidden / shown
    sampling = (1 + yard.interest / interest) / yard.orders
    of_across = params.ratio_error**2 + sampling
    of_counted = (params.thinning_error * excess) ** 2 + _LEAST
    # Beyond their errors the lower one misses something: orders no feed shows, or a large one
    # that the complete venues happened not to have. It is believed less, the other a little less.
    beyond = (across - counted) ** 2 / (across * counted) if across > 0 else 0.0
    beyond = max(0.0, beyond - of_across - of_counted)
    low, high = (beyond, beyond * _OTHER) if across < counted else (beyond * _OTHER, beyond)
    of_across, of_counted = of_across + low, of_counted + high
    weight = of_counted / (of_across + of_counted)
    ppm = int(weight * _PPM)
    usd = max(published, (across * ppm + counted * (_PPM - ppm)) // _PPM)
    usd = usd if upper is None else min(usd, upper)
    common = sqrt((weight * params.ratio_error) ** 2 + (1 - weight) ** 2 * of_counted)
    noise = (usd * weight) ** 2 * (sampling + low)
    return Dollars(usd, upper, int(usd * common), noise), weight


def _rule(rule: Feed) -> Rule:
    if rule.feed_class == "latest_1s":
        return "latest"
    return "own_largest" if rule.slot == "symbol_side" else "largest"


def _of_partial(
    venue: _Venue,
    known: Iterable[Estimate],
    known_interest: int,
    interest: int,
    yards: tuple[_Yard, ...],
    params: ThrottleParams,
) -> Estimate:
    """A partial venue: what its open interest makes of the others' dollars, at least as published.

    Nothing but its published dollars, a floor, without a complete feed.
    """
    if params.partial == "unknown":
        nothing = Dollars(None, None)
        return Estimate(nothing, nothing, "unknown", partial=True)
    label: Identifiability = "extrapolated"
    sides: list[Dollars] = []
    others = list(known)
    for published, dollars, yard in zip(
        venue.published,
        ([one.long for one in others], [one.short for one in others]),
        yards,
        strict=True,
    ):
        if not published:
            sides.append(Dollars(0, None))
        elif not (interest and yard.interest):
            sides.append(Dollars(published, None, floor=True))
            label = "unknown"
        elif not yard.thinned.usd:
            # The complete feeds were up and forced nothing: as much again may be hidden.
            sides.append(Dollars(published, None, published))
        else:
            reference = sum(one.usd or 0 for one in dollars)
            usd = max(published, reference * interest // known_interest)
            scatter = yard.interest * (1 / known_interest + 1 / interest) / yard.orders
            noise = float(usd) ** 2 * scatter
            sides.append(Dollars(usd, None, int(usd * params.ratio_error), noise))
    return Estimate(sides[0], sides[1], label, partial=True)
