"""Rows of result topics put on a real broker for consumers to read."""

import asyncio
import json
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams import contracts

Row = dict[str, Any]


def alert(scope: str, number: int, **changes: Any) -> Row:
    """An alert of a scope, different for each number."""
    example = files("schemas").joinpath("examples", "alert", "cascade.json").read_text("utf-8")
    row: Row = json.loads(example)
    row |= {"id": f"{scope}-{number:05}", "scope": scope, "text": f"Alert {number} of {scope}."}
    return row | changes


def publish(bootstrap: str, topic: str, rows: Iterable[Row | bytes]) -> None:
    """Send rows to the partition of their scope; bytes, which are no row, to partition 0."""
    asyncio.run(_publish(bootstrap, topic, rows))


async def _publish(bootstrap: str, topic: str, rows: Iterable[Row | bytes]) -> None:
    producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        for row in rows:
            if isinstance(row, bytes):
                sent = await producer.send(topic, row, b"?", partition=0)
            else:
                place = contracts.partition_for(row["scope"])
                value = json.dumps(row).encode()
                sent = await producer.send(topic, value, row["scope"].encode(), partition=place)
        await sent
        await producer.flush()
    finally:
        await producer.stop()


def letters(bootstrap: str, stage: str) -> list[Row]:
    """Every dead letter of a stage on the broker, in order."""
    return asyncio.run(_letters(bootstrap, stage))


async def _letters(bootstrap: str, stage: str) -> list[Row]:
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    place = TopicPartition(contracts.DEADLETTERS, 0)
    await consumer.start()
    try:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        end = (await consumer.end_offsets([place]))[place]
        found: list[Row] = []
        while await consumer.position(place) < end:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [json.loads(record.value) for record in records]
        return [one for one in found if one["stage"] == stage]
    finally:
        await consumer.stop()
