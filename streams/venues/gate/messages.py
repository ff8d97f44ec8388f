"""Every message of Gate to outcomes: pushed frames by their channel, polled answers by their rows.

Promises one outcome for each row. Knows the channels that carry nothing for us, so an unknown one
is a finding.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from streams.core.events import Ignored, Outcome, Raw, Rejected
from streams.core.instruments import Instruments
from streams.venues.fields import BadField, Row, bad, given, shown
from streams.venues.gate import forced, state, trades
from streams.venues.gate.forced import ASSUMED, Assumed
from streams.venues.gate.symbols import FUTURES, SPOT
from streams.venues.rows import each_row
from streams.venues.tape import flawless

_Reader = Callable[[Raw, Instruments, Row], list[Outcome]]

_UNUSED: Final[Mapping[str, frozenset[str]]] = {
    FUTURES: frozenset(
        {
            *("futures.candlesticks", "futures.contract_stats", "futures.liquidates"),
            *("futures.obu", "futures.auto_deleverages"),
        }
    ),
    SPOT: frozenset({"spot.candlesticks", "spot.obu"}),
}
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object] | list[object], float_hook=str)


def parse(raw: Raw, instruments: Instruments, assumed: Assumed = ASSUMED) -> list[Outcome]:
    """Outcomes of one message of `gate` or `gate-spot`.

    Args:
        raw: the record; `channel` may say nothing.
        instruments: contract sizes and classes.
        assumed: what the documentation of forced orders leaves open.

    Raises:
        msgspec.DecodeError: the payload is neither a JSON object nor an array.
    """
    lotted = raw.channel == "trade" or b'"futures.trades"' in raw.payload[:128]
    if raw.venue == FUTURES and lotted:
        found = flawless(raw, instruments, trades.LOTS, trades.TAKEN_OVER)
        if found is not None:
            return found
    message = _MESSAGE.decode(raw.payload)
    if isinstance(message, list):
        return _polled(raw, instruments, message)
    channel = message.get("channel")
    if channel is None:
        if "name" in message:
            return _polled(raw, instruments, [message])
        return [Rejected("unknown_message", "neither a channel nor a polled contract")]
    if not isinstance(channel, str):
        return [Rejected("wrong_type", f"field 'channel' is {shown(channel)}, expected a string")]
    event = message.get("event")
    if event in ("subscribe", "unsubscribe") or channel.endswith((".pong", ".ping")):
        return [Ignored("control")]
    if message.get("error") is not None:
        return [Ignored("control")]
    if channel == "futures.public_liquidates" and raw.venue == FUTURES:
        reader: _Reader | None = partial(_forced, assumed)
    else:
        reader = _READERS.get(raw.venue, {}).get(channel)
    if reader is None:
        if channel in _UNUSED.get(raw.venue, ()):
            return [Ignored("unused_channel")]
        return [Rejected("unknown_channel", f"channel {channel[:60]!r}")]
    if event not in ("update", "all"):
        return [Rejected("unknown_message", f"event {shown(event)} of channel {channel!r}")]
    try:
        return reader(raw, instruments, message)
    except BadField as error:
        return [error.outcome]


def _rows(message: Row) -> list[object]:
    """The rows of `result`: an object, an array of them, or such an array in an array."""
    result = given(message, "result")
    if isinstance(result, dict):
        return [result]
    if not isinstance(result, list):
        raise bad("wrong_type", f"field 'result' is {shown(result)}, expected rows")
    rows: list[object] = []
    for item in result:
        rows += item if isinstance(item, list) else [item]
    return rows


def _forced(assumed: Assumed, raw: Raw, instruments: Instruments, message: Row) -> list[Outcome]:
    return forced.pushed(raw, instruments, assumed, _rows(message))


def _each(
    read: Callable[[Raw, Instruments, Row], Outcome],
    raw: Raw,
    instruments: Instruments,
    message: Row,
) -> list[Outcome]:
    return each_row(_rows(message), partial(read, raw, instruments))


def _each_stamped(
    read: Callable[[Raw, Instruments, Row, Row], Outcome],
    raw: Raw,
    instruments: Instruments,
    message: Row,
) -> list[Outcome]:
    """As `_each`, for rows whose time is the message's."""
    return each_row(_rows(message), partial(read, raw, instruments, message))


def _one(
    read: Callable[[Raw, Instruments, Row], Outcome],
    raw: Raw,
    instruments: Instruments,
    message: Row,
) -> list[Outcome]:
    return [read(raw, instruments, message)]


def _polled(raw: Raw, instruments: Instruments, rows: list[object]) -> list[Outcome]:
    """Rows of REST answers, told apart by their fields."""
    seen: dict[object, int] = {}

    def read(row: Row) -> Outcome:
        if raw.venue == FUTURES and "order_price" in row:
            return forced.polled(raw, instruments, seen, row)
        if raw.venue == FUTURES and "quanto_multiplier" in row:
            return state.contract(raw, instruments, row)
        names = ", ".join(sorted(row)[:8])[:120]
        raise bad("unknown_message", f"a polled row with the fields {names or 'none'}")

    return each_row(rows, read)


_READERS: Final[Mapping[str, Mapping[str, _Reader]]] = {
    FUTURES: {
        "futures.trades": partial(_each, trades.future),
        "futures.tickers": partial(_each_stamped, state.future),
        "futures.order_book": partial(_one, state.future_book),
        "futures.order_book_update": partial(_one, state.future_book),
        "futures.book_ticker": partial(_one, state.best_quote),
    },
    SPOT: {
        "spot.trades": partial(_each, trades.spot),
        "spot.tickers": partial(_each_stamped, state.spot),
        "spot.order_book": partial(_one, state.spot_book),
        "spot.order_book_update": lambda *_: [Ignored("book_delta")],
        "spot.book_ticker": partial(_one, state.best_quote),
    },
}
