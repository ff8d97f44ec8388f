"""The demo as a user starts it: real broker, Faust, sink, chDB, each a process of its own.

One whole run through Kafka and one in-process are shared by the tests that compare them; Java
and Maven are needed for the first (conftest), chDB for both.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("numba")

from clickhouse_connect.driver.client import Client

from streams import contracts
from streams.config import MarginquakeError
from streams.core.results import Print
from streams.edges.inserts import Inserter
from streams.edges.replay import Tables, warehouse_writer

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(600)]

REPOSITORY = Path(__file__).resolve().parents[2]

VIEWS = {
    "v_cascades": "engine",
    "v_prints": "engine",
    "v_milestones": "engine",
    "v_liquidations": "",
    "v_late_events": "",
    "v_feed_status": "",
    "v_frames": "",
    "v_dead_letters": "source, stage",
}
"""Views and the columns in which two engines may differ."""


def environment(home: Path, **more: str) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if k not in ("CLICKHOUSE_DSN", "MARGINQUAKE_KAFKA")}
    return {**env, "MARGINQUAKE_HOME": str(home), **more}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "streams.cli", *arguments]


def demo(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("demo", *arguments),
        cwd=REPOSITORY,
        env=environment(home, **env),
        capture_output=True,
        text=True,
        check=False,
    )


def left_running(home: Path) -> list[str]:
    """Command lines of processes that were started for this home."""
    if not Path("/proc/self/environ").exists():
        if os.environ.get("CI"):
            pytest.fail("no /proc to look for processes in")
        pytest.skip("needs /proc to look for processes")
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            said = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if str(home).encode() in said and state != "Z":
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:120])
    return found


def rows(home: Path, view: str, besides: str) -> list[dict[str, Any]]:
    columns = f"* EXCEPT({besides})" if besides else "*"
    done = subprocess.run(
        command("query", "--json", f"SELECT {columns} FROM {view} ORDER BY ALL"),  # noqa: S608
        cwd=REPOSITORY,
        env=environment(home, CLICKHOUSE_DSN=f"chdb://{home / 'demo' / 'warehouse'}"),
        capture_output=True,
        check=True,
    )
    found: list[dict[str, Any]] = msgspec.json.decode(done.stdout)
    return found


@pytest.fixture(scope="module")
def make_home(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes homes that share the resolved jars."""

    def make() -> Path:
        home = tmp_path_factory.mktemp("home")
        (home / "kafka").mkdir()
        (home / "kafka" / "lib").symlink_to(kafka_jars)
        return home

    return make


@pytest.fixture(scope="module")
def through_kafka(make_home: Callable[[], Path]) -> tuple[Path, subprocess.CompletedProcess[str]]:
    home = make_home()
    return home, demo(home, "--json")


@pytest.fixture(scope="module")
def in_process(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, subprocess.CompletedProcess[str]]]:
    home = tmp_path_factory.mktemp("bare")
    nothing = home / "no-java-here"
    nothing.mkdir()
    # No java and no mvn can be found, as on a machine without them.
    yield home, demo(home, "--json", PATH=str(nothing), JAVA_HOME="")


