"""A simulated market that can be run, copied and run again.

Python's side of the engine: builds assets, law, plan and population, advances in blocks, and takes
snapshots. Promises that two markets with equal arguments give equal blocks, however they are cut.
"""

from collections.abc import Iterator

from streams.config import MarginquakeError
from streams.simulation.assets import Asset
from streams.simulation.engine import advance
from streams.simulation.law import Law
from streams.simulation.orders import VENUES
from streams.simulation.plan import Plan
from streams.simulation.population import populate
from streams.simulation.state import ORDERS, Block, State, Terms, block, copied, empty, terms


class Opening:
    """How a market stands at its opening: see `population.populate`."""

    def __init__(self, lean: float = 0.12, appetite: float = 1.0, rise: float = 0.0) -> None:
        self.lean = lean
        self.appetite = appetite
        self.rise = rise


class Market:
    """A market between two steps."""

    def __init__(
        self,
        assets: tuple[Asset, ...],
        law: Law,
        plan: Plan,
        seed: int,
        start_s: int,
        opening: Opening | None = None,
        state: State | None = None,
    ) -> None:
        """Open the market at UNIX second `start_s`, or go on from `state`."""
        self.assets = assets
        self.law = law
        self.plan = plan
        self.seed = seed
        self.start_s = start_s
        self.terms: Terms = terms(assets, law)
        if len(assets) * len(VENUES) * law.orders_per_s * law.step_s > ORDERS:
            raise MarginquakeError(
                f"{len(assets)} assets in steps of {law.step_s:g} s may force more than {ORDERS} "
                "orders in one step; take fewer assets"
            )
        if state is None:
            state = empty(self.terms, law)
            stands = opening or Opening()
            populate(state, self.terms, law, seed, stands.lean, stands.appetite, stands.rise)
        self.state = state

    @property
    def step(self) -> int:
        """Steps done."""
        return int(self.state.clock[0])

    @property
    def turned_away(self) -> int:
        """Called positions that found a full queue: the backstop took them at once, unpublished."""
        return int(self.state.clock[2])

    def fork(self, **changes: float) -> "Market":
        """A copy that goes on by itself, with some constants of the law changed."""
        return Market(
            self.assets,
            self.law._replace(**changes),
            self.plan,
            self.seed,
            self.start_s,
            state=copied(self.state),
        )

    def blocks(self, steps: int, size: int = 600) -> Iterator[tuple[int, int, int, Block]]:
        """Run `steps` steps (not beyond the plan).

        Yields:
            (first step, number of steps n, number of orders m, block): the rows [:n] and the
            orders [:m] are valid until the next block is asked for.
        """
        last = min(self.step + steps, len(self.plan.volatility))
        out = block(self.terms, size)
        while self.step < last:
            first = self.step
            done = advance(
                self.state,
                self.terms,
                self.law,
                self.plan,
                out,
                self.seed,
                min(size, last - first),
                self.start_s,
            )
            yield first, done, int(self.state.clock[1]), out
