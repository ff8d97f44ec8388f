"""What a frame says of its venues, summed over their contracts: interest, funding, volume, depth.

Between frames and moments. Promises one-sided open interest, int64 micro-dollars, sums that do not
depend on the order of members, and None where a sum would hide a missing part.
"""

from collections.abc import Sequence
from operator import attrgetter

import msgspec

from streams.core.events import MICROS
from streams.core.frames import (
    DEPTH_BANDS_BP,
    BookState,
    Flow,
    Market,
    TickerState,
    VenueInterest,
    VenueTrades,
)

EIGHT_HOURS_S = 8 * 3600

MOST_OPEN_INTEREST = 10**18
"""A trillion dollars, in micro-dollars: more in one contract is an error of units, not a market."""

EXPIRED_S = 3600
"""A contract silent for so long, while its venue tells of others, has expired or was delisted."""

BOOK_STANDS_S = 30
"""A book older than this is not known any more."""
BOOK_GONE_S = 3600
"""After so long without it a book is no part of what is there."""


class ContractInterest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One-sided open interest of one contract: micro-dollars, and coins at its mark price.

    `inverse`: its dollars are fixed, and its coins move with the price.
    """

    venue: str
    symbol: str
    inverse: bool
    usd: int | None
    coins: float


class Interest(msgspec.Struct, frozen=True):
    """Open interest of an asset by venue, in micro-dollars over all that state it, and by contract
    where the coins are known, sorted.
    """

    venues: tuple[VenueInterest, ...]
    oi_usd: int | None
    contracts: tuple[ContractInterest, ...]


def interest_of(tickers: tuple[TickerState, ...]) -> Interest:
    """Open interest and funding by venue; the funding is that of the venue's largest contract."""
    by_venue: dict[str, list[TickerState]] = {}
    for ticker in tickers:
        if ticker.contract != "spot":
            by_venue.setdefault(ticker.venue, []).append(ticker)
    venues: list[VenueInterest] = []
    contracts: list[ContractInterest] = []
    for venue in sorted(by_venue):
        listed = by_venue[venue]
        oldest = max(one.as_of_us for one in listed) - EXPIRED_S * MICROS
        venues.append(_venue(venue, [one for one in listed if one.as_of_us >= oldest], contracts))
    usd = [venue.oi_usd for venue in venues if venue.oi_usd is not None]
    return Interest(
        tuple(venues), sum(usd) if usd else None, tuple(sorted(contracts, key=_by_contract))
    )


_by_contract = attrgetter("venue", "symbol")


def rate_8h(venue: VenueInterest) -> float | None:
    """The venue's funding rate per 8 hours; None without a rate or its cycle."""
    if venue.funding_rate is None or not venue.funding_interval_s:
        return None
    return venue.funding_rate * EIGHT_HOURS_S / venue.funding_interval_s


def funding_8h(venues: Sequence[VenueInterest]) -> float | None:
    """Funding per 8 h weighted by open interest; the plain mean where none is known.

    Of the venues whose cycle is known; None where it is of none.
    """
    rates = [(venue.oi_usd, rate) for venue in venues if (rate := rate_8h(venue)) is not None]
    weighed = [(usd, rate) for usd, rate in rates if usd]
    if weighed:
        return sum(usd * rate for usd, rate in weighed) / sum(usd for usd, _ in weighed)
    return sum(rate for _, rate in rates) / len(rates) if rates else None


def _venue(
    name: str, tickers: list[TickerState], contracts: list[ContractInterest]
) -> VenueInterest:
    """The venue's sums; its contracts are added to `contracts`."""
    usd: int | None = None
    base: float | None = None
    largest: tuple[int, TickerState] | None = None
    for ticker in tickers:
        dollars, coins = _stated(ticker)
        if dollars is not None:
            usd = dollars if usd is None else usd + dollars
        if coins is not None:
            base = coins if base is None else base + coins
            inverse = ticker.contract == "inverse"
            contracts.append(ContractInterest(name, ticker.symbol, inverse, dollars, coins))
        if ticker.funding_rate is not None and (largest is None or (dollars or 0) > largest[0]):
            largest = dollars or 0, ticker
    if largest is None:
        return VenueInterest(name, usd, base, None, None, None)
    chosen = largest[1]
    return VenueInterest(
        name,
        usd,
        base,
        chosen.funding_rate,
        chosen.funding_interval_s,
        chosen.next_funding_us,
    )


