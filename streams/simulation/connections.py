"""Connections of a collector to the simulated venues: what they carry, when they are down.

Part of the feed layer. Promises the status records of design section 2: connect, subscribe and
acknowledgement, a heartbeat each second with the event time through which all has been written,
disconnect, and the same again after a reconnect. A heartbeat knows only what was received.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Final

import msgspec

from streams.core.events import MICROS, Status
from streams.simulation.orders import Venue

LATENESS_S: Final = {"liquidation": 3, "trade": 2, "ticker": 2, "book": 2}
LAG_WINDOW_US: Final = 60 * MICROS


class Connection(msgspec.Struct, frozen=True):
    """What a connection carries; `latency_us` one way, `beat_us` of a second for its heartbeat."""

    name: str
    venue: Venue | str
    channels: tuple[str, ...]
    latency_us: int
    beat_us: int
    ack: bytes


MARKET: Final = Connection(
    "usdm-market-0",
    "binance-usdm",
    ("liquidation", "trade", "ticker"),
    30_000,
    210_000,
    b'{"result":null,"id":1}',
)
DEPTH: Final = Connection(
    "usdm-public-0", "binance-usdm", ("book",), 25_000, 260_000, b'{"result":null,"id":1}'
)
POLLED: Final = Connection("usdm-rest-0", "binance-usdm", (), 80_000, 310_000, b"")
LINEAR: Final = Connection(
    "linear-0",
    "bybit",
    ("liquidation", "trade", "ticker", "book"),
    60_000,
    360_000,
    b'{"success":true,"ret_msg":"subscribe","conn_id":"c0","req_id":"1","op":"subscribe"}',
)
SWAP: Final = Connection(
    "public-0",
    "okx",
    ("liquidation", "trade", "ticker"),
    45_000,
    410_000,
    b'{"event":"subscribe","arg":{"channel":"liquidation-orders","instType":"SWAP"},'
    b'"connId":"c0ffee01"}',
)
SPOT: Final = Connection(
    "spot-0", "binance-spot", ("trade",), 35_000, 460_000, b'{"result":null,"id":1}'
)
CONNECTIONS: Final = (MARKET, DEPTH, POLLED, LINEAR, SWAP, SPOT)

Sent = tuple[int, int, bytes]
"""Received (us), running number, line of the log."""


class Line:
    """A connection at work: its gaps, its lags, its lines."""

    def __init__(
        self,
        connection: Connection,
        assets: dict[str, tuple[str, ...]],
        gaps: Sequence[tuple[int, int]],
    ) -> None:
        """`assets` by channel; `gaps` in us, apart, from the disconnect to the reconnect."""
        self.connection = connection
        self.gaps = sorted(gaps)
        self._turns = [at_us for gap in self.gaps for at_us in gap]
        self._assets = assets
        self._lags: dict[str, deque[tuple[int, int]]] = {c: deque() for c in connection.channels}
        self._coming: list[tuple[int, str, int]] = []
        self._heads = {
            channel: (
                f'{{"venue":"{connection.venue}","channel":'
                f"{msgspec.json.encode(channel or None).decode()},"
                f'"connection":"{connection.name}","received_at_us":'
            ).encode()
            for channel in (*connection.channels, "ticker", "status", "")
        }

    def up(self, at_us: int) -> bool:
        """Whether something received at a time is received at all."""
        return bisect_right(self._turns, at_us) % 2 == 0

    def note(self, channel: str, received_us: int, event_us: int) -> None:
        """Remember a lag, for heartbeats after its receipt."""
        if channel in self._lags:
            heappush(self._coming, (received_us, channel, received_us - event_us))

    def line(self, channel: str, received_us: int, payload: bytes) -> bytes:
        """A line of the raw log; a payload that is no JSON goes as text."""
        if not payload.endswith(b"}"):
            payload = msgspec.json.encode(payload.decode())
        return self._heads[channel] + b'%d,"payload":%s}\n' % (received_us, payload)

    def opening(self, at_us: int) -> Iterator[tuple[int, bytes]]:
        """Connect, subscribe and the venue's acknowledgement."""
        yield at_us, self._status(at_us, Status("connect", detail="simulated"))
        for channel in self.connection.channels:
            subscribe = Status("subscribe", channels=(channel,), assets=self._assets[channel])
            yield at_us + 1_000, self._status(at_us + 1_000, subscribe)
        if self.connection.ack:
            yield at_us + 2_000, self.line("", at_us + 2_000, self.connection.ack)

    def events(self, begin_us: int, end_us: int) -> Iterator[tuple[int, bytes]]:
        """Disconnects and reconnects of a stretch of time."""
        for down, back in self.gaps:
            if begin_us <= down < end_us:
                yield down, self._status(down, Status("disconnect", detail="simulated"))
            if begin_us <= back < end_us:
                yield from self.opening(back)

    def beat(self, at_us: int) -> bytes:
        """A heartbeat; written out by hand, as four of five lines of a quiet log are heartbeats."""
        reached = ",".join([f'"{c}":{us}' for c, us in self.through(at_us)])
        text = f'{{"type":"status","op":"heartbeat","through_us":{{{reached}}}}}'
        return self.line("status", at_us, text.encode())

    def through(self, at_us: int) -> Iterator[tuple[str, int]]:
        """Per channel the event time through which all has been written."""
        while self._coming and self._coming[0][0] <= at_us:
            received_us, channel, lag = heappop(self._coming)
            known = self._lags[channel]
            # Only lags that no later one exceeds can be a maximum again.
            while known and known[-1][1] <= lag:
                known.pop()
            known.append((received_us, lag))
        for channel, lags in self._lags.items():
            while lags and lags[0][0] < at_us - LAG_WINDOW_US:
                lags.popleft()
            largest = max(0, lags[0][1]) if lags else 0
            ping_us = at_us - 2 * self.connection.latency_us
            yield channel, ping_us - largest - LATENESS_S[channel] * MICROS

    def _status(self, at_us: int, status: Status) -> bytes:
        return self.line("status", at_us, msgspec.json.encode(status))
