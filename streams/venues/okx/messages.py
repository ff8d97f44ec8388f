"""Messages of OKX v5: trades, forced orders, tickers and books; tables of v3 go to `tables`.

Promises one outcome per row and per liquidation detail. The venue's facts stand in the package.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final, Literal

import msgspec

from streams.core.events import (
    MICROS,
    Ignored,
    Outcome,
    Raw,
    Rejected,
    Ticker,
    stable_id,
)
from streams.core.instruments import Instrument, Instruments
from streams.core.lanes import TradeFormat
from streams.venues.fields import (
    BadField,
    Row,
    array,
    bad,
    id_text,
    not_negative,
    positive,
    present,
    real,
    shown,
    stamp_us,
    text,
)
from streams.venues.okx import tables
from streams.venues.quotes import book, stated_volume, valued_volume
from streams.venues.rows import (
    PLAIN_SIDES,
    closing_side,
    data_rows,
    each_row,
    known,
    ladder,
    micro_dollars,
    per_coin,
    taker_side,
)
from streams.venues.tape import flawless, forced, replayed, trade
from streams.venues.typed import Amount, Name

_NOT_USED_TYPES: Final = ("MARGIN", "OPTION")
_UNUSED: Final = frozenset(
    {
        *("price-limit", "estimated-price", "opt-summary", "instruments", "status", "adl-warning"),
        *("economic-calendar", "option-trades", "block-tickers", "public-block-trades"),
        *("public-struc-block-trades", "call-auction-details", "books-rpi", "books-elp"),
    }
)
_UNUSED_KINDS: Final = ("candle", "index-candle", "mark-price-candle", "sprd-")


class _Arg(msgspec.Struct, frozen=True, gc=False):
    channel: Literal["trades", "trades-all"]
    instId: Any = None


class _Trade(msgspec.Struct, gc=False, kw_only=True):
    """Fields in the venue's order; naming one that is not used is faster than passing it over."""

    symbol: str = msgspec.field(name="instId")
    id: Name = msgspec.field(name="tradeId")
    price: Amount = msgspec.field(name="px")
    size: Amount = msgspec.field(name="sz")
    side: Literal["buy", "sell"]
    time: int = msgspec.field(name="ts")
    count: Any = None
    source: Any = None
    seqId: Any = None
    # OKX has no such mark; the name is none of its fields.
    block: bool = msgspec.field(name="", default=False)


class _Trades(msgspec.Struct, frozen=True, gc=False):
    arg: _Arg
    data: list[_Trade]


_TRADES: Final = msgspec.json.Decoder(_Trades, strict=False)
TRADES: Final = TradeFormat((_TRADES.decode,), many=True, buy="buy", sell="sell")
"""`trades` and `trades-all` in lots."""
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)


def parse(raw: Raw, instruments: Instruments) -> list[Outcome]:
    """Outcomes of one websocket message of OKX.

    Raises:
        msgspec.DecodeError: the payload is neither `pong` nor a JSON object.
    """
    payload = raw.payload
    if raw.channel == "trade" or b'"trades' in payload[:64]:
        found = flawless(raw, instruments, TRADES)
        if found is not None:
            return found
    if payload in (b"pong", b"ping"):
        return [Ignored("control")]
    message = _MESSAGE.decode(payload)
    if "event" in message or "op" in message:
        return [Ignored("control")]
    if "table" in message:
        return tables.parse(raw, instruments, message)
    arg = message.get("arg")
    if arg is None and "code" in message:
        return _answered(raw, instruments, message)
    if not isinstance(arg, dict):
        return [Rejected("unknown_message", "neither arg, event nor op")]
    channel = arg.get("channel")
    if not isinstance(channel, str):
        return [Rejected("unknown_message", "arg names no channel")]
    reader = _READERS.get(channel)
    if reader is None:
        if channel in _UNUSED or channel.startswith(_UNUSED_KINDS):
            return [Ignored("unused_channel")]
        return [Rejected("unknown_channel", f"channel {channel[:60]!r}")]
    try:
        return reader(raw, instruments, arg, message)
    except BadField as error:
        return [error.outcome]


def _trades(raw: Raw, instruments: Instruments, _arg: Row, message: Row) -> list[Outcome]:
    return each_row(data_rows(message), partial(_trade, raw, instruments))


