"""`marginquake doctor`: each lack is found by doing, and comes with its mend."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.config import Settings
from streams.edges import doctor_services
from streams.edges.check import Check
from streams.edges.doctor import examine

ROOT = Path(__file__).resolve().parents[2]


def check(name: str, settings: Settings) -> Check:
    (found,) = [check for check in examine(settings) if check.name == name]
    return found


def test_every_check_that_fails_says_how_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    checks = examine(Settings(home=tmp_path))
    lacking = {check.name: check.mend for check in checks if not check.ok}
    assert "openjdk-17-jre-headless" in lacking["java"]
    assert "apt-get install maven" in lacking["maven"]
    assert all(lacking.values())


def test_a_taken_kafka_port_is_found(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = check("kafka port", Settings(kafka=f"127.0.0.1:{port}", home=tmp_path))
    assert not found.ok
    assert str(port) in found.mend


def test_a_broker_elsewhere_needs_no_port_here(tmp_path: Path) -> None:
    found = check("kafka port", Settings(kafka="kafka.example:9092", home=tmp_path))
    assert found.ok
    assert "not on this machine" in found.found


def test_a_home_that_is_not_there_yet_is_judged_by_its_parent(tmp_path: Path) -> None:
    found = check("disk", Settings(home=tmp_path / "not" / "yet"))
    assert "GiB free" in found.found
    assert not (tmp_path / "not").exists()


def test_assumptions_that_cannot_be_read_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {"": "as documented", "htx.trade_sides=1": "htx.trade_sides=1"}
    for setting, found in wanted.items():
        monkeypatch.setenv("MARGINQUAKE_ASSUMPTIONS", setting)
        known = check("assumptions", Settings(home=tmp_path))
        assert (known.ok, known.found) == (True, found)
    monkeypatch.setenv("MARGINQUAKE_ASSUMPTIONS", "gate.sign=buy")
    wrong = check("assumptions", Settings(home=tmp_path))
    assert not wrong.ok
    assert "unknown field `sign`" in wrong.mend
    assert "marginquake venues --assumptions" in wrong.mend


def test_a_full_disk_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.edges.doctor.DISK_NEEDED_GIB", 10**9)
    found = check("disk", Settings(home=tmp_path))
    assert not found.ok
    assert "MARGINQUAKE_HOME" in found.mend


def test_the_command_prints_every_check_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARGINQUAKE_HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["doctor", "--json"])
    checks = json.loads(result.output)
    assert {check["name"] for check in checks} >= {"python", "java", "maven", "chdb", "disk"}
    assert result.exit_code == (0 if all(check["ok"] for check in checks) else 1)


@contextmanager
def answering(pages: dict[str, bytes]) -> Iterator[int]:
    """A port that answers these paths over HTTP, as a process of somebody would."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path, b"what?")
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_metrics_ports_of_stages_are_told_from_those_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = unused_port()
    stage = b'marginquake_build{process="sink",version="1"} 1.0\n'
    with answering({"/metrics": stage}) as ours, answering({}) as others:
        monkeypatch.setattr(doctor_services, "METRICS_PORTS", (ours, free))
        fine = doctor_services.metrics_ports()
        monkeypatch.setattr(doctor_services, "METRICS_PORTS", (ours, others, free))
        wrong = doctor_services.metrics_ports()
    assert (fine.ok, fine.found) == (True, f"{ours} sink, {free} free")
    assert not wrong.ok
    assert wrong.found.startswith(f"{others} taken")
    assert f"give other --metrics-port than {others}" in wrong.mend


def test_a_warehouse_port_is_free_or_a_clickhouse_or_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor_services, "WAREHOUSE_PORT", unused_port())
    assert doctor_services.warehouse_port().found.endswith("free")
    with answering({"/ping": b"Ok.\n"}) as port:
        monkeypatch.setattr(doctor_services, "WAREHOUSE_PORT", port)
        assert doctor_services.warehouse_port().found == f"{port}: a ClickHouse answers"
    with answering({}) as port:
        monkeypatch.setattr(doctor_services, "WAREHOUSE_PORT", port)
        taken = doctor_services.warehouse_port()
    assert not taken.ok
    assert f"holds port {port}" in taken.mend


def test_a_broker_that_is_not_started_is_no_lack(tmp_path: Path) -> None:
    found = check("broker", Settings(kafka=f"127.0.0.1:{unused_port()}", home=tmp_path))
    assert found.ok
    assert "marginquake broker start" in found.found


def test_a_port_that_is_no_broker_is_a_lack(tmp_path: Path) -> None:
    with answering({}) as port:
        found = doctor_services.broker_answers(Settings(kafka=f"127.0.0.1:{port}", home=tmp_path))
    assert not found.ok
    assert "MARGINQUAKE_KAFKA" in found.mend


