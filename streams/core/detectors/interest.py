"""Open interest and funding of an asset over time: who still speaks, and what was opened.

Between frames and moments, second by second. Promises that a venue leaves SILENT_S after its last
word, that neither a contract or venue that joins or leaves nor a price alone moves the volume, and
one rule for funding cycles everywhere: told by the venue, or seen between two due times, or none.
Knows nothing of what was opened while nobody spoke.
"""

from math import inf
from typing import Final

import msgspec

from streams.core.detectors.levels import chained
from streams.core.detectors.venue_sums import (
    EIGHT_HOURS_S,
    ContractInterest,
    Interest,
    funding_8h,
    interest_of,
)
from streams.core.events import MICROS
from streams.core.frames import TickerState, VenueInterest

SILENT_S: Final = 600
"""Open interest and funding of a venue stand for so long after its last ticker of the asset."""

POLLED: Final = frozenset({"binance-coinm", "binance-usdm"})
"""Venues whose open interest is asked for, so that it is told again though it has not changed: it
stands no longer than SILENT_S by itself. Others may be silent because nothing has changed."""

HOUR_S: Final = 3600
_ALWAYS: Final = 2**62


class FixedDollars(msgspec.Struct, array_like=True):
    """Inverse contracts of a venue when last seen, micro-dollars and coins; and `factor`, by which
    the venue's coins are multiplied to undo what the price alone has done to them so far.
    """

    usd: int
    coins: float
    factor: float = 1.0


