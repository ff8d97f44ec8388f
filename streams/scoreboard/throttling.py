"""The software-throttle test: take complete orders, throttle them, and compare the estimate.

Beside the data path. Four sources of complete orders go through the two rules of throttled venues
(largest, latest order of a second) and then through `streams.core.throttle` in blocks of 60 s, as
the detectors do. Promises the same table for the same seeds. The recordings are throttled feeds
themselves: there all symbols of a recording are taken as one, of which what was published is whole.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.core.events import MICROS
from streams.core.throttle import Feed, Pick, SlotTally, ThrottleParams, estimate, feed
from streams.scoreboard.quantiles import median, quantile
from streams.scoreboard.recorded import published, recordings

Source = Literal["poisson", "bybit", "venues", "recordings"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK_S: Final = 60
PICKS: Final[tuple[Pick, Pick]] = ("largest", "latest")
RATES: Final = (0.2, 1.0, 3.0, 5.0, 10.0, 60.0)
"""Classes of true orders per second and slot; a block belongs to the nearest by ratio."""
EDGES: Final = (0.1, *((a * b) ** 0.5 for a, b in pairwise(RATES)), inf)
POISSON_BLOCKS: Final = 1_000
RUNS: Final = (("build-up", 3, 8.0), ("october-2025", 3, 10.0))
"""Scenario, assets, hours of each seed: ordinary flow and rushes."""
RULES: Final[dict[Pick, Feed]] = {
    "largest": feed("binance-usdm", 1_790_000_000 * MICROS),
    "latest": feed("binance-usdm", 1_700_000_000 * MICROS),
}
LOW, HIGH = 0.1, 0.9


class Block(msgspec.Struct, frozen=True):
    """One slot's 60 s.

    `orders` in truth, `occupied` seconds; dollars true, left by the throttle and estimated;
    `bound`: what the tape allows at most, None where there is no tape.
    """

    orders: int
    occupied: int
    true: float
    published: float
    estimate: float
    identifiable: bool
    bound: float | None = None


class ThrottleRow(msgspec.Struct, frozen=True):
    """What a throttle leaves of a source, and how well the estimate mends it, by true rate.

    `rate`: orders per second of the class, None over all classes. `occupied`: mean share of
    seconds with an order. `published`, `estimate`: sums over true sums; `published_median`,
    `estimate_median`, `estimate_p10`, `estimate_p90`: of the blocks' own ratios. `identifiable`:
    blocks below saturation; over these alone `error`: median of abs(estimate / true - 1), and
    `covered`: share of blocks inside the 80 % interval of `interval`. `bound`: median bound over
    the truth. None where no block has the figure.
    """

    source: Source
    pick: Pick
    rate: float | None
    blocks: int
    occupied: float
    published: float
    published_median: float
    estimate: float
    estimate_median: float
    estimate_p10: float
    estimate_p90: float
    identifiable: int
    error: float | None
    covered: float | None
    bound: float | None


class Tape(msgspec.Struct, frozen=True):
    """Complete orders of one slot in order of time: their seconds and dollars.

    `takers`: dollars of all takers, both sides, by second from `begin` on; None without a tape.
    """

    seconds: Ints
    usd: Floats
    begin: int = 0
    takers: Floats | None = None


def throttle_table(
    seeds: Sequence[int],
    folder: Path | None = None,
    runs: Sequence[tuple[str, int, float]] = RUNS,
    progress: Callable[[str], None] = lambda part: None,
) -> tuple[ThrottleRow, ...]:
    """Rows by source, pick and rate class.

    Args:
        seeds: of the simulated markets.
        folder: of the recordings; left out when None.
        runs: scenario, assets, hours run at each seed.
        progress: told each part before it is done.

    Raises:
        MarginquakeError: bad numbers, or the folder holds no recording.
    """
    tapes: dict[Source, list[Tape]] = {"bybit": [], "venues": []}
    for seed in seeds:
        for scenario, assets, hours in runs:
            progress(f"{scenario} {seed}")
            for source, tape in simulated(scenario, seed, assets, hours):
                tapes[source].append(tape)
    if folder is not None:
        progress("recordings")
        tapes["recordings"] = [pooled(path) for path in recordings(folder)]
    rows = [
        row_of("poisson", pick, rate, throttled(poisson(rate), pick))
        for pick in PICKS
        for rate in RATES
    ]
    for source, found in tapes.items():
        for pick in PICKS:
            blocks = [block for tape in found for block in throttled(tape, pick)]
            rows += rows_of(source, pick, blocks)
    return tuple(rows)


def poisson(rate: float, blocks: int = POISSON_BLOCKS, sigma: float = 1.9, seed: int = 1) -> Tape:
    """Poisson arrivals with lognormal sizes, `blocks` minutes: what the correction assumes."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rate, blocks * BLOCK_S)
    usd = rng.lognormal(0.0, sigma, int(counts.sum()))
    return Tape(np.repeat(np.arange(blocks * BLOCK_S), counts), 1_000.0 * usd)


