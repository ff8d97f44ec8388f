"""Liquidity regime (`liquidity/1`): how thin is the book, against the same hour's ordinary?

For each venue and asset, for the asset over all venues, and hourly the slow index of conditions.
Depth, spread and slippage are those of a venue's main book. Price impact is measured twice:

    lambda = sum(w dp q) / sum(w q^2)      bp per million USD, per second, w halves in 60 s
    Amihud = |dp| / volume                 bp per million USD, per minute
    ratio  = x / ordinary x of the hour    hour of day, weekdays apart from weekends
    z      = mean of { z(ln depth), -z(ln spread), -z(ln slip), -z(ln lambda), -z(ln Amihud) }

    VACUUM    depth ratio <= 0.30 or spread ratio >= 10
    TIGHT     depth ratio <= 0.65 or z <= -1
    ABUNDANT  z >= 0.5
    NORMAL    otherwise; a worse state after 5 s of its condition, a better one after 60 s

Promises rows at the second in which a state changes and at each minute, every absent number with
its reason, and no comparison before a day of history. It does not see more of a book than the
collector keeps: bands beyond its reach are null, and then z stands on what is left.

>>> from streams.core.detectors.liquidity.level import severity
>>> severity(0.34, 2.0, -0.4, LiquidityParams()), severity(0.29, 2.0, -0.4, LiquidityParams())
(2, 3)
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from streams.core.detectors.liquidity import conditions
from streams.core.detectors.liquidity.level import severity
from streams.core.detectors.liquidity.ordinary import HourSum, Norm
from streams.core.detectors.liquidity.params import LiquidityParams
from streams.core.detectors.liquidity.place import (
    DEPTHS,
    NOTHING,
    STATE_BANDS,
    Learned,
    Measure,
    Place,
    amihud,
    cost,
    impact_parts,
    measured,
    sampled,
    together,
)
from streams.core.detectors.liquidity.rows import Bands, Ratios, venue_row, whole_row
from streams.core.detectors.liquidity.state import (
    WHOLE,
    Days,
    Fast,
    History,
    Minutes,
    decode_days,
    decode_fast,
    decode_history,
    decode_minutes,
)
from streams.core.detectors.minutes import Minute
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import HOT, Detector, Origin, Part
from streams.core.frames import DEPTH_BANDS_BP, BookState, Market
from streams.core.results import MARKET, Liquidity, Result
from streams.core.rowmeta import RowMeta

HOUR = 3600
CALM = 1
"""Index in STATES of the worst state in which a main book may be exchanged."""


class LiquidityDetector(Detector):
    """The liquidity regime and conditions of one scope; see the module.

    Args:
        scope: asset, or `ALL`: its books are not kept, only its flow, prices and depth sums.
        params: of the definition.
        meta: of its rows.
    """

    name: ClassVar[str] = "liquidity"

    def __init__(self, scope: str, params: LiquidityParams, meta: RowMeta) -> None:
        self._scope = scope
        self._params = params
        self._origin = Origin(params.definition, scope, meta)
        self._fast = Fast()
        self._minutes = Minutes()
        self._history = History()
        self._days = Days()
        self._norms: dict[str, dict[str, Norm]] = {}
        self._norms_hour = -1

    def second(self, moment: Moment, readings: Readings) -> Sequence[Result]:
        """Take flow, price and books of a second; rows where a state has changed."""
        second, params, places = moment.second, self._params, self._fast.places
        whole = places[WHOLE]
        flow = 0
        large: dict[str, int] = {}
        for trade in moment.trades:
            net = trade.buy_usd - trade.sell_usd
            flow += net
            place = places.get(trade.venue)
            if place is not None and place.market == trade.market:
                place.impact.flow += net
                if place.refill.large(second, net, params):
                    large[trade.venue] = net
        if flow:
            whole.impact.flow += flow
            if len(places) > 1 and whole.refill.large(second, flow, params):
                large[WHOLE] = flow
        if moment.price is not None:
            whole.impact.price_of(second, moment.price, params)
        if not moment.books or len(places) == 1:
            return ()
        return self._books(moment, large)

    def _books(self, moment: Moment, large: Mapping[str, int]) -> Sequence[Result]:
        """Take the books of a second."""
        second, params, places = moment.second, self._params, self._fast.places
        before = [(venue, place.level.state) for venue, place in places.items()]
        fresh: dict[str, Measure] = {}
        for book in moment.books:
            place = places.get(book.venue)
            if place is None or place.symbol != book.symbol:
                continue
            place.take(second, book, params)
            place.impact.price_of(second, place.mid, params)
            near = place.near()
            if near is not None:
                net = large.get(book.venue, 0)
                place.refill.depth(second, *near, net != 0, net > 0, params)
            fresh[book.venue] = measure = self._measure(book.venue, second)
            self._see(place, measure, second)
        if not fresh:
            return ()
        whole = places[WHOLE]
        whole.pass_to(second, params)
        whole.heard = second
        self._whole_refill(second, large.get(WHOLE, 0))
        self._see(whole, self._together(second, fresh), second)
        changed = [venue for venue, state in before if places[venue].level.state != state]
        return [self._row(venue, second, moment.coverage, "change") for venue in sorted(changed)]

    def _see(self, place: Place, measure: Measure, second: int) -> None:
        params = self._params
        moment = severity(measure.depth, measure.spread, measure.z, params)
        place.level.see(second, moment, params)

    def _whole_refill(self, second: int, net: int) -> None:
        """Depth of all known venues, for the refill of the whole."""
        places, bid, ask, known = self._fast.places, 0.0, 0.0, 0
        for venue, place in places.items():
            if venue and place.why_unknown(second, self._params) is None:
                near = place.near()
                if near is not None:
                    bid, ask, known = bid + near[0], ask + near[1], known + 1
        whole = places[WHOLE]
        if known != whole.same:
            whole.refill.seen = whole.refill.started = 0
            whole.same = known
        if known:
            whole.refill.depth(second, bid, ask, net != 0, net > 0, self._params)

    def _norms_of(self, venue: str, second: int) -> dict[str, Norm]:
        """What is ordinary at a place in the hour of a second."""
        hour = second // HOUR
        if hour != self._norms_hour:
            self._norms_hour = hour
            self._norms = {
                name: learned.norms(hour, self._params)
                for name, learned in self._history.learned.items()
            }
        return self._norms.get(venue, {})

    def _measure(self, venue: str, second: int) -> Measure:
        place = self._fast.places[venue]
        if place.why_unknown(second, self._params) is not None:
            return NOTHING
        return measured(place, second, self._norms_of(venue, second), self._params)

    def _together(self, second: int, fresh: Mapping[str, Measure]) -> Measure:
        """All venues at a second; `fresh` are measures of it that are already there."""
        params = self._params
        known: list[Measure] = []
        hidden = 0.0
        for venue, place in self._venues(second):
            if place.why_unknown(second, params) is None:
                known.append(fresh.get(venue) or self._measure(venue, second))
            else:
                norms = self._norms_of(venue, second)
                usual = [norms[DEPTHS[i]].value for i in STATE_BANDS if DEPTHS[i] in norms]
                hidden += usual[0] if usual else 0.0
        whole = self._fast.places[WHOLE]
        own = impact_parts(whole, second, self._norms_of(WHOLE, second), params)
        return together(known, hidden, own, params)

    def _venues(self, now: int) -> list[tuple[str, Place]]:
        """Venues heard within the last hour, by name."""
        since = now - self._params.venue_gone_s
        places = self._fast.places
        if len(places) == 1:
            return []
        return [(v, places[v]) for v in sorted(places) if v and places[v].heard >= since]

    def minute(self, minute: Minute, readings: Readings) -> Sequence[Result]:
        """Take a closed minute; a row for each venue and for the whole, conditions by the hour."""
        end, params, places = minute.end, self._params, self._fast.places
        self._choose(minute)
        for venue in sorted(places):
            place = places[venue]
            place.pass_to(end, params)
            trades = [t for t in minute.trades if (t.venue, t.market) == (venue, place.market)]
            if venue == WHOLE:
                if place.closed_at != minute.start and minute.open is not None:
                    place.closed, place.closed_at = minute.open, minute.start
                place.amihud = amihud(place, minute.close, end, minute.trades)
            else:
                fresh = place.heard >= minute.start
                place.amihud = amihud(place, place.mid if fresh else None, end, trades)
        self._learn(minute)
        venues = [venue for venue, _ in self._venues(end)]
        rows: list[Result] = [
            self._row(venue, end, minute.coverage, minute=minute) for venue in (*venues, WHOLE)
        ]
        slow = self._minutes.slow
        if conditions.add(slow, self._days.days, minute, self._depth(minute), params):
            self._days.at = end
        if end // HOUR != self._minutes.told:
            self._minutes.told = end // HOUR
            head = self._origin.head("conditions", end, minute.coverage)
            rows.append(conditions.row(head, slow, self._days.days, params))
        return rows

    def _choose(self, minute: Minute) -> None:
        """The main book of each venue: until it falls silent, or at an hour another is cheaper."""
        places, params = self._fast.places, self._params
        if self._scope == MARKET:
            return
        by_venue: dict[str, list[BookState]] = {}
        for book in minute.books:
            by_venue.setdefault(book.venue, []).append(book)
        for venue in sorted(by_venue):
            best = min(by_venue[venue], key=lambda book: (cost(book), book.symbol))
            place = places.get(venue)
            mine = [b for b in by_venue[venue] if place is not None and b.symbol == place.symbol]
            if place is not None and not mine:
                if minute.end - place.heard <= params.book_gone_s:
                    continue
            elif place is not None:
                (shallow, price), (other_shallow, other) = cost(mine[0]), cost(best)
                cheaper = shallow > other_shallow or (
                    shallow == other_shallow and other <= params.switch_cost * price
                )
                # A book that thins out in a crisis stays the one that is watched.
                if minute.end % HOUR or not cheaper or place.level.on > CALM:
                    continue
            market: Market = "spot" if best.contract == "spot" else "derivative"
            places[venue] = Place(best.symbol, market)
            places[venue].take(minute.end - 1, best, params)
        for venue in sorted(places):
            if venue and minute.end - places[venue].heard > params.venue_forgotten_s:
                del places[venue]
                self._history.learned.pop(venue, None)
                self._history.at = minute.end

    def _learn(self, minute: Minute) -> None:
        """Add the minute to its hour; a finished hour becomes part of what is ordinary."""
        state, end, hour = self._minutes, minute.end, minute.start // HOUR
        if state.sums and hour != state.hour:
            self._close_hour(end)
        state.at, state.hour = end, hour
        for venue in sorted(self._fast.places):
            sums = state.sums.setdefault(venue, {})
            for name, value in self._sample(venue, minute).items():
                sums.setdefault(name, HourSum()).add(value)
        if end % HOUR == 0:
            self._close_hour(end)

    def _sample(self, venue: str, minute: Minute) -> dict[str, float | None]:
        found = sampled(self._fast.places[venue], minute.end, self._params)
        if self._scope == MARKET:
            for name, bid, ask in zip(DEPTHS, minute.bids, minute.asks, strict=False):
                found[name] = None if bid is None or ask is None else float(bid + ask)
        return found

    def _close_hour(self, end: int) -> None:
        state, history = self._minutes, self._history
        for venue, sums in sorted(state.sums.items()):
            learned = history.learned.setdefault(venue, Learned())
            learned.learn(state.hour, sums, self._params)
        state.sums = {}
        history.at = end
        self._norms_hour = -1

    def _depth(self, minute: Minute) -> dict[str, int]:
        """Depth of the minute by venue and band, for the slow index."""
        found: dict[str, int] = {}
        if self._scope == MARKET:
            for band, bid, ask in zip(DEPTH_BANDS_BP, minute.bids, minute.asks, strict=False):
                if bid is not None and ask is not None:
                    found[f"{band}"] = bid + ask
            return found
        for venue, place in self._venues(minute.end):
            if place.told_in_minute(minute.end, self._params):
                for index in STATE_BANDS:
                    depth = place.band(index)
                    if depth is not None:
                        found[f"{venue}/{DEPTH_BANDS_BP[index]}"] = depth
                        break
        return found

    def _row(
        self, venue: str, at: int, coverage: float, *which: str, minute: Minute | None = None
    ) -> Liquidity:
        head = self._origin.head("liquidity", at, coverage, venue or None, *which)
        place, learned = self._fast.places[venue], self._history.learned
        minutes = learned[venue].minutes if venue in learned else 0
        norms = self._norms_of(venue, at)
        if venue:
            measure = self._measure(venue, at)
            return venue_row(head, venue, place, at, norms, measure, minutes, self._params)
        venues = self._venues(at)
        minutes = max([minutes, *(learned[v].minutes for v, _ in venues if v in learned)])
        market = None
        if self._scope == MARKET and minute is not None:
            market = _market_depth(minute, norms)
        return whole_row(
            head,
            place,
            [(each, self._norms_of(name, at)) for name, each in venues],
            at,
            self._together(at, {}),
            minutes,
            self._params,
            market,
        )

    def parts(self) -> Sequence[Part]:
        """The whole state."""
        encode = msgspec.msgpack.encode
        return (
            Part("fast", HOT, lambda: encode(self._fast)),
            Part("minutes", self._minutes.at, lambda: encode(self._minutes)),
            Part("history", self._history.at, lambda: encode(self._history)),
            Part("days", self._days.at, lambda: encode(self._days)),
        )

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Continue from parts by name."""
        if "fast" in parts:
            self._fast = decode_fast(parts["fast"])
        if "minutes" in parts:
            self._minutes = decode_minutes(parts["minutes"])
        if "history" in parts:
            self._history = decode_history(parts["history"])
        if "days" in parts:
            self._days = decode_days(parts["days"])
        self._norms_hour = -1


def _market_depth(minute: Minute, norms: Mapping[str, Norm]) -> tuple[Bands, Bands, Ratios]:
    """The market's depth in a minute and its ratios."""
    ratios: list[float | None] = []
    for name, bid, ask in zip(DEPTHS, minute.bids, minute.asks, strict=False):
        usual = norms.get(name)
        if usual is None or bid is None or ask is None:
            ratios.append(None)
        else:
            ratios.append((bid + ask) / usual.value)
    return minute.bids, minute.asks, tuple(ratios)
