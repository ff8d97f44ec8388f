"""Market health of a scope, 0 (worst) to 100, each minute (definition 1.9).

    r_i = mean percentile of component i's measures in their own last 90 days
    S   = (sum w_i r_i^3)^(1/3), weights renormalised over the components present
    H   = 100 (1 - percentile of S among the same days), smoothed: half-life 30 s down, 30 min up

A cap holds H at 20 while an extreme cascade is open and at 35 while liquidity is in state vacuum,
and lets go with the rising half-life. Points by component, (100 - H before caps) shared by
w_i r_i^3, and points by cap sum exactly to 100 - H. Promises that the ordinary day reads 50, a null
below 14 days of history or below 0.6 of the weights, and nothing of the future: it says how
stressed the market is now. Measures: `health_measures`.

>>> history = History(("a",), frozenset())
>>> for slot, value in enumerate((1.0, 2.0, 3.0, 4.0)):
...     history.add(slot, "bybit:full", {"a": value}, 0)
>>> history.rank_within("bybit:full"), history.rank("a", code(3.0))
(True, 0.625)
>>> round(power_mean({"a": 0.5, "b": 1.0}, {"a": 0.5, "b": 0.5}, 3), 4)
0.8255
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from msgspec import UNSET

from streams.core.detectors.health.history import ABSENT, History, Stored, code
from streams.core.detectors.health.measures import COMPONENTS, MEASURES, OF_BASKET, measure
from streams.core.detectors.health.params import HealthParams
from streams.core.detectors.health.points import Level, move, points
from streams.core.detectors.minutes import MINUTE, Minute
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import Detector, Origin, Part
from streams.core.events import MICROS, stable_id
from streams.core.results import Health, Liquidity, Result
from streams.core.results.health import HealthBand
from streams.core.rowmeta import RowMeta
from streams.core.throttle import Doubted, basket

DAY = 86400
HISTORY = "history_below_14_days"

_encode = msgspec.msgpack.Encoder().encode


class Recent(msgspec.Struct):
    """What changes each minute: the level, and forced micro-dollars of the last hour by minute.

    `minutes` holds the observed minutes (s // 60) of the last 60; `at` is the last second seen.
    """

    level: Level = msgspec.field(default_factory=Level)
    minutes: dict[int, int] = {}
    at: int = 0


def power_mean(stress: Mapping[str, float], weights: Mapping[str, float], power: int) -> float:
    """Weighted power mean of stresses; weights sum to 1."""
    total = sum(weights[name] * stress[name] ** power for name in sorted(stress))
    return float(total ** (1 / power))


class HealthIndex(Detector):
    """Market health of one scope; see the module."""

    name: ClassVar[str] = "health"

    def __init__(
        self, scope: str, params: HealthParams, meta: RowMeta, doubted: Doubted = UNSET
    ) -> None:
        self.params = params
        self._doubted = doubted
        self.origin = Origin(params.definition, scope, meta)
        self.history = History(MEASURES, OF_BASKET)
        self.recent = Recent()
        self._indices: array[float] = array("d")
        self._warm: frozenset[str] = frozenset()
        # Scopes take turns: sorting the past of all of them at once would delay every result.
        self._offset = int(stable_id(scope)[:8], 16) % (params.sample_s // MINUTE) * MINUTE

    def minute(self, minute: Minute, readings: Readings) -> Sequence[Result]:
        """One row a minute."""
        params = self.params
        self.recent.at = minute.end
        found = measure(minute, self._hour(minute), readings, params)
        venues = basket(minute.venues_all, minute.start * MICROS, self._doubted)
        codes = {name: code(value) for name, value in found.values.items()}
        self._rank(venues)
        stress = _stress(
            {name: self.history.rank(name, codes[name]) for name in codes if name in self._warm}
        )
        weights = self._weights(stress)
        held = sum((params.weights[name] for name in stress), 0.0)
        missing = {
            name: self._why(name, codes, found.reasons) for name in COMPONENTS if name not in stress
        }
        caps = _caps(readings, params)
        row = self._row(minute, stress, weights, held, missing, caps)
        slot = (minute.end + self._offset) // params.sample_s
        if slot > self.history.newest:
            oldest = slot - params.history_s // params.sample_s + 1
            self.history.add(slot, venues, found.values, oldest)
        return (row,)

    def _hour(self, minute: Minute) -> int | None:
        """Forced micro-dollars published in the last 60 minutes, if enough of them were seen."""
        number = minute.start // MINUTE
        known = self.recent.minutes
        if minute.coverage >= self.params.least_coverage:
            known[number] = minute.forced_usd("long") + minute.forced_usd("short")
        while (oldest := next(iter(known), number)) <= number - 60:
            del known[oldest]
        if len(known) < self.params.hour_least_minutes:
            return None
        return sum(known.values())

    def _rank(self, venues: str) -> None:
        """Sort the past for this basket, and the index that each of its readings would have."""
        history = self.history
        if not history.rank_within(venues):
            return
        least = self.params.least_history_s // self.params.sample_s
        self._warm = frozenset(name for name in MEASURES if history.count(name) >= least)
        own = history.baskets.index(venues) if venues in history.baskets else ABSENT
        tables = {name: history.ranks(name) for name in sorted(self._warm)}
        found: list[float] = []
        for row, whose in enumerate(history.basket_of):
            ranks = {
                name: table[history.columns[name][row]]
                for name, table in tables.items()
                if history.columns[name][row] != ABSENT and (whose == own or name not in OF_BASKET)
            }
            index = self._index(_stress(ranks))
            if index is not None:
                found.append(index)
        self._indices = array("d", sorted(found))

    def _weights(self, stress: Mapping[str, float]) -> dict[str, float]:
        """Weights renormalised over the components present."""
        held = sum(self.params.weights[name] for name in stress)
        return {name: self.params.weights[name] / held for name in stress} if held else {}

    def _index(self, stress: Mapping[str, float]) -> float | None:
        """The raw index; None when too little of the weights is present."""
        if sum(self.params.weights[name] for name in stress) < self.params.least_weight - 1e-9:
            return None
        return round(power_mean(stress, self._weights(stress), self.params.power), 6)

    def _why(self, component: str, codes: Mapping[str, int], reasons: Mapping[str, str]) -> str:
        """Why a component is missing: its history when an input is known, else its input."""
        for group in COMPONENTS[component]:
            for name in group:
                if name in codes:
                    return HISTORY
        return reasons[COMPONENTS[component][0][-1]]

    def _row(
        self,
        minute: Minute,
        stress: dict[str, float],
        weights: dict[str, float],
        held: float,
        missing: dict[str, str],
        caps: Mapping[str, float],
    ) -> Health:
        params, level = self.params, self.recent.level
        least = params.least_history_s // params.sample_s
        index = self._index(stress)
        value: float | None = None
        contributions: dict[str, float] = {}
        by_cap: dict[str, float] = {}
        reasons: dict[str, str] = {}
        if index is None or len(self._indices) < least:
            coming = sum(params.weights[one] for one in missing if missing[one] == HISTORY)
            enough = held + coming >= params.least_weight - 1e-9
            why = HISTORY if enough else f"coverage_below_{params.least_weight:g}"
            reasons = dict.fromkeys(("band", "health"), why)
            if index is None:
                reasons["raw_stress"] = why
            weights = {}
        else:
            target = 100 * (1 - _rank_of(index, self._indices))
            fall, rise = params.fall_half_life_s, params.rise_half_life_s
            move(level, target, caps, minute.end, fall, rise)
            shares = {name: weights[name] * part**params.power for name, part in stress.items()}
            value, contributions, by_cap = points(level, shares)
        return Health(
            **self.origin.head("health", minute.end, minute.coverage),
            health=value,
            band=None if value is None else band(value, params),
            raw_stress=index,
            contributions=contributions,
            caps=by_cap,
            stress={name: round(part, 4) for name, part in stress.items()},
            weights={name: round(part, 4) for name, part in weights.items()},
            weight_coverage=round(held, 4),
            missing=missing,
            history_days=round(len(self.history.slots) * params.sample_s / DAY, 2),
            null_reasons=reasons,
        )

    def parts(self) -> Sequence[Part]:
        """`recent` by the minute, `history` by the stretch."""
        history = self.history
        return (
            Part("recent", self.recent.at, lambda: _encode(self.recent)),
            Part("history", history.newest + 1, lambda: _encode(history.stored())),
        )

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Continue from parts; ranks are made of the history anew."""
        if "recent" in parts:
            self.recent = _decode_recent(parts["recent"])
        if "history" in parts:
            self.history.load(_decode_history(parts["history"]))


def band(value: float, params: HealthParams) -> HealthBand:
    """The band of a value of health.

    >>> [band(value, HealthParams()) for value in (50.0, 49.999, 5.0, 4.999)]
    ['healthy', 'fragile', 'stressed', 'critical']
    """
    if value >= params.healthy:
        return "healthy"
    if value >= params.fragile:
        return "fragile"
    return "stressed" if value >= params.stressed else "critical"


def _stress(ranks: Mapping[str, float]) -> dict[str, float]:
    """Stress by component, 0..1, of the ranks of its measures."""
    found: dict[str, float] = {}
    for name, groups in COMPONENTS.items():
        known = [next((ranks[one] for one in group if one in ranks), None) for group in groups]
        parts = [rank for rank in known if rank is not None]
        if parts:
            found[name] = sum(parts) / len(parts)
    return found


def _rank_of(value: float, ranked: Sequence[float]) -> float:
    return (bisect_left(ranked, value) + bisect_right(ranked, value)) / (2 * len(ranked))


def _caps(readings: Readings, params: HealthParams) -> dict[str, float]:
    """Caps that are active now."""
    caps: dict[str, float] = {}
    windows = readings.open_cascades()
    if any(one.window_class == "cascade" and one.severity == "extreme" for one in windows):
        caps["extreme_cascade"] = params.extreme_cap
    liquidity = readings.last(Liquidity)
    if liquidity is not None and liquidity.state == "vacuum":
        caps["liquidity_vacuum"] = params.vacuum_cap
    return caps


_decode_recent = msgspec.msgpack.Decoder(Recent).decode
_decode_history = msgspec.msgpack.Decoder(Stored).decode
