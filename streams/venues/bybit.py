"""Bybit v5 public streams to canonical events, venues `bybit` (linear, inverse) and `bybit-spot`.

A venue parser: promises one outcome per row in the message's order, exact dollars for forced
orders, and partial tickers (None = unchanged). Does not fold book deltas (the collector does) and
does not tell spot from linear by the message: shapes and names are equal, the venue id decides.

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | wss://stream.bybit.com/v5/public/{linear, inverse, spot}                       |
| subscribe    | {"op":"subscribe","args":["allLiquidation.BTCUSDT", ...]}, 10 topics a request |
| keep-alive   | send {"op":"ping"} every 20 s; the answer has `pong` in ret_msg or op          |
| forced side  | `S` is the POSITION's side: Buy = a long was closed = a sell order             |
| forced price | bankruptcy price, no fill: dollars run low for longs and high for shorts       |
| trade side   | `S` is the taker's side; `BT` marks a block trade, made off the book           |
| units        | linear and spot: base coin; inverse: contracts of 1 USD; 1000X quotes 1000 X   |
| completeness | allLiquidation: all, pushed every 500 ms; retired `liquidation`: sampled       |
| open interest| singleOpenInterest (one-sided), else openInterest; linear coins, inverse USD   |
| times        | ms; forced order and trade `T`, ticker `ts`, book `cts` (else `ts`)            |

Quirks: allLiquidation says `snapshot` but never repeats; it has no id, and equal rows of one
message are distinct orders. The `liquidation` topic, retired in 2025, is still read in its three
shapes (v5 object, v2 object, list of a poller), for its side was the position's too; do not
subscribe to both. Other v2 and v3 topics are rejected as `retired_format`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from streams.core.events import (
    Book,
    Completeness,
    Ignored,
    OrderSide,
    Outcome,
    Raw,
    Rejected,
    Ticker,
    stable_id,
)
from streams.core.instruments import Instrument, Instruments, Rule
from streams.core.lanes import UNREADABLE, TradeFormat
from streams.venues.bybit_symbols import derivative, spot
from streams.venues.fields import (
    BadField,
    Row,
    bad,
    given,
    id_text,
    integer,
    marked,
    micros,
    nested,
    not_negative,
    positive,
    present,
    real,
    shown,
    stamp_us,
    text,
)
from streams.venues.quotes import book
from streams.venues.rows import (
    Ladder,
    data_rows,
    each_row,
    in_coins,
    index_price,
    known,
    ladder,
    micro_dollars,
    order_side,
    per_coin,
)
from streams.venues.tape import flawless, forced, trade
from streams.venues.typed import Amount, Count, Levels, Name

VENUES: Final = frozenset({"bybit", "bybit-spot"})

_CLOSING: Final[dict[str, OrderSide]] = {"Buy": "sell", "Sell": "buy"}
"""Side of the position to side of the order that closes it."""
_TAKER: Final[dict[str, OrderSide]] = {"Buy": "buy", "Sell": "sell"}
_CONTROL: Final = ("op", "success", "event", "ping", "pong")
_UNUSED: Final = frozenset(
    {"kline", "insurance", "adlAlert", "priceLimit", "system", "kline_lt", "tickers_lt", "lt"}
)
_UNUSED_BOOK: Final = "orderbook.rpi."
_RETIRED: Final = frozenset(
    {
        *("trade", "instrument_info", "orderBookL2_25", "orderBook_200", "klineV2", "candle"),
        *("depth", "bookTicker", "realtimes", "mergedDepth", "diffDepth", "bookticker"),
    }
)


class _Trade(msgspec.Struct, gc=False, kw_only=True):
    """Fields in the venue's order; naming one that is not used is faster than passing it over."""

    time: int = msgspec.field(name="T")
    symbol: str = msgspec.field(name="s")
    side: Literal["Buy", "Sell"] = msgspec.field(name="S")
    size: Amount = msgspec.field(name="v")
    price: Amount = msgspec.field(name="p")
    L: Any = None
    id: Name = msgspec.field(name="i")
    block: bool = msgspec.field(name="BT", default=False)
    RPI: Any = None
    seq: Any = None


