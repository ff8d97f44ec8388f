"""How a Flink job is set up and asked after: settings, checkpoints to go on from, causes."""

import asyncio
import os
import socket
import threading
import time
from pathlib import Path

import msgspec
import pytest

from streams.config import MarginquakeError
from streams.engines.flink import session
from streams.engines.flink.jobmanager import DETECT, Job, innermost
from streams.engines.flink.session import (
    Options,
    await_port,
    configuration,
    follow,
    held,
    host_port,
    newest_checkpoint,
    prepare,
    restored_from,
)
from streams.engines.flink.sql import NAME, PRINTS, SCRIPTS, place, script_of, statements
from streams.engines.flink.watch import SILENT_S, Watch
from streams.telemetry import REGISTRY


def options(tmp_path: Path, **changes: object) -> Options:
    base: dict[str, object] = {
        "kafka": "127.0.0.1:19092",
        "home": tmp_path,
        "checkpoints": str(tmp_path / "checkpoints"),
    }
    return Options(**{**base, **changes})  # type: ignore[arg-type]


def saved(folder: Path, at_s: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "_metadata").touch()
    os.utime(folder / "_metadata", (at_s, at_s))
    return folder


def test_a_mini_cluster_listens_on_loopback_alone(tmp_path: Path) -> None:
    found = configuration(options(tmp_path), None)
    bound = {name: value for name, value in found.items() if "host" in name or "address" in name}
    assert set(bound.values()) == {"127.0.0.1"}
    assert {"rest.bind-address", "jobmanager.bind-host", "taskmanager.bind-host"} <= bound.keys()
    assert found["web.submit.enable"] == "false"


def test_a_start_goes_on_from_what_was_saved_last(tmp_path: Path) -> None:
    here = options(tmp_path)
    assert restored_from(here) is None
    place = tmp_path / "checkpoints"
    saved(place / "aa11/chk-7", 100)
    newest = saved(place / "savepoint-aa11-99", 300)
    saved(place / "bb22/chk-2", 200)
    (place / "bb22/chk-3").mkdir()
    assert restored_from(here) == newest.as_uri()
    assert restored_from(options(tmp_path, restore="none")) is None
    named = str(place / "aa11/chk-7")
    assert restored_from(options(tmp_path, restore=named)) == Path(named).as_uri()
    assert restored_from(options(tmp_path, restore="s3://b/chk-1")) == "s3://b/chk-1"


def test_a_start_anew_gives_up_what_was_saved_before(tmp_path: Path) -> None:
    place = tmp_path / "checkpoints"
    saved(place / "aa11/chk-7", 100)
    with held(options(tmp_path)):
        assert restored_from(options(tmp_path)) is not None
    with held(options(tmp_path, restore="none")):
        pass
    assert restored_from(options(tmp_path)) is None, "it ended before its first checkpoint"
    later = saved(place / "bb22/chk-1", 2**33)
    assert restored_from(options(tmp_path)) == later.as_uri()


def test_two_jobs_do_not_share_a_folder_of_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PREDECESSOR_S", 0.3)
    with held(options(tmp_path)):
        with (
            pytest.raises(MarginquakeError, match="another Flink job writes its checkpoints"),
            held(options(tmp_path)),
        ):
            pass
        with held(options(tmp_path, checkpoints=str(tmp_path / "other"))):
            pass
        with held(options(tmp_path, jobmanager="host:1")):
            pass
    with held(options(tmp_path)):
        pass


def test_flink_may_delete_only_what_it_wrote_for_itself(tmp_path: Path) -> None:
    claim = "execution.state-recovery.claim-mode"
    here = options(tmp_path)
    assert configuration(here, "file:///c/aa11/chk-7")[claim] == "CLAIM"
    assert configuration(here, "file:///c/savepoint-1")[claim] == "NO_CLAIM"
    named = options(tmp_path, restore="/c/aa11/chk-7")
    assert configuration(named, "file:///c/aa11/chk-7")[claim] == "NO_CLAIM"


def test_single_failures_months_apart_do_not_add_up_to_the_end_of_a_job(tmp_path: Path) -> None:
    found = configuration(options(tmp_path), None)
    assert found["restart-strategy.type"] == "failure-rate"
    assert found["restart-strategy.failure-rate.failure-rate-interval"] == "10 min"


def test_each_script_has_a_folder_of_its_own_known_by_its_job() -> None:
    assert place(Path("a/mine.sql")) != place(PRINTS)
    found = script_of(f"{NAME} prints")
    assert found is not None
    assert place(found) == place(PRINTS) == Path("flink/sql-checkpoints/prints")
    assert script_of(DETECT) is None


def test_thread_mode_opens_no_worker_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mode = "_python_worker_execution_mode"
    for name in ("PYTHONPATH", "FLINK_LOG_DIR", "JVM_ARGS", mode):
        monkeypatch.setenv(name, "")
    monkeypatch.delenv(mode)
    prepare(tmp_path, "process")
    assert mode not in os.environ
    prepare(tmp_path, "thread")
    assert os.environ[mode] == "process"


