"""Seconds of one scope, built by hand for tests of its detectors.

`Sides` of cells, a scripted `Scope` that applies them and keeps the rows. Seconds count from
`START`, a second of 2026 at which a minute begins.
"""

from collections.abc import Iterable, Sequence

from schemas.results import validate_result
from streams.core.detectors.cascade import detector as cascade
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.cascade.state import new_state
from streams.core.detectors.moment import Moment, Share, share_of
from streams.core.detectors.readings import Readings
from streams.core.events import MICROS, Completeness, LiquidationKind, PositionSide
from streams.core.frames import Cell, LateCell, VenueTrades
from streams.core.results import CascadeWindow
from streams.core.rowmeta import RowMeta
from streams.core.throttle import ThrottleParams

START = 1_790_000_040
FULL, SAMPLED = "bybit", "binance-usdm"
META = RowMeta("test", "test", 0)
THROTTLE = ThrottleParams()


def cell(
    side: PositionSide = "long",
    usd: float = 1_000.0,
    n: int = 1,
    venue: str = FULL,
    kind: LiquidationKind = "liquidation",
    symbol: str = "BTCUSDT",
    taker: float | None = None,
) -> Cell:
    """Forced orders of one slot and side in one second; `usd` and `taker` in dollars."""
    dollars = round(usd * MICROS)
    completeness: Completeness = "all" if venue == FULL else "sampled"
    volume = None if taker is None else round(taker * MICROS)
    return Cell(venue, symbol, side, kind, completeness, n, dollars, dollars // n, volume, volume)


def late(
    second: int,
    side: PositionSide = "long",
    usd: float = 1_000.0,
    n: int = 1,
    venue: str = FULL,
    kind: LiquidationKind = "liquidation",
) -> LateCell:
    """Forced orders of `second` that came too late for it."""
    stamp = (START + second) * MICROS
    return LateCell(stamp, venue, "BTCUSDT", side, kind, n, round(usd * MICROS))


def trades(net_usd: float) -> VenueTrades:
    """Taker volume of a second, a million on either side and the net on one."""
    buys, sells = (round((1e6 + max(0.0, one)) * MICROS) for one in (net_usd, -net_usd))
    return VenueTrades(FULL, "derivative", buys, sells)


def bands(usd: Sequence[float | None]) -> tuple[int | None, ...]:
    """Depth by band in micro-dollars."""
    return tuple(None if one is None else round(one * MICROS) for one in usd)


class Scope:
    """A cascade detector and every row that it has published; all rows are validated."""

    def __init__(
        self,
        params: CascadeParams | None = None,
        scope: str = "BTC",
        venues: tuple[str, ...] = (FULL,),
    ) -> None:
        self.params = params or CascadeParams()
        self.state = new_state(scope)
        self.scope = scope
        self.up = self.known = venues
        self.rows: list[CascadeWindow] = []
        self.readings = Readings()

    def second(
        self,
        at: int,
        *cells: Cell,
        late: Sequence[LateCell] = (),
        price: float | None = None,
        oi_usd: float | None = None,
        oi_volume: float | None = None,
        depth_usd: float | None = None,
        up: tuple[str, ...] | None = None,
        onsets: Iterable[tuple[str, PositionSide, int]] = (),
        assets_known: int = 1,
        net_usd: float | None = None,
        book_usd: Sequence[float | None] = (),
        spot: float | None = None,
        shares: tuple[Share, ...] | None = None,
    ) -> list[CascadeWindow]:
        """Apply the second `at`; `up` names the healthy venues from here on.

        `net_usd` is bought (or, below zero, sold) by takers, `book_usd` the depth of both sides
        by band, all in dollars.
        """
        if up is not None:
            self.up = up
        depth = None if depth_usd is None else round(depth_usd * MICROS)
        moment = Moment(
            self.scope,
            START + at,
            len(self.up) / len(self.known),
            self.up,
            self.known,
            cells,
            tuple(late),
            share_of("BTC", cells) if shares is None else shares,
            price,
            None if oi_usd is None else round(oi_usd * MICROS),
            oi_volume,
            depth,
            depth,
            tuple((asset, side, START + onset) for asset, side, onset in onsets),
            assets_known,
            () if net_usd is None else (trades(net_usd),),
            bands(book_usd),
            bands(book_usd),
            spot=spot,
        )
        rows = cascade.step(self.state, moment, self.params, THROTTLE, META, self.readings)
        for row in rows:
            validate_result(row)
        self.rows += rows
        return rows

    def flow(self, begin: int, stop: int, *cells: Cell, step: int = 1) -> None:
        """The same cells in every `step`-th second of [begin, stop)."""
        for at in range(begin, stop, step):
            self.second(at, *(cells or (cell(),)))

    def windows(self) -> list[CascadeWindow]:
        """The current revision of every window, by onset."""
        latest = {row.id: row for row in self.rows}
        return sorted(latest.values(), key=lambda row: (row.onset, row.side))

    def window(self) -> CascadeWindow:
        """The only window."""
        (window,) = self.windows()
        return window


def since_start(stamp: int | None) -> int | None:
    """Seconds since `START` of a row's time."""
    return None if stamp is None else stamp // MICROS - START
