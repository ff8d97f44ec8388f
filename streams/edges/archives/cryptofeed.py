"""cryptofeed's JSON: liquidations, trades, funding, open_interest and books of a line each.

One of the formats; `adopt` reads the same from Kafka. Names are cryptofeed's own, stamps are
seconds (its Bybit liquidations milliseconds: told by magnitude). Promises the venue's side of a
forced order where cryptofeed's is known to be another, and counts what it has corrected. What the
library loses stays lost: which party of a Deribit trade was forced.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from streams.core.events import (
    Ignored,
    OrderSide,
    Outcome,
    PriceKind,
    Rejected,
    TakerSide,
    stable_id,
)
from streams.core.instruments import Instrument
from streams.core.normalise import rejection
from streams.core.throttle import completeness_at
from streams.edges.archives.cryptofeed_symbols import native
from streams.edges.archives.form import BOM, Form, Found, Source
from streams.parsing import assumptions
from streams.venues.assumptions import sides_counted
from streams.venues.bybit.forced import retired_completeness
from streams.venues.fields import (
    BadField,
    Row,
    any_stamp_us,
    as_decimal,
    bad,
    nested,
    not_negative,
    positive,
    present,
    real,
    text,
)
from streams.venues.quotes import book, interest, ticker
from streams.venues.rows import Ladder, by_value, in_coins, known, no_side, per_coin
from streams.venues.tape import forced, forced_with_id, trade

NAME: Final = "cryptofeed"
AS_PUBLISHED: Final = "as-published"
"""The detail of `--format` that leaves sides as cryptofeed has them."""

_SIDES: Final[Mapping[str, OrderSide]] = {"buy": "buy", "sell": "sell"}
_OTHER: Final[Mapping[OrderSide, OrderSide]] = {"buy": "sell", "sell": "buy"}


class Forced(msgspec.Struct, frozen=True):
    """What cryptofeed's liquidations of an exchange are; `turned`: its side is the position's."""

    price_kind: PriceKind
    turned: bool = False


FORCED: Final[Mapping[str, Forced]] = {
    "BINANCE_FUTURES": Forced("order"),
    "BINANCE_DELIVERY": Forced("order"),
    "BITMEX": Forced("bankruptcy"),
    "BYBIT": Forced("bankruptcy", turned=True),
    "DERIBIT": Forced("fill"),
    "OKX": Forced("bankruptcy"),
}
"""By cryptofeed's name of an exchange; no other publishes liquidations there."""

_decode = msgspec.json.Decoder(dict[str, object], float_hook=str).decode


def open_form(first: bytes, source: Source) -> Form | None:
    """How to read a file whose first line is `first`; None when it is none of cryptofeed's.

    Raises:
        MarginquakeError: `--format cryptofeed:DETAIL` has another detail than `as-published`.
    """
    try:
        row = _decode(first.removeprefix(BOM))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if "exchange" not in row or "symbol" not in row or "receipt_timestamp" not in row:
        return None
    if source.detail not in ("", AS_PUBLISHED):
        raise source.refuse(
            f"--format {NAME}:{source.detail} is none", f"give {NAME} or {NAME}:{AS_PUBLISHED}"
        )
    return Form(NAME, partial(read, source))


def read(source: Source, line: bytes) -> Sequence[Found]:
    """The record of one message, from a file's line or a topic's value; never raises."""
    try:
        row = _decode(line.removeprefix(BOM))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return (rejection(error, line),)
    try:
        for marks, make in _KINDS:
            if marks <= row.keys():
                return (source.record(make(source, row)),)
    except BadField as error:
        return (error.outcome,)
    return (Rejected("unknown_message", f"fields {', '.join(sorted(row))[:200]}"),)


def _place(source: Source, row: Row) -> tuple[Instrument, int, int]:
    """Instrument, event time and receipt of a message."""
    exchange, symbol = text(row, "exchange"), text(row, "symbol")
    venue, name = native(exchange, symbol)
    received_us = any_stamp_us(row, "receipt_timestamp")
    at_us = any_stamp_us(row, "timestamp") if present(row, "timestamp") else received_us
    return known(source.instruments, venue, name), at_us, received_us


def _tape(row: Row, instrument: Instrument) -> TakerSide:
    side: TakerSide = _SIDES.get(text(row, "side").lower(), "unknown")
    if instrument.contract == "quanto":
        raise bad(
            "unknown_notional",
            f"{instrument.symbol[:40]!r} is worth coin, whose price the message does not tell",
        )
    return side


def _identity(row: Row) -> str:
    """The venue's id, text or number; empty when there is none."""
    value = row.get("id")
    return str(value)[:100] if isinstance(value, (str, int)) else ""


