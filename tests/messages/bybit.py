"""Messages of Bybit that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed

FORCED = {"T": 1790000000402, "s": "BTCUSDT", "S": "Buy", "v": "0.350", "p": "61500.00"}
PRINT = {**FORCED, "i": "a-1", "BT": False}
LEVELS = {"b": [["62000.0", "3.1"]], "a": [["62000.1", "1.0"]]}
TICKER = {"markPrice": "5", "openInterest": "6", "fundingRate": "0.1", "nextFundingTime": "7"}
STAMPED = {"timestamp_e6": 1790000000402000, "cross_seq": 7}
OLD_PRINT = {"symbol": "BTCUSD", "side": "Buy", "size": 25, "price": 62000.5, "trade_id": "a-2"}
OLD_PRINT |= {"timestamp": "2026-09-21T14:13:20.000Z", "trade_time_ms": 1790000000402}
OLD_INFO = {"symbol": "BTCUSDT", "mark_price_e4": "620000000", "index_price": "62001.5"}
OLD_INFO |= {"open_interest_e8": "500000000", "funding_rate_e6": "-25"}
OLD_LEVELS = [
    {"price": "62000.0", "symbol": "BTCUSDT", "id": 6, "side": "Buy", "size": 3.5},
    {"price": "62000.5", "symbol": "BTCUSDT", "id": 7, "side": "Sell", "size": 2},
]
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
    {"topic": "trade.BTCUSD", "data": [OLD_PRINT]},
    {"topic": "instrument_info.100ms.BTCUSDT", "type": "snapshot", "data": OLD_INFO, **STAMPED},
    {
        "topic": "orderBookL2_25.BTCUSDT",
        "type": "snapshot",
        "data": {"order_book": OLD_LEVELS},
        **STAMPED,
    },
]
NEEDED: list[Needed] = [
    ({"topic": "allLiquidation.BTCUSDT", "data": [FORCED]}, FORCED, sorted(FORCED)),
    ({"topic": "publicTrade.BTCUSDT", "data": [PRINT]}, PRINT, sorted(PRINT.keys() - {"BT"})),
    (
        {"topic": "trade.BTCUSD", "data": [OLD_PRINT]},
        OLD_PRINT,
        sorted(OLD_PRINT.keys() - {"timestamp", "trade_time_ms"}),
    ),
]
