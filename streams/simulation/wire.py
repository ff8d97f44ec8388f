"""Messages of Binance USD-M, Bybit linear and OKX swap, as the simulated venues send them.

Used by the feed layer and a benchmark. Promises the fields that the venues
document, with numbers as strings of the contract's precision. Does not imitate what our parsers
pass over (volumes, ticks).
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from streams.simulation.orders import Coin, Forced, Print

CONTRACT_COINS: Final = {
    "BTC": 0.01,
    "ETH": 0.1,
    "SOL": 1.0,
    "XRP": 100.0,
    "DOGE": 1000.0,
    "AVAX": 1.0,
    "ADA": 100.0,
    "DOT": 1.0,
    "HYPE": 0.1,
    "AAVE": 0.1,
}
"""Coins in one OKX contract."""
FUNDING: Final = "0.00010000"

Sides = tuple[msgspec.Raw, msgspec.Raw]
"""Bids and asks of a book, best first, as JSON."""

_encode: Final = msgspec.json.Encoder().encode


def _ms(at_us: int) -> int:
    return at_us // 1000


def _funding_ms(at_us: int) -> int:
    """The next settlement, every eight hours."""
    period = 8 * 3_600_000
    return (_ms(at_us) // period + 1) * period


def _price(asset: Coin, price: float) -> str:
    return f"{price:.{asset.decimals}f}"


def _coins(asset: Coin, coins: float) -> str:
    """A size of a few significant digits, never zero."""
    decimals, least = size_form(asset)
    return f"{max(coins, least):.{decimals}f}"


def size_form(asset: Coin) -> tuple[int, float]:
    """Decimals of a size, and the smallest size."""
    decimals = 3 if asset.price > 100 else 1 if asset.price > 1 else 0
    return decimals, 10.0**-decimals


def _contracts(asset: Coin, coins: float) -> str:
    return f"{max(coins / CONTRACT_COINS[asset.name], 0.01):.2f}"


def binance_forced(order: Forced, pushed_us: int) -> bytes:
    """`forceOrder`."""
    asset, coins = order.asset, _coins(order.asset, order.coins)
    symbol = f"{asset.name}USDT"
    return _encode(
        {
            "e": "forceOrder",
            "E": _ms(pushed_us),
            "st": 1,
            "ps": symbol,
            "o": {
                "s": symbol,
                "S": "SELL" if order.side == "long" else "BUY",
                "o": "LIMIT",
                "f": "IOC",
                "q": coins,
                "p": _price(asset, order.bankruptcy),
                "ap": _price(asset, order.fill),
                "X": "FILLED",
                "l": coins,
                "z": coins,
                "T": _ms(order.at_us),
            },
        }
    )


def binance_trade(trade: Print, number: int) -> bytes:
    """`aggTrade`; `m` says that the buyer was the maker."""
    return _encode(
        {
            "e": "aggTrade",
            "E": _ms(trade.at_us) + 2,
            "st": 1,
            "s": f"{trade.asset.name}USDT",
            "a": number,
            "p": _price(trade.asset, trade.price),
            "q": _coins(trade.asset, trade.coins),
            "f": number * 3,
            "l": number * 3 + 2,
            "T": _ms(trade.at_us),
            "m": not trade.buys,
        }
    )


def spot_trade(
    asset: Coin, price: float, usd: float, *, buys: bool, at_us: int, number: int
) -> bytes:
    """`aggTrade` of Binance's spot market, which counts its trades apart."""
    return _encode(
        {
            "e": "aggTrade",
            "E": _ms(at_us) + 2,
            "s": f"{asset.name}USDT",
            "a": number,
            "p": _price(asset, price),
            "q": _coins(asset, usd / price),
            "f": number * 2,
            "l": number * 2 + 1,
            "T": _ms(at_us),
            "m": not buys,
            "M": True,
        }
    )


def binance_mark(
    asset: Coin, price: float, at_us: int, index: float | None = None, funding: str = FUNDING
) -> bytes:
    """`markPriceUpdate`; without `index` it equals the mark, `price`."""
    mark = f"{price:.8f}"
    return _encode(
        {
            "e": "markPriceUpdate",
            "E": _ms(at_us),
            "s": f"{asset.name}USDT",
            "p": mark,
            "P": mark,
            "i": mark if index is None else f"{index:.8f}",
            "r": funding,
            "T": _funding_ms(at_us),
        }
    )


def binance_interest(asset: Coin, coins: float, at_us: int) -> bytes:
    """The answer to a poll of `openInterest`."""
    return _encode(
        {
            "symbol": f"{asset.name}USDT",
            "openInterest": f"{coins:.3f}",
            "time": _ms(at_us),
        }
    )


def binance_book(asset: Coin, sides: Sides, at_us: int, number: int) -> bytes:
    """`depth20` on the combined endpoint: a full top of the book."""
    bids, asks = sides
    symbol = f"{asset.name}USDT"
    data = {
        "e": "depthUpdate",
        "E": _ms(at_us) + 3,
        "T": _ms(at_us),
        "s": symbol,
        "U": number * 40,
        "u": number * 40 + 39,
        "pu": number * 40 - 1,
        "b": bids,
        "a": asks,
    }
    return _encode({"stream": f"{symbol.lower()}@depth20@500ms", "data": data})


