"""What the rollups promise, case by case; tests/property/test_rollup_laws.py draws sequences."""

import threading
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from streams.core.events import MICROS, LateLiquidation
from streams.edges import rollups
from streams.edges.inserts import Inserter
from streams.edges.migrate import migrate, read_migrations
from streams.edges.rows import FRAMES, LATE_EVENTS, LIQUIDATIONS, rows
from streams.edges.warehouse import connect
from tests.rollup_facts import forced_order, framed, from_base

pytestmark = pytest.mark.warehouse


def write(client: Client, *messages: Any) -> None:
    inserter = Inserter(client)
    pairs = [pair for message in messages for pair in rows(message)]
    for table in (LIQUIDATIONS, LATE_EVENTS, FRAMES):
        assert inserter.insert(table, [row for name, row in pairs if name == table]) == []


def hours(client: Client) -> list[Any]:
    """(hour, orders, dollars, late orders) of all venues."""
    return list(
        client.query(
            "SELECT toString(hour), sum(h.orders), toString(sum(h.total_usd)), sum(h.late_orders) "
            "FROM v_liquidations_1h AS h GROUP BY hour ORDER BY hour"
        ).result_rows
    )


def stored_everywhere(client: Client) -> bool:
    return bool(client.command("SELECT countIf(NOT stored) = 0 FROM v_rollup_hours"))


def test_a_retry_and_a_duplicate_batch_count_once(warehouse: Client) -> None:
    batch = [forced_order(number, 0, 1_000_000) for number in (1, 3, 7)]
    write(warehouse, *batch)
    rollups.bring_up(warehouse)
    write(warehouse, *batch)
    once = [("2026-11-01 00:00:00", 3, "3", 0)]
    assert hours(warehouse) == once
    rollups.bring_up(warehouse)
    write(warehouse, *batch[1:], forced_order(1, 0, 1_000_000))
    assert hours(warehouse) == once
    rollups.bring_up(warehouse)
    assert hours(warehouse) == once
    assert stored_everywhere(warehouse)


def test_a_late_order_joins_its_own_hour_and_turns_in_time_when_it_came_in_time(
    warehouse: Client,
) -> None:
    write(warehouse, forced_order(1, -3_600, 1_000_000), forced_order(1, 0, 2_000_000))
    rollups.bring_up(warehouse)
    late = forced_order(3, -1, 500_000)
    write(warehouse, LateLiquidation(late.id, late, late.event_time_us + 9 * MICROS))
    assert hours(warehouse) == [
        ("2026-10-31 23:00:00", 2, "1.5", 1),
        ("2026-11-01 00:00:00", 1, "2", 0),
    ]
    rollups.bring_up(warehouse)
    write(warehouse, late)
    assert hours(warehouse)[0] == ("2026-10-31 23:00:00", 2, "1.5", 0)


def test_a_row_that_a_replay_changes_leaves_nothing_of_the_old_one(warehouse: Client) -> None:
    write(warehouse, forced_order(1, 0, 1_000_000, venue="bybit"))
    rollups.bring_up(warehouse)
    write(warehouse, forced_order(1, 0, 3_000_000, venue="okx"))
    expected = [("okx", 1, "3")]
    asked = "SELECT venue, orders, toString(total_usd) FROM v_liquidations_1m"
    assert list(warehouse.query(asked).result_rows) == expected
    rollups.bring_up(warehouse)
    assert list(warehouse.query(asked).result_rows) == expected
    rollups.sweep(warehouse)
    assert list(warehouse.query(asked).result_rows) == expected
    assert warehouse.command("SELECT count() FROM liquidations_1m") == 1


