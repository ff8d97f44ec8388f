"""Messages of Bybit: which topic a message is of, v5 tickers and books.

Promises one outcome per row in the message's order; every topic that the venue has or had ends as
events, as ignored or as rejected with its reason. The venue's facts stand in the package.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from streams.core.events import (
    Book,
    Ignored,
    Outcome,
    Raw,
    Rejected,
    Ticker,
    stable_id,
)
from streams.core.instruments import Instrument, Instruments
from streams.core.lanes import UNREADABLE
from streams.venues.both_sides import BYBIT
from streams.venues.bybit import retired
from streams.venues.bybit.forced import all_liquidations, retired_liquidations
from streams.venues.bybit.trades import TRADES, public_trades
from streams.venues.fields import (
    BadField,
    Row,
    bad,
    given,
    integer,
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
from streams.venues.quotes import book, stated_volume
from streams.venues.rows import (
    Ladder,
    in_coins,
    index_price,
    known,
    ladder,
    micro_dollars,
    per_coin,
)
from streams.venues.tape import flawless
from streams.venues.typed import Count, Levels, Name

_CONTROL: Final = ("op", "success", "event", "ping", "pong")
_UNUSED: Final = frozenset(
    {
        *("kline", "insurance", "adlAlert", "priceLimit", "system", "kline_lt", "tickers_lt", "lt"),
        *("klineV2", "candle"),
    }
)
_UNUSED_BOOK: Final = "orderbook.rpi."
_UNREAD: Final = frozenset({"realtimes", "mergedDepth", "diffDepth", "bookticker"})
"""Topics of retired spot APIs whose messages nobody here has seen."""


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


_SNAPSHOT: Final = msgspec.json.Decoder(_Snapshot, strict=False)
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)


def parse(
    raw: Raw, instruments: Instruments, *, interest_sides: int = BYBIT.interest
) -> list[Outcome]:
    """Outcomes of one websocket message of Bybit.

    Args:
        raw: the record.
        instruments: contract sizes and classes.
        interest_sides: how many sides of a position `openInterest` counts.

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
    state, reader = _STATES.get(kind), _READERS.get(kind)
    if state is not None:
        reader = partial(state, interest_sides)
    if reader is None:
        if kind in _UNUSED:
            return [Ignored("unused_channel")]
        if kind in _UNREAD:
            return [Rejected("retired_format", f"topic {kind!r} of a spot API before v5")]
        return [Rejected("unknown_channel", f"topic {topic[:60]!r}")]
    try:
        return reader(raw, instruments, message)
    except BadField as error:
        return [error.outcome]


def _ticker(interest_sides: int, raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    row = nested(message, "data")
    symbol = text(row, "symbol")
    instrument = known(instruments, raw.venue, symbol)
    inverse = instrument.contract == "inverse"
    held = None
    if present(row, "singleOpenInterest"):
        held = not_negative(row, "singleOpenInterest")
    elif present(row, "openInterest"):
        held = not_negative(row, "openInterest") / interest_sides
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
    volume = stated_volume(row, "volume24h" if inverse else "turnover24h")
    if (mark, index, last, held, rate, hours, volume) == (None,) * 7 and not due:
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
                *(raw.venue, symbol, time_us, mark, index, last),
                *(coins, dollars, rate, due, hours, volume),
            ),
            volume_24h_usd=volume,
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


_STATES: Final[Mapping[str, Callable[[int, Raw, Instruments, Row], list[Outcome]]]] = {
    "tickers": _ticker,
    "instrument_info": retired.infos,
}
"""Readers of topics with open interest, which are told how many sides it counts."""

_READERS: Final[Mapping[str, Callable[[Raw, Instruments, Row], list[Outcome]]]] = {
    "publicTrade": public_trades,
    "allLiquidation": all_liquidations,
    "liquidation": retired_liquidations,
    "orderbook": _book,
    **retired.READERS,
}
