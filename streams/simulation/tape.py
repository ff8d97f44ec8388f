"""The truth of a run, second by second: what was forced, where prices, depth and interest stood.

Filled from the engine's blocks. Dollars are micro-dollars (int64), so that sums do not depend on
their order. Forced is every called position: sold on the book, taken over by the backstop, or
closed against deleveraged accounts; the last two are counted apart as well. Holds a run of hours or
days, not of years at one-second steps.
"""

import numpy as np
from numpy.typing import NDArray

from streams.simulation.forced import ADL, BACKSTOP
from streams.simulation.state import Block, Floats, Ints

MICROS = 1_000_000


class Tape:
    """Truth by step (T), asset (K), venue (V) and side (0 long, 1 short)."""

    def __init__(self, steps: int, assets: int, venues: int, step_s: float) -> None:
        self.step_s = step_s
        self.steps = 0
        self.usd: Ints = np.zeros((steps, assets, venues, 2), np.int64)
        self.orders: NDArray[np.int32] = np.zeros((steps, assets, venues, 2), np.int32)
        self.adl_usd: Ints = np.zeros((steps, 2), np.int64)
        self.backstop_usd: Ints = np.zeros((steps, 2), np.int64)
        self.first_adl: int | None = None
        self.price: Floats = np.zeros((steps, assets))
        """Mid price of the first venue, USD."""
        self.spot: Floats = np.zeros((steps, assets))
        self.depth: Floats = np.zeros((steps, assets))
        """Dollars within 1 % on one side, all venues."""
        self.interest: Floats = np.zeros((steps, assets))
        """One-sided, coins, all venues."""
        self.rate: Floats = np.zeros((steps, assets))
        self.spot_usd: Floats = np.zeros((steps, assets))
        """Spot volume, USD."""

    def take(self, first: int, steps: int, orders: int, block: Block) -> None:
        """Add the rows and orders of a block that began at step `first`."""
        last = first + steps
        venues = self.usd.shape[2]
        self.steps = last
        self.price[first:last] = block.price[:steps, :, 0]
        self.spot[first:last] = block.price[:steps, :, venues]
        self.rate[first:last] = block.rate[:steps, :, 0]
        self.spot_usd[first:last] = block.bought[:steps, :, venues] + block.sold[:steps, :, venues]
        for venue in range(venues):
            self.depth[first:last] += block.depth[:steps, :, venue]
            self.interest[first:last] += block.interest[:steps, :, venue]
        if not orders:
            return
        at = (block.when[:orders] // int(self.step_s * MICROS)).clip(first, last - 1)
        asset, venue_of, side, kind = block.place[:orders].T
        short = (side < 0).astype(np.int64)
        usd = (block.order[:orders, 0] * block.order[:orders, 1] * MICROS).astype(np.int64)
        where = (at, asset, venue_of, short)
        np.add.at(self.usd, where, usd)
        np.add.at(self.orders, where, 1)
        matched = kind == ADL
        if matched.any():
            np.add.at(self.adl_usd, (at[matched], short[matched]), usd[matched])
            if self.first_adl is None:
                self.first_adl = int(at[matched].min())
        backed = kind == BACKSTOP
        np.add.at(self.backstop_usd, (at[backed], short[backed]), usd[backed])

    def interest_usd(self) -> Floats:
        """[T, K] one-sided open interest, USD."""
        return self.interest[: self.steps] * self.price[: self.steps]
