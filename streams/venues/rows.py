"""Rows of a venue message in canonical units: row by row outcomes, exact dollars, book levels.

Used by venue parsers beside `fields`, which reads single values. Promises that a bad row costs
its neighbours nothing and that dollars fit int64 micro-dollars. Does not judge the order of book
levels (the shared checks of `streams.core.normalise` do) and knows no venue's field names.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from streams.core.events import (
    MICROS,
    Ignored,
    OrderSide,
    Outcome,
    Rejected,
    TakerSide,
)
from streams.core.instruments import Instrument, Instruments
from streams.venues.fields import (
    LARGEST,
    SMALLEST,
    WRITTEN,
    BadField,
    Row,
    array,
    as_decimal,
    bad,
    given,
    not_negative,
    positive,
    present,
    quick_float,
    shown,
    text,
)
from streams.venues.listed_at import URLS

PLAIN_SIDES: Final[Mapping[str, OrderSide]] = {"buy": "buy", "sell": "sell"}
"""Words of the venues that write sides as we do."""

_OPENED: Final[Mapping[OrderSide, str]] = {"buy": "long", "sell": "short"}
"""Side of an order to the position that it opens, and so never closes."""

MAX_USD: Final = 9.2e12
"""Dollars of one event that still fit int64 micro-dollars."""


Ladder = tuple[tuple[float, float], ...]
"""One side of a book, best first: (price per coin, quantity in coins) a level."""


def data_rows(message: Row) -> list[object]:
    """The rows under `data`.

    Raises:
        BadField: `data` is missing or no array.
    """
    return array(message, "data")


def each_row(rows: Sequence[object], read: Callable[[Row], Outcome]) -> list[Outcome]:
    """What `read` makes of every row, or why not; `Ignored("empty")` when there is none."""
    return all_of_each(rows, lambda row: (read(row),))


def all_of_each(rows: Sequence[object], read: Callable[[Row], Sequence[Outcome]]) -> list[Outcome]:
    """As `each_row`, for rows that may hold several events (a trade, and whom it liquidated)."""
    outcomes: list[Outcome] = []
    for row in rows:
        if not isinstance(row, dict):
            outcomes.append(Rejected("wrong_type", f"a row is {shown(row)}, expected an object"))
            continue
        try:
            outcomes += read(row)
        except BadField as error:
            outcomes.append(error.outcome)
    return outcomes or [Ignored("empty")]


def known(instruments: Instruments, venue: str, symbol: str) -> Instrument:
    """The instrument of a symbol.

    Raises:
        BadField: unknown_instrument, when neither the table nor a rule knows it.
    """
    instrument = instruments.resolve(venue, symbol)
    if instrument is None:
        raise bad(
            "unknown_instrument",
            f"{venue} {symbol[:40]!r} has no known asset, unit or dollar quote; {_mend(venue)}",
        )
    return instrument


def _mend(venue: str) -> str:
    row = "give it a row in MARGINQUAKE_HOME/instruments.csv"
    if venue not in URLS:
        return row
    return f"run `marginquake instruments refresh --venue {venue}`, or {row}"


def taker_side(row: Row, key: str, words: Mapping[str, OrderSide]) -> TakerSide:
    """The side of a trade's taker that a venue's word stands for; `unknown` for any other word.

    Price and size of a trade are facts whoever took; of a forced order see `order_side`.

    Raises:
        BadField: the field is missing or no word.
    """
    return words.get(text(row, key), "unknown")


def order_side(row: Row, key: str, words: Mapping[str, OrderSide]) -> OrderSide:
    """The order side that a venue's word stands for.

    Raises:
        BadField: unknown_side, when it is none of the words.
    """
    side = words.get(text(row, key))
    if side is None:
        raise BadField(no_side(row, key))
    return side


def no_side(row: Row, key: str) -> Rejected:
    """Why there is no forced order, where the field's word tells no side."""
    return Rejected("unknown_side", f"field {key!r} is {shown(row[key])}")


def closing_side(row: Row, key: str, position: str) -> OrderSide:
    """Side of a forced order, which the position beside it, if it is told, must not contradict.

    A position in words that nobody knows says nothing against the order's side.

    Args:
        row: the forced order.
        key: its field of the order's side.
        position: its field of the position's side.

    Raises:
        BadField: unknown_side, when the side is none, or opens the position told.
    """
    side = order_side(row, key, PLAIN_SIDES)
    if row.get(position) == _OPENED[side]:
        raise bad("unknown_side", f"{key!r} {side!r} does not close {position!r} {row[position]!r}")
    return side


