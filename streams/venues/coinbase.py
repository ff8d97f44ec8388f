"""Coinbase spot to canonical events, venue `coinbase` (Exchange and Advanced Trade feeds).

A venue parser: promises one outcome per row in the message's order. Both feeds tell the same
trades under the same ids, so both may be recorded. Does not fold book changes (the collector
does). Futures and perpetuals of Advanced Trade have no rule and are unknown instruments.

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | Exchange wss://ws-feed.exchange.coinbase.com;                                  |
|              | Advanced wss://advanced-trade-ws.coinbase.com                                  |
| subscribe    | Exchange {"type":"subscribe","product_ids":["BTC-USD"],                        |
|              | "channels":["matches","ticker","heartbeat"]}, books by level2_batch (level2    |
|              | wants a login); Advanced one channel a message:                                |
|              | {"type":"subscribe","product_ids":["BTC-USD"],"channel":"market_trades"}       |
| keep-alive   | subscribe within 5 s, and to heartbeat (Advanced: heartbeats) for quiet hours  |
| forced side  | none: spot                                                                     |
| forced price | none                                                                           |
| trade side   | Exchange `side` is the MAKER's: sell = the taker bought. Advanced `side`: the  |
|              | maker's too by the newer sources, the taker's by older ones; see Quirks        |
| units        | base coin                                                                      |
| completeness | no feed of forced orders                                                       |
| open interest| none                                                                           |
| volume, 24 h | `volume_24h` coins (Advanced `volume_24_h`) at `price`                         |
| times        | ISO 8601 with 6 to 9 digits: trade `time`, else the message's; an Exchange     |
|              | book without one takes the receipt                                             |

Quirks: the side of Advanced is not verified: `advanced_side` of `parse` says whose it is, and
`coinbase_sides` settles it by the trades that both feeds told. `last_match` and the `snapshot` of
market_trades repeat trades, which are `replayed`: they were made before anybody watched. Advanced
collects for 250 ms, and its levels are an unsorted list of both sides. A full book is cut to its
best 1000 levels. `rfq_match` is made off the book. A product against USDC may be an alias of the
one against USD: record one of them.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final, Literal

import msgspec

from streams.core.events import (
    MAX_BOOK_LEVELS,
    Ignored,
    OrderSide,
    Outcome,
    Raw,
    Rejected,
    RejectReason,
    TakerSide,
    stable_id,
)
from streams.core.instruments import Instrument, Instruments, Rule
from streams.venues.fields import (
    BadField,
    Row,
    array,
    bad,
    integer,
    iso_us,
    not_negative,
    positive,
    present,
    shown,
    text,
)
from streams.venues.quotes import book, ticker, valued_volume
from streams.venues.rows import (
    Ladder,
    all_of_each,
    each_row,
    known,
    ladder,
    price,
    taker_side,
)
from streams.venues.tape import trade

VENUES: Final = frozenset({"coinbase"})

Party = Literal["maker", "taker"]
"""Whose side a trade's `side` is."""

ADVANCED_SIDE: Final[Party] = "maker"
"""What is assumed of the Advanced feed."""

_SIDES: Final[dict[str, OrderSide]] = {"buy": "buy", "sell": "sell", "BUY": "buy", "SELL": "sell"}
_OTHER: Final[dict[TakerSide, TakerSide]] = {"buy": "sell", "sell": "buy", "unknown": "unknown"}
_CONTROL: Final = frozenset({"subscriptions", "heartbeat", "heartbeats", "error"})
_UNUSED: Final = frozenset(
    {
        *("status", "received", "open", "done", "change", "activate", "auction", "noop"),
        *("candles", "user", "futures_balance_summary"),
    }
)
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)


def parse(
    raw: Raw, instruments: Instruments, *, advanced_side: Party = ADVANCED_SIDE
) -> list[Outcome]:
    """Outcomes of one websocket message of Coinbase.

    Args:
        raw: the record.
        instruments: what a product is.
        advanced_side: whose side the Advanced feed tells; the Exchange feed tells the maker's.

    Raises:
        msgspec.DecodeError: the payload is no JSON object.
    """
    message = _MESSAGE.decode(raw.payload)
    try:
        if "channel" in message and "type" not in message:
            return _advanced(raw, instruments, message, advanced_side)
        if "type" in message:
            return [_exchange(raw, instruments, message)]
    except BadField as error:
        return [error.outcome]
    return [Rejected("unknown_message", "neither a type nor a channel")]


def _exchange(raw: Raw, instruments: Instruments, message: Row) -> Outcome:
    kind = text(message, "type")
    if kind in ("match", "last_match"):
        return _trade(raw, instruments, "maker", kind == "last_match", message)
    if kind == "ticker":
        return _ticker(raw, instruments, message, message)
    if kind == "snapshot":
        return _snapshot(raw, instruments, message)
    if kind == "l2update":
        return Ignored("book_delta")
    if kind == "rfq_match":
        return Ignored("off_book")
    return _nothing(kind, "unknown_message")


def _nothing(kind: str, reason: RejectReason) -> Outcome:
    """Why a type of message, or a channel, has no event; `reason` where it is not known."""
    if kind in _CONTROL:
        return Ignored("control")
    if kind in _UNUSED:
        return Ignored("unused_channel")
    return Rejected(reason, f"{shown(kind)} is not known")


