"""The broker's care: clear lacks, only its own process, only loopback. No Java is started here."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.config import MarginquakeError
from streams.edges.broker import PROPERTIES, Broker, answers, check_free
from streams.edges.kafka_jars import java_command, maven_command, pom_of, resolve_jars

Tool = Callable[[str, str], None]


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """Puts a program of the given name and shell text alone on PATH; none until called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    def put(name: str, text: str) -> None:
        program = folder / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)

    return put


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """A loopback port whose listener answers each connection with the same bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def test_missing_java_names_what_to_install(tool: Tool) -> None:
    with pytest.raises(MarginquakeError, match="openjdk-17-jre-headless"):
        java_command()


def test_java_11_is_refused_with_its_version(tool: Tool) -> None:
    tool("java", """echo 'openjdk version "11.0.2" 2019-01-15' >&2""")
    with pytest.raises(MarginquakeError, match=r"needs Java 17.* is 11"):
        java_command()


def test_java_8_in_its_old_numbering_is_refused(tool: Tool) -> None:
    tool("java", """echo 'java version "1.8.0_292"' >&2""")
    with pytest.raises(MarginquakeError, match="is 8"):
        java_command()


@pytest.mark.parametrize("version", ["17.0.15", "21", "25-ea"])
def test_java_17_and_newer_are_taken(tool: Tool, version: str) -> None:
    tool("java", f"""echo 'openjdk version "{version}" 2025-01-01' >&2""")
    assert java_command().endswith("/java")


def test_java_home_goes_before_path(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    tool("java", """echo 'openjdk version "17"' >&2""")
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(MarginquakeError, match="/nowhere/bin/java"):
        java_command()


def test_missing_maven_names_what_to_install(tool: Tool) -> None:
    with pytest.raises(MarginquakeError, match="apt-get install maven"):
        maven_command()


def test_jars_that_cannot_be_resolved_show_mavens_first_error(tool: Tool, tmp_path: Path) -> None:
    tool(
        "mvn", "echo '[INFO] x'; echo '[ERROR] Could not transfer kafka'; echo '[ERROR] b'; exit 1"
    )
    with pytest.raises(MarginquakeError, match=r"Could not transfer kafka; check the network"):
        resolve_jars(tmp_path / "lib")
    assert list((tmp_path / "lib").iterdir()) == []


def test_a_resolution_that_ends_without_kafka_is_a_failure(tool: Tool, tmp_path: Path) -> None:
    tool("mvn", "exit 0")
    with pytest.raises(MarginquakeError, match="no reason given"):
        resolve_jars(tmp_path / "lib")


def test_resolved_jars_are_not_resolved_again(tool: Tool, tmp_path: Path) -> None:
    pom = tmp_path / "pom.xml"
    pom.write_text("<project/>")
    mkdir = '/bin/mkdir -p "${6#-DoutputDirectory=}" && : > "${6#-DoutputDirectory=}/kafka_2.jar"'
    tool("mvn", f'for last; do :; done; set -- 1 2 3 4 5 "$last"; {mkdir}')
    first = resolve_jars(tmp_path / "lib", "kafka", pom)
    assert [jar.name for jar in first.iterdir()] == ["kafka_2.jar"]
    tool("mvn", "exit 1")
    assert resolve_jars(tmp_path / "lib", "kafka", pom) == first
    pom.write_text("<project></project>")
    with pytest.raises(MarginquakeError):
        resolve_jars(tmp_path / "lib", "kafka", pom)


def test_every_jar_version_is_pinned() -> None:
    versions = re.findall(r"<version>(.*?)</version>", pom_of("kafka").read_text())
    assert len(versions) == 5
    assert all(version[0].isdigit() or version == "${project.version}" for version in versions)


def test_the_broker_and_the_compose_file_agree_on_kafkas_version() -> None:
    (version, *_) = re.findall(r"<version>(.*?)</version>", pom_of("kafka").read_text())
    compose = Path(__file__).resolve().parents[2] / "docker-compose.yml"
    assert f"image: apache/kafka:{version}\n" in compose.read_text()


def test_every_listener_is_on_loopback() -> None:
    text = PROPERTIES.format(host="127.0.0.1", port=1, controller_port=2)
    settings = dict(line.split("=", 1) for line in text.splitlines())
    for name in ("listeners", "advertised.listeners"):
        for listener in settings[name].split(","):
            assert listener.split("://")[1].startswith("127.0.0.1:")
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["log.message.timestamp.type"] == "LogAppendTime"
    assert settings["message.max.bytes"] == str(16 * 1024 * 1024)


def test_a_taken_port_is_refused_with_the_mend() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(MarginquakeError, match="MARGINQUAKE_KAFKA"),
    ):
        check_free(taken.getsockname()[1])


def test_a_broker_that_lists_itself_is_ready() -> None:
    with answering(struct.pack(">iii", 8, 1, 1)) as port:
        assert answers(port)


def test_a_broker_not_yet_admitted_is_not_ready() -> None:
    with answering(struct.pack(">iii", 8, 1, 0)) as port:
        assert not answers(port)


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_another_program_on_the_port_is_not_a_broker(reply: bytes) -> None:
    with answering(reply) as port:
        assert not answers(port)


def test_nothing_on_the_port_is_not_a_broker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert not answers(port)


def test_a_recorded_pid_of_another_program_is_never_signalled(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        broker = Broker(tmp_path)
        broker.folder.mkdir()
        record = {"pid": other.pid, "port": broker.port}
        (broker.folder / "broker.json").write_text(json.dumps(record))
        assert broker.status().pid is None
        assert not broker.stop()
        assert not broker.kill()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("record", ["", "{", "[]", '{"pid": "x", "port": 1}', '{"pid": 4194304}'])
def test_a_broken_record_means_no_broker(tmp_path: Path, record: str) -> None:
    broker = Broker(tmp_path)
    broker.folder.mkdir()
    (broker.folder / "broker.json").write_text(record)
    assert broker.status().running is False
    assert not broker.stop()


def test_a_process_that_carries_the_brokers_mark_is_stopped(tmp_path: Path) -> None:
    """Stands in for a broker that another process started: only its arguments tell."""
    broker = Broker(tmp_path)
    broker.folder.mkdir()
    mark = f"-Dmarginquake.kafka={broker.folder}"
    stand_in = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", mark])
    reaper = threading.Thread(target=stand_in.wait)
    reaper.start()
    try:
        record = {"pid": stand_in.pid, "port": broker.port}
        (broker.folder / "broker.json").write_text(json.dumps(record))
        for _ in range(100):  # its arguments are empty until the program is loaded
            if broker.status().running:
                break
            time.sleep(0.02)
        assert broker.stop(timeout_s=10)
        reaper.join(10)
        assert stand_in.returncode == -signal.SIGTERM
        assert not broker.status().running
    finally:
        if stand_in.returncode is None:
            os.kill(stand_in.pid, signal.SIGKILL)
        reaper.join(10)


def test_status_of_a_home_without_a_broker_changes_nothing(tmp_path: Path) -> None:
    status = Broker(tmp_path / "home", 19999).status()
    assert (status.running, status.ready, status.bootstrap) == (False, False, "127.0.0.1:19999")
    assert not (tmp_path / "home").exists()
