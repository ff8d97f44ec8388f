"""What must hold of every message, however spoilt.

1. `normalise` raises nothing and gives at least one outcome, each of the closed list of types and
   reasons, all of them writable as JSON.
2. Rows stand for themselves, in order: a message of several rows gives what its rows give when
   each is sent alone (ids apart, which count equal rows of one message).
3. Nothing is invented. Bytes that are no JSON (unpacked, where the venue packs) give no event. The
   symbol and price of a forced order or trade stand in the message; so do its time, unless that is
   the receipt's, and a size, or the value itself, that makes its dollars by the instrument's own
   rule (half of a size at HTX, what is left of it at Gate). Sides of order and position are
   opposite, values are finite and in range, and the venue is of the record's family.
4. Time is bounded: CPU seconds by the size of the message, `ALLOWED_S` for up to 64 KiB.
"""

import json
import math
import re
import time
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import msgspec

from streams.core.events import (
    MOST_EVENT_USD,
    MOST_VOLUME_USD,
    Book,
    Ignored,
    Liquidation,
    Outcome,
    Raw,
    Rejected,
    Ticker,
    Trade,
    decimal_or_none,
)
from streams.core.instruments import Instrument
from streams.core.normalise import FUTURE_SKEW_US, normalise
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments
from streams.venues.packed import unpacked

ALLOWED_S: Final = 0.25
RECEIVED_US: Final = 1_790_000_001_000_000
_INSTRUMENTS: Final = default_instruments()
_ROWS: Final = ("data", "details", "result", "trades", "fills", "elements", "events", "contents")
_UNITS: Final = (1, 1_000, 1_000_000, Decimal("0.001"))
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?")
_LONGEST: Final = 6
_EXPONENT: Final = 1_000
"""Numbers beyond ten to this are no price, size or time, and Decimal sums do not hold them."""


class Broken(AssertionError):
    """A message that a law does not hold for."""


def hold(condition: object, law: str) -> None:
    """Raise `Broken` unless the condition holds."""
    if not condition:
        raise Broken(law)


def outcomes_of(venue: str, payload: bytes, channel: str | None = None) -> list[Outcome]:
    """What `normalise` makes of the payload."""
    return normalise(Raw(venue, channel, "c", RECEIVED_US, payload), PARSERS, _INSTRUMENTS)


def judge(venue: str, payload: bytes, channel: str | None, rows_too: bool) -> tuple[float, int]:
    """Hold a message to the laws; CPU seconds it took, and how many events came of it.

    Raises:
        Broken: a law does not hold.
    """
    began = time.process_time()
    outcomes = outcomes_of(venue, payload, channel)
    spent = time.process_time() - began
    hold(spent < ALLOWED_S * max(1, len(payload) / 65_536), f"4: {spent:.3f} s")
    hold(outcomes, "1: no outcome")
    again = msgspec.json.decode(msgspec.json.encode(outcomes), type=list[Outcome])
    hold(len(again) == len(outcomes), "1: outcomes do not survive being written")
    events = [one for one in outcomes if not isinstance(one, Rejected | Ignored)]
    if not events and not rows_too:
        return spent, 0
    message = _decoded(venue, payload)
    if message is None:
        hold(not events, "3: an event of bytes that are no JSON")
        return spent, 0
    if events:
        _provenance(venue, events, _Told(message))
    if rows_too:
        _in_order(venue, message)
    return spent, len(events)


def _decoded(venue: str, payload: bytes) -> Any:
    if venue == "htx":
        text = unpacked(payload)
        if isinstance(text, Rejected):
            return None
        payload = text
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


class _Told:
    """Texts and numbers that a message holds, keys among them."""

    def __init__(self, message: Any) -> None:
        self.texts: set[str] = set()
        self.numbers: set[Decimal] = set()
        for value in _leaves(message):
            if isinstance(value, str):
                self.texts.add(value)
            number = decimal_or_none(value)
            if number is not None and -_EXPONENT < number.adjusted() < _EXPONENT:
                self.numbers.add(abs(number))

    def symbol(self, symbol: str) -> bool:
        return symbol in self.texts or any(symbol in text for text in self.texts)

    def stamp(self, time_us: int) -> bool:
        if time_us == RECEIVED_US:
            return True
        for number in self.numbers:
            if any(abs(number * unit - time_us) < 1 for unit in _UNITS):
                return True
        return any(abs(stamp - time_us) < 2 for stamp in map(_iso_us, self.texts))

    def price(self, price: float, instrument: Instrument) -> bool:
        units = instrument.coins_per_unit
        return any(math.isclose(number / units, price, rel_tol=1e-12) for number in self.numbers)

    def dollars(self, usd: int, price: float, instrument: Instrument) -> bool:
        paid = Decimal(str(price)) * instrument.coins_per_unit
        for size in self._sizes(instrument.venue):
            if abs(size * 1_000_000 - usd) <= 1:
                return True
            if size and math.isclose(_usd(instrument, size, paid), usd, rel_tol=1e-9, abs_tol=1):
                return True
        return False

    def _sizes(self, venue: str) -> Iterator[Decimal]:
        yield from self.numbers
        if venue == "htx":
            yield from (number / 2 for number in self.numbers)
        if venue == "gate":
            yield from (one - other for one in self.numbers for other in self.numbers)