def _trade(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    side = taker_side(row, "side", PLAIN_SIDES)
    size, price = positive(row, "sz"), positive(row, "px")
    instrument = known(instruments, raw.venue, text(row, "instId"))
    return trade(raw, instrument, side, size, price, stamp_us(row, "ts"), id_text(row, "tradeId"))


def _liquidations(raw: Raw, instruments: Instruments, arg: Row, message: Row) -> list[Outcome]:
    """Every detail of every instrument of the message, in its order."""
    seen: dict[object, int] = {}
    outcomes: list[Outcome] = []
    for filed in data_rows(message):
        if not isinstance(filed, dict):
            outcomes.append(Rejected("wrong_type", f"a row is {shown(filed)}, expected an object"))
            continue
        if filed.get("instType", arg.get("instType")) in _NOT_USED_TYPES:
            outcomes.append(Ignored("unused_channel"))
            continue
        try:
            symbol = text(filed, "instId")
            details = array(filed, "details")
        except BadField as error:
            outcomes.append(error.outcome)
            continue
        outcomes += each_row(details, partial(_liquidation, raw, instruments, seen, symbol))
    return outcomes or [Ignored("empty")]


def _polled(raw: Raw, instruments: Instruments, arg: Row, message: Row) -> list[Outcome]:
    """Archives file polled REST answers as a channel `liquidations` of one instrument."""
    seen: dict[object, int] = {}
    read = partial(_liquidation, raw, instruments, seen, text(arg, "instId"))
    return each_row(data_rows(message), read)


def _answered(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    """The answer to a poll, of which only forced orders are read."""
    if message["code"] != "0":
        return [Ignored("control")]
    try:
        return _liquidations(raw, instruments, {}, message)
    except BadField as error:
        return [error.outcome]


def _liquidation(
    raw: Raw, instruments: Instruments, seen: dict[object, int], symbol: str, row: Row
) -> Outcome:
    side = closing_side(row, "side", "posSide")
    size, price = positive(row, "sz"), positive(row, "bkPx")
    time_us = stamp_us(row, "time" if "time" in row and "ts" not in row else "ts")
    if replayed(raw, time_us):
        return Ignored("replayed")
    instrument = known(instruments, raw.venue, symbol)
    return forced(raw, instrument, side, size, price, time_us, "sampled", seen)


def _tickers(
    needed: str, raw: Raw, instruments: Instruments, _arg: Row, message: Row
) -> list[Outcome]:
    """Any ticker-like channel: their fields do not overlap. `needed` must be there, maybe empty."""

    def read(row: Row) -> Outcome:
        if needed not in row:
            raise bad("missing_field", f"field {needed!r} is absent")
        return _ticker(raw, known(instruments, raw.venue, text(row, "instId")), row)

    return each_row(data_rows(message), read)


def _ticker(raw: Raw, instrument: Instrument, row: Row) -> Outcome:
    mark = per_coin(row, "markPx", instrument)
    index = per_coin(row, "idxPx", instrument)
    last = per_coin(row, "last", instrument)
    coins, dollars = _open_interest(row, instrument)
    rate = real(row, "fundingRate") if present(row, "fundingRate") else None
    due = stamp_us(row, "fundingTime") if present(row, "fundingTime") else 0
    after = stamp_us(row, "nextFundingTime") if present(row, "nextFundingTime") else 0
    volume = _volume(row, instrument)
    if (mark, index, last, coins, dollars, rate, volume) == (None,) * 7 and not due:
        return Ignored("empty")
    stamp = stamp_us(row, "ts") if present(row, "ts") else None
    return Ticker(
        venue=raw.venue,
        symbol=instrument.symbol,
        asset=instrument.asset,
        contract=instrument.contract,
        mark_price=mark,
        index_price=index,
        last_price=last,
        open_interest_base=coins,
        open_interest_usd=dollars,
        funding_rate=rate,
        next_funding_us=due or None,
        funding_interval_s=(after - due) // MICROS if 0 < due < after else None,
        event_time_us=raw.received_at_us if stamp is None else stamp,
        received_at_us=raw.received_at_us,
        id=stable_id(
            raw.venue,
            instrument.symbol,
            stamp,
            *(mark, index, last, coins, dollars, rate, due, after, volume),
        ),
        volume_24h_usd=volume,
    )


def _volume(row: Row, instrument: Instrument) -> int | None:
    """Dollars of spot as they are stated, of contracts by their face or at the row's last price."""
    if instrument.contract == "spot":
        return stated_volume(row, "volCcy24h")
    if instrument.in_dollars:
        return valued_volume(row, "vol24h", instrument, "last")
    if not present(row, "volCcy24h") or not present(row, "last"):
        return None
    return micro_dollars(not_negative(row, "volCcy24h") * positive(row, "last"))


def _open_interest(row: Row, instrument: Instrument) -> tuple[float | None, int | None]:
    """Coins and micro-dollars; what the venue does not say follows from contracts, if exact."""
    contracts = not_negative(row, "oi") if present(row, "oi") else None
    faces = None if contracts is None else contracts * instrument.contract_size
    inverse = instrument.contract == "inverse"
    coins: Decimal | None = None if inverse else faces
    if present(row, "oiCcy"):
        coins = not_negative(row, "oiCcy")
    usd = faces if inverse else None
    if present(row, "oiUsd"):
        usd = not_negative(row, "oiUsd")
    return None if coins is None else float(coins), None if usd is None else micro_dollars(usd)


def _books(raw: Raw, instruments: Instruments, arg: Row, message: Row) -> list[Outcome]:
    action = message.get("action", "snapshot")
    if action == "update":
        return [Ignored("book_delta")]
    if action != "snapshot":
        raise bad("unknown_message", f"a book with the action {shown(action)}")

    def read(row: Row) -> Outcome:
        symbol = text(row if "instId" in row else arg, "instId")
        instrument = known(instruments, raw.venue, symbol)
        time_us = stamp_us(row, "ts")
        bids = ladder(row.get("bids"), instrument, "bids")
        asks = ladder(row.get("asks"), instrument, "asks")
        update = str(row.get("seqId"))[:20]
        identity = stable_id(raw.venue, symbol, arg["channel"], time_us, update)
        return book(raw, instrument, bids, asks, time_us, identity)

    return each_row(data_rows(message), read)


_READERS: Final[Mapping[str, Callable[[Raw, Instruments, Row, Row], list[Outcome]]]] = {
    "trades": _trades,
    "trades-all": _trades,
    "liquidation-orders": _liquidations,
    "liquidations": _polled,
    "tickers": partial(_tickers, "last"),
    "mark-price": partial(_tickers, "markPx"),
    "index-tickers": partial(_tickers, "idxPx"),
    "open-interest": partial(_tickers, "oi"),
    "funding-rate": partial(_tickers, "fundingTime"),
    **dict.fromkeys(("books", "books5", "bbo-tbt", "books-l2-tbt", "books50-l2-tbt"), _books),
}
