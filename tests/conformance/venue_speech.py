"""How each venue speaks: hand-made messages in its shapes, and what a collector must ask for.

Data of the conformance suite of collectors. A message comes with the topic it belongs to; times
are the caller's. `topics` is written out by hand, not by the wires that are tested.
"""

from typing import Any

from tests.conformance import perpetual_speech
from tests.conformance.speech import Said, Speech, compact, iso, listed, text, without


def _binance(stream: str, data: dict[str, Any]) -> Said:
    return stream, text({"stream": stream, "data": data})


def _binance_trade(n: int, ms: int) -> Said:
    row = {"e": "aggTrade", "s": "BTCUSDT", "p": "62000.10", "q": "0.012"}
    ids = {"E": ms, "a": n, "f": n, "l": n, "T": ms, "m": True}
    return _binance("btcusdt@aggTrade", {**row, **ids})


def _binance_forced(n: int, ms: int) -> Said:
    order: dict[str, Any] = {
        "s": "BTCUSDT",
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": f"0.{n + 1}",
        "l": "0.1",
    }
    order |= {"p": "61890.10", "ap": "62011.40", "X": "FILLED", "z": f"{n + 1}.5", "T": ms}
    return _binance("btcusdt@forceOrder", {"e": "forceOrder", "E": ms, "o": order})


def _binance_book(n: int, ms: int) -> Said:
    sides = {"b": [["62000.0", f"{n + 1}"]], "a": [["62000.1", "4.4"]]}
    row = {"e": "depthUpdate", "E": ms, "T": ms, "s": "BTCUSDT", "U": n, "u": n + 1, "pu": n}
    return _binance("btcusdt@depth20@500ms", {**row, **sides})


BINANCE_USDM = Speech(
    venue="binance-usdm",
    topics=frozenset(
        {
            "btcusdt@forceOrder",
            "btcusdt@aggTrade",
            "btcusdt@markPrice@1s",
            "btcusdt@ticker",
            "btcusdt@depth20@500ms",
        }
    ),
    trade=_binance_trade,
    forced=_binance_forced,
    book=_binance_book,
    asked=listed("params"),
)


def _bybit_trade(n: int, ms: int) -> Said:
    row = {"T": ms, "s": "BTCUSDT", "S": "Sell", "v": "0.003", "p": "62000.10", "i": f"t-{n}"}
    topic = "publicTrade.BTCUSDT"
    return topic, text({"topic": topic, "type": "snapshot", "ts": ms, "data": [row]})


def _bybit_forced(n: int, ms: int) -> Said:
    row = {"T": ms, "s": "BTCUSDT", "S": "Buy", "v": f"{n + 1}.5", "p": "61500.00"}
    topic = "allLiquidation.BTCUSDT"
    return topic, text({"topic": topic, "type": "snapshot", "ts": ms, "data": [row]})


def _bybit_book(n: int, ms: int) -> Said:
    topic, first = "orderbook.50.BTCUSDT", n == 0
    sides = {"b": [["62000.0", f"{n + 1}"]], "a": [["62000.1", "1.0"]] if first else []}
    data = {"s": "BTCUSDT", **sides, "u": n + 2, "seq": n + 2}
    kind = "snapshot" if first else "delta"
    return topic, text({"topic": topic, "type": kind, "ts": ms, "data": data, "cts": ms})


BYBIT = Speech(
    venue="bybit",
    topics=frozenset(
        f"{kind}.{symbol}"
        for kind in ("allLiquidation", "publicTrade", "tickers", "orderbook.50")
        for symbol in ("BTCUSDT", "BTCUSD")
    ),
    trade=_bybit_trade,
    forced=_bybit_forced,
    book=_bybit_book,
    asked=listed("args"),
    ping='{"op":"ping"}',
)


def _okx(channel: str, row: dict[str, Any]) -> Said:
    arg = {"channel": channel, "instId": "BTC-USDT-SWAP"}
    return text(arg).decode(), text({"arg": arg, "data": [{"instId": "BTC-USDT-SWAP", **row}]})


