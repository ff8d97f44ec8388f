"""What the live page says in odd states: wrong addresses, many tabs, long lists, old readings."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from clickhouse_connect.driver.client import Client

from streams.config import settings
from streams.contracts import CASCADES, SIGNALS
from streams.dashboard.panels import MOST_LISTED, Panels
from streams.dashboard.server import MOST_WATCHES, serving
from streams.edges.inserts import Inserter
from tests.browsing import browsing
from tests.told_market import MINUTE, SECOND, insert, insert_all, moved, tell

pytestmark = [pytest.mark.warehouse, pytest.mark.usefixtures("chart_library")]

CONNECTIONS = 6
"""That a browser opens to one server."""
CHANGES = """() => {
  window.told = 0;
  window.ticks = 0;
  const count = (what, name) => {
    for (const place of document.querySelectorAll(what)) {
      new MutationObserver(() => { window[name] += 1; })
        .observe(place, { childList: true, characterData: true, subtree: true });
    }
  };
  count("[role=status], [role=alert], [aria-live]", "told");
  count("#span", "ticks");
}"""
SEEN = """(seen) => {
  Object.defineProperty(document, "hidden", { value: !seen, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
"""Headless Chromium calls every tab visible."""


def minute(at: int) -> str:
    """A time in UTC, as addresses have it."""
    return time.strftime("%Y-%m-%dT%H:%M", time.gmtime(at / 1e6))


@pytest.fixture
def now() -> int:
    return time.time_ns() // 1000


@pytest.fixture
async def address(
    warehouse: Client, warehouse_dsn: str, examples: dict[str, list[bytes]], now: int
) -> AsyncIterator[str]:
    tell(warehouse, examples, now)
    async with serving(warehouse_dsn, settings().home, "127.0.0.1", 0, Panels(3600), 0.5) as url:
        yield url


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=garbage&to=2026-01-01", "from='garbage' is no time"),
        ("from=2026-01-01", "give from and to"),
        ("to=2026-01-01T00:00Z", "give from and to"),
        ("from=2026-01-02&to=2026-01-01", "from must lie before to"),
        ("asset=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "is no asset"),
        ("asset=BTC&range=2h", "give 15m, 1h"),
        ("asset=", "asset='' is no asset"),
    ],
)
async def test_a_wrong_address_is_answered_with_its_mend(
    address: str, query: str, said: str
) -> None:
    async with browsing() as seen:
        faults: list[str] = []
        seen.page.on("pageerror", lambda error: faults.append(str(error)))
        await seen.page.goto(f"{address}?{query}")
        await seen.page.wait_for_selector("#cut")
        assert said in await seen.page.inner_text("#cut")
        assert await seen.page.locator("img").count() == 0
        assert faults == []
        await seen.page.click("#ranges >> text=6h")
        if "asset=" in query and "BTC" not in query:
            await seen.page.select_option("#asset", "ALL")
        await seen.panels("feeds", "dominance")
        assert await seen.page.locator("#cut").count() == 0


async def test_tabs_that_nobody_sees_hold_no_connection(address: str) -> None:
    async with browsing() as seen:
        hidden = [await seen.page.context.new_page() for _ in range(CONNECTIONS)]
        for tab in hidden:
            await tab.goto(f"{address}?asset=BTC&range=1h")
            await tab.wait_for_selector("#health [data-slot]")
            await tab.evaluate(SEEN, False)
        await seen.page.goto(f"{address}?asset=BTC&range=1h")
        await seen.panels("health", "feeds")
        seen.clean()
        await hidden[0].evaluate(SEEN, True)
        told = "#feeds .body:not([aria-busy]) [data-slot]"
        await hidden[0].wait_for_selector(told, state="attached")


async def test_more_views_than_are_allowed_are_told_so_and_served_when_there_is_room(
    address: str,
) -> None:
    async with aiohttp.ClientSession() as session, browsing() as seen:
        opened = [
            await session.get(f"{address}events?from=2026-01-{day:02}&to=2026-02-01")
            for day in range(1, MOST_WATCHES + 1)
        ]
        await seen.page.goto(f"{address}?asset=BTC&range=1h")
        await seen.page.wait_for_selector("#cut")
        assert "different views are open; close one" in await seen.page.inner_text("#cut")
        for one in opened:
            one.close()
        await seen.panels("health")
        await seen.page.wait_for_selector("#cut", state="detached")


async def test_a_screen_reader_is_not_told_each_second(address: str) -> None:
    async with browsing() as seen:
        await seen.page.goto(f"{address}?asset=BTC&range=1h")
        await seen.panels("feeds", "dominance")
        await seen.page.evaluate(CHANGES)
        async with asyncio.timeout(60):
            while await seen.page.evaluate("window.ticks") < 3:
                await asyncio.sleep(0.1)
        assert await seen.page.evaluate("window.told") == 0
        assert await seen.page.locator("[role=status]").count() == 1


async def test_a_long_list_says_that_it_is_cut(
    warehouse: Client, address: str, examples: dict[str, list[bytes]], now: int
) -> None:
    small = next(json.loads(one) for one in examples["cascade"] if b'"scope": "SOL"' in one)
    known = moved(small, now - now % MINUTE)
    copies = [
        {**known, "onset": known["onset"] - n * SECOND, "id": f"{n:032x}"}
        for n in range(MOST_LISTED)
    ]
    async with browsing() as seen:
        await seen.page.goto(f"{address}?asset=SOL&range=1h")
        await seen.panels("cascades")
        assert "Only the newest" not in await seen.page.inner_text("#cascades")
        insert_all(Inserter(warehouse), CASCADES, copies)
        await seen.page.wait_for_selector("#cascades >> text=Only the newest 60 are listed")
        assert await seen.page.locator("#cascades tbody tr").count() == MOST_LISTED
        seen.clean()


async def test_a_reading_that_is_no_longer_renewed_is_called_old(
    warehouse: Client, address: str, examples: dict[str, list[bytes]], now: int
) -> None:
    known = next(json.loads(one) for one in examples["liquidity"] if b"bybit" in one)
    at = now - now % MINUTE - 300 * MINUTE
    silent = {**known, "venue": "okx", "at": at, "watermark": at, "id": "d" * 32}
    insert(Inserter(warehouse), SIGNALS, silent)
    async with browsing() as seen:
        await seen.page.goto(f"{address}?asset=BTC&range=1h")
        await seen.panels("liquidity")
        rows = await seen.page.locator("#liquidity tbody tr").all_inner_texts()
        (okx,) = [row for row in rows if row.startswith("okx")]
        assert minute(at).replace("T", " ") in okx
        assert await seen.page.locator("#liquidity tbody .degraded").count() == 1
        later = f"from={minute(at)}Z&to={minute(now + 150 * MINUTE)}Z"
        await seen.page.goto(f"{address}?asset=BTC&{later}")
        await seen.panels("liquidity", "health", "imbalance")
        assert "No newer reading for" in await seen.page.inner_text("#imbalance .old")
        seen.clean()


@pytest.mark.parametrize("width", [320, 360])
async def test_a_small_phone_shows_it_without_sideways_scrolling(address: str, width: int) -> None:
    async with browsing(viewport={"width": width, "height": 740}, is_mobile=True) as seen:
        await seen.page.goto(f"{address}?asset=BTC&range=1h")
        await seen.panels("feeds", "cascades", "zones", "liquidity", "dominance")
        await seen.page.click("#fixed summary")
        assert await seen.page.evaluate("document.documentElement.scrollWidth") <= width
        await seen.shot(f"dashboard-phone-{width}")
        seen.clean()
