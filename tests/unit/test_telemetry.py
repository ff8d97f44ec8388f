"""What operators rely on: names, health, logs without secrets, an orderly stop."""

import asyncio
import json
import logging
import os
import re
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from streams import telemetry
from streams.config import MarginquakeError
from streams.telemetry import METRICS, Health, MetricsServer, configure_logging, serve_metrics
from streams.telemetry.logs import redact

ROOT = Path(__file__).resolve().parents[2]
HEALTHY = Health(True)


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Reads what was written to stderr; the root logger is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body of one request to a server of this test."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def started(health: Health | Exception = HEALTHY) -> MetricsServer:
    def check() -> Health:
        if isinstance(health, Exception):
            raise health
        return health

    server = serve_metrics("framer", 0, check)
    assert server is not None
    return server


def test_the_metrics_page_is_the_one_generated() -> None:
    page = (ROOT / "docs" / "operations" / "metrics.md").read_text()
    assert page == telemetry.metrics_page(), "run `make docs`"


def test_every_metric_has_the_prefix_a_unit_and_an_action() -> None:
    names = [doc.name for doc in METRICS]
    assert len(set(names)) == len(names)
    for doc in METRICS:
        assert re.fullmatch(r"marginquake_[a-z0-9_]+", doc.name)
        assert doc.name.endswith("_total") == (doc.kind == "counter"), doc.name
        assert doc.kind != "histogram" or doc.name.endswith("_seconds")
        assert doc.meaning.endswith(".")
        assert doc.act.endswith(".")


def test_every_metric_is_set_somewhere() -> None:
    package = Path(telemetry.__file__).parents[1]
    sources = [path for path in package.rglob("*.py") if path.parent.name != "telemetry"]
    words = set(re.findall(r"\w+", "\n".join(path.read_text("utf-8") for path in sources)))
    elsewhere = {"METRICS", "REGISTRY", "BUILD"}
    unset = {name for name in telemetry.__all__ if name.isupper() and name not in words | elsewhere}
    assert not unset


def test_no_metric_is_labelled_by_something_unbounded() -> None:
    allowed = {"venue", "channel", "reason", "stage", "partition", "topic", "table", "scope"}
    allowed |= {"version", "process", "verdict", "role", "outcome"}
    assert {label for doc in METRICS for label in doc.labels} <= allowed


def test_the_names_that_dashboards_use_are_there() -> None:
    assert {
        "marginquake_records_received_total",
        "marginquake_records_late_total",
        "marginquake_records_dead_lettered_total",
        "marginquake_consumer_lag_records",
        "marginquake_watermark_lag_seconds",
        "marginquake_end_to_end_latency_seconds",
    } <= {doc.name for doc in METRICS}


def test_a_counted_record_appears_on_the_metrics_page() -> None:
    server = started()
    try:
        telemetry.RECORDS_RECEIVED.labels(venue="bybit", channel="test").inc(3)
        status, body = get(server.port, "/metrics")
    finally:
        server.close()
    assert status == 200
    assert 'marginquake_records_received_total{channel="test",venue="bybit"} 3.0' in body
    assert 'process="framer"' in body


def test_health_answers_200_while_the_check_says_yes() -> None:
    server = started(Health(True, "8 partitions"))
    try:
        status, body = get(server.port, "/healthz")
    finally:
        server.close()
    assert status == 200
    assert json.loads(body) == {"status": "ok", "detail": "8 partitions"}


def test_health_answers_503_with_the_reason_when_the_check_says_no() -> None:
    server = started(Health(False, "broker unreachable for 30 s"))
    try:
        status, body = get(server.port, "/healthz")
    finally:
        server.close()
    assert status == 503
    assert json.loads(body)["detail"] == "broker unreachable for 30 s"


def test_a_health_check_that_raises_counts_as_unhealthy() -> None:
    server = started(RuntimeError("secret detail"))
    try:
        status, body = get(server.port, "/healthz")
    finally:
        server.close()
    assert status == 503
    assert "RuntimeError" in body
    assert "secret detail" not in body


