"""Moments of forced orders for the tests of the 24-hour print."""

from collections.abc import Sequence

from streams.core.detectors.prints.detector import (
    PrintParams,
    PrintState,
    step,
)
from streams.core.events import MICROS, Completeness, LiquidationKind, PositionSide
from streams.core.frames import Cell, LateCell
from streams.core.results import Milestone, Print, PrintKind
from streams.core.rowmeta import RowMeta
from streams.core.throttle import ThrottleParams

DAY = 86_400
HOUR = 3_600
MIDNIGHT = 1_788_220_800
META = RowMeta("0123456789ab", "inprocess", 3)
PARAMS = PrintParams()
THROTTLE = ThrottleParams()
MILLION = 1_000_000 * MICROS
Rows = list[Print | Milestone]


def cell(
    usd: int,
    venue: str = "bybit",
    symbol: str = "BTCUSDT",
    side: PositionSide = "long",
    kind: LiquidationKind = "liquidation",
    completeness: Completeness = "all",
    taker_usd: int | None = None,
    opposite_taker_usd: int | None = None,
) -> Cell:
    return Cell(venue, symbol, side, kind, completeness, 1, usd, usd, taker_usd, opposite_taker_usd)


def late_cell(second: int, usd: int, venue: str = "bybit") -> LateCell:
    return LateCell(second * MICROS, venue, "BTCUSDT", "long", "liquidation", 1, usd)


def feed_in(
    state: PrintState,
    second: int,
    cells: Sequence[Cell] = (),
    late: Sequence[LateCell] = (),
    *,
    oi_usd: int | None = None,
    coverage: float = 1.0,
    params: PrintParams = PARAMS,
    throttle: ThrottleParams = THROTTLE,
    venues: Sequence[str] = ("bybit",),
) -> Rows:
    return step(
        state,
        second,
        cells,
        late,
        oi_usd,
        coverage,
        params,
        META,
        throttle=throttle,
        venues=venues,
    )


def prints(rows: Rows, kind: PrintKind = "rolling_24h", venue: str | None = None) -> list[Print]:
    return [
        row for row in rows if isinstance(row, Print) and (row.kind, row.venue) == (kind, venue)
    ]


def milestones(rows: Rows) -> list[Milestone]:
    return [row for row in rows if isinstance(row, Milestone)]
