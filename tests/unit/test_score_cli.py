"""What `marginquake score` refuses before anything is simulated, and how to mend it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("numpy")

from streams.cli import app
from streams.config import MarginquakeError
from streams.scoreboard import tuning
from streams.scoreboard.tuning import Choices

RUNNER = CliRunner()


@pytest.fixture
def tuned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of seeds that were tuned on; nothing is simulated."""
    asked: list[int] = []

    def tune(seeds: int, *_: object) -> Choices:
        asked.append(seeds)
        return tuning.read()

    monkeypatch.setattr("streams.scoreboard.score.tune", tune)
    monkeypatch.setattr("streams.scoreboard.score.score", lambda *_: pytest.fail("scored"))
    return asked


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--split test", "thresholds are chosen on train seeds"),
        ("--families calm", "all scenarios"),
        ("--parts flushes", "nothing is scored"),
        ("--no-baselines", "the rivals are tuned with ours"),
        ("--recordings .", "simulated runs"),
        ("--labels pyproject.toml", "simulated runs"),
        ("--page page.md", "nothing is scored"),
    ],
)
def test_tune_refuses_what_it_would_ignore(
    option: str, reason: str, tuned: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    told = RUNNER.invoke(app, ["score", "--tune", *option.split()])
    assert isinstance(told.exception, MarginquakeError)
    named = option if option == "--split test" else option.split()[0]
    assert f"--tune with {named}: " in str(told.exception)
    assert reason in str(told.exception)
    assert f"leave out {named}" in str(told.exception)
    assert not tuned


def test_tune_takes_train_seeds_by_name_or_not(tuned: list[int]) -> None:
    for arguments in ([], ["--split", "train", "--baselines"]):
        told = RUNNER.invoke(app, ["score", "--tune", "--seeds", "3", *arguments, "--json"])
        assert told.exit_code == 0, told.output
    assert tuned == [3, 3]


@pytest.mark.usefixtures("tuned")
@pytest.mark.parametrize("parts", ["recordings", "flushes,recordings"])
def test_recordings_that_are_asked_for_must_be_named(parts: str) -> None:
    told = RUNNER.invoke(app, ["score", "--parts", parts])
    assert isinstance(told.exception, MarginquakeError)
    assert "--parts recordings" in str(told.exception)
    assert "--recordings FOLDER and --labels FILE" in str(told.exception)