def micro_dollars(usd: Decimal) -> int:
    """Dollars as int64 micro-dollars, rounded half-even.

    Raises:
        BadField: not_finite, when they do not fit.
    """
    micros = int((usd * MICROS).to_integral_value())
    if micros > MAX_USD * MICROS:
        raise bad("not_finite", "the amount is beyond 9.2e12 dollars")
    return micros


def notional(instrument: Instrument, size: Decimal, price: Decimal) -> int:
    """Exact int64 micro-dollars of a venue size at a venue price.

    Raises:
        BadField: not_finite, when they do not fit.
    """
    usd = instrument.usd(size, price)
    if usd > MAX_USD * MICROS:
        raise bad("not_finite", "the notional is beyond 9.2e12 dollars")
    return usd


def by_value(number: Decimal) -> str:
    """Text of a number for an id: equal for equal values, since recorders drop trailing zeros.

    >>> by_value(Decimal("0.350")), by_value(Decimal("1E+3"))
    ('0.35', '1000')
    """
    return format(number.normalize(), "f")


def ladder(levels: object, instrument: Instrument, name: str) -> Ladder:
    """One side of a book in the order sent: (price per coin, quantity in coins) a level.

    Args:
        levels: rows of price, size and anything more, in the venue's units.
        instrument: how a size becomes coins.
        name: the side's field, named in a rejection.

    Raises:
        BadField: a level is no pair of positive numbers.
    """
    if not isinstance(levels, list):
        raise bad("wrong_type", f"field {name!r} is {shown(levels)}, expected levels")
    return in_coins([_quick_pair(level) or _pair(level, name) for level in levels], instrument)


def keyed_ladder(
    levels: object, instrument: Instrument, name: str, price: str, size: str
) -> Ladder:
    """As `ladder`, for levels that are objects; `price` and `size` are their keys.

    Raises:
        BadField: a level is no object with two positive numbers.
    """
    if not isinstance(levels, list):
        raise bad("wrong_type", f"field {name!r} is {shown(levels)}, expected levels")
    for level in levels:
        if not isinstance(level, dict):
            raise bad("wrong_type", f"a level of {name!r} is {shown(level)}, expected an object")
    return ladder([[given(level, price), given(level, size)] for level in levels], instrument, name)


def in_coins(levels: Sequence[tuple[float, float]], instrument: Instrument) -> Ladder:
    """Levels of (price, size) in the venue's units as (price per coin, quantity in coins)."""
    face = float(instrument.contract_size)
    units = instrument.coins_per_unit
    if instrument.in_dollars:
        return tuple([(price / units, size * face / price) for price, size in levels])
    if face == units == 1:
        return tuple(levels)
    return tuple([(price / units, size * face * units) for price, size in levels])


def _quick_pair(level: object) -> tuple[float, float] | None:
    """The pair of a flawless level of strings, six times as fast as by Decimal."""
    if type(level) is not list or len(level) < 2:
        return None
    first, second = level[0], level[1]
    if type(first) is not str or type(second) is not str or (first + second).strip(WRITTEN):
        return None
    try:
        price, size = float(first), float(second)
    except ValueError:
        return None
    flawless = SMALLEST < price < LARGEST and SMALLEST < size < LARGEST
    return (price, size) if flawless else None


def _pair(level: object, name: str) -> tuple[float, float]:
    if not isinstance(level, list):
        raise bad("wrong_type", f"a level of {name!r} is {shown(level)}, expected an array")
    if len(level) < 2:
        raise bad("missing_field", f"a level of {name!r} has no size")
    price, size = float(as_decimal(level[0], name)), float(as_decimal(level[1], name))
    if price <= 0.0 or size <= 0.0:
        raise bad("not_positive", f"a level of {name!r} is {price} x {size}")
    return price, size


def price(row: Row, key: str, instrument: Instrument) -> float:
    """A required price, per coin of the asset.

    Raises:
        BadField: it is no positive number.
    """
    quick = quick_float(row.get(key)) if instrument.coins_per_unit == 1 else None
    return float(instrument.price_per_coin(positive(row, key))) if quick is None else quick


def per_coin(row: Row, key: str, instrument: Instrument) -> float | None:
    """An optional price, per coin of the asset; None when absent or empty.

    Raises:
        BadField: it is no positive number.
    """
    return price(row, key, instrument) if present(row, key) else None


def index_price(row: Row, key: str, instrument: Instrument) -> float | None:
    """An optional price, None when it is zero too: a contract before its listing has no index.

    Raises:
        BadField: it is a negative number or none.
    """
    if quick_float(row.get(key)) is None and not (present(row, key) and not_negative(row, key)):
        return None
    return price(row, key, instrument)
