"""HTX (Huobi) swaps and futures, USDT and coin-margined, to canonical events, venue `htx`.

A venue parser: promises one outcome per row in the message's order, and exact dollars for forced
orders by the contract sizes of the instrument table, else by the coins that a row states beside
its contracts. Does not fold book updates (the collector does).

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | wss://api.hbdm.com: /linear-swap-ws, /swap-ws (trades, books, last price);     |
|              | /linear-swap-notification, /swap-notification (forced orders, funding);        |
|              | /ws_index (mark, index, basis); coin futures: /ws, /notification               |
| subscribe    | {"op":"sub","cid":"1","topic":"public.*.liquidation_orders",                   |
|              | "business_type":"all"}; {"sub":"market.BTC-USDT.trade.detail","id":"1"}        |
| keep-alive   | answer {"ping":t} with {"pong":t}, {"op":"ping","ts":t} with op pong; every 5 s |
| frames       | gzip, every one; what a recorder left packed is unpacked here too              |
| forced side  | `direction` is the forced ORDER's side: sell = a long was closed               |
| forced price | `price`, bankruptcy price, no fill                                             |
| trade side   | `direction` is the taker's side, empty where HTX tells none: unknown           |
| units        | contracts x contract_size: coins (USDT), dollars (USD: BTC 100, others 10)     |
| completeness | liquidation_orders: all orders by its own account, which nobody has verified   |
| open interest| polled, /linear-swap-api and /swap-api: `volume` contracts                     |
| volume, 24 h | linear `trade_turnover` dollars of detail, and polled with open interest,      |
|              | halved (see Quirks); coin-margined: not documented, hence none                 |
| funding      | `funding_time` is the end of the period, its rate `funding_rate`; each 60 s    |
| times        | ms; forced order `created_at`, trade and book `ts` of the row, else outer `ts` |

Quirks: the topic of a forced order may hold `*`, so `contract_code` names it; `offset` is `close`
or `both` (one-way mode); `open`, or a `position_side` that the order does not close, is rejected;
`amount` and `pair` are absent in old rows and
`volume` never is, so contracts count. A contract that no table knows takes its size from a row that
states both; its book needs the table. The market topics of coin futures name an expiry class
(`BTC_CW`) and their forced orders a contract (`BTC261225`): two symbols of one coin. Not verified,
hence arguments of `parse`, whose defaults `both_sides` has for archives too: a trade's `amount`
counts both its sides (documented, and even in every recorded row at hand) and is halved, as is the
volume of 24 hours; the polled open interest is documented so too, but odd values were recorded, and
it counts as it is. The price of a kline of mark or index is its last; of a basis its first, stamped
so. Merged depth (all steps but 0 and 6) has no best price and is not used. A swap and its index
have one name. Polled forced orders come with every poll: those older than 10 minutes at their
receipt are `replayed`, younger ones have the id that they had.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final

import msgspec

from streams.core.events import (
    MICROS,
    Completeness,
    Ignored,
    Liquidation,
    Outcome,
    Raw,
    Rejected,
    TakerSide,
    stable_id,
)
from streams.core.instruments import Instrument, Instruments, Rule
from streams.core.lanes import UNREADABLE
from streams.core.normalise import rejection
from streams.venues.both_sides import HTX
from streams.venues.fields import (
    BadField,
    Row,
    array,
    bad,
    integer,
    nested,
    not_negative,
    positive,
    present,
    real,
    stamp_us,
    text,
)
from streams.venues.multiples import listed
from streams.venues.packed import unpacked
from streams.venues.quotes import book, interest, ticker
from streams.venues.rows import (
    PLAIN_SIDES,
    closing_side,
    data_rows,
    each_row,
    index_price,
    known,
    ladder,
    micro_dollars,
    per_coin,
    price,
    taker_side,
)
from streams.venues.tape import forced, replayed, trade

VENUES: Final = frozenset({"htx"})

_CONTROL: Final = ("ping", "pong", "subbed", "unsubbed")
_UNUSED_TOPICS: Final = frozenset({"contract_info", "contract_elements"})
_UNUSED_CHANNELS: Final = frozenset({"kline", "premium_index", "estimated_rate"})
_HELD: Final = frozenset({"amount", "value", "trade_volume"})
"""Fields beside the `volume` of open interest."""
_UNMERGED: Final = (["step0"], ["step6"])
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)


def parse(
    raw: Raw,
    instruments: Instruments,
    *,
    completeness: Completeness = "all",
    trade_sides: int = HTX.trade,
    interest_sides: int = HTX.interest,
    volume_sides: int = HTX.volume,
) -> list[Outcome]:
    """Outcomes of one websocket message of HTX, or of a polled answer.

    Args:
        raw: the record; its payload may be packed.
        instruments: contract sizes and classes.
        completeness: what the feed of forced orders carries.
        trade_sides: how many sides of a trade its `amount` counts.
        interest_sides: how many sides of a position the polled `volume` counts.
        volume_sides: how many sides of a trade `trade_turnover` counts.
    """
    payload = unpacked(raw.payload)
    if isinstance(payload, Rejected):
        return [payload]
    try:
        message = _MESSAGE.decode(payload)
    except UNREADABLE as error:
        # Here and not by the caller, who would judge the packed bytes.
        return [rejection(error, payload)]
    try:
        if "op" in message:
            return _notified(raw, instruments, message, completeness)
        if "ch" in message:
            return _pushed(raw, instruments, message, trade_sides, volume_sides)
        if "rep" in message:
            # The answer to a request for history.
            return [Ignored("replayed")]
        if isinstance(message.get("data"), list):
            seen: dict[object, int] = {}
            sides = interest_sides, volume_sides
            read = partial(_polled, raw, instruments, completeness, sides, seen)
            return each_row(data_rows(message), read)
    except BadField as error:
        return [error.outcome]
    if any(key in message for key in _CONTROL) or message.get("status") == "error":
        return [Ignored("control")]
    return [Rejected("unknown_message", "neither op, ch nor data")]


def _notified(
    raw: Raw, instruments: Instruments, message: Row, completeness: Completeness
) -> list[Outcome]:
    """A message of a notification host: `public.<contract or *>.<kind>`."""
    if message.get("op") != "notify":
        return [Ignored("control")]
    topic = text(message, "topic")
    kind = topic.rpartition(".")[2]
    if kind == "liquidation_orders":
        seen: dict[object, int] = {}
        read = partial(_liquidation, raw, instruments, completeness, seen)
        return each_row(data_rows(message), read)
    if kind == "funding_rate":
        at_us = stamp_us(message, "ts")
        return each_row(data_rows(message), partial(_funding, raw, instruments, at_us))
    if kind == "heartbeat":
        return [Ignored("control")]
    if kind in _UNUSED_TOPICS:
        return [Ignored("unused_channel")]
    return [Rejected("unknown_channel", f"topic {topic[:60]!r}")]


def _liquidation(
    raw: Raw,
    instruments: Instruments,
    completeness: Completeness,
    seen: dict[object, int],
    row: Row,
) -> Outcome:
    """One forced order, as it is pushed or in either shape of the polled answer."""
    closing = closing_side(row, "side" if "side" in row else "direction", "position_side")
    if row.get("offset") == "open":
        raise bad("unknown_side", "a forced order whose 'offset' is 'open' closes nothing")
    bankrupt = positive(row, "bankrupt_price" if "bankrupt_price" in row else "price")
    time_us = stamp_us(row, "liquidation_time" if "liquidation_time" in row else "created_at")
    size = positive(row, "volume")
    instrument = _sized(raw, instruments, text(row, "contract_code"), row, "volume", "amount")
    return forced(raw, instrument, closing, size, bankrupt, time_us, completeness, seen)


def _sized(
    raw: Raw, instruments: Instruments, symbol: str, row: Row, contracts: str, coins: str
) -> Instrument:
    """The contract, with the size that a row states by its contracts and coins if no table does.

    Raises:
        BadField: unknown_instrument, when the row does not state both either.
    """
    unlisted = instruments.resolve(raw.venue, symbol) is None
    if unlisted and present(row, contracts) and present(row, coins):
        match = _LINEAR.fullmatch(symbol)
        if match is not None:
            asset, units = listed(match[1])
            face = positive(row, coins) / positive(row, contracts)
            return Instrument("htx", symbol, asset, match[2], "linear", "contracts", face, units)
    return known(instruments, raw.venue, symbol)


def _funding(raw: Raw, instruments: Instruments, at_us: int, row: Row) -> Outcome:
    instrument = known(instruments, raw.venue, text(row, "contract_code"))
    funding = real(row, "funding_rate"), stamp_us(row, "funding_time")
    return ticker(raw, instrument, "funding", at_us, funding=funding)


def _polled(
    raw: Raw,
    instruments: Instruments,
    completeness: Completeness,
    sides: tuple[int, int],
    seen: dict[object, int],
    row: Row,
) -> Outcome:
    """A row of `swap_open_interest` or `swap_liquidation_orders`.

    `sides`: how many the open interest counts, and how many the volume beside it.

    Forced orders come again with every poll, under the ids that the pushed ones have. The time of
    receipt says when open interest could be known.
    """
    if "liquidation_time" not in row and "created_at" not in row:
        if not (_HELD & row.keys()):
            raise bad("unknown_message", "a polled row of neither open interest nor a forced order")
        held = not_negative(row, "volume")
        symbol = text(row, "contract_code")
        instrument = _sized(raw, instruments, symbol, row, "volume", "amount")
        amount = interest(instrument, held / sides[0])
        volume = _volume(row, instrument, sides[1])
        at_us = raw.received_at_us
        return ticker(raw, instrument, "interest", at_us, interest=amount, volume=volume)
    order = _liquidation(raw, instruments, completeness, seen, row)
    old = isinstance(order, Liquidation) and replayed(raw, order.event_time_us)
    return Ignored("replayed") if old else order


def _volume(row: Row, instrument: Instrument, sides: int) -> int | None:
    """Micro-dollars of 24 hours; coin-margined contracts state none."""
    if instrument.contract != "linear" or not present(row, "trade_turnover"):
        return None
    return micro_dollars(not_negative(row, "trade_turnover") / sides)


def _pushed(
    raw: Raw, instruments: Instruments, message: Row, trade_sides: int, volume_sides: int
) -> list[Outcome]:
    """A message of a market host: `market.<contract>.<kind>` and what the kind needs."""
    channel = text(message, "ch")
    parts = channel.split(".")
    if len(parts) < 3 or parts[0] != "market":
        return [Rejected("unknown_channel", f"channel {channel[:60]!r}")]
    symbol, kind = parts[1], parts[2]
    if kind in _UNUSED_CHANNELS:
        return [Ignored("unused_channel")]
    if kind == "detail":
        tick, instrument = nested(message, "tick"), known(instruments, raw.venue, symbol)
        return [_day(raw, instrument, message, tick, volume_sides)]
    reader = _READERS.get(kind)
    if reader is not None:
        tick, instrument = nested(message, "tick"), known(instruments, raw.venue, symbol)
        return [reader(raw, instrument, message, tick, parts[3:])]
    if parts[2:] != ["trade", "detail"]:
        return [Rejected("unknown_channel", f"channel {channel[:60]!r}")]
    rows = array(nested(message, "tick"), "data")
    return each_row(rows, partial(_trade, raw, instruments, symbol, trade_sides))


def _trade(raw: Raw, instruments: Instruments, symbol: str, sides: int, row: Row) -> Outcome:
    instrument = _sized(raw, instruments, symbol, row, "amount", "quantity")
    taker: TakerSide = "unknown"
    # HTX leaves the field empty where it tells no side.
    if row.get("direction") != "":
        taker = taker_side(row, "direction", PLAIN_SIDES)
    size, paid = positive(row, "amount") / sides, positive(row, "price")
    return trade(raw, instrument, taker, size, paid, stamp_us(row, "ts"), str(integer(row, "id")))


def _depth(raw: Raw, instrument: Instrument, message: Row, tick: Row, rest: list[str]) -> Outcome:
    if rest[-1:] == ["high_freq"]:
        event = text(tick, "event")
        if event == "update":
            return Ignored("book_delta")
        if event != "snapshot":
            raise bad("unknown_message", f"depth event {event[:40]!r}")
    elif rest not in _UNMERGED:
        return Ignored("unused_channel")
    return _book(raw, instrument, message, tick, tick.get("bids", []), tick.get("asks", []))


def _best(raw: Raw, instrument: Instrument, message: Row, tick: Row, _rest: list[str]) -> Outcome:
    bids, asks = ([tick[key]] if present(tick, key) else [] for key in ("bid", "ask"))
    return _book(raw, instrument, message, tick, bids, asks)


def _book(
    raw: Raw, instrument: Instrument, message: Row, tick: Row, bids: object, asks: object
) -> Outcome:
    time_us = stamp_us(tick if present(tick, "ts") else message, "ts")
    both = ladder(bids, instrument, "bids"), ladder(asks, instrument, "asks")
    version = integer(tick, "version") if present(tick, "version") else 0
    identity = stable_id(raw.venue, instrument.symbol, message["ch"], time_us, version)
    return book(raw, instrument, *both, time_us, identity)


def _day(raw: Raw, instrument: Instrument, message: Row, tick: Row, sides: int) -> Outcome:
    """The last price, and the volume of 24 hours."""
    last, volume = price(tick, "close", instrument), _volume(tick, instrument, sides)
    return ticker(raw, instrument, "last", stamp_us(message, "ts"), last=last, volume=volume)


def _mark(raw: Raw, instrument: Instrument, message: Row, tick: Row, _rest: list[str]) -> Outcome:
    mark = price(tick, "close", instrument)
    return ticker(raw, instrument, "mark", stamp_us(message, "ts"), mark=mark)


def _index(raw: Raw, instrument: Instrument, message: Row, tick: Row, _rest: list[str]) -> Outcome:
    index = price(tick, "close", instrument)
    return ticker(raw, instrument, "index", stamp_us(message, "ts"), index=index)


def _basis(raw: Raw, instrument: Instrument, message: Row, tick: Row, rest: list[str]) -> Outcome:
    """Index and last price, by the kline's opening unless the channel says that it is the close."""
    at_us = integer(tick, "id") * MICROS
    if rest[1:] == ["close"]:
        at_us = stamp_us(message, "ts")
    elif rest[1:] not in ([], ["open"]):
        return Ignored("unused_channel")
    index = index_price(tick, "index_price", instrument)
    last = per_coin(tick, "contract_price", instrument)
    if index is None and last is None:
        return Ignored("empty")
    return ticker(raw, instrument, "basis", at_us, index=index, last=last)


