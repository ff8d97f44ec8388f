"""Chooses parameters of the regime on train seeds: scores, gates, filter and commitment.

Beside the scoreboard, on no data path. Features of an hour depend on none of these parameters, so
that a seed is measured once and judged again for each set. One parameter is changed at a time, in
a fixed order, and kept where it raises the objective. Promises train seeds alone, and the same
choice for the same seeds. What spoils the path of real years can be forbidden.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.core.detectors.regime.bars import HOUR
from streams.core.detectors.regime.classifier import LIQUIDATION, Classifier
from streams.core.detectors.regime.features import Features
from streams.core.detectors.regime.filter import Phase, advance, commit, weigh
from streams.core.detectors.regime.params import RegimeParams
from streams.core.detectors.regime.scores import crowd_of, judge
from streams.core.results.regimes import RegimeName
from streams.edges.series import read_series
from streams.scoreboard.cases import TRAIN_SEEDS
from streams.scoreboard.cycles import Cycle, cycles
from streams.scoreboard.regimes import Telling, judged, macro_f1, median_delay, pooled

DELAY_WORTH: Final = 0.002
"""Macro-F1 given for an hour less of median delay, up to two days."""
DELAY_MOST_H: Final = 48.0
LEAST_GAIN: Final = 5e-4
ROUNDS: Final = 2

CHOICES: Final[Mapping[str, tuple[object, ...]]] = {
    "gate_growth": (0.6, 0.7, 0.8, 0.9),
    "accumulation": (
        (("leverage", -0.5), ("oi_growth", -1.0), ("trend", -1.5), ("liquidations", -2.0)),
        (("leverage", -1.5), ("volatility", -0.5), ("oi_growth", -1.0), ("liquidations", -1.5)),
        (("leverage", -1.0), ("oi_growth", -1.0), ("liquidations", -1.5)),
    ),
    "expansion": (
        (("trend", 1.5), ("oi_growth", 0.6), ("leverage", -0.6), ("oi_drop", -0.8)),
        (("trend", 1.5), ("oi_growth", 0.6)),
        (("trend", 1.0), ("oi_growth", 0.6), ("liquidations", 0.6)),
    ),
    "euphoria": (
        (
            ("leverage", 1.6),
            ("oi_growth", 1.4),
            ("liquidations", 1.6),
            ("volatility", -1.2),
            ("trend", 1.5),
            ("crowded_funding", 1.4),
            ("crowded_basis", 0.8),
        ),
        (
            ("leverage", 1.6),
            ("oi_growth", 1.3),
            ("crowded_funding", 1.4),
            ("crowded_basis", 0.8),
            ("distance", -0.8),
        ),
    ),
    "liquidation": (
        (("volatility", 2.2), ("oi_drop", 1.8), ("liquidations", 1.0)),
        (("volatility", 2.2), ("oi_drop", 1.8), ("oi_growth", -0.6), ("liquidations", 1.0)),
    ),
    "gain": (4.0, 6.0, 8.0, 12.0),
    "tau_h": (12.0, 8.0, 6.0, 4.0),
    "tau_forced_h": (4.0, 3.0, 2.0),
    "closed_logits": (1.35,),
    "gate_leverage": (0.5, 0.7, 0.8),
    "gate_liquidations": (0.8, 0.85, 0.93, 0.95),
    "commit_evals": (1, 2),
    "commit_p": (0.5,),
    "dwell_h": ((360.0, 360.0, 150.0, 24.0), (240.0, 240.0, 120.0, 20.0)),
    "gate_distance": (0.15, 0.3),
}
"""Values tried besides the present one. Score tables follow the signs of a multinomial logit of the
true phases on the same features; beyond 1.35 a closed gate breaks the law of the medians.
"""

CRASHES: Final = (1_652_313_600, 1_655_078_400, 1_667_952_000)
"""2022-05-12, 2022-06-13 and 2022-11-09, UTC s."""
DAY: Final = 86_400

Forbids = Callable[[RegimeParams], str]


class Measured(msgspec.Struct, frozen=True):
    """A seed with the features of each hour; `unknown`: why an hour has no verdict."""

    run: Cycle
    features: tuple[Features, ...]
    unknown: tuple[str | None, ...]


class Trial(msgspec.Struct, frozen=True):
    """A set that was tried: what it changed from the best before it, and what it gave."""

    parameter: str
    value: str
    macro_f1: float
    delay_h: float | None
    objective: float
    kept: bool = False
    forbidden: str = ""


class Tuned(msgspec.Struct, frozen=True):
    """The best set and the way to it."""

    seeds: tuple[int, ...]
    params: RegimeParams
    trials: tuple[Trial, ...]


def measured(run: Cycle, params: RegimeParams) -> Measured:
    """The features of a seed's hours, as the classifier itself measures them."""
    classifier = Classifier(params)
    features: list[Features] = []
    unknown: list[str | None] = []
    for bar in run.hours:
        classifier.hour(bar, bar.start + HOUR)
        told = classifier.reading
        values = {
            name.removesuffix("_raw"): value
            for name, value in told.features.items()
            if name.endswith("_raw")
        }
        ranks = {name: value for name, value in told.features.items() if not name.endswith("_raw")}
        features.append(Features(values, ranks, told.missing))
        unknown.append(told.unknown)
    return Measured(run, tuple(features), tuple(unknown))


