"""Intervals of any figure by resampling whole cases: events of one day are not independent.

Promises the same interval for the same parts, and the same resamples for every call with as many
parts, so that differences between rules are made of paired draws: give pairs as parts. Sums of
counts and medians of pooled values go the same way. It cannot widen for what no case shows, and
with few cases the intervals are too narrow.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec
import numpy as np

from streams.scoreboard.quantiles import quantile

Part = TypeVar("Part")

DRAWS: Final = 1_000
SEED: Final = 20_251_010
LEVEL: Final = 0.95


class Interval(msgspec.Struct, frozen=True):
    """A figure of all cases and the percentile interval of its resamples.

    `estimate` None: undefined on the cases themselves. `low` and `high` None: fewer than two cases,
    or fewer than half of the draws gave a figure. `draws`: how many gave one.
    """

    estimate: float | None
    low: float | None
    high: float | None
    draws: int


def intervals(
    parts: Sequence[Part],
    pool: Callable[[Sequence[Part]], Part],
    statistics: Mapping[str, Callable[[Part], float | None]],
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> dict[str, Interval]:
    """Percentile intervals (Efron and Tibshirani 1993, chapter 13), by name of the statistic.

    `parts`: one for each cluster (a case, a day, a seed), all that it adds; `pool` joins several.
    A draw takes as many clusters with replacement as there are. A draw on which a statistic is
    undefined is left out of its interval.

    Raises:
        ValueError: fewer than one draw, or a level outside 0..1.
    """
    if draws < 1 or not 0.0 < level < 1.0:
        raise ValueError(f"{draws} draws at level {level}: need 1 draw and a level inside 0..1")
    number = len(parts)
    drawn: dict[str, list[float]] = {name: [] for name in statistics}
    if number >= 2:
        chosen = np.random.default_rng(seed).integers(0, number, size=(draws, number))
        for row in chosen.tolist():
            pooled = pool([parts[index] for index in row])
            for name, statistic in statistics.items():
                if (value := statistic(pooled)) is not None:
                    drawn[name].append(value)
    whole = pool(parts)
    tail = (1.0 - level) / 2.0
    found: dict[str, Interval] = {}
    for name, statistic in statistics.items():
        values = drawn[name]
        enough = 2 * len(values) >= draws
        found[name] = Interval(
            statistic(whole),
            quantile(values, tail) if enough else None,
            quantile(values, 1.0 - tail) if enough else None,
            len(values),
        )
    return found


def interval(
    parts: Sequence[Part],
    pool: Callable[[Sequence[Part]], Part],
    statistic: Callable[[Part], float | None],
) -> Interval:
    """`intervals` of one statistic, at the default level, draws and seed."""
    return intervals(parts, pool, {"": statistic})[""]
