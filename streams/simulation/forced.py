"""A venue's liquidation engine: orders on the book, insurance fund, backstop, auto-deleveraging.

Compiled. A called position is sold in slices by immediate-or-cancel orders limited at its
bankruptcy price. What is left of the margin goes to the fund; a slice that would fill beyond the
limit goes to the backstop with the rest of its position, or, when the backstop is full or the fund
empty, is closed against the opposite account with the highest profit times leverage (ADL).
"""

import numpy as np

from streams.simulation.accounts import hold, pay_out, take_over, vacate
from streams.simulation.book import displacement, half_spread
from streams.simulation.compiled import compiled, inlined
from streams.simulation.law import Law
from streams.simulation.noise import exp, key, uniform
from streams.simulation.state import ORDERS, QUEUE, Block, Ints, State, Terms

WHEN = 41
"""Stream of noise used here."""
ON_BOOK, BACKSTOP, ADL = 0, 1, 2


@inlined
def record(
    state: State,
    out: Block,
    at_us: int,
    a: int,
    v: int,
    signed: float,
    kind: int,
    fill: float,
    bankrupt: float,
) -> None:
    """Note a forced order of `signed` coins (positive: a long was closed)."""
    n = state.clock[1]
    if n >= ORDERS:
        return
    out.when[n] = at_us
    out.place[n, 0] = a
    out.place[n, 1] = v
    out.place[n, 2] = 1 if signed > 0.0 else -1
    out.place[n, 3] = kind
    out.order[n, 0] = abs(signed)
    out.order[n, 1] = fill
    out.order[n, 2] = bankrupt
    state.clock[1] = n + 1


@compiled
def ranked(state: State, given: Terms, a: int, v: int, side: int, price: float) -> Ints:
    """Slots of the accounts against `side` in profit, by profit times leverage, best first."""
    count = 0
    for slot in range(given.pool[a, v, 0], state.used[a, v]):
        if state.coins[slot] != 0.0 and state.side[slot] == -side:
            count += 1
    slots = np.zeros(count, np.int64)
    scores = np.zeros(count)
    n = 0
    for slot in range(given.pool[a, v, 0], state.used[a, v]):
        if state.coins[slot] == 0.0 or state.side[slot] != -side:
            continue
        gain = -side * (price - state.entry[slot]) / state.entry[slot]
        if gain > 0.0:
            slots[n] = slot
            scores[n] = -gain * state.coins[slot] * state.entry[slot] / state.margin[slot]
            n += 1
    return slots[:n][np.argsort(scores[:n], kind="mergesort")]


@compiled
def deleverage(
    state: State,
    given: Terms,
    a: int,
    v: int,
    signed: float,
    price: float,
    ranks: Ints,
    cursor: int,
) -> int:
    """Close `signed` coins at `price` against the ranks from `cursor` on, then against makers.

    Gives the rank at which the next position goes on.
    """
    left = abs(signed)
    side = 1 if signed > 0.0 else -1
    hold(state, a, v, signed, -1.0)
    while left > 0.0 and cursor < len(ranks):
        best = ranks[cursor]
        part = min(left, state.coins[best])
        if part > 0.0 and state.side[best] == -side:
            margin = state.margin[best] * part / state.coins[best]
            pay_out(state, v, margin - side * part * (price - state.entry[best]))
            left -= part
            hold(state, a, v, -side * part, -1.0)
            if part >= state.coins[best]:
                vacate(state, given, a, v, best)
            else:
                state.margin[best] -= margin
                state.coins[best] -= part
                state.levered[a, v, 1 if side > 0 else 0] -= part
        if left > 0.0:
            cursor += 1
    state.maker[a, v, 0] += side * left
    state.maker[a, v, 1] -= side * left * price
    return cursor


