"""Parameters of the liquidity regime and of the conditions index; see `liquidity`.

All are priors, none is fitted yet. Sources: the state bounds are ratios seen in single public
studies of order books around liquidation events (plunge 0.63, collapse 1 / 3.4).
"""

import msgspec


class LiquidityParams(msgspec.Struct, frozen=True):
    """Seconds are event time; ratios are to the ordinary value of the hour."""

    definition: str = "liquidity/1"
    """Name and version of the definition."""

    tight_ratio: float = 0.65
    """Depth at or below it is TIGHT."""
    vacuum_ratio: float = 0.30
    """Depth at or below it is VACUUM."""
    vacuum_spread: float = 10.0
    """Spread at or above this multiple is VACUUM."""
    abundant_z: float = 0.5
    """z at or above it is ABUNDANT."""
    tight_z: float = -1.0
    """z at or below it is TIGHT."""
    enter_s: int = 5
    """A worse state is entered when it has held so long, s."""
    leave_s: int = 60
    """It is left when it has not held for so long, s."""

    book_stands_s: int = 30
    """A book older than this is not known any more, s."""
    book_gone_s: int = 600
    """A main book silent for so long gives way to another book of its venue, s."""
    venue_gone_s: int = 3_600
    """A venue without a book for so long has no rows and no part in the whole, s."""
    venue_forgotten_s: int = 28 * 86_400
    """After so long its ordinary values are forgotten, s."""
    frozen_snapshots: int = 10
    """So many equal snapshots in a row are a frozen book (one public project)."""
    switch_cost: float = 0.8
    """Another book becomes the venue's main one when it costs at most this share."""
    least_known: float = 0.6
    """Share of ordinary depth that must be known for a state over all venues."""

    kyle_half_life_s: int = 60
    """Of the regression of price changes on signed taker flow, s."""
    kyle_least: float = 10.0
    """Effective observations that lambda needs."""
    price_gap_s: int = 60
    """No price change is measured across a longer silence, s."""
    flow_half_life_s: int = 3_600
    """Of the ordinary size of a taker second, s."""
    flow_least_s: float = 600.0
    """Effective seconds that the ordinary size needs."""
    shock_sigmas: float = 3.0
    """A taker second of so many standard deviations starts a refill measurement."""
    shock_dent: float = 0.9
    """It must leave at most this share of the depth it took from."""
    refill_within_s: int = 300
    """Longer refills are not waited for, s."""
    refill_stands_s: int = 3_600
    """How long a measured refill is told, s."""

    ordinary_half_life_h: float = 336.0
    """Of the ordinary values, hours (14 d)."""
    shrink_h: float = 3.0
    """Hours of evidence that the mean over all hours counts as, within each hour's cell."""
    least_history_h: float = 24.0
    """Hours of observation before a measure has an ordinary value."""
    least_reach: float = 0.5
    """Share of the observed time in which a measure was known, before it is compared."""
    learn_ratio: float = 4.0
    """An hour moves its ordinary value as if it were off by this factor at most."""
    least_sigma: float = 0.1
    """Floor of the scatter of a measure's logarithm."""
    z_clip: float = 5.0
    """Bound of each part of z."""
    least_parts: int = 3
    """Parts that z needs."""

    stable_series: str = "stablecoin_supply"
    """Outside series of the stablecoin supply, USD."""
    series_stands_s: int = 3 * 86_400
    """An outside value older than this is not known any more, s."""
    funding_anchor_8h: float = 0.0001
    """Funding per 8 h of a balanced market: the venues' interest rate."""
    depth_scale: float = 0.15
    """One unit of the index: log depth of 30 against 90 days."""
    stable_7d_scale: float = 0.015
    """Of 7 days of stablecoin growth."""
    stable_30d_scale: float = 0.05
    """Of 30 days of it."""
    oi_scale: float = 0.20
    """Of the log growth of open interest over 30 days."""
    volatility_scale: float = 0.4
    """Of the log of volatility, 7 days against 90."""
    funding_scale: float = 0.0001
    """Of the mean distance of funding from its anchor, 7 days against 90, per 8 h."""
    input_clip: float = 3.0
    """Bound of each input."""
    least_inputs: int = 3
    """Inputs that the index needs."""
    index_bound: float = 0.5
    """Bound between neutral and the other two states."""
    index_softness: float = 0.25
    """Scale of the logistic that gives probabilities (uncalibrated)."""
    commit_probability: float = 0.6
    """A new state of the conditions must be this probable."""
