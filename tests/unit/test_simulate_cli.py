"""The commands `simulate` and `likeness` as a user meets them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("numba")

from streams.cli import app
from streams.config import MarginquakeError

RUNNER = CliRunner()


def test_the_list_names_every_scenario() -> None:
    told = RUNNER.invoke(app, ["simulate", "--list", "--json"])
    assert told.exit_code == 0
    names = {row["scenario"] for row in json.loads(told.stdout)}
    assert {"build-up", "news-shock", "october-2025", "cycles", "points-event"} <= names


def test_an_unknown_scenario_is_answered_with_all_that_are_listed(tmp_path: Path) -> None:
    listed = json.loads(RUNNER.invoke(app, ["simulate", "--list", "--json"]).stdout)
    for name in ("nosuch", "points-nosuch"):
        told = RUNNER.invoke(app, ["simulate", name, "-o", str(tmp_path / "run")])
        assert isinstance(told.exception, MarginquakeError)
        assert f"no scenario '{name}'" in str(told.exception)
        named = str(told.exception).split("take one of ")[1].split(", ")
        assert named == [row["scenario"] for row in listed]


def test_a_run_writes_its_files_and_tells_json(tmp_path: Path) -> None:
    run = ["simulate", "calm", "--hours", "0.2", "--assets", "1", "-o", str(tmp_path), "--json"]
    told = RUNNER.invoke(app, run)
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["lines"] > 1_000
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"log.jsonl.zst", "series.csv", "truth.json"}


def test_a_run_without_a_true_flush_says_so_in_place_of_an_empty_table(tmp_path: Path) -> None:
    run = ["simulate", "calm", "--hours", "0.2", "--assets", "1", "-o", str(tmp_path)]
    told = RUNNER.invoke(app, run)
    assert told.exit_code == 0, told.output
    assert not json.loads((tmp_path / "truth.json").read_text())["flushes"]
    assert "no true flush" in told.stdout.splitlines()
    assert "onset (UTC)" not in told.stdout


@pytest.mark.parametrize(("kind", "head"), [("png", b"\x89PNG"), ("jpg", b"\xff\xd8\xff")])
def test_a_picture_is_drawn(kind: str, head: bytes, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    folder = tmp_path / "run"
    picture = folder / f"picture.{kind}"
    run = ["simulate", "news-shock", "--hours", "0.3", "--assets", "2", "-o", str(folder)]
    told = RUNNER.invoke(app, [*run, "--plot", str(picture)])
    assert told.exit_code == 0, told.output
    assert picture.read_bytes().startswith(head)


def test_a_picture_shows_true_and_detected_windows_and_published_dollars(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from streams.simulation.plot import Seen, Window, draw
    from streams.simulation.run import simulate
    from streams.simulation.scenarios import scenario

    run = simulate(scenario("flash-wick"), 2, tmp_path, assets=2, hours=2.0)
    (flush, *_) = [one.flush for one in run.truth.flushes if one.flush.scope == "ALL"]
    found = Window("ALL", flush.side, "cascade", flush.onset, flush.onset + 9, flush.end)
    pictures = {}
    for name, seen in (
        ("truth", None),
        ("nothing", Seen([], {})),
        ("seen", Seen([found], {(flush.onset, flush.side): 1e8})),
        ("elsewhere", Seen([found._replace(scope="DOGE")], {(flush.onset, flush.side): 1e8})),
    ):
        draw(run, tmp_path / f"{name}.png", seen)
        pictures[name] = (tmp_path / f"{name}.png").read_bytes()
    assert len(set(pictures.values())) == 4


def test_the_page_says_from_what_length_a_picture_has_a_close_up() -> None:
    from streams.simulation.plot import ZOOM_FROM_S

    page = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text()
    assert f"runs of {ZOOM_FROM_S / 3_600:g} h of simulated time or more" in page


@pytest.mark.parametrize(
    ("picture", "named"),
    [
        ("no/p.png", "make it"),
        ("p.foo", "written as .foo; end it in .png"),
        ("p", "without ending; end it in .png"),
        ("taken.png/p.png", "make it"),
        (f"{'p' * 300}.png", "cannot be written (File name too long)"),
    ],
)
def test_a_picture_that_cannot_be_written_is_refused_before_anything_runs(
    picture: str, named: str, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "taken.png").touch()
    folder = tmp_path / "run"
    run = ["simulate", "calm", "--hours", "0.1", "--assets", "1", "-o", str(folder)]
    told = RUNNER.invoke(app, [*run, "--plot", str(tmp_path / picture)])
    assert isinstance(told.exception, MarginquakeError)
    assert named in str(told.exception)
    assert {path.name for path in tmp_path.iterdir()} == {"taken.png"}


def test_looking_whether_a_picture_can_be_written_changes_no_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from streams.simulation.plot import check_target

    (tmp_path / "earlier.png").write_bytes(b"earlier")
    for name in ("earlier.png", "new.PNG", "new.svg", "new.pdf", "not-yet/new.png"):
        check_target(tmp_path / name, tmp_path / "not-yet")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "earlier.png": b"earlier"
    }


def test_the_second_generator_has_no_picture() -> None:
    assert RUNNER.invoke(app, ["simulate", "points-event", "--plot", "p.png"]).exit_code == 2


def test_no_scenario_is_bad_usage() -> None:
    assert RUNNER.invoke(app, ["simulate"]).exit_code == 2


def test_the_second_generator_can_be_laid_beside_a_log(tmp_path: Path) -> None:
    run = ["simulate", "points-ordinary", "--hours", "1", "-o", str(tmp_path), "--json"]
    assert RUNNER.invoke(app, run).exit_code == 0
    told = RUNNER.invoke(app, ["likeness", str(tmp_path / "log.jsonl.zst"), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)[0]["orders"] > 30


def test_the_rate_of_a_flush_holds_in_the_second_generator_too(tmp_path: Path) -> None:
    truths = {}
    for rate in (4.0, 1_000.0):
        folder = tmp_path / f"{rate:g}"
        run = ["simulate", "points-event", "--hours", "1", "--assets", "2", "-o", str(folder)]
        told = RUNNER.invoke(app, [*run, "--rate-bp", f"{rate:g}"])
        assert told.exit_code == 0, told.output
        truths[rate] = json.loads((folder / "truth.json").read_text())
        assert truths[rate]["flush_rule"]["rate_bp"] == rate
    assert truths[4.0]["flushes"]
    assert not truths[1_000.0]["flushes"]


def test_a_run_takes_the_place_of_another_only_when_it_is_told_to(tmp_path: Path) -> None:
    size = ["--hours", "0.1", "--assets", "1", "-o", str(tmp_path)]
    assert RUNNER.invoke(app, ["simulate", "calm", *size]).exit_code == 0
    (tmp_path / "mine.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for scenario in ("calm", "points-steady"):
        told = RUNNER.invoke(app, ["simulate", scenario, *size])
        assert isinstance(told.exception, MarginquakeError)
        assert f"{tmp_path} holds log.jsonl.zst, series.csv, truth.json" in str(told.exception)
        assert "--overwrite" in str(told.exception)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    told = RUNNER.invoke(app, ["simulate", "points-steady", *size, "--overwrite"])
    assert told.exit_code == 0, told.output
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(after) == {"log.jsonl.zst", "truth.json", "mine.txt"}
    assert json.loads(after["truth.json"])["kind"] == "steady"
    assert after["mine.txt"] == b"mine"


def test_an_earlier_run_is_kept_where_the_new_one_cannot_begin(tmp_path: Path) -> None:
    size = ["--assets", "1", "-o", str(tmp_path)]
    assert RUNNER.invoke(app, ["simulate", "calm", "--hours", "0.1", *size]).exit_code == 0
    for wrong in (["calm", "--hours", "1e6"], ["points-steady", "--assets", "99"], ["nosuch"]):
        told = RUNNER.invoke(app, ["simulate", *size, "--overwrite", *wrong])
        assert isinstance(told.exception, MarginquakeError)
        assert (tmp_path / "truth.json").is_file()


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("scenario", "late"),
    [
        ("calm", "streams.simulation.run.truth_of"),
        ("points-ordinary", "streams.simulation.points.flushes_of"),
    ],
)
def test_an_interrupted_run_leaves_no_file_and_says_so(
    scenario: str, late: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late, interrupted)
    folder = tmp_path / "run"
    run = ["simulate", scenario, "--hours", "0.1", "--assets", "1", "-o", str(folder)]
    told = RUNNER.invoke(app, run)
    assert told.exit_code == 130
    assert told.stderr == f"marginquake: interrupted; nothing of the run was kept in {folder}\n"
    assert list(folder.iterdir()) == []


def test_a_run_interrupted_while_it_is_drawn_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("streams.simulation.plot.draw", interrupted)
    folder, picture = tmp_path / "run", tmp_path / "picture.png"
    run = ["simulate", "calm", "--hours", "0.1", "--assets", "1", "-o", str(folder)]
    told = RUNNER.invoke(app, [*run, "--plot", str(picture)])
    assert told.exit_code == 130
    assert told.stderr == (
        f"marginquake: interrupted; the run in {folder} is whole, {picture} is not drawn\n"
    )
    assert {path.name for path in folder.iterdir()} == {"log.jsonl.zst", "series.csv", "truth.json"}


def test_a_run_whose_last_file_cannot_be_written_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("streams.simulation.run.series_csv", full)
    run = ["simulate", "calm", "--hours", "0.1", "--assets", "1", "-o", str(tmp_path)]
    told = RUNNER.invoke(app, run)
    assert isinstance(told.exception, MarginquakeError)
    assert "No space left on device" in str(told.exception)
    assert list(tmp_path.iterdir()) == []


def test_without_numba_the_command_says_how_to_get_it(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['numba'] = None; sys.argv = ['marginquake', 'simulate', 'calm'];"
        "from streams.cli import main; main()"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert told.returncode == 1
    assert "pip install 'marginquake[simulate]'" in told.stderr
