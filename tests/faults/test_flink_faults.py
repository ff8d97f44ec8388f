"""The Flink job killed, upgraded, rescaled and cut from its broker: views equal the oracle.

The mini-cluster is killed with its process; the cluster test kills a TaskManager of a JobManager
that goes on. One log each, while it is read.
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

pytest.importorskip("numba")

from streams import contracts
from streams.core.params import Params
from streams.core.pipeline import AssetStage, BrokenChain, MarketStage
from streams.core.results import MARKET, Contribution
from streams.core.rowmeta import RowMeta
from streams.core.throttle import ThrottleParams
from streams.edges import archives
from streams.edges.publish import publish
from streams.edges.topics import reconcile
from streams.simulation.files import LOG
from streams.simulation.run import simulate
from streams.simulation.scenarios import scenario
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments
from tests.conftest import BrokerMaker
from tests.flink_cluster import FlinkCluster
from tests.listening import listening, on_loopback
from tests.pipeline_stack import (
    FLINK,
    FLINK_GROUP,
    FLINK_GROUPS,
    Oracle,
    Stack,
    committed,
    data_path,
    differences,
    engine_rows,
    import_archives,
    lags,
    topic,
)

NextPort = Callable[[], int]
pytestmark = [
    pytest.mark.flink,
    pytest.mark.kafka,
    pytest.mark.warehouse,
    pytest.mark.timeout(600),
]
PROCESSES = ("framer", FLINK, "sink")
NEW = Params(throttle=ThrottleParams(doubted=("htx",)))


@pytest.fixture
def path(
    make_broker: BrokerMaker, warehouse_dsn: str, flink_home: Path, next_port: NextPort
) -> Iterator[Stack]:
    """Framer, the Flink job and the sink on a broker of their own."""
    with data_path(make_broker(), warehouse_dsn, flink_home, FLINK_GROUPS, next_port) as stack:
        yield stack


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quarter of an hour of six assets."""
    folder = tmp_path_factory.mktemp("flink")
    simulate(scenario("build-up"), 9, folder, assets=6, hours=0.25, labels=False)
    return folder / LOG


def frames_committed(path: Stack) -> int:
    return sum(asyncio.run(committed(path.bootstrap, FLINK_GROUP, contracts.FRAMES)).values())


def await_progress(path: Stack, start: int, frames: int) -> None:
    """Wait until the job has committed so many frames since it stood at `start`."""
    deadline = time.monotonic() + 150
    while frames_committed(path) - start < frames:
        assert time.monotonic() < deadline, path.log_of(FLINK)
        time.sleep(0.2)


