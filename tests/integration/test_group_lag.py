"""The lag of a group that another process commits for, by partition, on a real broker."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from streams import contracts
from streams.edges.lag import lag_reader, publish_lag
from streams.telemetry import REGISTRY
from tests.pipeline_stack import commit

pytestmark = pytest.mark.kafka
GROUP = "group-of-lags"
SENT = {0: 5, 3: 2}
COMMITTED = {0: 4}


async def fill(bootstrap: str) -> None:
    producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for partition, count in SENT.items():
            for _ in range(count):
                await producer.send_and_wait(contracts.LATE, b"{}", partition=partition)
    finally:
        await producer.stop()
    places = {TopicPartition(contracts.LATE, part): at for part, at in COMMITTED.items()}
    await commit(bootstrap, GROUP, places)


def gauge(partition: int) -> float | None:
    labels = {"topic": contracts.LATE, "partition": str(partition)}
    return REGISTRY.get_sample_value("marginquake_consumer_lag_records", labels)


def test_each_partition_counts_what_lies_behind_its_committed_offset(own_broker: str) -> None:
    async def told() -> tuple[int, int]:
        await fill(own_broker)
        async with lag_reader(own_broker) as reader:
            whole = await reader.read(GROUP, (contracts.LATE,))
        publishing = asyncio.ensure_future(publish_lag(own_broker, GROUP, (contracts.LATE,)))
        async with asyncio.timeout(60):
            while gauge(3) is None and not publishing.done():
                await asyncio.sleep(0.1)
        publishing.cancel()
        with suppress(asyncio.CancelledError):
            await publishing
        return whole.done, whole.behind

    assert asyncio.run(told()) == (4, 3)
    assert (gauge(0), gauge(3), gauge(1)) == (1, 2, 0)
