"""Writes an archive into raw.v1 as a collector would: by asset, status to every partition.

The edge behind `import`. Promises one idempotent producer, so the log keeps the archive's
order, that a message of several assets is cut into rows of one asset each, and that an import that
was killed goes on where the log ends. Waits for the broker rather than buffering without bound.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from streams import contracts
from streams.contracts import RAW, partition_for
from streams.core import outside
from streams.core.events import Raw, Rejected
from streams.core.instruments import Instruments
from streams.edges.archives import Line
from streams.edges.import_marks import Mark, Marks, Sent, identity, log_ends, sent_beyond
from streams.edges.kafka_clients import started
from streams.edges.slicing import slices
from streams.raw_records import bad_line_headers, raw_headers

MAX_UNACKNOWLEDGED: Final = 10_000


async def publish(
    bootstrap: str,
    lines: Iterable[Line],
    instruments: Instruments,
    progress: Callable[[int], None] = lambda count: None,
    marks: Marks | None = None,
) -> int:
    """Send every line; returns the number of records that the broker acknowledged.

    A line that was no record (`bad`) is sent cut to what a dead letter shows, with its reason,
    source and true size in headers, so that the framer dead-letters it as replay does.

    Args:
        bootstrap: Kafka bootstrap servers.
        lines: from `archives.lines`; after a kill, the same lines again.
        instruments: contract sizes.
        progress: told the number of records sent by this run, now and then.
        marks: where an earlier run left off, kept up to date.

    Raises:
        MarginquakeError: the log is not the one that an earlier run filled.
    """
    passed, sent, ends = 0, Sent({}), dict[int, int]()
    if marks is not None:
        mark = marks.read()
        if mark is None:
            ends = await log_ends(bootstrap)
            marks.write(Mark(0, ends))
        else:
            passed = mark.lines
            sent, ends = await sent_beyond(bootstrap, mark)
    producer: Any = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        linger_ms=5,
        max_batch_size=512 * 1024,
        max_request_size=contracts.topics()[RAW].max_message_bytes,
        compression_type="lz4",
    )
    pending: list[asyncio.Future[Any]] = []
    count = number = 0

    async def settle() -> None:
        for acknowledged in await asyncio.gather(*pending):
            ends[acknowledged.partition] = acknowledged.offset + 1
        pending.clear()
        # A mark among records that were sent before would make them others' records.
        if marks is not None and not sent:
            marks.write(Mark(number, ends))
        progress(count)

    async with started(producer, bootstrap):
        for number, line in enumerate(lines, 1):
            if number <= passed:
                if number % MAX_UNACKNOWLEDGED == 0:
                    progress(count)
                continue
            for key, partition, value, headers in records(line, instruments):
                if sent and sent.has(partition, identity(headers, value)):
                    continue
                future = await producer.send(RAW, value, key, partition=partition, headers=headers)
                pending.append(future)
                count += 1
            if len(pending) >= MAX_UNACKNOWLEDGED:
                await settle()
        await settle()
    if marks is not None:
        marks.write(Mark(number, ends, done=True))
    return count


def records(
    line: Line, instruments: Instruments
) -> Iterator[tuple[bytes, int, bytes, list[tuple[str, bytes]]]]:
    """Key, partition, value and headers of each record that a line becomes."""
    for key, partition, value, part in _parts(line, instruments):
        if line.bad is None:
            yield key, partition, value, raw_headers(line.raw, part, line.source if part else None)
        else:
            yield key, partition, value, bad_line_headers(line.bad)


def _parts(
    line: Line, instruments: Instruments
) -> Iterator[tuple[bytes, int, bytes, tuple[int, int] | None]]:
    raw = line.raw
    if raw.channel in ("status", outside.CHANNEL):
        for partition in _concerned(raw):
            yield raw.channel.encode(), partition, raw.payload, None
        return
    if len(line.assets) <= 1:
        asset = line.assets[0] if line.assets else "?"
        yield asset.encode(), partition_for(asset), raw.payload, None
        return
    rows = slices(raw, instruments)
    for index, (asset, value) in enumerate(rows):
        yield asset.encode(), partition_for(asset), value, (index, len(rows))


def _concerned(raw: Raw) -> Iterable[int]:
    """Every partition, or those of the assets that outside values narrow themselves to."""
    found = outside.read(raw) if raw.channel == outside.CHANNEL else []
    assets = [] if isinstance(found, Rejected) else [value.asset for value in found]
    named = {partition_for(asset) for asset in assets if asset}
    return sorted(named) if named and all(assets) else range(contracts.partitions())
