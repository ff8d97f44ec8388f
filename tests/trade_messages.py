"""Trades of venues as they are sent, and what spoils them, for the laws of the fast lane.

Messages are drawn: a maker per venue and kind of message, some of them with a row that a lane
refuses. `spoil` makes one field odd, `mend` leaves what a lane takes whole.
"""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from streams.core.events import MAX_PAYLOAD_BYTES

Message = tuple[str, Any]
"""Venue and message (a JSON value, or bytes as they are)."""


def number(random: Random) -> int:
    """A trade's number, not drawn twice: one id is one trade, and only copies repeat it."""
    return random.randrange(1000, 10**15)


def aggregate(random: Random, asset: str, ms: int) -> Message:
    """One `aggTrade`, bare or on the combined stream."""
    row = {
        "e": "aggTrade",
        "E": ms + 2,
        "st": 1,
        "s": f"{asset}USDT",
        "a": number(random),
        "p": f"{random.uniform(90, 110):.2f}",
        "q": f"{random.uniform(0.001, 9):.3f}",
        "f": 1,
        "l": 2,
        "T": ms,
        "m": random.random() < 0.5,
    }
    whole = {"stream": f"{asset.lower()}usdt@aggTrade", "data": row}
    return "binance-usdm", whole if random.random() < 0.8 else row


def coin_margined(random: Random, asset: str, ms: int) -> Message:
    """One `aggTrade` of a COIN-M contract on a connection of its own."""
    _, message = aggregate(random, asset, ms)
    row = message.get("data", message)
    row |= {"s": f"{asset.removeprefix('1000')}USD_PERP", "q": str(random.randint(1, 5000))}
    row["st"] = 2
    if random.random() < 0.1:
        row.pop("st")
    return "binance-coinm", message


def single(random: Random, asset: str, ms: int) -> Message:
    """One `trade` of USD-M, or of COIN-M, bare or on the combined stream."""
    venue, message = random.choice([aggregate, coin_margined])(random, asset, ms)
    row = message.get("data", message)
    row |= {"e": "trade", "t": row.pop("a"), "X": "MARKET"}
    return venue, message


def bybit_rows(random: Random, asset: str, ms: int) -> Message:
    """A `publicTrade` of one to four rows, ids of both kinds."""
    rows = [
        {
            "T": ms + random.choice([0, 0, 0, 1, 900]),
            "s": f"{asset}USDT",
            "S": random.choice(["Buy", "Sell"]),
            "v": f"{random.uniform(0.001, 9):.3f}",
            "p": f"{random.uniform(90, 110):.2f}",
            "i": random.choice(["", "00", "a-"]) + str(number(random)),
            "BT": random.random() < 0.02,
        }
        for _ in range(random.randint(1, 4))
    ]
    topic = f"publicTrade.{asset}USDT"
    return "bybit", {"topic": topic, "type": "snapshot", "ts": ms, "data": rows}


def okx_rows(random: Random, asset: str, ms: int) -> Message:
    """An OKX `trades` message."""
    name = f"{asset.removeprefix('1000')}-USDT-SWAP"
    row = {
        "instId": name,
        "tradeId": str(number(random)),
        "px": f"{random.uniform(90, 110):.2f}",
        "sz": f"{random.uniform(0.01, 99):.2f}",
        "side": random.choice(["buy", "sell"]),
        "ts": str(ms),
    }
    return "okx", {"arg": {"channel": "trades", "instId": name}, "data": [row]}


def deribit_rows(random: Random, asset: str, ms: int) -> Message:
    """A Deribit `trades` message of one to three rows, a few of them forced or off the book."""
    coin = asset.removeprefix("1000")
    name = random.choice([f"{coin}-PERPETUAL", f"{coin}_USDC-PERPETUAL"])
    rows: list[dict[str, Any]] = [
        {
            "trade_seq": 7,
            "trade_id": str(number(random)),
            "timestamp": ms,
            "price": round(random.uniform(90, 110), 2),
            "instrument_name": name,
            "direction": random.choice(["buy", "sell"]),
            "amount": float(random.randint(1, 500)),
        }
        for _ in range(random.randint(1, 3))
    ]
    if random.random() < 0.05:
        rows[0] |= random.choice([{"liquidation": "MT"}, {"block_trade_id": "b"}])
    params = {"channel": f"trades.future.{coin}.100ms", "data": rows}
    return "deribit", {"jsonrpc": "2.0", "method": "subscription", "params": params}


