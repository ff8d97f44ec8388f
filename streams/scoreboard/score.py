"""The scoreboard as one value: makes the runs, judges them, and pools what they gave.

Top of the package; the command `marginquake score` calls it and `report` writes the page. Promises
that test runs are never used to choose anything, and that each part can be left out.
"""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final, Literal

import msgspec

from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.regime.params import RegimeParams
from streams.core.params import Params
from streams.scoreboard import framed, tuning
from streams.scoreboard.cases import RunKey, Split, keys
from streams.scoreboard.cycles import cycle, cycles
from streams.scoreboard.detection import LeftOut, Line, Sensitivity, left_out, lines, sensitivity
from streams.scoreboard.framed import OTHER_RATES_BP
from streams.scoreboard.health import HealthScore, score_health
from streams.scoreboard.judging import OURS, Judged, judge
from streams.scoreboard.readers import Readers, readers
from streams.scoreboard.recorded import read_labels
from streams.scoreboard.recordings import RecordedCounts, bursts_apart, counted, recorded_cases
from streams.scoreboard.regime_ceiling import ceiling
from streams.scoreboard.regime_tuning import measured
from streams.scoreboard.regimes import RegimeScore, Telling, score_regimes
from streams.scoreboard.rivals import RIVALS
from streams.scoreboard.telling import told
from streams.scoreboard.throttling import ThrottleRow, throttle_table
from streams.simulation.flushes import FlushRule

Part = Literal["flushes", "readers", "points", "regimes", "throttle", "recordings"]
PARTS: Final[tuple[Part, ...]] = (
    "flushes",
    "readers",
    "points",
    "regimes",
    "throttle",
    "recordings",
)
RATES_BP: Final = tuple(sorted((FlushRule().rate_bp, *OTHER_RATES_BP)))
"""Rates of a flush for which the sensitivity is told."""
CYCLES: Final = 6
"""Cycles of 150 days for every two seeds of the other scenarios."""
THROTTLED: Final = 2
"""Seeds of the throttle test at most."""
FITTED_SEEDS: Final = range(1, 9)
"""Train seeds of cycles whose truth the logit beside our regime is fitted to."""

Progress = Callable[[str, int, int], None]


class Recorded(msgspec.Struct, frozen=True):
    """Counts on recordings.

    `bursts_apart`: labelled bursts that do not overlap; `without_interest`: rivals that are not
    counted, since recordings hold no open interest.
    """

    bursts_apart: int
    counts: tuple[RecordedCounts, ...]
    without_interest: tuple[str, ...] = ()


