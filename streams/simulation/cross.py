"""Cross-margined accounts: one wallet behind several positions, called as a whole.

Compiled. An account is called when wallet + profits falls to the sum of its maintenance margins;
each position goes to the queue with a bankruptcy price that shares the rest by notional.
"""

import math

from streams.simulation.accounts import enqueue, hold, pay_out
from streams.simulation.compiled import compiled
from streams.simulation.law import Law
from streams.simulation.margin import maintenance, tier
from streams.simulation.noise import exp, key, ln, normal, uniform
from streams.simulation.state import POSITIONS, State, Terms

CROSS = 31
"""Stream of noise used here."""
LIFE_S = 259_200.0
"""Mean life of an account, s."""
LEVERAGE = 2.6
LEVERAGE_SIGMA = 0.65
"""Median effective leverage and the spread of its logarithm (Hyperliquid longs, one project)."""


@compiled
def fill_cross(
    state: State, given: Terms, law: Law, v: int, c: int, seed: int, step: int, lean: float
) -> None:
    """A new account in place `c` of venue `v`, at current prices."""
    assets = len(given.price)
    word = key(seed, CROSS, v * 65_536 + c, step)
    size = min(law.size_largest, exp(1.5 * normal(uniform(word, 0))))
    lever = min(15.0, LEVERAGE * exp(LEVERAGE_SIGMA * normal(uniform(word, 1))))
    home = c % assets
    gross = 0.0
    total = law.cross * given.interest[home] * given.share[home, v] * 2.0 / law.cross_accounts
    # The mean of the capped lognormal with sigma 1.5 is 3.08 medians.
    notional = total * size / 3.08
    side = 1.0 if uniform(word, 2) < 1.0 / (1.0 + exp(-lean)) else -1.0
    for slot in range(min(POSITIONS, assets)):
        a = home if slot == 0 else int(uniform(word, 3 + slot) * assets)
        if slot > 0 and uniform(word, 8 + slot) < 0.5:
            continue
        if given.share[a, v] <= 0.0:
            continue
        tilt = side if uniform(word, 12 + slot) < 0.8 else -side
        relative = min(1.0, given.interest[a] / given.interest[home])
        part = notional * (1.0 if slot == 0 else 0.4) * relative
        price = state.price[a, v]
        coins = tilt * part / price
        state.cross_asset[v, c, slot] = a
        state.cross_coins[v, c, slot] = coins
        state.cross_entry[v, c, slot] = price
        hold(state, a, v, coins, 1.0)
        state.maker[a, v, 0] -= coins
        state.maker[a, v, 1] += coins * price
        gross += part
    wallet = gross / lever
    state.wallet[v, c] = wallet
    state.flows[0] += wallet
    life = -ln(uniform(word, 20)) * LIFE_S / law.step_s
    state.cross_leave[v, c] = step + life


@compiled
def _settle(state: State, v: int, c: int) -> None:
    for slot in range(POSITIONS):
        state.cross_asset[v, c, slot] = -1
        state.cross_coins[v, c, slot] = 0.0
        state.cross_entry[v, c, slot] = 0.0
    state.wallet[v, c] = 0.0


@compiled
def watch_cross(
    state: State, given: Terms, law: Law, seed: int, step: int, lean: float, renew: bool
) -> None:
    """Call the accounts that must be called; with `renew`, close and replace those that leave."""
    venues, count = state.wallet.shape
    for v in range(venues):
        for c in range(count):
            worth = state.wallet[v, c]
            needed = 0.0
            gross = 0.0
            for slot in range(POSITIONS):
                a = state.cross_asset[v, c, slot]
                if a < 0:
                    continue
                coins = state.cross_coins[v, c, slot]
                mark = state.mark[a, v]
                worth += coins * (mark - state.cross_entry[v, c, slot])
                notional = abs(coins) * mark
                kind = given.kind[a]
                row = tier(given.floors[v, kind], notional)
                needed += maintenance(
                    notional, given.rates[v, kind, row], given.amounts[v, kind, row]
                )
                gross += notional
            if gross > 0.0 and worth <= needed:
                for slot in range(POSITIONS):
                    a = state.cross_asset[v, c, slot]
                    if a < 0:
                        continue
                    coins = state.cross_coins[v, c, slot]
                    mark = state.mark[a, v]
                    left = worth * abs(coins) * mark / gross
                    enqueue(state, a, v, coins, mark - left / coins, 1)
                _settle(state, v, c)
                state.cross_leave[v, c] = step + math.floor(3_600.0 / law.step_s)
            elif renew and step >= state.cross_leave[v, c]:
                if gross > 0.0:
                    rest = state.wallet[v, c]
                    for slot in range(POSITIONS):
                        a = state.cross_asset[v, c, slot]
                        if a < 0:
                            continue
                        coins = state.cross_coins[v, c, slot]
                        price = state.price[a, v]
                        rest += coins * (price - state.cross_entry[v, c, slot])
                        hold(state, a, v, coins, -1.0)
                        state.maker[a, v, 0] += coins
                        state.maker[a, v, 1] -= coins * price
                    pay_out(state, v, rest)
                    _settle(state, v, c)
                fill_cross(state, given, law, v, c, seed, step, lean)
