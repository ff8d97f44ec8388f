"""Positioning: which side opens or closes, by price against open interest; and funding.

    price_change = P(t) / P(t - w) - 1          oi_change = Q(t) / Q(t - w) - 1
    quadrant     price up:   oi up new_longs,  oi down short_covering
                 price down: oi up new_shorts, oi down long_flush
                 flat when either change is inside its dead band
    rate_8h      = rate * 8 h / cycle           annualised = rate_8h * 3 * 365

Q is the volume of one-sided open interest: coins, chained over the contracts known at both ends of
each step (`interest`); of the market at constant prices (`market_interest`), so that neither a
price move nor a venue that joins or falls silent looks like a change of positions. The mean rate
is weighted by open interest, and so is its dispersion, the standard deviation across venues.
Windows of 15 minutes, 4 and 24 hours; docs/definitions/positioning.md.

>>> window = PositioningParams().windows[0]
>>> quadrant(0.004, 0.01, window), quadrant(0.004, -0.01, window), quadrant(0.004, 0.0, window)
('new_longs', 'short_covering', 'flat')
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import msgspec

from streams.core.detectors.levels import Level, Ring, change
from streams.core.detectors.minutes import Minute
from streams.core.detectors.positioning.funding import SILENT, funding_row
from streams.core.detectors.positioning.params import PositioningParams, PositioningWindow
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import Detector, Origin, Part
from streams.core.frames import VenueInterest
from streams.core.results import MARKET, Positioning, Result
from streams.core.results.positioning import Quadrant
from streams.core.rowmeta import RowMeta

_INT64 = 2**63


class ScopeState(msgspec.Struct):
    """`rings` of the scope by window; `since`: by venue that speaks, end (s) of its first minute.

    `spoke`: whether any venue has spoken yet; `changed`: end of the last closed minute (s).
    """

    rings: list[Ring]
    since: dict[str, int] = {}
    spoke: bool = False
    changed: int = 0


class VenueState(msgspec.Struct):
    """One ring of levels a venue; `changed`: when one was last added (s)."""

    rings: dict[str, Ring] = {}
    changed: int = 0


class PositioningDetector(Detector):
    """Rows `positioning` and `funding` of one scope."""

    name: ClassVar[str] = "positioning"

    def __init__(self, scope: str, params: PositioningParams, meta: RowMeta) -> None:
        """A scope is an asset or `ALL`."""
        self.scope = scope
        self.params = params
        self._origin = Origin(params.definition, scope, meta)
        self._funding = Origin(params.funding_definition, scope, meta)
        self._state = ScopeState([Ring(w.every_s, w.span_s) for w in params.windows])
        self._venues = VenueState()

    def minute(self, minute: Minute, readings: Readings) -> Sequence[Result]:
        """Rows of the scope at each window's step, by venue and of funding at theirs."""
        state, params, end = self._state, self.params, minute.end
        state.changed = end
        speaking = [one.venue for one in minute.interest if one.volume is not None]
        state.since = {venue: state.since.get(venue, end) for venue in speaking}
        state.spoke = state.spoke or bool(minute.interest)
        held = minute.oi_volume if self.scope == MARKET else _coins(minute.interest)
        now = Level(end, minute.price, minute.oi_usd, minute.oi_volume)
        for ring in state.rings:
            ring.add(now)
        rows: list[Result] = []
        for window, ring in zip(params.windows, state.rings, strict=True):
            every = window.every_s if minute.oi_usd is not None else params.venues_every_s
            if end % every == 0:
                rows.append(self._row(minute, None, window, now, ring, held))
        if end % params.venues_every_s == 0:
            for one in minute.interest:
                rows += self._venue(minute, one)
            rows += self._silent(minute)
        if end % params.funding_every_s == 0:
            silent = state.spoke and not minute.interest
            rows.append(funding_row(self._funding, minute, silent))
        return rows

    def _venue(self, minute: Minute, one: VenueInterest) -> list[Result]:
        """Rows of one venue: its own open interest against the scope's price."""
        state, params, end = self._state, self.params, minute.end
        if one.oi_usd is None and one.oi_base is None:
            return []
        # Its contracts come in one by one; the market's volumes are chained past that already.
        since = state.since.get(one.venue, end)
        settled = self.scope == MARKET or end - since >= params.settle_s
        now = Level(end, minute.price, one.oi_usd, one.volume if settled else None)
        ring = self._venues.rings.get(one.venue)
        if ring is None:
            span = max(window.span_s for window in params.windows)
            ring = self._venues.rings[one.venue] = Ring(params.venues_every_s, span)
        ring.add(now)
        self._venues.changed = end
        return [
            self._row(minute, one.venue, window, now, ring, one.oi_base)
            for window in params.windows
        ]

    def _silent(self, minute: Minute) -> Iterator[Result]:
        """Rows without open interest of venues that stated some within the longest window."""
        rings, end = self._venues.rings, minute.end
        stating = {
            one.venue
            for one in minute.interest
            if one.oi_usd is not None or one.oi_base is not None
        }
        now = Level(end, minute.price, None, None)
        for venue in sorted(rings.keys() - stating):
            ring = rings[venue]
            if ring.levels[-1].at <= end - ring.span:
                del rings[venue]
                self._venues.changed = end
                continue
            for window in self.params.windows:
                yield self._row(minute, venue, window, now, ring, None)

    def _row(
        self,
        minute: Minute,
        venue: str | None,
        window: PositioningWindow,
        now: Level,
        ring: Ring,
        oi_base: float | None,
    ) -> Positioning:
        reasons: dict[str, str] = {}
        before = ring.at(now.at - window.span_s)
        unseen = f"history_below_{window.span_s}_s"
        price_change = change(before.price, now.price) if before else None
        if now.price is None:
            reasons["price"] = reasons["price_change"] = "no_price"
        elif price_change is None:
            reasons["price_change"] = unseen
        oi_change = change(before.coins, now.coins) if before else None
        fell_silent = venue is not None or (self._state.spoke and not minute.interest)
        unstated = SILENT if fell_silent and oi_base is None else "no_open_interest"
        if now.usd is None and oi_base is None:
            reasons["oi_usd"] = reasons["oi_change"] = unstated
        elif oi_base is None:
            reasons["oi_change"] = "no_open_interest_in_coins"
        elif oi_change is None:
            reasons["oi_change"] = unseen
        if now.usd is None:
            reasons["oi_usd"] = unstated
        coins = None if self.scope == MARKET else oi_base
        if coins is None:
            reasons["oi_base"] = "many_coins" if self.scope == MARKET else reasons["oi_change"]
        oi_change_usd = opened_usd(oi_change, now.usd)
        if oi_change_usd is None:
            reasons["oi_change_usd"] = reasons.get("oi_change") or "not_in_dollars"
        named: Quadrant | None = None
        if price_change is None or oi_change is None:
            reasons["quadrant"] = reasons.get("oi_change") or reasons["price_change"]
        elif now.usd is not None and now.usd < self.params.least_interest_usd:
            reasons["quadrant"] = "open_interest_too_small"
        else:
            named = quadrant(price_change, oi_change, window)
        by_venue = {} if venue else {v.venue: v.oi_usd for v in minute.interest if v.oi_usd}
        head = self._origin.head("positioning", now.at, minute.coverage, venue or "", window.span_s)
        return Positioning(
            **head,
            venue=venue,
            window_s=window.span_s,
            quadrant=named,
            price=now.price,
            price_change=price_change,
            oi_usd=now.usd,
            oi_base=coins,
            oi_change=oi_change,
            oi_change_usd=oi_change_usd,
            oi_by_venue=by_venue,
            null_reasons=reasons,
        )

    def parts(self) -> Sequence[Part]:
        """The scope's levels change each minute, those by venue at their own step."""
        return (
            Part("scope", self._state.changed, lambda: _encode(self._state)),
            Part("venues", self._venues.changed, lambda: _encode(self._venues)),
        )

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Continue from the parts."""
        if "scope" in parts:
            self._state = _decode_scope(parts["scope"])
        if "venues" in parts:
            self._venues = _decode_venues(parts["venues"])


_encode = msgspec.msgpack.Encoder().encode
_decode_scope = msgspec.msgpack.Decoder(ScopeState).decode
_decode_venues = msgspec.msgpack.Decoder(VenueState).decode


def quadrant(price_change: float, oi_change: float, window: PositioningWindow) -> Quadrant:
    """Who acts, by the signs of both relative changes; `flat` inside a dead band."""
    if abs(price_change) < window.price_band or abs(oi_change) < window.interest_band:
        return "flat"
    if price_change > 0:
        return "new_longs" if oi_change > 0 else "short_covering"
    return "new_shorts" if oi_change > 0 else "long_flush"


def _coins(interest: Sequence[VenueInterest]) -> float | None:
    """Coins over all venues; None where no venue states any."""
    stated = [one.oi_base for one in interest if one.oi_base is not None]
    return sum(stated) if stated else None


def opened_usd(oi_change: float | None, usd: int | None) -> int | None:
    """Micro-dollars opened (closed: negative), at the last price; None where it is no int64.

    >>> opened_usd(0.25, 500), opened_usd(-0.5, 500), opened_usd(-1.0, 0)
    (100, -500, None)
    """
    if oi_change is None or usd is None or oi_change <= -1:
        return None
    opened = usd * (oi_change / (1 + oi_change))
    return round(opened) if abs(opened) < _INT64 else None
