"""Trades of Bybit's v5 topic `publicTrade`, in lots and row by row.

Promises the taker's side and the venue's own id; block trades are `off_book`. Trades of the APIs
before v5 stand in `retired`.
"""

from functools import partial
from typing import Annotated, Any, Final, Literal

import msgspec

from streams.core.events import Ignored, OrderSide, Outcome, Raw
from streams.core.instruments import Instruments
from streams.core.lanes import TradeFormat
from streams.venues.fields import Row, id_text, marked, positive, present, stamp_us, text
from streams.venues.rows import data_rows, each_row, known, taker_side
from streams.venues.tape import trade
from streams.venues.typed import Amount, Name

TAKER: Final[dict[str, OrderSide]] = {"Buy": "buy", "Sell": "sell"}
"""Words of trades, of any API, to the taker's side."""


class _Trade(msgspec.Struct, gc=False, kw_only=True):
    """Fields in the venue's order; naming one that is not used is faster than passing it over."""

    time: int = msgspec.field(name="T")
    symbol: str = msgspec.field(name="s")
    side: Literal["Buy", "Sell"] = msgspec.field(name="S")
    size: Amount = msgspec.field(name="v")
    price: Amount = msgspec.field(name="p")
    L: Any = None
    id: Name = msgspec.field(name="i")
    block: bool = msgspec.field(name="BT", default=False)
    RPI: Any = None
    seq: Any = None


class _Trades(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    topic: Annotated[str, msgspec.Meta(pattern=r"^publicTrade\.")]
    type: Any = None
    ts: Any = None
    data: list[_Trade]


_TRADES: Final = msgspec.json.Decoder(_Trades, strict=False)
TRADES: Final = TradeFormat((_TRADES.decode,), many=True, buy="Buy", sell="Sell", marked=True)
"""`publicTrade` in lots."""


def public_trades(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    """Outcomes of a message of `publicTrade`, one a row."""
    return each_row(data_rows(message), partial(_trade, raw, instruments))


def _trade(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    if present(row, "BT") and marked(row, "BT"):
        return Ignored("off_book")
    side = taker_side(row, "S", TAKER)
    size, price = positive(row, "v"), positive(row, "p")
    instrument = known(instruments, raw.venue, text(row, "s"))
    return trade(raw, instrument, side, size, price, stamp_us(row, "T"), id_text(row, "i"))
