"""Alerts of a cascade's life: watch, alert, updates, end (definition 1.8).

    watch   a side's statistic is past the early tier, once for each excursion
    alert   a window has become of class cascade
    update  its severity rose, or its observed dollars doubled since they were last told
    end     it has closed

Promises one group for a story, at most `update_most` updates, and silence about windows that
never qualify, save their watch.
"""

from collections.abc import Iterator

import msgspec

from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.alerts.rows import Fact, alert
from streams.core.detectors.alerts.text import clock, dollars, positions, span
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Early, Readings
from streams.core.detectors.signal import Origin
from streams.core.events import MICROS, PositionSide, stable_id
from streams.core.results import Alert, CascadeWindow
from streams.core.results.alerts import AlertSeverity

GRAVE = ("major", "extreme")
RANKS = {None: 0, "minor": 1, "moderate": 2, "major": 3, "extreme": 4}


class Watch(msgspec.Struct):
    """The last watch of a side: onset of the excursion and when it was told (s), its story."""

    onset: int
    at: int
    group: str


class Told(msgspec.Struct):
    """A window that is not final: its story, and what has been told of it last, at `at` (s).

    `closed_at` (µs): a cascade that is detected then has flared inside this window.
    """

    group: str
    alerted: bool = False
    ended: bool = False
    at: int = 0
    rank: int = 0
    usd: int = 0
    updates: int = 0
    closed_at: int | None = None


class Stories(msgspec.Struct):
    """Watches by side and windows by id."""

    watches: dict[str, Watch] = {}
    windows: dict[str, Told] = {}


def watch(
    stories: Stories, moment: Moment, readings: Readings, params: AlertParams, origin: Origin
) -> Iterator[Alert]:
    """Watches that are due in a second."""
    for early in readings.early:
        group = _unwatched(stories, early, moment.second, readings, params, origin)
        if group is None:
            continue
        stories.watches[early.side] = Watch(early.onset, moment.second, group)
        active = {asset for asset, side, _ in moment.onsets if side == early.side}
        facts = {
            "level": early.level,
            "onset": float(early.onset),
            "assets_active": float(len(active)) if active else None,
        }
        among = f" in {len(active)} asset{'s' * (len(active) > 1)}" if active else ""
        yield alert(
            origin,
            Fact("cascade_watch", moment.second, (early.side, early.onset), moment.coverage),
            "info",
            round(early.level, 4),
            f"{origin.scope}: forced closing of {positions(early.side)}{among} is far above its"
            f" ordinary rate since {clock(early.onset)}, at {early.level:.0%} of the alarm level.",
            facts,
            side=early.side,
            group=group,
            cooldown_s=params.watch_cooldown_s,
        )


def _unwatched(
    stories: Stories,
    early: Early,
    now: int,
    readings: Readings,
    params: AlertParams,
    origin: Origin,
) -> str | None:
    """The story of an excursion that has not been told yet; None when there is nothing to tell."""
    last = stories.watches.get(early.side)
    if last is not None and (last.onset == early.onset or now < last.at + params.watch_cooldown_s):
        return None
    for window in readings.open_cascades():
        if window.side in (early.side, "mixed"):
            told = stories.windows.get(window.id)
            if told is None:
                return window.id
            known = {one.group for one in stories.watches.values()}
            return None if told.alerted or told.group in known else told.group
    return stable_id("story", origin.scope, early.side, early.onset)


def follow(
    stories: Stories, window: CascadeWindow, params: AlertParams, origin: Origin
) -> Iterator[Alert]:
    """Alerts that a window's new revision gives."""
    told = stories.windows.get(window.id)
    if told is None:
        told = stories.windows[window.id] = Told(_story(stories, window))
    told.closed_at = window.closed_at
    now = window.watermark // MICROS
    rank = RANKS[window.severity]
    if window.window_class == "cascade" and not told.ended:
        if not told.alerted:
            told.alerted = True
            yield _alert(window, now, told, _burst(stories, window) is not None, origin)
        elif window.closed_at is None and _moved(told, window, rank, now, params):
            told.updates += 1
            yield _update(window, now, told, origin)
        if window.closed_at is not None:
            told.ended = True
            yield _end(window, now, told, origin)
    if window.is_final:
        del stories.windows[window.id]


