"""Frames and ticks: what the framer gives the detectors, documented field by field.

Twin of `streams/core/frames.py` (held equal by a test). Promises the laws inside one frame: the
chain points backwards, members are distinct, healthy venues are known venues. Does not promise
that the previous frame was seen: that is the reader's assertion on `prev`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.units import (
    Asset,
    Count,
    Finite,
    Micros,
    NotNegative,
    Partition,
    Positive,
    Row,
    Second,
    Share,
    Some,
    Text,
    UsdMicros,
    Venue,
    Version,
)
from streams.core.events import Completeness, Contract, LiquidationKind, PositionSide
from streams.core.frames import DEPTH_BANDS_BP, SLIP_USD, Market

BANDS = len(DEPTH_BANDS_BP)
Slips = Annotated[tuple[NotNegative | None, ...], Field(max_length=len(SLIP_USD))]
Depth = Annotated[tuple[UsdMicros | None, ...], Field(min_length=BANDS, max_length=BANDS)]


class Cell(Row):
    """Forced orders of one (venue, symbol, side, kind) in one second."""

    venue: Venue
    """Where they happened."""
    symbol: Text
    """The venue's own symbol."""
    side: PositionSide
    """Positions that were closed by force."""
    kind: LiquidationKind
    """How they were closed."""
    completeness: Completeness
    """What the feed leaves out; the worst of the orders summed."""
    n: Some
    """Published orders."""
    usd: UsdMicros
    """Their sum, micro-dollars."""
    max_usd: UsdMicros
    """The largest of them, micro-dollars."""
    taker_usd: UsdMicros | None = None
    """Taker volume of the symbol that was or may have been on the forced side, micro-dollars.
    Absent without its trades."""
    opposite_taker_usd: UsdMicros | None = None
    """Taker volume of the symbol that was or may have been on the other side, micro-dollars.
    Absent without its trades."""

    @model_validator(mode="after")
    def _largest_is_part_of_the_sum(self) -> Self:
        if self.max_usd > self.usd:
            raise ValueError("max_usd is one of the orders that usd sums")
        return self


class LateCell(Row):
    """Forced orders that came too late for the frame of their own second."""

    second: Second
    """Their second, µs UTC."""
    venue: Venue
    """Where they happened."""
    symbol: Text
    """The venue's own symbol."""
    side: PositionSide
    """Positions that were closed by force."""
    kind: LiquidationKind
    """How they were closed."""
    n: Some
    """Orders."""
    usd: UsdMicros
    """Their sum, micro-dollars."""


class Flow(Row):
    """Trades of one (venue, symbol) in one second."""

    venue: Venue
    """Where they happened."""
    symbol: Text
    """The venue's own symbol."""
    contract: Contract
    """How the contract settles."""
    n: Some
    """Trades."""
    buy_usd: UsdMicros
    """Volume of buying takers, micro-dollars."""
    sell_usd: UsdMicros
    """Volume of selling takers, micro-dollars."""
    open: Positive
    """First price by (event time, id), USD per coin."""
    high: Positive
    """Highest price, USD per coin."""
    low: Positive
    """Lowest price, USD per coin."""
    close: Positive
    """Last price by (event time, id), USD per coin."""
    unknown_usd: UsdMicros = 0
    """Volume of trades whose side is unknown, micro-dollars: in neither of the two. Absent without
    such trades."""

    @model_validator(mode="after")
    def _prices_inside_the_range(self) -> Self:
        if not self.low <= min(self.open, self.close) <= max(self.open, self.close) <= self.high:
            raise ValueError("open and close lie between low and high")
        return self


class TickerState(Row):
    """Last known ticker values of one (venue, symbol), joined as of the second."""

    venue: Venue
    """Where they were published."""
    symbol: Text
    """The venue's own symbol."""
    contract: Contract
    """How the contract settles."""
    mark_price: Positive | None
    """Mark price, USD per coin. Null until seen."""
    index_price: Positive | None
    """Index price, USD per coin. Null until seen."""
    last_price: Positive | None
    """Last price, USD per coin. Null until seen."""
    open_interest_base: NotNegative | None
    """One-sided open interest, coins. Null until seen or where stated in dollars."""
    open_interest_usd: UsdMicros | None
    """One-sided open interest, micro-dollars. Null until seen or where stated in coins."""
    open_interest_as_of_us: Micros | None
    """Event time of the open interest, µs UTC. Null without one."""
    funding_rate: Finite | None
    """Fraction due at the next funding. Null until seen."""
    next_funding_us: Micros | None
    """When funding is due next, µs UTC. Null until seen."""
    funding_interval_s: Count | None
    """Seconds between fundings. Null until seen."""
    as_of_us: Micros
    """Event time of the newest value, µs UTC."""
    volume_24h_usd: UsdMicros | None = None
    """Traded in the venue's own last 24 hours, each trade once, micro-dollars. Null until seen."""


