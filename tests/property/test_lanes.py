"""The fast lane against the general path: the same trades, whole or odd, give the same framer.

Logs mix what eight venues send with what they should not: rows without a side, stamps of next
week, prices beyond reason, cut messages, copies, strangers. `apply` takes them one by one.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.events import MAX_PAYLOAD_BYTES, MICROS, Raw, Status
from streams.core.framing import Emission, Framer, PartitionState
from streams.core.lanes import VenueParser
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments
from tests.logs import ORIGIN, binance_forced, end, heartbeat, status, subscribe
from tests.scenarios import FEW, chance

INSTRUMENTS = default_instruments()
SECONDS = 12
ASSETS = ("BTC", "ETH", "1000PEPE")
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


def trades(random: Random, spoiled: float) -> Iterator[Raw]:
    """Records of a second after another; some late, some of the future, some twice."""
    for _ in range(random.randint(100, 500)):
        ms = ORIGIN * 1000 + random.randrange(SECONDS * 1000)
        venue, message = random.choice(MAKERS)(random, random.choice(ASSETS), ms)
        if random.random() < spoiled:
            message = spoil(random, message)
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        lag_ms = random.choice([30, 80, 80, 200, 1500])
        if random.random() < spoiled / 4:
            lag_ms = random.choice([-5_500, -4_500, 4_000, 9_000])
        raw = Raw(venue, "trade", f"{venue}/a", (ms + lag_ms) * 1000, payload)
        yield raw
        if random.random() < 0.2:
            later = raw.received_at_us + random.randrange(400_000)
            yield msgspec.structs.replace(raw, connection=f"{venue}/b", received_at_us=later)


def records(random: Random, spoiled: float) -> list[Raw]:
    """A log: trades, forced orders, and the heartbeats of a connection for each venue."""
    venues = (
        *("binance-usdm", "binance-coinm", "bybit", "okx", "deribit", "kraken", "hyperliquid"),
        *("gate", "bitget", "bitget-spot"),
    )
    found = list(trades(random, spoiled))
    found += [binance_forced(random.uniform(0, SECONDS), usd=5e4).raw for _ in range(20)]
    for venue in venues:
        first = random.choice([-1, -1, 2])
        found.append(subscribe(venue, first, ["trade", "liquidation"]))
        for second in range(first + 1, SECONDS + 4):
            phase = random.random()
            channels = random.choice([["trade", "liquidation"], ["liquidation"], ["trade"]])
            found.append(heartbeat(venue, second + phase, None, channels))
        if random.random() < 0.3:
            found.append(status(venue, random.uniform(3, 9), Status("gap")))
    found.sort(key=lambda raw: raw.received_at_us)
    return [*found, end(SECONDS + 5, advance_s=60)]


def home(asset: str) -> int:
    """Two partitions, where PEPE and BTC live apart."""
    return int(asset == "PEPE")


def framer(partition: int | None = None, state: PartitionState | None = None) -> Framer:
    """A framer of all, or of one of the partitions."""
    if state is None:
        state = PartitionState(partition or 0, 1 if partition is None else 2)
    return Framer(state, PARSERS, INSTRUMENTS, home, whole=partition is None)


def singly(log: Sequence[Raw], of: Framer) -> tuple[Emission, Framer]:
    """The log through `apply`."""
    for index, raw in enumerate(log):
        of.apply(raw, index)
    return of.drain(), of


def in_batches(log: Sequence[Raw], of: Framer, random: Random) -> tuple[Emission, Framer]:
    """The log through `apply_all`, cut anywhere."""
    at = 0
    while at < len(log):
        upto = at + random.choice([1, 3, 40, 200, 1000])
        of.apply_all(log[at:upto], range(at, upto))
        at = upto
    return of.drain(), of


def assert_equal(one: tuple[Emission, Framer], other: tuple[Emission, Framer]) -> None:
    """Bytes of what was emitted, counters and state; dead letters in any order."""
    (left, general), (right, fast) = one, other
    for name in ("frames", "liquidations", "ticks", "late", "feeds"):
        ours, theirs = getattr(left, name), getattr(right, name)
        assert msgspec.json.encode(ours) == msgspec.json.encode(theirs), name
    assert sorted(left.dead, key=_source) == sorted(right.dead, key=_source)
    assert general.state.counters == fast.state.counters
    assert general.state == fast.state


def _source(letter: Any) -> tuple[int, int]:
    return int(letter.source), letter.row


@FEW
@given(seed=st.integers(0, 2**32), spoiled=st.sampled_from([0.0, 0.02, 0.3]))
def test_batches_give_what_records_one_by_one_give(seed: int, spoiled: float) -> None:
    random = chance(seed)
    log = records(random, spoiled)
    assert_equal(singly(log, framer()), in_batches(log, framer(), random))


@FEW
@given(seed=st.integers(0, 2**32))
def test_the_open_seconds_are_equal_at_any_record(seed: int) -> None:
    random = chance(seed)
    log = records(random, 0.05)
    log = log[: random.randrange(len(log))]
    assert_equal(singly(log, framer()), in_batches(log, framer(), random))


@FEW
@given(seed=st.integers(0, 2**32), partition=st.integers(0, 1))
def test_a_stranger_to_the_partition_is_rejected_in_batches_too(seed: int, partition: int) -> None:
    random = chance(seed)
    log = records(random, 0.02)
    one = singly(log, framer(partition))
    assert any(letter.reason == "wrong_partition" for letter in one[0].dead)
    assert_equal(one, in_batches(log, framer(partition), random))


@FEW
@given(seed=st.integers(0, 2**32))
def test_a_restart_between_batches_changes_nothing(seed: int) -> None:
    random = chance(seed)
    log = records(random, 0.02)
    cut = random.randrange(len(log))
    whole, ended = singly(log, framer())
    before, stopped = in_batches(log[:cut], framer(), random)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(stopped.state), type=PartitionState)
    after, again = in_batches(log[cut:], framer(state=state), random)
    frames = [*before.frames, *after.frames]
    assert msgspec.json.encode(frames) == msgspec.json.encode(whole.frames)
    assert again.state.counters == ended.state.counters


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


@pytest.mark.parametrize("maker", MAKERS[1:])
def test_flawless_trades_take_the_lane(maker: Callable[[Random, str, int], Message]) -> None:
    random, seen = chance(1), list[str]()

    def refuse(parser: Any) -> VenueParser:
        def parse(raw: Raw, instruments: Any) -> list[Any]:
            seen.append(raw.venue)
            found: list[Any] = parser.parse(raw, instruments)
            return found

        return VenueParser(parse, parser.trades)

    watched = {venue: refuse(parser) for venue, parser in PARSERS.items()}
    of = Framer(PartitionState(0, 1), watched, INSTRUMENTS, lambda asset: 0, whole=True)
    log = []
    for index in range(300):
        venue, message = maker(random, "BTC", ORIGIN * 1000 + index * 10)
        venue = mend(venue, message)
        raw = Raw(
            venue, "trade", "a", ORIGIN * MICROS + index * 10_000, json.dumps(message).encode()
        )
        log.append(raw)
    of.apply_all(log, range(300))
    assert of.state.counters["accepted:trade"] > 50
    assert seen == []
