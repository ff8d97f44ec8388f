"""The scoreboard on made-up judgements: choosing, tables, leaving out, targets, pages."""

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.config import MarginquakeError
from streams.scoreboard import cases, report, tuning
from streams.scoreboard.detection import left_out, lines, sensitivity
from streams.scoreboard.estimates import Estimate
from streams.scoreboard.judging import CLASSES, OURS, Judged, Setting, default_of, ours, settings_of
from streams.scoreboard.metrics import Counts, Hit, ScopeClass
from streams.scoreboard.rivals import RIVALS
from streams.scoreboard.score import Score
from streams.scoreboard.targets import targets

pytest.importorskip("numpy")


OWN = settings_of(OURS).index(default_of(OURS))


def counted(hits: int, missed: int, false: int, size: float = 6.0) -> Counts:
    hit = Hit(30, 1, 2, True, size, Estimate(1e6, 1.1e6, 9e5, 1.3e6))
    return Counts((hit,) * hits, (size,) * missed, false, 0, 1.0, 0.0)


def judged(name: str, best: int, rule: str = OURS) -> Judged:
    """A run on which the setting number `best` finds all four events and others do not."""
    kinds: tuple[ScopeClass, ...] = ("ALL", "assets")
    by_setting: dict[Setting, dict[ScopeClass, Counts]] = {
        setting: {kind: counted(4, 0, 0) if n == best else counted(1, 3, 2) for kind in kinds}
        for n, setting in enumerate(settings_of(rule))
    }
    return Judged(
        name, name.rsplit("-", 1)[0], False, 2.0, {"ALL": 4, "assets": 4}, {rule: by_setting}
    )


def test_train_and_test_seeds_share_none() -> None:
    assert not set(cases.TRAIN_SEEDS) & set(cases.TEST_SEEDS)
    train, test = (cases.keys(split, 3) for split in ("train", "test"))
    assert not set(train) & set(test)
    assert {key.scenario for key in train} == {key.scenario for key in test}


def test_the_setting_with_the_best_f1_is_chosen() -> None:
    choices = tuning.choose([judged("calm-1", OWN), judged("weekend-1", OWN)])
    assert choices.setting(OURS, "ALL") == default_of(OURS)
    assert choices.setting(OURS, "assets") == default_of(OURS)
    assert choices.chosen[0].train_f1 == 1.0
    assert choices.runs == ("calm-1", "weekend-1")


def test_a_test_run_may_not_choose() -> None:
    with pytest.raises(MarginquakeError, match="chosen on train runs"):
        tuning.choose([judged("calm-1001", 2)])


def test_a_choice_that_cannot_be_kept_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "CHOSEN", tmp_path / "gone" / "chosen.json")
    with pytest.raises(MarginquakeError, match=r"cannot be kept in chosen\.json: No such file"):
        tuning.write(tuning.Choices((), ()))


def test_every_rival_has_its_authors_values_among_the_settings() -> None:
    for rule in (OURS, *RIVALS):
        if rule == OURS:
            assert default_of(rule) in settings_of(rule)
        else:
            assert default_of(rule) in settings_of(rule)
        assert len(settings_of(rule)) <= 31


def test_our_definition_is_what_was_chosen_on_train_seeds() -> None:
    chosen = tuning.read()
    assert chosen.setting(OURS, "ALL") == default_of(OURS)
    assert all(int(name.rsplit("-", 1)[1]) in cases.TRAIN_SEEDS for name in chosen.runs)
    assert ours(default_of(OURS)[0]) == ours(chosen.setting(OURS, "assets")[0])


def test_every_choice_is_a_setting_that_its_rule_tries_and_every_rule_has_one() -> None:
    # Runs are judged at these settings alone: another one has no counts in any table.
    chosen = tuning.read()
    for one in chosen.chosen:
        assert one.setting in settings_of(one.rule), one
    for rule in (OURS, *RIVALS):
        assert all(chosen.setting(rule, kind) for kind in CLASSES)


def test_a_family_is_judged_by_the_setting_of_the_others() -> None:
    train = [judged("calm-1", 1), judged("weekend-1", 2)]
    test = [judged("calm-1001", 1), judged("weekend-1001", 2)]
    found = {(one.rule, one.scope_class): one for one in left_out(train, test, [OURS])}
    market = found[OURS, "ALL"]
    # Each family's own best setting is what the others did not choose.
    assert market.by_family == {"calm": pytest.approx(2 / 7), "weekend": pytest.approx(2 / 7)}


def test_lines_hold_every_rule_and_count_runs_whole() -> None:
    runs = [judged("calm-1", OWN), judged("weekend-1", OWN)]
    choices = tuning.choose(runs)
    found = lines(runs, choices)
    assert [(one.rule, one.scope_class) for one in found] == [(OURS, "ALL"), (OURS, "assets")]
    assert found[0].true_positives == 8
    assert found[0].figures["f1"].estimate == 1.0
    assert found[0].pr_auc.estimate == 1.0
    assert found[0].lead is None


