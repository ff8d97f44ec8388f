"""What Bitget symbols and products mean: family, asset and unit, told from the names alone.

Promises that sizes are coins of the listed unit in every product; only forced orders have another
unit. Pairs that are not quoted in a dollar have no rule, since their dollars are unknown.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from streams.core.events import Contract
from streams.core.instruments import Instrument
from streams.venues.multiples import listed

FUTURES: Final = "bitget"
SPOT: Final = "bitget-spot"

PRODUCTS: Final[Mapping[str, str]] = {
    "usdt-futures": FUTURES,
    "usdc-futures": FUTURES,
    "coin-futures": FUTURES,
    "spot": SPOT,
}
"""Venue id by `instType` in small letters."""

_FUTURE: Final = re.compile(
    r"([A-Z0-9]{1,24}?)(?:(USDT)|(PERP)|USD(?:[FGHJKMNQUVXZ]\d\d)?)", re.ASCII
)
_PAIR: Final = re.compile(r"([A-Z0-9]{1,24}?)(USDT|USDC|USDE|USD1|DAI)", re.ASCII)


def future(symbol: str) -> Instrument | None:
    """The contract of a futures symbol: of USDT, of USDC (`BTCPERP`), or inverse.

    >>> future("1000SATSUSDT").asset, future("BTCPERP").quote, future("BTCUSD").contract
    ('SATS', 'USDC', 'inverse')
    """
    match = _FUTURE.fullmatch(symbol)
    if match is None:
        return None
    base, tether, perpetual = match.groups()
    asset, units = listed(base)
    quote = "USDT" if tether else "USDC" if perpetual else "USD"
    contract: Contract = "linear" if tether or perpetual else "inverse"
    return Instrument(FUTURES, symbol, asset, quote, contract, "base", Decimal(1), units)


def pair(symbol: str) -> Instrument | None:
    """The pair of a spot symbol; None where the quote is not a dollar.

    >>> pair("BTCUSDC").asset, pair("ETHBTC")
    ('BTC', None)
    """
    match = _PAIR.fullmatch(symbol)
    if match is None:
        return None
    asset, units = listed(match[1])
    return Instrument(SPOT, symbol, asset, match[2], "spot", "base", Decimal(1), units)
