"""What readers of our rows get on a run: when they are told, of how many dollars, how surely.

Beside `judging`, which compares rules on data alone: here every detector runs, as live, and delays
count to the receipt time at which a row leaves the detectors (Kafka and the sink come on top).
Promises to compare a window's figures with the true event that it matches and with no other.
"""

from collections.abc import Sequence, Set
from pathlib import Path
from typing import Literal

import msgspec

from streams.core.detectors.moment import Moment
from streams.core.events import MICROS
from streams.core.params import Params
from streams.core.results import Alert, CascadeWindow
from streams.scoreboard.estimates import Estimate
from streams.scoreboard.framed import MARK
from streams.scoreboard.heard import Heard, hear
from streams.scoreboard.keeping import code, kept
from streams.scoreboard.matching import Pair, match
from streams.scoreboard.moments import Moments
from streams.scoreboard.moves import Moves, Prices, moves
from streams.scoreboard.spans import ALL, Event, Span
from streams.scoreboard.sweeps import span_of

Scope = Literal["ALL", "assets"]


class Window(msgspec.Struct, frozen=True):
    """A matched window beside its event. `published_s`: from the true onset to publication.

    `usd` with the ends of our 80 % interval. The true excess share stands with the ends of our
    bracket in `excess` and with those of the Hawkes fits in `hawkes`; the true amplification with
    ours in `amplification` and with the move over what the book predicts in `against_book`.
    """

    scope: str
    published_s: float
    identifiability: str
    usd: Estimate
    excess: Estimate | None
    hawkes: Estimate | None
    amplification: Estimate | None
    against_book: Estimate | None


class Page(msgspec.Struct, frozen=True):
    """A story of alerts: its kind, the worst severity told, where, and whether it was of a flush.

    `true`: of a cascade, that a window behind it answers a true flush of its side, one to one; of
    other kinds, that it came during a flush of its scope or up to five minutes after it.
    `within`: an asset's story while a cascade of `ALL` was told, which takes on its severity.
    """

    kind: str
    severity: str
    scope: str
    at: int
    within: bool
    true: bool


class Skill(msgspec.Struct, frozen=True):
    """What the last map of liquidation prices of a scope says of itself; None: no hour scored."""

    scope: str
    scored: int
    hidden: bool
    skill: float | None
    auc: float | None


class Told(msgspec.Struct, frozen=True):
    """One run: what its readers were told."""

    name: str
    family: str
    steady: bool
    asset_days: float
    days: float
    windows: tuple[Window, ...]
    moves: dict[Scope, Moves]
    pages: tuple[Page, ...]
    zones: tuple[Skill, ...]


_OWN = ("estimates", "heard", "matching", "moments", "moves", "spans", "sweeps", "telling")
CODE = ("core", "engines/inprocess.py", *(f"scoreboard/{name}.py" for name in _OWN))
"""Code whose change makes this stale."""


def told(folder: Path) -> Told:
    """Run every detector over a finished run and compare with the truth; kept in its folder."""
    mark = f"{(folder / MARK).read_text()} {code(CODE)} {Params().hash()}"
    return kept(folder / "told.msgpack.zst", mark, Told, lambda: _told(folder))


def _told(folder: Path) -> Told:
    heard = hear(folder)
    case = heard.case
    rows = {row.id: row for row in heard.windows if row.id in heard.qualified}
    spans = {key: span_of(row, heard.qualified[key]) for key, row in rows.items()}
    published = {key: _published(span, heard.qualified[key]) for key, span in spans.items()}
    pairs = match(case.events, list(published.values())).pairs
    by_span = {id(span): key for key, span in published.items()}
    windows = tuple(_window(pair, rows[by_span[id(pair.span)]]) for pair in pairs)
    prices = {
        scope: _prices(known, case.begin, case.end)
        for scope, known in Moments.of(folder).by_scope.items()
    }
    found = {scope: one for scope, one in prices.items() if one is not None}
    return Told(
        case.name,
        case.family,
        case.steady,
        case.asset_days,
        (case.end - case.begin) / 86_400,
        windows,
        {
            "ALL": moves(case, [p for p in pairs if p.event.scope == ALL], found),
            "assets": moves(case, [p for p in pairs if p.event.scope != ALL], found),
        },
        tuple(_pages(heard, {by_span[id(one.span)] for one in pairs if one.side_right})),
        tuple(
            Skill(scope, one.n_scored, one.hidden, one.skill, one.auc)
            for scope, one in sorted(heard.zones.items())
        ),
    )


