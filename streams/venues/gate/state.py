"""Tickers and books of Gate, futures and spot, and what a poll of the contracts adds to them.

Promises canonical units. A polled contract takes the time of receipt: it is the only source of the
next funding and its cycle. Does not fold book updates (the collector does).
"""

from streams.core.events import Ignored, Outcome, Raw, stable_id
from streams.core.instruments import Instrument, Instruments
from streams.venues.fields import (
    Row,
    any_stamp_us,
    given,
    integer,
    nested,
    present,
    real,
    text,
)
from streams.venues.quotes import book, read_ticker, stated_volume
from streams.venues.rows import Ladder, keyed_ladder, known, ladder


def future(raw: Raw, instruments: Instruments, message: Row, row: Row) -> Outcome:
    """A row of `futures.tickers`.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    instrument = known(instruments, raw.venue, text(row, "contract"))
    at_us = any_stamp_us(message, "time_ms" if present(message, "time_ms") else "time")
    volume = stated_volume(row, "volume_24h_quote")
    return _ticker(raw, instrument, row, "ticker", at_us, "last", "total_size", volume)


def contract(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    """A polled row of `/futures/{settle}/contracts`, with when funding is due and how often.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    instrument = known(instruments, raw.venue, text(row, "name"))
    at_us = raw.received_at_us
    return _ticker(raw, instrument, row, "contract", at_us, "last_price", "position_size")


def spot(raw: Raw, instruments: Instruments, message: Row, row: Row) -> Outcome:
    """A row of `spot.tickers`: the last price and the volume.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    instrument = known(instruments, raw.venue, text(row, "currency_pair"))
    at_us = any_stamp_us(message, "time_ms" if present(message, "time_ms") else "time")
    volume = stated_volume(row, "quote_volume")
    return _ticker(raw, instrument, row, "ticker", at_us, "last", None, volume)


def _ticker(
    raw: Raw,
    instrument: Instrument,
    row: Row,
    kind: str,
    at_us: int,
    last: str,
    held: str | None,
    volume: int | None = None,
) -> Outcome:
    """A ticker; `last` and `held` name the fields of the last price and of the open interest."""
    rate = real(row, "funding_rate") if present(row, "funding_rate") else None
    due = any_stamp_us(row, "funding_next_apply") if present(row, "funding_next_apply") else 0
    cycle = integer(row, "funding_interval") if present(row, "funding_interval") else 0
    return read_ticker(
        raw,
        instrument,
        kind,
        at_us,
        row,
        mark="mark_price",
        index="index_price",
        last=last,
        held=held,
        funding=(rate, due or None),
        interval_s=cycle or None,
        volume=volume,
    )


def future_book(raw: Raw, instruments: Instruments, message: Row) -> Outcome:
    """`futures.order_book` of event `all`, and `futures.order_book_update` where it is full.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    if message.get("event") != "all" and not _whole(message.get("result")):
        return Ignored("book_delta")
    row = nested(message, "result")
    instrument = known(instruments, raw.venue, text(row, "s" if "s" in row else "contract"))
    bids = keyed_ladder(row.get("b", row.get("bids")), instrument, "bids", "p", "s")
    asks = keyed_ladder(row.get("a", row.get("asks")), instrument, "asks", "p", "s")
    return _book(raw, instrument, message, bids, asks, row, "u" if "u" in row else "id")


def _whole(result: object) -> bool:
    return isinstance(result, dict) and result.get("full") is True


def spot_book(raw: Raw, instruments: Instruments, message: Row) -> Outcome:
    """`spot.order_book`, a full top of the book.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    row = nested(message, "result")
    instrument = known(instruments, raw.venue, text(row, "s"))
    bids = ladder(given(row, "bids"), instrument, "bids")
    asks = ladder(given(row, "asks"), instrument, "asks")
    return _book(raw, instrument, message, bids, asks, row, "lastUpdateId")


def best_quote(raw: Raw, instruments: Instruments, message: Row) -> Outcome:
    """`book_ticker`: a book of one level; a side without orders is an empty string.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    row = nested(message, "result")
    instrument = known(instruments, raw.venue, text(row, "s"))
    if not present(row, "b") or not present(row, "a"):
        return Ignored("empty")
    bids = ladder([[given(row, "b"), given(row, "B")]], instrument, "b")
    asks = ladder([[given(row, "a"), given(row, "A")]], instrument, "a")
    return _book(raw, instrument, message, bids, asks, row, "u")


def _book(
    raw: Raw,
    instrument: Instrument,
    message: Row,
    bids: Ladder,
    asks: Ladder,
    row: Row,
    number: str,
) -> Outcome:
    """The book; `number` names the field of its running number."""
    channel, at_us, update = text(message, "channel"), any_stamp_us(row, "t"), integer(row, number)
    identity = stable_id(raw.venue, instrument.symbol, channel, at_us, update)
    return book(raw, instrument, bids, asks, at_us, identity)