def bybit_forced(orders: Sequence[Forced], pushed_us: int) -> bytes:
    """`allLiquidation` of one symbol; `S` is the position's side, `p` the bankruptcy price."""
    symbol = f"{orders[0].asset.name}USDT"
    rows = [
        {
            "T": _ms(order.at_us),
            "s": symbol,
            "S": "Buy" if order.side == "long" else "Sell",
            "v": _coins(order.asset, order.coins),
            "p": _price(order.asset, order.bankruptcy),
        }
        for order in orders
    ]
    return _encode(
        {
            "topic": f"allLiquidation.{symbol}",
            "type": "snapshot",
            "ts": _ms(pushed_us),
            "data": rows,
        }
    )


def bybit_trade(trade: Print, number: int) -> bytes:
    """`publicTrade`."""
    symbol = f"{trade.asset.name}USDT"
    row = {
        "T": _ms(trade.at_us),
        "s": symbol,
        "S": "Buy" if trade.buys else "Sell",
        "v": _coins(trade.asset, trade.coins),
        "p": _price(trade.asset, trade.price),
        "i": f"{number:08x}-0000-5000-8000-000000000000",
        "BT": False,
        "seq": number,
    }
    return _encode(
        {
            "topic": f"publicTrade.{symbol}",
            "type": "snapshot",
            "ts": _ms(trade.at_us) + 2,
            "data": [row],
        }
    )


def bybit_ticker(
    asset: Coin,
    price: float,
    coins: float,
    at_us: int,
    mark: float | None = None,
    index: float | None = None,
    funding: str = FUNDING,
) -> bytes:
    """`tickers`; `openInterest` counts both sides, `singleOpenInterest` one.

    Without `mark` and `index` they equal the last price.
    """
    symbol = f"{asset.name}USDT"
    shown = _price(asset, price)
    data = {
        "symbol": symbol,
        "lastPrice": shown,
        "markPrice": shown if mark is None else _price(asset, mark),
        "indexPrice": shown if index is None else _price(asset, index),
        "openInterest": f"{2 * coins:.3f}",
        "singleOpenInterest": f"{coins:.3f}",
        "nextFundingTime": str(_funding_ms(at_us)),
        "fundingRate": funding,
        "fundingIntervalHour": "8",
    }
    return _encode(
        {"topic": f"tickers.{symbol}", "type": "snapshot", "ts": _ms(at_us), "data": data}
    )


def bybit_book(asset: Coin, sides: Sides, at_us: int, number: int) -> bytes:
    """`orderbook.50`, as the collector folds it: a snapshot of the top levels."""
    bids, asks = sides
    symbol = f"{asset.name}USDT"
    data = {"s": symbol, "b": bids, "a": asks, "u": number, "seq": number}
    return _encode(
        {
            "topic": f"orderbook.50.{symbol}",
            "type": "snapshot",
            "ts": _ms(at_us) + 3,
            "data": data,
            "cts": _ms(at_us),
        }
    )


def okx_forced(order: Forced) -> bytes:
    """`liquidation-orders`; `side` is the forced order's side, sizes are contracts."""
    name = order.asset.name
    detail = {
        "side": "sell" if order.side == "long" else "buy",
        "posSide": order.side,
        "bkPx": _price(order.asset, order.bankruptcy),
        "sz": _contracts(order.asset, order.coins),
        "bkLoss": "0",
        "ccy": "",
        "ts": str(_ms(order.at_us)),
    }
    row = {
        "instType": "SWAP",
        "instFamily": f"{name}-USDT",
        "uly": f"{name}-USDT",
        "instId": f"{name}-USDT-SWAP",
        "details": [detail],
    }
    return _encode({"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": [row]})


def okx_trade(trade: Print, number: int) -> bytes:
    """`trades`."""
    row = {
        "tradeId": str(number),
        "px": _price(trade.asset, trade.price),
        "sz": _contracts(trade.asset, trade.coins),
        "side": "buy" if trade.buys else "sell",
        "ts": str(_ms(trade.at_us)),
        "count": "1",
    }
    return _okx("trades", trade.asset, row)


def okx_mark(asset: Coin, price: float, at_us: int) -> bytes:
    """`mark-price`."""
    row = {"instType": "SWAP", "markPx": _price(asset, price), "ts": str(_ms(at_us))}
    return _okx("mark-price", asset, row)


def okx_funding(asset: Coin, funding: str, at_us: int) -> bytes:
    """`funding-rate`; `fundingTime` is the next settlement."""
    due = _funding_ms(at_us)
    row = {
        "instType": "SWAP",
        "fundingRate": funding,
        "fundingTime": str(due),
        "nextFundingRate": "",
        "nextFundingTime": str(due + 8 * 3_600_000),
        "ts": str(_ms(at_us)),
    }
    return _okx("funding-rate", asset, row)


def okx_interest(asset: Coin, coins: float, price: float, at_us: int) -> bytes:
    """`open-interest`."""
    row = {
        "instType": "SWAP",
        "oi": _contracts(asset, coins),
        "oiCcy": f"{coins:.4f}",
        "oiUsd": f"{coins * price:.2f}",
        "ts": str(_ms(at_us)),
    }
    return _okx("open-interest", asset, row)


def _okx(channel: str, asset: Coin, row: dict[str, Any]) -> bytes:
    symbol = f"{asset.name}-USDT-SWAP"
    return _encode(
        {"arg": {"channel": channel, "instId": symbol}, "data": [{"instId": symbol, **row}]}
    )
