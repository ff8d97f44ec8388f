"""Collected records stand in raw.v1 by asset and in order, status records in every partition."""

import asyncio
import time
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.collect.kafka import KafkaSink
from streams.collect.records import Record, status_record
from streams.config import MarginquakeError
from streams.contracts import RAW, decode_status, partition_for, partitions
from streams.core.events import Raw, Status
from streams.raw_records import raw_from_record
from tests.conftest import BrokerMaker

pytestmark = pytest.mark.kafka
HOME = "collector-kafka-0"


async def test_a_connections_records_keep_their_order(broker: str, kafka_topics: list[str]) -> None:
    sink = KafkaSink(broker)
    await sink.put(status_record("okx", HOME, Status("connect")))
    now = time.time_ns() // 1000
    for number in range(5_000):
        await sink.put(Record(Raw("okx", "trade", HOME, now, b"%d" % number), "BTC"))
    await sink.put(status_record("okx", HOME, Status("disconnect")))
    await sink.close()
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest")
    await consumer.start()
    told: dict[int, list[bytes]] = {}
    try:
        places = [TopicPartition(RAW, number) for number in range(partitions())]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        async with asyncio.timeout(30):
            while any([await consumer.position(place) < ends[place] for place in places]):
                for place, records in (await consumer.getmany(timeout_ms=200)).items():
                    for record in records:
                        raw = raw_from_record(record.headers, record.value)
                        if isinstance(raw, Raw) and raw.connection == HOME:
                            told.setdefault(place.partition, []).append(raw.payload)
    finally:
        await consumer.stop()
    btc = partition_for("BTC")
    assert told[btc][1:-1] == [b"%d" % number for number in range(5_000)]
    for found in told.values():
        assert decode_status(found[0]).op == "connect"
        assert decode_status(found[-1]).op == "disconnect"
    assert told.keys() == set(range(partitions()))


async def test_a_broker_that_is_away_is_told_with_the_mend(make_broker: BrokerMaker) -> None:
    sink = KafkaSink(make_broker().bootstrap)
    with pytest.raises(MarginquakeError, match="broker start"):
        await sink.put(status_record("okx", HOME, Status("connect")))
    await sink.close()
