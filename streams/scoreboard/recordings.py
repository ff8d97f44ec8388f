"""Our detector on real recordings, held against the labels of `recorded`: counts, no ranking.

Runs the in-process engine over each recording as `marginquake replay` does and gives cases and
spans in the scoreboard's form, a case for each stretch in which the recorder ran. Promises windows
of either class (without prices and open interest most gates are unknown, so class says little).
The count priors of `cascade` were measured on these same recordings: they are no held-out data.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from streams.contracts import partition_for
from streams.core.events import MICROS
from streams.core.params import Params
from streams.core.results import CascadeWindow
from streams.edges.archives import lines
from streams.engines.inprocess import InProcess
from streams.parsing import parsers
from streams.scoreboard.matching import Pair, answers, match
from streams.scoreboard.quantiles import median
from streams.scoreboard.recorded import SUFFIX, Label, LabelFile, recordings
from streams.scoreboard.spans import ALL, Case, Event, Order, Span
from streams.venues.catalog import default_instruments

FAMILY: Final = "recordings"
LEAST_S: Final = 60
"""A shorter stretch is no case: no minute of it is whole."""

Recorded = tuple[Case, list[Span]]


class RecordedCounts(msgspec.Struct, frozen=True):
    """How a rule's spans lie to the labels, of the market's scope or of all assets.

    `found` of `events` are matched one to one, `side_right` of them with their side. The other
    spans: `again` answer an event that has its span already, `near` a near miss of the labels,
    `elsewhere` nothing. Medians of those found, seconds: `delay_s` from the label's onset to
    `detected_at`, `onset_s` and `end_s` from the label's to the span's (below zero: early).
    """

    rule: str
    scope: Literal["ALL", "assets"]
    events: int
    found: int
    side_right: int
    spans: int
    again: int
    near: int
    elsewhere: int
    delay_s: float | None
    onset_s: float | None
    end_s: float | None


def recorded_cases(
    folder: Path,
    labels: LabelFile,
    params: Params | None = None,
    names: Collection[str] = (),
    progress: Callable[[str], None] = lambda name: None,
) -> list[Recorded]:
    """Every stretch of the folder's recordings as a case, with the spans of our windows.

    Args:
        folder: of the recordings.
        labels: of the same recordings.
        params: of the detectors.
        names: only these recordings; all when empty.
        progress: told each recording before it is run.

    Raises:
        MarginquakeError: the folder holds no recording, or one cannot be read.
    """
    made: list[Recorded] = []
    for path in recordings(folder):
        name = path.name.removesuffix(SUFFIX)
        if names and name not in names:
            continue
        progress(name)
        orders, spans = _run(path, params)
        for number, stretch in enumerate(s for s in labels.stretches if s.recording == name):
            if stretch.end - stretch.begin < LEAST_S:
                continue
            begin, end = stretch.begin, stretch.end
            own = tuple(one for one in orders if begin <= one.second < end)
            case = Case(
                f"{name}/{number}",
                FAMILY,
                begin,
                end,
                tuple(sorted({one.asset for one in own})),
                False,
                tuple(_event(one) for one in _labelled(labels, name, begin, end, "event")),
                own,
            )
            made.append((case, [one for one in spans if begin <= one.detected_at < end]))
    return made


def near_misses(labels: LabelFile, case: Case) -> tuple[Event, ...]:
    """The case's bursts that fell short of a label by less than a quarter."""
    name = case.name.rpartition("/")[0]
    return tuple(_event(one) for one in _labelled(labels, name, case.begin, case.end, "near"))


def bursts_apart(labels: LabelFile) -> int:
    """Labelled events, those that overlap in time (the market's and its assets') counted once."""
    apart = 0
    until: dict[str, int] = {}
    for one in sorted(labels.labels, key=lambda one: one.onset):
        if one.verdict == "event":
            apart += one.onset > until.get(one.recording, 0)
            until[one.recording] = max(one.end, until.get(one.recording, 0))
    return apart


def counted(
    rule: str, cases: Sequence[Recorded], labels: LabelFile
) -> tuple[RecordedCounts, RecordedCounts]:
    """What a rule's spans are worth, of the market's scope and of the assets'."""
    return _counted(rule, "ALL", cases, labels), _counted(rule, "assets", cases, labels)


def _counted(
    rule: str, scope: Literal["ALL", "assets"], cases: Sequence[Recorded], labels: LabelFile
) -> RecordedCounts:
    events = spans = again = near = elsewhere = 0
    pairs: list[Pair] = []
    for case, said in cases:
        wanted = [one for one in case.events if (one.scope == ALL) == (scope == "ALL")]
        misses = near_misses(labels, case)
        told = [one for one in said if (one.scope == ALL) == (scope == "ALL")]
        matched = match(wanted, told)
        events += len(wanted)
        spans += len(told)
        pairs += matched.pairs
        for span in matched.false:
            if any(_touches(event, span) for event in wanted):
                again += 1
            elif any(_touches(event, span) or answers(event, span) for event in misses):
                near += 1
            else:
                elsewhere += 1
    return RecordedCounts(
        rule,
        scope,
        events,
        len(pairs),
        sum(pair.side_right for pair in pairs),
        spans,
        again,
        near,
        elsewhere,
        median(pair.span.detected_at - pair.event.onset for pair in pairs),
        median(pair.span.onset - pair.event.onset for pair in pairs),
        median(pair.span.end - pair.event.end for pair in pairs),
    )


def _touches(event: Event, span: Span) -> bool:
    return (
        event.scope == span.scope
        and span.side in (event.side, "mixed")
        and event.onset <= span.end
        and span.onset <= event.end
    )


def _labelled(
    labels: LabelFile, recording: str, begin: int, end: int, verdict: Literal["event", "near"]
) -> list[Label]:
    return [
        one
        for one in labels.labels
        if one.recording == recording and one.verdict == verdict and begin <= one.onset < end
    ]


def _event(one: Label) -> Event:
    """A label as an event; its size class is not known, for want of open interest: 0."""
    return Event(one.scope, one.side, one.onset, one.end, float(one.usd), one.orders, 0.0)


def _run(path: Path, params: Params | None) -> tuple[list[Order], list[Span]]:
    """The published orders of a recording and the last row of each window."""
    instruments = default_instruments()
    engine = InProcess(parsers(), instruments, partition_for, params)
    for line in lines([path], parsers(), instruments):
        if line.bad is None:
            engine.feed(line.raw, line.source)
    batch = engine.flush()
    orders = [
        Order(
            one.event_time_us // MICROS, one.asset, one.venue, one.position_side, one.usd / MICROS
        )
        for one in batch.emission.liquidations
        if one.kind != "adl"
    ]
    last = {row.id: row for row in batch.results if isinstance(row, CascadeWindow)}
    spans = [_span(row) for row in last.values()]
    return (
        sorted(orders, key=lambda one: one.second),
        sorted(spans, key=lambda one: (one.detected_at, one.scope)),
    )


def _span(row: CascadeWindow) -> Span:
    end = row.detected_at if row.end is None else row.end
    usd = None if row.usd_estimated is None else row.usd_estimated / MICROS
    return Span(
        row.scope, row.side, row.onset // MICROS, row.detected_at // MICROS, end // MICROS, usd
    )
