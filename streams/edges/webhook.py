"""Rows of result topics to a webhook: offsets committed only behind delivered rows.

Beside the sink, one consumer group of its own. Promises at-least-once delivery; the order of a
key, since the rows of a partition go one after the other; that a partition whose receiver is slow
or away waits alone, with the membership kept and bounded memory; and that a row which is given up
is in deadletters.v1, with its place in the log, before its offset moves. After a crash rows may be
delivered again under the same delivery id. Does not promise order between partitions.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import aiohttp
import msgspec
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
from streams.core.events import WebhookRejectReason
from streams.edges.group_offsets import first_offsets
from streams.edges.intake import letter
from streams.edges.webhook_post import Delivery, Poster, Stopped, Target, Undelivered
from streams.telemetry import (
    CONSUMER_LAG,
    RECORDS_DEAD_LETTERED,
    WEBHOOK_DELIVERED,
    WEBHOOK_WAIT,
    Health,
)

GROUP: Final = "marginquake-webhook"
POLL_MS: Final = 200
MOST_WAITING: Final = 200
"""Rows of a partition that wait for the receiver; more are not read."""
STALLED_S: Final = 120.0

log = structlog.get_logger(__name__)


class _Row(msgspec.Struct):
    """What is asked of a row here."""

    id: str
    revision: int
    is_final: bool


_row = msgspec.json.Decoder(_Row)


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """What one webhook delivers. `begin`: where a group that is new starts.

    `final_only` passes over rows that may be revised; `until_idle_s` ends once everything is
    delivered and nothing came for so long (None: run on).
    """

    topics: tuple[str, ...] = (contracts.ALERTS,)
    group: str = GROUP
    begin: Literal["earliest", "latest"] = "latest"
    final_only: bool = False
    timeout_s: float = 10.0
    give_up_s: float = 3600.0
    until_idle_s: float | None = None


@dataclass(slots=True)
class WebhookReport:
    """What one run did; `dead_letters` counts by reason, `passed_over` rows not asked for."""

    delivered: int = 0
    retries: int = 0
    passed_over: int = 0
    dead_letters: dict[str, int] = field(default_factory=dict)


class _Lane:
    """The rows of one partition, one after the other."""

    def __init__(self, webhook: "Webhook", poster: Poster) -> None:
        self.waiting: deque[Any] = deque()
        self.reached: int | None = None
        self.committed: int | None = None
        self.since: float | None = None
        self._webhook = webhook
        self._poster = poster
        self._work: asyncio.Task[None] | None = None

    def add(self, records: Iterable[Any]) -> None:
        self.waiting.extend(records)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run())

    @property
    def through(self) -> int:
        """Offset of the first row that is not delivered."""
        return self.waiting[0].offset if self.waiting else self.reached or 0

    @property
    def busy(self) -> bool:
        return self._work is not None and not self._work.done()

    async def end(self) -> None:
        """Wait for the try that is under way."""
        if self._work is not None:
            await asyncio.wait({self._work})

    async def drop(self) -> None:
        """Break off: the partition goes to another member, which delivers again."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait({self._work})

    async def _run(self) -> None:
        try:
            while self.waiting and not self._webhook.stop.is_set():
                self.since = time.monotonic()
                await self._webhook.handle(self.waiting[0], self._poster)
                self.reached = self.waiting.popleft().offset + 1
        except Stopped:
            pass
        except Exception as error:  # told to the loop, which ends the process with it
            self._webhook.fail(error)
        finally:
            self.since = None


