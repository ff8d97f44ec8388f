"""Leverage regime as it is published; definition `regime` (1.2).

`schemas/regimes.py` documents the same fields.
"""

from typing import Literal

import msgspec

from streams.core.events import PositionSide
from streams.core.results.signals import SignalRow

RegimeName = Literal["accumulation", "expansion", "euphoria", "liquidation"]
RegimeSubState = Literal["active", "reset"]
LeverageBasis = Literal["exchange_reserve", "market_cap", "spot_volume"]
Resolved = Literal["trend_resumed", "consolidation"]


class Driver(msgspec.Struct, frozen=True):
    """A feature behind a phase: its percentile or value, and what it adds to the phase's score."""

    feature: str
    value: float
    weight: float


class Regime(SignalRow, frozen=True, kw_only=True, tag="regime"):
    """The leverage phase of a scope, hourly and at each change.

    `state` is None before enough history and while no phase stands out; `since` (µs) is when the
    state was entered; `features` holds the inputs by name (percentiles 0..1; with the suffix
    `_raw` their values), `missing` why one is absent.
    """

    state: RegimeName | None
    sub_state: RegimeSubState | None
    crowd_side: PositionSide | None
    p_accumulation: float | None
    p_expansion: float | None
    p_euphoria: float | None
    p_liquidation: float | None
    drivers: tuple[Driver, ...]
    since: int | None
    dwell_h: float | None
    history_days: float
    leverage_basis: LeverageBasis | None
    features: dict[str, float]
    missing: dict[str, str]
    transition_id: str | None


class RegimeTransition(SignalRow, frozen=True, kw_only=True, tag="regime_transition"):
    """A committed change of phase; `from_state` is None where no phase stood before it."""

    from_state: RegimeName | None
    to_state: RegimeName
    probability: float
    crowd_side: PositionSide | None
    drivers: tuple[Driver, ...]
    trigger_cascade_id: str | None
    price: float | None


class RegimeResolution(SignalRow, frozen=True, kw_only=True, tag="regime_resolution"):
    """What a liquidation phase led to, told 72 h after its transition; never used live."""

    transition_id: str
    resolved: Resolved | None
    price_before: float | None
    price_high_after: float | None
    trend_after: float | None
