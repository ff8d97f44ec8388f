"""kill -9 of every process, and of the broker, loses nothing and changes nothing.

One archive with duplicates, late events and broken lines goes through the real path while
processes are killed at random points; afterwards the views equal the in-process oracle and
every record is accounted for.
"""

import asyncio
import gzip
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from streams import contracts
from streams.edges.broker import Broker
from streams.edges.warehouse import connect
from streams.engines.faust_app import APP_ID
from streams.engines.stage_store import Marker
from tests.pipeline_stack import (
    Oracle,
    Stack,
    commit,
    committed,
    data_path,
    differences,
    framer_counters,
    import_archives,
    lags,
    topic,
)

BrokerMaker = Callable[[], Broker]
RECORDING = (
    Path(__file__).resolve().parents[2].parent
    / "shared/data/recordings/binance_usdm_2024-08-17.jsonl.gz"
)

pytestmark = [pytest.mark.kafka, pytest.mark.warehouse, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recording with duplicates, late events and lines that are no records."""
    if not RECORDING.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{RECORDING} is missing")
        pytest.skip("no recordings here")
    lines = gzip.decompress(RECORDING.read_bytes()).decode().splitlines()
    out: list[str] = []
    for number, line in enumerate(lines):
        out.append(line)
        if number % 9 == 4:
            out.append(line)
        if number % 40 == 20:
            late = json.loads(line)
            late["payload"]["o"]["T"] -= 90_000
            late["payload"]["o"]["q"] = late["payload"]["o"]["z"] = str(number + 1)
            out.append(json.dumps(late))
        if number % 60 == 30:
            out.append(line.replace('"ap":"', '"ap":"NaN'))
        if number % 80 == 40:
            out.append(line[: len(line) // 2])
    path = tmp_path_factory.mktemp("archive") / "archive.jsonl"
    path.write_text("\n".join(out) + "\n")
    return path


@pytest.fixture(scope="module")
def oracle(archive: Path) -> Oracle:
    """What the archive must become, whoever is killed."""
    return Oracle([archive])


@pytest.fixture
def path(make_broker: BrokerMaker, warehouse_dsn: str, tmp_path: Path) -> Iterator[Stack]:
    """The data path on a broker of its own."""
    with data_path(make_broker(), warehouse_dsn, tmp_path / "stack") as stack:
        yield stack


def check_everything_arrived(stack: Stack, oracle: Oracle, sent: int) -> None:
    """Views equal the oracle, and produced = stored + dead-lettered + late + filtered."""
    found = differences(stack.dsn, oracle)
    assert {view: lines for view, (_, lines) in found.items() if lines} == {}
    assert found["v_cascades"][0] > 0
    assert found["v_prints"][0] > 0
    counters = framer_counters(stack.bootstrap)
    fates = {name: count for name, count in counters.items() if not name.startswith("received")}
    received = sum(count for name, count in counters.items() if name.startswith("received"))
    assert received == sent == sum(fates.values())
    with connect(stack.dsn) as client:
        stored = client.query(
            "SELECT uniqExact(id), uniqExactIf(id, is_late) FROM v_liquidations"
        ).result_rows[0]
        dead = client.query("SELECT uniqExact(id) FROM v_dead_letters").result_rows[0][0]
    ids = {event.id for event in oracle.emission.liquidations}
    late = {event.id for event in oracle.emission.late}
    assert late
    assert stored == (len(ids | late), len(late))
    letters = [letter.id for letter in oracle.emission.dead]
    assert len(set(letters)) == len(letters) > 0, "two letters share an id"
    assert dead == len(letters)


def test_nothing_is_lost_when_each_process_is_killed_three_times(
    path: Stack, archive: Path, oracle: Oracle
) -> None:
    chance = random.Random(20251010)  # noqa: S311
    path.start()
    sent = import_archives(path.bootstrap, [archive])
    kills = ["framer", "detect", "sink"] * 3
    for name in kills:
        time.sleep(chance.uniform(0.3, 2.5))
        path.kill(name)
        path.start(name)
    path.await_drained(240)
    assert path.stop() == {"framer": 0, "detect": 0, "sink": 0}
    check_everything_arrived(path, oracle, sent)


def test_a_worker_reads_again_what_its_group_has_passed_and_its_states_have_not(
    path: Stack, archive: Path, oracle: Oracle
) -> None:
    sent = import_archives(path.bootstrap, [archive])
    path.start()
    deadline = time.monotonic() + 120
    saved: dict[int, int] = {}
    while sum(saved.values()) < 2_000 and time.monotonic() < deadline:
        time.sleep(0.3)
        saved = _saved_offsets(path.bootstrap)
    path.kill("detect")
    saved = _saved_offsets(path.bootstrap)
    ends, _ = asyncio.run(lags(path.bootstrap))
    # As an operator may set them; the last record of each partition shows what the states lack.
    ahead = {part: end - 1 for part, end in ends.items() if part.topic == contracts.FRAMES and end}
    missed = sum(max(0, end - saved.get(part.partition, 0)) for part, end in ahead.items())
    assert missed > 1_000, "nothing was left for the next worker to read again"
    asyncio.run(commit(path.bootstrap, APP_ID, ahead))
    path.start("detect")
    path.await_drained(240)
    assert path.stop() == {"framer": 0, "detect": 0, "sink": 0}
    check_everything_arrived(path, oracle, sent)


def test_a_broker_restart_in_the_middle_changes_nothing(
    path: Stack, archive: Path, oracle: Oracle
) -> None:
    sent = import_archives(path.bootstrap, [archive])
    path.start()
    deadline = time.monotonic() + 120
    # Each of the three has begun: a process that finds no broker at its start ends at once.
    while not all(
        sum(asyncio.run(committed(path.bootstrap, group, contracts.FRAMES)).values())
        for group in (APP_ID, "marginquake-sink")
    ):
        assert time.monotonic() < deadline, path.log_of("framer")
        time.sleep(0.3)
    assert path.broker is not None
    path.broker.stop()
    time.sleep(1)
    path.broker.start()
    path.await_drained(240)
    assert path.stop() == {"framer": 0, "detect": 0, "sink": 0}
    check_everything_arrived(path, oracle, sent)


def test_a_framer_killed_and_restarted_repeats_equal_frames(path: Stack, archive: Path) -> None:
    import_archives(path.bootstrap, [archive])
    for _ in range(3):
        before = _sent_frames(path)
        path.start("framer", options=("--checkpoint-seconds", "30"))
        while _sent_frames(path) == before and not _framed(path):
            time.sleep(0.02)
        path.kill("framer")
    path.start("framer")
    deadline = time.monotonic() + 120
    while not _framed(path):
        assert time.monotonic() < deadline, path.log_of("framer")
        time.sleep(1)
    assert path.stop() == {"framer": 0}
    frames: dict[tuple[str, int], bytes] = {}
    repeats = 0
    for _, _, _, value in asyncio.run(topic(path.bootstrap, contracts.FRAMES)):
        frame = contracts.decode_frame(value)
        known = frames.setdefault((frame.asset, frame.second), value)
        assert known == value
        repeats += known is not value
    assert frames
    assert repeats > 0, "no frame was ever repeated: the kills proved nothing"


def _sent_frames(path: Stack) -> int:
    ends, _ = asyncio.run(lags(path.bootstrap))
    return sum(end for part, end in ends.items() if part.topic == contracts.FRAMES)


def _framed(path: Stack) -> bool:
    return asyncio.run(lags(path.bootstrap))[1]["marginquake-framer"] == 0


def _saved_offsets(bootstrap: str) -> dict[int, int]:
    """The marker of each partition as the changelog holds it."""
    saved: dict[int, int] = {}
    for partition, _, key, value in asyncio.run(topic(bootstrap, contracts.DETECTOR_CHANGELOG)):
        if msgspec.json.decode(key) == f"@{partition}":
            saved[partition] = msgspec.json.decode(value, type=Marker).next_offset
    return saved