def simulated(scenario: str, seed: int, assets: int, hours: float) -> Iterator[tuple[Source, Tape]]:
    """The true forced orders of a simulated market, by asset.

    `bybit`: what that venue's complete feed tells, positions taken over and auto-deleveraged
    included. `venues`: orders on the book of all venues as if of one, for higher rates; only
    these have a tape.
    """
    from streams.simulation.assets import chosen
    from streams.simulation.market import Market
    from streams.simulation.orders import VENUES
    from streams.simulation.scenarios import scenario as preset
    from streams.simulation.scenarios import staged

    chosen_preset, coins = preset(scenario), chosen(assets)
    stage = staged(chosen_preset, seed, [coin.beta for coin in coins], hours)
    market = Market(coins, stage.law, stage.plan, stage.seed, chosen_preset.start_s, stage.opening)
    when, place, usd = [], [], []
    takers = np.zeros((stage.steps, len(coins)))
    for first, steps, orders, block in market.blocks(stage.steps):
        order = np.argsort(block.when[:orders], kind="stable")
        when.append(block.when[order] // MICROS)
        place.append(block.place[order])
        usd.append(block.order[order, 0] * block.order[order, 1])
        chosen_flow = block.bought[:steps] + block.sold[:steps]
        takers[first : first + steps] = chosen_flow[:, :, : len(VENUES)].sum(axis=2)
    seconds, places, dollars = np.concatenate(when), np.concatenate(place), np.concatenate(usd)
    on_book = places[:, 3] == 0
    np.add.at(takers, (seconds[on_book], places[on_book, 0]), dollars[on_book])
    for asset in range(len(coins)):
        own = places[:, 0] == asset
        told = own & (places[:, 1] == VENUES.index("bybit"))
        yield "bybit", Tape(seconds[told], dollars[told])
        booked = own & on_book
        yield "venues", Tape(seconds[booked], dollars[booked], 0, takers[:, asset])


def pooled(path: Path) -> Tape:
    """A recording's published orders of all symbols as one slot's complete orders.

    Raises:
        MarginquakeError: the file cannot be read.
    """
    orders = published(path)
    seconds = np.array([one.at_us // MICROS for one in orders], np.int64)
    return Tape(seconds, np.array([one.usd for one in orders]))


def throttled(tape: Tape, pick: Pick) -> list[Block]:
    """Throttle a slot's orders to one a second, and estimate each minute that has any."""
    if not len(tape.seconds):
        return []
    starts = np.flatnonzero(np.diff(tape.seconds, prepend=tape.seconds[0] - 1))
    counts = np.diff(starts, append=len(tape.seconds))
    told = (
        np.maximum.reduceat(tape.usd, starts)
        if pick == "largest"
        else tape.usd[starts + counts - 1]
    )
    true = np.add.reduceat(tape.usd, starts)
    seconds = tape.seconds[starts]
    bound = None
    if tape.takers is not None:
        bound = np.maximum(told, tape.takers[seconds - tape.begin])
    minutes, begins = np.unique(seconds // BLOCK_S, return_index=True)
    ends = np.append(begins[1:], len(seconds))
    made: list[Block] = []
    for number in range(len(minutes)):
        part = slice(begins[number], ends[number])
        occupied = int(ends[number] - begins[number])
        left = float(told[part].sum())
        tally = SlotTally(occupied, round(left * MICROS), 0, None, None)
        mended = estimate(RULES[pick], tally, BLOCK_S, ThrottleParams())
        assert mended.usd is not None  # noqa: S101  only a partial feed has no estimate
        made.append(
            Block(
                int(counts[part].sum()),
                occupied,
                float(true[part].sum()),
                left,
                mended.usd / MICROS,
                mended.identifiability == "ok",
                None if bound is None else float(bound[part].sum()),
            )
        )
    return made


def rows_of(source: Source, pick: Pick, blocks: Sequence[Block]) -> list[ThrottleRow]:
    """A row for each rate class that has a block, and one over all."""
    rows = []
    for rate, low, high in zip(RATES, EDGES[:-1], EDGES[1:], strict=True):
        own = [one for one in blocks if low <= one.orders / BLOCK_S < high]
        if own:
            rows.append(row_of(source, pick, rate, own))
    every = [one for one in blocks if one.orders / BLOCK_S >= EDGES[0]]
    if every:
        rows.append(row_of(source, pick, None, every))
    return rows


def row_of(source: Source, pick: Pick, rate: float | None, blocks: Sequence[Block]) -> ThrottleRow:
    """The figures of some blocks, one at least."""
    true = sum(one.true for one in blocks)
    ratios = [one.estimate / one.true for one in blocks]
    known = [one for one in blocks if one.identifiable]
    inside = 0
    for one in known:
        low, high = interval(pick, one.occupied)
        inside += low * one.published <= one.true <= high * one.published
    return ThrottleRow(
        source,
        pick,
        rate,
        len(blocks),
        sum(one.occupied for one in blocks) / BLOCK_S / len(blocks),
        sum(one.published for one in blocks) / true,
        median(one.published / one.true for one in blocks) or 0.0,
        sum(one.estimate for one in blocks) / true,
        median(ratios) or 0.0,
        quantile(ratios, LOW) or 0.0,
        quantile(ratios, HIGH) or 0.0,
        len(known),
        median(abs(one.estimate / one.true - 1) for one in known),
        inside / len(known) if known else None,
        median(one.bound / one.true for one in blocks if one.bound is not None),
    )


def interval(pick: Pick, occupied: int) -> tuple[float, float]:
    """True over published dollars at 10 % and 90 % when `occupied` seconds of a minute have one.

    Of Poisson arrivals at rates from 0.01 to 6 a second, all alike by ratio, with lognormal sizes
    of sigma 1.9: no market and no seed of one is in it. Beyond saturation the last row stands.
    """
    rows = _intervals(pick)
    return rows[min(occupied, len(rows) - 1)]


@lru_cache(maxsize=2)
def _intervals(pick: Pick) -> tuple[tuple[float, float], ...]:
    last = ThrottleParams().saturation_percent * BLOCK_S // 100
    found: list[list[float]] = [[] for _ in range(last + 1)]
    for number, rate in enumerate(np.geomspace(0.01, 6.0, 40).tolist()):
        for one in throttled(poisson(rate, 800, seed=1_000 + number), pick):
            if one.occupied <= last:
                found[one.occupied].append(one.true / one.published)
    return tuple((quantile(ratios, LOW) or 1.0, quantile(ratios, HIGH) or 1.0) for ratios in found)
