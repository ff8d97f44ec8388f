"""Canonical events and what a collector says of its connections, documented field by field.

Twin of `streams/core/events.py`, whose structs do the work on the hot path: names, order, types
and enums are held equal by a test. Promises the laws inside one event (a sell closes a long, a
book is sorted). Does not promise that a venue told the truth, nor order between events.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.units import (
    Asset,
    Count,
    EventMicros,
    Finite,
    Id,
    Micros,
    NotNegative,
    Positive,
    Row,
    Text,
    UsdMicros,
    Venue,
)
from streams.core.events import (
    MAX_BOOK_LEVELS,
    Completeness,
    Contract,
    LiquidationKind,
    OrderSide,
    PositionSide,
    PriceKind,
    StatusOp,
    TakerSide,
)

Level = tuple[Positive, NotNegative]
Levels = Annotated[tuple[Level, ...], Field(max_length=MAX_BOOK_LEVELS)]


class Liquidation(Row):
    """One forced order, as the venue published it and valued in dollars."""

    type: Literal["liquidation"]
    """Tag of the message type."""
    venue: Venue
    """Where it happened."""
    symbol: Text
    """The venue's own symbol."""
    asset: Asset
    """Base coin of the contract; key of the record."""
    contract: Contract
    """How the contract settles; `quanto` pays in a third coin."""
    kind: LiquidationKind
    """`liquidation` by the engine, `adl` against a winner, `backstop` taken over by a vault."""
    position_side: PositionSide
    """The position that was closed by force."""
    order_side: OrderSide
    """Side of the forced order: sell closes a long, buy closes a short."""
    price: Positive
    """Quote units (taken as USD) per one coin; which price it is stands in `price_kind`."""
    price_kind: PriceKind
    """Average fill and fill are traded prices; bankruptcy and order are limits beyond them."""
    base_qty: NotNegative | None
    """Coins. Null where a contract has no true coin quantity. Forced orders of quanto contracts
    are dead letters, `unknown_notional`: they are worth a coin whose price no row tells."""
    usd: UsdMicros
    """Notional, micro-dollars, rounded half-even from the exact decimal product."""
    event_time_us: EventMicros
    """The venue's stamp, µs UTC."""
    received_at_us: Micros
    """When the collector read the message, µs UTC."""
    completeness: Completeness
    """Whether the feed publishes every order, a sample (a lower bound), or sums."""
    id: Id
    """From venue, symbol and native id, or from time, side, price, quantity and position."""

    @model_validator(mode="after")
    def _order_closes_position(self) -> Self:
        if (self.order_side == "sell") != (self.position_side == "long"):
            raise ValueError("a sell closes a long and a buy closes a short")
        return self


class Trade(Row):
    """One public trade, or one taker order at one price where the venue sums fills."""

    type: Literal["trade"]
    """Tag of the message type."""
    venue: Venue
    """Where it happened."""
    symbol: Text
    """The venue's own symbol."""
    asset: Asset
    """Base coin of the contract or pair."""
    contract: Contract
    """How the contract settles; `spot` for pairs."""
    taker_side: TakerSide
    """Side of the aggressor; `unknown` where the venue's word tells none."""
    price: Positive
    """Quote units (taken as USD) per one coin."""
    base_qty: NotNegative
    """Coins."""
    usd: UsdMicros
    """Notional, micro-dollars."""
    event_time_us: EventMicros
    """The venue's stamp, µs UTC."""
    received_at_us: Micros
    """When the collector read the message, µs UTC."""
    id: Id
    """From venue, symbol and the venue's trade id."""


