"""Whether `openInterest` counts the sides that are assumed: against `singleOpenInterest` beside it.

Beside the data path: whoever frames shows it the records. Promises a verdict on each ticker that
tells both figures above zero; corrects nothing: a contradiction calls an operator, who sets
`bybit.interest_sides` (`streams.venues.assumptions`).
"""

from typing import Final

import msgspec

from streams.core.events import Raw
from streams.core.lanes import UNREADABLE
from streams.venues.both_sides import BYBIT, Count
from streams.venues.sides import Verdict
from streams.venues.typed import Amount, Name

_ONE_SIDE: Final = b'"singleOpenInterest"'
_TOLERANCE: Final = 0.1
"""Share by which the figures may differ from their ratio: venues round."""


class _Held(msgspec.Struct, frozen=True):
    symbol: Name
    openInterest: Amount
    singleOpenInterest: Amount


class _Ticker(msgspec.Struct, frozen=True):
    data: _Held


_TICKER: Final = msgspec.json.Decoder(_Ticker, strict=False)


class InterestCheck:
    """Compares the two figures of open interest of a ticker.

    Args:
        assumed: how many sides the parser takes `openInterest` to count.
    """

    def __init__(self, assumed: Count = BYBIT.interest) -> None:
        self._assumed = assumed

    def see(self, raw: Raw) -> list[Verdict]:
        """Take a record; the verdict on a ticker that tells both figures."""
        held = _told(raw.payload)
        if held is None:
            return []
        counted = held.singleOpenInterest * self._assumed
        near = abs(held.openInterest - counted) <= counted * _TOLERANCE
        return ["agrees" if near else "contradicts"]


def told_of(payload: bytes) -> str | None:
    """The symbol of a ticker that tells both figures; None of any other message."""
    held = _told(payload)
    return None if held is None else held.symbol


def _told(payload: bytes) -> _Held | None:
    if _ONE_SIDE not in payload:
        return None
    try:
        return _TICKER.decode(payload).data
    except UNREADABLE:
        return None
