"""How forced orders are distributed in a raw log: gaps, bunching, sizes, decay, sides.

Lays a simulated log beside recordings, read by the same parsers. Promises that the same statistics
are taken of both: exact duplicates dropped, one venue, silences of more than five minutes (the
recorder was off) left out of gaps and of covered time. Says nothing about causes.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log
from pathlib import Path

import msgspec

from streams.config import MarginquakeError
from streams.core.events import MICROS, Liquidation, Raw
from streams.core.instruments import Instruments
from streams.core.normalise import Parser, normalise
from streams.edges import rawlog

SILENCE_S = 300.0

Order = tuple[float, str, bool, float]
"""Time (s), symbol, whether a long was closed, dollars."""


class Likeness(msgspec.Struct, frozen=True):
    """Statistics of one log; None where there is too little to tell.

    `gap_*`: of gaps over their mean; `fano_*`: variance over mean of counts; `memory_*`:
    autocorrelation of 10-s counts at a lag; `hill`: tail index of the largest 5 %.
    """

    name: str
    orders: int
    hours: float
    per_minute: float
    symbols: int
    gap_cv: float | None
    gap_p50: float | None
    gap_p90: float | None
    gap_p99: float | None
    fano_10s: float | None
    fano_60s: float | None
    memory_10s: float | None
    memory_60s: float | None
    memory_300s: float | None
    size_median: float | None
    size_sd_log: float | None
    size_p99_over_median: float | None
    hill: float | None
    top_1pct_share: float | None
    half_life_s: float | None
    long_share_orders: float | None
    long_share_usd: float | None


def orders_of(
    path: Path,
    parsers: Mapping[str, Parser],
    instruments: Instruments,
    venue: str = "binance-usdm",
    assets: frozenset[str] = frozenset(),
) -> list[Order]:
    """The distinct forced orders that a raw log holds of a venue, in order of event time.

    `assets` narrows them; empty means all.

    Raises:
        MarginquakeError: the file cannot be read, or holds none.
    """
    found: set[Order] = set()
    for _, record in rawlog.read(path):
        if not isinstance(record, Raw) or record.venue != venue:
            continue
        if record.channel not in (None, "liquidation"):
            continue
        for outcome in normalise(record, parsers, instruments):
            if isinstance(outcome, Liquidation) and (not assets or outcome.asset in assets):
                at = outcome.event_time_us / MICROS
                long = outcome.position_side == "long"
                found.add((at, outcome.symbol, long, outcome.usd / MICROS))
    if not found:
        raise MarginquakeError(f"{path}: no forced orders of {venue}; name another --venue")
    return sorted(found)


def likeness(name: str, orders: Sequence[Order]) -> Likeness:
    """The statistics of distinct orders in order of time."""
    times = [order[0] for order in orders]
    usd = sorted(order[3] for order in orders)
    stretches = _stretches(times)
    gaps = sorted(b - a for part in stretches for a, b in pairwise(part))
    covered = sum(part[-1] - part[0] for part in stretches)
    mean_gap = sum(gaps) / len(gaps) if gaps else 0.0
    few = len(orders) < 20 or mean_gap == 0
    logs = [log(value) for value in usd if value > 0]
    tail = usd[-max(10, len(usd) // 20) :]
    total = sum(usd)
    tens = _counts(stretches, 10)
    return Likeness(
        name,
        len(orders),
        covered / 3_600,
        60 * len(orders) / covered if covered else 0.0,
        len({order[1] for order in orders}),
        None if few else _deviation(gaps) / mean_gap,
        None if few else _quantile(gaps, 0.5) / mean_gap,
        None if few else _quantile(gaps, 0.9) / mean_gap,
        None if few else _quantile(gaps, 0.99) / mean_gap,
        None if few else _fano(tens),
        None if few else _fano(_counts(stretches, 60)),
        None if few else _memory(tens, 1),
        None if few else _memory(tens, 6),
        None if few else _memory(tens, 30),
        _quantile(usd, 0.5),
        None if few else _deviation(logs),
        None if few else _quantile(usd, 0.99) / _quantile(usd, 0.5),
        None if few else _hill(tail),
        None if few else sum(usd[-max(1, len(usd) // 100) :]) / total,
        None if few else _half_life(stretches),
        sum(order[2] for order in orders) / len(orders),
        sum(order[3] for order in orders if order[2]) / total,
    )


def _stretches(times: Sequence[float]) -> list[list[float]]:
    """Times cut where nothing came for longer than a silence."""
    parts: list[list[float]] = [[times[0]]]
    for at in times[1:]:
        if at - parts[-1][-1] > SILENCE_S:
            parts.append([at])
        else:
            parts[-1].append(at)
    return parts


def _counts(stretches: Sequence[Sequence[float]], width: int) -> list[int]:
    """Orders in windows of `width` seconds, silences left out."""
    counts: list[int] = []
    for part in stretches:
        windows = [0] * (int((part[-1] - part[0]) // width) + 1)
        for at in part:
            windows[int((at - part[0]) // width)] += 1
        # The last window is not full.
        counts += windows[:-1]
    return counts


def _half_life(stretches: Sequence[Sequence[float]]) -> float | None:
    """Median time for the 30-s rate to halve after a peak of five times the mean, s."""
    found: list[int] = []
    for part in stretches:
        tens = _counts([part], 10)
        if len(tens) < 30:
            continue
        rate = [sum(tens[max(0, i - 2) : i + 1]) for i in range(len(tens))]
        mean = sum(rate) / len(rate)
        i = 0
        while i < len(rate):
            if rate[i] >= max(6.0, 5 * mean):
                top = max(range(i, min(len(rate), i + 30)), key=lambda j: rate[j])
                after = next((j for j in range(top, len(rate)) if rate[j] <= rate[top] / 2), None)
                if after is None:
                    break
                found.append(10 * (after - top))
                i = after + 30
            else:
                i += 1
    return float(sorted(found)[len(found) // 2]) if found else None


def _hill(tail: Sequence[float]) -> float | None:
    """Hill's tail index of the largest values, in ascending order; the first is the threshold."""
    above = sum(log(value / tail[0]) for value in tail[1:]) if tail[0] > 0 else 0.0
    return (len(tail) - 1) / above if above > 0 else None


def _deviation(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return float((sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5)


def _quantile(values: Sequence[float], share: float) -> float:
    """Of sorted values."""
    return values[min(len(values) - 1, int(share * len(values)))]


def _fano(counts: Sequence[int]) -> float | None:
    mean = sum(counts) / len(counts) if counts else 0.0
    return _deviation(counts) ** 2 / mean if mean else None


def _memory(counts: Sequence[int], lag: int) -> float | None:
    if len(counts) < 4 * lag + 10:
        return None
    mean = sum(counts) / len(counts)
    spread = sum((c - mean) ** 2 for c in counts)
    if spread == 0:
        return None
    pairs = zip(counts, counts[lag:], strict=False)
    return sum((a - mean) * (b - mean) for a, b in pairs) / spread
