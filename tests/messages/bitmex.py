"""Messages of BitMEX that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed

CONTRACT = {"symbol": "XBTUSD", "timestamp": "2026-09-21T12:00:00.500Z"}
WORKING = {**CONTRACT, "orderID": "a", "side": "Sell", "price": 6.5, "leavesQty": 5}
MATCH = {**CONTRACT, "side": "Buy", "size": 5, "price": 6.5, "trdMatchID": "a"}
WORTH = {"homeNotional": 0.5, "foreignNotional": 5}
MARKED = {**CONTRACT, "markPrice": 6.5, "openInterest": 5, "fundingRate": 1e-4}
TOP = {"bids": [[5, 15]], "asks": [[5.5, 12]]}
CYCLE = {"fundingInterval": "2000-01-01T08:00:00.000Z"}
MESSAGES: list[Any] = [
    {"table": "liquidation", "action": "insert", "data": [WORKING, WORKING]},
    {"table": "trade", "action": "insert", "data": [{**MATCH, **WORTH}, MATCH]},
    {"table": "instrument", "action": "update", "data": [{**MARKED, **CYCLE}]},
    {"table": "orderBook10", "action": "update", "data": [{**CONTRACT, **TOP}]},
]
NEEDED: list[Needed] = [
    (MESSAGES[0], WORKING, sorted(WORKING.keys() - {"timestamp"})),
    ({"table": "trade", "action": "insert", "data": [MATCH]}, MATCH, sorted(MATCH)),
]
