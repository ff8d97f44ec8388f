"""`marginquake warehouse serve` as a process: started, asked, refused, told to stop."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import free_port
from tests.served import serve

pytestmark = pytest.mark.warehouse


@contextmanager
def process(store: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """`marginquake warehouse serve`, its address, and what it said, which is there at the end."""
    environment = {
        **os.environ,
        "CLICKHOUSE_DSN": f"chdb://{store}",
        "MARGINQUAKE_WAREHOUSE_PASSWORD": "from-the-environment",
    }
    code = "from streams.cli import main; main()"
    command = [sys.executable, "-c", code, "warehouse", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        try:
            line = next((text for text in running.stderr if "http://" in text), "")
            address = line.partition("http://")[2].partition(",")[0].strip()
            said: list[str] = []
            drained = threading.Thread(target=lambda: said.extend(running.stderr or ()))
            drained.start()
            yield running, address, said
        finally:
            if running.poll() is None:
                running.kill()
            running.wait()
            drained.join()


def run(dsn: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from streams.cli import main; main()", *arguments],
        env={**os.environ, "CLICKHOUSE_DSN": dsn, **more},
        capture_output=True,
        text=True,
        check=False,
    )


def test_migrate_and_query_work_through_the_served_process_until_it_is_told_to_stop(
    tmp_path: Path,
) -> None:
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    store = tmp_path / "store"
    metrics_port = free_port()
    arguments = ("--metrics-port", str(metrics_port), "--stop-seconds", "1")
    with process(store, *arguments) as (server, address, _):
        dsn = f"clickhouse://writer:from-the-environment@{address}/default"
        assert run(dsn, "migrate").returncode == 0
        status = json.loads(run(dsn, "warehouse", "status", "--json").stdout)
        assert status["pending"] == []
        asked = run(f"clickhouse://{address}/default", "query", "--json", "SELECT 1 AS a")
        assert json.loads(asked.stdout) == [{"a": 1}]
        held = run(f"chdb://{store}", "migrate")
        assert held.returncode == 1
        assert f"is open in process {server.pid}" in held.stderr
        with urlopen(f"http://127.0.0.1:{metrics_port}/healthz", timeout=10) as healthy:
            assert json.load(healthy)["status"] == "ok"
        answered = 'marginquake_warehouse_queries_total{outcome="answered",role="writer"}'
        assert answered in metrics(metrics_port)
        replies: list[str] = []
        endless = threading.Thread(target=_endless, args=(address, replies))
        endless.start()
        running = 'marginquake_warehouse_queries_running{role="reader"} 1.0'
        end = time.monotonic() + 60
        while running not in metrics(metrics_port):
            assert time.monotonic() < end
            time.sleep(0.05)
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
        endless.join(10)
        assert "QUERY_WAS_CANCELLED" in replies[0]
    after = run(f"chdb://{store}", "query", "--json", "SELECT count() AS n FROM v_frames")
    assert json.loads(after.stdout) == [{"n": 0}]


def test_a_query_that_hears_no_kill_does_not_keep_the_process(tmp_path: Path) -> None:
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    store = tmp_path / "store"
    metrics_port = free_port()
    arguments = ("--metrics-port", str(metrics_port), "--stop-seconds", "0")
    # One block, on which the function works for an hour.
    sql = "SELECT editDistance(repeat('a', 60000), concat(repeat('b', 20000), toString(number)))"
    query = "user=writer&password=from-the-environment&query_id=deaf"
    with process(store, *arguments) as (server, address, said):
        connection = http.client.HTTPConnection(address, timeout=120)
        connection.request("POST", f"/?{query}", f"{sql} FROM numbers(2000)")
        running = 'marginquake_warehouse_queries_running{role="writer"} 1.0'
        end = time.monotonic() + 60
        while running not in metrics(metrics_port):
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(1)
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 1
        connection.close()
    assert "that the engine did not stop: deaf" in "".join(said)
    after = run(f"chdb://{store}", "query", "--json", "SELECT 1 AS n")
    assert json.loads(after.stdout) == [{"n": 1}]


def test_data_that_a_killed_process_left_is_gone_when_the_store_opens(tmp_path: Path) -> None:
    if not os.environ.get("CI"):
        pytest.importorskip("chdb")
    left = tmp_path / "store.inserts" / "tmpabc.data"
    left.parent.mkdir()
    left.write_text("1,x\n")
    with serve(tmp_path) as running:
        assert not left.exists()
        made = "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a"
        assert running.ask(made, writes=True).status == 200
        assert running.ask("INSERT INTO t FORMAT CSV\n1\n", writes=True).status == 200
        assert list(left.parent.iterdir()) == []
    assert not left.parent.exists()


def metrics(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        text: str = page.read().decode()
        return text


def _endless(address: str, replies: list[str]) -> None:
    """One request only, so that a running query is this one."""
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request(
        "POST", "/", "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
    )
    replies.append(connection.getresponse().read().decode())
    connection.close()


@pytest.mark.parametrize(
    ("arguments", "more", "text"),
    [
        (("--host", "192.0.2.1"), {}, "is not loopback"),
        (("--password-env", "NOT_SET_ANYWHERE"), {}, "NOT_SET_ANYWHERE"),
        (("--user", "writer"), {}, "choose another"),
        ((), {"CLICKHOUSE_DSN": "clickhouse://h:1/d"}, "is a server already"),
    ],
)
def test_what_cannot_be_served_is_refused_at_the_start(
    tmp_path: Path, arguments: tuple[str, ...], more: dict[str, str], text: str
) -> None:
    dsn = more.get("CLICKHOUSE_DSN", f"chdb://{tmp_path / 'store'}")
    failed = run(dsn, "warehouse", "serve", "--port", "0", *arguments)
    assert failed.returncode == 1
    assert text in failed.stderr


def test_a_reader_with_a_password_must_give_it(tmp_path: Path) -> None:
    with serve(tmp_path, reader_password="for-readers") as guarded:  # noqa: S106
        assert guarded.ask("SELECT 1").status == 401
        assert guarded.ask("SELECT 1", {"password": "for-readers"}).text == "1\n"
        named = guarded.ask("SELECT 1", {"password": "for-readers"}, {"Host": "warehouse.example"})
        assert named.status == 200
