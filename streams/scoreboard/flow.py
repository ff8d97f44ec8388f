"""Published orders laid out by second: what rival rules look at, and how their seconds make spans.

Promises that every number of a second depends on orders of that second and before alone, and that
all rules are grouped in the same way. Holds no rule and no threshold; estimates nothing that a
venue did not publish.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.scoreboard.spans import ALL, Order, Side, Span

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]

MICROS: Final = 1_000_000
QUIET_S: Final = 300
"""A span has ended when its rule has been false for so long, s; as in the cascade detector."""


class Fired(NamedTuple):
    """What a rule says of each second of a flow.

    `true`: whether it holds, shape (seconds,); `since`: the first second that it looks back on,
    from the flow's beginning, shape (seconds,).
    """

    true: Truths
    since: Counts


class Flow(msgspec.Struct, frozen=True, eq=False):
    """Orders of one side of one scope by second, shapes (seconds,); `begin` is second 0.

    `usd`: micro-dollars; `other`: orders of the opposite side; `by_venue`: orders of each venue;
    `interest`: open interest as venues told it last, USD, zero where none has.
    """

    scope: str
    side: Side
    begin: int
    orders: Counts
    usd: Counts
    other: Counts
    by_venue: tuple[Counts, ...]
    interest: Floats

    @property
    def seconds(self) -> int:
        """How long it is."""
        return len(self.orders)


def lay(
    orders: Sequence[Order],
    begin: int,
    end: int,
    interest: Mapping[str, Sequence[float]] = MappingProxyType({}),
) -> dict[str, tuple[Flow, Flow]]:
    """The long and the short flow of every asset that has an order, and of `ALL`.

    `ALL` pools the assets as if they were one coin. Orders outside [`begin`, `end`) are not seen;
    they may come in any order. `interest`: by asset, USD, a value a minute from `begin`.
    """
    seen = [one for one in orders if begin <= one.second < end]
    at = np.fromiter((one.second - begin for one in seen), np.int64, len(seen))
    usd = np.fromiter((round(one.usd * MICROS) for one in seen), np.int64, len(seen))
    long = np.fromiter((one.side == "long" for one in seen), np.bool_, len(seen))
    assets, asset = _coded(one.asset for one in seen)
    venues, venue = _coded(one.venue for one in seen)
    held = {name: _by_second(values, end - begin) for name, values in interest.items()}
    nothing = np.zeros(max(end - begin, 0))
    whole = sum(held.values(), nothing)
    laid = {ALL: _sides(ALL, begin, whole, at, usd, long, venue, len(venues))}
    for code, name in enumerate(assets):
        own = asset == code
        part = held.get(name, nothing)
        laid[name] = _sides(
            name, begin, part, at[own], usd[own], long[own], venue[own], len(venues)
        )
    return laid


def within(values: Counts, seconds: int) -> Counts:
    """The sum of each second and those before it, `seconds` in all."""
    total = np.concatenate(([0], np.cumsum(values)))
    before = np.maximum(np.arange(len(values)) + 1 - seconds, 0)
    return np.asarray(total[1:] - total[before], np.int64)


def lookback(flow: Flow, seconds: int) -> Counts:
    """`since` of a rule that looks on windows of `seconds`."""
    return np.arange(flow.seconds, dtype=np.int64) - (seconds - 1)


def spans_of(flow: Flow, fired: Fired) -> list[Span]:
    """Group the seconds in which a rule holds.

    A span is detected at its first true second. Its onset is the first order that the rule then
    looked on, after the span before it; its end the last order up to its last true second, after
    which the rule was false for `QUIET_S`. `usd` is what was published in between. There is no
    split of long spans: a rule that holds all day is one false alarm, not six.
    """
    true = np.flatnonzero(fired.true)
    if not len(true):
        return []
    cuts = np.flatnonzero(np.diff(true) > QUIET_S)
    firsts = true[np.concatenate(([0], cuts + 1))]
    lasts = true[np.concatenate((cuts, [len(true) - 1]))]
    occupied = np.flatnonzero(flow.orders)
    dollars = np.concatenate(([0], np.cumsum(flow.usd)))
    found: list[Span] = []
    free = 0
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        since = max(int(fired.since[first]), free)
        onset = int(occupied[np.searchsorted(occupied, since)])
        end = int(occupied[np.searchsorted(occupied, last, side="right") - 1])
        usd = int(dollars[end + 1] - dollars[onset]) / MICROS
        begin = flow.begin
        found.append(Span(flow.scope, flow.side, begin + onset, begin + first, begin + end, usd))
        free = end + 1
    return found


def _by_second(minutes: Sequence[float], seconds: int) -> Floats:
    """What was known of open interest when each second came: that of the minute before."""
    known = np.repeat(np.array((0.0, *minutes[:-1])), 60)[:seconds]
    return np.concatenate((known, np.full(seconds - len(known), known[-1] if len(known) else 0.0)))


def _coded(names: Iterable[str]) -> tuple[list[str], Counts]:
    """The distinct names, as they come, and the number of each."""
    codes: dict[str, int] = {}
    numbers = [codes.setdefault(name, len(codes)) for name in names]
    return list(codes), np.array(numbers, np.int64)


def _sides(
    scope: str,
    begin: int,
    interest: Floats,
    at: Counts,
    usd: Counts,
    long: Truths,
    venue: Counts,
    venues: int,
) -> tuple[Flow, Flow]:
    length = len(interest)

    def counted(which: Truths) -> Counts:
        return np.bincount(at[which], minlength=length).astype(np.int64)

    def flow(side: Side, own: Truths) -> Flow:
        dollars = np.zeros(length, np.int64)
        np.add.at(dollars, at[own], usd[own])
        by_venue = tuple(counted(own & (venue == code)) for code in range(venues))
        return Flow(scope, side, begin, counted(own), dollars, counted(~own), by_venue, interest)

    return flow("long", long), flow("short", ~long)
