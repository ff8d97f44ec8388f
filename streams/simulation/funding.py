"""Funding every eight hours: longs pay shorts the rate of the period, then the next rate is set.

Compiled. rate = mean premium + clamp(anchor - mean premium, +-0.05 %) (Binance, "Introduction to
Funding Rates"). Makers are the counterpart of whoever has none; the sum of payments is zero.
"""

from streams.simulation.accounts import arm
from streams.simulation.compiled import compiled
from streams.simulation.law import Law
from streams.simulation.margin import liquidation_price, tier
from streams.simulation.state import State, Terms


@compiled
def next_rate(mean_premium: float, anchor: float) -> float:
    """The rate of the next period from the mean premium of this one."""
    return mean_premium + min(0.0005, max(-0.0005, anchor - mean_premium))


@compiled
def pay_funding(state: State, given: Terms, law: Law) -> None:
    """Settle all positions at the mark; liquidation prices of isolated accounts follow."""
    assets, venues = given.share.shape
    for a in range(assets):
        kind = given.kind[a]
        for v in range(venues):
            if given.share[a, v] <= 0.0:
                continue
            due = state.rate[a, v] * state.mark[a, v]
            for slot in range(given.pool[a, v, 0], state.used[a, v]):
                coins = state.coins[slot]
                if coins == 0.0:
                    continue
                side, entry = state.side[slot], state.entry[slot]
                state.margin[slot] -= side * coins * due
                state.maker[a, v, 1] += side * coins * due
                row = tier(given.floors[v, kind], coins * entry)
                rate, amount = given.rates[v, kind, row], given.amounts[v, kind, row]
                state.call[slot] = liquidation_price(
                    side, entry, coins, state.margin[slot], rate, amount
                )
                arm(state, a, v, slot)
    for v in range(venues):
        for c in range(state.wallet.shape[1]):
            for slot in range(state.cross_asset.shape[2]):
                a = state.cross_asset[v, c, slot]
                if a >= 0:
                    paid = state.cross_coins[v, c, slot] * state.mark[a, v] * state.rate[a, v]
                    state.wallet[v, c] -= paid
                    state.maker[a, v, 1] += paid
    for a in range(assets):
        for v in range(venues):
            count = state.premium[a, v, 1]
            if count > 0.0:
                mean = state.premium[a, v, 0] / count
                state.rate[a, v] = next_rate(mean, law.funding_anchor)
            state.premium[a, v, 0] = 0.0
            state.premium[a, v, 1] = 0.0
