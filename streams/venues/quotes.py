"""Tickers and books of venues, from values already in canonical units or from named fields.

Used by venue parsers beside `rows`. Promises that what a message does not state stays open (None)
and that open interest is coins, or exact dollars where sizes are dollars. Does not judge values
against each other (the shared checks of `streams.core.normalise` do).
"""

from decimal import Decimal

from streams.core.events import Book, Ignored, Raw, Ticker, stable_id
from streams.core.instruments import Instrument
from streams.venues.fields import Row, not_negative, positive, present
from streams.venues.rows import Ladder, index_price, micro_dollars, notional, per_coin


def interest(instrument: Instrument, amount: Decimal) -> tuple[float | None, int | None]:
    """Open interest of a venue's amount: coins, or micro-dollars where sizes are dollars.

    Raises:
        BadField: not_finite, when the dollars do not fit.
    """
    faces = amount * instrument.contract_size
    if instrument.in_dollars:
        return None, micro_dollars(faces)
    return float(faces * instrument.coins_per_unit), None


def stated_volume(row: Row, key: str) -> int | None:
    """Micro-dollars of 24 hours that a row states in dollars; None when absent or empty.

    Raises:
        BadField: it is no number from zero up, or does not fit.
    """
    return micro_dollars(not_negative(row, key)) if present(row, key) else None


def valued_volume(row: Row, key: str, instrument: Instrument, price: str) -> int | None:
    """Micro-dollars of 24 hours that a row states in the venue's sizes, at the row's own price.

    What traded at other prices in those hours is valued at this one, except where a size is
    dollars whatever the price. None when the size is absent or empty, or has no price.

    Raises:
        BadField: one of them is no number of its kind, or the dollars do not fit.
    """
    if not present(row, key):
        return None
    size = not_negative(row, key)
    if instrument.in_dollars:
        return micro_dollars(size * instrument.contract_size)
    return notional(instrument, size, positive(row, price)) if present(row, price) else None


def ticker(
    raw: Raw,
    instrument: Instrument,
    kind: str,
    at_us: int,
    *,
    mark: float | None = None,
    index: float | None = None,
    last: float | None = None,
    interest: tuple[float | None, int | None] = (None, None),
    funding: tuple[float | None, int | None] = (None, None),
    interval_s: int | None = None,
    volume: int | None = None,
) -> Ticker:
    """A partial ticker.

    Args:
        raw: the record it came in.
        instrument: whose it is.
        kind: the channel, which is part of the id.
        at_us: event time.
        mark: price per coin, as are `index` and `last`.
        index: of the underlying.
        last: of the last trade.
        interest: coins and micro-dollars, as `interest` gives them.
        funding: rate, and when it is due (us).
        interval_s: cycle of the rate.
        volume: micro-dollars traded in 24 hours.
    """
    venue, symbol = instrument.venue, instrument.symbol
    values = (mark, index, last, *interest, *funding, interval_s, volume)
    return Ticker(
        venue=venue,
        symbol=symbol,
        asset=instrument.asset,
        contract=instrument.contract,
        mark_price=mark,
        index_price=index,
        last_price=last,
        open_interest_base=interest[0],
        open_interest_usd=interest[1],
        funding_rate=funding[0],
        next_funding_us=funding[1],
        funding_interval_s=interval_s,
        event_time_us=at_us,
        received_at_us=raw.received_at_us,
        id=stable_id(venue, symbol, kind, at_us, *values),
        volume_24h_usd=volume,
    )


def read_ticker(
    raw: Raw,
    instrument: Instrument,
    kind: str,
    at_us: int,
    row: Row,
    *,
    mark: str,
    index: str,
    last: str | None = None,
    held: str | None = None,
    funding: tuple[float | None, int | None] = (None, None),
    interval_s: int | None = None,
    volume: int | None = None,
) -> Ticker | Ignored:
    """The ticker of a row that names its prices and open interest; `Ignored("empty")` without any.

    Args:
        raw: the record it came in.
        instrument: whose it is.
        kind: the channel, which is part of the id.
        at_us: event time.
        row: where the values stand.
        mark: key of the mark price, as are `index`, `last` and `held` (open interest).
        index: see `mark`.
        last: see `mark`; None where the row has no such price.
        held: see `mark`; None where the row has no open interest.
        funding: rate, and when it is due (us).
        interval_s: cycle of the rate.
        volume: micro-dollars traded in 24 hours.

    Raises:
        BadField: a value is no number of its kind.
    """
    prices = (
        per_coin(row, mark, instrument),
        index_price(row, index, instrument),
        # A contract that has not traded yet has a zero here, as its index has before its listing.
        None if last is None else index_price(row, last, instrument),
    )
    amount = None if held is None or not present(row, held) else not_negative(row, held)
    if {*prices, amount, *funding, interval_s, volume} == {None}:
        return Ignored("empty")
    return ticker(
        raw,
        instrument,
        kind,
        at_us,
        mark=prices[0],
        index=prices[1],
        last=prices[2],
        interest=(None, None) if amount is None else interest(instrument, amount),
        funding=funding,
        interval_s=interval_s,
        volume=volume,
    )


def book(
    raw: Raw, instrument: Instrument, bids: Ladder, asks: Ladder, at_us: int, identity: str
) -> Book:
    """The book of an instrument."""
    return Book(
        venue=instrument.venue,
        symbol=instrument.symbol,
        asset=instrument.asset,
        contract=instrument.contract,
        bids=bids,
        asks=asks,
        event_time_us=at_us,
        received_at_us=raw.received_at_us,
        id=identity,
    )
