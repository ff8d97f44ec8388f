"""Messages of Bybit that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed

FORCED = {"T": 1790000000402, "s": "BTCUSDT", "S": "Buy", "v": "0.350", "p": "61500.00"}
PRINT = {**FORCED, "i": "a-1", "BT": False}
LEVELS = {"b": [["62000.0", "3.1"]], "a": [["62000.1", "1.0"]]}
TICKER = {"markPrice": "5", "openInterest": "6", "fundingRate": "0.1", "nextFundingTime": "7"}
MESSAGES: list[Any] = [
    {"topic": "allLiquidation.BTCUSDT", "data": [FORCED, {**FORCED, "s": "BTCUSD"}]},
    {"topic": "publicTrade.BTCUSDT", "data": [PRINT, {**PRINT, "s": "1000PEPEUSDT"}]},
    {"topic": "tickers.BTCUSDT", "ts": 1790000000800, "data": {"symbol": "BTCUSDT", **TICKER}},
    {"topic": "tickers.BTCUSD", "ts": 1790000000800, "data": {"symbol": "BTCUSD", **TICKER}},
    {
        "topic": "orderbook.50.BTCUSDT",
        "type": "snapshot",
        "ts": 1790000000900,
        "data": {"s": "BTCUSDT", **LEVELS, "u": 19},
    },
    {
        "topic": "liquidation.BTCUSD",
        "data": {
            "symbol": "BTCUSD",
            "side": "Buy",
            "price": "5",
            "size": "6",
            "time": 1790000000402,
        },
    },
]
NEEDED: list[Needed] = [
    ({"topic": "allLiquidation.BTCUSDT", "data": [FORCED]}, FORCED, sorted(FORCED)),
    ({"topic": "publicTrade.BTCUSDT", "data": [PRINT]}, PRINT, sorted(PRINT.keys() - {"BT"})),
]
