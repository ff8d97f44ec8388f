"""The margin engine: one step of all venues, compiled.

Order within a step: outside events move the fundamental; flow imbalance and depth give each venue's
price; index and mark follow; accounts are called, stopped, opened and closed; the venues' engines
send what is waiting; books refill, traders arbitrage and follow. Promises the same state for the
same seed, plan and start, in one piece or in many. Leaves out what docs/simulation.md lists.
"""

import math

import numpy as np

from streams.simulation.accounts import arrivals, reached, sweep
from streams.simulation.book import (
    deviations,
    displacement,
    half_spread,
    median,
    shrink,
    thinned,
)
from streams.simulation.compiled import compiled, inlined
from streams.simulation.cross import watch_cross
from streams.simulation.forced import execute, unwind
from streams.simulation.funding import pay_funding
from streams.simulation.law import Law
from streams.simulation.noise import exp, key, ln, normal, power, uniform
from streams.simulation.plan import Plan
from streams.simulation.state import ORDERS, Block, State, Terms

COMMON, OWN, JUMP, MICRO, VOLUME = 1, 2, 3, 4, 5
"""Streams of noise used here."""
EIGHT_HOURS = 28_800.0
DAY_S = 86_400.0
CROSS_S = 5.0
"""In calm, cross-margined accounts are looked at this often, s; else each step."""
SWEEP_S = 60.0
"""Accounts that close by choice are looked for this often, s."""


@compiled
def _shock(law: Law, word: np.uint64) -> float:
    """A standard draw with a fat tail: one in a hundred carries a share of the variance."""
    z = math.sqrt(1.0 - law.tail) * normal(uniform(word, 0))
    if uniform(word, 1) < 0.01:
        z += math.sqrt(law.tail * 100.0) * normal(uniform(word, 2))
    return z


@compiled
def _outside(
    state: State, given: Terms, law: Law, plan: Plan, row: int, seed: int, step: int
) -> None:
    """Move the fundamentals."""
    keep = shrink(law.sigma_memory_s, law.step_s)
    spread = law.sigma_wander * math.sqrt(1.0 - keep * keep)
    word = key(seed, COMMON, 0, step)
    state.common[0] = state.common[0] * keep + spread * normal(uniform(word, 3))
    scale = exp(state.common[0]) * plan.volatility[row] * law.sigma * math.sqrt(law.step_s)
    common = scale * _shock(law, word)
    for a in range(len(given.price)):
        own = scale * given.own[a] * _shock(law, key(seed, OWN, a, step))
        jump = 0.0
        word = key(seed, JUMP, a, step)
        if uniform(word, 0) < law.jump_per_s * law.step_s:
            size = law.jump_sigma * deviations(law, given.beta[a], given.own[a])
            jump = size * normal(uniform(word, 1))
        state.value[a] += given.beta[a] * common + own + jump + plan.drift[row, a]
        state.value[a] -= state.value[a] * law.revert_per_s * law.step_s
        state.slow[a] += (state.value[a] - state.slow[a]) * (law.step_s / DAY_S)


@inlined
def _depth(state: State, given: Terms, law: Law, a: int, v: int) -> float:
    """Ordinary dollars within 1 % on a venue; the column after the venues is the spot market."""
    venues = given.share.shape[1]
    share = law.spot_depth if v == venues else given.share[a, v]
    return float(law.depth * given.interest[a] * share)


