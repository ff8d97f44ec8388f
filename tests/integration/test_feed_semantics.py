"""The warehouse's feed classes, on the real engine (chDB): those that the core resolves."""

import pytest
from clickhouse_connect.driver.client import Client

from streams.core.throttle import FEED_SEMANTICS, feed
from streams.edges import reference_tables
from streams.edges.inserts import Inserter
from streams.edges.migrate import migrate
from streams.edges.rows import rows
from streams.parsing import VARIABLE
from tests.sink_traffic import order

pytestmark = pytest.mark.warehouse

DAY_US = 86_400_000_000


def test_a_migrated_warehouse_holds_the_rows_of_the_code(warehouse: Client) -> None:
    stored = warehouse.query(
        "SELECT venue, feed_class, slot, toUnixTimestamp64Micro(valid_from_us), "
        "if(isNull(valid_to_us), NULL, toUnixTimestamp64Micro(assumeNotNull(valid_to_us))), source "
        "FROM feed_semantics"
    ).result_rows
    wanted = {
        (row.venue, row.feed_class, row.slot, row.valid_from_us, row.valid_to_us, row.source)
        for row in FEED_SEMANTICS
    }
    assert len(stored) == len(wanted)
    assert {tuple(row) for row in stored} == wanted


def test_a_table_that_differs_is_written_again_and_one_that_does_not_is_left(
    warehouse: Client,
) -> None:
    assert not reference_tables.keep(warehouse)
    warehouse.command(
        "ALTER TABLE feed_semantics DELETE WHERE venue = 'okx' SETTINGS mutations_sync = 2"
    )
    migrate(warehouse, dry_run=True)
    assert warehouse.command("SELECT count() FROM feed_semantics WHERE venue = 'okx'") == 0
    migrate(warehouse)
    assert warehouse.command("SELECT count() FROM feed_semantics WHERE venue = 'okx'") == 1
    assert warehouse.command("SELECT count() FROM feed_semantics") == len(FEED_SEMANTICS)


def test_a_feed_that_is_assumed_to_leave_orders_out_is_partial_in_the_table(
    warehouse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "htx.completeness=sampled")
    migrate(warehouse)
    classes = "SELECT feed_class FROM feed_semantics WHERE venue = 'htx'"
    assert warehouse.command(classes) == "partial"
    assert not reference_tables.keep(warehouse)
    monkeypatch.delenv(VARIABLE)
    assert reference_tables.keep(warehouse)
    assert warehouse.command(classes) == "full"


def test_every_order_is_seen_with_the_class_that_the_core_resolves(warehouse: Client) -> None:
    times = {row.valid_from_us for row in FEED_SEMANTICS} | {1_795_000_000_000_000}
    stamps = sorted({at for time in times if time for at in (time - 1, time, time + DAY_US)})
    venues = [*{row.venue for row in FEED_SEMANTICS}, "bybit-inverse", "hyperliquid", "new-venue"]
    orders = [
        order("BTC", number, event_time_us=at, venue=venue, completeness=whole)
        for number, (venue, at, whole) in enumerate(
            (venue, at, whole)
            for venue in sorted(venues)
            for at in stamps
            for whole in ("all", "sampled")
        )
    ]
    kept = [row for one in orders for _, row in rows(one)]
    assert Inserter(warehouse).insert("liquidations", kept) == []
    seen = {
        str(identity): (feed_class, slot, source)
        for identity, feed_class, slot, source in warehouse.query(
            "SELECT id, feed_class, slot, feed_source FROM v_liquidation_feeds"
        ).result_rows
    }
    assert len(seen) == len(orders)
    for one in orders:
        known = feed(one.venue, one.event_time_us, one.completeness)
        assert seen[one.id] == (known.feed_class, known.slot, known.source), one
