"""cryptofeed's Kafka topics into raw.v1, as one log in the order of receipt.

The edge behind `adopt`. Promises that a backlog of many topics is written in the order in which
its messages were received, however unevenly the topics are read; that bad messages become dead
letters with their place; and that what was read is committed only after it is acknowledged, so a
killed run repeats messages (a framer knows their ids) and loses none. Keeps `MOST_WAITING`
messages of a partition at most, and reads only where none waits once there are `MOST_HELD`.
"""

import asyncio
import heapq
import re
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams import contracts
from streams.config import MarginquakeError
from streams.contracts import RAW
from streams.core.events import DEAD_LETTER_BYTES, BadLine, Raw, Rejected
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.edges.archives import Line
from streams.edges.archives.cryptofeed import read
from streams.edges.archives.form import Source, Tally
from streams.edges.archives.merged import LEAP_US, Voucher
from streams.edges.kafka_clients import started
from streams.edges.publish import MAX_UNACKNOWLEDGED, records
from streams.parsing import parsers

GROUP: Final = "marginquake-adopt"
MOST_WAITING: Final = 5_000
MOST_HELD: Final = 200_000
"""Messages of all partitions: cryptofeed has a topic for each channel, exchange and symbol."""
POLL_MS: Final = 100
TOPICS: Final = re.compile(r"(trades|liquidations|funding|open_interest|book)-[A-Z_]+-.+")
"""Names that cryptofeed gives its topics, of the channels that are read."""

Item = TypeVar("Item")


class Merge(Generic[Item]):
    """Items of several inputs by time; inside an input, the order in which they came."""

    def __init__(self, inputs: Collection[TopicPartition]) -> None:
        self.waiting: dict[TopicPartition, deque[tuple[int, Item]]] = {
            place: deque() for place in inputs
        }
        self.held = 0
        self._empty = set(inputs)
        self._heads: list[tuple[int, TopicPartition]] = []

    def add(self, place: TopicPartition, at_us: int, item: Item) -> None:
        """Take the next item of an input; a time before that of its last one counts as that."""
        waiting = self.waiting[place]
        if not waiting:
            self._empty.remove(place)
            heapq.heappush(self._heads, (at_us, place))
        waiting.append((max(at_us, waiting[-1][0]) if waiting else at_us, item))
        self.held += 1

    def take(self, drained: Collection[TopicPartition]) -> Iterator[tuple[TopicPartition, Item]]:
        """Items in order, as long as every input has one waiting or is drained."""
        if not self._empty.issubset(drained):
            return
        while self._heads:
            _, place = self._heads[0]
            waiting = self.waiting[place]
            _, item = waiting.popleft()
            self.held -= 1
            if waiting:
                heapq.heapreplace(self._heads, (waiting[0][0], place))
            else:
                heapq.heappop(self._heads)
                self._empty.add(place)
            yield place, item
            if not waiting and place not in drained:
                return

    def full(self) -> set[TopicPartition]:
        """Inputs of which no more shall be read for now; never one that is waited for."""
        most = MOST_WAITING if self.held < MOST_HELD else 1
        return {place for place, waiting in self.waiting.items() if len(waiting) >= most}


