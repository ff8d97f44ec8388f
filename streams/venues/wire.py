"""How each venue is talked to: hosts, topics, keep-alive, limits and polls, by venue id.

Read by the collectors and by the capability table. Sources: the venues' own documentation and
public clients, as restated in the docstring of each venue's parser; nothing here was tried
against a live venue. Limits are the smallest that a source names. Promises plain data; opens
nothing.
"""

from collections.abc import Mapping
from typing import Final

from streams.venues import book_changes, numbering, wire_gate, wire_perpetuals
from streams.venues.endpoints import (
    Endpoint,
    Heartbeat,
    Limits,
    Poll,
    Wire,
    batch,
    each,
    merged,
    named,
)

__all__ = ["WIRES", "Endpoint", "Heartbeat", "Limits", "Poll", "Wire"]

_DAY_S: Final = 86_400.0
_SPOT: Final = ("trade", "ticker", "book")
_LIVELY: Final = {"trade": 60.0, "ticker": 30.0, "book": 30.0}
_QUIETER: Final = {"trade": 600.0, "ticker": 120.0, "book": 60.0}
_BINANCE_BEAT: Final = Heartbeat("server", "frame", 180)
_BINANCE_LIMITS: Final = Limits(200, 100, 5, _DAY_S)
_BINANCE_ASKS: Final = batch('{"method":"SUBSCRIBE","params":[', '],"id":1}')
_BINANCE_REFUSAL: Final = '"error":{'
_USDM: Final = named("{}USDT", venue="binance-usdm")

_BINANCE_USDM: Final = Wire(
    sampled=True,
    endpoints=(
        Endpoint(
            name="usdm-market",
            url="wss://fstream.binance.com/market/stream",
            channels=("liquidation", "trade", "ticker"),
            heartbeat=_BINANCE_BEAT,
            limits=_BINANCE_LIMITS,
            symbols=_USDM,
            topics=each(
                liquidation="{low}@forceOrder",
                trade="{low}@aggTrade",
                ticker=("{low}@markPrice@1s", "{low}@ticker"),
            ),
            subscribe=_BINANCE_ASKS,
            refusal=_BINANCE_REFUSAL,
            numbering=numbering.BINANCE,
            silent_s=_LIVELY,
        ),
        Endpoint(
            name="usdm-public",
            url="wss://fstream.binance.com/public/stream",
            channels=("book",),
            heartbeat=_BINANCE_BEAT,
            limits=_BINANCE_LIMITS,
            symbols=_USDM,
            topics=each(book="{low}@depth20@500ms"),
            subscribe=_BINANCE_ASKS,
            refusal=_BINANCE_REFUSAL,
            silent_s=_LIVELY,
        ),
    ),
    polls=(
        Poll(
            name="usdm-rest",
            url="https://fapi.binance.com/fapi/v1/openInterest?symbol={symbol}",
            every_s=30,
            spacing_s=0.05,
            symbols=_USDM,
        ),
    ),
)

_BYBIT_BEAT: Final = Heartbeat("client", "text", 20, '{"op":"ping"}', "pong")
_BYBIT_LIMITS: Final = Limits(500, 10, 10)
_BYBIT_ASKS: Final = batch('{"op":"subscribe","args":[', "]}")
_BYBIT_REFUSAL: Final = '"success":false'
_BYBIT_TOPICS: Final = each(
    liquidation="allLiquidation.{}",
    trade="publicTrade.{}",
    ticker="tickers.{}",
    book="orderbook.50.{}",
)
_BYBIT: Final = Wire(
    endpoints=(
        Endpoint(
            name="linear",
            url="wss://stream.bybit.com/v5/public/linear",
            channels=("liquidation", "trade", "ticker", "book"),
            heartbeat=_BYBIT_BEAT,
            limits=_BYBIT_LIMITS,
            symbols=named("{}USDT", venue="bybit"),
            topics=_BYBIT_TOPICS,
            subscribe=_BYBIT_ASKS,
            refusal=_BYBIT_REFUSAL,
            silent_s=_LIVELY,
            folded=book_changes.BYBIT,
        ),
        Endpoint(
            name="inverse",
            url="wss://stream.bybit.com/v5/public/inverse",
            channels=("liquidation", "trade", "ticker", "book"),
            heartbeat=_BYBIT_BEAT,
            limits=_BYBIT_LIMITS,
            symbols=named("{}USD"),
            topics=_BYBIT_TOPICS,
            subscribe=_BYBIT_ASKS,
            refusal=_BYBIT_REFUSAL,
            silent_s=_QUIETER,
            listed=True,
            folded=book_changes.BYBIT,
        ),
    ),
)

_OKX_URL: Final = "wss://ws.okx.com:8443/ws/v5/public"
_OKX_BEAT: Final = Heartbeat("client", "text", 20, "ping", "pong")
_OKX_LIMITS: Final = Limits(240, 40, 3)
_OKX_ASKS: Final = batch('{"op":"subscribe","args":[', "]}", quoted=False)
_OKX_REFUSAL: Final = '"event":"error"'
_OKX_SWAP_TOPICS: Final = each(
    liquidation=(
        '{"channel":"liquidation-orders","instType":"SWAP"}',
        '{"channel":"liquidation-orders","instType":"FUTURES"}',
    ),
    trade='{"channel":"trades","instId":"{}"}',
    ticker=(
        '{"channel":"open-interest","instId":"{}"}',
        '{"channel":"funding-rate","instId":"{}"}',
        '{"channel":"mark-price","instId":"{}"}',
        '{"channel":"tickers","instId":"{}"}',
        '{"channel":"index-tickers","instId":"{uly}"}',
    ),
    book='{"channel":"books5","instId":"{}"}',
)


