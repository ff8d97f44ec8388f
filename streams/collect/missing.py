"""Numbers that a venue's messages skip: what was lost on the way to this connection.

Beside `sifting`, for venues that number what they send. Promises to call nothing missing that
comes again or out of order, and to begin anew with each connection. Asks for nothing again.
"""

from typing import Final

import msgspec

from streams.venues.numbering import Numbering, Numbers

MOST_TOLD: Final = 5
"""Gaps that one status names; of more it says how many."""


class Missing:
    """The numbers of one connection so far."""

    def __init__(self, numbering: Numbering) -> None:
        """`numbering`: the endpoint's."""
        self.channels = numbering.channels
        self._read = numbering.read
        self._last: dict[str, Numbers] = {}
        self._gaps: list[str] = []
        self._count = 0

    def take(self, message: bytes) -> None:
        """Look at a message's numbers; one that cannot be read has none."""
        try:
            found = self._read(message)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        for numbers in found:
            self._follow(numbers)

    def told(self) -> str:
        """What is missing since the last call, empty if nothing is."""
        more = self._count - len(self._gaps)
        words = [*self._gaps, f"{more} gaps more"] if more else self._gaps
        self._gaps, self._count = [], 0
        return "missing: " + ", ".join(words) if words else ""

    def _follow(self, numbers: Numbers) -> None:
        last = self._last.get(numbers.row)
        if last is not None and numbers.last <= last.last:
            return
        self._last[numbers.row] = numbers
        if last is None or numbers.first <= last.last + 1:
            return
        if last.message is not None and numbers.message == last.message + 1:
            return
        self._count += 1
        if len(self._gaps) < MOST_TOLD:
            self._gaps.append(f"{numbers.row} {last.last + 1}-{numbers.first - 1}")
