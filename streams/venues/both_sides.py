"""Figures in which a venue counts both sides of a trade or position: one rule for every source.

Beside the parsers of live messages and the readers of archives, which divide by it or by what
`assumptions` says instead. Promises that
a fact has one size whichever way it came. Forced orders are of one side everywhere and not here.

| venue | counts both sides                             | rests on                               |
|-------|-----------------------------------------------|----------------------------------------|
| bybit | `openInterest`, whatever it was called before | recent documentation, one source, not  |
|       | v5; `singleOpenInterest` is of one side       | said of earlier years; not verified    |
| htx   | contracts of a trade, volume of 24 hours      | documentation; every recorded size of  |
|       |                                               | a trade is even                        |
"""

from typing import Final, Literal

import msgspec

Count = Literal[1, 2]
"""How many sides of a trade or a position an amount counts."""


class Sides(msgspec.Struct, frozen=True):
    """How many sides a venue's own figures count: of a trade, of open interest, of volume."""

    trade: Count = 1
    interest: Count = 1
    volume: Count = 1


BYBIT: Final = Sides(interest=2)
HTX: Final = Sides(trade=2, volume=2)
