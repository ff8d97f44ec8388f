"""What the post-mortem promises: the figures of SQL, one file, honest words on what it lacks."""

import json
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner

from streams.cli import app
from streams.config import MarginquakeError
from streams.contracts import CASCADES, HEALTH, REGIMES, SIGNALS
from streams.edges.inserts import Inserter
from streams.facts.reading import Span, parse_span
from streams.report.gather import gather
from streams.report.page import render
from streams.report.pdf import print_pdf
from tests.browsing import browsing, chromium
from tests.told_market import MINUTE, SECOND, insert, insert_all, moved, tell

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


def crowd(examples: dict[str, list[bytes]], scope: str, at: int, number: int) -> list[Any]:
    """Positioning over 4 and 24 hours and funding of a scope, made of the examples."""
    longs = next(json.loads(one) for one in examples["positioning"] if b"new_longs" in one)
    paid = next(json.loads(one) for one in examples["funding"] if b"be0b04" not in one)
    told = {"scope": scope, "partition": longs["partition"], "at": at, "watermark": at}
    return [
        *(
            {
                **longs, **told, "window_s": window, "oi_change": number / 100 + window / 1e9,
                "id": f"{number:08x}{window:024x}",
            }
            for window in (14_400, 86_400)
        ),
        {**paid, **told, "rate_8h": number / 10_000, "id": f"{number:08x}{1:024x}"},
    ]  # fmt: skip


def test_who_was_crowded_is_what_stood_before_the_onset(
    told: Client, examples: dict[str, list[bytes]]
) -> None:
    (onset,) = row(told, "SELECT toUnixTimestamp64Micro(onset) FROM v_cascades WHERE scope='BTC'")
    euphoric = next(json.loads(one) for one in examples["regime"] if b'"state": "euphoria"' in one)
    messages = [
        *crowd(examples, "BTC", onset - MINUTE, 3),
        *crowd(examples, "BTC", onset, 9),
        *crowd(examples, "ETH", onset - 2 * MINUTE, 5),
    ]
    insert_all(Inserter(told), SIGNALS, messages)
    insert(
        Inserter(told), REGIMES, {**euphoric, "scope": "BTC", "at": onset - SECOND,
        "watermark": onset - SECOND, "id": "e" * 32},
    )  # fmt: skip
    story = gather(told, SPAN)
    (btc,) = story.before.crowding
    assert btc.funding is not None
    assert btc.funding.at == onset - MINUTE
    page = render(story)
    part = page[page.index('id="crowding"') :]
    known = row(
        told,
        "SELECT features['funding'], features['leverage'], interest_known_at IS NOT NULL, oi_usd, "
        "oi_change_24h, funding_8h, funding_annualised, funding_dispersion_8h "
        "FROM v_cascade_context JOIN v_regimes AS r ON r.scope = 'BTC' AND r.id = repeat('e', 32) "
        "WHERE v_cascade_context.scope = 'BTC'",
    )
    assert known[2] == 1
    shown = figures(part, "<tbody>", "</tbody>")
    expected = [*known[:2], known[3], btc.interest[0].oi_change, *known[4:]]
    assert [float(one) for one in shown] == [float(one) for one in expected]
    assert "<td>long</td>" in part
    venues = told.query(
        "SELECT one.6, one.2, one.4 FROM v_funding ARRAY JOIN arrayZip(venues.venue, venues.rate, "
        "venues.interval_s, venues.annualised, venues.next_funding_us, venues.oi_usd) AS one "
        "WHERE scope = 'BTC' AND toUnixTimestamp64Micro(at) = {at:Int64} ORDER BY one.2 DESC",
        parameters={"at": onset - MINUTE},
    ).result_rows
    assert len(venues) == 2
    flat = [float(value) for venue in venues for value in venue]
    assert [float(one) for one in figures(page, 'id="crowding-venues"')] == flat


def test_a_markets_report_tells_the_crowding_of_the_assets_it_closed(
    told: Client, examples: dict[str, list[bytes]]
) -> None:
    insert_all(Inserter(told), SIGNALS, crowd(examples, "BTC", AT - 40 * MINUTE, 3))
    story = gather(told, Span("ALL", SPAN.begin, SPAN.end))
    scopes = [one.scope for one in story.before.crowding]
    assert scopes[0] == "ALL"
    assert story.main is not None
    closed = told.query(
        "SELECT asset FROM v_liquidations WHERE kind != 'adl' AND "
        "event_time_us >= fromUnixTimestamp64Micro({onset:Int64}) "
        "AND event_time_us < fromUnixTimestamp64Micro({end:Int64}) GROUP BY asset "
        "ORDER BY sum(usd) DESC, asset LIMIT 10",
        parameters={"onset": story.main.onset, "end": (story.main.end or SPAN.end) + SECOND},
    ).result_rows
    assert scopes[1:] == [asset for (asset,) in closed]


