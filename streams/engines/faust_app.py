"""The Faust engine: asset stage over frames.v1, market stage over market_inputs.v1.

A thin shell around `streams.core.pipeline`; holds no business rule. Faust acks an event whose
agent raised, and after a rebalance it may leave events in its queues that nobody acks, which holds
the group's offset for ever. So its acks are off: the shell catches everything and stops the
process, commits itself what its states are saved through, and reads a partition again from where
they stand. Outputs are acknowledged before states are saved; ids are deterministic; a frame that
comes again is known by its second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

import faust
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faust.types import TP

from streams import contracts
from streams.config import MarginquakeError
from streams.contracts import FRAMES, MARKET_INPUTS, partition_for
from streams.core.params import Params
from streams.core.pipeline import AssetStage, MarketStage, Snapshot
from streams.core.results import MARKET
from streams.core.rowmeta import RowMeta
from streams.engines.beginning import reaches
from streams.engines.faust_shell import SAVE_S, Shell, apply_frame, apply_market_input
from streams.engines.state_table import StateTable
from streams.engines.trimmed import lost_through

ENGINE: Final = "faust"
APP_ID: Final = "marginquake-detect"
STOP_S: Final = 20.0
"""An orderly stop ends within the grace that supervisors give, with or without a broker."""
WATCH_S: Final = 0.5
"""Between two looks at whether Faust has crashed."""

_log = structlog.get_logger()


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
        self._lost: int | None = None
        self._shells = _shells(
            self._app, bootstrap, warm or {}, params or Params(), lambda: self._lost
        )
        for shell in self._shells:
            _attach(self._app, shell, self._fail)

    @property
    def ready(self) -> bool:
        """Whether the worker has joined the group and recovered its tables."""
        app = self._app
        return bool(app.rebalancing is False and app.started and not app.crashed)

    def _fail(self, error: BaseException) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)

    async def run(self, stop: asyncio.Event) -> None:
        """Detect until `stop` is set; then save states and leave the group.

        Raises:
            Exception: the first error of a stage, or of a stop that the broker does not answer;
                the process must end with it.
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
        self._lost = await lost_through(self._bootstrap)
        for shell in self._shells:
            shell.producer = producer
        await self._app.start()
        stopped: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
        crashed: asyncio.Future[Any] = asyncio.ensure_future(self._watch())
        ends: set[asyncio.Future[Any]] = {stopped, crashed, self._failed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        crashed.cancel()
        if self._failed.done():
            # No orderly stop: what is not saved is read again, and a stuck agent cannot drain.
            self._failed.result()
        try:
            async with asyncio.timeout(STOP_S):
                for shell in self._shells:
                    await shell.save()
                await self._app.stop()
                await producer.stop()
        except TimeoutError:
            raise MarginquakeError(
                f"{self._bootstrap} did not take the last states within {STOP_S:g} s; "
                "the next start reads again what they lack"
            ) from None

    async def _watch(self) -> None:
        """Fail when Faust has crashed: its services then stand still, and nothing else tells."""
        while not self._app.crashed:
            await asyncio.sleep(WATCH_S)
        reason = self._app.crash_reason
        self._fail(MarginquakeError(f"Faust has crashed: {reason!r}; start the worker again"))


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
    app: Any,
    bootstrap: str,
    warm: Mapping[str, Snapshot],
    params: Params,
    lost: Callable[[], int | None],
) -> tuple[Shell, Shell]:
    digest = params.hash()

    def meta(partition: int) -> RowMeta:
        return RowMeta(digest, ENGINE, partition)

    def warmed(stage: Any, key: str) -> Any:
        if key in warm:
            stage.warm(warm[key].hot, warm[key].pages)
        return stage

    def market() -> MarketStage:
        stage = MarketStage(params, meta(partition_for(MARKET)), keeps_inputs=False)
        if (second := lost()) is not None:
            stage.begin_after(second)
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
            lambda key, _: warmed(market(), key),
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

    async def ends(partitions: list[int]) -> dict[int, int]:
        sources = [TP(shell.topic, partition) for partition in partitions]
        try:
            found = await app.consumer.highwaters(*sources)
        except KafkaError as error:
            _log.info("ends of partitions are not told", topic=shell.topic, error=repr(error))
            return {}
        return {source.partition: end for source, end in found.items()}

    async def idle() -> None:
        if not app.rebalancing:
            assigned = app.consumer.assignment()
            mine = [source.partition for source in assigned if source.topic == shell.topic]
            await guarded(shell.overtake(mine, ends))
        await guarded(shell.save())

    app.timer(SAVE_S / 4, name=f"save-{shell.topic}")(idle)

    async def revoked(sender: Any, partitions: Any, **kwargs: Any) -> None:
        mine = [source.partition for source in partitions if source.topic == shell.topic]
        if mine:
            await guarded(shell.save())
            shell.forget(mine)

    app.on_partitions_revoked.connect(revoked, weak=False)
