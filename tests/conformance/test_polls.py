"""Every poll of every venue: its answers become records, its refusals cost only themselves."""

import asyncio

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from streams.collect.planning import Asked, polls
from streams.collect.polling import Poller
from streams.collect.records import Record
from streams.core.events import Ticker
from streams.core.normalise import normalise
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments, effective_table
from streams.venues.wire import WIRES
from tests.conformance.speech import text
from tests.conformance.ticker_speech import POLLS
from tests.conformance.venue_server import until

INSTRUMENTS = default_instruments()
POLLED = [(venue, poll.name) for venue, wire in sorted(WIRES.items()) for poll in wire.polls]


class Kept:
    def __init__(self) -> None:
        self.records: list[Record] = []

    @property
    def waiting(self) -> int:
        return 0

    async def put(self, record: Record) -> None:
        self.records.append(record)

    async def flush(self) -> None:
        pass

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(("venue", "name"), POLLED)
async def test_a_poll_goes_on_after_a_refusal(venue: str, name: str) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path_qs)
        if len(asked) == 1:
            return web.Response(status=500)
        body = text(POLLS[venue](polled.symbols[0]))
        parts = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await parts.prepare(request)
        await parts.write(body[:10])
        await asyncio.sleep(0.02)
        await parts.write(body[10:])
        return parts

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    kept, stop = Kept(), asyncio.Event()
    async with TestServer(app, host="127.0.0.1") as server:
        urls = {f"{venue}-rest": f"http://127.0.0.1:{server.port}"}
        asked_for = Asked([venue], ["BTC"], [], urls)
        wanted = polls(asked_for, INSTRUMENTS, effective_table())
        (polled,) = (one for one in wanted if one.poll.name == name)
        often = msgspec.structs.replace(polled.poll, every_s=0.01, spacing_s=0.01)
        polled = msgspec.structs.replace(polled, poll=often)
        poller = Poller(polled, frozenset({"BTC"}), lambda: kept, INSTRUMENTS, stop)
        task = asyncio.create_task(poller.run())
        await until(lambda: len(kept.records) >= 2)
        stop.set()
        await asyncio.wait_for(task, 5)
    for record in kept.records:
        (ticker,) = normalise(record.raw, PARSERS, INSTRUMENTS)
        assert isinstance(ticker, Ticker)
        assert record.asset == ticker.asset == "BTC"
        assert ticker.open_interest_base or ticker.open_interest_usd
        assert record.raw.channel == "ticker"
