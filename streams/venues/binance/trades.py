"""The hot path: `aggTrade` and `trade` prints, about a microsecond each.

A typed decoder reads the needed fields only and turns numeric strings into floats; dollars are
rounded from the float product. Promises the same outcome as the row by row path for every
well-formed print; whatever is odd in the least is left to that path (None), which names the reason.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from streams.core.events import Ignored, IgnoreReason, Outcome, Raw, Trade
from streams.core.instruments import Instruments
from streams.core.lanes import TradeFormat
from streams.venues.binance.symbols import COINM, family, is_coinm
from streams.venues.fields import (
    LARGEST,
    SMALLEST,
    BadField,
    Row,
    bad,
    flag,
    integer,
    micros,
    positive,
    shown,
    text,
)
from streams.venues.rows import MAX_USD, known
from streams.venues.typed import Count

ON_BOOK: Final = ("MARKET", "", None)
"""`X` of prints that came from the book."""
OFF_BOOK: Final[Mapping[str, IgnoreReason]] = {
    "ADL": "adl_print",
    "INSURANCE_FUND": "insurance_print",
    "NA": "off_book",
}
"""`X` of prints that did not."""


_Amount = Annotated[float, msgspec.Meta(ge=SMALLEST, lt=LARGEST)]
_Usdm = Annotated[int, msgspec.Meta(le=1)]
_Coinm = Annotated[int, msgspec.Meta(ge=2, le=2)]
# Whole contracts: their dollars are whole floats however the product is put together.
_Contracts = Annotated[float, msgspec.Meta(ge=1, lt=LARGEST, multiple_of=1)]


class _Aggregate(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="e", tag="aggTrade"
):
    st: int = 0
    symbol: str = msgspec.field(name="s")
    id: Count = msgspec.field(name="a")
    price: _Amount = msgspec.field(name="p")
    size: _Amount = msgspec.field(name="q")
    time: Count = msgspec.field(name="T")
    side: Any = msgspec.field(name="m")


class _Print(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="e", tag="trade"):
    time: Count = msgspec.field(name="T")
    st: int = 0
    symbol: str = msgspec.field(name="s")
    id: Count = msgspec.field(name="t")
    price: _Amount = msgspec.field(name="p")
    size: _Amount = msgspec.field(name="q")
    X: str | None = None
    side: Any = msgspec.field(name="m")


class _Combined(msgspec.Struct, frozen=True, gc=False):
    data: _Aggregate | _Print


_decode_bare: Final = msgspec.json.Decoder(_Aggregate | _Print, strict=False).decode
_decode_combined: Final = msgspec.json.Decoder(_Combined, strict=False).decode


class _Row(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An `aggTrade` for lots; a row of COIN-M (st 2) is refused.

    Fields stand in the venue's order; naming one that is not used is faster than passing it over.
    """

    e: Literal["aggTrade"]
    E: Any = None
    st: _Usdm = 0
    symbol: str = msgspec.field(name="s")
    id: Count = msgspec.field(name="a")
    price: _Amount = msgspec.field(name="p")
    size: _Amount = msgspec.field(name="q")
    nq: Any = None
    f: Any = None
    l: Any = None  # noqa: E741
    time: Count = msgspec.field(name="T")
    side: Any = msgspec.field(name="m")

    @property
    def data(self) -> "_Row":
        """A bare message is its own row."""
        return self


