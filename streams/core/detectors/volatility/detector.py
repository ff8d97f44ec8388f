"""Volatility attribution (definition `volatility`, 1.7): how much, of which kind, and with what.

Per scope, rows over 5 minutes and an hour each minute, over a day each 5 minutes. Reads what
liquidity, dominance and zones said before it. Promises that returns end at fresh prices only,
that shares are null with a reason rather than filled in, and nothing about causes: all shares are
associations.

With r the log returns over 5-s bins in which a new price came: RV = sum r^2, bipower
BV = (pi/2) sum |r_i||r_(i-1)|, jump part J = max(RV - BV, 0), tested by the ratio statistic of
Barndorff-Nielsen & Shephard. `forced` = (sum of r^2 in the direction of forced flow within 3 s,
less what seconds with the same volatility of the minute before show without it) / RV. `macro` =
adjusted R2 of an exponentially weighted regression of one-minute returns on DXY, GOLD, SPX, VIX.
The drivers split the variance of the hourly ln RV by Shapley (LMG) shares of a regression on its
means over the last hour, day and week, leverage density, -ln depth, ln VIX, institutional proxies
and derivatives dominance; `unexplained` = 1 - R2.

>>> from streams.core.detectors.moment import Moment
>>> from streams.core.detectors.readings import Readings
>>> up = ("bybit",)
>>> detector = Volatility("BTC", VolatilityParams(), RowMeta("0" * 12, "test", 0))
>>> for second in range(0, 600, 5):
...     price = 100.0 if second % 10 else 100.01
...     moment = Moment("BTC", second, 1.0, up, up, price=price)
...     _ = detector.second(moment, Readings())
>>> tallied = detector.window(600, 300)
>>> tallied.n, f"{tallied.realised:.3e}"
(60, '5.999e-07')
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, TypeVar

import msgspec

from streams.core.detectors.minutes import Minute
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import HOT, Detector, Origin, Part
from streams.core.detectors.volatility import forced, macro
from streams.core.detectors.volatility.baseline import HourBaseline
from streams.core.detectors.volatility.drivers import DriverShares, fit
from streams.core.detectors.volatility.hours import HOUR_S, WEEK_H, Hours, drivers_of, names_of
from streams.core.detectors.volatility.macro import MacroState
from streams.core.detectors.volatility.params import VolatilityParams
from streams.core.detectors.volatility.returns import (
    BLOCK_MIN,
    BLOCK_S,
    Prices,
    Step,
    Sums,
    Tallies,
    total,
)
from streams.core.detectors.volatility.rows import row_of
from streams.core.events import stable_id
from streams.core.results import Result
from streams.core.rowmeta import RowMeta

WINDOWS_S: Final = (300, 3600, 86400)
_encode = msgspec.msgpack.Encoder().encode

T = TypeVar("T")


class Running(msgspec.Struct):
    """What may change each second: prices, returns that wait for their surroundings, forced flow,
    and the sums of the minute in progress (`minute`, s // 60).
    """

    prices: Prices = msgspec.field(default_factory=Prices)
    waiting: list[Step] = []
    forcing: forced.Forcing = msgspec.field(default_factory=forced.Forcing)
    minute: int | None = None
    sums: Sums = msgspec.field(default_factory=Sums)


class Attribution(msgspec.Struct):
    """The hour in progress (`hour`, s // 3600) with what its drivers were when it began, and the
    shares of the last regression, made in turn `turn`; `at` is the second of the last change.
    """

    hour: int | None = None
    begin: dict[str, float] = {}
    turn: int = -1
    shares: DriverShares = msgspec.field(default_factory=DriverShares)
    at: int = 0


class Volatility(Detector):
    """Volatility of one scope; see the module."""

    name: ClassVar[str] = "volatility"

    def __init__(self, scope: str, params: VolatilityParams, meta: RowMeta) -> None:
        self._params = params
        self._origin = Origin(params.definition, scope, meta)
        # Scopes take their regressions in different minutes of the hour: it costs milliseconds.
        self._minute_of_fit = int(stable_id(scope)[:8], 16) % 60
        self._running = Running()
        self._tallies = Tallies()
        self._baseline = HourBaseline()
        self._macro = MacroState()
        self._attribution = Attribution()
        self._hours = Hours(names_of(params), params.driver_days * 24 + WEEK_H)

    def second(self, moment: Moment, readings: Readings) -> Sequence[Result]:
        """Take a second's price and flows."""
        running = self._running
        self._advance(moment.second)
        if moment.price is not None:
            running.prices.add(moment.second, moment.price)
        if moment.cells or moment.trades or running.forcing.coverage != moment.coverage:
            begin = running.prices.before[1] if running.prices.before else moment.second
            if running.waiting:
                begin = min(begin, running.waiting[0].begin)
            oldest = max(begin, moment.second - self._params.max_gap_s - 10)
            forced.note(running.forcing, moment, oldest - self._params.forced_reach_s, self._params)
        return ()

    def minute(self, minute: Minute, readings: Readings) -> Sequence[Result]:
        """Rows of the windows that end with the minute."""
        params = self._params
        self._advance(minute.end)
        macro.take(self._macro, minute, params)
        self._attribute(minute, readings)
        rows: list[Result] = []
        for window_s in WINDOWS_S:
            long = window_s > HOUR_S
            if long and minute.end % BLOCK_S:
                continue
            half_life = params.macro_half_life_day_s if long else params.macro_half_life_s
            rows.append(
                row_of(
                    self._origin.head("volatility", minute.end, minute.coverage, window_s),
                    window_s,
                    self._tallies.window(minute.end, window_s),
                    self._baseline,
                    macro.share(self._macro, half_life, params),
                    self._attribution.shares,
                    params,
                )
            )
        return rows

    def window(self, end: int, window_s: int) -> Sums:
        """Sums over the window before a second; all returns settled by then are in it."""
        self._advance(end)
        return total(self._tallies.window(end, window_s))

    def _advance(self, until: int) -> None:
        """Settle what the seconds before `until` complete."""
        running, params = self._running, self._params
        prices = running.prices
        if prices.bin is not None:
            step = prices.finish(until, params)
            if step is not None:
                running.waiting.append(step)
            elif prices.bin is None and not prices.chain:
                forced.restart(running.forcing)
        while running.waiting and running.waiting[0].settles <= until:
            step = running.waiting.pop(0)
            self._open((step.settles - 1) // 60)
            forced.settle(running.forcing, step, running.sums, params)
        self._open(until // 60)

    def _open(self, minute: int) -> None:
        """Go on to a minute: the one before is sealed, and learned with its block."""
        running, tallies = self._running, self._tallies
        if running.minute is None:
            running.minute = minute
        if minute <= running.minute:
            return
        if running.sums.n:
            tallies.seal(running.minute, running.sums)
            tallies.at = minute * 60
            running.sums = Sums()
        running.minute = minute
        sums = tallies.roll(minute // BLOCK_MIN)
        if sums is not None:
            tallies.at = minute * 60
            if sums.observed(BLOCK_S, self._params):
                self._baseline.take(tallies.sealed, sums.log_rate(self._params), self._params)

    def _attribute(self, minute: Minute, readings: Readings) -> None:
        """Close the hour when it turns, and fit once an hour."""
        state, params = self._attribution, self._params
        hour = minute.end // HOUR_S
        if state.hour is None or hour > state.hour:
            if state.hour is not None:
                whole = total(self._tallies.window((state.hour + 1) * HOUR_S, HOUR_S))
                if whole.observed(HOUR_S, params):
                    state.begin["variance"] = whole.log_rate(params)
                self._hours.append(state.hour, state.begin)
            state.hour, state.begin = hour, drivers_of(minute, readings, params)
            state.at = minute.end
        turn = (minute.end // 60 - self._minute_of_fit) // 60
        if turn > state.turn:
            state.shares, state.turn, state.at = fit(self._hours, params), turn, minute.end

    def parts(self) -> Sequence[Part]:
        """Running state, tallies by minute and block, baseline, macro moments, hours and shares."""
        tallies = self._tallies
        waiting = self._baseline.waiting
        learned = 0 if waiting is None else waiting[0] * BLOCK_S
        hour = (self._hours.first + len(self._hours)) * HOUR_S
        return (
            Part("running", HOT, lambda: _encode(self._running)),
            Part("minutes", tallies.at, self._encode_minutes),
            Part("blocks", tallies.sealed * BLOCK_S, lambda: tallies.blocks),
            Part("baseline", learned, lambda: _encode(self._baseline)),
            Part("macro", self._macro.at, lambda: _encode(self._macro)),
            Part("hours", hour, self._hours.encode),
            Part("attribution", self._attribution.at, lambda: _encode(self._attribution)),
        )

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Continue from parts; those not there begin anew."""
        self._running = _read(parts, "running", _running)
        self._tallies = _read(parts, "minutes", _tallies)
        self._tallies.blocks = parts.get("blocks", b"")
        self._baseline = _read(parts, "baseline", _baseline)
        self._macro = _read(parts, "macro", _macro)
        self._attribution = _read(parts, "attribution", _attribution)
        self._hours = Hours(self._hours.names, self._hours.keep)
        if "hours" in parts:
            self._hours.decode(parts["hours"])

    def _encode_minutes(self) -> bytes:
        """The tallies without their sealed blocks, which are a part of their own."""
        return _encode(msgspec.structs.replace(self._tallies, blocks=b""))


def _read(parts: Mapping[str, bytes], name: str, decoder: msgspec.msgpack.Decoder[T]) -> T:
    """A part, or a fresh value of its kind."""
    if name not in parts:
        kind: type[T] = decoder.type
        return kind()
    return decoder.decode(parts[name])


_running = msgspec.msgpack.Decoder(Running)
_tallies = msgspec.msgpack.Decoder(Tallies)
_baseline = msgspec.msgpack.Decoder(HourBaseline)
_macro = msgspec.msgpack.Decoder(MacroState)
_attribution = msgspec.msgpack.Decoder(Attribution)
