"""Commands `replay` and `import`: archives through the in-process engine, or into raw.v1."""

import json
from pathlib import Path
from typing import Annotated

import typer

PANEL = "ingest"
Files = Annotated[
    list[Path],
    typer.Argument(help="Raw logs: JSON lines, plain, .gz or .zst.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def replay(
    files: Files,
    jsonl: Annotated[
        Path | None,
        typer.Option(help="Write each topic as <topic>.jsonl into this folder."),
    ] = None,
    frames: Annotated[
        bool, typer.Option("--frames", help="Write frames too (many).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run archives through the in-process engine: no broker, same rows as on Kafka.

    Without --jsonl the rows go to the warehouse (CLICKHOUSE_DSN); `marginquake migrate` first.

    Example: marginquake replay recording.jsonl.gz --jsonl out
    """
    from streams.edges.replay import ReplayTarget, run_replay
    from streams.edges.summary import print_summary

    target = ReplayTarget.folder(jsonl) if jsonl else ReplayTarget.warehouse()
    summary = run_replay(files, target, frames=frames, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(summary.as_json()))
    else:
        print_summary(summary)


def import_(files: Files, kafka: str | None = None, as_json: AsJson = False) -> None:
    """Write archives into raw.v1 as collectors would, merged by receipt time.

    Example: marginquake import recording.jsonl.gz
    """
    import uvloop

    from streams.config import settings
    from streams.edges.archives import lines
    from streams.edges.progress import counting
    from streams.edges.publish import publish
    from streams.venues import PARSERS
    from streams.venues.catalog import default_instruments

    instruments = default_instruments()
    with counting("records into raw.v1", quiet=as_json) as progress:
        count = uvloop.run(
            publish(
                kafka or settings().kafka,
                lines(files, PARSERS, instruments),
                instruments,
                progress,
            )
        )
    typer.echo(json.dumps({"records": count}) if as_json else f"{count:,} records in raw.v1")


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command(rich_help_panel=PANEL)(replay)
    app.command("import", rich_help_panel=PANEL)(import_)
