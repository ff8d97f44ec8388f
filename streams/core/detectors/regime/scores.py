"""Scores of the four phases from features: weighted terms, gates and what drives them.

Between features and the filter. Every term is centred, so that a market at its own medians says
nothing: a percentile q gives 2q - 1, the trend sigma(f) - 1/2, a drop of open interest
max(0, 2q - 1). A score is the weighted mean over the terms that are known;
`gain` times it are logits. Promises no phase more than 0.4 from features at their medians.

>>> from streams.core.detectors.regime.features import SAMPLED
>>> middle = Features({"trend": 0.0}, dict.fromkeys(SAMPLED, 0.5), {})
>>> verdict = judge(middle, RegimeParams(), "long")
>>> [round(p, 2) for p in softmax(verdict.logits)]
[0.37, 0.37, 0.13, 0.13]
"""

from collections.abc import Sequence
from math import exp

import msgspec

from streams.core.detectors.regime.features import AT_REST, Features
from streams.core.detectors.regime.params import RegimeParams
from streams.core.events import PositionSide
from streams.core.results.regimes import Driver

SOURCE = {
    "calm": "trend_size",
    "crowded_funding": "funding",
    "crowded_basis": "basis",
    "distance": "drawdown",
}
"""Feature behind a term of another name."""


class Verdict(msgspec.Struct, frozen=True):
    """Logits of the phases, and what each term adds to each phase's score, strongest first; both
    in order of PHASES.
    """

    logits: tuple[float, ...]
    drivers: tuple[tuple[Driver, ...], ...]


def crowd_of(features: Features, params: RegimeParams) -> PositionSide | None:
    """Which side pays to stay in, and more than it mostly has: the sign and the tail of funding.

    Funding that has rested at one value tells no side: then it is the side of the trend with which
    open interest has grown more than it mostly does.
    """
    if features.missing.get("funding") == AT_REST:
        grown, trend = features.ranks.get("oi_growth", 0.0), features.values.get("trend")
        if trend is None or grown < params.gate_growth:
            return None
        return "long" if trend > 0 else "short"
    rank, value = features.ranks.get("funding"), features.values.get("funding")
    if rank is None or value is None:
        return None
    if rank >= params.gate_funding and value > -params.funding_anchor:
        return "long"
    if 1 - rank >= params.gate_funding and value <= -params.funding_anchor:
        return "short"
    return None


def terms(features: Features, crowd: PositionSide) -> dict[str, float]:
    """Terms by name, -1..1; `crowd` says which side euphoria would be of."""
    centred = {name: 2 * rank - 1 for name, rank in features.ranks.items()}
    found: dict[str, float] = {
        name: centred[name]
        for name in ("leverage", "volatility", "liquidations", "oi_growth", "drawdown")
        if name in centred
    }
    sign = 1 if crowd == "long" else -1
    extreme = "drawdown" if crowd == "long" else "rally"
    if "oi_drop" in centred:
        found["oi_drop"] = max(0.0, centred["oi_drop"])
    if "trend_size" in centred:
        found["calm"] = -centred["trend_size"]
    if "trend" in features.values:
        found["trend"] = _sigmoid(features.values["trend"]) - 0.5
    if "funding" in centred:
        found["crowded_funding"] = sign * centred["funding"]
    if "basis" in centred:
        found["crowded_basis"] = sign * centred["basis"]
    if extreme in centred:
        found["distance"] = centred[extreme]
    return found


def judge(
    features: Features,
    params: RegimeParams,
    crowd: PositionSide | None,
    *,
    cascade: bool = False,
) -> Verdict | None:
    """Logits of an hour; None when some phase has too few inputs.

    Args:
        features: of the hour.
        params: weights and gates.
        crowd: the crowded side, as `crowd_of` tells it.
        cascade: a cascade of class major or worse was open within the day.
    """
    side: PositionSide = crowd or "long"
    given = terms(features, side)
    scores: list[float] = []
    drivers: list[tuple[Driver, ...]] = []
    tables = (params.accumulation, params.expansion, params.euphoria, params.liquidation)
    for table in tables:
        known = [(name, weight) for name, weight in table if name in given]
        total = sum(abs(weight) for _, weight in known)
        if total < params.least_inputs * sum(abs(weight) for _, weight in table):
            return None
        adds = [(name, weight * given[name] / total) for name, weight in known]
        scores.append(sum(add for _, add in adds))
        adds.sort(key=lambda pair: (-pair[1], pair[0]))
        drivers.append(tuple(_driver(name, add, features, side) for name, add in adds))
    logits = [params.gain * score for score in scores]
    euphoria = _euphoria_open(features, params, crowd)
    flow = features.ranks.get("liquidations", 0.0)
    liquidation = cascade or flow >= params.gate_liquidations
    for at, is_open in ((2, euphoria), (3, liquidation)):
        if not is_open:
            logits[at] = min(0.0, logits[at]) - params.closed_logits
    return Verdict(tuple(logits), tuple(drivers))


def _driver(name: str, add: float, features: Features, crowd: PositionSide) -> Driver:
    feature = SOURCE.get(name, name)
    if name == "distance" and crowd == "short":
        feature = "rally"
    value = features.ranks.get(feature, features.values.get(feature, 0.0))
    return Driver(feature, value, add)


def _euphoria_open(features: Features, params: RegimeParams, crowd: PositionSide | None) -> bool:
    away = features.values.get("drawdown" if crowd == "long" else "rally")
    return (
        crowd is not None
        and features.ranks.get("leverage", 0.0) >= params.gate_leverage
        and away is not None
        and away <= params.gate_distance
    )


def _sigmoid(value: float) -> float:
    return 1 / (1 + exp(-max(-50.0, min(50.0, value))))


def softmax(logits: Sequence[float]) -> tuple[float, ...]:
    """Probabilities of logits.

    >>> softmax((0.0, 0.0))
    (0.5, 0.5)
    """
    most = max(logits)
    parts = [exp(logit - most) for logit in logits]
    return tuple(part / sum(parts) for part in parts)
