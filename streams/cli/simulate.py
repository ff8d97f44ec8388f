"""Commands of the group "prove": simulate, likeness."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.simulation.labels import Labelled
    from streams.simulation.plot import Seen
    from streams.simulation.run import Run

PANEL = "prove"


def simulate(
    scenario: Annotated[
        str | None, typer.Argument(help="One of --list.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", file_okay=False, help="Folder.", show_default="SCENARIO-N"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is random.")] = 1,
    assets: Annotated[
        int | None, typer.Option(min=1, help="The so many largest coins.", show_default="its own")
    ] = None,
    hours: Annotated[
        float | None, typer.Option(min=0.1, help="Length.", show_default="its own")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the run that --output holds, first.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the scenarios.")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Draw price, depth, forced dollars, true and detected windows."
        ),
    ] = None,
    rate_bp: Annotated[
        float, typer.Option(min=0.1, help="Flush: forced in 60 s over open interest, bp.")
    ] = 4.0,
    share: Annotated[
        float, typer.Option(min=0.01, max=1, help="Self-reinforcing: least excess share.")
    ] = 0.2,
    labels: Annotated[
        bool, typer.Option("--labels/--no-labels", help="Fork at each flush (takes as long again).")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Make a market whose truth is known: raw logs in the venues' forms, and what happened.

    Accounts, margin, books and liquidation engines of three venues, in event time. Writes
    log.jsonl.zst (for `replay` and `import`), series.csv (for `regime`) and truth.json: true
    forced orders, flushes, which of them fed on themselves, regimes, parameters. --plot also runs
    the log through the detectors, to draw their windows beside the true ones. SIMULATED: it says
    nothing about markets. Needs the extra `simulate`; the first run compiles for a minute.

    Example: marginquake simulate build-up --seed 3 -o run --plot run/picture.png
    """
    from streams.config import MarginquakeError

    if listed:
        _show_list(as_json)
        return
    if scenario is None:
        raise typer.BadParameter("name a scenario, or give --list")
    names = [str(row["scenario"]) for row in _scenarios()]
    if scenario not in names:
        raise MarginquakeError(f"no scenario {scenario!r}; take one of {', '.join(names)}")
    folder = output or Path(f"{scenario}-{seed}")
    if scenario.startswith("points-"):
        if not labels or share != 0.2:
            raise typer.BadParameter(
                "points-* know no counterfactual: leave out --share and --no-labels"
            )
        if plot is not None:
            raise typer.BadParameter("the second generator has no depth to draw; leave out --plot")
    _refuse_earlier(folder, overwrite)
    if scenario.startswith("points-"):
        with _telling_of_interrupts(f"nothing of the run was kept in {folder}"):
            _points(scenario, folder, seed, assets, hours, rate_bp, as_json)
        return
    if plot is not None:
        from streams.simulation.plot import check_target

        check_target(plot, folder)
    from streams.edges.progress import bars
    from streams.simulation.flushes import FlushRule
    from streams.simulation.run import simulate as run_scenario
    from streams.simulation.scenarios import scenario as preset

    with bars(quiet=as_json) as told:
        with _telling_of_interrupts(f"nothing of the run was kept in {folder}"):
            rule = FlushRule(rate_bp=rate_bp)
            run = run_scenario(
                preset(scenario), seed, folder, assets, hours, rule, share, labels, told
            )
        if plot is not None:
            from streams.simulation.plot import draw

            with _telling_of_interrupts(f"the run in {folder} is whole, {plot} is not drawn"):
                draw(run, plot, _seen(folder, run.lines, told) if run.lines else None)
    _tell(run, folder, as_json)


def _refuse_earlier(folder: Path, overwrite: bool) -> None:
    from streams.config import MarginquakeError
    from streams.simulation.files import earlier

    found = earlier(folder)
    if found and not overwrite:
        raise MarginquakeError(
            f"{folder} holds {', '.join(found)} of another run; name another folder with -o, "
            "or remove that run with --overwrite"
        )


