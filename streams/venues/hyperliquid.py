"""Hyperliquid public feeds and recorded fills to canonical events, venue `hyperliquid`.

A venue parser: promises trades, contexts and books of what the public socket sends or a poll
answers, and forced orders in exact dollars where somebody recorded fills. No public feed tells
whom a trade liquidated, so trades alone give no forced order.

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | wss://api.hyperliquid.xyz/ws; an address holds 1000 topics and 10 connections, |
|              | or 100 by older sources                                                        |
| subscribe    | {"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}           |
| keep-alive   | {"method":"ping"} before 60 s of silence; the answer is channel `pong`         |
| fills from   | channel `userFills` (an account's), or a node: lines of [address, fill] or     |
|              | blocks with such pairs under `events`                                          |
| forced side  | `side` of the fill of the account that `liquidation` names: A = sell, a long   |
| forced price | the fill                                                                       |
| trade side   | B = the taker bought, A = sold                                                 |
| units        | base coin; kPEPE quotes 1000 PEPE                                              |
| completeness | fills of a node: all; of watched accounts: unknown; else no feed               |
| open interest| `openInterest` coins                                                           |
| polled       | POST https://api.hyperliquid.xyz/info {"type":"metaAndAssetCtxs"}: an array of |
|              | the coins (`universe`) and, beside it, their contexts in the same order        |
| funding      | hourly rate, paid each hour on the hour                                        |
| volume, 24 h | `dayNtlVlm` dollars                                                            |
| times        | ms; a context has none and takes the time of receipt                           |

Quirks: `liquidation` stands on the fills of BOTH parties, so a fill counts only when its account is
the one named; method `backstop` hands the position to the backstop. A fill with `dir`
Auto-Deleveraging closes the position of the other party (kind adl). All other fills are ignored;
record `trades` for the tape. The first trades message after a subscribe repeats old trades, which
carry their `tid` and fall to deduplication or come late; the fills that a `userFills` subscription
begins with are marked and `replayed`. `userEvents` do not name their account and are not used.
Delisted coins keep their place in a polled answer and are ignored. Coins of builders' markets
(`dex:COIN`) have no rule; spot is `PURR/USDC` by rule, `@107` by the instrument table.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

import msgspec

from streams.core.events import (
    MICROS,
    Completeness,
    Ignored,
    LiquidationKind,
    OrderSide,
    Outcome,
    Raw,
    stable_id,
)
from streams.core.instruments import Instrument, Instruments, Rule
from streams.core.lanes import TradeFormat
from streams.venues.fields import (
    BadField,
    Row,
    array,
    bad,
    integer,
    nested,
    positive,
    present,
    real,
    stamp_us,
    text,
)
from streams.venues.quotes import book, read_ticker, stated_volume
from streams.venues.rows import data_rows, each_row, keyed_ladder, known, order_side, taker_side
from streams.venues.tape import flawless, forced_with_id, trade
from streams.venues.typed import Amount, Count

VENUES: Final = frozenset({"hyperliquid"})

FUNDING_S: Final = 3600
"""Funding is paid each hour, on the hour."""

_SIDES: Final[dict[str, OrderSide]] = {"B": "buy", "A": "sell"}
_METHODS: Final[dict[str, LiquidationKind]] = {"market": "liquidation", "backstop": "backstop"}
_DELEVERAGED: Final = "Auto-Deleveraging"
_CONTROL: Final = frozenset({"subscriptionResponse", "pong", "error", "post"})
_UNUSED: Final = frozenset(
    {
        *("activeAssetData", "activeSpotAssetCtx", "allDexsAssetCtxs", "allMids", "bbo", "candle"),
        *("notification", "orderUpdates", "user", "userEvents", "userFundings"),
        *("userNonFundingLedgerUpdates", "userTwapHistory", "userTwapSliceFills"),
        *("webData2", "webData3"),
    }
)


class _Trade(msgspec.Struct, gc=False, kw_only=True):
    """Fields in the venue's order; naming one that is not used is faster than passing it over."""

    symbol: str = msgspec.field(name="coin")
    side: Literal["A", "B"]
    price: Amount = msgspec.field(name="px")
    size: Amount = msgspec.field(name="sz")
    time: int
    hash: Any = None
    id: Count = msgspec.field(name="tid")
    users: Any = None
    # Hyperliquid has no such mark; the name is none of its fields.
    block: bool = msgspec.field(name="", default=False)


