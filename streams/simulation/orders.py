"""What the feed layer publishes: forced orders and trades, with the coin they are in.

Values between a market (the margin engine, a benchmark's made one) and `wire`. Promises
nothing about where they come from.
"""

from typing import Final, Literal, Protocol

import msgspec

from streams.core.events import PositionSide

Venue = Literal["binance-usdm", "bybit", "okx"]
VENUES: Final[tuple[Venue, ...]] = ("binance-usdm", "bybit", "okx")


class Coin(Protocol):
    """A coin as the wire needs it: its name, a typical price in USD, decimals of its prices."""

    @property
    def name(self) -> str:
        """Ticker, upper case."""

    @property
    def price(self) -> float:
        """Opening price, USD."""

    @property
    def decimals(self) -> int:
        """Of published prices."""

    @property
    def interest_usd(self) -> float:
        """One-sided open interest over the venues, USD."""


class Forced(msgspec.Struct, frozen=True):
    """A forced order as it truly happened; `fill` and `bankruptcy` in USD a coin."""

    at_us: int
    venue: Venue
    asset: Coin
    side: PositionSide
    coins: float
    fill: float
    bankruptcy: float

    @property
    def usd(self) -> float:
        """Dollars at the fill."""
        return self.coins * self.fill


class Print(msgspec.Struct, frozen=True):
    """One trade; `buys`: the taker bought."""

    at_us: int
    venue: Venue
    asset: Coin
    buys: bool
    coins: float
    price: float
