"""The sink as a process: killed, told to stop, started again."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from streams import contracts
from streams.edges.group_offsets import first_offsets
from streams.edges.intake import TOPICS
from tests.sink_traffic import PARTITIONS, frame, group_view, lag, order, produce, records

pytestmark = [pytest.mark.kafka, pytest.mark.warehouse, pytest.mark.usefixtures("kafka_topics")]


def command(bootstrap: str, dsn: str, home: Path, *arguments: str) -> list[str]:
    """The command line of this checkout, with the settings given in the environment of `env`."""
    settings = {"MARGINQUAKE_KAFKA": bootstrap, "CLICKHOUSE_DSN": dsn, "HOME": str(home)}
    environment = [f"{key}={value}" for key, value in settings.items()]
    program = [sys.executable, "-c", "from streams.cli import main; main()"]
    return ["/usr/bin/env", *environment, *program, *arguments]


def query(bootstrap: str, dsn: str, home: Path, sql: str) -> dict[str, Any]:
    asked = subprocess.run(
        command(bootstrap, dsn, home, "query", "--json", sql),
        capture_output=True,
        text=True,
        check=True,
    )
    (row,) = json.loads(asked.stdout)
    assert isinstance(row, dict)
    return row


def waiting(bootstrap: str, group: str) -> int:
    """Events and frames that the group has not committed yet."""
    left = asyncio.run(lag(bootstrap, group))
    return sum(n for name, n in left.items() if name.startswith(("liquidations", "frames")))


async def committed(bootstrap: str, group: str) -> int:
    """Records behind the group's offsets."""
    async with group_view(bootstrap, group) as consumer:
        starts = await consumer.beginning_offsets(PARTITIONS)
        return sum([await consumer.committed(tp) - start for tp, start in starts.items()])


def test_a_killed_sink_goes_on_where_it_was_and_every_id_is_there_once(
    broker: str, warehouse_dsn: str, tmp_path: Path
) -> None:
    group = "test-kill"
    total = 40_000
    orders = [order("SK", n) for n in range(total)]
    frames = [frame("SK", n) for n in range(5_000)]
    items = records(*orders[: total // 2], *frames, *orders[total // 4 :], *frames[::7])
    bad = [(contracts.LIQUIDATIONS, b"SK broken %d" % n) for n in range(20)]
    asyncio.run(produce(broker, [*items[:10_000], *bad, *items[10_000:]]))
    subprocess.run(
        command(broker, warehouse_dsn, tmp_path, "migrate"), check=True, capture_output=True
    )
    arguments = ["sink", "--group", group, "--flush-rows", "100", "--flush-seconds", "0.1"]
    asyncio.run(first_offsets(broker, group, TOPICS))
    left = waiting(broker, group)
    for _ in range(2):
        sink = subprocess.Popen(
            command(broker, warehouse_dsn, tmp_path, *arguments), stderr=subprocess.DEVNULL
        )
        before = left
        while left == before:
            assert sink.poll() is None
            time.sleep(0.05)
            left = waiting(broker, group)
        sink.send_signal(signal.SIGKILL)
        sink.wait()
        assert 0 < left < before
    ended = subprocess.run(
        command(broker, warehouse_dsn, tmp_path, "sink", "--group", group, "--until-idle", "2"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = query(
        broker,
        warehouse_dsn,
        tmp_path,
        "SELECT count() AS n, uniqExact(id) AS ids, toInt64(sum(usd) * 1000000) AS micro_usd "
        "FROM v_liquidations WHERE asset = 'SK'",
    )
    assert found == {"n": total, "ids": total, "micro_usd": sum(one.usd for one in orders)}
    found = query(
        broker,
        warehouse_dsn,
        tmp_path,
        "SELECT (SELECT count() FROM v_frames WHERE asset = 'SK') AS frames, "
        "(SELECT uniqExact(source) FROM v_dead_letters WHERE payload LIKE 'SK broken%') AS bad, "
        "(SELECT count() FROM v_dead_letters WHERE payload LIKE 'SK broken%') AS letters",
    )
    assert found == {"frames": len(frames), "bad": 20, "letters": 20}
    assert asyncio.run(lag(broker, group)) == {}


def test_a_term_signal_writes_and_commits_what_was_read_and_ends_well(
    broker: str, warehouse_dsn: str, tmp_path: Path
) -> None:
    group = "test-term"
    subprocess.run(
        command(broker, warehouse_dsn, tmp_path, "migrate"), check=True, capture_output=True
    )
    orders = records(*(order("ST", n) for n in range(3_000)))
    asyncio.run(produce(broker, orders[:1_000]))
    asyncio.run(first_offsets(broker, group, TOPICS))
    arguments = ["sink", "--group", group, "--flush-seconds", "2", "--json", "--metrics-port", "0"]
    sink = subprocess.Popen(
        command(broker, warehouse_dsn, tmp_path, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while asyncio.run(committed(broker, group)) == 0:
        assert sink.poll() is None
        time.sleep(0.1)
    asyncio.run(produce(broker, orders[1_000:]))
    sink.send_signal(signal.SIGTERM)
    out, errors = sink.communicate(timeout=60)
    assert sink.returncode == 0, errors
    report = json.loads(out)
    assert report["records"] > 0
    assert asyncio.run(committed(broker, group)) == report["records"]
    subprocess.run(
        command(broker, warehouse_dsn, tmp_path, "sink", "--group", group, "--until-idle", "1"),
        check=True,
        capture_output=True,
    )
    assert asyncio.run(lag(broker, group)) == {}
    sql = "SELECT count() AS n FROM v_liquidations WHERE asset = 'ST'"
    assert query(broker, warehouse_dsn, tmp_path, sql) == {"n": 3_000}
