"""Trades of Bitget: those of v3 by a typed decoder, all others row by row.

Promises the outcome of the row by row path for a flawless message; whatever is odd in the least is
left to that path, which names the reason. The first message after a subscribe is odd: it tells
history, which is not counted.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from streams.core.events import Ignored, Outcome, Raw
from streams.core.instruments import Instruments
from streams.core.lanes import TradeFormat
from streams.venues.bitget.symbols import FUTURES, PRODUCTS, SPOT
from streams.venues.fields import Row, id_text, positive, stamp_us
from streams.venues.rows import PLAIN_SIDES, known, taker_side
from streams.venues.tape import trade
from streams.venues.typed import Amount, Name

V2: Final = ("side", "size", "price", "ts", "tradeId")
V3: Final = ("S", "v", "p", "T", "i")
"""Fields of side, size, price, time and id in each of the two APIs."""


class _Trade(msgspec.Struct, gc=False, kw_only=True):
    """Fields in the venue's order; naming one that is not used is faster than passing it over."""

    id: Name = msgspec.field(name="i")
    price: Amount = msgspec.field(name="p")
    size: Amount = msgspec.field(name="v")
    side: Literal["buy", "sell"] = msgspec.field(name="S")
    time: int = msgspec.field(name="T")
    L: Any = None
    isRPI: Any = None
    # A row has neither: the symbol stands in `arg`, and no trade is marked as a block.
    symbol: str = msgspec.field(name="", default="")
    block: bool = msgspec.field(name=" ", default=False)


class _Arg(msgspec.Struct, frozen=True, gc=False):
    topic: Literal["publicTrade"]
    symbol: Name
    instType: str


class _Trades(msgspec.Struct, frozen=True, gc=False):
    action: Literal["update"]
    arg: _Arg
    data: list[_Trade]

    def __post_init__(self) -> None:
        for row in self.data:
            row.symbol, row.block = self.arg.symbol, False


_TRADES: Final = msgspec.json.Decoder(_Trades, strict=False)


def _of(venue: str) -> Callable[[bytes], _Trades]:
    """A decoder that refuses the messages of other products."""

    def decode(payload: bytes) -> _Trades:
        message = _TRADES.decode(payload)
        if PRODUCTS.get(message.arg.instType) != venue:
            raise msgspec.ValidationError(f"a message of {message.arg.instType}")
        return message

    return decode


TRADES: Final[Mapping[str, TradeFormat]] = {
    venue: TradeFormat((_of(venue),), many=True, buy="buy", sell="sell")
    for venue in (FUTURES, SPOT)
}
"""`publicTrade` of v3 in lots, by venue id."""


def single(
    raw: Raw,
    instruments: Instruments,
    symbol: str,
    names: tuple[str, str, str, str, str],
    history: bool,
    row: Row,
) -> Outcome:
    """One trade.

    Args:
        raw: the record it came in.
        instruments: contract sizes and classes.
        symbol: whose it is.
        names: `V2` or `V3`.
        history: whether the message tells trades from before the subscription.
        row: its fields.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    if history:
        return Ignored("replayed")
    side = taker_side(row, names[0], PLAIN_SIDES)
    size, price = positive(row, names[1]), positive(row, names[2])
    at_us, identity = stamp_us(row, names[3]), id_text(row, names[4])
    instrument = known(instruments, raw.venue, symbol)
    return trade(raw, instrument, side, size, price, at_us, identity)
