"""How long the named queries take on months of many coins, in a store made for it.

Behind `marginquake bench queries`. One simulated day goes through the real engine into the
warehouse; SQL then repeats its rows under other days, coins and ids. Promises the numbers of
rows that it made, table by table, and medians of both wall and CPU time. Does not promise a
likely market: every day is the same day. Frames are raw in the newest day alone, and older ones
stored by the minute; a table is thinned evenly to `most` rows, and merged as old months are.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from clickhouse_connect.driver.client import Client

from streams.edges import rollups
from streams.edges.query_catalogue import NamedQuery
from streams.edges.signal_rows import SIGNAL_TABLES
from streams.edges.warehouse import ask, quoted

SCOPED: Final = ("cascades", "prints", "milestones", *SIGNAL_TABLES.values())
_STORED: Final = ("frames_1m", "candles_1m")
_HASHED: Final = frozenset({"id", "parent_id", "trigger_cascade_id", "transition_id"})
_SETTINGS: Final = {"async_insert": 0, "max_partitions_per_insert_block": 0}


@dataclass(frozen=True, slots=True)
class Timing:
    """One query: medians over the rounds in seconds, and the rows of its answer."""

    query: str
    wall_s: float
    cpu_s: float
    rows: int


def expand(
    client: Client,
    days: int,
    assets: int,
    most: int,
    progress: Callable[[str], None] = lambda table: None,
) -> None:
    """Repeat the store's day over `days` days and `assets` coins.

    Args:
        client: of a store that holds one replayed day, its rollups brought up.
        days: how many days there are to be, the replayed one among them.
        assets: how many coins there are to be.
        most: rows of one table at most, about.
        progress: told each table before it is filled.
    """
    known = [str(row[0]) for row in client.query(_ASSETS).result_rows]
    names = known + [f"X{number:02d}" for number in range(assets - len(known))]
    # (coin of the day, coin of the copy): each copy has one model.
    pairs = [(known[at % len(known)], name) for at, name in enumerate(names)]
    for table in SCOPED:
        progress(table)
        _copy(client, table, "scope", [*pairs, ("ALL", "ALL")], days, most)
    progress("liquidations")
    _copy(client, "liquidations", "asset", pairs, days, most)
    for table in _STORED:
        progress(table)
        _copy(client, table, "asset", pairs, days, most)
        _note(client, table)
        table_1h = table.replace("_1m", "_1h")
        _copy(client, table_1h, "asset", pairs, days, most)
        _note(client, table_1h)
    progress("frames")
    _copy(client, "frames", "asset", pairs, 1, most)
    progress("liquidations_1m and _1h")
    rollups.bring_up(client, settled=True)
    # As the engine does by itself where nothing was written for six hours.
    for (table,) in client.query(_MERGED).result_rows:
        progress(f"{table}: merging")
        client.command(f"OPTIMIZE TABLE {quoted(str(table))} FINAL")


_MERGED: Final = (
    "SELECT name FROM system.tables WHERE database = currentDatabase() "
    "AND create_table_query LIKE '%min_age_to_force_merge_seconds%' ORDER BY name"
)


def measure(client: Client, queries: Sequence[NamedQuery], rounds: int) -> list[Timing]:
    """Ask every query with its defaults, `rounds` times in turn; slowest first."""
    found: list[Timing] = []
    for query in queries:
        values = query.bind({})
        wall: list[float] = []
        cpu: list[float] = []
        answer = ""
        for _ in range(rounds):
            began, spent = time.perf_counter(), time.process_time()
            answer = ask(client, query.sql, "JSONEachRow", values)
            wall.append(time.perf_counter() - began)
            cpu.append(time.process_time() - spent)
        rows = answer.count("\n")
        found.append(Timing(query.name, statistics.median(wall), statistics.median(cpu), rows))
    return sorted(found, key=lambda one: -one.wall_s)


_ASSETS: Final = "SELECT DISTINCT asset FROM frames_1m ORDER BY asset"


def _copy(
    client: Client,
    table: str,
    key: str,
    pairs: Sequence[tuple[str, str]],
    days: int,
    most: int,
) -> None:
    """Insert the copies of a table's rows: all but the rows that are there already."""
    columns = [
        (str(name), str(kind))
        for name, kind, *_ in client.query(f"DESCRIBE TABLE {table}").result_rows
    ]
    held = int(str(client.command(f"SELECT count() FROM {table}")))  # noqa: S608
    if not held:
        return
    row = _row_key(client, table, [name for name, _ in columns])
    keep = min(1.0, most / max(1, held * days * len(pairs) // len({one for one, _ in pairs})))
    values = ", ".join(f"{_copied(name, kind, key)} AS {quoted(name)}" for name, kind in columns)
    # Which copies there are to be is drawn from narrow rows; the wide ones are joined to those.
    client.command(
        f"INSERT INTO {table} ({', '.join(quoted(name) for name, _ in columns)}) "  # noqa: S608
        f"SELECT {values} FROM "
        "(SELECT row, pair.2 AS name, back "
        f"FROM (SELECT {row} AS row, {key} AS model FROM {table}) AS t "
        "INNER JOIN (SELECT arrayJoin(arrayZip({models:Array(String)}, "
        "{names:Array(String)})) AS pair, pair.1 AS model) AS n ON t.model = n.model "
        "CROSS JOIN (SELECT number AS back FROM numbers({days:UInt64})) AS h "
        "WHERE (n.pair.1 != n.pair.2 OR back > 0) "
        "AND cityHash64(row, name, back) % 1000000 < {keep:UInt64}) AS n "
        f"INNER JOIN (SELECT *, {row} AS row FROM {table}) AS t ON n.row = t.row",
        parameters={
            "models": [model for model, _ in pairs],
            "names": [name for _, name in pairs],
            "days": days,
            "keep": int(keep * 1_000_000),
        },
        settings=_SETTINGS,
    )


def _row_key(client: Client, table: str, columns: Sequence[str]) -> str:
    """A hash that tells the rows of a table apart."""
    keys = str(
        client.command(
            "SELECT sorting_key FROM system.tables "
            "WHERE database = currentDatabase() AND name = {table:String}",
            parameters={"table": table},
        )
    )
    return f"cityHash64({keys}{', revision' if 'revision' in columns else ''})"


def _copied(name: str, kind: str, key: str) -> str:
    column = f"t.{quoted(name)}"
    if name == key:
        return "n.name"
    if name == "generation":
        return "toUInt64(1)"
    if name in _HASHED:
        hashed = f"lower(hex(sipHash128({column}, n.name, n.back)))"
        return f"if({column} IS NULL, NULL, {hashed})" if "Nullable" in kind else hashed
    if kind.startswith(("DateTime", "Nullable(DateTime")):
        return f"{column} - toIntervalDay(n.back)"
    return column


def _note(client: Client, table: str) -> None:
    """Write down that the hours of a stored rollup include what was touched."""
    time_column = "hour" if table.endswith("_1h") else "toStartOfHour(minute)"
    client.command(
        "INSERT INTO rollup_hours (rollup, asset, hour, touches, built) "  # noqa: S608
        f"SELECT DISTINCT '{table}', asset, {time_column} AS of_hour, 1, 1 FROM {table} "
        f"WHERE of_hour < (SELECT max({time_column}) FROM {table})",
        settings=_SETTINGS,
    )
