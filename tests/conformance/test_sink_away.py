"""A sink that takes nothing: a collector waits for it, and ends in the end, saying what is lost."""

import asyncio

import pytest

from streams.collect import collector, line
from streams.collect.records import Record
from streams.config import MarginquakeError
from tests.conformance.collecting import INSTRUMENTS, Kept, collecting, now_ms, planned, up
from tests.conformance.test_collectors import short_lived
from tests.conformance.venue_server import VenueServer, until
from tests.conformance.venue_speech import SPEECHES


class Away(Kept):
    """A sink whose broker went away with three records on their way."""

    @property
    def waiting(self) -> int:
        return 3


async def test_an_end_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "DRAIN_S", 0.3)
    away, stop = Away(), asyncio.Event()
    async with VenueServer(SPEECHES["deribit"]) as server:
        wanted = planned(server)
        collect = collector.collect(wanted, (), lambda: away, INSTRUMENTS, stop)
        task = asyncio.create_task(collect)
        await up(server, away, len(wanted))
        away.open.clear()
        await server.say(SPEECHES["deribit"].trade(0, now_ms()))
        stop.set()
        with pytest.raises(MarginquakeError, match="3 records unacknowledged"):
            async with asyncio.timeout(8):
                await task


class Refusing(Kept):
    """A sink that once it is told to takes no new connection."""

    refused = 0
    full = False

    async def put(self, record: Record) -> None:
        if self.full and b'"connect"' in record.raw.payload:
            self.refused += 1
            raise MarginquakeError("Kafka: not there")
        await super().put(record)


async def test_an_heir_that_reaches_no_broker_ends_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "RETRY_S", 0.2)
    kept = Refusing()
    async with VenueServer(SPEECHES["deribit"]) as server:
        wanted = [short_lived(plan) for plan in planned(server)]
        async with collecting(wanted, kept):
            await up(server, kept, 1)
            kept.full = True
            await until(lambda: kept.refused >= 2)
            assert kept.count("disconnect") == 0
            kept.full = False
            await until(lambda: kept.count("disconnect") >= 1)