def test_seconds_at_a_months_edge_stay_in_their_minute_and_hour(warehouse: Client) -> None:
    write(warehouse, *(framed(at, 1_000_000, 100.0) for at in (-61, -60, -1, 0, 59, 60)))
    write(warehouse, forced_order(1, -1, 1_000_000), forced_order(1, 0, 2_000_000))
    rollups.bring_up(warehouse)
    write(warehouse, framed(0, 5_000_000, 300.0))
    found = warehouse.query(
        "SELECT toString(minute), frames, toString(forced_long_usd), open, high, low, close "
        "FROM v_frames_1m ORDER BY minute"
    ).result_rows
    assert list(found) == [
        ("2026-10-31 23:58:00", 1, "1", 100.5, 100.5, 100.5, 100.5),
        ("2026-10-31 23:59:00", 2, "2", 100.5, 100.5, 100.5, 100.5),
        ("2026-11-01 00:00:00", 2, "6", 300.5, 300.5, 100.5, 100.5),
        ("2026-11-01 00:01:00", 1, "1", 100.5, 100.5, 100.5, 100.5),
    ]
    for rollup in rollups.ROLLUPS:
        view = read_all(warehouse, rollup.table)
        assert view == list(warehouse.query(from_base(rollup.table)).result_rows)
        assert view


def test_stored_hours_are_read_and_not_the_base(warehouse: Client) -> None:
    write(warehouse, forced_order(1, 0, 1_000_000), framed(0, 1_000_000, 100.0))
    before = {one.table: read_all(warehouse, one.table) for one in rollups.ROLLUPS}
    rollups.bring_up(warehouse)
    for base in (LIQUIDATIONS, FRAMES):
        warehouse.command(f"TRUNCATE TABLE {base}")
    assert {one.table: read_all(warehouse, one.table) for one in rollups.ROLLUPS} == before
    assert all(before.values())


def read_all(client: Client, rollup: str) -> list[Any]:
    return list(client.query(f"SELECT * FROM v_{rollup} ORDER BY ALL").result_rows)  # noqa: S608


def test_the_newest_hour_is_left_to_the_base_while_it_is_written(warehouse: Client) -> None:
    write(warehouse, forced_order(1, -3_600, 1_000_000), forced_order(1, 0, 2_000_000))
    done = {one.rollup: one.hours for one in rollups.bring_up(warehouse, settled=True)}
    assert done["liquidations_1m"] == 1
    assert [row[1] for row in hours(warehouse)] == [1, 1]
    assert {one.rollup: one.hours for one in rollups.bring_up(warehouse)}["liquidations_1m"] == 1
    assert not any(one.hours for one in rollups.bring_up(warehouse))


def test_a_warehouse_filled_before_the_rollups_is_taken_up(warehouse_dsn: str) -> None:
    with connect(warehouse_dsn, create=True) as client:
        migrate(client, read_migrations()[:9])
        write(client, forced_order(1, 0, 1_000_000), framed(0, 1_000_000, 100.0))
        migrate(client)
        assert hours(client) == [("2026-11-01 00:00:00", 1, "1", 0)]
        assert len(read_all(client, "candles_1m")) == 1


def test_a_reader_meets_no_gap_and_no_double_while_hours_are_stored(
    warehouse: Client, warehouse_dsn: str
) -> None:
    acknowledged = [0]
    begun = [0]
    stop = threading.Event()
    failures: list[BaseException] = []

    def fill() -> None:
        try:
            with connect(warehouse_dsn) as client:
                while not stop.is_set():
                    begun[0] += 1
                    write(client, forced_order(2 * begun[0] + 1, begun[0], 1_000_000))
                    acknowledged[0] = begun[0]
                    if begun[0] % 2:
                        rollups.bring_up(client)
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=fill)
    writer.start()
    try:
        for _ in range(150):
            for view in ("v_liquidations_1m", "v_liquidations_1h"):
                least = acknowledged[0]
                found = int(str(warehouse.command(f"SELECT sum(orders) FROM {view}")))  # noqa: S608
                assert least <= found <= begun[0], view
    finally:
        stop.set()
        writer.join()
    assert not failures
    assert acknowledged[0] > 5
