"""Which offsets may be committed: everything before the first record that is not yet safe.

A pure state machine beside the data path, used by the sink. Records are appended in ranges as
they are read; a range is held by every destination that must still acknowledge it (a table, the
dead letters). Promises that a committable offset never passes a held record, never moves back,
and reaches the end once all is acknowledged. Does not read, write or commit anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

Partition = tuple[str, int]
"""Topic and partition number."""


@dataclass(frozen=True, slots=True)
class Span:
    """Records `first`..`last` (offsets, both included) of one partition."""

    partition: Partition
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Line:
    """One partition: spans still held in order of offset, and three offsets, each the next one."""

    held: tuple[tuple[Span, frozenset[str]], ...]
    committed: int
    safe_to: int
    read_to: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """All partitions of one consumer; every method returns a new value.

    >>> part = ("frames.v1", 0)
    >>> state = Delivery().append(Span(part, 5, 9), {"frames"})
    >>> state = state.append(Span(part, 10, 12), {"frames"})
    >>> state.acknowledge(Span(part, 10, 12), "frames").committable()
    {}
    >>> state.acknowledge(Span(part, 5, 9), "frames").committable()
    {('frames.v1', 0): 10}
    """

    _lines: Mapping[Partition, _Line] = field(default_factory=dict)

    def append(self, span: Span, holders: Iterable[str]) -> "Delivery":
        """Records were read; `holders` must acknowledge them (none: they are safe at once).

        Raises:
            ValueError: an empty span, or one that does not lie after all that was read before.
        """
        start = _Line((), span.first, span.first, span.first)
        line = self._lines.get(span.partition, start)
        if span.last < span.first:
            raise ValueError(f"{span} holds no record")
        if span.first < line.read_to:
            raise ValueError(f"{span} was read before: {line.read_to} is the next offset")
        held = (*line.held, (span, frozenset(holders)))
        return self._with(span.partition, _release(replace(line, held=held, read_to=span.last + 1)))

    def acknowledge(self, span: Span, holder: str) -> "Delivery":
        """`holder` has the records of `span` for good.

        A span of a partition that was given up, or that this holder acknowledged before, is
        ignored: an insert may end after a rebalance.
        """
        line = self._lines.get(span.partition)
        if line is None:
            return self
        held = tuple(
            (other, holders - {holder} if other == span else holders)
            for other, holders in line.held
        )
        return self._with(span.partition, _release(replace(line, held=held)))

    def give_up(self, partitions: Iterable[Partition]) -> "Delivery":
        """The partitions belong to somebody else now: forget what was read of them."""
        gone = set(partitions)
        return Delivery({key: line for key, line in self._lines.items() if key not in gone})

    def committable(self) -> dict[Partition, int]:
        """Next offset by partition, where it is beyond what was committed."""
        return {
            key: line.safe_to for key, line in self._lines.items() if line.safe_to > line.committed
        }

    def committed(self, offsets: Mapping[Partition, int]) -> "Delivery":
        """The broker has acknowledged the commit of `offsets`."""
        return Delivery(
            {
                key: replace(line, committed=offsets[key]) if key in offsets else line
                for key, line in self._lines.items()
            }
        )

    def held(self) -> int:
        """Spans that wait for an acknowledgement."""
        return sum(len(line.held) for line in self._lines.values())

    def _with(self, partition: Partition, line: _Line) -> "Delivery":
        return Delivery({**self._lines, partition: line})


def _release(line: _Line) -> _Line:
    """Drop the acknowledged spans at the front and move `safe_to` behind them."""
    done = 0
    safe_to = line.safe_to
    for span, holders in line.held:
        if holders:
            break
        done += 1
        safe_to = span.last + 1
    return replace(line, held=line.held[done:], safe_to=safe_to) if done else line