def _liquidation(source: Source, row: Row) -> Outcome:
    exchange = text(row, "exchange")
    semantics = FORCED.get(exchange)
    if semantics is None:
        raise bad("unknown_channel", f"{exchange[:40]} publishes no liquidations in cryptofeed")
    instrument, at_us, received_us = _place(source, row)
    side = _tape(row, instrument)
    if side == "unknown":
        return no_side(row, "side")
    size, price = positive(row, "quantity"), positive(row, "price")
    if semantics.turned and source.detail != AS_PUBLISHED:
        side = _OTHER[side]
        source.tally.corrected[f"{exchange} liquidations: side turned to the order's"] += 1
    raw = source.stub(instrument.venue, received_us)
    if instrument.venue == "bybit":
        # cryptofeed has never read the topic of all orders.
        completeness = retired_completeness(at_us)
    else:
        completeness = completeness_at(instrument.venue, at_us)
    facts = (raw, instrument, side, size, price, at_us, completeness)
    if identity := _identity(row):
        return forced_with_id(*facts, identity, price_kind=semantics.price_kind)
    return forced(*facts, {}, semantics.price_kind)


def _trade(source: Source, row: Row) -> Outcome:
    instrument, at_us, received_us = _place(source, row)
    side = _tape(row, instrument)
    size = positive(row, "amount") / sides_counted(assumptions(), instrument.venue).trade
    price = positive(row, "price")
    key = (instrument.venue, instrument.symbol, at_us, side, by_value(size), by_value(price))
    identity = _identity(row) or stable_id(*key, received_us)
    raw = source.stub(instrument.venue, received_us)
    return trade(raw, instrument, side, size, price, at_us, identity)


def _funding(source: Source, row: Row) -> Outcome:
    instrument, at_us, received_us = _place(source, row)
    rate = real(row, "rate") if present(row, "rate") else None
    due = any_stamp_us(row, "next_funding_time") if present(row, "next_funding_time") else None
    mark = per_coin(row, "mark_price", instrument)
    if (rate, mark) == (None, None):
        return Ignored("empty")
    raw = source.stub(instrument.venue, received_us)
    return ticker(raw, instrument, "funding", at_us, mark=mark, funding=(rate, due))


def _interest(source: Source, row: Row) -> Outcome:
    instrument, at_us, received_us = _place(source, row)
    if instrument.contract == "quanto":
        return Ignored("unused_channel")
    amount = (
        not_negative(row, "open_interest") / sides_counted(assumptions(), instrument.venue).interest
    )
    held = interest(instrument, amount)
    raw = source.stub(instrument.venue, received_us)
    return ticker(raw, instrument, "open_interest", at_us, interest=held)


def _book(source: Source, row: Row) -> Outcome:
    instrument, at_us, received_us = _place(source, row)
    if instrument.contract == "quanto":
        return Ignored("unused_channel")
    sides = nested(row, "book")
    bids = _ladder(nested(sides, "bid"), instrument, descending=True)
    asks = _ladder(nested(sides, "ask"), instrument, descending=False)
    identity = stable_id(instrument.venue, instrument.symbol, at_us, received_us, bids, asks)
    return book(source.stub(instrument.venue, received_us), instrument, bids, asks, at_us, identity)


def _ladder(side: Row, instrument: Instrument, *, descending: bool) -> Ladder:
    """Levels by price, since keys of an object have no order."""
    pairs = [
        (float(as_decimal(price, "book")), float(as_decimal(size, "book")))
        for price, size in side.items()
    ]
    if any(price <= 0 or size <= 0 for price, size in pairs):
        raise bad("not_positive", "a level of 'book'")
    return in_coins(sorted(pairs, reverse=descending), instrument)


def _unused(_source: Source, _row: Row) -> Outcome:
    return Ignored("unused_channel")


def _delta(_source: Source, _row: Row) -> Outcome:
    return Ignored("book_delta")


_KINDS: Final[Sequence[tuple[frozenset[str], Callable[[Source, Row], Outcome]]]] = (
    (frozenset({"side", "quantity", "price"}), _liquidation),
    (frozenset({"side", "amount", "price"}), _trade),
    (frozenset({"rate"}), _funding),
    (frozenset({"open_interest"}), _interest),
    (frozenset({"book"}), _book),
    (frozenset({"delta"}), _delta),
    (frozenset({"bid", "ask"}), _unused),
    (frozenset({"start", "stop", "close"}), _unused),
    (frozenset({"exchange", "symbol", "price"}), _unused),
)
"""By the fields that tell them: the lines themselves do not say what they are."""
