"""The moments of a run, of every scope: what the cascade detector alone needs, for sweeps.

Promises the moments that the stages make of the same frames; the market's lack the assets' early
onsets, which only give breadth. Keeps them in memory, one run at a time.
"""

from pathlib import Path

import msgspec

from streams.core import market
from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.moment import Moment, Reference, contribution_of, moment_of
from streams.core.frames import Tick
from streams.core.market import MarketInputs
from streams.core.results import Contribution
from streams.scoreboard.framed import read_sealed

_PARAMS = CascadeParams()


class Moments:
    """Moments by scope, in order of time; `published`: the receipt time (µs) of each second."""

    def __init__(self) -> None:
        self.by_scope: dict[str, list[Moment]] = {}
        self._references: dict[str, Reference] = {}
        self._inputs = MarketInputs()

    @classmethod
    def of(cls, folder: Path) -> "Moments":
        """Those of a finished run."""
        found = cls()
        for sealed in read_sealed(folder):
            for frame in sealed.frames:
                reference = found._references.setdefault(frame.asset, Reference())
                moment = moment_of(frame, reference)
                found._keep(moment)
                if not frame.quiet:
                    told = contribution_of(frame, moment, ())
                    found._merge(msgspec.structs.replace(told, partition=0))
            for tick in sealed.ticks:
                found._merge(tick)
        return found

    def _merge(self, item: Tick | Contribution) -> None:
        for second in market.receive(self._inputs, item):
            moment = market.merge(self._inputs, second, _PARAMS)
            if moment is not None:
                self._keep(moment)

    def _keep(self, moment: Moment) -> None:
        known = self.by_scope.setdefault(moment.scope, [])
        last = known[-1] if known else None
        same = last is not None and (
            (moment.coverage, moment.venues_up, moment.venues_all, moment.oi_usd)
            == (last.coverage, last.venues_up, last.venues_all, last.oi_usd)
        )
        if same and moment.price is None and not moment.cells and not moment.late:
            return
        known.append(
            msgspec.structs.replace(
                moment, trades=(), bids=(), asks=(), interest=None, macro=(), books=(), spot=None
            )
        )
