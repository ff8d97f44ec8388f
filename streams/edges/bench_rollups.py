"""Ways to keep hourly totals of forced orders, beside each other on the same rows.

Behind `marginquake bench rollups`. Promises for each way its bytes, the time of an insert and of
the question, and whether it was right after a batch was repeated and after a replay moved an order
to another venue. Orders are made by SQL, evenly over hours and coins.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from clickhouse_connect.driver.client import Client

from streams.edges import rollups

_SETTINGS: Final = {"async_insert": 0, "insert_deduplicate": 0, "optimize_on_insert": 0}
_GROUP: Final = "asset, toStartOfHour(event_time_us) AS hour, venue, position_side, kind"

_TABLES: Final = (
    "CREATE TABLE totals_sums (asset LowCardinality(String), hour DateTime('UTC'), "
    "venue LowCardinality(String), position_side LowCardinality(String), "
    "kind LowCardinality(String), orders SimpleAggregateFunction(sum, UInt64), "
    "total_usd SimpleAggregateFunction(sum, Decimal(38, 6))) ENGINE = AggregatingMergeTree "
    "PARTITION BY toYYYYMM(hour) ORDER BY (asset, hour, venue, position_side, kind)",
    "CREATE MATERIALIZED VIEW into_sums TO totals_sums AS SELECT "  # noqa: S608
    f"{_GROUP}, count() AS orders, sum(usd) AS total_usd FROM liquidations GROUP BY ALL",
    "CREATE TABLE totals_states (asset LowCardinality(String), hour DateTime('UTC'), "
    "venue LowCardinality(String), position_side LowCardinality(String), "
    "kind LowCardinality(String), "
    "seen AggregateFunction(groupUniqArray, Tuple(UInt64, Decimal(18, 6)))) "
    "ENGINE = AggregatingMergeTree "
    "PARTITION BY toYYYYMM(hour) ORDER BY (asset, hour, venue, position_side, kind)",
    "CREATE MATERIALIZED VIEW into_states TO totals_states AS SELECT "  # noqa: S608
    f"{_GROUP}, groupUniqArrayState((cityHash64(id), usd)) AS seen FROM liquidations GROUP BY ALL",
    "CREATE MATERIALIZED VIEW refreshed REFRESH EVERY 1 YEAR "  # noqa: S608
    "(asset LowCardinality(String), hour DateTime('UTC'), "
    "venue LowCardinality(String), position_side LowCardinality(String), "
    "kind LowCardinality(String), orders UInt64, total_usd Decimal(38, 6)) ENGINE = MergeTree "
    "ORDER BY (asset, hour, venue, position_side, kind) EMPTY AS SELECT "
    f"{_GROUP}, count() AS orders, sum(usd) AS total_usd FROM liquidations FINAL GROUP BY ALL",
)
_ASKED: Final = {
    "base": "SELECT venue, sum(usd) AS total FROM liquidations FINAL",
    "sums at insert": "SELECT venue, sum(total_usd) AS total FROM totals_sums",
    "distinct states": "SELECT venue, arraySum(one -> one.2, groupUniqArrayMerge(seen)) AS total "
    "FROM totals_states",
    "refreshable view": "SELECT venue, sum(total_usd) AS total FROM refreshed",
    "counted hours": "SELECT venue, sum(total_usd) AS total FROM v_liquidations_1h",
}
_STORED: Final = {
    "base": ("liquidations",),
    "sums at insert": ("totals_sums",),
    "distinct states": ("totals_states",),
    "refreshable view": (),
    "counted hours": ("liquidations_1m", "liquidations_1h", "rollup_hours"),
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way: its bytes, seconds to bring it up to date, and seconds of the question.

    `before_update`: whether it was right at once behind new orders. `after_repeat`, `after_replay`:
    whether it was, once brought up, behind a repeated batch and behind a replay that gave orders
    another venue.
    """

    name: str
    bytes: int
    update_s: float
    ask_s: float
    after_repeat: bool
    after_replay: bool
    before_update: bool


def measure(client: Client, orders: int, rounds: int) -> list[Way]:
    """Fill a migrated store of its own with `orders` orders, and ask each way.

    Args:
        client: of an empty migrated store; its tables are the caller's to throw away.
        orders: how many, over 30 days, 20 coins, 3 venues.
        rounds: times that the question is asked; the median counts.
    """
    for statement in _TABLES:
        client.command(statement)
    _insert(client, orders, "")
    update: dict[str, Callable[[], object]] = dict.fromkeys(_ASKED, lambda: None)
    update["refreshable view"] = lambda: _refresh(client)
    update["counted hours"] = lambda: rollups.bring_up(client)
    updated = {name: _seconds(one) for name, one in update.items()}
    asked = {
        name: statistics.median(_seconds(partial(_answer, client, name)) for _ in range(rounds))
        for name in _ASKED
    }
    _insert(client, orders // 100, "", first=orders)
    at_once = _right(client)
    _insert(client, orders // 100, "")
    for one in update.values():
        one()
    repeated = _right(client)
    _insert(client, orders // 100, "moved-")
    for one in update.values():
        one()
    replayed = _right(client)
    return [
        Way(
            name,
            _bytes(client, name),
            updated[name],
            asked[name],
            repeated[name],
            replayed[name],
            at_once[name],
        )
        for name in _ASKED
    ]


def _insert(client: Client, orders: int, moved: str, first: int = 0) -> None:
    client.command(
        "INSERT INTO liquidations SELECT concat({moved:String}, ['bybit', 'okx', 'gate']"
        "[number % 3 + 1]), 'X', concat('X', toString(cityHash64(number) % 20)), 'linear', "
        "'liquidation', if(number % 5 = 0, 'short', 'long'), if(number % 5 = 0, 'buy', 'sell'), "
        "100.0, 'fill', 1.0, toDecimal64(cityHash64(number, 1) % 1000000 / 100, 6), "
        "toDateTime64(1793491200 + cityHash64(number, 2) % 2592000, 6, 'UTC') AS at, at, 'all', "
        "lower(hex(sipHash128(number))), false, 1 FROM numbers({first:UInt64}, {orders:UInt64})",
        parameters={"orders": orders, "moved": moved, "first": first},
        settings=_SETTINGS,
    )


def _refresh(client: Client) -> None:
    client.command("SYSTEM REFRESH VIEW refreshed")
    client.command("SYSTEM WAIT VIEW refreshed")


def _answer(client: Client, name: str) -> list[tuple[str, str]]:
    rows = client.query(f"{_ASKED[name]} GROUP BY venue ORDER BY venue").result_rows
    return [(str(venue), str(total)) for venue, total in rows]


def _right(client: Client) -> dict[str, bool]:
    wanted = _answer(client, "base")
    return {name: _answer(client, name) == wanted for name in _ASKED}


def _bytes(client: Client, name: str) -> int:
    return int(
        str(
            client.command(
                "SELECT sum(bytes_on_disk) FROM system.parts "
                "WHERE active AND database = currentDatabase() AND "
                "(has({tables:Array(String)}, table) "
                "OR startsWith(table, '.inner') AND empty({tables:Array(String)}))",
                parameters={"tables": list(_STORED[name])},
            )
        )
    )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
