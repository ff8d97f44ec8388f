"""Writes an archive into raw.v1 as a collector would: by asset, status to every partition.

The edge behind `import`. Promises one idempotent producer, so the log keeps the archive's
order, and that a message of several assets is cut into rows of one asset each. Waits for the
broker rather than buffering without bound.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from streams import contracts
from streams.contracts import RAW, partition_for
from streams.core import outside
from streams.core.instruments import Instruments
from streams.edges.archives import Line
from streams.edges.slicing import slices
from streams.raw_records import bad_line_headers, raw_headers

MAX_UNACKNOWLEDGED: Final = 10_000


async def publish(
    bootstrap: str,
    lines: Iterable[Line],
    instruments: Instruments,
    progress: Callable[[int], None] = lambda count: None,
) -> int:
    """Send every line; returns the number of records that the broker acknowledged.

    A line that was no record (`bad`) is sent cut to what a dead letter shows, with its reason,
    source and true size in headers, so that the framer dead-letters it as replay does.
    """
    producer: Any = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        linger_ms=5,
        max_batch_size=512 * 1024,
        max_request_size=contracts.topics()[RAW].max_message_bytes,
        compression_type="lz4",
    )
    await producer.start()
    pending: list[asyncio.Future[Any]] = []
    count = 0
    try:
        for line in lines:
            for key, partition, value, part in _records(line, instruments):
                if line.bad is None:
                    headers = raw_headers(line.raw, part, line.source if part else None)
                else:
                    headers = bad_line_headers(line.bad)
                future = await producer.send(RAW, value, key, partition=partition, headers=headers)
                pending.append(future)
                count += 1
            if len(pending) >= MAX_UNACKNOWLEDGED:
                await asyncio.gather(*pending)
                pending.clear()
                progress(count)
        await asyncio.gather(*pending)
        progress(count)
    finally:
        await producer.stop()
    return count


def _records(
    line: Line, instruments: Instruments
) -> Iterable[tuple[bytes, int, bytes, tuple[int, int] | None]]:
    raw = line.raw
    if raw.channel in ("status", outside.CHANNEL):
        for partition in range(contracts.partitions()):
            yield raw.channel.encode(), partition, raw.payload, None
        return
    if len(line.assets) <= 1:
        asset = line.assets[0] if line.assets else "?"
        yield asset.encode(), partition_for(asset), raw.payload, None
        return
    rows = slices(raw, instruments)
    for index, (asset, value) in enumerate(rows):
        yield asset.encode(), partition_for(asset), value, (index, len(rows))
