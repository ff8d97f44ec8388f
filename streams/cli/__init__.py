"""The command line: one typer app, its commands in one file per group.

Top of the layers: parses arguments, calls engines and edges, prints. Holds no rule of the data
path. Heavy imports stand inside the commands so that `--help` is instant.
"""

import errno
import sys

import typer

from streams.cli import (
    ask,
    consume,
    dashboard,
    ingest,
    prove,
    report,
    run,
    score,
    simulate,
    start,
)

app = typer.Typer(
    name="marginquake",
    help="A seismograph for crypto leverage: raw exchange events in, cascade windows out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for group in (
    start,
    ingest,
    run,
    ask,
    dashboard,
    report,
    consume,
    prove,
    simulate,
    score,
):
    group.register(app)


def main() -> None:
    """Entry point: exit 0 done, 1 failed, 2 bad usage; a failure is one line on stderr."""
    from streams.config import MarginquakeError

    try:
        app()
    except MarginquakeError as error:
        typer.echo(f"marginquake: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        where = f" for {error.filename}" if error.filename else ""
        typer.echo(f"marginquake: no space is left{where}: free some, or write elsewhere", err=True)
        sys.exit(1)