def _iso_us(text: str) -> float:
    """The time (us) that a text holds; NaN when it is none."""
    found = _ISO.search(text)
    try:
        return datetime.fromisoformat(f"{found[0]}+00:00").timestamp() * 1e6 if found else math.nan
    except ValueError:
        return math.nan


def _usd(instrument: Instrument, size: Decimal, price: Decimal) -> float:
    value = size * instrument.contract_size
    return float(value if instrument.in_dollars else value * price) * 1e6


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _provenance(venue: str, events: list[Any], told: _Told) -> None:
    for event in events:
        hold(event.venue.partition("-")[0] == venue.partition("-")[0], f"3: venue {event.venue!r}")
        instrument = _INSTRUMENTS.resolve(event.venue, event.symbol)
        hold(told.symbol(event.symbol), f"3: symbol {event.symbol!r} is not in the message")
        hold(event.event_time_us <= RECEIVED_US + FUTURE_SKEW_US, "3: after the receipt")
        hold(told.stamp(event.event_time_us), f"3: time {event.event_time_us} is not in it")
        hold(event.received_at_us == RECEIVED_US and event.id, "3: receipt or id")
        if isinstance(event, Liquidation | Trade):
            hold(instrument is not None, f"3: {event.symbol!r} has no instrument")
            assert instrument is not None
            _an_order(event, instrument, told)
        elif isinstance(event, Ticker):
            values = (event.mark_price, event.index_price, event.last_price, event.funding_rate)
            hold(all(map(math.isfinite, filter(None, values))), "3: a ticker's value")
            hold(0 <= (event.volume_24h_usd or 0) < MOST_VOLUME_USD, "3: a ticker's volume")
        elif isinstance(event, Book):
            levels = (*event.bids, *event.asks)
            hold(all(price > 0 and size > 0 for price, size in levels), "3: a level")
            hold(all(a[0] < b[0] for a, b in pairwise(event.asks)), "3: order of levels")


def _an_order(event: Liquidation | Trade, instrument: Instrument, told: _Told) -> None:
    hold((event.asset, event.contract) == (instrument.asset, instrument.contract), "3: instrument")
    hold(0 <= event.usd < MOST_EVENT_USD, f"3: {event.usd} micro-dollars")
    hold(told.price(event.price, instrument), f"3: price {event.price} is not in the message")
    coins = event.base_qty
    hold(coins is None or (math.isfinite(coins) and coins > 0), f"3: {coins} coins")
    if isinstance(event, Liquidation):
        sides = {"long": "sell", "short": "buy"}
        hold(event.order_side == sides[event.position_side], "3: sides")
    elif coins is not None and instrument.venue == "bitmex":
        return  # A trade states its dollars, `foreignNotional`, or they follow from coins.
    hold(told.dollars(event.usd, event.price, instrument), f"3: {event.usd} is not in the message")


def _told_of(outcome: Outcome) -> object:
    """What must be equal of an outcome whether its row came alone or among others."""
    if isinstance(outcome, Rejected | Ignored):
        return outcome.reason
    return msgspec.structs.replace(outcome, id="")


def _alike(one: object, other: object) -> bool:
    """Whether two are equal; trades but for the last digit that their two paths may round apart."""
    if not (isinstance(one, Trade) and isinstance(other, Trade)):
        return one == other
    near = (
        math.isclose(one.price, other.price, rel_tol=1e-14)
        and math.isclose(one.base_qty, other.base_qty, rel_tol=1e-14)
        and math.isclose(one.usd, other.usd, rel_tol=1e-14, abs_tol=1)
    )
    return near and one == msgspec.structs.replace(
        other, price=one.price, base_qty=one.base_qty, usd=one.usd
    )


def _row_lists(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Ways to lists of rows that hold two to `_LONGEST` objects."""
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key in _ROWS and isinstance(inner, list) and 2 <= len(inner) <= _LONGEST:
            if all(isinstance(row, dict) for row in inner):
                yield (*way, key), len(inner)
        elif isinstance(inner, dict) and len(way) < 3:
            yield from _row_lists(inner, (*way, key))


def _with_row(message: Any, way: tuple[Any, ...], at: int) -> Any:
    key, *rest = way
    inner = [message[key][at]] if not rest else _with_row(message[key], tuple(rest), at)
    return {**message, key: inner}


def _in_order(venue: str, message: Any) -> None:
    """Law 2, of the only list of rows; a message refused as a whole has no rows."""
    lists = [*_row_lists(message)]
    if len(lists) != 1:
        return
    ((way, count),) = lists
    whole = outcomes_of(venue, json.dumps(message).encode())
    if len(whole) == 1:
        return
    alone = [
        _told_of(outcome)
        for at in range(count)
        for outcome in outcomes_of(venue, json.dumps(_with_row(message, way, at)).encode())
    ]
    hold(len(whole) == len(alone), f"2: number of rows of {way}")
    hold(all(map(_alike, map(_told_of, whole), alone)), f"2: rows of {way}")
