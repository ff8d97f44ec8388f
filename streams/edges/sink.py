"""The sink: topics to ClickHouse, offsets committed only behind acknowledged rows.

Last station of the data path, one consumer group for both engines. Promises at-least-once rows
whose views show each id once; that a record which is no valid row is in deadletters.v1 before
its offset moves; bounded memory while the warehouse is away (partitions pause, membership
stays); and a loud exit on lost offsets or on a warehouse that refuses for good. Does not promise
order between tables. A chDB store cannot be read by others while this process has it.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, get_args

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from streams import contracts
from streams.config import MarginquakeError
from streams.core.delivery import Delivery, Partition
from streams.core.events import DeadLetter, SinkRejectReason
from streams.edges.group_offsets import first_offsets, lost_offsets, partitions_of
from streams.edges.inserts import Inserter
from streams.edges.intake import LETTERS, TOPICS, Batch, letter
from streams.telemetry import CONSUMER_LAG, RECORDS_DEAD_LETTERED, SINK_WAIT, Health

GROUP: Final = "marginquake-sink"
POLL_MS: Final = 200
POLL_RECORDS: Final = 2_000
STALLED_S: Final = 120.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """Limits of one sink; a batch is written after `flush_rows` or `flush_s`, whichever is first.

    Reading pauses while more than `max_rows` or `max_bytes` (of records) wait for the warehouse.
    `until_idle_s`: end when everything is read and nothing came for so long (None: run on).
    `alone`: take every partition without joining the group, as the only reader there can be (a
    chDB store has one process): a start after a crash then waits for no dead member's session.
    """

    group: str = GROUP
    flush_rows: int = 20_000
    flush_s: float = 1.0
    max_rows: int = 60_000
    max_bytes: int = 128 * 1024 * 1024
    until_idle_s: float | None = None
    drain_s: float = 30.0
    alone: bool = False


@dataclass(slots=True)
class SinkReport:
    """What one run did; `rows` counts acknowledged rows by table, repeats included."""

    records: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    dead_letters: dict[str, int] = field(default_factory=dict)
    unreadable_dead_letters: int = 0


class Sink:
    """One member of the consumer group. `run` until `stop` is set, idle or failed."""

    def __init__(
        self,
        kafka: str,
        inserter: Inserter,
        options: SinkOptions | None = None,
        chore: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            kafka: bootstrap servers.
            inserter: writes the tables; its client stays the caller's to close.
            options: limits.
            chore: called in a thread behind each batch.
        """
        self.report = SinkReport()
        self._kafka = kafka
        self._inserter = inserter
        self._options = options or SinkOptions()
        self._consumer: Any = None
        self._producer: Any = None
        self._delivery = Delivery()
        self._batch = Batch()
        self._batch_since = 0.0
        self._writing: asyncio.Task[None] | None = None
        self._writing_since = 0.0
        self._writing_rows = self._writing_bytes = 0
        self._failure: Exception | None = None
        self._reached: dict[TopicPartition, int] = {}
        self._through: dict[TopicPartition, int] = {}
        self._last_record = 0.0
        self._chore = chore
        for reason in get_args(SinkRejectReason):
            # A counter that begins with its first event shows no increase.
            RECORDS_DEAD_LETTERED.labels(stage="sink", reason=reason)

    def health(self) -> Health:
        """Unhealthy after a failure, or when one batch has waited for the warehouse too long."""
        if self._failure is not None:
            return Health(False, str(self._failure))
        waited = self._waited()
        if waited > STALLED_S:
            return Health(False, f"the warehouse has not taken a batch for {waited:.0f} s")
        return Health(True)

    async def run(self, stop: asyncio.Event) -> SinkReport:
        """Read and write until `stop` or idle; all that was read is then written and committed.

        Raises:
            MarginquakeError: no broker or topic, an offset that is gone from the log, a warehouse
                that refuses for good, or rows that could not be written before the end.
        """
        self._reached = await first_offsets(self._kafka, self._options.group, TOPICS)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka,
            group_id=self._options.group,
            client_id="marginquake-sink",
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=10_000,
        )
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka,
            client_id="marginquake-sink",
            enable_idempotence=True,
            compression_type="zstd",
        )
        try:
            await self._producer.start()
            if self._options.alone:
                await self._consumer.start()
                self._consumer.assign(partitions_of(TOPICS))
            else:
                self._consumer.subscribe(topics=TOPICS, listener=_Handover(self))
                await self._consumer.start()
            self._last_record = time.monotonic()
            while not stop.is_set() and self._failure is None:
                await self._turn()
                if await self._is_idle():
                    break
            await self._drain()
        except OffsetOutOfRangeError as error:
            raise MarginquakeError(lost_offsets(self._options.group, error)) from error
        except KafkaError as error:
            raise MarginquakeError(f"Kafka at {self._kafka} failed: {error!r}") from error
        finally:
            self._inserter.stop.set()
            if self._writing is not None:
                await asyncio.wait({self._writing})
            await self._consumer.stop()
            await self._producer.stop()
        return self.report

    async def settle(self) -> None:
        """Return when all that was read is written and committed, or the sink has failed."""
        while self._failure is None:
            if self._writing is not None:
                await asyncio.wait({self._writing})
            elif self._batch.spans:
                self._start_writing()
            else:
                return

    def give_up(self, partitions: Iterable[Partition]) -> None:
        """The partitions go to another member, which tells of them from now on."""
        partitions = [*partitions]
        for topic, number in partitions:
            CONSUMER_LAG.remove(topic, number)
            self._through.pop(TopicPartition(topic, number), None)
        self._delivery = self._delivery.give_up(partitions)

    async def _turn(self) -> None:
        wait_ms = POLL_MS
        if self._hold_back() and self._writing is not None:
            # Nothing will be read before a batch is written; polling keeps the membership.
            await asyncio.wait({self._writing}, timeout=POLL_MS / 1000)
            wait_ms = 0
        polled = await self._poll(wait_ms)
        letters: list[tuple[DeadLetter, Any]] = []
        for place, records in polled.items():
            self._through.setdefault(place, records[0].offset)
            self._last_record = time.monotonic()
            if not self._batch.spans:
                self._batch_since = self._last_record
            self.report.records += len(records)
            span, made, unreadable = self._batch.add(records)
            self._delivery = self._delivery.append(span, self._batch.spans[-1][1])
            letters += [(one, span) for one in made]
            self.report.unreadable_dead_letters += len(unreadable)
            for detail in unreadable:
                log.error("dead letter cannot be read", detail=detail)
        if letters:
            await self._send([one for one, _ in letters])
            for span in {span for _, span in letters}:
                self._delivery = self._delivery.acknowledge(span, LETTERS)
        full = self._batch.n_rows >= self._options.flush_rows
        due = time.monotonic() - self._batch_since >= self._options.flush_s
        if self._writing is None and self._batch.spans and (full or due):
            self._start_writing()
        self._tell()

    def _tell(self) -> None:
        """What waits, at every turn: at a commit alone a sink that stands would tell no lag."""
        SINK_WAIT.set(self._waited())
        for place in self._consumer.assignment() & self._through.keys():
            end = self._consumer.highwater(place)
            if end is not None:  # unknown until the first fetch after a rebalance
                lag = CONSUMER_LAG.labels(topic=place.topic, partition=place.partition)
                lag.set(max(end - self._through[place], 0))

    def _waited(self) -> float:
        """Seconds that the batch that is being written has waited; 0 without one."""
        return 0.0 if self._writing is None else time.monotonic() - self._writing_since

    async def _poll(self, wait_ms: int) -> dict[TopicPartition, list[Any]]:
        try:
            records: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
                timeout_ms=wait_ms, max_records=POLL_RECORDS
            )
        except NoOffsetForPartitionError as error:
            await self._seek(error.args[0])
            return {}
        return records

    async def _seek(self, partition: TopicPartition) -> None:
        """Go on where the group was: a broker that was held up can lose a commit, or say there is
        none. What is written again keeps its ids.
        """
        begin = (await self._consumer.beginning_offsets([partition]))[partition]
        reached = self._reached.get(partition, begin)
        if begin > reached:
            gone = f"{partition.topic}-{partition.partition} begins at {begin}, group at {reached}"
            raise MarginquakeError(lost_offsets(self._options.group, gone))
        log.warning("group has no offset", reads_from=reached, **partition._asdict())
        self._consumer.seek(partition, reached)

    def _hold_back(self) -> bool:
        """Pause or resume all partitions by what waits for the warehouse; whether any pauses."""
        rows = self._batch.n_rows + self._writing_rows
        size = self._batch.n_bytes + self._writing_bytes
        assigned, paused = self._consumer.assignment(), self._consumer.paused()
        if rows >= self._options.max_rows or size >= self._options.max_bytes:
            self._consumer.pause(*(assigned - paused))
        elif rows < self._options.max_rows // 2 and size < self._options.max_bytes // 2:
            self._consumer.resume(*(paused & assigned))
        return bool(self._consumer.paused())

    def _start_writing(self) -> None:
        batch, self._batch = self._batch, Batch()
        self._writing_since = time.monotonic()
        self._writing_rows, self._writing_bytes = batch.n_rows, batch.n_bytes
        self._writing = asyncio.create_task(self._write(batch))

    async def _write(self, batch: Batch) -> None:
        try:
            for table, rows in batch.rows.items():
                refused = await asyncio.to_thread(self._inserter.insert, table, rows)
                origins = batch.origins[table]
                await self._send(
                    [letter(origins[r.index], "refused_by_warehouse", r.detail) for r in refused]
                )
                _add(self.report.rows, table, len(rows) - len(refused))
                for span, holders in batch.spans:
                    if table in holders:
                        self._delivery = self._delivery.acknowledge(span, table)
            await self._commit()
            await asyncio.to_thread(self._chore)
        except Exception as error:  # told to the loop, which ends the process with it
            self._failure = error
        finally:
            self._writing = None
            self._writing_rows = self._writing_bytes = 0

    async def _commit(self) -> None:
        offsets = self._delivery.committable()
        if not offsets:
            return
        try:
            await self._consumer.commit(
                {TopicPartition(*partition): offset for partition, offset in offsets.items()}
            )
        except (CommitFailedError, IllegalStateError) as error:
            # The group has moved on: the new owner reads these records again, ids stay the same.
            log.warning("commit lost to a rebalance", error=repr(error))
            return
        self._delivery = self._delivery.committed(offsets)
        written = {TopicPartition(*one): offset for one, offset in offsets.items()}
        self._reached |= written
        self._through |= written

    async def _send(self, letters: list[DeadLetter]) -> None:
        """Return when the broker has every letter."""
        sent = [
            await self._producer.send(
                contracts.DEADLETTERS, contracts.encode(one), contracts.key_of(one)
            )
            for one in letters
        ]
        await asyncio.gather(*sent)
        for one in letters:
            _add(self.report.dead_letters, one.reason, 1)
            RECORDS_DEAD_LETTERED.labels(stage="sink", reason=one.reason).inc()

    async def _is_idle(self) -> bool:
        limit = self._options.until_idle_s
        if limit is None or time.monotonic() - self._last_record < limit:
            return False
        if self._batch.spans or self._writing is not None:
            return False
        assigned = self._consumer.assignment()
        if not assigned:
            return False
        ends = await self._consumer.end_offsets(assigned)
        return all([await self._consumer.position(tp) >= end for tp, end in ends.items()])

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self._options.drain_s):
                await self.settle()
        except TimeoutError:
            # A retry hears this, fails with what it was retrying, and names the rows.
            self._inserter.stop.set()
            if self._writing is not None:
                await asyncio.wait({self._writing})
        if self._failure is not None:
            raise self._failure
        await self._commit()


class _Handover(ConsumerRebalanceListener):  # type: ignore[misc]
    """Writes and commits what was read before partitions go to another member."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called by aiokafka while the group waits."""
        await self._sink.settle()
        self._sink.give_up((tp.topic, tp.partition) for tp in revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing to do: positions are the committed offsets."""


def _add(counts: dict[str, int], name: str, number: int) -> None:
    counts[name] = counts.get(name, 0) + number
