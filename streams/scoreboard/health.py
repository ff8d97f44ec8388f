"""The health index against what came after it in simulated cycles, beside its own single factors.

On the path from cycles to the scoreboard. The index's own code reads each hour as one minute, with
what `cycles` has: forced dollars by side, price, open interest, funding, spot volume; no books, no
derivative volume, no map. Volatility alone and liquidation alone are the same code with all weight
on that component. Promises the same hours for all three, none of which may stand in a true
liquidation phase. When the plan breaks the market is drawn, whatever its state: a break itself can
be foretold only through the order of the phases, its size through crowding.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.core.detectors.health.detector import HealthIndex
from streams.core.detectors.health.params import HealthParams
from streams.core.detectors.imbalance.detector import ImbalanceDetector
from streams.core.detectors.imbalance.params import ImbalanceParams
from streams.core.detectors.minutes import Forced, Minute
from streams.core.detectors.readings import Readings
from streams.core.detectors.regime.bars import HOUR, HourBar
from streams.core.events import MICROS, PositionSide
from streams.core.results import Dominance, Health, Volatility
from streams.core.rowmeta import RowMeta
from streams.scoreboard.bootstrap import Interval, intervals
from streams.scoreboard.cycles import MINUTE, Cycle, cycles

BLOCK: Final = 300
DAY_H: Final = 24
WEEK_H: Final = 7 * DAY_H
VENUE: Final = "bybit"
"""Forced dollars are true: they enter under a venue whose feed is full."""
AHEAD_H: Final = (6, 24)
TOP: Final = 0.9
"""Forced dollars of the hours ahead over open interest are large from this share of hours on."""
BINS: Final = 1_000
FACTORS: Final = ("liquidation", "volatility")

Floats = NDArray[np.float64]
Row = TypeVar("Row", Volatility, Dominance)


class Read(msgspec.Struct, frozen=True):
    """Stress of a seed by hour, 0 to 100 (100 less health), NaN where unknown; by index.

    `components`: of the whole index, by the number of hours in which each was present.
    """

    stress: dict[str, Floats]
    components: dict[str, int]


class Area(msgspec.Struct, frozen=True):
    """Areas under the ROC curve for one thing to come, with 95 % intervals by seed.

    `event`: what; `share`: of the hours judged before which it came; `auc`: by index;
    `better`: ours less each single factor, of the same draws.
    """

    event: str
    hours_ahead: int
    hours: int
    share: float
    auc: dict[str, Interval]
    better: dict[str, Interval]


class HealthScore(msgspec.Struct, frozen=True):
    """Areas by event and horizon. `left_out`: hours by the reason; `components`: share of the
    judged index's hours in which each was present.
    """

    seeds: tuple[int, ...]
    left_out: dict[str, int]
    components: dict[str, float]
    areas: tuple[Area, ...]


def score_health(
    seeds: Sequence[int], folder: Path, params: HealthParams | None = None
) -> HealthScore:
    """Score the health index and its single factors on cycles of the seeds.

    Args:
        seeds: of `cycles`; one takes about a minute where it is not yet in the folder.
        folder: cache of runs.
        params: of the index; its defaults when None.
    """
    runs = cycles(seeds, folder)
    given = params or HealthParams()
    read = [indices(run, given) for run in runs]
    names = list(read[0].stress) if read else []
    usable = [_usable(run, one) for run, one in zip(runs, read, strict=True)]
    areas = []
    for ahead in AHEAD_H:
        told = {
            "a liquidation phase begins": [_begins(run, ahead) for run in runs],
            "forced dollars in the top tenth": _large([_flow(run, ahead) for run in runs], usable),
        }
        for event, outcomes in told.items():
            parts = [
                {name: _counted(one.stress[name], outcome, hours) for name in names}
                for one, outcome, hours in zip(read, outcomes, usable, strict=True)
            ]
            areas.append(_area(event, ahead, parts, names))
    unknown = sum(int(np.isnan(one.stress["ours"]).sum()) for one in read)
    within = sum(
        int((_phase_is_liquidation(run) & ~np.isnan(one.stress["ours"])).sum())
        for run, one in zip(runs, read, strict=True)
    )
    hours = sum(len(run.hours) for run in runs) - unknown
    present: dict[str, int] = {}
    for one in read:
        for name, count in one.components.items():
            present[name] = present.get(name, 0) + count
    return HealthScore(
        tuple(seeds),
        {"no_history": unknown, "in_liquidation": within},
        {name: count / hours for name, count in sorted(present.items())} if hours else {},
        tuple(areas),
    )


def indices(run: Cycle, params: HealthParams) -> Read:
    """The index and its single factors through one seed.

    An hour is read as one minute that holds all of its forced dollars, so that index needs one
    observed minute of an hour instead of 45; smoothing is in event time and stays as it is.
    """
    meta = RowMeta("", "", 0)
    variants = {"ours": params}
    for name in FACTORS:
        weights = {one: float(one == name) for one in params.weights}
        variants[name] = msgspec.structs.replace(params, weights=weights)
    readers = {
        name: HealthIndex(run.name, msgspec.structs.replace(one, hour_least_minutes=1), meta)
        for name, one in variants.items()
    }
    imbalance = ImbalanceDetector(run.name, ImbalanceParams(), meta)
    readings = Readings()
    stress = {name: np.full(len(run.hours), np.nan) for name in readers}
    components: dict[str, int] = {}
    at = 0
    for hour, bar in enumerate(run.hours):
        end = bar.start + HOUR
        for block in range(bar.start, end, BLOCK):
            dollars = [0.0, 0.0]
            while at < len(run.forced) and run.forced[at][0] < block + BLOCK:
                dollars[0] += run.forced[at][1]
                dollars[1] += run.forced[at][2]
                at += 1
            minute = _minute(run.name, block + BLOCK, bar, dollars)
            readings.note(imbalance.minute(minute, readings))
        readings.note([_variance(run, hour), _leverage(run, hour)])
        whole = _minute(run.name, end, bar, [bar.long_usd or 0.0, bar.short_usd or 0.0])
        for name, reader in readers.items():
            (row,) = reader.minute(whole, readings)
            if isinstance(row, Health) and row.health is not None:
                stress[name][hour] = 100 - row.health
                if name == "ours":
                    for component in row.stress:
                        components[component] = components.get(component, 0) + 1
    return Read(stress, components)


def auc(positive: Floats, negative: Floats) -> float | None:
    """Chance that the stress before an event exceeds that before none; ties count half.

    Args:
        positive: hours by bin of stress, ascending, before an event.
        negative: the same before none.

    >>> auc(np.array([0.0, 1.0]), np.array([1.0, 0.0])), auc(np.array([2.0]), np.array([3.0]))
    (1.0, 0.5)
    """
    pairs = float(positive.sum() * negative.sum())
    if not pairs:
        return None
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum()) / pairs


class _Counted(msgspec.Struct, frozen=True):
    positive: Floats
    negative: Floats


_Part = Mapping[str, _Counted]


def _area(event: str, ahead: int, parts: Sequence[_Part], names: Sequence[str]) -> Area:
    def pool(several: Sequence[_Part]) -> _Part:
        return {
            name: _Counted(
                np.sum([one[name].positive for one in several], axis=0),
                np.sum([one[name].negative for one in several], axis=0),
            )
            for name in names
        }

    def of(name: str) -> Callable[[_Part], float | None]:
        return lambda part: auc(part[name].positive, part[name].negative)

    def less(name: str) -> Callable[[_Part], float | None]:
        def difference(part: _Part) -> float | None:
            ours, other = of("ours")(part), of(name)(part)
            return None if ours is None or other is None else ours - other

        return difference

    whole = pool(parts)["ours"]
    hours, came = int((whole.positive + whole.negative).sum()), float(whole.positive.sum())
    others = [name for name in names if name != "ours"]
    found = intervals(
        parts, pool, {name: of(name) for name in names} | {f"-{n}": less(n) for n in others}
    )
    return Area(
        event,
        ahead,
        hours,
        came / hours if hours else 0.0,
        {name: found[name] for name in names},
        {name: found[f"-{name}"] for name in others},
    )


def _counted(stress: Floats, outcome: Floats, usable: NDArray[np.bool_]) -> _Counted:
    known = usable & ~np.isnan(outcome)
    bins = np.clip((stress[known] / 100 * BINS).astype(np.int64), 0, BINS - 1)
    came = outcome[known] > 0
    return _Counted(
        np.bincount(bins[came], minlength=BINS).astype(np.float64),
        np.bincount(bins[~came], minlength=BINS).astype(np.float64),
    )


def _usable(run: Cycle, read: Read) -> NDArray[np.bool_]:
    known = ~_phase_is_liquidation(run)
    for values in read.stress.values():
        known &= ~np.isnan(values)
    return known


def _phase_is_liquidation(run: Cycle) -> NDArray[np.bool_]:
    return np.array([run.phase_at(at - 1) == "liquidation" for at in run.ends()])


def _begins(run: Cycle, ahead: int) -> Floats:
    """Whether a liquidation phase begins in the hours ahead; NaN where the run ends before."""
    begun = [one.at for one in run.phases if one.phase == "liquidation"]
    found = np.full(len(run.hours), np.nan)
    for hour, at in enumerate(run.ends()):
        if hour + ahead < len(run.hours):
            found[hour] = bisect_left(begun, at + ahead * HOUR) > bisect_left(begun, at)
    return found


def _flow(run: Cycle, ahead: int) -> Floats:
    """Forced dollars of the hours ahead over open interest; NaN where the run ends before."""
    forced = np.array([(bar.long_usd or 0.0) + (bar.short_usd or 0.0) for bar in run.hours])
    interest = np.array([bar.oi_usd or np.nan for bar in run.hours])
    total = np.concatenate(([0.0], np.cumsum(forced)))
    found = np.full(len(forced), np.nan)
    last = len(forced) - ahead
    found[:last] = (total[ahead + 1 :] - total[1 : last + 1]) / interest[:last]
    return found


def _large(flows: Sequence[Floats], usable: Sequence[NDArray[np.bool_]]) -> list[Floats]:
    """Whether flows are in the top tenth of all usable hours of all seeds."""
    known = [flow[use & ~np.isnan(flow)] for flow, use in zip(flows, usable, strict=True)]
    pooled = np.concatenate(known) if known else np.zeros(0)
    edge = float(np.quantile(pooled, TOP)) if len(pooled) else 0.0
    return [np.where(np.isnan(flow), np.nan, flow >= edge) for flow in flows]


def _minute(scope: str, end: int, bar: HourBar, dollars: Sequence[float]) -> Minute:
    longs, shorts = (round(usd * MICROS) for usd in dollars)
    sides: tuple[tuple[PositionSide, int], ...] = (("long", longs), ("short", shorts))
    forced = tuple(
        Forced(VENUE, side, 1, usd, float(usd) ** 2, usd, usd, "ok") for side, usd in sides if usd
    )
    return Minute(
        scope=scope,
        start=end - MINUTE,
        coverage=1.0,
        venues_up=(VENUE,),
        venues_all=(VENUE,),
        open=bar.close,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        price=bar.close,
        oi_usd=None if bar.oi_usd is None else round(bar.oi_usd * MICROS),
        oi_volume=bar.oi_base,
        funding_8h=bar.funding_8h,
        interest=(),
        forced=forced,
        trades=(),
        bids=(),
        asks=(),
        books=(),
        macro={},
    )


def _variance(run: Cycle, hour: int) -> Volatility:
    """The hour's realised variance from the prices of its minutes."""
    first = max(0, hour * 60 - 1)
    prices = run.prices[first : hour * 60 + 60]
    realised = sum(log(b / a) ** 2 for a, b in pairwise(prices))
    return _row(Volatility, run, hour, {"window_s": HOUR, "realised": realised, "driver_hours": 0})


