"""Minutes of a scope: what its seconds add up to, closed when event time passes them.

Between moments and the detectors that look once a minute. Promises int64 sums, forced dollars
corrected per throttle slot, as-of values that stand until renewed, and the same minutes whether a
quiet second is passed or skipped. A minute in which no venue was healthy and nothing came is not
closed at all: detectors see a gap there, never an invented zero.
"""

import msgspec

from streams.core.detectors.interest import SILENT_S
from streams.core.detectors.moment import Moment
from streams.core.detectors.venue_sums import Bands, add_trades
from streams.core.events import PositionSide
from streams.core.frames import BookState, MacroValue, VenueInterest, VenueTrades
from streams.core.results import Identifiability
from streams.core.scaling import Scale, by_venue
from streams.core.slots import Slots, tally_slots
from streams.core.throttle import ThrottleParams

MINUTE = 60
PRICE_STANDS_S = 600
"""A price older than this is not known any more."""


class Forced(msgspec.Struct, frozen=True):
    """Forced orders of one venue and side in a minute, late ones apart.

    `events` are published orders, `usd` their micro-dollars, `squares` the sum of their squared
    dollars (for Kish's effective number), `largest` the largest in micro-dollars, `usd_estimated`
    corrected for the throttle (None when the feed's rule does not let it). `late_*` came too late
    for their own minute and are not part of the others.
    """

    venue: str
    side: PositionSide
    events: int
    usd: int
    squares: float
    largest: int
    usd_estimated: int | None
    identifiability: Identifiability
    late_events: int = 0
    late_usd: int = 0


class Minute(msgspec.Struct, frozen=True):
    """One closed minute of a scope; `start` is its first second (s, a multiple of 60).

    `coverage` and `venues_up` are those at its end. `open` to `close`: prices of the minute, None
    without one; `price`: last known, None when older than PRICE_STANDS_S. `oi_usd`,
    `oi_volume` (as in `Moment`), `funding_8h` and `interest` are the last known, but unknown when
    nothing came for SILENT_S; `macro` the last known. `trades`: taker volume. `bids`, `asks`: last
    depth by band in the minute, empty without a book; `books`: the last book of each (venue,
    symbol) in it, of assets only.
    """

    scope: str
    start: int
    coverage: float
    venues_up: tuple[str, ...]
    venues_all: tuple[str, ...]
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    price: float | None
    oi_usd: int | None
    oi_volume: float | None
    funding_8h: float | None
    interest: tuple[VenueInterest, ...]
    forced: tuple[Forced, ...]
    trades: tuple[VenueTrades, ...]
    bids: Bands
    asks: Bands
    books: tuple[BookState, ...]
    macro: dict[str, MacroValue]

    @property
    def end(self) -> int:
        """First second after the minute, s."""
        return self.start + MINUTE

    def forced_usd(self, side: PositionSide) -> int:
        """Observed forced micro-dollars of a side, late ones included."""
        return sum(one.usd + one.late_usd for one in self.forced if one.side == side)

    def forced_estimated(self, side: PositionSide) -> int | None:
        """Corrected forced micro-dollars of a side; None when some venue cannot be estimated."""
        total = 0
        for one in self.forced:
            if one.side == side:
                if one.usd_estimated is None:
                    return None
                total += one.usd_estimated + one.late_usd
        return total

    def taker_usd(self, market: str) -> tuple[int, int]:
        """(buy, sell) taker micro-dollars of `derivative` or `spot` markets, sides known."""
        parts = [one for one in self.trades if one.market == market]
        return sum(one.buy_usd for one in parts), sum(one.sell_usd for one in parts)

    def traded_usd(self, market: str) -> int:
        """All taker micro-dollars of `derivative` or `spot` markets, whatever their side."""
        return sum(one.usd for one in self.trades if one.market == market)


class Tally(msgspec.Struct):
    """Forced orders of one venue and side while their minute is open."""

    events: int = 0
    usd: int = 0
    squares: float = 0.0
    largest: int = 0
    late_events: int = 0
    late_usd: int = 0


class MinuteState(msgspec.Struct):
    """The minute in progress (`minute`, s // 60; None when none is) and what stands as-of.

    `heard_at`: the last second (s) that was taken, at which open interest and funding stood.
    `up`: venues that were healthy in all of the minute so far.
    """

    minute: int | None = None
    coverage: float = 0.0
    venues_up: tuple[str, ...] = ()
    up: tuple[str, ...] | None = None
    venues_all: tuple[str, ...] = ()
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float | None = None
    price: float | None = None
    price_at: int = 0
    oi_usd: int | None = None
    oi_volume: float | None = None
    funding_8h: float | None = None
    interest: tuple[VenueInterest, ...] = ()
    heard_at: int = 0
    macro: dict[str, MacroValue] = {}
    tallies: dict[tuple[str, PositionSide], Tally] = {}
    slots: dict[str, Slots] = {}
    trades: list[VenueTrades] = []
    bids: Bands = ()
    asks: Bands = ()
    books: dict[tuple[str, str], BookState] = {}