def kraken_row(random: Random, asset: str, ms: int) -> Message:
    """One Kraken `trade`, now and then a liquidation."""
    coin = asset.removeprefix("1000").replace("BTC", "XBT")
    return "kraken", {
        "feed": "trade",
        "product_id": random.choice([f"PF_{coin}USD", f"PI_{coin}USD"]),
        "uid": f"u-{number(random)}",
        "side": random.choice(["buy", "sell"]),
        "type": "liquidation" if random.random() < 0.03 else "fill",
        "seq": 7,
        "time": ms,
        "qty": random.randint(1, 500),
        "price": round(random.uniform(90, 110), 2),
    }


def hyperliquid_rows(random: Random, asset: str, ms: int) -> Message:
    """A Hyperliquid `trades` message of one to three rows."""
    rows = [
        {
            "coin": asset.replace("1000", "k"),
            "side": random.choice("AB"),
            "px": f"{random.uniform(90, 110):.2f}",
            "sz": f"{random.uniform(0.001, 9):.3f}",
            "time": ms,
            "hash": "0x0",
            "tid": number(random),
            "users": ["0xa", "0xb"],
        }
        for _ in range(random.randint(1, 3))
    ]
    return "hyperliquid", {"channel": "trades", "data": rows}


def gate_rows(random: Random, asset: str, ms: int) -> Message:
    """A `futures.trades` of Gate; some stamps have a fraction, some trades are internal."""
    rows = [
        {
            "size": random.choice([-1, 1]) * random.randint(1, 9000),
            "id": number(random),
            "create_time": ms // 1000,
            "create_time_ms": ms + random.choice([0, 0, 1, 900, 0.25]),
            "price": f"{random.uniform(90, 110):.2f}",
            "contract": "BTC_USD" if asset == "BTC" and random.random() < 0.2 else f"{asset}_USDT",
        }
        for _ in range(random.randint(1, 4))
    ]
    if random.random() < 0.05:
        rows[0]["is_internal"] = True
    return "gate", {"channel": "futures.trades", "event": "update", "result": rows}


def bitget_rows(random: Random, asset: str, ms: int) -> Message:
    """A `publicTrade` of Bitget, of futures or spot, with old trades in a snapshot."""
    kind = random.choice(["usdt-futures", "usdt-futures", "coin-futures", "spot"])
    symbol = f"{asset}{'USD' if kind == 'coin-futures' else 'USDT'}"
    rows = [
        {
            "i": str(number(random)),
            "p": f"{random.uniform(90, 110):.2f}",
            "v": f"{random.uniform(0.001, 9):.3f}",
            "S": random.choice(["buy", "sell"]),
            "T": str(ms + random.choice([0, 0, 1, 900])),
        }
        for _ in range(random.randint(1, 4))
    ]
    action = "snapshot" if random.random() < 0.1 else "update"
    arg = {"instType": kind, "topic": "publicTrade", "symbol": symbol}
    venue = random.choice(["bitget", "bitget-spot"]) if random.random() < 0.1 else None
    own = "bitget-spot" if kind == "spot" else "bitget"
    return venue or own, {"action": action, "arg": arg, "data": rows, "ts": ms}


MAKERS = (
    *(aggregate, aggregate, coin_margined, single, bybit_rows, okx_rows),
    *(deribit_rows, kraken_row, hyperliquid_rows),
    *(gate_rows, bitget_rows),
)