class _PrintRow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A `trade` for lots, in the order of the futures; of spot without `X`."""

    e: Literal["trade"]
    E: Any = None
    time: Count = msgspec.field(name="T")
    st: _Usdm = 0
    symbol: str = msgspec.field(name="s")
    id: Count = msgspec.field(name="t")
    price: _Amount = msgspec.field(name="p")
    size: _Amount = msgspec.field(name="q")
    X: Literal["MARKET", ""] | UnsetType = UNSET
    side: Any = msgspec.field(name="m")

    @property
    def data(self) -> "_PrintRow":
        """A bare message is its own row."""
        return self


class _CoinRow(_Row, frozen=True, gc=False, kw_only=True):
    st: _Coinm = 2
    size: _Contracts = msgspec.field(name="q")


class _CoinPrintRow(_PrintRow, frozen=True, gc=False, kw_only=True):
    st: _Coinm = 2
    size: _Contracts = msgspec.field(name="q")


_Any = TypeVar("_Any")


class _CombinedRow(msgspec.Struct, Generic[_Any], frozen=True, gc=False, kw_only=True):
    stream: str
    data: _Any


def _lots(rows: Sequence[type], plain: Callable[[str], bool]) -> TradeFormat:
    """Rows of any of the types, bare or on the combined stream; `m` says that the buyer made."""
    shapes = [shape for row in rows for shape in (_CombinedRow[row], row)]  # type: ignore[valid-type]
    return TradeFormat(
        tuple(msgspec.json.Decoder(shape, strict=False).decode for shape in shapes),
        many=False,
        buy=False,
        sell=True,
        numbered=True,
        plain=plain,
    )


LOTS: Final = _lots((_Row, _PrintRow), lambda symbol: "_" not in symbol)
"""`aggTrade` and `trade` of USD-M and spot in lots."""
COIN_LOTS: Final = _lots((_CoinRow, _CoinPrintRow), is_coinm)
"""Those of COIN-M, on a connection of its own."""


def quick(raw: Raw, instruments: Instruments) -> list[Outcome] | None:
    """The message's one print, or None when it is no flawless print message."""
    payload = raw.payload
    try:
        row = _decode_combined(payload).data if payload[2:8] == b"stream" else _decode_bare(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(row, _Print) and row.X not in ON_BOOK:
        return [Ignored(OFF_BOOK[row.X])] if row.X in OFF_BOOK else None
    maker = row.side
    if maker is not True and maker is not False:
        return None
    venue, symbol = raw.venue, row.symbol
    if row.st > 1 or "_" in symbol or venue == COINM:
        venue = family(venue, symbol, row.st)
    try:
        return [
            _event(raw, instruments, venue, symbol, row.id, row.price, row.size, row.time, maker)
        ]
    except BadField as field:
        return [field.outcome]


def print_row(raw: Raw, instruments: Instruments, row: Row, id_key: str) -> Outcome:
    """One print of a message that is an array, or whose fields need a closer look.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    origin = row.get("X")
    if isinstance(origin, str) and origin in OFF_BOOK:
        return Ignored(OFF_BOOK[origin])
    if origin not in ON_BOOK:
        raise bad("unknown_message", f"field 'X', where a print came from, is {shown(origin)}")
    symbol = text(row, "s")
    return _event(
        raw,
        instruments,
        family(raw.venue, symbol, row.get("st")),
        symbol,
        integer(row, id_key),
        float(positive(row, "p")),
        float(positive(row, "q")),
        integer(row, "T"),
        flag(row, "m"),
    )


def _event(
    raw: Raw,
    instruments: Instruments,
    venue: str,
    symbol: str,
    number: int,
    price: float,
    size: float,
    stamp: int,
    maker: bool,
) -> Outcome:
    instrument = known(instruments, venue, symbol)
    contract = instrument.contract
    if contract == "inverse":
        usd = size * float(instrument.contract_size)
        size = usd / price
    else:
        usd = price * size
        if instrument.coins_per_unit != 1:
            price /= instrument.coins_per_unit
            size *= instrument.coins_per_unit
    if usd > MAX_USD:
        raise bad("not_finite", "price times quantity is beyond 9.2e12 dollars")
    return Trade(
        venue,
        symbol,
        instrument.asset,
        contract,
        "sell" if maker else "buy",
        price,
        size,
        round(usd * 1e6),
        micros(stamp),
        raw.received_at_us,
        str(number),
    )
