"""Positioning: which side opens or closes, by price against open interest; and funding.

    price_change = P(t) / P(t - w) - 1          oi_change = Q(t) / Q(t - w) - 1
    quadrant     price up:   oi up new_longs,  oi down short_covering
                 price down: oi up new_shorts, oi down long_flush
                 flat when either change is inside its dead band
    rate_8h      = rate * 8 h / cycle           annualised = rate_8h * 3 * 365

Q is one-sided open interest in coins over the venues known at both ends (`levels.Coins`); of the
market it is a volume at constant prices (`market_interest`), so that no price move looks like a
change of positions. The mean rate is weighted by open interest, and so is its dispersion, the
standard deviation across venues. Windows of 15 minutes, 4 and 24 hours; docs/definitions/
positioning.md.

>>> window = PositioningParams().windows[0]
>>> quadrant(0.004, 0.01, window), quadrant(0.004, -0.01, window), quadrant(0.004, 0.0, window)
('new_longs', 'short_covering', 'flat')
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from streams.core.detectors.levels import Coins, Level, Ring, change
from streams.core.detectors.minutes import Minute
from streams.core.detectors.positioning.funding import Cycle, funding_row, turn
from streams.core.detectors.positioning.params import PositioningParams, PositioningWindow
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import Detector, Origin, Part
from streams.core.frames import VenueInterest
from streams.core.results import MARKET, Positioning, Result
from streams.core.results.positioning import Quadrant
from streams.core.rowmeta import RowMeta

_INT64 = 2**63


class ScopeState(msgspec.Struct):
    """`rings` of the scope by window, its `coins`, and funding `cycles` by venue.

    `changed`: end of the last closed minute (s).
    """

    rings: list[Ring]
    coins: Coins = msgspec.field(default_factory=Coins)
    cycles: dict[str, Cycle] = {}
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
        coins = held = minute.oi_base
        if self.scope != MARKET:
            held = _coins(minute.interest)
            state.coins.take(minute.interest, end, params.settle_s)
            coins = state.coins.total
        now = Level(end, minute.price, minute.oi_usd, coins)
        for ring in state.rings:
            ring.add(now)
        rows: list[Result] = []
        for window, ring in zip(params.windows, state.rings, strict=True):
            every = window.every_s if minute.oi_usd is not None else params.venues_every_s
            if end % every == 0:
                rows.append(self._row(minute, None, window, now, ring, held))
        for one in minute.interest:
            turn(state.cycles, one, end)
        if end % params.venues_every_s == 0:
            for one in minute.interest:
                rows += self._venue(minute, one)
        if end % params.funding_every_s == 0:
            rows.append(funding_row(self._funding, minute, state.cycles))
        return rows

    def _venue(self, minute: Minute, one: VenueInterest) -> list[Result]:
        """Rows of one venue: its own open interest against the scope's price."""
        state, params, end = self._state, self.params, minute.end
        if one.oi_usd is None and one.oi_base is None:
            return []
        settled = self.scope == MARKET or state.coins.settled(one.venue, end, params.settle_s)
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
        if now.usd is None and oi_base is None:
            reasons["oi_usd"] = reasons["oi_change"] = "no_open_interest"
        elif oi_base is None:
            reasons["oi_change"] = "no_open_interest_in_coins"
        elif oi_change is None:
            reasons["oi_change"] = unseen
        if now.usd is None:
            reasons["oi_usd"] = "no_open_interest"
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