class Ticker(Row):
    """A partial ticker: null means that the message did not carry the value (unchanged)."""

    type: Literal["ticker"]
    """Tag of the message type."""
    venue: Venue
    """Where it was published."""
    symbol: Text
    """The venue's own symbol."""
    asset: Asset
    """Base coin of the contract."""
    contract: Contract
    """How the contract settles."""
    mark_price: Positive | None
    """Price that margins are computed with, USD per coin. Null when unchanged."""
    index_price: Positive | None
    """The venue's spot index, USD per coin. Null when unchanged."""
    last_price: Positive | None
    """Last traded price, USD per coin. Null when unchanged."""
    open_interest_base: NotNegative | None
    """One-sided open interest, coins. Null when unchanged or stated in dollars."""
    open_interest_usd: UsdMicros | None
    """One-sided open interest, micro-dollars, where the venue states dollars. Else null."""
    funding_rate: Finite | None
    """Fraction of notional due at `next_funding_us`; longs pay when positive. Null: unchanged."""
    next_funding_us: Micros | None
    """When funding is due next, µs UTC. Null when unchanged or without funding."""
    funding_interval_s: Count | None
    """Seconds between fundings. Null when the message does not say."""
    event_time_us: EventMicros
    """The venue's stamp (receipt for polled values), µs UTC."""
    received_at_us: Micros
    """When the collector read the message, µs UTC."""
    id: Id
    """Identity of the message and row."""
    volume_24h_usd: UsdMicros | None = None
    """Traded in the venue's own last 24 hours, each trade once, micro-dollars. Null: unchanged."""


class Book(Row):
    """Top of one order book, best level first on both sides."""

    type: Literal["book"]
    """Tag of the message type."""
    venue: Venue
    """Where it stands."""
    symbol: Text
    """The venue's own symbol."""
    asset: Asset
    """Base coin of the contract or pair."""
    contract: Contract
    """How the contract settles; `spot` for pairs."""
    bids: Levels
    """(price in USD per coin, coins), falling price."""
    asks: Levels
    """(price in USD per coin, coins), rising price."""
    event_time_us: EventMicros
    """The venue's stamp, µs UTC."""
    received_at_us: Micros
    """When the collector read the message, µs UTC."""
    id: Id
    """Identity of the snapshot."""

    @model_validator(mode="after")
    def _best_level_first(self) -> Self:
        bids = [price for price, _ in self.bids]
        asks = [price for price, _ in self.asks]
        if bids != sorted(bids, reverse=True) or asks != sorted(asks):
            raise ValueError("levels stand best first: bids fall, asks rise")
        return self


class Status(Row):
    """What a collector says of one connection: the only records that move watermarks."""

    type: Literal["status"]
    """Tag of the message type."""
    op: StatusOp
    """What happened; `heartbeat` after an answered ping, `end` at the end of an input."""
    channels: tuple[Text, ...] | None = None
    """Channels concerned. Null: every channel of the connection."""
    assets: tuple[Asset, ...] | None = None
    """Assets that a `subscribe` covers. Null: every asset of the venue."""
    through_us: dict[str, Micros] = Field(default={})
    """Per channel, the event time (µs UTC) up to which all was written; heartbeats only."""
    advance_us: Micros = 0
    """How far an `end` moves the clock past the last second, µs; zero otherwise."""
    detail: str = ""
    """Words for the operator, such as the reason of a gap; empty when there is nothing to say."""

    @model_validator(mode="after")
    def _each_op_says_its_own(self) -> Self:
        if self.through_us and self.op != "heartbeat":
            raise ValueError("through_us belongs to heartbeats")
        if self.advance_us and self.op != "end":
            raise ValueError("advance_us belongs to end records")
        return self


class LateLiquidation(Row):
    """A liquidation that came after its second was sealed; shares ids with the others."""

    type: Literal["late"]
    """Tag of the message type."""
    id: Id
    """Id of the liquidation inside."""
    liquidation: Liquidation
    """The event, as it would have been framed."""
    sealed_through_us: Micros
    """Event time that the clock had passed when it arrived, µs UTC."""

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        if self.id != self.liquidation.id:
            raise ValueError("a late record carries the id of its liquidation")
        return self


class Macro(Row):
    """One value of an outside series: payload of a raw record of channel `macro`, or one of a list
    of them there. Optional input; known series are named in docs/definitions.
    """

    series: Annotated[str, Field(min_length=1, max_length=60)]
    """Name of the series; `event:NAME` announces a scheduled event."""
    value: Finite
    """Its value, in the unit of its source."""
    asset: Asset | None = None
    """The only asset it concerns. Null: the market."""
    at_us: EventMicros | None = None
    """The time it speaks for, µs UTC. Null: the record's receipt."""