def _published(span: Span, at_us: int) -> Span:
    """The span with its publication in place of its detection."""
    return msgspec.structs.replace(span, detected_at=-(-at_us // MICROS))


def _window(pair: Pair, row: CascadeWindow) -> Window:
    event = pair.event
    usd = row.usd_observed if row.usd_estimated is None else row.usd_estimated
    return Window(
        event.scope,
        pair.span.detected_at - event.onset,
        row.identifiability,
        Estimate(event.usd, usd / MICROS, _dollars(row.usd_low), _dollars(row.usd_high)),
        _bracket(event.excess_share, row.excess_low, row.excess_high),
        _bracket(event.excess_share, row.branching_low, row.branching_high),
        _point(event.amplification, row.amplification),
        _point(event.amplification, row.amplification_book),
    )


def _bracket(truth: float | None, low: float | None, high: float | None) -> Estimate | None:
    """A negative excess (deleveraging closed what the fork still calls) called nothing forth."""
    return None if truth is None or low is None else Estimate(max(0.0, truth), None, low, high)


def _point(truth: float | None, ours: float | None) -> Estimate | None:
    return None if truth is None or ours is None else Estimate(truth, ours)


def _dollars(usd: int | None) -> float | None:
    return None if usd is None else usd / MICROS


def _prices(known: Sequence[Moment], begin: int, end: int) -> Prices | None:
    """The reference price of every second, the last known carried on; None without any."""
    values: list[float] = []
    first = next((one.price for one in known if one.price is not None), None)
    if first is None:
        return None
    last, at = first, begin
    for one in known:
        if one.price is None or one.second >= end:
            continue
        while at < one.second:
            values.append(last)
            at += 1
        last = one.price
    values += [last] * (end - at)
    return Prices(begin, 1, values)


_RANKS = {"info": 0, "warning": 1, "critical": 2}
_CASCADE = ("cascade_alert", "cascade_update", "cascade_end")
"""Kinds of a story that assets' stories of the same time belong to."""


def _pages(heard: Heard, right: Set[str]) -> list[Page]:
    """Stories that were told as a warning or worse; several alerts of a story are one.

    `right`: ids of the windows that answer a true flush.
    """
    stories: dict[str, list[Alert]] = {}
    for alert in heard.alerts:
        if alert.at >= heard.case.end * MICROS:
            # The log is over: that its feeds fall silent is no news.
            continue
        stories.setdefault(alert.group, []).append(alert)
    loud = [story for story in stories.values() if any(_RANKS[one.severity] for one in story)]
    events = heard.case.events
    market = [_page(story, events, right, False) for story in loud if _of_market(story)]
    spans = [(story[0].at, story[-1].at) for story in loud if _of_market(story)]
    pages: list[Page] = []
    for story in loud:
        if _of_market(story):
            continue
        at = next(one.at for one in story if _RANKS[one.severity])
        around = [
            row
            for row, (begin, end) in enumerate(spans)
            if story[0].scope != ALL and begin - 60 * MICROS <= at <= end + 60 * MICROS
        ]
        page = _page(story, events, right, bool(around))
        for row in around:
            worst = max(market[row].severity, page.severity, key=_RANKS.__getitem__)
            market[row] = msgspec.structs.replace(market[row], severity=worst)
        pages.append(page)
    return sorted(market + pages, key=lambda one: (one.at, one.scope, one.kind))


def _of_market(story: Sequence[Alert]) -> bool:
    return story[0].scope == ALL and any(one.kind in _CASCADE for one in story)


def _page(story: Sequence[Alert], events: Sequence[Event], right: Set[str], within: bool) -> Page:
    """A story that was told as a warning or worse at least once."""
    told_at = [one for one in story if _RANKS[one.severity]]
    worst = max(told_at, key=lambda one: _RANKS[one.severity])
    at = told_at[0].at // MICROS
    if any(one.kind in _CASCADE for one in story):
        # An aftershock names its parent next.
        flush = any(one.evidence[0] in right for one in story if one.evidence)
    else:
        flush = any(_near(event, worst.scope, at) for event in events)
    return Page(worst.kind, worst.severity, worst.scope, at, within, flush)


def _near(event: Event, scope: str, at: int) -> bool:
    """Whether an alert came during an event of its scope or up to five minutes after it."""
    return event.scope == scope and event.onset - 60 <= at <= event.end + 300
