"""The Faust engine: asset stage over frames.v1, market stage over market_inputs.v1.

A thin shell around `streams.core.pipeline`; holds no business rule. Faust acks an event whose
agent raised, and after a rebalance it may leave events in its queues that nobody acks, which holds
the group's offset for ever. So its acks are off: the shell catches everything and stops the
process, commits itself what its states are saved through, and reads a partition again from where
they stand. Outputs are acknowledged before states are saved; ids are deterministic; a frame that
comes again is known by its second.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, Protocol

import faust
import structlog
import tenacity
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaConnectionError
from faust.types import TP

from streams import contracts
from streams.config import MarginquakeError
from streams.contracts import FRAMES, MARKET_INPUTS, encode, key_of, partition_for, topic_of
from streams.core.params import Params
from streams.core.pipeline import AssetStage, BrokenChain, MarketStage, Snapshot
from streams.core.results import MARKET, Output
from streams.core.rowmeta import RowMeta
from streams.engines.beginning import check_begin, reaches
from streams.engines.stage_store import StageStore
from streams.engines.state_table import StateTable
from streams.telemetry import CHECKPOINT_SECONDS, END_TO_END_LATENCY, FRAME_GAPS, RESULTS

ENGINE: Final = "faust"
APP_ID: Final = "marginquake-detect"
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
        self._sent: list[asyncio.Future[Any]] = []
        self._lock = asyncio.Lock()
        self._saved = time.monotonic()
        self.producer: Any = None

    async def record(self, record: Record) -> None:
        """Apply one record, exactly at its place in the log.

        What the states have missed is read again first: all that a restart has not saved, and
        whatever Faust leaves out (after a rebalance its stream may skip records). What they
        have applied is ignored.
        """
        store = self._stores.get(record.partition)
        if store is None or store.next_offset is None or record.offset > store.next_offset:
            store = await self._catch_up(record.partition, record.offset)
        if record.offset == store.next_offset:
            await self._step(store, record)

    async def _step(self, store: StageStore, record: Record) -> None:
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
        async with self._lock:
            began = self._saved = time.monotonic()
            cuts = {partition: store.cut() for partition, store in self._stores.items()}
            sent, self._sent = self._sent, []
            for future in sent:
                await future
            for partition, saved in cuts.items():
                if saved is not None and partition in self._stores:
                    self._table.writing_to = partition
                    self._stores[partition].write(saved)
                    self._to_commit[TP(self.topic, partition)] = saved.next_offset
            await self._table.acknowledged()
            if self._to_commit and await self._commit(dict(self._to_commit)):
                self._to_commit.clear()
            CHECKPOINT_SECONDS.labels(stage=f"detect:{self.topic}").observe(
                time.monotonic() - began
            )

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop stages of partitions that went to another worker."""
        for partition in partitions:
            self._stores.pop(partition, None)
            self._to_commit.pop(TP(self.topic, partition), None)
            self._revocations[partition] = self._revocations.get(partition, 0) + 1

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
        raise MarginquakeError(
            f"{FRAMES}-{record.partition}@{record.offset}: the frame of {rows.asset} follows "
            f"{rows.found}, its state has {rows.expected}: frames or states were lost"
        )
    store.applied(frame.asset, record.offset)
    return rows


def apply_market_input(store: StageStore, record: Record) -> Iterable[Output]:
    """Apply a tick or a contribution to the market stage."""
    stage, _ = store.stage(MARKET)
    assert isinstance(stage, MarketStage)  # noqa: S101  the table holds what `create` made
    rows = stage.step(contracts.decode_market_input(record.value))
    store.applied(MARKET, record.offset)
    return rows


