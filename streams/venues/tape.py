"""Trades and forced orders of venues that send them in batches, from fields already named.

`prints` is the hot path: a typed message to positional structs, floats only, dollars rounded from
the float product. Promises the outcome of the row by row path (`trade`) for a flawless message
and None for any other, so that one place names reasons. `forced` and `forced_with_id` are exact, by
Decimal.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Protocol

from streams.core.events import (
    MICROS,
    Completeness,
    Ignored,
    Liquidation,
    LiquidationKind,
    OrderSide,
    Outcome,
    PositionSide,
    PriceKind,
    Raw,
    TakerSide,
    Trade,
    stable_id,
)
from streams.core.instruments import Instrument, Instruments
from streams.core.lanes import UNREADABLE, TradeFormat
from streams.venues.rows import MAX_USD, by_value, micro_dollars, notional

LATEST_MS: Final = 10**14
"""From here on a stamp is no millisecond stamp."""

REPLAY_US: Final = 600 * MICROS
"""A row stamped this long before its receipt, where a venue repeats rows (OKX's forced orders, the
polled ones of HTX), is an old one sent again; as long as the framer remembers the ids of forced
orders. See docs/decisions/replayed-rows.md."""

SIDES: Final[dict[OrderSide, PositionSide]] = {"sell": "long", "buy": "short"}
"""Forced order's side to the side of the position that it closed."""


BLOCK: Final = Ignored("off_book")


class Print(Protocol):
    """A decoded trade row whose decoder has checked side, price, size and id.

    `time` in ms, `block` for trades made off the book.
    """

    symbol: str
    size: float
    price: float
    time: int
    block: bool

    @property
    def id(self) -> int | str:
        """The venue's id of the trade."""

    @property
    def side(self) -> str:
        """The venue's word for the taker's side."""


def flawless(
    raw: Raw, instruments: Instruments, form: TradeFormat, block: Ignored = BLOCK
) -> list[Outcome] | None:
    """All trades of a flawless message of the format; None leaves it to the path by rows.

    `block`: what becomes of a row that is marked as made off the book.
    """
    try:
        data = form.readers[0](raw.payload).data
    except UNREADABLE:
        return None
    return prints(raw, instruments, data if form.many else [data], form.buy, block)


def prints(
    raw: Raw, instruments: Instruments, rows: Sequence[Print], buy: object, block: Ignored = BLOCK
) -> list[Outcome] | None:
    """All trades of a flawless message; None leaves it to the path by rows.

    Args:
        raw: the record the rows came in.
        instruments: contract sizes and classes.
        rows: the typed rows.
        buy: the venue's word for a buying taker.
        block: what becomes of a row made off the book.
    """
    venue, received = raw.venue, raw.received_at_us
    outcomes: list[Outcome] = []
    symbol = None
    for row in rows:
        if row.symbol != symbol:
            symbol = row.symbol
            instrument = instruments.resolve(venue, symbol)
            if instrument is None:
                return None
            asset, contract = instrument.asset, instrument.contract
            face, units = float(instrument.contract_size), instrument.coins_per_unit
            scale = instrument.micros_per_unit
            inverse = instrument.in_dollars
        price, size, time = row.price, row.size, row.time
        micros = size * scale if inverse else price * size * scale
        if not (micros <= MAX_USD * MICROS and 0 < time < LATEST_MS):
            return None
        if row.block:
            outcomes.append(block)
            continue
        outcomes.append(
            Trade(
                venue,
                symbol,
                asset,
                contract,
                "buy" if row.side == buy else "sell",
                price / units,
                size * face / price if inverse else size * face * units,
                round(micros),
                time * 1000,
                received,
                str(row.id),
            )
        )
    return outcomes or None


def trade(
    raw: Raw,
    instrument: Instrument,
    side: TakerSide,
    size: Decimal,
    price: Decimal,
    time_us: int,
    identity: str,
    stated: tuple[Decimal, Decimal] | None = None,
) -> Trade:
    """One trade whose fields needed a closer look.

    `stated`: its coins and dollars where the venue states them, in place of those of its size.

    Raises:
        BadField: not_finite, when its dollars do not fit.
    """
    if stated is None:
        coins, usd = instrument.base_qty(size, price) or 0, notional(instrument, size, price)
    else:
        coins, usd = stated[0], micro_dollars(stated[1])
    return Trade(
        venue=raw.venue,
        symbol=instrument.symbol,
        asset=instrument.asset,
        contract=instrument.contract,
        taker_side=side,
        price=float(instrument.price_per_coin(price)),
        base_qty=float(coins),
        usd=usd,
        event_time_us=time_us,
        received_at_us=raw.received_at_us,
        id=identity,
    )


def forced(
    raw: Raw,
    instrument: Instrument,
    order_side: OrderSide,
    size: Decimal,
    price: Decimal,
    time_us: int,
    completeness: Completeness,
    seen: dict[object, int],
    price_kind: PriceKind = "bankruptcy",
) -> Liquidation:
    """One forced order, for venues that give it no id.

    The id is of venue, symbol, time, order side, size, price and k; numbers count by value, since
    recorders drop trailing zeros. `seen` counts equal rows of the message and is updated here.

    Raises:
        BadField: not_finite, when its dollars do not fit.
    """
    key = (raw.venue, instrument.symbol, time_us, order_side, by_value(size), by_value(price))
    k = seen.get(key, 0)
    facts = (raw, instrument, order_side, size, price, time_us, completeness)
    order = _closed(*facts, "liquidation", price_kind, stable_id(*key, k))
    seen[key] = k + 1
    return order


def forced_with_id(
    raw: Raw,
    instrument: Instrument,
    order_side: OrderSide,
    size: Decimal,
    price: Decimal,
    time_us: int,
    completeness: Completeness,
    identity: str,
    kind: LiquidationKind = "liquidation",
    price_kind: PriceKind = "fill",
) -> Liquidation:
    """One forced order or a fill of it, for venues that give it an id or mark their trades.

    `identity` is the venue's id. That of a trade is of both parties: the order's side is a part of
    the event's id, since both may have been forced.

    Raises:
        BadField: not_finite, when its dollars do not fit.
    """
    event_id = stable_id(raw.venue, instrument.symbol, identity, order_side)
    facts = (raw, instrument, order_side, size, price, time_us, completeness)
    return _closed(*facts, kind, price_kind, event_id)


def replayed(raw: Raw, time_us: int) -> bool:
    """Whether a row that its venue may repeat is too old to be told from its first copy."""
    return time_us < raw.received_at_us - REPLAY_US


def _closed(
    raw: Raw,
    instrument: Instrument,
    order_side: OrderSide,
    size: Decimal,
    price: Decimal,
    time_us: int,
    completeness: Completeness,
    kind: LiquidationKind,
    price_kind: PriceKind,
    event_id: str,
) -> Liquidation:
    base = instrument.base_qty(size, price)
    return Liquidation(
        venue=raw.venue,
        symbol=instrument.symbol,
        asset=instrument.asset,
        contract=instrument.contract,
        kind=kind,
        position_side=SIDES[order_side],
        order_side=order_side,
        price=float(instrument.price_per_coin(price)),
        price_kind=price_kind,
        base_qty=None if base is None else float(base),
        usd=notional(instrument, size, price),
        event_time_us=time_us,
        received_at_us=raw.received_at_us,
        completeness=completeness,
        id=event_id,
    )