class Score(msgspec.Struct, frozen=True):
    """The scoreboard; a part that was left out is None or empty."""

    made_on: str
    split: Split
    seeds: tuple[int, ...]
    runs: int
    asset_days: float
    events: dict[str, int]
    definition: str
    params_hash: str
    choices: tuning.Choices
    lines: tuple[Line, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()
    self_reinforcing: dict[str, int] = {}
    readers: Readers | None = None
    points: tuple[Line, ...] = ()
    regimes: RegimeScore | None = None
    health: HealthScore | None = None
    throttle: tuple[ThrottleRow, ...] = ()
    recorded: Recorded | None = None


def judge_all(
    wanted: Sequence[RunKey],
    folder: Path,
    workers: int,
    progress: Progress,
    rules: Sequence[str],
) -> list[Judged]:
    """Make runs where they are not there, and judge the rules on them."""
    total = len(wanted)
    framed.make_all(wanted, folder, workers, lambda done: progress("runs", done, total))
    return framed.over(
        judge,
        [(folder / key.name, rules) for key in wanted],
        workers,
        lambda done: progress("judged", done, total),
    )


def tune(seeds: int, folder: Path, workers: int, progress: Progress) -> tuning.Choices:
    """Choose every rule's setting on the first train seeds; writes `chosen.json`."""
    judged = judge_all(keys("train", seeds), folder, workers, progress, (OURS, *RIVALS))
    choices = tuning.choose(judged)
    tuning.write(choices)
    return choices


def score(
    split: Split,
    seeds: int,
    folder: Path,
    today: date,
    parts: Sequence[Part] = PARTS,
    families: tuple[str, ...] = (),
    baselines: bool = True,
    workers: int = 1,
    recordings: Path | None = None,
    labels: Path | None = None,
    progress: Progress = lambda part, done, total: None,
) -> Score:
    """Score detectors and rivals.

    Args:
        split: `test` for the published figures; `train` while working on a detector.
        seeds: the first so many of the split.
        folder: where runs are made and kept.
        today: stands on the page.
        parts: which tables.
        families: only these scenarios.
        baselines: judge the rivals too.
        workers: processes.
        recordings: folder of real recordings; left out when None.
        labels: their label file.
        progress: told the step, how many are done, of how many.
    """
    wanted = keys(split, seeds, families)
    choices = tuning.read()
    rules = (OURS, *RIVALS) if baselines else (OURS,)
    judged: list[Judged] = []
    found: dict[str, object] = {}
    if "flushes" in parts:
        judged = judge_all(wanted, folder, workers, progress, rules)
        found["lines"] = lines(judged, choices)
        found["sensitivity"] = sensitivity(judged, RATES_BP)
        if split == "test" and not families:
            # The runs behind the choice: what the others alone would have chosen for a family.
            chosen_on = [RunKey.of(name) for name in choices.runs]
            train = judge_all(chosen_on, folder, workers, progress, rules)
            found["left_out"] = left_out(train, judged, rules)
    if "points" in parts:
        others = judge_all(keys(split, seeds, (), points=True), folder, workers, progress, rules)
        found["points"] = lines(others, choices)
    if "readers" in parts:
        framed.make_all(wanted, folder, workers, lambda done: progress("runs", done, len(wanted)))
        heard = framed.over(
            told,
            [(folder / key.name,) for key in wanted],
            workers,
            lambda done: progress("heard", done, len(wanted)),
        )
        found["readers"] = readers(heard)
    first = 1 if split == "train" else 1_001
    if "regimes" in parts:
        chosen = range(first, first + CYCLES * seeds // 2)
        needed = sorted({*chosen, *FITTED_SEEDS})
        framed.over(
            cycle,
            [(seed, folder) for seed in needed],
            workers,
            lambda done: progress("cycles", done, len(needed)),
        )
        fit = {"a logit fitted to the truth of train seeds": _fitted(chosen, folder)}
        found["regimes"] = score_regimes(chosen, folder, others=fit)
        found["health"] = score_health(chosen, folder)
    if "throttle" in parts:
        found["throttle"] = throttle_table(range(first, first + min(seeds, THROTTLED)), recordings)
    if "recordings" in parts and recordings is not None and labels is not None:
        found["recorded"] = _recorded(recordings, labels, baselines)
    made = "flushes" in parts or "readers" in parts
    cases = [framed.read_case(folder / key.name) for key in wanted] if made else []
    return msgspec.structs.replace(
        Score(
            today.isoformat(),
            split,
            tuple(sorted({key.seed for key in wanted})),
            len(cases),
            sum(case.asset_days for case in cases),
            {
                kind: sum((e.scope == "ALL") == (kind == "ALL") for c in cases for e in c.events)
                for kind in ("ALL", "assets")
            },
            CascadeParams().definition,
            Params().hash(),
            choices,
            self_reinforcing={
                f"{share:g}": sum((e.excess_share or 0.0) >= share for c in cases for e in c.events)
                for share in (0.1, 0.2, 0.4)
            },
        ),
        **found,
    )


def _fitted(seeds: Sequence[int], folder: Path) -> list[Telling]:
    """What a logit says of each seed that was fitted to the phases of others."""
    params = RegimeParams()
    judged, train = (
        [measured(run, params) for run in cycles(which, folder)] for which in (seeds, FITTED_SEEDS)
    )
    return ceiling(judged, train, params)


def _recorded(folder: Path, labels: Path, baselines: bool) -> Recorded:
    """Ours on the recordings, and the rivals at their authors' values and as tuned."""
    known = read_labels(labels)
    ours = recorded_cases(folder, known)
    rows: list[RecordedCounts] = list(counted(OURS, ours, known))
    choices = tuning.read()
    rivals = RIVALS if baselines else {}
    for name, rival in rivals.items():
        if rival.asks_interest:
            continue
        for kind in ("default", "tuned"):
            cases = []
            for case, _ in ours:
                spans = []
                for scope in ("ALL", *case.assets):
                    setting: tuple[float, ...] = ()
                    if kind == "tuned":
                        setting = choices.setting(name, "ALL" if scope == "ALL" else "assets")
                    spans += rival.spans(case.orders, scope, case.begin, case.end, *setting)
                cases.append((case, spans))
            rows += counted(f"{name}, {kind}", cases, known)
    silent = tuple(name for name, rival in rivals.items() if rival.asks_interest)
    return Recorded(bursts_apart(known), tuple(rows), silent)