def test_a_store_that_is_not_made_is_no_lack_and_is_not_made(tmp_path: Path) -> None:
    found = doctor_services.warehouse(Settings(clickhouse_dsn=f"chdb://{tmp_path / 'store'}"))
    assert found.ok
    assert "marginquake migrate" in found.found
    assert not (tmp_path / "store").exists()


def test_a_server_that_is_away_is_a_lack_and_its_password_is_not_told() -> None:
    dsn = f"clickhouse://reader:word-of-the-test@127.0.0.1:{unused_port()}/marginquake"
    found = doctor_services.warehouse(Settings(clickhouse_dsn=dsn))
    assert not found.ok
    assert "start the server or mend CLICKHOUSE_DSN" in found.mend
    assert "word-of-the-test" not in found.mend


@pytest.mark.parametrize(
    ("skew", "kernel", "ok", "said"),
    [
        (0.02, None, True, "+0.020 s against clickhouse://c:8123/m"),
        (-4.0, 0.001, False, "-4.000 s against"),
        (None, 0.004, True, "within 0.004 s by the kernel's word"),
        (None, 16.0, False, "within 16.000 s"),
        (None, None, True, "not checked: no reference"),
    ],
)
def test_the_clock_is_judged_by_what_there_is(
    skew: float | None,
    kernel: float | None,
    ok: bool,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor_services, "_server_skew", lambda dsn: skew)
    monkeypatch.setattr(doctor_services, "kernel_clock_error", lambda: kernel)
    found = doctor_services.clock(Settings(clickhouse_dsn="clickhouse://u:p@c:8123/m"))
    assert (found.ok, said in found.found) == (ok, True), found
    assert bool(found.mend) is not ok


def test_a_server_on_this_machine_proves_nothing_about_its_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def asked(dsn: str) -> None:
        pytest.fail(f"{dsn} was asked for the time")

    monkeypatch.setattr(doctor_services, "connect", asked)
    monkeypatch.setattr(doctor_services, "kernel_clock_error", lambda: None)
    for host in ("127.0.0.1", "localhost", "[::1]"):
        here = Settings(clickhouse_dsn=f"clickhouse://{host}:8123/m")
        assert doctor_services.clock(here).found == "not checked: no reference"


def test_the_kernel_tells_an_error_or_that_it_knows_none() -> None:
    told = doctor_services.kernel_clock_error()
    assert told is None or told >= 0.0


def test_too_little_memory_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = doctor_services.memory()
    monkeypatch.setattr(doctor_services, "MEMORY_NEEDED_GIB", 10**6)
    found = doctor_services.memory()
    assert "GiB available" in fine.found
    assert not found.ok
    assert "machines of their own" in found.mend


@pytest.mark.parametrize("kafka", ["127.0.0.1:99999", "localhost:abc", "127.0.0.1", "", "a:9092,b"])
def test_bootstrap_servers_that_are_none_are_a_lack(kafka: str, tmp_path: Path) -> None:
    checks = {check.name: check for check in examine(Settings(kafka=kafka, home=tmp_path))}
    for name in ("kafka port", "broker"):
        assert not checks[name].ok
        assert "set MARGINQUAKE_KAFKA to HOST:PORT" in checks[name].mend


def test_a_java_that_does_not_run_is_a_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "java"
    java.write_bytes(b"\x7fELF of another machine")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    checks = {check.name: check for check in examine(Settings(home=tmp_path / "home"))}
    assert not checks["java"].ok
    assert "does not run" in checks["java"].mend
    assert "install Java 17 or newer" in checks["java"].mend


def test_a_home_or_a_store_that_is_a_file_is_a_lack(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    here = Settings(home=file / "home", clickhouse_dsn=f"chdb://{file}")
    checks = {check.name: check for check in examine(here)}
    assert not checks["disk"].ok
    assert "set MARGINQUAKE_HOME" in checks["disk"].mend
    assert not checks["warehouse"].ok
    assert checks["warehouse"].mend == "name another folder in CLICKHOUSE_DSN"


def test_a_dashboard_port_is_free_or_ours_or_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_services, "DASHBOARD_PORT", unused_port())
    assert doctor_services.dashboard_port().found.endswith("free")
    page = (ROOT / "streams/dashboard/page/index.html").read_bytes()
    with answering({"/": page}) as port:
        monkeypatch.setattr(doctor_services, "DASHBOARD_PORT", port)
        assert doctor_services.dashboard_port().found == f"{port}: our dashboard answers"
    with answering({}) as port:
        monkeypatch.setattr(doctor_services, "DASHBOARD_PORT", port)
        taken = doctor_services.dashboard_port()
    assert not taken.ok
    assert "marginquake dashboard --port" in taken.mend
