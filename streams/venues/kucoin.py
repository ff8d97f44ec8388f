"""KuCoin futures to canonical events, venue `kucoin` (USDT, USDC and coin-margined contracts).

A venue parser: promises one outcome per message, for KuCoin sends one row each. Yields no forced
orders: the venue publishes none. Does not fold book changes (the collector does).

| fact         | value                                                                          |
|--------------|--------------------------------------------------------------------------------|
| host         | what POST https://api-futures.kucoin.com/api/v1/bullet-public names, with its  |
|              | token; wss://x-push-futures.kucoin.com was seen, not confirmed                 |
| subscribe    | {"id":"1","type":"subscribe","topic":"/contractMarket/execution:XBTUSDTM",     |
|              | "privateChannel":false,"response":true}, 100 topics a message                  |
| keep-alive   | send {"id":"1","type":"ping"} every pingInterval (18 s); the answer is a pong  |
| forced side  | none: no public topic of forced orders                                         |
| forced price | none                                                                           |
| trade side   | `side` is the taker's side                                                     |
| units        | contracts x multiplier: coins (USDTM 0.001 BTC for XBTUSDTM), dollars (USDM 1) |
| completeness | no feed of forced orders                                                       |
| open interest| polled: contracts/<symbol>, `openInterest` contracts                           |
| volume, 24 h | polled: contracts/<symbol>, `turnoverOf24h` dollars; coin-margined: not        |
|              | documented, hence none                                                         |
| funding      | funding.rate: granularity 60000 forecasts the rate due next, any other tells a |
|              | settled one and its cycle (ms)                                                 |
| times        | execution and tickerV2 `ts` ns; depth `ts` and instrument `timestamp` ms       |

Quirks: no name tells a contract's size: all of them need a row of the table. Bitcoin is XBT. Depth
names its contract in the topic alone. The polled multiplier of an inverse contract is -1, and
`isQuanto` is true for every USDT contract, which is linear all the same. `nextFundingRateTime` is
milliseconds left and no stamp: added to the receipt and rounded to the minute, since a settlement
falls on one. A settled rate has been paid: only its cycle is kept.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from streams.core.events import Ignored, Outcome, Raw, Rejected, stable_id
from streams.core.instruments import Instrument, Instruments
from streams.venues.fields import (
    BadField,
    Row,
    bad,
    given,
    id_text,
    integer,
    nanos_us,
    nested,
    not_negative,
    positive,
    present,
    real,
    stamp_us,
    text,
)
from streams.venues.multiples import listed
from streams.venues.quotes import book, interest, stated_volume, ticker
from streams.venues.rows import (
    PLAIN_SIDES,
    each_row,
    index_price,
    known,
    ladder,
    per_coin,
    price,
    taker_side,
)
from streams.venues.tape import trade

VENUES: Final = frozenset({"kucoin"})

_CONTROL: Final = frozenset({"welcome", "ack", "ping", "pong", "error", "notice"})
_UNUSED: Final = frozenset(
    {
        *("/contractMarket/ticker", "/contractMarket/snapshot", "/contractMarket/limitCandle"),
        *("/contract/announcement", "/contract/details"),
    }
)
_DELTA: Final = "/contractMarket/level2"
_FORECAST_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_MINUTE_US: Final = 60_000_000
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)


def parse(raw: Raw, instruments: Instruments) -> list[Outcome]:
    """Outcomes of one websocket message of KuCoin futures, or of a polled contract or list.

    Raises:
        msgspec.DecodeError: the payload is no JSON object.
    """
    message = _MESSAGE.decode(raw.payload)
    kind, topic = message.get("type"), message.get("topic")
    try:
        if kind == "message":
            return [_pushed(raw, instruments, message)]
        if isinstance(kind, str) and kind in _CONTROL:
            return [Ignored("control")]
        if "code" in message and "data" in message and topic is None:
            data = message["data"]
            rows = data if isinstance(data, list) else [data]
            return each_row(rows, partial(_contract, raw, instruments))
    except BadField as error:
        return [error.outcome]
    return [Rejected("unknown_message", "neither a topic, a control frame nor a polled answer")]


def _pushed(raw: Raw, instruments: Instruments, message: Row) -> Outcome:
    topic = text(message, "topic")
    channel, _, symbol = topic.partition(":")
    reader = _READERS.get(channel)
    if reader is not None:
        row = nested(message, "data")
        return reader(raw, known(instruments, raw.venue, symbol), message, row)
    if channel == _DELTA:
        return Ignored("book_delta")
    if channel in _UNUSED:
        return Ignored("unused_channel")
    return Rejected("unknown_channel", f"topic {topic[:60]!r}")


def _execution(raw: Raw, instrument: Instrument, _message: Row, row: Row) -> Outcome:
    taker = taker_side(row, "side", PLAIN_SIDES)
    size, paid = positive(row, "size"), positive(row, "price")
    return trade(raw, instrument, taker, size, paid, nanos_us(row, "ts"), id_text(row, "tradeId"))


def _instrument(raw: Raw, instrument: Instrument, message: Row, row: Row) -> Outcome:
    subject, at_us = text(message, "subject"), stamp_us(row, "timestamp")
    if subject == "mark.index.price":
        mark = price(row, "markPrice", instrument)
        index = index_price(row, "indexPrice", instrument)
        return ticker(raw, instrument, subject, at_us, mark=mark, index=index)
    if subject != "funding.rate":
        return Rejected("unknown_channel", f"subject {subject[:60]!r}")
    cycle_ms, rate = integer(row, "granularity"), real(row, "fundingRate")
    if cycle_ms == _FORECAST_MS:
        return ticker(raw, instrument, subject, at_us, funding=(rate, None))
    return ticker(raw, instrument, subject, at_us, interval_s=_seconds(cycle_ms))


def _seconds(cycle_ms: int) -> int:
    if not _FORECAST_MS < cycle_ms <= _DAY_MS:
        raise bad("not_positive", f"a funding cycle of {cycle_ms} ms, expected up to a day")
    return cycle_ms // 1000


def _depth(raw: Raw, instrument: Instrument, message: Row, row: Row) -> Outcome:
    time_us = stamp_us(row, "ts" if present(row, "ts") else "timestamp")
    bids, asks = given(row, "bids"), given(row, "asks")
    return _book(raw, instrument, message, row, bids, asks, time_us)


def _best(raw: Raw, instrument: Instrument, message: Row, row: Row) -> Outcome:
    bids = [[given(row, "bestBidPrice"), given(row, "bestBidSize")]]
    asks = [[given(row, "bestAskPrice"), given(row, "bestAskSize")]]
    return _book(raw, instrument, message, row, bids, asks, nanos_us(row, "ts"))


def _book(
    raw: Raw,
    instrument: Instrument,
    message: Row,
    row: Row,
    bids: object,
    asks: object,
    time_us: int,
) -> Outcome:
    both = ladder(bids, instrument, "bids"), ladder(asks, instrument, "asks")
    sequence = integer(row, "sequence")
    identity = stable_id(raw.venue, instrument.symbol, message["topic"], time_us, sequence)
    return book(raw, instrument, *both, time_us, identity)


def _contract(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    """A contract as it is polled: open interest, prices, and the rate due with its cycle."""
    if "openInterest" not in row:
        raise bad("unknown_message", "a polled row without openInterest")
    instrument = known(instruments, raw.venue, text(row, "symbol"))
    amount = interest(instrument, not_negative(row, "openInterest"))
    forecast = "predictedFundingFeeRate"
    rate = forecast if present(row, forecast) else "fundingFeeRate"
    cycle = "fundingRateGranularity"
    # Nothing documents what the turnover of a coin-margined contract is counted in.
    volume = None if instrument.in_dollars else stated_volume(row, "turnoverOf24h")
    return ticker(
        raw,
        instrument,
        "contract",
        raw.received_at_us,
        mark=per_coin(row, "markPrice", instrument),
        index=index_price(row, "indexPrice", instrument),
        last=per_coin(row, "lastTradePrice", instrument),
        interest=amount,
        funding=(real(row, rate) if present(row, rate) else None, _due_us(raw, row)),
        interval_s=_seconds(integer(row, cycle)) if present(row, cycle) else None,
        volume=volume,
    )


def _due_us(raw: Raw, row: Row) -> int | None:
    """The next settlement, from the milliseconds left to it."""
    left = "nextFundingRateTime"
    if not present(row, left):
        return None
    due_us = raw.received_at_us + integer(row, left) * 1000
    return (due_us + _MINUTE_US // 2) // _MINUTE_US * _MINUTE_US


_Reader = Callable[[Raw, Instrument, Row, Row], Outcome]
_READERS: Final[Mapping[str, _Reader]] = {
    "/contractMarket/execution": _execution,
    "/contract/instrument": _instrument,
    "/contractMarket/level2Depth5": _depth,
    "/contractMarket/level2Depth50": _depth,
    "/contractMarket/tickerV2": _best,
}

_RENAMED: Final[Mapping[str, str]] = {"XBT": "BTC"}


def coin(base: str) -> tuple[str, int]:
    """The coin of a base currency, and how many of it one listed unit is.

    >>> coin("XBT"), coin("1000BONK"), coin("ETH")
    (('BTC', 1), ('BONK', 1000), ('ETH', 1))
    """
    asset, units = listed(base)
    return _RENAMED.get(asset, asset), units
