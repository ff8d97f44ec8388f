"""Messages of KuCoin that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed

PRINT = {"side": "sell", "size": 5, "price": "62000.1", "tradeId": "c"}
RATE = {"granularity": 60000, "fundingRate": 1e-4, "timestamp": 1790000000000}
LEVELS = {"sequence": 9, "bids": [[5, 1]], "asks": [["6", "1"]], "ts": 1790000000402}
HELD = {"openInterest": "5", "nextFundingRateTime": 5, "fundingRateGranularity": 28800000}
MESSAGES: list[Any] = [
    {
        "topic": "/contractMarket/execution:XBTUSDTM",
        "type": "message",
        "data": {**PRINT, "ts": 1790000000402000000},
    },
    {
        "topic": "/contract/instrument:XBTUSDM",
        "type": "message",
        "subject": "funding.rate",
        "data": RATE,
    },
    {
        "topic": "/contractMarket/level2Depth5:XBTUSDTM",
        "type": "message",
        "data": LEVELS,
    },
    {"code": "200000", "data": [{"symbol": "XBTUSDTM", "markPrice": 5.5, **HELD}]},
]
NEEDED: list[Needed] = [(MESSAGES[0], MESSAGES[0]["data"], sorted(MESSAGES[0]["data"]))]
