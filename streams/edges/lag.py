"""How far a consumer group is behind its topics.

Beside the data path, for whoever must know that a stage has read everything. Promises the
records between the group's committed offsets and the ends of the partitions at one moment. Does
not promise that a stage's outputs are written: that is what an offset means to its stage.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaConnectionError,
    KafkaError,
    NotCoordinatorForGroupError,
)

from streams import contracts
from streams.config import MarginquakeError
from streams.telemetry import CONSUMER_LAG

_COORDINATOR_STARTS: Final = (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)
"""A broker that has just started, or has had no group yet, makes its coordinator first."""


PUBLISH_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Lag:
    """Records that the group has committed, and that there are; both from the log's beginning."""

    done: int
    records: int

    @property
    def behind(self) -> int:
        """Records still to be read."""
        return self.records - self.done


class LagReader:
    """Reads lags over one connection; made by `lag_reader`."""

    def __init__(self, admin: Any, consumer: Any) -> None:
        self._admin = admin
        self._consumer = consumer

    async def read(self, group: str, topics: Sequence[str]) -> Lag:
        """The group's lag over topics of topics.yaml; a group unknown to Kafka has done nothing."""
        found = (await self.by_partition(group, topics)).values()
        return Lag(sum(one.done for one in found), sum(one.records for one in found))

    async def by_partition(self, group: str, topics: Sequence[str]) -> dict[TopicPartition, Lag]:
        """The same of each partition."""
        specs = contracts.topics()
        places = [
            TopicPartition(topic, number)
            for topic in topics
            for number in range(specs[topic].partitions)
        ]
        begins = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        try:
            committed = await self._admin.list_consumer_group_offsets(group, partitions=places)
        except _COORDINATOR_STARTS:
            committed = {}
        found: dict[TopicPartition, Lag] = {}
        for place in places:
            offset = committed[place].offset if place in committed else -1
            done = max(0, min(offset, ends[place]) - begins[place])
            found[place] = Lag(done, ends[place] - begins[place])
        return found


async def publish_lag(bootstrap: str, group: str, topics: Sequence[str]) -> None:
    """Set the lag gauges of a group every few seconds, until cancelled.

    For a stage that reads outside this process and commits what it has saved.
    """
    while True:
        with suppress(MarginquakeError):
            async with lag_reader(bootstrap) as reader:
                while True:
                    for place, lag in (await reader.by_partition(group, topics)).items():
                        gauge = CONSUMER_LAG.labels(place.topic, str(place.partition))
                        gauge.set(lag.behind)
                    await asyncio.sleep(PUBLISH_S)
        await asyncio.sleep(PUBLISH_S)


@asynccontextmanager
async def lag_reader(bootstrap: str) -> AsyncIterator[LagReader]:
    """A LagReader; raises MarginquakeError when no broker answers."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await admin.start()
        await consumer.start()
        yield LagReader(admin, consumer)
    except KafkaConnectionError:
        raise MarginquakeError(
            f"no Kafka broker answers at {bootstrap}; start one with `marginquake broker start`"
        ) from None
    except KafkaError as error:
        raise MarginquakeError(f"Kafka at {bootstrap} failed: {error!r}") from error
    finally:
        await consumer.stop()
        await admin.close()
