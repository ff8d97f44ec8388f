"""What facts promise of the warehouse they come from: exact, bounded, and clear when it refuses."""

import json
import time
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError
from streams.contracts import CASCADES, FRAMES, PRINTS
from streams.edges.inserts import Inserter
from streams.edges.rollups import bring_up
from streams.edges.warehouse import connect, connect_reader, limit_time
from streams.facts import feeds, forced, totals
from streams.facts.reading import OF_ASSET, Span, WarehouseAway, one
from tests.told_market import MINUTE, SECOND, frame, insert, insert_all, moved, tell

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
    (window,) = forced.windows(warehouse, SPAN, 60)
    assert window.end is not None
    inside = Span("BTC", window.onset + 1, AT)
    assert forced.windows(warehouse, inside, 60) == [window]
    assert forced.windows(warehouse, Span("BTC", window.end + 1, AT), 60) == []
    assert forced.windows(warehouse, Span("BTC", AT - 90 * MINUTE, window.onset), 60) == []


def test_nothing_of_after_the_span_is_told(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    tell(warehouse, examples, AT)
    before = Span("ALL", AT - 120 * MINUTE, AT - 60 * MINUTE)
    assert totals.rolling(warehouse, before) is None
    assert totals.crossings(warehouse, before) == []
    assert feeds.coverage(warehouse, before) is None


HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOON = AT - AT % DAY + DAY // 2
"""A day's noon: hours, minutes and the steps of every range begin here."""


def traded(client: Client, examples: dict[str, list[bytes]]) -> None:
    """Frames of BTC around two hours and a day before, one of them twice; ETH at times."""
    busy = next(json.loads(one) for one in examples["frame"] if b"binance-coinm" in one)
    seconds = [
        *range(-3, 4), 57, 59, 60, 61, 3_599, 3_600, 3_601, 7_100, 7_199, 7_200, 7_261, -86_400, 60,
    ]  # fmt: skip
    frames = [frame(busy, NOON + at * SECOND) for at in seconds]
    frames += [
        {**frame(busy, NOON + 59 * SECOND), "asset": "ETH", "coverage": 0.0, "venues_up": []}
    ]
    insert_all(Inserter(client), FRAMES, frames)


SPANS = [
    Span("BTC", NOON - HOUR, NOON + 3 * HOUR),
    Span("BTC", NOON - 2 * SECOND, NOON + 7_261 * SECOND),
    # Buckets of minutes, half hours and hours, with edges inside periods.
    Span("BTC", NOON - 8 * HOUR - 7 * SECOND, NOON + 61 * SECOND),
    Span("BTC", NOON - 7 * DAY, NOON + 7_200 * SECOND),
    Span("BTC", NOON - 30 * DAY + 5 * SECOND, NOON + 3_601 * SECOND),
    Span("BTC", NOON - 30 * DAY, NOON + 3_600 * SECOND),
    Span("BTC", NOON + 58 * SECOND, NOON + 60 * SECOND),
    Span("ALL", NOON - 30 * DAY, NOON + 60 * SECOND),
    Span("ALL", NOON - 20 * HOUR + 5 * SECOND, NOON + 3_601 * SECOND),
    Span("ETH", NOON - 3 * DAY - 3 * SECOND, NOON + 60 * SECOND),
    Span("ALL", NOON - 9 * HOUR, NOON + 2 * HOUR),
]


@pytest.mark.parametrize("stored", ["nothing", "all but the newest hour", "all"])
def test_long_ranges_are_read_from_rollups_with_the_numbers_of_frames(
    warehouse: Client, examples: dict[str, list[bytes]], stored: str
) -> None:
    traded(warehouse, examples)
    if stored != "nothing":
        bring_up(warehouse, settled=stored != "all")
    for span in SPANS:
        within = (
            "second >= fromUnixTimestamp64Micro({begin:Int64}) "
            "AND second < fromUnixTimestamp64Micro({end:Int64})"
        )
        given: dict[str, Any] = {
            "scope": span.scope, "begin": span.begin, "end": span.end, "step": span.step,
        }  # fmt: skip
        ((frames, lowest, complete),) = warehouse.query(
            "SELECT count(), min(coverage), countIf(coverage = 1) FROM v_frames "  # noqa: S608
            f"WHERE {within} AND {{scope:String}} IN ('ALL', asset)",
            parameters=given,
        ).result_rows
        found = feeds.covered(warehouse, span)
        assert found is not None
        assert (found.frames, found.lowest, found.complete) == (frames, lowest, complete), span
        bars = warehouse.query(
            "SELECT toUnixTimestamp(start) * 1000000, quantileExact(0.5)(last), min(lowest), "  # noqa: S608
            "max(highest) FROM (SELECT toStartOfInterval(second, toIntervalSecond({step:UInt32})) "
            "AS start, argMax(close, second) AS last, min(low) AS lowest, max(high) AS highest "
            "FROM v_frame_flows WHERE asset = {scope:String} AND contract != 'spot' "
            f"AND {within} GROUP BY start, venue, symbol) GROUP BY start ORDER BY start",
            parameters=given,
        ).result_rows
        shown = [
            (bar.start, bar.price, bar.low, bar.high) for bar in forced.prices(warehouse, span)
        ]
        assert shown == ([] if span.market else bars), span
    assert (
        feeds.covered(warehouse, Span("BTC", NOON + 2 * SECOND * 1000, NOON + HOUR // 2 + MINUTE))
        is None
    )


def test_assets_of_a_range_are_those_with_frames_in_its_hours(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    traded(warehouse, examples)
    assert feeds.assets(warehouse, Span("ALL", NOON, NOON + 1)) == ["BTC", "ETH"]
    assert feeds.assets(warehouse, Span("ETH", NOON + HOUR, NOON + HOUR + 1)) == ["BTC"]
    assert feeds.assets(warehouse, Span("ALL", NOON + 4 * HOUR, NOON + 5 * HOUR)) == []
    feeds.check_known(warehouse, Span("ETH", 0, 1))
    with pytest.raises(MarginquakeError, match="knows no asset 'btc': give BTC, or ALL"):
        feeds.check_known(warehouse, Span("btc", 0, 1))


def test_a_question_of_one_asset_reads_that_asset_alone(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    busy = next(json.loads(one) for one in examples["frame"] if b"binance-coinm" in one)
    for asset in ("AAA", "BTC", "ZZZ"):
        frames = [{**frame(busy, NOON + at * SECOND), "asset": asset} for at in range(100)]
        insert_all(Inserter(warehouse), FRAMES, frames)
    parts = "EXPLAIN indexes = 1 SELECT count() FROM v_frames WHERE "
    lines = [
        str(row[0]).strip()
        for row in warehouse.query(parts + OF_ASSET, parameters={"scope": "BTC"}).result_rows
    ]
    assert "Condition: (asset in ['BTC', 'BTC'])" in lines


def test_many_windows_of_assets_hide_neither_the_markets_nor_the_largest(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    cascade = next(json.loads(one) for one in examples["cascade"] if b'"scope": "ALL"' in one)
    small = next(json.loads(one) for one in examples["cascade"] if b'"scope": "SOL"' in one)
    old = {**moved(cascade, NOON), "id": "f" * 32}
    rows = [{**moved(small, NOON + at * MINUTE), "id": f"{at:032x}"} for at in range(1, 41)]
    insert_all(Inserter(warehouse), CASCADES, [old, *rows])
    day = Span("ALL", NOON - HOUR, NOON + 2 * HOUR)
    listed = forced.windows(warehouse, day, 30)
    assert [window.scope for window in listed] == ["SOL"] * 30 + ["ALL"]
    mine = forced.largest(warehouse, day)
    assert mine is not None
    assert mine.id == "f" * 32
    assert forced.largest(warehouse, Span("SOL", day.begin, day.end)) is not None
    assert forced.largest(warehouse, Span("BTC", day.begin, day.end)) is None


def test_a_print_that_counts_orders_of_after_the_span_is_not_in_it(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    known = next(json.loads(one) for one in examples["print"] if b"rolling_24h" in one)
    for index, minute in enumerate((NOON - MINUTE, NOON)):
        told = {
            **known, "venue": None, "period_start": minute, "as_of": minute + 59 * SECOND,
            "watermark": minute + 60 * SECOND, "id": f"{index:032x}",
        }  # fmt: skip
        insert(Inserter(warehouse), PRINTS, told)
    inside = Span(known["scope"], NOON - HOUR, NOON + 30 * SECOND)
    found = totals.rolling(warehouse, inside)
    assert found is not None
    assert found.as_of == NOON - SECOND
    assert [point.minute for point in totals.rolling_path(warehouse, inside)] == [NOON - MINUTE]
    whole = totals.rolling(warehouse, Span(known["scope"], NOON - HOUR, NOON + MINUTE))
    assert whole is not None
    assert whole.as_of == NOON + 59 * SECOND


def test_times_are_utc_wherever_the_process_runs(
    warehouse: Client, examples: dict[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    traded(warehouse, examples)
    span = SPANS[4]
    there = forced.prices(warehouse, span), feeds.reach(warehouse, span)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert (forced.prices(warehouse, span), feeds.reach(warehouse, span)) == there
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_way_that_leads_nowhere_is_told_apart_from_a_refusal(warehouse: Client) -> None:
    with pytest.raises(MarginquakeError, match="the warehouse refuses") as refused:
        one(warehouse, "SELECT 1 / 'a' AS found", Number, SPAN)
    assert not isinstance(refused.value, WarehouseAway)
