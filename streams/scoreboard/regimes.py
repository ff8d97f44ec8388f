"""The leverage regime against the true phases of simulated cycles, and two plain rules beside it.

On the path from cycles to the scoreboard. An hour is judged at its close, by the phase that truly
stands then. Promises that all rules are judged on the same hours: those before our classifier has
its history, or lacks inputs, are left out of every figure and counted. The true phases are a plan
of the simulator: what moves accounts, not what the market shows at once.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import inf, log
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Final

import msgspec

from streams.core.detectors.regime.bars import HOUR
from streams.core.detectors.regime.classifier import Classifier
from streams.core.detectors.regime.params import PHASES, RegimeParams
from streams.core.results.regimes import RegimeName
from streams.scoreboard.bootstrap import Interval, intervals
from streams.scoreboard.cycles import Cycle, cycles

RULE_WINDOW_H: Final = 30 * 24
"""Past hours that the quantile rule ranks an hour among."""

FITTED: Final = RegimeParams(
    gain=4.0,
    gate_growth=0.7,
    gate_leverage=0.5,
    gate_distance=0.15,
    gate_liquidations=0.95,
    closed_logits=1.35,
    tau_h=4.0,
    commit_p=0.5,
    commit_evals=1,
    accumulation=(("leverage", -0.5), ("oi_growth", -1.0), ("trend", -1.5), ("liquidations", -2.0)),
    expansion=(("trend", 1.5), ("oi_growth", 0.6), ("leverage", -0.6), ("oi_drop", -0.8)),
    euphoria=(
        ("leverage", 1.6),
        ("oi_growth", 1.4),
        ("liquidations", 1.6),
        ("volatility", -1.2),
        ("trend", 1.5),
        ("crowded_funding", 1.4),
        ("crowded_basis", 0.8),
    ),
    liquidation=(("volatility", 2.2), ("oi_drop", 1.8), ("liquidations", 1.0)),
)
"""What `regime_tuning.tune` chose on train seeds 1 to 12 without regard to the real path; it makes
that path worse and is not in use (docs/definitions/regime.md).
"""


class Telling(msgspec.Struct, frozen=True):
    """What a rule says of each hour of a seed at its close; None: it does not say.

    `p`: probabilities in order of PHASES, where the rule gives them.
    """

    said: tuple[RegimeName | None, ...]
    p: tuple[tuple[float, ...] | None, ...] = ()


class Judged(msgspec.Struct, frozen=True):
    """One seed under one rule, or several: all that the figures are made of.

    `confusion`: hours by (true, said); `delays`: (phase, hours from its true beginning until it is
    said, infinite where it never was while it stood); `surprise`: summed -ln p of the true phase.
    """

    confusion: dict[tuple[RegimeName, RegimeName | None], int]
    delays: tuple[tuple[RegimeName, float], ...]
    flips: int
    surprise: float | None

    @property
    def hours(self) -> int:
        """Hours judged."""
        return sum(self.confusion.values())


class PhaseFigures(msgspec.Struct, frozen=True):
    """One phase: `hours` truly in it, F1 of its hours, delays in hours (None: half are missed)."""

    hours: int
    f1: float
    entries: int
    missed: int
    delay_h: float | None


class RuleFigures(msgspec.Struct, frozen=True):
    """One rule over all seeds; intervals are 95 %, by drawing seeds with replacement.

    `delay_h`: median over true entries, missed ones as never; None where that is never. An entry
    that was said before it came has no delay, so that a rule which flips often is early often:
    read delays beside the flips.
    `silent`: share of hours without a phase, which count as wrong. `log_loss`: mean -ln p of the
    true phase, None without probabilities; ln 4 = 1.386 says nothing.
    """

    rule: str
    macro_f1: Interval
    delay_h: Interval
    entries: int
    missed: int
    flips_per_day: float
    silent: float
    log_loss: float | None
    phases: dict[RegimeName, PhaseFigures]


class RegimeScore(msgspec.Struct, frozen=True):
    """Ours first, then the rules beside it. `left_out`: hours by the reason, in no figure.

    `true_flips_per_day`: changes of the true phase.
    """

    seeds: tuple[int, ...]
    hours: int
    left_out: dict[str, int]
    true_flips_per_day: float
    rules: tuple[RuleFigures, ...]


def score_regimes(
    seeds: Sequence[int],
    folder: Path,
    params: RegimeParams | None = None,
    others: Mapping[str, Sequence[Telling]] = MappingProxyType({}),
) -> RegimeScore:
    """Score our regime and its rivals on cycles of the seeds.

    Args:
        seeds: of `cycles`; one takes about a minute where it is not yet in the folder.
        folder: cache of runs.
        params: of the classifier; its defaults when None.
        others: what further rules say of each seed, by rule.
    """
    runs = cycles(seeds, folder)
    ours: list[tuple[Cycle, Telling, list[str | None]]] = []
    for run in runs:
        telling, unknown = classified(run, params or RegimeParams())
        ours.append((run, telling, unknown))
    left_out: Counter[str] = Counter()
    truths: Counter[RegimeName] = Counter()
    turns = hours = 0
    for run, _, unknown in ours:
        left_out.update(why for why in unknown if why)
        standing = [
            run.phase_at(at - 1) for at, why in zip(run.ends(), unknown, strict=True) if not why
        ]
        truths.update(standing)
        hours += len(standing)
        turns += sum(a != b for a, b in pairwise(standing))
    usual = max(PHASES, key=lambda name: truths[name])

    def figures(rule: str, telling: Callable[[Cycle, Telling], Telling]) -> RuleFigures:
        return figures_of(
            rule,
            [judged(run, telling(run, own), unknown) for run, own, unknown in ours],
        )

    return RegimeScore(
        tuple(seeds),
        hours,
        dict(sorted(left_out.items())),
        turns * 24 / hours if hours else 0.0,
        (
            figures("ours", lambda _, own: own),
            figures("ours, likeliest phase", lambda _, own: _likeliest(own)),
            figures("ours, fitted to cycles alone", lambda run, _: classified(run, FITTED)[0]),
            figures("quantiles of interest and funding", lambda run, _: quantile_rule(run)),
            figures(f"always {usual}", lambda run, _: Telling((usual,) * len(run.hours))),
            *(
                figures_of(
                    rule,
                    [
                        judged(run, said, why)
                        for (run, _, why), said in zip(ours, told, strict=True)
                    ],
                )
                for rule, told in others.items()
            ),
        ),
    )


def classified(run: Cycle, params: RegimeParams) -> tuple[Telling, list[str | None]]:
    """What our classifier says hour by hour, and why it knows nothing where it does not."""
    classifier = Classifier(params)
    said: list[RegimeName | None] = []
    p: list[tuple[float, ...] | None] = []
    unknown: list[str | None] = []
    for bar in run.hours:
        classifier.hour(bar, bar.start + HOUR)
        why = classifier.reading.unknown
        said.append(classifier.state)
        p.append(None if why else classifier.standing.phase.p)
        unknown.append(why)
    return Telling(tuple(said), tuple(p)), unknown


def quantile_rule(run: Cycle) -> Telling:
    """The rule of a dashboard: open interest in dollars and funding among their last 30 days.

    Liquidation: open interest of 24 h ago was higher by more than at 95 % of these hours, and this
    by 2 % or more. Euphoria: interest at 80 % and funding at 80 % or more. Expansion: interest at
    50 % or more. Accumulation: the rest.
    """
    said: list[RegimeName | None] = []
    interest = [_known(bar.oi_usd) for bar in run.hours]
    funding = [_known(bar.funding_8h) for bar in run.hours]
    falls = [1 - now / max(interest[max(0, h - 24)], 1.0) for h, now in enumerate(interest)]
    for hour in range(len(run.hours)):
        past = slice(max(0, hour - RULE_WINDOW_H), hour + 1)
        level = _rank(interest[hour], interest[past])
        if falls[hour] >= 0.02 and _rank(falls[hour], falls[past]) >= 0.95:
            said.append("liquidation")
        elif level >= 0.8 and _rank(funding[hour], funding[past]) >= 0.8:
            said.append("euphoria")
        else:
            said.append("expansion" if level >= 0.5 else "accumulation")
    return Telling(tuple(said))


def judged(run: Cycle, telling: Telling, unknown: Sequence[str | None]) -> Judged:
    """One seed under one rule."""
    confusion: Counter[tuple[RegimeName, RegimeName | None]] = Counter()
    surprise, flips = 0.0, 0
    before: RegimeName | None = None
    known: list[tuple[int, RegimeName | None]] = []
    for hour, at in enumerate(run.ends()):
        if unknown[hour]:
            continue
        true, said = run.phase_at(at - 1), telling.said[hour]
        confusion[true, said] += 1
        known.append((at, said))
        if said is not None:
            flips += before not in (None, said)
            before = said
        chances = telling.p[hour] if telling.p else None
        if chances is not None:
            surprise -= log(max(1e-6, chances[PHASES.index(true)]))
    delays = []
    for number, entered in enumerate(run.phases):
        later = run.phases[number + 1 :]
        end = later[0].at if later else run.ends()[-1] + 1
        if known and entered.at >= known[0][0]:
            hits = (at for at, said in known if entered.at < at <= end and said == entered.phase)
            first = next(hits, None)
            delays.append((entered.phase, inf if first is None else (first - entered.at) / HOUR))
    return Judged(confusion, tuple(delays), flips, surprise if telling.p else None)


def figures_of(rule: str, seeds: Sequence[Judged]) -> RuleFigures:
    """The figures of a rule from its seeds."""
    found = intervals(seeds, pooled, {"f1": macro_f1, "delay": median_delay})
    whole = pooled(seeds)
    hours = whole.hours
    phases = {}
    for name in PHASES:
        own = [delay for phase, delay in whole.delays if phase == name]
        phases[name] = PhaseFigures(
            sum(count for (true, _), count in whole.confusion.items() if true == name),
            f1_of(whole, name),
            len(own),
            sum(delay == inf for delay in own),
            _middle(own),
        )
    silent = sum(count for (_, said), count in whole.confusion.items() if said is None)
    return RuleFigures(
        rule,
        found["f1"],
        found["delay"],
        len(whole.delays),
        sum(delay == inf for _, delay in whole.delays),
        whole.flips * 24 / hours if hours else 0.0,
        silent / hours if hours else 0.0,
        None if whole.surprise is None or not hours else whole.surprise / hours,
        phases,
    )


def pooled(seeds: Sequence[Judged]) -> Judged:
    """Several seeds as one; surprise is unknown where one of them knows none."""
    total: Counter[tuple[RegimeName, RegimeName | None]] = Counter()
    for one in seeds:
        total.update(one.confusion)
    known = [one.surprise for one in seeds if one.surprise is not None]
    return Judged(
        total,
        tuple(delay for one in seeds for delay in one.delays),
        sum(one.flips for one in seeds),
        sum(known) if len(known) == len(seeds) else None,
    )


def macro_f1(of: Judged) -> float | None:
    """Mean F1 of the phases that truly occur; None without an hour."""
    there = [name for name in PHASES if any(true == name for true, _ in of.confusion)]
    return sum(f1_of(of, name) for name in there) / len(there) if there else None


def f1_of(of: Judged, name: RegimeName) -> float:
    """2 TP / (2 TP + FP + FN) of a phase's hours; 0 where it is neither true nor said."""
    hits = of.confusion.get((name, name), 0)
    true = sum(count for (one, _), count in of.confusion.items() if one == name)
    said = sum(count for (_, one), count in of.confusion.items() if one == name)
    return 2 * hits / (true + said) if true + said else 0.0


def median_delay(of: Judged) -> float | None:
    """Median delay in hours, missed entries as never; None where that is never."""
    return _middle([delay for _, delay in of.delays])


def _middle(delays: Sequence[float]) -> float | None:
    if not delays:
        return None
    found = median(delays)
    return found if found < inf else None


def _likeliest(telling: Telling) -> Telling:
    best = [
        None if p is None else PHASES[max(range(len(PHASES)), key=p.__getitem__)] for p in telling.p
    ]
    return Telling(tuple(best), telling.p)


def _known(value: float | None) -> float:
    return 0.0 if value is None else value


def _rank(value: float, among: Sequence[float]) -> float:
    below = sum(one < value for one in among)
    equal = sum(one == value for one in among)
    return (below + equal / 2) / len(among)
