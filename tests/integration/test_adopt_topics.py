"""cryptofeed's topics through a real broker: one log, in the order in which they were received."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.config import MarginquakeError
from streams.contracts import RAW, partition_for
from streams.core.events import Raw
from streams.edges.adopt import Adoption
from streams.edges.broker import Broker
from streams.edges.import_marks import log_ends
from streams.edges.topics import reconcile
from streams.raw_records import raw_from_record
from streams.venues.catalog import default_instruments

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

MESSAGES = 3_000
TRADES, FORCED = "trades-OKX-BTC-USDT-PERP", "liquidations-BYBIT-BTC-USDT-PERP"


def message(topic: str, number: int, later_s: float = 0) -> bytes:
    at = later_s + 1_790_000_000 + number * 0.1 + (0.05 if topic == FORCED else 0)
    row: dict[str, Any] = {"symbol": "BTC-USDT-PERP", "side": "buy", "price": 60000}
    row |= {"timestamp": at, "receipt_timestamp": at + 0.01}
    if topic == FORCED:
        row |= {"exchange": "BYBIT", "quantity": 1 + number, "id": None, "status": None}
    else:
        row |= {"exchange": "OKX", "amount": 1, "id": str(number), "type": None}
    return json.dumps(row).encode()


async def scenario(bootstrap: str) -> None:
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1) for name in (TRADES, FORCED)])
    finally:
        await admin.close()
    producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for topic in (TRADES, FORCED):
            for number in range(MESSAGES):
                await producer.send(topic, message(topic, number), partition=0)
                if (topic, number) == (TRADES, MESSAGES // 2):
                    await producer.send(topic, message(topic, number, 72 * 31_557_600), partition=0)
            await producer.send_and_wait(topic, b"{broken", partition=0)
    finally:
        await producer.stop()
    instruments = default_instruments()
    adoption = Adoption(bootstrap, bootstrap, [], instruments)
    await adoption.run(asyncio.Event(), until_idle_s=2)
    assert adoption.adopted == 2 * MESSAGES
    assert sum(adoption.tally.corrected.values()) == MESSAGES
    again = Adoption(bootstrap, bootstrap, [TRADES, FORCED], instruments)
    await again.run(asyncio.Event(), until_idle_s=1)
    assert again.adopted == 0

    place = TopicPartition(RAW, partition_for("BTC"))
    end = (await log_ends(bootstrap))[place.partition]
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    found: list[Any] = []
    try:
        consumer.assign([place])
        consumer.seek(place, 0)
        while len(found) < end:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += [raw_from_record(r.headers, r.value) for r in batch]
    finally:
        await consumer.stop()
    raws = [raw for raw in found if isinstance(raw, Raw)]
    stamps = [raw.received_at_us for raw in raws]
    assert stamps == sorted(stamps)
    assert stamps[-1] < 1_790_000_600 * 1_000_000
    venues = [raw.venue for raw in raws if raw.channel == "canonical"]
    assert venues == ["okx", "bybit"] * MESSAGES
    assert sum(raw.channel == "status" for raw in raws) > 500

    with pytest.raises(MarginquakeError, match=r"no topic nothing\.here on"):
        await Adoption(bootstrap, bootstrap, ["nothing.here"], instruments).run(asyncio.Event())


def test_a_backlog_of_topics_is_written_in_order_of_receipt_once(
    make_broker: Callable[[], Broker],
) -> None:
    broker = make_broker()
    broker.start()
    asyncio.run(reconcile(broker.bootstrap, create=True))
    asyncio.run(scenario(broker.bootstrap))
