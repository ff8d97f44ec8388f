"""The group's offset of a Faust shell: never ahead of the states, and never left behind."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from faust.types import TP

from streams.config import MarginquakeError
from streams.contracts import FRAMES, encode
from streams.core.events import MICROS
from streams.core.frames import Tick
from streams.core.params import Params
from streams.core.pipeline import MarketStage, Snapshot
from streams.core.results import Contribution
from streams.core.rowmeta import RowMeta
from streams.engines import faust_app
from streams.engines.faust_app import Worker
from streams.engines.faust_shell import Shell, apply_market_input
from streams.engines.stage_store import Marker, StageStore
from streams.engines.state_table import StateTable
from streams.telemetry import REGISTRY

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Table(dict[str, bytes]):
    """A Faust table as far as a shell sees it."""

    writing_to = 0

    def __init__(self) -> None:
        super().__init__()
        self.durable: dict[str, bytes] = {}

    async def acknowledged(self) -> None:
        self.durable = dict(self)


class Count:
    """A stage that only counts."""

    def snapshot(self, stored: set[str]) -> Snapshot:
        return Snapshot(b"count", {}, ())

    def restore(self, hot: bytes, pages: Any) -> None:
        assert hot == b"count"


SECOND = 1_790_000_000


@dataclass
class Input:
    """A record of market_inputs.v1."""

    partition: int
    offset: int
    value: bytes


class Group:
    """What the shell has committed; `away` while the group rebalances."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.offsets: list[dict[TP, int]] = []
        self.away = False

    async def commit(self, offsets: dict[TP, int]) -> bool:
        for source, offset in offsets.items():
            saved = msgspec.json.decode(self.table.durable[f"@{source.partition}"], type=Marker)
            assert offset == saved.next_offset, "ahead of its states"
        if not self.away:
            self.offsets.append(offsets)
        return not self.away


def apply(store: StageStore, record: Any) -> Iterable[Any]:
    store.stage("BTC")
    store.applied("BTC", record.offset)
    return ()


def record(offset: int) -> Any:
    return SimpleNamespace(partition=3, offset=offset, value=b"")


def tick(second: int, n: int) -> Tick:
    return Tick(0, 1, second * MICROS, None, n)


def contribution(asset: str, second: int) -> Contribution:
    at = second * MICROS
    return Contribution(asset, 0, at, None, 1.0, ("okx",), ("okx",), (), (), None, None, ())


def test_the_market_no_longer_waits_once_the_last_contribution_is_there() -> None:
    """What a tick waits for comes behind it: where a log ends, no later tick tells of it."""
    store = StageStore(0, Table(), lambda _: MarketStage(Params(), RowMeta("h", "faust", 0)))

    def waits_after(offset: int, item: Any) -> float | None:
        list(apply_market_input(store, Input(0, offset, encode(item))))
        return REGISTRY.get_sample_value("marginquake_market_wait_seconds", {})

    assert waits_after(0, tick(SECOND, 1)) == 0
    waits_after(1, contribution("BTC", SECOND))
    assert waits_after(2, tick(SECOND + 40, 1)) == 40
    assert waits_after(3, contribution("BTC", SECOND + 40)) == 0


def shell(table: Table, group: Group) -> Shell:
    made = Shell(FRAMES, table, lambda *_: Count(), apply, "nowhere:1", group.commit)
    store = StageStore(3, table, lambda _: Count())
    store.next_offset = 0 if store.next_offset is None else store.next_offset
    made._stores[3] = store
    return made


async def test_what_is_saved_is_committed_once() -> None:
    table = Table()
    group = Group(table)
    ours = shell(table, group)
    await ours.record(record(0))
    await ours.record(record(1))
    assert group.offsets == []
    await ours.save()
    await ours.save()
    assert group.offsets == [{TP(FRAMES, 3): 2}]


async def test_a_commit_that_a_rebalance_refused_is_made_with_the_next_save() -> None:
    table = Table()
    group = Group(table)
    ours = shell(table, group)
    group.away = True
    await ours.record(record(0))
    await ours.save()
    group.away = False
    await ours.save()
    assert group.offsets == [{TP(FRAMES, 3): 1}]


async def test_a_partition_that_went_away_is_not_committed() -> None:
    table = Table()
    group = Group(table)
    ours = shell(table, group)
    group.away = True
    await ours.record(record(0))
    await ours.save()
    ours.forget([3])
    group.away = False
    await ours.save()
    assert group.offsets == []


