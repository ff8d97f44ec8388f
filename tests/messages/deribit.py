"""Messages of Deribit that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed

PERPETUAL = {"instrument_name": "BTC-PERPETUAL", "timestamp": 1790000000402}
FILLED = {**PERPETUAL, "trade_id": "9", "price": 61500.5, "amount": 10.0, "direction": "sell"}
RATES = {"open_interest": 9.5, "mark_price": 6.5, "index_price": 6.5, "current_funding": 1e-05}
DEPTH = {"change_id": 7, "bids": [["new", 5.5, 10.0]], "asks": [["new", 6.5, 10.0]]}


def notification(channel: str, data: Any) -> dict[str, Any]:
    return {"method": "subscription", "params": {"channel": channel, "data": data}}


MESSAGES: list[Any] = [
    notification("trades.future.BTC.100ms", [FILLED, {**FILLED, "liquidation": "MT"}]),
    notification("trades.future.BTC.100ms", [FILLED, FILLED]),
    notification("ticker.BTC-PERPETUAL.100ms", {**PERPETUAL, **RATES}),
    notification("book.BTC-PERPETUAL.100ms", {**PERPETUAL, **DEPTH, "type": "snapshot"}),
    {"id": 1, "result": {"trades": [FILLED, {**FILLED, "block_trade_id": "b"}]}},
]
NEEDED: list[Needed] = [(MESSAGES[1], FILLED, sorted(FILLED))]