@compiled
def execute(
    state: State,
    given: Terms,
    law: Law,
    out: Block,
    a: int,
    v: int,
    depth: float,
    ordinary: float,
    seed: int,
    step: int,
) -> None:
    """Work the queue of an asset on a venue for one step.

    `depth`, `ordinary`: dollars within 1 % now and ordinarily.
    """
    mid = state.price[a, v]
    spread = half_spread(law, depth, ordinary)
    before = displacement(law, state.imbalance[a, v], depth)
    slice_usd = max(200.0, law.slice * ordinary)
    waiting = 0.0
    for n in range(state.waiting[a, v, 1]):
        waiting += abs(state.queue[a, v, (state.waiting[a, v, 0] + n) % QUEUE, 0]) * mid
    budget = waiting * (1.0 - exp(-law.release * law.step_s))
    budget = max(budget, min(waiting, 2.0 * slice_usd))
    most = int(law.orders_per_s * law.step_s)
    ceiling = law.backstop * given.interest[a] * given.share[a, v]
    word = key(seed, WHEN, a * 8 + v, step)
    ranks = np.zeros(0, np.int64)
    ranking, cursor = 0, 0
    for n in range(most):
        if state.waiting[a, v, 1] == 0 or budget <= 0.0:
            break
        spot = state.waiting[a, v, 0]
        whole = state.queue[a, v, spot, 0]
        bankrupt = state.queue[a, v, spot, 1]
        side = 1.0 if whole > 0.0 else -1.0
        coins = min(abs(whole), slice_usd / mid)
        if abs(whole) - coins < 0.25 * coins:
            coins = abs(whole)
        flow = -side * coins * mid * law.forced_impact
        moved = displacement(law, state.imbalance[a, v] + 0.5 * flow, depth) - before
        fill = mid * exp(moved) * (1.0 - side * spread)
        at_us = int((step + uniform(word, n)) * law.step_s * 1000.0) * 1000
        if side * (fill - bankrupt) >= 0.0:
            state.fund[v] += side * coins * (fill - bankrupt)
            hold(state, a, v, side * coins, -1.0)
            state.maker[a, v, 0] += side * coins
            state.maker[a, v, 1] -= side * coins * fill
            state.imbalance[a, v] += flow
            record(state, out, at_us, a, v, side * coins, ON_BOOK, fill, bankrupt)
        else:
            coins = abs(whole)
            held = abs(state.backstop[a, v, 0] + whole) * mid
            if held <= ceiling and state.fund[v] > 0.0:
                take_over(state, a, v, whole, bankrupt)
                record(state, out, at_us, a, v, whole, BACKSTOP, bankrupt, bankrupt)
            else:
                way = 1 if side > 0.0 else -1
                if way != ranking:
                    ranks = ranked(state, given, a, v, way, mid)
                    ranking, cursor = way, 0
                cursor = deleverage(state, given, a, v, whole, bankrupt, ranks, cursor)
                record(state, out, at_us, a, v, whole, ADL, bankrupt, bankrupt)
        budget -= coins * mid
        rest = abs(whole) - coins
        if rest <= 0.0:
            state.waiting[a, v, 0] = (spot + 1) % QUEUE
            state.waiting[a, v, 1] -= 1
        else:
            state.queue[a, v, spot, 0] = side * rest


@compiled
def unwind(state: State, law: Law, a: int, v: int, smallest: float) -> None:
    """The backstop trades a part of what it holds; profit and loss are the fund's."""
    held = state.backstop[a, v, 0]
    mid = state.price[a, v]
    share = 1.0 - exp(-law.step_s / law.backstop_s)
    if abs(held) * mid < smallest:
        share = 1.0
    part = held * share
    cost = state.backstop[a, v, 1] * share
    state.fund[v] += part * mid - cost
    hold(state, a, v, part, -1.0)
    state.maker[a, v, 0] += part
    state.maker[a, v, 1] -= part * mid
    state.backstop[a, v, 0] = 0.0 if share == 1.0 else held - part
    state.backstop[a, v, 1] -= cost
    state.imbalance[a, v] -= part * mid * law.forced_impact
