"""dYdX v4 indexer streams to canonical events, venue `dydx` (perpetuals against USD).

A venue parser: promises outcomes in the message's order, one a row, and two for the trade that
liquidated its taker: the trade and the forced order. Does not fold or uncross book changes (the
collector does), and does not watch `message_id` for gaps (the collector does).

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | wss://indexer.dydx.trade/v4/ws                                                 |
| subscribe    | {"type":"subscribe","channel":"v4_trades","id":"BTC-USD","batched":false};     |
|              | v4_markets without id; 2 a second, 32 of a channel a connection                |
| keep-alive   | answer the protocol's pings, one each 30 s, within 10 s                        |
| forced side  | of a trade of type LIQUIDATED, `side` is the liquidated taker's ORDER side:    |
|              | SELL = a long was closed                                                       |
| forced price | the fill; of type DELEVERAGED the bankruptcy price                             |
| trade side   | `side` is the taker's side                                                     |
| units        | base coin                                                                      |
| completeness | all fills                                                                      |
| open interest| v4_markets `openInterest`, coins                                               |
| funding      | v4_markets `nextFundingRate`, hourly                                           |
| volume, 24 h | v4_markets `volume24H` dollars                                                 |
| times        | ISO 8601: trade `createdAt`, oracle `effectiveAt`; else the time of receipt    |

Quirks: DELEVERAGED is a match off the book at the bankruptcy price: an event of kind `adl` and no
trade. A `subscribed` frame tells history in the shape of news: its trades are `replayed`, for they
were made before anybody watched.
`channel_batch_data` has a list of contents. The oracle's price stands for mark and index, since
the venue has no other. There is no one true book, so one may come crossed: the collector leaves out
the older of two levels that cross; a crossed book of a recording is rejected. Markets of several
parts (`COIN,dex,contract-USD`) have no plain coin and are unknown instruments.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from streams.core.events import (
    Ignored,
    LiquidationKind,
    OrderSide,
    Outcome,
    PriceKind,
    Raw,
    Rejected,
    stable_id,
)
from streams.core.instruments import Instrument, Instruments, Rule
from streams.venues.fields import (
    BadField,
    Row,
    array,
    bad,
    given,
    id_text,
    iso_us,
    nested,
    not_negative,
    positive,
    present,
    real,
    shown,
    text,
)
from streams.venues.multiples import listed
from streams.venues.quotes import book, interest, stated_volume, ticker
from streams.venues.rows import (
    all_of_each,
    each_row,
    index_price,
    keyed_ladder,
    known,
    no_side,
    taker_side,
)
from streams.venues.tape import forced_with_id, trade

VENUES: Final = frozenset({"dydx"})

_SIDES: Final[dict[str, OrderSide]] = {"BUY": "buy", "SELL": "sell"}
_FORCED: Final[Mapping[str, tuple[LiquidationKind, PriceKind]]] = {
    "LIQUIDATED": ("liquidation", "fill"),
    "DELEVERAGED": ("adl", "bankruptcy"),
}
_OFF_BOOK: Final = "DELEVERAGED"
_ORDINARY: Final = frozenset(
    {
        *("LIMIT", "MARKET", "STOP_LIMIT", "STOP_MARKET", "TRAILING_STOP"),
        *("TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TWAP", "TWAP_SUBORDER"),
    }
)
_PLACES: Final = ("markets", "trading", "oraclePrices")
_CONTROL: Final = frozenset({"connected", "unsubscribed", "error", "ping", "pong"})
_NEWS: Final = frozenset({"subscribed", "channel_data", "channel_batch_data"})
_UNUSED: Final = frozenset(
    {"v4_candles", "v4_subaccounts", "v4_parent_subaccounts", "v4_block_height"}
)
_HOUR_S: Final = 3600
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)


def parse(raw: Raw, instruments: Instruments) -> list[Outcome]:
    """Outcomes of one websocket message of dYdX, or of a polled `perpetualMarkets`.

    Raises:
        msgspec.DecodeError: the payload is no JSON object.
    """
    message = _MESSAGE.decode(raw.payload)
    kind = message.get("type")
    try:
        if kind is None and "markets" in message:
            return _markets(raw, instruments, message, message)
        if not isinstance(kind, str):
            return [Rejected("unknown_message", "neither a type nor markets")]
        if kind in _CONTROL:
            return [Ignored("control")]
        if kind not in _NEWS:
            return [Rejected("unknown_message", f"message of type {kind[:40]!r}")]
        channel = text(message, "channel")
        if channel in _UNUSED:
            return [Ignored("unused_channel")]
        if channel == "v4_orderbook":
            return [_book(raw, instruments, kind, message)]
        read = _CHANNELS.get(channel)
        if read is None:
            return [Rejected("unknown_channel", f"channel {channel[:60]!r}")]
        contents = given(message, "contents")
    except BadField as error:
        return [error.outcome]
    parts = contents if isinstance(contents, list) else [contents]
    return all_of_each(parts, partial(read, raw, instruments, message))


def _trades(raw: Raw, instruments: Instruments, message: Row, part: Row) -> list[Outcome]:
    instrument = known(instruments, raw.venue, text(message, "id"))
    history = message["type"] == "subscribed"
    return all_of_each(array(part, "trades"), partial(_trade, raw, instrument, history))


def _trade(raw: Raw, instrument: Instrument, history: bool, row: Row) -> Sequence[Outcome]:
    if history:
        return [Ignored("replayed")]
    kind = text(row, "type")
    forced = _FORCED.get(kind)
    if forced is None and kind not in _ORDINARY:
        raise bad("unknown_message", f"a trade of type {kind[:40]!r}")
    taker = taker_side(row, "side", _SIDES)
    size, price = positive(row, "size"), positive(row, "price")
    time_us, identity = iso_us(row, "createdAt"), id_text(row, "id")
    outcomes: list[Outcome] = []
    if kind != _OFF_BOOK:
        outcomes.append(trade(raw, instrument, taker, size, price, time_us, identity))
    if forced is not None:
        if taker == "unknown":
            return [*outcomes, no_side(row, "side")]
        facts = (raw, instrument, taker, size, price, time_us)
        outcomes.append(forced_with_id(*facts, "all", identity, *forced))
    return outcomes


def _markets(raw: Raw, instruments: Instruments, _message: Row, part: Row) -> list[Outcome]:
    """Rows by market under any of the places where a message may have them."""
    outcomes: list[Outcome] = []
    for place in _PLACES:
        rows = part.get(place)
        if isinstance(rows, dict):
            for symbol, row in rows.items():
                outcomes += each_row([row], partial(_market, raw, instruments, symbol))
        elif rows is not None:
            detail = f"field {place!r} is {shown(rows)}, expected an object"
            outcomes.append(Rejected("wrong_type", detail))
    return outcomes or [Ignored("empty")]


def _market(raw: Raw, instruments: Instruments, symbol: str, row: Row) -> Outcome:
    instrument = known(instruments, raw.venue, symbol)
    oracle = index_price(row, "oraclePrice", instrument)
    held = not_negative(row, "openInterest") if present(row, "openInterest") else None
    rate = real(row, "nextFundingRate") if present(row, "nextFundingRate") else None
    volume = stated_volume(row, "volume24H")
    if (oracle, held, rate, volume) == (None,) * 4:
        return Ignored("empty")
    at_us = iso_us(row, "effectiveAt") if present(row, "effectiveAt") else raw.received_at_us
    return ticker(
        raw,
        instrument,
        "markets",
        at_us,
        mark=oracle,
        index=oracle,
        interest=(None, None) if held is None else interest(instrument, held),
        funding=(rate, None),
        interval_s=None if rate is None else _HOUR_S,
        volume=volume,
    )


def _book(raw: Raw, instruments: Instruments, kind: str, message: Row) -> Outcome:
    """The book that a subscription begins with; it has no stamp but the receipt."""
    if kind != "subscribed":
        return Ignored("book_delta")
    instrument = known(instruments, raw.venue, text(message, "id"))
    contents = nested(message, "contents")
    bids = keyed_ladder(contents.get("bids"), instrument, "bids", "price", "size")
    asks = keyed_ladder(contents.get("asks"), instrument, "asks", "price", "size")
    at_us, number = raw.received_at_us, str(message.get("message_id"))[:20]
    identity = stable_id(raw.venue, instrument.symbol, at_us, number)
    return book(raw, instrument, bids, asks, at_us, identity)


_Reader = Callable[[Raw, Instruments, Row, Row], list[Outcome]]
_CHANNELS: Final[Mapping[str, _Reader]] = {"v4_trades": _trades, "v4_markets": _markets}

_PERPETUAL: Final = re.compile(r"([A-Z0-9]{1,24})-USD", re.ASCII)


def perpetual(symbol: str) -> Instrument | None:
    """The perpetual contract that a ticker names; None where it names more than a coin.

    >>> perpetual("BTC-USD").asset, perpetual("COIN,dex,0X12-USD")
    ('BTC', None)
    """
    match = _PERPETUAL.fullmatch(symbol)
    if match is None:
        return None
    asset, units = listed(match[1])
    return Instrument("dydx", symbol, asset, "USD", "linear", "base", coins_per_unit=units)


RULES: Final[Mapping[str, Rule]] = {"dydx": perpetual}
