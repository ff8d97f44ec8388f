"""Kraken Futures v1 public feeds to canonical events, venue `kraken` (PI, FI, PF, FF contracts).

A venue parser: promises a trade for every print of the book and, for a print of type liquidation,
a forced order beside it, in exact dollars. Does not fold book updates (the collector does) and
does not watch `seq`, which has no gaps per product (of books the collector does).

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | wss://futures.kraken.com/ws/v1                                                 |
| subscribe    | {"event":"subscribe","feed":"trade","product_ids":["PF_XBTUSD"]}               |
| keep-alive   | a websocket ping at least each 60 s; feed `heartbeat`                          |
| forced side  | `side` of a trade of type liquidation is the taker's: the forced order's       |
| forced price | the fill                                                                       |
| trade side   | `side` is the taker's; types block, assignment, termination are off the book   |
| units        | PI_, FI_ (inverse): dollars; PF_, FF_ (linear): base coin; XBT is BTC          |
| completeness | all fills                                                                      |
| open interest| `openInterest`: dollars (inverse) or coins                                     |
| funding      | `relative_funding_rate`, a fraction for an hour, due `next_funding_rate_time`  |
| volume, 24 h | `volumeQuote` dollars                                                          |
| times        | ms, JSON numbers, perhaps 1.0e-05; trade, ticker `time`, book `timestamp`      |

Quirks: every subscribe repeats the last trades, newest first, as `trade_snapshot`: its rows are
`replayed`, for they were made before anybody watched. An assignment hands a position over and a
termination unwinds it; whose side is told is not known, so neither is a forced order here, but
each is counted under a name of its own.
`funding_rate` is money per contract and not used; Kraken leaves a rate of zero out, so a perpetual
with a next funding time and no rate has rate zero, and a next funding time of zero says that there
is no funding. The REST history of executions is read too: there `orderType` tells which order was
forced, and its `uid` is taken for that of the feed, which nobody has confirmed.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Literal

import msgspec

from streams.core.events import Ignored, IgnoreReason, OrderSide, Outcome, Raw, stable_id
from streams.core.instruments import Instrument, Instruments, Rule
from streams.core.lanes import UNREADABLE, TradeFormat
from streams.venues.fields import (
    BadField,
    Row,
    array,
    bad,
    given,
    integer,
    nested,
    positive,
    present,
    real,
    stamp_us,
    text,
)
from streams.venues.quotes import book, read_ticker, stated_volume
from streams.venues.rows import (
    PLAIN_SIDES,
    all_of_each,
    each_row,
    keyed_ladder,
    known,
    no_side,
    taker_side,
)
from streams.venues.tape import flawless, forced_with_id, trade
from streams.venues.typed import Amount, Name

VENUES: Final = frozenset({"kraken"})

FUNDING_S: Final = 3600
"""The time that a funding rate is for."""

_OFF_BOOK: Final[Mapping[str, IgnoreReason]] = {
    "block": "off_book",
    "assignment": "assignment_print",
    "termination": "termination_print",
}
_UNUSED: Final = frozenset({"ticker_lite"})
_UNWOUND: Final = ("assignment", "termination")
_DIRECTIONS: Final[dict[str, OrderSide]] = {"Buy": "buy", "Sell": "sell"}
_FORCED: Final = re.compile("liquidat", re.IGNORECASE)


class _Trade(msgspec.Struct, gc=False, kw_only=True):
    """Fields in the venue's order; naming one that is not used is faster than passing it over."""

    feed: Literal["trade"]
    symbol: Name = msgspec.field(name="product_id")
    id: Name = msgspec.field(name="uid")
    side: Literal["buy", "sell"]
    type: Literal["fill"]
    seq: Any = None
    time: int
    size: Amount = msgspec.field(name="qty")
    price: Amount
    # Acknowledgements name their feed too; they have none of the rest, but must not be trades.
    event: Literal[""] = ""
    block: bool = msgspec.field(name="", default=False)

    @property
    def data(self) -> "_Trade":
        """A message is its own row."""
        return self


_TRADE: Final = msgspec.json.Decoder(_Trade, strict=False)
TRADES: Final = TradeFormat((_TRADE.decode,), many=False, buy="buy", sell="sell")
"""`trade` of type fill in lots."""
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)


def parse(raw: Raw, instruments: Instruments) -> list[Outcome]:
    """Outcomes of one websocket message of Kraken Futures, or of a page of executions.

    Raises:
        msgspec.DecodeError: the payload is no JSON object.
    """
    if raw.channel == "trade" or b'"trade"' in raw.payload[:32]:
        found = flawless(raw, instruments, TRADES)
        if found is not None:
            return found
    message = _MESSAGE.decode(raw.payload)
    if message.get("event"):
        return [Ignored("control")]
    try:
        if "elements" in message:
            return all_of_each(array(message, "elements"), partial(_execution, raw, instruments))
        if "feed" not in message:
            raise bad("unknown_message", "neither a feed, an event nor a page of executions")
        feed = text(message, "feed")
        if feed == "heartbeat":
            return [Ignored("control")]
        if feed in _UNUSED:
            return [Ignored("unused_channel")]
        reader = _READERS.get(feed)
        if reader is None:
            raise bad("unknown_channel", f"feed {feed[:60]!r}")
        return list(reader(raw, instruments, message))
    except BadField as error:
        return [error.outcome]


def witness(payload: bytes) -> str | None:
    """The product of a print that hands a position over or unwinds it; None of any other."""
    if b'"assignment"' not in payload and b'"termination"' not in payload:
        return None
    try:
        row = _MESSAGE.decode(payload)
        beside = row.get("feed") == "trade" and row.get("type") in _UNWOUND
        return text(row, "product_id") if beside else None
    except (*UNREADABLE, BadField):
        return None


