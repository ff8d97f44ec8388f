"""Isolated accounts: they open, close by choice, hit their stop, or are called.

Compiled. Every change of a position has a counterpart with the makers, the queue or another
account, so that coins and dollars are conserved (tests/unit/test_simulation_laws.py). A called
position leaves its account with its bankruptcy price: at that price nothing of it is left.
"""

import math

import numpy as np

from streams.simulation.compiled import compiled, inlined
from streams.simulation.law import Law
from streams.simulation.margin import bankruptcy_price, liquidation_price, tier
from streams.simulation.noise import exp, key, ln, normal, poisson, uniform
from streams.simulation.state import PAGE, QUEUE, Floats, State, Terms

COUNT, TRAITS = 21, 22
"""Streams of noise used here."""
HOT = 3
"""From this class of leverage on, the appetite of a plan multiplies arrivals."""


@inlined
def hold(state: State, a: int, v: int, signed: float, change: float) -> None:
    """Someone but the makers holds `change` (+1: more, -1: less) of `signed` coins."""
    state.held[a, v, 0 if signed > 0.0 else 1] += change * abs(signed)


@inlined
def arm(state: State, a: int, v: int, slot: int) -> None:
    """Tell the bounds of an account's page and pool its call and stop, and its page its leave."""
    side, page = state.side[slot], slot // PAGE
    row = 0 if side > 0 else 1
    call, stop = side * state.call[slot], side * state.stop[slot]
    state.near[a, v, row, 0] = max(state.near[a, v, row, 0], call)
    state.pages[page, row, 0] = max(state.pages[page, row, 0], call)
    if stop != 0.0:
        state.near[a, v, row, 1] = max(state.near[a, v, row, 1], stop)
        state.pages[page, row, 1] = max(state.pages[page, row, 1], stop)
    state.earliest[page] = min(state.earliest[page], state.leave[slot])


@inlined
def reached(bounds: Floats, mark: float, mid: float) -> bool:
    """Whether someone within `bounds` may be called at `mark` or stopped at `mid`."""
    longs = mark <= bounds[0, 0] or mid <= bounds[0, 1]
    return bool(longs or -mark <= bounds[1, 0] or -mid <= bounds[1, 1])


@compiled
def place(
    state: State,
    given: Terms,
    law: Law,
    a: int,
    v: int,
    side: int,
    cls: int,
    entry: float,
    lowest: float,
    highest: float,
    leave: float,
    word: np.uint64,
) -> bool:
    """Open an account at `entry`; not if prices between `lowest` and `highest` had called it.

    `word` keys its traits: size, exact leverage, stop. False if nothing was opened.
    """
    height = state.frees[a, v]
    if height == 0:
        return False
    size = min(law.size_largest, exp(law.size_sigma * normal(uniform(word, 1))))
    notional = given.size[a] * given.class_size[cls] * size
    coins = notional / entry
    margin = notional / (given.leverage[cls] * (0.75 + 0.3 * uniform(word, 2)))
    kind = given.kind[a]
    row = tier(given.floors[v, kind], notional)
    rate, amount = given.rates[v, kind, row], given.amounts[v, kind, row]
    call = liquidation_price(side, entry, coins, margin, rate, amount)
    if (side > 0 and lowest <= call) or (side < 0 and highest >= call):
        return False
    stop = 0.0
    if uniform(word, 3) < law.stops:
        stop = entry + (0.2 + 0.7 * uniform(word, 4)) * (max(call, 0.3 * entry) - entry)
        if uniform(word, 5) < law.stops_round:
            grid = 0.05 * exp(math.floor(ln(entry) / 2.302585092994046) * 2.302585092994046)
            if side > 0:
                beyond = math.floor(stop / grid) * grid * 0.9998
            else:
                beyond = math.ceil(stop / grid) * grid * 1.0002
            if side * (beyond - call) > 0.0 and side * (entry - beyond) > 0.0:
                stop = beyond
        if (side > 0 and lowest <= stop) or (side < 0 and highest >= stop):
            return False
    slot = state.free[given.pool[a, v, 0] + height - 1]
    state.frees[a, v] = height - 1
    state.used[a, v] = max(state.used[a, v], slot + 1)
    state.side[slot] = side
    state.coins[slot] = coins
    state.entry[slot] = entry
    state.margin[slot] = margin
    state.call[slot] = call
    state.stop[slot] = stop
    state.leave[slot] = leave
    hold(state, a, v, side * coins, 1.0)
    state.maker[a, v, 0] -= side * coins
    state.maker[a, v, 1] += side * coins * entry
    state.flows[0] += margin
    if side > 0:
        state.levered[a, v, 0] += coins
    else:
        state.levered[a, v, 1] += coins
    arm(state, a, v, slot)
    return True


@inlined
def vacate(state: State, given: Terms, a: int, v: int, slot: int) -> None:
    """Give the slot back; its coins have gone elsewhere."""
    state.levered[a, v, 0 if state.side[slot] > 0 else 1] -= state.coins[slot]
    state.coins[slot] = 0.0
    state.free[given.pool[a, v, 0] + state.frees[a, v]] = slot
    state.frees[a, v] += 1


