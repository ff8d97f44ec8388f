"""The real data path as processes, for tests that kill them: framer, detect and sink.

Each is the command a user runs. Waits on consumer lag, never on time alone; logs stay in the
test's folder. Also the oracle: the same archive through the in-process engine.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    CommitFailedError,
    GroupCoordinatorNotAvailableError,
    NodeNotReadyError,
    NotCoordinatorForGroupError,
)
from clickhouse_connect.driver.client import Client

from streams import contracts
from streams.core.framing import Emission
from streams.core.results import Result
from streams.edges import archives
from streams.edges.broker import Broker
from streams.edges.inserts import Inserter
from streams.edges.intake import TOPICS
from streams.edges.migrate import migrate
from streams.edges.publish import publish
from streams.edges.rows import rows
from streams.edges.signal_rows import SIGNAL_TABLES
from streams.edges.topics import reconcile
from streams.edges.warehouse import connect
from streams.engines.faust_app import APP_ID
from streams.engines.inprocess import InProcess
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments

Groups = Mapping[str, Sequence[str]]
STAGES = ("framer", "detect", "sink")
FLINK = "detect-flink"
FLINK_GROUP = "marginquake-detect-flink"
GROUPS: Groups = {
    "marginquake-framer": (contracts.RAW,),
    APP_ID: (contracts.FRAMES, contracts.MARKET_INPUTS),
    "marginquake-sink": TOPICS,
}
BOTH_GROUPS: Groups = {**GROUPS, FLINK_GROUP: GROUPS[APP_ID]}
FLINK_GROUPS: Groups = {name: topics for name, topics in BOTH_GROUPS.items() if name != APP_ID}
VIEWS = {
    "v_cascades": "* EXCEPT (engine)",
    "v_prints": "* EXCEPT (engine)",
    "v_milestones": "* EXCEPT (engine)",
    **{f"v_{table}": "* EXCEPT (engine)" for table in SIGNAL_TABLES.values()},
    "v_liquidations": "*",
    "v_late_events": "*",
    # A record that could be read is named by its offset on Kafka, by file and line in replay.
    "v_dead_letters": "* EXCEPT (source)",
}
"""The columns of each view that must not depend on the engine."""


class Stack:
    """The three processes on one broker and one warehouse; `detect-flink` is the other engine."""

    def __init__(
        self, bootstrap: str, dsn: str, home: Path, groups: Groups = GROUPS, rest_port: int = 0
    ) -> None:
        self.bootstrap = bootstrap
        self.groups = groups
        self.rest_port = rest_port
        self.dsn = dsn
        self.home = home
        home.mkdir(exist_ok=True)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.broker: Broker | None = None
        with connect(dsn, create=True) as client:
            migrate(client)

    def start(self, *names: str, options: Sequence[str] = ()) -> None:
        environment = {
            **os.environ,
            "MARGINQUAKE_HOME": str(self.home),
            "MARGINQUAKE_KAFKA": self.bootstrap,
            "CLICKHOUSE_DSN": self.dsn,
        }
        for name in names or STAGES:
            words = ("detect", *self._flink()) if name == FLINK else (name,)
            with (self.home / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    [sys.executable, "-m", "streams.cli", *words, *options],
                    env=environment,
                    stdout=log,
                    stderr=log,
                )

    def _flink(self) -> tuple[str, ...]:
        port = str(self.rest_port)
        return "--engine", "flink", "--rest-port", port, "--checkpoint-seconds", "2"

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        assert process.poll() is None, f"{name} had ended by itself: {self.log_of(name)}"
        process.kill()
        process.wait(timeout=30)

    def hold_broker(self, seconds: float) -> None:
        """Stop the broker's process where it stands for so long, as a starved machine does."""
        assert self.broker is not None
        pid = self.broker.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)

    def stop(self) -> dict[str, int]:
        """SIGTERM in the order of the data path; exit codes by name."""
        codes = {}
        for name in (*STAGES, FLINK):
            process = self.running.pop(name, None)
            if process is not None:
                process.send_signal(signal.SIGTERM)
                codes[name] = process.wait(timeout=90)
        return codes

    def end(self) -> None:
        """Leave nothing behind, whatever the test did."""
        for process in self.running.values():
            process.kill()
            process.wait(timeout=30)
        self.running.clear()

    def log_whole(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text("utf-8", "replace")

    def log_of(self, name: str) -> str:
        return self.log_whole(name)[-3000:]

    def await_drained(self, timeout_s: float) -> None:
        """Wait until every group has committed the ends of its topics, twice the same."""
        deadline = time.monotonic() + timeout_s
        before: dict[TopicPartition, int] | None = None
        behind: dict[str, int] = {}
        while time.monotonic() < deadline:
            for name, process in self.running.items():
                assert process.poll() is None, f"{name} ended: {self.log_of(name)}"
            try:
                ends, behind = asyncio.run(lags(self.bootstrap, self.groups))
            except NodeNotReadyError:
                # A broker under load may not take one more connection at once.
                time.sleep(1.5)
                continue
            if not any(behind.values()) and ends == before:
                return
            before = ends
            time.sleep(1.5)
        raise AssertionError(f"not drained after {timeout_s} s: {behind}")


@contextmanager
def data_path(
    broker: Broker,
    dsn: str,
    home: Path,
    groups: Groups = GROUPS,
    rest_port: Callable[[], int] = lambda: 0,
) -> Iterator[Stack]:
    """A data path on a broker started for it, with every topic; nothing outlives the block.

    `rest_port` is asked once the broker runs: its controller takes the port after its own.
    """
    broker.start()
    asyncio.run(reconcile(broker.bootstrap, create=True))
    stack = Stack(broker.bootstrap, dsn, home, groups, rest_port())
    stack.broker = broker
    try:
        yield stack
    finally:
        stack.end()


async def lags(
    bootstrap: str, groups: Groups = GROUPS
) -> tuple[dict[TopicPartition, int], dict[str, int]]:
    """End offsets of all consumed partitions, and records each group has not committed."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await admin.start()
    await consumer.start()
    try:
        every = {t for topics in groups.values() for t in topics}
        known = contracts.topics()
        parts = [TopicPartition(t, p) for t in every for p in range(known[t].partitions)]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(parts)
        behind = {}
        for group, topics in groups.items():
            committed = await _committed(admin, group)
            behind[group] = sum(
                end - max(0, committed[part].offset if part in committed else 0)
                for part, end in ends.items()
                if part.topic in topics
            )
        return ends, behind
    finally:
        await consumer.stop()
        await admin.close()


async def _committed(admin: Any, group: str) -> dict[TopicPartition, Any]:
    """Committed offsets; the first question makes a new broker create its offsets topic."""
    for _ in range(100):
        try:
            offsets: dict[TopicPartition, Any] = await admin.list_consumer_group_offsets(group)
            return offsets
        except (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError):
            await asyncio.sleep(0.1)
    raise AssertionError(f"no coordinator for {group}")


async def committed(bootstrap: str, group: str, name: str) -> dict[int, int]:
    """Committed offset of a group by partition of one topic."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await _committed(admin, group)
        return {p.partition: meta.offset for p, meta in offsets.items() if p.topic == name}
    finally:
        await admin.close()


async def commit(bootstrap: str, group: str, offsets: dict[TopicPartition, int]) -> None:
    """Set the offsets of a group that has no member, once its dead member is forgotten."""
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(list(offsets))
        for _ in range(30):
            try:
                await consumer.commit(offsets)
                return
            except CommitFailedError:
                await asyncio.sleep(1)
        raise AssertionError(f"{group} still has a member")
    finally:
        await consumer.stop()


def import_archives(bootstrap: str, paths: Sequence[Path]) -> int:
    """Write archives into raw.v1; the number of records."""
    instruments = default_instruments()
    lines = archives.lines(paths, PARSERS, instruments)
    return asyncio.run(publish(bootstrap, lines, instruments))


class Oracle:
    """The same archives through the in-process engine."""

    def __init__(self, paths: Sequence[Path]) -> None:
        instruments = default_instruments()
        engine = InProcess(PARSERS, instruments, contracts.partition_for)
        self.results: list[Result] = []
        self.emission = Emission()
        for number, line in enumerate(archives.lines(paths, PARSERS, instruments)):
            if line.bad is None:
                engine.feed(line.raw, line.source)
            else:
                engine.reject(line.bad)
            if number % 500 == 0:
                self._take(engine)
        self._take(engine)
        self.counters = engine.framer.state.counters

    def _take(self, engine: InProcess) -> None:
        batch = engine.flush()
        self.results.extend(batch.results)
        for name in ("liquidations", "late", "dead"):
            getattr(self.emission, name).extend(getattr(batch.emission, name))

    def write(self, client: Client) -> None:
        """Write the oracle's rows into the (migrated) database of the client."""
        messages = (
            *self.results,
            *self.emission.liquidations,
            *self.emission.late,
            *self.emission.dead,
        )
        # As the sink sees them: through the bytes on the topic.
        sent = ((contracts.topic_of(message), contracts.encode(message)) for message in messages)
        insert(client, (contracts.decode(name, value) for name, value in sent))


def insert(client: Client, messages: Iterable[Any]) -> None:
    tables: dict[str, list[Any]] = {}
    for message in messages:
        for table, row in rows(message):
            tables.setdefault(table, []).append(row)
    inserter = Inserter(client)
    for table, batch in tables.items():
        assert inserter.insert(table, batch) == []


def differences(dsn: str, oracle: Oracle) -> dict[str, tuple[int, list[str]]]:
    """Per view: rows of the warehouse, and those that it and the oracle do not share."""
    base = dsn.split("?")[0]
    with closing(connect(f"{base}?database=oracle", create=True)) as client:
        migrate(client)
        oracle.write(client)
        found = {}
        for view, columns in VIEWS.items():
            ours = f"SELECT toString(tuple({columns})) FROM marginquake.{view}"  # noqa: S608
            theirs = f"SELECT toString(tuple({columns})) FROM oracle.{view}"  # noqa: S608
            count = client.query(f"SELECT count() FROM marginquake.{view}").result_rows[0][0]  # noqa: S608
            rows_ = client.query(
                f"SELECT 'missing', * FROM ({theirs} EXCEPT {ours}) UNION ALL "  # noqa: S608
                f"SELECT 'extra', * FROM ({ours} EXCEPT {theirs})"
            ).result_rows
            found[view] = (int(count), [f"{kind}: {row[:600]}" for kind, row in rows_])
        return found


def engine_rows(bootstrap: str, engine: str) -> dict[str, Any]:
    """The last revision of each row that an engine has published, by id; its name taken out."""
    found: dict[str, Any] = {}
    for name in contracts.RESULT_TOPICS:
        for _, _, _, value in asyncio.run(topic(bootstrap, name)):
            row: Any = contracts.decode(name, value)
            if row.engine == engine and (
                row.id not in found or found[row.id].revision <= row.revision
            ):
                found[row.id] = msgspec.structs.replace(row, engine="")
    return found


def oracle_rows(oracle: "Oracle") -> dict[str, Any]:
    """As `engine_rows`, of the in-process engine, through the bytes that a topic carries."""
    found: dict[str, Any] = {}
    for result in oracle.results:
        row: Any = contracts.decode_result(contracts.encode(result))
        if row.id not in found or found[row.id].revision <= row.revision:
            found[row.id] = msgspec.structs.replace(row, engine="")
    return found


async def topic(bootstrap: str, name: str) -> list[tuple[int, int, bytes, bytes]]:
    """Every record of a topic: (partition, offset, key, value)."""
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        parts = [TopicPartition(name, p) for p in range(contracts.topics()[name].partitions)]
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        await consumer.seek_to_beginning(*parts)
        found: list[tuple[int, int, bytes, bytes]] = []
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for batch in (await consumer.getmany(timeout_ms=300)).values():
                found.extend((r.partition, r.offset, r.key, r.value) for r in batch)
        return found
    finally:
        await consumer.stop()


def framer_counters(bootstrap: str) -> dict[str, int]:
    """Exact counters of the last checkpoint of every partition, summed."""
    records = asyncio.run(topic(bootstrap, contracts.FRAMER_STATE))
    last = {key: value for _, _, key, value in records}
    sums: dict[str, int] = {}
    for value in last.values():
        for name, count in msgspec.json.decode(value)["counters"].items():
            sums[name] = sums.get(name, 0) + count
    return sums
