"""A real Prometheus scrapes every stage as a process, and a trouble makes its alert fire."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams import contracts
from streams.edges.migrate import migrate
from streams.edges.warehouse import connect
from tests.published import alert, publish
from tests.receiver import SECRET, receiving

pytestmark = [pytest.mark.kafka, pytest.mark.warehouse, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
STAGES = {
    "framer": ("framer",),
    "detect": ("detect", "--engine", "faust"),
    "sink": ("sink",),
    "webhook": ("webhook", "--from", "earliest"),
    "collect": ("collect", "--venues", "bybit", "--assets", "BTC"),
}


@pytest.fixture
def prometheus_program() -> str:
    program = shutil.which("prometheus")
    if program is None:
        message = "prometheus is not here: apt-get install --no-install-recommends prometheus"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return program


class Prometheus:
    """Asks a server's HTTP interface."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def value(self, expr: str) -> dict[str, float]:
        """Values by the label `process`, or `instance`, or nothing."""
        return {
            one["metric"].get("process", one["metric"].get("instance", "")): float(one["value"][1])
            for one in self.get("query", query=expr)["result"]
        }

    def firing(self) -> set[tuple[str, str]]:
        """Name and instance of each alert that fires."""
        return {
            (one["labels"]["alertname"], one["labels"].get("instance", ""))
            for one in self.get("alerts")["alerts"]
            if one["state"] == "firing"
        }


def wait_for(what: Callable[[], bool], told: Callable[[], str]) -> None:
    deadline = time.monotonic() + 240
    while True:
        try:
            if what():
                return
        except OSError:
            pass  # it does not listen yet
        assert time.monotonic() < deadline, told()
        time.sleep(0.3)


def configuration(folder: Path, ports: dict[str, int]) -> Path:
    """The project's own scrape and rule files, with these targets, by the second."""
    config = yaml.safe_load((ROOT / "infra/prometheus/prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = config["scrape_configs"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports.values()]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    rules = (ROOT / "infra/prometheus/rules.yml").read_text()
    (folder / "rules.yml").write_text(re.sub(r"for: \d+m", "for: 2s", rules))
    return folder / "prometheus.yml"


@contextmanager
def processes(
    commands: dict[str, tuple[str, ...]], environment: dict[str, str], folder: Path
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Each command as a process with its log, none of which outlives the block."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            with (folder / f"{name}.log").open("wb") as log:
                running[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        yield running
    finally:
        for process in running.values():
            process.kill()
            process.wait(timeout=30)


def test_every_stage_is_scraped_and_a_killed_one_is_told(
    prometheus_program: str,
    own_broker: str,
    warehouse_dsn: str,
    tmp_path: Path,
    next_port: Callable[[], int],
) -> None:
    with connect(warehouse_dsn, create=True) as client:
        migrate(client)
    ports = {name: next_port() for name in STAGES}
    commands = {
        name: (sys.executable, "-m", "streams.cli", *words, "--metrics-port", str(ports[name]))
        for name, words in STAGES.items()
    }
    # Nobody listens there: a venue that is down.
    away = next_port()
    commands["collect"] += ("--url", f"bybit=ws://127.0.0.1:{away}")
    commands["collect"] += ("--url", f"bybit-rest=http://127.0.0.1:{away}")
    prometheus = Prometheus(next_port())
    commands["prometheus"] = (
        prometheus_program,
        f"--config.file={configuration(tmp_path, ports)}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{prometheus.port}",
        "--log.level=warn",
    )
    publish(own_broker, contracts.ALERTS, [alert("SCRAPED", n) for n in range(20)])
    with receiving() as receiver:
        environment = {
            **os.environ,
            "MARGINQUAKE_HOME": str(tmp_path / "home"),
            "MARGINQUAKE_KAFKA": own_broker,
            "CLICKHOUSE_DSN": warehouse_dsn,
            "MARGINQUAKE_WEBHOOK_URL": receiver.url,
            "MARGINQUAKE_WEBHOOK_SECRET": SECRET,
        }
        with processes(commands, environment, tmp_path) as running:

            def logs() -> str:
                return "\n".join(
                    f"{name}: {(tmp_path / f'{name}.log').read_text('utf-8', 'replace')[-1500:]}"
                    for name in running
                )

            wait_for(
                lambda: prometheus.value("marginquake_build") == dict.fromkeys(STAGES, 1.0), logs
            )
            wait_for(
                lambda: prometheus.value("sum(marginquake_rows_written_total)") == {"": 20.0}, logs
            )
            wait_for(
                lambda: prometheus.value("sum(marginquake_webhook_delivered_total)") == {"": 20.0},
                logs,
            )
            wait_for(lambda: prometheus.value("min(up)") == {"": 1.0}, logs)
            rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
            assert len(rules) > 30
            assert [rule["name"] for rule in rules if rule["health"] == "err"] == []
            wait_for(
                lambda: "ProcessUnreachable" not in {name for name, _ in prometheus.firing()},
                lambda: str(prometheus.firing()),
            )
            wait_for(
                lambda: "VenueDisconnected" in {name for name, _ in prometheus.firing()},
                lambda: str(prometheus.firing()),
            )
            # One venue that is down, and nothing else: no rule fires at a pipeline that is well.
            down = {"VenueDisconnected", "ReconnectsOften"}
            wait_for(
                lambda: {name for name, _ in prometheus.firing()} <= down,
                lambda: str(prometheus.firing()),
            )
            running["sink"].kill()
            running["sink"].wait(timeout=30)
            instance = f"127.0.0.1:{ports['sink']}"
            wait_for(
                lambda: ("ProcessUnreachable", instance) in prometheus.firing(),
                lambda: str(prometheus.firing()),
            )
            told = [
                one["annotations"]["summary"]
                for one in prometheus.get("alerts")["alerts"]
                if one["labels"]["alertname"] == "ProcessUnreachable"
            ]
            assert told == [f"{instance} does not answer its metrics port"]
            assert {name for name, process in running.items() if process.poll() is None} == {
                *STAGES,
                "prometheus",
            } - {"sink"}
