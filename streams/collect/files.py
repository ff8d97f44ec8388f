"""Records of all connections into one raw log, which `replay` and `normalise` read.

A sink without a broker. Promises whole lines in the order of each connection, on disk after
`flush`. A packed or broken payload, which JSON cannot hold, is written as text.
"""

import os
from pathlib import Path

import msgspec

from streams.collect.records import Record
from streams.config import MarginquakeError


class LogFile:
    """A raw log that several connections append to; it stays open between them."""

    def __init__(self, path: Path) -> None:
        """Open for appending.

        Raises:
            MarginquakeError: the file cannot be written.
        """
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise MarginquakeError(f"{path}: {error.strerror}; name a file to write") from error
        self._path = path

    @property
    def waiting(self) -> int:
        """None: the system has every line, and the disk has it after `flush`."""
        return 0

    async def put(self, record: Record) -> None:
        """Append a line.

        Raises:
            MarginquakeError: the disk refuses.
        """
        raw = record.raw
        line = {
            "venue": raw.venue,
            "channel": raw.channel,
            "connection": raw.connection,
            "received_at_us": raw.received_at_us,
            "payload": _json(raw.payload),
        }
        try:
            self._file.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            raise MarginquakeError(f"{self._path}: {error.strerror}; free the disk") from error

    async def flush(self) -> None:
        """Make everything that was put outlive this process."""
        self._file.flush()
        os.fsync(self._file.fileno())

    async def close(self) -> None:
        """A connection has ended; the file stays open for the others."""
        await self.flush()


def _json(payload: bytes) -> msgspec.Raw | str:
    try:
        msgspec.json.decode(payload, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return payload.decode("utf-8", "replace")
    return msgspec.Raw(payload.replace(b"\n", b" ").replace(b"\r", b" "))
