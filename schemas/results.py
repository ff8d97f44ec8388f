"""Contributions to the market stage, and the check of a result row at the edges.

`Contribution` is the twin of `streams.core.results.Contribution`. `validate_result` promises that
a row it lets through keeps every law of its model; the sink,
the tests and the command line call it, the hot path does not. It does not compare revisions.
"""

from typing import Annotated, Literal, Self

import msgspec
from pydantic import Field, TypeAdapter, model_validator

from schemas.alerts import Alert
from schemas.cascades import CascadeWindow
from schemas.dominance import Dominance
from schemas.frames import Cell, LateCell, MacroValue, VenueInterest, VenueTrades
from schemas.health import Health
from schemas.imbalance import Imbalance
from schemas.liquidity import Conditions, Liquidity
from schemas.positioning import Funding, Positioning
from schemas.prints import Milestone, Print
from schemas.regimes import Regime, RegimeResolution, RegimeTransition
from schemas.units import (
    Asset,
    Finite,
    Micros,
    Partition,
    Positive,
    Row,
    Second,
    Share,
    UsdMicros,
    Venue,
    Version,
)
from schemas.volatility import Volatility
from schemas.zones import ZoneMap
from streams.core import results as core
from streams.core.events import PositionSide


class Contribution(Row):
    """What one frame gives the market stage; one per asset and second."""

    type: Literal["contribution"]
    """Tag of the message type."""
    asset: Asset
    """Base coin; key of the record."""
    partition: Partition
    """Partition of the asset."""
    second: Second
    """Second of the frame, µs UTC."""
    prev: Second | None
    """Second of the asset's previous frame, µs UTC. Null in its first."""
    coverage: Share
    """Healthy liquidation feeds over known ones."""
    venues_up: tuple[Venue, ...]
    """Venues whose liquidation channel is healthy, sorted."""
    venues_all: tuple[Venue, ...]
    """Venues whose liquidation channel was ever subscribed, sorted."""
    cells: tuple[Cell, ...]
    """Forced orders of the second."""
    late: tuple[LateCell, ...]
    """Forced orders that came too late for the frame of their own second."""
    price: Positive | None
    """Reference price, USD per coin. Null without prices."""
    oi_usd: UsdMicros | None
    """One-sided open interest, micro-dollars. Null without it."""
    onsets: tuple[tuple[PositionSide, Micros], ...]
    """Sides past the early tier, with their onset in µs UTC."""
    trades: tuple[VenueTrades, ...] = ()
    """Taker volume of the second by venue and market."""
    bids: tuple[UsdMicros | None, ...] = ()
    """Bids within 10, 25, 50 and 100 bp over the second's books, micro-dollars; empty without."""
    asks: tuple[UsdMicros | None, ...] = ()
    """Asks likewise."""
    funding_8h: Finite | None = None
    """Funding per 8 hours weighted by open interest. Absent without it."""
    interest: tuple[VenueInterest, ...] | None = None
    """Open interest by venue. Absent in a second that neither renewed it nor left a venue out."""
    macro: tuple[MacroValue, ...] = ()
    """Outside values known by the second."""
    spot: Positive | None = None
    """Spot price, USD per coin. Absent in a second without a spot trade."""
    v: Version = 1
    """Layout version."""

    @model_validator(mode="after")
    def _chain(self) -> Self:
        if self.prev is not None and self.prev >= self.second:
            raise ValueError("prev lies before second")
        return self


Result = (
    CascadeWindow
    | Print
    | Milestone
    | Regime
    | RegimeTransition
    | RegimeResolution
    | Imbalance
    | Liquidity
    | Conditions
    | ZoneMap
    | Positioning
    | Funding
    | Dominance
    | Volatility
    | Health
    | Alert
)
_result: TypeAdapter[Result] = TypeAdapter(Annotated[Result, Field(discriminator="type")])


def validate_result(row: bytes | core.Result) -> Result:
    """A result as its model, with every law checked.

    Args:
        row: the JSON of a record of a result topic, or the core's own struct.

    Raises:
        pydantic.ValidationError: naming each field, or the law, that is broken.
    """
    if isinstance(row, bytes):
        return _result.validate_json(row)
    return _result.validate_python(msgspec.to_builtins(row))
