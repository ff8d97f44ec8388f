"""How far a consumer group is behind its topics.

Beside the data path, for whoever must know that a stage has read everything. Promises the
records between the group's committed offsets and the ends of the partitions at one moment. Does
not promise that a stage's outputs are written: that is what an offset means to its stage.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
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

_COORDINATOR_STARTS: Final = (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)
"""A broker that has just started, or has had no group yet, makes its coordinator first."""


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
        done = 0
        for place in places:
            offset = committed[place].offset if place in committed else -1
            done += max(0, min(offset, ends[place]) - begins[place])
        return Lag(done, sum(ends[place] - begins[place] for place in places))


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