class _Trades(msgspec.Struct, frozen=True, gc=False):
    channel: Literal["trades"]
    data: list[_Trade]


_TRADES: Final = msgspec.json.Decoder(_Trades, strict=False)
TRADES: Final = TradeFormat((_TRADES.decode,), many=True, buy="B", sell="A", numbered=True)
"""`trades` in lots."""
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object] | list[object], float_hook=str)


def parse(raw: Raw, instruments: Instruments) -> list[Outcome]:
    """Outcomes of a websocket message of Hyperliquid, of polled contexts or of a node's fills.

    Raises:
        msgspec.DecodeError: the payload is neither a JSON object nor an array.
    """
    if raw.channel == "trade" or b'"trades"' in raw.payload[:32]:
        found = flawless(raw, instruments, TRADES)
        if found is not None:
            return found
    message = _MESSAGE.decode(raw.payload)
    try:
        if isinstance(message, list):
            if _told(message):
                return _polled(raw, instruments, *message)
            return [_pair(raw, instruments, message)]
        if "events" in message and "channel" not in message:
            return _block(raw, instruments, message)
        channel = message.get("channel")
        if not isinstance(channel, str):
            raise bad("unknown_message", "neither a channel nor a node's fills")
        if channel in _CONTROL:
            return [Ignored("control")]
        if channel in _UNUSED:
            return [Ignored("unused_channel")]
        reader = _READERS.get(channel)
        if reader is None:
            raise bad("unknown_channel", f"channel {channel[:60]!r}")
        return reader(raw, instruments, message)
    except BadField as error:
        return [error.outcome]


