"""What a complete feed would have shown, had it been thinned as the throttled feeds are.

Beside the data path: `slots` measures it second by second, `scaling` divides by it. A complete feed
shows how crowded the seconds of a flush are, which no throttled feed can. Promises integers that
do not depend on the order of cells. Says nothing of any other venue.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from streams.core.events import MICROS
from streams.core.frames import Cell

Rule = Literal["largest", "own_largest", "latest"]
"""`largest` and `latest` order of a second and symbol; `own_largest` of a second and side."""


class Thinned(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One side of a complete slot over some seconds, int64 micro-dollars.

    `usd`: all orders; `largest`, `own_largest`, `latest`: what the rule would have let through, of
    `latest` the mean order, which the latest is on average. `squares`: an upper bound of the sum
    of squared orders, whole USD squared.
    """

    usd: int = 0
    largest: int = 0
    own_largest: int = 0
    latest: int = 0
    squares: int = 0

    def plus(self, other: "Thinned") -> "Thinned":
        """The sum of two stretches or slots."""
        return Thinned(
            self.usd + other.usd,
            self.largest + other.largest,
            self.own_largest + other.own_largest,
            self.latest + other.latest,
            self.squares + other.squares,
        )

    def shown(self, rule: Rule) -> int:
        """What the rule would have let through."""
        return {
            "largest": self.largest,
            "own_largest": self.own_largest,
            "latest": self.latest,
        }[rule]


NOTHING = Thinned()


def thin(cells: Iterable[Cell]) -> tuple[Thinned, Thinned]:
    """Longs and shorts of one complete slot in one second.

    >>> big = Cell("bybit", "BTCUSDT", "long", "liquidation", "all", 3, 90_000_000, 60_000_000)
    >>> small = Cell("bybit", "BTCUSDT", "short", "liquidation", "all", 1, 10_000_000, 10_000_000)
    >>> longs, shorts = thin([small, big])
    >>> longs.largest, longs.latest, longs.squares
    (60000000, 22500000, 5400)
    >>> shorts.largest, shorts.own_largest, shorts.latest
    (0, 10000000, 2500000)
    """
    usd = {"long": 0, "short": 0}
    most = {"long": 0, "short": 0}
    squares = {"long": 0, "short": 0}
    orders = 0
    for cell in cells:
        orders += cell.n
        usd[cell.side] += cell.usd
        most[cell.side] = max(most[cell.side], cell.max_usd)
        squares[cell.side] += (cell.usd // MICROS) * (cell.max_usd // MICROS)
    winner = "long" if most["long"] >= most["short"] else "short"
    longs, shorts = (
        Thinned(
            usd[side],
            most[side] if side == winner else 0,
            most[side],
            usd[side] // max(1, orders),
            squares[side],
        )
        for side in ("long", "short")
    )
    return longs, shorts
