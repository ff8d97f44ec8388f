"""Trades of an open second: one by one, or as a lot of decoded rows without an event for each.

Part of the open seconds (`buckets`). Promises int64 sums, each trade counted once by its id, first
and last decided by (event time, id), bought, sold and unsided dollars apart, and that a lot gives
the tape that its trades would have given one by one. Does not judge a row: `lanes` takes only
flawless ones.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from math import inf
from typing import Final, Protocol

import msgspec

from streams.core.events import PRICE_RANGE, Contract, OrderSide, Trade

Key = tuple[str, str]
"""(venue, symbol)"""

Mark = int | str
"""A trade's id as a tape remembers it: a number at venues that number their trades."""

MOST_USD: Final = 2**51
"""Micro-dollars of a lot (2.2e9 USD); a lot of more goes one by one."""

_MOST_DIGITS: Final = 18

_ROUND: Final = 1.5 * 2**52
"""Adding and taking this away rounds a float below 2**51 half to even, at a third of `round`."""


class TradeRow(Protocol):
    """A trade as a venue's typed decoder gives it; `time` in ms, size in the venue's unit.

    `side` is one of two objects that the venue's `TradeFormat` names.
    """

    symbol: str
    id: int | str
    price: float
    size: float
    time: int
    side: object


class Terms(msgspec.Struct, frozen=True):
    """What a symbol's rows are worth: `scale` turns price x size (inverse: size) to micro-dollars.

    `coins` is how many coins the price is of.
    """

    asset: str
    contract: Contract
    scale: float
    coins: int


class Tape(msgspec.Struct, gc=False, omit_defaults=True):
    """Trades of one (venue, symbol) in an open second; ids dedupe redundant connections.

    `unsided`: micro-dollars by mark of the trades whose side is unknown; None without any.
    """

    contract: Contract
    ids: set[Mark]
    buy_usd: int
    sell_usd: int
    high: float
    low: float
    first_us: int
    first_id: str
    open: float
    last_us: int
    last_id: str
    close: float
    unsided: dict[Mark, int] | None = None


def add_trade(tapes: dict[Key, Tape], event: Trade, *, numbered: bool) -> bool:
    """Add one trade to its tape; False when its id is already there.

    A copy that tells the side which the trade on the tape lacks puts its dollars there: which of
    the two came first must not matter.

    `numbered`: the venue numbers its trades, and its tapes remember numbers.
    """
    key = (event.venue, event.symbol)
    # An archive may name what its venue numbers; a longer number would not fit a checkpoint.
    counted = numbered and event.id.isdecimal() and len(event.id) <= _MOST_DIGITS
    mark = int(event.id) if counted else event.id
    tape = tapes.get(key)
    side = event.taker_side
    if tape is not None and mark in tape.ids:
        if side != "unknown" and tape.unsided and mark in tape.unsided:
            _tell(tape, mark, side, event.usd)
        return False
    price, when = event.price, event.event_time_us
    merge(
        tapes,
        Tape(
            event.contract,
            {mark},
            event.usd if side == "buy" else 0,
            event.usd if side == "sell" else 0,
            price,
            price,
            when,
            event.id,
            price,
            when,
            event.id,
            price,
            {mark: event.usd} if side == "unknown" else None,
        ),
        key,
    )
    return True


def _tell(tape: Tape, mark: Mark, side: OrderSide, usd: int) -> None:
    """Count a trade of unknown side to the side that its copy tells, with the copy's dollars.

    The copy may have been rounded on the path in lots, and then differ in the last digit.
    """
    unsided = tape.unsided or {}
    del unsided[mark]
    if side == "buy":
        tape.buy_usd += usd
    else:
        tape.sell_usd += usd
    if not unsided:
        tape.unsided = None


def unsided_usd(tape: Tape) -> int:
    """Micro-dollars of the tape's trades whose side is unknown."""
    return sum(tape.unsided.values()) if tape.unsided else 0


def tally(
    rows: Sequence[TradeRow],
    second: int,
    known: AbstractSet[Mark],
    terms: Terms,
    buy: object,
    sell: object,
) -> Tape | None:
    """The tape of a symbol's rows of one second, of those that are not on its tape yet.

    Args:
        rows: of the symbol, at least one.
        second: theirs (s).
        known: marks of the trades to leave out.
        terms: of the symbol.
        buy: the side of a buying taker.
        sell: the side of a selling one.

    Returns:
        A tape, without ids when nothing is new; None when a row is of another second or side, or
        the dollars reach `MOST_USD`, or a price lies outside `PRICE_RANGE`.
    """
    marks: set[Mark] = {row.id for row in rows}
    scale, inverse, begin = terms.scale, terms.contract == "inverse", second * 1000
    # Dollars as whole floats, which sum exactly up to 2**53.
    bought = sold = high = 0.0
    low, first, last = inf, begin + 1000, begin - 1
    for row in rows:
        price = row.price
        time = row.time
        usd = (row.size if inverse else price * row.size) * scale + _ROUND - _ROUND
        if row.side is sell:
            sold += usd
        elif row.side is buy:
            bought += usd
        else:
            return None
        if price > high:
            high = price
        if price < low:
            low = price
        if time > last:
            last = time
        if time < first:
            first = time
    if bought + sold >= MOST_USD or first < begin or last >= begin + 1000:
        return None
    if len(marks) < len(rows) or not marks.isdisjoint(known):
        fresh = {row.id: row for row in reversed(rows) if row.id not in known}
        if len(fresh) < len(rows):
            if fresh:
                return tally([*fresh.values()], second, frozenset(), terms, buy, sell)
            marks = set()
    first_id, opened = min([(str(row.id), row.price) for row in rows if row.time == first])
    last_id, closed = max([(str(row.id), row.price) for row in rows if row.time == last])
    coins = terms.coins
    high, low = high / coins, low / coins
    if not PRICE_RANGE[0] < low <= high < PRICE_RANGE[1]:
        return None
    return Tape(
        terms.contract,
        marks,
        int(bought),
        int(sold),
        high,
        low,
        first * 1000,
        first_id,
        opened / coins,
        last * 1000,
        last_id,
        closed / coins,
    )


def merge(tapes: dict[Key, Tape], news: Tape, key: Key) -> None:
    """Put trades that the tape does not have onto it."""
    tape = tapes.get(key)
    if tape is None:
        tapes[key] = news
        return
    tape.ids |= news.ids
    tape.buy_usd += news.buy_usd
    tape.sell_usd += news.sell_usd
    if news.unsided:
        tape.unsided = {**(tape.unsided or {}), **news.unsided}
    tape.high = max(tape.high, news.high)
    tape.low = min(tape.low, news.low)
    if (news.last_us, news.last_id) > (tape.last_us, tape.last_id):
        tape.last_us, tape.last_id, tape.close = news.last_us, news.last_id, news.close
    if (news.first_us, news.first_id) < (tape.first_us, tape.first_id):
        tape.first_us, tape.first_id, tape.open = news.first_us, news.first_id, news.open
