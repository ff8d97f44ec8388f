"""Seeds of the fuzzer: the hand-made good messages of tests/messages, by venue."""

import gzip
import json
from collections import defaultdict
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from streams.venues import PARSERS
from tests import trade_messages
from tests.messages import (
    bitget,
    bitmex,
    bybit,
    coinbase,
    deribit,
    dydx,
    forced,
    gate,
    htx,
    hyperliquid,
    kraken,
    kucoin,
    okx,
)

_MS: Final = 1_790_000_000_402
_FAMILIES: Final[Mapping[str, list[Any]]] = {
    "bitget": bitget.MESSAGES,
    "bitget-spot": bitget.MESSAGES,
    "bitmex": bitmex.MESSAGES,
    "bybit": bybit.MESSAGES,
    "bybit-spot": bybit.MESSAGES,
    "coinbase": coinbase.MESSAGES,
    "deribit": deribit.MESSAGES,
    "dydx": dydx.MESSAGES,
    "gate": gate.MESSAGES,
    "gate-spot": gate.SPOT_MESSAGES,
    "htx": htx.MESSAGES,
    "hyperliquid": hyperliquid.MESSAGES,
    "kraken": kraken.MESSAGES,
    "kucoin": kucoin.MESSAGES,
    "okx": okx.MESSAGES,
}


def _binance(symbol: str) -> list[Any]:
    """Streams of Binance that tests/messages has no file of."""
    stamped = {"s": symbol, "T": _MS, "E": _MS + 2}
    levels = {"b": [["62000.0", "3.1"]], "a": [["62000.1", "4.4"]]}
    mark = {"p": "62001.2", "i": "62003.1", "r": "0.0001", "P": "62010"}
    ranged = {"a": 3_000_000_001, "p": "62000.1", "q": "2", "f": 1, "l": 2, "m": True}
    return [
        {"stream": "x@aggTrade", "data": {"e": "aggTrade", **stamped, **ranged}},
        {"e": "trade", **stamped, "t": 7, "p": "62000.1", "q": "2", "X": "MARKET", "m": True},
        {"e": "markPriceUpdate", **stamped, **mark},
        [{"e": "markPriceUpdate", **stamped, **mark}] * 2,
        {"e": "24hrTicker", **stamped, "c": "62000.1", "v": "5", "q": "7434000"},
        {"e": "bookTicker", **stamped, "u": 5, "b": "5", "B": "3", "a": "6", "A": "4"},
        {"stream": "x@depth20@500ms", "data": {"e": "depthUpdate", **stamped, "u": 9, **levels}},
        {"symbol": symbol, "openInterest": "81234.567", "time": _MS},
    ]


def seeds() -> dict[str, list[bytes]]:
    """Payloads by venue id; every venue has some."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for venue, messages in _FAMILIES.items():
        found[venue] += messages
    for venue, symbol in (
        ("binance-usdm", "BTCUSDT"),
        ("binance-coinm", "BTCUSD_PERP"),
        ("binance-spot", "BTCUSDT"),
    ):
        found[venue] += _binance(symbol)
    for one in forced.MATRIX:
        found[one.venue].append(one.message)
    drawn = Random(5)  # noqa: S311
    for make in (
        trade_messages.aggregate,
        trade_messages.coin_margined,
        trade_messages.bybit_rows,
        trade_messages.okx_rows,
        trade_messages.deribit_rows,
        trade_messages.kraken_row,
    ):
        venue, message = make(drawn, "BTC", _MS)
        found[venue].append(message)
    assert found.keys() == PARSERS.keys()
    written = {
        venue: [json.dumps(message).encode() for message in messages]
        for venue, messages in found.items()
    }
    written["htx"] += [gzip.compress(payload, mtime=0) for payload in written["htx"][:3]]
    return written
