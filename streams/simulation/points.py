"""A second, independent market: a marked point process without accounts, books or feedback loops.

It guards against a detector that has learnt the margin engine. Shares with it the wire, the feed
layer and the random numbers, nothing else: forced orders of an asset are a Poisson process with a
slowly wandering rate plus, in an event, a burst whose rate rises, holds and falls by its own clock,
part of it as offspring (each order may call others, with a short memory); sizes are lognormal;
prices answer to a share of what was forced and otherwise wander. Promises truth in the same form.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from streams.config import MarginquakeError
from streams.simulation.assets import Asset, chosen, shares
from streams.simulation.feed import Feed
from streams.simulation.files import LOG, TRUTH, whole, written
from streams.simulation.flushes import RULE, Flush, FlushRule, flushes_of
from streams.simulation.noise import chance, exp, ln, normal, rooted
from streams.simulation.orders import VENUES
from streams.simulation.state import Block, block, terms
from streams.simulation.tape import Tape

KINDS: Final = {
    "ordinary": "an ordinary day",
    "event": "one burst over the whole market",
    "steady": "six times the ordinary rate all day",
}
ORDINARY, SIZE, WALK, EVENT, CHILD = 81, 82, 83, 84, 85
RATE: Final = 0.02
"""Ordinary forced orders a second of the largest asset, both sides, all venues."""
SIGMA: Final = 1.9
LONG_SHARE: Final = 0.55
STEP_BP: Final = 0.9
BRANCHING: Final = 0.6
"""Mean offspring of an order of an event."""
MEMORY_S: Final = 12.0
"""Mean delay of an offspring."""
IMPACT_BP: Final = 3.0
"""Lasting move of forced orders worth a basis point of open interest."""


class Point(msgspec.Struct, frozen=True):
    """One forced order: ms after the start, venue, side (+1 long), USD, whether an offspring."""

    ms: int
    venue: int
    side: int
    usd: float
    child: bool


class PointTruth(msgspec.Struct, frozen=True):
    """The truth of a run; `endogenous_share`: offspring among an event's orders."""

    version: str
    kind: str
    seed: int
    begin: int
    end: int
    assets: list[str]
    flush_rule: FlushRule
    flushes: list[Flush]
    endogenous_share: float | None
    forced_orders: int
    published_orders: int


def points(
    asset: Asset, row: int, seconds: int, seed: int, kind: str, share: list[float]
) -> list[Point]:
    """The forced orders of one asset, in order of time."""
    found: list[Point] = []
    base = RATE * (asset.interest_usd / 14e9) ** 0.5
    rate = base * (6.0 if kind == "steady" else 1.0)
    at, n = 0.0, 0
    wander = 0.0
    while True:
        u = chance(seed, ORDINARY, row, n, 0)
        wander += 0.1 * (normal(chance(seed, ORDINARY, row, n, 1)) - 0.5 * wander)
        at -= ln(u) / (rate * exp(wander))
        if at >= seconds:
            break
        side = 1 if chance(seed, ORDINARY, row, n, 2) < LONG_SHARE else -1
        found.append(_point(asset, row, at, side, seed, n, share, 1.0, False))
        n += 1
    if kind == "event":
        found += _burst(asset, row, seconds, seed, share)
    return sorted(found, key=lambda point: point.ms)


def _burst(asset: Asset, row: int, seconds: int, seed: int, share: list[float]) -> Iterator[Point]:
    """An event: outside orders with a trapezoid rate, each with offspring after offspring."""
    begin = seconds * (0.5 + 0.3 * chance(seed, EVENT, 0, 0)) + 20.0 * chance(seed, EVENT, row, 1)
    rise, hold, fall = (
        30.0 + 200.0 * chance(seed, EVENT, 0, 2),
        60.0 + 400.0 * chance(seed, EVENT, 0, 3),
        60.0 + 300.0 * chance(seed, EVENT, 0, 4),
    )
    side = 1 if chance(seed, EVENT, 0, 5) < 0.6 else -1
    dollars = asset.interest_usd * (0.001 + 0.004 * chance(seed, EVENT, row, 6))
    mean = asset.size_usd * 2.0 * math.exp(0.5 * SIGMA * SIGMA)
    peak = dollars * (1 - BRANCHING) / mean / (0.5 * rise + hold + 0.5 * fall)
    n, at = 0, 0.0
    length = rise + hold + fall
    while at < length:
        at -= ln(chance(seed, EVENT, 100 + row, n, 0)) / peak
        level = min(1.0, at / rise, max(0.0, (length - at) / fall))
        if chance(seed, EVENT, 100 + row, n, 1) < level:
            generation = [at]
            child, k = False, 0
            while generation and k < 400:
                born = generation.pop()
                if begin + born < seconds:
                    number = (n * 400 + k) % 2**40
                    mine = side if chance(seed, CHILD, row, number, 0) < 0.93 else -side
                    yield _point(
                        asset, row, begin + born, mine, seed, 10**9 + number, share, 2.0, child
                    )
                draw = 1
                while chance(seed, CHILD, row, n * 400 + k, draw) < BRANCHING / (1 + BRANCHING):
                    u = chance(seed, CHILD, row, n * 400 + k, draw + 50)
                    generation.append(born - MEMORY_S * ln(u))
                    draw += 1
                child = True
                k += 1
        n += 1


