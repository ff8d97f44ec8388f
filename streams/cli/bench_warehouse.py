"""Commands `bench queries`, `rollups`, `storage` and `keys`, mounted by the group "prove"."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

from streams.cli.options import AsJson

_TRAIN_SEED: Final = 2
"""Test seeds are for the scoreboard alone."""


def bench_queries(
    days: Annotated[int, typer.Option(min=1, help="Days of the store.")] = 90,
    assets: Annotated[int, typer.Option(min=3, help="Coins of the store.")] = 50,
    most: Annotated[
        int, typer.Option(min=1_000, help="Rows of one table at most, thinned evenly.")
    ] = 5_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Times that each query is asked.")] = 5,
    store: Annotated[
        Path | None,
        typer.Option(help="Keep the store here, or measure the one that is there."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Every named query with its defaults on months of many coins, in a chDB store of its own.

    One simulated day through the engine (some four minutes), repeated by SQL under other days and
    coins. Prints the median of wall and CPU time of each query, slowest first, and the rows of
    every table. Needs the extras `simulate` and `warehouse`.

    Example: marginquake bench queries --days 7 --assets 10
    """
    with TemporaryDirectory(prefix="marginquake-bench-") as scratch:
        folder = store or Path(scratch) / "store"
        made = folder.exists()
        dsn = f"chdb://{folder.absolute()}?database=marginquake"
        if not made:
            _replay_day(dsn, Path(scratch))
        _report(dsn, None if made else days, assets, most, rounds, as_json)


def _replay_day(dsn: str, scratch: Path) -> None:
    from streams.contracts import partition_for
    from streams.edges import replay
    from streams.edges.archives import lines
    from streams.edges.migrate import migrate
    from streams.edges.warehouse import connect
    from streams.engines.inprocess import InProcess
    from streams.simulation.files import LOG
    from streams.simulation.run import simulate
    from streams.simulation.scenarios import scenario
    from streams.venues import PARSERS
    from streams.venues.catalog import default_instruments

    instruments = default_instruments()
    typer.echo("simulating a day of three coins", err=True)
    simulate(scenario("weekend"), _TRAIN_SEED, scratch / "run", 3, 24.0, labels=False)
    with connect(dsn, create=True) as client:
        migrate(client)
    typer.echo("replaying it", err=True)
    with replay.warehouse_writer(dsn) as writer:
        replay.run_replay(
            lines([scratch / "run" / LOG], PARSERS, instruments),
            InProcess(PARSERS, instruments, partition_for),
            writer,
        )


def _report(dsn: str, days: int | None, assets: int, most: int, rounds: int, as_json: bool) -> None:
    from dataclasses import asdict

    from rich.table import Table

    from streams.edges import bench_queries as edge
    from streams.edges.console import show_table
    from streams.edges.progress import waiting
    from streams.edges.query_catalogue import catalogue
    from streams.edges.warehouse import connect, connect_reader, table_sizes

    if days is not None:
        with connect(dsn) as client:
            edge.expand(client, days, assets, most, lambda name: typer.echo(name, err=True))
    with connect_reader(dsn) as client:
        sizes = {one.table: one.rows for one in table_sizes(client) if one.rows}
        with waiting("asking", quiet=as_json):
            found = edge.measure(client, list(catalogue().values()), rounds)
    if as_json:
        timings = [asdict(one) for one in found]
        typer.echo(json.dumps({"rows": sizes, "queries": timings}))
        return
    typer.echo(", ".join(f"{table} {rows:,}" for table, rows in sizes.items()))
    table = Table("query", "wall ms", "CPU ms", "rows of the answer")
    for one in found:
        table.add_row(one.query, f"{1e3 * one.wall_s:.0f}", f"{1e3 * one.cpu_s:.0f}", str(one.rows))
    show_table(table)
    slow = sum(one.wall_s > 0.2 for one in found)
    typer.echo(f"{len(found)} queries, {slow} of them above 200 ms")


def bench_rollups(
    orders: Annotated[int, typer.Option(min=1_000, help="Forced orders.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Times that the question is asked.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Ways to keep hourly totals: bytes, times, and which of them are right after a replay.

    In a chDB store of its own, thrown away at the end.

    Example: marginquake bench rollups --orders 100000
    """
    from dataclasses import asdict

    from rich.table import Table

    from streams.edges.bench_rollups import measure
    from streams.edges.console import show_table
    from streams.edges.migrate import migrate
    from streams.edges.progress import waiting
    from streams.edges.warehouse import connect

    with TemporaryDirectory(prefix="marginquake-bench-") as scratch:
        dsn = f"chdb://{Path(scratch) / 'store'}?database=marginquake"
        with connect(dsn, create=True) as client:
            migrate(client)
            with waiting("measuring", quiet=as_json):
                found = measure(client, orders, rounds)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
        return
    table = Table(
        *("way", "MB", "brought up in ms", "asked in ms"),
        *("right at once", "after a repeat", "after a replay that moves orders"),
    )
    for one in found:
        table.add_row(
            one.name,
            f"{one.bytes / 1e6:.2f}",
            f"{1e3 * one.update_s:.0f}",
            f"{1e3 * one.ask_s:.0f}",
            *("yes" if right else "no" for right in (one.before_update, one.after_repeat)),
            "yes" if one.after_replay else "no",
        )
    show_table(table)


def bench_storage(as_json: AsJson = False) -> None:
    """Bytes of the warehouse's largest columns (CLICKHOUSE_DSN) under other codecs.

    Copies each column into a scratch table and drops it again; fill a store with `replay` first.

    Example: marginquake bench storage
    """
    from dataclasses import asdict

    from rich.table import Table

    from streams.config import settings
    from streams.edges.bench_storage import CODECS, measure
    from streams.edges.console import show_table
    from streams.edges.progress import waiting
    from streams.edges.warehouse import connect

    with connect(settings().clickhouse_dsn) as client, waiting("measuring", quiet=as_json):
        found = measure(client)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
        return
    table = Table("column", "now", *CODECS)
    for one in found:
        sizes = ("-" if size is None else f"{size:,}" for size in one.sizes.values())
        table.add_row(f"{one.table}.{one.column}", one.now, *sizes)
    show_table(table)


def bench_keys(
    rounds: Annotated[int, typer.Option(min=1, help="Times that each question is asked.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Bytes and times of the warehouse's tables (CLICKHOUSE_DSN) under other sorting keys.

    Copies each table into a scratch table and drops it again; fill a store with `replay` or
    `bench queries --store` first.

    Example: marginquake bench keys
    """
    from dataclasses import asdict

    from rich.table import Table

    from streams.config import settings
    from streams.edges.bench_keys import measure
    from streams.edges.console import show_table
    from streams.edges.warehouse import connect

    with connect(settings().clickhouse_dsn) as client:
        found = measure(
            client, rounds, progress=lambda table, key: typer.echo(f"{table} by {key}", err=True)
        )
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
        return
    table = Table("table", "sorting key", "MB", "CPU ms")
    for one in found:
        times = ", ".join(f"{name} {1e3 * spent:.1f}" for name, spent in one.cpu_s.items())
        key = f"{one.key} (in use)" if one.in_use else one.key
        table.add_row(one.table, key, f"{one.bytes / 1e6:.1f}", times)
    show_table(table)
