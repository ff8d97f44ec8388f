"""Margin arithmetic of isolated linear contracts: maintenance, liquidation and bankruptcy price.

A venue closes a position when its margin falls to `rate * notional - amount`. Promises the exact
root of that equation (definitions 3.7), with the tier of the notional at entry; tiers are not
re-read as the price moves. Binance, "Leverage & Margin"; Bybit, "Maintenance Margin (USDT)".
"""

import numpy as np
from numpy.typing import NDArray

from streams.simulation.compiled import inlined


@inlined
def tier(floors: NDArray[np.float64], notional: float) -> int:
    """Index of the tier that a notional (USD) stands in; `floors` ascending, USD."""
    found = 0
    for index in range(1, len(floors)):
        if notional >= floors[index]:
            found = index
    return found


@inlined
def maintenance(notional: float, rate: float, amount: float) -> float:
    """Maintenance margin, USD."""
    return max(0.0, notional * rate - amount)


@inlined
def liquidation_price(
    side: int, entry: float, coins: float, margin: float, rate: float, amount: float
) -> float:
    """Price at which margin + profit equals the maintenance margin; `side` +1 long, -1 short.

    With margin = notional / L this is P_e (1 - 1/L - c/(Q P_e)) / (1 - MMR) for a long and
    P_e (1 + 1/L + c/(Q P_e)) / (1 + MMR) for a short. A price below zero is never reached.
    """
    return (entry * coins - side * (margin + amount)) / (coins * (1.0 - side * rate))


@inlined
def bankruptcy_price(side: int, entry: float, coins: float, margin: float) -> float:
    """Price at which nothing is left of the margin."""
    return entry - side * margin / coins