def _advanced(raw: Raw, instruments: Instruments, message: Row, party: Party) -> list[Outcome]:
    """A message of Advanced Trade: rows stand in events, of one or several products."""
    channel = text(message, "channel")
    if channel == "market_trades":
        read = partial(_trades, raw, instruments, party)
    elif channel in ("ticker", "ticker_batch"):
        read = partial(_tickers, raw, instruments, message)
    elif channel == "l2_data":
        read = partial(_levels, raw, instruments, message)
    else:
        return [_nothing(channel, "unknown_channel")]
    return all_of_each(array(message, "events"), read)


def _trades(raw: Raw, instruments: Instruments, party: Party, event: Row) -> list[Outcome]:
    kind = text(event, "type")
    if kind not in ("snapshot", "update"):
        raise bad("unknown_message", f"an event of type {kind[:40]!r}")
    history = kind == "snapshot"
    return each_row(array(event, "trades"), partial(_trade, raw, instruments, party, history))


def _trade(raw: Raw, instruments: Instruments, party: Party, history: bool, row: Row) -> Outcome:
    if history:
        return Ignored("replayed")
    told = taker_side(row, "side", _SIDES)
    size, paid = positive(row, "size"), positive(row, "price")
    time_us, identity = iso_us(row, "time"), str(integer(row, "trade_id"))
    instrument = known(instruments, raw.venue, text(row, "product_id"))
    taker = told if party == "taker" else _OTHER[told]
    return trade(raw, instrument, taker, size, paid, time_us, identity)


def _tickers(raw: Raw, instruments: Instruments, message: Row, event: Row) -> list[Outcome]:
    return each_row(array(event, "tickers"), partial(_ticker, raw, instruments, message))


def _ticker(raw: Raw, instruments: Instruments, message: Row, row: Row) -> Outcome:
    """The last price and the volume; `message` has the stamp (in Exchange it is the row)."""
    instrument = known(instruments, raw.venue, text(row, "product_id"))
    last = price(row, "price", instrument)
    at_us = iso_us(message, "time" if "time" in message else "timestamp")
    coins = "volume_24h" if "volume_24h" in row else "volume_24_h"
    volume = valued_volume(row, coins, instrument, "price")
    return ticker(raw, instrument, "last", at_us, last=last, volume=volume)


def _snapshot(raw: Raw, instruments: Instruments, message: Row) -> Outcome:
    instrument = known(instruments, raw.venue, text(message, "product_id"))
    bids, asks = (array(message, key)[:MAX_BOOK_LEVELS] for key in ("bids", "asks"))
    at_us = iso_us(message, "time") if present(message, "time") else raw.received_at_us
    both = ladder(bids, instrument, "bids"), ladder(asks, instrument, "asks")
    identity = stable_id(raw.venue, instrument.symbol, "level2", at_us)
    return book(raw, instrument, *both, at_us, identity)


def _levels(raw: Raw, instruments: Instruments, message: Row, event: Row) -> list[Outcome]:
    kind = text(event, "type")
    if kind == "update":
        return [Ignored("book_delta")]
    if kind != "snapshot":
        raise bad("unknown_message", f"an event of type {kind[:40]!r}")
    instrument = known(instruments, raw.venue, text(event, "product_id"))
    at_us = iso_us(message, "timestamp")
    bids, asks = _sides(array(event, "updates"), instrument)
    number = str(message.get("sequence_num"))[:20]
    identity = stable_id(raw.venue, instrument.symbol, "l2_data", at_us, number)
    return [book(raw, instrument, bids, asks, at_us, identity)]


def _sides(updates: list[object], instrument: Instrument) -> tuple[Ladder, Ladder]:
    """Bids and asks of a snapshot's levels, best first."""
    found: dict[str, list[object]] = {"bid": [], "offer": []}
    for level in updates:
        if not isinstance(level, dict):
            raise bad("wrong_type", f"a level is {shown(level)}, expected an object")
        place = "offer" if text(level, "side") == "ask" else text(level, "side")
        if place not in found:
            raise bad("unknown_side", f"a level's side is {shown(place)}")
        if not_negative(level, "new_quantity"):
            found[place].append([level.get("price_level"), level["new_quantity"]])
    bids = sorted(ladder(found["bid"], instrument, "bids"), reverse=True)
    asks = sorted(ladder(found["offer"], instrument, "asks"))
    return tuple(bids[:MAX_BOOK_LEVELS]), tuple(asks[:MAX_BOOK_LEVELS])


_PAIR: Final = re.compile(r"([A-Z0-9]{1,24})-(USD|USDC|USDT|DAI|PYUSD)", re.ASCII)


def pair(symbol: str) -> Instrument | None:
    """The pair that a product names; None where the quote is no dollar.

    >>> pair("BTC-USD").contract, pair("ETH-BTC"), pair("BTC-PERP-INTX")
    ('spot', None, None)
    """
    match = _PAIR.fullmatch(symbol)
    if match is None:
        return None
    return Instrument("coinbase", symbol, match[1], match[2], "spot", "base")


RULES: Final[Mapping[str, Rule]] = {"coinbase": pair}
