"""Forced orders of Bybit: the topic `allLiquidation`, and `liquidation` before it.

Promises exact dollars, the side of the position turned into that of the order, and the
completeness that the feed had at the order's time.
"""

from functools import partial
from typing import Final

from streams.core.events import Completeness, OrderSide, Outcome, Raw
from streams.core.instruments import Instruments
from streams.core.throttle import completeness_at, feed
from streams.venues.fields import Row, given, positive, stamp_us, text
from streams.venues.rows import data_rows, each_row, known, order_side
from streams.venues.tape import forced

_CLOSING: Final[dict[str, OrderSide]] = {"Buy": "sell", "Sell": "buy"}
"""Side of the position to side of the order that closes it."""


def all_liquidations(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    """Outcomes of a message of `allLiquidation`, one a row."""
    seen: dict[object, int] = {}
    names = ("s", "S", "v", "p", "T")
    return each_row(data_rows(message), partial(_closed, raw, instruments, seen, names, True))


def retired_liquidations(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    """Outcomes of a message of `liquidation`: of an object, or of a list where a poller made it."""
    data = given(message, "data")
    rows = data if isinstance(data, list) else [data]
    seen: dict[object, int] = {}

    def read(row: Row) -> Outcome:
        size = "size" if "size" in row else "qty"
        time = "updatedTime" if "updatedTime" in row else "time"
        names = ("symbol", "side", size, "price", time)
        return _closed(raw, instruments, seen, names, False, row)

    return each_row(rows, read)


def _closed(
    raw: Raw,
    instruments: Instruments,
    seen: dict[object, int],
    names: tuple[str, str, str, str, str],
    every_order: bool,
    row: Row,
) -> Outcome:
    """One forced order; `names` are the row's keys of symbol, side, size, price and time.

    `every_order`: of the topic that tells all; the older one did until it was throttled.
    """
    side = order_side(row, names[1], _CLOSING)
    size, price = positive(row, names[2]), positive(row, names[3])
    time_us = stamp_us(row, names[4])
    instrument = known(instruments, raw.venue, text(row, names[0]))
    completeness: Completeness = "all" if every_order else retired_completeness(time_us)
    return forced(raw, instrument, side, size, price, time_us, completeness, seen)


def retired_completeness(time_us: int) -> Completeness:
    """What an order of the topic `liquidation` says of the others at its time."""
    # The feed without an end is that of `allLiquidation`, which the older topic never became.
    if feed("bybit", time_us).valid_to_us is None:
        return "sampled"
    return completeness_at("bybit", time_us)
