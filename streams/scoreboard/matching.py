"""Which detected span answers which true event: the step between rules and metrics.

Promises a one-to-one assignment within each scope with as many pairs as there can be; among these
the fewest wrong sides, then the least sum of onset distances. It matches by time alone, so that a
right time with a wrong side is one wrong side and not a miss plus a false alarm. It does not look
at `detected_at`: a late detection is a pair with a long delay.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from streams.scoreboard.spans import Event, Span


class MatchRule(msgspec.Struct, frozen=True):
    """When a span may answer an event of its scope.

    Onsets at most `onset_s` seconds apart, or intervals whose intersection is at least `overlap` of
    their union.
    """

    onset_s: int = 60
    overlap: float = 0.3


RULE: Final = MatchRule()


class Pair(msgspec.Struct, frozen=True):
    """An event and the span that answers it.

    `side_right`: the span names the event's side; `mixed` is right only where true events of both
    sides overlap the span.
    """

    event: Event
    span: Span
    side_right: bool


class Matched(msgspec.Struct, frozen=True):
    """Every event stands in `pairs` or `missed`, every span in `pairs` or `false`, once.

    `pairs` and `missed` are in order of the events' onset, `false` of the spans'.
    """

    pairs: tuple[Pair, ...]
    missed: tuple[Event, ...]
    false: tuple[Span, ...]


def overlap(event: Event, span: Span) -> float:
    """Intersection over union of the two intervals in seconds, both ends included; 0..1."""
    both = min(event.end, span.end) - max(event.onset, span.onset) + 1
    if both <= 0:
        return 0.0
    return both / (event.end - event.onset + span.end - span.onset + 2 - both)


def answers(event: Event, span: Span, rule: MatchRule = RULE) -> bool:
    """Whether the span may be matched with the event."""
    if event.scope != span.scope:
        return False
    near = abs(event.onset - span.onset) <= rule.onset_s
    return near or overlap(event, span) >= rule.overlap


def match(events: Sequence[Event], spans: Sequence[Span], rule: MatchRule = RULE) -> Matched:
    """Match the events of one case with the spans of one rule, scope by scope.

    A `mixed` span is one span: over two true events it answers one and the other is missed. The
    order in which events and spans are given does not matter, unless two of them tie in everything.
    """
    pairs: list[Pair] = []
    missed: list[Event] = []
    false: list[Span] = []
    true_of: defaultdict[str, list[Event]] = defaultdict(list)
    said_of: defaultdict[str, list[Span]] = defaultdict(list)
    for event in sorted(events, key=lambda one: (one.onset, one.end, one.side)):
        true_of[event.scope].append(event)
    for span in sorted(spans, key=lambda one: (one.onset, one.end, one.side, one.detected_at)):
        said_of[span.scope].append(span)
    for scope in sorted(true_of.keys() | said_of.keys()):
        true, said = true_of[scope], said_of[scope]
        chosen = assign(_costs(true, said, rule))
        pairs += [
            Pair(true[row], said[column], _side_right(true[row], said[column], true))
            for row, column in chosen.items()
        ]
        missed += [event for row, event in enumerate(true) if row not in chosen]
        answered = set(chosen.values())
        false += [span for column, span in enumerate(said) if column not in answered]
    return Matched(
        tuple(sorted(pairs, key=lambda one: (one.event.onset, one.event.scope, one.event.side))),
        tuple(sorted(missed, key=lambda one: (one.onset, one.scope, one.side))),
        tuple(sorted(false, key=lambda one: (one.onset, one.scope, one.side))),
    )


def assign(costs: Mapping[tuple[int, int], int]) -> dict[int, int]:
    """Row to column: as many pairs as the given cells allow, of these the least sum of costs.

    Successive shortest augmenting paths (Busacker and Gowen 1960), Bellman-Ford on the residual
    graph: for a few hundred cells. Costs are whole and not negative; a missing cell is forbidden.
    """
    cells: defaultdict[int, list[int]] = defaultdict(list)
    for row, column in sorted(costs):
        cells[row].append(column)
    column_of: dict[int, int] = {}
    row_of: dict[int, int] = {}
    while path := _cheapest_path(costs, cells, column_of, row_of):
        for row, column in path:
            column_of[row] = column
            row_of[column] = row
    return dict(sorted(column_of.items()))


def _cheapest_path(
    costs: Mapping[tuple[int, int], int],
    cells: Mapping[int, list[int]],
    column_of: Mapping[int, int],
    row_of: Mapping[int, int],
) -> list[tuple[int, int]]:
    """New cells of the cheapest path from a free row to a free column; empty if there is none."""
    reach = {row: 0 for row in cells if row not in column_of}
    cheapest: dict[int, int] = {}
    came_from: dict[int, int] = {}
    queue = list(reach)
    while queue:
        later: dict[int, None] = {}
        for row in queue:
            for column in cells[row]:
                total = reach[row] + costs[row, column]
                if column_of.get(row) == column or cheapest.get(column, total + 1) <= total:
                    continue
                cheapest[column], came_from[column] = total, row
                holder = row_of.get(column)
                if holder is not None:
                    reach[holder] = total - costs[holder, column]
                    later[holder] = None
        queue = list(later)
    free = [column for column in cheapest if column not in row_of]
    if not free:
        return []
    path: list[tuple[int, int]] = []
    step: int | None = min(free, key=lambda one: (cheapest[one], one))
    while step is not None:
        row = came_from[step]
        path.append((row, step))
        step = column_of.get(row)
    return path


def _costs(
    events: Sequence[Event], spans: Sequence[Span], rule: MatchRule
) -> dict[tuple[int, int], int]:
    """Cells that may be matched; one wrong side outweighs every onset distance of the scope."""
    distances = {
        (row, column): abs(event.onset - span.onset)
        for row, event in enumerate(events)
        for column, span in enumerate(spans)
        if answers(event, span, rule)
    }
    wrong = 1 + sum(distances.values())
    return {
        (row, column): distance + (0 if _side_right(events[row], spans[column], events) else wrong)
        for (row, column), distance in distances.items()
    }


def _side_right(event: Event, span: Span, events: Sequence[Event]) -> bool:
    if span.side != "mixed":
        return span.side == event.side
    sides = {one.side for one in events if one.onset <= span.end and span.onset <= one.end}
    return len(sides) == 2
