"""What the post-mortem promises: the figures of SQL, one file, honest words on what it lacks."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner

from streams.cli import app
from streams.config import MarginquakeError
from streams.contracts import CASCADES, HEALTH
from streams.edges.inserts import Inserter
from streams.facts.reading import Span, parse_span
from streams.report.gather import gather
from streams.report.page import render
from streams.report.pdf import print_pdf
from tests.browsing import browsing, chromium
from tests.told_market import MINUTE, insert, moved, tell

pytestmark = pytest.mark.warehouse

AT = 1_793_620_800_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SPAN = Span("BTC", AT - HOUR, AT + MINUTE)


@pytest.fixture
def told(warehouse: Client, examples: dict[str, list[bytes]]) -> Client:
    tell(warehouse, examples, AT)
    return warehouse


def row(client: Client, sql: str) -> tuple[Any, ...]:
    (found,) = client.query(sql).result_rows
    return tuple(found)


def figures(page: str, start: str, end: str = "</table>") -> list[Decimal]:
    """Exact figures between two marks of the page."""
    part = page[page.index(start) :]
    part = part[: part.index(end)]
    return [Decimal(value) for value in re.findall(r'<data value="([^"]*)"', part)]


def test_its_figures_are_those_of_sql(told: Client) -> None:
    page = render(gather(told, SPAN))
    (sides,) = told.query(
        "SELECT sumIf(usd, position_side='long') AS l, sumIf(usd, position_side='short') AS s, "
        "l + s, count() FROM v_liquidations WHERE asset='BTC' AND kind != 'adl' "
        "AND toUnixTimestamp64Micro(event_time_us) BETWEEN {begin:Int64} AND {end:Int64} - 1",
        parameters={"begin": SPAN.begin, "end": SPAN.end},
    ).result_rows
    assert figures(page, 'id="range-total"', "</tr>") == [Decimal(value) for value in sides]
    assert sides[3] > 0
    window = row(
        told,
        "SELECT usd_observed, usd_estimated, usd_low, usd_high, usd_upper, events "
        "FROM v_cascades WHERE scope='BTC'",
    )
    assert figures(page, 'id="window-total"', "</tr>") == [Decimal(value) for value in window]
    price = row(
        told,
        "SELECT price_onset, price_extreme, impact_bp, recovery_30m, oi_share, amplification, "
        "excess_low, excess_high, confidence FROM v_cascades WHERE scope='BTC'",
    )
    assert [float(value) for value in figures(page, 'id="price"')] == list(price)
    venues = told.query(
        "SELECT sumIf(usd, position_side='long'), sumIf(usd, position_side='short'), count(), "
        "max(usd), sumIf(usd, is_late) FROM v_liquidations WHERE asset='BTC' AND kind != 'adl' "
        "GROUP BY venue ORDER BY sum(usd) DESC, venue"
    ).result_rows
    flat = [Decimal(value) for venue in venues for value in venue]
    assert figures(page, 'id="venues"') == flat
    definition = row(told, "SELECT definition, params_hash FROM v_cascades WHERE scope='BTC'")
    assert all(word in page[page.index('id="definitions"') :] for word in definition)


def test_it_compares_with_the_year_before_and_with_nothing_later(
    told: Client, examples: dict[str, list[bytes]]
) -> None:
    assert "there is nothing to compare with" in render(gather(told, SPAN))
    largest = next(
        json.loads(one) for one in examples["cascade"] if b'"final' in one or b"742" in one
    )
    inserter = Inserter(told)
    for index, (days, factor) in enumerate(((40, 2), (30, 1), (-2, 3))):
        dollars = {
            name: largest[name] * factor
            for name in ("usd_observed", "usd_low", "usd_estimated", "usd_high", "usd_upper")
        }
        other = {
            **moved(largest, AT - days * DAY),
            **dollars,
            "usd_by_venue": {name: usd * factor for name, usd in largest["usd_by_venue"].items()},
            "magnitude": None if factor > 1 else largest["magnitude"],
            "null_reasons": {
                **largest["null_reasons"],
                **({"magnitude": "x"} if factor > 1 else {}),
            },
            "id": f"{index:032x}",
        }
        insert(inserter, CASCADES, other)
    page = render(gather(told, SPAN))
    observed = row(
        told, "SELECT usd_observed FROM v_cascades WHERE scope='BTC' AND id NOT LIKE '00%'"
    )
    found = figures(page, 'id="earlier"', "</p>")
    assert found[:2] == [2, 2]
    assert found[-1] == 2 * observed[0]


def test_what_was_known_is_what_stood_before_the_onset(
    told: Client, examples: dict[str, list[bytes]]
) -> None:
    known = json.loads(examples["health"][0])
    (onset,) = row(told, "SELECT toUnixTimestamp64Micro(onset) FROM v_cascades WHERE scope='BTC'")
    inserter = Inserter(told)
    stressed = next(json.loads(one) for one in examples["health"] if b'"stressed"' in one)
    for index, at in enumerate((onset - 5_000_000, onset)):
        health = 18.25 if index == 0 else 8.25
        parts = {**stressed["contributions"], "leverage": 10.25 + 18.25 - health}
        told_health = {
            **stressed, "scope": "BTC", "partition": known["partition"], "health": health,
            "band": "stressed" if index == 0 else "critical", "contributions": parts,
            "at": at, "watermark": at, "id": f"{index + 7:032x}",
        }  # fmt: skip
        insert(inserter, HEALTH, told_health)
    story = gather(told, SPAN)
    assert story.before.at == onset
    assert story.before.health is not None
    assert story.before.health.health == 18.25


def test_a_range_without_anything_says_so(told: Client) -> None:
    page = render(gather(told, Span("BTC", AT - 90 * DAY, AT - 89 * DAY)))
    assert "no forced order was published in this range, and no window opened" in page
    assert "nothing below can tell calm from blindness" in page
    assert "<svg" not in page


def test_low_coverage_is_said_first(told: Client) -> None:
    page = render(gather(told, SPAN))
    assert "Coverage fell to" in page[: page.index("<h2>")]


async def test_it_is_one_file_that_asks_nobody(told: Client, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    text = render(gather(told, SPAN))
    page.write_text(text, "utf-8")
    assert text.count("<svg") >= 2
    assert not re.search(r"<(script|link|img|iframe)\b", text)
    for viewport in ({"width": 1100, "height": 800}, {"width": 390, "height": 844}):
        async with browsing(viewport=viewport) as seen:
            await seen.page.goto(page.as_uri())
            width = await seen.page.evaluate("document.documentElement.scrollWidth")
            await seen.shot(f"report-{viewport['width']}")
            assert width <= viewport["width"]
            seen.clean()


def test_the_same_rows_give_the_same_bytes(told: Client) -> None:
    assert render(gather(told, SPAN)) == render(gather(told, SPAN))


def test_the_command_writes_page_and_paper(
    warehouse_dsn: str, told: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chromium()
    monkeypatch.setenv("CLICKHOUSE_DSN", warehouse_dsn)
    out = tmp_path / "event.html"
    arguments = ["report", "--from", "2026-11-02T11:00", "--to", "2026-11-02T13:00", "-o", str(out)]
    done = CliRunner().invoke(app, [*arguments, "--asset", "BTC", "--pdf"])
    assert done.exit_code == 0, done.output
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert out.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")


def test_without_chromium_the_page_stays_and_the_lack_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MarginquakeError, match="apt-get install chromium"):
        print_pdf(tmp_path / "page.html", tmp_path / "page.pdf")


@pytest.mark.parametrize(
    ("begin", "end", "mend"),
    [
        ("2026-03-02", "2026-03-01", "from must lie before to"),
        ("2026-01-01", "2026-12-01", "92 days at most"),
        ("noon", "2026-03-01", "is no time"),
    ],
)
def test_a_wrong_range_is_named(begin: str, end: str, mend: str) -> None:
    with pytest.raises(MarginquakeError, match=mend):
        parse_span("BTC", begin, end)
