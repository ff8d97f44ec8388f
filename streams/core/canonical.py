"""Records of channel `canonical`: an event that an archive's row was, as JSON of its own struct.

Beside the venues' parsers, for archives that keep rows of their own and not the venue's bytes.
Promises that an event which contradicts itself or its record is rejected with a reason; its
receipt is the record's. Does not know any archive's format.
"""

from typing import Final

import msgspec

from streams.core.events import (
    Book,
    Event,
    Liquidation,
    Outcome,
    Raw,
    Rejected,
    Ticker,
    Trade,
)

CHANNEL: Final = "canonical"
MAX_TEXT: Final = 100
"""Characters of a symbol, an asset or an id."""

_decode = msgspec.json.Decoder(Liquidation | Trade | Ticker | Book).decode
_SIDES: Final = frozenset({("long", "sell"), ("short", "buy")})


def record(event: Event, connection: str) -> Raw:
    """The raw record that holds an event."""
    payload = msgspec.json.encode(event)
    return Raw(event.venue, CHANNEL, connection, event.received_at_us, payload)


def read(raw: Raw) -> Outcome:
    """The event of a record.

    Raises:
        msgspec.DecodeError: the payload is no event, as are those that follow.
        UnicodeDecodeError: see above.
    """
    event: Event = _decode(raw.payload)
    if event.venue != raw.venue:
        return Rejected("unknown_venue", f"an event of {event.venue[:60]!r} in a record of another")
    if not all(0 < len(text) <= MAX_TEXT for text in (event.symbol, event.asset, event.id)):
        return Rejected("wrong_type", f"symbol, asset and id have 1 to {MAX_TEXT} characters")
    wrong = _contradiction(event)
    if wrong is not None:
        return wrong
    placed: Event = msgspec.structs.replace(event, received_at_us=raw.received_at_us)
    return placed


def _contradiction(event: Event) -> Rejected | None:
    """What of an event no parser of a venue would give."""
    if isinstance(event, Book):
        levels = (*event.bids, *event.asks)
        if any(price <= 0 or quantity <= 0 for price, quantity in levels):
            return Rejected("not_positive", "a level of the book")
        return None
    if isinstance(event, Ticker):
        if (event.open_interest_base or 0) < 0 or (event.open_interest_usd or 0) < 0:
            return Rejected("not_positive", "open interest")
        if (event.volume_24h_usd or 0) < 0:
            return Rejected("not_positive", "volume of 24 hours")
        return None
    if isinstance(event, Liquidation) and (event.position_side, event.order_side) not in _SIDES:
        return Rejected("unknown_side", f"{event.order_side} closes no {event.position_side}")
    if event.usd < 0 or (event.base_qty is not None and event.base_qty < 0):
        return Rejected("not_positive", "dollars or quantity")
    return None
