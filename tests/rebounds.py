"""What `infra/flink/sql/rebounds.sql` should find, by a plain reading of its pattern.

Every second of an asset with a price of Binance's USDT perpetual is a row. The match that begins
first counts, and the next begins behind its rebound.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from streams.core.frames import Frame

LEAST_FORCED = 3
WITHIN_US = 300_000_000
ABOVE = 1.001
VENUE = "binance-usdm"

Row = tuple[int, bool, float]
"""Second (µs), whether orders were forced in it, price."""


class Match(NamedTuple):
    """One row of the query: times in µs, `seconds_forced` seconds of burst, prices in dollars."""

    asset: str
    began_us: int
    ended_us: int
    seconds_forced: int
    first_price: float
    last_price: float
    rebound_us: int
    rebound_price: float


def read(line: str) -> Match:
    """A match as `marginquake flink sql` prints it."""
    asset, began, ended, seconds, first, last, at, price = line.split("\t")
    numbers = (int(began), int(ended), int(seconds), float(first), float(last), int(at))
    return Match(asset, *numbers, float(price))


def matches(frames: Iterable[Frame]) -> list[Match]:
    """The matches, by asset and rebound. `frames`: each second of an asset once, in any order."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for frame in frames:
        for flow in frame.flows:
            if (flow.venue, flow.symbol) == (VENUE, f"{frame.asset}USDT"):
                rows[frame.asset].append((frame.second, bool(frame.cells), flow.close))
    return [match for asset in sorted(rows) for match in in_rows(asset, sorted(rows[asset]))]


def in_rows(asset: str, rows: Sequence[Row]) -> list[Match]:
    """The matches of one asset, whose rows are in order."""
    found: list[Match] = []
    begin = 0
    while begin < len(rows):
        last = _burst(rows, begin)
        end = None if last - begin < LEAST_FORCED - 1 else _rebound(rows, begin, last)
        if end is None:
            begin += 1
            continue
        (first_us, _, first), (last_us, _, low), (at, _, price) = rows[begin], rows[last], rows[end]
        found.append(Match(asset, first_us, last_us, last - begin + 1, first, low, at, price))
        begin = end + 1
    return found


def _burst(rows: Sequence[Row], begin: int) -> int:
    """The last row of the burst that begins here; the row before when none does."""
    last = begin - 1
    while last + 1 < len(rows):
        _, forced, price = rows[last + 1]
        if not forced or (last >= begin and price > rows[last][2]):
            break
        last += 1
    return last


def _rebound(rows: Sequence[Row], begin: int, last: int) -> int | None:
    """The first row that is above the end of the burst, but the very next, within the time."""
    for at in range(last + 2, len(rows)):
        if rows[at][0] - rows[begin][0] >= WITHIN_US:
            return None
        if rows[at][2] > rows[last][2] * ABOVE:
            return at
    return None
