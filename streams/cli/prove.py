"""Commands of the group "prove": bench, schemas."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

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


def register(app: typer.Typer) -> None:
    """Add this group's commands to the app."""
    app.command(rich_help_panel=PANEL)(schemas)
