"""Open seconds: what one asset's events add up to before their second is sealed.

Promises: int64 sums, duplicates counted once by id, first and last decided by (event time, id),
so any arrival order gives the same sealed content. The structs are what a checkpoint stores.
"""

from bisect import bisect_right
from collections.abc import Container
from itertools import accumulate
from operator import attrgetter

import msgspec

from streams.core.events import (
    MICROS,
    Book,
    Completeness,
    Liquidation,
    LiquidationKind,
    PositionSide,
    Ticker,
    Trade,
)
from streams.core.frames import DEPTH_BANDS_BP, SLIP_USD, BookState, Cell, Flow, TickerState
from streams.core.tapes import Key, Tape, add_trade, unsided_usd

_BASIS_POINTS = 10_000


class Bucket(msgspec.Struct):
    """One open second of one asset."""

    liquidations: dict[str, Liquidation] = {}
    tapes: dict[Key, Tape] = {}
    tickers: dict[tuple[str, str, int, str], Ticker] = {}
    books: dict[Key, Book] = {}

    def add_liquidation(self, event: Liquidation) -> bool:
        """Add a forced order; False when it is a duplicate (its earliest receipt is kept)."""
        known = self.liquidations.get(event.id)
        if known is not None:
            if event.received_at_us < known.received_at_us:
                self.liquidations[event.id] = event
            return False
        self.liquidations[event.id] = event
        return True

    def add_trade(self, event: Trade, *, numbered: bool = False) -> bool:
        """Add a trade to its tape; False when its id is already there."""
        return add_trade(self.tapes, event, numbered=numbered)

    def add_ticker(self, event: Ticker) -> bool:
        """Keep a partial ticker until the second is sealed; False when it is a duplicate."""
        key = (event.venue, event.symbol, event.event_time_us, event.id)
        known = key in self.tickers
        self.tickers[key] = event
        return not known

    def add_book(self, event: Book) -> bool:
        """Keep the book if it is the last of its (venue, symbol) by (event time, id)."""
        key = (event.venue, event.symbol)
        known = self.books.get(key)
        if known is not None:
            if (event.event_time_us, event.id) == (known.event_time_us, known.id):
                return False
            if (event.event_time_us, event.id) < (known.event_time_us, known.id):
                return True
        self.books[key] = event
        return True

    @property
    def active(self) -> bool:
        """Whether a liquidation, trade or book came: what keeps an asset's frames coming."""
        return bool(self.liquidations or self.tapes or self.books)


def ordered(bucket: Bucket) -> list[Liquidation]:
    """The second's forced orders by (event time, id)."""
    return sorted(bucket.liquidations.values(), key=attrgetter("event_time_us", "id"))


def cells(bucket: Bucket, channels: Container[str]) -> tuple[Cell, ...]:
    """Forced orders summed by (venue, symbol, side, kind).

    Args:
        bucket: the second.
        channels: the healthy `venue/channel`. Without healthy trades a part of the second's
            volume may be missing: taker volume is None. It is None too where no trade of the
            symbol came, since a forced order takes liquidity: its trades were not received.
            Volume of unknown side may have been on either, and so is part of both bounds.
    """
    sums: dict[tuple[str, str, PositionSide, LiquidationKind], list[int]] = {}
    kept: dict[tuple[str, str, PositionSide, LiquidationKind], Completeness] = {}
    for event in bucket.liquidations.values():
        key = (event.venue, event.symbol, event.position_side, event.kind)
        tally = sums.setdefault(key, [0, 0, 0])
        tally[0] += 1
        tally[1] += event.usd
        tally[2] = max(tally[2], event.usd)
        kept[key] = min(kept.get(key, event.completeness), event.completeness, key=_trust)
    out = []
    for key in sorted(sums):
        venue, symbol, side, kind = key
        tape = bucket.tapes.get((venue, symbol))
        forced: int | None = None
        opposite: int | None = None
        if tape is not None and f"{venue}/trade" in channels:
            either = unsided_usd(tape)
            forced, opposite = tape.sell_usd + either, tape.buy_usd + either
            if side == "short":
                forced, opposite = opposite, forced
        n, usd, largest = sums[key]
        out.append(Cell(venue, symbol, side, kind, kept[key], n, usd, largest, forced, opposite))
    return tuple(out)


