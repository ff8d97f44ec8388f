"""Forced orders: one `forceOrder` row to one Liquidation.

Promises the side of the closed position (SELL closes a long), the filled quantity at the average
fill price, exact dollars, and the completeness that the feed had at the order's time: since April
2021 a sample, at most one order a symbol and second. Does not extrapolate.
"""

from decimal import Decimal
from typing import Final

from streams.core.events import (
    Ignored,
    Liquidation,
    OrderSide,
    Outcome,
    PositionSide,
    PriceKind,
    Raw,
    stable_id,
)
from streams.core.instruments import Instruments
from streams.core.throttle import completeness_at
from streams.venues.binance.symbols import family
from streams.venues.fields import (
    BadField,
    Row,
    bad,
    given,
    not_negative,
    present,
    shown,
    stamp_us,
    text,
)
from streams.venues.rows import by_value, known, notional

SIDES: Final[dict[str, tuple[OrderSide, PositionSide]]] = {
    "SELL": ("sell", "long"),
    "BUY": ("buy", "short"),
}
"""Forced order's side to (order side, closed position's side)."""
_ZERO: Final = Decimal(0)


def order_id(
    venue: str,
    symbol: str,
    time_us: int,
    side: str,
    quantity: Decimal,
    price: Decimal,
    filled: Decimal,
    k: int,
) -> str:
    """Id of a forced order, which has none of its own: the same from stream, dump and recorder.

    Numbers are compared by value, since recorders drop trailing zeros. `side` is the venue's
    `BUY` or `SELL`; `k` counts equal rows of one message from 0.

    >>> order = ("binance-usdm", "BTCUSDT", 1, "BUY", Decimal("1.50"), Decimal(2))
    >>> order_id(*order, Decimal("1.5"), 0) == order_id(*order, Decimal("1.500"), 0)
    True
    """
    numbers = map(by_value, (quantity, price, filled))
    return stable_id(venue, symbol, time_us, side, *numbers, k)


def force_order(raw: Raw, instruments: Instruments, row: Row, seen: dict[object, int]) -> Outcome:
    """The liquidation of one `forceOrder` row.

    Quantity is the cumulative fill `z`. Without a fill, the original quantity `q` stands in only
    where the order is said to be FILLED or no status is given; any other status (NEW, EXPIRED)
    with nothing filled moved no coins and is ignored as `not_filled`.

    Args:
        raw: the record the row came in.
        instruments: contract sizes and classes.
        row: the event with its order under `o`.
        seen: counts of equal rows of this message, updated here.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    order = given(row, "o")
    if not isinstance(order, dict):
        raise bad("wrong_type", f"field 'o' is {shown(order)}, expected an object")
    symbol = text(order, "s")
    side_text = text(order, "S")
    time_us = stamp_us(order, "T")
    quantity = not_negative(order, "q") if present(order, "q") else _ZERO
    limit = not_negative(order, "p") if present(order, "p") else _ZERO
    average = not_negative(order, "ap") if present(order, "ap") else _ZERO
    filled = not_negative(order, "z") if present(order, "z") else _ZERO
    sides = SIDES.get(side_text)
    if sides is None:
        raise bad("unknown_side", f"forced order's side is {side_text[:40]!r}")
    size = filled or _unfilled(order, quantity)
    price_kind: PriceKind = "avg_fill" if average else "order"
    price = average or limit
    if not price:
        raise bad("not_positive", "neither 'ap' nor 'p' is a price above zero")

    venue = family(raw.venue, symbol, row.get("st", order.get("st")))
    instrument = known(instruments, venue, symbol)
    usd = notional(instrument, size, price)
    base = instrument.base_qty(size, price)
    key = (venue, symbol, time_us, side_text, quantity, limit, filled)
    k = seen.get(key, 0)
    seen[key] = k + 1
    return Liquidation(
        venue=venue,
        symbol=symbol,
        asset=instrument.asset,
        contract=instrument.contract,
        kind="liquidation",
        position_side=sides[1],
        order_side=sides[0],
        price=float(instrument.price_per_coin(price)),
        price_kind=price_kind,
        base_qty=None if base is None else float(base),
        usd=usd,
        event_time_us=time_us,
        received_at_us=raw.received_at_us,
        completeness=completeness_at(venue, time_us),
        id=order_id(*key, k),
    )


def _unfilled(order: Row, quantity: Decimal) -> Decimal:
    """The quantity of an order that shows no fill; see `force_order` for the rule."""
    if order.get("X") not in (None, "", "FILLED"):
        raise BadField(Ignored("not_filled"))
    if not quantity:
        raise bad("not_positive", "neither 'z' nor 'q' is a quantity above zero")
    return quantity
