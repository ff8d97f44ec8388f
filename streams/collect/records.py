"""What collectors hand over, and to whom: raw records by asset, and the sink that takes them.

Between connections and Kafka, a file or an engine. Promises that a sink keeps the order in which
one connection puts its records; a sink that cannot keep up makes the connection wait.
"""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from streams.core.events import Raw, Status


class Record(msgspec.Struct, frozen=True):
    """One record for `raw.v1`.

    `asset`: whose partition it goes to, None for every one. `part`: (i, n) of row i of a message
    that was cut into n, which share `message_id`.
    """

    raw: Raw
    asset: str | None
    part: tuple[int, int] | None = None
    message_id: str | None = None


class Sink(Protocol):
    """Takes the records of one connection, in order."""

    @property
    def waiting(self) -> int:
        """Records that were put and are not safe yet."""

    async def put(self, record: Record) -> None:
        """Take a record; waits while too many are on their way."""

    async def flush(self) -> None:
        """Wait until everything that was put is safe."""

    async def close(self) -> None:
        """Flush and let go."""


MakeSink = Callable[[], Sink]
"""A new sink, one for each connection."""


def now_us() -> int:
    """The wall clock, in microseconds UTC."""
    return time.time_ns() // 1_000


def status_record(venue: str, connection: str, status: Status) -> Record:
    """The record of a status, for every partition, stamped now."""
    payload = msgspec.json.encode(status)
    return Record(Raw(venue, "status", connection, now_us(), payload), None)
