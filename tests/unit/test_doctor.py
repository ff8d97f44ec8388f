"""`marginquake doctor`: each lack is found by doing, and comes with its mend."""

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.config import Settings
from streams.edges.doctor import Check, examine


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