_TRUST: dict[str, int] = {"unknown": 0, "aggregated": 1, "sampled": 2, "all": 3}


def _trust(completeness: Completeness) -> int:
    return _TRUST[completeness]


def flows(bucket: Bucket) -> tuple[Flow, ...]:
    """The second's trades by (venue, symbol)."""
    return tuple(
        Flow(
            venue,
            symbol,
            tape.contract,
            len(tape.ids),
            tape.buy_usd,
            tape.sell_usd,
            tape.open,
            tape.high,
            tape.low,
            tape.close,
            unsided_usd(tape),
        )
        for (venue, symbol), tape in sorted(bucket.tapes.items())
    )


def fold_tickers(known: dict[Key, TickerState], bucket: Bucket) -> None:
    """Merge the second's partial tickers into `known`, in (event time, id) order."""
    for key in sorted(bucket.tickers, key=lambda k: (k[2], k[3], k[0], k[1])):
        event = bucket.tickers[key]
        before = known.get((event.venue, event.symbol))
        known[event.venue, event.symbol] = _merge(before, event)


def _merge(before: TickerState | None, event: Ticker) -> TickerState:
    has_interest = event.open_interest_base is not None or event.open_interest_usd is not None
    if before is None:
        return TickerState(
            event.venue,
            event.symbol,
            event.contract,
            event.mark_price,
            event.index_price,
            event.last_price,
            event.open_interest_base,
            event.open_interest_usd,
            event.event_time_us if has_interest else None,
            event.funding_rate,
            event.next_funding_us,
            event.funding_interval_s,
            event.event_time_us,
            event.volume_24h_usd,
        )
    return TickerState(
        before.venue,
        before.symbol,
        before.contract,
        before.mark_price if event.mark_price is None else event.mark_price,
        before.index_price if event.index_price is None else event.index_price,
        before.last_price if event.last_price is None else event.last_price,
        event.open_interest_base if has_interest else before.open_interest_base,
        event.open_interest_usd if has_interest else before.open_interest_usd,
        event.event_time_us if has_interest else before.open_interest_as_of_us,
        before.funding_rate if event.funding_rate is None else event.funding_rate,
        before.next_funding_us if event.next_funding_us is None else event.next_funding_us,
        before.funding_interval_s if event.funding_interval_s is None else event.funding_interval_s,
        max(before.as_of_us, event.event_time_us),
        before.volume_24h_usd if event.volume_24h_usd is None else event.volume_24h_usd,
    )


def books(bucket: Bucket) -> tuple[BookState, ...]:
    """The second's last book of each (venue, symbol), reduced to depth within the bands."""
    return tuple(_depth(bucket.books[key]) for key in sorted(bucket.books))


def _depth(book: Book) -> BookState:
    bid, ask = book.bids[0][0], book.asks[0][0]
    mid = (bid + ask) / 2
    return BookState(
        book.venue,
        book.symbol,
        book.contract,
        bid,
        ask,
        _within(book.bids, mid),
        _within(book.asks, mid),
        book.event_time_us,
        tuple(_slip_bp(book.asks, mid, usd) for usd in SLIP_USD),
        tuple(_slip_bp(book.bids, mid, usd) for usd in SLIP_USD),
    )


def _slip_bp(levels: tuple[tuple[float, float], ...], mid: float, usd: int) -> float | None:
    """How far the mean price of a market order of `usd` lies from the mid, in basis points."""
    spent = coins = 0.0
    for price, quantity in levels:
        offered = price * quantity
        if spent + offered >= usd:
            coins += (usd - spent) / price
            return round(abs(usd / coins - mid) / mid * _BASIS_POINTS, 6)
        spent += offered
        coins += quantity
    return None


def _within(levels: tuple[tuple[float, float], ...], mid: float) -> tuple[int | None, ...]:
    """Micro-dollars within each band of the mid; None where the levels do not reach its end."""
    away = [abs(price - mid) for price, _ in levels]
    sums = [0, *accumulate([round(price * quantity * MICROS) for price, quantity in levels])]
    return tuple(
        None if away[-1] < reach else sums[bisect_right(away, reach)]
        for reach in (mid * band / _BASIS_POINTS for band in DEPTH_BANDS_BP)
    )
