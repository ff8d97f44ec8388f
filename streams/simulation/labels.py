"""The label `self_reinforcing`: how much of a flush was made by its own market impact.

A second market is run to shortly before each flush and forked there with the impact of forced
orders off; all noise is common. Excess = forced dollars of the flush minus those of the fork in the
same seconds. A flush is self-reinforcing where the excess is at least `share` of it. Backstop
unwinding counts as forced impact; stops and followers do not, but they see other prices.
"""

from collections.abc import Callable, Sequence
from math import log
from typing import Final

import msgspec
import numpy as np

from streams.simulation.flushes import MARKET, SIDES, Flush
from streams.simulation.market import Market
from streams.simulation.state import Floats, Ints
from streams.simulation.tape import MICROS, Tape

SHARE: Final = 0.2
LEAD_S: Final = 30
"""A fork begins so long before the first onset of its flushes; those of as long after share it."""
TAIL_S: Final = 60


class Labelled(msgspec.Struct, frozen=True):
    """A flush with its counterfactual.

    `counterfactual_usd`: forced dollars of the same seconds without forced impact;
    `excess_share`: the rest over the flush's dollars, the true branching share;
    `amplification`: log move to the extreme over the fork's move in the same seconds, None where
    the fork moved less than 5 bp or the other way. All None where no fork was run.
    """

    flush: Flush
    self_reinforcing: bool | None
    counterfactual_usd: float | None
    excess_share: float | None
    move_bp: float | None
    counterfactual_move_bp: float | None
    amplification: float | None

    @staticmethod
    def without_fork(flush: Flush) -> "Labelled":
        """A flush whose counterfactual nobody asked for."""
        return Labelled(flush, None, None, None, None, None, None)


def label(
    flushes: Sequence[Flush],
    tape: Tape,
    opened: Callable[[], Market],
    share: float = SHARE,
    progress: Callable[[int], None] = lambda steps: None,
) -> list[Labelled]:
    """Fork just before each flush, or before several that begin together, and compare.

    Args:
        flushes: in order of onset.
        tape: the truth of the run that made them.
        opened: opens the same market again at its first step.
        share: least excess of a self-reinforcing flush.
        progress: told the steps done.
    """
    if not flushes:
        return []
    market = opened()
    labels: list[Labelled] = []
    for group in grouped(flushes):
        begin = max(0, min(f.onset for f in group) - market.start_s - LEAD_S)
        steps = max(f.end for f in group) - market.start_s + TAIL_S - begin
        for first, done, _, _ in market.blocks(begin - market.step):
            progress(first + done)
        fork = market.fork(forced_impact=0.0)
        k, v = fork.terms.share.shape
        other = Tape(begin + steps, k, v, 1.0)
        for first, done, orders, block in fork.blocks(steps):
            other.take(first, done, orders, block)
        labels += [_compare(flush, tape, other, market, begin, share) for flush in group]
    return sorted(labels, key=lambda one: flushes.index(one.flush))


def grouped(flushes: Sequence[Flush]) -> list[list[Flush]]:
    """Flushes that begin within the lead of the first share its fork.

    A later flush of the same hour has a fork of its own: measured from the first one's beginning,
    its move would hold what came before it.
    """
    groups: list[list[Flush]] = []
    for flush in sorted(flushes, key=lambda one: one.onset):
        if groups and flush.onset - groups[-1][0].onset <= LEAD_S:
            groups[-1].append(flush)
        else:
            groups.append([flush])
    return groups


def _compare(
    flush: Flush, tape: Tape, other: Tape, market: Market, begin: int, share: float
) -> Labelled:
    names = [asset.name for asset in market.assets]
    side = SIDES.index(flush.side)
    first, last = flush.onset - market.start_s, flush.end - market.start_s + 1
    if flush.scope == MARKET:
        flows: Ints = other.usd[first:last, :, :, side].sum(axis=(1, 2))
        weight = market.terms.weight
        ours, theirs = tape.price @ weight_of(tape, weight), other.price @ weight_of(tape, weight)
    else:
        asset = names.index(flush.scope)
        flows = other.usd[first:last, asset, :, side].sum(axis=1)
        ours, theirs = tape.price[:, asset], other.price[:, asset]
    without = float(flows.sum()) / MICROS
    excess = (flush.usd - without) / flush.usd
    part = ours[first:last]
    at = first + int(np.argmin(part) if flush.side == "long" else np.argmax(part))
    move = 1e4 * log(ours[at] / ours[begin])
    bare = 1e4 * log(theirs[at] / theirs[begin])
    sign = -1.0 if flush.side == "long" else 1.0
    amplified = move / bare if sign * bare >= 5.0 else None
    return Labelled(flush, excess >= share, without, excess, move, bare, amplified)


def weight_of(tape: Tape, weight: Floats) -> Floats:
    """Coins of a basket that holds each asset by its weight in open interest at the opening."""
    found: Floats = weight / tape.price[0]
    return found