def _trades(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    return each_row(data_rows(message), partial(_trade, raw, instruments))


def _trade(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    side = taker_side(row, "side", _SIDES)
    size, price = positive(row, "sz"), positive(row, "px")
    identity = str(integer(row, "tid"))
    instrument = known(instruments, raw.venue, text(row, "coin"))
    return trade(raw, instrument, side, size, price, stamp_us(row, "time"), identity)


def _user_fills(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    """Fills of one account: its own forced orders, of which accounts is up to the recorder."""
    data = nested(message, "data")
    address = text(data, "user")

    def read(row: Row) -> Outcome:
        if data.get("isSnapshot") is True:
            return Ignored("replayed")
        return _fill(raw, instruments, address, "unknown", row)

    return each_row(array(data, "fills"), read)


def _block(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    """A block of a node's fills: the pairs under `events`, in their order."""
    outcomes: list[Outcome] = []
    for event in array(message, "events"):
        try:
            outcomes.append(_pair(raw, instruments, event))
        except BadField as error:
            outcomes.append(error.outcome)
    return outcomes or [Ignored("empty")]


def _pair(raw: Raw, instruments: Instruments, pair: object) -> Outcome:
    """A node's [address, fill]."""
    if isinstance(pair, list) and len(pair) == 2:
        address, row = pair
        if isinstance(address, str) and isinstance(row, dict):
            return _fill(raw, instruments, address, "all", row)
    raise bad("wrong_type", "an array that is no pair of an address and a fill")


def _fill(
    raw: Raw, instruments: Instruments, address: str, completeness: Completeness, row: Row
) -> Outcome:
    """The forced order of a fill; `Ignored` when its account was not forced."""
    kind = _forced(address, row)
    if kind is None:
        return Ignored("unused_channel")
    side = order_side(row, "side", _SIDES)
    size, price = positive(row, "sz"), positive(row, "px")
    identity, time_us = str(integer(row, "tid")), stamp_us(row, "time")
    instrument = known(instruments, raw.venue, text(row, "coin"))
    return forced_with_id(raw, instrument, side, size, price, time_us, completeness, identity, kind)


def _forced(address: str, row: Row) -> LiquidationKind | None:
    """How the fill's account was forced; None when it was not."""
    if present(row, "liquidation"):
        liquidation = nested(row, "liquidation")
        # Addresses are hexadecimal; some recorders write them in mixed case.
        if text(liquidation, "liquidatedUser").lower() == address.lower():
            method = text(liquidation, "method")
            if method not in _METHODS:
                raise bad("unknown_message", f"liquidation by method {method[:40]!r}")
            return _METHODS[method]
    return "adl" if row.get("dir") == _DELEVERAGED else None


def _context(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    data = nested(message, "data")
    return [_ticker(raw, instruments, text(data, "coin"), nested(data, "ctx"))]


def _told(message: Sequence[object]) -> bool:
    """Whether an array is a polled `metaAndAssetCtxs` and no pair of an address and a fill."""
    return len(message) == 2 and isinstance(message[0], dict) and isinstance(message[1], list)


def _polled(
    raw: Raw, instruments: Instruments, meta: Row, contexts: Sequence[object]
) -> list[Outcome]:
    """Contexts of all coins; a context is the coin's that stands at its place."""
    coins = array(meta, "universe")
    if len(coins) != len(contexts):
        raise bad("wrong_type", f"{len(contexts)} contexts of {len(coins)} coins")

    def read(row: Row) -> Outcome:
        listed, context = nested(row, "coin"), nested(row, "context")
        if listed.get("isDelisted") is True:
            return Ignored("empty")
        return _ticker(raw, instruments, text(listed, "name"), context)

    pairs = zip(coins, contexts, strict=True)
    return each_row([{"coin": coin, "context": context} for coin, context in pairs], read)


def _ticker(raw: Raw, instruments: Instruments, coin: str, row: Row) -> Outcome:
    """A context, pushed or polled: the same values give the same event."""
    instrument = known(instruments, raw.venue, coin)
    rate = real(row, "funding") if present(row, "funding") else None
    now_us, cycle_us = raw.received_at_us, FUNDING_S * MICROS
    due_us = None if rate is None else (now_us // cycle_us + 1) * cycle_us
    return read_ticker(
        raw,
        instrument,
        "context",
        now_us,
        row,
        mark="markPx",
        index="oraclePx",
        held="openInterest",
        funding=(rate, due_us),
        interval_s=None if rate is None else FUNDING_S,
        volume=stated_volume(row, "dayNtlVlm"),
    )


def _book(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    row = nested(message, "data")
    instrument = known(instruments, raw.venue, text(row, "coin"))
    time_us = stamp_us(row, "time")
    levels = array(row, "levels")
    if len(levels) != 2:
        raise bad("wrong_type", "field 'levels' is no pair of sides")
    bids = keyed_ladder(levels[0], instrument, "levels", "px", "sz")
    asks = keyed_ladder(levels[1], instrument, "levels", "px", "sz")
    identity = stable_id(raw.venue, instrument.symbol, time_us)
    return [book(raw, instrument, bids, asks, time_us, identity)]


_READERS: Final[Mapping[str, Callable[[Raw, Instruments, Row], list[Outcome]]]] = {
    "trades": _trades,
    "userFills": _user_fills,
    "activeAssetCtx": _context,
    "l2Book": _book,
}

_PERPETUAL: Final = re.compile(r"(k?)([A-Z0-9]{1,24})", re.ASCII)
_SPOT: Final = re.compile(r"([A-Z0-9]{1,24})/(USDC)", re.ASCII)


def rule(symbol: str) -> Instrument | None:
    """What a coin's name means; None for builders' markets and numbered spot pairs.

    >>> rule("kPEPE").asset, rule("kPEPE").coins_per_unit, rule("PURR/USDC").contract
    ('PEPE', 1000, 'spot')
    >>> rule("xyz:GOLD"), rule("@107")
    (None, None)
    """
    match = _SPOT.fullmatch(symbol)
    if match is not None:
        return Instrument("hyperliquid", symbol, match[1], match[2], "spot", "base")
    match = _PERPETUAL.fullmatch(symbol)
    if match is None:
        return None
    units = 1000 if match[1] else 1
    return Instrument(
        "hyperliquid", symbol, match[2], "USDC", "linear", "base", coins_per_unit=units
    )


RULES: Final[Mapping[str, Rule]] = {"hyperliquid": rule}