class _Depth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    symbol: Name = msgspec.field(name="s")
    bids: Levels = msgspec.field(name="b")
    asks: Levels = msgspec.field(name="a")
    update: Count = msgspec.field(name="u")
    seq: Any = None


class _Snapshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A flawless book; a field that is not known here is no flaw, but left to `_book`."""

    topic: Name
    type: Literal["snapshot"]
    ts: Count
    data: _Depth
    cts: Count | UnsetType = UNSET


class _Trades(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    topic: Annotated[str, msgspec.Meta(pattern=r"^publicTrade\.")]
    type: Any = None
    ts: Any = None
    data: list[_Trade]


_TRADES: Final = msgspec.json.Decoder(_Trades, strict=False)
TRADES: Final = TradeFormat((_TRADES.decode,), many=True, buy="Buy", sell="Sell", marked=True)
"""`publicTrade` in lots."""
_SNAPSHOT: Final = msgspec.json.Decoder(_Snapshot, strict=False)
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)


def parse(raw: Raw, instruments: Instruments) -> list[Outcome]:
    """Outcomes of one websocket message of Bybit.

    Raises:
        msgspec.DecodeError: the payload is no JSON object.
    """
    if raw.channel == "trade" or b'"publicTrade.' in raw.payload[:64]:
        found = flawless(raw, instruments, TRADES)
        if found is not None:
            return found
    elif b'"orderbook.' in raw.payload[:64]:
        snapshot = _quick_book(raw, instruments)
        if snapshot is not None:
            return [snapshot]
    message = _MESSAGE.decode(raw.payload)
    topic = message.get("topic")
    if topic is None or "event" in message:
        if any(key in message for key in _CONTROL):
            return [Ignored("control")]
        return [Rejected("unknown_message", "neither a topic nor a control frame")]
    if not isinstance(topic, str):
        return [Rejected("wrong_type", f"field 'topic' is {shown(topic)}, expected a string")]
    kind = topic.partition(".")[0]
    reader = _READERS.get(kind)
    if reader is None:
        if kind in _UNUSED:
            return [Ignored("unused_channel")]
        if kind in _RETIRED:
            return [Rejected("retired_format", f"topic {kind!r} is of an API before v5")]
        return [Rejected("unknown_channel", f"topic {topic[:60]!r}")]
    try:
        return reader(raw, instruments, message)
    except BadField as error:
        return [error.outcome]


def _trades(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    return each_row(data_rows(message), partial(_trade, raw, instruments))


def _trade(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    if present(row, "BT") and marked(row, "BT"):
        return Ignored("off_book")
    side = order_side(row, "S", _TAKER)
    size, price = positive(row, "v"), positive(row, "p")
    instrument = known(instruments, raw.venue, text(row, "s"))
    return trade(raw, instrument, side, size, price, stamp_us(row, "T"), id_text(row, "i"))


def _all_liquidations(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    seen: dict[object, int] = {}
    names = ("s", "S", "v", "p", "T")
    read = partial(_liquidation, raw, instruments, seen, names, "all")
    return each_row(data_rows(message), read)


def _retired_liquidations(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    """The `liquidation` topic: an object, or a list where a poller made it."""
    data = given(message, "data")
    rows = data if isinstance(data, list) else [data]
    seen: dict[object, int] = {}

    def read(row: Row) -> Outcome:
        size = "size" if "size" in row else "qty"
        time = "updatedTime" if "updatedTime" in row else "time"
        names = ("symbol", "side", size, "price", time)
        return _liquidation(raw, instruments, seen, names, "sampled", row)

    return each_row(rows, read)


def _liquidation(
    raw: Raw,
    instruments: Instruments,
    seen: dict[object, int],
    names: tuple[str, str, str, str, str],
    completeness: Completeness,
    row: Row,
) -> Outcome:
    """One forced order; `names` are the row's keys of symbol, side, size, price and time."""
    side = order_side(row, names[1], _CLOSING)
    size, price = positive(row, names[2]), positive(row, names[3])
    time_us = stamp_us(row, names[4])
    instrument = known(instruments, raw.venue, text(row, names[0]))
    return forced(raw, instrument, side, size, price, time_us, completeness, seen)


