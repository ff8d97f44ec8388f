"""What the Faust engine does with records: stages by partition, outputs, states and commits.

Under `faust_app`, which gives it Faust's tables and streams; knows Kafka's clients but no Faust
service. Promises that states are cut between records only, that a cut is written once all outputs
up to it are acknowledged, and that the group's offset follows the states' changelog.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Protocol

import structlog
import tenacity
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError
from faust.types import TP

from streams import contracts
from streams.config import MarginquakeError
from streams.contracts import FRAMES, MARKET_INPUTS, encode, key_of, topic_of
from streams.core.events import MICROS
from streams.core.frames import Tick
from streams.core.pipeline import AssetStage, BrokenChain, MarketStage
from streams.core.results import MARKET, Output
from streams.engines.beginning import check_begin
from streams.engines.chain import broken
from streams.engines.stage_store import StageStore
from streams.telemetry import (
    CHECKPOINT_SECONDS,
    CONSUMER_LAG,
    END_TO_END_LATENCY,
    FRAME_GAPS,
    MARKET_WAIT,
    RESULTS,
)

SAVE_S: Final = 10.0
MAX_UNACKNOWLEDGED: Final = 5_000
BROKER_AWAY_S: Final = 120.0
"""How long a worker that must read again waits for a broker that cannot be reached."""

_log = structlog.get_logger()


class Record(Protocol):
    """What both Faust and aiokafka give of a Kafka record."""

    partition: int
    offset: int
    value: bytes


class Shell:
    """One stage kind over one topic: applies records, sends outputs, saves states.

    Args:
        topic: the source topic.
        table: where states are kept.
        create: an empty stage for (key, partition).
        apply: applies one record to the store's stage; gives its outputs.
        bootstrap: for reading a partition again.
        commit: moves the group to the offsets given by partition; False when it could not, since
            a rebalance goes on.
    """

    def __init__(
        self,
        topic: str,
        table: Any,
        create: Callable[[str, int], Any],
        apply: Callable[[StageStore, Record], Iterable[Output]],
        bootstrap: str,
        commit: Callable[[dict[TP, int]], Awaitable[bool]],
    ) -> None:
        self.topic = topic
        self._commit = commit
        self._table = table
        self._create = create
        self._apply = apply
        self._bootstrap = bootstrap
        self._stores: dict[int, StageStore] = {}
        self._revocations: dict[int, int] = {}
        self._to_commit: dict[TP, int] = {}
        self._seen: dict[int, int | None] = {}
        self._reading = asyncio.Lock()
        self._sent: list[asyncio.Future[Any]] = []
        self._saving = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._saved = time.monotonic()
        self.producer: Any = None

    async def record(self, record: Record) -> None:
        """Apply one record, exactly at its place in the log.

        What the states have missed is read again first: all that a restart has not saved, and
        whatever Faust leaves out (after a rebalance its stream may skip records). What they
        have applied is ignored.
        """
        async with self._reading:
            store = self._stores.get(record.partition)
            if store is None or store.next_offset is None or record.offset > store.next_offset:
                store = await self._catch_up(record.partition, record.offset)
            if record.offset == store.next_offset:
                await self._step(store, record)

    async def overtake(
        self, partitions: Iterable[int], ends: Callable[[list[int]], Awaitable[dict[int, int]]]
    ) -> None:
        """Read what waits in partitions that have not moved since the last call.

        After a rebalance Faust may keep records that it has fetched, and only a later one would
        show that: where a log ends, none comes.

        Args:
            partitions: those assigned.
            ends: asks the broker where partitions end.
        """
        before, now = self._seen, {part: self._reached(part) for part in partitions}
        self._seen = now
        if not now:
            return
        for part, end in (await ends(list(now))).items():
            if part not in self._seen:
                # It went to another worker while the broker was asked.
                continue
            CONSUMER_LAG.labels(topic=self.topic, partition=part).set(
                max(0, end - (self._reached(part) or 0))
            )
            if part not in before or before[part] != now[part]:
                continue
            async with self._reading:
                if self._reached(part) == before[part] and end > (before[part] or 0):
                    await self._catch_up(part, end)

    def _reached(self, partition: int) -> int | None:
        store = self._stores.get(partition)
        return None if store is None else store.next_offset

    async def _step(self, store: StageStore, record: Record) -> None:
        async with self._turn:
            for message in self._apply(store, record):
                await self._send(message)
        if len(self._sent) > MAX_UNACKNOWLEDGED or time.monotonic() - self._saved > SAVE_S:
            await self.save()

    async def _send(self, message: Output) -> None:
        topic = topic_of(message)
        single = contracts.topics()[topic].partitions == 1
        partition = 0 if single else message.partition
        value, key = encode(message), key_of(message)
        self._sent.append(await self.producer.send(topic, value, key, partition))
        RESULTS.labels(topic=topic).inc()
        watermark = getattr(message, "watermark", None)
        if watermark is not None:
            END_TO_END_LATENCY.labels(topic=topic).observe(max(0, time.time() - watermark / 1e6))

    async def save(self) -> None:
        """Save states as of now, once everything sent up to now is acknowledged; then commit."""
        async with self._saving:
            began = self._saved = time.monotonic()
            # Never between two outputs of one record: its state would outlive the second.
            async with self._turn:
                cuts = {partition: store.cut() for partition, store in self._stores.items()}
                sent, self._sent = self._sent, []
            for future in sent:
                await future
            for partition, saved in cuts.items():
                if saved is not None and partition in self._stores:
                    self._table.writing_to = partition
                    self._stores[partition].write(saved)
            await self._table.acknowledged()
            for partition, saved in cuts.items():
                if saved is not None and partition in self._stores:
                    self._to_commit[TP(self.topic, partition)] = saved.next_offset
            await self._commit_saved()
            CHECKPOINT_SECONDS.labels(stage=f"detect:{self.topic}").observe(
                time.monotonic() - began
            )

    async def _commit_saved(self) -> None:
        offered = dict(self._to_commit)
        if offered and await self._commit(offered):
            # What came meanwhile stays for the next save.
            for source, offset in offered.items():
                if self._to_commit.get(source) == offset:
                    del self._to_commit[source]

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop stages of partitions that went to another worker."""
        for partition in partitions:
            self._stores.pop(partition, None)
            CONSUMER_LAG.remove(self.topic, partition)
            self._to_commit.pop(TP(self.topic, partition), None)
            self._seen.pop(partition, None)
            self._revocations[partition] = self._revocations.get(partition, 0) + 1
            if self.topic == MARKET_INPUTS:
                MARKET_WAIT.set(0)

    async def _reader(self) -> Any:
        """A started consumer; waits for a broker that is away, as those that run do."""
        async for attempt in tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(KafkaConnectionError),
            wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=5),
            stop=tenacity.stop_after_delay(BROKER_AWAY_S),
            reraise=True,
        ):
            with attempt:
                consumer: Any = AIOKafkaConsumer(
                    bootstrap_servers=self._bootstrap,
                    enable_auto_commit=False,
                    auto_offset_reset="none",
                )
                try:
                    await consumer.start()
                except KafkaConnectionError:
                    await consumer.stop()
                    raise
        return consumer

    async def _catch_up(self, partition: int, until: int) -> StageStore:
        """Read the partition from where its states stand up to `until`, exclusive."""
        revocations = self._revocations.get(partition, 0)
        store = self._stores.get(partition)
        if store is None:
            store = StageStore(partition, self._table, lambda key: self._create(key, partition))
        source = TopicPartition(self.topic, partition)
        consumer = await self._reader()
        try:
            consumer.assign([source])
            begin = (await consumer.beginning_offsets([source]))[source]
            at = begin if store.next_offset is None else store.next_offset
            if at < begin:
                raise MarginquakeError(
                    f"{self.topic}-{partition}: states are saved through offset {at}, the topic "
                    f"begins at {begin}: records between are lost; raise its retention"
                )
            consumer.seek(source, at)
            store.next_offset = at
            while store.next_offset < until:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        if store.next_offset <= record.offset < until:
                            await self._step(store, record)
        finally:
            await consumer.stop()
        _log.info("read_again", topic=self.topic, partition=partition, begin=at, until=until)
        if self._revocations.get(partition, 0) == revocations:
            # Else the partition is another worker's by now, and its states must not be ours.
            if partition not in self._stores:
                # A worker that died between its states and its commit left the group elsewhere.
                self._to_commit[TP(self.topic, partition)] = at
            self._stores[partition] = store
        return store


