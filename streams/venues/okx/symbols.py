"""What two-part symbols of OKX mean: spot pairs and indices quoted in a dollar.

Contracts are not told by their name, since their sizes are not; they stand in the instrument table.
"""

import re
from typing import Final

from streams.core.instruments import Instrument

_SPOT: Final = re.compile(r"([A-Z0-9]{1,24})-(USDT|USDC|USD|USDG|USDK|USDE|DAI)")


def spot(symbol: str) -> Instrument | None:
    """The spot pair or index that a two-part name means; None where the quote is no dollar.

    >>> spot("BTC-USDT").contract, spot("ETH-BTC"), spot("BTC-USDT-SWAP")
    ('spot', None, None)
    """
    match = _SPOT.fullmatch(symbol)
    if match is None:
        return None
    return Instrument("okx", symbol, match[1], match[2], "spot", "base")
