"""The side matrix: forced orders of every venue that publishes them, and what they must become.

Dollars are worked out by hand from the venue's own rule of units, in micro-dollars. The test of the
matrix reads it, and the fuzzer takes its seeds from it.
"""

from typing import Any, NamedTuple

from tests.messages.deribit import notification
from tests.messages.gate import message as gate_message

MS = 1_790_000_000_402
ISO = "2026-09-21T14:13:20.402Z"


class Closed(NamedTuple):
    """A message of one forced order, or of two sides of one: side closed, price kind, dollars."""

    venue: str
    case: str
    message: Any
    sides: str
    price: float
    price_kind: str
    usd: int
    completeness: str
    kind: str = "liquidation"


def force_order(symbol: str, side: str, **order: Any) -> dict[str, Any]:
    fields = {"s": symbol, "S": side, "o": "LIMIT", "f": "IOC", "X": "FILLED", "l": "0.050"}
    return {"e": "forceOrder", "E": MS + 4, "o": {**fields, "T": MS, **order}}


def all_liquidation(symbol: str, side: str, v: str, p: str) -> dict[str, Any]:
    row = {"T": MS, "s": symbol, "S": side, "v": v, "p": p}
    return {"topic": f"allLiquidation.{symbol}", "type": "snapshot", "ts": MS + 9, "data": [row]}