def _stated(ticker: TickerState) -> tuple[int | None, float | None]:
    """Dollars and coins of a contract's open interest, one from the other at its mark price."""
    mark = ticker.mark_price or ticker.last_price
    dollars, coins = ticker.open_interest_usd, ticker.open_interest_base
    if dollars is None and coins is not None and mark is not None:
        dollars = round(coins * mark * MICROS)
    if coins is None and dollars is not None and mark:
        coins = dollars / MICROS / mark
    if dollars is not None and dollars > MOST_OPEN_INTEREST:
        return None, None
    return dollars, coins


def trades_of(flows: tuple[Flow, ...]) -> tuple[VenueTrades, ...]:
    """Taker volume by venue and market."""
    sums: dict[tuple[str, Market], list[int]] = {}
    for flow in flows:
        market: Market = "spot" if flow.contract == "spot" else "derivative"
        tally = sums.setdefault((flow.venue, market), [0, 0, 0])
        tally[0] += flow.buy_usd
        tally[1] += flow.sell_usd
        tally[2] += flow.unknown_usd
    return tuple(VenueTrades(*key, *sums[key]) for key in sorted(sums))


def signed_flow(trades: Sequence[VenueTrades]) -> int | None:
    """Taker buys minus sells over all venues and markets, micro-dollars.

    Volume of unknown side is in neither. None without trades, and where no side of any is known.
    """
    if not any(one.buy_usd or one.sell_usd or not one.unknown_usd for one in trades):
        return None
    return sum(one.buy_usd - one.sell_usd for one in trades)


def add_trades(parts: Sequence[VenueTrades]) -> tuple[VenueTrades, ...]:
    """Volumes of the same venue and market added up."""
    sums: dict[tuple[str, Market], list[int]] = {}
    for part in parts:
        tally = sums.setdefault((part.venue, part.market), [0, 0, 0])
        tally[0] += part.buy_usd
        tally[1] += part.sell_usd
        tally[2] += part.unknown_usd
    return tuple(VenueTrades(*key, *sums[key]) for key in sorted(sums))


Bands = tuple[int | None, ...]
_UNKNOWN: Bands = (None,) * len(DEPTH_BANDS_BP)


class Depth(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Depth of bids and asks by band in micro-dollars, as of `second` (s)."""

    second: int
    bids: Bands
    asks: Bands


def depth(
    books: Sequence[BookState], known: dict[tuple[str, str], Depth], second: int
) -> tuple[Bands, Bands]:
    """Depth of bids and asks by band over all books of an asset; empty without one in the second.

    Books come at their own pace, and one stands for BOOK_STANDS_S: a sum over those that happen to
    come together would read as a change of depth. None while one that came within BOOK_GONE_S is
    older than that. `known` goes on by the second.
    """
    if not books:
        return (), ()
    for book in books:
        known[book.venue, book.symbol] = Depth(second, book.bid_usd, book.ask_usd)
    for key in [key for key, one in known.items() if one.second < second - BOOK_GONE_S]:
        del known[key]
    if any(one.second < second - BOOK_STANDS_S for one in known.values()):
        return _UNKNOWN, _UNKNOWN
    return add_depths(list(known.values()))


def add_depths(parts: Sequence[Depth]) -> tuple[Bands, Bands]:
    """Sums of bids and of asks."""
    return add_bands([one.bids for one in parts]), add_bands([one.asks for one in parts])


def add_bands(sides: Sequence[Bands]) -> Bands:
    """Sums by band of DEPTH_BANDS_BP; None where a book does not reach the band's end.

    A sum over the books that happen to reach a band would read as a change of depth.
    """
    if not sides:
        return ()
    sums: list[int | None] = []
    for band in range(len(DEPTH_BANDS_BP)):
        known = [side[band] for side in sides]
        sums.append(None if None in known else sum(one for one in known if one is not None))
    return tuple(sums)
