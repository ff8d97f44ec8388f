"""The framer process: raw.v1 through `streams.core.framing` to frames and their company.

An aiokafka micro-batch loop. Promises that a checkpoint is written only after everything it
stands on is acknowledged, that a restart continues from the checkpoint and repeats equal bytes,
and that SIGTERM drains. Group offsets serve lag metrics only; it never starts from them.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final, cast

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from streams import contracts
from streams.config import MarginquakeError
from streams.contracts import FRAMER_STATE, RAW, encode, key_of, partition_for, topic_of
from streams.core.events import BadLine, Raw, Rejected
from streams.core.framing import Emission, Framer, PartitionState
from streams.core.instruments import Instruments
from streams.core.normalise import Parser
from streams.edges import checkpoints
from streams.edges.framer_metrics import FramerMetrics
from streams.edges.kafka_clients import started
from streams.edges.side_checks import SideChecks
from streams.raw_records import raw_from_record
from streams.venues.assumptions import DOCUMENTED, Assumptions

GROUP: Final = "marginquake-framer"
MAX_RECORDS: Final = 10_000
POLL_MS: Final = 20
CHECKPOINT_S: Final = 1.0
CHECKPOINT_RECORDS: Final = 200_000

_log = structlog.get_logger()


class FramerProcess(ConsumerRebalanceListener):  # type: ignore[misc]
    """Frames the raw partitions that the group assigns to this process.

    Args:
        bootstrap: Kafka bootstrap servers.
        parsers: parser by venue.
        instruments: contract sizes.
        group: consumer group; its committed offsets serve lag metrics.
        checkpoint_s: wall-clock seconds between checkpoints: what a restart repeats at most.
        assumed: what the parsers assume of venues.
    """

    def __init__(
        self,
        bootstrap: str,
        parsers: Mapping[str, Parser],
        instruments: Instruments,
        group: str = GROUP,
        checkpoint_s: float = CHECKPOINT_S,
        assumed: Assumptions = DOCUMENTED,
    ) -> None:
        self._bootstrap = bootstrap
        self._parsers = parsers
        self._instruments = instruments
        self._group = group
        self._checkpoint_s = checkpoint_s
        self._framers: dict[int, Framer] = {}
        self._sent: list[asyncio.Future[Any]] = []
        self._since = 0
        # The client calls the listener while a batch or a checkpoint waits for the broker.
        self._turn = asyncio.Lock()
        self._metrics = FramerMetrics()
        self._checks = SideChecks(
            parsers, instruments, assumed, lambda why: _log.warning("assumption", detail=why)
        )
        self._consumer: Any = None
        self._producer: Any = None
        self.ready = False

    async def run(self, stop: asyncio.Event, until_idle_s: float | None = None) -> None:
        """Frame until `stop` is set, or until nothing came for `until_idle_s`; then drain.

        Raises:
            MarginquakeError: no broker answers, or the log no longer holds what a checkpoint needs.
        """
        limits = contracts.topics()
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            max_batch_size=512 * 1024,
            max_request_size=limits[FRAMER_STATE].max_message_bytes,
            compression_type="lz4",
        )
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=50,
        )
        self._consumer.subscribe([RAW], listener=self)
        async with (
            started(self._producer, self._bootstrap),
            started(self._consumer, self._bootstrap),
        ):
            await self._loop(stop, until_idle_s)
            async with self._turn:
                await self._checkpoint()

    async def _loop(self, stop: asyncio.Event, until_idle_s: float | None) -> None:
        saved = heard = time.monotonic()
        while not stop.is_set():
            batches = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
            for source, records in batches.items():
                async with self._turn:
                    await self._frame(source.partition, records)
            now = time.monotonic()
            if batches:
                heard = now
            due = now - saved >= self._checkpoint_s or self._since >= CHECKPOINT_RECORDS
            if due and self._since:
                async with self._turn:
                    await self._checkpoint()
                saved = time.monotonic()
            if until_idle_s is not None and now - heard >= until_idle_s and self.ready:
                return

    async def _frame(self, partition: int, records: list[Any]) -> None:
        framer = self._framers.get(partition)
        if framer is None:
            return
        records = await self._continuing(framer.state, records)
        if not records:
            return
        read = [raw_from_record(record.headers, record.value) for record in records]
        offsets = [record.offset for record in records]
        if {Rejected, BadLine} & set(map(type, read)):
            for raw, record in zip(read, records, strict=True):
                if isinstance(raw, Rejected):
                    value, at_us = record.value or b"", record.timestamp * 1000
                    bare = Raw("unknown", None, "unknown", at_us, value)
                    source = f"{RAW}-{partition}@{record.offset}"
                    framer.reject(BadLine(raw, bare, len(value), source))
                elif isinstance(raw, BadLine):
                    framer.reject(raw)
            offsets = [at for at, raw in zip(offsets, read, strict=True) if isinstance(raw, Raw)]
            read = [raw for raw in read if isinstance(raw, Raw)]
        framer.apply_all(cast("list[Raw]", read), offsets)
        self._checks.see_all(cast("list[Raw]", read))
        framer.state.next_offset = records[-1].offset + 1
        self._since += len(records)
        highwater = self._consumer.highwater(TopicPartition(RAW, partition))
        self._metrics.lag(partition, max(0, (highwater or 0) - framer.state.next_offset))
        await self._send(partition, framer.drain())

    async def _continuing(self, state: PartitionState, records: list[Any]) -> list[Any]:
        """The records from the checkpoint on; the log alone decides where that is.

        The client may answer a position it looked up before our seek, so a batch can begin
        elsewhere: what is behind is dropped, what is ahead is fetched again.
        """
        if records[0].offset == state.next_offset:
            return records
        if records[0].offset < state.next_offset:
            return [record for record in records if record.offset >= state.next_offset]
        source = TopicPartition(RAW, state.partition)
        begin = (await self._consumer.beginning_offsets([source]))[source]
        if begin > state.next_offset:
            raise MarginquakeError(
                f"{RAW}-{state.partition} begins at offset {begin}, the checkpoint continues at "
                f"{state.next_offset}: records between are lost. Raise the topic's retention; to "
                f"frame what is left, delete the partition's record in {FRAMER_STATE}"
            )
        self._consumer.seek(source, state.next_offset)
        return []

    async def _send(self, partition: int, emission: Emission) -> None:
        """Send an emission in order; its acknowledgements are awaited before the checkpoint."""
        messages: tuple[contracts.Message, ...] = (
            *emission.liquidations,
            *emission.late,
            *emission.frames,
            *emission.dead,
            *emission.feeds,
            *emission.ticks,
        )
        for message in messages:
            topic = topic_of(message)
            single = contracts.topics()[topic].partitions == 1
            target = 0 if single else partition
            future = await self._producer.send(topic, encode(message), key_of(message), target)
            self._sent.append(future)
        self._metrics.frames(partition, len(emission.frames))

    async def _acknowledged(self) -> None:
        sent, self._sent = self._sent, []
        for future in sent:
            await future

    async def _checkpoint(self, partitions: set[int] | None = None) -> None:
        """Write the state of each partition once what it stands on is acknowledged."""
        if not self._framers:
            return
        began = time.monotonic()
        await self._acknowledged()
        offsets = {}
        writes = []
        for partition, framer in self._framers.items():
            if partitions is not None and partition not in partitions:
                continue
            value = checkpoints.pack(framer.state, framer.slowest)
            key = str(partition).encode()
            writes.append(await self._producer.send(FRAMER_STATE, value, key, 0))
            offsets[TopicPartition(RAW, partition)] = framer.state.next_offset
            self._metrics.checkpoint(partition, framer, len(value))
        for write in writes:
            await write
        self._since = 0
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            # The group moved on; committed offsets only feed the lag metric.
            _log.info("commit_skipped", partitions=len(offsets))
        self._metrics.checkpointed(time.monotonic() - began)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Hand partitions over: checkpoint, then forget them."""
        mine = {source.partition for source in revoked}
        async with self._turn:
            if mine & set(self._framers):
                await self._checkpoint(mine)
            for partition in mine:
                if self._framers.pop(partition, None) is not None:
                    self._metrics.end(partition)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Take partitions over: load their checkpoints and seek to where they continue."""
        mine = {source.partition for source in assigned}
        async with self._turn:
            await self._take_over(assigned, mine)

    async def _take_over(self, assigned: set[TopicPartition], mine: set[int]) -> None:
        states = await checkpoints.load(self._bootstrap, mine)
        for source in assigned:
            state = states.get(source.partition)
            if state is None:
                state = PartitionState(source.partition, contracts.partitions())
                begin = (await self._consumer.beginning_offsets([source]))[source]
                state.next_offset = begin
            self._framers[source.partition] = Framer(
                state,
                self._parsers,
                self._instruments,
                partition_for,
                origin=f"{RAW}-{source.partition}@",
            )
            self._metrics.begin(source.partition, self._framers[source.partition])
            self._consumer.seek(source, state.next_offset)
        _log.info("assigned", partitions=sorted(mine), resumed=sorted(states))
        self.ready = True

    def lag_seconds(self) -> float | None:
        """Wall clock minus the slowest partition's last sealed second; None before the first."""
        ticked = [f.state.ticked for f in self._framers.values() if f.state.ticked is not None]
        return time.time() - min(ticked) if ticked else None
