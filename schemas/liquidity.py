"""Liquidity regime and market conditions, documented field by field.

Twins of `streams.core.results.liquidity` (held equal by a test). Promises that depth does not
shrink with distance.
"""

from collections.abc import Set
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from schemas.signals import SignalRow
from schemas.units import Finite, Micros, NotNegative, Share, Text, UsdMicros, Venue
from streams.core.results.liquidity import ConditionsState, LiquidityState


class Liquidity(SignalRow):
    """Depth, spread and price impact of an asset; definition `liquidity`."""

    self_evident: ClassVar[Set[str]] = frozenset({"venue"})

    type: Literal["liquidity"]
    """Tag of the message type."""
    venue: Venue | None
    """Dimension: the only venue looked at. Null is the asset over all venues."""
    state: LiquidityState | None
    """Committed state. Null without books or history."""
    since: Micros | None
    """When the state was entered, µs UTC."""
    z: Finite | None
    """Mean z of depth, spread, slippage and impact; higher is more liquid."""
    z_inputs: dict[str, Finite]
    """The measures behind z, each in units of its ordinary scatter; what is not known is absent."""
    spread_bp: NotNegative | None
    """Best ask less best bid over the mid, basis points."""
    spread_ratio: NotNegative | None
    """Spread over its ordinary value."""
    bid_usd: tuple[UsdMicros | None, ...]
    """Bid depth within 10, 25, 50, 100 bp, micro-dollars. Null beyond the book's reach."""
    ask_usd: tuple[UsdMicros | None, ...]
    """Ask depth, likewise."""
    depth_ratio: tuple[NotNegative | None, ...]
    """Depth of both sides over its ordinary value, by band."""
    buy_slip_100k_bp: NotNegative | None
    """Mean price of buying $100k against the mid, basis points."""
    buy_slip_1m_bp: NotNegative | None
    """The same for $1M."""
    sell_slip_100k_bp: NotNegative | None
    """Mean price of selling $100k against the mid, basis points."""
    sell_slip_1m_bp: NotNegative | None
    """The same for $1M."""
    kyle_lambda: Finite | None
    """Price change per signed taker flow, basis points per million USD."""
    amihud: NotNegative | None
    """Absolute price change of a minute over its volume, basis points per million USD."""
    book_imbalance: Finite | None
    """(bids - asks) / (bids + asks), -1..1."""
    refill_half_life_s: NotNegative | None
    """Seconds until half of the depth taken by a large taker second is back."""
    frozen: bool
    """The same book came ten times or more: its depth is not told."""
    history_days: NotNegative
    """Days of history behind the ordinary values."""

    @model_validator(mode="after")
    def _nested(self) -> Self:
        for side in (self.bid_usd, self.ask_usd):
            known = [one for one in side if one is not None]
            if known != sorted(known):
                raise ValueError("depth grows with the band")
        return self


class Conditions(SignalRow):
    """The slow index: are conditions expanding or tightening; definition `liquidity`."""

    type: Literal["conditions"]
    """Tag of the message type."""
    state: ConditionsState | None
    """Null before enough history."""
    probability: Share | None
    """Probability of the state."""
    index: Finite | None
    """Mean of the standardised inputs; above zero is expanding."""
    inputs: dict[str, Finite]
    """Standardised inputs by name; what was missing is absent."""
    missing: dict[str, Text]
    """Why an input is absent."""
    history_days: NotNegative
    """Days of history."""
