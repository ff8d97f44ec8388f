"""Runs a scenario: raw log, hourly series and truth, into a folder.

The simulator's front door for Python. Files: `log.jsonl.zst` (what collectors received; not for
scenarios in coarse steps), `series.csv` (an hour a row, for `marginquake regime`), `truth.json`.
Promises the same bytes of log, series and truth for the same arguments and version, and whole files
or none.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import numpy as np

from streams.config import MarginquakeError
from streams.simulation.assets import Asset, chosen
from streams.simulation.feed import Feed
from streams.simulation.files import LOG, SERIES, TRUTH, whole, written
from streams.simulation.flushes import RULE, FlushRule, flushes_of
from streams.simulation.labels import SHARE, Labelled, label
from streams.simulation.market import Market
from streams.simulation.scenarios import Scenario, Stage, staged
from streams.simulation.series import series_csv
from streams.simulation.state import Block, Floats
from streams.simulation.tape import Tape
from streams.simulation.truth import Truth, truth_of

Stretch = tuple[int, int, int, Block]
Progress = Callable[[str, int, int], None]


class Run(msgspec.Struct, frozen=True):
    """What a run knows and wrote; `turned_away`: see `Market`."""

    scenario: Scenario
    seed: int
    assets: tuple[Asset, ...]
    stage: Stage
    tape: Tape
    truth: Truth
    lines: int
    turned_away: int


def simulate(
    scenario: Scenario,
    seed: int,
    folder: Path,
    assets: int | None = None,
    hours: float | None = None,
    rule: FlushRule = RULE,
    share: float = SHARE,
    labels: bool = True,
    progress: Progress = lambda part, done, total: None,
) -> Run:
    """Run a scenario and write its files.

    Args:
        scenario: from `scenarios.SCENARIOS`.
        seed: 0 or more.
        folder: made where it is not there; files of an earlier run are removed first.
        assets: how many of the largest coins; the scenario's own number when None.
        hours: length; the scenario's own when None.
        rule: when forced flow is a flush.
        share: least excess over the counterfactual of a self-reinforcing flush.
        labels: whether to fork (the second label); about doubles the time of a run with flushes.
        progress: told the part of the work, steps done, and steps in all.

    Raises:
        MarginquakeError: bad numbers, or the folder cannot be written.
    """
    if not 0 <= seed < 2**31:
        raise MarginquakeError(f"--seed {seed}: give 0 to {2**31 - 1}")
    if hours is not None and not 0.1 <= hours <= 24 * 400:
        raise MarginquakeError(f"--hours {hours:g}: give 0.1 to {24 * 400}")
    coins = chosen(assets or scenario.assets)
    stage = staged(scenario, seed, [coin.beta for coin in coins], hours)

    def opened() -> Market:
        return Market(coins, stage.law, stage.plan, stage.seed, scenario.start_s, stage.opening)

    market = opened()
    k, v = market.terms.share.shape
    tape = Tape(stage.steps, k, v, scenario.step_s)

    def told(first: int, steps: int, orders: int, block: Block) -> None:
        tape.take(first, steps, orders, block)
        progress("market", first + steps, stage.steps)

    published, lines = 0, 0
    with whole(folder) as parts:
        if scenario.step_s == 1.0:
            depth = ordinary_depth(market)
            feed = Feed(
                coins,
                market.terms.share,
                depth,
                scenario.start_s,
                stage.steps,
                stage.seed,
                stage.gaps,
            )
            blocks: Iterable[Stretch] = market.blocks(stage.steps)
            lines = written(parts[LOG], feed.lines(blocks, told))
            published = feed.published
        else:
            for stretch in market.blocks(stage.steps):
                told(*stretch)
        labelled: list[Labelled] = []
        if scenario.step_s == 1.0:
            names = [coin.name for coin in coins]
            found = flushes_of(tape, names, scenario.start_s, rule)
            labelled = label(
                found if labels else (),
                tape,
                opened,
                share,
                lambda done: progress("forks", done, stage.steps),
            )
            if not labels:
                labelled = [Labelled.without_fork(flush) for flush in found]
        truth = truth_of(scenario, seed, coins, stage, tape, labelled, rule, share, published)
        parts[SERIES].write_text(series_csv(tape, scenario.start_s))
        parts[TRUTH].write_bytes(msgspec.json.encode(truth))
    return Run(scenario, seed, coins, stage, tape, truth, lines, market.turned_away)


def ordinary_depth(market: Market) -> Floats:
    """[K, V+1] dollars within 1 % on an ordinary day."""
    share = market.terms.share
    spot = np.full((len(share), 1), market.law.spot_depth)
    depth = market.law.depth * market.terms.interest[:, None]
    return np.hstack([share, spot]) * depth
