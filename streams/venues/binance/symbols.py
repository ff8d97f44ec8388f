"""What Binance symbols mean: family, asset and unit, told from the name alone.

Promises the unit rules of the three families: USD-M and spot sizes are in the listed unit of the
coin (`1000PEPEUSDT` lists a thousand), COIN-M sizes are contracts of 100 USD (BTC) or 10 USD
(all others). Symbols not quoted in dollars have no rule, since their dollars are unknown.
"""

import re
from decimal import Decimal
from typing import Final

from streams.core.instruments import Instrument

USDM: Final = "binance-usdm"
COINM: Final = "binance-coinm"
SPOT: Final = "binance-spot"

_DOLLARS: Final = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "USD1")
_COINM: Final = re.compile(r"([A-Z0-9]+)USD_(PERP|\d{6})", re.ASCII)
_BUSD_DATED: Final = re.compile(r"(BTC|ETH)BUSD_\d{6}", re.ASCII)
_EXPIRY: Final = re.compile(r"\d{6}", re.ASCII)
_MULTIPLE: Final = re.compile(r"(1000000|100000|10000|1000|1M)(\D.*)", re.ASCII)
_COINS: Final = {"1M": 1_000_000}
_BTC_FACE: Final = Decimal(100)
_FACE: Final = Decimal(10)


def is_coinm(symbol: str) -> bool:
    """Whether the name is a COIN-M contract, for messages without `st` (before 2026-06-30).

    `BTCBUSD_210129` was a USD-M contract quoted in BUSD and fits the pattern by accident, while
    `BNBUSD_PERP` is COIN-M.

    >>> is_coinm("BTCUSD_PERP"), is_coinm("BTCUSDT_261225"), is_coinm("BTCBUSD_210129")
    (True, False, False)
    """
    return _COINM.fullmatch(symbol) is not None and _BUSD_DATED.fullmatch(symbol) is None


def family(venue: str, symbol: str, st: object = None) -> str:
    """The venue id an event belongs to; all-market streams carry both futures families.

    Args:
        venue: venue of the connection.
        symbol: the row's symbol.
        st: the row's family mark, 1 = USD-M, 2 = COIN-M; anything else is decided by the name.
    """
    if venue == SPOT:
        return SPOT
    if st == 2 or st == "2":
        return COINM
    if st == 1 or st == "1":
        return USDM
    return COINM if is_coinm(symbol) else USDM


def split(pair: str) -> tuple[str, int, str] | None:
    """Asset, coins per listed unit and quote of a dollar pair; None for other quotes.

    >>> split("1000PEPEUSDT"), split("1MBABYDOGEUSDT"), split("1INCHUSDC"), split("ETHBTC")
    (('PEPE', 1000, 'USDT'), ('BABYDOGE', 1000000, 'USDT'), ('1INCH', 1, 'USDC'), None)
    """
    quote = next((quote for quote in _DOLLARS if pair.endswith(quote)), "")
    base = pair.removesuffix(quote)
    if not quote or not base.isalnum() or base != base.upper() or len(base) > 30:
        return None
    multiple = _MULTIPLE.fullmatch(base)
    if multiple is None:
        return base, 1, quote
    prefix = multiple[1]
    return multiple[2], _COINS.get(prefix) or int(prefix), quote


def usdm_rule(symbol: str) -> Instrument | None:
    """USD-M perpetuals and dated futures (`BTCUSDT_261225`); sizes in the listed unit."""
    pair, dated, expiry = symbol.partition("_")
    parts = split(pair)
    if parts is None or (dated and _EXPIRY.fullmatch(expiry) is None):
        return None
    asset, coins, quote = parts
    return Instrument(USDM, symbol, asset, quote, "linear", "base", Decimal(1), coins)


def coinm_rule(symbol: str) -> Instrument | None:
    """COIN-M contracts: 100 USD a contract for BTC, 10 USD for every other coin."""
    match = _COINM.fullmatch(symbol)
    if match is None or _BUSD_DATED.fullmatch(symbol):
        return None
    asset = match[1]
    face = _BTC_FACE if asset == "BTC" else _FACE
    return Instrument(COINM, symbol, asset, "USD", "inverse", "contracts", face)


def spot_rule(symbol: str) -> Instrument | None:
    """Spot pairs quoted in a dollar; sizes in the listed unit."""
    parts = split(symbol)
    if parts is None:
        return None
    asset, coins, quote = parts
    return Instrument(SPOT, symbol, asset, quote, "spot", "base", Decimal(1), coins)
