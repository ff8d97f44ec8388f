"""How soon the page is there, and how soon a new row is on it; told, and nothing asserted of it.

Run by itself: pytest tests/bench/test_bench_dashboard.py
"""

import asyncio
import json
import statistics
import sys
import time

import pytest
from clickhouse_connect.driver.client import Client

from streams.config import settings
from streams.contracts import ALERTS
from streams.dashboard.panels import Panels
from streams.dashboard.server import serving
from streams.edges.inserts import Inserter
from tests.browsing import browsing
from tests.told_market import MINUTE, insert, moved, tell

pytestmark = [pytest.mark.warehouse, pytest.mark.usefixtures("chart_library")]

LOADS = 5
PROBES = 12
TIMES = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return [paint.startTime, page.loadEventEnd, window.told];
}"""
WATCH = """addEventListener("DOMContentLoaded", () => {
  new MutationObserver((_, watch) => {
    if (document.querySelector("section .body:not([aria-busy]) [data-slot]") === null) return;
    window.told = performance.now();
    watch.disconnect();
  }).observe(document.body, { childList: true, subtree: true, attributes: true });
});"""
"""Notes when the first panel is told, by the browser's own clock."""


async def test_the_page_loads_and_a_new_row_reaches_it(
    warehouse: Client,
    warehouse_dsn: str,
    examples: dict[str, list[bytes]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = time.time_ns() // 1000
    tell(warehouse, examples, now)
    alert = moved(json.loads(examples["alert"][0]), now - now % MINUTE)
    paints, loads, firsts, delays = [], [], [], []
    running = serving(warehouse_dsn, settings().home, "127.0.0.1", 0, Panels(3600), 1.0)
    async with running as url:
        for _ in range(LOADS):  # each in a new browser, with an empty cache
            async with browsing() as seen:
                await seen.page.add_init_script(WATCH)
                await seen.page.goto(f"{url}?asset=BTC&range=1h")
                await seen.panels("health", "feeds")
                paint, load, first = await seen.page.evaluate(TIMES)
                paints.append(paint)
                loads.append(load)
                firsts.append(first)
                seen.clean()
        async with browsing() as seen:
            await seen.page.goto(f"{url}?asset=ALL&range=1h")
            await seen.panels("dominance")
            inserter = Inserter(warehouse)
            for index in range(PROBES):
                text = f"probe number {index:03}"
                insert(inserter, ALERTS, {**alert, "id": f"{index:032x}", "text": text})
                began = time.perf_counter()
                await seen.page.wait_for_selector(f"#alerts >> text={text}")
                delays.append(1000 * (time.perf_counter() - began))
                await asyncio.sleep(0.37)  # at another moment of the second each time
            seen.clean()
    with capsys.disabled():
        sys.stdout.write(
            f"\nempty cache, median of {LOADS}: first paint {statistics.median(paints):.0f} ms, "
            f"loaded {statistics.median(loads):.0f} ms, first panel "
            f"{statistics.median(firsts):.0f} ms\ninsert to page, {PROBES} rows: median "
            f"{statistics.median(delays):.0f} ms, longest {max(delays):.0f} ms\n"
        )
    assert len(delays) == PROBES
