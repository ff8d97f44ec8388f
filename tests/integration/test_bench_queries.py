"""What `bench queries` and `bench keys` promise of the stores that they make."""

import pytest
from clickhouse_connect.driver.client import Client

from streams.edges import audits, bench_keys, bench_queries, rollups
from streams.edges.inserts import Inserter
from streams.edges.query_catalogue import catalogue
from streams.edges.rows import TABLES, rows
from tests.known_warehouse import MESSAGES

pytestmark = pytest.mark.warehouse


def fill(warehouse: Client) -> None:
    inserter = Inserter(warehouse)
    pairs = [pair for message in MESSAGES for pair in rows(message)]
    for table in TABLES:
        assert inserter.insert(table, [row for name, row in pairs if name == table]) == []


def test_days_and_coins_are_repeated_and_every_query_is_timed(warehouse: Client) -> None:
    fill(warehouse)
    rollups.bring_up(warehouse)
    orders = int(str(warehouse.command("SELECT count() FROM v_liquidations")))
    bench_queries.expand(warehouse, days=3, assets=4, most=1_000_000)
    # Two coins of two models each, three days: each order stands 2 x 3 times.
    assert warehouse.command("SELECT count() FROM v_liquidations") == 6 * orders
    assert warehouse.command("SELECT sum(orders) FROM v_liquidations_1h") == 6 * orders
    assert warehouse.command("SELECT uniqExact(asset) FROM v_frames_1m") == 4
    wanted = [catalogue("audits")[name] for name in ("ids-once", "rollups-equal-orders")]
    bounds = {"since": "1970-01-01", "until": "2106-01-01"}
    assert not any(one.rows for one in audits.run(warehouse, wanted, bounds, 1))
    found = bench_queries.measure(warehouse, list(catalogue().values()), rounds=1)
    assert {one.query for one in found} == catalogue().keys()
    assert all(one.wall_s > 0 for one in found)


def test_each_sorting_key_holds_the_table_and_answers_alike(warehouse: Client) -> None:
    fill(warehouse)
    before = warehouse.query("SELECT name FROM system.tables").result_rows
    keys = warehouse.query(
        "SELECT name, sorting_key FROM system.tables WHERE database = currentDatabase()"
    ).result_rows
    for one in bench_keys.TABLES:
        assert (one.table, one.keys[0]) in keys, "the first is not the one in use"
    found = bench_keys.measure(warehouse, rounds=1)
    assert [(one.table, one.key) for one in found] == [
        (one.table, key) for one in bench_keys.TABLES for key in one.keys
    ]
    assert all(one.bytes and all(spent > 0 for spent in one.cpu_s.values()) for one in found)
    assert warehouse.query("SELECT name FROM system.tables").result_rows == before
