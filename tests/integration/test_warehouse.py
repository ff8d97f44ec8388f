"""What the warehouse promises, on the real engine (chDB)."""

import threading
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams import contracts
from streams.config import MarginquakeError
from streams.core.events import MICROS, LateLiquidation, Liquidation, stable_id
from streams.core.frames import Frame
from streams.core.results import CascadeWindow, Print
from streams.edges.inserts import MAX_MICRO_DOLLARS, MAX_REFUSED, Inserter
from streams.edges.intake import read
from streams.edges.rows import TABLES, Row, rows
from streams.edges.signal_rows import WIDE
from streams.edges.warehouse import connect

pytestmark = pytest.mark.warehouse

ONSET = 1_793_620_765 * MICROS


def order(number: int, at_us: int = ONSET, **changes: Any) -> Liquidation:
    base = Liquidation(
        venue="bybit",
        symbol="BTCUSDT",
        asset="BTC",
        contract="linear",
        kind="liquidation",
        position_side="long",
        order_side="sell",
        price=71_804.2,
        price_kind="bankruptcy",
        base_qty=0.5,
        usd=35_902_100_000,
        event_time_us=at_us,
        received_at_us=at_us + 40_000,
        completeness="all",
        id=stable_id("order", number),
    )
    return msgspec.structs.replace(base, **changes)


def rows_of(table: str, *messages: contracts.Message) -> list[Row]:
    return [row for message in messages for name, row in rows(message) if name == table]


def write(client: Client, *messages: contracts.Message) -> None:
    inserter = Inserter(client)
    for table in TABLES:
        assert inserter.insert(table, rows_of(table, *messages)) == []


def ask(client: Client, sql: str, **parameters: Any) -> list[Any]:
    return list(client.query(sql, parameters=parameters or None).result_rows)


@pytest.mark.parametrize("table", TABLES)
def test_columns_of_the_tables_are_the_fields_of_the_messages(
    warehouse: Client, table: str
) -> None:
    columns = ask(
        warehouse,
        "SELECT name, type, comment FROM system.columns WHERE table = {table:String} "
        "AND database = currentDatabase()",
        table=table,
    )
    assert {name for name, _, _ in columns} == set(TABLES[table].columns)
    assert all(comment for _, _, comment in columns)
    for name, kind, _ in columns:
        if name.endswith("_us"):
            assert "DateTime64(6, 'UTC')" in kind
        if name.endswith(("usd", "usd_observed", "usd_estimated", "usd_upper", "usd_late")):
            assert f"Decimal({38 if name in WIDE else 18}, 6)" in kind


def test_every_table_keeps_the_newest_revision_and_has_its_view(warehouse: Client) -> None:
    engines = dict(
        ask(
            warehouse,
            "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()",
        )
    )
    for table in TABLES:
        assert engines[table].startswith("ReplacingMergeTree(revision)")
        assert "non_replicated_deduplication_window = 0" in engines[table]
        assert {*columns_of(warehouse, f"v_{table}")} >= {*TABLES[table].columns}