def end_of(state: MinuteState) -> int | None:
    """First second (s) after the minute in progress; None when there is none."""
    return None if state.minute is None else (state.minute + 1) * MINUTE


def add(state: MinuteState, moment: Moment) -> None:
    """Take a second that is not quiet; the minutes before it must be closed."""
    state.coverage = moment.coverage
    held = state.venues_up if state.up is None else state.up
    state.up = tuple(venue for venue in moment.venues_up if venue in held)
    state.venues_up, state.venues_all = moment.venues_up, moment.venues_all
    state.minute, state.heard_at = moment.second // MINUTE, moment.second
    if moment.price is not None:
        _price(state, moment.second, moment.price)
    state.oi_usd, state.oi_volume = moment.oi_usd, moment.oi_volume
    state.funding_8h = moment.funding_8h
    if moment.interest is not None:
        state.interest = moment.interest
    for value in moment.macro:
        state.macro[value.series] = value
    _forced(state, moment)
    if moment.trades:
        state.trades = list(add_trades((*state.trades, *moment.trades)))
    if moment.bids or moment.asks:
        state.bids, state.asks = moment.bids, moment.asks
    for book in moment.books:
        state.books[book.venue, book.symbol] = book


def _price(state: MinuteState, second: int, price: float) -> None:
    if state.open is None or state.high is None or state.low is None:
        state.open = state.high = state.low = price
    state.high, state.low = max(state.high, price), min(state.low, price)
    state.close = state.price = price
    state.price_at = second


def _forced(state: MinuteState, moment: Moment) -> None:
    for cell in moment.cells:
        if cell.kind == "adl":
            continue
        tally = state.tallies.setdefault((cell.venue, cell.side), Tally())
        tally.events += cell.n
        tally.usd += cell.usd
        # Only the sum of a cell is known: its orders count as equal.
        tally.squares += (cell.usd / 1e6) ** 2 / cell.n
        tally.largest = max(tally.largest, cell.max_usd)
    for venue in sorted({cell.venue for cell in moment.cells}):
        mine = tuple(cell for cell in moment.cells if cell.venue == venue)
        tally_slots(state.slots.setdefault(venue, {}), mine, moment.second)
    for late in moment.late:
        if late.kind != "adl":
            tally = state.tallies.setdefault((late.venue, late.side), Tally())
            tally.late_events += late.n
            tally.late_usd += late.usd


def close(state: MinuteState, scope: str, throttle: ThrottleParams) -> Minute:
    """The minute in progress, closed; `state` goes on to the next one, or to none.

    The next minute begins at once only while a venue is healthy: without one, only what comes
    begins a minute.
    """
    if state.minute is None:
        raise ValueError("no minute is in progress")
    start = state.minute * MINUTE
    last = start + MINUTE - 1
    known = state.price_at > last - PRICE_STANDS_S
    heard = state.heard_at > last - SILENT_S
    minute = Minute(
        scope,
        start,
        state.coverage,
        state.venues_up,
        state.venues_all,
        state.open,
        state.high,
        state.low,
        state.close,
        state.price if known else None,
        state.oi_usd if heard else None,
        state.oi_volume if heard else None,
        state.funding_8h if heard else None,
        state.interest if heard else (),
        tuple(_close_forced(state, start, throttle)),
        tuple(state.trades),
        state.bids,
        state.asks,
        tuple(state.books[key] for key in sorted(state.books)),
        dict(sorted(state.macro.items())),
    )
    state.minute = state.minute + 1 if state.venues_up else None
    state.open = state.high = state.low = state.close = None
    state.tallies, state.slots, state.trades, state.books, state.up = {}, {}, [], {}, None
    state.bids = state.asks = ()
    return minute


def _close_forced(state: MinuteState, start: int, throttle: ThrottleParams) -> list[Forced]:
    rows: list[Forced] = []
    interest = {one.venue: one.oi_usd for one in state.interest if one.oi_usd}
    every = {key: tally for slots in state.slots.values() for key, tally in slots.items()}
    found = by_venue(every, MINUTE, start, Scale(interest, state.up or ()), throttle)
    for venue, side in sorted(state.tallies):
        tally = state.tallies[venue, side]
        estimated: int | None = 0
        identifiability: Identifiability = "ok"
        if tally.events:
            estimated = found[venue].of(side).usd
            identifiability = found[venue].identifiability
        rows.append(
            Forced(
                venue,
                side,
                tally.events,
                tally.usd,
                tally.squares,
                tally.largest,
                estimated,
                identifiability,
                tally.late_events,
                tally.late_usd,
            )
        )
    return rows
