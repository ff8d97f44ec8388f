"""Commands of the group "prove": bench."""

import typer

PANEL = "prove"


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