def apply_frame(
    store: StageStore, record: Record, reached: Mapping[str, int] | None = None
) -> Iterable[Output]:
    """Apply a frame to its asset's stage; a stage that begins does so after `reached` (µs).

    Raises:
        MarginquakeError: the frame chain is broken (frames or states were lost), or it begins
            inside the histories of `--warm`.
    """
    frame = contracts.decode_frame(record.value)
    stage, fresh = store.stage(frame.asset)
    assert isinstance(stage, AssetStage)  # noqa: S101  the table holds what `create` made
    if fresh and reached:
        check_begin(frame, reached)
    rows = stage.step(frame, first=fresh and store.marker is None)
    if isinstance(rows, BrokenChain):
        FRAME_GAPS.labels(partition=record.partition).inc()
        raise broken(f"{FRAMES}-{record.partition}@{record.offset}", rows)
    store.applied(frame.asset, record.offset)
    return rows


def apply_market_input(store: StageStore, record: Record) -> Iterable[Output]:
    """Apply a tick or a contribution to the market stage."""
    stage, _ = store.stage(MARKET)
    assert isinstance(stage, MarketStage)  # noqa: S101  the table holds what `create` made
    item = contracts.decode_market_input(record.value)
    sealed = stage.sealed
    rows = stage.step(item)
    # A contribution may be what the last tick waited for.
    if isinstance(item, Tick) or stage.sealed != sealed:
        MARKET_WAIT.set(stage.waits_s)
    store.unapplied.heard(item.second // MICROS, record.offset, stage.sealed)
    store.applied(MARKET, record.offset)
    return rows
