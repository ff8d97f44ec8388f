"""Books that come as a snapshot and changes: what a message changes, and a full book told again.

Beside the parsers, which read full books only. Promises None for a message that is no book's or
cannot be read, which the parser then judges, and that a book told again is a message of its venue.
Keeps no book: the collector folds them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec

Written = str | int | float
"""A number as the venue wrote it."""
Pair = tuple[Written, Written]
"""Price and size of a level."""


class Change(msgspec.Struct, frozen=True):
    """What a message says of the book `book`; a size of zero deletes a level.

    `whole`: it holds the whole book and not changes. `number`: the message's running number, None
    where the venue has none. `after`: the number of the change before, None where any smaller one
    will do. `head`: what is told again beside the levels.
    """

    book: str
    whole: bool
    bids: Sequence[Pair]
    asks: Sequence[Pair]
    head: Mapping[str, object]
    number: int | None = None
    after: int | None = None


class Changes(msgspec.Struct, frozen=True):
    """How a venue's messages are read and told again.

    `crossing`: its books may cross, and the older of two crossing levels is the wrong one.
    """

    read: Callable[[bytes], Change | None]
    tell: Callable[[Change, Sequence[Pair], Sequence[Pair]], dict[str, object]]
    crossing: bool = False


class _BybitData(msgspec.Struct):
    s: str
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    u: int


class _Bybit(msgspec.Struct):
    topic: str
    type: str
    data: _BybitData
    ts: int
    cts: int | None = None


_decode_bybit: Final = msgspec.json.Decoder(_Bybit).decode


def _bybit(payload: bytes) -> Change | None:
    if b'"orderbook.' not in payload[:64]:
        return None
    message = _decode_bybit(payload)
    data, times = message.data, {"ts": message.ts}
    if message.cts is not None:
        times["cts"] = message.cts
    whole = message.type == "snapshot"
    return Change(message.topic, whole, data.b, data.a, {"s": data.s, **times}, data.u)


def _bybit_told(last: Change, bids: Sequence[Pair], asks: Sequence[Pair]) -> dict[str, object]:
    times = {key: value for key, value in last.head.items() if key != "s"}
    data = {"s": last.head["s"], "b": bids, "a": asks, "u": last.number}
    return {"topic": last.book, "type": "snapshot", "data": data, **times}


BYBIT: Final = Changes(_bybit, _bybit_told)


class _KrakenLevel(msgspec.Struct):
    price: int | float
    qty: int | float


class _KrakenBook(msgspec.Struct, tag_field="feed", tag="book_snapshot"):
    product_id: str
    timestamp: int
    seq: int
    bids: list[_KrakenLevel]
    asks: list[_KrakenLevel]


class _KrakenChange(msgspec.Struct, tag_field="feed", tag="book"):
    product_id: str
    timestamp: int
    seq: int
    side: Literal["buy", "sell"]
    price: int | float
    qty: int | float


_decode_kraken: Final = msgspec.json.Decoder(_KrakenBook | _KrakenChange).decode


def _kraken(payload: bytes) -> Change | None:
    if b'"book' not in payload[:64] or b'"event"' in payload[:200]:
        return None
    message = _decode_kraken(payload)
    book, head = message.product_id, {"timestamp": message.timestamp}
    if isinstance(message, _KrakenBook):
        bids, asks = ([(one.price, one.qty) for one in s] for s in (message.bids, message.asks))
        return Change(book, True, bids, asks, head, message.seq)
    level = [(message.price, message.qty)]
    bids, asks = (level, []) if message.side == "buy" else ([], level)
    return Change(book, False, bids, asks, head, message.seq, message.seq - 1)


def _kraken_told(last: Change, bids: Sequence[Pair], asks: Sequence[Pair]) -> dict[str, object]:
    head = {"feed": "book_snapshot", "product_id": last.book, **last.head, "seq": last.number}
    return {**head, "bids": _named(bids, "qty"), "asks": _named(asks, "qty")}


def _named(levels: Sequence[Pair], size: str) -> list[dict[str, Written]]:
    return [{"price": price, size: amount} for price, amount in levels]


KRAKEN: Final = Changes(_kraken, _kraken_told)


class _DydxLevel(msgspec.Struct):
    price: str
    size: str


_DydxLevels = list[_DydxLevel | Annotated[list[str], msgspec.Meta(min_length=2)]]


class _DydxPart(msgspec.Struct):
    bids: _DydxLevels = []
    asks: _DydxLevels = []


class _Dydx(msgspec.Struct):
    type: Literal["subscribed", "channel_data", "channel_batch_data"]
    channel: Literal["v4_orderbook"]
    id: str
    message_id: int
    contents: _DydxPart | list[_DydxPart]


_decode_dydx: Final = msgspec.json.Decoder(_Dydx).decode


def _dydx(payload: bytes) -> Change | None:
    if b'"v4_orderbook"' not in payload[:256]:
        return None
    message = _decode_dydx(payload)
    parts = message.contents if isinstance(message.contents, list) else [message.contents]
    bids = [_dydx_pair(level) for part in parts for level in part.bids]
    asks = [_dydx_pair(level) for part in parts for level in part.asks]
    return Change(message.id, message.type == "subscribed", bids, asks, {}, message.message_id)


def _dydx_pair(level: _DydxLevel | list[str]) -> Pair:
    return (level[0], level[1]) if isinstance(level, list) else (level.price, level.size)


def _dydx_told(last: Change, bids: Sequence[Pair], asks: Sequence[Pair]) -> dict[str, object]:
    head = {"type": "subscribed", "channel": "v4_orderbook", "id": last.book}
    contents = {"bids": _named(bids, "size"), "asks": _named(asks, "size")}
    return {**head, "message_id": last.number, "contents": contents}


DYDX: Final = Changes(_dydx, _dydx_told, crossing=True)


class _CoinbaseBook(msgspec.Struct, tag_field="type", tag="snapshot"):
    product_id: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    time: str | None = None


class _CoinbaseChange(msgspec.Struct, tag_field="type", tag="l2update"):
    product_id: str
    changes: list[tuple[Literal["buy", "sell"], str, str]]
    time: str | None = None


_decode_coinbase: Final = msgspec.json.Decoder(_CoinbaseBook | _CoinbaseChange).decode


def _coinbase(payload: bytes) -> Change | None:
    start = payload[:32]
    if b'"snapshot"' not in start and b'"l2update"' not in start:
        return None
    message = _decode_coinbase(payload)
    head = {} if message.time is None else {"time": message.time}
    if isinstance(message, _CoinbaseBook):
        return Change(message.product_id, True, message.bids, message.asks, head)
    bids, asks = (
        [(price, size) for told, price, size in message.changes if told == side]
        for side in ("buy", "sell")
    )
    return Change(message.product_id, False, bids, asks, head)


def _coinbase_told(last: Change, bids: Sequence[Pair], asks: Sequence[Pair]) -> dict[str, object]:
    head = {"type": "snapshot", "product_id": last.book, **last.head}
    return {**head, "bids": bids, "asks": asks}


COINBASE: Final = Changes(_coinbase, _coinbase_told)
"""Of the Exchange feed, whose books have no number: it promises every change instead."""