@pytest.mark.kafka
def test_the_demo_runs_through_kafka_and_faust_and_leaves_nothing_running(
    through_kafka: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, done = through_kafka
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["engine"] == "faust"
    for step in ("broker", "topics", "import", "framer", "detect", "sink", "stop"):
        assert found["steps"][step] > 0
        assert step in done.stderr
    market = [w for w in found["windows"] if w["scope"] == "ALL" and w["window_class"] == "cascade"]
    assert [(w["side"], w["is_final"]) for w in market] == [("long", True)]
    assert {"BTC", "ETH", "SOL"} < {w["scope"] for w in found["windows"]}
    assert found["counts"]["liquidations"] == found["simulated"]["published"]
    assert found["counts"]["dead_letters"] == 1
    assert left_running(home) == []


def test_without_java_it_says_so_in_one_line_and_runs_in_process(
    in_process: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, done = in_process
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if "Java" in line]
    assert len(told) == 1
    assert "in-process engine gives identical results" in told[0]
    found = json.loads(done.stdout)
    assert found["engine"] == "inprocess"
    market = found["prints_24h"][0]
    assert (market["scope"], market["events"]) == ("ALL", found["simulated"]["published"])
    assert market["as_of"] <= found["data_end"] == found["simulated"]["ended"] * 1_000_000
    assert left_running(home) == []


def test_the_report_lays_the_truth_beside_what_was_detected(
    in_process: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    found = json.loads(in_process[1].stdout)
    (market,) = [row for row in found["truth"] if row["flush"]["scope"] == "ALL"]
    flush, window = market["flush"], market["window"]
    assert (flush["side"], flush["self_reinforcing"]) == ("long", True)
    assert (window["side"], window["window_class"]) == ("long", "cascade")
    assert window["onset"] < flush["end"]
    assert window["end"] > flush["onset"]
    assert window["usd_observed"] < flush["usd"] < sum(found["simulated"]["forced_usd"].values())


@pytest.mark.kafka
@pytest.mark.parametrize("view", VIEWS)
def test_both_engines_give_the_same_rows_id_by_id(
    through_kafka: tuple[Path, subprocess.CompletedProcess[str]],
    in_process: tuple[Path, subprocess.CompletedProcess[str]],
    view: str,
) -> None:
    faust = rows(through_kafka[0], view, VIEWS[view])
    assert faust == rows(in_process[0], view, VIEWS[view])
    # Nothing of the demo's hour comes late; test_engine_parity compares a log where orders do.
    assert faust or view == "v_late_events"


@pytest.mark.kafka
def test_going_on_with_an_earlier_demo_adds_nothing(
    through_kafka: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, first = through_kafka
    again = demo(home, "--json", "--keep")
    assert again.returncode == 0, again.stderr
    assert "already in raw.v1" in again.stderr
    was, now = json.loads(first.stdout), json.loads(again.stdout)
    for part in ("windows", "prints_24h", "counts", "simulated"):
        assert now[part] == was[part]


def interrupted(home: Path, until: str, interrupt: Callable[[int], None]) -> tuple[int, str]:
    """Exit code and last words of a demo through Kafka, interrupted after the step `until`.

    `interrupt` is given the demo's process id.
    """
    with subprocess.Popen(
        command("demo", "--engine", "faust"),
        cwd=REPOSITORY,
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if line.strip().startswith(until):
                break
        else:
            raise AssertionError(f"the demo ended before {until}: {seen}")
        interrupt(process.pid)
        said = process.stderr.read()
        code = process.wait(60)
    return code, said


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("number", "step"), [(signal.SIGTERM, "migrate"), (signal.SIGINT, "topics")]
)
def test_a_demo_that_is_stopped_leaves_no_process(
    make_home: Callable[[], Path], number: signal.Signals, step: str
) -> None:
    home = make_home()

    def insist(pid: int) -> None:
        os.kill(pid, number)
        time.sleep(0.2)
        os.kill(pid, number)

    code, said = interrupted(home, step, insist)
    assert code == 1
    assert "interrupted" in said
    assert left_running(home) == []


@pytest.mark.kafka
def test_a_stage_that_dies_is_named_with_its_log(make_home: Callable[[], Path]) -> None:
    home = make_home()

    def kill_framer(_: int) -> None:
        deadline = time.monotonic() + 60
        while not (victims := _pids(home, "framer")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(victims[0], signal.SIGKILL)

    code, said = interrupted(home, "topics", kill_framer)
    assert code == 1
    assert "marginquake: framer ended with signal 9" in said
    assert str(home / "demo" / "log" / "framer.log") in said
    assert left_running(home) == []


def _pids(home: Path, stage: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if stage.encode() in words and str(home).encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except (OSError, ValueError):
            continue
    return found


def test_without_the_simulator_the_demo_says_how_to_get_it(tmp_path: Path) -> None:
    script = (
        "import sys, importlib.util as u; found = u.find_spec;"
        "u.find_spec = lambda name, *more: None if name == 'numba' else found(name, *more);"
        "sys.argv = ['marginquake', 'demo', '--engine', 'inprocess'];"
        "from streams.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install 'marginquake[simulate]'" in done.stderr
    assert "migrate" not in done.stderr


def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "thesis.txt").write_text("mine")
    done = demo(tmp_path, "--engine", "inprocess")
    assert done.returncode == 1
    assert "holds files that are not a demo's" in done.stderr
    assert (tmp_path / "demo" / "thesis.txt").read_text() == "mine"


def test_replay_into_a_warehouse_without_tables_names_migrate(warehouse_dsn: str) -> None:
    # The database is made, its tables are not.
    dsn = warehouse_dsn.partition("?")[0]
    with pytest.raises(MarginquakeError, match="marginquake migrate"), warehouse_writer(dsn):
        pass


def test_a_row_that_no_table_holds_is_dead_lettered(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    row = contracts.decode_result(examples["print"][0])
    assert isinstance(row, Print)
    writer = Tables(Inserter(warehouse))
    writer.write(row)
    writer.write(msgspec.structs.replace(row, id="0" * 32, period_start=0, as_of=0))
    writer.close()
    assert writer.written == {"prints": 1, "dead_letters": 1}
    found = warehouse.query("SELECT reason, stage, source FROM v_dead_letters").result_rows
    assert list(found) == [("invalid_row", "replay", "prints.v1")]
