"""Which markets are run: scenarios, lengths and seeds, fixed before anything was tuned.

Promises that train and test seeds are disjoint. A family is a scenario; `points-*` are the second
generator, which no threshold is chosen on.
"""

from typing import Final, Literal

import msgspec

from streams.config import MarginquakeError

Split = Literal["train", "test"]

TRAIN_SEEDS: Final = range(1, 100)
TEST_SEEDS: Final = range(1_001, 1_100)


class Plan(msgspec.Struct, frozen=True):
    """How a scenario is run for the scoreboard: `hours` and `assets` of each seed.

    `steady`: high flow without concentration, in which a flush is rare.
    """

    scenario: str
    hours: float
    assets: int
    steady: bool = False


PLANS: Final = {
    one.scenario: one
    for one in (
        Plan("calm", 24, 4),
        Plan("build-up", 8, 4),
        Plan("news-shock", 8, 4),
        Plan("steady-high", 12, 4, steady=True),
        Plan("slow-grind", 12, 4),
        Plan("short-squeeze", 8, 4),
        Plan("flash-wick", 8, 4),
        Plan("index-fault", 8, 4),
        Plan("feed-gap", 8, 4),
        Plan("weekend", 12, 4),
        Plan("october-2025", 11, 4),
    )
}
"""Lengths leave two hours or more before the event, twice the baseline's half-life."""

POINTS: Final = {
    one.scenario: one
    for one in (
        Plan("points-ordinary", 8, 4),
        Plan("points-event", 8, 4),
        Plan("points-steady", 8, 4, steady=True),
    )
}


class RunKey(msgspec.Struct, frozen=True, order=True):
    """One run: a scenario and a seed."""

    scenario: str
    seed: int

    @property
    def name(self) -> str:
        """Also the name of the run's folder."""
        return f"{self.scenario}-{self.seed}"

    @classmethod
    def of(cls, name: str) -> "RunKey":
        """The run of a folder's name."""
        scenario, _, seed = name.rpartition("-")
        return cls(scenario, int(seed))

    @property
    def plan(self) -> Plan:
        """How it is run."""
        return PLANS.get(self.scenario) or POINTS[self.scenario]


def keys(
    split: Split, seeds: int, families: tuple[str, ...] = (), points: bool = False
) -> list[RunKey]:
    """The runs of a split.

    Args:
        split: whose seeds.
        seeds: the first so many of them.
        families: only these scenarios; all when empty.
        points: of the second generator instead.

    Raises:
        MarginquakeError: a family is not there, or there are not so many seeds.
    """
    plans = POINTS if points else PLANS
    whose = TRAIN_SEEDS if split == "train" else TEST_SEEDS
    if not 1 <= seeds <= len(whose):
        raise MarginquakeError(f"--seeds {seeds}: give 1 to {len(whose)}")
    unknown = [name for name in families if name not in plans]
    if unknown:
        raise MarginquakeError(f"no family {unknown[0]!r}; take of {', '.join(plans)}")
    chosen = [plan for plan in plans if not families or plan in families]
    return [RunKey(plan, seed) for plan in chosen for seed in whose[:seeds]]
