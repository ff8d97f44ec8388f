"""The real broker: starts, is found again, keeps its data, and stops only itself."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import UnknownTopicOrPartitionError

from streams.config import MarginquakeError
from streams.contracts import TopicSpec, topics
from streams.edges.broker import Broker, answers
from streams.edges.topics import reconcile, wanted_settings

BrokerMaker = Callable[[], Broker]

pytestmark = pytest.mark.kafka


async def produce(bootstrap: str, topic: str, values: list[bytes], **options: Any) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, **options)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, key=b"test", partition=0)
    finally:
        await producer.stop()


async def read(bootstrap: str, topic: str) -> list[Any]:
    """All records of partition 0 of a topic, up to its end now."""
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=16_777_216,
    )
    await consumer.start()
    try:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        records: list[Any] = []
        while len(records) < end:
            batch = await consumer.getmany(partition, timeout_ms=500)
            records += batch.get(partition, [])
        return records
    finally:
        await consumer.stop()


async def admin(bootstrap: str) -> Any:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    return client


def registry(prefix: str, *names: str) -> dict[str, TopicSpec]:
    """Topics of the registry under names of one test alone."""
    specs = (replace(topics()[name], name=f"{prefix}.{name}") for name in names)
    return {spec.name: spec for spec in specs}


def run_cli(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MARGINQUAKE_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", "from streams.cli import main; main()", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_started_broker_is_ready_and_found_by_another_object(session_broker: Broker) -> None:
    assert session_broker.status().ready
    other = Broker(session_broker.folder.parent, session_broker.port)
    assert other.status() == session_broker.status()
    assert other.start() == session_broker.bootstrap


def test_the_broker_listens_on_loopback_alone(session_broker: Broker) -> None:
    pid = session_broker.status().pid
    if not Path("/proc/net/tcp").exists():
        if os.environ.get("CI"):
            pytest.fail("no /proc to read the listening sockets from")
        pytest.skip("reads /proc")
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        # A running broker closes files while we look.
        with suppress(FileNotFoundError):
            target = os.readlink(link)
            if target.startswith("socket:"):
                inodes.add(target[8:-1])
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                listening.append(fields[1].rsplit(":", 1)[0])
    assert len(listening) == 2
    loopback = {"0100007F", "0000000000000000FFFF00000100007F"}
    assert set(listening) <= loopback


def test_a_start_on_another_port_says_where_the_broker_runs(session_broker: Broker) -> None:
    other = Broker(session_broker.folder.parent, 20_001)
    with pytest.raises(MarginquakeError, match=f"already runs on port {session_broker.port}"):
        other.start()


def test_a_restart_keeps_records_and_topics(make_broker: BrokerMaker) -> None:
    own = make_broker()
    own.start()
    asyncio.run(reconcile(own.bootstrap, create=True))
    asyncio.run(produce(own.bootstrap, "raw.v1", [b"before"]))
    assert own.stop()
    assert not own.status().running
    own.start()
    asyncio.run(produce(own.bootstrap, "raw.v1", [b"after"]))
    records = asyncio.run(read(own.bootstrap, "raw.v1"))
    assert [record.value for record in records] == [b"before", b"after"]
    assert own.stop()
    assert not own.stop()


def test_a_killed_broker_comes_back_with_what_it_acknowledged(make_broker: BrokerMaker) -> None:
    own = make_broker()
    own.start()
    asyncio.run(reconcile(own.bootstrap, create=True))
    values = [b"%d" % number for number in range(200)]
    asyncio.run(produce(own.bootstrap, "raw.v1", values))
    assert own.kill()
    assert not answers(own.port)
    own.start()
    records = asyncio.run(read(own.bootstrap, "raw.v1"))
    assert [record.value for record in records] == values


def test_a_taken_port_is_named_with_its_mend(make_broker: BrokerMaker) -> None:
    own = make_broker()
    taken = f"port {own.port} on 127.0.0.1 is taken"
    with (
        socket.create_server(("127.0.0.1", own.port)),
        pytest.raises(MarginquakeError, match=taken),
    ):
        own.start()
    assert not own.status().running


def test_a_broker_that_cannot_start_shows_the_tail_of_its_log(make_broker: BrokerMaker) -> None:
    own = make_broker()
    own.start()
    own.stop()
    meta = own.folder / "data" / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=7"))
    with pytest.raises(MarginquakeError, match=r"ended while starting.*[Nn]ode"):
        own.start()
    assert not own.status().running


def test_unknown_topics_are_not_created_by_asking(broker: str, kafka_topics: list[str]) -> None:
    async def ask() -> None:
        client = await admin(broker)
        try:
            (described,) = await client.describe_topics(["nobody.v1"])
            assert described["error_code"] == UnknownTopicOrPartitionError.errno
            assert "nobody.v1" not in await client.list_topics()
        finally:
            await client.close()

    asyncio.run(ask())


def test_the_broker_stamps_records_itself(broker: str, kafka_topics: list[str]) -> None:
    async def send() -> list[Any]:
        producer = AIOKafkaProducer(bootstrap_servers=broker)
        await producer.start()
        try:
            await producer.send_and_wait(
                "late.v1", b"x", partition=0, timestamp_ms=1_600_000_000_000
            )
        finally:
            await producer.stop()
        return await read(broker, "late.v1")

    record = asyncio.run(send())[-1]
    assert record.timestamp_type == 1
    assert record.timestamp > 1_700_000_000_000


def test_a_state_of_15_mib_fits(broker: str, kafka_topics: list[str]) -> None:
    value = os.urandom(15 * 1024 * 1024)
    asyncio.run(produce(broker, "framer_state.v1", [value], max_request_size=16_777_216))
    assert asyncio.run(read(broker, "framer_state.v1"))[-1].value == value


def test_every_topic_is_as_the_registry_says(broker: str, kafka_topics: list[str]) -> None:
    report = asyncio.run(reconcile(broker, create=False))
    assert report.topics == kafka_topics == list(topics())
    assert report.drift == []


def test_missing_topics_are_reported_and_then_created(broker: str) -> None:
    specs = registry("missing", "raw.v1", "framer_state.v1")
    before = asyncio.run(reconcile(broker, specs, create=False))
    assert [d.topic for d in before.drift] == list(specs)
    assert {(d.setting, d.found) for d in before.drift} == {("topic", "missing")}
    made = asyncio.run(reconcile(broker, specs, create=True))
    assert made.created == list(specs)
    assert made.drift == []
    assert asyncio.run(reconcile(broker, specs, create=True)).created == []


def test_changed_settings_are_mended_and_others_are_kept(broker: str) -> None:
    specs = registry("changed", "frames.v1")
    (name,) = specs

    async def change() -> None:
        await reconcile(broker, specs, create=True)
        settings = wanted_settings(specs[name])
        settings |= {
            "retention.ms": "1000",
            "message.timestamp.type": "CreateTime",
            "flush.messages": "77",
        }
        client = await admin(broker)
        try:
            await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, settings)])
        finally:
            await client.close()

    asyncio.run(change())
    for _ in range(100):  # a broker applies a change shortly after it has accepted it
        seen = asyncio.run(reconcile(broker, specs, create=False))
        if len(seen.drift) == 2:
            break
    assert {(d.setting, d.found) for d in seen.drift} == {
        ("retention.ms", "1000"),
        ("message.timestamp.type", "CreateTime"),
    }
    mended = asyncio.run(reconcile(broker, specs, create=True))
    assert {d.setting for d in mended.mended} == {"retention.ms", "message.timestamp.type"}
    assert asyncio.run(reconcile(broker, specs, create=False)).drift == []

    async def flush_messages() -> str:
        resource = ConfigResource(ConfigResourceType.TOPIC, name, {"flush.messages": None})
        client = await admin(broker)
        try:
            (answer,) = await client.describe_configs([resource])
        finally:
            await client.close()
        (entry,) = answer.to_object()["resources"][0]["config_entries"]
        return str(entry["config_value"])

    assert asyncio.run(flush_messages()) == "77"


def test_a_wrong_partition_count_is_reported_and_left_alone(broker: str) -> None:
    specs = registry("count", "raw.v1")
    (name,) = specs

    async def wrong() -> None:
        client = await admin(broker)
        try:
            await client.create_topics([NewTopic(name, 3, 1)])
        finally:
            await client.close()

    asyncio.run(wrong())
    report = asyncio.run(reconcile(broker, specs, create=True))
    assert [(d.setting, d.wanted, d.found) for d in report.drift] == [("partitions", "8", "3")]
    assert asyncio.run(reconcile(broker, specs, create=True)).drift == report.drift


def test_the_commands_start_report_and_stop_the_broker(make_broker: BrokerMaker) -> None:
    own = make_broker()
    home, port = own.folder.parent, str(own.port)
    own.folder.mkdir(parents=True)
    (own.folder / "lib").symlink_to(own.jars)
    started = run_cli(home, "broker", "start", "--port", port, "--json")
    assert started.returncode == 0, started.stderr
    assert json.loads(started.stdout)["bootstrap"] == own.bootstrap
    assert own.status().ready
    missing = run_cli(home, "topics", "--kafka", own.bootstrap, "--json")
    assert missing.returncode == 1
    assert len(json.loads(missing.stdout)["drift"]) == len(topics())
    created = run_cli(home, "topics", "--create", "--kafka", own.bootstrap)
    assert created.returncode == 0, created.stderr
    assert "raw.v1" in created.stdout
    status = run_cli(home, "broker", "status", "--json")
    assert json.loads(status.stdout)["ready"] is True
    assert run_cli(home, "broker", "stop").returncode == 0
    assert not own.status().running
    assert run_cli(home, "broker", "status").returncode == 1
