"""Whether the assumed side of Coinbase's Advanced feed holds: against the Exchange feed's.

Beside the data path: the framer shows it what it frames. The Exchange feed tells the maker's side
of a trade; the same trade on the Advanced feed tells whose side that one states. Promises a verdict
on each trade that both told, as far as it remembers; without both feeds it says nothing.
"""

from typing import Any, Final, Literal

import msgspec

from streams.core.events import Raw
from streams.core.lanes import UNREADABLE
from streams.venues.coinbase import ADVANCED_SIDE, Party
from streams.venues.sides import Verdict

_MATCH: Final = b'match"'
_TRADES: Final = b'"market_trades"'
_HEAD: Final = 256
_MOST_KEPT: Final = 10_000

_Feed = Literal["exchange", "advanced"]
_Told = tuple[_Feed, str, str, str]
"""Feed, product, trade id and side in small letters."""


class _Match(msgspec.Struct, frozen=True):
    type: Literal["match", "last_match"]
    trade_id: int
    product_id: str
    side: Literal["buy", "sell"]


class _Trade(msgspec.Struct, frozen=True):
    trade_id: int
    product_id: str
    side: Literal["BUY", "SELL"]


class _Event(msgspec.Struct, frozen=True):
    trades: list[_Trade]
    type: Any = None


class _Trades(msgspec.Struct, frozen=True):
    channel: Literal["market_trades"]
    events: list[_Event]


_read_match = msgspec.json.Decoder(_Match, strict=False).decode
_read_trades = msgspec.json.Decoder(_Trades, strict=False).decode


class AdvancedSideCheck:
    """Compares the sides of trades that the Exchange feed and the Advanced feed both told.

    Args:
        assumed: whose side the parser takes the Advanced feed's for.
    """

    def __init__(self, assumed: Party = ADVANCED_SIDE) -> None:
        self._assumed = assumed
        self._waiting: dict[tuple[str, str], tuple[_Feed, str]] = {}

    def see(self, raw: Raw) -> list[Verdict]:
        """Take a record; the verdicts on those of its trades that the other feed told before."""
        head = raw.payload[:_HEAD]
        if _MATCH not in head and _TRADES not in head:
            return []
        return [verdict for told in _told(raw.payload) for verdict in self._met(*told)]

    def _met(self, feed: _Feed, product: str, trade: str, side: str) -> list[Verdict]:
        other = self._waiting.get((product, trade))
        if other is None:
            self._waiting[product, trade] = feed, side
            if len(self._waiting) > _MOST_KEPT:
                del self._waiting[next(iter(self._waiting))]
            return []
        if other[0] == feed:
            return []
        del self._waiting[product, trade]
        makers = other[1] == side
        return ["agrees" if makers == (self._assumed == "maker") else "contradicts"]


def _told(payload: bytes) -> list[_Told]:
    """The trades of a message of either feed; none of any other."""
    try:
        match = _read_match(payload)
        return [("exchange", match.product_id, str(match.trade_id), match.side)]
    except UNREADABLE:
        pass
    try:
        events = _read_trades(payload).events
    except UNREADABLE:
        return []
    return [
        ("advanced", row.product_id, str(row.trade_id), row.side.lower())
        for event in events
        for row in event.trades
    ]
