"""How each venue speaks: hand-made messages in its shapes, and what a collector must ask for.

Data of the conformance suite of collectors. A message comes with the topic it belongs to; times
are the caller's. `topics` is written out by hand, not by the wires that are tested.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Said = tuple[str, bytes]
"""A topic and a message of it."""


def text(message: Any) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Speech:
    """`topics` of BTC; trade number `n` at a time (ms); a forced order; a book; its own ping."""

    venue: str
    topics: frozenset[str]
    trade: Callable[[int, int], Said]
    forced: Callable[[int, int], Said] | None
    book: Callable[[int, int], Said] | None
    asked: Callable[[Any], list[str]]
    ping: str | None = None


def listed(key: str) -> Callable[[Any], list[str]]:
    """Topics of a request that lists them, objects as compact JSON."""

    def asked(request: Any) -> list[str]:
        items = request.get(key, ()) if isinstance(request, dict) else ()
        return [item if isinstance(item, str) else text(item).decode() for item in items]

    return asked


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
    order |= {"p": "61890.10", "ap": "62011.40", "X": "FILLED", "z": f"0.{n + 1}", "T": ms}
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
    row = {"T": ms, "s": "BTCUSDT", "S": "Buy", "v": f"0.{n + 1}", "p": "61500.00"}
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
            '{"channel":"trades","instId":"BTC-USDT"}',
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

SPEECHES = {speech.venue: speech for speech in (BINANCE_USDM, BYBIT, OKX)}
