"""Messages of Kraken that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed

PRODUCT = {"product_id": "PF_XBTUSD", "time": 1790000000402}
TAKEN = {**PRODUCT, "uid": "u", "side": "sell", "type": "liquidation", "qty": 0.5, "price": 6.5}
HOURLY = {"relative_funding_rate": 1e-05, "next_funding_rate_time": 1790002800000}
SIZED = {"bids": [{"price": 5.5, "qty": 1}], "asks": [{"price": 6, "qty": 1}], "seq": 7}
SIDED = {"tradeable": "PI_XBTUSD", "direction": "Sell", "orderType": "PartialLiquidation"}
EXECUTED = {
    "uid": "u",
    "timestamp": 1790000000402,
    "quantity": "5",
    "price": "6",
    "takerOrder": SIDED,
}
MESSAGES: list[Any] = [
    {"feed": "trade", **TAKEN},
    {"feed": "trade", **TAKEN, "type": "fill"},
    {"feed": "ticker", **PRODUCT, **HOURLY, "openInterest": 5, "markPrice": 6.5, "index": 6.5},
    {"feed": "book_snapshot", "product_id": "PI_XBTUSD", "timestamp": 1790000000402, **SIZED},
    {"elements": [{"event": {"Execution": {"execution": EXECUTED}}}] * 2},
]
NEEDED: list[Needed] = [(MESSAGES[0], MESSAGES[0], sorted(TAKEN))]
