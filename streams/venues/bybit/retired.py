"""Topics of Bybit before v5, which archives hold: v2, v3 of the USDC perpetuals, v2 of spot.

Promises the outcomes that v5 would have given: the same units and sides, books of snapshots only.
Topics of spot that no recording at hand shows are not read.

| topic              | what it is                                                              |
|--------------------|-------------------------------------------------------------------------|
| trade              | `side` is the taker's; of spot, `m` true = the taker bought. Stamps of  |
|                    | 2019 have whole seconds only, until `trade_time_ms` came                |
| instrument_info    | snapshots and deltas of a ticker: prices plain, or by ten thousand      |
|                    | (`_e4`), rates by a million (`_e6`), open interest in contracts of 1    |
|                    | USD (inverse) or by a hundred million in coins (`_e8`); volume of 24    |
|                    | hours `volume_24h` contracts of 1 USD, linear `turnover_24h_e8` dollars |
| orderBookL2_25,    | a snapshot is a list of levels, in an object for linear contracts, in   |
| orderBook_200      | no order; deltas are left out, as those of v5 are                       |
| depth, bookTicker  | spot: each message a whole book of 40 levels, or of one                 |

Quirks: USDC perpetuals write `lastPriceE4` for `last_price_e4`. Where a tick is finer than `_e4`
can write, the number has another scale (XLMUSDT: a hundred thousand), so a plain price goes before.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final

from streams.core.events import Ignored, OrderSide, Outcome, Raw, stable_id
from streams.core.instruments import Instrument, Instruments
from streams.venues.bybit.trades import TAKER
from streams.venues.fields import (
    Row,
    array,
    bad,
    decimal,
    flag,
    given,
    id_text,
    iso_us,
    marked,
    nested,
    not_negative,
    positive,
    present,
    shown,
    stamp_us,
    text,
)
from streams.venues.quotes import book, interest, stated_volume, ticker
from streams.venues.rows import (
    data_rows,
    each_row,
    index_price,
    known,
    ladder,
    micro_dollars,
    order_side,
    taker_side,
)
from streams.venues.tape import trade

_E4: Final = Decimal(10_000)
_E6: Final = Decimal(1_000_000)
_E8: Final = Decimal(100_000_000)


def _either(row: Row, *keys: str) -> str:
    """The first of the keys that the row fills in, the last where it fills in none."""
    return next((key for key in keys if present(row, key)), keys[-1])


def _trades(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    data = given(message, "data")
    if isinstance(data, dict):
        return [_spot_trade(raw, instruments, text(nested(message, "params"), "symbol"), data)]
    return each_row(data_rows(message), partial(_trade, raw, instruments))


def _trade(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    block = _either(row, "is_block_trade", "isBlockTrade")
    if present(row, block) and marked(row, block):
        return Ignored("off_book")
    side = taker_side(row, "side", TAKER)
    size, price = positive(row, "size"), positive(row, "price")
    instrument = known(instruments, raw.venue, text(row, "symbol"))
    stamp = _either(row, "trade_time_ms", "tradeTimeMs", "timestamp")
    time_us = iso_us(row, stamp) if stamp == "timestamp" else stamp_us(row, stamp)
    identity = id_text(row, _either(row, "tradeId", "trade_id"))
    return trade(raw, instrument, side, size, price, time_us, identity)


def _spot_trade(raw: Raw, instruments: Instruments, symbol: str, row: Row) -> Outcome:
    side: OrderSide = "buy" if flag(row, "m") else "sell"
    size, price = positive(row, "q"), positive(row, "p")
    instrument = known(instruments, raw.venue, symbol)
    return trade(raw, instrument, side, size, price, stamp_us(row, "t"), id_text(row, "v"))


def infos(interest_sides: int, raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    """Tickers of `instrument_info`, whose open interest counts that many sides."""
    data = nested(message, "data")
    rows: list[object] = [data]
    if _kind(message) == "delta":
        rows = [one for key in ("update", "insert") if key in data for one in array(data, key)]
    time_us = _stamp(message)
    return each_row(rows, partial(_info, raw, instruments, interest_sides, time_us))


def _info(
    raw: Raw, instruments: Instruments, interest_sides: int, time_us: int, row: Row
) -> Outcome:
    instrument = known(instruments, raw.venue, text(row, "symbol"))
    mark = _price(row, instrument, "mark_price", "markPrice")
    index = _price(row, instrument, "index_price", "indexPrice")
    last = _price(row, instrument, "last_price", "lastPrice")
    rate_key = _either(row, "funding_rate_e6", "fundingRateE6")
    rate = float(decimal(row, rate_key) / _E6) if present(row, rate_key) else None
    due_key = _either(row, "next_funding_time", "nextFundingTime")
    # A contract whose funding has not begun or has ended names the year 1970.
    due = (iso_us(row, due_key) or None) if present(row, due_key) else None
    held = _held(row)
    volume = _volume(row, instrument)
    if (mark, index, last, rate, due, held, volume) == (None,) * 7:
        return Ignored("empty")
    return ticker(
        raw,
        instrument,
        "instrument_info",
        time_us,
        mark=mark,
        index=index,
        last=last,
        interest=(None, None) if held is None else interest(instrument, held / interest_sides),
        funding=(rate, due),
        volume=volume,
    )


def _price(row: Row, instrument: Instrument, snake: str, camel: str) -> float | None:
    plain = _either(row, snake, camel)
    if present(row, plain):
        return index_price(row, plain, instrument)
    scaled = _either(row, f"{snake}_e4", f"{camel}E4")
    value = not_negative(row, scaled) / _E4 if present(row, scaled) else None
    return float(instrument.price_per_coin(value)) if value else None


def _held(row: Row) -> Decimal | None:
    """Open interest in the contract's unit of size."""
    plain = _either(row, "open_interest", "openInterest")
    if present(row, plain):
        return not_negative(row, plain)
    scaled = _either(row, "open_interest_e8", "openInterestE8")
    return not_negative(row, scaled) / _E8 if present(row, scaled) else None


