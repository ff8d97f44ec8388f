"""docker-compose.yml and infra/: consistent with the command line, the code and each other."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts import topics
from streams.edges.broker import CLUSTER_ID

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BUILT = {name for name, service in SERVICES.items() if "build" in service}
OURS = {name for name in BUILT if SERVICES[name]["image"] == "marginquake:local"}


def test_every_dependency_is_a_service_and_waits_for_the_right_thing() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in SERVICES, name
            job = SERVICES[needed].get("restart") == "no"
            wanted = "service_completed_successfully" if job else "service_healthy"
            assert how["condition"] == wanted, (name, needed)


def test_a_service_never_depends_on_one_of_a_profile_it_may_run_without() -> None:
    for service in SERVICES.values():
        for needed in service.get("depends_on", {}):
            assert set(SERVICES[needed].get("profiles", [])) <= set(service.get("profiles", []))


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_is_one_of_the_command_line(name: str) -> None:
    first, *words = SERVICES[name]["command"]
    wide = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    shown = CliRunner(env=wide).invoke(app, [first, "--help"])
    assert shown.exit_code == 0, f"marginquake {first} does not exist"
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", shown.output), option


def test_every_image_is_pinned() -> None:
    for name, service in SERVICES.items():
        tag = service["image"].rpartition(":")[2]
        assert name in BUILT or re.fullmatch(r"v?\d+\.\d+(\.\d+)?", tag), service["image"]


def test_ports_are_published_on_loopback_only() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_no_secret_stands_in_the_file() -> None:
    for line in TEXT.splitlines():
        if re.search(r"PASSWORD|SECRET|TOKEN|DSN", line) and not line.startswith("#"):
            assert re.search(r"\$\{[A-Z_]+:(\?[^}]+|-)\}", line), line


def test_every_long_running_service_has_a_healthcheck_and_time_to_drain() -> None:
    for name, service in SERVICES.items():
        if service["restart"] != "no":
            assert service["healthcheck"].get("test"), name
        if name in BUILT:
            assert service["stop_grace_period"] == "30s"
            assert service["cap_drop"] == ["ALL"]


def test_every_mounted_file_and_volume_exists() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
            else:
                assert source in COMPOSE["volumes"]


def test_the_containers_broker_is_set_as_the_local_one() -> None:
    environment = SERVICES["kafka"]["environment"]
    assert environment["CLUSTER_ID"] == CLUSTER_ID
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert environment["KAFKA_LOG_MESSAGE_TIMESTAMP_TYPE"] == "LogAppendTime"
    largest = max(spec.max_message_bytes for spec in topics().values())
    assert environment["KAFKA_MESSAGE_MAX_BYTES"] >= largest


def test_more_workers_than_partitions_are_never_started() -> None:
    replicas = SERVICES["detect"]["deploy"]["replicas"]
    assert 2 <= replicas <= topics()["frames.v1"].partitions


def test_prometheus_scrapes_every_process_that_serves_metrics() -> None:
    serving = {name for name in OURS if "--metrics-port" in SERVICES[name]["command"]}
    config = yaml.safe_load((ROOT / "infra/prometheus/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    (discovery,) = job["dns_sd_configs"]
    assert set(discovery["names"]) == serving
    for name in serving:
        command = SERVICES[name]["command"]
        assert command[command.index("--metrics-port") + 1] == str(discovery["port"])
    assert config["rule_files"] == ["rules.yml"]


def test_the_reader_of_clickhouse_may_only_read_within_limits() -> None:
    root = ET.parse(ROOT / "infra/clickhouse/reader.xml").getroot()  # noqa: S314
    profile = root.find("profiles/marginquake_reader")
    user = root.find("users/reader")
    assert profile is not None
    assert user is not None
    assert profile.findtext("readonly") == "1"
    assert profile.find("constraints/max_execution_time/changeable_in_readonly") is not None
    assert user.findtext("profile") == user.findtext("quota") == "marginquake_reader"
    assert root.find("quotas/marginquake_reader") is not None
    grants = [query.text or "" for query in user.findall("grants/query")]
    assert grants
    assert all(re.match(r"GRANT (SELECT|SHOW) ON marginquake\.\*", grant) for grant in grants)
    password = user.find("password")
    assert password is not None
    assert password.text is None
    assert password.get("from_env") in SERVICES["clickhouse"]["environment"]


def copied(dockerfile: str) -> set[str]:
    """What an image's recipe takes from this folder."""
    return {
        word
        for line in (ROOT / dockerfile).read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }


def test_the_images_hold_what_they_copy_and_run_as_a_plain_user() -> None:
    allowed = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    wanted = copied("infra/Dockerfile") | copied("infra/flink/Dockerfile")
    assert wanted == allowed
    assert all((ROOT / path).exists() for path in wanted - {"README.md"})
    for recipe in ("infra/Dockerfile", "infra/flink/Dockerfile"):
        lines = (ROOT / recipe).read_text().splitlines()
        assert any(line.startswith("USER ") and line != "USER root" for line in lines)
    assert 'ENTRYPOINT ["marginquake"]' in (ROOT / "infra/Dockerfile").read_text().splitlines()


def test_the_submitted_job_fits_the_cluster_that_the_file_starts() -> None:
    words = SERVICES["flink-submit"]["command"]
    told = dict(pairwise(words))
    assert told["--jobmanager"] == "flink-jobmanager:8081"
    assert int(told["--parallelism"]) == SERVICES["flink-taskmanager"]["deploy"]["replicas"]
    assert f"flink-checkpoints:{told['--checkpoints']}" in SERVICES["flink-submit"]["volumes"]
