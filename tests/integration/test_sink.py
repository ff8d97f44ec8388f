"""What the sink promises, with a real broker and the real engine."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from clickhouse_connect.driver.client import Client

from streams import contracts
from streams.config import MarginquakeError
from streams.core.events import LateLiquidation
from streams.core.results import CascadeWindow
from streams.edges import sink as sink_module
from streams.edges.broker import Broker
from streams.edges.group_offsets import first_offsets
from streams.edges.inserts import Inserter
from streams.edges.intake import TOPICS
from streams.edges.sink import Sink, SinkOptions, SinkReport
from streams.edges.topics import reconcile
from streams.edges.warehouse import connect
from streams.telemetry import REGISTRY
from tests.sink_traffic import PARTITIONS, START, frame, group_view, lag, order, produce, records

pytestmark = [pytest.mark.kafka, pytest.mark.warehouse, pytest.mark.usefixtures("kafka_topics")]


async def run(
    bootstrap: str, client: Client, group: str, stop: asyncio.Event | None = None, **options: Any
) -> SinkReport:
    limits = SinkOptions(**{"group": group, "until_idle_s": 1.0, "flush_s": 0.2, **options})
    return await Sink(bootstrap, Inserter(client), limits).run(stop or asyncio.Event())


def one(client: Client, sql: str, **parameters: Any) -> Any:
    (row,) = client.query(sql, parameters=parameters).result_rows
    return row


async def test_rows_reach_their_tables_and_bad_records_the_dead_letters(
    broker: str, warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    window = msgspec.json.decode(examples["cascade"][0], type=CascadeWindow)
    mine = order("SA", 1)
    late = order("SA", 2)
    unreadable = [
        (contracts.LIQUIDATIONS, b"SA not json"),
        (contracts.FRAMES, b"{}"),
        (contracts.LATE, None),
        (contracts.FRAMES, contracts.encode(frame("SA", 0)).replace(b"765000000", b"765000001")),
        (contracts.CASCADES, contracts.encode(msgspec.structs.replace(window, confidence=7.0))),
        (contracts.PRINTS, examples["cascade"][0]),
    ]
    refused = order("SA", 3, usd=-1)
    poison = (contracts.DEADLETTERS, b'{"type":"dead_letter","id":7}')
    await produce(
        broker,
        [
            *records(mine, mine, LateLiquidation(mine.id, mine, START), refused, mine),
            *records(LateLiquidation(late.id, late, START), frame("SA", 5), frame("SA", 5)),
            *unreadable,
            poison,
            *((contracts.CASCADES, example) for example in examples["cascade"]),
            *((contracts.PRINTS, example) for example in examples["print"]),
            *((contracts.PRINTS, example) for example in examples["milestone"]),
            *((contracts.FEEDS, example) for example in examples["feed_status"]),
            *((contracts.DEADLETTERS, example) for example in examples["dead_letter"]),
        ],
    )
    report = await run(broker, warehouse, "test-rows")
    assert report.dead_letters["invalid_row"] >= len(unreadable)
    assert report.dead_letters["refused_by_warehouse"] >= 1
    assert report.unreadable_dead_letters >= 1
    orders = "SELECT count(), uniqExact(id), countIf(is_late) FROM v_liquidations WHERE asset='SA'"
    assert one(warehouse, orders) == (2, 2, 1)
    assert one(warehouse, "SELECT count() FROM v_frames WHERE asset = 'SA'") == (1,)
    for kind, table in (
        ("cascade", "cascades"),
        ("print", "prints"),
        ("milestone", "milestones"),
        ("feed_status", "feed_status"),
        ("dead_letter", "dead_letters"),
    ):
        ids = {json.loads(example)["id"] for example in examples[kind]}
        sql = "SELECT uniqExact(id) FROM {view:Identifier} WHERE id IN {ids:Array(String)}"
        assert one(warehouse, sql, view=f"v_{table}", ids=sorted(ids)) == (len(ids),)
    sent = [json.loads(example)["id"] for example in examples["dead_letter"]]
    sources = [
        source
        for (source,) in warehouse.query(
            "SELECT source FROM v_dead_letters "
            "WHERE stage = 'sink' AND id NOT IN {sent:Array(String)}",
            parameters={"sent": sent},
        ).result_rows
    ]
    assert len(set(sources)) == len(sources) == sum(report.dead_letters.values())
    assert all(re.fullmatch(r"[a-z_]+\.v1-\d+@\d+", source) for source in sources)
    assert not [source for source in sources if source.startswith(contracts.DEADLETTERS)]
    assert await lag(broker, "test-rows") == {}


async def test_a_second_reading_changes_nothing_in_the_views(
    broker: str, warehouse: Client
) -> None:
    await produce(broker, records(*(order("SB", n) for n in range(500))))
    first = await run(broker, warehouse, "test-again-1")
    sql = "SELECT count(), sum(usd) FROM v_liquidations WHERE asset = 'SB'"
    before = one(warehouse, sql)
    second = await run(broker, warehouse, "test-again-2")
    assert second.records >= first.records > 500
    assert one(warehouse, sql) == before == (500, before[1])


async def test_a_started_group_reads_only_what_is_new(broker: str, warehouse: Client) -> None:
    await produce(broker, records(*(order("SC", n) for n in range(100))))
    await run(broker, warehouse, "test-new")
    await produce(broker, records(*(order("SC", n) for n in range(100, 130))))
    report = await run(broker, warehouse, "test-new")
    assert report.records == 30
    assert one(warehouse, "SELECT count() FROM v_liquidations WHERE asset = 'SC'") == (130,)


async def test_a_group_without_offsets_reads_from_the_start(
    broker: str, warehouse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: Any) -> dict[Any, int]:
        """A first commit that the broker has not kept."""
        return {}

    monkeypatch.setattr(sink_module, "first_offsets", lost)
    await produce(broker, records(*(order("SW", n) for n in range(50))))
    await run(broker, warehouse, "test-without-offsets")
    assert one(warehouse, "SELECT count() FROM v_liquidations WHERE asset = 'SW'") == (50,)
    assert await lag(broker, "test-without-offsets") == {}


async def test_reading_pauses_while_the_warehouse_is_away_and_nothing_is_lost(
    broker: str, warehouse: Client, warehouse_dsn: str
) -> None:
    await run(broker, warehouse, "test-pause")
    warehouse.command("SYSTEM STOP MERGES liquidations")
    warehouse.command("ALTER TABLE liquidations MODIFY SETTING parts_to_throw_insert = 1")
    await produce(broker, records(*(order("SD", n) for n in range(5_000))))
    options = SinkOptions(
        group="test-pause", flush_rows=200, flush_s=0.1, max_rows=600, until_idle_s=1.0
    )
    sink = Sink(broker, Inserter(warehouse, pause_s=0.1, max_pause_s=0.2), options)
    running = asyncio.create_task(sink.run(asyncio.Event()))
    await until(lambda: sink._consumer is not None and bool(sink._consumer.paused()))
    read = sink.report.records
    await asyncio.sleep(1.0)
    assert sink.report.records == read < 5_000
    assert sink._consumer.assignment() == set(PARTITIONS)
    # What an operator sees meanwhile: a batch that waits, and a lag that is there.
    assert (REGISTRY.get_sample_value("marginquake_sink_wait_seconds", {}) or 0) > 0.5
    assert told_lag() > 600
    with connect(warehouse_dsn) as operator:
        operator.command("ALTER TABLE liquidations RESET SETTING parts_to_throw_insert")
    await running
    assert one(warehouse, "SELECT count() FROM v_liquidations WHERE asset = 'SD'") == (5_000,)
    assert await lag(broker, "test-pause") == {}
    assert REGISTRY.get_sample_value("marginquake_sink_wait_seconds", {}) == 0


def told_lag() -> float:
    """Records of forced orders that the metrics say wait."""
    name, labels = "marginquake_consumer_lag_records", {"topic": contracts.LIQUIDATIONS}
    partitions = range(contracts.topics()[contracts.LIQUIDATIONS].partitions)
    return sum(
        REGISTRY.get_sample_value(name, {**labels, "partition": str(number)}) or 0
        for number in partitions
    )


async def test_a_stop_while_the_warehouse_is_away_fails_and_commits_nothing(
    broker: str, warehouse: Client, warehouse_dsn: str
) -> None:
    await run(broker, warehouse, "test-away")
    await produce(broker, records(*(order("SE", n) for n in range(50))))
    stop = asyncio.Event()
    with connect(warehouse_dsn) as client:
        sink = Sink(broker, Inserter(client), SinkOptions(group="test-away", drain_s=0.5))
        client.command("SET readonly = 1")
        running = asyncio.create_task(sink.run(stop))
        await until(lambda: sink.report.records == 50)
        stop.set()
        with pytest.raises(MarginquakeError, match="not written before the stop"):
            await running
        assert not sink.health().ok
    assert sum((await lag(broker, "test-away")).values()) == 50
    await run(broker, warehouse, "test-away")
    assert one(warehouse, "SELECT count() FROM v_liquidations WHERE asset = 'SE'") == (50,)


async def test_two_members_share_the_partitions_and_hand_over_without_loss(
    broker: str, warehouse: Client, warehouse_dsn: str
) -> None:
    await first_offsets(broker, "test-share", TOPICS)
    stop = asyncio.Event()
    with connect(warehouse_dsn) as other:
        options = SinkOptions(group="test-share", flush_s=0.2)
        members = [Sink(broker, Inserter(client), options) for client in (warehouse, other)]
        tasks = [asyncio.create_task(members[0].run(stop))]
        feeding = asyncio.create_task(feed(broker, "SF", batches=15, size=200))
        await asyncio.sleep(0.7)
        tasks.append(asyncio.create_task(members[1].run(stop)))
        await feeding
        await until(lambda: all(m._consumer and m._consumer.assignment() for m in members))
        owned = [member._consumer.assignment() for member in members]
        assert owned[0] | owned[1] == set(PARTITIONS)
        assert not owned[0] & owned[1]
        while sum((await lag(broker, "test-share")).values()):
            await asyncio.sleep(0.2)
        stop.set()
        await asyncio.gather(*tasks)
    assert one(
        warehouse, "SELECT count(), uniqExact(id) FROM v_liquidations WHERE asset = 'SF'"
    ) == (3_000, 3_000)


async def feed(bootstrap: str, asset: str, batches: int, size: int) -> None:
    for batch in range(batches):
        await produce(bootstrap, records(*(order(asset, batch * size + n) for n in range(size))))
        await asyncio.sleep(0.1)


async def until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


async def test_offsets_that_are_gone_from_the_log_end_the_sink_loudly(
    make_broker: Callable[[], Broker], warehouse: Client
) -> None:
    own = make_broker()
    own.start()
    with pytest.raises(MarginquakeError, match=r"has no topic liquidations\.v1, "):
        await run(own.bootstrap, warehouse, "test-gone")
    await reconcile(own.bootstrap, create=True)
    await produce(own.bootstrap, records(*(order("SG", n) for n in range(100))))
    report = await run(own.bootstrap, warehouse, "test-gone")
    assert report.rows["liquidations"] == 100
    await produce(own.bootstrap, records(*(order("SG", n) for n in range(100, 300))))
    admin = AIOKafkaAdminClient(bootstrap_servers=own.bootstrap)
    await admin.start()
    async with group_view(own.bootstrap, None) as consumer:
        ends = await consumer.end_offsets(PARTITIONS)
    await admin.delete_records(
        {tp: RecordsToDelete(before_offset=end) for tp, end in ends.items() if end > 0}
    )
    await admin.close()
    with pytest.raises(MarginquakeError, match="no longer in the log"):
        await run(own.bootstrap, warehouse, "test-gone")
