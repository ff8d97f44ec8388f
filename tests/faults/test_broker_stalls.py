"""A broker that is held up and then goes on loses nothing and leaves no process waiting.

Held up is worse than killed: connections stay open, sessions run out, the group rebalances, and
clients go on with what they had in hand. A starved machine does this, and a disk that hangs.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("numba")

from streams import contracts
from streams.engines.faust_app import APP_ID
from streams.simulation.files import LOG
from streams.simulation.run import simulate
from streams.simulation.scenarios import scenario
from tests.conftest import BrokerMaker
from tests.pipeline_stack import Oracle, Stack, committed, data_path, differences, import_archives

pytestmark = [pytest.mark.kafka, pytest.mark.warehouse, pytest.mark.timeout(600)]


@pytest.fixture
def path(make_broker: BrokerMaker, warehouse_dsn: str, tmp_path: Path) -> Iterator[Stack]:
    """The data path on a broker of its own."""
    with data_path(make_broker(), warehouse_dsn, tmp_path / "stack") as stack:
        yield stack


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quarter of an hour of six assets."""
    folder = tmp_path_factory.mktemp("stalled")
    simulate(scenario("build-up"), 9, folder, assets=6, hours=0.25, labels=False)
    return folder / LOG


@pytest.mark.parametrize("seconds", [5, 20], ids=["within the session", "beyond the session"])
def test_a_broker_held_up_in_the_middle_changes_nothing(
    path: Stack, log: Path, seconds: int
) -> None:
    path.start()
    import_archives(path.bootstrap, [log])
    deadline = time.monotonic() + 120
    while sum(reached(path).values()) < 500:
        assert time.monotonic() < deadline, path.log_of("detect")
        time.sleep(0.5)
    path.hold_broker(seconds)
    oracle = Oracle([log])
    path.await_drained(200)
    assert path.stop() == {"framer": 0, "detect": 0, "sink": 0}
    found = differences(path.dsn, oracle)
    assert {view: lines for view, (_, lines) in found.items() if lines} == {}
    assert found["v_liquidations"][0] > 100


def reached(path: Stack) -> dict[int, int]:
    return asyncio.run(committed(path.bootstrap, APP_ID, contracts.MARKET_INPUTS))
