"""Messages of HTX that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed

ORDER = {
    "contract_code": "BTC-USDT",
    "direction": "sell",
    "offset": "close",
    "volume": 35,
    "price": 61500.5,
    "created_at": 1790000000402,
}
PRINT = {"amount": 22, "ts": 1790000000588, "id": 9, "price": 62000.1, "direction": "buy"}
RATE = {"contract_code": "BTC-USD", "funding_time": "1790006400000", "funding_rate": "1e-4"}
HELD = {"contract_code": "BTC-USDT", "volume": 35, "trade_volume": 5}
LEVELS = {"bids": [[62000.5, 5]], "asks": [[62000.6, 3]], "ts": 1790000000598, "version": 1}
MESSAGES: list[Any] = [
    {"op": "notify", "topic": "public.*.liquidation_orders", "data": [ORDER, ORDER]},
    {"op": "notify", "topic": "public.*.funding_rate", "ts": 1790000000600, "data": [RATE]},
    {"ch": "market.BTC-USDT.trade.detail", "ts": 1, "tick": {"data": [PRINT, PRINT]}},
    {"ch": "market.BTC-USD.depth.step0", "ts": 1790000000600, "tick": LEVELS},
    {"ch": "market.BTC-USDT.bbo", "ts": 1790000000600, "tick": {"bid": [5, 1], "ask": [6, 1]}},
    {"ch": "market.BTC-USDT.mark_price.1min", "ts": 1790000000600, "tick": {"close": "5"}},
    {"ch": "market.BTC-USDT.basis.1min", "ts": 1, "tick": {"id": 1790000000, "index_price": "5"}},
    {"status": "ok", "data": [HELD, ORDER]},
]
NEEDED: list[Needed] = [
    (MESSAGES[0], ORDER, sorted(ORDER.keys() - {"offset"})),
    (MESSAGES[2], PRINT, sorted(PRINT)),
]
