"""The order book as one number per venue: dollars within 1 %, and what a flow does to the price.

Compiled. Impact is concave: a flow V against depth D moves the price by 1 % * impact * (V/D)^gamma
(gamma 0.875 +- 0.078 on 639 liquidation events, one public project). V is the decayed signed taker
flow, so cutting an order in pieces changes nothing. Depth withdraws fast and returns slowly.
"""

import math

from streams.simulation.compiled import inlined
from streams.simulation.law import Law
from streams.simulation.noise import exp, ln, power


@inlined
def displacement(law: Law, imbalance: float, depth: float) -> float:
    """Log displacement of a venue's price by its flow imbalance (USD, positive: bought)."""
    size = 0.01 * law.impact * power(abs(imbalance) / depth, law.gamma)
    return size if imbalance > 0.0 else -size


@inlined
def half_spread(law: Law, depth: float, ordinary: float) -> float:
    """Half the spread over price; it widens in proportion as depth falls."""
    return law.spread * max(1.0, ordinary / depth)


@inlined
def thinned(law: Law, thin: float, lively: float) -> float:
    """Log depth over ordinary depth after a step; `lively`: variance over the ordinary one.

    The elasticity wears off: books come near `least_depth` and never below it.
    """
    most = -ln(law.least_depth)
    target = -most * (1.0 - exp(-0.5 * law.withdraw * ln(max(1.0, lively)) / most))
    slow = law.withdraw_s if target < thin else law.return_s
    return thin + (target - thin) * (1.0 - exp(-law.step_s / slow))


@inlined
def median(a: float, b: float, c: float) -> float:
    """The middle one of three."""
    return max(min(a, b), min(max(a, b), c))


@inlined
def shrink(period_s: float, step_s: float) -> float:
    """What a decay time leaves after a step."""
    return exp(-step_s / period_s) if period_s > 0.0 else 0.0


@inlined
def deviations(law: Law, beta: float, own: float) -> float:
    """Ordinary standard deviation of an asset's log return in one second."""
    return law.sigma * math.sqrt(beta * beta + own * own)
