"""Commands `replay` and `import`: archives through the in-process engine, or into raw.v1."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.edges.archives.form import Tally

PANEL = "ingest"
Files = Annotated[
    list[Path],
    typer.Argument(
        help="Raw logs or archives (Tardis, Binance dumps, cryptofeed); .gz, .zst, .zip too.",
        show_default=False,
    ),
]
Form = Annotated[
    str,
    typer.Option(
        "--format",
        help="Take every file for this format, NAME or NAME:DETAIL (docs/archives.md).",
        show_default="told from each file's content",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def replay(
    files: Files,
    jsonl: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Write each topic as <topic>.jsonl into this folder.",
            show_default="the warehouse",
        ),
    ] = None,
    frames: Annotated[
        bool, typer.Option("--frames", help="With --jsonl: write frames.v1 too (one row a second).")
    ] = False,
    warm: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="Histories from `import --warm`; its archives must end before these begin.",
        ),
    ] = None,
    form: Form = "",
    as_json: AsJson = False,
) -> None:
    """Run archives through the in-process engine: no broker, same rows as on Kafka.

    Files are merged by receipt time. Without --jsonl the rows go to the warehouse
    (CLICKHOUSE_DSN), which needs `marginquake migrate` first.

    Example: marginquake replay recording.jsonl.gz --jsonl out
    """
    from streams.config import settings
    from streams.contracts import partition_for
    from streams.edges import replay as edge
    from streams.edges.archives import lines
    from streams.edges.archives.reading import Reading
    from streams.edges.progress import counting
    from streams.edges.side_checks import SideChecks
    from streams.edges.summary import print_summary
    from streams.edges.warehouse import parse_dsn
    from streams.edges.warm import read_warm
    from streams.engines.inprocess import InProcess
    from streams.parsing import assumptions, parameters, parsers
    from streams.venues.catalog import default_instruments

    if frames and jsonl is None:
        raise typer.BadParameter("--frames goes with --jsonl; the warehouse always gets frames")
    instruments = default_instruments()
    edge.check_files(files, Reading(instruments, form))
    reading = Reading(instruments, form)
    params = parameters()
    histories = read_warm(warm, params.hash()) if warm else None
    engine = InProcess(parsers(), instruments, partition_for, params, histories)
    checks = SideChecks(parsers(), instruments, assumptions(), _warn)
    dsn = settings().clickhouse_dsn
    writing = edge.folder_writer(jsonl, frames) if jsonl else edge.warehouse_writer(dsn)
    with writing as writer, counting("records replayed", quiet=as_json) as progress:
        log = lines(files, parsers(), instruments, reading=reading)
        summary = edge.run_replay(log, engine, writer, progress, checks.see)
    summary.target = str(jsonl) if jsonl else parse_dsn(dsn).label
    if jsonl:
        edge.write_summary(jsonl, summary)
    if as_json:
        typer.echo(json.dumps(summary.as_json()))
    else:
        print_summary(summary)
        if told := str(reading.tally):
            typer.echo(told)
    _tell_losses(reading.tally)


def import_(
    files: Files,
    kafka: Annotated[
        str | None, typer.Option(help="Bootstrap servers.", show_default="MARGINQUAKE_KAFKA")
    ] = None,
    warm: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="Write no topic: put the histories that the archives give into this file.",
        ),
    ] = None,
    form: Form = "",
    restart: Annotated[
        bool,
        typer.Option(
            "--restart", help="Begin anew, though the same files were imported, whole or in part."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write archives into raw.v1 as collectors would, merged by receipt time.

    An end record follows them: it seals everything and advances the clock by 4 h. So import
    into topics that no collector writes to. The same command again goes on where one that was
    killed left off, without loss or doubles, and sends nothing when all is there; its mark stands
    in MARGINQUAKE_HOME/imports.

    With --warm the archives run through the in-process engine instead, and what the detectors have
    learnt (ordinary rates, baselines, percentiles) goes into a file, so that day one is not blind:
    give it to `marginquake detect --warm FILE` or `replay --warm FILE`.

    Example: marginquake import recording.jsonl.gz
    """
    if warm is not None:
        _warm(files, warm, form, as_json)
        return
    from contextlib import nullcontext

    import uvloop

    from streams.config import settings
    from streams.edges.archives import lines
    from streams.edges.archives.reading import Reading
    from streams.edges.import_marks import Marks, holds
    from streams.edges.progress import reading as bar
    from streams.edges.publish import publish
    from streams.edges.rawlog import STDIN
    from streams.edges.replay import check_files
    from streams.parsing import parsers
    from streams.venues.catalog import default_instruments

    instruments = default_instruments()
    check_files(files, Reading(instruments, form))
    reading = Reading(instruments, form)
    bootstrap = kafka or settings().kafka
    marks = None
    known = [file for file in files if str(file) != STDIN]
    if known == files:
        marks = Marks(settings().home / "imports", bootstrap, form, files)
    size = sum(file.stat().st_size for file in known)
    log = lines(files, parsers(), instruments, reading=reading)
    count = 0
    with marks.held() if marks else nullcontext():
        mark = marks.read() if marks and not restart else None
        done = mark is not None and mark.done and uvloop.run(holds(bootstrap, mark))
        if marks and (mark is None or mark.done) and not done:
            marks.clear()
        if done:
            told = "these files are in raw.v1 already; import them again with --restart"
            typer.echo(f"marginquake: {told}", err=True)
        else:
            if mark is not None and not mark.done and not as_json:
                typer.echo("going on with an import that was cut short", err=True)
            with bar("records into raw.v1", size, lambda: reading.meter.bytes) as progress:
                count = uvloop.run(publish(bootstrap, log, instruments, progress, marks))
    if as_json:
        facts = {"records": count, "doubled": reading.tally.doubled}
        facts |= {"bad_lines": reading.tally.bad.total()}
        typer.echo(json.dumps(facts | {"rejected": reading.tally.rejected.total()}))
    else:
        typer.echo(f"{count:,} records in raw.v1")
        if told := str(reading.tally):
            typer.echo(told)
    _tell_losses(reading.tally)


def _tell_losses(tally: "Tally") -> None:
    for what in tally.losses():
        _warn(what)


def _warn(what: str) -> None:
    typer.echo(f"marginquake: {what}", err=True)


def _warm(files: list[Path], target: Path, form: str, as_json: bool) -> None:
    from streams.contracts import partition_for
    from streams.edges.archives import lines
    from streams.edges.archives.reading import Reading
    from streams.edges.progress import counting
    from streams.edges.replay import check_files, run_through
    from streams.edges.warm import check_target, write_warm
    from streams.engines.inprocess import InProcess
    from streams.parsing import parameters, parsers
    from streams.venues.catalog import default_instruments

    params, instruments = parameters(), default_instruments()
    check_files(files, Reading(instruments, form))
    check_target(target)
    engine = InProcess(parsers(), instruments, partition_for, params)
    reading = Reading(instruments, form)
    log = lines(files, parsers(), instruments, run_on=False, reading=reading)
    with counting("records learnt from", quiet=as_json) as progress:
        count = run_through(log, engine, progress)
    snapshots = engine.snapshots()
    size = write_warm(target, params.hash(), snapshots)
    if as_json:
        typer.echo(json.dumps({"records": count, "scopes": len(snapshots), "bytes": size}))
    else:
        typer.echo(f"{count:,} records, {len(snapshots)} scopes, {size:,} bytes in {target}")


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command(rich_help_panel=PANEL)(replay)
    app.command("import", rich_help_panel=PANEL)(import_)
