"""The slow index of liquidity: are conditions for leverage expanding or tightening?

Used by the liquidity detector, once an hour. An input is a change of a slow quantity over its
scale; the index is their mean. Promises that an input is compared with its own past only, that a
missing one is named and not replaced, and a memory of 91 UTC days whatever the gaps.

| input | formula (per scale of the parameters, clipped) |
|---|---|
| `depth` | mean log depth of 30 days less that of 90, mean over venues |
| `stablecoins_7d`, `stablecoins_30d` | growth of the outside series `stablecoin_supply` |
| `open_interest` | log growth over 30 days; its volume, as positioning counts it |
| `volatility` | minus the log of volatility, 7 days against 90 |
| `funding` | minus the mean distance of funding from its anchor, 7 days less 90 |
"""

from collections.abc import Callable, Mapping, Sequence
from math import exp, log, sqrt
from typing import Final

import msgspec

from streams.core.detectors.liquidity.flow import change_bp
from streams.core.detectors.liquidity.params import LiquidityParams
from streams.core.detectors.minutes import Minute
from streams.core.detectors.signal import RowHead
from streams.core.events import MICROS
from streams.core.results import Conditions
from streams.core.results.liquidity import ConditionsState

INPUTS: Final = (
    "depth",
    "funding",
    "open_interest",
    "stablecoins_30d",
    "stablecoins_7d",
    "volatility",
)
DAY_S: Final = 86_400
KEPT_DAYS: Final = 91


class Day(msgspec.Struct, array_like=True):
    """A UTC day (`day`, s // 86400): sums over its minutes and its last known values.

    `depth`: by venue and band, (minutes, sum of log dollars). `returns`: (minutes, sum of squared
    log returns in bp). `funding`: (minutes, sum of distances from the anchor). `oi`: volume of
    open interest.
    """

    day: int
    minutes: int = 0
    depth: dict[str, tuple[int, float]] = {}
    returns: tuple[int, float] = (0, 0.0)
    funding: tuple[int, float] = (0, 0.0)
    oi: float | None = None
    supply: float | None = None


class Slow(msgspec.Struct, array_like=True):
    """Today, the last close, and the committed state of the index."""

    today: Day | None = None
    closed: float = 0.0
    closed_at: int = 0
    state: ConditionsState | None = None


def add(
    slow: Slow,
    days: list[Day],
    minute: Minute,
    depth: Mapping[str, int],
    params: LiquidityParams,
) -> bool:
    """Take a minute; whether a day was added to `days`.

    Args:
        slow: changed in place.
        days: complete days, ascending; changed when a day is over.
        minute: closed.
        depth: micro-dollars of both sides by venue and band.
        params: of the definition.
    """
    number = minute.start // DAY_S
    turned = False
    today = slow.today
    if today is None or today.day != number:
        if today is not None:
            days.append(today)
            turned = True
        today = slow.today = Day(number)
    if days and days[0].day <= number - KEPT_DAYS:
        days[:] = [day for day in days if day.day > number - KEPT_DAYS]
        turned = True
    today.minutes += 1
    for name, dollars in depth.items():
        if dollars > 0:
            today.depth[name] = _plus(today.depth.get(name, (0, 0.0)), log(dollars))
    if minute.close is not None:
        before = slow.closed if slow.closed_at == minute.start else minute.open
        if before is not None:
            today.returns = _plus(today.returns, change_bp(before, minute.close) ** 2)
        slow.closed, slow.closed_at = minute.close, minute.end
    if minute.funding_8h is not None:
        distance = abs(minute.funding_8h - params.funding_anchor_8h)
        today.funding = _plus(today.funding, distance)
    today.oi = minute.oi_volume or today.oi
    supply = minute.macro.get(params.stable_series)
    if supply is not None and supply.value > 0:
        fresh = minute.end - supply.at_us // MICROS <= params.series_stands_s
        today.supply = supply.value if fresh else None
    return turned


def _plus(sums: tuple[int, float], value: float) -> tuple[int, float]:
    return sums[0] + 1, sums[1] + value


def inputs_of(
    days: Sequence[Day], today: Day, params: LiquidityParams
) -> tuple[dict[str, float], dict[str, str]]:
    """Standardised inputs as of today, and the reason of each that is missing."""
    every = [*days, today]
    found: dict[str, float | str] = {
        "depth": _depth(every, today.day, params),
        "stablecoins_7d": _growth(
            every, today, _supply, 7, "no_stablecoin_supply", params.stable_7d_scale
        ),
        "stablecoins_30d": _growth(
            every, today, _supply, 30, "no_stablecoin_supply", params.stable_30d_scale
        ),
        "open_interest": _growth(every, today, _oi, 30, "no_open_interest", params.oi_scale),
        "volatility": _volatility(every, today.day, params),
        "funding": _funding(every, today.day, params),
    }
    clip = params.input_clip
    values = {
        name: min(max(value, -clip), clip)
        for name in INPUTS
        if not isinstance(value := found[name], str)
    }
    missing = {name: why for name in INPUTS if isinstance(why := found[name], str)}
    return values, missing