def _volume(row: Row, instrument: Instrument) -> int | None:
    """Micro-dollars of 24 hours; the turnover of an inverse contract is in coins."""
    if instrument.contract == "inverse":
        return stated_volume(row, "volume_24h")
    scaled = _either(row, "turnover_24h_e8", "turnover24hE8")
    return micro_dollars(not_negative(row, scaled) / _E8) if present(row, scaled) else None


def _book(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    if _kind(message) == "delta":
        return [Ignored("book_delta")]
    data = given(message, "data")
    if isinstance(data, dict):
        rows = array(data, _either(data, "orderBook", "order_book"))
    else:
        rows = data_rows(message)
    topic = text(message, "topic")
    instrument = known(instruments, raw.venue, topic.rpartition(".")[2])
    sides: dict[OrderSide, list[object]] = {"buy": [], "sell": []}
    for row in rows:
        if not isinstance(row, dict):
            raise bad("wrong_type", f"a level is {shown(row)}, expected an object")
        sides[order_side(row, "side", TAKER)].append([given(row, "price"), given(row, "size")])
    bids = tuple(sorted(ladder(sides["buy"], instrument, "data"), reverse=True))
    asks = tuple(sorted(ladder(sides["sell"], instrument, "data")))
    time_us = _stamp(message)
    seq = str(message.get(_either(message, "crossSeq", "cross_seq")))[:20]
    identity = stable_id(raw.venue, instrument.symbol, topic, time_us, seq)
    return [book(raw, instrument, bids, asks, time_us, identity)]


def _depth(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    row = nested(message, "data")
    instrument = known(instruments, raw.venue, text(row, "s"))
    time_us = stamp_us(row, "t")
    bids = ladder(given(row, "b"), instrument, "b")
    asks = ladder(given(row, "a"), instrument, "a")
    identity = stable_id(raw.venue, instrument.symbol, "depth", time_us, text(row, "v"))
    return [book(raw, instrument, bids, asks, time_us, identity)]


def _quote(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    row = nested(message, "data")
    instrument = known(instruments, raw.venue, text(row, "symbol"))
    time_us = stamp_us(row, "time")
    bids = ladder([[given(row, "bidPrice"), given(row, "bidQty")]], instrument, "bidPrice")
    asks = ladder([[given(row, "askPrice"), given(row, "askQty")]], instrument, "askPrice")
    identity = stable_id(raw.venue, instrument.symbol, "bookTicker", time_us, *bids, *asks)
    return [book(raw, instrument, bids, asks, time_us, identity)]


def _kind(message: Row) -> str:
    kind = text(message, "type")
    if kind not in ("snapshot", "delta"):
        raise bad("unknown_message", f"message of type {kind[:40]!r}")
    return kind


def _stamp(message: Row) -> int:
    return stamp_us(message, _either(message, "timestampE6", "timestamp_e6"))


READERS: Final[Mapping[str, Callable[[Raw, Instruments, Row], list[Outcome]]]] = {
    "trade": _trades,
    "orderBookL2_25": _book,
    "orderBook_200": _book,
    "depth": _depth,
    "bookTicker": _quote,
}
"""Reader by a topic's first part; that of `instrument_info` is `infos`."""
