"""Parameters of the cascade definition (1.1), with the priors that are part of it.

Promises: one frozen value whose hash stands in every row. Dollars are int64 micro-dollars.
Priors marked measured come from 3.3 covered hours of the Binance USD-M liquidation stream
(2024-06 to 2025-12, 2,008 short and 1,229 long occupied cells); the others are assumptions
until a scoreboard has fitted them.
"""

import msgspec

from streams.core.detectors.cascade.branching import BranchingParams
from streams.core.detectors.cascade.counterfactual import CounterfactualParams

_USD = 1_000_000


class ScopePrior(msgspec.Struct, frozen=True):
    """Ordinary rates per side and floors of one scope tier.

    `count_rate`: occupied cells or orders per second and venue; `dollar_rate`: standard orders
    per second and venue; `unit_usd`: the standard order; `floor_usd`: least dollars in 60 s
    (gate size); `move_bp`: least displacement (gate price).
    """

    count_rate: float
    dollar_rate: float
    unit_usd: int
    floor_usd: int
    move_bp: float


_ASSETS = {
    "BTC": ScopePrior(0.01, 0.01, 50_000 * _USD, 3_000_000 * _USD, 40.0),
    "ETH": ScopePrior(0.01, 0.01, 30_000 * _USD, 2_000_000 * _USD, 40.0),
    **dict.fromkeys(
        ("ADA", "AVAX", "BNB", "DOGE", "LINK", "LTC", "SOL", "SUI", "TRX", "XRP"),
        ScopePrior(0.01, 0.01, 20_000 * _USD, 500_000 * _USD, 75.0),
    ),
}

_CONNECTED = {
    "binance-usdm": 0.35,
    "binance-coinm": 0.03,
    "bybit": 0.20,
    "okx": 0.12,
    "bitget": 0.10,
    "gate": 0.08,
    "hyperliquid": 0.08,
}

_CLOCK_S = {
    "binance-usdm": 0.1,
    "binance-coinm": 0.1,
    "bitget": 0.1,
    "bitmex": 0.1,
    "bybit": 0.5,
    "deribit": 0.1,
    "dydx": 1.0,
    "gate": 0.1,
    "htx": 0.1,
    "hyperliquid": 0.2,
    "kraken": 0.1,
    "okx": 0.1,
}

_BASKET = {"BTC": 0.60, "ETH": 0.30, "SOL": 0.10}


class CascadeParams(msgspec.Struct, frozen=True):
    """Definition `cascade` version 4. Durations in seconds.

    `rho`: rate ratio the CUSUM is tuned to; `threshold`: alarm level h, `early`: watch level;
    `cap`: ceiling of the statistic in multiples of h; `lag_s`: how far the baseline trails.
    `follow_threshold`: level of a venue's own count statistic at which it has joined a window
    (five orders); `lead_within_s`: an asset's onset so long before the market's counts as its
    lead; `most_followers`: at most so many are named. `flow_half_life_s`: memory of the price
    slope on taker flow, `flow_least`: its least effective seconds; `map_stale_s`: an older map of
    liquidation prices is not used.
    """

    definition: str = "cascade/4"
    rho: float = 6.0
    threshold: float = 40.0
    early: float = 20.0
    cap: float = 2.0
    baseline_half_life_s: int = 3600
    baseline_lag_s: int = 600
    baseline_floor: float = 0.01
    dollar_units_cap: float = 20.0
    end_baseline_multiple: float = 4.0
    end_peak_share: float = 0.05
    end_quiet_s: int = 300
    peak_drop: float = 0.5
    peak_drop_s: int = 30
    mixed_within_s: int = 10
    aftershock_s: int = 1800
    split_s: int = 4 * 3600
    final_after_s: int = 600
    recovery_s: int = 1800
    block_s: int = 60
    size_oi_share: float = 0.00032
    quiet_share: float = 0.25
    """Below this share of the rate that makes a cascade, its flow has not begun or has sunk."""
    surge_after_s: int = 60
    """A cascade that flares so long after its burst began is a window of its own."""
    concentration_ratio: float = 3.0
    concentration_p: float = 1e-6
    concentration_minutes: int = 60
    move_sigmas: float = 3.0
    sigma_half_life_min: int = 1440
    sigma_least_returns: int = 30
    least_coverage: float = 0.6
    breadth_within_s: int = 1200
    oi_supports: float = -0.005
    follow_threshold: float = 8.0
    lead_within_s: int = 300
    most_followers: int = 32
    clock_s: dict[str, float] = msgspec.field(default_factory=_CLOCK_S.copy)
    """How far a venue's time stamps may lie from UTC, and from the orders that they stamp: 100 ms
    of clock error and gateway delay (assumed, 2026-11), blocks of about a second on dYdX and of a
    fifth on Hyperliquid, batches of half a second on Bybit."""
    clock_other_s: float = 1.0
    sampled_clock_s: float = 1.0
    """A feed of one order a second hides the orders before the one that it shows."""
    flow_half_life_s: int = 60
    flow_least: float = 20.0
    map_stale_s: int = 600
    branching: BranchingParams = BranchingParams()
    counterfactual: CounterfactualParams = CounterfactualParams()
    market: ScopePrior = ScopePrior(0.13, 0.02, 10_000 * _USD, 10_000_000 * _USD, 40.0)
    assets: dict[str, ScopePrior] = msgspec.field(default_factory=_ASSETS.copy)
    other: ScopePrior = ScopePrior(0.005, 0.005, 5_000 * _USD, 100_000 * _USD, 120.0)
    connected: dict[str, float] = msgspec.field(default_factory=_CONNECTED.copy)
    """Share of market-wide open interest per venue (assumed, 2026-11): scales the market floor."""
    sampled_floor: float = 0.5
    """A sampled feed publishes about this share of dollars in a burst: its floor is scaled."""
    basket: dict[str, float] = msgspec.field(default_factory=_BASKET.copy)
    """Weights of the market price (open interest, rounded, 2026-11)."""

    def prior(self, scope: str) -> ScopePrior:
        """The tier of a scope: `ALL`, a named asset, or every other asset."""
        return self.market if scope == "ALL" else self.assets.get(scope, self.other)
