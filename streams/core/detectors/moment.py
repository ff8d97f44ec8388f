"""One second of one scope, as detectors see it: an asset's frame or the market's sum.

Promises that the asset stage and the market stage run the same detectors on the same type; the
market's moment is the sum of its assets' contributions (`streams.core.market`).
"""

import msgspec

from streams.core.detectors.interest import InterestState
from streams.core.detectors.venue_sums import Depth, depth, signed_flow, trades_of
from streams.core.events import PositionSide
from streams.core.frames import (
    BookState,
    Cell,
    Frame,
    LateCell,
    MacroValue,
    VenueInterest,
    VenueTrades,
)
from streams.core.results import Contribution, WindowSide

STALE_PRICE_S = 60
"""A venue's price older than this has no part in the median."""


class Share(msgspec.Struct, frozen=True, gc=False):
    """What one asset's orders at one venue add to a moment: micro-dollars by liquidated side."""

    asset: str
    venue: str
    long_usd: int
    short_usd: int

    def of(self, side: WindowSide) -> int:
        """Micro-dollars of a side, or of both."""
        if side == "mixed":
            return self.long_usd + self.short_usd
        return self.long_usd if side == "long" else self.short_usd


class Moment(msgspec.Struct, frozen=True):
    """One second (`second`, s) of a scope. Seconds between two moments held no event.

    `price` is the reference price in USD, None in a second without a new one; `oi_usd` is
    one-sided open interest in micro-dollars of the venues that speak, `oi_volume` its volume: an
    index chained over the contracts known at both ends of each step, of which only ratios mean
    something; `bid_usd`/`ask_usd` depth within the reference band, `onsets` the assets whose own
    statistic is past the early tier: (asset, side, second).
    `trades` is the second's taker volume by venue and market; `bids`, `asks` depth by band of
    DEPTH_BANDS_BP over all known books, in a second that renewed one; `interest` open interest by
    venue in a second that renewed it or left a silent venue out, else None; `books` those of the
    second, of an asset only; `macro` outside values.
    `quiet`: nothing happened, so the second may as well have been left out. `spot`: price of the
    spot markets in USD, as `price` is of the linear ones. `oi_by_venue`: the parts of `oi_usd`.
    """

    scope: str
    second: int
    coverage: float
    venues_up: tuple[str, ...]
    venues_all: tuple[str, ...]
    cells: tuple[Cell, ...] = ()
    late: tuple[LateCell, ...] = ()
    shares: tuple[Share, ...] = ()
    price: float | None = None
    oi_usd: int | None = None
    oi_volume: float | None = None
    bid_usd: int | None = None
    ask_usd: int | None = None
    onsets: tuple[tuple[str, PositionSide, int], ...] = ()
    assets_known: int = 1
    trades: tuple[VenueTrades, ...] = ()
    bids: tuple[int | None, ...] = ()
    asks: tuple[int | None, ...] = ()
    funding_8h: float | None = None
    interest: tuple[VenueInterest, ...] | None = None
    macro: tuple[MacroValue, ...] = ()
    books: tuple[BookState, ...] = ()
    quiet: bool = False
    spot: float | None = None
    oi_by_venue: tuple[tuple[str, int], ...] = ()


class Trace(msgspec.Struct):
    """What a cascade window needs of a moment, kept from an onset on until the alarm.

    `flow`: taker buys minus sells, micro-dollars, None without trades. `stood`: what the last book
    before this second held on the bid and on the ask side. `venues_up`, `oi_by_venue`: what a
    throttled feed is measured by.
    """

    second: int
    coverage: float
    cells: tuple[Cell, ...]
    late: tuple[LateCell, ...]
    shares: tuple[Share, ...]
    price: float | None
    oi_usd: int | None
    oi_volume: float | None
    bid_usd: int | None
    ask_usd: int | None
    flow: int | None = None
    bids: tuple[int | None, ...] = ()
    asks: tuple[int | None, ...] = ()
    venues_up: tuple[str, ...] = ()
    oi_by_venue: tuple[tuple[str, int], ...] = ()
    stood: tuple[int | None, int | None] = (None, None)


