"""What Gate symbols mean, as far as the name alone tells.

Promises spot pairs quoted in a dollar and the one inverse contract. Linear contracts need their
size from the instrument table; contracts of another coin settled in BTC have no rule, since their
dollars hang on the price of BTC.
"""

import re
from typing import Final

from streams.core.instruments import Instrument

FUTURES: Final = "gate"
SPOT: Final = "gate-spot"

INVERSE: Final = "BTC_USD"
"""The contract of one dollar, whose multiplier the venue states as zero."""

_PAIR: Final = re.compile(r"([A-Z0-9]{1,24})_(USDT|USDC|USD1|USDE|DAI)", re.ASCII)


def future(symbol: str) -> Instrument | None:
    """The inverse contract; None for every other.

    >>> future("BTC_USD").contract, future("BTC_USDT")
    ('inverse', None)
    """
    if symbol != INVERSE:
        return None
    return Instrument(FUTURES, symbol, "BTC", "USD", "inverse", "usd")


def pair(symbol: str) -> Instrument | None:
    """The pair of a spot symbol; None where the quote is not a dollar.

    >>> pair("BTC_USDC").asset, pair("ETH_BTC")
    ('BTC', None)
    """
    match = _PAIR.fullmatch(symbol)
    if match is None:
        return None
    return Instrument(SPOT, symbol, match[1], match[2], "spot", "base")
