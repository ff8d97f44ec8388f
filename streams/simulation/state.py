"""The engine's tables: what never changes (`Terms`), what does (`State`), what it tells (`Block`).

Plain arrays in named tuples, which compiled code reads and Python can copy: a snapshot is a copy,
a fork is a copy that goes on. Promises that the same assets and law give the same shapes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.simulation.assets import Asset, shares, tier_tables
from streams.simulation.law import LEVERAGE, LIFE_S, SIZE, STOCK, Law

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUEUE = 16_384
"""Forced orders that one venue and asset can have waiting."""
PAGE = 256
"""Slots that are looked at together; pools begin at a page."""
POSITIONS = 3
"""Positions of a cross-margined account, at most."""
ORDERS = 400_000
"""Forced orders that a block can hold."""
MEAN_SIZE = 5.95
"""Mean account size over the median at the default sigma, after the cap."""


class Terms(NamedTuple):
    """Constants by asset (K), venue (V), leverage class (L)."""

    price: Floats
    """[K] opening price, USD."""
    beta: Floats
    own: Floats
    interest: Floats
    """[K] one-sided open interest at the opening, USD."""
    size: Floats
    """[K] median notional of a 20x account, USD."""
    kind: Ints
    share: Floats
    """[K, V] of business; 0 = not listed."""
    weight: Floats
    """[K] of the asset in the market's displacement."""
    leverage: Floats
    stock: Floats
    life_s: Floats
    class_size: Floats
    arrive: Floats
    """[L] new accounts a second, per dollar of open interest over the median size."""
    floors: Floats
    """[V, kind, tier] USD."""
    rates: Floats
    amounts: Floats
    pool: Ints
    """[K, V, 2] first and last+1 slot of the accounts of an asset on a venue."""


class State(NamedTuple):
    """Everything that changes."""

    clock: Ints
    """[3] step number, forced orders of the block so far, calls that found a full queue."""
    common: Floats
    """[3] log volatility of the common factor, the market's displacement, its deposits."""
    flows: Floats
    """[2] dollars deposited and withdrawn, for the conservation law."""
    value: Floats
    """[K] log of the fundamental over the opening price."""
    spill: Floats
    """[K] log displacement that follows the market's."""
    slow: Floats
    """[K] mean of `value` over a day, log."""
    imbalance: Floats
    """[K, V+1] decayed signed taker flow, USD; the last column is the spot market."""
    thin: Floats
    """[K, V+1] log of depth over ordinary depth."""
    price: Floats
    """[K, V+1] mid prices, USD."""
    fair: Floats
    """[K] log of the first venue's price over the opening one, without the bounce of its quotes."""
    mark: Floats
    """[K, V]."""
    basis: Floats
    """[K, V] moving average of log(mid / index)."""
    lively: Floats
    """[K] short-term variance over the ordinary one."""
    recent: Floats
    """[K] decayed log return, the move that the herd sees."""
    premium: Floats
    """[K, V, 2] sum and count of the premium since the last funding."""
    rate: Floats
    """[K, V] funding rate of the period."""
    maker: Floats
    """[K, V, 2] coins and dollars of the makers, who stand opposite to all."""
    levered: Floats
    """[K, V, 2] coins of isolated longs and shorts."""
    held: Floats
    """[K, V, 2] coins of longs and of shorts, of all but the makers."""
    fund: Floats
    """[V] insurance fund, USD."""
    backstop: Floats
    """[K, V, 2] coins taken over, and the dollars for which."""
    near: Floats
    """[K, V, 2, 2] of longs (0) and shorts (1), whose prices count as negative: no call (0) and no
    stop (1) is higher. Accounts that close leave it as it was, until the next sweep."""
    pages: Floats
    """[slots / PAGE, 2, 2] the same of each page of slots."""
    earliest: Floats
    """[slots / PAGE] no account of the page leaves by choice before this step."""
    side: NDArray[np.int8]
    coins: Floats
    """0 = the slot is free."""
    entry: Floats
    margin: Floats
    call: Floats
    """Liquidation price."""
    stop: Floats
    """Stop price; 0 = none."""
    leave: Floats
    """Step at which the account closes by choice."""
    free: Ints
    """Stack of free slots of each pool, at the pool's own slots."""
    frees: Ints
    """[K, V] height of the stack."""
    used: Ints
    """[K, V] no slot from this one on was ever used: low slots are taken first."""
    queue: Floats
    """[K, V, QUEUE, 3] signed coins, bankruptcy price, origin (0 isolated, 1 cross)."""
    waiting: Ints
    """[K, V, 2] head and length of the ring."""
    wallet: Floats
    """[V, C] of cross-margined accounts."""
    cross_leave: Floats
    cross_asset: Ints
    """[V, C, POSITIONS]; -1 = none."""
    cross_coins: Floats
    cross_entry: Floats