class Adoption:
    """Reads topics of cryptofeed and writes raw.v1.

    Args:
        source: bootstrap servers of cryptofeed's topics.
        target: bootstrap servers of raw.v1.
        topics: their names; empty for all that are named as cryptofeed does.
        instruments: contract sizes.
        detail: `as-published` to leave sides as cryptofeed has them.
    """

    def __init__(
        self,
        source: str,
        target: str,
        topics: Sequence[str],
        instruments: Instruments,
        detail: str = "",
    ) -> None:
        self._source = source
        self._target = target
        self._topics = topics
        self._instruments = instruments
        self._parsers = parsers()
        self._detail = detail
        self._voucher = Voucher("adopt", 0)
        self._taken: dict[TopicPartition, int] = {}
        self.tally = Tally()
        self.adopted = 0
        self.ready = False

    async def run(self, stop: asyncio.Event, until_idle_s: float | None = None) -> None:
        """Adopt until `stop` is set, or until nothing came for `until_idle_s`.

        Raises:
            MarginquakeError: there is no such topic, or a broker is not there.
        """
        consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=self._source,
            group_id=GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        async with started(consumer, self._source):
            producer: Any = AIOKafkaProducer(
                bootstrap_servers=self._target,
                enable_idempotence=True,
                acks="all",
                linger_ms=5,
                max_request_size=contracts.topics()[RAW].max_message_bytes,
                compression_type="lz4",
            )
            async with started(producer, self._target):
                await self._loop(consumer, producer, stop, until_idle_s)

    async def _places(self) -> list[TopicPartition]:
        admin: Any = AIOKafkaAdminClient(bootstrap_servers=self._source)
        await admin.start()
        try:
            told = await admin.describe_topics()
        finally:
            await admin.close()
        known = {one["topic"]: [p["partition"] for p in one["partitions"]] for one in told}
        names = self._topics or sorted(name for name in known if TOPICS.fullmatch(name))
        missing = sorted(set(names) - known.keys())
        if missing or not names:
            raise MarginquakeError(
                f"no topic {', '.join(missing) or 'named as cryptofeed names them'} on "
                f"{self._source}; name topics that are there"
            )
        return [TopicPartition(name, p) for name in names for p in sorted(known[name])]

    async def _loop(
        self, consumer: Any, producer: Any, stop: asyncio.Event, until_idle_s: float | None
    ) -> None:
        places = await self._places()
        consumer.assign(places)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
        merge: Merge[tuple[int, Raw | BadLine]] = Merge(places)
        pending: list[asyncio.Future[Any]] = []
        heard = time.monotonic()
        self.ready = True
        while not stop.is_set():
            batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_WAITING)
            for place, batch in batches.items():
                for record in batch:
                    for at_us, item in self._read(record):
                        merge.add(place, at_us, (record.offset, item))
            drained = set()
            for place in places:
                end = consumer.highwater(place)
                ends[place] = ends[place] if end is None else end
                if await consumer.position(place) >= ends[place]:
                    drained.add(place)
            for place, (offset, item) in merge.take(drained):
                for line in self._lines(item, f"{place.topic}-{place.partition}@{offset}"):
                    for key, partition, value, headers in records(line, self._instruments):
                        pending.append(
                            await producer.send(
                                RAW, value, key, partition=partition, headers=headers
                            )
                        )
                self._taken[place] = offset + 1
                if len(pending) >= MAX_UNACKNOWLEDGED:
                    await self._settle(consumer, pending)
            if pending:
                await self._settle(consumer, pending)
            full = merge.full()
            consumer.pause(*full)
            consumer.resume(*(consumer.paused() - full))
            now = time.monotonic()
            if batches or len(drained) < len(places):
                heard = now
            elif until_idle_s is not None and now - heard >= until_idle_s:
                return

    async def _settle(self, consumer: Any, pending: list[asyncio.Future[Any]]) -> None:
        await asyncio.gather(*pending)
        pending.clear()
        await consumer.commit(self._taken)
        self._taken = {}

    def _read(self, record: Any) -> Iterator[tuple[int, Raw | BadLine]]:
        """What a message holds, with its receipt (us); a bad one stands where it came."""
        value = record.value or b""
        place = f"{record.topic}-{record.partition}@{record.offset}"
        source = Source(place, self._instruments, self._detail, self.tally)
        for found in read(source, value):
            if isinstance(found, Rejected):
                raw = Raw("unknown", None, place, 0, value[:DEAD_LETTER_BYTES])
                yield 0, BadLine(found, raw, len(value), place)
            elif isinstance(found, Raw):
                yield self._dated(found, record.timestamp, value, place)
            else:
                self.tally.without_event += 1

    @staticmethod
    def _dated(raw: Raw, taken_ms: int, value: bytes, place: str) -> tuple[int, Raw | BadLine]:
        """A record with its receipt; a bad line when Kafka took the message long before that.

        One such stamp would be the time of everything after it.
        """
        if taken_ms < 0 or raw.received_at_us <= taken_ms * 1000 + LEAP_US:
            return raw.received_at_us, raw
        detail = f"received_at_us {raw.received_at_us} is over an hour after Kafka took the message"
        bad = Raw("unknown", None, place, 0, value[:DEAD_LETTER_BYTES])
        return 0, BadLine(Rejected("time_out_of_range", detail), bad, len(value), place)

    def _lines(self, item: Raw | BadLine, place: str) -> Iterator[Line]:
        """The records of a message: before it the heartbeats that were due."""
        voucher = self._voucher
        if isinstance(item, BadLine):
            raw = msgspec.structs.replace(
                item.raw, connection=voucher.name, received_at_us=voucher.last_us
            )
            yield Line(raw, place, (), msgspec.structs.replace(item, raw=raw))
            return
        at_us = max(item.received_at_us, voucher.last_us)
        yield from voucher.before(at_us)
        voucher.last_us = at_us
        connection = voucher.connection(item.venue)
        raw = Raw(item.venue, item.channel, connection, at_us, item.payload)
        outcomes = normalise(raw, self._parsers, self._instruments)
        yield from voucher.subscribe(raw, outcomes)
        assets = sorted({a for a in (getattr(o, "asset", None) for o in outcomes) if a})
        yield Line(raw, place, tuple(assets))
        self.adopted += 1
