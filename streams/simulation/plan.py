"""What happens to a simulated market from outside, step by step.

A scenario writes a plan; the engine reads it. Promises that a plan knows nothing of what the
market makes of it: everything here is exogenous.
"""

from typing import NamedTuple

import numpy as np

from streams.simulation.state import Floats


class Plan(NamedTuple):
    """Exogenous paths, one row a step (T), by asset (K) or venue (V)."""

    drift: Floats
    """[T, K] added to the log fundamental."""
    push: Floats
    """[T, K] taker flow from outside, in ordinary depths of the asset (positive: buys)."""
    fault: Floats
    """[T, V] log error of a venue's index."""
    volatility: Floats
    """[T] times the common volatility."""
    depth: Floats
    """[T] times ordinary depth."""
    lean: Floats
    """[T] added to the log odds of a long entry."""
    appetite: Floats
    """[T] times the arrivals of highly leveraged accounts."""
    growth: Floats
    """[T] times all arrivals."""


HOURLY_DEPTH = (
    *(0.92, 0.94, 0.95, 0.95, 0.94, 0.94, 0.96, 1.0, 1.03, 1.04, 1.03, 1.02),
    *(1.04, 1.08, 1.12, 1.12, 1.1, 1.08, 1.04, 1.0, 0.95, 0.88, 0.86, 0.9),
)
HOURLY_VOLATILITY = (
    *(1.0, 0.95, 0.92, 0.88, 0.85, 0.85, 0.88, 0.95, 1.0, 0.98, 0.95, 0.98),
    *(1.08, 1.25, 1.35, 1.3, 1.2, 1.12, 1.05, 1.02, 1.0, 0.95, 0.92, 0.95),
)
"""By hour of the day, UTC: the working days of Europe and America."""
WEEKEND_DEPTH, WEEKEND_VOLATILITY = 0.7, 0.75
HOUR_S, DAY_S = 3_600, 86_400


def ordinary(start_s: int, steps: int, step_s: float, assets: int, venues: int) -> Plan:
    """Days as they come: only the hour and the weekend matter.

    `start_s`: UNIX second of the first step.
    """
    plan = calm(steps, assets, venues)
    seconds = start_s + (np.arange(steps) * step_s).astype(np.int64)
    hours = seconds // HOUR_S % 24
    # 1970-01-01 was a Thursday.
    weekend = (seconds // DAY_S + 3) % 7 >= 5
    plan.depth[:] = np.array(HOURLY_DEPTH)[hours] * np.where(weekend, WEEKEND_DEPTH, 1.0)
    plan.volatility[:] = np.array(HOURLY_VOLATILITY)[hours]
    plan.volatility[:] *= np.where(weekend, WEEKEND_VOLATILITY, 1.0)
    return plan


def calm(steps: int, assets: int, venues: int) -> Plan:
    """A plan in which nothing happens and no hour differs."""
    return Plan(
        np.zeros((steps, assets)),
        np.zeros((steps, assets)),
        np.zeros((steps, venues)),
        np.ones(steps),
        np.ones(steps),
        np.zeros(steps),
        np.ones(steps),
        np.ones(steps),
    )