def rejudged(seed: Measured, params: RegimeParams) -> Telling:
    """What the classifier would say with other scores, gates, filter and commitment."""
    phase = Phase()
    said: list[RegimeName | None] = []
    p: list[tuple[float, ...] | None] = []
    for at, features, unknown in zip(seed.run.ends(), seed.features, seed.unknown, strict=True):
        verdict = None if unknown else judge(features, params, crowd_of(features, params))
        if verdict is None:
            said.append(None)
            p.append(None)
            continue
        evidence = [logit / params.tau_h for logit in verdict.logits]
        evidence[LIQUIDATION] *= params.tau_h / params.tau_forced_h
        if phase.at is not None:
            phase.p = advance(phase.p, (at - phase.at) // HOUR, params)
        phase.at = at
        phase.p = weigh(phase.p, evidence)
        commit(phase, at, params.commit_evals, params)
        said.append(phase.state)
        p.append(phase.p)
    return Telling(tuple(said), tuple(p))


def tune(
    seeds: Sequence[int], folder: Path, forbids: Forbids = lambda params: "", rounds: int = ROUNDS
) -> Tuned:
    """Choose parameters on train seeds; minutes for a dozen of them.

    Args:
        seeds: of `cycles`, train seeds.
        folder: cache of runs.
        forbids: why a set may not be taken, empty where it may; see `real_path`.
        rounds: how often all parameters are gone through.

    Raises:
        MarginquakeError: a seed is no train seed.
    """
    strange = [seed for seed in seeds if seed not in TRAIN_SEEDS]
    if strange:
        raise MarginquakeError(
            f"seed {strange[0]} is no train seed; tune on {TRAIN_SEEDS[0]} to {TRAIN_SEEDS[-1]}"
        )
    params = RegimeParams()
    known = [measured(run, params) for run in cycles(seeds, folder)]
    trials = [_tried("", "present", known, params)]
    best = trials[0].objective
    for _ in range(rounds):
        for name, values in CHOICES.items():
            for value in values:
                if getattr(params, name) == value:
                    continue
                other = msgspec.structs.replace(params, **{name: value})
                trial = _tried(name, str(value), known, other)
                better = trial.objective > best + LEAST_GAIN
                why = forbids(other) if better else ""
                if better and not why:
                    params, best = other, trial.objective
                trials.append(
                    msgspec.structs.replace(trial, kept=better and not why, forbidden=why)
                )
    return Tuned(tuple(seeds), params, tuple(trials))


def real_path(daily: Path, passages: int = 66, euphoria_days: int = 16) -> Forbids:
    """Forbids what spoils the path of the daily series of 2022 and 2023.

    Each crash must be a liquidation phase entered within 4 days of it, the phases must not change
    more than a tenth oftener than with the parameters in use, and euphoria stay rare.

    Args:
        daily: series of BTC, 2022-01 to 2023-06.
        passages: most changes of phase.
        euphoria_days: most days of euphoria.
    """
    run = Cycle(0, 0, tuple(read_series(daily)), (), (), ())
    known = measured(run, RegimeParams())

    def forbids(params: RegimeParams) -> str:
        entered: list[tuple[int, RegimeName]] = []
        days = 0.0
        for at, said in zip(run.ends(), rejudged(known, params).said, strict=True):
            days += (said == "euphoria") / 24
            if said is not None and (not entered or entered[-1][1] != said):
                entered.append((at, said))
        begun = [at for at, phase in entered if phase == "liquidation"]
        if any(all(abs(at - crash) > 4 * DAY for at in begun) for crash in CRASHES):
            return "a crash is missed"
        if len(entered) > passages:
            return f"{len(entered)} changes"
        return f"{days:.0f} days of euphoria" if days > euphoria_days else ""

    return forbids


def _tried(name: str, value: str, known: Sequence[Measured], params: RegimeParams) -> Trial:
    whole = pooled([judged(one.run, rejudged(one, params), one.unknown) for one in known])
    f1, delay = macro_f1(whole) or 0.0, median_delay(whole)
    hours = DELAY_MOST_H if delay is None else min(DELAY_MOST_H, delay)
    return Trial(name, value, f1, delay, f1 - DELAY_WORTH * hours)
