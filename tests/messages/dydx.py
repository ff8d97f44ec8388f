"""Messages of dYdX that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed

PRINT = {
    "id": "a",
    "side": "SELL",
    "size": "0.25",
    "price": "61900",
    "type": "LIQUIDATED",
    "createdAt": "2026-09-21T13:33:20.402Z",
}
MARKET = {"openInterest": "5", "nextFundingRate": "1e-5", "oraclePrice": "62003.1"}
LEVELS = {"bids": [{"price": "5", "size": "1"}], "asks": [{"price": "6", "size": "1"}]}
MESSAGES: list[Any] = [
    {"type": kind, "id": "BTC-USD", "channel": channel, "contents": contents}
    for kind, channel, contents in (
        ("channel_data", "v4_trades", {"trades": [PRINT, {**PRINT, "type": "LIMIT"}]}),
        ("channel_batch_data", "v4_trades", [{"trades": [PRINT]}] * 2),
        ("subscribed", "v4_markets", {"markets": {"BTC-USD": MARKET}}),
        ("channel_data", "v4_markets", {"trading": {"BTC-USD": MARKET}}),
        ("subscribed", "v4_orderbook", LEVELS),
    )
]
NEEDED: list[Needed] = [(MESSAGES[1], PRINT, sorted(PRINT))]
