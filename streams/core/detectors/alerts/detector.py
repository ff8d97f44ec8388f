"""Alerts of a scope: what deserves a look now, told once (definition 1.8).

The last detector: it reads the others' rows, cascades and prints, and keeps the seconds of price
and books that no row tells. One rule a module: `alert_cascade`, `alert_milestone`, `alert_feed`,
`alert_liquidity` (thin books), `alert_sweep`, `alert_volatility`. Promises an id made of the fact,
so that no restart tells one twice, cooldowns in event time, and silence of a rule whose necessary
input is missing. Scores are margins, not probabilities: nothing need follow an alert.

>>> from streams.core.detectors.alerts.text import score
>>> score([2.0, 2.0], 0, 0.85)  # twice every threshold
0.6667
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from streams.core.detectors.alerts.calendar import Calendar
from streams.core.detectors.alerts.cascade import Stories, follow, watch
from streams.core.detectors.alerts.feed import Feeds, feeds
from streams.core.detectors.alerts.levels import ForcedDay, Slot, Terrain, survey
from streams.core.detectors.alerts.liquidity import (
    Ordinary,
    Tape,
    anchor,
    note,
    thin,
    thin_liquidity,
)
from streams.core.detectors.alerts.milestone import Rises, milestones
from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.alerts.sweep import Sweeps, sweeps
from streams.core.detectors.alerts.volatility import Episode, unexplained
from streams.core.detectors.minute_returns import MinuteReturns
from streams.core.detectors.minutes import Minute
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import HOT, Detector, Origin, Part
from streams.core.results import MARKET, Alert, CascadeWindow, Milestone, Result, ZoneMap
from streams.core.rowmeta import RowMeta

_encode = msgspec.msgpack.Encoder().encode


class Live(msgspec.Struct):
    """What may change each second."""

    stories: Stories = msgspec.field(default_factory=Stories)
    rises: Rises = {}
    feeds: Feeds = msgspec.field(default_factory=Feeds)
    tape: Tape = msgspec.field(default_factory=Tape)
    sweeps: Sweeps = msgspec.field(default_factory=Sweeps)
    calendar: Calendar = msgspec.field(default_factory=Calendar)


class ByMinute(msgspec.Struct):
    """What changes when a minute is closed; `at` is its end (s)."""

    at: int = 0
    returns: MinuteReturns = msgspec.field(default_factory=MinuteReturns)
    ordinary: Ordinary = msgspec.field(default_factory=Ordinary)
    terrain: Terrain = msgspec.field(default_factory=Terrain)
    slot: Slot = msgspec.field(default_factory=Slot)
    episode: Episode = msgspec.field(default_factory=Episode)


class Alerts(Detector):
    """Alerts of one scope; see the module."""

    name: ClassVar[str] = "alerts"

    def __init__(self, scope: str, params: AlertParams, meta: RowMeta) -> None:
        self.params = params
        self.origin = Origin(params.definition, scope, meta)
        self.live = Live()
        self.by_minute = ByMinute()
        self.day = ForcedDay()
        self._sigma: float | None = None

    def second(self, moment: Moment, readings: Readings) -> Sequence[Result]:
        """Watches, feeds, thin books and sweeps."""
        live, params, origin = self.live, self.params, self.origin
        rows: list[Alert] = []
        if moment.macro:
            live.calendar.learn(moment.macro, moment.second, params.events_most)
        if readings.early:
            rows.extend(watch(live.stories, moment, readings, params, origin))
        rows.extend(self._feeds(moment.second, moment.venues_up, moment.venues_all))
        if origin.scope == MARKET:
            return rows
        if moment.price is not None or moment.books:
            note(live.tape, moment, params)
        if moment.price is not None:
            found = thin(live.tape, self.by_minute.ordinary, self._sigma, moment.second, params)
            if found is not None:
                rows.extend(thin_liquidity(live.tape, found, moment, readings, params, origin))
        terrain = self.by_minute.terrain
        rows.extend(
            sweeps(
                live.sweeps,
                terrain,
                self.day,
                live.calendar,
                moment,
                readings,
                params,
                origin,
            )
        )
        return rows

    def minute(self, minute: Minute, readings: Readings) -> Sequence[Result]:
        """Feeds and unexplained volatility; what is ordinary is told anew."""
        params, origin, by_minute = self.params, self.origin, self.by_minute
        by_minute.at = minute.end
        rows = list(self._feeds(minute.end, minute.venues_up, minute.venues_all))
        rows.extend(
            unexplained(by_minute.episode, self.live.calendar, minute, readings, params, origin)
        )
        if origin.scope != MARKET:
            if minute.close is not None:
                by_minute.returns.add(minute.start, minute.close, params.sigma_half_life_min)
            self._sigma = by_minute.returns.sigma(params.sigma_least_returns)
            by_minute.ordinary = anchor(self.live.tape, minute, readings, params)
            survey(by_minute.terrain, minute, readings.last(ZoneMap), params)
            if minute.coverage >= params.sweep_least_coverage:
                by_minute.slot = self.day.add(by_minute.slot, minute)
        return rows

    def results(self, rows: Sequence[Result], readings: Readings) -> Sequence[Result]:
        """Stories of cascades, and milestones."""
        found: list[Alert] = []
        for row in rows:
            if isinstance(row, CascadeWindow):
                found.extend(follow(self.live.stories, row, self.params, self.origin))
        crossed = [row for row in rows if isinstance(row, Milestone)]
        if crossed:
            found.extend(milestones(self.live.rises, crossed, self.params, self.origin))
        return found

    def _feeds(self, second: int, up: tuple[str, ...], known: tuple[str, ...]) -> Sequence[Alert]:
        state = self.live.feeds
        if self.origin.scope not in self.params.feed_scopes:
            return ()
        if not state.away and up == state.up and known == state.known:
            return ()
        return tuple(feeds(state, second, up, known, self.params, self.origin))

    def parts(self) -> Sequence[Part]:
        """`live` by the second, `minute` by the minute, `day` by five."""
        newest = self.day.slots[-1] + 1 if self.day.slots else 0
        return (
            Part("live", HOT, lambda: _encode(self.live)),
            Part("minute", self.by_minute.at, lambda: _encode(self.by_minute)),
            Part("day", newest, lambda: _encode(self.day)),
        )

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Continue from parts."""
        if "live" in parts:
            self.live = _decode_live(parts["live"])
        if "minute" in parts:
            self.by_minute = _decode_minute(parts["minute"])
            self._sigma = self.by_minute.returns.sigma(self.params.sigma_least_returns)
        if "day" in parts:
            self.day = _decode_day(parts["day"])


_decode_live = msgspec.msgpack.Decoder(Live).decode
_decode_minute = msgspec.msgpack.Decoder(ByMinute).decode
_decode_day = msgspec.msgpack.Decoder(ForcedDay).decode
