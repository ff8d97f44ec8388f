"""What columns cost under other codecs: bytes on disk of the same rows, column by column.

Behind `marginquake bench storage`. Promises that each codec stores the rows of the table as they
are, in the table's order. Reads a warehouse and writes into scratch tables beside it, which are
dropped again; measures size, not speed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from streams.edges.warehouse import quoted

CODECS: Final = (
    "ZSTD(1)",
    "T64, ZSTD(1)",
    "Delta, ZSTD(1)",
    "DoubleDelta, ZSTD(1)",
    "Gorilla, ZSTD(1)",
)

COLUMNS: Final = (
    ("frames", "second"),
    ("frames", "cells.usd"),
    ("frames", "flows.buy_usd"),
    ("frames", "flows.close"),
    ("frames", "tickers.mark_price"),
    ("liquidations", "event_time_us"),
    ("liquidations", "usd"),
    ("liquidations", "price"),
    ("prints", "period_start"),
    ("prints", "usd_observed"),
    ("imbalance", "long_observed"),
    ("liquidity", "spread_bp"),
)
"""Columns that hold most of the bytes, of each type."""

_SCRATCH: Final = "scratch_of_bench_storage"


@dataclass(frozen=True, slots=True)
class Cost:
    """Compressed bytes of one column under one codec; None where the type does not take it."""

    table: str
    column: str
    now: str
    sizes: dict[str, int | None]


def measure(client: Client, columns: Sequence[tuple[str, str]] = COLUMNS) -> list[Cost]:
    """The bytes of each column under each of CODECS."""
    return [_cost(client, table, column) for table, column in columns]


def _cost(client: Client, table: str, column: str) -> Cost:
    ((kind, now, key),) = client.query(
        "SELECT c.type, c.compression_codec, t.sorting_key FROM system.columns AS c "
        "INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table "
        "WHERE c.database = currentDatabase() AND c.table = {table:String} "
        "AND c.name = {column:String}",
        parameters={"table": table, "column": column},
    ).result_rows
    sizes = {codec: _size(client, table, column, str(kind), str(key), codec) for codec in CODECS}
    return Cost(table, column, str(now), sizes)


def _size(client: Client, table: str, column: str, kind: str, key: str, codec: str) -> int | None:
    client.command(f"DROP TABLE IF EXISTS {_SCRATCH}")
    try:
        client.command(
            f"CREATE TABLE {_SCRATCH} (value {kind} CODEC({codec})) ENGINE = MergeTree "
            "ORDER BY tuple() SETTINGS min_bytes_for_wide_part = 0"
        )
    except DatabaseError as error:
        if error.code not in _UNFIT:
            raise
        return None
    client.command(
        f"INSERT INTO {_SCRATCH} SELECT {quoted(column)} FROM {table} FINAL ORDER BY {key}"  # noqa: S608
    )
    client.command(f"OPTIMIZE TABLE {_SCRATCH} FINAL")
    size = client.command(
        "SELECT sum(column_data_compressed_bytes) FROM system.parts_columns "
        "WHERE active AND database = currentDatabase() AND table = {table:String}",
        parameters={"table": _SCRATCH},
    )
    client.command(f"DROP TABLE {_SCRATCH}")
    return int(str(size))


_UNFIT: Final = frozenset({36, 431, 432, 433})
"""ClickHouse codes of a codec that does not suit a type."""
