"""How venues beside Binance, Bybit and OKX speak; part of `venue_speech`."""

from typing import Any

from tests.conformance.gate_speech import GATE, GATE_SPOT
from tests.conformance.speech import Said, Speech, compact, iso, listed, text, without


def _bitget(topic: str, ms: int, row: Any, kind: str = "usdt-futures") -> Said:
    arg = {"instType": kind, "topic": topic}
    arg |= {} if topic == "liquidation" else {"symbol": "BTCUSDT"}
    action = "snapshot" if topic == "books5" else "update"
    return compact(arg), text({"action": action, "arg": arg, "data": [row], "ts": ms})


def _bitget_print(n: int, ms: int) -> dict[str, str]:
    return {"i": str(n), "p": "62000.1", "v": "0.012", "S": "buy", "T": str(ms)}


def _bitget_levels(n: int, ms: int) -> dict[str, Any]:
    return {"a": [["62000.2", "1"]], "b": [["62000.1", str(n + 1)]], "ts": str(ms)}


def _bitget_forced(n: int, ms: int) -> Said:
    row = {"symbol": "BTCUSDT", "side": "buy", "price": "61500.0", "amount": f"{n + 1}000"}
    return _bitget("liquidation", ms, {**row, "ts": str(ms)})


BITGET = Speech(
    venue="bitget",
    topics=frozenset(
        (
            *(_bitget(topic, 0, {})[0] for topic in ("publicTrade", "ticker", "books5")),
            *(
                _bitget("liquidation", 0, {}, f"{kind}-futures")[0]
                for kind in ("usdt", "usdc", "coin")
            ),
        )
    ),
    trade=lambda n, ms: _bitget("publicTrade", ms, _bitget_print(n, ms)),
    forced=_bitget_forced,
    book=lambda n, ms: _bitget("books5", ms, _bitget_levels(n, ms)),
    asked=listed("args"),
    ping="ping",
)
BITGET_SPOT = Speech(
    venue="bitget-spot",
    topics=frozenset(
        _bitget(topic, 0, {}, "spot")[0] for topic in ("publicTrade", "ticker", "books5")
    ),
    trade=lambda n, ms: _bitget("publicTrade", ms, _bitget_print(n, ms), "spot"),
    book=lambda n, ms: _bitget("books5", ms, _bitget_levels(n, ms), "spot"),
    asked=listed("args"),
    ping="ping",
)


def _bitmex(table: str, action: str, ms: int, row: dict[str, Any]) -> Said:
    whole = {"symbol": "XBTUSD", "timestamp": iso(ms), **row}
    return f"{table}:XBTUSD", text({"table": table, "action": action, "data": [whole]})


def _bitmex_trade(n: int, ms: int) -> Said:
    row = {"side": "Buy", "size": 1000, "price": 62000.5, "trdMatchID": f"m-{n}"}
    worth = {"homeNotional": 0.0161289, "foreignNotional": 1000, "trdType": "Regular"}
    return _bitmex("trade", "insert", ms, {**row, **worth})


def _bitmex_forced(n: int, ms: int) -> Said:
    row = {"orderID": f"o-{n}", "side": "Sell", "price": 61500.5, "leavesQty": 20000}
    return _bitmex("liquidation", "insert", ms, row)


BITMEX = Speech(
    venue="bitmex",
    topics=frozenset(
        f"{table}:{symbol}"
        for table in ("liquidation", "trade", "instrument", "orderBook10")
        for symbol in ("XBTUSD", "XBTUSDT")
    ),
    trade=_bitmex_trade,
    forced=_bitmex_forced,
    book=lambda n, ms: _bitmex(
        "orderBook10", "update", ms, {"bids": [[62000, n + 1]], "asks": [[62000.5, 12]]}
    ),
    asked=listed("args"),
    ping="ping",
)


def _deribit(channel: str, data: Any) -> Said:
    params = {"channel": channel, "data": data}
    return channel, text({"jsonrpc": "2.0", "method": "subscription", "params": params})


def _deribit_trade(n: int, ms: int, **more: Any) -> Said:
    row: dict[str, Any] = {"trade_seq": n, "trade_id": str(n), "timestamp": ms, "price": 61500.0}
    row |= {"direction": "sell", "instrument_name": "BTC-PERPETUAL", "amount": 1000.0, **more}
    return _deribit("trades.BTC-PERPETUAL.100ms", [row])


