"""Parameters of the liquidation map, definition `zones` (1.5), and what they are worth.

Promises one frozen value. All of them but the venue margins are priors: no public data set shows
leverage by position over many venues. The map's own score says what they are worth together.
"""

import msgspec

from streams.core.detectors.zones.margin import MARGINS, AssetClass, VenueMargin

_LARGE = frozenset(
    {"ADA", "AVAX", "BCH", "BNB", "DOGE", "LINK", "LTC", "SOL", "SUI", "TON", "TRX", "XRP"}
)


class ZoneParams(msgspec.Struct, frozen=True):
    """Definition `zones` version 1. Shares are fractions, widths of the grid log price."""

    definition: str = "zones/1"
    grid_major: float = 0.001
    """Width of a bin for BTC and ETH."""
    grid: float = 0.002
    """Width of a bin for other assets."""
    reach: float = 0.3
    """The published map ends at this distance from the price."""
    keep_below: float = 0.8
    """Liquidation prices are kept this far below the price, log (2x longs lie at -0.69)."""
    keep_above: float = 0.75
    """And this far above it, log (2x shorts lie at +0.41, inverse ones at +0.69)."""
    smooth: float = 0.0015
    """Standard deviation of the kernel, log: entries, marks and tiers are not known better."""
    leverages: tuple[float, ...] = (2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
    """Leverages that positions are split into."""
    leverage_shares: tuple[float, ...] = (0.25, 0.2, 0.2, 0.15, 0.1, 0.06, 0.04)
    """Their shares of new positions, from quantiles of one public sample of Hyperliquid."""
    position_usd_major: float = 100_000.0
    """Notional that chooses the margin tier."""
    position_usd_large: float = 30_000.0
    position_usd: float = 10_000.0
    turnover_half_life_s: int = 5 * 86_400
    """Half of the positions have been closed and replaced after this time."""
    volume_half_life_s: int = 5 * 86_400
    """Of the volume profile that the map is scored against."""
    gap_s: int = 900
    """After a longer silence, entry prices of what was opened meanwhile are unknown."""
    most_growth: float = 0.2
    """A venue's open interest that grows by more in a step was not opened at one price."""
    funding_anchor_8h: float = 0.0001
    funding_unit_8h: float = 0.0003
    """Distance from the anchor at which the tilt by funding is full."""
    tilt_funding: float = 0.3
    """Exponent of leverage in the prior at full funding: longs up, shorts down."""
    tilt_taker: float = 0.2
    """Exponent of leverage at a one-sided taker flow."""
    mixture_half_life_s: int = 7 * 86_400
    """Of what liquidations have taught about leverage."""
    mixture_prior_bp: float = 50.0
    """Weight of the prior: basis points of open interest crossed by the price."""
    mixture_prior_orders: float = 20.0
    """Dirichlet weight of the prior in the interval of a zone."""
    mixture_bound: float = 10.0
    """A leverage counts at most this much more, or less, than in the prior."""
    score_reach: float = 0.1
    """Moves of an hour are scored up to this distance, log."""
    score_least_bins: int = 3
    """An hour that reaches fewer bins on a side tells nothing."""
    score_hour_cap: float = 25.0
    """Orders of an hour and side count as at most this many: they come in bursts."""
    score_floor: float = 0.05
    """Share of the uniform density in every density that is scored."""
    score_half_life_s: int = 14 * 86_400
    score_least: float = 300.0
    """Scored orders before the map may be shown."""
    score_errors: float = 1.0
    """The skill must exceed this many of its standard errors."""
    zone_quantile: float = 0.9
    zone_least_oi: float = 0.003
    """A zone holds at least this share of open interest."""
    zones_most: int = 20
    armed_ratio: float = 1.0
    large: frozenset[str] = _LARGE
    """Assets of the middle class of margin rules."""
    margins: tuple[VenueMargin, ...] = MARGINS

    def assets(self, scope: str) -> AssetClass:
        """The class of an asset."""
        if scope in ("BTC", "ETH"):
            return "major"
        return "large" if scope in self.large else "other"

    def width(self, scope: str) -> float:
        """Width of a bin, log price."""
        return self.grid_major if self.assets(scope) == "major" else self.grid

    def notional(self, scope: str) -> float:
        """USD of the position that stands for the asset's positions."""
        sizes = {
            "major": self.position_usd_major,
            "large": self.position_usd_large,
            "other": self.position_usd,
        }
        return sizes[self.assets(scope)]