def test_every_example_comes_back_as_it_was_sent(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    for kind, topic in (
        ("liquidation", contracts.LIQUIDATIONS),
        ("cascade", contracts.CASCADES),
        ("print", contracts.PRINTS),
        ("milestone", contracts.PRINTS),
        ("dead_letter", contracts.DEADLETTERS),
        ("feed_status", contracts.FEEDS),
        ("frame", contracts.FRAMES),
        ("regime", contracts.REGIMES),
        ("regime_transition", contracts.REGIMES),
        ("regime_resolution", contracts.REGIMES),
        ("imbalance", contracts.SIGNALS),
        ("liquidity", contracts.SIGNALS),
        ("conditions", contracts.SIGNALS),
        ("positioning", contracts.SIGNALS),
        ("funding", contracts.SIGNALS),
        ("dominance", contracts.SIGNALS),
        ("volatility", contracts.SIGNALS),
        ("zones", contracts.ZONES),
        ("health", contracts.HEALTH),
        ("alert", contracts.ALERTS),
    ):
        for example in examples[kind]:
            message = read(topic, example)
            write(warehouse, message)
            for table, row in rows(message):
                sent_by_name = dict(zip(TABLES[table].columns, row, strict=True))
                if table == "frames":
                    key = ("asset", "second", sent_by_name["asset"], sent_by_name["second"])
                else:
                    key = ("id", "revision", sent_by_name["id"], sent_by_name["revision"])
                found = ask(
                    warehouse,
                    "SELECT * FROM {view:Identifier} WHERE {a:Identifier} = {x:String} "
                    "AND reinterpretAsInt64({b:Identifier}) = {y:Int64}",
                    view=f"v_{table}",
                    a=key[0],
                    b=key[1],
                    x=key[2],
                    y=key[3],
                )
                assert len(found) == 1
                names = columns_of(warehouse, f"v_{table}")
                for name, stored in zip(names, found[0], strict=True):
                    assert plain(stored) == plain(sent_by_name[name]), f"{table}.{name}"


def columns_of(client: Client, view: str) -> list[str]:
    return [row[0] for row in ask(client, "DESCRIBE TABLE {view:Identifier}", view=view)]


def plain(value: object) -> object:
    """Stored values in the units of the rows: micro-dollars, us, tuples of plain values."""
    if isinstance(value, Decimal):
        return int(value * MICROS)
    if isinstance(value, datetime):
        return int(value.replace(microsecond=0).timestamp()) * MICROS + value.microsecond
    if isinstance(value, dict):
        inner = {key: plain(item) for key, item in value.items()}
        return list(inner.values()) if inner.keys() in NAMED_TUPLES else inner
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


NAMED_TUPLES = (
    {"state", "value", "threshold"},
    {"venue", "asset", "lag_s", "clock_uncertainty_s"},
)


def test_dollars_are_exact_to_the_micro_dollar(warehouse: Client) -> None:
    inserter = Inserter(warehouse)
    spread = [pow(7, n, MAX_MICRO_DOLLARS) for n in range(500)]
    amounts = [0, 1, 999_999, MAX_MICRO_DOLLARS, *spread]
    batch = rows_of("liquidations", *(order(n, usd=usd) for n, usd in enumerate(amounts)))
    assert inserter.insert("liquidations", batch) == []
    stored = ask(warehouse, "SELECT id, usd FROM v_liquidations")
    wanted = {stable_id("order", n): Decimal(usd) / MICROS for n, usd in enumerate(amounts)}
    assert dict(stored) == wanted


@pytest.mark.parametrize("first", ["in time", "late"])
@pytest.mark.parametrize("together", [True, False])
def test_a_late_copy_never_hides_the_order_that_came_in_time(
    warehouse: Client, first: str, together: bool
) -> None:
    in_time = order(1)
    late = LateLiquidation(in_time.id, in_time, in_time.event_time_us + MICROS)
    pair: list[contracts.Message] = [in_time, late] if first == "in time" else [late, in_time]
    if together:
        write(warehouse, *pair)
    else:
        for message in pair:
            write(warehouse, message)
    assert ask(warehouse, "SELECT id, is_late FROM v_liquidations") == [(in_time.id, False)]
    assert len(ask(warehouse, "SELECT * FROM v_late_events")) == 1


def test_an_order_known_only_as_late_counts_in_the_totals(warehouse: Client) -> None:
    late = LateLiquidation(order(1).id, order(1), ONSET + MICROS)
    write(warehouse, late, order(2))
    assert ask(warehouse, "SELECT count(), countIf(is_late) FROM v_liquidations") == [(2, 1)]


def test_views_show_each_id_once_whatever_is_repeated(warehouse: Client) -> None:
    orders = [order(n, ONSET + n * 86_400 * MICROS) for n in range(400)]
    write(warehouse, *orders)
    write(warehouse, *orders[100:300], *orders[:50], *orders[100:120])
    for strict in (0, 1):
        answer = warehouse.query(
            "SELECT count(), uniqExact(id) FROM v_liquidations",
            settings={"do_not_merge_across_partitions_select_final": strict},
        )
        assert answer.result_rows == [(400, 400)]
    assert ask(warehouse, "SELECT count() > 400 FROM liquidations") == [(True,)]


def test_one_insert_may_touch_more_than_a_hundred_months(warehouse: Client) -> None:
    month = 31 * 86_400 * MICROS
    write(warehouse, *(order(n, 1_300_000_000 * MICROS + n * month) for n in range(130)))
    assert ask(warehouse, "SELECT count() FROM v_liquidations") == [(130,)]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=30))