def _burst(stories: Stories, window: CascadeWindow) -> Told | None:
    """The burst inside which a cascade flared."""
    burst = None if window.parent_id is None else stories.windows.get(window.parent_id)
    return burst if burst is not None and burst.closed_at == window.detected_at else None


def _story(stories: Stories, window: CascadeWindow) -> str:
    """The group of the burst that it flared in, or of the watch that came between the window's
    onset and its alarm; else its id.
    """
    burst = _burst(stories, window)
    if burst is not None:
        return burst.group
    onset, detected = window.onset // MICROS, window.detected_at // MICROS
    for side in sorted(stories.watches):
        last = stories.watches[side]
        if window.side in (side, "mixed") and onset <= last.at <= detected:
            return last.group
    return window.id


def _moved(told: Told, window: CascadeWindow, rank: int, now: int, params: AlertParams) -> bool:
    if told.updates >= params.update_most or now < told.at + params.update_least_s:
        return False
    return rank > told.rank or window.usd_observed >= params.update_factor * told.usd


def _side(window: CascadeWindow) -> PositionSide | None:
    return None if window.side == "mixed" else window.side


def _tell(told: Told, window: CascadeWindow, now: int) -> dict[str, float | None]:
    """Note what is told of a window, and give its figures."""
    told.at, told.usd = now, window.usd_observed
    told.rank = max(told.rank, RANKS[window.severity])
    estimated = window.usd_estimated
    return {
        "usd_observed": window.usd_observed / MICROS,
        "usd_estimated": None if estimated is None else estimated / MICROS,
        "events": float(window.events),
        "impact_bp": window.impact_bp,
        "oi_share": window.oi_share,
        "breadth": window.breadth,
        "confidence": window.confidence,
        "duration_s": window.duration_s,
    }


def _weight(window: CascadeWindow) -> AlertSeverity:
    return "critical" if window.severity in GRAVE else "warning"


def _body(window: CascadeWindow, now: int) -> str:
    """Dollars, duration, price and severity of a window."""
    until = window.end if window.end is not None else now * MICROS
    lasted = max(1, (until - window.onset) // MICROS)
    text = f"{dollars(window.usd_observed)} closed by force in {span(lasted)}"
    if window.impact_bp is not None:
        text += f", price {window.impact_bp:+.0f} bp"
    if window.severity is not None and window.oi_share is not None:
        text += f", {window.severity} ({window.oi_share:.2%} of open interest)"
    return text


def _alert(window: CascadeWindow, now: int, told: Told, flared: bool, origin: Origin) -> Alert:
    gates = {
        f"gate_{name}": "input_missing"
        for name, gate in window.gates.items()
        if gate.state == "unknown"
    }
    again = "" if window.parent_id is None or flared else " (aftershock)"
    return alert(
        origin,
        Fact("cascade_alert", now, (window.id,), window.coverage),
        _weight(window),
        round(window.confidence, 4),
        f"{origin.scope}: cascade of {positions(_side(window))}{again}: {_body(window, now)}.",
        _tell(told, window, now),
        side=_side(window),
        group=told.group,
        evidence=(window.id,) if window.parent_id is None else (window.id, window.parent_id),
        unknown=gates,
    )


def _update(window: CascadeWindow, now: int, told: Told, origin: Origin) -> Alert:
    grew = window.usd_observed / max(1, told.usd)
    worse = RANKS[window.severity] > told.rank
    why = f"now {window.severity}" if worse else f"grown {grew:.1f}x"
    return alert(
        origin,
        Fact("cascade_update", now, (window.id, told.updates), window.coverage),
        _weight(window),
        round(window.confidence, 4),
        f"{origin.scope}: cascade of {positions(_side(window))} {why}: {_body(window, now)}.",
        _tell(told, window, now),
        side=_side(window),
        group=told.group,
        evidence=(window.id,),
    )


def _end(window: CascadeWindow, now: int, told: Told, origin: Origin) -> Alert:
    return alert(
        origin,
        Fact("cascade_end", now, (window.id,), window.coverage),
        "info",
        round(window.confidence, 4),
        f"{origin.scope}: cascade of {positions(_side(window))} has ended: {_body(window, now)}.",
        _tell(told, window, now),
        side=_side(window),
        group=told.group,
        evidence=(window.id,),
    )
