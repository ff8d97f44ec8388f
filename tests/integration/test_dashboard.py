"""What the live page promises, in a real browser before a real warehouse."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from streams.config import settings
from streams.contracts import ALERTS
from streams.dashboard.panels import Panels
from streams.dashboard.questions import RANGES
from streams.dashboard.server import serving
from streams.dashboard.watch import Watch
from streams.edges.inserts import Inserter
from streams.edges.warehouse import connect_reader
from tests.browsing import browsing
from tests.told_market import SECOND, insert, moved, tell

pytestmark = [pytest.mark.warehouse, pytest.mark.usefixtures("chart_library")]

ALL_PANELS = (
    "feeds", "cascades", "forced", "alerts", "health", "print", "imbalance", "liquidity", "zones",
    "regime", "dominance",
)  # fmt: skip


@pytest.fixture
def now() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def told(warehouse: Client, examples: dict[str, list[bytes]], now: int) -> Client:
    tell(warehouse, examples, now)
    return warehouse


def dashboard(dsn: str, stale_after_s: int = 3600) -> AbstractAsyncContextManager[str]:
    return serving(dsn, settings().home, "127.0.0.1", 0, Panels(stale_after_s), 0.5)


@pytest.fixture
async def address(told: Client, warehouse_dsn: str) -> AsyncIterator[str]:
    async with dashboard(warehouse_dsn) as url:
        yield url


def column(client: Client, sql: str) -> list[Any]:
    return [row[0] for row in client.query(sql).result_rows]


def row(client: Client, sql: str) -> tuple[Any, ...]:
    (found,) = client.query(sql).result_rows
    return tuple(found)


def decimals(values: list[str]) -> list[Decimal]:
    return [Decimal(value) for value in values]


async def test_figures_of_an_asset_are_those_of_sql(address: str, told: Client) -> None:
    async with browsing(viewport={"width": 1280, "height": 900}) as seen:
        await seen.page.goto(f"{address}?asset=BTC&range=1h")
        await seen.panels(*ALL_PANELS)
        observed, estimated, upper = row(
            told, "SELECT usd_observed, usd_estimated, usd_upper FROM v_cascades WHERE scope='BTC'"
        )
        assert {observed, estimated, upper} <= set(decimals(await seen.values("#cascades tbody")))
        venues = told.query(
            "SELECT sumIf(usd, position_side='long'), sumIf(usd, position_side='short') "
            "FROM v_liquidations WHERE asset='BTC' AND kind != 'adl' GROUP BY venue"
        ).result_rows
        shown = decimals(await seen.values("#forced tbody"))
        assert len(venues) >= 2
        assert {usd for pair in venues for usd in pair} <= set(shown)
        imbalance = row(
            told,
            "SELECT long_observed, long_usd, short_observed, short_usd "
            "FROM v_imbalance WHERE scope='BTC' AND venue IS NULL",
        )
        assert decimals(await seen.values("#imbalance tbody"))[:4] == list(imbalance)
        zones, skill = row(told, "SELECT zones.usd_estimated, skill FROM v_zones WHERE scope='BTC'")
        assert set(zones) <= set(decimals(await seen.values("#zones tbody")))
        assert float((await seen.values("#zones dl"))[0]) == skill
        ratio = row(told, "SELECT derivatives_usd, spot_usd FROM v_dominance WHERE scope='BTC'")
        assert decimals(await seen.values("#dominance tbody"))[:2] == list(ratio)
        bid, ask = row(told, "SELECT bid_usd[1], ask_usd[1] FROM v_liquidity WHERE scope='BTC'")
        assert {bid, ask} <= set(decimals(await seen.values("#liquidity tbody")))
        state = row(told, "SELECT state FROM v_regimes WHERE scope='BTC'")[0]
        assert await seen.page.inner_text("#regime .figure") == state
        assert await seen.page.locator("#forced canvas").count() == 2
        await seen.shot("dashboard-btc")
        seen.clean()


async def test_figures_of_the_market_are_those_of_sql(address: str, told: Client) -> None:
    async with browsing() as seen:
        await seen.page.goto(f"{address}?asset=ALL&range=1h")
        await seen.panels(*ALL_PANELS)
        health, parts = row(told, "SELECT health, contributions FROM v_health WHERE scope='ALL'")
        assert float((await seen.values("#health-value"))[0]) == health
        shown = [float(value) for value in await seen.values("#health tbody")]
        assert sorted(shown) == sorted(parts.values())
        observed = row(told, "SELECT usd_observed FROM v_prints WHERE scope='ALL'")[0]
        assert decimals(await seen.values("#print-observed")) == [observed]
        crossed = column(told, "SELECT threshold_usd FROM v_milestones")
        assert set(crossed) <= set(decimals(await seen.values("#print tbody")))
        for text in column(told, "SELECT text FROM v_alerts"):
            assert text in await seen.page.inner_text("#alerts")
        windows = column(told, "SELECT usd_observed FROM v_cascades")
        assert set(windows) <= set(decimals(await seen.values("#cascades tbody")))
        assert "choose an asset" in await seen.page.inner_text("#forced")
        seen.clean()


async def test_what_is_partial_or_unknown_is_said(address: str, told: Client) -> None:
    async with browsing() as seen:
        await seen.page.goto(f"{address}?asset=SOL&range=1h")
        await seen.panels("feeds", "health", "zones")
        health = await seen.page.inner_text("#health")
        assert "not known" in health
        assert "coverage below 0.6" in health
        assert "Coverage 40 %" in health
        zones = await seen.page.inner_text("#zones")
        reason = row(told, "SELECT null_reasons['zones'] FROM v_zones WHERE scope='SOL'")[0]
        assert f"Map not shown: {reason.replace('_', ' ')}" in zones
        await seen.page.goto(f"{address}?asset=BTC&range=1h")
        await seen.panels("feeds", "cascades")
        assert "less than all subscribed venues" in await seen.page.inner_text("#feeds")
        states = await seen.page.locator("#feeds tbody .tag").all_inner_texts()
        venues = await seen.page.locator("#feeds tbody tr td:first-child").all_inner_texts()
        found = dict(zip(venues, states, strict=True))
        assert found["bybit"] == "live"
        assert found["okx"] == "stale"
        assert found["binance-usdm"] == "live"
        assert (
            "%"
            in (await seen.page.locator("#cascades tbody tr td:last-child").all_inner_texts())[0]
        )
        seen.clean()


async def test_a_new_row_appears_by_itself(
    address: str, told: Client, examples: dict[str, list[bytes]], now: int
) -> None:
    async with browsing() as seen:
        await seen.page.goto(f"{address}?asset=ALL&range=15m")
        await seen.panels("alerts")
        text = "Inserted while <b>the page</b> was open."
        assert text not in await seen.page.inner_text("#alerts")
        alert = moved(json.loads(examples["alert"][0]), now - now % (60 * SECOND))
        insert(Inserter(told), ALERTS, {**alert, "id": "f" * 32, "text": text})
        await seen.page.wait_for_selector("#alerts >> text=Inserted while")
        assert text in await seen.page.inner_text("#alerts")
        seen.clean()


async def test_the_address_holds_asset_and_range_and_back_works(address: str) -> None:
    async with browsing() as seen:
        page = seen.page
        await page.goto(address)
        await seen.panels("feeds")
        await page.select_option("#asset", "BTC")
        assert "asset=BTC&range=1h" in page.url
        await page.click("#ranges >> text=6h")
        assert "asset=BTC&range=6h" in page.url
        await page.go_back()
        assert "asset=BTC&range=1h" in page.url
        assert await page.input_value("#asset") == "BTC"
        assert await page.get_attribute("#ranges a[aria-current]", "href") == "?asset=BTC&range=1h"
        await page.click("#fixed summary")
        await page.fill("[name=from]", "2026-01-01T00:00:00")
        await page.fill("[name=to]", "2026-01-01T06:00:00")
        await page.click("#fixed-form button")
        assert "from=2026-01-01T00%3A00Z&to=2026-01-01T06%3A00Z" in page.url
        await page.wait_for_selector("text=nothing of this range")
        await seen.panels("cascades")
        assert "No cascade in this range." in await page.inner_text("#cascades")
        seen.clean()


async def test_the_keyboard_reaches_everything(address: str) -> None:
    async with browsing() as seen:
        page = seen.page
        await page.goto(f"{address}?asset=BTC&range=1h")
        await seen.panels(*ALL_PANELS)
        reached = []
        for _ in range(60):
            await page.keyboard.press("Tab")
            reached.append(
                await page.evaluate(
                    "() => { const e = document.activeElement; return e.getAttribute('aria-label') "
                    "|| e.id || e.innerText.trim(); }"
                )
            )
        assert reached[0] == "Skip to the panels"
        wanted = {"asset", *RANGES, "From – to", "Windows of forced selling and buying"}
        assert wanted <= set(reached)
        outline = "e => getComputedStyle(e).outlineStyle"
        await page.focus("#ranges a >> nth=0")
        await page.keyboard.press("Tab")
        assert await page.eval_on_selector("#ranges a:focus", outline) == "solid"
        await page.keyboard.press("Enter")
        assert "range=1h" in page.url
        seen.clean()


async def test_a_phone_shows_it_without_sideways_scrolling(address: str) -> None:
    phone = {"width": 390, "height": 844}
    async with browsing(viewport=phone, is_mobile=True, device_scale_factor=2) as seen:
        await seen.page.goto(f"{address}?asset=BTC&range=1h")
        await seen.panels(*ALL_PANELS)
        assert await seen.page.evaluate("document.documentElement.scrollWidth") <= phone["width"]
        await seen.shot("dashboard-phone")
        seen.clean()


async def test_it_is_dark_where_that_is_wished(address: str) -> None:
    backgrounds = set()
    for scheme in ("light", "dark"):
        async with browsing(color_scheme=scheme) as seen:
            await seen.page.goto(f"{address}?asset=BTC&range=1h")
            await seen.panels(*ALL_PANELS)
            backgrounds.add(
                await seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
            )
            await seen.shot(f"dashboard-{scheme}")
            seen.clean()
    assert len(backgrounds) == 2


async def test_an_empty_warehouse_is_called_empty(warehouse: Client, warehouse_dsn: str) -> None:
    async with dashboard(warehouse_dsn) as url, browsing() as seen:
        await seen.page.goto(f"{url}?asset=BTC&range=1h")
        await seen.panels(*ALL_PANELS)
        assert "no frame yet" in await seen.page.inner_text("#no-data")
        for name in ALL_PANELS:
            assert await seen.page.locator(f"#{name} .empty").count() >= 1, name
            assert await seen.page.locator(f"#{name} canvas").count() == 0, name
        await seen.shot("dashboard-empty")
        seen.clean()


async def test_old_data_is_called_old_and_can_be_looked_at(
    warehouse: Client, warehouse_dsn: str, examples: dict[str, list[bytes]], now: int
) -> None:
    tell(warehouse, examples, now - 86_400 * SECOND)
    async with dashboard(warehouse_dsn, stale_after_s=30) as url, browsing() as seen:
        await seen.page.goto(f"{url}?asset=BTC&range=1h")
        await seen.panels("feeds")
        await seen.page.wait_for_selector("#stale")
        assert "No new data for more than 30 s" in await seen.page.inner_text("#stale")
        assert "No frame in this range." in await seen.page.inner_text("#feeds")
        await seen.page.click("#stale a")
        await seen.page.wait_for_selector("#forced canvas")
        assert "from=" in seen.page.url
        seen.clean()


async def test_a_warehouse_that_is_away_is_named_and_found_again(
    told: Client, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = True

    def sometimes(dsn: str, patience_s: int) -> Client:
        if away:
            return connect_reader("clickhouse://reader:hidden@127.0.0.1:9/market")
        return connect_reader(dsn, patience_s)

    monkeypatch.setattr("streams.dashboard.watch.connect_reader", sometimes)
    async with dashboard(warehouse_dsn) as url, browsing() as seen:
        await seen.page.goto(f"{url}?asset=BTC&range=1h")
        await seen.page.wait_for_selector("#failure")
        said = await seen.page.inner_text("#failure")
        assert "cannot open the warehouse clickhouse://127.0.0.1:9/market" in said
        assert "hidden" not in said
        assert "not known" in await seen.page.inner_text("#reach")
        await seen.shot("dashboard-away")
        away = False
        await seen.panels("cascades")
        await seen.page.wait_for_selector("#failure", state="detached")
        seen.clean()


async def test_a_panel_that_cannot_be_read_leaves_the_others_alone(
    told: Client, warehouse_dsn: str
) -> None:
    told.command("DROP TABLE v_zones")
    async with dashboard(warehouse_dsn) as url, browsing() as seen:
        await seen.page.goto(f"{url}?asset=BTC&range=1h")
        await seen.page.wait_for_selector("#zones .failure")
        assert "Not renewed" in await seen.page.inner_text("#zones .failure")
        await seen.panels("cascades", "dominance")
        assert await seen.page.locator("#warnings .failure").count() == 0
        seen.clean()


async def test_a_warehouse_that_says_nothing_is_noticed(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browsing() as seen:
        await seen.page.clock.install()
        await seen.page.goto(f"{address}?asset=BTC&range=1h")
        await seen.panels(*ALL_PANELS)

        async def hangs(watch: Watch) -> None:
            await asyncio.sleep(3600)

        monkeypatch.setattr(Watch, "round", hangs)
        await asyncio.sleep(1)  # a round that has begun ends
        await seen.page.clock.fast_forward(20_000)
        await seen.page.wait_for_selector("#quiet")
        assert "has not been read since" in await seen.page.inner_text("#quiet")


async def test_a_dashboard_that_ends_is_noticed(told: Client, warehouse_dsn: str) -> None:
    async with browsing() as seen:
        async with dashboard(warehouse_dsn) as url:
            await seen.page.goto(f"{url}?asset=BTC&range=1h")
            await seen.panels("cascades")
        await seen.page.wait_for_selector("#cut")
        assert "Figures below are those of" in await seen.page.inner_text("#cut")
