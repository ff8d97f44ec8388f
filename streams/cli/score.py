"""Command of the group "prove": score."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

if TYPE_CHECKING:
    from streams.scoreboard.report import Look
    from streams.scoreboard.score import Score

PANEL = "prove"


_NOT_OF_TUNE: Final = {
    "split": "thresholds are chosen on train seeds",
    "families": "settings are chosen on all scenarios",
    "parts": "settings are chosen on flushes, and nothing is scored",
    "baselines": "the rivals are tuned with ours",
    "recordings": "settings are chosen on simulated runs",
    "labels": "settings are chosen on simulated runs",
    "page": "nothing is scored, so there is no page",
}


def score(
    context: typer.Context,
    split: Annotated[
        Literal["test", "train"], typer.Option(help="Whose seeds; train while you change a rule.")
    ] = "test",
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of each scenario.")] = 2,
    families: Annotated[
        str,
        typer.Option(
            help="Only these scenarios, with commas; of flushes and readers.", show_default="all"
        ),
    ] = "",
    parts: Annotated[
        str,
        typer.Option(
            help="Of flushes, readers, points, regimes, throttle, recordings; with commas.",
            show_default="all",
        ),
    ] = "",
    baselines: Annotated[
        bool, typer.Option("--baselines/--no-baselines", help="Score the rival rules too.")
    ] = True,
    tune: Annotated[
        bool,
        typer.Option(
            "--tune",
            help="Choose all settings on train seeds, write them into this installation, stop.",
        ),
    ] = False,
    folder: Annotated[
        Path, typer.Option(file_okay=False, help="Where runs are made and kept (2 GB a seed).")
    ] = Path("scoreboard-runs"),
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes.", show_default="one per core")
    ] = None,
    recordings: Annotated[
        Path | None, typer.Option(file_okay=False, exists=True, help="Folder of recordings.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(dir_okay=False, exists=True, help="Labels of --recordings."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the results page, e.g. FILE.md.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Score the detectors against truth, beside the rules that others use.

    Simulates each scenario at each seed, runs every detector and rival on what the venues would
    have published, and compares with what happened. Runs are kept in --folder: a second call
    takes minutes. Test seeds decide nothing: `--tune` chooses on train seeds only. Needs the
    extra `simulate`.

    Example: marginquake score --split train --seeds 1 --families build-up,calm --parts flushes
    """
    import os
    from datetime import UTC, datetime

    import msgspec

    from streams.config import MarginquakeError
    from streams.edges.progress import bars
    from streams.scoreboard import report
    from streams.scoreboard import score as scoreboard

    if tune:
        _refuse_beside_tune(context)
    asked = [one.strip() for one in parts.split(",") if one.strip()]
    unknown = [one for one in asked if one not in scoreboard.PARTS]
    if unknown:
        raise MarginquakeError(f"--parts {unknown[0]}: take of {', '.join(scoreboard.PARTS)}")
    wanted = [one for one in scoreboard.PARTS if one in asked or not asked]
    if "recordings" in asked and recordings is None:
        raise MarginquakeError(
            "--parts recordings: there is none to score; name --recordings FOLDER and --labels FILE"
        )
    if (recordings is None) != (labels is None):
        raise MarginquakeError("--recordings and --labels go together; name both or neither")
    if page is not None and not page.parent.is_dir():
        raise MarginquakeError(f"--page {page}: the folder {page.parent} is not there; make it")
    processes = workers or os.cpu_count() or 1
    seen = report.looks()
    with bars(quiet=as_json) as told:
        if tune:
            choices = scoreboard.tune(seeds, folder, processes, told)
            typer.echo(
                msgspec.json.encode(choices).decode() if as_json else report.choices(choices)
            )
            return
        found = scoreboard.score(
            split,
            seeds,
            folder,
            datetime.now(UTC).date(),
            wanted,
            tuple(one.strip() for one in families.split(",") if one.strip()),
            baselines,
            processes,
            recordings,
            labels,
            told,
        )
    look = report.looked(found) if split == "test" else None
    if look is not None:
        problems = _tell(found, (*seen, look), page, as_json)
        # Last, since the figures take an hour and the installation may be read-only.
        try:
            report.note(look)
        except MarginquakeError as error:
            problems.append(str(error))
    else:
        problems = _tell(found, seen, page, as_json)
    if problems:
        raise MarginquakeError("; ".join(problems))


def _refuse_beside_tune(context: typer.Context) -> None:
    from streams.config import MarginquakeError

    for name, reason in _NOT_OF_TUNE.items():
        given = context.get_parameter_source(name)
        value = context.params[name]
        if given is None or given.name == "DEFAULT" or value in ("train", True):
            continue
        option = {"split": "--split test", "baselines": "--no-baselines"}.get(name, f"--{name}")
        raise MarginquakeError(f"--tune with {option}: {reason}; leave out {option}")


def _tell(found: "Score", seen: "Sequence[Look]", page: Path | None, as_json: bool) -> list[str]:
    """Write the page, print the result, and give what went wrong."""
    import msgspec

    from streams.scoreboard import report

    text = report.page(found, seen)
    problems = []
    if page is not None:
        try:
            page.write_text(text)
            page.with_suffix(".json").write_bytes(
                msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
            )
        except OSError as error:
            problems.append(
                f"cannot write {error.filename or page} ({error.strerror}): the result stands on "
                "standard output alone; keep it, and name a file of yours with --page"
            )
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(found)))
    else:
        typer.echo(text)
    return problems


def register(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command(rich_help_panel=PANEL)(score)
