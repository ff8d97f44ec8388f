"""The demo's hour: a simulated market as three venues would send it and collectors log it.

SIMULATED data, for the demo and for tests of the path; it says nothing about markets (see
`simulated_market` for what that leaves out). Messages have the venues' own forms: Binance USD-M
publishes the largest forced order per symbol and second, OKX one per contract and second, Bybit
all of them in batches of 500 ms. Receipt has latency that grows in the rush, a few OKX messages
come seconds late and one message is cut off, as real feeds do. Books stand wider apart than real
ones, so that 20 levels reach 10 bp; books of six assets only; no disconnects. Promises the same
bytes for the same seed, in order of receipt, with the status records of design section 2.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import zstandard

from streams.config import MarginquakeError
from streams.core.events import MICROS, Status
from streams.edges.simulated_market import ASSETS, Asset, Market, Second, trades_on
from streams.simulation.orders import Forced, Venue
from streams.simulation.wire import (
    binance_book,
    binance_forced,
    binance_interest,
    binance_mark,
    binance_trade,
    bybit_book,
    bybit_forced,
    bybit_ticker,
    bybit_trade,
    okx_forced,
    okx_interest,
    okx_mark,
    okx_trade,
    spot_trade,
)

BEGAN_S: Final = 1_795_006_800
"""2026-11-18 13:00:00 UTC."""
SEED: Final = 4
MINUTES: Final = 60
BOOK_ASSETS: Final = ASSETS[:6]
LATENESS_S: Final = {"liquidation": 3, "trade": 2, "ticker": 2, "book": 2}
LAG_WINDOW_S: Final = 60
HORIZON_US: Final = 15 * MICROS
"""No message is received later than this after its second."""
TARDY: Final = 0.004
"""Share of OKX liquidation messages that come 6 to 12 s late."""
CUT_OFF_AT_S: Final = 1_234
"""The second from which on the first trade of Binance lacks its end."""


class Connection(msgspec.Struct, frozen=True):
    """A collector's connection: what it carries and how slow it is (us); `beat_us` of a second."""

    name: str
    venue: Venue | Literal["binance-spot"]
    channels: tuple[str, ...]
    latency_us: int
    beat_us: int
    ack: bytes

    def lists(self, asset: Asset) -> bool:
        """Whether the venue trades the asset; the spot market lists all."""
        return self.venue == "binance-spot" or trades_on(asset, self.venue)


MARKET = Connection(
    "usdm-market-0",
    "binance-usdm",
    ("liquidation", "trade", "ticker"),
    30_000,
    210_000,
    b'{"result":null,"id":1}',
)
DEPTH = Connection(
    "usdm-public-0", "binance-usdm", ("book",), 25_000, 260_000, b'{"result":null,"id":1}'
)
POLLED = Connection("usdm-rest-0", "binance-usdm", (), 80_000, 310_000, b"")
LINEAR = Connection(
    "linear-0",
    "bybit",
    ("liquidation", "trade", "ticker", "book"),
    60_000,
    360_000,
    b'{"success":true,"ret_msg":"subscribe","conn_id":"c0","req_id":"1","op":"subscribe"}',
)
SWAP = Connection(
    "public-0",
    "okx",
    ("liquidation", "trade", "ticker"),
    45_000,
    410_000,
    b'{"event":"subscribe","arg":{"channel":"liquidation-orders","instType":"SWAP"},'
    b'"connId":"c0ffee01"}',
)
SPOT = Connection("spot-0", "binance-spot", ("trade",), 35_000, 460_000, b'{"result":null,"id":1}')
CONNECTIONS: Final = (MARKET, DEPTH, POLLED, LINEAR, SWAP, SPOT)
SPOT_SHARE: Final = 0.4
"""Chance that a spot trade stands beside one of Binance's perpetual."""


class Hour(msgspec.Struct, frozen=True):
    """What was written, and the truth behind it, which only a simulation knows.

    `forced_usd`: true dollars of forced orders in the liquidated side's name; `published`: how
    many of the `forced` orders stand in the log.
    """

    path: str
    seed: int
    records: int
    forced: int
    published: int
    forced_usd: dict[str, float]


class _Sent(msgspec.Struct, frozen=True, order=True):
    received_us: int
    number: int
    connection: Connection
    channel: str
    event_us: int
    payload: bytes


def generate(
    path: Path,
    seed: int = SEED,
    minutes: int = MINUTES,
    progress: Callable[[int], None] = lambda count: None,
) -> Hour:
    """Write the log as zstd-compressed JSON lines; the same arguments give the same bytes.

    Args:
        path: the file; its folder must be there.
        seed: of everything that is random.
        minutes: length; the cascade begins after minute 35.
        progress: told the number of records.

    Raises:
        MarginquakeError: the file cannot be written.
    """
    feeds = _Feeds(seed)
    count = 0
    try:
        with path.open("wb") as file, zstandard.ZstdCompressor(3).stream_writer(file) as packed:
            for line in feeds.lines(minutes * 60):
                packed.write(line)
                count += 1
                if count % 5_000 == 0:
                    progress(count)
    except OSError as error:
        raise MarginquakeError(
            f"cannot write the simulated hour to {path}: {error.strerror}; set MARGINQUAKE_HOME "
            "to a folder of yours"
        ) from None
    return Hour(str(path), seed, count, feeds.forced, feeds.published, feeds.forced_usd)


