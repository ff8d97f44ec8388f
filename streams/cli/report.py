"""Command of the group "ask": report."""

from pathlib import Path
from typing import Annotated

import typer

PANEL = "ask"


def report(
    begin: Annotated[
        str,
        typer.Option(
            "--from", help="First moment, ISO 8601 in UTC: 2026-03-01 or 2026-03-01T14:00."
        ),
    ],
    end: Annotated[str, typer.Option("--to", help="First moment after it.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The page, FILE.html.")],
    asset: Annotated[str, typer.Option(help="Asset, or ALL for the market.")] = "ALL",
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Also print FILE.pdf beside it (needs Chromium).")
    ] = False,
) -> None:
    """Write the post-mortem of a day or an event: one self-contained page with plots.

    What happened and when, who was closed, how far price moved, how it compares with history, what
    was known beforehand; observed, estimated and upper bound, with coverage and definitions. Reads
    the warehouse (CLICKHOUSE_DSN). Needs the extra `report`.

    Example: marginquake report --from 2026-03-01 --to 2026-03-02 --asset BTC -o btc.html --pdf
    """
    from streams.config import MarginquakeError, settings
    from streams.edges.console import report_console
    from streams.edges.warehouse import connect_reader
    from streams.facts.feeds import check_known
    from streams.facts.reading import parse_span
    from streams.report.gather import gather
    from streams.report.page import render
    from streams.report.pdf import print_pdf

    span = parse_span(asset, begin, end)
    if not out.parent.is_dir():
        raise MarginquakeError(f"{out.parent} is no folder: give -o a path inside one")
    if out.suffix.lower() not in (".html", ".htm") or out.is_dir():
        # Browsers, and the printer, show a page of another name as text.
        raise MarginquakeError(f"-o {out} is no page: give FILE.html")
    told = report_console(stderr=True)
    with told.status("reading the warehouse"):
        with connect_reader(settings().clickhouse_dsn) as client:
            check_known(client, span)
            story = gather(client, span)
        text = render(story)
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise MarginquakeError(
            f"cannot write {out}: {error.strerror}; give -o another path"
        ) from None
    typer.echo(f"{out}: {len(text.encode()):,} bytes")
    if pdf:
        paper = out.with_suffix(".pdf")
        with told.status("printing"):
            print_pdf(out, paper)
        typer.echo(f"{paper}: {paper.stat().st_size:,} bytes")


def register(app: typer.Typer) -> None:
    """Add this group's command to the app."""
    app.command(rich_help_panel=PANEL)(report)
