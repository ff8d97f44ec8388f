"""What the asset stage hands to the market stage.

`schemas/results.py` documents the same fields.
"""

import msgspec

from streams.core.events import PositionSide
from streams.core.frames import Cell, LateCell, MacroValue, VenueInterest, VenueTrades


class Contribution(msgspec.Struct, frozen=True, tag_field="type", tag="contribution"):
    """What one frame gives the market stage; one per (asset, second).

    `price` is the asset's reference price in USD, `spot` that of its spot markets, `oi_usd` its
    one-sided open interest, `onsets` the sides whose statistic is past the early tier, with the
    onset second (µs). `trades` sums the second's taker volume; `bids`, `asks` are the depth of all
    its books by band of DEPTH_BANDS_BP (micro-dollars, None where a book does not reach).
    `interest` is given in seconds that renewed a ticker or left a silent venue out, None in all
    others; `macro` as in the frame.
    """

    asset: str
    partition: int
    second: int
    prev: int | None
    coverage: float
    venues_up: tuple[str, ...]
    venues_all: tuple[str, ...]
    cells: tuple[Cell, ...]
    late: tuple[LateCell, ...]
    price: float | None
    oi_usd: int | None
    onsets: tuple[tuple[PositionSide, int], ...]
    trades: tuple[VenueTrades, ...] = ()
    bids: tuple[int | None, ...] = ()
    asks: tuple[int | None, ...] = ()
    funding_8h: float | None = None
    interest: tuple[VenueInterest, ...] | None = None
    macro: tuple[MacroValue, ...] = ()
    spot: float | None = None
    v: int = 1
