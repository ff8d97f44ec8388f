"""Messages of Bitget that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed


def message(topic: str, *rows: Any, kind: str = "usdt-futures") -> dict[str, Any]:
    arg = {"instType": kind, "topic": topic, "symbol": "BTCUSDT"}
    action = "snapshot" if topic == "books5" else "update"
    return {"action": action, "arg": arg, "data": [*rows], "ts": 1790000000611}


CLOSED = {"symbol": "BTCUSDT", "side": "buy", "price": "5", "amount": "6", "ts": "1790000000402"}
PRINT = {"i": "7", "p": "5", "v": "6", "S": "buy", "T": "1790000000402"}
STATE = {"markPrice": "5", "openInterest": "6", "fundingRate": "0.1", "nextFundingTime": "7"}
SIDES = {"a": [["6", "1"]], "b": [["5", "1"]], "ts": "1790000000402"}
MESSAGES: list[Any] = [
    message("liquidation", CLOSED, {**CLOSED, "symbol": "ETHUSDT"}),
    message("publicTrade", PRINT, PRINT),
    message("ticker", STATE),
    message("books5", SIDES),
    {"code": "00000", "data": [{"symbol": "BTCUSDT", "fundInterval": "8"}]},
]
NEEDED: list[Needed] = [
    (message("liquidation", CLOSED), CLOSED, sorted(CLOSED)),
    (message("publicTrade", PRINT), PRINT, sorted(PRINT)),
]
