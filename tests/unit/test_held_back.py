"""What the tests' logs with held-back orders promise: the same orders, and some of them late."""

from pathlib import Path

import pytest

pytest.importorskip("numba")

from streams.core.events import Raw
from streams.edges import rawlog
from streams.simulation.files import LOG
from streams.simulation.run import simulate
from streams.simulation.scenarios import scenario
from tests.logs import (
    BINANCE,
    binance_forced,
    bybit_forced,
    heartbeat,
    held_back,
    held_back_log,
    us,
)
from tests.pipeline_stack import Oracle


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A simulated log, and the same with orders held back."""
    folder = tmp_path_factory.mktemp("simulated")
    simulate(scenario("build-up"), 9, folder, assets=3, hours=0.1, labels=False)
    return folder / LOG, held_back_log(folder / LOG)


def records(log: Path) -> list[Raw]:
    return [record for _, record in rawlog.read(log) if isinstance(record, Raw)]


def test_each_nth_sampled_order_moves_to_where_it_would_have_been_received() -> None:
    orders = [event(at).raw for at in range(60) for event in (binance_forced, bybit_forced)]
    beats = [heartbeat(BINANCE, at + 0.5) for at in range(80)]
    log = sorted([*orders, *beats], key=lambda raw: raw.received_at_us)
    held = held_back(log, every=20)
    assert held == sorted(held, key=lambda raw: raw.received_at_us)
    moved = [raw for raw in held if raw not in log]
    assert [(raw.venue, raw.received_at_us) for raw in moved] == [
        (BINANCE, us(second + 0.04)) for second in (19 + 9, 39 + 10, 59 + 11)
    ]
    taken = {raw.payload for raw in moved}
    assert [raw for raw in held if raw in log] == [raw for raw in log if raw.payload not in taken]


def test_a_held_back_log_is_the_same_each_time(logs: tuple[Path, Path]) -> None:
    first = logs[1].read_bytes()
    assert held_back_log(logs[0]).read_bytes() == first
    said = [sorted(raw.payload for raw in records(log)) for log in logs]
    assert said[0] == said[1]


def test_orders_held_back_come_late_and_none_is_lost(logs: tuple[Path, Path]) -> None:
    punctual, held = (Oracle([log]) for log in logs)
    late = {event.id for event in held.emission.late}
    counted = sum(n for name, n in held.counters.items() if name.startswith("late:"))
    assert counted == len(late) > len(punctual.emission.late)
    assert {event.liquidation.venue for event in held.emission.late} == {"binance-usdm", "okx"}
    known = [
        {one.id for one in oracle.emission.liquidations} | {e.id for e in oracle.emission.late}
        for oracle in (punctual, held)
    ]
    assert known[0] == known[1]
