"""Commands of the group "run": framer,detect,sink,migrate,topics,broker,warehouse."""

import typer

PANEL = "run"


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