def okx(symbol: str, side: str, position: str, sz: str, px: str) -> dict[str, Any]:
    detail = {"side": side, "posSide": position, "bkPx": px, "sz": sz, "bkLoss": "0", "ccy": ""}
    filed = {"instType": "SWAP", "instId": symbol, "details": [{**detail, "ts": str(MS)}]}
    return {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": [filed]}


def okx_table(market: str, symbol: str, kind: str, size: str, price: str) -> dict[str, Any]:
    row = {"instrument_id": symbol, "type": kind, "size": size, "price": price, "loss": "0"}
    return {"table": f"{market}/liquidation", "data": [{**row, "created_at": ISO}]}


def gate(**row: Any) -> dict[str, Any]:
    return gate_message("futures.public_liquidates", [{"contract": "BTC_USDT", "time": MS, **row}])


def gate_polled(contract: str, size: int, price: str, fill: str) -> list[dict[str, Any]]:
    row: dict[str, Any] = {"time": MS // 1000, "contract": contract, "left": 0}
    row |= {"size": size, "order_size": -size, "order_price": price, "fill_price": fill}
    return [row]


def bitget(symbol: str, side: str, amount: str, price: str) -> dict[str, Any]:
    row = {"symbol": symbol, "side": side, "price": price, "amount": amount, "ts": str(MS)}
    arg = {"instType": "usdt-futures", "topic": "liquidation"}
    return {"action": "update", "arg": arg, "data": [row], "ts": MS + 609}


def bitmex(symbol: str, side: str, left: int, price: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "orderID": "00000000-aaaa",
        "symbol": symbol,
        "side": side,
        "price": price,
    }
    return {"table": "liquidation", "action": "insert", "data": [{**row, "leavesQty": left}]}


def deribit(symbol: str, who: str, direction: str, amount: float, price: float) -> dict[str, Any]:
    row: dict[str, Any] = {"trade_id": "260000001", "timestamp": MS, "price": price}
    row |= {"instrument_name": symbol, "direction": direction, "amount": amount, "liquidation": who}
    return notification(f"trades.{symbol}.100ms", [row])


def kraken(symbol: str, side: str, qty: float, price: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "feed": "trade",
        "product_id": symbol,
        "uid": "11111111-2222",
        "side": side,
        "seq": 7,
    }
    return {**row, "type": "liquidation", "time": MS, "qty": qty, "price": price}


def htx(code: str, direction: str, volume: int, price: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "symbol": "BTC",
        "contract_code": code,
        "direction": direction,
        "offset": "close",
    }
    row |= {"volume": volume, "price": price, "created_at": MS}
    topic = "public.*.liquidation_orders"
    return {"op": "notify", "topic": topic, "ts": MS + 139, "data": [row]}


def htx_polled(side: str, position: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "contract_code": "BTC-USDT",
        "liquidation_time": MS,
        "side": side,
        "volume": 35,
    }
    row |= {"position_side": position, "bankrupt_price": 61500.0, "id": 1}
    return {"status": "ok", "code": 200, "data": [row]}


def dydx(side: str, size: str, price: str, kind: str = "LIQUIDATED") -> dict[str, Any]:
    row = {"id": "00000001-0000", "side": side, "size": size, "price": price, "type": kind}
    frame = {"type": "channel_data", "id": "BTC-USD", "channel": "v4_trades", "message_id": 3}
    return {**frame, "contents": {"trades": [{**row, "createdAt": ISO}]}}


def fill(side: str, coin: str, size: str, price: str, method: str = "market") -> dict[str, Any]:
    forced = {"liquidatedUser": "0xab", "markPx": price, "method": method}
    return {"coin": coin, "side": side, "px": price, "sz": size, "time": MS, "tid": 7} | {
        "liquidation": forced
    }


def fills(row: dict[str, Any]) -> dict[str, Any]:
    return {"channel": "userFills", "data": {"user": "0xAB", "fills": [row]}}


RETIRED = {"updatedTime": MS, "symbol": "BTCUSDT", "side": "Buy", "size": "0.350"}
COINM_AMONG_USDM = {**force_order("BTCUSD_PERP", "SELL", q="12", z="12", p="1", ap="2"), "st": 2}
UNFILLED_PRICE = {"q": "0.250", "z": "0.250", "p": "61890.10", "ap": "0"}
LONG = {"q": "0.300", "z": "0.250", "p": "61890.10", "ap": "62011.40"}
SHORT = {"q": "0.300", "z": "0.200", "p": "62200.00", "ap": "62100.50"}
PEPE = {"q": "100000", "z": "100000", "p": "0.0120000", "ap": "0.0123456"}
A12 = {"q": "12", "z": "12", "p": "61890.1", "ap": "62011.4"}
B7 = {"q": "7", "z": "7", "p": "2600.1", "ap": "2590.5"}
U, C = "binance-usdm", "binance-coinm"

MATRIX = [
    Closed(U, "SELL", force_order("BTCUSDT", "SELL", **LONG), "long", 62011.4, "avg_fill",
           15_502_850_000, "sampled"),
    Closed(U, "BUY", force_order("BTCUSDT", "BUY", **SHORT), "short", 62100.5, "avg_fill",
           12_420_100_000, "sampled"),
    Closed(U, "no average", force_order("BTCUSDT", "SELL", **UNFILLED_PRICE), "long", 61890.1,
           "order", 15_472_525_000, "sampled"),
    Closed(U, "1000PEPE", force_order("1000PEPEUSDT", "BUY", **PEPE), "short", 1.23456e-05,
           "avg_fill", 1_234_560_000, "sampled"),
    Closed(C, "SELL, 100 USD", force_order("BTCUSD_PERP", "SELL", **A12), "long", 62011.4,
           "avg_fill", 1_200_000_000, "sampled"),
    Closed(C, "BUY, 10 USD", force_order("ETHUSD_PERP", "BUY", **B7), "short", 2590.5,
           "avg_fill", 70_000_000, "sampled"),
    Closed(C, "no average", force_order("BTCUSD_PERP", "SELL", **{**A12, "ap": "0"}), "long",
           61890.1, "order", 1_200_000_000, "sampled"),
    Closed("bybit", "Buy", all_liquidation("BTCUSDT", "Buy", "0.350", "61500.00"), "long", 61500.0,
           "bankruptcy", 21_525_000_000, "all"),
    Closed("bybit", "Sell", all_liquidation("BTCUSDT", "Sell", "0.010", "62900.00"), "short",
           62900.0, "bankruptcy", 629_000_000, "all"),
    Closed("bybit", "inverse", all_liquidation("BTCUSD", "Sell", "2500", "62900.00"), "short",
           62900.0, "bankruptcy", 2_500_000_000, "all"),
    Closed("bybit", "retired topic", {"topic": "liquidation.BTCUSDT", "ts": MS,
           "data": {**RETIRED, "price": "61500.00"}}, "long", 61500.0, "bankruptcy",
           21_525_000_000, "sampled"),
    Closed("bybit", "retired topic, short", {"topic": "liquidation.BTCUSD", "data": {
           **RETIRED, "symbol": "BTCUSD", "side": "Sell", "size": "2500", "price": "62900.00"}},
           "short", 62900.0, "bankruptcy", 2_500_000_000, "sampled"),
    Closed("okx", "sell, long", okx("BTC-USDT-SWAP", "sell", "long", "35", "61500.0"), "long",
           61500.0, "bankruptcy", 21_525_000_000, "sampled"),
    Closed("okx", "buy, short", okx("BTC-USDT-SWAP", "buy", "short", "7", "62900.0"), "short",
           62900.0, "bankruptcy", 4_403_000_000, "sampled"),
    Closed("okx", "sell, net", okx("BTC-USDT-SWAP", "sell", "net", "35", "61500.0"), "long",
           61500.0, "bankruptcy", 21_525_000_000, "sampled"),
    Closed("okx", "buy, net, inverse", okx("BTC-USD-SWAP", "buy", "net", "3", "62900.0"), "short",
           62900.0, "bankruptcy", 300_000_000, "sampled"),
    Closed("okx", "v3 table, 3", okx_table("swap", "BTC-USDT-SWAP", "3", "35", "61500.0"), "long",
           61500.0, "order", 21_525_000_000, "sampled"),
    Closed("okx", "v3 table, 4, inverse", okx_table("futures", "BTC-USD-261225", "4", "3",
           "62900.0"), "short", 62900.0, "order", 300_000_000, "sampled"),
    Closed("gate", "pushed -", gate(price=61500.5, size=-120), "long", 61500.5, "order",
           738_006_000, "all"),
    Closed("gate", "pushed +, text", gate(price="61490.0", size="35"), "short", 61490.0, "order",
           215_215_000, "all"),
    Closed("gate", "pushed - before 2026-08-20", gate(price=61500.5, size=-120,
           time=1_787_000_000_402), "long", 61500.5, "order", 738_006_000, "sampled"),
    Closed("gate", "polled +", gate_polled("BTC_USDT", 600, "61500", "61620"), "long", 61620.0,
           "avg_fill", 3_697_200_000, "all"),
    Closed("gate", "polled -", gate_polled("BTC_USDT", -50, "62100", "62000"), "short", 62000.0,
           "avg_fill", 310_000_000, "all"),
    Closed("gate", "inverse", gate_polled("BTC_USD", 120, "61500", "61620"), "long", 61620.0,
           "avg_fill", 120_000_000, "all"),
    Closed("bitget", "buy", bitget("BTCUSDT", "buy", "21525.00", "61500.0"), "long", 61500.0,
           "unknown", 21_525_000_000, "sampled"),
    Closed("bitget", "sell", bitget("BTCUSDT", "sell", "629.00", "62900.0"), "short", 62900.0,
           "unknown", 629_000_000, "sampled"),
    Closed("bitmex", "Sell", bitmex("XBTUSD", "Sell", 20000, 61500.5), "long", 61500.5,
           "bankruptcy", 20_000_000_000, "all"),
    Closed("bitmex", "Buy", bitmex("XBTUSD", "Buy", 8000, 62900.5), "short", 62900.5,
           "bankruptcy", 8_000_000_000, "all"),
    Closed("bitmex", "linear", bitmex("XBTUSDT", "Sell", 350000, 61500.5), "long", 61500.5,
           "bankruptcy", 21_525_175_000, "all"),
    Closed("deribit", "T sell", deribit("BTC-PERPETUAL", "T", "sell", 1000.0, 61500.0), "long",
           61500.0, "fill", 1_000_000_000, "all"),
    Closed("deribit", "T buy", deribit("BTC-PERPETUAL", "T", "buy", 1000.0, 61500.0), "short",
           61500.0, "fill", 1_000_000_000, "all"),
    Closed("deribit", "M buy", deribit("BTC-PERPETUAL", "M", "buy", 1000.0, 61500.0), "long",
           61500.0, "fill", 1_000_000_000, "all"),
    Closed("deribit", "M sell", deribit("BTC-PERPETUAL", "M", "sell", 1000.0, 61500.0), "short",
           61500.0, "fill", 1_000_000_000, "all"),
    Closed("deribit", "MT sell", deribit("BTC-PERPETUAL", "MT", "sell", 1000.0, 61500.0),
           "long short", 61500.0, "fill", 1_000_000_000, "all"),
    Closed("deribit", "MT buy", deribit("BTC-PERPETUAL", "MT", "buy", 1000.0, 61500.0),
           "short long", 61500.0, "fill", 1_000_000_000, "all"),
    Closed("deribit", "linear", deribit("BTC_USDC-PERPETUAL", "T", "sell", 0.5, 61500.5), "long",
           61500.5, "fill", 30_750_250_000, "all"),
    Closed("kraken", "sell", kraken("PF_XBTUSD", "sell", 0.05, 61900.0), "long", 61900.0, "fill",
           3_095_000_000, "all"),
    Closed("kraken", "buy, inverse", kraken("PI_XBTUSD", "buy", 5000, 62900.0), "short", 62900.0,
           "fill", 5_000_000_000, "all"),
    Closed("htx", "sell", htx("BTC-USDT", "sell", 35, 61500.0), "long", 61500.0, "bankruptcy",
           2_152_500_000, "all"),
    Closed("htx", "buy, inverse", htx("BTC-USD", "buy", 7, 62900.0), "short", 62900.0,
           "bankruptcy", 700_000_000, "all"),
    Closed("htx", "polled buy, short", htx_polled("buy", "short"), "short", 61500.0, "bankruptcy",
           2_152_500_000, "all"),
    Closed("dydx", "SELL", dydx("SELL", "0.25", "61900"), "long", 61900.0, "fill",
           15_475_000_000, "all"),
    Closed("dydx", "BUY", dydx("BUY", "0.1", "62000.5"), "short", 62000.5, "fill",
           6_200_050_000, "all"),
    Closed("dydx", "DELEVERAGED", dydx("SELL", "0.1", "62000.5", "DELEVERAGED"), "long", 62000.5,
           "bankruptcy", 6_200_050_000, "all", "adl"),
    Closed("hyperliquid", "A", fills(fill("A", "BTC", "0.012", "62000.0")), "long", 62000.0, "fill",
           744_000_000, "unknown"),
    Closed("hyperliquid", "B, backstop", fills(fill("B", "BTC", "0.012", "62000.0", "backstop")),
           "short", 62000.0, "fill", 744_000_000, "unknown", "backstop"),
    Closed("hyperliquid", "A, kPEPE, of a node", ["0xab", fill("A", "kPEPE", "5000", "0.0123")],
           "long", 1.23e-05, "fill", 61_500_000, "all"),
]  # fmt: skip
