"""Command `bench warehouse` of the group "prove"."""

import json
import logging
from dataclasses import asdict
from typing import Annotated

import typer

from streams.cli.options import AsJson


def bench_warehouse(
    rows: Annotated[int, typer.Option(min=100, help="Rows of an insert and of a read.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="Inserts and reads of each way.")] = 5,
    selects: Annotated[int, typer.Option(min=2, help="Times to ask SELECT 1.")] = 300,
    as_json: AsJson = False,
) -> None:
    """The served warehouse beside the engine itself, and its writer beside busy readers.

    Both through clickhouse-connect on a new chDB store, by the wall clock.

    Example: marginquake bench warehouse --rows 20000
    """
    from rich.table import Table

    from streams.edges.console import show_table
    from streams.edges.progress import waiting
    from streams.serving.bench import measure
    from streams.telemetry import configure_logging

    # The scans end by their limit, and each would be a line.
    configure_logging("bench", logging.WARNING)
    with waiting("measuring", quiet=as_json):
        found, paces = measure(rows, rounds, selects)
    if as_json:
        report = {"ways": [asdict(one) for one in found], "writer": [asdict(one) for one in paces]}
        typer.echo(json.dumps(report))
        return
    table = Table("way", "SELECT 1, ms", "99th percentile", "rows/s inserted", "rows/s read")
    for one in found:
        table.add_row(
            one.way,
            f"{one.select_ms:.1f}",
            f"{one.select_p99_ms:.1f}",
            f"{one.insert_rows_s:,.0f}",
            f"{one.read_rows_s:,.0f}",
        )
    show_table(table)
    table = Table("readers that scan", "insert of 2,000 rows, ms", "95th percentile")
    for pace in paces:
        table.add_row(str(pace.readers), f"{pace.insert_ms:.1f}", f"{pace.insert_p95_ms:.1f}")
    show_table(table)
