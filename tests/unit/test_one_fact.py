"""The same fact live, as a Tardis raw line, in a Tardis CSV and from cryptofeed is one event.

Forced orders of Binance are not among them: archives keep their limit price and not the fill's.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from streams.core.events import Event, Liquidation, Raw, Ticker, Trade
from streams.core.normalise import normalise
from streams.parsing import VARIABLE, parsers
from tests.archived import INSTRUMENTS, events, rejected
from tests.messages import bitget, deribit, forced, gate
from tests.outcomes import reasons

MS = forced.MS
US = MS * 1000
RECEIVED_US = 1_790_000_000_700_000
STAMP = "2026-09-21T14:13:20.7000000Z"
TAPE = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
TICKER = (
    "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,"
    "predicted_funding_rate,open_interest,last_price,index_price,mark_price"
)


OTHERWISE = "htx.trade_sides=1,htx.interest_sides=2,bybit.interest_sides=1"


class Fact(NamedTuple):
    """What a venue says, and the figures that Tardis and cryptofeed keep of it.

    `row`: cells of a Tardis CSV; side, price and amount of a tape, else the open interest.
    `feed`: exchange and symbol of cryptofeed, where it has the channel. `feed_side`: its side of
    a forced order where that is not the order's.
    """

    name: str
    venue: str
    exchange: str
    symbol: str
    message: Any
    row: tuple[str, ...]
    feed: tuple[str, str] | None = None
    feed_side: str = ""


def bybit_trade(symbol: str, size: str) -> dict[str, Any]:
    row = {"T": MS, "s": symbol, "S": "Buy", "v": size, "p": "60000", "i": "7", "BT": False}
    return {"topic": f"publicTrade.{symbol}", "type": "snapshot", "ts": MS, "data": [row]}


def bybit_ticker(symbol: str, **held: str) -> dict[str, Any]:
    data = {"symbol": symbol, **held}
    return {"topic": f"tickers.{symbol}", "type": "delta", "ts": MS, "data": data}


def bybit_info(symbol: str, **held: Any) -> dict[str, Any]:
    stamp = {"timestamp_e6": US, "cross_seq": 7}
    data = {"symbol": symbol, **held}
    return {"topic": f"instrument_info.100ms.{symbol}", "type": "snapshot", "data": data, **stamp}


def htx_trade(symbol: str) -> dict[str, Any]:
    row = {"amount": 22, "ts": MS, "id": 7, "price": 60000, "direction": "buy"}
    return {"ch": f"market.{symbol}.trade.detail", "ts": MS, "tick": {"data": [row]}}


def okx_message(channel: str, symbol: str, **row: str) -> dict[str, Any]:
    data = {"instId": symbol, "ts": str(MS), **row}
    return {"arg": {"channel": channel, "instId": symbol}, "data": [data]}


def okx_trade(symbol: str) -> dict[str, Any]:
    return okx_message("trades", symbol, tradeId="7", px="60000", sz="25", side="buy")


def gate_trade() -> dict[str, Any]:
    row = {"contract": "BTC_USDT", "price": "60000", "size": 25, "id": 7, "create_time_ms": MS}
    return gate.message("futures.trades", [row])


def kraken_trade(symbol: str) -> dict[str, Any]:
    row = {"feed": "trade", "product_id": symbol, "time": MS, "uid": "7", "side": "buy"}
    return {**row, "type": "fill", "qty": 25, "price": 60000, "seq": 7}


def kucoin_trade(symbol: str) -> dict[str, Any]:
    data = {"side": "buy", "size": 25, "price": "60000", "tradeId": "7", "ts": US * 1000}
    topic = f"/contractMarket/execution:{symbol}"
    return {"topic": topic, "type": "message", "data": {"symbol": symbol, **data}}


def deribit_trade() -> dict[str, Any]:
    row = {"trade_id": "7", "timestamp": MS, "price": 60000, "amount": 25.0, "direction": "buy"}
    row["instrument_name"] = "BTC-PERPETUAL"
    return deribit.notification("trades.BTC-PERPETUAL.100ms", [row])


def deribit_ticker() -> dict[str, Any]:
    row = {"instrument_name": "BTC-PERPETUAL", "timestamp": MS, "open_interest": 2500}
    return deribit.notification("ticker.BTC-PERPETUAL.100ms", row)


def bitmex_trade(symbol: str, size: int) -> dict[str, Any]:
    row = {"symbol": symbol, "timestamp": forced.ISO, "side": "Buy", "size": size, "price": 60000}
    return {"table": "trade", "action": "insert", "data": [{**row, "trdMatchID": "7"}]}


def binance_trade(symbol: str) -> dict[str, Any]:
    row = {"e": "aggTrade", "E": MS, "s": symbol, "a": 7, "p": "60000", "q": "25", "T": MS}
    return {**row, "f": 1, "l": 2, "m": False}


def htx_held(symbol: str) -> dict[str, Any]:
    return {
        "status": "ok",
        "ts": MS,
        "data": [{"contract_code": symbol, "volume": 2501, "value": 1}],
    }


BUY = ("buy", "60000", "25")
TRADES = [
    Fact("htx, linear", "htx", "huobi-dm-linear-swap", "BTC-USDT", htx_trade("BTC-USDT"),
         ("buy", "60000", "22"), ("HUOBI_SWAP", "BTC-USDT-PERP")),
    Fact("htx, coin", "htx", "huobi-dm-swap", "BTC-USD", htx_trade("BTC-USD"),
         ("buy", "60000", "22"), ("HUOBI_SWAP", "BTC-USD-PERP")),
    Fact("htx, coin future", "htx", "huobi-dm", "BTC_CQ", htx_trade("BTC_CQ"),
         ("buy", "60000", "22")),
    Fact("bybit", "bybit", "bybit", "BTCUSDT", bybit_trade("BTCUSDT", "25"), BUY,
         ("BYBIT", "BTC-USDT-PERP")),
    Fact("bybit, inverse", "bybit", "bybit", "BTCUSD", bybit_trade("BTCUSD", "25"), BUY,
         ("BYBIT", "BTC-USD-PERP")),
    Fact("binance", "binance-usdm", "binance-futures", "BTCUSDT", binance_trade("BTCUSDT"), BUY,
         ("BINANCE_FUTURES", "BTC-USDT-PERP")),
    Fact("binance, coin", "binance-coinm", "binance-delivery", "BTCUSD_PERP",
         binance_trade("BTCUSD_PERP"), BUY, ("BINANCE_DELIVERY", "BTC-USD-PERP")),
    Fact("okx", "okx", "okex-swap", "BTC-USDT-SWAP", okx_trade("BTC-USDT-SWAP"), BUY,
         ("OKX", "BTC-USDT-PERP")),
    Fact("okx, coin", "okx", "okex-swap", "BTC-USD-SWAP", okx_trade("BTC-USD-SWAP"), BUY,
         ("OKX", "BTC-USD-PERP")),
    Fact("gate", "gate", "gate-io-futures", "BTC_USDT", gate_trade(), BUY,
         ("GATEIO_FUTURES", "BTC-USDT-PERP")),
    Fact("bitget", "bitget", "bitget-futures", "BTCUSDT",
         bitget.message("publicTrade", {"i": "7", "p": "60000", "v": "25", "S": "buy",
                                        "T": str(MS)}), BUY, ("BITGET", "BTC-USDT-PERP")),
    Fact("bitmex", "bitmex", "bitmex", "XBTUSD", bitmex_trade("XBTUSD", 25), BUY,
         ("BITMEX", "BTC-USD-PERP")),
    Fact("bitmex, linear", "bitmex", "bitmex", "XBTUSDT", bitmex_trade("XBTUSDT", 25), BUY,
         ("BITMEX", "BTC-USDT-PERP")),
    Fact("deribit", "deribit", "deribit", "BTC-PERPETUAL", deribit_trade(), BUY,
         ("DERIBIT", "BTC-USD-PERP")),
    Fact("kraken", "kraken", "cryptofacilities", "PF_XBTUSD", kraken_trade("PF_XBTUSD"), BUY),
    Fact("kraken, coin", "kraken", "cryptofacilities", "PI_XBTUSD", kraken_trade("PI_XBTUSD"), BUY),
    Fact("kucoin", "kucoin", "kucoin-futures", "XBTUSDTM", kucoin_trade("XBTUSDTM"), BUY),
    Fact("kucoin, coin", "kucoin", "kucoin-futures", "XBTUSDM", kucoin_trade("XBTUSDM"), BUY),
    Fact("dydx", "dydx", "dydx-v4", "BTC-USD", forced.dydx("BUY", "25", "60000", "LIMIT"), BUY),
    Fact("hyperliquid", "hyperliquid", "hyperliquid", "kPEPE",
         {"channel": "trades", "data": [{"coin": "kPEPE", "side": "B", "px": "60000", "sz": "25",
                                         "time": MS, "tid": 7}]}, BUY),
]  # fmt: skip
FORCED = [
    Fact("htx", "htx", "huobi-dm-linear-swap", "BTC-USDT",
         forced.htx("BTC-USDT", "sell", 25, 60000), ("sell", "60000", "25")),
    Fact("htx, coin", "htx", "huobi-dm-swap", "BTC-USD", forced.htx("BTC-USD", "sell", 25, 60000),
         ("sell", "60000", "25")),
    Fact("bybit", "bybit", "bybit", "BTCUSDT",
         forced.all_liquidation("BTCUSDT", "Buy", "25", "60000"), ("sell", "60000", "25"),
         ("BYBIT", "BTC-USDT-PERP"), "buy"),
    Fact("okx", "okx", "okex-swap", "BTC-USDT-SWAP",
         forced.okx("BTC-USDT-SWAP", "sell", "long", "25", "60000"), ("sell", "60000", "25"),
         ("OKX", "BTC-USDT-PERP")),
    Fact("gate", "gate", "gate-io-futures", "BTC_USDT", forced.gate(price="60000", size=-25),
         ("sell", "60000", "25")),
    Fact("bitget", "bitget", "bitget-futures", "BTCUSDT",
         forced.bitget("BTCUSDT", "buy", "1500000", "60000"), ("sell", "60000", "1500000")),
    Fact("bitmex", "bitmex", "bitmex", "XBTUSD", forced.bitmex("XBTUSD", "Sell", 25, 60000),
         ("sell", "60000", "25"), ("BITMEX", "BTC-USD-PERP")),
    Fact("deribit", "deribit", "deribit", "BTC-PERPETUAL",
         forced.deribit("BTC-PERPETUAL", "T", "sell", 25, 60000), ("sell", "60000", "25"),
         ("DERIBIT", "BTC-USD-PERP")),
    Fact("kraken", "kraken", "cryptofacilities", "PI_XBTUSD",
         forced.kraken("PI_XBTUSD", "sell", 25, 60000), ("sell", "60000", "25")),
    Fact("dydx", "dydx", "dydx-v4", "BTC-USD", forced.dydx("SELL", "25", "60000"),
         ("sell", "60000", "25")),
]  # fmt: skip
HELD = [
    Fact("bybit, one side told too", "bybit", "bybit", "BTCUSDT",
         bybit_ticker("BTCUSDT", openInterest="110000.5", singleOpenInterest="55000.25"),
         ("110000.5",), ("BYBIT", "BTC-USDT-PERP")),
    Fact("bybit", "bybit", "bybit", "BTCUSDT", bybit_ticker("BTCUSDT", openInterest="110000.5"),
         ("110000.5",), ("BYBIT", "BTC-USDT-PERP")),
    Fact("bybit, inverse", "bybit", "bybit", "BTCUSD", bybit_ticker("BTCUSD", openInterest="2502"),
         ("2502",), ("BYBIT", "BTC-USD-PERP")),
    Fact("bybit, before v5", "bybit", "bybit", "BTCUSDT",
         bybit_info("BTCUSDT", open_interest_e8="11000050000000"), ("110000.5",),
         ("BYBIT", "BTC-USDT-PERP")),
    Fact("bybit, inverse before v5", "bybit", "bybit", "BTCUSD",
         bybit_info("BTCUSD", open_interest=2502), ("2502",), ("BYBIT", "BTC-USD-PERP")),
    Fact("htx", "htx", "huobi-dm-linear-swap", "BTC-USDT", htx_held("BTC-USDT"), ("2501",)),
    Fact("htx, coin", "htx", "huobi-dm-swap", "BTC-USD", htx_held("BTC-USD"), ("2501",)),
    Fact("binance", "binance-usdm", "binance-futures", "BTCUSDT",
         {"symbol": "BTCUSDT", "openInterest": "2501", "time": MS}, ("2501",),
         ("BINANCE_FUTURES", "BTC-USDT-PERP")),
    Fact("binance, coin", "binance-coinm", "binance-delivery", "BTCUSD_PERP",
         {"symbol": "BTCUSD_PERP", "openInterest": "2501", "time": MS}, ("2501",),
         ("BINANCE_DELIVERY", "BTC-USD-PERP")),
    Fact("okx", "okx", "okex-swap", "BTC-USDT-SWAP",
         okx_message("open-interest", "BTC-USDT-SWAP", oi="2501"), ("2501",),
         ("OKX", "BTC-USDT-PERP")),
    Fact("okx, coin", "okx", "okex-swap", "BTC-USD-SWAP",
         okx_message("open-interest", "BTC-USD-SWAP", oi="2501"), ("2501",),
         ("OKX", "BTC-USD-PERP")),
    Fact("gate", "gate", "gate-io-futures", "BTC_USDT",
         gate.message("futures.tickers", [{"contract": "BTC_USDT", "total_size": "2501"}]),
         ("2501",), ("GATEIO_FUTURES", "BTC-USDT-PERP")),
    Fact("bitget", "bitget", "bitget-futures", "BTCUSDT",
         bitget.message("ticker", {"openInterest": "2501"}), ("2501",),
         ("BITGET", "BTC-USDT-PERP")),
    Fact("bitmex", "bitmex", "bitmex", "XBTUSD",
         {"table": "instrument", "action": "update", "data": [
             {"symbol": "XBTUSD", "timestamp": forced.ISO, "openInterest": 2501}]}, ("2501",),
         ("BITMEX", "BTC-USD-PERP")),
    Fact("deribit", "deribit", "deribit", "BTC-PERPETUAL", deribit_ticker(), ("2500",),
         ("DERIBIT", "BTC-USD-PERP")),
    Fact("kraken", "kraken", "cryptofacilities", "PI_XBTUSD",
         {"feed": "ticker", "product_id": "PI_XBTUSD", "time": MS, "openInterest": 2501},
         ("2501",)),
    Fact("kucoin", "kucoin", "kucoin-futures", "XBTUSDTM",
         {"code": "200000", "data": {"symbol": "XBTUSDTM", "openInterest": "2501"}}, ("2501",)),
    Fact("kucoin, coin", "kucoin", "kucoin-futures", "XBTUSDM",
         {"code": "200000", "data": {"symbol": "XBTUSDM", "openInterest": "2501"}}, ("2501",)),
    Fact("dydx", "dydx", "dydx-v4", "BTC-USD",
         {"type": "channel_data", "channel": "v4_markets", "message_id": 3,
          "contents": {"trading": {"BTC-USD": {"openInterest": "2501"}}}}, ("2501",)),
    Fact("hyperliquid", "hyperliquid", "hyperliquid", "BTC",
         {"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": {"openInterest": "2501"}}},
         ("2501",)),
]  # fmt: skip


def written(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def live(fact: Fact) -> list[Any]:
    raw = Raw(fact.venue, None, "c", RECEIVED_US, json.dumps(fact.message).encode())
    return list(normalise(raw, parsers(), INSTRUMENTS))


def recorded(folder: Path, fact: Fact) -> list[Event]:
    line = f"{STAMP} {json.dumps(fact.message)}"
    path = written(folder, "lines.txt", line)
    return events(path, f"tardis-raw:{fact.exchange}")


def table(folder: Path, fact: Fact, kind: str) -> Path:
    key = f"{fact.exchange},{fact.symbol},{US},{RECEIVED_US}"
    if kind == "interest":
        return written(folder, "t.csv", TICKER, f"{key},,,,{fact.row[0]},,,")
    return written(folder, f"{kind}.csv", TAPE, f"{key},7,{','.join(fact.row)}")


def feed(folder: Path, fact: Fact, kind: str) -> Path:
    assert fact.feed is not None
    row: dict[str, Any] = {"exchange": fact.feed[0], "symbol": fact.feed[1]}
    row |= {"timestamp": MS / 1000, "receipt_timestamp": RECEIVED_US / 1e6}
    if kind == "interest":
        row["open_interest"] = fact.row[0]
    else:
        side, price, amount = fact.row
        size = {"quantity" if kind == "liquidations" else "amount": amount}
        row |= {"side": fact.feed_side or side, "price": price, "id": "7", **size}
    return written(folder, "feed.jsonl", json.dumps(row))


def figures(found: list[Any], kind: str) -> tuple[Any, ...]:
    """What is of the fact and not of the way that it came; a forced trade is two events."""
    wanted = {"trades": Trade, "liquidations": Liquidation, "interest": Ticker}[kind]
    (event,) = [one for one in found if isinstance(one, wanted)]
    assert isinstance(event, (Trade, Liquidation, Ticker))
    who = (event.venue, event.symbol, event.asset, event.contract)
    if isinstance(event, Ticker):
        return (*who, event.open_interest_base, event.open_interest_usd)
    side = event.taker_side if isinstance(event, Trade) else event.position_side
    return (*who, side, event.price, event.base_qty, event.usd)


UNVALUED = [
    Fact("bitget, coin-futures", "bitget", "bitget-futures", "BTCUSD",
         forced.bitget("BTCUSD", "buy", "25", "60000"), ("sell", "60000", "25")),
    Fact("bitmex, quanto", "bitmex", "bitmex", "ETHUSD", forced.bitmex("ETHUSD", "Sell", 25, 3000),
         ("sell", "3000", "25"), ("BITMEX", "ETH-USD-PERP")),
]  # fmt: skip
CASES = [
    *(("trades", fact) for fact in TRADES),
    *(("liquidations", fact) for fact in FORCED),
    *(("interest", fact) for fact in HELD),
]


@pytest.mark.parametrize(
    ("kind", "fact"), CASES, ids=[f"{kind} {fact.name}" for kind, fact in CASES]
)
def test_a_fact_is_one_event_whichever_way_it_came(tmp_path: Path, kind: str, fact: Fact) -> None:
    wanted = figures(live(fact), kind)
    assert figures(recorded(tmp_path, fact), kind) == wanted
    assert figures(events(table(tmp_path, fact, kind)), kind) == wanted
    if fact.feed is not None:
        assert figures(events(feed(tmp_path, fact, kind)), kind) == wanted


# A message that tells both counts says which assumption is right.
COUNTED = [(kind, fact) for kind, fact in CASES if fact.venue in {"htx", "bybit"}]
COUNTED = [(kind, fact) for kind, fact in COUNTED if "singleOpenInterest" not in str(fact.message)]


@pytest.mark.parametrize(
    ("kind", "fact"), COUNTED, ids=[f"{kind} {fact.name}" for kind, fact in COUNTED]
)
def test_an_assumption_of_sides_holds_whichever_way_a_fact_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, fact: Fact
) -> None:
    documented = figures(live(fact), kind)
    monkeypatch.setenv(VARIABLE, OTHERWISE)
    test_a_fact_is_one_event_whichever_way_it_came(tmp_path, kind, fact)
    untouched = kind == "liquidations" or (fact.venue, kind) == ("bybit", "trades")
    assert (figures(live(fact), kind) == documented) is untouched


@pytest.mark.parametrize("fact", UNVALUED, ids=lambda fact: fact.name)
def test_unknown_dollars_have_one_reason_whichever_way_they_came(
    tmp_path: Path, fact: Fact
) -> None:
    assert reasons(live(fact)) == ["unknown_notional"]
    assert rejected(table(tmp_path, fact, "liquidations")) == ["unknown_notional"]
    if fact.feed is not None:
        assert rejected(feed(tmp_path, fact, "liquidations")) == ["unknown_notional"]
