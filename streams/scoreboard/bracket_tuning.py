"""Chooses how wide our brackets are: intervals of dollars, slopes of the excess, on train runs.

Beside the scoreboard, on no data path. Runs every detector over finished runs, takes the windows
that match a true flush, and asks of each width how many truths it would have held. Promises train
seeds alone. What it chooses stands by hand in `ThrottleParams` and `CounterfactualParams`, since a
definition must not change with a file beside it.

    python -m streams.scoreboard.bracket_tuning RUNS/build-up-1 RUNS/news-shock-1
"""

import sys
from collections.abc import Sequence
from math import inf, log
from os import cpu_count
from pathlib import Path
from statistics import fmean, median
from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.core.detectors.cascade.counterfactual import Bare, CounterfactualParams, Excess
from streams.core.detectors.moment import Reference, moment_of
from streams.core.detectors.venue_sums import signed_flow
from streams.core.events import MICROS
from streams.core.throttle import ThrottleParams
from streams.scoreboard.cases import TRAIN_SEEDS, RunKey
from streams.scoreboard.framed import over, read_sealed
from streams.scoreboard.heard import hear
from streams.scoreboard.matching import match
from streams.scoreboard.spans import ALL
from streams.scoreboard.sweeps import span_of

SHARE: Final = 0.8
"""What intervals and brackets should hold."""
ROOM: Final = 0.05
"""Brackets of the excess are chosen to hold so much more on train runs, of which there are few."""
WIDTHS: Final = tuple(step / 20 for step in range(10, 61))
LEAST: Final = (2.0, 3.0, 4.0)
MOST: Final = (12.0, 18.0, 25.0, 35.0, 50.0)
USUAL: Final = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
HALF_LIVES: Final = (7.5, 15.0, 30.0, 60.0, 120.0)


class Second(msgspec.Struct, frozen=True):
    """A second of an asset's window, as `Bare.absorb` takes it."""

    at: int
    usd: int
    depth: int | None
    price: float | None
    so_far: tuple[int, int]


class Matched(msgspec.Struct, frozen=True):
    """A window beside its flush.

    `needed`: standard errors that an interval must be wide for to hold the true dollars, None
    where the window has no interval. Of an asset's window: `truth`, the share of the dollars that
    forced impact called forth (a negative one is none), the true amplification, and its seconds.
    """

    run: str
    needed: float | None
    truth: float | None = None
    amplification: float | None = None
    falling: bool = False
    ratio: float = 1.0
    seconds: tuple[Second, ...] = ()


class Slopes(msgspec.Struct, frozen=True):
    """A try: share of the truths held (mean of runs), mean width, windows with a bracket."""

    params: CounterfactualParams
    held: float
    width: float
    windows: int


