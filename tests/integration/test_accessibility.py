"""What screens promise people who do not see them, or see them badly: axe-core finds nothing."""

import time
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from clickhouse_connect.driver.client import Client
from playwright.async_api import Page

from streams.config import settings
from streams.dashboard.panels import Panels
from streams.dashboard.server import serving
from streams.facts.reading import Span
from streams.report.gather import gather
from streams.report.page import render
from tests.browsing import browsing
from tests.told_market import MINUTE, tell

pytestmark = [pytest.mark.warehouse, pytest.mark.usefixtures("chart_library")]

PANELS = (
    "feeds", "cascades", "forced", "alerts", "health", "print", "imbalance", "liquidity", "zones",
    "regime", "dominance",
)  # fmt: skip


async def violations(page: Page) -> list[str]:
    # What fades in is judged when it has.
    await page.wait_for_timeout(300)
    found = (await Axe().run(page)).response
    assert len(found["passes"]) > 20
    return [
        f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_live_page_has_none_whether_full_or_cut_off(
    warehouse: Client, warehouse_dsn: str, examples: dict[str, list[bytes]], scheme: str
) -> None:
    tell(warehouse, examples, time.time_ns() // 1000)
    home = settings().home
    async with browsing(color_scheme=scheme) as seen:
        async with serving(warehouse_dsn, home, "127.0.0.1", 0, Panels(3600), 0.5) as url:
            await seen.page.goto(f"{url}?asset=BTC&range=1h")
            await seen.panels(*PANELS)
            await seen.page.click("#fixed summary")
            assert await violations(seen.page) == []
        await seen.page.wait_for_selector("#cut")
        assert await violations(seen.page) == []
        await seen.shot(f"dashboard-cut-off-{scheme}")


async def test_the_live_page_of_nothing_has_none(warehouse: Client, warehouse_dsn: str) -> None:
    home = settings().home
    running = serving(warehouse_dsn, home, "127.0.0.1", 0, Panels(3600), 0.5)
    async with running as url, browsing() as seen:
        await seen.page.goto(f"{url}?asset=BTC&range=1h")
        await seen.panels(*PANELS)
        assert await violations(seen.page) == []


@pytest.mark.parametrize("scope", ["ALL", "BTC", "NONE"])
async def test_the_report_has_none(
    warehouse: Client, examples: dict[str, list[bytes]], tmp_path: Path, scope: str
) -> None:
    at = 1_793_620_800_000_000
    tell(warehouse, examples, at)
    page = tmp_path / "report.html"
    page.write_text(render(gather(warehouse, Span(scope, at - 60 * MINUTE, at + MINUTE))), "utf-8")
    async with browsing() as seen:
        await seen.page.goto(page.as_uri())
        assert await violations(seen.page) == []
