"""Messages for the sink's tests, and how far a group has come."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams import contracts
from streams.core.events import MICROS, Liquidation, stable_id
from streams.core.frames import Frame
from streams.edges.intake import TOPICS

Records = Iterable[tuple[str, bytes | None]]
START = 1_793_620_765 * MICROS


def order(asset: str, number: int, **changes: Any) -> Liquidation:
    at_us = START + number * 1_000
    base = Liquidation(
        venue="bybit",
        symbol=f"{asset}USDT",
        asset=asset,
        contract="linear",
        kind="liquidation",
        position_side="long",
        order_side="sell",
        price=71_804.2,
        price_kind="bankruptcy",
        base_qty=0.5,
        usd=35_902_100_000,
        event_time_us=at_us,
        received_at_us=at_us + 40_000,
        completeness="all",
        id=stable_id("sink test", asset, number),
    )
    return msgspec.structs.replace(base, **changes)


def frame(asset: str, number: int) -> Frame:
    second = START + number * MICROS
    return Frame(asset, 0, second, None, 1.0, ("bybit",), ("bybit",), (), (), (), (), (), ())


def records(*messages: contracts.Message) -> list[tuple[str, bytes | None]]:
    return [(contracts.topic_of(message), contracts.encode(message)) for message in messages]


async def produce(bootstrap: str, items: Records) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    await producer.start()
    try:
        sent = [
            await producer.send(topic, value, key=b"%d" % number)
            for number, (topic, value) in enumerate(items)
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


@asynccontextmanager
async def group_view(bootstrap: str, group: str | None) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign(PARTITIONS)
    try:
        yield consumer
    finally:
        await consumer.stop()


PARTITIONS = [
    TopicPartition(name, number)
    for name in TOPICS
    for number in range(contracts.topics()[name].partitions)
]


async def lag(bootstrap: str, group: str) -> dict[str, int]:
    """Records between the group's committed offsets and the end, by partition, where not 0."""
    async with group_view(bootstrap, group) as consumer:
        ends = await consumer.end_offsets(PARTITIONS)
        committed = {tp: await consumer.committed(tp) for tp in PARTITIONS}
    return {
        f"{tp.topic}-{tp.partition}": end - (committed[tp] or 0)
        for tp, end in ends.items()
        if end != (committed[tp] or 0)
    }
