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

from streams.core.dollars import Dollars, Estimate
from streams.core.events import MICROS, Completeness
from streams.core.results import Identifiability
from streams.core.slots import SlotKey, Slots
from streams.core.thinning import NOTHING, Rule, Thinned
from streams.core.throttle import (
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


class Scale(msgspec.Struct, frozen=True):
    """Open interest by venue, micro-dollars; and the venues whose forced orders came throughout."""

    interest: Mapping[str, int] = {}
    up: Collection[str] = ()


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
    """The estimate of sealed seconds with late dollars added as they are."""
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
    full = [name for name in sorted(scale.up) if _complete(name, at, venues, params)]
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
        whole: Completeness = "all" if tally.all_orders else "unknown"
        rule = feed(key[0], at * MICROS, whole, params.doubted)
        venues.setdefault(key[0], _Venue(rule)).add(rule, tally, seconds, params)
    return venues


def _by_key(item: tuple[SlotKey, SlotTally]) -> SlotKey:
    return item[0]


def _throttled(rule: Feed) -> bool:
    return rule.feed_class in ("largest_1s", "latest_1s")


def _complete(name: str, at: int, venues: Mapping[str, _Venue], params: ThrottleParams) -> bool:
    if name in venues:
        return venues[name].rule.feed_class == "full"
    return feed(name, at * MICROS, None, params.doubted).feed_class == "full"


def _square(x: float) -> float:
    """By multiplication: the power function of a platform's library may round otherwise."""
    return x * x


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
    crowded = venue.occupied * 100 > params.alone_percent * seconds
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
            label = "saturated" if crowded else label
        elif not yard.thinned.usd:
            # Complete feeds that forced nothing on this side measure nothing of it either.
            error = int(alone * params.thinning_error)
            sides.append(Dollars(alone, upper, error, floor=crowded))
            label = "saturated" if crowded else label
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
    """A throttled side from both ways; and the weight of the interest."""
    across = yard.thinned.usd * interest // yard.interest
    sampling = (1 + yard.interest / interest) / yard.orders
    factor = _factor(yard, interest, _rule(rule))
    counted, excess = alone, _NOTHING_SHOWN
    if factor is not None:
        counted = max(alone, published * factor // _PPM)
        excess = factor / _PPM - 1
    doubt = (excess, params.thinning_error * excess)
    return _weigh(across, counted, (published, upper), sampling, doubt, params)


def _factor(yard: _Yard, interest: int, rule: Rule) -> int | None:
    """True over published dollars of a venue of that interest, in parts per million.

    The complete feeds' own factor, less one, times the root of the venue's size against theirs: a
    larger venue is thinned harder. None where the rule would have shown nothing of them.
    """
    shown = yard.thinned.shown(rule)
    if shown <= 0:
        return None
    root = isqrt(interest * _PPM * _PPM // yard.interest)
    return _PPM + (yard.thinned.usd - shown) * root // shown


def _weigh(
    across: int,
    counted: int,
    limits: tuple[int, int | None],
    sampling: float,
    doubt: tuple[float, float],
    params: ThrottleParams,
) -> tuple[Dollars, float]:
    """Dollars between `across`, by open interest, and `counted`, by the venue's own orders.

    Args:
        across: micro-dollars.
        counted: micro-dollars.
        limits: published dollars and the bound.
        sampling: relative variance of `across` for the few large orders on both sides.
        doubt: hidden over published dollars by thinning, and the relative error of `counted`.
        params: the error of the ratio.

    Returns:
        The dollars, and the weight of `across` in them.
    """
    published, upper = limits
    excess, error = doubt
    of_across, of_counted = _square(params.ratio_error) + sampling, _square(error) + _LEAST
    # Beyond their errors one of them misses something: the own orders what no feed shows, as far
    # as seconds are crowded; the interest a large order that the others happened not to have.
    beyond = _square(across - counted) / (across * counted) if across > 0 else 0.0
    beyond = max(0.0, beyond - of_across - of_counted)
    missing = beyond * (min(1.0, excess) if across > counted else _OTHER)
    scatter = sampling + beyond * (_OTHER if across > counted else 1.0)
    of_across, of_counted = _square(params.ratio_error) + scatter, of_counted + missing
    weight = of_counted / (of_across + of_counted)
    ppm = int(weight * _PPM)
    usd = max(published, (across * ppm + counted * (_PPM - ppm)) // _PPM)
    usd = usd if upper is None else min(usd, upper)
    common = sqrt(_square(weight * params.ratio_error) + _square(1 - weight) * of_counted)
    noise = _square(usd * weight) * scatter
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
            across = sum(one.usd or 0 for one in dollars) * interest // known_interest
            sampling = yard.interest * (1 / known_interest + 1 / interest) / yard.orders
            least = _factor(yard, interest, "largest") or _PPM
            most = max(least, _factor(yard, interest, "latest") or _PPM)
            counted = published * (least + most) // (2 * _PPM)
            excess = least / _PPM - 1
            doubt = (excess, (most - least) / (most + least) + params.thinning_error * excess)
            limits = (published, None)
            sides.append(_weigh(across, counted, limits, sampling, doubt, params)[0])
    return Estimate(sides[0], sides[1], label, partial=True)
