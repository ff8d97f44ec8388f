"""docs/operations/backup.md, tried: what is copied while all is stopped comes back whole."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from streams import contracts
from streams.edges.broker import Broker
from streams.edges.migrate import migrate
from streams.edges.topics import reconcile
from streams.edges.warehouse import connect
from tests.pipeline_stack import insert
from tests.published import alert, publish
from tests.receiver import SECRET, receiving


def contents(client: Client) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    tables = client.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() "
        "AND engine LIKE '%MergeTree' ORDER BY name"
    ).result_rows
    return {
        name: sorted(
            str(row[0])
            for row in client.query(f"SELECT toString(tuple(*)) FROM {name}").result_rows  # noqa: S608
        )
        for (name,) in tables
    }


@pytest.mark.warehouse
def test_a_copied_store_holds_every_row_and_can_be_written_again(
    warehouse_dsn: str, tmp_path: Path, examples: dict[str, list[bytes]]
) -> None:
    with connect(warehouse_dsn, create=True) as client:
        migrate(client)
        for kind, topic in (("alert", contracts.ALERTS), ("cascade", contracts.CASCADES)):
            insert(client, [contracts.decode(topic, one) for one in examples[kind]])
        before = contents(client)
    assert before["alerts"]
    shutil.copytree(tmp_path / "store", tmp_path / "backup", symlinks=True)
    shutil.rmtree(tmp_path / "store")
    shutil.copytree(tmp_path / "backup", tmp_path / "restored", symlinks=True)
    with connect(f"chdb://{tmp_path / 'restored'}?database=marginquake") as client:
        assert contents(client) == before
        assert migrate(client).applied == ()
        insert(client, [contracts.decode(contracts.ALERTS, one) for one in examples["alert"]])
        count = client.query("SELECT count() FROM v_alerts").result_rows[0][0]
    assert count == len(examples["alert"])


@pytest.mark.kafka
def test_a_copied_broker_goes_on_with_its_topics_and_its_groups(
    kafka_jars: Path, tmp_path: Path, next_port: Callable[[], int]
) -> None:
    first = Broker(tmp_path / "home", next_port(), jars=kafka_jars)
    first.start()
    try:
        asyncio.run(reconcile(first.bootstrap, create=True))
        publish(first.bootstrap, contracts.ALERTS, [alert("KEPT", n) for n in range(30)])
        assert len(delivered(first.bootstrap)) == 30
        publish(first.bootstrap, contracts.ALERTS, [alert("NEWER", n) for n in range(5)])
    finally:
        first.stop()
    shutil.copytree(tmp_path / "home" / "kafka" / "data", tmp_path / "backup")
    shutil.rmtree(tmp_path / "home")
    shutil.copytree(tmp_path / "backup", tmp_path / "other" / "kafka" / "data")
    second = Broker(tmp_path / "other", next_port(), jars=kafka_jars)
    second.start()
    try:
        assert not asyncio.run(reconcile(second.bootstrap, create=False)).drift
        assert rows(second.bootstrap) == [
            *(f"KEPT-{n:05}" for n in range(30)),
            *(f"NEWER-{n:05}" for n in range(5)),
        ]
        # The group goes on behind what it had delivered.
        assert delivered(second.bootstrap) == [f"NEWER-{n:05}.1" for n in range(5)]
    finally:
        second.stop()


def delivered(bootstrap: str) -> list[str]:
    """Deliveries of one run of the webhook of the group `kept`."""
    with receiving() as receiver:
        words = ["--group", "kept", "--from", "earliest", "--until-idle", "1"]
        run("webhook", bootstrap, "--url", receiver.url, *words)
        return receiver.deliveries()


def rows(bootstrap: str) -> list[str]:
    """Ids of all alerts on the broker, in order."""
    out = run("tail", bootstrap, "alerts", "--from", "earliest", "--no-follow", "--json")
    return [json.loads(line)["id"] for line in out.splitlines()]


def run(command: str, bootstrap: str, *words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", command, *words, "--kafka", bootstrap],
        env={**os.environ, "MARGINQUAKE_WEBHOOK_SECRET": SECRET},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
