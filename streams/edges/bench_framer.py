"""Measures the framer process on a real broker, against a loop that only fetches.

A benchmark beside the data path: raw.v1 is filled once, then read whole in rounds that alternate,
by a bare aiokafka `getmany` loop that looks at nothing and by `FramerProcess` from its start to
its last checkpoint. Promises CPU time of this process alone (the broker is another one) and the
same event loop, consumer settings and collector settings for both. Waiting costs nothing here.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any, Final

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.config import MarginquakeError
from streams.contracts import FRAMER_STATE, RAW, partitions
from streams.core.instruments import Instruments
from streams.core.normalise import Parser
from streams.edges.archives import Line
from streams.edges.bench_log import Item
from streams.edges.framer import MAX_RECORDS, POLL_MS, FramerProcess
from streams.edges.publish import publish
from streams.edges.topics import reconcile

IDLE_S: Final = 0.5


class Measured(msgspec.Struct, frozen=True):
    """Per CPU second of both loops; `ratio` is the framer's share of the bare loop's speed.

    `records` as raw.v1 holds them: a status record counts once for each partition.
    """

    records: int
    events: int
    framer_records: float
    framer_events: float
    bare_records: float
    ratio: float


def measure(
    bootstrap: str,
    items: Sequence[Item],
    parsers: Mapping[str, Parser],
    instruments: Instruments,
    rounds: int,
    progress: Callable[[str], None] = lambda text: None,
) -> Measured:
    """Fill raw.v1, then run both loops `rounds` times in turn.

    Raises:
        MarginquakeError: raw.v1 holds records already: this is somebody's broker.
    """
    uvloop.run(_prepare(bootstrap))
    progress(f"filling {RAW}")
    lines = (Line(item.raw, "bench", (item.asset,) if item.asset else ()) for item in items)
    records = uvloop.run(publish(bootstrap, lines, instruments))
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    bare, framed = [], []
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}")
        bare.append(_cpu_seconds(partial(_bare, bootstrap, records)))
        process = FramerProcess(bootstrap, parsers, instruments, group=f"bench-framer-{number}")
        framed.append(_cpu_seconds(partial(_framed, process)))
        uvloop.run(_forget_checkpoints(bootstrap))
    gc.unfreeze()
    events = sum(item.rows for item in items)
    return Measured(
        records,
        events,
        records / median(framed),
        events / median(framed),
        records / median(bare),
        median(bare) / median(framed),
    )


def _cpu_seconds(work: Callable[[], Awaitable[Any]]) -> float:
    async def run() -> None:
        await work()

    began = time.process_time()
    uvloop.run(run())
    return time.process_time() - began


async def _framed(process: FramerProcess) -> None:
    await process.run(asyncio.Event(), IDLE_S)


async def _bare(bootstrap: str, records: int) -> None:
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    try:
        sources = [TopicPartition(RAW, number) for number in range(partitions())]
        consumer.assign(sources)
        await consumer.seek_to_beginning(*sources)
        seen = 0
        while seen < records:
            batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
            seen += sum(map(len, batches.values()))
    finally:
        await consumer.stop()


async def _prepare(bootstrap: str) -> None:
    await reconcile(bootstrap, create=True)
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        sources = [TopicPartition(RAW, number) for number in range(partitions())]
        ends = await consumer.end_offsets(sources)
    finally:
        await consumer.stop()
    if any(ends.values()):
        raise MarginquakeError(
            f"{RAW} at {bootstrap} holds records: a benchmark would mix its own with them. Leave "
            "--kafka out to measure on a broker of its own"
        )


async def _forget_checkpoints(bootstrap: str) -> None:
    """Delete and create anew the topic of the framer's checkpoints, so that it starts afresh."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([FRAMER_STATE])
        while FRAMER_STATE in await admin.list_topics():
            await asyncio.sleep(0.05)
    finally:
        await admin.close()
    await reconcile(bootstrap, create=True)