def _deribit_book(n: int, ms: int) -> Said:
    row = {"timestamp": ms, "instrument_name": "BTC-PERPETUAL", "change_id": n}
    sides = {"bids": [[62000.0, n + 1]], "asks": [[62000.5, 30.0]]}
    return _deribit("book.BTC-PERPETUAL.none.10.100ms", {**row, **sides})


DERIBIT = Speech(
    venue="deribit",
    topics=frozenset(
        f"{kind}.{symbol}.{rest}100ms"
        for symbol in ("BTC-PERPETUAL", "BTC_USDC-PERPETUAL")
        for kind, rest in (("trades", ""), ("ticker", ""), ("book", "none.10."))
    ),
    trade=_deribit_trade,
    forced=lambda n, ms: _deribit_trade(1000 + n, ms, liquidation="T", trade_seq=n),
    book=_deribit_book,
    asked=lambda request: listed("channels")(request.get("params", {})),
    question=text({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}),
    reply='"public/test"',
)


def _hyperliquid(kind: str, data: Any) -> Said:
    return compact({"type": kind, "coin": "BTC"}), text({"channel": kind, "data": data})


def _hyperliquid_trade(n: int, ms: int) -> Said:
    row = {"coin": "BTC", "side": "B", "px": "62000.0", "sz": "0.012", "time": ms, "tid": n}
    return _hyperliquid("trades", [{**row, "hash": "0x0"}])


def _hyperliquid_book(n: int, ms: int) -> Said:
    bid, ask = {"px": "62000.0", "sz": str(n + 1), "n": 5}, {"px": "62001.0", "sz": "1", "n": 2}
    return _hyperliquid("l2Book", {"coin": "BTC", "time": ms, "levels": [[bid], [ask]]})


HYPERLIQUID = Speech(
    venue="hyperliquid",
    topics=frozenset(
        compact({"type": kind, "coin": "BTC"}) for kind in ("trades", "activeAssetCtx", "l2Book")
    ),
    trade=_hyperliquid_trade,
    book=_hyperliquid_book,
    asked=lambda r: [compact(r["subscription"])] if "subscription" in r else [],
    ping='{"method":"ping"}',
)


def _kraken_trade(n: int, ms: int, kind: str = "fill") -> Said:
    row = {"feed": "trade", "product_id": "PF_XBTUSD", "uid": f"{kind}-{n}", "side": "sell"}
    topic = compact({"feed": "trade", "product_ids": ["PF_XBTUSD"]})
    more = {"type": kind, "seq": n, "time": ms, "qty": 0.05, "price": 61900.0}
    return topic, text({**row, **more})


def _kraken_book(n: int, ms: int) -> Said:
    head = {"product_id": "PF_XBTUSD", "seq": n, "timestamp": ms}
    bid, ask = {"price": 62000.0, "qty": n + 1}, {"price": 62000.5, "qty": 1.5}
    if n == 0:
        message = {"feed": "book_snapshot", **head, "bids": [bid], "asks": [ask]}
    else:
        message = {"feed": "book", "side": "buy", **head, **bid}
    return compact({"feed": "book", "product_ids": ["PF_XBTUSD"]}), text(message)


KRAKEN = Speech(
    venue="kraken",
    topics=frozenset(
        compact({"feed": feed, "product_ids": [symbol]})
        for feed in ("trade", "ticker", "book")
        for symbol in ("PF_XBTUSD", "PI_XBTUSD")
    ),
    trade=_kraken_trade,
    forced=lambda n, ms: _kraken_trade(n, ms, "liquidation"),
    book=_kraken_book,
    asked=without("event"),
)


def _htx_trade(n: int, ms: int) -> Said:
    row = {"amount": 22, "ts": ms, "id": n, "price": 62000.1, "direction": "buy"}
    topic = "market.BTC-USDT.trade.detail"
    return topic, text({"ch": topic, "ts": ms, "tick": {"id": n, "ts": ms, "data": [row]}})


def _htx_forced(n: int, ms: int) -> Said:
    row = {"contract_code": "BTC-USDT", "direction": "sell", "offset": "close", "volume": 35 + n}
    topic = "public.BTC-USDT.liquidation_orders"
    rows = [{**row, "price": 61500.0, "created_at": ms}]
    return topic, text({"op": "notify", "topic": topic, "ts": ms, "data": rows})


def _htx_book(n: int, ms: int) -> Said:
    topic = "market.BTC-USDT.depth.step6"
    tick = {"bids": [[62000.0, n + 1]], "asks": [[62000.1, 300]], "ts": ms, "version": n}
    return topic, text({"ch": topic, "ts": ms, "tick": tick})


