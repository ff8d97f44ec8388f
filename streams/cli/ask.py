"""Commands of the group "ask": query,tail."""

import typer

PANEL = "ask"


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
