"""What Bybit symbols mean: contract class, asset and unit, told from the name alone.

Promises the unit rules of the two derivative categories (linear sizes in the listed unit of the
coin, inverse sizes in contracts of one dollar) and of spot pairs quoted in a dollar. Options and
pairs with another quote have no rule, since their dollars are unknown.
"""

import re
from typing import Final

from streams.core.instruments import Instrument
from streams.venues.multiples import listed

_DERIVATIVE: Final = re.compile(
    r"([A-Z0-9]{1,24}?)"
    r"(?:(USDT)(?:-\d{1,2}[A-Z]{3}\d{2})?|(PERP|-\d{1,2}[A-Z]{3}\d{2})|(USD)(?:[FGHJKMNQUVXZ]\d\d)?)",
    re.ASCII,
)
_SPOT: Final = re.compile(r"([A-Z0-9]{1,24}?)(USDT|USDC|USDE|USD1|DAI)", re.ASCII)


def derivative(symbol: str) -> Instrument | None:
    """The contract a linear or inverse symbol names; None for options and other shapes.

    >>> derivative("BTCUSDH26").contract, derivative("BTCPERP").quote
    ('inverse', 'USDC')
    >>> derivative("1000PEPEUSDT").asset, derivative("1000PEPEUSDT").coins_per_unit
    ('PEPE', 1000)
    """
    match = _DERIVATIVE.fullmatch(symbol)
    if match is None:
        return None
    base, tether, _, inverse = match.groups()
    if inverse:
        return Instrument("bybit", symbol, base, "USD", "inverse", "usd")
    base, units = listed(base)
    return Instrument(
        "bybit", symbol, base, "USDT" if tether else "USDC", "linear", "base", coins_per_unit=units
    )


def spot(symbol: str) -> Instrument | None:
    """The pair a spot symbol names; None where the quote is not a dollar.

    >>> spot("BTCUSDC").asset, spot("ETHBTC")
    ('BTC', None)
    """
    match = _SPOT.fullmatch(symbol)
    if match is None:
        return None
    return Instrument("bybit-spot", symbol, match[1], match[2], "spot", "base")
