"""Partial depth in one typed decode: the twenty levels of a side as floats at once.

Beside `state`, which reads the same message field by field. Promises its outcome for a flawless
`depthUpdate` and None for any other, so that one place names reasons; a field that
is not known here is no flaw, but only that place looks at it. Does not fold delta books.
"""

from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from streams.core.events import Outcome, Raw
from streams.core.instruments import Instruments
from streams.core.lanes import UNREADABLE
from streams.venues.binance import state
from streams.venues.binance.symbols import family
from streams.venues.fields import BadField, micros
from streams.venues.quotes import book
from streams.venues.rows import in_coins, known
from streams.venues.typed import Count, Levels, Name


class _Depth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    e: Literal["depthUpdate"]
    pushed: Count | UnsetType = msgspec.field(name="E", default=UNSET)
    matched: Count | UnsetType = msgspec.field(name="T", default=UNSET)
    st: Any = None
    symbol: Name = msgspec.field(name="s")
    ps: Any = None
    U: Any = None
    update: Count = msgspec.field(name="u")
    pu: Any = None
    bids: Levels = msgspec.field(name="b")
    asks: Levels = msgspec.field(name="a")


class _Combined(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stream: str
    data: _Depth


_decode_bare: Final = msgspec.json.Decoder(_Depth, strict=False).decode
_decode_combined: Final = msgspec.json.Decoder(_Combined, strict=False).decode


def quick(raw: Raw, instruments: Instruments) -> list[Outcome] | None:
    """The message's one book, or None when it is no flawless partial depth."""
    stream: str | None = None
    try:
        if raw.payload[2:8] == b"stream":
            message = _decode_combined(raw.payload)
            stream, depth = message.stream, message.data
        else:
            depth = _decode_bare(raw.payload)
    except UNREADABLE:
        return None
    if not state.is_full(raw, stream):
        return None
    try:
        venue = family(raw.venue, depth.symbol, depth.st)
        instrument = known(instruments, venue, depth.symbol)
    except BadField as field:
        return [field.outcome]
    stamp = depth.pushed if depth.matched is UNSET else depth.matched
    at_us = raw.received_at_us if stamp is UNSET else micros(stamp)
    bids, asks = in_coins(depth.bids, instrument), in_coins(depth.asks, instrument)
    return [book(raw, instrument, bids, asks, at_us, str(depth.update))]
