"""The truth file: what only a simulation knows, for the scoreboard and for users.

One JSON object; seconds are UNIX seconds (UTC), dollars are true dollars before the feed layer.
Promises that everything needed to make it again stands in it: scenario, seed, parameters.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from streams.simulation.assets import Asset
from streams.simulation.flushes import SIDES, FlushRule
from streams.simulation.labels import Labelled
from streams.simulation.orders import VENUES
from streams.simulation.scenarios import Scenario, Stage
from streams.simulation.tape import MICROS, Tape

VERSION: Final = "truth/1"
SHARES: Final = (0.1, 0.2, 0.4)
"""Thresholds of self-reinforcement whose counts are published."""


class Phase(msgspec.Struct, frozen=True):
    """A phase of the true regime path, entered at `at`."""

    at: int
    phase: str


class Truth(msgspec.Struct, frozen=True):
    """See docs/simulation.md; `forced` rows are [second, asset, venue, side, orders, usd]."""

    version: str
    scenario: str
    about: str
    seed: int
    begin: int
    end: int
    step_s: float
    assets: list[str]
    venues: list[str]
    parameters: dict[str, float]
    flush_rule: FlushRule
    self_reinforcing_share: float
    flushes: list[Labelled]
    self_reinforcing_counts: dict[str, int]
    regimes: list[Phase]
    forced_usd: dict[str, float]
    forced_usd_by_venue: dict[str, float]
    forced_orders: int
    published_orders: int
    backstop_usd: float
    adl_usd: float
    first_adl: int | None
    gaps: list[dict[str, Any]]
    forced: list[tuple[int, str, str, str, int, float]]
    prices: dict[str, list[float]]
    """Of each asset, the first venue's mid price at the end of each minute, USD."""


def truth_of(
    scenario: Scenario,
    seed: int,
    assets: Sequence[Asset],
    stage: Stage,
    tape: Tape,
    labelled: Sequence[Labelled],
    rule: FlushRule,
    share: float,
    published: int,
) -> Truth:
    """Collect the truth of a run."""
    names = [asset.name for asset in assets]
    start = scenario.start_s
    by_side = tape.usd.sum(axis=(0, 1, 2))
    by_venue = tape.usd.sum(axis=(0, 1, 3))
    minute = max(1, int(60 / tape.step_s))
    first_adl = None if tape.first_adl is None else start + int(tape.first_adl * tape.step_s)
    known = [one.excess_share for one in labelled if one.excess_share is not None]
    return Truth(
        VERSION,
        scenario.name,
        scenario.about,
        seed,
        start,
        start + int(tape.steps * tape.step_s),
        tape.step_s,
        names,
        list(VENUES),
        stage.law._asdict(),
        rule,
        share,
        list(labelled),
        {f"{edge:g}": sum(e >= edge for e in known) for edge in sorted({*SHARES, share})},
        regime_path(stage, tape, start),
        {side: int(usd) / MICROS for side, usd in zip(SIDES, by_side, strict=True)},
        {venue: int(usd) / MICROS for venue, usd in zip(VENUES, by_venue, strict=True)},
        int(tape.orders.sum()),
        published,
        int(tape.backstop_usd.sum()) / MICROS,
        int(tape.adl_usd.sum()) / MICROS,
        first_adl,
        [
            {
                "connection": gap.connection,
                "begin": start + int(gap.begin * tape.step_s),
                "end": start + int(gap.end * tape.step_s),
            }
            for gap in stage.gaps
        ],
        _forced(tape, names, start),
        {
            name: [round(float(p), 8) for p in tape.price[minute - 1 : tape.steps : minute, row]]
            for row, name in enumerate(names)
        },
    )


def regime_path(stage: Stage, tape: Tape, start_s: int) -> list[Phase]:
    """The true phases; empty for runs shorter than a phase.

    Accumulation, expansion and euphoria begin as drawn. Liquidation begins with the first of the
    hours after the draw in which forced dollars reach three times the median hour, and ends when
    they have stayed below twice the median for two hours.
    """
    if not stage.phases:
        return []
    rows = int(3_600 / tape.step_s)
    hours = tape.steps // rows
    forced = tape.usd[: hours * rows].sum(axis=(1, 2, 3)).reshape(hours, rows).sum(axis=1)
    median = float(np.median(forced))
    path: list[Phase] = []
    for number, (begin, phase) in enumerate(stage.phases):
        if begin >= tape.steps:
            break
        at = begin
        if phase == "liquidation":
            hour = begin // rows
            hot = [h for h in range(hour, min(hours, hour + 24)) if forced[h] >= 3 * median]
            at = max(begin, hot[0] * rows) if hot else begin
        elif number and stage.phases[number - 1][1] == "liquidation":
            hour = begin // rows
            while hour + 1 < hours and max(forced[hour : hour + 2]) >= 2 * median:
                hour += 1
            at = max(begin, hour * rows)
        path.append(Phase(start_s + int(at * tape.step_s), phase))
    return path


def _forced(
    tape: Tape, names: Sequence[str], start_s: int
) -> list[tuple[int, str, str, str, int, float]]:
    """Forced orders by second, asset, venue and side; only what is not empty."""
    rows: list[tuple[int, str, str, str, int, float]] = []
    for step, asset, venue, side in np.argwhere(tape.orders > 0).tolist():
        usd = int(tape.usd[step, asset, venue, side]) / MICROS
        orders = int(tape.orders[step, asset, venue, side])
        at = start_s + int(step * tape.step_s)
        rows.append((at, names[asset], VENUES[venue], SIDES[side], orders, usd))
    return rows
