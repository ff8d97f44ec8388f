"""What the live page promises over HTTP, and of the command that serves it."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest
from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError, settings
from streams.dashboard.panels import Panels
from streams.dashboard.server import MOST_WATCHES, serving

pytestmark = [pytest.mark.warehouse, pytest.mark.usefixtures("chart_library")]


@pytest.fixture
async def address(warehouse: Client, warehouse_dsn: str) -> AsyncIterator[str]:
    async with serving(warehouse_dsn, settings().home, "127.0.0.1", 0, Panels(3600), 0.5) as url:
        yield url


async def test_http_is_strict(address: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(address) as page:
            policy = page.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            body = await page.text()
            assert not re.search(r"https?://|//[a-z]", body)
        for path in ("static/nothing.js", "static/..%2Fserver.py", "static/server.py"):
            async with session.get(address + path) as missing:
                assert missing.status == 404
        async with session.get(address, headers={"Host": "evil.example"}) as other:
            assert other.status == 403
        for query, mend in (
            ("asset=a b", "is no asset"),
            ("range=2h", "give 15m, 1h"),
            ("from=2026-01-02&to=2026-01-01", "from must lie before to"),
            ("from=yesterday&to=2026-01-01", "is no time"),
            ("from=2026-01-01", "give from and to"),
        ):
            async with session.get(f"{address}events?{query}") as refused:
                assert refused.status == 400
                assert mend in await refused.text()


async def test_views_are_limited_and_freed(address: str) -> None:
    async with aiohttp.ClientSession() as session:

        async def look(day: int) -> aiohttp.ClientResponse:
            return await session.get(f"{address}events?from=2026-01-{day:02}&to=2026-02-01")

        opened = [await look(day) for day in range(1, MOST_WATCHES + 1)]
        assert {one.status for one in opened} == {200}
        again = await look(1)
        assert again.status == 200
        refused = await look(MOST_WATCHES + 1)
        assert refused.status == 503
        assert "close one" in await refused.text()
        for one in (*opened, again):
            one.close()
        async with asyncio.timeout(60):
            while (freed := await look(MOST_WATCHES + 1)).status != 200:
                await asyncio.sleep(0.2)
        freed.close()


async def test_the_command_serves_until_it_is_told_to_stop(
    warehouse_dsn: str,
) -> None:
    environment = {
        **os.environ,
        "CLICKHOUSE_DSN": warehouse_dsn,
        "MARGINQUAKE_HOME": str(settings().home),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams.cli", "dashboard", "--port", "0",
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    said = (await process.stdout.readline()).decode()
    url = said.split(",")[0].removeprefix("dashboard on ")
    async with aiohttp.ClientSession() as session:
        events = await session.get(f"{url}events?asset=BTC")
        assert (await events.content.readline()).startswith(b"event: ")
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        events.close()
    _, errors = await process.communicate()
    assert errors == b""


async def test_a_taken_port_is_named(address: str, warehouse_dsn: str) -> None:
    port = int(address.rstrip("/").rpartition(":")[2])
    with pytest.raises(MarginquakeError, match="choose another --port"):
        async with serving(warehouse_dsn, settings().home, "127.0.0.1", port, Panels(60), 1.0):
            await asyncio.sleep(0)