@inlined
def pay_out(state: State, v: int, worth: float) -> None:
    """A closed account takes what is left; the insurance fund bears what is missing."""
    if worth >= 0.0:
        state.flows[1] += worth
    else:
        state.fund[v] += worth


@compiled
def close(state: State, given: Terms, a: int, v: int, slot: int, price: float) -> float:
    """Close by choice with the makers at `price`; gives the signed taker flow, USD."""
    signed = state.side[slot] * state.coins[slot]
    pay_out(state, v, state.margin[slot] + signed * (price - state.entry[slot]))
    hold(state, a, v, signed, -1.0)
    state.maker[a, v, 0] += signed
    state.maker[a, v, 1] -= signed * price
    vacate(state, given, a, v, slot)
    return float(-signed * price)


@inlined
def take_over(state: State, a: int, v: int, signed: float, bankrupt: float) -> None:
    """The backstop takes a position for its bankruptcy price."""
    state.backstop[a, v, 0] += signed
    state.backstop[a, v, 1] += signed * bankrupt


@inlined
def enqueue(state: State, a: int, v: int, signed: float, bankrupt: float, origin: int) -> None:
    """Hand a called position to the venue's engine; a full queue gives it to the backstop."""
    head, length = state.waiting[a, v, 0], state.waiting[a, v, 1]
    if length >= QUEUE:
        state.clock[2] += 1
        take_over(state, a, v, signed, bankrupt)
        return
    spot = (head + length) % QUEUE
    state.queue[a, v, spot, 0] = signed
    state.queue[a, v, spot, 1] = bankrupt
    state.queue[a, v, spot, 2] = origin
    state.waiting[a, v, 1] = length + 1


@compiled
def _sweep_page(state: State, given: Terms, a: int, v: int, page: int, leaving: float) -> float:
    """`sweep` of one page, whose bounds are then those of the accounts that stay."""
    mark, mid = state.mark[a, v], state.price[a, v]
    state.pages[page] = -math.inf
    state.earliest[page] = math.inf
    flow = 0.0
    for slot in range(page * PAGE, page * PAGE + PAGE):
        coins = state.coins[slot]
        if coins == 0.0:
            continue
        side, stop = state.side[slot], state.stop[slot]
        if side * (mark - state.call[slot]) <= 0.0:
            bankrupt = bankruptcy_price(side, state.entry[slot], coins, state.margin[slot])
            vacate(state, given, a, v, slot)
            enqueue(state, a, v, side * coins, bankrupt, 0)
        elif stop > 0.0 and side * (mid - stop) <= 0.0:
            flow += close(state, given, a, v, slot, mid)
        elif state.leave[slot] < leaving:
            close(state, given, a, v, slot, mid)
        else:
            arm(state, a, v, slot)
    return flow


@compiled
def sweep(state: State, given: Terms, a: int, v: int, leaving: float) -> float:
    """Find the accounts of an asset on a venue that are called, stopped, or leave by choice.

    `leaving`: accounts whose time is below it close; -1 for none. Gives the signed taker flow
    of the stops, USD; accounts that leave meet others that come, in the noise of the price.
    """
    mark, mid = state.mark[a, v], state.price[a, v]
    near = state.near[a, v]
    near[:] = -math.inf
    flow = 0.0
    last = (state.used[a, v] + PAGE - 1) // PAGE
    for page in range(given.pool[a, v, 0] // PAGE, last):
        bounds = state.pages[page]
        if reached(bounds, mark, mid) or state.earliest[page] < leaving:
            flow += _sweep_page(state, given, a, v, page, leaving)
        for row in range(2):
            for kind in range(2):
                near[row, kind] = max(near[row, kind], bounds[row, kind])
    return flow


@compiled
def arrivals(
    state: State,
    given: Terms,
    law: Law,
    a: int,
    v: int,
    seed: int,
    step: int,
    lean: float,
    appetite: float,
    growth: float,
) -> None:
    """New accounts of a step; `lean`: log odds of a long, `appetite`: times the hot classes."""
    classes = len(given.leverage)
    base = given.interest[a] * given.share[a, v] * 2.0 * law.step_s / given.size[a]
    total = 0.0
    for cls in range(classes):
        total += given.arrive[cls] * (appetite if cls >= HOT else 1.0)
    place_id = a * 8 + v
    number = poisson(base * total * growth, key(seed, COUNT, place_id, step))
    odds = 1.0 / (1.0 + exp(-lean))
    for n in range(number):
        word = key(seed, TRAITS, place_id * 65_536 + n, step)
        u = uniform(word, 0) * total
        cls = 0
        for candidate in range(classes):
            u -= given.arrive[candidate] * (appetite if candidate >= HOT else 1.0)
            if u < 0.0:
                cls = candidate
                break
        side = 1 if uniform(word, 6) < odds else -1
        life = -ln(uniform(word, 7)) * given.life_s[cls] / law.step_s
        price = state.price[a, v]
        low, high = min(price, state.mark[a, v]), max(price, state.mark[a, v])
        place(state, given, law, a, v, side, cls, price, low, high, step + life, word)
