"""Figures of what readers are told, pooled over runs: delay, move left, dollars, brackets, pages.

Between `telling` and the results page. Promises intervals by whole runs, numbers of cases beside
every figure, and that runs without a flush count where false alarms are counted.
"""

from collections.abc import Callable, Sequence
from math import log
from typing import Literal

import msgspec

from streams.scoreboard.bootstrap import Interval, interval, intervals
from streams.scoreboard.estimates import Estimate, coverage, relative_bias, relative_error
from streams.scoreboard.moves import Move, Moves, done_share, left_bp, left_share, pool_moves
from streams.scoreboard.quantiles import median, quantile
from streams.scoreboard.telling import Scope, Skill, Told, Window

SELF_REINFORCING = 0.2
"""Share of a flush that its own impact must have called forth."""
PAGES_OF = 400
"""Assets for which pages a day are told."""


class DollarFigures(msgspec.Struct, frozen=True):
    """Estimates of one label, or of all: `error` and `bias` are medians over the truth, `inside`
    the share of truths in our 80 % intervals, `bounded` how many had one.
    """

    identifiability: str
    windows: int
    error: Interval
    bias: float | None
    bounded: int
    inside: Interval
    below: int
    above: int


Bracket = Literal["excess", "hawkes"]
Amplified = Literal["amplification", "against_book"]


class BracketFigures(msgspec.Struct, frozen=True):
    """Brackets of the excess share: of `windows`, `bounded` had one.

    `bracket`: whose ends; `inside`: share of them that hold the truth; `width`: median;
    `least_share`: how much of the excess must be there for a flush to count (None: all);
    `decided`: brackets that lie wholly on one side of SELF_REINFORCING, of them `right`.
    """

    bracket: Bracket
    least_share: float | None
    windows: int
    bounded: int
    inside: Interval
    below: int
    above: int
    width: float | None
    decided: int
    right: int


class MoveFigures(msgspec.Struct, frozen=True):
    """Shares of the whole move, at alarms and at placebo times; bp still to come."""

    scope: Scope
    alarms: int
    done: Interval
    done_p90: float | None
    left: Interval
    left_p90: float | None
    left_bp: Interval
    placebo_done: Interval
    placebo_left: Interval
    placebo_left_bp: Interval


class ZoneFigures(msgspec.Struct, frozen=True):
    """Liquidation maps at the ends of runs: how many, `scored` an hour at least, `shown` (the rest
    have no proven skill); medians of the log-score skill against a volume profile and of the AUC.
    """

    maps: int
    scored: int
    shown: int
    skill: Interval
    auc: Interval


class PageFigures(msgspec.Struct, frozen=True):
    """Stories told as a warning or worse. `per_asset_day` of assets' own (not within a market
    story), `per_day` of the market's; `for_400`: of both, for 400 assets.
    """

    where: str
    severity: str
    asset_days: float
    days: float
    asset_stories: int
    market_stories: int
    per_asset_day: Interval
    per_day: Interval
    for_400: Interval
    kinds: dict[str, int]


class Readers(msgspec.Struct, frozen=True):
    """All of it. Delays from the true onset to publication, seconds."""

    market_delay: Interval
    market_delay_p90: Interval
    asset_delay: Interval
    dollars: tuple[DollarFigures, ...]
    brackets: tuple[BracketFigures, ...]
    amplification: dict[Amplified, tuple[int, Interval]]
    moves: tuple[MoveFigures, ...]
    pages: tuple[PageFigures, ...]
    false_market_per_week: Interval
    zones: ZoneFigures


def readers(runs: Sequence[Told]) -> Readers:
    """Pool runs of a split."""
    labels = sorted({one.identifiability for run in runs for one in run.windows})
    return Readers(
        _of(runs, _delays("ALL"), median),
        _of(runs, _delays("ALL"), lambda found: quantile(found, 0.9)),
        _of(runs, _delays("assets"), median),
        tuple(_dollars(runs, label) for label in (None, *labels)),
        (
            *(_brackets(runs, "excess", share) for share in (None, 0.1, 0.2, 0.4)),
            _brackets(runs, "hawkes", None),
        ),
        {
            "amplification": _amplified(runs, lambda one: one.amplification),
            "against_book": _amplified(runs, lambda one: one.against_book),
        },
        tuple(_moves(runs, scope) for scope in ("ALL", "assets")),
        tuple(
            _pages(name, severity, [run for run in runs if chosen(run)])
            for name, chosen in _WHERE.items()
            for severity in ("warning", "critical")
        ),
        interval(
            [
                (
                    run.days,
                    sum(
                        p.scope == "ALL" and not p.true and p.kind not in _FACTS for p in run.pages
                    ),
                )
                for run in runs
            ],
            lambda parts: (sum(p[0] for p in parts), sum(p[1] for p in parts)),
            lambda of: 7 * of[1] / of[0] if of[0] else None,
        ),
        _zones(runs),
    )


_FACTS = ("milestone", "feed_degraded")
"""Alerts that state a fact and foretell nothing."""
_WHERE: dict[str, Callable[[Told], bool]] = {
    "calm days": lambda run: run.family == "calm",
    "steady days": lambda run: run.steady,
    "all runs": lambda run: True,
}


def _delays(scope: Scope) -> Callable[[Told], list[float]]:
    return lambda run: [
        one.published_s for one in run.windows if (one.scope == "ALL") == (scope == "ALL")
    ]


def _of(
    runs: Sequence[Told],
    values: Callable[[Told], list[float]],
    figure: Callable[[list[float]], float | None],
) -> Interval:
    return interval([values(run) for run in runs], _joined, figure)