def test_other_paths_are_not_found() -> None:
    server = started()
    try:
        assert get(server.port, "/")[0] == 404
    finally:
        server.close()


def test_no_port_means_no_server() -> None:
    assert serve_metrics("sink", None) is None


def test_a_taken_metrics_port_names_the_option_to_change() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(MarginquakeError, match="--metrics-port"),
    ):
        serve_metrics("sink", taken.getsockname()[1])


def test_the_port_is_free_again_after_close() -> None:
    first = started()
    first.close()
    again = serve_metrics("framer", first.port)
    assert again is not None
    again.close()


@pytest.mark.parametrize(
    "key", ["password", "CLICKHOUSE_PASSWORD", "dsn", "api_key", "apiKey", "auth_token", "Secret"]
)
def test_a_key_that_sounds_secret_loses_its_value(key: str) -> None:
    assert redact(None, "info", {key: "hunter2"}) == {key: "***"}


@pytest.mark.parametrize(
    "text",
    [
        "clickhouse://user:hunter2@host:8123/db",
        "cannot reach clickhouse://user:hun@ter2@host:8123/db now",
        "https://host/?user=a&password=hunter2&x=1",
        "clickhouse://:hunter2@host",
    ],
)
def test_a_password_inside_a_url_is_hidden(text: str) -> None:
    (shown,) = redact(None, "info", {"event": text}).values()
    assert "ter2" not in str(shown)
    assert "host" in str(shown)


def test_record_values_and_bytes_never_reach_a_log() -> None:
    event = redact(None, "info", {"payload": "{...}", "chunk": b"abc", "nested": {"value": 1}})
    assert event == {
        "payload": "<str withheld>",
        "chunk": "<3 bytes>",
        "nested": {"value": "<int withheld>"},
    }


def test_long_text_is_cut() -> None:
    (shown,) = redact(None, "info", {"event": "x" * 5_000}).values()
    assert len(shown) < 2_100
    assert shown.endswith("(5000 characters)")


def test_a_log_line_is_one_json_object_naming_its_process(stderr: Callable[[], str]) -> None:
    configure_logging("framer")
    structlog.get_logger("marginquake.framer").info("checkpoint", partition=3, dsn="chdb://x")
    line = json.loads(stderr())
    assert line["event"] == "checkpoint"
    assert line["partition"] == 3
    assert line["process"] == "framer"
    assert line["level"] == "info"
    assert line["dsn"] == "***"


def test_libraries_log_in_the_same_form(stderr: Callable[[], str]) -> None:
    configure_logging("sink")
    logging.getLogger("aiokafka").warning("lost %s", "clickhouse://u:hunter2@h")
    line = json.loads(stderr())
    assert line["event"] == "lost clickhouse://u:***@h"
    assert line["logger"] == "aiokafka"


def test_the_kafka_client_says_each_thing_once_a_second(stderr: Callable[[], str]) -> None:
    configure_logging("sink")
    for number in range(1_000):
        logging.getLogger("aiokafka").error("Unable connect to node with id %s", number)
        logging.getLogger("aiokafka").error("Unable to update metadata from %s", number)
        logging.getLogger("ours").error("refused %s", number)
    lines = [json.loads(line) for line in stderr().splitlines()]
    assert sum(line["logger"] == "ours" for line in lines) == 1_000
    assert 2 <= sum(line["logger"] == "aiokafka" for line in lines) <= 10


def test_an_exception_is_one_line_without_its_secrets(stderr: Callable[[], str]) -> None:
    configure_logging("sink")
    try:
        raise ValueError("refused clickhouse://u:hunter2@h/db")
    except ValueError:
        structlog.get_logger("marginquake.sink").exception("insert failed")
    (line,) = stderr().splitlines()
    assert "ValueError" in json.loads(line)["exception"]
    assert "hunter2" not in line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_for_an_orderly_stop(number: signal.Signals) -> None:
    stop = telemetry.graceful_shutdown()
    try:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), 5)
    finally:
        for installed in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(installed)