def _snapshot(_raw: Raw, _instruments: Instruments, message: Row) -> list[Outcome]:
    return each_row(array(message, "trades"), lambda _row: Ignored("replayed"))


def _trade(raw: Raw, instruments: Instruments, row: Row) -> list[Outcome]:
    """The print, and the order of it that a liquidation sent."""
    kind = text(row, "type")
    if kind in _OFF_BOOK:
        return [Ignored(_OFF_BOOK[kind])]
    if kind not in ("fill", "liquidation"):
        raise bad("unknown_message", f"trade of type {kind[:40]!r}")
    side = taker_side(row, "side", PLAIN_SIDES)
    size, price = positive(row, "qty"), positive(row, "price")
    identity, time_us = text(row, "uid"), stamp_us(row, "time")
    instrument = known(instruments, raw.venue, text(row, "product_id"))
    found: list[Outcome] = [trade(raw, instrument, side, size, price, time_us, identity)]
    if kind == "liquidation":
        if side == "unknown":
            return [*found, no_side(row, "side")]
        found.append(forced_with_id(raw, instrument, side, size, price, time_us, "all", identity))
    return found


def _execution(raw: Raw, instruments: Instruments, row: Row) -> list[Outcome]:
    """A row of the history: its print, and those of its two orders that a liquidation sent."""
    execution = row
    for key in ("event", "Execution", "execution"):
        execution = nested(execution, key)
    taker = nested(execution, "takerOrder")
    orders = [taker]
    if present(execution, "makerOrder"):
        orders.append(nested(execution, "makerOrder"))
    size, price = positive(execution, "quantity"), positive(execution, "price")
    identity, time_us = text(execution, "uid"), stamp_us(execution, "timestamp")
    instrument = known(instruments, raw.venue, text(taker, "tradeable"))
    side = taker_side(taker, "direction", _DIRECTIONS)
    found: list[Outcome] = [trade(raw, instrument, side, size, price, time_us, identity)]
    for order in orders:
        if present(order, "orderType") and _FORCED.search(text(order, "orderType")):
            side = taker_side(order, "direction", _DIRECTIONS)
            found.append(
                no_side(order, "direction")
                if side == "unknown"
                else forced_with_id(raw, instrument, side, size, price, time_us, "all", identity)
            )
    return found


def _ticker(raw: Raw, instruments: Instruments, row: Row) -> list[Outcome]:
    instrument = known(instruments, raw.venue, text(row, "product_id"))
    rate, due_us = _funding(row)
    return [
        read_ticker(
            raw,
            instrument,
            "ticker",
            stamp_us(row, "time"),
            row,
            mark="markPrice",
            index="index",
            last="last",
            held="openInterest",
            funding=(rate, due_us),
            interval_s=None if rate is None else FUNDING_S,
            volume=stated_volume(row, "volumeQuote"),
        )
    ]


def _funding(row: Row) -> tuple[float | None, int | None]:
    """The rate of the hour and when it is due; both None for a contract without funding."""
    due = "next_funding_rate_time"
    due_us = stamp_us(row, due) if present(row, due) else None
    if due_us == 0:
        return None, None
    if present(row, "relative_funding_rate"):
        return real(row, "relative_funding_rate"), due_us
    if due_us is None or present(row, "funding_rate"):
        return None, None
    return 0.0, due_us


def _book(raw: Raw, instruments: Instruments, row: Row) -> list[Outcome]:
    instrument = known(instruments, raw.venue, text(row, "product_id"))
    time_us = stamp_us(row, "timestamp")
    bids = keyed_ladder(given(row, "bids"), instrument, "bids", "price", "qty")
    asks = keyed_ladder(given(row, "asks"), instrument, "asks", "price", "qty")
    identity = stable_id(raw.venue, instrument.symbol, time_us, integer(row, "seq"))
    return [book(raw, instrument, bids, asks, time_us, identity)]


def _change(_raw: Raw, _instruments: Instruments, _row: Row) -> list[Outcome]:
    return [Ignored("book_delta")]


_READERS: Final[Mapping[str, Callable[[Raw, Instruments, Row], list[Outcome]]]] = {
    "trade": _trade,
    "trade_snapshot": _snapshot,
    "ticker": _ticker,
    "book_snapshot": _book,
    "book": _change,
}

_NAME: Final = re.compile(
    r"(?:P([IF])_([A-Z0-9]{1,24})USD|F([IF])_([A-Z0-9]{1,24})USD_\d{6})", re.A
)
_COINS: Final = {"XBT": "BTC"}


def coin(code: str) -> str:
    """The common name of a coin that Kraken gives another code."""
    return _COINS.get(code, code)


def rule(symbol: str) -> Instrument | None:
    """What a product's name means; None for names of another form.

    >>> rule("PI_XBTUSD").asset, rule("PI_XBTUSD").contract, rule("FF_ETHUSD_261225").contract
    ('BTC', 'inverse', 'linear')
    >>> rule("PV_XRPXBT"), rule("PF_XBTEUR")
    (None, None)
    """
    match = _NAME.fullmatch(symbol)
    if match is None:
        return None
    asset = coin(match[2] or match[4])
    if (match[1] or match[3]) == "I":
        return Instrument("kraken", symbol, asset, "USD", "inverse", "usd")
    return Instrument("kraken", symbol, asset, "USD", "linear", "base")


RULES: Final[Mapping[str, Rule]] = {"kraken": rule}
