"""Headless Chromium for tests of screens, and a page that remembers what it should not have done.

In CI a missing Chromium fails, elsewhere the test skips. Screenshots are kept in
`.local/screenshots`, or where MARGINQUAKE_SCREENSHOTS says.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, async_playwright

SCREENSHOTS = Path(
    os.environ.get("MARGINQUAKE_SCREENSHOTS", Path(__file__).parents[1] / ".local" / "screenshots")
)


def chromium() -> str:
    """Path of the browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium here: apt-get install chromium")
        pytest.skip("no chromium here")
    return found


class Watched:
    """A page with its console and its requests."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname or ""))

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    async def panels(self, *names: str) -> None:
        """Wait until these panels have been told."""
        for name in names:
            told = f"#{name} .body:not([aria-busy]) [data-slot]"
            await self.page.wait_for_selector(told, state="attached")

    async def values(self, selector: str) -> list[str]:
        """The exact figures (`value` of each `data` element) below a selector."""
        found: list[str] = await self.page.eval_on_selector_all(
            f"{selector} data", "all => all.map(one => one.value)"
        )
        return found

    async def shot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def clean(self) -> None:
        """No complaint in the console, and no request beyond loopback."""
        assert self.complaints == []
        assert self.hosts <= {"127.0.0.1", ""}


@asynccontextmanager
async def browsing(**options: Any) -> AsyncIterator[Watched]:
    """A fresh page; options as of a Playwright context (viewport, color_scheme, ...)."""
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            context = await browser.new_context(**{"timezone_id": "Asia/Tokyo", **options})
            yield Watched(await context.new_page())
        finally:
            await browser.close()
