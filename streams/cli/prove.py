"""Commands of the group "prove": bench, regime, schemas."""

import json
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from streams.cli.bench_flink import bench_flink
from streams.cli.bench_served import bench_warehouse
from streams.cli.bench_warehouse import bench_keys, bench_queries, bench_rollups, bench_storage
from streams.cli.benches import bench

PANEL = "prove"


def schemas(
    action: Annotated[Literal["generate", "check"], typer.Argument(help="What to do.")],
    folder: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Generated files.", show_default="schemas/generated"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Write the JSON Schema files and the AsyncAPI document, or tell which are out of step.

    They follow the models in schemas/*.py and schemas/topics.yaml. `check` exits 1 on a drift.

    Example: marginquake schemas check
    """
    from schemas.generate import drift, generated_folder, write

    where = folder or generated_folder()
    names = write(where) if action == "generate" else drift(where)
    if as_json:
        typer.echo(json.dumps({"folder": str(where), "action": action, "files": names}))
    elif not names:
        typer.echo("generated schemas are in step with the models")
    else:
        for name in names:
            typer.echo(f"{'written' if action == 'generate' else 'out of step'}: {name}")
        if action == "check":
            typer.echo("mend: marginquake schemas generate")
    if action == "check" and names:
        raise typer.Exit(1)


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def regime(
    series: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, see above.")],
    as_json: AsJson = False,
) -> None:
    """Phases of the leverage cycle in an archived series: when each was entered, and why.

    SERIES is a CSV file with a header, one row an hour or a day.

    Needed: time (ISO 8601, UTC, start of the row), close. What is known of: high, low, oi_usd,
    oi_base (coins), funding_8h (a fraction) or funding_8h_pct, long_usd, short_usd (forced
    dollars), spot_usd or spot_base (coins), market_cap_usd, reserve_usd, depth_usd, basis, lsi.

    Further columns are ignored. A day counts as 24 equal hours. Nothing is told for 14 days.

    Example: marginquake regime btc_daily.csv
    """
    from rich.table import Table

    from streams.edges.console import show_table
    from streams.edges.progress import waiting
    from streams.edges.series import cells, read_series, regime_path

    with waiting("reading the series", quiet=as_json):
        path = regime_path(read_series(series))
    if as_json:
        typer.echo(msgspec.json.encode(path).decode())
        return
    table = Table(
        "entered (UTC)", "phase", "from", "left", "p", "crowd", "price", "72 h later", "drivers"
    )
    for passage in path.passages:
        table.add_row(*cells(passage))
    show_table(table)
    total = sum(path.hours.values())
    typer.echo(
        "days: " + ", ".join(f"{n} {h / 24:.1f} ({h / total:.1%})" for n, h in path.hours.items())
    )
    if path.unknown:
        why = ", ".join(f"{reason} {h / 24:.1f}" for reason, h in path.unknown.items())
        typer.echo(f"days unknown: {why}")


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
    bench.command("flink")(bench_flink)
    bench.command("warehouse")(bench_warehouse)
    bench.command("queries")(bench_queries)
    bench.command("rollups")(bench_rollups)
    bench.command("storage")(bench_storage)
    bench.command("keys")(bench_keys)
    app.add_typer(bench, name="bench", rich_help_panel=PANEL)
    app.command(rich_help_panel=PANEL)(regime)
    app.command(rich_help_panel=PANEL)(schemas)
