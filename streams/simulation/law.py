"""The parameters of the margin engine, with units and where they come from.

A `Law` is all that an engine knows besides assets, plan and seed. Frozen; scenarios derive theirs
with `_replace`. Sources are named in docs/simulation.md. None was fitted to a detector.
"""

from typing import NamedTuple

LEVERAGE = (3.0, 5.0, 8.0, 12.0, 20.0, 35.0, 60.0, 100.0)
"""Classes of leverage at entry."""
STOCK = (0.10, 0.06, 0.03, 0.008, 0.0025, 0.0008, 0.00025, 0.00006)
"""Dollars of each class over open interest; the rest is hedged or unlevered and never called."""
LIFE_S = (864_000.0, 432_000.0, 172_800.0, 72_000.0, 28_800.0, 9_000.0, 2_500.0, 900.0)
"""Mean life of an account that is closed by choice, s."""
SIZE = (40.0, 20.0, 8.0, 3.0, 1.0, 0.8, 0.7, 0.7)
"""Median notional of a class over that of 20x."""


class Law(NamedTuple):
    """Constants of the engine; rates per second unless said."""

    step_s: float = 1.0
    """Length of a step, s."""
    sigma: float = 0.75e-4
    """Common factor: standard deviation of its log return in a second of ordinary volatility."""
    sigma_wander: float = 0.35
    """Volatility of log volatility (stationary standard deviation)."""
    sigma_memory_s: float = 7_200.0
    """Memory of log volatility, s."""
    revert_per_s: float = 0.0
    """Pull of the fundamental towards its opening; zero: it wanders freely."""
    jump_per_s: float = 1.0 / 10_800
    """Ordinary jumps of one asset."""
    jump_sigma: float = 12.0
    """Size of an ordinary jump, in standard deviations of a second."""
    tail: float = 0.25
    """Share of the variance of a second's noise that comes in rare large draws."""
    depth: float = 0.012
    """Dollars within 1 % of the price on one side, all venues, over open interest."""
    spot_depth: float = 0.4
    """The spot market's depth over that of the perpetuals."""
    gamma: float = 0.87
    """Impact: move = 1 % * impact * (volume / depth) ** gamma."""
    impact: float = 0.75
    """Move, in percent, of a volume equal to the depth within 1 %."""
    refill_s: float = 90.0
    """Decay time of flow imbalance: the book refills and the transient impact fades."""
    value_at: float = 0.02
    """Displacement at which buyers of value double the speed of the book's refill, log."""
    lasting: float = 0.35
    """Share of an impact that stays in the price."""
    arbitrage: float = 0.15
    """Share of the imbalance between venues and spot that is traded away in a second."""
    spill: float = 0.35
    """Share of the market's displacement that other assets follow (times beta)."""
    spill_s: float = 8.0
    """Lag of that following, s."""
    withdraw: float = 2.0
    """Elasticity of ordinary depth to short-term volatility over the ordinary one (withdrawal)."""
    withdraw_s: float = 6.0
    """Time to withdraw, s."""
    return_s: float = 240.0
    """Time to come back, s."""
    least_depth: float = 0.045
    """Depth that always stays, over ordinary depth; the elasticity wears off on the way to it."""
    volatility_s: float = 30.0
    """Window of the short-term volatility that market makers watch, s."""
    herd: float = 0.25
    """Taker flow that follows a move beyond four ordinary deviations, in depths per percent."""
    herd_s: float = 30.0
    """Window of the move that is followed, s."""
    basis: float = 0.0006
    """Premium of the perpetual when all levered accounts stand on one side."""
    basis_at: float = 0.0
    """Lean of the levered accounts (longs less shorts over both) at which there is no premium."""
    mark_s: float = 60.0
    """Window of the venue's moving average of the basis in its mark price, s."""
    funding_anchor: float = 0.0001
    """Interest part of the 8-hour funding rate."""
    size_sigma: float = 1.9
    """Standard deviation of log account size."""
    size_times: float = 1.0
    """Times all account sizes; larger accounts are fewer, which makes months affordable."""
    size_largest: float = 2_500.0
    """Largest account over the median of its class."""
    stops: float = 0.15
    """Share of accounts with a stop order between entry and liquidation."""
    stops_round: float = 0.5
    """Share of stops that stand just beyond a round price."""
    cross: float = 0.05
    """Dollars in cross-margined accounts over open interest."""
    cross_accounts: float = 300.0
    """Cross-margined accounts per venue and asset."""
    trend: float = 0.8
    """Log odds of a long entry per ordinary daily deviation of the last day's move."""
    neutral_long: float = 0.12
    """Log odds of a long entry in a flat market."""
    slice: float = 0.004
    """Largest forced order, over the venue's depth within 1 %."""
    release: float = 0.12
    """Share of waiting forced orders that a venue sends in a second."""
    orders_per_s: float = 300.0
    """Most forced orders of a venue and asset in a second."""
    fund: float = 0.02
    """Insurance fund over open interest."""
    backstop: float = 0.01
    """Positions that the backstop may hold, over open interest."""
    backstop_s: float = 3_600.0
    """Time in which the backstop unwinds, s."""
    hedged: float = 0.72
    """Open interest that no price calls (hedged or unlevered), over open interest."""
    spread: float = 0.4e-4
    """Half the ordinary spread, over price; widens as depth falls."""
    turnover: float = 2.6
    """Taker volume by choice in a day of ordinary volatility, over open interest."""
    forced_impact: float = 1.0
    """One; zero in the counterfactual, where forced orders trade without moving anything."""
