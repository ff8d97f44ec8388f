"""Commands of the group "start": demo,live,up,doctor."""

import typer

PANEL = "start"


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