def parts(log: Path, count: int) -> Iterator[list[archives.Line]]:
    """The log's lines, in order, in so many parts of equal size."""
    lines = list(archives.lines([log], PARSERS, default_instruments()))
    size = -(-len(lines) // count)
    for first in range(0, len(lines), size):
        yield lines[first : first + size]


def check(path: Stack, oracle: Oracle) -> None:
    path.await_drained(240)
    assert path.stop() == dict.fromkeys(PROCESSES, 0)
    found = differences(path.dsn, oracle)
    assert {view: lines for view, (_, lines) in found.items() if lines} == {}
    assert found["v_cascades"][0] > 0


def flink(path: Stack, *words: str) -> str:
    """What `marginquake flink ...` prints."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "flink", *words],
        env={
            **os.environ,
            "MARGINQUAKE_HOME": str(path.home),
            "MARGINQUAKE_KAFKA": path.bootstrap,
        },
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout.strip()


def test_a_job_killed_twice_and_cut_from_its_broker_goes_on(path: Stack, log: Path) -> None:
    path.start(*PROCESSES)
    chance = random.Random(20251010)  # noqa: S311
    # A third for each fault: a quick job would have read the whole log before the last of them.
    for number, lines in enumerate(parts(log, 3)):
        start = frames_committed(path)
        asyncio.run(publish(path.bootstrap, lines, default_instruments()))
        await_progress(path, start, 200)
        if number < 2:
            time.sleep(chance.uniform(0.0, 2.0))
            path.kill(FLINK)
            path.start(FLINK)
    assert path.broker is not None
    path.broker.stop()
    time.sleep(1)
    path.broker.start()
    oracle = Oracle([log])
    check(path, oracle)
    assert path.log_whole(FLINK).count("/chk-") >= 2, "a restart did not begin at a checkpoint"


def test_a_savepoint_taken_running_and_one_at_the_stop_restore_at_parallelism_2(
    path: Stack, log: Path
) -> None:
    import_archives(path.bootstrap, [log])
    path.start(*PROCESSES)
    await_progress(path, 0, 200)
    port = str(path.rest_port)
    (job,) = msgspec.json.decode(flink(path, "status", "--rest-port", port, "--json"))
    assert job["state"] == "RUNNING"
    ends, _ = asyncio.run(lags(path.bootstrap, FLINK_GROUPS))
    assert 0 <= job["behind"] < sum(ends.values())
    taken = listening(path.running[FLINK].pid)
    assert [address for address in taken if not on_loopback(address)] == []
    assert any(address.endswith(f":{path.rest_port:04X}") for address in taken)
    running = flink(path, "savepoint", "--rest-port", port)
    assert (Path(running.removeprefix("file:")) / "_metadata").exists()
    last = flink(path, "stop", "--rest-port", port)
    assert path.running.pop(FLINK).wait(timeout=60) == 0
    assert last != running
    # The older one: what came between is done again, and changes nothing.
    path.start(FLINK, options=("--restore", running.removeprefix("file:"), "--parallelism", "2"))
    check(path, Oracle([log]))
    assert running in path.log_whole(FLINK).replace("file:///", "file:/")


def test_a_task_manager_killed_in_a_cluster_is_replaced(
    path: Stack, log: Path, tmp_path: Path, next_port: NextPort
) -> None:
    import_archives(path.bootstrap, [log])
    path.start("framer", "sink")
    cluster = FlinkCluster(tmp_path / "cluster", next_port)
    try:
        cluster.add("first")
        cluster.add("second")
        said = subprocess.run(
            [
                *(sys.executable, "-m", "streams.cli", "detect", "--engine", "flink"),
                *("--jobmanager", cluster.address, "--parallelism", "2"),
                *("--checkpoint-seconds", "2"),
            ],
            env={
                **os.environ,
                "MARGINQUAKE_HOME": str(path.home),
                "MARGINQUAKE_KAFKA": path.bootstrap,
            },
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
        assert said.startswith("submitted job ")
        await_progress(path, 0, 300)
        cluster.lose("first")
        cluster.add("third")
        path.await_drained(240)
        told = flink(path, "status", "--jobmanager", cluster.address, "--json")
        (job,) = msgspec.json.decode(told)
        assert job["failures"] >= 1, "the job never lost the TaskManager"
        assert path.stop() == {"framer": 0, "sink": 0}
        oracle = Oracle([log])
        found = differences(path.dsn, oracle)
        assert {view: lines for view, (_, lines) in found.items() if lines} == {}
    finally:
        cluster.end()


def test_a_definition_upgraded_at_a_savepoint_holds_from_there_on(
    path: Stack, make_broker: BrokerMaker, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_broker()
    source.start()
    asyncio.run(reconcile(source.bootstrap, create=True))
    import_archives(source.bootstrap, [log])
    framing = Stack(source.bootstrap, path.dsn, path.home, {"marginquake-framer": (contracts.RAW,)})
    framing.start("framer")
    framing.await_drained(120)
    assert framing.stop() == {"framer": 0}
    first, rest = halves(
        {
            name: asyncio.run(topic(source.bootstrap, name))
            for name in (contracts.FRAMES, contracts.MARKET_INPUTS)
        }
    )
    asyncio.run(write(path.bootstrap, first))
    path.groups = {FLINK_GROUP: FLINK_GROUPS[FLINK_GROUP]}
    path.start(FLINK)
    path.await_drained(120)
    last = flink(path, "stop", "--rest-port", str(path.rest_port))
    assert path.running.pop(FLINK).wait(timeout=60) == 0
    monkeypatch.setenv("MARGINQUAKE_ASSUMPTIONS", "htx.completeness=unknown")
    asyncio.run(write(path.bootstrap, rest))
    path.start(FLINK, options=("--restore", last.removeprefix("file:")))
    path.await_drained(120)
    assert path.stop() == {FLINK: 0}
    found = engine_rows(path.bootstrap, "flink")
    assert {row.params_hash for row in found.values()} == {Params().hash(), NEW.hash()}
    assert found == Upgraded(first, rest).rows


Inputs = dict[str, list[tuple[int, bytes]]]


def halves(inputs: dict[str, list[Any]]) -> tuple[Inputs, Inputs]:
    """(partition, value) of the first half of each partition's records, and of the others."""
    first: Inputs = {name: [] for name in inputs}
    rest: Inputs = {name: [] for name in inputs}
    for name, records in inputs.items():
        counts = Counter(partition for partition, *_ in records)
        for partition, offset, _, value in records:
            half = first if offset < counts[partition] // 2 else rest
            half[name].append((partition, value))
    return first, rest


async def write(bootstrap: str, inputs: Inputs) -> None:
    producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    await producer.start()
    try:
        for name, records in inputs.items():
            sent = [await producer.send(name, value, None, part) for part, value in records]
            await asyncio.gather(*sent)
    finally:
        await producer.stop()


class Upgraded:
    """The rows of stages that take some inputs under the old parameters, and the rest under new."""

    def __init__(self, first: Inputs, rest: Inputs) -> None:
        self.rows: dict[str, Any] = {}
        self.assets: dict[str, AssetStage] = {}
        self.market = MarketStage(Params(), meta(Params(), MARKET))
        self._take(Params(), first)
        for asset, stage in self.assets.items():
            self.assets[asset] = renewed(stage, AssetStage(asset, NEW, meta(NEW, asset)))
        self.market = renewed(self.market, MarketStage(NEW, meta(NEW, MARKET)))
        self._take(NEW, rest)

    def _take(self, params: Params, inputs: Inputs) -> None:
        for _, value in inputs[contracts.FRAMES]:
            frame = contracts.decode_frame(value)
            stage = self.assets.get(frame.asset)
            if stage is None:
                stage = self.assets[frame.asset] = AssetStage(
                    frame.asset, params, meta(params, frame.asset)
                )
            rows = stage.step(frame)
            assert not isinstance(rows, BrokenChain)
            for row in rows:
                self._keep(self.market.step(row) if isinstance(row, Contribution) else (row,))
        for _, value in inputs[contracts.MARKET_INPUTS]:
            self._keep(self.market.step(contracts.decode_market_input(value)))

    def _keep(self, rows: Iterable[Any]) -> None:
        for row in rows:
            if row.id not in self.rows or self.rows[row.id].revision <= row.revision:
                sent = contracts.decode_result(contracts.encode(row))
                self.rows[row.id] = msgspec.structs.replace(sent, engine="")


def renewed(old: Any, new: Any) -> Any:
    """A stage of other parameters with the old one's state."""
    snapshot = old.snapshot()
    new.restore(snapshot.hot, snapshot.pages)
    return new


def meta(params: Params, scope: str) -> RowMeta:
    return RowMeta(params.hash(), "", contracts.partition_for(scope))
