"""The published score and its page: one is written from the other, and gaps are told as gaps."""

from datetime import date
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("numpy")

from streams.scoreboard import report
from streams.scoreboard.bootstrap import Interval
from streams.scoreboard.score import Score, score
from streams.scoreboard.spans import Case, Order
from streams.scoreboard.targets import targets

DOCS = Path(__file__).resolve().parents[2] / "docs"
LABELS = Path(__file__).resolve().parents[1] / "eval" / "recordings.labels.json"
UNKNOWN = Interval(None, None, None, 0)


@pytest.fixture(scope="module")
def published() -> Score:
    return msgspec.json.decode((DOCS / "scoreboard.json").read_bytes(), type=Score)


def test_without_an_event_the_lead_over_the_rivals_is_not_measured(published: Score) -> None:
    blank = tuple(msgspec.structs.replace(one, pr_auc=UNKNOWN) for one in published.lines)
    found = {one.what: one for one in targets(msgspec.structs.replace(published, lines=blank))}
    for kind in ("ALL", "assets"):
        lead = found[f"PR-AUC above every rival, {kind}"]
        assert (lead.measured, lead.met) == ("not measured", None)


def test_without_a_lead_over_one_factor_health_is_not_measured(published: Score) -> None:
    assert published.health is not None
    area = published.health.areas[0]
    first, *_ = area.better
    half = msgspec.structs.replace(area, better={**area.better, first: UNKNOWN})
    health = msgspec.structs.replace(published.health, areas=(half,))
    (lead,) = (
        one
        for one in targets(msgspec.structs.replace(published, health=health))
        if one.what.startswith("health AUC")
    )
    assert (lead.measured, lead.met) == ("not measured", None)


def test_without_a_steady_day_its_pages_are_not_measured(published: Score) -> None:
    told = published.readers
    assert told is not None
    pages = tuple(
        msgspec.structs.replace(one, asset_days=0.0, days=0.0, asset_stories=0, market_stories=0)
        if one.where == "steady days"
        else one
        for one in told.pages
    )
    score = msgspec.structs.replace(published, readers=msgspec.structs.replace(told, pages=pages))
    (count,) = (one for one in targets(score) if one.what.startswith("pages on steady-high days"))
    assert (count.measured, count.met) == ("not measured", None)


def test_a_rule_that_asks_open_interest_is_left_out_of_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = tuple(Order(at, "BTC", "bybit", "long", 50_000.0) for at in range(100, 110))
    case = Case("made-up/0", "recordings", 0, 600, ("BTC",), False, (), orders)
    monkeypatch.setattr("streams.scoreboard.score.recorded_cases", lambda *_: [(case, [])])

    def on_recordings(baselines: bool) -> Score:
        return score(
            "train",
            1,
            tmp_path,
            date(2026, 11, 22),
            ("recordings",),
            baselines=baselines,
            recordings=tmp_path,
            labels=LABELS,
        )

    found = on_recordings(baselines=True)
    assert found.recorded is not None
    shown = {row.rule: row.spans for row in found.recorded.counts}
    assert shown["fixed, default"]
    assert not any("interest-share" in rule for rule in shown)
    reason = "Not shown: interest-share, since recordings hold no open interest."
    assert reason in report.page(found, ()).splitlines()
    assert reason not in report.page(on_recordings(baselines=False), ())


def test_tables_of_both_generators_are_headed_by_their_scope(published: Score) -> None:
    text = report.page(published, ())
    for title in ("## Flushes", "## The second generator"):
        part = text.split(f"\n{title}\n")[1].split("\n## ")[0]
        headings = [line for line in part.splitlines() if line.startswith("#")]
        assert headings[:2] == ["### The market as one scope", "### Assets"]


def test_a_look_names_every_part_and_its_seeds_or_cycles(published: Score) -> None:
    look = report.looked(published)
    assert look is not None
    assert look.what == (
        "lines, readers, points of seeds 1001, 1002, 1003; throttle of seeds 1001, 1002; "
        "regimes of cycles 1001 to 1009; health of cycles 1001 to 1009"
    )
    assert look.what in [one.what for one in report.looks()]


def test_a_score_of_recordings_alone_is_no_look_at_test_seeds(published: Score) -> None:
    alone = msgspec.structs.replace(
        published, lines=(), readers=None, points=(), regimes=None, health=None, throttle=()
    )
    assert alone.recorded is not None
    assert report.looked(alone) is None


def test_the_published_page_is_written_from_the_published_score(published: Score) -> None:
    def tables(text: str) -> str:
        return text[text.index("## Targets") :]

    assert tables(report.page(published, ())) == tables((DOCS / "scoreboard.md").read_text())