def _supply(day: Day) -> float | None:
    return day.supply


def _oi(day: Day) -> float | None:
    return day.oi


def _growth(
    every: Sequence[Day],
    today: Day,
    value_of: Callable[[Day], float | None],
    span: int,
    absent: str,
    scale: float,
) -> float | str:
    """Log growth over `span` days; the past value may be up to a seventh of the span older."""
    now = value_of(today)
    if not now:
        return absent
    oldest = today.day - span - max(1, span // 7)
    past = [
        value for day in every if oldest <= day.day <= today.day - span and (value := value_of(day))
    ]
    return (log(now) - log(past[-1])) / scale if past else f"history_below_{span}_days"


def _recent(every: Sequence[Day], today: int, span: int) -> list[Day]:
    return [day for day in every if day.day > today - span]


def _mean_of(
    every: Sequence[Day], sums: Callable[[Day], tuple[int, float]], today: int, span: int
) -> float | None:
    """Mean of the days' means; None below half of the span's days."""
    means = [total / n for day in _recent(every, today, span) for n, total in (sums(day),) if n]
    return sum(means) / len(means) if 2 * len(means) >= span else None


def _depth(every: Sequence[Day], today: int, params: LiquidityParams) -> float | str:
    names = sorted({name for day in _recent(every, today, 30) for name in day.depth})
    if not names:
        return "no_depth"
    changes: list[float] = []
    for name in names:

        def of(day: Day, name: str = name) -> tuple[int, float]:
            return day.depth.get(name, (0, 0.0))

        short, long = _mean_of(every, of, today, 30), _mean_of(every, of, today, 90)
        if short is not None and long is not None:
            changes.append(short - long)
    if not changes:
        return "history_below_45_days"
    return sum(changes) / len(changes) / params.depth_scale


def _volatility(every: Sequence[Day], today: int, params: LiquidityParams) -> float | str:
    if not any(day.returns[0] for day in _recent(every, today, 7)):
        return "no_price"
    short = _mean_of(every, _returns, today, 7)
    long = _mean_of(every, _returns, today, 90)
    if not short or not long:
        return "history_below_45_days"
    return (log(sqrt(long)) - log(sqrt(short))) / params.volatility_scale


def _returns(day: Day) -> tuple[int, float]:
    return day.returns


def _funding(every: Sequence[Day], today: int, params: LiquidityParams) -> float | str:
    if not any(day.funding[0] for day in _recent(every, today, 7)):
        return "no_funding"
    short = _mean_of(every, _distances, today, 7)
    long = _mean_of(every, _distances, today, 90)
    if short is None or long is None:
        return "history_below_45_days"
    return (long - short) / params.funding_scale


def _distances(day: Day) -> tuple[int, float]:
    return day.funding


def probabilities(index: float, params: LiquidityParams) -> dict[ConditionsState, float]:
    """Ordered logistic in the index: expanding above the bound, tightening below minus it.

    >>> {state: round(p, 2) for state, p in probabilities(0.0, LiquidityParams()).items()}
    {'expanding': 0.12, 'neutral': 0.76, 'tightening': 0.12}
    """
    up = 1 / (1 + exp((params.index_bound - index) / params.index_softness))
    down = 1 / (1 + exp((params.index_bound + index) / params.index_softness))
    return {"expanding": up, "neutral": 1 - up - down, "tightening": down}


def row(head: RowHead, slow: Slow, days: Sequence[Day], params: LiquidityParams) -> Conditions:
    """The row of an hour; commits the state."""
    today = slow.today
    if today is None:
        raise ValueError("no minute has been added")
    values, missing = inputs_of(days, today, params)
    history = (sum(day.minutes for day in days) + today.minutes) / 1440
    if len(values) < params.least_inputs:
        slow.state = None
        why = dict.fromkeys(("state", "probability", "index"), "too_few_inputs")
        return Conditions(
            **head,
            state=None,
            probability=None,
            index=None,
            inputs=values,
            missing=missing,
            history_days=history,
            null_reasons=why,
        )
    index = sum(values.values()) / len(values)
    chances = probabilities(index, params)
    best = max(chances, key=chances.__getitem__)
    if slow.state is None or chances[best] >= params.commit_probability:
        slow.state = best
    return Conditions(
        **head,
        state=slow.state,
        probability=chances[slow.state],
        index=index,
        inputs=values,
        missing=missing,
        history_days=history,
    )
