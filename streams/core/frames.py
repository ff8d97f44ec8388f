"""Frames: one asset, one sealed event-time second; and ticks, which count them.

Output of the framer, input of every detector. Promises: sums are int64 micro-dollars, first and
last are decided by (event time, id), members are sorted, so equal inputs give equal bytes.
Frames form a chain: `prev` is the second (µs) of the asset's previous frame; seconds in between
held no event and had the feed health of the previous frame.
"""

from typing import Literal

import msgspec

from streams.core.events import Completeness, Contract, LiquidationKind, PositionSide

DEPTH_BANDS_BP = (10, 25, 50, 100)
"""Distances from the mid, in basis points, at which depth is summed."""

SLIP_USD = (100_000, 1_000_000)
"""Sizes of market orders, in USD, whose slippage is told."""

Market = Literal["derivative", "spot"]


class Cell(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Forced orders of one (venue, symbol, side, kind) in one second: a throttle slot's content.

    `usd` sums and `max_usd` is the largest order, int64 micro-dollars. `taker_usd` is the taker
    volume of the symbol on the forced side in the same second, `opposite_taker_usd` that on the
    other side, each with the volume whose side is unknown, since both are bounds; None when the
    trades of the second are unknown.
    """

    venue: str
    symbol: str
    side: PositionSide
    kind: LiquidationKind
    completeness: Completeness
    n: int
    usd: int
    max_usd: int
    taker_usd: int | None = None
    opposite_taker_usd: int | None = None


class LateCell(msgspec.Struct, frozen=True, gc=False):
    """Forced orders that arrived after their second was sealed; `second` is theirs (µs)."""

    second: int
    venue: str
    symbol: str
    side: PositionSide
    kind: LiquidationKind
    n: int
    usd: int


class Flow(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Trades of one (venue, symbol) in the second; taker volume by side in micro-dollars.

    `unknown_usd` is that of trades whose side is unknown, in neither of the others; `n` and the
    prices are of all.
    """

    venue: str
    symbol: str
    contract: Contract
    n: int
    buy_usd: int
    sell_usd: int
    open: float
    high: float
    low: float
    close: float
    unknown_usd: int = 0


class TickerState(msgspec.Struct, frozen=True, gc=False):
    """Last known ticker values of one (venue, symbol), joined as-of; `as_of_us` is the newest."""

    venue: str
    symbol: str
    contract: Contract
    mark_price: float | None
    index_price: float | None
    last_price: float | None
    open_interest_base: float | None
    open_interest_usd: int | None
    open_interest_as_of_us: int | None
    funding_rate: float | None
    next_funding_us: int | None
    funding_interval_s: int | None
    as_of_us: int
    volume_24h_usd: int | None = None


class BookState(msgspec.Struct, frozen=True):
    """Last book of one (venue, symbol) in the second: best prices and depth by distance.

    `bid_usd[i]`, `ask_usd[i]`: micro-dollars within DEPTH_BANDS_BP[i] of the mid; None when the
    snapshot does not reach that far. `buy_slip_bp[i]`, `sell_slip_bp[i]`: how far the mean price
    of a market order of SLIP_USD[i] lies from the mid, in basis points; None where the levels do
    not fill it.
    """

    venue: str
    symbol: str
    contract: Contract
    bid: float
    ask: float
    bid_usd: tuple[int | None, ...]
    ask_usd: tuple[int | None, ...]
    as_of_us: int
    buy_slip_bp: tuple[float | None, ...] = ()
    sell_slip_bp: tuple[float | None, ...] = ()


class MacroValue(msgspec.Struct, frozen=True, gc=False):
    """Last value of an optional outside series (`DXY`, `market_cap`, `event:CPI`), joined as-of.

    `at_us` is the time that the value speaks for: of an `event:` series the scheduled time, which
    may lie ahead.
    """

    series: str
    value: float
    at_us: int


class VenueTrades(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Taker volume at one venue, by side, micro-dollars: derivatives or spot.

    `unknown_usd` is that of trades whose side is unknown, in neither of the others.
    """

    venue: str
    market: Market
    buy_usd: int
    sell_usd: int
    unknown_usd: int = 0

    @property
    def usd(self) -> int:
        """All of the volume, whatever its side."""
        return self.buy_usd + self.sell_usd + self.unknown_usd


class VenueInterest(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One-sided open interest of an asset at one venue, and the funding of its largest contract.

    `oi_usd` micro-dollars, `oi_base` coins (of the market's sum an index, see
    `streams.core.market_interest`); `funding_rate` is the fraction due at
    `next_funding_us` for a cycle of `funding_interval_s`, told by the venue or seen between two due
    times, None until then. `oi_volume`: the coins of a venue that
    lists inverse contracts, apart from what the price alone does to contracts of fixed dollars;
    only its ratios mean something.
    """

    venue: str
    oi_usd: int | None
    oi_base: float | None
    funding_rate: float | None
    funding_interval_s: int | None
    next_funding_us: int | None
    oi_volume: float | None = None

    @property
    def volume(self) -> float | None:
        """What may be compared over time: coins, free of the price's own effect on them."""
        return self.oi_base if self.oi_volume is None else self.oi_volume


class Frame(msgspec.Struct, frozen=True):
    """Everything that one asset did in the second `second` (µs, a multiple of 1_000_000).

    `venues_up` / `venues_all`: venues whose liquidation channel is healthy / has ever been
    subscribed; `coverage` is their ratio. `channels` lists the healthy pushed `venue/channel`.
    `quiet`: nothing happened in the second and health is that of the previous frame, so the
    frame adds nothing to the market. `macro`: outside values known by the second; empty in a
    quiet frame.
    """

    asset: str
    partition: int
    second: int
    prev: int | None
    coverage: float
    venues_up: tuple[str, ...]
    venues_all: tuple[str, ...]
    channels: tuple[str, ...]
    cells: tuple[Cell, ...]
    late: tuple[LateCell, ...]
    flows: tuple[Flow, ...]
    tickers: tuple[TickerState, ...]
    books: tuple[BookState, ...]
    quiet: bool = False
    macro: tuple[MacroValue, ...] = ()
    v: int = 1


class Tick(msgspec.Struct, frozen=True, tag_field="type", tag="tick"):
    """The framer's word that partition `partition` has sent all its frames of `second`.

    `partitions` is the number of partitions that the market stage must hear from; `prev` the
    second of the partition's previous tick. `n_frames` counts the frames of the second that are
    not quiet: each of them gives the market stage one contribution.
    """

    partition: int
    partitions: int
    second: int
    prev: int | None
    n_frames: int
    v: int = 1
