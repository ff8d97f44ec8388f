"""What facts promise of the warehouse they come from: exact, bounded, and clear when it refuses."""

from decimal import Decimal

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError
from streams.edges.warehouse import connect, connect_reader, limit_time
from streams.facts import feeds, forced, totals
from streams.facts.reading import Span, one
from tests.told_market import MINUTE, tell

pytestmark = pytest.mark.warehouse

AT = 1_793_620_800_000_000
SPAN = Span("BTC", AT - 60 * MINUTE, AT)


class Number(msgspec.Struct):
    """An answer of one column."""

    found: Decimal


def test_decimals_and_times_are_exact(warehouse: Client) -> None:
    class Exact(msgspec.Struct):
        usd: Decimal
        at: int
        ats: list[int]
        by: dict[str, Decimal]

    sql = (
        "SELECT toDecimal64('123456789012.123456', 6) AS usd, "
        "fromUnixTimestamp64Micro(1793620812345678) AS at, [at] AS ats, map('a', usd) AS by"
    )
    usd = Decimal("123456789012.123456")
    assert one(warehouse, sql, Exact, SPAN) == Exact(
        usd, 1793620812345678, [1793620812345678], {"a": usd}
    )


def test_a_statement_that_takes_too_long_is_given_up_and_only_by_the_reader(
    warehouse: Client, warehouse_dsn: str
) -> None:
    endless = "SELECT sum(cityHash64(number)) AS found FROM numbers({most:UInt64})"
    with connect_reader(warehouse_dsn) as reader:
        limit_time(reader, warehouse_dsn, 1)
        with pytest.raises(MarginquakeError, match="choose a shorter range"):
            one(reader, endless, Number, SPAN, most=10**13)
        assert reader.command("SELECT getSetting('max_execution_time')") == 1
        assert warehouse.command("SELECT getSetting('max_execution_time')") == 0


def test_a_warehouse_without_tables_names_migrate(warehouse_dsn: str) -> None:
    with (
        connect(warehouse_dsn, create=True) as client,
        pytest.raises(MarginquakeError, match="marginquake migrate"),
    ):
        feeds.reach(client, SPAN)


def test_a_row_of_another_version_is_named(warehouse: Client) -> None:
    with pytest.raises(MarginquakeError, match="not what this version reads"):
        one(warehouse, "SELECT 'text' AS found", Number, SPAN)


def test_buckets_sum_to_the_total_and_none_is_cut(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    tell(warehouse, examples, AT)
    bars = forced.sides(warehouse, SPAN)
    by_venue = forced.venue_totals(warehouse, SPAN)
    assert len(bars) > 1
    assert sum(bar.long_usd for bar in bars) == sum(venue.long_usd for venue in by_venue)
    assert sum(bar.short_usd for bar in bars) == sum(venue.short_usd for venue in by_venue)
    assert all(bar.start % (SPAN.step * 1_000_000) == 0 for bar in bars)


def test_a_window_that_began_before_the_span_and_reaches_into_it_is_in_it(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    tell(warehouse, examples, AT)
    (window,) = forced.windows(warehouse, SPAN)
    assert window.end is not None
    inside = Span("BTC", window.onset + 1, AT)
    assert forced.windows(warehouse, inside) == [window]
    assert forced.windows(warehouse, Span("BTC", window.end + 1, AT)) == []
    assert forced.windows(warehouse, Span("BTC", AT - 90 * MINUTE, window.onset)) == []


def test_nothing_of_after_the_span_is_told(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    tell(warehouse, examples, AT)
    before = Span("ALL", AT - 120 * MINUTE, AT - 60 * MINUTE)
    assert totals.rolling(warehouse, before) is None
    assert totals.crossings(warehouse, before) == []
    assert feeds.coverage(warehouse, before) is None
