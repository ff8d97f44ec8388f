"""What the dictionaries promise: they answer as the core's own tables do."""

from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from streams.core.throttle import FEED_SEMANTICS
from streams.edges.migrate import migrate
from streams.edges.warehouse import connect
from streams.venues import catalog

pytestmark = pytest.mark.warehouse


def test_an_instrument_is_looked_up_as_the_program_knows_it(warehouse: Client) -> None:
    known = [entry.instrument for entry in catalog.effective_table().values()]
    found = warehouse.query(
        "SELECT venue, symbol, dictGet('dict_instruments', "
        "('asset', 'quote', 'contract', 'size_unit', 'contract_size', 'coins_per_unit'), "
        "(toString(venue), symbol)) FROM v_instruments"
    ).result_rows
    assert len(found) == len(known)
    assert {(venue, symbol): tuple(values.values()) for venue, symbol, values in found} == {
        (one.venue, one.symbol): (
            *(one.asset, one.quote, one.contract, one.size_unit, one.contract_size),
            one.coins_per_unit,
        )
        for one in known
    }


def test_a_feeds_class_is_looked_up_by_venue_and_time(warehouse: Client) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for feed in FEED_SEMANTICS:
        began = epoch + timedelta(microseconds=feed.valid_from_us)
        last = epoch + timedelta(microseconds=(feed.valid_to_us or 2**62 // 1_000_000) - 1_000_000)
        for at in {began, last} if feed.valid_to_us else {began}:
            (row,) = warehouse.query(
                "SELECT dictGet('dict_feeds', ('feed_class', 'slot'), tuple({venue:String}), "
                "toDateTime({at:UInt32}, 'UTC'))",
                parameters={"venue": feed.venue, "at": int(at.timestamp())},
            ).result_rows
            assert tuple(row[0].values()) == (feed.feed_class, feed.slot)


def test_dictionaries_answer_after_reopening_and_follow_the_code(warehouse_dsn: str) -> None:
    contract = "SELECT dictGet('dict_instruments', 'contract', ('binance-coinm', 'ADAUSD_PERP'))"
    with connect(warehouse_dsn, create=True) as client:
        migrate(client)
    with connect(warehouse_dsn) as client:
        assert client.command(contract) == "inverse"
        client.command("TRUNCATE TABLE instruments")
        client.command("SYSTEM RELOAD DICTIONARY dict_instruments")
        assert client.command(contract) == ""
        migrate(client)
        assert client.command(contract) == "inverse"