def test_what_is_not_known_of_the_crowd_has_its_reason(
    told: Client, examples: dict[str, list[bytes]]
) -> None:
    without = next(json.loads(one) for one in examples["positioning"] if b"no_open_interest" in one)
    page = render(gather(told, SPAN))
    assert "Not known of BTC: open interest (no reading in the day before)" in page
    assert "the warehouse keeps no venue's ratio of accounts" in page
    at = AT - 59 * MINUTE
    insert(Inserter(told), SIGNALS, {**without, "at": at, "watermark": at, "id": "a" * 32})
    page = render(gather(told, SPAN))
    assert "open interest over 15 min (no open interest)" in page


def test_the_largest_window_is_found_behind_more_than_are_listed(
    told: Client, examples: dict[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.report.gather.MOST_WINDOWS", 5)
    small = next(json.loads(one) for one in examples["cascade"] if b'"scope": "SOL"' in one)
    at = AT - 20 * MINUTE
    copies = [
        {**moved(small, at + n * MINUTE), "scope": "BTC", "id": f"{n:032x}"} for n in range(9)
    ]
    insert_all(Inserter(told), CASCADES, copies)
    story = gather(told, SPAN)
    largest = row(
        told, "SELECT id FROM v_cascades WHERE scope='BTC' ORDER BY usd_observed DESC LIMIT 1"
    )
    assert story.main is not None
    assert story.main.id == largest[0]
    assert story.main.id not in [window.id for window in story.windows]
    assert "Only the newest 5 windows are listed" in re.sub("<[^>]*>", "", render(story))


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


@pytest.mark.parametrize(
    ("out", "mend"),
    [
        ("report", "give FILE.html"),
        ("report.pdf", "give FILE.html"),
        ("folder.html", "give FILE.html"),
        ("missing/report.html", "is no folder"),
        ("locked/report.html", "give -o another path"),
    ],
)
def test_a_path_that_cannot_hold_a_page_is_named(
    warehouse_dsn: str, told: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    out: str, mend: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("CLICKHOUSE_DSN", warehouse_dsn)
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "locked").mkdir()
    # A dangling link into nowhere: what root may not write either.
    (tmp_path / "locked" / "report.html").symlink_to(tmp_path / "away" / "report.html")
    arguments = ["report", "--from", "2026-11-02T11:00", "--to", "2026-11-02T13:00", "--pdf"]
    done = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / out)])
    assert isinstance(done.exception, MarginquakeError)
    assert mend in str(done.exception)


def test_an_asset_that_nobody_knows_is_named_with_those_like_it(
    warehouse_dsn: str, told: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_DSN", warehouse_dsn)
    arguments = ["report", "--from", "2026-11-02T11:00", "--to", "2026-11-02T13:00"]
    out = str(tmp_path / "x.html")
    done = CliRunner().invoke(app, [*arguments, "-o", out, "--asset", "btc"])
    assert isinstance(done.exception, MarginquakeError)
    assert "knows no asset 'btc': give BTC" in str(done.exception)


def test_printing_asks_no_other_machine(
    told: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "net.json"
    shim = tmp_path / "bin" / "chromium"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {chromium()} --log-net-log={log} "$@"\n', "utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    page = tmp_path / "report.html"
    page.write_text(render(gather(told, SPAN)), "utf-8")
    print_pdf(page, tmp_path / "report.pdf")
    # By line, for Chromium may end before it has closed the list.
    lines = log.read_text("utf-8").splitlines()
    constants = json.loads(lines[0].rstrip(",") + "}")["constants"]
    names = {number: name for name, number in constants["logEventTypes"].items()}
    decoder = json.JSONDecoder()
    events = [decoder.raw_decode(line)[0] for line in lines[1:] if '"source":' in line]
    kinds = {names[event["type"]] for event in events}
    assert "HOST_RESOLVER_MANAGER_REQUEST" in kinds  # it tried
    assert not {
        "HOST_RESOLVER_MANAGER_JOB", "HOST_RESOLVER_SYSTEM_TASK", "DNS_TRANSACTION",
        "TCP_CONNECT", "TCP_CONNECT_ATTEMPT", "SSL_CONNECT",
    } & kinds  # fmt: skip


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
