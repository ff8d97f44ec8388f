"""How much of a price move was over when the alarm came, and how much a reader could still meet.

Measures matched events and, of each, a placebo: the same geometry laid at a random time of the same
case and scope. A random walk too has "done" part of its move by then; only the difference says
something of the alarm. Promises the same placebos for the same case and seed, whatever else is
measured. Prices come from the caller; those of a scope `ALL` are a basket that the caller names.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import Final
from zlib import crc32

import msgspec
import numpy as np

from streams.scoreboard.bootstrap import SEED
from streams.scoreboard.matching import Pair
from streams.scoreboard.quantiles import quantile
from streams.scoreboard.spans import Case, Side

TAIL_S: Final = 60
"""The move is looked for until this long after the last forced order."""


class Prices(msgspec.Struct, frozen=True):
    """`values[i]`: last price of the seconds from begin + i step_s on, step_s of them; above zero.

    With steps of a minute the price of a second is that of the last minute completed, so that what
    was done at the alarm is understated by what the minute has moved so far.
    """

    begin: int
    step_s: int
    values: Sequence[float]

    @property
    def end(self) -> int:
        """The last second that is held."""
        return self.begin + self.step_s * len(self.values) - 1

    def index(self, second: int) -> int:
        """Of the last step that is over when `second` is; at least 0.

        Raises:
            ValueError: the prices end before.
        """
        index = (second + 1 - self.begin) // self.step_s - 1
        if index >= len(self.values):
            raise ValueError(f"prices end before second {second}")
        return max(index, 0)


class Move(msgspec.Struct, frozen=True):
    """Log moves in the forced direction, basis points, none below zero.

    `total_bp`: from the price before the onset to the extreme; `done_bp`: to the extreme up to the
    alarm; `left_bp`: from the price at the alarm to the extreme after it.
    """

    total_bp: float
    done_bp: float
    left_bp: float

    @property
    def done_share(self) -> float | None:
        """Of the total; None where the price never moved in the forced direction."""
        return self.done_bp / self.total_bp if self.total_bp > 0 else None

    @property
    def left_share(self) -> float | None:
        """Of the total; more than 1 - `done_share` where the price had turned before the alarm."""
        return self.left_bp / self.total_bp if self.total_bp > 0 else None


def move(prices: Prices, onset: int, alarm: int, until: int, side: Side) -> Move:
    """The move from the second before `onset` to `until` (or the alarm, if later), as it was split.

    Longs are closed into falling prices, shorts into rising ones.

    Raises:
        ValueError: the prices do not last that long.
    """
    sign = -1.0 if side == "long" else 1.0
    first = prices.index(onset - 1)
    at = prices.index(alarm)
    last = prices.index(max(until, alarm))
    logs = [sign * log(price) for price in prices.values[min(first, at) : last + 1]]
    offset = min(first, at)
    base, said = logs[first - offset], logs[at - offset]
    # Nothing is done before the onset: an earlier alarm has the whole move before it.
    until_alarm = logs[first - offset : max(at, first) - offset + 1]
    return Move(
        1e4 * (max(logs[first - offset :]) - base),
        1e4 * (max(until_alarm) - base),
        1e4 * (max(logs[at - offset :]) - said),
    )


class Moves(msgspec.Struct, frozen=True):
    """Moves at the alarms of one case, or several, and at their placebos.

    `skipped`: alarms without a price at their time. A placebo stands for every alarm whose window
    fits into the case.
    """

    alarms: tuple[Move, ...] = ()
    placebos: tuple[Move, ...] = ()
    skipped: int = 0


def moves(
    case: Case,
    pairs: Iterable[Pair],
    prices: Mapping[str, Prices],
    publication_s: int = 0,
    seed: int = SEED,
) -> Moves:
    """Moves of the matched events of a case; `prices` by scope.

    `publication_s`: from detection to publication, added to every alarm. A placebo is a time drawn
    uniformly from those at which the window fits into the case; it may fall on an event, as a
    reader who looks at random would.
    """
    # The case's name makes its placebos independent of which cases are measured before it.
    generator = np.random.default_rng([seed, crc32(case.name.encode())])
    alarms: list[Move] = []
    placebos: list[Move] = []
    skipped = 0
    for pair in pairs:
        event, alarm = pair.event, pair.span.detected_at + publication_s
        series = prices.get(event.scope)
        if series is None or alarm > series.end:
            skipped += 1
            continue
        until = min(event.end + TAIL_S, series.end)
        alarms.append(move(series, event.onset, alarm, until, event.side))
        before = max(alarm - event.onset + 1, 0)
        after = max(until, alarm, event.onset) - alarm
        earliest = max(case.begin, series.begin) + before
        latest = min(case.end - 1, series.end) - after
        draw = generator.random()
        if latest < earliest:
            continue
        at = earliest + int(draw * (latest - earliest + 1))
        shift = at - alarm
        placebos.append(move(series, event.onset + shift, at, until + shift, event.side))
    return Moves(tuple(alarms), tuple(placebos), skipped)


def pool_moves(parts: Iterable[Moves]) -> Moves:
    """The moves of several cases."""
    several = tuple(parts)
    return Moves(
        tuple(one for part in several for one in part.alarms),
        tuple(one for part in several for one in part.placebos),
        sum(part.skipped for part in several),
    )


def done_share(of: Iterable[Move], share: float = 0.5) -> float | None:
    """Quantile of the part of the move done at the alarm."""
    return quantile((part for one in of if (part := one.done_share) is not None), share)


def left_share(of: Iterable[Move], share: float = 0.5) -> float | None:
    """Quantile of the part of the move still to come."""
    return quantile((part for one in of if (part := one.left_share) is not None), share)


def left_bp(of: Iterable[Move], share: float = 0.5) -> float | None:
    """Quantile of the basis points still to come."""
    return quantile((one.left_bp for one in of), share)
