"""A collector against a scripted venue: its plans, hurried, and a sink that keeps what it takes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from streams.collect.collector import collect
from streams.collect.planning import Asked, Plan, plans
from streams.collect.records import Record
from streams.core.events import Raw, Status
from streams.core.normalise import normalise
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments, effective_table
from tests.conformance.venue_server import VenueServer, until

INSTRUMENTS = default_instruments()
BEAT_S = 0.1


class Kept:
    """A sink that keeps what it takes; `pause_s` makes it slow, `open` lets it take at all."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.pause_s = 0.0
        self.open = asyncio.Event()
        self.open.set()

    @property
    def waiting(self) -> int:
        return 0

    async def put(self, record: Record) -> None:
        if self.pause_s:
            await asyncio.sleep(self.pause_s)
        await self.open.wait()
        self.records.append(record)

    async def flush(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def statuses(self) -> list[tuple[str, Status]]:
        return [
            (record.raw.connection, msgspec.json.decode(record.raw.payload, type=Status))
            for record in self.records
            if record.raw.channel == "status"
        ]

    def count(self, op: str) -> int:
        return sum(status.op == op for _, status in self.statuses())

    def messages(self, kind: type) -> list[Raw]:
        return [
            record.raw
            for record in self.records
            if record.raw.channel != "status"
            and any(isinstance(o, kind) for o in normalise(record.raw, PARSERS, INSTRUMENTS))
        ]


def planned(server: VenueServer) -> list[Plan]:
    venue = server.speech.venue
    asked = Asked([venue], ["BTC"], ["BTC"], server.urls)
    return [hurried(plan) for plan in plans(asked, INSTRUMENTS, effective_table())]


def hurried(plan: Plan) -> Plan:
    limits = msgspec.structs.replace(plan.endpoint.limits, messages_per_s=100.0)
    return msgspec.structs.replace(
        plan, endpoint=msgspec.structs.replace(plan.endpoint, limits=limits)
    )


@asynccontextmanager
async def collecting(wanted: list[Plan], kept: Kept) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(collect(wanted, (), lambda: kept, INSTRUMENTS, stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(8):
            await task


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def up(server: VenueServer, kept: Kept, connections: int) -> None:
    await until(lambda: len({n for n, s in kept.statuses() if s.op == "heartbeat"}) >= connections)
    topics = [topic for guest in server.guests for topic in guest.topics]
    assert len(topics) == len(set(topics))