class Block(NamedTuple):
    """What the engine tells of a number of steps (n) with the forced orders in them."""

    price: Floats
    """[n, K, V+1] mid prices at the end of the step, USD."""
    mark: Floats
    """[n, K, V]."""
    reference: Floats
    """[n, K, V] index prices, USD."""
    depth: Floats
    """[n, K, V+1] dollars within 1 % on one side."""
    interest: Floats
    """[n, K, V] one-sided, coins."""
    bought: Floats
    """[n, K, V+1] taker purchases by choice, USD."""
    sold: Floats
    rate: Floats
    """[n, K, V] funding rate of the period."""
    when: Ints
    """[m] of a forced order, us after the start of the simulation."""
    place: Ints
    """[m, 4] asset, venue, side (+1 long), kind (0 order on the book, 1 backstop, 2 adl)."""
    order: Floats
    """[m, 3] coins, fill, bankruptcy price."""


def terms(assets: tuple[Asset, ...], law: Law) -> Terms:
    """The constants of a market."""
    share = shares(assets)
    interest = np.array([asset.interest_usd for asset in assets])
    pool = np.zeros((*share.shape, 2), np.int64)
    first = 0
    for row, asset in enumerate(assets):
        accounts = 0.0
        for stock, size in zip(STOCK, SIZE, strict=True):
            mean = asset.size_usd * law.size_times * size * MEAN_SIZE
            accounts += 2 * stock * asset.interest_usd / mean
        for venue in range(share.shape[1]):
            slots = 0
            if share[row, venue] > 0:
                slots = (int(4 * accounts * share[row, venue]) // PAGE + 1) * PAGE
            pool[row, venue] = (first, first + slots)
            first += slots
    floors, rates, amounts = tier_tables()
    total = 0.0
    for asset in assets:
        total += asset.interest_usd
    return Terms(
        np.array([asset.price for asset in assets]),
        np.array([asset.beta for asset in assets]),
        np.array([asset.own for asset in assets]),
        interest,
        np.array([asset.size_usd * law.size_times for asset in assets]),
        np.array([asset.kind for asset in assets], np.int64),
        share,
        interest / total,
        np.array(LEVERAGE),
        np.array(STOCK),
        np.array(LIFE_S),
        np.array(SIZE),
        np.array(STOCK) / (np.array(SIZE) * np.array(LIFE_S) * MEAN_SIZE),
        floors,
        rates,
        amounts,
        pool,
    )


def empty(given: Terms, law: Law) -> State:
    """A market at its opening without accounts."""
    k, v = given.share.shape
    slots = int(given.pool.max())
    cross = int(law.cross_accounts) * k
    prices = np.repeat(given.price[:, None], v + 1, axis=1)
    frees = given.pool[:, :, 1] - given.pool[:, :, 0]
    free = np.zeros(slots, np.int64)
    for first, last in given.pool.reshape(-1, 2):
        free[first:last] = np.arange(last - 1, first - 1, -1)
    fund = np.zeros(v)
    for row in range(k):
        fund += law.fund * given.interest[row] * given.share[row]
    return State(
        np.zeros(3, np.int64),
        np.zeros(3),
        np.array([float(fund.sum()), 0.0]),
        np.zeros(k),
        np.zeros(k),
        np.zeros(k),
        np.zeros((k, v + 1)),
        np.zeros((k, v + 1)),
        prices,
        np.zeros(k),
        prices[:, :v].copy(),
        np.zeros((k, v)),
        np.ones(k),
        np.zeros(k),
        np.zeros((k, v, 2)),
        np.full((k, v), law.funding_anchor),
        np.zeros((k, v, 2)),
        np.zeros((k, v, 2)),
        np.zeros((k, v, 2)),
        fund,
        np.zeros((k, v, 2)),
        np.full((k, v, 2, 2), -np.inf),
        np.full((slots // PAGE, 2, 2), -np.inf),
        np.full(slots // PAGE, np.inf),
        np.zeros(slots, np.int8),
        np.zeros(slots),
        np.zeros(slots),
        np.zeros(slots),
        np.zeros(slots),
        np.zeros(slots),
        np.zeros(slots),
        free,
        frees.copy(),
        given.pool[:, :, 0].copy(),
        np.zeros((k, v, QUEUE, 3)),
        np.zeros((k, v, 2), np.int64),
        np.zeros((v, cross)),
        np.zeros((v, cross)),
        np.full((v, cross, POSITIONS), -1, np.int64),
        np.zeros((v, cross, POSITIONS)),
        np.zeros((v, cross, POSITIONS)),
    )


def copied(state: State) -> State:
    """A snapshot: shares no array with the original."""
    return State._make(table.copy() for table in state)


def block(given: Terms, steps: int) -> Block:
    """Room for `steps` steps."""
    k, v = given.share.shape
    return Block(
        np.zeros((steps, k, v + 1)),
        np.zeros((steps, k, v)),
        np.zeros((steps, k, v)),
        np.zeros((steps, k, v + 1)),
        np.zeros((steps, k, v)),
        np.zeros((steps, k, v + 1)),
        np.zeros((steps, k, v + 1)),
        np.zeros((steps, k, v)),
        np.zeros(ORDERS, np.int64),
        np.zeros((ORDERS, 4), np.int64),
        np.zeros((ORDERS, 3)),
    )