def _joined(parts: Sequence[list[float]]) -> list[float]:
    return [value for part in parts for value in part]


def _joined_estimates(parts: Sequence[list[Estimate]]) -> list[Estimate]:
    return [value for part in parts for value in part]


def _dollars(runs: Sequence[Told], label: str | None) -> DollarFigures:
    def chosen(one: Window) -> bool:
        return label is None or one.identifiability == label

    parts = [[one.usd for one in run.windows if chosen(one)] for run in runs]
    whole = _joined_estimates(parts)
    held = coverage(whole)
    return DollarFigures(
        label or "all",
        len(whole),
        interval(parts, _joined_estimates, relative_error),
        relative_bias(whole),
        held.inside + held.below + held.above,
        interval(parts, _joined_estimates, lambda of: coverage(of).share),
        held.below,
        held.above,
    )


def _brackets(runs: Sequence[Told], bracket: Bracket, least: float | None) -> BracketFigures:
    def ends(one: Window) -> Estimate | None:
        return one.excess if bracket == "excess" else one.hawkes

    parts = [
        [
            found
            for one in run.windows
            if (found := ends(one)) is not None and (least is None or found.truth >= least)
        ]
        for run in runs
    ]
    whole = _joined_estimates(parts)
    held = coverage(whole)
    windows = sum(len(run.windows) for run in runs)
    known = [
        (one.truth, one.low, one.high)
        for one in whole
        if one.low is not None and one.high is not None
    ]
    decided = [
        (truth, low)
        for truth, low, high in known
        if low >= SELF_REINFORCING or high < SELF_REINFORCING
    ]
    return BracketFigures(
        bracket,
        least,
        windows,
        held.inside + held.below + held.above,
        interval(parts, _joined_estimates, lambda of: coverage(of).share),
        held.below,
        held.above,
        median(high - low for _, low, high in known),
        len(decided),
        sum((low >= SELF_REINFORCING) == (truth >= SELF_REINFORCING) for truth, low in decided),
    )


def _amplified(
    runs: Sequence[Told], ours: Callable[[Window], Estimate | None]
) -> tuple[int, Interval]:
    """Number of windows with both, and the median of abs(log(ours / true))."""
    parts = [
        [
            abs(log(found.value / found.truth))
            for one in run.windows
            if (found := ours(one)) is not None and found.value and found.truth > 0
        ]
        for run in runs
    ]
    return sum(len(part) for part in parts), interval(parts, _joined, median)


def _zones(runs: Sequence[Told]) -> ZoneFigures:
    maps = [one for run in runs for one in run.zones]

    def middle(value: Callable[[Skill], float | None]) -> Interval:
        parts = [[found for one in run.zones if (found := value(one)) is not None] for run in runs]
        return interval(parts, _joined, median)

    return ZoneFigures(
        len(maps),
        sum(one.scored > 0 for one in maps),
        sum(not one.hidden for one in maps),
        middle(lambda one: one.skill),
        middle(lambda one: one.auc),
    )


def _moves(runs: Sequence[Told], scope: Scope) -> MoveFigures:
    parts = [run.moves[scope] for run in runs]
    whole = pool_moves(parts)

    def of(
        figure: Callable[[Sequence[Move]], float | None], placebo: bool = False
    ) -> Callable[[Moves], float | None]:
        return lambda one: figure(one.placebos if placebo else one.alarms)

    found = intervals(
        parts,
        pool_moves,
        {
            "done": of(done_share),
            "left": of(left_share),
            "left_bp": of(left_bp),
            "placebo_done": of(done_share, True),
            "placebo_left": of(left_share, True),
            "placebo_left_bp": of(left_bp, True),
        },
    )
    return MoveFigures(
        scope,
        len(whole.alarms),
        found["done"],
        done_share(whole.alarms, 0.9),
        found["left"],
        left_share(whole.alarms, 0.9),
        found["left_bp"],
        found["placebo_done"],
        found["placebo_left"],
        found["placebo_left_bp"],
    )


_Exposure = tuple[float, float, int, int]
"""Asset-days, days, stories of assets, stories of the market."""


def _pages(where: str, severity: str, runs: Sequence[Told]) -> PageFigures:
    parts: list[_Exposure] = []
    kinds: dict[str, int] = {}
    for run in runs:
        loud = [
            page
            for page in run.pages
            if not page.within and (severity == "warning" or page.severity == "critical")
        ]
        for page in loud:
            kinds[page.kind] = kinds.get(page.kind, 0) + 1
        market = sum(page.scope == "ALL" for page in loud)
        parts.append((run.asset_days, run.days, len(loud) - market, market))
    found = intervals(
        parts,
        _exposed,
        {
            "asset": lambda of: of[2] / of[0] if of[0] else None,
            "market": lambda of: of[3] / of[1] if of[1] else None,
            "both": lambda of: PAGES_OF * of[2] / of[0] + of[3] / of[1] if of[0] else None,
        },
    )
    whole = _exposed(parts)
    return PageFigures(
        where,
        severity,
        whole[0],
        whole[1],
        whole[2],
        whole[3],
        found["asset"],
        found["market"],
        found["both"],
        dict(sorted(kinds.items())),
    )


def _exposed(parts: Sequence[_Exposure]) -> _Exposure:
    return (
        sum(one[0] for one in parts),
        sum(one[1] for one in parts),
        sum(one[2] for one in parts),
        sum(one[3] for one in parts),
    )
