"""A message for each field whose word decides something, with a word there that nobody documents.

By venue, what the message is of, and the field: the rows of docs/decisions/unknown-words.md.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from tests.conformance.ticker_speech import TICKERS
from tests.conformance.venue_speech import SPEECHES
from tests.messages import deribit, forced
from tests.messages.forced import ISO, MS

WORD: Final = "Strange"


def strange(message: Any, field: str) -> Any:
    """The message with `WORD` wherever it has the field."""
    if isinstance(message, dict):
        return {key: WORD if key == field else strange(one, field) for key, one in message.items()}
    return [strange(one, field) for one in message] if isinstance(message, list) else message


def said(venue: str, kind: str) -> Any:
    """What the scripted venue says: a trade or a book of BTC."""
    speech = SPEECHES[venue]
    speak = speech.trade if kind == "trade" else speech.book
    assert speak is not None
    return json.loads(speak(5, MS)[1])


def _ticker(venue: str, symbol: str, number: int = 0) -> Any:
    return json.loads(TICKERS[venue](symbol)[number][1])


def with_fields(message: Any, **fields: Any) -> Any:
    """The message with more fields in its row."""
    if isinstance(message, dict):
        for key in ("params", "data", "result", "trades"):
            if isinstance(message.get(key), (dict, list)):
                return {**message, key: with_fields(message[key], **fields)}
        return {**message, **fields}
    return [with_fields(one, **fields) for one in message]


LONG: Final = {"q": "0.300", "p": "61890.10", "ap": "62011.40"}
USDM: Final = forced.force_order("BTCUSDT", "SELL", z="0.250", **LONG)
UNFILLED: Final = forced.force_order("BTCUSDT", "SELL", z="0", **LONG)
OKX: Final = forced.okx("BTC-USDT-SWAP", "sell", "long", "35", "61500.0")
OKX_TABLE: Final = forced.okx_table("swap", "BTC-USDT-SWAP", "3", "35", "61500.0")
RUNGS: Final = {"bids": [["62000", "1"]], "asks": [["62001", "1"]]}
OKX_BOOK: Final = {
    "arg": {"channel": "books", "instId": "BTC-USDT-SWAP"},
    "action": "snapshot",
    "data": [{**RUNGS, "ts": str(MS), "seqId": 5}],
}
OKX_DEPTH: Final = {
    "table": "swap/depth",
    "action": "partial",
    "data": [{**RUNGS, "instrument_id": "BTC-USDT-SWAP", "timestamp": ISO, "checksum": 5}],
}
DERIBIT: Final = forced.deribit("BTC-PERPETUAL", "T", "sell", 1000.0, 61500.0)
DERIBIT_BOOK: Final = deribit.notification(
    "book.BTC-PERPETUAL.100ms", {**RUNGS, "type": "snapshot", "timestamp": MS, "change_id": 5}
)
HTX: Final = forced.htx("BTC-USDT", "sell", 35, 61500.0)
HTX_BOOK: Final = {
    "ch": "market.BTC-USDT.depth.size_20.high_freq",
    "tick": {**RUNGS, "ts": MS, "version": 5, "event": "snapshot"},
}
KRAKEN: Final = forced.kraken("PF_XBTUSD", "sell", 0.05, 61900.0)
TAKER: Final = {"tradeable": "PF_XBTUSD", "direction": "Sell", "orderType": "Liquidation"}
FILLED: Final = {"uid": "u", "timestamp": MS, "quantity": "5", "price": "6", "takerOrder": TAKER}
EXECUTIONS: Final = {"elements": [{"event": {"Execution": {"execution": FILLED}}}]}
LIMIT: Final = {**FILLED, "takerOrder": {**TAKER, "orderType": "Limit"}}
ORDINARY: Final = {"elements": [{"event": {"Execution": {"execution": LIMIT}}}]}
ADVANCED: Final = {"trade_id": "10", "product_id": "BTC-USD", "price": "6", "size": "5"}
EVENTS: Final = {
    "channel": "market_trades",
    "events": [{"type": "update", "trades": [{**ADVANCED, "side": "BUY", "time": ISO}]}],
}
LEVELS: Final = {
    "channel": "l2_data",
    "timestamp": ISO,
    "events": [
        {
            "type": "snapshot",
            "product_id": "BTC-USD",
            "updates": [{"side": "bid", "price_level": "5", "new_quantity": "1"}],
        }
    ],
}
INFO: Final = {"topic": "instrument_info.100ms.BTCUSD", "type": "snapshot", "timestamp_e6": MS}
FILLS: Final = forced.fills(forced.fill("A", "BTC", "0.012", "62000.0"))
WON: Final = {"coin": "BTC", "side": "A", "px": "6", "sz": "5", "time": MS, "tid": 7}
PRINT: Final = {"e": "trade", "s": "BTCUSDT", "t": 7, "p": "6", "q": "5", "T": MS, "m": True}

Make = Callable[[str], Any]
"""The message, given its field."""


def _of(message: Any) -> Make:
    return lambda field: strange(message, field)


CASES: Final[dict[tuple[str, str, str], Make]] = {
    ("binance-usdm", "any", "e"): _of(PRINT),
    ("binance-usdm", "trade", "m"): _of(PRINT),
    ("binance-usdm", "trade", "X"): _of({**PRINT, "X": "MARKET"}),
    ("binance-usdm", "forced order", "S"): _of(USDM),
    ("binance-usdm", "forced order", "X"): _of(USDM),
    ("binance-usdm", "forced order without a fill", "X"): _of(UNFILLED),
    ("bybit", "any", "topic"): _of(said("bybit", "trade")),
    ("bybit", "trade", "S"): _of(said("bybit", "trade")),
    ("bybit", "trade", "BT"): _of(with_fields(said("bybit", "trade"), BT=False)),
    ("bybit", "forced order", "S"): _of(forced.all_liquidation("BTCUSDT", "Buy", "5", "6")),
    ("bybit", "book", "type"): _of(said("bybit", "book")),
    ("bybit", "ticker before v5", "type"): _of({**INFO, "data": {"symbol": "BTCUSD"}}),
    ("okx", "any", "channel"): _of(said("okx", "trade")),
    ("okx", "any of v3", "table"): _of(OKX_TABLE),
    ("okx", "trade", "side"): _of(said("okx", "trade")),
    ("okx", "forced order", "side"): _of(OKX),
    ("okx", "forced order", "posSide"): _of(OKX),
    ("okx", "forced order", "instType"): _of(OKX),
    ("okx", "forced order of v3", "type"): _of(OKX_TABLE),
    ("okx", "book", "action"): _of(OKX_BOOK),
    ("okx", "book of v3", "action"): _of(OKX_DEPTH),
    ("gate", "any", "channel"): _of(said("gate", "trade")),
    ("gate", "any", "event"): _of(said("gate", "trade")),
    ("gate", "trade", "is_internal"): _of(with_fields(said("gate", "trade"), is_internal=False)),
    ("gate-spot", "trade", "side"): _of(said("gate-spot", "trade")),
    ("bitget", "any", "topic"): _of(said("bitget", "trade")),
    ("bitget", "any", "instType"): _of(said("bitget", "trade")),
    ("bitget", "any", "action"): _of(said("bitget", "trade")),
    ("bitget", "trade", "S"): _of(said("bitget", "trade")),
    ("bitget", "forced order", "side"): _of(forced.bitget("BTCUSDT", "buy", "21525", "61500")),
    ("bitmex", "any", "table"): _of(said("bitmex", "trade")),
    ("bitmex", "any", "action"): _of(said("bitmex", "trade")),
    ("bitmex", "trade", "side"): _of(said("bitmex", "trade")),
    ("bitmex", "trade", "trdType"): _of(with_fields(said("bitmex", "trade"), trdType="Regular")),
    ("bitmex", "forced order", "side"): _of(forced.bitmex("XBTUSD", "Sell", 20000, 61500.5)),
    ("deribit", "any", "channel"): _of(said("deribit", "trade")),
    ("deribit", "trade", "direction"): _of(said("deribit", "trade")),
    ("deribit", "forced trade", "direction"): _of(DERIBIT),
    ("deribit", "forced trade", "liquidation"): _of(DERIBIT),
    ("deribit", "book", "type"): _of(DERIBIT_BOOK),
    ("hyperliquid", "any", "channel"): _of(said("hyperliquid", "trade")),
    ("hyperliquid", "trade", "side"): _of(said("hyperliquid", "trade")),
    ("hyperliquid", "fill", "side"): _of(FILLS),
    ("hyperliquid", "fill", "method"): _of(FILLS),
    ("hyperliquid", "fill", "dir"): _of(forced.fills({**WON, "dir": "Auto-Deleveraging"})),
    ("kraken", "any", "feed"): _of(KRAKEN),
    ("kraken", "trade", "side"): _of(said("kraken", "trade")),
    ("kraken", "forced trade", "side"): _of(KRAKEN),
    ("kraken", "trade", "type"): _of(KRAKEN),
    ("kraken", "execution", "direction"): _of(ORDINARY),
    ("kraken", "forced execution", "direction"): _of(EXECUTIONS),
    ("kraken", "forced execution", "orderType"): _of(EXECUTIONS),
    ("htx", "any of notices", "op"): _of(HTX),
    ("htx", "any of notices", "topic"): _of(HTX),
    ("htx", "any of markets", "ch"): _of(said("htx", "trade")),
    ("htx", "trade", "direction"): _of(said("htx", "trade")),
    ("htx", "forced order", "direction"): _of(HTX),
    ("htx", "forced order", "offset"): _of(HTX),
    ("htx", "polled forced order", "side"): _of(forced.htx_polled("buy", "short")),
    ("htx", "polled forced order", "position_side"): _of(forced.htx_polled("buy", "short")),
    ("htx", "book", "event"): _of(HTX_BOOK),
    ("kucoin", "any", "type"): _of(said("kucoin", "trade")),
    ("kucoin", "any", "topic"): _of(said("kucoin", "trade")),
    ("kucoin", "trade", "side"): _of(said("kucoin", "trade")),
    ("kucoin", "ticker", "subject"): _of(_ticker("kucoin", "XBTUSDTM")),
    ("dydx", "any", "type"): lambda _: {**said("dydx", "trade"), "type": WORD},
    ("dydx", "any", "channel"): _of(said("dydx", "trade")),
    ("dydx", "trade", "side"): _of(said("dydx", "trade")),
    ("dydx", "forced trade", "side"): _of(forced.dydx("SELL", "0.25", "61900")),
    ("dydx", "trade", "type"): lambda _: forced.dydx("SELL", "0.25", "61900", WORD),
    ("coinbase", "any of Exchange", "type"): _of(said("coinbase", "trade")),
    ("coinbase", "any of Advanced", "channel"): _of(EVENTS),
    ("coinbase", "trade", "side"): _of(said("coinbase", "trade")),
    ("coinbase", "trades of Advanced", "type"): _of(EVENTS),
    ("coinbase", "book of Advanced", "type"): _of(LEVELS),
    ("coinbase", "book of Advanced", "side"): _of(LEVELS),
}