def _okx_trade(n: int, ms: int) -> Said:
    row = {"tradeId": str(n), "px": "62000.1", "sz": "12", "side": "buy", "ts": str(ms)}
    return _okx("trades", row)


def _okx_forced(n: int, ms: int) -> Said:
    detail = {"side": "sell", "posSide": "long", "bkPx": "61500.0", "sz": str(n + 1)}
    detail |= {"bkLoss": "0", "ccy": "", "ts": str(ms)}
    arg = {"channel": "liquidation-orders", "instType": "SWAP"}
    row = {"instType": "SWAP", "instFamily": "BTC-USDT", "instId": "BTC-USDT-SWAP"}
    other = {**row, "instFamily": "SOL-USDT", "instId": "SOL-USDT-SWAP", "details": [detail]}
    rows = [other, {**row, "details": [detail]}]
    return text(arg).decode(), text({"arg": arg, "data": rows})


def _okx_book(n: int, ms: int) -> Said:
    sides = {"asks": [["62000.2", "50", "0", "4"]], "bids": [["62000.1", str(n + 1), "0", "6"]]}
    return _okx("books5", {**sides, "ts": str(ms), "seqId": n})


OKX = Speech(
    venue="okx",
    topics=frozenset(
        {
            '{"channel":"liquidation-orders","instType":"SWAP"}',
            '{"channel":"liquidation-orders","instType":"FUTURES"}',
            *(
                f'{{"channel":"{channel}","instId":"BTC-USDT"}}'
                for channel in ("trades", "tickers", "books5")
            ),
            *(
                f'{{"channel":"index-tickers","instId":"BTC-{quote}"}}'
                for quote in ("USDT", "USDC", "USD")
            ),
            *(
                f'{{"channel":"{channel}","instId":"BTC-{quote}-SWAP"}}'
                for quote in ("USDT", "USDC", "USD")
                for channel in (
                    "trades",
                    "open-interest",
                    "funding-rate",
                    "mark-price",
                    "tickers",
                    "books5",
                )
            ),
        }
    ),
    trade=_okx_trade,
    forced=_okx_forced,
    book=_okx_book,
    asked=listed("args"),
    ping="ping",
)


def _coinm_trade(n: int, ms: int) -> Said:
    row = {"e": "aggTrade", "s": "BTCUSD_PERP", "p": "62000.1", "q": "35"}
    ids = {"E": ms, "st": 2, "a": n, "f": n, "l": n, "T": ms, "m": True}
    return _binance("btcusd_perp@aggTrade", {**row, **ids})