class BookState(Row):
    """Last book of one (venue, symbol) in the second: best prices and depth by distance."""

    venue: Venue
    """Where it stands."""
    symbol: Text
    """The venue's own symbol."""
    contract: Contract
    """How the contract settles."""
    bid: Positive
    """Best bid, USD per coin."""
    ask: Positive
    """Best ask, USD per coin."""
    bid_usd: Depth
    """Bids within 10, 25, 50 and 100 bp of the mid, micro-dollars; null beyond the snapshot."""
    ask_usd: Depth
    """Asks within 10, 25, 50 and 100 bp of the mid, micro-dollars; null beyond the snapshot."""
    as_of_us: Micros
    """Event time of the book, µs UTC."""
    buy_slip_bp: Slips = ()
    """Mean price of buying $100k and $1M against the mid, bp; null where levels do not fill it."""
    sell_slip_bp: Slips = ()
    """Mean price of selling them, likewise."""

    @model_validator(mode="after")
    def _depth_grows_with_distance(self) -> Self:
        for side in (self.bid_usd, self.ask_usd):
            known = [usd for usd in side if usd is not None]
            if known != sorted(known):
                raise ValueError("a wider band holds at least the dollars of a narrower one")
        return self


class MacroValue(Row):
    """Last value of an optional outside series, joined as-of."""

    series: Text
    """Name of the series; `event:NAME` announces a scheduled event."""
    value: Finite
    """Its value, in the unit of its source."""
    at_us: Micros
    """The time it speaks for, µs UTC; of an event its scheduled time."""


class VenueTrades(Row):
    """Taker volume at one venue."""

    venue: Venue
    """Where it happened."""
    market: Market
    """Derivatives or spot."""
    buy_usd: UsdMicros
    """Bought by takers, micro-dollars."""
    sell_usd: UsdMicros
    """Sold by takers, micro-dollars."""
    unknown_usd: UsdMicros = 0
    """Volume of trades whose side is unknown, micro-dollars: in neither of the two. Absent without
    such trades."""


class VenueInterest(Row):
    """One-sided open interest at one venue, and the funding of its largest contract."""

    venue: Venue
    """Where it stands."""
    oi_usd: UsdMicros | None
    """Micro-dollars. Null when the venue has told none."""
    oi_base: NotNegative | None
    """Coins. Null when it cannot be told in coins."""
    funding_rate: Finite | None
    """Fraction due at next_funding_us. Null until seen."""
    funding_interval_s: Count | None
    """Seconds between fundings. Null until seen."""
    next_funding_us: Micros | None
    """When it is due, µs UTC. Null until seen."""
    oi_volume: NotNegative | None = None
    """Coins apart from what the price alone does to contracts of fixed dollars; only ratios mean
    something. Null where the venue lists no such contracts: the coins say it."""


class Frame(Row):
    """Everything that one asset did in one sealed second of event time."""

    asset: Asset
    """Base coin; key of the record."""
    partition: Partition
    """Partition of the asset, repeated in the value so that a file of frames is complete."""
    second: Second
    """The second, µs UTC."""
    prev: Second | None
    """Second of the asset's previous frame, µs UTC. Null in its first frame."""
    coverage: Share
    """Healthy liquidation channels over those ever subscribed, by venue."""
    venues_up: tuple[Venue, ...]
    """Venues whose liquidation channel is healthy, sorted."""
    venues_all: tuple[Venue, ...]
    """Venues whose liquidation channel was ever subscribed, sorted."""
    channels: tuple[Text, ...]
    """Healthy pushed channels as `venue/channel`, sorted."""
    cells: tuple[Cell, ...]
    """Forced orders."""
    late: tuple[LateCell, ...]
    """Forced orders that came too late for the frame of their own second."""
    flows: tuple[Flow, ...]
    """Trades."""
    tickers: tuple[TickerState, ...]
    """Ticker values as of the end of the second."""
    books: tuple[BookState, ...]
    """Last book of each symbol that had one in the second."""
    quiet: bool = False
    """Nothing happened in the second and health is as in the previous frame."""
    macro: tuple[MacroValue, ...] = ()
    """Outside values known by the second; empty in a quiet frame."""
    v: Version = 1
    """Layout version."""

    @model_validator(mode="after")
    def _chain_and_members(self) -> Self:
        if self.prev is not None and self.prev >= self.second:
            raise ValueError("prev lies before second")
        if not set(self.venues_up) <= set(self.venues_all):
            raise ValueError("a healthy venue is one of venues_all")
        slots = [(cell.venue, cell.symbol, cell.side, cell.kind) for cell in self.cells]
        if len(set(slots)) != len(slots):
            raise ValueError("one cell per venue, symbol, side and kind")
        return self


class Tick(Row):
    """The framer's word that a partition has sent every frame of a second."""

    type: Literal["tick"]
    """Tag of the message type."""
    partition: Partition
    """The partition that speaks."""
    partitions: Annotated[int, Field(ge=1, le=2**31 - 1)]
    """How many partitions the market stage must hear from."""
    second: Second
    """The second, µs UTC."""
    prev: Second | None
    """Second of the partition's previous tick, µs UTC. Null in its first."""
    n_frames: Count
    """Frames of this second in this partition that are not quiet: so many contributions come."""
    v: Version = 1
    """Layout version."""

    @model_validator(mode="after")
    def _inside_the_topic(self) -> Self:
        if self.partition >= self.partitions:
            raise ValueError("partition is below partitions")
        if self.prev is not None and self.prev >= self.second:
            raise ValueError("prev lies before second")
        return self
