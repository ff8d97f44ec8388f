"""The coins and venues of the simulated market: prices, sizes, shares, margin tiers.

Orders of magnitude of late 2026, rounded; no figure is a quotation. Margin tiers are simplified
from the venues' public tables: right in shape, not to the day. Amounts follow from continuity.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.config import MarginquakeError
from streams.simulation.orders import VENUES
from streams.simulation.wire import CONTRACT_COINS

Floats = NDArray[np.float64]


class Asset(msgspec.Struct, frozen=True):
    """One coin.

    `price` USD at the opening; `decimals` of prices; `beta`: response to the common factor;
    `own`: volatility of its own over the common one's; `interest_usd`: one-sided open interest
    over the venues; `size_usd`: median notional of a 20x account; `kind`: row of the tier table.
    """

    name: str
    price: float
    decimals: int
    beta: float
    own: float
    interest_usd: float
    size_usd: float
    kind: int


ASSETS: Final = (
    Asset("BTC", 91_400.0, 1, 1.0, 0.35, 14e9, 900.0, 0),
    Asset("ETH", 3_120.0, 2, 1.25, 0.5, 9e9, 700.0, 0),
    Asset("SOL", 138.0, 3, 1.35, 0.8, 3e9, 400.0, 1),
    Asset("XRP", 2.21, 5, 1.2, 0.9, 1.6e9, 300.0, 1),
    Asset("DOGE", 0.1612, 6, 1.4, 0.9, 0.9e9, 250.0, 1),
    Asset("BNB", 884.0, 2, 0.9, 0.6, 0.9e9, 300.0, 1),
    Asset("ADA", 0.482, 5, 1.35, 0.9, 0.5e9, 200.0, 1),
    Asset("LINK", 13.9, 4, 1.35, 0.9, 0.45e9, 200.0, 1),
    Asset("AVAX", 15.1, 4, 1.4, 1.0, 0.4e9, 180.0, 1),
    Asset("SUI", 1.92, 5, 1.5, 1.1, 0.5e9, 200.0, 1),
    Asset("HYPE", 36.0, 3, 1.4, 1.3, 0.9e9, 250.0, 1),
    Asset("LTC", 92.0, 3, 1.1, 0.9, 0.35e9, 200.0, 1),
    Asset("BCH", 510.0, 2, 1.1, 0.9, 0.3e9, 200.0, 1),
    Asset("DOT", 2.8, 5, 1.3, 1.0, 0.25e9, 160.0, 2),
    Asset("UNI", 6.9, 4, 1.4, 1.2, 0.25e9, 160.0, 2),
    Asset("AAVE", 178.0, 2, 1.4, 1.1, 0.25e9, 180.0, 2),
    Asset("NEAR", 2.1, 5, 1.4, 1.2, 0.2e9, 150.0, 2),
    Asset("APT", 2.9, 5, 1.4, 1.2, 0.2e9, 150.0, 2),
    Asset("ARB", 0.24, 6, 1.4, 1.2, 0.18e9, 150.0, 2),
    Asset("FIL", 1.6, 5, 1.3, 1.2, 0.15e9, 150.0, 2),
)

SHARE: Final = (0.5, 0.32, 0.18)
"""Of business, in the order of VENUES, where an asset trades at all three."""

_Tiers = tuple[tuple[float, float], ...]
_MAJOR: Final[_Tiers] = ((0, 0.004), (3e5, 0.005), (3e6, 0.01), (12e6, 0.025), (70e6, 0.05))
_LARGE: Final[_Tiers] = ((0, 0.006), (1e5, 0.01), (1e6, 0.02), (5e6, 0.05), (2e7, 0.1))
_SMALL: Final[_Tiers] = ((0, 0.01), (5e4, 0.02), (3e5, 0.05), (1e6, 0.1), (5e6, 0.25))
STEEPER: Final = (1.0, 1.15, 1.0)
"""A venue's maintenance rates over those of the first venue."""
TIERS: Final = len(_MAJOR)


def tier_tables() -> tuple[Floats, Floats, Floats]:
    """Floors (USD), rates and amounts (USD) by [venue, kind, tier]."""
    shape = (len(VENUES), 3, TIERS)
    floors, rates, amounts = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for venue, steeper in enumerate(STEEPER):
        for kind, rows in enumerate((_MAJOR, _LARGE, _SMALL)):
            rate = amount = 0.0
            for tier, (floor, next_rate) in enumerate(rows):
                amount += floor * (next_rate * steeper - rate)
                rate = next_rate * steeper
                floors[venue, kind, tier] = floor
                rates[venue, kind, tier] = rate
                amounts[venue, kind, tier] = amount
    return floors, rates, amounts


def chosen(count: int) -> tuple[Asset, ...]:
    """The `count` largest coins.

    Raises:
        MarginquakeError: there are not so many.
    """
    if not 1 <= count <= len(ASSETS):
        raise MarginquakeError(f"--assets {count}: the simulated market has 1 to {len(ASSETS)}")
    return ASSETS[:count]


def shares(assets: tuple[Asset, ...]) -> Floats:
    """Venue shares by [asset, venue]; zero where the venue does not list the asset."""
    table = np.zeros((len(assets), len(VENUES)))
    for row, asset in enumerate(assets):
        listed = [
            share if venue != "okx" or asset.name in CONTRACT_COINS else 0.0
            for venue, share in zip(VENUES, SHARE, strict=True)
        ]
        total = sum(listed)
        table[row] = [share / total for share in listed]
    return table
