"""Chooses the threshold of every rule on train seeds, ours and the rivals' by the same law.

The script behind `marginquake score --tune`. Promises that it reads train runs only, that a rival
may have another setting for the whole market than for assets while ours has one for both, and that
the choice stands in `chosen.json` beside this file with what it was made of.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.scoreboard.cases import TRAIN_SEEDS, RunKey
from streams.scoreboard.judging import (
    CLASSES,
    OURS,
    Judged,
    Setting,
    column,
    settings_of,
)
from streams.scoreboard.metrics import Counts, ScopeClass, f1, pool

CHOSEN: Final = Path(__file__).with_name("chosen.json")


class Chosen(msgspec.Struct, frozen=True):
    """A setting of a rule for scope classes, its F1 on the train runs, and how many were tried."""

    rule: str
    classes: tuple[ScopeClass, ...]
    setting: Setting
    train_f1: float
    tried: int


class Choices(msgspec.Struct, frozen=True):
    """What was chosen, on which runs."""

    runs: tuple[str, ...]
    chosen: tuple[Chosen, ...]

    def setting(self, rule: str, kind: ScopeClass) -> Setting:
        """The setting of a rule for a scope class.

        Raises:
            MarginquakeError: the rule was not tuned.
        """
        for one in self.chosen:
            if one.rule == rule and kind in one.classes:
                return one.setting
        raise MarginquakeError(f"{CHOSEN.name} has no {rule}; run `marginquake score --tune`")


def choose(judged: Sequence[Judged]) -> Choices:
    """The setting with the best F1 of each rule; of equal ones the stricter.

    Raises:
        MarginquakeError: a run is not of a train seed.
    """
    for one in judged:
        if RunKey.of(one.name).seed not in TRAIN_SEEDS:
            raise MarginquakeError(f"{one.name} is a test run: thresholds are chosen on train runs")
    chosen: list[Chosen] = []
    for rule in judged[0].counts:
        groups = [CLASSES] if rule == OURS else [(kind,) for kind in CLASSES]
        for classes in groups:
            setting, score = best(judged, rule, classes)
            chosen.append(Chosen(rule, classes, setting, score, len(settings_of(rule))))
    return Choices(tuple(one.name for one in judged), tuple(chosen))


def best(
    judged: Sequence[Judged], rule: str, classes: Sequence[ScopeClass]
) -> tuple[Setting, float]:
    """The best setting on these runs, and its F1 over the classes together."""
    scores: list[tuple[float, Setting]] = []
    for setting in settings_of(rule):
        parts: list[Counts] = []
        for kind in classes:
            parts += column(judged, rule, setting, kind)
        scores.append((f1(pool(parts)) or 0.0, setting))
    score, setting = max(scores)
    return setting, score


def write(choices: Choices) -> None:
    """Write `chosen.json`.

    Raises:
        MarginquakeError: the file beside this one cannot be written.
    """
    shown = msgspec.json.format(msgspec.json.encode(choices), indent=1)
    try:
        CHOSEN.write_bytes(shown + b"\n")
    except OSError as error:
        raise MarginquakeError(
            f"what was chosen cannot be kept in {CHOSEN.name}: {error.strerror}; run from a "
            "checkout that you may write to"
        ) from error


def read() -> Choices:
    """What was chosen.

    Raises:
        MarginquakeError: nothing was chosen yet.
    """
    if not CHOSEN.is_file():
        raise MarginquakeError(f"{CHOSEN.name} is not there; run `marginquake score --tune`")
    return msgspec.json.decode(CHOSEN.read_bytes(), type=Choices)
