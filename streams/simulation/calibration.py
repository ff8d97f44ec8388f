"""The simulator beside published figures: how far depth falls in flushes, and October 2025.

Beside the simulator, on no data path: markets are run without feeds, so that many fit into a
minute. Promises figures of the truth alone. Uses train seeds, since scenarios are shaped by them.

    python -m streams.simulation.calibration 4
"""

import sys
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from streams.config import MarginquakeError
from streams.simulation.assets import chosen
from streams.simulation.flushes import MARKET, Flush, flushes_of, trailing
from streams.simulation.market import Market
from streams.simulation.scenarios import SCENARIOS, scenario, staged
from streams.simulation.state import Ints
from streams.simulation.tape import Tape

ASSETS: Final = 4
HOURS: Final = 6
OCTOBER: Final = "october-2025"
OCTOBER_HOURS: Final = 11
NEWS_S: Final = (8 * 60 + 50) * 60
"""20:50 UTC of October's preset, s from its opening."""
BREAK_S: Final = 2_400
USUAL_S: Final = 3_600
AFTER_S: Final = 60


class Simulated(msgspec.Struct, frozen=True):
    """A market that was run: its truth by step, its coins, its flushes (UNIX s) and its opening."""

    tape: Tape
    names: tuple[str, ...]
    flushes: tuple[Flush, ...]
    start_s: int


class October(msgspec.Struct, frozen=True):
    """October's figures: shares of all forced dollars, and seconds.

    `long`; `in_break`: in the 40 minutes from 20:50; `peak_minute`; `deleveraged`; `adl_s`: the
    first auto-deleveraging after the first burst (60-s dollars of a tenth of the largest), None
    without; `peaks` of the market's largest flush.
    """

    long: float
    in_break: float
    peak_minute: float
    deleveraged: float
    adl_s: int | None
    peaks: int


def market(name: str, seed: int, hours: float) -> Simulated:
    """Run the market of a scenario, without feeds and labels of cause."""
    preset = scenario(name)
    coins = chosen(ASSETS)
    stage = staged(preset, seed, [coin.beta for coin in coins], hours)
    run = Market(coins, stage.law, stage.plan, stage.seed, preset.start_s, stage.opening)
    assets, venues = run.terms.share.shape
    tape = Tape(stage.steps, assets, venues, 1.0)
    for first, steps, orders, block in run.blocks(stage.steps):
        tape.take(first, steps, orders, block)
    names = tuple(coin.name for coin in coins)
    return Simulated(tape, names, tuple(flushes_of(tape, names, preset.start_s)), preset.start_s)


def depth_falls(one: Simulated) -> list[float]:
    """Of each asset's flush: median depth of the hour before it over the least in it.

    "In it" is up to a minute after its end.
    """
    falls: list[float] = []
    for flush in one.flushes:
        if flush.scope == MARKET:
            continue
        depth = one.tape.depth[: one.tape.steps, one.names.index(flush.scope)]
        onset, end = flush.onset - one.start_s, flush.end - one.start_s
        before = depth[max(0, onset - USUAL_S) : max(1, onset)]
        falls.append(float(np.median(before) / depth[onset : end + AFTER_S].min()))
    return falls


def october(one: Simulated) -> October:
    """The figures of a run of October's preset."""
    sides: Ints = one.tape.usd[: one.tape.steps].sum(axis=(1, 2))
    usd: Ints = sides.sum(axis=1)
    total = float(usd.sum())
    minutes = trailing(usd, 60)
    burst = NEWS_S + int(np.nonzero(minutes[NEWS_S:] >= minutes[NEWS_S:].max() / 10)[0][0])
    adl = np.nonzero(one.tape.adl_usd[NEWS_S : one.tape.steps].sum(axis=1))[0]
    largest = max(
        (flush for flush in one.flushes if flush.scope == MARKET), key=lambda flush: flush.peak_usd
    )
    return October(
        float(sides[:, 0].sum()) / total,
        float(usd[NEWS_S : NEWS_S + BREAK_S].sum()) / total,
        float(minutes.max()) / total,
        float(one.tape.adl_usd.sum()) / total,
        NEWS_S + int(adl[0]) - burst if len(adl) else None,
        largest.peaks,
    )


def report(seeds: Sequence[int]) -> list[str]:
    """Depth by scenario and of all, then October by seed; a line each."""
    lines: list[str] = []
    everywhere: list[float] = []
    for name, preset in SCENARIOS.items():
        if preset.step_s != 1.0:
            continue
        hours = OCTOBER_HOURS if name == OCTOBER else HOURS
        falls = [fall for seed in seeds for fall in depth_falls(market(name, seed, hours))]
        everywhere += falls
        lines.append(f"depth, {name}: {_falls(falls)}")
    lines.append(f"depth, all: {_falls(everywhere)}")
    for seed in seeds:
        one = october(market(OCTOBER, seed, OCTOBER_HOURS))
        lines.append(
            f"october, seed {seed}: long {one.long:.0%}, 40 minutes {one.in_break:.0%}, peak "
            f"minute {one.peak_minute:.0%}, deleveraged {one.deleveraged:.0%}, first after "
            f"{one.adl_s} s, peaks {one.peaks}"
        )
    return lines


def _falls(falls: Sequence[float]) -> str:
    if not falls:
        return "no flush"
    middle, high = np.quantile(falls, (0.5, 0.9))
    return f"{len(falls)} flushes, median {middle:.1f}, p90 {high:.1f}"


def main(arguments: Sequence[str]) -> None:
    """Print the report of the first so many seeds.

    Raises:
        MarginquakeError: not one number from 1 to 99.
    """
    if len(arguments) != 1 or not arguments[0].isdigit() or not 1 <= int(arguments[0]) <= 99:
        raise MarginquakeError("give the number of seeds, 1 to 99; a seed takes a minute")
    sys.stdout.write("\n".join([*report(range(1, int(arguments[0]) + 1)), ""]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except MarginquakeError as error:
        sys.exit(str(error))
