"""Parameters of the alerts (definition 1.8). All values are priors, none is fitted.

Promises: one frozen value whose hash stands in every row. Durations in seconds of event time,
distances in basis points, ratios to what is ordinary.
"""

import msgspec


class AlertParams(msgspec.Struct, frozen=True):
    """Definition `alert` version 1, by kind."""

    definition: str = "alert/1"
    """Name and version of the definition."""
    unknown_penalty: float = 0.85
    """Factor on the score for each condition whose input is missing."""

    watch_cooldown_s: int = 600
    """Between two watches of one side."""
    update_least_s: int = 60
    """Between two alerts of one window; what changed meanwhile is told after it."""
    update_factor: float = 2.0
    """Growth of observed dollars since they were last told that is an update."""
    update_most: int = 8
    """Updates of one window at most."""

    milestone_warning: float = 0.90
    """Percentile of the day from which a milestone is a warning."""
    milestone_critical: float = 0.99
    """Percentile of the day from which it is critical."""

    feed_scopes: tuple[str, ...] = ("ALL", "BTC", "ETH")
    """Scopes that tell of lost feeds; the coverage of every row says it in all others."""
    feed_away_s: int = 30
    """A venue must be away for so long before it is told."""
    feed_back_s: int = 60
    """It must be back for so long before it counts as back."""
    feed_critical_coverage: float = 0.6
    """Below this share of venues a loss is critical."""

    thin_return_s: int = 10
    """Stretch of the price move that is looked at."""
    thin_sigmas: float = 4.0
    """Move in standard deviations of such a stretch."""
    thin_depth: float = 0.5
    """Depth over ordinary depth, at most."""
    thin_spread: float = 3.0
    """Spread over ordinary spread, at least."""
    thin_vacuum_depth: float = 0.3
    """Depth at which it is critical."""
    thin_vacuum_spread: float = 10.0
    """Spread at which it is critical."""
    thin_cooldown_s: int = 600
    """Between two alerts."""
    book_stands_s: int = 30
    """A book older than this is not known any more."""
    books_most: int = 12
    """Derivative books that are followed, first come."""
    sigma_half_life_min: int = 1440
    """Of the variance of one-minute returns, minutes."""
    sigma_least_returns: int = 30
    """Returns that it needs."""

    sweep_extreme_s: int = 3600
    """Stretch whose high and low are references."""
    sweep_least_bars: int = 30
    """Minutes with a price that it needs."""
    sweep_breach_bp: float = 3.0
    """Overshoot beyond the reference, at least."""
    sweep_breach_atr: float = 0.3
    """Overshoot in average true ranges of a minute times the square root of 5, at least."""
    sweep_within_s: int = 300
    """The price must be back within so long of the crossing."""
    sweep_back: float = 0.8
    """Share of the overshoot that must be given back."""
    sweep_wick: float = 0.6
    """Wick over range, from the price before the crossing to the price now."""
    sweep_taker: float = 3.0
    """Taker volume per second over that of the median minute of the last hour."""
    sweep_least_s: int = 10
    """Shortest stretch over which taker volume is averaged."""
    sweep_forced_quantile: float = 0.9
    """Rank among the 5-minute sums of a day that the forced dollars must reach, or else:"""
    sweep_oi_drop: float = 0.001
    """Fall of open interest since the crossing, a fraction."""
    sweep_least_slots: int = 144
    """Observed 5-minute sums that the rank needs (12 h)."""
    sweep_least_coverage: float = 0.6
    """Venues that must be healthy for a minute to count in these sums."""
    sweep_cooldown_s: int = 900
    """Between two alerts of one direction."""
    sweep_event_s: int = 300
    """No scheduled event so close before or after the crossing."""

    volatility_z: float = 4.0
    """z of realised variance over 5 minutes."""
    volatility_rearm_z: float = 2.0
    """Below it the episode is over."""
    volatility_macro: float = 0.10
    """Share explained by outside markets, below."""
    volatility_forced: float = 0.40
    """Share explained by forced flow from which the cause is positioning."""
    volatility_depth: float = 0.40
    """Depth over ordinary depth up to which the cause is liquidity."""
    volatility_event_s: int = 900
    """No scheduled event so close before or after."""
    volatility_cooldown_s: int = 1800
    """Between two alerts."""

    events_most: int = 64
    """Scheduled events that are remembered, nearest first."""