def _coinm_forced(n: int, ms: int) -> Said:
    order: dict[str, Any] = {"s": "BTCUSD_PERP", "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "9"}
    order |= {"p": "61890.1", "ap": "62011.4", "X": "FILLED", "l": "1", "z": str(n + 1), "T": ms}
    return _binance("btcusd_perp@forceOrder", {"e": "forceOrder", "E": ms, "st": 2, "o": order})


def _coinm_book(n: int, ms: int) -> Said:
    sides = {"b": [["62000.0", f"{n + 1}"]], "a": [["62000.1", "4"]]}
    row = {"e": "depthUpdate", "E": ms, "T": ms, "s": "BTCUSD_PERP", "U": n, "u": n + 1, "pu": n}
    return _binance("btcusd_perp@depth20@500ms", {**row, **sides})


BINANCE_COINM = Speech(
    venue="binance-coinm",
    topics=frozenset(
        f"btcusd_perp@{kind}"
        for kind in ("forceOrder", "aggTrade", "markPrice@1s", "ticker", "depth20@500ms")
    ),
    trade=_coinm_trade,
    forced=_coinm_forced,
    book=_coinm_book,
    asked=listed("params"),
)


def _binance_spot_book(n: int, _ms: int) -> Said:
    sides = {"bids": [["62000.00", f"{n + 1}"]], "asks": [["62000.01", "4.4"]]}
    return _binance("btcusdt@depth20", {"lastUpdateId": n, **sides})


BINANCE_SPOT = Speech(
    venue="binance-spot",
    topics=frozenset({"btcusdt@aggTrade", "btcusdt@ticker", "btcusdt@depth20"}),
    trade=_binance_trade,
    book=_binance_spot_book,
    asked=listed("params"),
)
BYBIT_SPOT = Speech(
    venue="bybit-spot",
    topics=frozenset(f"{kind}.BTCUSDT" for kind in ("publicTrade", "tickers", "orderbook.50")),
    trade=_bybit_trade,
    book=_bybit_book,
    asked=listed("args"),
    ping='{"op":"ping"}',
)


def _coinbase_topic(*channels: str) -> str:
    return compact({"product_ids": ["BTC-USD"], "channels": [*channels]})


def _coinbase_trade(n: int, ms: int) -> Said:
    topic = _coinbase_topic("matches", "heartbeat")
    row = {"type": "match", "trade_id": n, "product_id": "BTC-USD", "size": "0.01", "side": "sell"}
    return topic, text({**row, "price": "62000.10", "sequence": n, "time": iso(ms)})


def _coinbase_book(n: int, ms: int) -> Said:
    topic, size = _coinbase_topic("level2_batch"), str(n + 1)
    if n == 0:
        sides = {"bids": [["62000.10", size]], "asks": [["62000.11", "0.5"]]}
        return topic, text({"type": "snapshot", "product_id": "BTC-USD", **sides})
    change = {"product_id": "BTC-USD", "changes": [["buy", "62000.10", size]], "time": iso(ms)}
    return topic, text({"type": "l2update", **change})


COINBASE = Speech(
    venue="coinbase",
    topics=frozenset(
        _coinbase_topic(*names)
        for names in (("matches", "heartbeat"), ("ticker",), ("level2_batch",))
    ),
    trade=_coinbase_trade,
    book=_coinbase_book,
    asked=without("type"),
)

SPEECHES = {
    speech.venue: speech
    for speech in (
        BINANCE_USDM,
        BINANCE_COINM,
        BINANCE_SPOT,
        BYBIT,
        BYBIT_SPOT,
        OKX,
        COINBASE,
        *perpetual_speech.SPEECHES,
    )
}

_OF_BINANCE = {"error": {"code": 2, "msg": "Invalid request"}, "id": 1}
_OF_BYBIT = {"success": False, "ret_msg": "handler not found", "conn_id": "c", "op": "subscribe"}
_OF_GATE = {"event": "subscribe", "error": {"code": 2, "message": "no such"}, "result": None}
_OF_BITGET = {"event": "error", "code": 30001, "msg": "doesn't exist"}
REFUSALS: dict[str, Any] = {
    **dict.fromkeys(("binance-usdm", "binance-coinm", "binance-spot"), _OF_BINANCE),
    **dict.fromkeys(("bybit", "bybit-spot"), _OF_BYBIT),
    "okx": {"event": "error", "code": "60012", "msg": "Invalid request", "connId": "c0ffee01"},
    "gate": {"time": 1790000000, "channel": "futures.trades", **_OF_GATE},
    "gate-spot": {"time": 1790000000, "channel": "spot.trades", **_OF_GATE},
    **dict.fromkeys(("bitget", "bitget-spot"), _OF_BITGET),
    "bitmex": {"status": 400, "error": "Unknown table", "meta": {}, "request": {}},
    "deribit": {"jsonrpc": "2.0", "id": 2, "error": {"code": -32602, "message": "Invalid params"}},
    "hyperliquid": {"channel": "error", "data": "Invalid subscription"},
    "kraken": {"event": "error", "message": "Invalid product id"},
    "htx": {"id": "1", "status": "error", "err-code": "bad-request", "err-msg": "invalid topic"},
    "dydx": {"type": "error", "message": "Invalid subscription id", "message_id": 1},
    "kucoin": {"id": "2", "type": "error", "code": 404, "data": "topic is not found"},
    "coinbase": {"type": "error", "message": "Failed to subscribe", "reason": "no such product"},
}
"""What each venue answers to a subscription that it refuses."""
