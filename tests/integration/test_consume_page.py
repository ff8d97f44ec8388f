"""The consumers of docs/consume.md run as they stand on the page, against a real broker."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams import contracts
from streams.edges.kafka_jars import java_command, resolve_jars
from streams.edges.webhook_post import signature
from tests.published import alert, publish

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/consume.md").read_text("utf-8")
ASYNCAPI: dict[str, Any] = yaml.safe_load(
    (ROOT / "schemas/generated/asyncapi.yaml").read_text("utf-8")
)
CONSUMER, CHECK = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(JAVA,) = re.findall(r"```java\n(.*?)```", PAGE, re.DOTALL)


def at(reference: str) -> Any:
    """What a reference of the AsyncAPI document names."""
    found: Any = ASYNCAPI
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


@contextmanager
def running(command: list[str], kafka: str, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    with out.open("wb") as file:
        process = subprocess.Popen(
            command,
            env={**os.environ, "MARGINQUAKE_KAFKA": kafka},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)


def printed(command: list[str], kafka: str, out: Path, scope: str) -> list[str]:
    """Lines about a scope, once the last of its ten alerts is there."""
    publish(kafka, contracts.ALERTS, [alert(scope, number) for number in range(10)])
    with running(command, kafka, out) as process:
        deadline = time.monotonic() + 120
        while f"Alert 9 of {scope}." not in out.read_text():
            assert process.poll() is None, out.read_text()[-2000:]
            assert time.monotonic() < deadline, out.read_text()[-2000:]
            time.sleep(0.1)
    return [line for line in out.read_text().splitlines() if line.startswith(f"{scope} ")]


def wanted(scope: str) -> list[str]:
    return [f"{scope} critical Alert {number} of {scope}." for number in range(10)]


@pytest.mark.kafka
def test_the_python_consumer_prints_what_is_published(own_broker: str, tmp_path: Path) -> None:
    program = tmp_path / "consumer.py"
    program.write_text(CONSUMER)
    lines = printed([sys.executable, str(program)], own_broker, tmp_path / "out", "PYTHON")
    assert lines == wanted("PYTHON")


@pytest.mark.kafka
def test_the_java_consumer_prints_what_is_published(
    own_broker: str, kafka_jars: Path, tmp_path: Path
) -> None:
    program = tmp_path / "Alerts.java"
    program.write_text(JAVA)
    command = [java_command(), "-cp", f"{resolve_jars(kafka_jars)}/*", str(program)]
    assert printed(command, own_broker, tmp_path / "out", "JAVA") == wanted("JAVA")


def test_the_consumers_are_short_and_ask_what_the_contract_has() -> None:
    channel = ASYNCAPI["channels"]["alerts"]
    (message,) = channel["messages"].values()
    fields = at(at(message["$ref"])["payload"]["$ref"])["properties"]
    for text in (CONSUMER, JAVA):
        assert channel["address"] in text
        asked = re.findall(r'row(?:\[|\.get\()"(\w+)"', text)
        assert asked
        assert set(asked) <= set(fields)
    assert len([line for line in CONSUMER.splitlines() if line.strip()]) <= 10
    body = JAVA.split("throws Exception {")[1].rsplit("}", 2)[0]
    assert len([line for line in body.splitlines() if line.strip(" }")]) <= 10


def test_the_page_checks_signatures_as_the_webhook_makes_them() -> None:
    room: dict[str, Any] = {}
    exec(CHECK, room)  # noqa: S102  the page's own code is what is tried
    verified = room["verified"]
    secret, body = "a secret of the tests", b'{"id":"a"}'
    header = signature(secret.encode(), 1_790_000_000, body)
    assert verified(header, body, secret, 1_790_000_010.0)
    assert not verified(header, body + b" ", secret, 1_790_000_010.0)
    assert not verified(header, body, secret + "s", 1_790_000_010.0)
    assert not verified(header, body, secret, 1_790_000_301.0)
    assert not verified("", body, secret, 1_790_000_010.0)
    for strange in ("v1=\u00e9", "t=\udcff,v1=\udcff", "t=1,v1=" + "\u0661" * 64, "t=,v1=", "=,="):
        assert not verified(strange, body, secret, 1_790_000_010.0)
    assert not verified(
        header.replace("t=1790000000", "t=1790000009"), body, secret, 1_790_000_010.0
    )