def test_the_highest_revision_is_current_in_any_order_of_arrival(
    warehouse: Client, examples: dict[str, list[bytes]], arrivals: list[tuple[int, int]]
) -> None:
    warehouse.command("TRUNCATE TABLE cascades")
    window = msgspec.json.decode(examples["cascade"][0], type=CascadeWindow)
    sent = [
        msgspec.structs.replace(window, id=f"w{number}", revision=revision, events=revision)
        for number, revision in arrivals
    ]
    for half in (sent[::2], sent[1::2]):
        write(warehouse, *half)
    newest: dict[str, int] = {}
    for one in sent:
        newest[one.id] = max(one.revision, newest.get(one.id, 0))
    assert dict(ask(warehouse, "SELECT id, events FROM v_cascades")) == newest


def test_v_print_24h_shows_the_newest_rolling_print_of_each_scope(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    rolling = next(
        one
        for example in examples["print"]
        if (one := msgspec.json.decode(example, type=Print)).kind == "rolling_24h"
        and one.venue is None
    )
    minute = 60 * MICROS
    made = [
        msgspec.structs.replace(
            rolling,
            id=f"{scope}-{n}-{venue}",
            scope=scope,
            venue=venue,
            period_start=rolling.period_start + n * minute,
            as_of=rolling.as_of + n * minute,
            revision=revision,
            events=100 * n + revision,
        )
        for scope, last in (("ALL", 5), ("BTC", 3))
        for n in range(last + 1)
        for revision in (2, 1)
        for venue in (None, "bybit")
    ]
    write(warehouse, *made, *(msgspec.structs.replace(m, kind="utc_day") for m in made))
    found = ask(warehouse, "SELECT scope, events, venue FROM v_print_24h ORDER BY scope")
    assert found == [("ALL", 502, None), ("BTC", 302, None)]


def test_a_window_is_joined_with_the_orders_of_its_side_scope_and_time(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    window = msgspec.json.decode(examples["cascade"][0], type=CascadeWindow)
    hour = 3600 * MICROS
    window = msgspec.structs.replace(
        window, scope="BTC", side="long", onset=ONSET, end=ONSET + 2 * hour
    )
    market = msgspec.structs.replace(window, id="market", scope="ALL", side="mixed", end=None)
    market = msgspec.structs.replace(market, closed_at=None, watermark=ONSET + 3 * hour)
    inside = [order(n, ONSET + n * hour // 4) for n in range(9)]
    last_instant = order(20, ONSET + 2 * hour + MICROS - 1)
    outside = [order(30, ONSET - 1), order(31, ONSET + 2 * hour + MICROS)]
    short = order(40, ONSET + hour, position_side="short", order_side="buy")
    other = order(41, ONSET + hour, asset="ETH")
    write(warehouse, window, market, *inside, last_instant, *outside, short, other)
    by_window = dict(
        ask(
            warehouse,
            "SELECT cascade_id, groupUniqArray(id) FROM v_cascade_events GROUP BY cascade_id",
        )
    )
    btc_long = {one.id for one in (*inside, last_instant)}
    assert set(by_window[window.id]) == btc_long
    assert set(by_window["market"]) == btc_long | {outside[1].id, short.id, other.id}
    assert ask(warehouse, "SELECT count() FROM v_cascade_events") == [(10 + 13,)]


def test_the_members_of_frames_read_like_tables(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    frames = [contracts.decode_frame(example) for example in examples["frame"]]
    write(warehouse, *frames)
    write(warehouse, *frames)
    for group in ("cells", "late", "flows", "tickers", "books"):
        wanted = sum(len(getattr(frame, group)) for frame in frames)
        sql = "SELECT count() FROM {view:Identifier}"
        assert ask(warehouse, sql, view=f"v_frame_{group}") == [(wanted,)]
    usd = sum(cell.usd for frame in frames for cell in frame.cells)
    assert ask(warehouse, "SELECT sum(usd) FROM v_frame_cells") == [(Decimal(usd) / MICROS,)]


@pytest.mark.parametrize(
    "bad",
    [
        {"usd": MAX_MICRO_DOLLARS + 1},
        {"usd": -1},
        {"usd": 2**70},
        {"received_at_us": 2**63},
        {"price": None},
        {"venue": None},
    ],
    ids=lambda change: f"{next(iter(change))}={next(iter(change.values()))}",
)
def test_a_row_that_no_table_can_hold_is_found_and_the_rest_is_written(
    warehouse: Client, bad: dict[str, Any]
) -> None:
    batch = [order(n) for n in range(200)]
    batch[77] = msgspec.structs.replace(batch[77], **bad)
    batch[199] = msgspec.structs.replace(batch[199], **bad)
    refused = Inserter(warehouse).insert("liquidations", rows_of("liquidations", *batch))
    assert [one.index for one in refused] == [77, 199]
    assert all(one.detail for one in refused)
    assert ask(warehouse, "SELECT count() FROM v_liquidations") == [(198,)]


def test_a_batch_full_of_refusals_stops_the_writer(warehouse: Client) -> None:
    batch = rows_of("liquidations", *(order(n, usd=-1) for n in range(MAX_REFUSED * 3)))
    with pytest.raises(MarginquakeError, match=f"refuses more than {MAX_REFUSED} rows"):
        Inserter(warehouse).insert("liquidations", batch)


def test_a_missing_table_stops_the_writer_at_its_start_and_later(warehouse: Client) -> None:
    inserter = Inserter(warehouse)
    warehouse.command("DROP TABLE feed_status SYNC")
    with pytest.raises(MarginquakeError, match="run `marginquake migrate`"):
        Inserter(warehouse)
    row = tuple("" for _ in TABLES["feed_status"].columns)
    with pytest.raises(
        MarginquakeError, match=r"does not take 1 rows for feed_status: .*UNKNOWN_TABLE"
    ):
        inserter.insert("feed_status", [(*row[:6], 0, None, 0)])


def test_a_missing_column_is_named_before_anything_is_written(warehouse: Client) -> None:
    warehouse.command("ALTER TABLE prints DROP COLUMN basket")
    with pytest.raises(MarginquakeError, match="table prints lacks basket"):
        Inserter(warehouse)


def test_an_overloaded_table_is_tried_again_until_it_takes_the_rows(
    warehouse: Client, warehouse_dsn: str
) -> None:
    inserter = Inserter(warehouse, pause_s=0.05, max_pause_s=0.1)
    write(warehouse, order(1))
    warehouse.command("SYSTEM STOP MERGES liquidations")
    warehouse.command("ALTER TABLE liquidations MODIFY SETTING parts_to_throw_insert = 1")
    with connect(warehouse_dsn) as operator:
        mend = threading.Timer(
            0.5, operator.command, ["ALTER TABLE liquidations RESET SETTING parts_to_throw_insert"]
        )
        mend.start()
        assert inserter.insert("liquidations", rows_of("liquidations", order(2))) == []
        mend.join()
    assert ask(warehouse, "SELECT count() FROM v_liquidations") == [(2,)]


def test_a_stop_ends_the_retries_and_says_what_was_not_written(
    warehouse: Client, warehouse_dsn: str
) -> None:
    with connect(warehouse_dsn) as client:
        inserter = Inserter(client, pause_s=0.05, max_pause_s=5.0)
        client.command("SET readonly = 1")
        threading.Timer(0.3, inserter.stop.set).start()
        with pytest.raises(MarginquakeError, match="1 rows for liquidations were not written"):
            inserter.insert("liquidations", rows_of("liquidations", order(1)))
    assert ask(warehouse, "SELECT count() FROM v_liquidations") == [(0,)]


def test_a_frame_replaces_itself(warehouse: Client, examples: dict[str, list[bytes]]) -> None:
    frame: Frame = contracts.decode_frame(examples["frame"][0])
    write(warehouse, frame)
    write(warehouse, frame, frame)
    assert ask(warehouse, "SELECT count() FROM v_frames") == [(1,)]
