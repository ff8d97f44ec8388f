"""Every message of the three Binance families to outcomes, row by row.

Dispatches on the message itself, never on the channel a collector named, except where the
message does not say what it is (see `state.depth_update`). Promises one outcome for each row,
and that a bad row costs its neighbours nothing; knows the list of streams that carry nothing
for us, so an unknown message is a finding.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from streams.core.events import Ignored, Outcome, Raw, Rejected
from streams.core.instruments import Instruments
from streams.venues.binance import books, state
from streams.venues.binance.forced import force_order
from streams.venues.binance.trades import print_row, quick
from streams.venues.fields import BadField, Row, shown

_Handler = Callable[[Raw, Instruments, Row], Outcome]

_TICKERS: Final[Mapping[str, _Handler]] = {
    "markPriceUpdate": state.mark_price,
    "24hrTicker": state.day_ticker,
    "bookTicker": state.best_quote,
}
_PRINT_IDS: Final = {"aggTrade": "a", "trade": "t"}
_UNUSED: Final = frozenset({
    "1dTicker", "1hTicker", "24hrMiniTicker", "4hTicker", "assetIndexUpdate", "avgPrice",
    "blockTrade", "compositeIndex", "continuous_kline", "contractInfo", "indexPriceUpdate",
    "indexPrice_kline", "kline", "markPrice_kline", "tradingSession",
})  # fmt: skip
_CONTROL: Final = frozenset({"serverShutdown", "eventStreamTerminated"})
_REPLIES: Final = ("result", "error", "code", "method")
_SPOT_QUOTE: Final = frozenset("usbBaA")


def parse(raw: Raw, instruments: Instruments) -> list[Outcome]:
    """Outcomes of one message of `binance-usdm`, `binance-coinm` or `binance-spot`.

    Args:
        raw: the record; `channel` and `connection` may say nothing.
        instruments: contract sizes and classes.

    Returns:
        One outcome for each row, at least one.

    Raises:
        msgspec.MsgspecError: the payload is not JSON (the caller names the reason).
    """
    payload = raw.payload
    if raw.channel == "trade" or b'rade"' in payload[:64]:
        outcomes = quick(raw, instruments)
        if outcomes is not None:
            return outcomes
    if raw.channel == "book" or b"@depth" in payload[:64]:
        outcomes = books.quick(raw, instruments)
        if outcomes is not None:
            return outcomes
    message = msgspec.json.decode(payload)
    stream: str | None = None
    if isinstance(message, dict) and "data" in message and isinstance(message.get("stream"), str):
        stream = message["stream"]
        message = message["data"]
    rows = message if isinstance(message, list) else [message]
    if not rows:
        return [Ignored("empty")]
    seen: dict[object, int] = {}
    return [_outcome(raw, instruments, row, stream, seen) for row in rows]


def _outcome(
    raw: Raw,
    instruments: Instruments,
    row: object,
    stream: str | None,
    seen: dict[object, int],
) -> Outcome:
    if not isinstance(row, dict):
        return Rejected("wrong_type", f"message or row is {shown(row)}, expected an object")
    event = row.get("e")
    try:
        if event is None:
            return _unnamed(raw, instruments, row, stream)
        if event == "forceOrder":
            return force_order(raw, instruments, row, seen)
        if event == "depthUpdate":
            return state.depth_update(raw, instruments, row, stream)
        if not isinstance(event, str):
            return Rejected("wrong_type", f"field 'e' is {shown(event)}, expected an event name")
        if event in _PRINT_IDS:
            return print_row(raw, instruments, row, _PRINT_IDS[event])
        if event in _TICKERS:
            return _TICKERS[event](raw, instruments, row)
    except BadField as field:
        return field.outcome
    if event in _UNUSED:
        return Ignored("unused_channel")
    if event in _CONTROL:
        return Ignored("control")
    return Rejected("unknown_message", f"event {event[:40]!r} is not known")


def _unnamed(raw: Raw, instruments: Instruments, row: Row, stream: str | None) -> Outcome:
    """Rows without an event name: REST answers, spot books and quotes, replies to requests."""
    if "openInterest" in row and "symbol" in row:
        return state.open_interest(raw, instruments, row)
    if "markPrice" in row and "symbol" in row:
        return state.premium_index(raw, instruments, row)
    if "fundingIntervalHours" in row:
        return state.funding_info(raw, instruments, row)
    if "lastUpdateId" in row:
        return state.depth_snapshot(raw, instruments, row, stream)
    if row.keys() >= _SPOT_QUOTE:
        return state.best_quote(raw, instruments, row)
    if any(key in row for key in _REPLIES):
        return Ignored("control")
    names = ", ".join(sorted(row)[:8])[:120]
    return Rejected("unknown_message", f"no event name; fields {names or 'none'}")