class _Feeds:
    """Turns seconds of the market into what the collectors received, and tallies the truth."""

    def __init__(self, seed: int) -> None:
        self.forced = self.published = 0
        self.forced_usd = {"long": 0.0, "short": 0.0}
        self._market = Market(seed, BEGAN_S)
        self._rng = random.Random(seed + 1)  # noqa: S311  a simulation, not a secret
        self._spot_rng = random.Random(seed + 2)  # noqa: S311  a simulation, not a secret
        self._number = 0
        self._spots = 0
        self._queue_us = 0
        self._cut_off = False

    def lines(self, seconds: int) -> Iterator[bytes]:
        """Lines of the log in order of receipt."""
        clocks = {connection.name: _Clock(connection) for connection in CONNECTIONS}
        for connection in CONNECTIONS:
            yield from _opening(connection)
        beats = [
            (BEGAN_S * MICROS + connection.beat_us, connection.name)
            for connection in CONNECTIONS
            if connection.channels
        ]
        heapq.heapify(beats)
        end_us = (BEGAN_S + seconds) * MICROS
        for sent in self._received(seconds):
            while beats[0][0] <= sent.received_us:
                yield _beat(beats, clocks)
            clocks[sent.connection.name].note(sent)
            yield _line(sent.connection, sent.channel, sent.received_us, sent.payload)
        while beats[0][0] <= end_us + HORIZON_US:
            yield _beat(beats, clocks)

    def _received(self, seconds: int) -> Iterator[_Sent]:
        """Messages in order of receipt; those of the last seconds wait for later ones."""
        waiting: list[_Sent] = []
        for second in self._market.seconds(seconds):
            for sent in self._messages(second):
                heapq.heappush(waiting, sent)
            settled = second.second * MICROS
            while waiting and waiting[0].received_us < settled:
                yield heapq.heappop(waiting)
        while waiting:
            yield heapq.heappop(waiting)

    def _messages(self, second: Second) -> Iterator[_Sent]:
        self._queue_us = int(min(1.2, second.busy / 60e6) * MICROS)
        yield from self._liquidations(second)
        for trade in second.prints:
            self._number += 1
            if trade.venue == "binance-usdm":
                payload = binance_trade(trade, self._number)
                if not self._cut_off and second.second >= BEGAN_S + CUT_OFF_AT_S:
                    self._cut_off = True
                    payload = payload[: len(payload) // 2]
                yield self._send(MARKET, "trade", trade.at_us, payload)
            elif trade.venue == "bybit":
                yield self._send(LINEAR, "trade", trade.at_us, bybit_trade(trade, self._number))
            else:
                yield self._send(SWAP, "trade", trade.at_us, okx_trade(trade, self._number))
        yield from self._spot(second)
        yield from self._tickers(second)
        for asset in BOOK_ASSETS:
            price = second.prices[asset.name]
            at_us = second.second * MICROS + 600_000
            book = binance_book(asset, price, second.depth, at_us, self._number, self._rng)
            yield self._send(DEPTH, "book", at_us, book)
            at_us += 50_000
            book = bybit_book(asset, price, second.depth, at_us, self._number, self._rng)
            yield self._send(LINEAR, "book", at_us, book)

    def _liquidations(self, second: Second) -> Iterator[_Sent]:
        """Each venue's choice of the second's forced orders, as its feed publishes them."""
        largest: dict[str, Forced] = {}
        latest: dict[str, Forced] = {}
        batches: dict[tuple[str, int], list[Forced]] = {}
        for order in second.forced:
            self.forced += 1
            self.forced_usd[order.side] += order.usd
            name = order.asset.name
            if order.venue == "binance-usdm":
                if name not in largest or order.usd > largest[name].usd:
                    largest[name] = order
            elif order.venue == "bybit":
                batches.setdefault((name, order.at_us * 2 // MICROS), []).append(order)
            elif name not in latest or order.at_us >= latest[name].at_us:
                latest[name] = order
        published = len(largest) + len(latest) + sum(map(len, batches.values()))
        self.published += published
        pushed_us = (second.second + 1) * MICROS
        for order in largest.values():
            payload = binance_forced(order, pushed_us)
            yield self._send(MARKET, "liquidation", order.at_us, payload, pushed_us)
        for order in latest.values():
            late = self._rng.uniform(6, 12) if self._rng.random() < TARDY else 0.0
            at_us = order.at_us + int(late * MICROS)
            yield self._send(SWAP, "liquidation", order.at_us, okx_forced(order), at_us)
        for (_, half), orders in batches.items():
            orders.sort(key=lambda order: order.at_us)
            pushed_us = (half + 1) * MICROS // 2
            payload = bybit_forced(orders, pushed_us)
            yield self._send(LINEAR, "liquidation", orders[0].at_us, payload, pushed_us)

    def _spot(self, second: Second) -> Iterator[_Sent]:
        """Spot trades near the perpetual's; drawn apart, so that they change nothing else."""
        for trade in second.prints:
            if trade.venue == "binance-usdm" and self._spot_rng.random() < SPOT_SHARE:
                self._spots += 1
                price = trade.price * (1 + self._spot_rng.gauss(0, 2e-5))
                usd = trade.price * trade.coins * self._spot_rng.uniform(0.4, 1.2)
                at_us = trade.at_us - trade.at_us % 1000
                payload = spot_trade(
                    trade.asset, price, usd, buys=trade.buys, at_us=at_us, number=self._spots
                )
                yield self._send(SPOT, "trade", at_us, payload)

    def _tickers(self, second: Second) -> Iterator[_Sent]:
        """Marks every three seconds, polled open interest every ten, staggered by asset."""
        at_us = second.second * MICROS
        for index, asset in enumerate(ASSETS):
            price, name = second.prices[asset.name], asset.name
            interest = second.interest
            if (second.second + index) % 3 == 0:
                yield self._send(MARKET, "ticker", at_us, binance_mark(asset, price, at_us))
                coins = interest["bybit", name]
                yield self._send(LINEAR, "ticker", at_us, bybit_ticker(asset, price, coins, at_us))
                if trades_on(asset, "okx"):
                    yield self._send(SWAP, "ticker", at_us, okx_mark(asset, price, at_us))
            if (second.second + index) % 10 == 0:
                payload = binance_interest(asset, interest["binance-usdm", name], at_us)
                yield self._send(POLLED, "ticker", at_us, payload)
                if trades_on(asset, "okx"):
                    payload = okx_interest(asset, interest["okx", name], price, at_us)
                    yield self._send(SWAP, "ticker", at_us, payload)

    def _send(
        self,
        connection: Connection,
        channel: str,
        event_us: int,
        payload: bytes,
        pushed_us: int | None = None,
    ) -> _Sent:
        """The message with the time of its receipt, after the latency of its connection."""
        self._number += 1
        jitter = int(self._rng.expovariate(1 / 12_000)) + self._rng.randrange(self._queue_us + 1)
        at_us = (event_us if pushed_us is None else pushed_us) + connection.latency_us + jitter
        return _Sent(at_us, self._number, connection, channel, event_us, payload)


class _Clock:
    """What a collector knows of one connection: the largest lag of each channel in a minute."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._lags: dict[str, deque[tuple[int, int]]] = {c: deque() for c in connection.channels}

    def note(self, sent: _Sent) -> None:
        lags = self._lags.get(sent.channel)
        if lags is None:
            return
        lag = sent.received_us - sent.event_us
        # Only lags that no later one exceeds can be a maximum again.
        while lags and lags[-1][1] <= lag:
            lags.pop()
        lags.append((sent.received_us, lag))

    def through(self, at_us: int) -> dict[str, int]:
        """Per channel the event time through which all has been written (design section 2)."""
        reached = {}
        for channel, lags in self._lags.items():
            while lags and lags[0][0] < at_us - LAG_WINDOW_S * MICROS:
                lags.popleft()
            largest = max(0, lags[0][1]) if lags else 0
            ping_us = at_us - 2 * self.connection.latency_us
            reached[channel] = ping_us - largest - LATENESS_S[channel] * MICROS
        return reached


def _opening(connection: Connection) -> Iterator[bytes]:
    """Connect, subscribe and the venue's acknowledgement, just before the first second."""
    at_us = BEGAN_S * MICROS - 900_000 + connection.beat_us
    yield _status(connection, at_us, Status("connect", detail="simulated"))
    for channel in connection.channels:
        assets: tuple[Asset, ...] = BOOK_ASSETS if channel == "book" else ASSETS
        names = tuple(a.name for a in assets if connection.lists(a))
        subscribe = Status("subscribe", channels=(channel,), assets=names)
        yield _status(connection, at_us + 1_000, subscribe)
    if connection.ack:
        yield _line(connection, "", at_us + 2_000, connection.ack)


def _beat(beats: list[tuple[int, str]], clocks: dict[str, _Clock]) -> bytes:
    at_us, name = heapq.heappop(beats)
    heapq.heappush(beats, (at_us + MICROS, name))
    clock = clocks[name]
    heartbeat = Status("heartbeat", through_us=clock.through(at_us))
    return _status(clock.connection, at_us, heartbeat)


def _status(connection: Connection, at_us: int, status: Status) -> bytes:
    return _line(connection, "status", at_us, msgspec.json.encode(status))


def _line(connection: Connection, channel: str, received_us: int, payload: bytes) -> bytes:
    """One line of a raw log; a payload that is no JSON goes as text."""
    value: Any = msgspec.Raw(payload) if payload.endswith(b"}") else payload.decode()
    record = {
        "venue": connection.venue,
        "channel": channel or None,
        "connection": connection.name,
        "received_at_us": received_us,
        "payload": value,
    }
    return msgspec.json.encode(record) + b"\n"
