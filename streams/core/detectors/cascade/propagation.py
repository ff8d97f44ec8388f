"""Where a cascade window began, and in which order others followed (definition 1.1).

Part of an open window. A venue joins with its own change point: the last zero of its own counts'
CUSUM before it passes `follow_threshold`, from the window's onset on; an asset of the market joins
with the onset that its own machine found. Promises that a lead inside the uncertainty of the two
clocks is no lead: it is None, and no origin is named. Who is first need not be the cause.
"""

from collections.abc import Iterable, Mapping
from math import log
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from streams.core.detectors.cascade.params import CascadeParams
from streams.core.detectors.moment import Moment, Trace
from streams.core.events import MICROS
from streams.core.results import MARKET, Lead, WindowSide
from streams.core.throttle import Doubted, feed

UNCERTAIN = "inside_clock_uncertainty"


class _Start(NamedTuple):
    """When and where one began."""

    onset: int
    venue: str
    asset: str


class _Order(NamedTuple):
    """Who was first, if that can be told; all in order; why one of them is None."""

    first: _Start | None
    leads: tuple[Lead, ...] | None
    why: str


class VenueStart(msgspec.Struct):
    """A venue's own statistic since the window's onset; `joined` is its onset once it passed."""

    value: float = 0.0
    at: int = 0
    onset: int = 0
    joined: int | None = None


class Spread(msgspec.Struct):
    """What a window knows of its spreading; times in s.

    `rates`: ordinary counts per second of each healthy venue at the alarm; `late_from`: the first
    own second of a venue that came too late; `assets`: own onsets of assets (market only), with
    the venue of their first order of the window.
    """

    rates: dict[str, float] = {}
    venues: dict[str, VenueStart] = {}
    late_from: dict[str, int] = {}
    assets: dict[str, int] = {}
    asset_venues: dict[str, str] = {}

    def absorb(self, trace: Trace, side: WindowSide, params: CascadeParams) -> None:
        """Take a second of the window."""
        counts: dict[str, int] = {}
        for cell in trace.cells:
            if cell.kind != "adl" and side in ("mixed", cell.side):
                x = cell.n if cell.completeness == "all" else 1
                counts[cell.venue] = counts.get(cell.venue, 0) + x
        for venue, x in counts.items():
            start = self.venues.setdefault(venue, VenueStart(at=trace.second))
            if start.joined is not None:
                continue
            drift = (params.rho - 1) * max(params.baseline_floor, self.rates.get(venue, 0.0))
            start.value -= drift * (trace.second - start.at)
            if start.value <= 0:
                start.value, start.onset = 0.0, trace.second
            start.value += x * log(params.rho)
            start.at = trace.second
            if start.value >= params.follow_threshold:
                start.joined = start.onset
        for share in trace.shares:
            if share.of(side):
                self.asset_venues.setdefault(share.asset, share.venue)

    def observe(self, moment: Moment, onset: int, side: WindowSide, params: CascadeParams) -> None:
        """Take the onsets of assets that a market's moment tells; the first of an asset counts."""
        for asset, its_side, second in moment.onsets:
            if side in ("mixed", its_side) and second >= onset - params.lead_within_s:
                self.assets.setdefault(asset, second)

    def came_late(self, venue: str, second: int) -> None:
        """Note a late order of the window: the venue may have begun with it."""
        self.late_from[venue] = min(second, self.late_from.get(venue, second))

    def anew(self, rates: Mapping[str, float]) -> None:
        """Forget all but add the ordinary rates of the side that joined."""
        self.rates = {
            venue: self.rates.get(venue, 0.0) + rates.get(venue, 0.0)
            for venue in sorted({*self.rates, *rates})
        }
        self.venues, self.late_from, self.asset_venues = {}, {}, {}

    def found(
        self,
        scope: str,
        params: CascadeParams,
        reasons: dict[str, str],
        doubted: Doubted = UNSET,
    ) -> tuple[str | None, str | None, tuple[Lead, ...] | None]:
        """Origin venue, origin asset and the order of the others; adds why one is None."""
        joined = [(s.joined, v, scope) for v, s in self.venues.items() if s.joined is not None]
        if len(self.rates) < 2:
            venues = _Order(None, None, "one_venue")
        else:
            venues = self._order(joined, "too_few_orders", params, doubted)
        if venues.first is None:
            reasons["origin_venue"] = venues.why
        order = venues
        if scope == MARKET:
            known = self.asset_venues
            onsets = [(at, known[name], name) for name, at in self.assets.items() if name in known]
            order = self._order(onsets, "no_asset_onset", params, doubted)
        if order.first is None:
            reasons["origin_asset"] = order.why
        if order.leads is None:
            reasons["propagation"] = order.why
        return (
            None if venues.first is None else venues.first.venue,
            None if order.first is None else order.first.asset,
            order.leads,
        )

    def _order(
        self,
        found: Iterable[tuple[int, str, str]],
        missing: str,
        params: CascadeParams,
        doubted: Doubted,
    ) -> _Order:
        """Order of (onset, venue, asset); a lead over the first one inside the clocks is None."""
        starts = [_Start(*one) for one in sorted(found)]
        if not starts:
            return _Order(None, None, missing)
        first = starts[0]
        leads: list[Lead] = []
        for start in starts[1:]:
            lag = start.onset - first.onset
            # Seconds are compared, so that even equal clocks leave one of doubt.
            unsure = 1.0 + self._unsure(first, params, doubted)
            unsure = round(unsure + self._unsure(start, params, doubted), 3)
            known = float(lag) if lag > unsure else None
            leads.append(Lead(start.venue, start.asset, known, unsure))
        if any(lead.lag_s is None for lead in leads):
            # Whoever may have been before the first leaves no first: it stands with the others.
            leads.insert(0, Lead(first.venue, first.asset, None, leads[0].clock_uncertainty_s))
            return _Order(None, tuple(leads[: params.most_followers]), UNCERTAIN)
        return _Order(first, tuple(leads[: params.most_followers]), "")

    def _unsure(self, rank: _Start, params: CascadeParams, doubted: Doubted) -> float:
        """How much earlier or later (s) a venue may have begun than its orders say."""
        onset, venue, _ = rank
        stamp = params.clock_s.get(venue, params.clock_other_s)
        complete = feed(venue, onset * MICROS, None, doubted).feed_class == "full"
        hidden = 0.0 if complete else params.sampled_clock_s
        late = max(0, onset - self.late_from.get(venue, onset))
        return stamp + hidden + late