async def test_what_comes_while_a_commit_is_under_way_waits_for_the_next_save() -> None:
    table = Table()
    group = Group(table)
    ours = shell(table, group)
    other = TP(FRAMES, 4)
    table["@4"] = msgspec.json.encode(Marker(50))

    async def slow(offsets: dict[TP, int]) -> bool:
        ours._to_commit.setdefault(other, 50)
        return await group.commit(offsets)

    ours._commit = slow
    await ours.record(record(0))
    await ours.save()
    await ours.save()
    assert group.offsets == [{TP(FRAMES, 3): 1}, {other: 50}]


async def test_states_are_not_cut_between_two_outputs_of_a_record() -> None:
    table = Table()
    group = Group(table)
    ours = shell(table, group)
    first, rest = asyncio.Event(), asyncio.Event()
    sent: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message)
        first.set()
        await rest.wait()

    ours._send = send  # type: ignore[method-assign]
    ours._apply = lambda store, record: [*apply(store, record), "one", "two"]
    stepping = asyncio.create_task(ours.record(record(0)))
    await first.wait()
    saving = asyncio.create_task(ours.save())
    await asyncio.sleep(0.01)
    assert table == {}
    rest.set()
    await asyncio.gather(stepping, saving)
    assert sent == ["one", "two"]
    assert group.offsets == [{TP(FRAMES, 3): 1}]


async def test_nothing_is_committed_after_a_changelog_that_was_refused() -> None:
    table = StateTable.__new__(StateTable)
    table._lost, table._unacknowledged = None, [asyncio.Future()]
    table._unacknowledged[0].set_exception(ValueError("refused"))
    for _ in range(2):
        with pytest.raises(ValueError, match="refused"):
            await table.acknowledged()


async def test_a_crash_of_faust_ends_the_worker() -> None:
    worker = Worker.__new__(Worker)
    worker._failed = asyncio.get_running_loop().create_future()
    worker._app = SimpleNamespace(
        crashed=False, crash_reason=ValueError("no coordinator"), rebalancing=False, started=True
    )
    watching = asyncio.create_task(worker._watch())
    await asyncio.sleep(0.01)
    assert worker.ready
    worker._app.crashed = True
    await watching
    assert not worker.ready
    with pytest.raises(MarginquakeError, match="Faust has crashed: ValueError"):
        worker._failed.result()


async def test_what_faust_keeps_to_itself_at_the_end_of_a_log_is_read() -> None:
    table = Table()
    ours = shell(table, Group(table))
    read: list[tuple[int, int]] = []

    async def catch_up(partition: int, until: int) -> StageStore:
        read.append((partition, until))
        ours._stores[partition].next_offset = until
        return ours._stores[partition]

    async def ends(partitions: list[int]) -> dict[int, int]:
        return dict.fromkeys(partitions, 9)

    ours._catch_up = catch_up  # type: ignore[method-assign]
    await ours.record(record(0))
    await ours.overtake([3], ends)
    await ours.record(record(1))
    await ours.overtake([3], ends)
    assert read == [], "it moves by itself"
    await ours.overtake([3], ends)
    assert read == [(3, 9)]
    for _ in range(3):
        await ours.overtake([3], ends)
    assert read == [(3, 9)]


async def test_a_partition_that_leaves_while_ends_are_asked_for_is_passed_over() -> None:
    table = Table()
    ours = shell(table, Group(table))

    async def ends(partitions: list[int]) -> dict[int, int]:
        ours.forget([3])
        return dict.fromkeys(partitions, 9)

    await ours.record(record(0))
    for _ in range(3):
        await ours.overtake([3], ends)


async def test_an_orderly_stop_that_no_broker_answers_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silence() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(faust_app, "STOP_S", 0.05)
    client = SimpleNamespace(start=nothing, stop=silence)
    monkeypatch.setattr(faust_app, "AIOKafkaProducer", lambda **_: client)
    monkeypatch.setattr(faust_app, "lost_through", lambda _: nothing())
    worker = Worker.__new__(Worker)
    worker._bootstrap = "nowhere:1"
    worker._failed = asyncio.get_running_loop().create_future()
    worker._app = SimpleNamespace(crashed=False, start=nothing, stop=nothing)
    worker._shells = ()  # type: ignore[assignment]
    stop = asyncio.Event()
    stop.set()
    with pytest.raises(MarginquakeError, match="did not take the last states"):
        await worker.run(stop)


async def nothing() -> None:
    return
