"""Writes raw.v1 into raw logs of one's own: zstd, a series of files for each partition.

The edge behind `record`. Promises every record once, in the partition's order, whatever ended the
program: a line names its offset, a file is made of whole zstd frames, and a start cuts off an
unfinished one and goes on after the last line. Leaves out what was no record (a line of an
import with its reason, bytes that are no text) and counts it.
"""

import asyncio
import fcntl
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import structlog
import zstandard
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams import contracts
from streams.config import MarginquakeError
from streams.contracts import RAW
from streams.core.events import MICROS, Raw, Rejected
from streams.edges.kafka_clients import started
from streams.raw_records import raw_from_record
from streams.venues.packed import unpacked

FRAME_BYTES: Final = 4 * 2**20
"""A zstd frame is ended at so many bytes of lines, or when `FRAME_S` have passed."""
FRAME_S: Final = 10.0
POLL_MS: Final = 200
LEVEL: Final = 6
SUFFIX: Final = ".jsonl.zst"

_HOUR_US: Final = 3600 * MICROS
_CHUNK: Final = 2**16
_log = structlog.get_logger()


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    venue: str
    received_at_us: int
    connection: str
    payload: msgspec.Raw
    partition: int
    offset: int
    channel: str | None = None


class _Place(msgspec.Struct, frozen=True):
    offset: int


def line_of(raw: Raw, partition: int, offset: int) -> bytes | None:
    """The line of a record; None for bytes that are no text."""
    payload = raw.payload
    if not _plain(payload):
        text = unpacked(payload)
        try:
            shown = (payload if isinstance(text, Rejected) else text).decode()
        except UnicodeDecodeError:
            return None
        payload = msgspec.json.encode(shown)
    line = _Line(
        raw.venue,
        raw.received_at_us,
        raw.connection,
        msgspec.Raw(payload),
        partition,
        offset,
        raw.channel,
    )
    return msgspec.json.encode(line) + b"\n"


def _plain(payload: bytes) -> bool:
    """Whether a payload can stand in a line as it is: JSON without line ends, and no string."""
    if b"\n" in payload or b"\r" in payload or payload.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


class Log:
    """The files of one partition; `next_offset` is what to read first.

    A file begins with its hour and the offset of its first line in its name.
    """

    def __init__(self, folder: Path, partition: int, most_bytes: int) -> None:
        """Look where the last file ends, and cut off what a killed program left unfinished."""
        self._folder = folder
        self._partition = partition
        self._most_bytes = most_bytes
        self._file: BinaryIO | None = None
        self._hour = -1
        self._lines: list[bytes] = []
        self._bytes = 0
        self._since = 0.0
        self.next_offset = 0
        mine = folder.glob(f"raw-{partition}-*{SUFFIX}")
        for path in sorted(mine, key=_first_offset, reverse=True):
            last = mend(path)
            if last is not None:
                self.next_offset = last + 1
                self._file = path.open("ab")
                self._hour = _hour(path)
                break
            path.unlink()

    def write(self, raw: Raw, offset: int) -> bool:
        """Take the next record; False when it cannot be written."""
        line = line_of(raw, self._partition, offset)
        if line is None:
            return False
        hour = raw.received_at_us // _HOUR_US
        if self._file is None or self._is_full(raw, hour):
            self.close()
            self._hour = hour
            begin = datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y%m%dT%H")
            name = f"raw-{self._partition}-{begin}-{offset}{SUFFIX}"
            self._file = (self._folder / name).open("wb")
        if not self._lines:
            self._since = time.monotonic()
        self._lines.append(line)
        self._bytes += len(line)
        if self._bytes >= FRAME_BYTES:
            self.flush()
        return True

    def _is_full(self, raw: Raw, hour: int) -> bool:
        """Whether another file is due: it begins with a status, since that vouches for a file."""
        size = 0 if self._file is None else self._file.tell()
        if size >= 2 * self._most_bytes:
            return True
        return raw.channel == "status" and (hour > self._hour or size >= self._most_bytes)

    def flush(self, older_than_s: float = 0.0) -> None:
        """Write what waits as a frame, if it has waited so long."""
        if self._file is None or not self._lines or time.monotonic() - self._since < older_than_s:
            return
        packed = zstandard.ZstdCompressor(LEVEL).compress(b"".join(self._lines))
        self._file.write(packed)
        self._file.flush()
        self._lines.clear()
        self._bytes = 0

    def close(self) -> None:
        """Write what waits and close the file."""
        if self._file is not None:
            self.flush()
            self._file.close()
            self._file = None


