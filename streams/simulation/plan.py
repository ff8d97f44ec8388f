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


def calm(steps: int, assets: int, venues: int) -> Plan:
    """A plan in which nothing happens."""
    return Plan(
        np.zeros((steps, assets)),
        np.zeros((steps, assets)),
        np.zeros((steps, venues)),
        np.ones(steps),
        np.ones(steps),
        np.zeros(steps),
        np.ones(steps),
    )
