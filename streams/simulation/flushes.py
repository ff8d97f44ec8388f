"""The label `flush`: when forced dollars ran above a published rate, whatever the cause.

A scope and side is in flush from its onset to its end where the true forced dollars of 60 seconds
reach `rate_bp` of open interest in at least `orders` forced orders. The onset is walked back to
where the run-up began, the end is the last forced order before the flow stays low. Looks at the
truth before the feed layer only; knows no detector and no feed.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from streams.simulation.orders import VENUES
from streams.simulation.state import Floats, Ints
from streams.simulation.tape import MICROS, Tape

MARKET: Final = "ALL"
SIDES: Final = ("long", "short")


class FlushRule(msgspec.Struct, frozen=True):
    """When forced flow is a flush.

    `rate_bp`: dollars of 60 s over open interest, basis points; `orders`: least in these 60 s;
    `quiet_share`: below this share of the rate for `quiet_s` the flush is over; `rise_share`: the
    onset is where the flow of 10 s last stood below this share of the rate.
    """

    rate_bp: float = 4.0
    orders: int = 10
    window_s: int = 60
    quiet_share: float = 0.25
    quiet_s: int = 300
    rise_share: float = 0.25


RULE: Final = FlushRule()


class Flush(msgspec.Struct, frozen=True):
    """One labelled interval; seconds are UNIX seconds, dollars true.

    `crossed`: when the rate was first reached; `peak_usd`: largest dollars of 60 s;
    `peaks`: maxima of at least half the largest, a minute or more apart, the flow of 60 s having
    sunk to 35 % of the largest between them.
    """

    scope: str
    side: str
    onset: int
    crossed: int
    end: int
    peak_at: int
    usd: float
    peak_usd: float
    orders: int
    interest_usd: float
    peaks: int
    usd_by_venue: dict[str, float]


def flushes_of(
    tape: Tape, names: Sequence[str], start_s: int, rule: FlushRule = RULE
) -> list[Flush]:
    """All flushes of a run in one-second steps, by onset; the market's (`ALL`) among them."""
    found: list[Flush] = []
    interest = tape.interest_usd()
    for side, name in enumerate(SIDES):
        usd = tape.usd[: tape.steps, :, :, side]
        orders = tape.orders[: tape.steps, :, :, side].astype(np.int64)
        for asset, scope in enumerate(names):
            found += _scan(
                scope, name, usd[:, asset], orders[:, asset], interest[:, asset], start_s, rule
            )
        found += _scan(
            MARKET, name, usd.sum(axis=1), orders.sum(axis=1), interest.sum(axis=1), start_s, rule
        )
    return sorted(found, key=lambda one: (one.onset, one.scope, one.side))


def trailing(values: Ints, window: int) -> Ints:
    """Sums of the last `window` values."""
    total = np.cumsum(values)
    sums = total.copy()
    sums[window:] -= total[:-window]
    return sums


def _scan(
    scope: str,
    side: str,
    usd: Ints,
    orders: Ints,
    interest: Floats,
    start_s: int,
    rule: FlushRule,
) -> list[Flush]:
    """Flushes of one scope and side; `usd` micro-dollars [T, V]."""
    flow = usd.sum(axis=1)
    minute = trailing(flow, rule.window_s)
    number = trailing(orders.sum(axis=1), rule.window_s)
    rate = interest * (rule.rate_bp * 1e-4 * MICROS)
    above = (minute >= rate) & (number >= rule.orders)
    short_run = trailing(flow, 10)
    found: list[Flush] = []
    step, steps = 0, len(flow)
    while step < steps:
        if not above[step]:
            step += 1
            continue
        crossed = step
        floor = rate[crossed] * rule.rise_share / 6.0
        begin = crossed
        earliest = found[-1].end - start_s + 1 if found else 0
        while begin > earliest and short_run[begin - 1] >= floor:
            begin -= 1
        # The first second of a run-up holds its first order: the sums of 10 s trail behind it.
        while begin < crossed and flow[begin] == 0:
            begin += 1
        low = 0
        end = crossed
        while end < steps and low < rule.quiet_s:
            low = low + 1 if minute[end] < rate[crossed] * rule.quiet_share else 0
            end += 1
        step = end
        active = np.nonzero(flow[begin : max(begin + 1, end - low)])[0]
        last = begin + int(active[-1]) if len(active) else begin
        part = minute[begin : last + 1]
        peak = begin + int(np.argmax(part))
        venues = usd[begin : last + 1].sum(axis=0)
        found.append(
            Flush(
                scope,
                side,
                start_s + begin,
                start_s + crossed,
                start_s + last,
                start_s + peak,
                float(flow[begin : last + 1].sum()) / MICROS,
                float(minute[peak]) / MICROS,
                int(orders[begin : last + 1].sum()),
                float(interest[begin]),
                _peaks(part),
                {v: float(u) / MICROS for v, u in zip(VENUES, venues, strict=True) if u},
            )
        )
    return found


def _peaks(minute: Ints) -> int:
    """Maxima of at least half the largest, 60 steps or more apart, with a dip to 35 % between."""
    if len(minute) == 0:
        return 0
    largest = int(minute.max())
    found: list[int] = []
    top, dipped = -1, True
    for step, value in enumerate(minute.tolist()):
        if dipped and 2 * value >= largest:
            top, dipped = step, False
            found.append(top)
        elif not dipped and value > minute[top]:
            top = found[-1] = step
        elif 20 * value < 7 * largest:
            dipped = True
    apart: list[int] = []
    for step in found:
        if not apart or step - apart[-1] >= 60:
            apart.append(step)
    return len(apart)
