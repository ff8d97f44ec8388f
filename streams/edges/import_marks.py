"""How far an import has come, so that one that was killed goes on without loss or doubles.

Beside `publish`. A small file says how many lines are acknowledged and where their partitions
ended; what was sent after that stands in the log itself, is read back from there and not sent
again. Promises that for the same files and broker, in whatever state the program was killed: also
when it was just done, since the mark stays, and that one import of them runs at a time. Does not
notice that a file was replaced by one of the same size and time.
"""

import fcntl
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.config import MarginquakeError
from streams.contracts import RAW, partitions
from streams.core.events import stable_id
from streams.edges.kafka_clients import started
from streams.raw_records import Headers

READ_MS: Final = 500


class Mark(msgspec.Struct):
    """`lines` are acknowledged; partition p held none of the later ones below `ends[p]`.

    `done`: there are no more.
    """

    lines: int
    ends: dict[int, int]
    done: bool = False


class Marks:
    """The mark of one import, in a file of its own; none is there before it begins."""

    def __init__(self, folder: Path, bootstrap: str, form: str, files: Sequence[Path]) -> None:
        """Name the file by what is imported and where to.

        Raises:
            MarginquakeError: a file cannot be read.
        """
        known: list[object] = [bootstrap, form]
        for file in files:
            try:
                facts = file.stat()
            except OSError as error:
                raise MarginquakeError(f"{file}: {error.strerror}; name an archive") from None
            known += [file.resolve(), facts.st_size, facts.st_mtime_ns]
        self.path = folder / f"{stable_id(*known)}.json"

    def read(self) -> Mark | None:
        """The mark; None before the first one.

        Raises:
            MarginquakeError: the file cannot be read.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Mark)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise MarginquakeError(
                f"{self.path}: {error}; begin anew on an empty raw.v1 with --restart"
            ) from None

    def write(self, mark: Mark) -> None:
        """Replace the mark, whole or not at all.

        Raises:
            MarginquakeError: the folder cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part = self.path.with_suffix(".part")
            part.write_bytes(msgspec.json.encode(mark))
            part.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from None

    def clear(self) -> None:
        """Forget the mark: the import shall begin anew."""
        self.path.unlink(missing_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other imports of the same files out; a kill lets go.

        Raises:
            MarginquakeError: one is running.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = self.path.with_suffix(".lock").open("w")
        except OSError as error:
            raise self._unwritable(error) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise MarginquakeError(
                    "an import of the same files into the same broker is running; wait for it"
                ) from None
            yield

    def _unwritable(self, error: OSError) -> MarginquakeError:
        return MarginquakeError(
            f"cannot write {self.path}: {error.strerror}; set MARGINQUAKE_HOME elsewhere"
        )


def identity(headers: Headers, value: bytes) -> bytes:
    """What a record is compared by."""
    found = blake2b(value, digest_size=16)
    for name, text in headers:
        found.update(b"\x1f%b\x1f%b" % (name.encode(), text))
    return found.digest()


class Sent:
    """Records that the log has beyond a mark, by partition, in order; others' may be between."""

    def __init__(self, found: Mapping[int, Sequence[bytes]]) -> None:
        self._waiting = {p: deque(records) for p, records in found.items() if records}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def has(self, partition: int, record: bytes) -> bool:
        """Whether the next record of a partition is there already.

        A partition is written in order: after the first that is missing, all are.
        """
        waiting = self._waiting.get(partition)
        if waiting is None:
            return False
        while waiting:
            if waiting.popleft() == record:
                if not waiting:
                    del self._waiting[partition]
                return True
        del self._waiting[partition]
        return False


async def holds(bootstrap: str, mark: Mark) -> bool:
    """Whether raw.v1 may be the log that a mark is of: one that ends before it is another."""
    ends = await log_ends(bootstrap)
    return all(ends[p] >= mark.ends.get(p, 0) for p in ends)


async def log_ends(bootstrap: str) -> dict[int, int]:
    """The next offset of every partition of raw.v1."""
    async with started(AIOKafkaConsumer(bootstrap_servers=bootstrap), bootstrap) as consumer:
        places = [TopicPartition(RAW, p) for p in range(partitions())]
        return {place.partition: end for place, end in (await consumer.end_offsets(places)).items()}


async def sent_beyond(bootstrap: str, mark: Mark) -> tuple[Sent, dict[int, int]]:
    """What raw.v1 has beyond a mark, and where its partitions end.

    Raises:
        MarginquakeError: it ends before the mark: it is another log; or begins after it: what was
            sent cannot be known.
    """
    ends = await log_ends(bootstrap)
    if any(ends[p] < mark.ends.get(p, 0) for p in ends):
        raise MarginquakeError(
            "raw.v1 is not the one that this import began to fill; import anew with --restart"
        )
    behind = {p for p in ends if mark.ends.get(p, 0) < ends[p]}
    if not behind:
        return Sent({}), ends
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    found: dict[int, list[bytes]] = {p: [] for p in ends}
    async with started(consumer, bootstrap):
        places = [TopicPartition(RAW, p) for p in behind]
        consumer.assign(places)
        begins = await consumer.beginning_offsets(places)
        if any(mark.ends.get(place.partition, 0) < begins[place] for place in places):
            raise MarginquakeError(
                "raw.v1 no longer keeps what this import sent when it was cut short; begin anew on "
                "an empty raw.v1 with --restart"
            )
        for place in places:
            consumer.seek(place, mark.ends.get(place.partition, 0))
        while behind:
            for place, records in (await consumer.getmany(timeout_ms=READ_MS)).items():
                part = found[place.partition]
                part += [identity(r.headers, r.value or b"") for r in records]
                if records[-1].offset + 1 >= ends[place.partition]:
                    behind.discard(place.partition)
    return Sent(found), ends
