"""Paths of labels: a said regime path against the true one.

A path is a sequence of steps in order of time; a label is in force from its step to the next one,
so hourly samples and changes alone mean the same. Promises that hours in which nothing was said
(None, or before the first step) count as wrong and not as absent. Knows no detector.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec

Step = tuple[int, str | None]
"""From this UNIX second on, this label; None: nothing is said."""

HOUR: int = 3_600
DAY: int = 86_400


class Confusion(msgspec.Struct, frozen=True):
    """Numbers of samples by (true, said)."""

    samples: tuple[tuple[str, str | None, int], ...] = ()

    def __add__(self, other: "Confusion") -> "Confusion":
        """The samples of both."""
        return pool_confusions((self, other))


def confusion(
    true: Sequence[Step], said: Sequence[Step], begin: int, end: int, step_s: int = HOUR
) -> Confusion:
    """Sample both paths at begin, begin + step_s, ... before end.

    Samples without a truth are left out.

    Raises:
        ValueError: a path is not in order of time.
    """
    true_at, said_at = _Reader(true), _Reader(said)
    found: Counter[tuple[str, str | None]] = Counter()
    for at in range(begin, end, step_s):
        if (label := true_at(at)) is not None:
            found[label, said_at(at)] += 1
    return _frozen(found)


def pool_confusions(parts: Iterable[Confusion]) -> Confusion:
    """The sum of confusions."""
    found: Counter[tuple[str, str | None]] = Counter()
    for part in parts:
        for true, said, number in part.samples:
            found[true, said] += number
    return _frozen(found)


def f1_by_label(of: Confusion) -> dict[str, float]:
    """F1 of every label that truly occurs, in order of name."""
    true: Counter[str] = Counter()
    said: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for label, answer, number in of.samples:
        true[label] += number
        if answer is not None:
            said[answer] += number
        if answer == label:
            right[label] += number
    return {label: 2 * right[label] / (true[label] + said[label]) for label in sorted(true)}


def macro_f1(of: Confusion) -> float | None:
    """Mean F1 of the labels that truly occur, each with the same weight; None without samples.

    A label that is said and never true lowers the F1 of those it was said for.
    """
    each = f1_by_label(of)
    return sum(each.values()) / len(each) if each else None


class Transition(msgspec.Struct, frozen=True):
    """A true change to `phase`; `delay_s` until it was said, None if never while it lasted."""

    phase: str
    delay_s: int | None


def transitions(
    true: Sequence[Step], said: Sequence[Step], begin: int, end: int
) -> tuple[Transition, ...]:
    """Every true change in (begin, end) and when the said path was first in the phase.

    The search ends where the true phase ends, or at `end`: a change shortly before it may be missed
    only for want of time. A phase that was being said when it began has a delay of 0.

    Raises:
        ValueError: a path is not in order of time.
    """
    said_at = _Reader(said)
    found: list[Transition] = []
    for entered, left, phase in _dwells(true, end):
        if phase is None or not begin < entered < end:
            continue
        if said_at(entered) == phase:
            found.append(Transition(phase, 0))
            continue
        later = (at for at, label in said if entered < at < left and label == phase)
        first = next(later, None)
        found.append(Transition(phase, None if first is None else first - entered))
    return tuple(found)


def flips_per_day(path: Sequence[Step], begin: int, end: int) -> float | None:
    """Changes from one label to another per day of [begin, end); None for an empty interval.

    Where nothing is said the last label is kept: a pause is no flip, coming back changed is one.
    """
    if end <= begin:
        return None
    labels = [label for _, _, label in _dwells(_within(path, begin, end), end) if label is not None]
    return sum(a != b for a, b in pairwise(labels)) * DAY / (end - begin)


class _Reader:
    """Looks a path up; None before its first step."""

    def __init__(self, path: Sequence[Step]) -> None:
        self._times = [at for at, _ in path]
        self._labels = [label for _, label in path]
        _check(self._times)

    def __call__(self, at: int) -> str | None:
        index = bisect_right(self._times, at) - 1
        return self._labels[index] if index >= 0 else None


def _within(path: Sequence[Step], begin: int, end: int) -> list[Step]:
    """The path from begin to end, opened by the label in force at begin."""
    return [(begin, _Reader(path)(begin)), *(one for one in path if begin < one[0] < end)]


def _dwells(path: Sequence[Step], end: int) -> Iterator[tuple[int, int, str | None]]:
    """Entered, left, label; equal neighbours are one."""
    _check([at for at, _ in path])
    changes = [one for index, one in enumerate(path) if index == 0 or path[index - 1][1] != one[1]]
    for (entered, label), (left, _) in pairwise([*changes, (end, None)]):
        yield entered, min(left, end), label


def _check(times: Sequence[int]) -> None:
    if any(a > b for a, b in pairwise(times)):
        raise ValueError("a path is not in order of time")


def _frozen(found: Counter[tuple[str, str | None]]) -> Confusion:
    rows = sorted(found.items(), key=lambda one: (one[0][0], one[0][1] or ""))
    return Confusion(tuple((true, said, number) for (true, said), number in rows))