def _first_offset(path: Path) -> int:
    try:
        return int(path.name.removesuffix(SUFFIX).rsplit("-", 1)[1])
    except ValueError:
        raise MarginquakeError(
            f"{path}: no file of `marginquake record`; give it a folder of its own"
        ) from None


def _hour(path: Path) -> int:
    """The hour (since 1970) in a file's name."""
    try:
        begin = datetime.strptime(path.name.split("-")[2], "%Y%m%dT%H").replace(tzinfo=UTC)
    except (ValueError, IndexError):
        return -1
    return int(begin.timestamp()) // 3600


def mend(path: Path) -> int | None:
    """Cut a file after its last whole frame; the offset of its last line, None without a line.

    Raises:
        MarginquakeError: the file is damaged otherwise.
    """
    good = 0
    last = b""
    try:
        with path.open("r+b") as file:
            data = b""
            reader, text = zstandard.ZstdDecompressor().decompressobj(), b""
            while data or (data := file.read(_CHUNK)):
                text += reader.decompress(data)
                data = b""
                if reader.eof:
                    data = reader.unused_data
                    good = file.tell() - len(data)
                    last = text.rstrip(b"\n").rsplit(b"\n", 1)[-1] or last
                    reader, text = zstandard.ZstdDecompressor().decompressobj(), b""
            file.truncate(good)
        return msgspec.json.decode(last, type=_Place).offset if last else None
    except OSError as error:
        raise MarginquakeError(f"{path}: {error.strerror}; give another folder") from None
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise MarginquakeError(f"{path} is damaged: {error}; move it away") from None


class Recorder:
    """Records every partition of raw.v1 into a folder.

    Args:
        bootstrap: Kafka bootstrap servers.
        folder: where the files go; made when it is not there.
        most_bytes: a file that has reached this size is followed by another.
    """

    def __init__(self, bootstrap: str, folder: Path, most_bytes: int) -> None:
        self._bootstrap = bootstrap
        self._folder = folder
        self._most_bytes = most_bytes
        self.written = 0
        self.left_out = 0
        self.ready = False

    async def run(self, stop: asyncio.Event, until_idle_s: float | None = None) -> None:
        """Record until `stop` is set, or until nothing came for `until_idle_s`.

        Raises:
            MarginquakeError: the folder cannot be written, is in use, or raw.v1 no longer holds
                what comes next.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = (self._folder / ".lock").open("w")
        except OSError as error:
            raise MarginquakeError(
                f"cannot write into {self._folder}: {error.strerror}; choose another folder"
            ) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise MarginquakeError(
                    f"another `marginquake record` writes into {self._folder}; choose another"
                ) from None
            parts = range(contracts.partitions())
            logs = {p: Log(self._folder, p, self._most_bytes) for p in parts}
            try:
                await self._read(logs, stop, until_idle_s)
            finally:
                for log in logs.values():
                    log.close()

    async def _read(
        self, logs: dict[int, Log], stop: asyncio.Event, until_idle_s: float | None
    ) -> None:
        consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=4 * 2**20,
        )
        async with started(consumer, self._bootstrap):
            places = {p: TopicPartition(RAW, p) for p in logs}
            consumer.assign(list(places.values()))
            begins = await consumer.beginning_offsets(list(places.values()))
            ends = await consumer.end_offsets(list(places.values()))
            for p, place in places.items():
                consumer.seek(place, self._first(logs[p], p, begins[place], ends[place]))
            self.ready = True
            heard = time.monotonic()
            while not stop.is_set():
                batches = await consumer.getmany(timeout_ms=POLL_MS)
                for place, records in batches.items():
                    self._take(logs[place.partition], records)
                for log in logs.values():
                    log.flush(FRAME_S)
                if batches:
                    heard = time.monotonic()
                elif until_idle_s is not None and time.monotonic() - heard >= until_idle_s:
                    return

    def _first(self, log: Log, partition: int, begin: int, end: int) -> int:
        """The offset to begin at."""
        if log.next_offset > end:
            raise MarginquakeError(
                f"{self._folder} has offsets of raw.v1-{partition} up to {log.next_offset - 1}, "
                f"the topic ends at {end}: it is another topic; choose another folder"
            )
        if 0 < log.next_offset < begin:
            _log.warning(
                "records_lost_to_retention",
                partition=partition,
                missing=begin - log.next_offset,
            )
        return max(log.next_offset, begin)

    def _take(self, log: Log, records: Sequence[Any]) -> None:
        for record in records:
            raw = raw_from_record(record.headers, record.value)
            if isinstance(raw, Raw) and log.write(raw, record.offset):
                self.written += 1
            else:
                self.left_out += 1