def _okx_swap_topics(symbol: str, channel: str) -> tuple[str, ...]:
    """Topics of a swap; its index has the name of its underlying."""
    underlying = symbol.removesuffix("-SWAP")
    return tuple(topic.replace("{uly}", underlying) for topic in _OKX_SWAP_TOPICS(symbol, channel))


_OKX: Final = Wire(
    sampled=True,
    endpoints=(
        Endpoint(
            name="swap",
            url=_OKX_URL,
            channels=("liquidation", "trade", "ticker", "book"),
            heartbeat=_OKX_BEAT,
            limits=_OKX_LIMITS,
            symbols=named("{}-USDT-SWAP", "{}-USDC-SWAP", "{}-USD-SWAP"),
            topics=_okx_swap_topics,
            subscribe=_OKX_ASKS,
            refusal=_OKX_REFUSAL,
            silent_s=_LIVELY,
            listed=True,
        ),
        Endpoint(
            name="spot",
            url=_OKX_URL,
            channels=_SPOT,
            heartbeat=_OKX_BEAT,
            limits=_OKX_LIMITS,
            symbols=named("{}-USDT", venue="okx"),
            topics=each(
                trade='{"channel":"trades","instId":"{}"}',
                ticker='{"channel":"tickers","instId":"{}"}',
                book='{"channel":"books5","instId":"{}"}',
            ),
            subscribe=_OKX_ASKS,
            refusal=_OKX_REFUSAL,
            silent_s=_QUIETER,
        ),
    ),
)

_COINM: Final = named("{}USD_PERP")
_BINANCE_COINM: Final = Wire(
    sampled=True,
    endpoints=(
        Endpoint(
            name="coinm",
            url="wss://dstream.binance.com/stream",
            channels=("liquidation", "trade", "ticker", "book"),
            heartbeat=_BINANCE_BEAT,
            limits=_BINANCE_LIMITS,
            symbols=_COINM,
            topics=each(
                liquidation="{low}@forceOrder",
                trade="{low}@aggTrade",
                ticker=("{low}@markPrice@1s", "{low}@ticker"),
                book="{low}@depth20@500ms",
            ),
            subscribe=_BINANCE_ASKS,
            refusal=_BINANCE_REFUSAL,
            numbering=numbering.BINANCE,
            silent_s=_QUIETER,
            listed=True,
        ),
    ),
    polls=(
        Poll(
            name="coinm-rest",
            url="https://dapi.binance.com/dapi/v1/openInterest?symbol={symbol}",
            every_s=30,
            spacing_s=0.05,
            symbols=_COINM,
            listed=True,
        ),
    ),
)
_BINANCE_SPOT: Final = Wire(
    endpoints=(
        Endpoint(
            name="spot",
            url="wss://stream.binance.com:9443/stream",
            channels=_SPOT,
            heartbeat=Heartbeat("server", "frame", 20),
            limits=_BINANCE_LIMITS,
            symbols=named("{}USDT", venue="binance-spot"),
            topics=each(trade="{low}@aggTrade", ticker="{low}@ticker", book="{low}@depth20"),
            subscribe=_BINANCE_ASKS,
            refusal=_BINANCE_REFUSAL,
            numbering=numbering.BINANCE,
            silent_s=_LIVELY,
        ),
    )
)
_BYBIT_SPOT: Final = Wire(
    endpoints=(
        Endpoint(
            name="spot",
            url="wss://stream.bybit.com/v5/public/spot",
            channels=_SPOT,
            heartbeat=_BYBIT_BEAT,
            limits=_BYBIT_LIMITS,
            symbols=named("{}USDT", venue="bybit-spot"),
            topics=_BYBIT_TOPICS,
            subscribe=_BYBIT_ASKS,
            refusal=_BYBIT_REFUSAL,
            silent_s=_LIVELY,
            folded=book_changes.BYBIT,
        ),
    )
)
_COINBASE: Final = Wire(
    endpoints=(
        Endpoint(
            name="exchange",
            url="wss://ws-feed.exchange.coinbase.com",
            channels=_SPOT,
            heartbeat=Heartbeat("client", "frame", 1),
            limits=Limits(100, 1, 10),
            symbols=named("{}-USD", venue="coinbase"),
            topics=each(
                trade='{"product_ids":["{}"],"channels":["matches","heartbeat"]}',
                ticker='{"product_ids":["{}"],"channels":["ticker"]}',
                book='{"product_ids":["{}"],"channels":["level2_batch"]}',
            ),
            subscribe=merged('{"type":"subscribe",'),
            refusal='"type":"error"',
            numbering=numbering.COINBASE,
            silent_s=_LIVELY,
            folded=book_changes.COINBASE,
        ),
    )
)

WIRES: Final[Mapping[str, Wire]] = {
    "binance-usdm": _BINANCE_USDM,
    "binance-coinm": _BINANCE_COINM,
    "binance-spot": _BINANCE_SPOT,
    "bybit": _BYBIT,
    "bybit-spot": _BYBIT_SPOT,
    "okx": _OKX,
    "coinbase": _COINBASE,
    **wire_gate.WIRES,
    **wire_perpetuals.WIRES,
}
"""Wire by venue id."""
