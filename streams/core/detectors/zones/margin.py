"""Maintenance margin by venue and class of asset: what the liquidation map projects with.

Part of the parameters of `zones`. Rates and floors are those of the venue's page named in `source`;
`prior` marks a table that stands for others, or that was not read from the venue. Venues change
tiers without notice and for one asset at a time: the tables are right in shape, not to the day.
"""

from typing import Literal

import msgspec

from streams.core.detectors.zones.liquidation_price import (
    MarginTier,
    inverse_price,
    linear_price,
    margin_tiers,
    tier_of,
)
from streams.core.events import PositionSide

AssetClass = Literal["major", "large", "other"]
"""BTC and ETH; assets traded by every venue; the rest."""


class VenueMargin(msgspec.Struct, frozen=True):
    """Margin rules of a venue for a class of assets.

    `close_fee`: fee that the venue counts to the maintenance margin, share of notional.
    `inverse`: contracts are worth fixed dollars and margined in the coin.
    """

    venue: str
    assets: AssetClass
    tiers: tuple[MarginTier, ...]
    source: str
    prior: bool
    inverse: bool = False
    close_fee: float = 0.0


_BINANCE_MAJOR = margin_tiers(
    (0, 0.004, 125),
    (50_000, 0.005, 100),
    (600_000, 0.0065, 75),
    (3_000_000, 0.01, 50),
    (12_000_000, 0.02, 25),
    (70_000_000, 0.025, 20),
    (100_000_000, 0.05, 10),
    (230_000_000, 0.1, 5),
    (480_000_000, 0.125, 4),
    (600_000_000, 0.15, 3),
    (800_000_000, 0.25, 2),
    (1_200_000_000, 0.5, 1),
)
_BINANCE_OTHER = margin_tiers(
    (0, 0.015, 50),
    (5_000, 0.025, 20),
    (25_000, 0.05, 10),
    (100_000, 0.1, 5),
    (200_000, 0.125, 4),
    (500_000, 0.25, 2),
    (1_000_000, 0.5, 1),
)
_BYBIT_MAJOR = margin_tiers(
    (0, 0.005, 100),
    (2_000_000, 0.0056, 90),
    (2_600_000, 0.0063, 80),
    (3_200_000, 0.0067, 75),
    (3_800_000, 0.0071, 70),
    (4_400_000, 0.0077, 65),
    (5_000_000, 0.0091, 55),
    (5_600_000, 0.01, 50),
    (8_500_000, 0.013, 45),
    (10_000_000, 0.015, 40),
    (14_000_000, 0.016, 35),
    (20_000_000, 0.02, 30),
    (28_000_000, 0.025, 25),
)
_BYBIT_OTHER = margin_tiers(
    (0, 0.02, 25),
    (25_000, 0.025, 20),
    (50_000, 0.03, 16.67),
    (75_000, 0.035, 14.29),
    (100_000, 0.04, 12.5),
)
_LARGE = margin_tiers(
    (0, 0.005, 100),
    (50_000, 0.0065, 75),
    (250_000, 0.01, 50),
    (1_000_000, 0.02, 25),
    (5_000_000, 0.05, 10),
)
_FLAT_MAJOR = margin_tiers((0, 0.005, 100), (2_000_000, 0.01, 50), (20_000_000, 0.025, 20))

_BINANCE = "Binance, Notional and Leverage Brackets (USD-M endpoint; a public copy of 2024)"
_BYBIT = "Bybit, Margin Parameters of BTCUSDT (an undated copy)"
_BYBIT_SMALL = "Bybit, Risk Limit Adjustment of 2025-07-01, VOXELUSDT and others before it"
_HYPERLIQUID = "Hyperliquid docs, Margin tiers: maintenance is half the margin at most leverage"

MARGINS: tuple[VenueMargin, ...] = (
    VenueMargin("binance-usdm", "major", _BINANCE_MAJOR, _BINANCE + ", BTCUSDT", False),
    VenueMargin("binance-usdm", "large", _LARGE, "assumed between the classes", True),
    VenueMargin("binance-usdm", "other", _BINANCE_OTHER, _BINANCE + ", the commonest table", True),
    VenueMargin("binance-coinm", "major", _BINANCE_MAJOR, "as USD-M; floors are coins", True, True),
    VenueMargin("binance-coinm", "large", _LARGE, "assumed", True, True),
    VenueMargin("binance-coinm", "other", _BINANCE_OTHER, "assumed", True, True),
    VenueMargin("bybit", "major", _BYBIT_MAJOR, _BYBIT, False, close_fee=0.00055),
    VenueMargin("bybit", "large", _LARGE, "assumed", True, close_fee=0.00055),
    VenueMargin("bybit", "other", _BYBIT_OTHER, _BYBIT_SMALL, True, False, 0.00055),
    VenueMargin("okx", "major", _FLAT_MAJOR, "assumed (tiers in contracts)", True, False, 0.0005),
    VenueMargin("okx", "large", _LARGE, "assumed", True, False, 0.0005),
    VenueMargin("okx", "other", _BINANCE_OTHER, "assumed", True, False, 0.0005),
    VenueMargin(
        "hyperliquid",
        "major",
        margin_tiers((0, 0.0125, 40), (150_000_000, 0.025, 20)),
        _HYPERLIQUID,
        False,
    ),
    VenueMargin("hyperliquid", "large", margin_tiers((0, 0.025, 20)), _HYPERLIQUID, True),
    VenueMargin("hyperliquid", "other", margin_tiers((0, 0.05, 10)), _HYPERLIQUID, True),
    VenueMargin("bitmex", "major", _FLAT_MAJOR, "assumed", True, True),
    VenueMargin("deribit", "major", _FLAT_MAJOR, "assumed", True, True),
    VenueMargin("", "major", _FLAT_MAJOR, "assumed for every other venue", True),
    VenueMargin("", "large", _LARGE, "assumed for every other venue", True),
    VenueMargin("", "other", _BINANCE_OTHER, "assumed for every other venue", True),
)
"""By venue and class; the venue `""` is every other."""


def margin_of(margins: tuple[VenueMargin, ...], venue: str, assets: AssetClass) -> VenueMargin:
    """The rules of a venue: its own, else those before its first hyphen, else the general ones.

    >>> margin_of(MARGINS, "bybit-inverse", "major").venue, margin_of(MARGINS, "x", "major").venue
    ('bybit', '')
    """
    for name in (venue, venue.split("-", 1)[0], ""):
        for margin in margins:
            if margin.venue == name and margin.assets == assets:
                return margin
    raise ValueError(f"no margin rules for {assets} assets")


def liquidation_ratio(
    margin: VenueMargin, side: PositionSide, leverage: float, position_usd: float
) -> float | None:
    """Liquidation price over entry price of a position of `position_usd`.

    A leverage above the venue's ceiling for that notional counts as the ceiling.

    >>> rules = margin_of(MARGINS, "binance-usdm", "major")
    >>> round(liquidation_ratio(rules, "long", 10, 60_000) * 60_000, 3)
    54221.106
    >>> rules = margin_of(MARGINS, "hyperliquid", "major")
    >>> round(liquidation_ratio(rules, "long", 100, 100_000), 6)
    0.987342
    """
    tier = tier_of(margin.tiers, position_usd)
    used = min(leverage, tier.max_leverage)
    rate = tier.rate + margin.close_fee
    # With an entry of one, coins and dollars are the same number.
    solve = inverse_price if margin.inverse else linear_price
    return solve(side, 1.0, used, rate, tier.amount, position_usd)
