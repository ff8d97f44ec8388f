"""Raw record to canonical events: dispatch to the venue's parser, then the checks all share.

Second station of the data path. Promises that no input raises: every message ends as events,
`Ignored` or `Rejected` with a reason from the closed list, and one bad row costs its neighbours
nothing. Does not dedupe and keeps no state.
"""

from collections.abc import Callable, Mapping
from operator import gt, lt
from typing import Final

import msgspec

from streams.core import canonical
from streams.core.events import (
    EARLIEST_EVENT_US,
    LATEST_EVENT_US,
    MAX_BOOK_LEVELS,
    MAX_PAYLOAD_BYTES,
    MICROS,
    MOST_EVENT_USD,
    MOST_FUNDING,
    MOST_INTEREST_COINS,
    MOST_INTEREST_USD,
    MOST_VOLUME_USD,
    PRICE_RANGE,
    Book,
    Event,
    Ignored,
    Outcome,
    Raw,
    Rejected,
    Ticker,
)
from streams.core.instruments import Instruments

Parser = Callable[[Raw, Instruments], list[Outcome]]
"""A venue's parser. May raise msgspec.DecodeError or ValidationError for a whole message."""

_PACKED: Final = b"\x1f"
"""Begins a frame of gzip, which the parser of its venue unpacks."""
FUTURE_SKEW_US: Final = 5 * MICROS
"""An event stamped more than this after its receipt is quarantined."""


def rejection(error: Exception, payload: bytes) -> Rejected:
    """The closed-list reason for a decoding error, with msgspec's own words as detail."""
    detail = str(error)[:300]
    if isinstance(error, msgspec.ValidationError):
        missing = "missing required field" in detail
        return Rejected("missing_field" if missing else "wrong_type", detail)
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError as bad:
        return Rejected("invalid_utf8", str(bad)[:300])
    return Rejected("invalid_json", detail)


def check(outcome: Outcome, raw: Raw) -> Outcome:
    """The checks that every event passes whatever its venue: time range, skew, book depth."""
    if isinstance(outcome, (Rejected, Ignored)):
        return outcome
    event_time = outcome.event_time_us
    if not EARLIEST_EVENT_US <= event_time < LATEST_EVENT_US:
        return Rejected("time_out_of_range", f"event time {event_time} us is outside 2010..2099")
    if event_time > raw.received_at_us + FUTURE_SKEW_US:
        skew = (event_time - raw.received_at_us) / MICROS
        return Rejected("future_skew", f"event time is {skew:.3f} s after receipt")
    wrong = unbelievable(outcome)
    if wrong is not None:
        return Rejected("out_of_range", wrong)
    return check_book(outcome) if isinstance(outcome, Book) else outcome


def unbelievable(event: Event) -> str | None:
    """What of an event no market can have, in words; None when nothing.

    Such values are errors of units; let through, they would break sums that must fit 64 bits.
    """
    low, high = PRICE_RANGE
    if isinstance(event, Book):
        edges = [level[0] for side in (event.bids, event.asks) if side for level in side]
        worth = sum(price * quantity for price, quantity in (*event.bids, *event.asks))
        if edges and not low < min(edges) <= max(edges) < high:
            return f"prices {min(edges)} to {max(edges)}"
        return None if worth < MOST_INTEREST_USD / MICROS else f"a book of {worth} USD"
    if isinstance(event, Ticker):
        prices = (event.mark_price, event.index_price, event.last_price)
        for price in prices:
            if price is not None and not low < price < high:
                return f"price {price}"
        coins, usd = event.open_interest_base or 0.0, event.open_interest_usd or 0
        if coins >= MOST_INTEREST_COINS or usd >= MOST_INTEREST_USD:
            return f"open interest {coins} coins, {usd} micro-dollars"
        if event.funding_rate is not None and not abs(event.funding_rate) < MOST_FUNDING:
            return f"funding {event.funding_rate}"
        if (event.volume_24h_usd or 0) >= MOST_VOLUME_USD:
            return f"{event.volume_24h_usd} micro-dollars traded in 24 hours"
        return None
    if not low < event.price < high:
        return f"price {event.price}"
    return None if event.usd < MOST_EVENT_USD else f"{event.usd} micro-dollars in one order"


def check_book(book: Book) -> Outcome:
    """A book must be two-sided, best first and uncrossed, and not deeper than we read."""
    bids, asks = book.bids, book.asks
    if max(len(bids), len(asks)) > MAX_BOOK_LEVELS:
        return Rejected("too_deep", f"more than {MAX_BOOK_LEVELS} levels on one side")
    if not bids or not asks:
        return Ignored("empty")
    bid, ask = [level[0] for level in bids], [level[0] for level in asks]
    ordered = all(map(gt, bid, bid[1:])) and all(map(lt, ask, ask[1:]))
    if not ordered or bids[0][0] >= asks[0][0]:
        return Rejected("crossed_book", f"best bid {bids[0][0]}, best ask {asks[0][0]}")
    return book


def normalise(raw: Raw, parsers: Mapping[str, Parser], instruments: Instruments) -> list[Outcome]:
    """Canonical events of one raw record, in the message's own row order.

    Args:
        raw: the record; `raw.venue` chooses the parser, unless it is a canonical event.
        parsers: parser by venue id.
        instruments: contract sizes and classes.

    Returns:
        At least one outcome; `Rejected` stands for the message or for one of its rows.
    """
    parser = parsers.get(raw.venue)
    if parser is None:
        return [Rejected("unknown_venue", f"no parser for venue {raw.venue[:60]!r}")]
    if len(raw.payload) > MAX_PAYLOAD_BYTES:
        return [Rejected("too_large", f"{len(raw.payload)} bytes, limit {MAX_PAYLOAD_BYTES}")]
    try:
        # Typed decoders skip fields that they do not know unread, so broken text would pass them.
        if not (raw.payload.isascii() or raw.payload.startswith(_PACKED)):
            raw.payload.decode()
        if raw.channel == canonical.CHANNEL:
            outcomes = [canonical.read(raw)]
        else:
            outcomes = parser(raw, instruments)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return [rejection(error, raw.payload)]
    return [check(outcome, raw) for outcome in outcomes]
