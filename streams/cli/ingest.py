"""Commands of the group "ingest": replay,normalise,instruments."""

import typer

PANEL = "ingest"


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
