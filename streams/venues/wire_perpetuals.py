"""How most venues of perpetual futures are talked to, and Bitget's spot; part of `wire`."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec

from streams.core.events import Rejected
from streams.venues import book_changes, numbering
from streams.venues.endpoints import (
    Endpoint,
    Granted,
    Heartbeat,
    Limits,
    Poll,
    Wire,
    batch,
    each,
    merged,
    named,
)
from streams.venues.packed import unpacked

_LIVELY: Final = {"trade": 120.0, "ticker": 60.0, "book": 60.0}
_QUIETER: Final = {"trade": 1_800.0, "ticker": 600.0, "book": 120.0}
_XBT: Final = {"BTC": "XBT"}
_SPOT: Final = ("trade", "ticker", "book")
_EVERYTHING: Final = ("liquidation", *_SPOT)


_BITGET_FORCED: Final = ("usdt-futures", "usdc-futures", "coin-futures")


def _bitget(venue: str, name: str, product: str, channels: tuple[str, ...]) -> Endpoint:
    of_symbol = '{"instType":"' + product + '","topic":"TOPIC","symbol":"{}"}'
    return Endpoint(
        name=name,
        url="wss://ws.bitget.com/v3/ws/public",
        channels=channels,
        heartbeat=Heartbeat("client", "text", 25, "ping", "pong"),
        limits=Limits(50, 5, 10),
        symbols=named("{}USDT", venue=venue),
        topics=each(
            liquidation=tuple(
                '{"instType":"' + family + '","topic":"liquidation"}' for family in _BITGET_FORCED
            ),
            trade=of_symbol.replace("TOPIC", "publicTrade"),
            ticker=of_symbol.replace("TOPIC", "ticker"),
            book=of_symbol.replace("TOPIC", "books5"),
        ),
        subscribe=batch('{"op":"subscribe","args":[', "]}", quoted=False),
        refusal='"event":"error"',
        silent_s=_LIVELY,
    )


_BITMEX: Final = Endpoint(
    name="realtime",
    url="wss://ws.bitmex.com/realtime",
    channels=_EVERYTHING,
    heartbeat=Heartbeat("client", "text", 5, "ping", "pong"),
    limits=Limits(200, 20, 5),
    symbols=named("{}USD", "{}USDT", codes=_XBT),
    topics=each(
        liquidation="liquidation:{}",
        trade="trade:{}",
        ticker="instrument:{}",
        book="orderBook10:{}",
    ),
    subscribe=batch('{"op":"subscribe","args":[', "]}"),
    refusal='"error":',
    silent_s=_QUIETER,
    listed=True,
)


def _tested(message: bytes) -> str | None:
    """Deribit asks whether we are there."""
    asked = b'"heartbeat"' in message[:120] and b'"test_request"' in message[:200]
    return '{"jsonrpc":"2.0","id":9,"method":"public/test","params":{}}' if asked else None


_DERIBIT: Final = Endpoint(
    name="deribit",
    url="wss://www.deribit.com/ws/api/v2",
    channels=_EVERYTHING,
    heartbeat=Heartbeat("server", "text", 30, reply=_tested),
    limits=Limits(200, 50, 5, connections=32),
    symbols=named("{}-PERPETUAL", "{}_USDC-PERPETUAL"),
    topics=each(
        liquidation="trades.{}.100ms",
        trade="trades.{}.100ms",
        ticker="ticker.{}.100ms",
        book="book.{}.none.10.100ms",
    ),
    subscribe=batch(
        '{"jsonrpc":"2.0","id":2,"method":"public/subscribe","params":{"channels":[', "]}}"
    ),
    refusal='"error":{',
    silent_s=_QUIETER,
    listed=True,
    numbering=numbering.DERIBIT,
    opening=('{"jsonrpc":"2.0","id":1,"method":"public/set_heartbeat","params":{"interval":30}}',),
)

_HYPERLIQUID: Final = Endpoint(
    name="hyperliquid",
    url="wss://api.hyperliquid.xyz/ws",
    channels=("trade", "ticker", "book"),
    heartbeat=Heartbeat("client", "text", 50, '{"method":"ping"}', '"pong"'),
    limits=Limits(1_000, 1, 20, connections=10, topics=1_000),
    symbols=named("{}", "k{}"),
    topics=each(
        trade='{"type":"trades","coin":"{}"}',
        ticker='{"type":"activeAssetCtx","coin":"{}"}',
        book='{"type":"l2Book","coin":"{}"}',
    ),
    subscribe=batch('{"method":"subscribe","subscription":', "}", quoted=False),
    refusal='"channel":"error"',
    silent_s=_LIVELY,
    listed=True,
)

_KRAKEN: Final = Endpoint(
    name="futures",
    url="wss://futures.kraken.com/ws/v1",
    channels=_EVERYTHING,
    heartbeat=Heartbeat("client", "frame", 60),
    limits=Limits(200, 1, 5),
    symbols=named("PF_{}USD", "PI_{}USD", codes=_XBT),
    topics=each(
        liquidation='{"feed":"trade","product_ids":["{}"]}',
        trade='{"feed":"trade","product_ids":["{}"]}',
        ticker='{"feed":"ticker","product_ids":["{}"]}',
        book='{"feed":"book","product_ids":["{}"]}',
    ),
    subscribe=merged('{"event":"subscribe",'),
    refusal='"event":"error"',
    silent_s=_QUIETER,
    listed=True,
    folded=book_changes.KRAKEN,
)


class _Ping(msgspec.Struct):
    ping: int | None = None
    op: str = ""
    ts: str | int = ""


def _ponged(message: bytes) -> str | None:
    """HTX pings in two ways, by kind of host."""
    text = unpacked(message)
    if isinstance(text, Rejected) or b'"ping"' not in text[:60]:
        return None
    try:
        asked = msgspec.json.decode(text, type=_Ping)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if asked.ping is not None:
        return f'{{"pong":{asked.ping}}}'
    return f'{{"op":"pong","ts":{msgspec.json.encode(asked.ts).decode()}}}'


_HTX_BEAT: Final = Heartbeat("server", "text", 5, reply=_ponged)
_HTX_LIMITS: Final = Limits(100, 1, 10)
_HTX_MARKET_ASKS: Final = batch('{"id":"1","sub":', "}")
_HTX_MARKET_REFUSAL: Final = '"status":"error"'


def _htx_market(name: str, path: str, pattern: str) -> Endpoint:
    return Endpoint(
        name=name,
        url=f"wss://api.hbdm.com/{path}",
        channels=_SPOT,
        heartbeat=_HTX_BEAT,
        limits=_HTX_LIMITS,
        symbols=named(pattern),
        topics=each(
            trade="market.{}.trade.detail",
            ticker="market.{}.detail",
            book="market.{}.depth.step6",
        ),
        subscribe=_HTX_MARKET_ASKS,
        refusal=_HTX_MARKET_REFUSAL,
        silent_s=_QUIETER,
        listed=True,
    )


def _htx_notices(name: str, path: str, pattern: str) -> Endpoint:
    return Endpoint(
        name=name,
        url=f"wss://api.hbdm.com/{path}",
        channels=("liquidation", "ticker"),
        heartbeat=_HTX_BEAT,
        limits=_HTX_LIMITS,
        symbols=named(pattern),
        topics=each(liquidation="public.{}.liquidation_orders", ticker="public.{}.funding_rate"),
        subscribe=batch('{"op":"sub","cid":"1","topic":', "}"),
        refusal='"err-msg"',
        silent_s={"ticker": 600.0},
        listed=True,
    )


def _htx_interest(name: str, path: str, pattern: str) -> Poll:
    return Poll(
        name=name,
        url=f"https://api.hbdm.com/{path}/v1/swap_open_interest?contract_code={{symbol}}",
        every_s=30,
        spacing_s=0.1,
        symbols=named(pattern),
        listed=True,
    )


_HTX_INDEX: Final = Endpoint(
    name="index",
    url="wss://api.hbdm.com/ws_index",
    channels=("ticker",),
    heartbeat=_HTX_BEAT,
    limits=_HTX_LIMITS,
    symbols=named("{}-USDT", "{}-USD"),
    topics=each(ticker=("market.{}.mark_price.1min", "market.{}.index.1min")),
    subscribe=_HTX_MARKET_ASKS,
    refusal=_HTX_MARKET_REFUSAL,
    silent_s=_QUIETER,
    listed=True,
)

_HTX: Final = Wire(
    endpoints=(
        _htx_market("linear-market", "linear-swap-ws", "{}-USDT"),
        _htx_notices("linear-notices", "linear-swap-notification", "{}-USDT"),
        _htx_market("coin-market", "swap-ws", "{}-USD"),
        _htx_notices("coin-notices", "swap-notification", "{}-USD"),
        _HTX_INDEX,
    ),
    polls=(
        _htx_interest("linear-rest", "linear-swap-api", "{}-USDT"),
        _htx_interest("coin-rest", "swap-api", "{}-USD"),
    ),
)

_DYDX: Final = Endpoint(
    name="indexer",
    url="wss://indexer.dydx.trade/v4/ws",
    channels=_EVERYTHING,
    heartbeat=Heartbeat("server", "frame", 30),
    limits=Limits(32, 1, 2),
    numbering=numbering.DYDX,
    symbols=named("{}-USD", venue="dydx"),
    topics=each(
        liquidation='{"channel":"v4_trades","id":"{}","batched":false}',
        trade='{"channel":"v4_trades","id":"{}","batched":false}',
        ticker='{"channel":"v4_markets","batched":false}',
        book='{"channel":"v4_orderbook","id":"{}","batched":false}',
    ),
    subscribe=merged('{"type":"subscribe",'),
    refusal='"type":"error"',
    silent_s=_QUIETER,
    folded=book_changes.DYDX,
)


class _Instance(msgspec.Struct):
    endpoint: str
    pingInterval: int


class _Bullet(msgspec.Struct):
    token: str
    instanceServers: list[_Instance]


class _BulletAnswer(msgspec.Struct):
    data: _Bullet


_LONGEST_PING_MS: Final = 120_000


def _bullet(answer: bytes) -> Granted:
    """KuCoin's token and where it is good.

    Raises:
        ValueError: the answer names no server, or no interval that a connection can live by.
    """
    told = msgspec.json.decode(answer, type=_BulletAnswer).data
    if not told.instanceServers or not told.token:
        raise ValueError("no server or no token in the answer")
    server = told.instanceServers[0]
    if not 0 < server.pingInterval <= _LONGEST_PING_MS:
        raise ValueError(f"a ping interval of {server.pingInterval} ms")
    query = urlencode({"token": told.token, "connectId": "marginquake"})
    return Granted(f"{server.endpoint}?{query}", server.pingInterval / 1000)


_KUCOIN_NAMES: Final = named("{}USDTM", "{}USDCM", "{}USDM", codes=_XBT)
_KUCOIN: Final = Wire(
    endpoints=(
        Endpoint(
            name="futures",
            url="https://api-futures.kucoin.com/api/v1/bullet-public",
            channels=("trade", "ticker", "book"),
            heartbeat=Heartbeat("client", "text", 18, '{"id":"1","type":"ping"}', '"pong"'),
            limits=Limits(100, 1, 10),
            symbols=_KUCOIN_NAMES,
            topics=each(
                trade="/contractMarket/execution:{}",
                ticker="/contract/instrument:{}",
                book="/contractMarket/level2Depth5:{}",
            ),
            subscribe=batch(
                '{"id":"2","type":"subscribe","privateChannel":false,"response":true,"topic":', "}"
            ),
            refusal='"type":"error"',
            silent_s=_LIVELY,
            listed=True,
            granted=_bullet,
            greeting='"type":"welcome"',
        ),
    ),
    polls=(
        Poll(
            name="futures-rest",
            url="https://api-futures.kucoin.com/api/v1/contracts/{symbol}",
            every_s=30,
            spacing_s=0.1,
            symbols=_KUCOIN_NAMES,
            listed=True,
        ),
    ),
)

WIRES: Final[Mapping[str, Wire]] = {
    "bitget": Wire(
        sampled=True, endpoints=(_bitget("bitget", "usdt", "usdt-futures", _EVERYTHING),)
    ),
    "bitget-spot": Wire(endpoints=(_bitget("bitget-spot", "spot", "spot", _SPOT),)),
    "bitmex": Wire(endpoints=(_BITMEX,)),
    "deribit": Wire(endpoints=(_DERIBIT,)),
    "hyperliquid": Wire(endpoints=(_HYPERLIQUID,)),
    "kraken": Wire(endpoints=(_KRAKEN,)),
    "htx": _HTX,
    "kucoin": _KUCOIN,
    "dydx": Wire(endpoints=(_DYDX,)),
}
"""Wire by venue id."""
