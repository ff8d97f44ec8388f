"""Volume of unknown side in the warehouse (chDB), beside what was bought and sold."""

from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from streams import contracts
from streams.core.events import MICROS
from streams.edges.inserts import Inserter
from streams.edges.migrate import read_migrations
from streams.edges.rows import FRAMES, rows

pytestmark = pytest.mark.warehouse


def ask(client: Client, sql: str) -> list[Any]:
    return list(client.query(sql).result_rows)


def test_what_was_bought_sold_and_is_of_unknown_side_is_all_of_the_volume(
    warehouse: Client, examples: dict[str, list[bytes]]
) -> None:
    frames = [contracts.decode_frame(example) for example in examples["frame"]]
    rows_of = [row for frame in frames for _, row in rows(frame)]
    assert Inserter(warehouse).insert(FRAMES, rows_of) == []
    flows = [flow for frame in frames for flow in frame.flows]
    sides = ("buy_usd", "sell_usd", "unknown_usd")
    wanted = [sum(getattr(flow, side) for flow in flows) for side in sides]
    assert all(wanted)
    sql = "SELECT sum(buy_usd), sum(sell_usd), sum(unknown_usd) FROM v_frame_flows"
    (sums,) = ask(warehouse, sql)
    assert [int(usd * MICROS) for usd in sums] == wanted


def test_frames_from_before_unsided_trades_have_none_of_them(warehouse: Client) -> None:
    (migration,) = [one for one in read_migrations() if one.name == "unsided_trades"]
    warehouse.command("ALTER TABLE frames DROP COLUMN `flows.unknown_usd`")
    warehouse.command(
        "INSERT INTO frames (asset, second, coverage, `flows.venue`, `flows.symbol`, "
        "`flows.contract`, `flows.n`, `flows.buy_usd`, `flows.sell_usd`, `flows.open`, "
        "`flows.high`, `flows.low`, `flows.close`) VALUES ('BTC', 1790000000, 1, ['bybit'], "
        "['BTCUSDT'], ['linear'], [2], [3], [4], [5], [5], [5], [5])"
    )
    for statement in migration.statements:
        warehouse.command(statement)
    sql = "SELECT buy_usd, sell_usd, unknown_usd FROM v_frame_flows"
    assert ask(warehouse, sql) == [(3, 4, 0)]
    assert ask(warehouse, "SELECT `flows.unknown_usd` FROM v_frames") == [([0],)]