def _point(
    asset: Asset,
    row: int,
    at: float,
    side: int,
    seed: int,
    n: int,
    share: list[float],
    times: float,
    child: bool,
) -> Point:
    venue, draw = 0, chance(seed, SIZE, row, n, 0)
    while venue < len(share) - 1 and draw >= share[venue]:
        draw -= share[venue]
        venue += 1
    size = min(800.0, exp(SIGMA * normal(chance(seed, SIZE, row, n, 1))))
    return Point(int(at * 1000), venue, side, asset.size_usd * times * size, child)


def stretches(
    assets: tuple[Asset, ...], seconds: int, seed: int, kind: str
) -> Iterator[tuple[int, int, int, Block, int, int]]:
    """Blocks of ten minutes as the engine's, then offspring and orders of each."""
    from streams.simulation.law import Law

    law = Law()
    share = shares(assets)
    found = [
        points(asset, row, seconds, seed, kind, share[row].tolist())
        for row, asset in enumerate(assets)
    ]
    given = terms(assets, law)
    cursors = [0] * len(assets)
    level = [0.0] * len(assets)
    room = block(given, 600)
    for first in range(0, seconds, 600):
        steps = min(600, seconds - first)
        m = born = 0
        for n in range(steps):
            for row, asset in enumerate(assets):
                begin = m
                pressed = 0.0
                while (
                    cursors[row] < len(found[row])
                    and found[row][cursors[row]].ms < (first + n + 1) * 1000
                ):
                    point = found[row][cursors[row]]
                    cursors[row] += 1
                    price = asset.price * exp(level[row])
                    room.when[m] = point.ms * 1000
                    room.place[m] = (row, point.venue, point.side, 0)
                    fill = price * (1 - 3e-4 * point.side)
                    room.order[m] = (point.usd / fill, fill, fill * (1 - 4e-3 * point.side))
                    pressed += point.side * point.usd
                    born += point.child
                    m += 1
                move = STEP_BP * 1e-4 * normal(chance(seed, WALK, row, first + n))
                level[row] += move - IMPACT_BP * pressed / asset.interest_usd
                _quote(room, n, row, asset, level[row], share[row].tolist(), m - begin)
        yield first, steps, m, room, born, m


def _quote(
    room: Block, n: int, row: int, asset: Asset, level: float, share: list[float], forced: int
) -> None:
    """The state of one asset at the end of a second."""
    price = asset.price * exp(level)
    thin = 1.0 / (1.0 + 0.2 * forced)
    for venue, part in enumerate((*share, 0.4)):
        room.price[n, row, venue] = price
        room.depth[n, row, venue] = 0.012 * asset.interest_usd * part * thin
        usual = 1.3 * asset.interest_usd * part / 86_400.0 * (1.0 + forced)
        room.bought[n, row, venue] = usual
        room.sold[n, row, venue] = usual
    for venue, part in enumerate(share):
        room.mark[n, row, venue] = price
        room.reference[n, row, venue] = price
        room.rate[n, row, venue] = 1e-4
        room.interest[n, row, venue] = asset.interest_usd * part / asset.price


def simulate_points(
    kind: str,
    seed: int,
    folder: Path,
    assets: int = 4,
    hours: float = 8.0,
    start_s: int = 1_794_960_000,
    rule: FlushRule = RULE,
) -> PointTruth:
    """Write `log.jsonl.zst` and `truth.json` of a point-process market into a folder.

    Args:
        kind: one of KINDS.
        seed: of everything that is random.
        folder: made where it is not there; files of an earlier run are removed first.
        assets: how many of the largest coins.
        hours: length.
        start_s: UNIX second of the start.
        rule: when forced flow is a flush.

    Raises:
        MarginquakeError: no such kind, or the folder cannot be written.
    """
    if kind not in KINDS:
        raise MarginquakeError(f"no point process {kind!r}; take one of {', '.join(KINDS)}")
    coins = chosen(assets)
    root = rooted(f"points-{kind}", seed)
    seconds = int(hours * 3_600)
    tape = Tape(seconds, len(coins), len(VENUES), 1.0)
    share = shares(coins)
    spot = np.full((len(coins), 1), 0.4)
    depth = np.hstack([share, spot]) * 0.012 * np.array([[a.interest_usd] for a in coins])
    born = total = 0

    def blocks() -> Iterator[tuple[int, int, int, Block]]:
        nonlocal born, total
        for first, steps, orders, room, children, number in stretches(coins, seconds, root, kind):
            born, total = born + children, total + number
            yield first, steps, orders, room

    feed = Feed(coins, share, depth, start_s, seconds, root, ())
    with whole(folder) as parts:
        written(parts[LOG], feed.lines(blocks(), tape.take))
        truth = PointTruth(
            "points/1",
            kind,
            seed,
            start_s,
            start_s + seconds,
            [asset.name for asset in coins],
            rule,
            flushes_of(tape, [asset.name for asset in coins], start_s, rule),
            born / total if kind == "event" and total else None,
            int(tape.orders.sum()),
            feed.published,
        )
        parts[TRUTH].write_bytes(msgspec.json.encode(truth))
    return truth