def _ticker(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    row = nested(message, "data")
    symbol = text(row, "symbol")
    instrument = known(instruments, raw.venue, symbol)
    inverse = instrument.contract == "inverse"
    interest = "singleOpenInterest" if present(row, "singleOpenInterest") else "openInterest"
    held = not_negative(row, interest) if present(row, interest) else None
    due = stamp_us(row, "nextFundingTime") if present(row, "nextFundingTime") else 0
    hours = positive(row, "fundingIntervalHour") if present(row, "fundingIntervalHour") else None
    mark = per_coin(row, "markPrice", instrument)
    last = per_coin(row, "lastPrice", instrument)
    index = index_price(row, "indexPrice", instrument)
    rate = real(row, "fundingRate") if present(row, "fundingRate") else None
    coins = None
    if held is not None and not inverse:
        coins = float(held * instrument.contract_size * instrument.coins_per_unit)
    dollars = micro_dollars(held) if held is not None and inverse else None
    if (mark, index, last, held, rate, hours) == (None,) * 6 and not due:
        return [Ignored("empty")]
    time_us = stamp_us(message, "ts")
    return [
        Ticker(
            venue=raw.venue,
            symbol=symbol,
            asset=instrument.asset,
            contract=instrument.contract,
            mark_price=mark,
            index_price=index,
            last_price=last,
            open_interest_base=coins,
            open_interest_usd=dollars,
            funding_rate=rate,
            next_funding_us=due or None,
            funding_interval_s=None if hours is None else int(hours * 3600),
            event_time_us=time_us,
            received_at_us=raw.received_at_us,
            id=stable_id(
                raw.venue, symbol, time_us, mark, index, last, coins, dollars, rate, due, hours
            ),
        )
    ]


def _book(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    if text(message, "topic").startswith(_UNUSED_BOOK):
        return [Ignored("unused_channel")]
    kind = text(message, "type")
    if kind == "delta":
        return [Ignored("book_delta")]
    if kind != "snapshot":
        raise bad("unknown_message", f"order book message of type {kind[:40]!r}")
    row = nested(message, "data")
    symbol = text(row, "s")
    instrument = known(instruments, raw.venue, symbol)
    time_us = stamp_us(message, "cts" if present(message, "cts") else "ts")
    update = integer(row, "u")
    bids = ladder(given(row, "b"), instrument, "b")
    asks = ladder(given(row, "a"), instrument, "a")
    return [_made(raw, instrument, text(message, "topic"), bids, asks, time_us, update)]


def _quick_book(raw: Raw, instruments: Instruments) -> Outcome | None:
    """The book of a flawless snapshot; None leaves it to the path by fields."""
    try:
        message = _SNAPSHOT.decode(raw.payload)
    except UNREADABLE:
        return None
    topic, row = message.topic, message.data
    if not topic.startswith("orderbook.") or topic.startswith(_UNUSED_BOOK):
        return None
    instrument = instruments.resolve(raw.venue, row.symbol)
    if instrument is None:
        return None
    time_us = micros(message.ts if message.cts is UNSET else message.cts)
    bids, asks = in_coins(row.bids, instrument), in_coins(row.asks, instrument)
    return _made(raw, instrument, topic, bids, asks, time_us, row.update)


def _made(
    raw: Raw,
    instrument: Instrument,
    topic: str,
    bids: Ladder,
    asks: Ladder,
    time_us: int,
    update: int,
) -> Book:
    identity = stable_id(raw.venue, instrument.symbol, topic, time_us, update)
    return book(raw, instrument, bids, asks, time_us, identity)


_READERS: Final[Mapping[str, Callable[[Raw, Instruments, Row], list[Outcome]]]] = {
    "publicTrade": _trades,
    "allLiquidation": _all_liquidations,
    "liquidation": _retired_liquidations,
    "tickers": _ticker,
    "orderbook": _book,
}

RULES: Final[Mapping[str, Rule]] = {"bybit": derivative, "bybit-spot": spot}
