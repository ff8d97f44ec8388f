"""Where venues publish their lists of instruments.

Plain data for the command that renews the table and for the detail of an unknown instrument, which
names that command only where it helps. Fetches nothing.
"""

from collections.abc import Mapping
from typing import Final

URLS: Final[Mapping[str, tuple[str, ...]]] = {
    "binance-coinm": ("https://dapi.binance.com/dapi/v1/exchangeInfo",),
    "bitmex": ("https://www.bitmex.com/api/v1/instrument/active",),
    "bybit": ("https://api.bybit.com/v5/market/instruments-info?category=inverse&limit=1000",),
    "deribit": ("https://www.deribit.com/api/v2/public/get_instruments?currency=any&kind=future",),
    "gate": (
        "https://api.gateio.ws/api/v4/futures/usdt/contracts",
        "https://api.gateio.ws/api/v4/futures/btc/contracts",
    ),
    "htx": (
        "https://api.hbdm.com/linear-swap-api/v1/swap_contract_info?business_type=all",
        "https://api.hbdm.com/swap-api/v1/swap_contract_info",
    ),
    "kraken": ("https://futures.kraken.com/derivatives/api/v3/instruments",),
    "kucoin": ("https://api-futures.kucoin.com/api/v1/contracts/active",),
    "okx": (
        "https://www.okx.com/api/v5/public/instruments?instType=SWAP",
        "https://www.okx.com/api/v5/public/instruments?instType=FUTURES",
    ),
}
"""The answers to fetch, by venue; the other venues' symbols tell everything by their name, but for
Hyperliquid's numbered spot pairs, whose list is not to be had by a plain GET."""
