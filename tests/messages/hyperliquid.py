"""Messages of Hyperliquid that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed

COIN = {"coin": "kPEPE", "time": 1790000000402, "side": "A", "px": "6.5", "sz": "5", "tid": 7}
CLOSED = {**COIN, "liquidation": {"liquidatedUser": "0xab", "method": "market"}}
CONTEXT = {"funding": "1e-05", "openInterest": "5", "markPx": "6.5", "oraclePx": "6.5"}
RUNGS = [[{"px": "5.5", "sz": "1"}], [{"px": "6", "sz": "1"}]]
MESSAGES: list[Any] = [
    {"channel": "trades", "data": [COIN, COIN]},
    {"channel": "userFills", "data": {"user": "0xab", "isSnapshot": False, "fills": [CLOSED] * 2}},
    {"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": CONTEXT}},
    [{"universe": [{"name": "BTC"}, {"name": "ETH"}]}, [CONTEXT, CONTEXT]],
    {"channel": "l2Book", "data": {"coin": "BTC", "time": 1790000000402, "levels": RUNGS}},
    {"events": [["0xab", CLOSED], ["0xab", {**COIN, "dir": "Auto-Deleveraging"}]]},
    ["0xab", CLOSED],
]
NEEDED: list[Needed] = [
    (MESSAGES[0], COIN, sorted(COIN)),
    (MESSAGES[1], CLOSED, sorted(COIN)),
]