def test_a_folder_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match="no checkpoint: a file _metadata is missing"):
        restored_from(options(tmp_path, restore=str(tmp_path)))
    with pytest.raises(MarginquakeError, match="name one with --restore"):
        newest_checkpoint("s3://bucket/checkpoints")


def test_a_crash_of_the_jvm_is_reported_beside_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONPATH", "FLINK_LOG_DIR", "_python_worker_execution_mode"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("JVM_ARGS", "-Xmx1g")
    prepare(tmp_path)
    assert os.environ["JVM_ARGS"] == f"-XX:ErrorFile={tmp_path}/flink/log/hs_err_pid%p.log -Xmx1g"
    prepare(tmp_path)
    assert os.environ["JVM_ARGS"].count("ErrorFile") == 1
    for name in ("FLINK_LOG_DIR", "JVM_ARGS"):
        monkeypatch.delenv(name)
    prepare(tmp_path / "of two words")
    assert "JVM_ARGS" not in os.environ
    assert session.log_folder(tmp_path) == tmp_path / "of two words" / "flink" / "log"


@pytest.mark.parametrize("text", ["8081", "host:", "host:port", ":8081"])
def test_a_jobmanager_is_host_and_port(text: str) -> None:
    with pytest.raises(MarginquakeError, match="HOST:PORT"):
        host_port(text)
    assert host_port("a.b:81") == ("a.b", 81)


def test_the_innermost_cause_is_told_on_one_line() -> None:
    java = "o.JobException: out\n\tat a.b\nCaused by: x.Y: mid\n\tat c\nCaused by: p.Q: in\n\tat d"
    assert innermost(java) == "p.Q: in"
    python = f"{java}\nstreams.config.MarginquakeError: frames.v1-2: lost\n\t... 3 more"
    assert innermost(python) == "streams.config.MarginquakeError: frames.v1-2: lost"
    assert (
        innermost("An error occurred while calling o1.x.\n: a.B: refused\n\tat e") == "a.B: refused"
    )
    assert innermost("") == "no cause is told"
    assert (
        innermost("<Exception\no.F: not found\nEnd of exception on server side>")
        == "o.F: not found"
    )


def test_scripts_fall_into_statements_with_their_variables_replaced() -> None:
    found = statements(PRINTS.read_text("utf-8"), "k:1", bounded=True)
    kinds = [one.split()[0] for one in found]
    assert kinds == ["SET", "SET", "SET", "CREATE", "CREATE", "CREATE", "CREATE", "EXECUTE"]
    assert found[-1].count("INSERT INTO") == 2
    assert found[-1].endswith("END")
    assert not any("${" in one or "--" in one for one in found)
    assert sum("'k:1'" in one for one in found) == 2
    assert "'latest-offset'" in found[3]


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sql")), ids=lambda path: path.name)
def test_every_script_says_what_it_is_for(script: Path) -> None:
    text = script.read_text("utf-8")
    assert text.startswith("-- ")
    assert "marginquake flink sql" in text


def test_a_port_that_another_program_keeps_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(MarginquakeError, match=f"port {port} is taken"):
            await_port(port, timeout_s=0.3)
    await_port(port, timeout_s=5)


class Ending:
    """A future of Flink's, given when the job has ended."""

    def __init__(self, ended: threading.Event) -> None:
        self.ended = ended

    def result(self) -> None:
        assert self.ended.wait(10)


class Client:
    """Flink's JobClient of a job that goes on until it is cancelled."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def get_job_id(self) -> str:
        return "f00d"

    def get_job_execution_result(self) -> Ending:
        return Ending(self.ended)

    def cancel(self) -> Ending:
        self.ended.set()
        return Ending(self.ended)


@pytest.mark.flink
async def test_a_stop_without_a_savepoint_ends_the_job_and_says_so(tmp_path: Path) -> None:
    client, stop = Client(), asyncio.Event()
    stop.set()
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(MarginquakeError, match="no JobManager answers"):
        await follow(options(tmp_path, rest_port=port), client, stop, Watch())
    assert client.ended.is_set()


def test_a_job_is_healthy_while_it_runs_and_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    assert not watch.health().ok
    job = Job("f00d", "marginquake detect", "RUNNING", 5, 0, None, 3, "file:///c", 10, 70)
    watch.take(job)
    assert watch.health().ok
    assert sample("marginquake_flink_job_running", stage="detect:flink") == 1
    kept = "marginquake_checkpoint_seconds_count"
    before = sample(kept, stage="detect:flink")
    watch.take(job)
    watch.take(msgspec.structs.replace(job, checkpoint_id=4))
    assert sample(kept, stage="detect:flink") == (before or 0) + 1
    watch.take(msgspec.structs.replace(job, state="RESTARTING", failures=1, cause="broken pipe"))
    assert not watch.health().ok
    assert watch.health().detail == (
        "job f00d is RESTARTING, restarted 1 times, last after: broken pipe"
    )
    assert sample("marginquake_flink_job_running", stage="detect:flink") == 0
    watch.take(job)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + SILENT_S + 1)
    assert not watch.health().ok


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)