def matched(folder: Path, throttled: ThrottleParams, stale_s: int) -> list[Matched]:
    """The windows of a finished run that match a flush."""
    heard = hear(folder)
    rows = {row.id: row for row in heard.windows if row.id in heard.qualified}
    spans = {
        key: msgspec.structs.replace(
            span_of(row, heard.qualified[key]), detected_at=-(-heard.qualified[key] // MICROS)
        )
        for key, row in rows.items()
    }
    by_span = {id(span): key for key, span in spans.items()}
    pasts = _pasts(folder, stale_s)
    found: list[Matched] = []
    for pair in match(heard.case.events, list(spans.values())).pairs:
        row, event = rows[by_span[id(pair.span)]], pair.event
        usd = row.usd_estimated
        wide = (usd, row.usd_low, row.usd_high, throttled.interval_errors)
        asked = None if usd is None else needed(event.usd, row.usd_observed / MICROS, *wide)
        if event.scope == ALL or event.excess_share is None:
            found.append(Matched(heard.case.name, asked))
            continue
        end = row.watermark if row.end is None else row.end
        stretch = [s for s in pasts[event.scope] if row.onset <= s.at * MICROS <= end]
        found.append(
            Matched(
                heard.case.name,
                asked,
                max(0.0, event.excess_share),
                event.amplification,
                event.side == "long",
                max(1.0, (usd or 0) / max(1, row.usd_observed)),
                tuple(_summed(stretch, event.side == "long")),
            )
        )
    return found


def needed(
    truth: float,
    observed: float,
    usd: int | None,
    low: int | None,
    high: int | None,
    errors: float,
) -> float | None:
    """Standard errors that an interval must be wide for to hold `truth` (USD).

    Args:
        truth: true dollars, USD.
        observed: published dollars, USD, below which no interval reaches.
        usd: estimate, micro-dollars; with its ends `low` and `high`, of which one may be clamped.
        low: see `usd`.
        high: see `usd`.
        errors: standard errors that the interval is wide for.

    Returns:
        None without an interval; infinite where no width would do.
    """
    if usd is None or low is None or high is None or not usd:
        return None
    unit = max(high / usd - 1, usd / low - 1 if low else 0.0) / errors
    if truth < observed:
        return inf
    away = max(truth * MICROS / usd, usd / max(1.0, truth * MICROS)) - 1
    return away / unit if unit else (0.0 if away == 0 else inf)


class _Past(msgspec.Struct, frozen=True):
    """A second of an asset: forced dollars by side, net taker flow, depth before it, price."""

    at: int
    forced: tuple[int, int]
    taken: int
    stood: tuple[int | None, int | None]
    price: float | None


def _pasts(folder: Path, stale_s: int) -> dict[str, list[_Past]]:
    """Of each asset, its seconds in order; depth is that of the last books before the second."""
    references: dict[str, Reference] = {}
    found: dict[str, list[_Past]] = {}
    stood: dict[str, tuple[int, int | None, int | None]] = {}
    for sealed in read_sealed(folder):
        for frame in sealed.frames:
            moment = moment_of(frame, references.setdefault(frame.asset, Reference()))
            at, bid, ask = stood.get(frame.asset, (0, None, None))
            fresh = moment.second - at <= stale_s
            forced = [0, 0]
            for cell in moment.cells:
                if cell.kind != "adl":
                    forced[cell.side == "short"] += cell.usd
            found.setdefault(frame.asset, []).append(
                _Past(
                    moment.second,
                    (forced[0], forced[1]),
                    signed_flow(moment.trades) or 0,
                    (bid, ask) if fresh else (None, None),
                    moment.price,
                )
            )
            if moment.bid_usd is not None or moment.ask_usd is not None:
                stood[frame.asset] = moment.second, moment.bid_usd, moment.ask_usd
    return found


def _summed(stretch: Sequence[_Past], falling: bool) -> list[Second]:
    side = 0 if falling else 1
    forced = taken = 0
    seconds: list[Second] = []
    for one in stretch:
        forced += one.forced[side]
        taken += -one.taken if falling else one.taken
        seconds.append(
            Second(one.at, one.forced[side], one.stood[side], one.price, (forced, taken))
        )
    return seconds


def interval_errors(windows: Sequence[Matched]) -> tuple[float, float]:
    """The least width that holds `SHARE` of the truths, and the share that it holds."""
    asked = [one.needed for one in windows if one.needed is not None]
    for width in WIDTHS:
        held = sum(one <= width for one in asked) / len(asked)
        if held >= SHARE:
            return width, held
    raise MarginquakeError(f"no width up to {WIDTHS[-1]:g} holds {SHARE:.0%}; add train runs")


def brackets(windows: Sequence[Matched], params: CounterfactualParams) -> list[Excess]:
    """What the detector would have said of these windows."""
    found: list[Excess] = []
    for one in windows:
        bare = Bare()
        for s in one.seconds:
            bare.absorb(s.at, s.usd, s.depth, s.price, one.falling, s.so_far, params)
        forced = one.seconds[-1].so_far[0] if one.seconds else 0
        found.append(bare.excess(forced, int(forced * one.ratio), params))
    return found


def slopes(windows: Sequence[Matched], params: CounterfactualParams) -> Slopes:
    """How many truths brackets of these parameters hold, and how wide they are."""
    by_run: dict[str, list[bool]] = {}
    widths: list[float] = []
    for one, said in zip(windows, brackets(windows, params), strict=True):
        if one.truth is None or said.low is None or said.high is None:
            continue
        by_run.setdefault(one.run, []).append(said.low <= one.truth <= said.high)
        widths.append(said.high - said.low)
    held = fmean(fmean(run) for run in by_run.values())
    return Slopes(params, held, fmean(widths), len(widths))


def usual(windows: Sequence[Matched], params: CounterfactualParams) -> tuple[float, float]:
    """The slope whose amplification lies nearest to the truth, and the median distance in log."""
    tries: list[tuple[float, float]] = []
    for slope in USUAL:
        changed = msgspec.structs.replace(params, usual=slope)
        away = [
            abs(log(said.amplification / one.amplification))
            for one, said in zip(windows, brackets(windows, changed), strict=True)
            if said.amplification and one.amplification and one.amplification > 0
        ]
        tries.append((median(away), slope))
    distance, slope = min(tries)
    return slope, distance


def report(windows: Sequence[Matched], params: CounterfactualParams) -> list[str]:
    """What was tried, a line each, and what to write into the parameters.

    Raises:
        MarginquakeError: nothing that was tried holds enough.
    """
    width, held = interval_errors(windows)
    lines = [f"interval_errors {width:g} holds {held:.1%} of {len(windows)} windows"]
    causes = [one for one in windows if one.truth is not None]
    tries = [
        slopes(
            causes,
            msgspec.structs.replace(params, least=least, most=most, half_life_s=half_life),
        )
        for half_life in HALF_LIVES
        for least in LEAST
        for most in MOST
    ]
    lines += [
        f"half-life {one.params.half_life_s:g} s, least {one.params.least:g}, most "
        f"{one.params.most:g}: holds {one.held:.1%}, {one.width:.2f} wide, {one.windows} windows"
        for one in tries
    ]
    enough = [one for one in tries if one.held >= SHARE + ROOM]
    if not enough:
        raise MarginquakeError(f"no slopes hold {SHARE + ROOM:.0%}; add steeper ones to MOST")
    best = min(enough, key=lambda one: one.width)
    slope, distance = usual(causes, best.params)
    lines.append(
        f"chosen: half-life {best.params.half_life_s:g} s, least {best.params.least:g}, most "
        f"{best.params.most:g} ({best.held:.1%}, {best.width:.2f} wide), usual {slope:g} "
        f"({distance:.2f} from the truth in log)"
    )
    return lines


def main(folders: Sequence[Path]) -> None:
    """Read finished train runs and print the report.

    Raises:
        MarginquakeError: a run is not of a train seed, or nothing holds enough.
    """
    for folder in folders:
        if RunKey.of(folder.name).seed not in TRAIN_SEEDS:
            raise MarginquakeError(f"{folder.name} is a test run: widths are chosen on train runs")
    params, throttled = CounterfactualParams(), ThrottleParams()
    asked = [(folder, throttled, params.stale_s) for folder in folders]
    windows = [one for run in over(matched, asked, cpu_count() or 1) for one in run]
    sys.stdout.write("\n".join([*report(windows, params), ""]))


if __name__ == "__main__":
    try:
        main([Path(one) for one in sys.argv[1:]])
    except MarginquakeError as error:
        sys.exit(str(error))
