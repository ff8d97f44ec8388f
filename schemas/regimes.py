"""Leverage regime, its transitions and their later resolution, documented field by field.

Twins of `streams.core.results.regimes` (held equal by a test). Promises that probabilities sum
to one where they are given. Does not judge the phase.
"""

from collections.abc import Set
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from schemas.signals import SignalRow
from schemas.units import Finite, Id, Micros, NotNegative, Positive, Row, Share, Text
from streams.core.events import PositionSide
from streams.core.results.regimes import LeverageBasis, RegimeName, RegimeSubState, Resolved


class Driver(Row):
    """A feature behind a phase."""

    feature: Text
    """Name of the feature, as in the definition."""
    value: Finite
    """Its percentile (0..1) or value."""
    weight: Finite
    """What it adds to the score of the phase."""


class Regime(SignalRow):
    """The leverage phase of a scope; definition `regime`."""

    self_evident: ClassVar[Set[str]] = frozenset({"sub_state", "crowd_side", "transition_id"})

    type: Literal["regime"]
    """Tag of the message type."""
    state: RegimeName | None
    """The committed phase. Null before enough history and while no phase stands out."""
    sub_state: RegimeSubState | None
    """`active` or `reset` inside a liquidation phase, else null."""
    crowd_side: PositionSide | None
    """Which side is crowded, by funding. Null when neither is."""
    p_accumulation: Share | None
    """Filtered probability of accumulation."""
    p_expansion: Share | None
    """Filtered probability of expansion."""
    p_euphoria: Share | None
    """Filtered probability of euphoria."""
    p_liquidation: Share | None
    """Filtered probability of liquidation."""
    drivers: tuple[Driver, ...]
    """The three features that say most for the phase, strongest first."""
    since: Micros | None
    """When the phase was entered, µs UTC."""
    dwell_h: NotNegative | None
    """Hours since then."""
    history_days: NotNegative
    """Days of history behind the percentiles."""
    leverage_basis: LeverageBasis | None
    """What open interest was divided by. Null when there was nothing to divide by."""
    features: dict[str, Finite]
    """Every input by name (percentiles; `_raw`: values); what was missing is absent."""
    missing: dict[str, Text]
    """Why a feature is absent."""
    transition_id: Id | None
    """The transition that led to the phase. Null for the first."""

    @model_validator(mode="after")
    def _probabilities(self) -> Self:
        parts = (self.p_accumulation, self.p_expansion, self.p_euphoria, self.p_liquidation)
        known = [part for part in parts if part is not None]
        if known and (len(known) < len(parts) or abs(sum(known) - 1) > 1e-6):
            raise ValueError("the four probabilities are given together and sum to 1")
        return self


class RegimeTransition(SignalRow):
    """A committed change of phase."""

    self_evident: ClassVar[Set[str]] = frozenset({"from_state", "crowd_side", "trigger_cascade_id"})

    type: Literal["regime_transition"]
    """Tag of the message type."""
    from_state: RegimeName | None
    """The phase that was left. Null for the first."""
    to_state: RegimeName
    """The phase that was entered."""
    probability: Share
    """Filtered probability of the new phase at the change."""
    crowd_side: PositionSide | None
    """Which side was crowded. Null when neither was."""
    drivers: tuple[Driver, ...]
    """The three features that said most for the new phase."""
    trigger_cascade_id: Id | None
    """The cascade window behind a change to liquidation. Null without one."""
    price: Positive | None
    """Reference price at the change, USD. Null without one."""


class RegimeResolution(SignalRow):
    """What a liquidation phase led to, 72 hours later. Never used live."""

    type: Literal["regime_resolution"]
    """Tag of the message type."""
    transition_id: Id
    """The transition that is resolved."""
    resolved: Resolved | None
    """Whether the trend resumed. Null without prices."""
    price_before: Positive | None
    """Price before the event, USD."""
    price_high_after: Positive | None
    """The farthest price of the crowd's direction in the 72 hours, USD."""
    trend_after: Finite | None
    """Trend feature at the end, in standard deviations."""