class Webhook:
    """One member of the group. `run` until `stop` is set, idle or failed."""

    def __init__(self, kafka: str, target: Target, options: WebhookOptions | None = None) -> None:
        """Nothing is opened yet.

        Args:
            kafka: bootstrap servers.
            target: the receiver.
            options: what to deliver.

        Raises:
            MarginquakeError: a topic whose rows have no id and revision.
        """
        self.report = WebhookReport()
        self.stop = asyncio.Event()
        self._kafka = kafka
        self._target = target
        self._options = options or WebhookOptions()
        self._consumer: Any = None
        self._producer: Any = None
        self._lanes: dict[TopicPartition, _Lane] = {}
        self._reached: dict[TopicPartition, int] = {}
        self._failure: Exception | None = None
        for reason in get_args(WebhookRejectReason):
            # A counter that begins with its first event shows no increase.
            RECORDS_DEAD_LETTERED.labels(stage="webhook", reason=reason)
        wrong = [name for name in self._options.topics if name not in contracts.RESULT_TOPICS]
        if wrong:
            raise MarginquakeError(
                f"{', '.join(wrong)} holds no rows with id and revision: deliver some of "
                f"{', '.join(contracts.RESULT_TOPICS)}"
            )

    def health(self) -> Health:
        """Unhealthy after a failure, or when a row has waited for the receiver too long."""
        if self._failure is not None:
            return Health(False, str(self._failure))
        waited = self._longest_wait()
        if waited > STALLED_S:
            return Health(False, f"{self._target.label} has not taken a row for {waited:.0f} s")
        return Health(True)

    async def run(self, stop: asyncio.Event) -> WebhookReport:
        """Deliver until `stop` or idle; what was delivered is then committed.

        Raises:
            MarginquakeError: no broker or topic, or an offset that is gone from the log.
        """
        self.stop = stop
        options = self._options
        self._reached = await first_offsets(
            self._kafka, options.group, options.topics, options.begin
        )
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka,
            group_id=options.group,
            client_id="marginquake-webhook",
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=10_000,
        )
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka, client_id="marginquake-webhook", enable_idempotence=True
        )
        # A receiver's cookie would be state that a restart loses.
        session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        poster = Poster(session, self._target, stop, options.timeout_s, options.give_up_s)
        try:
            await self._producer.start()
            self._consumer.subscribe(topics=options.topics, listener=_Handover(self))
            await self._consumer.start()
            heard = time.monotonic()
            while not stop.is_set() and self._failure is None:
                if await self._turn(poster):
                    heard = time.monotonic()
                elif await self._is_idle(time.monotonic() - heard):
                    break
            await self._drain()
        except OffsetOutOfRangeError as error:
            raise MarginquakeError(
                f"offsets of group {options.group} are no longer in the log ({error}): rows were "
                "deleted before they were delivered; use another --group to go on from the end"
            ) from error
        except KafkaError as error:
            raise MarginquakeError(f"Kafka at {self._kafka} failed: {error!r}") from error
        finally:
            for lane in self._lanes.values():
                await lane.drop()
            await self._consumer.stop()
            await self._producer.stop()
            await session.close()
        self.report.retries = poster.retries
        return self.report

    async def handle(self, record: Any, poster: Poster) -> None:
        """Deliver a record, or put it among the dead letters.

        Raises:
            Stopped: neither is done, since the process ends.
        """
        body = record.value or b""
        try:
            row = _row.decode(body)
        except msgspec.DecodeError as error:
            await self._give_up(record, "invalid_row", str(error))
            return
        if self._options.final_only and not row.is_final:
            self.report.passed_over += 1
            return
        try:
            await poster.deliver(Delivery(f"{row.id}.{row.revision}", record.topic, body))
        except Undelivered as error:
            await self._give_up(record, error.reason, error.detail)
            return
        self.report.delivered += 1
        WEBHOOK_DELIVERED.labels(topic=record.topic).inc()

    def fail(self, error: Exception) -> None:
        """End the run with this error."""
        self._failure = error

    async def hand_over(self) -> None:
        """Partitions may go to another member: break off, and commit what is delivered."""
        for lane in self._lanes.values():
            await lane.drop()
        await self._commit()
        for place in self._lanes:
            CONSUMER_LAG.remove(place.topic, place.partition)
        self._lanes.clear()

    async def _turn(self, poster: Poster) -> bool:
        """Read what there is room for; whether anything came."""
        assigned = self._consumer.assignment()
        full = {tp for tp, lane in self._lanes.items() if len(lane.waiting) >= MOST_WAITING}
        self._consumer.pause(*(full & assigned - self._consumer.paused()))
        self._consumer.resume(*(self._consumer.paused() & assigned - full))
        try:
            polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_WAITING)
        except NoOffsetForPartitionError as error:
            # A broker that was held up can lose a commit: go on where the group was.
            place = error.args[0]
            begin = (await self._consumer.beginning_offsets([place]))[place]
            self._consumer.seek(place, self._reached.get(place, begin))
            return True
        for place, records in polled.items():
            if place not in self._consumer.assignment():
                continue  # given away while we polled: the new owner reads them
            if place not in self._lanes:
                self._lanes[place] = _Lane(self, poster)
            self._lanes[place].add(records)
        await self._commit()
        self._tell()
        return bool(polled)

    async def _commit(self) -> None:
        assigned = self._consumer.assignment()
        offsets = {
            place: lane.reached
            for place, lane in self._lanes.items()
            if lane.reached is not None and lane.reached != lane.committed and place in assigned
        }
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            # The group has moved on: the new owner delivers these rows again, ids stay the same.
            log.warning("commit lost to a rebalance", error=repr(error))
            return
        self._reached |= offsets
        for place, offset in offsets.items():
            self._lanes[place].committed = offset

    def _tell(self) -> None:
        """What waits, at every turn: at a commit alone a receiver that is away costs no lag."""
        WEBHOOK_WAIT.set(self._longest_wait())
        for place in self._consumer.assignment() & self._lanes.keys():
            end = self._consumer.highwater(place)
            if end is not None:  # unknown until the first fetch after a rebalance
                lag = CONSUMER_LAG.labels(topic=place.topic, partition=place.partition)
                lag.set(max(end - self._lanes[place].through, 0))

    async def _give_up(self, record: Any, reason: WebhookRejectReason, detail: str) -> None:
        one = letter(record, reason, detail, "webhook")
        await self._producer.send_and_wait(
            contracts.DEADLETTERS, contracts.encode(one), contracts.key_of(one)
        )
        counts = self.report.dead_letters
        counts[reason] = counts.get(reason, 0) + 1
        RECORDS_DEAD_LETTERED.labels(stage="webhook", reason=reason).inc()
        log.error("row not delivered", reason=reason, source=one.source, detail=detail)

    def _longest_wait(self) -> float:
        now = time.monotonic()
        return max((now - lane.since for lane in self._lanes.values() if lane.since), default=0.0)

    async def _is_idle(self, quiet_s: float) -> bool:
        limit = self._options.until_idle_s
        if limit is None or quiet_s < limit or any(lane.busy for lane in self._lanes.values()):
            return False
        assigned = self._consumer.assignment()
        if not assigned:
            return False
        ends = await self._consumer.end_offsets(assigned)
        return all([await self._consumer.position(tp) >= end for tp, end in ends.items()])

    async def _drain(self) -> None:
        """Let the tries that are under way end, then commit."""
        for lane in self._lanes.values():
            await lane.end()
        await self._commit()
        if self._failure is not None:
            raise self._failure


class _Handover(ConsumerRebalanceListener):  # type: ignore[misc]
    """Breaks off and commits before partitions go to another member."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called by aiokafka while the group waits; all partitions are given out anew."""
        await self._webhook.hand_over()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing to do: positions are the committed offsets."""