@compiled
def _prices(
    state: State, given: Terms, law: Law, plan: Plan, row: int, seed: int, step: int
) -> None:
    """Mid prices, marks and what watches them, from fundamentals and flow."""
    assets, venues = given.share.shape
    keep_basis = shrink(law.mark_s, law.step_s)
    keep_lively = shrink(law.volatility_s, law.step_s)
    keep_recent = shrink(law.herd_s, law.step_s)
    market = 0.0
    for a in range(assets):
        market += given.weight[a] * _mean_move(state, given, law, plan, row, a) / given.beta[a]
    state.common[1] = market
    follow = 1.0 - shrink(law.spill_s, law.step_s)
    fade = law.lasting * law.gamma / law.refill_s * law.step_s
    for a in range(assets):
        own_move = _mean_move(state, given, law, plan, row, a)
        others = market - given.weight[a] * own_move / given.beta[a]
        target = law.spill * given.beta[a] * others
        state.spill[a] += (target - state.spill[a]) * follow
        state.value[a] += fade * (own_move + state.spill[a])
        longs, shorts = 0.0, 0.0
        for v in range(venues):
            longs += state.levered[a, v, 0]
            shorts += state.levered[a, v, 1]
        lean = (longs - shorts) / (longs + shorts) if longs + shorts > 0.0 else 0.0
        premium = law.basis * (lean - law.basis_at)
        base = state.value[a] + state.spill[a]
        before = state.fair[a]
        word = key(seed, MICRO, a, step)
        for v in range(venues + 1):
            ordinary = _depth(state, given, law, a, v)
            if ordinary <= 0.0:
                continue
            depth = ordinary * plan.depth[row] * exp(state.thin[a, v])
            moved = base + displacement(law, state.imbalance[a, v], depth)
            wobble = 0.5 * half_spread(law, depth, ordinary) * normal(uniform(word, v))
            if v < venues:
                moved += premium
            if v == 0:
                state.fair[a] = moved
            state.price[a, v] = given.price[a] * exp(moved + wobble)
        spot = state.price[a, venues]
        for v in range(venues):
            if given.share[a, v] <= 0.0:
                continue
            mid = state.price[a, v]
            index = spot * exp(plan.fault[row, v])
            basis = ln(mid / index)
            # Price 1 of the venues' rule adds the funding due, which is too small to matter here.
            state.mark[a, v] = median(mid, index, index * exp(state.basis[a, v]))
            state.basis[a, v] += (basis - state.basis[a, v]) * (1.0 - keep_basis)
            state.premium[a, v, 0] += basis
            state.premium[a, v, 1] += 1.0
        step_return = state.fair[a] - before
        ordinary_dev = deviations(law, given.beta[a], given.own[a]) * math.sqrt(law.step_s)
        ratio = step_return / ordinary_dev
        state.lively[a] = state.lively[a] * keep_lively + ratio * ratio * (1.0 - keep_lively)
        state.recent[a] = state.recent[a] * keep_recent + step_return


@compiled
def _mean_move(state: State, given: Terms, law: Law, plan: Plan, row: int, a: int) -> float:
    """Displacement of an asset over venues and spot, weighted by depth."""
    venues = given.share.shape[1]
    total, weight = 0.0, 0.0
    for v in range(venues + 1):
        ordinary = _depth(state, given, law, a, v)
        if ordinary > 0.0:
            depth = ordinary * plan.depth[row] * exp(state.thin[a, v])
            total += depth * displacement(law, state.imbalance[a, v], depth)
            weight += depth
    return total / weight


@compiled
def _flows(
    state: State, given: Terms, law: Law, plan: Plan, row: int, seed: int, step: int
) -> None:
    """Books refill and withdraw, venues are arbitraged, the herd follows."""
    assets, venues = given.share.shape
    even = 1.0 - power(1.0 - law.arbitrage, law.step_s)
    for a in range(assets):
        dev = deviations(law, given.beta[a], given.own[a])
        beyond = abs(state.recent[a]) - 4.0 * dev * math.sqrt(law.herd_s)
        chase = max(0.0, beyond) / 0.01 * law.herd * law.step_s / law.herd_s
        chase = -chase if state.recent[a] < 0.0 else chase
        total, weight = 0.0, 0.0
        for v in range(venues + 1):
            ordinary = _depth(state, given, law, a, v)
            if ordinary > 0.0:
                depth = ordinary * plan.depth[row] * exp(state.thin[a, v])
                away = displacement(law, state.imbalance[a, v], depth) / law.value_at
                keep = shrink(law.refill_s / (1.0 + away * away), law.step_s)
                state.imbalance[a, v] = state.imbalance[a, v] * keep + chase * depth
                state.imbalance[a, v] += plan.push[row, a] * ordinary
                total += state.imbalance[a, v]
                weight += depth
        for v in range(venues + 1):
            ordinary = _depth(state, given, law, a, v)
            if ordinary > 0.0:
                depth = ordinary * plan.depth[row] * exp(state.thin[a, v])
                state.imbalance[a, v] += even * (total * depth / weight - state.imbalance[a, v])
                state.thin[a, v] = thinned(law, state.thin[a, v], state.lively[a])


