"""The accounts that stand when a simulation begins.

Ages are drawn from the stationary law of each class's life; entries are prices of a common past, so
that liquidation prices cluster where the market has traded. An account that its own past would have
called is not there. Promises the same population for the same seed.
"""

import math

import numpy as np

from streams.simulation.accounts import place
from streams.simulation.compiled import compiled
from streams.simulation.cross import fill_cross
from streams.simulation.law import Law
from streams.simulation.noise import exp, key, ln, normal, uniform
from streams.simulation.state import MEAN_SIZE, Floats, State, Terms

PAST, AGED = 51, 52
"""Streams of noise used here."""
PAST_HOURS = 960


@compiled
def past(given: Terms, law: Law, seed: int, rise: float) -> Floats:
    """Log prices [K, hours], newest first (0 at the opening); `rise`: log gain of the last days."""
    assets = len(given.price)
    found = np.zeros((assets, PAST_HOURS))
    for a in range(assets):
        level = 0.0
        for hour in range(1, PAST_HOURS):
            common = normal(uniform(key(seed, PAST, 0, hour), 0))
            own = normal(uniform(key(seed, PAST, a + 1, hour), 0))
            move = given.beta[a] * common + given.own[a] * own
            level -= law.sigma * 60.0 * move
            if hour <= 96:
                level -= given.beta[a] * rise / 96.0
            found[a, hour] = level
    return found


@compiled
def populate(
    state: State, given: Terms, law: Law, seed: int, lean: float, appetite: float, rise: float
) -> None:
    """Fill the pools and the cross-margined accounts.

    `lean`: log odds of a long; `appetite`: times the stock of the highly leveraged classes;
    `rise`: log gain of the common factor over the four days before the opening.
    """
    assets, venues = given.share.shape
    history = past(given, law, seed, rise)
    odds = 1.0 / (1.0 + exp(-lean))
    for a in range(assets):
        low = np.zeros(PAST_HOURS)
        high = np.zeros(PAST_HOURS)
        for hour in range(1, PAST_HOURS):
            low[hour] = min(low[hour - 1], history[a, hour])
            high[hour] = max(high[hour - 1], history[a, hour])
        for v in range(venues):
            dollars = 2.0 * given.interest[a] * given.share[a, v]
            for cls in range(len(given.leverage)):
                times = appetite if cls >= 3 else 1.0
                mean = given.size[a] * given.class_size[cls] * MEAN_SIZE
                number = int(dollars * given.stock[cls] * times / mean)
                for n in range(number):
                    word = key(seed, AGED, ((a * 8 + v) * 16 + cls), n)
                    age = -ln(uniform(word, 0)) * given.life_s[cls]
                    hour = min(PAST_HOURS - 1, int(age / 3600.0))
                    within = law.sigma * 45.0 * normal(uniform(word, 8))
                    moved = history[a, hour] + given.beta[a] * within
                    entry = given.price[a] * exp(moved)
                    side = 1 if uniform(word, 6) < odds else -1
                    lowest = given.price[a] * exp(min(low[hour], moved) - 2e-4)
                    highest = given.price[a] * exp(max(high[hour], moved) + 2e-4)
                    leave = -ln(uniform(word, 7)) * given.life_s[cls] / law.step_s
                    place(state, given, law, a, v, side, cls, entry, lowest, highest, leave, word)
    for v in range(venues):
        for c in range(state.wallet.shape[1]):
            fill_cross(state, given, law, v, c, seed, -1, lean)
    if not math.isfinite(state.flows[0]):
        raise ValueError("the opening population holds no finite dollars")
