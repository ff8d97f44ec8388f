"""How near estimated dollars come to the truth in true flushes, and how wide intervals must be.

Beside the scoreboard, on no data path. The width it finds for windows that are exactly the flush is
smaller than `ThrottleParams.interval_errors`, since a detector's window is not.
Takes finished runs, cuts what was published into the blocks of a window that is exactly the flush,
and estimates as detectors do. Promises train seeds alone wherever something is chosen. Knows
nothing of detection: where a window begins and ends is judged elsewhere.

    python -m streams.scoreboard.dollars RUNS/build-up-1 RUNS/news-shock-1
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.core.detectors.interest import standing
from streams.core.detectors.venue_sums import interest_of
from streams.core.dollars import Estimate as Found
from streams.core.events import MICROS, PositionSide
from streams.core.frames import Cell, Frame
from streams.core.results import Identifiability
from streams.core.scaling import Scale, estimate_block
from streams.core.slots import Slots, estimate_slots, tally_slots
from streams.core.throttle import ThrottleParams
from streams.scoreboard.cases import TRAIN_SEEDS
from streams.scoreboard.estimates import Estimate, coverage, relative_bias, relative_error
from streams.scoreboard.framed import read_sealed
from streams.scoreboard.spans import ALL

BLOCK_S: Final = 60
LEAST_S: Final = 10
SHARE: Final = 0.8
"""What the intervals should cover."""
WIDTHS: Final = tuple(step / 20 for step in range(10, 61))


class _Flush(msgspec.Struct, frozen=True):
    scope: str
    side: PositionSide
    onset: int
    end: int
    usd: float


class _Labelled(msgspec.Struct, frozen=True):
    flush: _Flush


class _Truth(msgspec.Struct, frozen=True):
    seed: int
    flushes: tuple[_Labelled, ...]


class Block(msgspec.Struct, frozen=True):
    """What was published in `seconds` seconds from `at` (s) on, and what measures it."""

    at: int
    seconds: int
    slots: Slots
    scale: Scale


class Stretch(msgspec.Struct, frozen=True):
    """A true flush: `true` USD, and of its side `published` micro-dollars."""

    scope: str
    side: PositionSide
    seed: int
    true: float
    published: int
    blocks: tuple[Block, ...]


class Measured(msgspec.Struct, frozen=True):
    """An estimate beside the truth, USD; `alone`: that of each slot by itself (`throttle`)."""

    dollars: Estimate
    alone: Estimate
    published: Estimate
    identifiability: Identifiability


def stretches(folder: Path) -> list[Stretch]:
    """The true flushes of a finished run.

    Raises:
        MarginquakeError: the folder holds no run.
    """
    try:
        truth = msgspec.json.decode((folder / "truth.json").read_bytes(), type=_Truth)
    except FileNotFoundError:
        raise MarginquakeError(f"{folder} holds no truth.json; make the run first") from None
    flushes = [labelled.flush for labelled in truth.flushes]
    cells: dict[tuple[str, int], tuple[Cell, ...]] = {}
    up: dict[int, set[str]] = {}
    interest: dict[int, dict[str, dict[str, int]]] = {}
    told: dict[str, dict[str, int]] = {}
    wanted = {second for one in flushes for second in range(one.onset, one.end + 1)}
    onsets = sorted({one.onset for one in flushes})
    for sealed in read_sealed(folder):
        for frame in sealed.frames:
            second = frame.second // MICROS
            while onsets and second > onsets[0]:
                interest[onsets.pop(0)] = {asset: dict(parts) for asset, parts in told.items()}
            if second in wanted:
                cells[frame.asset, second] = frame.cells
                up.setdefault(second, set(frame.venues_up)).update(frame.venues_up)
            if onsets and onsets[0] - second < BLOCK_S:
                told[frame.asset] = _interest(frame, second)
    return [_stretch(one, truth.seed, cells, up, interest.get(one.onset, {})) for one in flushes]


def _interest(frame: Frame, second: int) -> dict[str, int]:
    speaking, _ = standing(frame.tickers, second)
    return {one.venue: one.oi_usd for one in interest_of(speaking).venues if one.oi_usd}


def _stretch(
    flush: _Flush,
    seed: int,
    cells: dict[tuple[str, int], tuple[Cell, ...]],
    up: dict[int, set[str]],
    told: dict[str, dict[str, int]],
) -> Stretch:
    interest: dict[str, int] = {}
    for asset in sorted(told):
        if flush.scope in (ALL, asset):
            for venue, usd in told[asset].items():
                interest[venue] = interest.get(venue, 0) + usd
    assets = sorted({asset for asset, _ in cells if flush.scope in (ALL, asset)})
    published = 0
    blocks: list[Block] = []
    for began in range(flush.onset, flush.end + 1, BLOCK_S):
        until = min(began + BLOCK_S, flush.end + 1)
        slots: Slots = {}
        for second in range(began, until):
            members = tuple(c for asset in assets for c in cells.get((asset, second), ()))
            tally_slots(slots, members, second)
            published += sum(c.usd for c in members if c.side == flush.side and c.kind != "adl")
        known = [up[second] for second in range(began, until) if second in up]
        scale = Scale(interest, set.intersection(*known) if known else set())
        blocks.append(Block(began, max(LEAST_S, until - began), slots, scale))
    return Stretch(flush.scope, flush.side, seed, flush.usd, published, tuple(blocks))


def measure(stretch: Stretch, params: ThrottleParams) -> Measured:
    """What a window of exactly this stretch would say."""
    found = Found()
    alone = 0
    for block in stretch.blocks:
        found = found.plus(
            estimate_block(block.slots, block.seconds, block.at, block.scale, params)
        )
        sides = estimate_slots(block.slots, block.seconds, block.at, params)
        alone += (sides.long_usd if stretch.side == "long" else sides.short_usd) or 0
    dollars = found.of(stretch.side)
    low, high = dollars.interval(stretch.published, params)
    value = None if dollars.usd is None else max(stretch.published, dollars.usd) / MICROS
    ends = (None if low is None else low / MICROS, None if high is None else high / MICROS)
    return Measured(
        Estimate(stretch.true, value, *ends),
        Estimate(stretch.true, alone / MICROS),
        Estimate(stretch.true, stretch.published / MICROS),
        found.identifiability,
    )


def fitted(known: Sequence[Stretch], params: ThrottleParams) -> ThrottleParams:
    """The parameters with the narrowest intervals that cover 80 % of the truths.

    Raises:
        MarginquakeError: a stretch is not of a train seed, or no width covers that many.
    """
    strange = [one.seed for one in known if one.seed not in TRAIN_SEEDS]
    if strange:
        raise MarginquakeError(f"seed {strange[0]} is no train seed; fit on train runs alone")
    for width in WIDTHS:
        wider = msgspec.structs.replace(params, interval_errors=width)
        share = coverage(measure(one, wider).dollars for one in known).share
        if share is not None and share >= SHARE:
            return wider
    raise MarginquakeError("no width covers 80 % of the truths; give runs with flushes")


def table(known: Iterable[Measured]) -> list[str]:
    """Lines of a Markdown table: median errors, bias and coverage, by label and in all."""
    rows = list(known)
    lines = [
        "| label | flushes | published | slot by slot | estimate | bias | in 80 % interval |",
        "|---|---|---|---|---|---|---|",
    ]
    labels: list[Identifiability | None] = ["ok", "extrapolated", "saturated", "unknown", None]
    for label in labels:
        chosen = [row for row in rows if label in (None, row.identifiability)]
        if not chosen:
            continue
        dollars = [row.dollars for row in chosen]
        figures = (
            relative_error(row.published for row in chosen),
            relative_error(row.alone for row in chosen),
            relative_error(dollars),
            relative_bias(dollars),
            coverage(dollars).share,
        )
        shown = " | ".join("-" if one is None else f"{one:.1%}" for one in figures)
        lines.append(f"| {label or 'all'} | {len(chosen)} | {shown} |")
    return lines


def main(folders: Sequence[str]) -> None:
    """Print the table for runs of train seeds, and the width that they ask for."""
    known = [one for folder in folders for one in stretches(Path(folder))]
    params = fitted(known, ThrottleParams())
    lines = table(measure(one, ThrottleParams()) for one in known)
    sys.stdout.write("\n".join([*lines, f"interval_errors = {params.interval_errors:g}", ""]))


if __name__ == "__main__":
    main(sys.argv[1:])
