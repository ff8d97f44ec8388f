"""kill -9 of a recorder, then SIGTERM: its files hold raw.v1 once, and replay as the log does."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.core.events import Raw
from streams.edges import archives, rawlog
from streams.edges.broker import Broker
from streams.edges.publish import publish, records
from streams.edges.topics import reconcile
from streams.raw_records import raw_from_record
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments

BrokerMaker = Callable[[], Broker]
ROWS = 30_000

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


def test_a_killed_recorder_goes_on_without_loss_or_doubles(
    make_broker: BrokerMaker, tmp_path: Path
) -> None:
    path = tmp_path / "BTCUSDT-aggTrades-2026-09-21.csv"
    with path.open("w") as file:
        for n in range(ROWS):
            at_ms = 1_790_000_000_000 + n * 500
            file.write(f"{n},{60000 + n % 7},1,{n},{n},{at_ms},true\n")
    broker = make_broker()
    broker.start()
    asyncio.run(reconcile(broker.bootstrap, create=True))
    instruments = default_instruments()
    log = list(archives.lines([path], PARSERS, instruments))
    sent: dict[int, list[Raw]] = {}
    for line in log:
        for _, partition, value, headers in records(line, instruments):
            raw = raw_from_record(headers, value)
            assert isinstance(raw, Raw)
            sent.setdefault(partition, []).append(raw)
    asyncio.run(publish(broker.bootstrap, log, instruments))

    folder = tmp_path / "kept"
    command = [sys.executable, "-m", "streams.cli", "record", str(folder), "--size-mb", "1"]
    command += ["--kafka", broker.bootstrap]

    def written() -> int:
        return sum(file.stat().st_size for file in folder.glob("raw-*"))

    for kill in (True, False):
        before = written()
        process = subprocess.Popen(command, env=dict(os.environ))
        while written() <= before:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        assert process.wait(timeout=60) == (-signal.SIGKILL if kill else 0)
    subprocess.run([*command, "--until-idle", "2"], check=True, timeout=120)

    for partition, raws in sent.items():
        mine = folder.glob(f"raw-{partition}-*")
        files = sorted(mine, key=lambda f: int(f.name.split("-")[-1].split(".")[0]))
        assert [item for file in files for _, item in rawlog.read(file)] == raws
    assert len(list(folder.glob("raw-0-*"))) > 1
