"""An import cut short so long ago that raw.v1 has dropped what it sent ends with the mend."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from streams.config import MarginquakeError
from streams.contracts import RAW
from streams.edges.broker import Broker
from streams.edges.import_marks import Mark, holds, log_ends, sent_beyond
from streams.edges.topics import reconcile

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


async def scenario(bootstrap: str) -> None:
    begun = Mark(0, await log_ends(bootstrap))
    producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    for _ in range(3):
        await producer.send_and_wait(RAW, b"{}", partition=0)
    await producer.stop()
    sent, ends = await sent_beyond(bootstrap, begun)
    assert sent
    assert ends[0] == begun.ends[0] + 3
    assert await holds(bootstrap, Mark(3, ends, done=True))
    assert not await holds(bootstrap, Mark(3, {**ends, 0: ends[0] + 1}, done=True))
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(RAW, 0): RecordsToDelete(before_offset=2)})
    finally:
        await admin.close()
    with pytest.raises(MarginquakeError, match="no longer keeps"):
        await sent_beyond(bootstrap, begun)


def test_what_the_log_no_longer_keeps_is_not_guessed(make_broker: Callable[[], Broker]) -> None:
    broker = make_broker()
    broker.start()
    asyncio.run(reconcile(broker.bootstrap, create=True))
    asyncio.run(scenario(broker.bootstrap))
