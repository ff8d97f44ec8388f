"""A small market through simulator, framer, detectors, rivals and every table."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.scoreboard import cases
from streams.scoreboard.cases import Plan, RunKey
from streams.scoreboard.framed import make, read_case
from streams.scoreboard.judging import OURS, judge
from streams.scoreboard.telling import told

pytest.importorskip("numba")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cases.PLANS, "build-up", Plan("build-up", 1.5, 3))
    monkeypatch.setitem(cases.PLANS, "calm", Plan("calm", 0.25, 1))


@pytest.mark.usefixtures("small")
def test_a_run_is_made_once_and_holds_orders_events_and_frames(folder: Path) -> None:
    here = make(RunKey("build-up", 1), folder)
    stamp = (here / "sealed.msgpack.zst").stat().st_mtime_ns
    assert make(RunKey("build-up", 1), folder) == here
    assert (here / "sealed.msgpack.zst").stat().st_mtime_ns == stamp
    case = read_case(here)
    assert case.assets == ("BTC", "ETH", "SOL")
    assert case.end - case.begin == 5_400
    assert len(case.orders) > 1_000
    assert any(event.scope == "ALL" and event.self_reinforcing for event in case.events)


@pytest.mark.usefixtures("small")
def test_our_windows_answer_the_true_flushes(folder: Path) -> None:
    here = make(RunKey("build-up", 1), folder)
    judged = judge(here, (OURS, "fixed"))
    market = judged.counts[OURS][(4.0,)]["ALL"]
    assert market.tp >= 1
    assert market.tp >= market.fn
    assert judged.counts["fixed"][(1e5, 5)]["ALL"].fp > market.fp


@pytest.mark.usefixtures("small")
def test_what_readers_are_told_comes_after_the_onset_and_names_dollars(folder: Path) -> None:
    found = told(make(RunKey("build-up", 1), folder))
    assert found.windows
    for one in found.windows:
        assert 0 < one.published_s < 600
        assert one.usd.value is not None and one.usd.value > 0
        if one.usd.low is not None and one.usd.high is not None:
            assert one.usd.low <= one.usd.value <= one.usd.high
    assert any(page.kind.startswith("cascade") and page.true for page in found.pages)


@pytest.mark.usefixtures("small")
def test_score_prints_tables_or_json_and_writes_the_page(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "scoreboard.md"
    arguments = ["score", "--split", "train", "--seeds", "1", "--families", "build-up,calm"]
    arguments += ["--parts", "flushes,readers", "--folder", str(folder), "--workers", "1"]
    found = CliRunner().invoke(app, [*arguments, "--page", str(page), "--json"])
    assert found.exit_code == 0, found.output
    score = json.loads(found.stdout)
    assert score["split"] == "train"
    assert {line["rule"] for line in score["lines"]} >= {OURS, "fixed", "kleinberg"}
    assert score["readers"]["pages"]
    text = page.read_text()
    assert "## Flushes" in text and "## What readers are told" in text
    assert json.loads(page.with_suffix(".json").read_text())["seeds"] == [1]


def test_a_wrong_family_or_part_is_named(folder: Path) -> None:
    for arguments, named in (
        (["--families", "doom"], "doom"),
        (["--parts", "doom"], "doom"),
        (["--seeds", "1000"], "--seeds 1000"),
    ):
        found = CliRunner().invoke(app, ["score", *arguments, "--folder", str(folder)])
        assert found.exit_code != 0
        assert named in str(found.exception)