ODD: dict[str, Sequence[Any]] = {
    "e": ["trade", "kline"],
    "st": [1, 2, 3, "1", "2", None],
    "s": ["NOSUCHUSDT", "BTCUSD_PERP", "BTCUSDT_261225", "", 7],
    "a": [-1, 10**18, 1.5],
    "t": [-1, "7", None],
    "X": ["", "NA", "INSURANCE_FUND", "null", None, 4],
    "p": ["0", "-1", "NaN", "1e17", "1e30", "", None],
    "q": ["0", "1e16", "2.5", "0.3", "x"],
    "T": [0, 10**15, -5, "1790000001000", 4_070_908_800_000],
    "m": [1, "true", None, 0],
    "S": ["buy", "", None],
    "v": ["0", "1e17"],
    "i": ["", "x" * 101, 12],
    "BT": [True, "false"],
    "side": ["Buy", None],
    "px": ["0", "nan"],
    "sz": ["1e18"],
    "ts": ["soon", "0"],
    "tradeId": ["", 9, "x" * 101],
    "size": [0, "5", "-5", "1e18", None],
    "id": ["7", -1, 10**18, None],
    "create_time_ms": [0, "soon", None, 10**15],
    "contract": ["ETH_USDT", "BTC_USD", "NOSUCH_USDT", ""],
    "is_internal": [True, "no", None],
    "instType": ["spot", "usdt-futures", "USDT-FUTURES", "", None],
    "action": ["snapshot", "update", None],
    "result": [[], {}, None],
    "instId": ["ETH-USDT-SWAP", "BTC-USD-SWAP", "BTC-USDT-OPTION"],
    "data": [[], {}, None],
    "topic": ["publicTrade", "tickers.BTCUSDT"],
    "trade_id": ["", 7, "x" * 101],
    "timestamp": [0, "soon", 10**15],
    "price": [0, "NaN", None, "1e17"],
    "amount": [-1, "2.5", 1e17],
    "direction": ["Sell", None],
    "instrument_name": ["ETH-PERPETUAL", "BTC-25DEC26-60000-C", ""],
    "channel": ["trades", "ticker.BTC-PERPETUAL.100ms", "l2Book", None],
    "feed": ["trade_snapshot", "ticker"],
    "type": ["block", "assignment", ""],
    "product_id": ["PF_ETHUSD", "PV_XRPXBT"],
    "uid": ["", 7],
    "qty": [0, "0.5", 1e17],
    "coin": ["ETH", "xyz:GOLD", 7],
    "tid": [-1, "7", 10**18, 1.5, True],
}


def spoil(random: Random, message: Any) -> Any:
    """Make one field of a message, or its bytes, what they should not be."""
    places: list[tuple[Any, str]] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            places.extend((value, key) for key in value if key in ODD)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(message)
    if random.random() < 0.1:
        return json.dumps(message).encode()[: random.randrange(1, 80)]
    holder, key = random.choice(places)
    if random.random() < 0.1:
        del holder[key]
    else:
        holder[key] = random.choice(ODD[key])
    if random.random() < 0.05:
        return json.dumps(message).encode() + b" " * MAX_PAYLOAD_BYTES
    return message


SIDES = ("S", "side", "direction")


def unsided(message: Any) -> Any:
    """The message with a word for its sides that nobody documents; Binance and Gate have none."""
    if isinstance(message, dict):
        return {k: "Strange" if k in SIDES else unsided(value) for k, value in message.items()}
    return [unsided(one) for one in message] if isinstance(message, list) else message


def mend(venue: str, message: Any) -> str:
    """Take out of a maker's message what lots refuse; the venue that it is of then."""
    inner = message.get("params", message)
    inner = inner.get("data", inner.get("result"))
    for row in inner if isinstance(inner, list) else [message]:
        for mark in ("BT", "liquidation", "block_trade_id", "is_internal"):
            row.pop(mark, None)
        if row.get("type") == "liquidation":
            row["type"] = "fill"
        if "create_time_ms" in row:
            row |= {"create_time_ms": int(row["create_time_ms"]), "contract": "BTC_USDT"}
    if not venue.startswith("bitget"):
        return venue
    message["action"], arg = "update", message["arg"]
    if arg["instType"] == "coin-futures":
        arg |= {"instType": "usdt-futures", "symbol": f"{arg['symbol']}T"}
    return "bitget-spot" if arg["instType"] == "spot" else "bitget"
