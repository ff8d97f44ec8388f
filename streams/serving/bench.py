"""How much the HTTP interface costs beside the engine itself, and readers cost the writer.

Runs a server on a store of its own on loopback. Figures are medians of rounds by the wall clock,
since work is in the engine's threads; a busy machine shows in all of them alike.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from streams.edges.warehouse import connect
from streams.serving.access import Limits, Users, user
from streams.serving.engine import Store
from streams.serving.server import Server

_TABLE: Final = (
    "CREATE TABLE bench (id String, at DateTime64(6, 'UTC'), venue LowCardinality(String), "
    "usd Decimal(18, 6), price Float64, size Float64) ENGINE = MergeTree ORDER BY (venue, at)"
)
_READ: Final = "SELECT * FROM bench LIMIT {rows:UInt64}"
# clickhouse-connect sends no settings of its own as a user to whom they are read-only.
_SCAN: Final = (
    "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number)) "
    "SETTINGS max_execution_time = 1"
)
_SMALL: Final = 2000
_PASSWORD: Final = "bench"  # noqa: S105 - of a store that lives for one run


@dataclass(frozen=True, slots=True)
class Measured:
    """One way to the same engine: milliseconds of `SELECT 1` (median, 99th percentile), rows/s."""

    way: str
    select_ms: float
    select_p99_ms: float
    insert_rows_s: float
    read_rows_s: float


@dataclass(frozen=True, slots=True)
class Paced:
    """A writer's inserts beside readers' scans: milliseconds, median and 95th percentile."""

    readers: int
    insert_ms: float
    insert_p95_ms: float


def measure(rows: int, rounds: int, selects: int) -> tuple[list[Measured], list[Paced]]:
    """The engine in this process, then the same through the server; then the writer's pace there.

    Args:
        rows: of one insert and of one read.
        rounds: of inserts and reads.
        selects: of `SELECT 1`, and of the small inserts whose pace is measured.
    """
    with TemporaryDirectory(prefix="marginquake-bench-") as folder:
        dsn = f"chdb://{Path(folder) / 'store'}"
        with connect(dsn) as direct:
            direct.command(_TABLE)
            own = _measure("chDB in this process", direct, direct, rows, rounds, selects)
        served, paces = asyncio.run(_served(dsn, rows, rounds, selects))
        return [own, served], paces


async def _served(dsn: str, rows: int, rounds: int, selects: int) -> tuple[Measured, list[Paced]]:
    store = await asyncio.to_thread(Store, dsn)
    try:
        users = Users(user("default", ""), user("writer", _PASSWORD, writes=True))
        server = Server(store, users, Limits(rows=rows * rounds * 10))
        await server.start("127.0.0.1", 0)
        try:
            return await asyncio.to_thread(_through, server.port, rows, rounds, selects)
        finally:
            await server.stop(1.0)
    finally:
        await asyncio.to_thread(store.close)


def _through(port: int, rows: int, rounds: int, selects: int) -> tuple[Measured, list[Paced]]:
    def client(**who: Any) -> Client:
        return clickhouse_connect.get_client(
            host="127.0.0.1", port=port, autogenerate_session_id=False, tz_mode="aware", **who
        )

    with client() as reader, client(username="writer", password=_PASSWORD) as writer:
        writer.command("TRUNCATE TABLE bench")
        served = _measure("served over HTTP", reader, writer, rows, rounds, selects)
        paces = [_pace(client, writer, readers, selects) for readers in (0, Limits().at_once)]
        return served, paces


def _pace(client: Callable[[], Client], writer: Client, readers: int, inserts: int) -> Paced:
    stop = Event()

    def scan() -> None:
        with client() as reader:
            while not stop.is_set():
                with suppress(OperationalError, DatabaseError):
                    reader.raw_query(_SCAN)

    scans = [Thread(target=scan) for _ in range(readers)]
    for thread in scans:
        thread.start()
    if readers:
        time.sleep(1.0)
    columns = _columns(_SMALL)
    took = [
        _seconds(lambda: writer.insert("bench", columns, column_oriented=True))
        for _ in range(inserts)
    ]
    stop.set()
    for thread in scans:
        thread.join()
    return Paced(readers, statistics.median(took) * 1e3, statistics.quantiles(took, n=20)[18] * 1e3)


def _measure(
    way: str, reader: Client, writer: Client, rows: int, rounds: int, selects: int
) -> Measured:
    one = [_seconds(lambda: reader.raw_query("SELECT 1")) for _ in range(selects)]
    columns = _columns(rows)
    inserts = [
        _seconds(lambda: writer.insert("bench", columns, column_oriented=True))
        for _ in range(rounds)
    ]
    reads = [
        _seconds(lambda: reader.raw_query(_READ, parameters={"rows": rows}, fmt="Native"))
        for _ in range(rounds)
    ]
    return Measured(
        way,
        statistics.median(one) * 1e3,
        statistics.quantiles(one, n=100)[98] * 1e3,
        rows / statistics.median(inserts),
        rows / statistics.median(reads),
    )


def _columns(rows: int) -> list[list[Any]]:
    return [
        [f"id-{n}" for n in range(rows)],
        [1_790_000_000 + n // 1000 for n in range(rows)],
        ["binance" if n % 3 else "okx" for n in range(rows)],
        [n % 1_000_000 for n in range(rows)],
        [60_000 + n % 100 / 10 for n in range(rows)],
        [n % 50 / 10 for n in range(rows)],
    ]


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
