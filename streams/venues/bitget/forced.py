"""Forced orders of Bitget, whose size is what they were worth.

Promises exact dollars: a pushed amount is the quote's. What the documentation leaves open stands in
`Assumed`.
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final, Literal

import msgspec

from streams.core.events import OrderSide, Outcome, PriceKind, Raw
from streams.core.instruments import Instrument, Instruments
from streams.venues.fields import Row, bad, positive, stamp_us, text
from streams.venues.rows import each_row, known, order_side
from streams.venues.tape import forced

_CLOSING: Final[Mapping[str, OrderSide]] = {"buy": "sell", "sell": "buy"}
"""Side of the position to side of the order that closes it."""


class Assumed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What Bitget does not document of forced orders."""

    price_kind: Annotated[
        PriceKind,
        msgspec.Meta(
            description="what `price` of a forced order is of",
            extra={"source": "`liquidation`"},
        ),
    ] = "unknown"
    inverse_amount: Annotated[
        Literal["base", "quote"] | None,
        msgspec.Meta(
            description="unit of `amount` of coin-futures, which are rejected while it is not set",
            extra={"source": "`liquidation`"},
        ),
    ] = None


ASSUMED: Final = Assumed()


def liquidations(
    raw: Raw, instruments: Instruments, assumed: Assumed, rows: list[object]
) -> list[Outcome]:
    """Rows of the topic `liquidation`, of which each names its symbol."""
    return each_row(rows, partial(_liquidation, raw, instruments, assumed, {}))


def _liquidation(
    raw: Raw, instruments: Instruments, assumed: Assumed, seen: dict[object, int], row: Row
) -> Outcome:
    side = order_side(row, "side", _CLOSING)
    price, amount = positive(row, "price"), positive(row, "amount")
    time_us = stamp_us(row, "ts")
    contract = sized(known(instruments, raw.venue, text(row, "symbol")), assumed)
    kind = assumed.price_kind
    return forced(raw, contract, side, amount, price, time_us, "sampled", seen, kind)


def sized(contract: Instrument, assumed: Assumed) -> Instrument:
    """The contract in the unit that its forced orders are told in, whatever the source.

    Raises:
        BadField: unknown_notional, of coin-futures for which no unit is assumed.
    """
    unit = "quote" if contract.contract == "linear" else assumed.inverse_amount
    if unit is None:
        raise bad(
            "unknown_notional",
            f"{contract.symbol[:40]!r}: the unit of forced amounts of coin-futures is not "
            "verified; bitget.inverse_amount in MARGINQUAKE_ASSUMPTIONS sets one",
        )
    return msgspec.structs.replace(contract, size_unit=unit)
