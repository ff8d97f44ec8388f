"""Tickers and books: what a Binance symbol is worth, owes and offers at a time.

Pushed messages keep the venue's stamp; polled REST answers take the time of receipt, because
their own stamp does not say when they could be known. Promises canonical units (price per coin,
coins, dollars for inverse contracts). Does not fold delta books.
"""

import re
from typing import Final

from streams.core.events import Book, Ignored, Outcome, Raw
from streams.core.instruments import Instrument, Instruments
from streams.venues.binance.symbols import family
from streams.venues.fields import (
    Row,
    bad,
    given,
    integer,
    not_negative,
    present,
    real,
    stamp_us,
    text,
)
from streams.venues.quotes import book, interest, stated_volume, ticker, valued_volume
from streams.venues.rows import index_price, known, ladder, price

_PARTIAL_DEPTH: Final = re.compile(r"[^@]+@depth(5|10|20)(@\d+ms)?", re.ASCII)
_HOUR_S: Final = 3600


def mark_price(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    """`markPriceUpdate`: mark, index, and the rate to be paid at `T`."""
    instrument = _instrument(raw, instruments, row, "s")
    return ticker(
        raw,
        instrument,
        "mark",
        stamp_us(row, "E"),
        mark=price(row, "p", instrument),
        index=index_price(row, "i", instrument),
        funding=_funding(row, "r", "T"),
    )


def day_ticker(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    """`24hrTicker`: the last price and the volume; COIN-M states only contracts and coins."""
    instrument = _instrument(raw, instruments, row, "s")
    last = price(row, "c", instrument)
    if instrument.in_dollars:
        volume = valued_volume(row, "v", instrument, "c")
    else:
        volume = stated_volume(row, "q")
    return ticker(raw, instrument, "last", stamp_us(row, "E"), last=last, volume=volume)


def premium_index(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    """A row of REST `premiumIndex`, polled: mark, index and the rate due."""
    instrument = _instrument(raw, instruments, row, "symbol")
    return ticker(
        raw,
        instrument,
        "premium",
        raw.received_at_us,
        mark=price(row, "markPrice", instrument),
        index=index_price(row, "indexPrice", instrument),
        funding=_funding(row, "lastFundingRate", "nextFundingTime"),
    )


def open_interest(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    """REST `openInterest`, polled: coins (USD-M) or contracts turned into dollars (COIN-M)."""
    instrument = _instrument(raw, instruments, row, "symbol")
    held = interest(instrument, not_negative(row, "openInterest"))
    return ticker(raw, instrument, "interest", raw.received_at_us, interest=held)


def funding_info(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    """A row of REST `fundingInfo`, polled: the interval of a symbol whose rate is adjusted."""
    instrument = _instrument(raw, instruments, row, "symbol")
    hours = integer(row, "fundingIntervalHours")
    if not 0 < hours <= 24:
        raise bad("not_positive", f"field 'fundingIntervalHours' is {hours}, expected 1 to 24")
    return ticker(raw, instrument, "interval", raw.received_at_us, interval_s=hours * _HOUR_S)


def best_quote(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    """`bookTicker`: a book of one level; spot sends no stamp, so receipt stands in."""
    instrument = _instrument(raw, instruments, row, "s")
    bids = ladder([[given(row, "b"), given(row, "B")]], instrument, "b")
    asks = ladder([[given(row, "a"), given(row, "A")]], instrument, "a")
    return book(raw, instrument, bids, asks, _stamp(raw, row), str(integer(row, "u")))


def depth_update(raw: Raw, instruments: Instruments, row: Row, stream: str | None) -> Outcome:
    """`depthUpdate`, which is a full top-N book or a change of one, and does not say which.

    The stream's name decides where there is one (`@depth5|10|20` is partial depth). A bare
    message counts as full only on channel `book`, to which collectors write nothing else; any
    other bare message is taken for a change, since a wrong book is worse than none.
    """
    if not is_full(raw, stream):
        return Ignored("book_delta")
    instrument = _instrument(raw, instruments, row, "s")
    return _book(raw, row, instrument, "b", "a", integer(row, "u"))


def is_full(raw: Raw, stream: str | None) -> bool:
    """Whether a `depthUpdate` is a full top-N book; see `depth_update`."""
    if stream is None:
        return raw.channel == "book"
    return _PARTIAL_DEPTH.fullmatch(stream) is not None


def depth_snapshot(raw: Raw, instruments: Instruments, row: Row, stream: str | None) -> Outcome:
    """A REST `depth` answer or a spot partial-depth push; the symbol may stand in the stream."""
    if not present(row, "symbol") and stream:
        row = {**row, "symbol": stream.partition("@")[0].upper()}
    instrument = _instrument(raw, instruments, row, "symbol")
    return _book(raw, row, instrument, "bids", "asks", integer(row, "lastUpdateId"))


def _instrument(raw: Raw, instruments: Instruments, row: Row, key: str) -> Instrument:
    symbol = text(row, key)
    return known(instruments, family(raw.venue, symbol, row.get("st")), symbol)


def _funding(row: Row, rate: str, due: str) -> tuple[float | None, int | None]:
    """Rate and when it is due; both None for delivery contracts (rate empty, due 0)."""
    due_us = stamp_us(row, due) if present(row, due) else 0
    if not due_us or not present(row, rate):
        return None, None
    return real(row, rate), due_us


def _stamp(raw: Raw, row: Row) -> int:
    """Matching-engine time, else push time, else the time of receipt."""
    for key in ("T", "E"):
        if present(row, key):
            return stamp_us(row, key)
    return raw.received_at_us


def _book(raw: Raw, row: Row, instrument: Instrument, bids: str, asks: str, update: int) -> Book:
    return book(
        raw,
        instrument,
        ladder(given(row, bids), instrument, bids),
        ladder(given(row, asks), instrument, asks),
        _stamp(raw, row),
        str(update),
    )
