"""The live page and the report over a served warehouse: as over the store, and when it is away."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from streams.config import settings
from streams.contracts import ALERTS
from streams.dashboard.panels import Panels
from streams.dashboard.server import serving
from streams.edges.inserts import Inserter
from streams.edges.warehouse import connect, connect_reader
from streams.facts.reading import Span
from streams.report.gather import gather
from streams.report.page import render
from tests.browsing import browsing
from tests.served import Served, serve
from tests.told_market import MINUTE, insert, moved, tell

pytestmark = [pytest.mark.warehouse, pytest.mark.usefixtures("chart_library")]

PANELS = (
    "feeds", "cascades", "forced", "alerts", "health", "print", "imbalance", "liquidity", "zones",
    "regime", "dominance",
)  # fmt: skip


@pytest.fixture
def now() -> int:
    return time.time_ns() // 1000


@pytest.fixture
async def address(own: Served, examples: dict[str, list[bytes]], now: int) -> AsyncIterator[str]:
    with own.client(writes=True) as writer:
        tell(writer, examples, now)
    home = settings().home
    async with serving(own.reader_dsn, home, "127.0.0.1", 0, Panels(3600), 0.5) as url:
        yield url


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    with serve(tmp_path / "own") as running:
        yield running


async def test_every_panel_is_read_over_http_while_the_pipeline_writes(
    own: Served, address: str, examples: dict[str, list[bytes]], now: int
) -> None:
    async with browsing() as seen:
        await seen.page.goto(f"{address}?asset=BTC&range=1h")
        await seen.panels(*PANELS)
        assert await seen.page.locator(".failure").count() == 0
        with own.client() as reader:
            (window,) = reader.query(
                "SELECT usd_observed, usd_estimated, usd_upper FROM v_cascades WHERE scope = 'BTC'"
            ).result_rows
        figures = {Decimal(one) for one in window}
        assert len(figures) == 3
        shown = {Decimal(one) for one in await seen.values("#cascades tbody")}
        assert figures <= shown
        text = "Inserted through the served warehouse."
        alert = moved(json.loads(examples["alert"][0]), now - now % MINUTE)
        with own.client(writes=True) as writer:
            insert(
                Inserter(writer), ALERTS,
                {**alert, "scope": "BTC", "id": "f" * 32, "text": text},
            )  # fmt: skip
        await seen.page.wait_for_selector(f"#alerts >> text={text}")
        seen.clean()


async def test_a_served_warehouse_that_ends_is_named_and_found_again(
    tmp_path: Path, examples: dict[str, list[bytes]], now: int
) -> None:
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    first = serve(tmp_path / "own")
    running = first.__enter__()
    with running.client(writes=True) as writer:
        tell(writer, examples, now)
    home = settings().home
    live = serving(running.reader_dsn, home, "127.0.0.1", 0, Panels(3600), 0.3)
    async with live as url, browsing() as seen:
        try:
            await seen.page.goto(f"{url}?asset=BTC&range=1h")
            await seen.panels(*PANELS)
            before = await seen.values("#cascades tbody")
        finally:
            await asyncio.to_thread(first.__exit__, None, None, None)
        await seen.page.wait_for_selector("#failure")
        said = await seen.page.inner_text("#failure")
        assert f"127.0.0.1:{running.port}" in said or "does not answer" in said
        assert await seen.page.inner_text("#connection") == "Warehouse away"
        assert await seen.values("#cascades tbody") == before
        with serve(tmp_path / "own", port=running.port):
            await seen.page.wait_for_selector("#failure", state="detached")
            assert await seen.page.locator(".failure").count() == 0
            await seen.panels(*PANELS)
            assert await seen.values("#cascades tbody") == before


def test_a_report_over_http_has_the_bytes_of_one_over_the_store(
    own: Served, examples: dict[str, list[bytes]], now: int
) -> None:
    with connect(own.writer_dsn) as writer:
        tell(writer, examples, now)
        span = Span("BTC", now - 60 * MINUTE, now)
        here = render(gather(writer, span))
    with connect_reader(own.reader_dsn) as reader:
        assert render(gather(reader, span)) == here
    assert 'id="window-total"' in here


async def test_a_warehouse_that_hangs_does_not_keep_the_dashboard_from_ending() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):  # hears everything and says nothing
            pass
        writer.close()

    silent = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    environment = {
        **os.environ,
        "CLICKHOUSE_DSN": f"clickhouse://default@127.0.0.1:{port}/market",
        "MARGINQUAKE_HOME": str(settings().home),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams.cli", "dashboard", "--port", "0",
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().split(",")[0].removeprefix("dashboard on ")
    async with aiohttp.ClientSession() as session, session.get(f"{url}events?asset=BTC"):
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):  # not the 300 s that the driver would wait
            assert await process.wait() == 0
    silent.close()
    await silent.wait_closed()