@compiled
def _tell(
    state: State,
    given: Terms,
    law: Law,
    plan: Plan,
    out: Block,
    row: int,
    n: int,
    seed: int,
    step: int,
) -> None:
    """Write the step's row of the block."""
    assets, venues = given.share.shape
    for a in range(assets):
        lively = math.sqrt(max(0.05, state.lively[a]))
        word = key(seed, VOLUME, a, step)
        ordinary_dev = deviations(law, given.beta[a], given.own[a]) * math.sqrt(law.step_s)
        for v in range(venues + 1):
            ordinary = _depth(state, given, law, a, v)
            if ordinary <= 0.0:
                continue
            out.price[n, a, v] = state.price[a, v]
            out.depth[n, a, v] = ordinary * plan.depth[row] * exp(state.thin[a, v])
            share = given.share[a, v] if v < venues else law.spot_depth
            usual = law.turnover * given.interest[a] * share / DAY_S * law.step_s
            volume = usual * plan.volatility[row] * lively
            volume *= exp(0.9 * normal(uniform(word, v)) - 0.405)
            tilt = min(3.0, max(-3.0, state.recent[a] / (6.0 * ordinary_dev)))
            tilt += 0.5 * normal(uniform(word, 8 + v))
            bought = 1.0 / (1.0 + exp(-tilt))
            out.bought[n, a, v] = volume * bought
            out.sold[n, a, v] = volume * (1.0 - bought)
            if v < venues:
                out.mark[n, a, v] = state.mark[a, v]
                out.reference[n, a, v] = state.price[a, venues] * exp(plan.fault[row, v])
                out.rate[n, a, v] = state.rate[a, v]
                out.interest[n, a, v] = _interest(state, given, law, a, v)


@inlined
def _interest(state: State, given: Terms, law: Law, a: int, v: int) -> float:
    """One-sided open interest, coins; longs are shorts once the makers are counted."""
    hedged = law.hedged * given.interest[a] * given.share[a, v] / given.price[a]
    return float(hedged + max(state.held[a, v, 0], state.held[a, v, 1]))


@compiled
def advance(
    state: State,
    given: Terms,
    law: Law,
    plan: Plan,
    out: Block,
    seed: int,
    steps: int,
    start_s: int,
) -> int:
    """Run up to `steps` steps; fewer when the block has no room for the orders of another.

    `start_s`: UNIX second of step 0, which places funding. Gives the number of steps done. The
    block's orders are those up to `state.clock[1]`, which is zero at the start of a call.
    """
    assets, venues = given.share.shape
    state.clock[1] = 0
    every = max(1, int(SWEEP_S / law.step_s))
    pause = max(1, int(CROSS_S / law.step_s))
    room = int(assets * venues * law.orders_per_s * law.step_s)
    for n in range(steps):
        if state.clock[1] + room > ORDERS:
            return n
        step = state.clock[0]
        row = step
        now = start_s + step * law.step_s
        if step > 0 and now % EIGHT_HOURS < law.step_s:
            pay_funding(state, given, law)
        _outside(state, given, law, plan, row, seed, step)
        _prices(state, given, law, plan, row, seed, step)
        for a in range(assets):
            trend = (state.value[a] - state.slow[a]) / (
                deviations(law, given.beta[a], given.own[a]) * math.sqrt(DAY_S)
            )
            lean = law.neutral_long + plan.lean[row] + law.trend * min(2.0, max(-2.0, trend))
            for v in range(venues):
                if given.share[a, v] <= 0.0:
                    continue
                leaving = step if step % every == 0 else -1
                near = reached(state.near[a, v], state.mark[a, v], state.price[a, v])
                if near or leaving >= 0:
                    state.imbalance[a, v] += sweep(state, given, a, v, leaving)
                hot, all_new = plan.appetite[row], plan.growth[row]
                arrivals(state, given, law, a, v, seed, step, lean, hot, all_new)
        lean = law.neutral_long + plan.lean[row]
        stirred = step % pause == 0
        for a in range(assets):
            stirred = stirred or state.lively[a] > 4.0
        if stirred:
            watch_cross(state, given, law, seed, step, lean, step % every == 0)
        for a in range(assets):
            for v in range(venues):
                ordinary = _depth(state, given, law, a, v)
                if ordinary > 0.0:
                    depth = ordinary * plan.depth[row] * exp(state.thin[a, v])
                    if state.waiting[a, v, 1] > 0:
                        execute(state, given, law, out, a, v, depth, ordinary, seed, step)
                    if state.backstop[a, v, 0] != 0.0:
                        unwind(state, law, a, v, 100.0)
        _flows(state, given, law, plan, row, seed, step)
        _tell(state, given, law, plan, out, row, n, seed, step)
        state.clock[0] = step + 1
    return steps