class Worker:
    """One Faust worker: both stages, and an orderly start and stop."""

    def __init__(
        self,
        bootstrap: str,
        datadir: str,
        warm: Mapping[str, Snapshot] | None = None,
        params: Params | None = None,
    ) -> None:
        """Prepare the worker.

        Args:
            bootstrap: Kafka servers.
            datadir: a folder for Faust's own files.
            warm: histories by scope for stages that have none in their table.
            params: of the detectors.
        """
        self._bootstrap = bootstrap
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._app = _app(bootstrap, datadir)
        self._shells = _shells(self._app, bootstrap, warm or {}, params or Params())
        for shell in self._shells:
            _attach(self._app, shell, self._fail)

    @property
    def ready(self) -> bool:
        """Whether the worker has joined the group and recovered its tables."""
        return bool(self._app.rebalancing is False and self._app.started)

    def _fail(self, error: BaseException) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)

    async def run(self, stop: asyncio.Event) -> None:
        """Detect until `stop` is set; then save states and leave the group.

        Raises:
            Exception: the first error of a stage; the process must end with it.
        """
        producer: Any = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            max_batch_size=256 * 1024,
            compression_type="lz4",
        )
        await producer.start()
        for shell in self._shells:
            shell.producer = producer
        await self._app.start()
        stopped: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
        ends: set[asyncio.Future[Any]] = {stopped, self._failed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._failed.done():
            # No orderly stop: what is not saved is read again, and a stuck agent cannot drain.
            self._failed.result()
        for shell in self._shells:
            await shell.save()
        await self._app.stop()
        await producer.stop()


def _app(bootstrap: str, datadir: str) -> Any:
    return faust.App(
        APP_ID,
        broker=";".join(f"kafka://{server}" for server in bootstrap.split(",")),
        store="memory://",
        datadir=datadir,
        Table=StateTable,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        key_serializer="raw",
        value_serializer="raw",
        broker_commit_interval=1.0,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        consumer_auto_offset_reset="earliest",
        producer_max_request_size=16 * 1024 * 1024,
        stream_wait_empty=False,
    )


def _shells(
    app: Any, bootstrap: str, warm: Mapping[str, Snapshot], params: Params
) -> tuple[Shell, Shell]:
    digest = params.hash()

    def meta(partition: int) -> RowMeta:
        return RowMeta(digest, ENGINE, partition)

    def warmed(stage: Any, key: str) -> Any:
        if key in warm:
            stage.warm(warm[key].hot, warm[key].pages)
        return stage

    async def commit(offsets: dict[TP, int]) -> bool:
        # Faust has no public call that commits given offsets.
        return bool(await app.consumer._commit_offsets(offsets))  # noqa: SLF001

    def table(name: str, partitions: int) -> Any:
        return app.Table(name, partitions=partitions, key_type=str, value_type=bytes)

    return (
        Shell(
            FRAMES,
            table("detector_state", contracts.partitions()),
            lambda key, partition: warmed(AssetStage(key, params, meta(partition)), key),
            partial(apply_frame, reached=reaches(warm)),
            bootstrap,
            commit,
        ),
        Shell(
            MARKET_INPUTS,
            table("market_state", 1),
            lambda key, _: warmed(MarketStage(params, meta(partition_for(MARKET))), key),
            apply_market_input,
            bootstrap,
            commit,
        ),
    )


def _attach(app: Any, shell: Shell, fatal: Callable[[BaseException], None]) -> None:
    """Register the agent, the idle save and the revocation of one shell."""
    topic = app.topic(
        shell.topic, key_serializer="raw", value_serializer="raw", value_type=bytes, acks=False
    )

    async def guarded(work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            # Faust would ack the event and go on; nothing may be skipped in silence.
            fatal(error)
            await asyncio.Event().wait()

    async def agent(stream: Any) -> None:
        async for event in stream.events():
            await guarded(shell.record(event.message))

    app.agent(topic, name=f"detect-{shell.topic}")(agent)

    async def idle() -> None:
        await guarded(shell.save())

    app.timer(SAVE_S / 4, name=f"save-{shell.topic}")(idle)

    async def revoked(sender: Any, partitions: Any, **kwargs: Any) -> None:
        mine = [source.partition for source in partitions if source.topic == shell.topic]
        if mine:
            await guarded(shell.save())
            shell.forget(mine)

    app.on_partitions_revoked.connect(revoked, weak=False)
