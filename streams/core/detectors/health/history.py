"""What the measures behind market health were before: one reading per stretch, two bytes each.

Part of `health`. Promises memory bounded by the length of the history (12 measures of 540 readings
are 13 kB), ranks that depend on the kept readings only, and order: codes of two values compare as
the values do, down to eight significant bits, below which they tie.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import groupby
from struct import pack, unpack

import msgspec

ABSENT = 0xFFFF
_LARGEST = 3.3e38


def code(value: float) -> int:
    """A value as 16 bits that order as the values do; finite values only.

    >>> code(-2.0) < code(-1.0) < code(0.0) < code(1e-9) < code(0.25) < code(1e300) < ABSENT
    True
    >>> code(100.0) == code(100.1), code(100.0) == code(101.0)
    (True, False)
    """
    bits: int = unpack(">I", pack(">f", max(-_LARGEST, min(_LARGEST, value)) + 0.0))[0]
    return (0xFFFFFFFF - bits if bits >> 31 else bits | 0x80000000) >> 16


class Stored(msgspec.Struct):
    """History as a checkpoint keeps it: little-endian integers.

    `slots`: stretches, ascending, 4 bytes; `basket_of`: each one's index in `baskets`, 2 bytes;
    `columns`: codes by measure, 2 bytes, ABSENT where it was unknown.
    """

    slots: bytes = b""
    baskets: list[str] = []
    basket_of: bytes = b""
    columns: dict[str, bytes] = {}


class History:
    """Readings of some measures, one row a stretch (`slot` = second // length of a stretch).

    Those in `compared` may be compared only within one basket of venues.
    """

    def __init__(self, measures: tuple[str, ...], compared: frozenset[str]) -> None:
        self.measures = measures
        self.compared = compared
        self.slots = array("I")
        self.baskets: list[str] = []
        self.basket_of = array("H")
        self.columns = {name: array("H") for name in measures}
        self.sorted: dict[str, array[int]] = {}
        self.ranked_for: str | None = None

    @property
    def newest(self) -> int:
        """The newest slot; -1 without any."""
        return self.slots[-1] if self.slots else -1

    def add(self, slot: int, basket: str, values: Mapping[str, float], oldest: int) -> None:
        """Append the readings of a slot after `newest`; forget slots before `oldest`."""
        if basket not in self.baskets:
            self.baskets.append(basket)
        self.slots.append(slot)
        self.basket_of.append(self.baskets.index(basket))
        for name, column in self.columns.items():
            column.append(code(values[name]) if name in values else ABSENT)
        past = bisect_left(self.slots, oldest)
        if past:
            del self.slots[:past], self.basket_of[:past]
            for column in self.columns.values():
                del column[:past]
            self._drop_baskets()
        self.ranked_for = None

    def _drop_baskets(self) -> None:
        used = sorted(set(self.basket_of))
        if len(used) < len(self.baskets):
            self.baskets = [self.baskets[index] for index in used]
            self.basket_of = array("H", [used.index(index) for index in self.basket_of])

    def rank_within(self, basket: str) -> bool:
        """Sort the readings comparable with `basket`; False when that has been done already."""
        if self.ranked_for == basket:
            return False
        own = self.baskets.index(basket) if basket in self.baskets else ABSENT
        for name, column in self.columns.items():
            narrow = name in self.compared
            self.sorted[name] = array(
                "H",
                sorted(
                    value
                    for value, whose in zip(column, self.basket_of, strict=True)
                    if value != ABSENT and (whose == own or not narrow)
                ),
            )
        self.ranked_for = basket
        return True

    def count(self, name: str) -> int:
        """Readings of a measure that the present basket is compared with."""
        return len(self.sorted[name])

    def rank(self, name: str, coded: int) -> float:
        """Mid-rank, 0..1, of a coded value among the readings of a measure that has some."""
        ranked = self.sorted[name]
        return (bisect_left(ranked, coded) + bisect_right(ranked, coded)) / (2 * len(ranked))

    def ranks(self, name: str) -> dict[int, float]:
        """Mid-rank of every code among the readings of a measure."""
        ranked = self.sorted[name]
        found: dict[int, float] = {}
        begin, n = 0, len(ranked)
        for coded, ties in groupby(ranked):
            end = begin + sum(1 for _ in ties)
            found[coded] = (begin + end) / (2 * n)
            begin = end
        return found

    def stored(self) -> Stored:
        """The history as bytes."""
        n = len(self.slots)
        return Stored(
            pack(f"<{n}I", *self.slots),
            list(self.baskets),
            pack(f"<{n}H", *self.basket_of),
            {name: pack(f"<{n}H", *column) for name, column in self.columns.items()},
        )

    def load(self, stored: Stored) -> None:
        """Continue from bytes; a measure they do not know has no past."""
        n = len(stored.slots) // 4
        self.slots = array("I", unpack(f"<{n}I", stored.slots))
        self.baskets = list(stored.baskets)
        self.basket_of = array("H", unpack(f"<{n}H", stored.basket_of))
        absent = pack(f"<{n}H", *[ABSENT] * n)
        for name in self.measures:
            self.columns[name] = array("H", unpack(f"<{n}H", stored.columns.get(name, absent)))
        self.ranked_for = None
