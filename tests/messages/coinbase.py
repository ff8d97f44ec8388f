"""Messages of Coinbase that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed

PRINT = {
    "trade_id": 10,
    "product_id": "BTC-USD",
    "price": "62000.10",
    "size": "0.01",
    "side": "sell",
    "time": "2026-09-21T13:33:20.402123Z",
}
LEVELS = [
    {"side": side, "price_level": price, "new_quantity": "1"}
    for side, price in (("bid", "5"), ("offer", "6"))
]
MESSAGES: list[Any] = [
    {"type": "match", **PRINT},
    {"type": "ticker", **PRINT},
    {"type": "snapshot", "product_id": "BTC-USD", "bids": [["5", "1"]], "asks": [["6", "1"]]},
    {
        "channel": "market_trades",
        "events": [{"type": "update", "trades": [PRINT, PRINT]}],
    },
    {
        "channel": "l2_data",
        "timestamp": "2026-09-21T13:33:20Z",
        "events": [{"type": "snapshot", "product_id": "BTC-USD", "updates": LEVELS}],
    },
]
NEEDED: list[Needed] = [(MESSAGES[3], PRINT, sorted(PRINT))]
