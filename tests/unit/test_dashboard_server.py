"""What the live page's server promises of whoever asks: who may, what is read, and how long."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError, settings
from streams.dashboard.assets import Asset
from streams.dashboard.panels import Panels
from streams.dashboard.questions import Question
from streams.dashboard.server import HEADERS, MOST_WATCHES, Dashboard, serving
from streams.dashboard.watch import Reader
from streams.facts.reading import Span

SIX_HOURS = Question("BTC", 21_600, 0, 0)


class Empty(Reader):
    """A warehouse in which nothing is found."""

    def __init__(self) -> None:
        self.reads = 0

    async def ask(self, read: Any, span: Span) -> Any:
        self.reads += 1
        return None

    async def reopen(self) -> None: ...


class NoPanels(Panels, frozen=True):
    def by_name(self) -> dict[str, Callable[[Client, Span], dict[str, Any]]]:
        return {}


@pytest.fixture
async def dashboard() -> Dashboard:
    page = Asset(b"<!doctype html>", "text/html", "tag")
    return Dashboard("127.0.0.1", {"index.html": page}, Empty(), NoPanels(60), 0.2)


@pytest.fixture
async def client(dashboard: Dashboard) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(dashboard.app())) as asking:
        yield asking


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[::1"},
        {"Host": "10.0.0.7"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
async def test_other_names_and_other_sites_are_refused(
    client: TestClient[Any, Any], dashboard: Dashboard, headers: dict[str, str]
) -> None:
    for path in ("/", "/events", "/static/index.html"):
        async with client.get(path, headers=headers) as refused:
            assert refused.status == 403
            assert {name: refused.headers[name] for name in HEADERS} == HEADERS
    assert dashboard.watches == {}


async def test_a_link_from_elsewhere_leads_to_the_page(client: TestClient[Any, Any]) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    async with client.get("/", headers=followed) as page:
        assert page.status == 200


async def test_what_a_refusal_repeats_is_text_and_nothing_else(
    client: TestClient[Any, Any],
) -> None:
    async with client.get("/events", params={"asset": "<script>1</script>"}) as refused:
        assert refused.status == 400
        assert refused.content_type == "text/plain"
        assert refused.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in refused.headers["Content-Security-Policy"]


async def test_the_page_has_its_question_read_before_its_stream_is_asked_for(
    client: TestClient[Any, Any], dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.dashboard.server.LINGER_S", 0.1)
    async with client.get("/?asset=BTC&range=6h") as page:
        assert page.status == 200
    assert set(dashboard.watches) == {SIX_HOURS}
    await until(lambda: dashboard.watches == {})
    async with client.get("/?asset=a+b") as page:
        assert page.status == 200
    assert dashboard.watches == {}


async def test_a_reload_finds_the_question_still_read(
    client: TestClient[Any, Any], dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.dashboard.server.LINGER_S", 0.3)
    first = await client.get("/events?asset=BTC&range=6h")
    watch, _ = dashboard.watches[SIX_HOURS]
    first.close()
    await until(lambda: not watch.listeners)
    second = await client.get("/events?asset=BTC&range=6h")
    assert dashboard.watches[SIX_HOURS][0] is watch
    await asyncio.sleep(0.5)  # longer than it lingers for nobody
    assert dashboard.watches[SIX_HOURS][0] is watch
    second.close()
    await until(lambda: dashboard.watches == {})


async def test_a_crowd_at_once_opens_no_more_views_than_are_allowed(
    client: TestClient[Any, Any], dashboard: Dashboard
) -> None:
    async def look(day: int) -> int:
        asked = await client.get(f"/events?from=2026-01-{day:02}&to=2026-02-01")
        return asked.status

    found = await asyncio.gather(*(look(day) for day in range(1, 29)))
    assert found.count(200) == len(dashboard.watches) == MOST_WATCHES
    assert found.count(503) == 28 - MOST_WATCHES


async def test_a_view_that_nobody_looks_at_gives_its_place(
    client: TestClient[Any, Any], dashboard: Dashboard
) -> None:
    for day in range(1, MOST_WATCHES + 4):
        async with client.get(f"/?from=2026-01-{day:02}&to=2026-02-01"):
            assert len(dashboard.watches) <= MOST_WATCHES
    asked = await client.get("/events?asset=BTC&range=6h")
    assert asked.status == 200
    asked.close()


async def test_an_empty_address_opens_nothing() -> None:
    with pytest.raises(MarginquakeError, match="--host is empty"):
        async with serving("chdb:///nowhere", settings().home, "", 0, NoPanels(60), 1.0):
            await asyncio.sleep(0)
