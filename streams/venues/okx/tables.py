"""Tables of OKX's v3 API, retired in 2021, which archives hold: `swap/trade`, `futures/ticker`.

Promises what v5 would have given: sizes in coins by the contract values of the instrument table,
forced orders as a sample, books of snapshots only. Keeps one contract value a symbol, not what it
was in 2019.

| kind            | what it is                                                                 |
|-----------------|----------------------------------------------------------------------------|
| trade           | `side` is the taker's; contracts in `size`, of futures in `qty`            |
| liquidation     | answers that a recorder polled: `type` 3 closed a long, 4 a short; `price` |
|                 | is the order's                                                             |
| ticker          | `last`, and `open_interest` in contracts; of an index its price; volume of |
|                 | 24 hours spot `quote_volume_24h` dollars, else `volume_24h` contracts,     |
|                 | those of coins at `last`                                                   |
| funding_rate    | `funding_rate` is due at `funding_time`; no stamp, so that of its receipt  |
| mark_price      | `mark_price`                                                               |
| depth,          | `action` partial is a whole book, update a delta, which is left out;       |
| depth_l2_tbt    | [price, size, forced orders, orders] a level                               |
| depth5          | each message a whole book                                                  |

The market before the slash (spot, swap, futures, index) only repeats what the symbol says. Times
are ISO 8601. Answers repeat themselves: forced orders older than ten minutes at their receipt are
ignored as `replayed`. Options are not used.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from streams.core.events import Ignored, OrderSide, Outcome, Raw, Rejected, stable_id
from streams.core.instruments import Instruments
from streams.venues.fields import (
    BadField,
    Row,
    bad,
    given,
    id_text,
    iso_us,
    not_negative,
    positive,
    present,
    real,
    shown,
    text,
)
from streams.venues.quotes import book, interest, stated_volume, ticker, valued_volume
from streams.venues.rows import (
    PLAIN_SIDES,
    data_rows,
    each_row,
    known,
    ladder,
    order_side,
    price,
    taker_side,
)
from streams.venues.tape import forced, replayed, trade

_MARKETS: Final = ("spot", "swap", "futures", "index")
_CLOSING: Final[Mapping[str, OrderSide]] = {"3": "sell", "4": "buy"}
_UNUSED: Final = frozenset({"price_range", "estimated_price", "instruments"})
_CANDLE: Final = "candle"


def parse(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    """Outcomes of one message that names a table."""
    try:
        table = text(message, "table")
        market, _, kind = table.partition("/")
        reader = _READERS.get(kind) if market in _MARKETS else None
        if reader is not None:
            return reader(raw, instruments, message)
    except BadField as error:
        return [error.outcome]
    if market == "option" or kind in _UNUSED or kind.startswith(_CANDLE):
        return [Ignored("unused_channel")]
    return [Rejected("unknown_channel", f"table {table[:60]!r}")]


def _trades(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    return each_row(data_rows(message), partial(_trade, raw, instruments))


def _trade(raw: Raw, instruments: Instruments, row: Row) -> Outcome:
    side = taker_side(row, "side", PLAIN_SIDES)
    size = positive(row, "qty" if present(row, "qty") else "size")
    paid, time_us = positive(row, "price"), iso_us(row, "timestamp")
    instrument = known(instruments, raw.venue, text(row, "instrument_id"))
    return trade(raw, instrument, side, size, paid, time_us, id_text(row, "trade_id"))


def _liquidations(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    seen: dict[object, int] = {}
    return each_row(data_rows(message), partial(_liquidation, raw, instruments, seen))


def _liquidation(raw: Raw, instruments: Instruments, seen: dict[object, int], row: Row) -> Outcome:
    side = order_side({"type": id_text(row, "type")}, "type", _CLOSING)
    size, asked = positive(row, "size"), positive(row, "price")
    time_us = iso_us(row, "created_at")
    if replayed(raw, time_us):
        return Ignored("replayed")
    instrument = known(instruments, raw.venue, text(row, "instrument_id"))
    return forced(raw, instrument, side, size, asked, time_us, "sampled", seen, "order")


def _ticker(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    index = text(message, "table").startswith("index/")

    def read(row: Row) -> Outcome:
        instrument = known(instruments, raw.venue, text(row, "instrument_id"))
        value, time_us = price(row, "last", instrument), iso_us(row, "timestamp")
        if index:
            return ticker(raw, instrument, "index", time_us, index=value)
        held = not_negative(row, "open_interest") if present(row, "open_interest") else None
        amount = (None, None) if held is None else interest(instrument, held)
        if instrument.contract == "spot":
            volume = stated_volume(row, "quote_volume_24h")
        else:
            volume = valued_volume(row, "volume_24h", instrument, "last")
        return ticker(
            raw, instrument, "ticker", time_us, last=value, interest=amount, volume=volume
        )

    return each_row(data_rows(message), read)


def _mark(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    def read(row: Row) -> Outcome:
        instrument = known(instruments, raw.venue, text(row, "instrument_id"))
        mark = price(row, "mark_price", instrument)
        return ticker(raw, instrument, "mark", iso_us(row, "timestamp"), mark=mark)

    return each_row(data_rows(message), read)


def _funding(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    def read(row: Row) -> Outcome:
        instrument = known(instruments, raw.venue, text(row, "instrument_id"))
        due = (real(row, "funding_rate"), iso_us(row, "funding_time"))
        return ticker(raw, instrument, "funding", raw.received_at_us, funding=due)

    return each_row(data_rows(message), read)


def _books(raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    action = message.get("action", "partial")
    if action == "update":
        return [Ignored("book_delta")]
    if action != "partial":
        raise bad("unknown_message", f"a book with the action {shown(action)}")
    table = text(message, "table")

    def read(row: Row) -> Outcome:
        instrument = known(instruments, raw.venue, text(row, "instrument_id"))
        time_us = iso_us(row, "timestamp")
        bids = ladder(given(row, "bids"), instrument, "bids")
        asks = ladder(given(row, "asks"), instrument, "asks")
        check = str(row.get("checksum"))[:20]
        identity = stable_id(raw.venue, instrument.symbol, table, time_us, check)
        return book(raw, instrument, bids, asks, time_us, identity)

    return each_row(data_rows(message), read)


_READERS: Final[Mapping[str, Callable[[Raw, Instruments, Row], list[Outcome]]]] = {
    "trade": _trades,
    "liquidation": _liquidations,
    "ticker": _ticker,
    "mark_price": _mark,
    "funding_rate": _funding,
    **dict.fromkeys(("depth", "depth5", "depth_l2_tbt"), _books),
}
