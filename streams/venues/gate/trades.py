"""Trades of Gate: futures by a typed decoder, whose size carries the taker's side in its sign.

Promises the outcome of the row by row path for a flawless message; whatever is odd in the least is
left to that path, which names the reason.
"""

from typing import Annotated, Any, Final, Literal

import msgspec

from streams.core.events import Ignored, OrderSide, Outcome, Raw
from streams.core.instruments import Instruments
from streams.core.lanes import UNREADABLE, TradeFormat
from streams.venues.fields import (
    LARGEST,
    SMALLEST,
    Row,
    any_stamp_us,
    bad,
    decimal,
    integer,
    marked,
    positive,
    present,
    text,
)
from streams.venues.rows import PLAIN_SIDES, known, taker_side
from streams.venues.tape import trade
from streams.venues.typed import Amount, Count, Name

_SELL: Final = "sell"
_BUY: Final = "buy"
_Signed = Annotated[float, msgspec.Meta(gt=-LARGEST, lt=LARGEST)]


TAKEN_OVER: Final = Ignored("takeover_print")
"""A row with `is_internal`: the fund's or of auto-deleveraging, which it does not say."""


class _Trade(msgspec.Struct, gc=False, kw_only=True):
    """Fields in the venue's order; naming one that is not used is faster than passing it over."""

    size: _Signed
    id: Count
    create_time: Any = None
    # A fraction of a ms is refused here: lots stamp by whole ones.
    time: Count = msgspec.field(name="create_time_ms")
    price: Amount
    symbol: Name = msgspec.field(name="contract")
    block: bool = msgspec.field(name="is_internal", default=False)
    # Gate has no such field; it is the sign of the size.
    side: str = msgspec.field(name="", default=_BUY)

    def __post_init__(self) -> None:
        self.side = _BUY
        if self.size < 0:
            self.side, self.size = _SELL, -self.size
        if self.size <= SMALLEST:
            raise ValueError("no size")


class _Trades(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    channel: Literal["futures.trades"]
    event: Literal["update"]
    data: list[_Trade] = msgspec.field(name="result")


_TRADES: Final = msgspec.json.Decoder(_Trades, strict=False)
LOTS: Final = TradeFormat(
    (_TRADES.decode,), many=True, buy=_BUY, sell=_SELL, numbered=True, marked=True
)
"""`futures.trades` in lots."""


def taken_over(payload: bytes) -> str | None:
    """The contract of a message whose trades were all taken over; None of any other."""
    if b'"is_internal"' not in payload:
        return None
    try:
        rows = _TRADES.decode(payload).data
    except UNREADABLE:
        return None
    return rows[0].symbol if rows and all(row.block for row in rows) else None


def future(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    """A row of `futures.trades`.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    if present(row, "is_internal") and marked(row, "is_internal"):
        return TAKEN_OVER
    size, price = decimal(row, "size"), positive(row, "price")
    if not size:
        raise bad("not_positive", "field 'size' is 0")
    side: OrderSide = "sell" if size < 0 else "buy"
    instrument = known(instruments, raw.venue, text(row, "contract"))
    at_us, number = _stamp(row), integer(row, "id")
    return trade(raw, instrument, side, abs(size), price, at_us, str(number))


def spot(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    """A row of `spot.trades`.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    side = taker_side(row, "side", PLAIN_SIDES)
    size, price = positive(row, "amount"), positive(row, "price")
    instrument = known(instruments, raw.venue, text(row, "currency_pair"))
    return trade(raw, instrument, side, size, price, _stamp(row), str(integer(row, "id")))


def _stamp(row: Row) -> int:
    return any_stamp_us(row, "create_time_ms" if present(row, "create_time_ms") else "create_time")
