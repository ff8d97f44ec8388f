"""BitMEX realtime tables to canonical events, venue `bitmex`.

A venue parser: promises one outcome per row, exact dollars for forced orders, and sizes in coins by
the multipliers of the instrument table; an instrument without a row is rejected, never guessed.
Keeps no table: sparse updates become partial tickers, and what needs a table's past is ignored.

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | wss://ws.bitmex.com/realtime                                                   |
| subscribe    | {"op":"subscribe","args":["liquidation","instrument","trade","orderBook10"]};  |
|              | without a symbol a table is of all                                             |
| keep-alive   | the text `ping` after 5 s of silence; the answer is the text `pong`, no JSON   |
| forced side  | `side` is the forced ORDER's side: Sell = a long was closed                    |
| forced price | of the working order, at bankruptcy; the table shows no fills                  |
| trade side   | `side` is the taker's side                                                     |
| units        | contracts: of 1 USD (XBTUSD and its dated), else of coins; trades state coins  |
|              | (`homeNotional`) and dollars (`foreignNotional`) themselves                    |
| completeness | liquidation: all orders, none of their fills                                   |
| open interest| `openInterest`: contracts, one-sided                                           |
| funding      | `fundingRate` is due at `fundingTimestamp`; `fundingInterval` is told as a     |
|              | time of day, 08:00 for eight hours                                             |
| volume, 24 h | `foreignNotional24h`: dollars, of quanto contracts too                         |
| times        | ISO 8601; a forced order has none and takes the time of receipt                |

Quirks: an order is counted once, in full, by its `insert`; an `update` only shrinks or reprices it
and a `delete` ends it. A `partial` is sent after each subscribe and repeats what is there: orders
and trades in it are `replayed`. Numbers are JSON numbers, read as they are written. Quanto
contracts (ETHUSD) are worth bitcoin: their trades state the dollars, while forced orders, books and
open interest do not and are left out, orders rejected as of unknown notional. Trades whose
`trdType` is `Referential` are off the book; another than `Regular` is not known. `funding` tells of
the payment that was made: of it only the cycle is read. Books come from `orderBook10` alone; XBT is
BTC.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from streams.core.events import (
    MICROS,
    Ignored,
    OrderSide,
    Outcome,
    Raw,
    Rejected,
    stable_id,
)
from streams.core.instruments import Instrument, Instruments, Rule
from streams.venues.fields import (
    BadField,
    Row,
    bad,
    iso_us,
    not_negative,
    positive,
    present,
    real,
    shown,
    text,
)
from streams.venues.quotes import book, interest, stated_volume, ticker
from streams.venues.rows import (
    data_rows,
    each_row,
    index_price,
    known,
    ladder,
    order_side,
    per_coin,
    taker_side,
)
from streams.venues.tape import forced_with_id, trade

VENUES: Final = frozenset({"bitmex"})

_SIDES: Final[Mapping[str, OrderSide]] = {"Buy": "buy", "Sell": "sell"}
_REGULAR: Final = "Regular"
_REFERENTIAL: Final = "Referential"
_ACTIONS: Final = ("partial", "insert", "update", "delete")
_CONTROL: Final = ("info", "success", "subscribe", "unsubscribe", "error", "request", "limit")
_DELTAS: Final = frozenset({"orderBookL2", "orderBookL2_25"})
_UNUSED: Final = frozenset(
    {
        *("quote", "quoteBin1m", "quoteBin5m", "quoteBin1h", "quoteBin1d", "settlement"),
        *("tradeBin1m", "tradeBin5m", "tradeBin1h", "tradeBin1d", "insurance", "connected"),
        *("announcement", "chat", "publicNotifications"),
    }
)
_YEAR_2000_US: Final = 946_684_800 * MICROS
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)


def parse(raw: Raw, instruments: Instruments) -> list[Outcome]:
    """Outcomes of one message of BitMEX.

    Raises:
        msgspec.DecodeError: the payload is neither `pong` nor a JSON object.
    """
    if raw.payload in (b"pong", b"ping"):
        return [Ignored("control")]
    message = _MESSAGE.decode(raw.payload)
    table = message.get("table")
    if table is None:
        if any(key in message for key in _CONTROL):
            return [Ignored("control")]
        return [Rejected("unknown_message", "neither a table nor a control frame")]
    if not isinstance(table, str):
        return [Rejected("wrong_type", f"field 'table' is {shown(table)}, expected a string")]
    reader = _READERS.get(table)
    if reader is None:
        if table in _DELTAS:
            return [Ignored("book_delta")]
        if table in _UNUSED:
            return [Ignored("unused_channel")]
        return [Rejected("unknown_channel", f"table {table[:60]!r}")]
    action = message.get("action")
    if action not in _ACTIONS:
        return [Rejected("unknown_message", f"action is {shown(action)}")]
    try:
        return each_row(data_rows(message), partial(reader, raw, instruments, action))
    except BadField as error:
        return [error.outcome]


def _liquidation(raw: Raw, instruments: Instruments, action: str, row: Row) -> Outcome:
    if action != "insert":
        return Ignored("replayed" if action == "partial" else "empty")
    side = order_side(row, "side", _SIDES)
    size, price = positive(row, "leavesQty"), positive(row, "price")
    order = text(row, "orderID")
    instrument = known(instruments, raw.venue, text(row, "symbol"))
    if instrument.contract == "quanto":
        raise bad(
            "unknown_notional",
            f"{instrument.symbol!r} is worth bitcoin, whose price the message does not tell",
        )
    facts = (raw, instrument, side, size, price, raw.received_at_us)
    return forced_with_id(*facts, "all", order, price_kind="bankruptcy")


def _trade(raw: Raw, instruments: Instruments, action: str, row: Row) -> Outcome:
    if action != "insert":
        return Ignored("replayed" if action == "partial" else "empty")
    kind = row["trdType"] if present(row, "trdType") else _REGULAR
    if kind == _REFERENTIAL:
        return Ignored("off_book")
    if kind != _REGULAR:
        raise bad("unknown_message", f"a trade whose 'trdType' is {shown(kind)}")
    side = taker_side(row, "side", _SIDES)
    size, price = positive(row, "size"), positive(row, "price")
    at_us, match = iso_us(row, "timestamp"), text(row, "trdMatchID")
    instrument = known(instruments, raw.venue, text(row, "symbol"))
    stated = None
    told = present(row, "homeNotional") and present(row, "foreignNotional")
    if told or instrument.contract == "quanto":
        coins = positive(row, "homeNotional") * instrument.coins_per_unit
        stated = coins, positive(row, "foreignNotional")
    return trade(raw, instrument, side, size, price, at_us, match, stated)


def _instrument(raw: Raw, instruments: Instruments, action: str, row: Row) -> Outcome:
    """A row of `instrument`, of which an update holds only what has changed."""
    symbol = text(row, "symbol")
    if symbol.startswith("."):
        # An index, which is no contract; contracts state it themselves.
        return Ignored("unused_channel")
    if action == "delete":
        return Ignored("empty")
    instrument = known(instruments, raw.venue, symbol)
    mark = per_coin(row, "markPrice", instrument)
    index = index_price(row, "indicativeSettlePrice", instrument)
    last = per_coin(row, "lastPrice", instrument)
    held: tuple[float | None, int | None] = (None, None)
    if present(row, "openInterest") and instrument.contract != "quanto":
        held = interest(instrument, not_negative(row, "openInterest"))
    rate = real(row, "fundingRate") if present(row, "fundingRate") else None
    due = iso_us(row, "fundingTimestamp") if present(row, "fundingTimestamp") else None
    cycle = _cycle_s(row) if present(row, "fundingInterval") else None
    volume = stated_volume(row, "foreignNotional24h")
    if (mark, index, last, *held, rate, due, cycle, volume) == (None,) * 9:
        return Ignored("empty")
    return ticker(
        raw,
        instrument,
        "instrument",
        iso_us(row, "timestamp") if present(row, "timestamp") else raw.received_at_us,
        mark=mark,
        index=index,
        last=last,
        interest=held,
        funding=(rate, due),
        interval_s=cycle,
        volume=volume,
    )


def _funding(raw: Raw, instruments: Instruments, action: str, row: Row) -> Outcome:
    if action != "insert":
        return Ignored("replayed" if action == "partial" else "empty")
    instrument = known(instruments, raw.venue, text(row, "symbol"))
    at_us, cycle = iso_us(row, "timestamp"), _cycle_s(row)
    return ticker(raw, instrument, "funding", at_us, interval_s=cycle)


def _cycle_s(row: Row) -> int:
    """Seconds of `fundingInterval`, which is told as the time so long after the year 2000 began."""
    seconds = (iso_us(row, "fundingInterval") - _YEAR_2000_US) // MICROS
    if seconds <= 0:
        raise bad("not_positive", f"field 'fundingInterval' is {seconds} s")
    return seconds


def _book(raw: Raw, instruments: Instruments, action: str, row: Row) -> Outcome:
    if action == "delete":
        return Ignored("empty")
    instrument = known(instruments, raw.venue, text(row, "symbol"))
    if instrument.contract == "quanto":
        return Ignored("unused_channel")
    bids = ladder(row.get("bids"), instrument, "bids")
    asks = ladder(row.get("asks"), instrument, "asks")
    at_us = iso_us(row, "timestamp")
    # The table numbers nothing, and several changes may share a stamp.
    identity = stable_id(raw.venue, instrument.symbol, at_us, bids, asks)
    return book(raw, instrument, bids, asks, at_us, identity)


_READERS: Final[Mapping[str, Callable[[Raw, Instruments, str, Row], Outcome]]] = {
    "liquidation": _liquidation,
    "trade": _trade,
    "instrument": _instrument,
    "funding": _funding,
    "orderBook10": _book,
}

_INVERSE: Final = re.compile(r"XBT(?:USD|[FGHJKMNQUVXZ]\d\d)", re.ASCII)


def inverse(symbol: str) -> Instrument | None:
    """The bitcoin contracts of one dollar, perpetual or dated; None for what needs the table.

    >>> inverse("XBTUSD").asset, inverse("XBTZ26").contract, inverse("ETHUSD")
    ('BTC', 'inverse', None)
    """
    if _INVERSE.fullmatch(symbol) is None:
        return None
    return Instrument("bitmex", symbol, "BTC", "USD", "inverse", "contracts")


RULES: Final[Mapping[str, Rule]] = {"bitmex": inverse}
