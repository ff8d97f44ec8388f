"""How Gate speaks; part of `venue_speech`."""

from typing import Any

from tests.conformance.speech import Said, Speech, compact, text


def _gate(channel: str, ms: int, result: Any, event: str = "update") -> bytes:
    return text({"time_ms": ms, "channel": channel, "event": event, "result": result})


def _gate_topic(channel: str, *more: str) -> str:
    return compact({"channel": channel, "payload": ["BTC_USDT", *more]})


def _gate_asked(request: Any) -> list[str]:
    if request.get("event") != "subscribe":
        return []
    assert isinstance(request["time"], int)
    return [compact({"channel": request["channel"], "payload": request["payload"]})]


def _gate_trade(n: int, ms: int) -> Said:
    row = {"size": -108, "id": n, "create_time_ms": ms, "price": "62000.1", "contract": "BTC_USDT"}
    return _gate_topic("futures.trades"), _gate("futures.trades", ms, [row])


def _gate_forced(n: int, ms: int) -> Said:
    row = {"price": "61500.5", "size": -120 - n, "time": ms, "contract": "BTC_USDT"}
    channel = "futures.public_liquidates"
    return _gate_topic(channel), _gate(channel, ms, [row])


def _gate_book(n: int, ms: int) -> Said:
    sides = {"asks": [{"p": "62000.2", "s": 5}], "bids": [{"p": "62000.1", "s": str(n + 1)}]}
    row = {"t": ms, "id": n, "contract": "BTC_USDT", **sides}
    channel = "futures.order_book"
    return _gate_topic(channel, "20", "0"), _gate(channel, ms, row, "all")


GATE = Speech(
    venue="gate",
    topics=frozenset(
        compact({"channel": f"futures.{channel}", "payload": [symbol, *more]})
        for symbol in ("BTC_USDT", "BTC_USD")
        for channel, more in (
            ("public_liquidates", ()),
            ("contract_stats", ("1m",)),
            ("trades", ()),
            ("tickers", ()),
            ("order_book", ("20", "0")),
        )
    ),
    trade=_gate_trade,
    forced=_gate_forced,
    book=_gate_book,
    asked=_gate_asked,
    ping='"futures.ping"',
)


def _gate_spot_trade(n: int, ms: int) -> Said:
    row = {"id": n, "create_time_ms": f"{ms}.5", "side": "sell", "currency_pair": "BTC_USDT"}
    result = {**row, "amount": "0.01", "price": "62000.1"}
    return _gate_topic("spot.trades"), _gate("spot.trades", ms, result)


def _gate_spot_book(n: int, ms: int) -> Said:
    sides = {"bids": [["62000.0", str(n + 1)]], "asks": [["62000.1", "0.5"]]}
    row = {"t": ms, "lastUpdateId": n, "s": "BTC_USDT", "l": "20", **sides}
    return _gate_topic("spot.order_book", "20", "1000ms"), _gate("spot.order_book", ms, row)


GATE_SPOT = Speech(
    venue="gate-spot",
    topics=frozenset(
        {_gate_topic("spot.trades"), _gate_topic("spot.tickers"), _gate_spot_book(0, 0)[0]}
    ),
    book=_gate_spot_book,
    trade=_gate_spot_trade,
    asked=_gate_asked,
    ping='"spot.ping"',
)