HTX = Speech(
    venue="htx",
    topics=frozenset(
        pattern.format(symbol)
        for symbol in ("BTC-USDT", "BTC-USD")
        for pattern in (
            "market.{}.trade.detail",
            "market.{}.detail",
            "market.{}.mark_price.1min",
            "market.{}.index.1min",
            "market.{}.depth.step6",
            "public.{}.liquidation_orders",
            "public.{}.funding_rate",
        )
    ),
    trade=_htx_trade,
    forced=_htx_forced,
    book=_htx_book,
    asked=lambda r: [r[key] for key in ("sub", "topic") if key in r],
    packed=True,
    question=text({"ping": 1790000000000}),
    reply='{"pong":1790000000000}',
)


def _dydx_trade(n: int, ms: int, kind: str = "LIMIT") -> Said:
    row = {"id": f"{kind}-{n}", "side": "SELL", "size": "0.25", "price": "61900", "type": kind}
    topic = {"channel": "v4_trades", "id": "BTC-USD", "batched": False}
    contents = {"trades": [{**row, "createdAt": iso(ms)}]}
    told = {"type": "channel_data", "message_id": n, "id": "BTC-USD", "channel": "v4_trades"}
    return compact(topic), text({**told, "contents": contents})


def _dydx_book(n: int, _ms: int) -> Said:
    topic = {"channel": "v4_orderbook", "id": "BTC-USD", "batched": False}
    told = {"type": "channel_data", "message_id": n, "id": "BTC-USD", "channel": "v4_orderbook"}
    contents: dict[str, Any] = {"bids": [["62000", str(n + 1)]]}
    if n == 0:
        levels = ("bids", "62000"), ("asks", "62001")
        contents = {side: [{"price": price, "size": "1"}] for side, price in levels}
        told["type"] = "subscribed"
    return compact(topic), text({**told, "contents": contents})


DYDX = Speech(
    venue="dydx",
    topics=frozenset(
        {
            _dydx_trade(0, 0)[0],
            _dydx_book(0, 0)[0],
            compact({"channel": "v4_markets", "batched": False}),
        }
    ),
    book=_dydx_book,
    trade=_dydx_trade,
    forced=lambda n, ms: _dydx_trade(n, ms, "LIQUIDATED"),
    asked=without("type"),
)


def _kucoin(channel: str, subject: str, row: dict[str, Any]) -> Said:
    topic = f"/{channel}:XBTUSDTM"
    return topic, text({"topic": topic, "type": "message", "subject": subject, "data": row})


def _kucoin_trade(n: int, ms: int) -> Said:
    row = {"symbol": "XBTUSDTM", "sequence": n, "side": "sell", "size": 5, "price": "62000.1"}
    ids = {"takerOrderId": "a", "makerOrderId": "b", "tradeId": f"k-{n}", "ts": ms * 1_000_000}
    return _kucoin("contractMarket/execution", "match", {**row, **ids})


def _kucoin_book(n: int, ms: int) -> Said:
    row = {"sequence": n, "asks": [[62000.2, 50]], "bids": [["62000.1", f"{n + 1}"]]}
    return _kucoin("contractMarket/level2Depth5", "level2", {**row, "ts": ms, "timestamp": ms})


def _kucoin_asked(request: Any) -> list[str]:
    if request.get("type") != "subscribe":
        return []
    assert request["privateChannel"] is False
    return [request["topic"]]


KUCOIN = Speech(
    venue="kucoin",
    topics=frozenset(
        f"/{channel}:{symbol}"
        for symbol in ("XBTUSDTM", "XBTUSDM")
        for channel in (
            "contractMarket/execution",
            "contract/instrument",
            "contractMarket/level2Depth5",
        )
    ),
    trade=_kucoin_trade,
    book=_kucoin_book,
    asked=_kucoin_asked,
    ping='"type":"ping"',
    grant=lambda url, token: {
        "code": "200000",
        "data": {
            "token": token,
            "instanceServers": [
                {"endpoint": url, "encrypt": False, "protocol": "websocket"}
                | {"pingInterval": 50, "pingTimeout": 10_000}
            ],
        },
    },
    greeting=text({"id": "marginquake", "type": "welcome"}),
)

SPEECHES = (
    GATE,
    GATE_SPOT,
    BITGET,
    BITGET_SPOT,
    BITMEX,
    DERIBIT,
    HYPERLIQUID,
    KRAKEN,
    HTX,
    DYDX,
    KUCOIN,
)