@contextmanager
def _telling_of_interrupts(left: str) -> Iterator[None]:
    """End with 130 at Ctrl-C, as shells do, and say what is left of the work."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"marginquake: interrupted; {left}", err=True)
        raise typer.Exit(130) from None


def _seen(folder: Path, records: int, told: Callable[[str, int, int], None]) -> "Seen":
    """What the in-process engine makes of the log; the simulator itself knows no detector."""
    from streams.contracts import partition_for
    from streams.core.events import MICROS
    from streams.edges.archives import lines
    from streams.edges.pictured import Pictured
    from streams.edges.replay import run_replay
    from streams.engines.inprocess import InProcess
    from streams.simulation.files import LOG
    from streams.simulation.plot import Seen, Window
    from streams.venues import PARSERS
    from streams.venues.catalog import default_instruments

    instruments = default_instruments()
    kept = Pictured()
    log = lines([folder / LOG], PARSERS, instruments)
    engine = InProcess(PARSERS, instruments, partition_for)
    run_replay(log, engine, kept, lambda done: told("detectors", done, records))
    usd = {key: micros / MICROS for key, micros in kept.usd.items()}
    return Seen([Window(*span) for span in kept.spans()], usd)


def _points(
    scenario: str,
    folder: Path,
    seed: int,
    assets: int | None,
    hours: float | None,
    rate_bp: float,
    as_json: bool,
) -> None:
    """The second generator, which has neither accounts nor books."""
    import msgspec

    from streams.simulation.flushes import FlushRule
    from streams.simulation.points import simulate_points

    kind, rule = scenario.removeprefix("points-"), FlushRule(rate_bp=rate_bp)
    truth = simulate_points(kind, seed, folder, assets or 4, hours or 8.0, rule=rule)
    if as_json:
        typer.echo(msgspec.json.encode(truth).decode())
        return
    typer.echo(
        f"{folder}: {truth.forced_orders:,} forced orders, {truth.published_orders:,} of them "
        f"published, {len(truth.flushes)} true flushes"
    )


def _show_list(as_json: bool) -> None:
    import json

    from rich.table import Table

    from streams.edges.console import show_table

    rows = _scenarios()
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("scenario", "hours", "assets", "feeds on itself", "what happens")
    for row in rows:
        table.add_row(
            str(row["scenario"]),
            f"{row['hours']:g}",
            str(row["assets"]),
            str(row["self_reinforcing"]),
            str(row["about"]),
        )
    show_table(table)


def _scenarios() -> list[dict[str, str | float]]:
    """What can be simulated, of both generators."""
    from streams.simulation.points import KINDS
    from streams.simulation.scenarios import SCENARIOS

    rows: list[dict[str, str | float]] = [
        {
            "scenario": one.name,
            "about": one.about,
            "hours": one.hours,
            "assets": one.assets,
            "step_s": one.step_s,
            "self_reinforcing": one.self_reinforcing,
        }
        for one in SCENARIOS.values()
    ]
    rows += [
        {
            "scenario": f"points-{kind}",
            "about": f"the second generator, a marked point process: {about}",
            "hours": 8,
            "assets": 4,
            "step_s": 1.0,
            "self_reinforcing": "-",
        }
        for kind, about in KINDS.items()
    ]
    return rows


def _tell(run: "Run", folder: Path, as_json: bool) -> None:
    import json
    from datetime import UTC, datetime

    truth = run.truth
    if as_json:
        import msgspec

        told = {
            "folder": str(folder),
            "scenario": truth.scenario,
            "seed": truth.seed,
            "lines": run.lines,
            "forced_usd": truth.forced_usd,
            "forced_orders": truth.forced_orders,
            "published_orders": truth.published_orders,
            "adl_usd": truth.adl_usd,
            "turned_away": run.turned_away,
            "flushes": msgspec.to_builtins(truth.flushes),
        }
        typer.echo(json.dumps(told))
        return
    typer.echo(
        f"{folder}: {run.lines:,} lines; {truth.forced_orders:,} forced orders, "
        f"{truth.published_orders:,} of them published; longs "
        f"${truth.forced_usd['long'] / 1e6:,.1f}M, shorts ${truth.forced_usd['short'] / 1e6:,.1f}M"
        + (f"; auto-deleveraged ${truth.adl_usd / 1e6:,.1f}M" if truth.adl_usd else "")
    )
    if run.turned_away:
        typer.echo(
            f"{run.turned_away:,} calls found the venue's queue full: the backstop took these "
            "positions at once, and no feed shows them"
        )
    _show_flushes(truth.flushes)
    for phase in truth.regimes:
        at = datetime.fromtimestamp(phase.at, UTC)
        typer.echo(f"{at:%Y-%m-%d %H:%M} {phase.phase}")


def _show_flushes(flushes: "Sequence[Labelled]") -> None:
    from datetime import UTC, datetime

    from rich.table import Table

    from streams.edges.console import show_table

    if not flushes:
        typer.echo("no true flush")
        return
    table = Table("true flush", "side", "onset (UTC)", "s", "forced", "move", "by itself", "label")
    for one in flushes:
        flush = one.flush
        table.add_row(
            flush.scope,
            flush.side,
            datetime.fromtimestamp(flush.onset, UTC).strftime("%m-%d %H:%M:%S"),
            str(flush.end - flush.onset),
            f"${flush.usd / 1e6:,.2f}M",
            "-" if one.move_bp is None else f"{one.move_bp:+.0f} bp",
            "-" if one.excess_share is None else f"{one.excess_share:.0%}",
            "self-reinforcing" if one.self_reinforcing else "flush",
        )
    show_table(table)


def likeness(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="Raw logs, any of them.")
    ],
    venue: Annotated[str, typer.Option(help="Whose forced orders.")] = "binance-usdm",
    assets: Annotated[
        str, typer.Option(help="Only these coins, with commas.", show_default="all")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Lay the forced orders of raw logs side by side: gaps, bunching, sizes, decay, sides.

    Meant for simulated logs beside recordings. Duplicates and silences of more than five minutes
    are left out. A recording holds hundreds of symbols; --assets narrows it to simulated ones.

    Example: marginquake likeness recording.jsonl.gz run/log.jsonl.zst
    """
    import msgspec
    from rich.table import Table

    from streams.edges.console import show_table
    from streams.edges.likeness import likeness as measured
    from streams.edges.likeness import orders_of
    from streams.parsing import parsers
    from streams.venues.catalog import default_instruments

    instruments = default_instruments()
    names = frozenset(name.strip().upper() for name in assets.split(",") if name.strip())
    found = [
        measured(
            file.parent.name if file.name == "log.jsonl.zst" else file.name.split(".")[0],
            orders_of(file, parsers(), instruments, venue, names),
        )
        for file in files
    ]
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("", *(one.name for one in found))
    for field in found[0].__struct_fields__[1:]:
        values = (getattr(one, field) for one in found)
        table.add_row(field, *("-" if value is None else f"{value:.3g}" for value in values))
    show_table(table)


def register(app: typer.Typer) -> None:
    """Add these commands to the app."""
    app.command(rich_help_panel=PANEL)(simulate)
    app.command(rich_help_panel=PANEL)(likeness)
