"""Alert `unexplained_volatility` (definition 1.8): prices move, outside markets do not.

    z of realised variance over 5 min >= 4, share of outside markets < 10 %, no scheduled event
    within 15 min; cause: positioning if forced flow explains 40 %, liquidity if depth <= 0.4 x
    ordinary, unexplained if neither

Promises one alert an episode (until z < 2, and the cooldown), silence without a z, a null cause
where an input of the cause is missing; a missing share of outside markets is named in `unknown`.
"""

from collections.abc import Iterator

import msgspec

from streams.core.detectors.alerts.calendar import Calendar
from streams.core.detectors.alerts.liquidity import reference_band
from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.alerts.rows import Fact, alert
from streams.core.detectors.alerts.text import score
from streams.core.detectors.minutes import Minute
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import Origin
from streams.core.events import MICROS
from streams.core.results import Alert, Liquidity, Volatility
from streams.core.results.alerts import AlertCause

WINDOW_S = 300


class Episode(msgspec.Struct):
    """Whether an episode was told and is not over, and the cooldown (s)."""

    told: bool = False
    until: int = 0


def unexplained(
    episode: Episode,
    calendar: Calendar,
    minute: Minute,
    readings: Readings,
    params: AlertParams,
    origin: Origin,
) -> Iterator[Alert]:
    """The alert of a minute, if its episode has not been told."""
    row = readings.last(Volatility, WINDOW_S)
    now = minute.end
    if row is None or row.realised_z is None or row.at != now * MICROS:
        return
    if row.realised_z < params.volatility_rearm_z:
        episode.told = False
    if row.realised_z < params.volatility_z or episode.told or now < episode.until:
        return
    if row.macro is not None and row.macro >= params.volatility_macro:
        return
    if calendar.near(now, params.volatility_event_s):
        return
    episode.told, episode.until = True, now + params.volatility_cooldown_s
    yield _row(row, calendar, minute, readings, params, origin)


def _depth(minute: Minute, readings: Readings) -> tuple[float | None, str, str]:
    """(depth over ordinary, why it is not known, id of the row that says so)."""
    row = readings.last(Liquidity)
    if row is None or row.at != minute.end * MICROS:
        return None, "no_reading", ""
    band = reference_band(row.depth_ratio)
    if band is None:
        return None, row.null_reasons.get("depth_ratio", "no_book"), ""
    return row.depth_ratio[band], "", row.id


def _cause(
    forced: float | None, depth: float | None, why: str, row: Volatility, params: AlertParams
) -> tuple[AlertCause | None, dict[str, str]]:
    """The cause, or why it cannot be told: a cause is excluded only by what is known."""
    if forced is not None and forced >= params.volatility_forced:
        return "positioning", {}
    if forced is None:
        return None, {"cause": row.null_reasons.get("forced", "no_reading")}
    if depth is None:
        return None, {"cause": why}
    return ("liquidity" if depth <= params.volatility_depth else "unexplained"), {}


def _row(
    row: Volatility,
    calendar: Calendar,
    minute: Minute,
    readings: Readings,
    params: AlertParams,
    origin: Origin,
) -> Alert:
    z = row.realised_z or 0.0
    unknown: dict[str, str] = {}
    if row.macro is None:
        unknown["macro"] = row.null_reasons.get("macro", "no_reading")
    if not calendar.seen:
        unknown["event"] = "no_event_series"
    depth, why, evidence = _depth(minute, readings)
    cause, reasons = _cause(row.forced, depth, why, row, params)
    # With a macro share of nothing the margin is as large as the share's own threshold allows.
    macro = params.volatility_macro / max(row.macro or 0.0, params.volatility_macro / 10)
    margins = [z / params.volatility_z, *([] if row.macro is None else [macro])]
    because = {
        "positioning": f"forced flow explains {row.forced or 0.0:.0%} of it",
        "liquidity": f"the book is thin, at {depth or 0.0:.2f}x its ordinary depth",
        "unexplained": "neither forced flow nor a thin book explains it",
        None: "its cause cannot be told",
    }[cause]
    yearly = "" if row.annualised is None else f", {row.annualised:.0%} a year"
    outside = "are not known" if row.macro is None else f"explain {row.macro:.0%}"
    return alert(
        origin,
        Fact("unexplained_volatility", minute.end, (minute.end,), minute.coverage),
        "warning",
        score(margins, len(unknown), params.unknown_penalty),
        f"{origin.scope}: volatility over 5 minutes is {z:.1f} standard deviations above the"
        f" ordinary{yearly}; outside markets {outside}, {because}.",
        {
            "realised_z": z,
            "annualised": row.annualised,
            "macro": row.macro,
            "forced": row.forced,
            "depth_ratio": depth,
        },
        cause=cause,
        evidence=(row.id, evidence) if evidence else (row.id,),
        cooldown_s=params.volatility_cooldown_s,
        unknown=unknown,
        null_reasons=reasons,
    )
