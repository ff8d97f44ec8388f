"""The recordings through Kafka, Faust and the sink give the rows of the in-process engine.

Also: reading a backlog makes nothing late that was in time live, and two collectors of one
venue give the rows of one. Simulated logs have forced orders held back, so that some are late.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("numba")

from streams.edges.broker import Broker
from streams.edges.topics import reconcile
from streams.simulation.files import LOG
from streams.simulation.run import simulate
from streams.simulation.scenarios import scenario
from tests.logs import held_back_log
from tests.pipeline_stack import Oracle, Stack, differences, framer_counters, import_archives, lags

BrokerMaker = Callable[[], Broker]

pytestmark = [pytest.mark.kafka, pytest.mark.warehouse, pytest.mark.timeout(900)]


@pytest.fixture
def make_path(
    make_broker: BrokerMaker, warehouse_dsn: str, tmp_path: Path
) -> Iterator[Callable[[], Stack]]:
    """Makes the data path on a broker of its own."""
    made: list[Stack] = []

    def make() -> Stack:
        broker = make_broker()
        broker.start()
        asyncio.run(reconcile(broker.bootstrap, create=True))
        made.append(Stack(broker.bootstrap, warehouse_dsn, tmp_path / f"stack-{len(made)}"))
        return made[-1]

    yield make
    for stack in made:
        stack.end()


def test_two_collectors_of_one_venue_give_the_rows_of_one(
    make_path: Callable[[], Stack], recordings: list[Path]
) -> None:
    one = next(path for path in recordings if "2024-06-20_large" in path.name)
    path = make_path()
    path.start()
    import_archives(path.bootstrap, [one, one])
    oracle = Oracle([one])
    path.await_drained(300)
    assert path.stop() == {"framer": 0, "detect": 0, "sink": 0}
    found = differences(path.dsn, oracle)
    assert {view: lines for view, (_, lines) in found.items() if lines} == {}
    assert found["v_cascades"][0] > 0
    assert framer_counters(path.bootstrap)["duplicates:liquidation"] == 162


def test_a_backlog_read_in_catch_up_has_no_more_late_events_than_live(
    make_path: Callable[[], Stack], tmp_path: Path
) -> None:
    simulate(scenario("build-up"), 9, tmp_path, assets=4, hours=0.5, labels=False)
    log = held_back_log(tmp_path / LOG)
    live, backlog = make_path(), make_path()
    live.start("framer")
    while "assigned" not in live.log_of("framer"):
        time.sleep(0.1)
    import_archives(live.bootstrap, [log])
    import_archives(backlog.bootstrap, [log])
    backlog.start("framer")
    oracle = Oracle([log])
    counted = []
    for path in (live, backlog):
        deadline = time.monotonic() + 200
        while asyncio.run(lags(path.bootstrap))[1]["marginquake-framer"]:
            assert time.monotonic() < deadline, path.log_of("framer")
            time.sleep(1)
        assert path.stop() == {"framer": 0}
        counted.append(framer_counters(path.bootstrap))
    late = [sum(n for name, n in c.items() if name.startswith("late")) for c in counted]
    assert late[1] == late[0] == len(oracle.emission.late) > 10
    assert counted[0] == counted[1]
    assert counted[1]["accepted:trade"] > 1000
