"""Deribit v2 public channels to canonical events, venue `deribit` (futures, perpetuals, spot).

A venue parser: promises a trade for every print of the book and, for a print that a liquidation
caused, a forced order beside it, in exact dollars. Does not fold book changes
and does not watch `trade_seq`, which has no gaps per instrument (the collector does).

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | wss://www.deribit.com/ws/api/v2, JSON-RPC; channels `raw` need a login         |
| subscribe    | {"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":{"channels":      |
|              | ["trades.future.BTC.100ms"]}}; a refused channel is only absent from `result`  |
| keep-alive   | public/set_heartbeat; answer each `test_request` with public/test              |
| forced side  | `liquidation`: T = the taker was liquidated, M = the maker, MT = both;         |
|              | `direction` is the taker's, so M with buy closed a long (a sell)               |
| forced price | the fill                                                                       |
| trade side   | `direction` is the taker's side; `block_trade_id` marks a trade off the book   |
| units        | `amount`: dollars of BTC-PERPETUAL, ETH-PERPETUAL and other inverse futures,   |
|              | base coin of X_USDC-... and spot; `contracts` is not needed                    |
| completeness | all fills                                                                      |
| open interest| `open_interest`: dollars (inverse) or coins                                    |
| funding      | continuous, due at no time: `current_funding` is the rate now, for 8 hours     |
| volume, 24 h | `stats.volume_usd`                                                             |
| times        | ms, JSON numbers; trade, ticker and book `timestamp`                           |

Quirks: a forced fill is a trade of the tape as well, so one row gives both; MT gives two forced
orders of the whole amount. Combination legs count as trades. A polled answer of
public/get_last_trades_by_instrument (`result.trades`) has the same rows and ids. `book.X.none.10`
is a full top-N book; `book.X.100ms` begins with a snapshot whose levels say `new`. Options and
combinations have no unit rule; their channels are not used.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from streams.core.events import Ignored, OrderSide, Outcome, Raw, Rejected, TakerSide, stable_id
from streams.core.instruments import Instrument, Instruments, Rule
from streams.core.lanes import TradeFormat
from streams.venues.fields import (
    BadField,
    Row,
    array,
    bad,
    given,
    id_text,
    integer,
    nested,
    positive,
    present,
    real,
    shown,
    stamp_us,
    text,
)
from streams.venues.quotes import book, read_ticker, stated_volume
from streams.venues.rows import (
    PLAIN_SIDES,
    Ladder,
    all_of_each,
    data_rows,
    known,
    ladder,
    no_side,
    taker_side,
)
from streams.venues.tape import flawless, forced_with_id, trade
from streams.venues.typed import Amount, Name

VENUES: Final = frozenset({"deribit"})

FUNDING_S: Final = 8 * 3600
"""The time that a funding rate is quoted for."""

_CONTROL: Final = ("method", "result", "error", "id")
_UNUSED: Final = frozenset(
    {
        *("announcements", "block_rfq", "block_trade_confirmations", "chart", "instrument"),
        *("deribit_price_index", "deribit_price_ranking", "deribit_price_statistics"),
        *("deribit_volatility_index", "estimated_expiration_price", "incremental_ticker"),
        *("markprice", "perpetual", "platform_state", "quote"),
    }
)
_UNUSED_TRADES: Final = ("trades.option.", "trades.option_combo.", "trades.future_combo.")

_Nothing = Literal[""] | UnsetType


class _Trade(msgspec.Struct, gc=False, kw_only=True):
    """Fields in the venue's order; naming one that is not used is faster than passing it over."""

    trade_seq: Any = None
    id: Name = msgspec.field(name="trade_id")
    time: int = msgspec.field(name="timestamp")
    tick_direction: Any = None
    price: Amount
    mark_price: Any = None
    symbol: Name = msgspec.field(name="instrument_name")
    index_price: Any = None
    side: Literal["buy", "sell"] = msgspec.field(name="direction")
    contracts: Any = None
    size: Amount = msgspec.field(name="amount")
    liquidation: _Nothing = UNSET
    block_trade_id: _Nothing = UNSET
    # Rows off the book are refused above; the name is none of the venue's fields.
    block: bool = msgspec.field(name="", default=False)


class _Params(msgspec.Struct, frozen=True, gc=False):
    channel: Annotated[str, msgspec.Meta(pattern=r"^trades\.")]
    data: list[_Trade]


class _Trades(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    jsonrpc: Any = None
    method: Literal["subscription"]
    params: _Params

    @property
    def data(self) -> list[_Trade]:
        """The rows."""
        return self.params.data


_TRADES: Final = msgspec.json.Decoder(_Trades, strict=False)
TRADES: Final = TradeFormat((_TRADES.decode,), many=True, buy="buy", sell="sell")
"""`trades` in lots, where no row was forced."""
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)


def parse(raw: Raw, instruments: Instruments) -> list[Outcome]:
    """Outcomes of one websocket message of Deribit, or of a polled answer with trades.

    Raises:
        msgspec.DecodeError: the payload is no JSON object.
    """
    if raw.channel == "trade" or b'"trades.' in raw.payload[:96]:
        found = flawless(raw, instruments, TRADES)
        if found is not None:
            return found
    message = _MESSAGE.decode(raw.payload)
    result = message.get("result")
    try:
        if isinstance(result, dict) and "trades" in result:
            return all_of_each(array(result, "trades"), partial(_trade, raw, instruments))
        if message.get("method") == "subscription":
            return _notification(raw, instruments, message)
    except BadField as error:
        return [error.outcome]
    if any(key in message for key in _CONTROL):
        return [Ignored("control")]
    return [Rejected("unknown_message", "neither a notification nor an answer")]