def trace_of(
    moment: Moment, before: Moment | None, stood: tuple[int | None, int | None] = (None, None)
) -> Trace | None:
    """The trace of a moment; None when it says nothing that the one before does not imply."""
    levels = (moment.price, moment.bid_usd, moment.ask_usd)
    empty = levels == (None, None, None) and not moment.trades
    same = before is not None and moment.coverage == before.coverage
    if same and empty and not moment.cells and not moment.late:
        return None
    return Trace(
        moment.second,
        moment.coverage,
        moment.cells,
        moment.late,
        moment.shares,
        moment.price,
        moment.oi_usd,
        moment.oi_volume,
        moment.bid_usd,
        moment.ask_usd,
        signed_flow(moment.trades),
        moment.bids,
        moment.asks,
        moment.venues_up,
        moment.oi_by_venue,
        stood,
    )


class Reference(msgspec.Struct):
    """Last prices and open interest of an asset, kept between frames to build its moments.

    `prices` (linear), `spots` and `marks`: (venue, symbol) -> (price, second); `depths`: last books
    by (venue, symbol).
    """

    prices: dict[tuple[str, str], tuple[float, int]] = {}
    spots: dict[tuple[str, str], tuple[float, int]] = {}
    marks: dict[tuple[str, str], tuple[float, int]] = {}
    depths: dict[tuple[str, str], Depth] = {}
    interest: InterestState = msgspec.field(default_factory=InterestState)


def share_of(asset: str, cells: tuple[Cell, ...]) -> tuple[Share, ...]:
    """The asset's forced dollars of the second by venue, sorted; empty when there were none."""
    sums: dict[str, list[int]] = {}
    for cell in cells:
        if cell.kind != "adl" and cell.usd:
            sums.setdefault(cell.venue, [0, 0])[cell.side == "short"] += cell.usd
    return tuple(Share(asset, venue, *sums[venue]) for venue in sorted(sums))


def moment_of(frame: Frame, reference: Reference) -> Moment:
    """The asset's moment of a frame; updates `reference` with the frame's prices."""
    second = frame.second // 1_000_000
    traded = marked = spot = False
    for flow in frame.flows:
        if flow.contract == "linear":
            reference.prices[flow.venue, flow.symbol] = (flow.close, second)
            traded = True
        elif flow.contract == "spot":
            reference.spots[flow.venue, flow.symbol] = (flow.close, second)
            spot = True
    for ticker in frame.tickers:
        if ticker.mark_price is not None and ticker.contract == "linear":
            at = ticker.as_of_us // 1_000_000
            reference.marks[ticker.venue, ticker.symbol] = (ticker.mark_price, at)
            marked = marked or at == second
    price = _median(reference.prices, second) if traded else None
    if marked and price is None:
        price = _median(reference.prices, second) or _median(reference.marks, second)
    # Detectors may pass a quiet second by: it tells nothing new and leaves nothing behind.
    interest = None if frame.quiet else reference.interest.hear(frame.tickers, second)
    told = reference.interest.told
    bids, asks = depth(frame.books, reference.depths, second)
    return Moment(
        frame.asset,
        second,
        frame.coverage,
        frame.venues_up,
        frame.venues_all,
        frame.cells,
        frame.late,
        share_of(frame.asset, frame.cells),
        price,
        told.oi_usd,
        told.oi_volume,
        bids[0] if bids else None,
        asks[0] if asks else None,
        trades=trades_of(frame.flows),
        bids=bids,
        asks=asks,
        funding_8h=told.funding_8h,
        interest=interest,
        macro=frame.macro,
        books=frame.books,
        quiet=frame.quiet,
        spot=_median(reference.spots, second) if spot else None,
        oi_by_venue=told.by_venue,
    )


def _median(quotes: dict[tuple[str, str], tuple[float, int]], second: int) -> float | None:
    fresh = sorted(price for price, at in quotes.values() if at >= second - STALE_PRICE_S)
    if not fresh:
        return None
    middle = len(fresh) // 2
    return fresh[middle] if len(fresh) % 2 else (fresh[middle - 1] + fresh[middle]) / 2


def contribution_of(
    frame: Frame, moment: Moment, onsets: tuple[tuple[PositionSide, int], ...]
) -> Contribution:
    """What the frame gives the market stage; `onsets` are (side, second in µs)."""
    return Contribution(
        frame.asset,
        frame.partition,
        frame.second,
        frame.prev,
        frame.coverage,
        frame.venues_up,
        frame.venues_all,
        frame.cells,
        frame.late,
        moment.price,
        moment.oi_usd,
        onsets,
        moment.trades,
        moment.bids,
        moment.asks,
        moment.funding_8h,
        moment.interest,
        moment.macro,
        moment.spot,
    )