_Reader = Callable[[Raw, Instrument, Row, Row, list[str]], Outcome]
_READERS: Final[Mapping[str, _Reader]] = {
    "depth": _depth,
    "bbo": _best,
    "mark_price": _mark,
    "index": _index,
    "basis": _basis,
}

_LINEAR: Final = re.compile(r"([A-Z0-9]{1,24})-(USDT|USDC)(?:-\d{6})?", re.ASCII)
_COIN: Final = re.compile(r"([A-Z0-9]{1,24}?)(?:-USD|\d{6}|_(?:CW|NW|CQ|NQ))", re.ASCII)


def coin_margined(symbol: str) -> Instrument | None:
    """The coin-margined contract that a name means; a linear one's size is not told by its name.

    >>> coin_margined("BTC-USD").contract_size, coin_margined("XRP-USD").contract_size
    (Decimal('100'), Decimal('10'))
    >>> coin_margined("BTC261225").asset, coin_margined("ETH_CQ").contract
    ('BTC', 'inverse')
    >>> coin_margined("BTC-USDT")
    """
    match = _COIN.fullmatch(symbol)
    if match is None:
        return None
    face = Decimal(100 if match[1] == "BTC" else 10)
    return Instrument("htx", symbol, match[1], "USD", "inverse", "contracts", face)


RULES: Final[Mapping[str, Rule]] = {"htx": coin_margined}
