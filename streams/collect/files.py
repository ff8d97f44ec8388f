"""Records of all connections into one raw log, which `replay` and `normalise` read.

A sink without a broker. Promises whole lines in the order of each connection, with the system at
each status record and on disk after `flush`; that one collector writes a file at a time; and that
a line which a kill left unfinished costs only itself. A packed or broken payload, which JSON cannot
hold, is written as text.
"""

import fcntl
import os
from pathlib import Path
from typing import Self

import msgspec

from streams.collect.records import Record
from streams.config import MarginquakeError


class LogFile:
    """A raw log that several connections append to; a context, open until it is left."""

    def __init__(self, path: Path) -> None:
        """Open for appending.

        Raises:
            MarginquakeError: the file cannot be written, or another collector writes it.
        """
        try:
            torn = path.is_file() and _torn(path)
            self._file = path.open("ab")
        except OSError as error:
            raise MarginquakeError(f"{path}: {error.strerror}; name a file to write") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise MarginquakeError(
                f"{path}: another collector writes it; name a file of its own"
            ) from None
        self._path = path
        if torn:
            self._file.write(b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def waiting(self) -> int:
        """None: the system has every line within a second, and the disk has it after `flush`."""
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
            if raw.channel == "status":
                self._file.flush()
        except OSError as error:
            raise self._refused(error) from error

    async def flush(self) -> None:
        """Make everything that was put outlive this machine.

        Raises:
            MarginquakeError: the disk refuses.
        """
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._refused(error) from error

    async def close(self) -> None:
        """A connection has ended; the file stays open for the others."""
        await self.flush()

    def _refused(self, error: OSError) -> MarginquakeError:
        return MarginquakeError(f"{self._path}: {error.strerror}; free the disk")


def _torn(path: Path) -> bool:
    """Whether a file ends within a line."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return file.read() not in (b"", b"\n")


def _json(payload: bytes) -> msgspec.Raw | str:
    try:
        msgspec.json.decode(payload, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return payload.decode("utf-8", "replace")
    return msgspec.Raw(payload.replace(b"\n", b" ").replace(b"\r", b" "))
