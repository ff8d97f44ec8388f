"""What the connections of a collector tell its operator, through `streams.telemetry`.

Beside the sessions, which count in plain numbers and hand them over once a second. Promises that
lag and waiting records are those of the moment they are asked for: a connection that no longer
beats shows a lag that grows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from streams.collect.records import Sink, now_us
from streams.core.events import MICROS
from streams.telemetry import (
    CONNECTIONS_UP,
    FEED_GAPS,
    HEARTBEAT_LAG,
    MESSAGES_RECEIVED,
    RECORDS_COLLECTED,
    RECORDS_UNACKNOWLEDGED,
    Health,
)

GAPS: Final = ("silent", "refused", "book", "missing")
"""Why a gap is told; a counter that begins with its first event shows no increase."""

_live: Final[dict[str, set["Measured"]]] = {}
"""Open connections by venue; read by the thread that serves metrics."""


class Measured:
    """One connection, from its handshake to `ended`."""

    def __init__(self, venue: str, sink: Sink, channels: Iterable[str]) -> None:
        """`sink`: whose waiting records are the connection's. `channels`: what it asks for."""
        self.venue = venue
        self.sink = sink
        self.subscribed = False
        self.through_us = now_us()
        self.records: Counter[str] = Counter()
        self._messages = 0
        if venue not in _live:
            _live[venue] = set()
            HEARTBEAT_LAG.labels(venue=venue).set_function(lambda: _lag_s(venue))
            RECORDS_UNACKNOWLEDGED.labels(venue=venue).set_function(lambda: _waiting(venue))
        for channel in channels:
            # Told from the start: a channel that never comes would have no number to fire at.
            RECORDS_COLLECTED.labels(venue=venue, channel=channel)
        for reason in GAPS:
            FEED_GAPS.labels(venue=venue, reason=reason)
        _live[venue].add(self)

    def up(self) -> None:
        """Everything has been asked for."""
        self.subscribed = True
        CONNECTIONS_UP.labels(venue=self.venue).inc()

    def beat(self, messages: int, through_us: Mapping[str, int]) -> None:
        """A second has passed: all messages so far, and what the heartbeat vouches for."""
        MESSAGES_RECEIVED.labels(venue=self.venue).inc(messages - self._messages)
        self._messages = messages
        for channel, count in self.records.items():
            RECORDS_COLLECTED.labels(venue=self.venue, channel=channel).inc(count)
        self.records.clear()
        if through_us:
            self.through_us = min(through_us.values())

    def gap(self, reason: str) -> None:
        """A gap was told, for one of `GAPS`."""
        FEED_GAPS.labels(venue=self.venue, reason=reason).inc()

    def ended(self, messages: int) -> None:
        """The connection is closed, and all that it counted is told."""
        self.beat(messages, {})
        _live[self.venue].discard(self)
        if self.subscribed:
            CONNECTIONS_UP.labels(venue=self.venue).dec()


def health() -> Health:
    """Well while some connection is subscribed."""
    found = [one for of_venue in [*_live.values()] for one in [*of_venue]]
    up = sum(one.subscribed for one in found)
    return Health(up > 0, f"{up} connections subscribed")


def _lag_s(venue: str) -> float:
    through = [one.through_us for one in [*_live[venue]]]
    return (now_us() - min(through)) / MICROS if through else 0.0


def _waiting(venue: str) -> int:
    return sum(one.sink.waiting for one in [*_live[venue]])
