"""Forced orders of Gate, pushed (`futures.public_liquidates`) or polled (`liq_orders`).

Promises the sign of each of the two, which are opposite: a pushed size is the order's, a polled one
the position's. What the documentation of the pushed channel leaves open stands in `Assumed`.
"""

from functools import partial
from typing import Annotated, Final

import msgspec

from streams.core.events import Completeness, Ignored, OrderSide, Outcome, PriceKind, Raw
from streams.core.instruments import Instruments
from streams.core.throttle import feed
from streams.venues.fields import (
    Row,
    any_stamp_us,
    bad,
    decimal,
    not_negative,
    positive,
    present,
    text,
)
from streams.venues.gate.symbols import FUTURES
from streams.venues.rows import each_row, known
from streams.venues.tape import forced


class Assumed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What Gate does not document of `public_liquidates`.

    A long closed by force is sold in all that is known of the channel; `futures.contract_stats`
    counts both sides by the minute, and `signs` holds the two against each other.
    """

    negative: Annotated[
        OrderSide,
        msgspec.Meta(
            description="side of a forced order whose `size` is negative",
            extra={"source": "`futures.public_liquidates`"},
        ),
    ] = "sell"
    price_kind: Annotated[
        PriceKind,
        msgspec.Meta(
            description="what `price` of a forced order is of",
            extra={"source": "`futures.public_liquidates`"},
        ),
    ] = "order"


ASSUMED: Final = Assumed()
_OTHER: Final[dict[OrderSide, OrderSide]] = {"sell": "buy", "buy": "sell"}


def pushed(
    raw: Raw, instruments: Instruments, assumed: Assumed, rows: list[object]
) -> list[Outcome]:
    """Rows of `futures.public_liquidates`."""
    return each_row(rows, partial(_pushed, raw, instruments, assumed, {}))


def _pushed(
    raw: Raw, instruments: Instruments, assumed: Assumed, seen: dict[object, int], row: Row
) -> Outcome:
    size, price = decimal(row, "size"), positive(row, "price")
    if not size:
        raise bad("not_positive", "field 'size' is 0")
    side = assumed.negative if size < 0 else _OTHER[assumed.negative]
    time_us = any_stamp_us(row, "time_ms" if present(row, "time_ms") else "time")
    instrument = known(instruments, raw.venue, text(row, "contract"))
    whole: Completeness = "all" if feed(FUTURES, time_us).feed_class == "full" else "sampled"
    kind = assumed.price_kind
    return forced(raw, instrument, side, abs(size), price, time_us, whole, seen, kind)


def polled(raw: Raw, instruments: Instruments, seen: dict[object, int], row: Row) -> Outcome:
    """A row of `liq_orders`: what was filled, at its average price.

    Raises:
        BadField: a field is missing, of the wrong type, not finite or not positive.
    """
    order = decimal(row, "order_size") if present(row, "order_size") else -decimal(row, "size")
    if not order:
        raise bad("not_positive", "field 'order_size' is 0")
    filled = abs(order) - (abs(decimal(row, "left")) if present(row, "left") else 0)
    if filled <= 0:
        return Ignored("not_filled")
    averaged = present(row, "fill_price") and not_negative(row, "fill_price") > 0
    price = positive(row, "fill_price" if averaged else "order_price")
    kind: PriceKind = "avg_fill" if averaged else "order"
    side: OrderSide = "sell" if order < 0 else "buy"
    time_us = any_stamp_us(row, "time")
    instrument = known(instruments, raw.venue, text(row, "contract"))
    return forced(raw, instrument, side, filled, price, time_us, "all", seen, kind)