class Cycle(msgspec.Struct, array_like=True):
    """Next due time (µs) that a venue has told, and the cycle (s) seen between two of them."""

    due_us: int
    seen_s: int | None = None


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What a scope's moments say until something is heard anew, or until the second `until`.

    `oi_usd` micro-dollars, `by_venue` its parts; `oi_volume` the chained index; `funding_8h` the
    fraction per 8 h.
    """

    oi_usd: int | None = None
    oi_volume: float | None = None
    funding_8h: float | None = None
    until: int = _ALWAYS
    by_venue: tuple[tuple[str, int], ...] = ()


class InterestState(msgspec.Struct):
    """Open interest of an asset between frames.

    `told_us`: time of the newest ticker heard (µs); `contracts`: (venue, symbol) -> micro-dollars
    and coins when last heard, at `at` (s); `index`: the chained volume; `fixed`, `cycles` by venue.
    """

    told: Told = msgspec.field(default_factory=Told)
    told_us: int = 0
    contracts: dict[tuple[str, str], tuple[int | None, float]] = {}
    at: int = 0
    index: float | None = None
    fixed: dict[str, FixedDollars] = {}
    cycles: dict[str, Cycle] = {}

    def hear(
        self, tickers: tuple[TickerState, ...], second: int
    ) -> tuple[VenueInterest, ...] | None:
        """Take the tickers known at a second (s); the interest by venue if it is told anew."""
        newest = max((one.as_of_us for one in tickers), default=0)
        if newest <= self.told_us and second <= self.told.until:
            return None
        self.told_us = max(newest, self.told_us)
        speaking, until = standing(tickers, second)
        now = interest_of(speaking)
        venues = tuple(
            _with_cycle(one, self.cycles, second) for one in at_constant_prices(now, self.fixed)
        )
        volume = self._chain(now.contracts, second)
        parts = tuple((one.venue, one.oi_usd) for one in venues if one.oi_usd)
        self.told = Told(now.oi_usd, volume, funding_8h(venues), until, parts)
        return venues

    def _chain(self, contracts: tuple[ContractInterest, ...], second: int) -> float | None:
        """The volume: I <- I * (1 + what was opened / what was held), over the same contracts.

        Inverse contracts count in dollars, at the price before the step: their coins would change
        with the price alone. A contract heard again after a silence joins.
        """
        before = self.contracts if second - self.at <= SILENT_S else {}
        moved = held = whole = 0.0
        for one in contracts:
            whole += one.coins
            past = before.get((one.venue, one.symbol))
            if past is None:
                continue
            usd, coins = past
            held += coins
            if one.inverse and usd and one.usd is not None and coins:
                moved += coins * (one.usd / usd - 1)
            else:
                moved += one.coins - coins
        self.contracts = {(one.venue, one.symbol): (one.usd, one.coins) for one in contracts}
        self.at = second
        if self.index is None:
            self.index = whole if 0 < whole < inf else None
        else:
            self.index = chained(self.index, moved, held)
        return self.index if contracts else None


def standing(tickers: tuple[TickerState, ...], second: int) -> tuple[tuple[TickerState, ...], int]:
    """Tickers of derivatives whose venue speaks at a second (s), and until when they all stand.

    A polled venue that does not tell its open interest any more keeps the rest of its tickers.
    """
    spoke: dict[str, int] = {}
    stated: dict[str, int] = {}
    for one in tickers:
        if one.contract == "spot":
            continue
        spoke[one.venue] = max(spoke.get(one.venue, 0), one.as_of_us)
        if one.venue in POLLED and one.open_interest_as_of_us is not None:
            stated[one.venue] = max(stated.get(one.venue, 0), one.open_interest_as_of_us)
    oldest = (second - SILENT_S) * MICROS
    gone = {venue for venue, at in spoke.items() if at < oldest}
    unstated = {venue for venue, at in stated.items() if at < oldest} - gone
    if gone or unstated:
        tickers = tuple(
            _without_interest(one) if one.venue in unstated else one
            for one in tickers
            if one.venue not in gone
        )
    ends = [
        *(at for venue, at in spoke.items() if venue not in gone),
        *(at for venue, at in stated.items() if venue not in gone | unstated),
    ]
    return tickers, min(ends) // MICROS + SILENT_S if ends else _ALWAYS


def _without_interest(one: TickerState) -> TickerState:
    return msgspec.structs.replace(
        one, open_interest_base=None, open_interest_usd=None, open_interest_as_of_us=None
    )


def at_constant_prices(
    interest: Interest, known: dict[str, FixedDollars]
) -> tuple[VenueInterest, ...]:
    """The interest by venue with `oi_volume` told; `known` goes on by a step.

    A contract worth fixed dollars is more coins when the price falls, though nobody opened any:
    each step counts such contracts at the price before it.

    >>> def of(usd, coins):
    ...     one = VenueInterest("okx", usd, coins, None, None, None)
    ...     return Interest((one,), usd, (ContractInterest("okx", "BTC", True, usd, coins),))
    >>> known = {}
    >>> steps = (of(100, 1.0), of(100, 2.0), of(50, 1.0))
    >>> [at_constant_prices(step, known)[0].volume for step in steps]
    [1.0, 1.0, 0.5]
    """
    sums: dict[str, tuple[int, float]] = {}
    for one in interest.contracts:
        if one.inverse and one.usd is not None:
            usd, coins = sums.get(one.venue, (0, 0.0))
            sums[one.venue] = usd + one.usd, coins + one.coins
    if not sums:
        return interest.venues
    bases = {one.venue: one.oi_base or 0.0 for one in interest.venues}
    for venue, (usd, coins) in sums.items():
        held = known.setdefault(venue, FixedDollars(usd, coins))
        if (held.usd, held.coins) != (usd, coins):
            base = bases[venue]
            if held.usd > 0 and base > 0:
                factor = held.factor * ((base - coins + usd * (held.coins / held.usd)) / base)
                held.factor = factor if 0 < factor < inf else held.factor
            held.usd, held.coins = usd, coins
    return tuple(
        msgspec.structs.replace(one, oi_volume=one.oi_base * known[one.venue].factor)
        if one.oi_base is not None and one.venue in known
        else one
        for one in interest.venues
    )


def _with_cycle(one: VenueInterest, cycles: dict[str, Cycle], second: int) -> VenueInterest:
    turn(cycles, one, second)
    if one.funding_rate is None or one.funding_interval_s:
        return one
    cycle = cycles.get(one.venue)
    if cycle is None or cycle.seen_s is None:
        return one
    return msgspec.structs.replace(one, funding_interval_s=cycle.seen_s)


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
    if due == cycle.due_us:
        return
    moved, late = (due - cycle.due_us) // MICROS, at - cycle.due_us // MICROS
    if 0 <= late < HOUR_S and 0 < moved <= EIGHT_HOURS_S and moved % HOUR_S == 0:
        cycle.seen_s = moved
    cycle.due_us = due
