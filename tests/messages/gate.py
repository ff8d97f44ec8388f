"""Messages of Gate that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed


def message(channel: str, result: Any, event: str = "update") -> dict[str, Any]:
    return {"channel": channel, "event": event, "time_ms": 1790000000600, "result": result}


SYMBOL = {"contract": "BTC_USDT"}
FORCED = {**SYMBOL, "price": "61500.5", "size": -120, "time": 1790000000402}
TAKEN = {**SYMBOL, "price": "6", "size": 5, "id": 7, "create_time_ms": 1790000000402}
RATES = {**SYMBOL, "mark_price": "6", "total_size": "5", "funding_rate": "0.1"}
RUNGS = {"t": 1790000000402, "id": 7, "bids": [{"p": "5", "s": 1}], "asks": [{"p": "6", "s": 1}]}
POLLED = {**SYMBOL, "time": 1790000000, "size": 6, "order_size": -6, "order_price": "5"}
LISTED = {"name": "BTC_USDT", "quanto_multiplier": "1", "funding_interval": 28800}
PAIR = {"id": 7, "create_time_ms": "1790000000402.1", "side": "sell", "currency_pair": "BTC_USDT"}
MESSAGES: list[Any] = [
    message("futures.public_liquidates", [FORCED, {**FORCED, "contract": "BTC_USD"}]),
    message("futures.public_liquidates", FORCED),
    message("futures.trades", [TAKEN, {**TAKEN, "size": "-5"}]),
    message("futures.tickers", [RATES]),
    message("futures.order_book", {**SYMBOL, **RUNGS}, "all"),
    [{**POLLED, "fill_price": "6"}, POLLED],
    [LISTED],
]
SPOT_MESSAGES: list[Any] = [message("spot.trades", {**PAIR, "amount": "5", "price": "6"})]
NEEDED: list[Needed] = [
    (message("futures.public_liquidates", [FORCED]), FORCED, sorted(FORCED)),
    (message("futures.trades", [TAKEN]), TAKEN, sorted(TAKEN)),
]