def _leverage(run: Cycle, hour: int) -> Dominance:
    """Open interest over the mean daily spot volume of a week."""
    week = run.hours[max(0, hour + 1 - WEEK_H) : hour + 1]
    volume = sum(bar.spot_usd or 0.0 for bar in week) / len(week) * DAY_H
    interest = run.hours[hour].oi_usd
    ratio = interest / volume if interest is not None and volume and len(week) == WEEK_H else None
    known = {"window_s": DAY_H * HOUR, "oi_spot_adv": ratio, "basket": VENUE, "basket_coverage": 1}
    return _row(Dominance, run, hour, known)


def _row(kind: type[Row], run: Cycle, hour: int, known: Mapping[str, object]) -> Row:
    """A row of another signal with what cycles know of it; null in the rest."""
    at = (run.hours[hour].start + HOUR) * MICROS
    head = {
        "id": "",
        "revision": 1,
        "is_final": True,
        "definition": "",
        "params_hash": "",
        "engine": "",
        "scope": run.name,
        "partition": 0,
        "coverage": 1.0,
        "watermark": at,
        "at": at,
        "history_days": 0,
    }
    rest = dict.fromkeys(
        one for one in kind.__struct_fields__ if one not in ("null_reasons", "v", "basket_coverage")
    )
    return msgspec.convert({**rest, **head, **known, "type": kind.__struct_config__.tag}, kind)