def _notification(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    params = nested(message, "params")
    channel = text(params, "channel")
    kind = channel.partition(".")[0]
    if kind in _UNUSED or channel.startswith(_UNUSED_TRADES):
        return [Ignored("unused_channel")]
    reader = _READERS.get(kind)
    if reader is None:
        raise bad("unknown_channel", f"channel {channel[:60]!r}")
    return reader(raw, instruments, channel, params)


def _trades(raw: Raw, instruments: Instruments, _channel: str, params: Row) -> list[Outcome]:
    return all_of_each(data_rows(params), partial(_trade, raw, instruments))


def _trade(raw: Raw, instruments: Instruments, row: Row) -> list[Outcome]:
    """The print on the book, and the orders of it that a liquidation sent."""
    taker = taker_side(row, "direction", PLAIN_SIDES)
    closing = _liquidated(row, taker)
    size, price = positive(row, "amount"), positive(row, "price")
    identity, time_us = id_text(row, "trade_id"), stamp_us(row, "timestamp")
    instrument = known(instruments, raw.venue, text(row, "instrument_name"))
    found: list[Outcome] = []
    if not present(row, "block_trade_id"):
        found.append(trade(raw, instrument, taker, size, price, time_us, identity))
    if isinstance(closing, Rejected):
        return [*found, closing]
    for side in closing:
        order = forced_with_id(raw, instrument, side, size, price, time_us, "all", identity)
        found.append(order)
    return found or [Ignored("off_book")]


def _liquidated(row: Row, taker: TakerSide) -> tuple[OrderSide, ...] | Rejected:
    """Sides of the forced orders of a trade; a word that nobody knows costs these alone."""
    if not present(row, "liquidation"):
        return ()
    if taker == "unknown":
        return no_side(row, "direction")
    maker: OrderSide = "sell" if taker == "buy" else "buy"
    who = row["liquidation"]
    sides = {"T": (taker,), "M": (maker,), "MT": (taker, maker)}
    if not isinstance(who, str) or who not in sides:
        return Rejected("unknown_side", f"field 'liquidation' is {shown(who)}")
    return sides[who]


def _ticker(raw: Raw, instruments: Instruments, _channel: str, params: Row) -> list[Outcome]:
    row = nested(params, "data")
    instrument = known(instruments, raw.venue, text(row, "instrument_name"))
    rate = real(row, "current_funding") if present(row, "current_funding") else None
    stats = nested(row, "stats") if present(row, "stats") else {}
    return [
        read_ticker(
            raw,
            instrument,
            "ticker",
            stamp_us(row, "timestamp"),
            row,
            mark="mark_price",
            index="index_price",
            last="last_price",
            held="open_interest",
            funding=(rate, None),
            interval_s=None if rate is None else FUNDING_S,
            volume=stated_volume(stats, "volume_usd"),
        )
    ]


def _book(raw: Raw, instruments: Instruments, channel: str, params: Row) -> list[Outcome]:
    row = nested(params, "data")
    kind = row.get("type", "snapshot")
    if kind == "change":
        return [Ignored("book_delta")]
    if kind != "snapshot":
        raise bad("unknown_message", f"order book message of type {shown(kind)}")
    instrument = known(instruments, raw.venue, text(row, "instrument_name"))
    time_us = stamp_us(row, "timestamp")
    identity = stable_id(raw.venue, instrument.symbol, channel, time_us, integer(row, "change_id"))
    bids, asks = _side(row, instrument, "bids"), _side(row, instrument, "asks")
    return [book(raw, instrument, bids, asks, time_us, identity)]


def _side(row: Row, instrument: Instrument, name: str) -> Ladder:
    levels = given(row, name)
    if isinstance(levels, list):
        levels = [
            level[1:] if isinstance(level, list) and level[:1] == ["new"] else level
            for level in levels
        ]
    return ladder(levels, instrument, name)


_READERS: Final[Mapping[str, Callable[[Raw, Instruments, str, Row], list[Outcome]]]] = {
    "trades": _trades,
    "ticker": _ticker,
    "book": _book,
}

_NAME: Final = re.compile(
    r"([A-Z0-9]{1,24})(?:_(USDC|USDT))?(?:-(PERPETUAL|\d{1,2}[A-Z]{3}\d{2}))?", re.ASCII
)


def rule(symbol: str) -> Instrument | None:
    """What an instrument's name means; None for options, combinations and other quotes.

    >>> rule("BTC-PERPETUAL").contract, rule("ETH-25DEC26").size_unit
    ('inverse', 'usd')
    >>> rule("SOL_USDC-PERPETUAL").contract, rule("ETH_USDC").contract, rule("ETH_BTC")
    ('linear', 'spot', None)
    >>> rule("BTC-25DEC26-60000-C"), rule("BTC")
    (None, None)
    """
    match = _NAME.fullmatch(symbol)
    if match is None:
        return None
    asset, quote, expiry = match.groups()
    if quote:
        contract: Literal["linear", "spot"] = "linear" if expiry else "spot"
        return Instrument("deribit", symbol, asset, quote, contract, "base")
    if expiry:
        return Instrument("deribit", symbol, asset, "USD", "inverse", "usd")
    return None


RULES: Final[Mapping[str, Rule]] = {"deribit": rule}
