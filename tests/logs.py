"""Raw logs for tests: venue messages as they come, and the collector's status records.

Events are built as JSON of the venues, so that every test runs through the real parsers. A `Log`
keeps status records and events apart: only the position of an event between two status records
is free, and `arranged` chooses it. Times are seconds since `ORIGIN` unless the name ends in _us.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

from streams.core.events import MICROS, Raw, Status
from streams.edges import rawlog

ORIGIN = 1_790_000_000
"""A second of September 2026: Binance publishes the largest order, Bybit every order."""

LATENESS_S = 3

BINANCE, BYBIT, OKX = "binance-usdm", "bybit", "okx"


class Event(NamedTuple):
    """A venue message: the asset, its event time (µs) and the record."""

    asset: str
    time_us: int
    raw: Raw


def us(second: float) -> int:
    """Microseconds since 1970 of a second since `ORIGIN`."""
    return round((ORIGIN + second) * MICROS)


def _raw(venue: str, channel: str, time_us: int, message: object, lag_us: int) -> Raw:
    payload = json.dumps(message).encode()
    return Raw(venue, channel, f"{venue}/a", time_us + lag_us, payload)


def binance_forced(
    second: float,
    asset: str = "BTC",
    side: str = "long",
    usd: float = 10_000.0,
    price: float = 100.0,
    lag_us: int = 40_000,
) -> Event:
    """A forced order as Binance publishes it: a sample, the largest of its symbol and second."""
    stamp = us(second) // 1000
    quantity = f"{usd / price:.6f}"
    order = {
        "s": f"{asset}USDT",
        "S": "SELL" if side == "long" else "BUY",
        "o": "LIMIT",
        "f": "IOC",
        "q": quantity,
        "p": f"{price:.6f}",
        "ap": f"{price:.6f}",
        "X": "FILLED",
        "l": quantity,
        "z": quantity,
        "T": stamp,
    }
    message = {"e": "forceOrder", "E": stamp, "o": order}
    return Event(asset, stamp * 1000, _raw(BINANCE, "liquidation", stamp * 1000, message, lag_us))


def bybit_forced(
    second: float,
    asset: str = "BTC",
    side: str = "long",
    usd: float = 10_000.0,
    price: float = 100.0,
    lag_us: int = 40_000,
) -> Event:
    """A forced order as Bybit publishes it: one of all."""
    stamp = us(second) // 1000
    row = {
        "T": stamp,
        "s": f"{asset}USDT",
        "S": "Buy" if side == "long" else "Sell",
        "v": f"{usd / price:.6f}",
        "p": f"{price:.6f}",
    }
    message = {
        "topic": f"allLiquidation.{asset}USDT",
        "type": "snapshot",
        "ts": stamp,
        "data": [row],
    }
    return Event(asset, stamp * 1000, _raw(BYBIT, "liquidation", stamp * 1000, message, lag_us))


def bybit_trade(
    second: float,
    asset: str = "BTC",
    price: float = 100.0,
    size: float = 1.0,
    side: str = "Sell",
    name: str = "",
) -> Event:
    """A public trade; `name` is its id, which follows from the other values unless given."""
    stamp = us(second) // 1000
    row = {
        "T": stamp,
        "s": f"{asset}USDT",
        "S": side,
        "v": f"{size:.3f}",
        "p": f"{price:.6f}",
        "i": name or f"{asset}-{stamp}-{side}-{price:.6f}-{size:.3f}",
        "BT": False,
    }
    message = {"topic": f"publicTrade.{asset}USDT", "type": "snapshot", "ts": stamp, "data": [row]}
    return Event(asset, stamp * 1000, _raw(BYBIT, "trade", stamp * 1000, message, 40_000))


def bybit_ticker(second: float, asset: str = "BTC", **values: Any) -> Event:
    """A partial ticker, such as `markPrice="100.1"` or `openInterest="5000"`."""
    stamp = us(second) // 1000
    data = {"symbol": f"{asset}USDT", **values}
    message = {"topic": f"tickers.{asset}USDT", "type": "delta", "ts": stamp, "data": data}
    return Event(asset, stamp * 1000, _raw(BYBIT, "ticker", stamp * 1000, message, 40_000))


def bybit_book(second: float, asset: str = "BTC", mid: float = 100.0, size: float = 10.0) -> Event:
    """A book of 20 levels a side, 2 bp apart."""
    stamp = us(second) // 1000
    step = mid * 0.0002
    levels = range(1, 21)
    data = {
        "s": f"{asset}USDT",
        "b": [[f"{mid - i * step:.6f}", f"{size:.3f}"] for i in levels],
        "a": [[f"{mid + i * step:.6f}", f"{size:.3f}"] for i in levels],
        "u": stamp % 1_000_000_007,
    }
    message = {
        "topic": f"orderbook.50.{asset}USDT",
        "type": "snapshot",
        "ts": stamp,
        "cts": stamp,
        "data": data,
    }
    return Event(asset, stamp * 1000, _raw(BYBIT, "book", stamp * 1000, message, 40_000))


def status(venue: str, second: float, word: Status, connection: str = "") -> Raw:
    """A status record of a connection (the venue's first unless named)."""
    payload = msgspec.json.encode(word)
    return Raw(venue, "status", connection or f"{venue}/a", us(second), payload)


def subscribe(
    venue: str,
    second: float,
    channels: Sequence[str] = ("liquidation",),
    assets: Sequence[str] | None = None,
    connection: str = "",
) -> Raw:
    """The collector subscribed; `assets` None covers the whole venue."""
    covered = None if assets is None else tuple(assets)
    return status(venue, second, Status("subscribe", tuple(channels), covered), connection)


def heartbeat(
    venue: str,
    second: float,
    through: float | Mapping[str, float] | None = None,
    channels: Sequence[str] = ("liquidation",),
    connection: str = "",
) -> Raw:
    """A heartbeat through `through` (s): for all channels, or by channel; `LATENESS_S` ago."""
    if through is None:
        through = second - LATENESS_S
    if not isinstance(through, Mapping):
        through = dict.fromkeys(channels, through)
    word = Status("heartbeat", through_us={name: us(at) for name, at in through.items()})
    return status(venue, second, word, connection)


def end(second: float, advance_s: int = 4 * 3600) -> Raw:
    """The end of an archive: seals everything and lets the clock run on."""
    word = Status("end", advance_us=advance_s * MICROS)
    return status("archive", second, word, "archive")


def steady(
    venue: str,
    start: int,
    stop: int,
    channels: Sequence[str] = ("liquidation",),
    assets: Sequence[str] | None = None,
    connection: str = "",
) -> list[Raw]:
    """A healthy connection: subscribed at `start`, a heartbeat each second before `stop`."""
    return [
        subscribe(venue, start, channels, assets, connection),
        *(
            heartbeat(venue, second, None, channels, connection)
            for second in range(start + 1, stop)
        ),
    ]


def held_back(records: Iterable[Raw], every: int = 40) -> list[Raw]:
    """The log with each `every`-th forced order of Binance and OKX received 8 to 12 s later.

    It stands where a collector would have written it by then. The heartbeats stay as they were:
    what they vouched for was not all there, and the orders held back come late.
    """
    placed: list[tuple[int, Raw]] = []
    reached_us = orders = 0
    for record in records:
        raw, at_us = record, max(reached_us, record.received_at_us)
        reached_us = at_us
        if raw.channel == "liquidation" and raw.venue in (BINANCE, OKX):
            orders += 1
            if orders % every == 0:
                at_us += (8 + orders // every % 5) * MICROS
                raw = msgspec.structs.replace(raw, received_at_us=at_us)
        placed.append((at_us, raw))
    placed.sort(key=itemgetter(0))
    return [raw for _, raw in placed]


def held_back_log(log: Path) -> Path:
    """A raw log without bad lines, `held_back` and written beside it."""
    records = []
    for _, record in rawlog.read(log):
        assert isinstance(record, Raw), record
        records.append(record)
    path = log.with_name("held-back.jsonl")
    with path.open("wb") as file:
        for raw in held_back(records):
            row = {
                "venue": raw.venue,
                "channel": raw.channel,
                "connection": raw.connection,
                "received_at_us": raw.received_at_us,
                "payload": raw.payload.decode(),
            }
            file.write(msgspec.json.encode(row) + b"\n")
    return path


class Log(NamedTuple):
    """Status records in their order, and events that may stand anywhere before their deadline."""

    statuses: list[Raw]
    events: list[Event]

    def arranged(self, random: Random | None = None) -> list[Raw]:
        """The records in one order; without `random`, each event at its own receipt."""
        deadlines = _Deadlines(self.statuses)
        slots: list[list[Raw]] = [[] for _ in range(len(self.statuses) + 1)]
        events = list(self.events)
        if random is not None:
            random.shuffle(events)
        for event in events:
            latest = deadlines.of(event)
            slot = deadlines.at_receipt(event) if random is None else random.randint(0, latest)
            slots[min(slot, latest)].append(event.raw)
        records: list[Raw] = []
        for index, members in enumerate(slots):
            records.extend(members)
            if index < len(self.statuses):
                records.append(self.statuses[index])
        return records


class _Deadlines:
    """For each event, the first status record that passes its second."""

    def __init__(self, statuses: list[Raw]) -> None:
        self.received = [raw.received_at_us for raw in statuses]
        self.passing: list[tuple[int, int]] = []
        reached = 0
        for index, raw in enumerate(statuses):
            word = msgspec.json.decode(raw.payload, type=Status)
            through = max(word.through_us.values(), default=0)
            if word.op == "end":
                through = raw.received_at_us + 10**15
            if through > reached:
                reached = through
                self.passing.append((through // MICROS, index))

    def of(self, event: Event) -> int:
        """Index of the status record that the event must precede."""
        second = event.time_us // MICROS
        for floor, index in self.passing:
            if floor > second:
                return index
        return len(self.received)

    def at_receipt(self, event: Event) -> int:
        """Index of the first status record received after the event."""
        for index, at in enumerate(self.received):
            if at > event.raw.received_at_us:
                return index
        return len(self.received)
