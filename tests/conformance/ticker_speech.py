"""What each venue answers to a poll of a symbol, in its shapes; beside `venue_speech`."""

from collections.abc import Callable, Mapping
from typing import Any


def _binance_polled(symbol: str) -> Any:
    return {"symbol": symbol, "openInterest": "81234", "time": 1}


def _htx_polled(symbol: str) -> Any:
    row = {"contract_code": symbol, "volume": 81234, "amount": 81.234, "trade_volume": 5}
    return {"status": "ok", "data": [row], "ts": 1790000000600}


def _kucoin_polled(symbol: str) -> Any:
    data = {"symbol": symbol, "openInterest": "81234", "lastTradePrice": 62000.1}
    more = {"fundingRateGranularity": 28800000, "turnoverOf24h": 580123456.5}
    return {"code": "200000", "data": {**data, **more}}


POLLS: Mapping[str, Callable[[str], Any]] = {
    "binance-usdm": _binance_polled,
    "binance-coinm": _binance_polled,
    "htx": _htx_polled,
    "kucoin": _kucoin_polled,
}
"""The answer by venue."""
