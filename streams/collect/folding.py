"""Delta books folded into full ones, in the venue's own message.

Beside `sifting`, for venues that send a snapshot and then changes (`streams.venues.book_changes`).
Promises the best 20 levels of each side, and to say when a book cannot be right (a change came
twice, out of order or not at all, best prices cross), so that the connection is renewed; it is not
told until the next snapshot. Of levels that cross where a venue's books may, the older is not told.
"""

from collections.abc import Sequence
from heapq import nlargest, nsmallest
from typing import Final

import msgspec

from streams.venues.book_changes import Change, Changes, Pair, Written

LEVELS: Final = 20


class _Level(msgspec.Struct, frozen=True, gc=False):
    """Price and size as the venue wrote them, and the number of the change that set it."""

    price: Written
    size: Written
    number: int


_Side = dict[float, _Level]


class _Sides:
    def __init__(self) -> None:
        self.bids: _Side = {}
        self.asks: _Side = {}

    def change(self, change: Change) -> None:
        """Set levels; those without size go.

        Raises:
            ValueError: a price or a size is no number.
        """
        for levels, changes in ((self.bids, change.bids), (self.asks, change.asks)):
            for price, size in changes:
                if float(size) == 0:
                    levels.pop(float(price), None)
                else:
                    levels[float(price)] = _Level(price, size, change.number or 0)


class Fold:
    """The books of one connection, by the name that the venue's messages give them."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._sides: dict[str, _Sides] = {}
        self._last: dict[str, Change] = {}
        self._changed: dict[str, int] = {}
        self._torn = False

    def take(self, payload: bytes, received_us: int) -> bool:
        """Fold a message; False when it is no message of a book, or none that can be read."""
        try:
            change = self._changes.read(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return False
        if change is None:
            return False
        book = change.book
        if change.whole:
            self._sides[book] = _Sides()
        elif book not in self._sides:
            return True
        elif not _follows(change, self._last[book]):
            self.spoil(book)
            return True
        try:
            self._sides[book].change(change)
        except ValueError:
            self.spoil(book)
            return False
        self._last[book] = change
        self._changed[book] = received_us
        return True

    def spoil(self, book: str) -> None:
        """A book cannot be right: it is not told until its next snapshot."""
        self._sides.pop(book, None)
        self._changed.pop(book, None)
        self._torn = True

    def spoil_all(self) -> None:
        """Any of the books may lack a change."""
        for book in [*self._sides]:
            self.spoil(book)

    def full(self) -> list[tuple[str, bytes, int]]:
        """(book, message, received) of each book that has changed since the last call."""
        told = [(book, self._message(book), at_us) for book, at_us in self._changed.items()]
        self._changed.clear()
        return told

    def torn(self) -> bool:
        """Whether some book missed a change since the last call."""
        torn, self._torn = self._torn, False
        return torn

    def _message(self, book: str) -> bytes:
        sides = self._sides[book]
        bids, asks = _ranked(sides.bids, sides.asks, None if self._changes.crossing else LEVELS)
        if self._changes.crossing:
            bids, asks = _uncrossed(bids, asks)
        told = self._changes.tell(self._last[book], _best(bids), _best(asks))
        return msgspec.json.encode(told)


def _follows(change: Change, last: Change) -> bool:
    """Whether a change is the next one, or a later one where the venue leaves numbers out."""
    if change.number is None or last.number is None:
        return True
    return change.number > last.number and change.after in (None, last.number)


_Ranked = list[tuple[float, _Level]]


def _ranked(bids: _Side, asks: _Side, levels: int | None) -> tuple[_Ranked, _Ranked]:
    """Both sides, best first; a full book of Coinbase has tens of thousands of levels."""
    if levels is None:
        return sorted(bids.items(), reverse=True), sorted(asks.items())
    return nlargest(levels, bids.items()), nsmallest(levels, asks.items())


def _uncrossed(bids: _Ranked, asks: _Ranked) -> tuple[_Ranked, _Ranked]:
    """Both sides, best first, without the older of any two levels that cross.

    Of two set by one message neither is believed.
    """
    bid = ask = 0
    while bid < len(bids) and ask < len(asks) and bids[bid][0] >= asks[ask][0]:
        held, offered = bids[bid][1].number, asks[ask][1].number
        bid += held <= offered
        ask += offered <= held
    return bids[bid:], asks[ask:]


def _best(ranked: _Ranked) -> Sequence[Pair]:
    return [(level.price, level.size) for _, level in ranked[:LEVELS]]
