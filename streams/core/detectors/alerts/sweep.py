"""Alert `sweep_reversal` (definition 1.8): a reference is broken, and the price comes back.

    crossing  the price passes a reference and overshoots it by >= max(3 bp, 0.3 ATR_1m sqrt 5)
    reversal  within 300 s, >= 80 % of the overshoot is given back, wick >= 0.6 of the range,
              taker volume >= 3 x ordinary, and forced dollars of the swept side reach the 90th
              percentile of 5-minute sums of a day or open interest fell by 0.1 %; no scheduled
              event within 5 min

What is seen is a pattern; that somebody meant it cannot be seen. Promises nothing before the
reversal, one alert a crossing, and silence where prices, trades, or both forced history and open
interest are missing. Assets only: the market has no one price to sweep.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from streams.core.detectors.alerts.calendar import Calendar
from streams.core.detectors.alerts.levels import ForcedDay, Level, Terrain
from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.alerts.rows import Fact, alert
from streams.core.detectors.alerts.text import dollars, positions, score, span
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import Origin
from streams.core.events import MICROS, PositionSide
from streams.core.results import Alert

Direction = Literal["up", "down"]
STANDS_S = 120
"""A price or a reference older than this has been passed unseen."""
SWEPT: dict[Direction, PositionSide] = {"up": "short", "down": "long"}


class Crossing(msgspec.Struct):
    """A reference that the price has passed at `second` (s), armed once it overshot enough.

    `open`: price before it; `extreme`, `back`: farthest price beyond, and nearest or farthest
    inside since; `taker`, `forced`: micro-dollars since; `oi`: volume of open interest at it.
    """

    level: Level
    second: int
    open: float
    extreme: float
    back: float
    least: float
    usual: float
    armed: bool = False
    taker: int = 0
    forced: int = 0
    oi: float | None = None


class Sweeps(msgspec.Struct):
    """Crossings by direction, the last price with its second, and the cooldowns (s)."""

    crossings: dict[str, Crossing] = {}
    price: float | None = None
    price_at: int = 0
    until: dict[str, int] = {}


def sweeps(
    state: Sweeps,
    terrain: Terrain,
    day: ForcedDay,
    calendar: Calendar,
    moment: Moment,
    readings: Readings,
    params: AlertParams,
    origin: Origin,
) -> Iterator[Alert]:
    """Alerts of crossings that reversed in this second."""
    price, now = moment.price, moment.second
    stand = now - STANDS_S
    if price is not None and state.price_at >= stand and terrain.at >= stand:
        _cross(state, "up", terrain.above, terrain, moment, price, params)
        _cross(state, "down", terrain.below, terrain, moment, price, params)
    for name in sorted(state.crossings):
        direction: Direction = "up" if name == "up" else "down"
        crossing = state.crossings[name]
        if now - crossing.second > params.sweep_within_s:
            del state.crossings[name]
            continue
        _follow(crossing, direction, moment)
        if price is None:
            continue
        sign = 1 if direction == "up" else -1
        inside = sign * (crossing.level.price - price) >= 0
        if not crossing.armed:
            if inside:
                del state.crossings[name]
            continue
        found = _judge(crossing, direction, price, day, moment, params)
        if found is None:
            continue
        del state.crossings[name]
        if calendar.near(crossing.second, params.sweep_event_s):
            continue
        state.until[name] = now + params.sweep_cooldown_s
        yield _row(crossing, direction, found, calendar, moment, readings, params, origin)
    if price is not None:
        state.price, state.price_at = price, now


def _cross(
    state: Sweeps,
    direction: Direction,
    levels: list[Level],
    terrain: Terrain,
    moment: Moment,
    price: float,
    params: AlertParams,
) -> None:
    """Begin a crossing of the nearest reference that the price has just passed."""
    before = state.price
    if not levels or before is None or terrain.least is None or not terrain.taker:
        return
    sign = 1 if direction == "up" else -1
    if sign * (price - levels[0].price) <= 0 or direction in state.crossings:
        return
    if moment.second < state.until.get(direction, 0):
        return
    level = next((one for one in levels if sign * (one.price - before) >= 0), None)
    if level is not None and sign * (price - level.price) > 0:
        state.crossings[direction] = Crossing(
            level,
            moment.second,
            before,
            price,
            before,
            terrain.least,
            terrain.taker / 60,
            oi=moment.oi_volume,
        )


def _follow(crossing: Crossing, direction: Direction, moment: Moment) -> None:
    """Take what a second adds to a crossing."""
    for trades in moment.trades:
        if trades.market == "derivative":
            crossing.taker += trades.usd
    for share in moment.shares:
        crossing.forced += share.short_usd if direction == "up" else share.long_usd
    price = moment.price
    if price is None:
        return
    if direction == "up":
        crossing.extreme, crossing.back = max(crossing.extreme, price), min(crossing.back, price)
    else:
        crossing.extreme, crossing.back = min(crossing.extreme, price), max(crossing.back, price)
    overshoot = abs(crossing.extreme - crossing.level.price) / crossing.level.price
    crossing.armed = crossing.armed or overshoot >= crossing.least


class Reversal(msgspec.Struct, frozen=True):
    """What was measured when a crossing reversed; `unknown` names missing conditions."""

    overshoot: float
    returned: float
    wick: float
    taker: float
    fuel: float
    oi_change: float | None
    unknown: dict[str, str]


def _judge(
    crossing: Crossing,
    direction: Direction,
    price: float,
    day: ForcedDay,
    moment: Moment,
    params: AlertParams,
) -> Reversal | None:
    """The reversal at this price, if every condition holds."""
    sign = 1 if direction == "up" else -1
    beyond = sign * (crossing.extreme - crossing.level.price)
    returned = sign * (crossing.extreme - price) / beyond
    full = sign * (crossing.extreme - crossing.back)
    body = max(sign * crossing.open, sign * price)
    wick = (sign * crossing.extreme - body) / full
    if returned < params.sweep_back or wick < params.sweep_wick:
        return None
    lasted = max(params.sweep_least_s, moment.second - crossing.second + 1)
    taker = crossing.taker / lasted / crossing.usual
    if taker < params.sweep_taker:
        return None
    unknown: dict[str, str] = {}
    margins: list[float] = []
    least = day.quantile(SWEPT[direction], params.sweep_forced_quantile, params.sweep_least_slots)
    if least is None:
        unknown["forced_percentile"] = "history_below_12_h"
    elif crossing.forced > 0 and crossing.forced >= least:
        margins.append(min(10.0, crossing.forced / max(1, least)))
    interest = moment.oi_volume
    change = interest / crossing.oi - 1 if interest is not None and crossing.oi else None
    if change is None:
        unknown["oi_change"] = "no_open_interest"
    elif change <= -params.sweep_oi_drop:
        margins.append(-change / params.sweep_oi_drop)
    if not margins:
        return None
    overshoot = beyond / crossing.level.price
    return Reversal(overshoot, returned, wick, taker, max(margins), change, unknown)


def _row(
    crossing: Crossing,
    direction: Direction,
    found: Reversal,
    calendar: Calendar,
    moment: Moment,
    readings: Readings,
    params: AlertParams,
    origin: Origin,
) -> Alert:
    unknown = dict(found.unknown)
    if not calendar.seen:
        unknown["event"] = "no_event_series"
    margins = (
        found.overshoot / crossing.least,
        found.returned / params.sweep_back,
        found.wick / params.sweep_wick,
        found.taker / params.sweep_taker,
        found.fuel,
    )
    level, side = crossing.level, SWEPT[direction]
    name = {
        "extreme": "60-minute high" if direction == "up" else "60-minute low",
        "round": "round number",
        "zone": "liquidation zone at",
    }[level.kind]
    windows = [one.id for one in readings.open_cascades() if one.side in (side, "mixed")]
    lasted = moment.second - crossing.second
    overshoot_bp = found.overshoot * 10_000
    return alert(
        origin,
        Fact(
            "sweep_reversal",
            moment.second,
            (direction, level.kind, level.price, crossing.second),
            moment.coverage,
        ),
        "info",
        score(margins, len(unknown), params.unknown_penalty),
        f"{origin.scope} swept the {name} {level.price:.10g} by {overshoot_bp:.1f} bp"
        f" and came back within {span(lasted)}: taker volume {found.taker:.1f}x the ordinary,"
        f" {dollars(crossing.forced)} of {positions(side)} closed by force.",
        {
            "level": level.price,
            "extreme": crossing.extreme,
            "overshoot_bp": overshoot_bp,
            "returned": found.returned,
            "wick": found.wick,
            "taker_ratio": found.taker,
            "forced_usd": crossing.forced / MICROS,
            "oi_change": found.oi_change,
            "duration_s": float(lasted),
        },
        side=side,
        group=windows[0] if windows else None,
        evidence=tuple(one for one in (level.evidence, *windows) if one),
        cooldown_s=params.sweep_cooldown_s,
        unknown=unknown,
    )
