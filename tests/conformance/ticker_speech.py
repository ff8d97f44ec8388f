"""What each venue says of a symbol beside trades, forced orders and books; beside `venue_speech`.

Messages of tickers, each with the topic it belongs to, and answers to polls, in the venues' shapes.
Topics are written out by hand, not by the wires that are tested.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tests.conformance.speech import Said, compact, iso, text

MS = 1_790_000_000_402


def _binance(symbol: str, kind: str, event: str, **fields: str) -> Said:
    stream = f"{symbol.lower()}@{kind}"
    data = {"e": event, "E": MS, "s": symbol, **fields}
    return stream, text({"stream": stream, "data": data})


def _binance_day(symbol: str) -> Said:
    return _binance(symbol, "ticker", "24hrTicker", c="62000.1", v="120000", q="7434000000.1")


def _binance_perpetual(symbol: str) -> list[Said]:
    marked = {"p": "62001.1", "i": "62003.1", "P": "62002.1", "r": "0.0001"}
    mark = _binance(symbol, "markPrice@1s", "markPriceUpdate", **marked, T=str(MS + 1))
    return [mark, _binance_day(symbol)]


def _bybit(symbol: str, **fields: str) -> list[Said]:
    topic = f"tickers.{symbol}"
    data = {"symbol": symbol, "lastPrice": "62000.1", "turnover24h": "5200000000.1", **fields}
    data |= {"volume24h": "84000.2"}
    return [(topic, text({"topic": topic, "type": "snapshot", "ts": MS, "data": data}))]


def _bybit_perpetual(symbol: str) -> list[Said]:
    held = {"openInterest": "50000.5", "openInterestValue": "3100000000.5"}
    rate = {"fundingRate": "0.0001", "nextFundingTime": "1790006400000"}
    return _bybit(symbol, markPrice="62001.1", indexPrice="62003.1", **held, **rate)


def _okx_of(channel: str, name: str, **fields: str) -> Said:
    arg = {"channel": channel, "instId": name}
    return compact(arg), text({"arg": arg, "data": [{"instId": name, **fields, "ts": str(MS)}]})


def _okx(symbol: str) -> list[Said]:
    volume = {"volCcy24h": "90000", "vol24h": "9000000"}
    day = _okx_of("tickers", symbol, last="62000.1", **volume)
    if not symbol.endswith("-SWAP"):
        return [day]
    due = {"fundingTime": "1790006400000", "nextFundingTime": "1790035200000"}
    held = {"oi": "2900000", "oiCcy": "29000", "oiUsd": "1798000000"}
    return [
        day,
        _okx_of("mark-price", symbol, markPx="62001.0"),
        _okx_of("index-tickers", symbol.removesuffix("-SWAP"), idxPx="62003.0"),
        _okx_of("funding-rate", symbol, fundingRate="0.0001", **due),
        _okx_of("open-interest", symbol, **held),
    ]


def _gate_of(channel: str, symbol: str, result: Any) -> list[Said]:
    told = {"time": MS // 1000, "time_ms": MS, "channel": channel, "event": "update"}
    topic = compact({"channel": channel, "payload": [symbol]})
    return [(topic, text({**told, "result": result}))]


def _gate(symbol: str) -> list[Said]:
    prices = {"last": "62000.1", "mark_price": "62001.1", "index_price": "62003.1"}
    rest = {"total_size": "412345678", "funding_rate": "0.0001", "volume_24h_quote": "7850576"}
    return _gate_of("futures.tickers", symbol, [{"contract": symbol, **prices, **rest}])


def _gate_spot(symbol: str) -> list[Said]:
    row = {"currency_pair": symbol, "last": "62000.1", "quote_volume": "55800000.25"}
    return _gate_of("spot.tickers", symbol, row)


def _bitget_of(kind: str, symbol: str, **row: str) -> list[Said]:
    arg = {"instType": kind, "topic": "ticker", "symbol": symbol}
    data = [{"lastPrice": "62000.1", "turnover24h": "2100000000.5", **row}]
    return [(compact(arg), text({"action": "snapshot", "arg": arg, "data": data, "ts": MS}))]


def _bitget(symbol: str) -> list[Said]:
    prices = {"markPrice": "62001.1", "indexPrice": "62003.1", "openInterest": "31250.4"}
    due = {"fundingRate": "0.0001", "nextFundingTime": "1790006400000"}
    return _bitget_of("usdt-futures", symbol, **prices, **due)


def _bitmex(symbol: str) -> list[Said]:
    prices = {"markPrice": 62001.1, "indicativeSettlePrice": 62003.1, "lastPrice": 62000.5}
    rest = {"openInterest": 5, "openValue": 9, "fundingRate": 1e-4, "foreignNotional24h": 7.5}
    row = {"symbol": symbol, "timestamp": iso(MS), **prices, **rest}
    row["fundingTimestamp"] = iso(MS + 3_600_000)
    message = {"table": "instrument", "action": "update", "data": [row]}
    return [(f"instrument:{symbol}", text(message))]


def _deribit(symbol: str) -> list[Said]:
    channel = f"ticker.{symbol}.100ms"
    prices = {"mark_price": 62001.1, "index_price": 62003.1, "last_price": 62000.5}
    rest = {"open_interest": 9.5, "current_funding": 1e-05, "stats": {"volume_usd": 5.25}}
    data = {"timestamp": MS, "instrument_name": symbol, **prices, **rest}
    params = {"channel": channel, "data": data}
    return [(channel, text({"jsonrpc": "2.0", "method": "subscription", "params": params}))]


def _hyperliquid(symbol: str) -> list[Said]:
    prices = {"markPx": "62001.0", "oraclePx": "62003.0", "midPx": "62000.5"}
    context = {**prices, "funding": "0.0000125", "openInterest": "3", "dayNtlVlm": "29.4"}
    message = {"channel": "activeAssetCtx", "data": {"coin": symbol, "ctx": context}}
    return [(compact({"type": "activeAssetCtx", "coin": symbol}), text(message))]


def _kraken(symbol: str) -> list[Said]:
    prices = {"last": 62000, "markPrice": 62001.1, "index": 62003.1, "volumeQuote": 322000000.5}
    due = {"relative_funding_rate": 8.6e-06, "funding_rate": 0.61}
    due |= {"next_funding_rate_time": 1790002800000, "openInterest": 2288}
    row = {"feed": "ticker", "time": MS, "product_id": symbol, **prices, **due}
    return [(compact({"feed": "ticker", "product_ids": [symbol]}), text(row))]


def _htx_market(topic: str, **tick: Any) -> Said:
    return topic, text({"ch": topic, "ts": MS, "tick": {"id": MS // 60_000 * 60, **tick}})


def _htx(symbol: str) -> list[Said]:
    day = {"close": "62000.1", "trade_turnover": "649381190.5", "vol": "9120400"}
    rate = {"contract_code": symbol, "funding_time": "1790006400000", "funding_rate": "0.0001"}
    topic = f"public.{symbol}.funding_rate"
    return [
        _htx_market(f"market.{symbol}.detail", **day),
        _htx_market(f"market.{symbol}.mark_price.1min", close="62001.1", trade_turnover="0"),
        _htx_market(f"market.{symbol}.index.1min", close="62003.1", trade_turnover=0),
        (topic, text({"op": "notify", "topic": topic, "ts": MS, "data": [rate]})),
    ]


def _dydx(symbol: str) -> list[Said]:
    topic = compact({"channel": "v4_markets", "batched": False})
    told = {"type": "channel_data", "message_id": 4, "channel": "v4_markets", "version": "1.0.0"}
    traded = {"openInterest": "1180.4", "nextFundingRate": "0.0000094", "volume24H": "412.2"}
    oracle = {"oraclePrice": "62003.1", "effectiveAt": iso(MS), "marketId": 0}
    both = {"trading": {symbol: traded}}, {"oraclePrices": {symbol: oracle}}
    return [(topic, text({**told, "contents": contents})) for contents in both]


def _kucoin_of(symbol: str, subject: str, **row: Any) -> Said:
    topic = f"/contract/instrument:{symbol}"
    data = {"symbol": symbol, **row, "timestamp": MS}
    return topic, text({"topic": topic, "type": "message", "subject": subject, "data": data})


def _kucoin(symbol: str) -> list[Said]:
    prices = {"markPrice": 62001.0, "indexPrice": 62003.0, "granularity": 1000}
    return [
        _kucoin_of(symbol, "mark.index.price", **prices),
        _kucoin_of(symbol, "funding.rate", granularity=60000, fundingRate=1e-4),
    ]


def _coinbase(symbol: str) -> list[Said]:
    row = {"price": "62000.10", "volume_24h": "9120.44", "time": iso(MS), "side": "buy"}
    topic = compact({"product_ids": [symbol], "channels": ["ticker"]})
    return [(topic, text({"type": "ticker", "product_id": symbol, **row}))]


TICKERS: Mapping[str, Callable[[str], list[Said]]] = {
    **dict.fromkeys(("binance-usdm", "binance-coinm"), _binance_perpetual),
    "binance-spot": lambda symbol: [_binance_day(symbol)],
    "bybit": _bybit_perpetual,
    "bybit-spot": _bybit,
    "okx": _okx,
    "gate": _gate,
    "gate-spot": _gate_spot,
    "bitget": _bitget,
    "bitget-spot": lambda symbol: _bitget_of("spot", symbol),
    "bitmex": _bitmex,
    "deribit": _deribit,
    "hyperliquid": _hyperliquid,
    "kraken": _kraken,
    "htx": _htx,
    "dydx": _dydx,
    "kucoin": _kucoin,
    "coinbase": _coinbase,
}
"""What is said of a symbol, by venue."""


def _binance_polled(symbol: str) -> Any:
    return {"symbol": symbol, "openInterest": "81234", "time": 1}


def _gate_polled(symbol: str) -> Any:
    due = {"funding_rate": "0.0001", "funding_next_apply": 1790006400, "funding_interval": 28800}
    held = {"quanto_multiplier": "0.0001", "position_size": 412345678}
    return {"name": symbol, "last_price": "62000.1", **held, **due}


def _htx_polled(symbol: str) -> Any:
    row = {"contract_code": symbol, "volume": 81234, "amount": 81.234, "trade_volume": 5}
    return {"status": "ok", "data": [row], "ts": MS}


def _kucoin_polled(symbol: str) -> Any:
    data = {"symbol": symbol, "openInterest": "81234", "lastTradePrice": 62000.1}
    more = {"fundingRateGranularity": 28800000, "turnoverOf24h": 580123456.5}
    return {"code": "200000", "data": {**data, **more}}


POLLS: Mapping[str, Callable[[str], Any]] = {
    "binance-usdm": _binance_polled,
    "binance-coinm": _binance_polled,
    "gate": _gate_polled,
    "htx": _htx_polled,
    "kucoin": _kucoin_polled,
}
"""The answer to a poll of a symbol, by venue."""
