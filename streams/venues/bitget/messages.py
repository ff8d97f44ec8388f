"""Every message of Bitget to outcomes: topics of v3, channels of v2, and polled contracts.

Dispatches on the message itself: `instType` decides between futures and spot. Promises one outcome
for each row, partial tickers, and books from full snapshots alone.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

import msgspec

from streams.core.events import Ignored, Outcome, Raw, Rejected, stable_id
from streams.core.instruments import Instruments
from streams.venues.bitget import trades
from streams.venues.bitget.forced import ASSUMED, Assumed, liquidations
from streams.venues.bitget.symbols import PRODUCTS
from streams.venues.fields import (
    BadField,
    Row,
    bad,
    given,
    positive,
    present,
    real,
    shown,
    stamp_us,
    text,
)
from streams.venues.quotes import book, read_ticker, stated_volume, ticker
from streams.venues.rows import data_rows, each_row, known, ladder
from streams.venues.tape import flawless

_UNUSED_KINDS: Final = ("candle", "kline")
_NO_LEVELS: Final[tuple[object, ...]] = ([], [["0", "0"]])
_ACTIONS: Final = ("snapshot", "update", "", None)
_HOUR_S: Final = 3600
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)


class _Topic(NamedTuple):
    """What `arg` says: the topic, whose rows they are, and which API they are of."""

    name: str
    symbol: str
    newer: bool


def parse(raw: Raw, instruments: Instruments, assumed: Assumed = ASSUMED) -> list[Outcome]:
    """Outcomes of one message of `bitget` or `bitget-spot`.

    Args:
        raw: the record; `channel` may say nothing.
        instruments: contract sizes and classes.
        assumed: what the documentation of forced orders leaves open.

    Raises:
        msgspec.DecodeError: the payload is neither `pong` nor a JSON object.
    """
    payload = raw.payload
    if raw.channel == "trade" or b'"publicTrade"' in payload[:160]:
        found = flawless(raw, instruments, trades.TRADES[raw.venue])
        if found is not None:
            return found
    if payload in (b"pong", b"ping"):
        return [Ignored("control")]
    message = _MESSAGE.decode(payload)
    if "event" in message or "op" in message:
        return [Ignored("control")]
    arg = message.get("arg")
    try:
        if isinstance(arg, dict):
            return _pushed(raw, instruments, assumed, arg, message)
        if "code" in message:
            return _contracts(raw, instruments, message)
    except BadField as error:
        return [error.outcome]
    return [Rejected("unknown_message", "neither arg, event, op nor a polled answer")]


def _pushed(
    raw: Raw, instruments: Instruments, assumed: Assumed, arg: Row, message: Row
) -> list[Outcome]:
    """The rows of a topic of v3, or of a channel of v2."""
    newer = "topic" in arg
    name = text(arg, "topic" if newer else "channel")
    reader = _READERS.get(name)
    if reader is None and name != "liquidation":
        if name.startswith(_UNUSED_KINDS):
            return [Ignored("unused_channel")]
        return [Rejected("unknown_channel", f"topic {name[:60]!r}")]
    product = text(arg, "instType").lower()
    venue = PRODUCTS.get(product)
    if venue is None:
        return [Rejected("unknown_channel", f"instType {product[:40]!r}")]
    if venue != raw.venue:
        raw = msgspec.structs.replace(raw, venue=venue)
    action = message.get("action")
    if action not in _ACTIONS:
        raise bad("unknown_message", f"rows of {name[:40]!r} with the action {shown(action)}")
    if reader is None:
        return liquidations(raw, instruments, assumed, data_rows(message))
    topic = _Topic(name, text(arg, "symbol" if newer else "instId"), newer)
    return reader(raw, instruments, topic, message)


def _trades(raw: Raw, instruments: Instruments, topic: _Topic, message: Row) -> list[Outcome]:
    history = text(message, "action") == "snapshot"
    names = trades.V3 if topic.newer else trades.V2
    read = partial(trades.single, raw, instruments, topic.symbol, names, history)
    return each_row(data_rows(message), read)


def _tickers(raw: Raw, instruments: Instruments, topic: _Topic, message: Row) -> list[Outcome]:
    last, held = ("lastPrice", "openInterest") if topic.newer else ("lastPr", "holdingAmount")
    traded = "turnover24h" if topic.newer else "quoteVolume"

    def read(row: Row) -> Outcome:
        instrument = known(instruments, raw.venue, topic.symbol)
        due = stamp_us(row, "nextFundingTime") if present(row, "nextFundingTime") else 0
        # A dated contract states a rate too, due at 0 or at no time.
        funded = due or "nextFundingTime" not in row
        rate = real(row, "fundingRate") if funded and present(row, "fundingRate") else None
        # Nothing documents what the volume of a coin-margined contract is counted in.
        volume = None if instrument.contract == "inverse" else stated_volume(row, traded)
        return read_ticker(
            raw,
            instrument,
            "ticker",
            _stamp(row, message),
            row,
            mark="markPrice",
            index="indexPrice",
            last=last,
            held=held,
            funding=(rate, due or None),
            volume=volume,
        )

    return each_row(data_rows(message), read)


def _stamp(row: Row, message: Row) -> int:
    """The row's time, else the message's: tickers of v3 have only that one."""
    return stamp_us(row if present(row, "ts") else message, "ts")


def _books(raw: Raw, instruments: Instruments, topic: _Topic, message: Row) -> list[Outcome]:
    if text(message, "action") == "update":
        return [Ignored("book_delta")]
    bid_key, ask_key = ("b", "a") if topic.newer else ("bids", "asks")

    def read(row: Row) -> Outcome:
        instrument = known(instruments, raw.venue, topic.symbol)
        bids, asks = given(row, bid_key), given(row, ask_key)
        if bids in _NO_LEVELS or asks in _NO_LEVELS:
            return Ignored("empty")
        at_us, number = _stamp(row, message), str(row.get("seq"))[:20]
        return book(
            raw,
            instrument,
            ladder(bids, instrument, bid_key),
            ladder(asks, instrument, ask_key),
            at_us,
            stable_id(raw.venue, topic.symbol, topic.name, at_us, number),
        )

    return each_row(data_rows(message), read)


def _contracts(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    """A polled list of contracts: how often each pays funding."""

    def read(row: Row) -> Outcome:
        if "fundInterval" not in row:
            raise bad("unknown_message", "a polled row without 'fundInterval'")
        if not present(row, "fundInterval"):
            return Ignored("empty")
        hours = positive(row, "fundInterval")
        if hours > 24:
            raise bad("wrong_type", f"field 'fundInterval' is {hours}, expected hours of a day")
        instrument = known(instruments, raw.venue, text(row, "symbol"))
        cycle = int(hours * _HOUR_S)
        return ticker(raw, instrument, "interval", raw.received_at_us, interval_s=cycle)

    return each_row(data_rows(message), read)


_READERS: Final[Mapping[str, Callable[[Raw, Instruments, _Topic, Row], list[Outcome]]]] = {
    "publicTrade": _trades,
    "trade": _trades,
    "ticker": _tickers,
    **dict.fromkeys(("books", "books1", "books5", "books15", "books50"), _books),
}