def test_another_rate_is_judged_against_its_own_label() -> None:
    other: dict[Setting, dict[ScopeClass, Counts]] = {
        setting: {"ALL": counted(1, 1, 0), "assets": counted(0, 0, 2)}
        for setting in settings_of(OURS)
    }
    runs = [
        msgspec.structs.replace(judged(name, OWN), at_rates={8.0: other})
        for name in ("calm-1", "weekend-1")
    ]
    found = {(one.rate_bp, one.scope_class): one for one in sensitivity(runs, (4.0, 8.0))}
    assert found[4.0, "ALL"].f1 == 1.0
    assert found[8.0, "ALL"].events == 4
    assert found[8.0, "ALL"].recall == 0.5
    assert found[8.0, "assets"].recall is None


def a_score() -> Score:
    runs = [judged("calm-1", OWN), judged("weekend-1", OWN)]
    choices = tuning.choose(runs)
    return Score(
        "2026-11-22",
        "train",
        (1,),
        2,
        4.0,
        {"ALL": 8, "assets": 8},
        "cascade/4",
        "abc",
        choices,
        lines=lines(runs, choices),
        sensitivity=sensitivity(runs, (4.0,)),
        self_reinforcing={"0.2": 3},
    )


def test_a_target_says_what_was_measured_and_whether_it_was_met() -> None:
    found = {one.what: one for one in targets(a_score())}
    assert found["flush F1, ALL"].met is True
    assert found["flush F1, ALL"].measured == "1.000"
    assert found["false alarms on steady days, ALL"].met is None
    assert "PR-AUC above every rival, ALL" not in found


def test_the_page_shows_the_figures_and_survives_missing_parts(tmp_path: Path) -> None:
    text = report.page(a_score(), report.looks())
    assert text.startswith("# Scoreboard")
    assert f"| marginquake | tuned: {default_of(OURS)[0]:g} | 8 | 0 | 0 | 1.00 | 1.00 |" in text
    assert "## Regime" not in text
    again = msgspec.json.decode(msgspec.json.encode(a_score()), type=Score)
    assert report.page(again, report.looks()) == text


def test_looks_at_test_seeds_are_listed_on_the_page() -> None:
    assert all(look.on and look.what and look.then for look in report.looks())


def a_test_score() -> Score:
    return msgspec.structs.replace(a_score(), split="test", seeds=(1001,))


@pytest.fixture
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    kept = tmp_path / "looks.json"
    kept.write_bytes(report.LOOKS.read_bytes())
    monkeypatch.setattr(report, "LOOKS", kept)
    return kept


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """`marginquake score` gives a made-up score of test seeds."""
    monkeypatch.setattr("streams.scoreboard.score.score", lambda *_: a_test_score())


@pytest.mark.usefixtures("at_once", "looks")
def test_seeing_test_seeds_is_noted_beside_the_looks_before_and_on_the_page(
    tmp_path: Path,
) -> None:
    before = report.looks()
    page = tmp_path / "page.md"
    told = CliRunner().invoke(app, ["score", "--page", str(page)])
    assert told.exit_code == 0, told.output
    *earlier, last = report.looks()
    assert tuple(earlier) == before
    assert (last.on, last.what, last.then) == ("2026-11-22", "lines of seeds 1001", "")
    assert f"looked at {len(before) + 1} times" in page.read_text()
    assert page.read_text() == report.page(a_test_score(), report.looks())


@pytest.mark.usefixtures("at_once")
def test_a_look_that_cannot_be_noted_loses_no_result(looks: Path, tmp_path: Path) -> None:
    # A folder in the way stands for a read-only installation, also for root.
    looks.with_name("looks.json.part").mkdir()
    before = looks.read_bytes()
    page = tmp_path / "page.md"
    told = CliRunner().invoke(app, ["score", "--page", str(page), "--json"])
    assert isinstance(told.exception, MarginquakeError)
    line = str(told.exception)
    assert "\n" not in line
    assert f'add it to {looks} by hand: {{"on":"2026-11-22","what":"lines of seeds 1001"' in line
    assert json.loads(told.stdout)["seeds"] == [1001]
    assert "## Flushes" in page.read_text()
    assert json.loads(page.with_suffix(".json").read_text())["seeds"] == [1001]
    assert looks.read_bytes() == before


@pytest.mark.usefixtures("at_once", "looks")
def test_a_page_that_cannot_be_written_loses_neither_result_nor_look(tmp_path: Path) -> None:
    before = report.looks()
    page = tmp_path / f"{'p' * 300}.md"
    told = CliRunner().invoke(app, ["score", "--page", str(page)])
    assert isinstance(told.exception, MarginquakeError)
    assert str(page) in str(told.exception)
    assert "## Flushes" in told.stdout
    assert len(report.looks()) == len(before) + 1


def test_looks_that_cannot_be_read_are_named_before_anything_is_scored(
    looks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.scoreboard.score.score", lambda *_: pytest.fail("scored"))
    looks.write_text("[{]")
    told = CliRunner().invoke(app, ["score"])
    assert isinstance(told.exception, MarginquakeError)
    assert str(looks) in str(told.exception)
