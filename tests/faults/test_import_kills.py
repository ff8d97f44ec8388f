"""kill -9 of an import, again and again: raw.v1 ends as one run would have left it."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams import contracts
from streams.contracts import RAW
from streams.edges import archives
from streams.edges.broker import Broker
from streams.edges.import_marks import identity, log_ends
from streams.edges.publish import records
from streams.edges.topics import reconcile
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments

BrokerMaker = Callable[[], Broker]
TRADES = 50_000
KILLS = 3

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


def dump(folder: Path, symbol: str, shift: int) -> Path:
    path = folder / f"{symbol}-aggTrades-2026-09-21.csv"
    with path.open("w") as file:
        for n in range(TRADES):
            maker = "true" if n % 3 else "false"
            file.write(
                f"{n},{60000 + n % 7},1,{n},{n},{1_790_000_000_000 + n * 5 + shift},{maker}\n"
            )
            if n % 9_973 == 0:
                file.write("broken\n")
    return path


async def logged(bootstrap: str) -> dict[int, list[bytes]]:
    """Identities of all records by partition."""
    ends = await log_ends(bootstrap)
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    found: dict[int, list[bytes]] = {}
    try:
        for partition, end in ends.items():
            place = TopicPartition(RAW, partition)
            consumer.assign([place])
            consumer.seek(place, 0)
            part = found[partition] = []
            while len(part) < end:
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    part += [identity(r.headers, r.value or b"") for r in batch]
    finally:
        await consumer.stop()
    return found


def test_a_killed_import_goes_on_without_loss_or_doubles(
    make_broker: BrokerMaker, tmp_path: Path
) -> None:
    files = [dump(tmp_path, "BTCUSDT", 0), dump(tmp_path, "ETHUSDT", 2)]
    killed = make_broker()
    killed.start()
    asyncio.run(reconcile(killed.bootstrap, create=True))
    instruments = default_instruments()
    whole: dict[int, list[bytes]] = {p: [] for p in range(contracts.partitions())}
    for line in archives.lines(files, PARSERS, instruments):
        for _, partition, value, headers in records(line, instruments):
            whole[partition].append(identity(headers, value))

    environment = {**os.environ, "MARGINQUAKE_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "streams.cli", "import", *map(str, files), "--json"]
    command += ["--kafka", killed.bootstrap]
    total = sum(map(len, whole.values()))
    for kill in range(1, KILLS + 1):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        while sum(asyncio.run(log_ends(killed.bootstrap)).values()) < total * kill / (KILLS + 1):
            assert process.poll() is None, "the import ended before it was killed"
            time.sleep(0.02)
        process.kill()
        process.wait(timeout=30)
    (mark,) = (tmp_path / "home" / "imports").glob("*.json")
    assert json.loads(mark.read_bytes())["lines"] > 0
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    assert 0 < json.loads(done.stdout)["records"] < total
    assert asyncio.run(logged(killed.bootstrap)) == whole
    # A kill at the very end looks like any other: the command is given again.
    again = subprocess.run(command, env=environment, check=True, capture_output=True)
    assert json.loads(again.stdout)["records"] == 0
    assert b"--restart" in again.stderr
    assert asyncio.run(logged(killed.bootstrap)) == whole
