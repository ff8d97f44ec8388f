"""Derivatives dominance (`dominance/1`): who trades, who moves first, and how it drifts.

Over a fixed basket of venues, in windows of 1 hour, 24 hours and 7 days:

    share = V_derivatives / (V_derivatives + V_spot)      ratio = V_derivatives / V_spot
    oi_spot_adv = open interest / average daily spot volume of 7 days
    lead_share  = first / (first + last), squared lagged correlations of 1-s returns over noise
    SPOT_LED ratio < 2; DERIVATIVES_LED ratio > 4 and lead_share > 0.6; MIXED otherwise
    trend = change of the daily share along a least-squares line over 90 and 365 days

Promises that the basket does not change in silence: a member that weighs and is not heard leaves
the share unknown, and trends compare only days with the same members. The hour's row comes each
minute; those of 24 hours and 7 days at the turn of an hour, over whole hours. It does not leave
out zero-fee or self-crossed pairs of a member: frames name contracts, minutes only venues.

>>> state_of(3.3, None, DominanceParams()), state_of(5.0, 0.7, DominanceParams())
('mixed', 'derivatives_led')
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from streams.core.detectors.dominance.lead import Returns
from streams.core.detectors.dominance.params import DominanceParams
from streams.core.detectors.dominance.volumes import (
    WEEK_H,
    YEAR,
    Day,
    Slice,
    Window,
    broke_off,
    by_market,
    silent,
    trend,
    window_of,
)
from streams.core.detectors.minutes import MINUTE, Minute
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import HOT, Detector, Origin, Part
from streams.core.events import MICROS
from streams.core.results import MARKET, Dominance, Result
from streams.core.results.dominance import DominanceState
from streams.core.rowmeta import RowMeta

HOUR = 3600
DAY = 86_400
LONG_WINDOWS = (DAY, 7 * DAY)


def state_of(
    ratio: float | None, lead: float | None, params: DominanceParams
) -> DominanceState | None:
    """The state; None where what decides is not known."""
    if ratio is None:
        return None
    if ratio < params.spot_led:
        return "spot_led"
    if ratio <= params.derivatives_led:
        return "mixed"
    if lead is None:
        return None
    return "derivatives_led" if lead > params.lead_least else "mixed"


class Recent(msgspec.Struct, array_like=True):
    """What changes each minute (`at`, s): minutes of the last hour, the hour and day in progress.

    `observed`: minutes in all. `oi_cap`, `oi_heard`: last of the day in progress.
    """

    at: int = 0
    observed: int = 0
    minutes: list[Slice] = []
    hour: Slice | None = None
    day: int = -1
    oi_cap: float | None = None
    oi_heard: int = 0


class Hours(msgspec.Struct, array_like=True):
    """What changes each hour (`at`, s): the last 168 hours."""

    at: int = 0
    hours: list[Slice] = []


class Trends(msgspec.Struct, array_like=True):
    """What changes each day (`at`, s): days, and the trends that follow from them."""

    at: int = 0
    days: list[Day] = []
    share_90d: float | None = None
    share_365d: float | None = None
    oi_cap_90d: float | None = None


class DominanceDetector(Detector):
    """Derivatives dominance of one scope; see the module.

    Args:
        scope: asset or `ALL`.
        params: of the definition.
        meta: of its rows.
    """

    name: ClassVar[str] = "dominance"

    def __init__(self, scope: str, params: DominanceParams, meta: RowMeta) -> None:
        self._params = params
        self._origin = Origin(params.definition, scope, meta)
        self._index = {name: index for index, name in enumerate(params.members)}
        self._cap_series = params.total_cap_series if scope == MARKET else params.cap_series
        self._returns = Returns()
        self._recent = Recent()
        self._hours = Hours()
        self._trends = Trends()
        self._week: Window | None = None

    def second(self, moment: Moment, readings: Readings) -> Sequence[Result]:
        """Take the prices of a second."""
        if moment.price is not None or moment.spot is not None:
            self._returns.add(moment.second, moment.price, moment.spot, self._params)
        return ()

    def minute(self, minute: Minute, readings: Readings) -> Sequence[Result]:
        """Take a closed minute: the row of its hour; at the turn of an hour, all three."""
        recent, end = self._recent, minute.end
        usd = self._usd(minute)
        number = minute.start // MINUTE
        one = Slice(number, 1, usd, self._returns.close(self._params))
        turned = self._to_hour(minute.start // HOUR, end)
        while recent.minutes and recent.minutes[0].number <= number - 60:
            del recent.minutes[0]
        recent.minutes.append(one)
        hour = recent.hour = recent.hour or Slice(minute.start // HOUR)
        hour.add(one)
        recent.at = end
        recent.observed += 1
        oi, heard = self._interest(minute)
        cap, why_cap = self._cap(minute)
        oi_cap = oi / cap if oi is not None and cap is not None else None
        if oi_cap is not None:
            recent.oi_cap, recent.oi_heard = oi_cap, heard
        if end % HOUR == 0:
            turned = self._to_hour(end // HOUR, end) or turned
        if oi is None:
            why_cap = "no_open_interest"
        rows = [self._row(HOUR, self._last_hour(), minute, oi, oi_cap, why_cap)]
        if turned:
            rows.extend(
                self._row(window_s, self._long(window_s, end), minute, oi, oi_cap, why_cap)
                for window_s in LONG_WINDOWS
            )
        return rows

    def _usd(self, minute: Minute) -> tuple[int, ...]:
        """The minute's micro-dollars by member; empty without any."""
        usd = [0] * len(self._index)
        for one in minute.trades:
            index = self._index.get(f"{one.venue}/{one.market}")
            if index is not None:
                usd[index] += one.usd
        return tuple(min(one, 2**63 - 1) for one in usd) if any(usd) else ()

    def _interest(self, minute: Minute) -> tuple[int | None, int]:
        """Open interest of the basket in micro-dollars, and its members as bits."""
        total, heard = 0, 0
        for one in minute.interest:
            index = self._index.get(f"{one.venue}/derivative")
            if index is not None and one.oi_usd:
                total += one.oi_usd
                heard |= 1 << index
        return total if heard else None, heard

    def _cap(self, minute: Minute) -> tuple[float | None, str]:
        """Market capitalisation in micro-dollars, or the reason why it is not known."""
        value = minute.macro.get(self._cap_series)
        if value is None or value.value <= 0:
            return None, "no_market_cap"
        if minute.end - value.at_us // MICROS > self._params.series_stands_s:
            return None, "stale_market_cap"
        return value.value * MICROS, ""

    def _to_hour(self, number: int, now: int) -> bool:
        """Close the hour in progress, and its day, when it is over; whether it was."""
        recent, hours = self._recent, self._hours
        hour = recent.hour
        if hour is None or hour.number == number:
            return False
        hours.hours.append(hour)
        recent.hour = None
        day = hour.number // 24
        if number // 24 != day:
            self._close_day(day, now)
        hours.hours = [old for old in hours.hours if old.number >= number - WEEK_H]
        hours.at = now
        self._week = None
        return True

    def _close_day(self, day: int, now: int) -> None:
        """Keep what a day said; the trends follow."""
        params, recent, trends = self._params, self._recent, self._trends
        mine = [one for one in self._hours.hours if one.number // 24 == day]
        window = window_of(mine, params.member_hours, len(params.members))
        kept = Day(day, None, window.mask, recent.oi_cap, recent.oi_heard)
        derivatives, spot = by_market(window.usd, params)
        if window.minutes >= params.least_observed * 1440 and derivatives and spot:
            kept.share = derivatives / (derivatives + spot)
        recent.oi_cap, recent.oi_heard = None, 0
        trends.days = [one for one in trends.days if one.day > day - YEAR]
        trends.days.append(kept)
        trends.at = now
        shares = [
            (one.day, one.share)
            for one in trends.days
            if one.share is not None and one.heard == kept.heard
        ]
        caps = [
            (one.day, one.oi_cap)
            for one in trends.days
            if one.oi_cap is not None and one.oi_heard == kept.oi_heard
        ]
        trends.share_90d = self._trend(shares, day, 90)
        trends.share_365d = self._trend(shares, day, 365)
        trends.oi_cap_90d = self._trend(caps, day, 90)

    def _trend(self, points: list[tuple[int, float]], day: int, span: int) -> float | None:
        within = [point for point in points if point[0] > day - span]
        return trend(within, span, self._params.trend_least)

    def _last_hour(self) -> Window:
        """The sixty minutes that end with the last one; a member is heard that traded in them
        and did not break off.
        """
        params, minutes = self._params, self._recent.minutes
        window = window_of(minutes, 0.0, len(params.members))
        heard = tuple(
            one and not broke_off(minutes, index, params) for index, one in enumerate(window.heard)
        )
        return window if heard == window.heard else msgspec.structs.replace(window, heard=heard)

    def _long(self, window_s: int, end: int) -> Window:
        """Whole hours up to the last that is over."""
        since = end // HOUR - window_s // HOUR
        hours = [one for one in self._hours.hours if one.number >= since]
        return window_of(hours, self._params.member_hours, len(self._params.members))

    def _row(
        self,
        window_s: int,
        window: Window,
        minute: Minute,
        oi: int | None,
        oi_cap: float | None,
        why_cap: str,
    ) -> Dominance:
        params, trends = self._params, self._trends
        if self._week is None:
            self._week = window_of(self._hours.hours, params.member_hours, len(params.members))
        week = self._week
        derivatives, spot = by_market(window.usd, params)
        reasons: dict[str, str] = {}
        why = ""
        if not derivatives:
            why = reasons["derivatives_usd"] = "no_derivative_trades"
        if not spot:
            why = reasons["spot_usd"] = "no_spot_trades"
        if not why and window.minutes * MINUTE < params.least_observed * window_s:
            why = "window_not_covered"
        if not why and silent(window, week, params):
            why = "basket_member_silent"
        share = ratio = lead = None
        if why:
            reasons["share"] = reasons["ratio"] = why
        else:
            share, ratio = derivatives / (derivatives + spot), derivatives / spot
        lead = window.lead.share(params)
        if lead is None:
            reasons["lead_share"] = (
                "neither_leads" if window.lead.minutes else "too_few_seconds_with_both_prices"
            )
        state = state_of(ratio, lead, params)
        if state is None:
            reasons["state"] = why or "no_lead_share"
        spot_week = by_market(week.usd, params)[1]
        adv: float | None = None
        if oi is None:
            reasons["oi_spot_adv"] = "no_open_interest"
        elif week.minutes < 1440:
            reasons["oi_spot_adv"] = "history_below_1_day"
        elif not spot_week:
            reasons["oi_spot_adv"] = "no_spot_trades"
        else:
            adv = oi / (spot_week / week.minutes * 1440)
        if trends.share_90d is None:
            reasons["trend_90d"] = "history_below_60_days"
        if trends.share_365d is None:
            reasons["trend_365d"] = "history_below_244_days"
        if trends.oi_cap_90d is None:
            reasons["oi_market_cap_90d"] = "history_below_60_days"
        if oi_cap is None:
            reasons["oi_market_cap"] = why_cap
        return Dominance(
            **self._origin.head("dominance", minute.end, minute.coverage, window_s),
            window_s=window_s,
            derivatives_usd=derivatives or None,
            spot_usd=spot or None,
            share=share,
            ratio=ratio,
            oi_spot_adv=adv,
            lead_share=lead,
            state=state,
            basket=params.basket,
            basket_coverage=sum(window.heard) / len(window.heard),
            trend_90d=trends.share_90d,
            trend_365d=trends.share_365d,
            oi_market_cap=oi_cap,
            oi_market_cap_90d=trends.oi_cap_90d,
            history_days=self._recent.observed / 1440,
            null_reasons=reasons,
        )

    def parts(self) -> Sequence[Part]:
        """The whole state."""
        encode = msgspec.msgpack.encode
        return (
            Part("returns", HOT, lambda: encode(self._returns)),
            Part("recent", self._recent.at, lambda: encode(self._recent)),
            Part("hours", self._hours.at, lambda: encode(self._hours)),
            Part("trends", self._trends.at, lambda: encode(self._trends)),
        )

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Continue from parts by name."""
        if "returns" in parts:
            self._returns = _decode_returns(parts["returns"])
        if "recent" in parts:
            self._recent = _decode_recent(parts["recent"])
        if "hours" in parts:
            self._hours = _decode_hours(parts["hours"])
        if "trends" in parts:
            self._trends = _decode_trends(parts["trends"])
        self._week = None


_decode_returns = msgspec.msgpack.Decoder(Returns).decode
_decode_recent = msgspec.msgpack.Decoder(Recent).decode
_decode_hours = msgspec.msgpack.Decoder(Hours).decode
_decode_trends = msgspec.msgpack.Decoder(Trends).decode
