"""The regime of a scope from its hours: history, features, scores, filter, phases.

Between bars and rows, without either: live minutes and archived series drive the same object.
Promises that its state is `raw`, `ranks`, `reading` and `standing`, so that it can stop anywhere,
and that missing hours may be left out. Hours must come in order.
"""

from typing import Final, Literal

import msgspec

from streams.core.detectors.regime.bars import HOUR, HourBar
from streams.core.detectors.regime.features import Raw, interest_at, interest_now, measure, take
from streams.core.detectors.regime.filter import Change, Phase, advance, advance_part, commit, weigh
from streams.core.detectors.regime.history import Ranks
from streams.core.detectors.regime.params import PHASES, RegimeParams
from streams.core.detectors.regime.scores import crowd_of, judge
from streams.core.events import PositionSide
from streams.core.results.regimes import (
    Driver,
    LeverageBasis,
    RegimeName,
    RegimeSubState,
    Resolved,
)

TOP: Final = 3
"""Drivers that a row names."""
LIQUIDATION: Final = PHASES.index("liquidation")
DAY: Final = 24 * HOUR

Unknown = Literal["history_below_14_days", "too_few_inputs"]


class Reading(msgspec.Struct, frozen=True):
    """What the last hour said; `unknown` tells why there is no verdict, `logits` is then empty.

    `features`: percentiles by name, values by name with `_raw`; `drivers`: the terms that add
    most to each phase, in order of PHASES.
    """

    unknown: Unknown | None = "history_below_14_days"
    logits: tuple[float, ...] = ()
    drivers: tuple[tuple[Driver, ...], ...] = ()
    features: dict[str, float] = {}
    missing: dict[str, str] = {}
    crowd_side: PositionSide | None = None
    basis: LeverageBasis | None = None
    history_days: float = 0.0
    price: float | None = None
    trend: float | None = None


class Pending(msgspec.Struct, array_like=True):
    """A liquidation phase whose outcome is still open; prices in USD, `at` in s.

    `side` was closed by force; `before` is the farthest price of its direction in the day before,
    `after` that since.
    """

    transition_id: str
    at: int
    side: PositionSide
    before: float | None
    after: float | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What a liquidation phase led to."""

    pending: Pending
    resolved: Resolved | None
    trend: float | None


class Standing(msgspec.Struct):
    """What may change between hours: filter, sub-state, and the last cascade of class major or
    worse with the last second at which it was open.
    """

    phase: Phase = msgspec.field(default_factory=Phase)
    sub_state: RegimeSubState | None = None
    transition_id: str | None = None
    cascade_id: str | None = None
    cascade_at: int | None = None
    pending: list[Pending] = []


class Classifier:
    """The regime of one scope."""

    def __init__(self, params: RegimeParams) -> None:
        self.params = params
        self.raw = Raw()
        self.ranks = Ranks()
        self.reading = Reading()
        self.standing = Standing()

    @property
    def state(self) -> RegimeName | None:
        """The committed phase; None when nothing is known or no phase stands out."""
        return None if self.reading.unknown else self.standing.phase.state

    def drivers(self) -> tuple[Driver, ...]:
        """The strongest terms of the committed phase, of the likeliest without one."""
        if not self.reading.drivers:
            return ()
        p = self.standing.phase.p
        name = self.state or PHASES[max(range(len(PHASES)), key=lambda index: p[index])]
        return self.reading.drivers[PHASES.index(name)]

    def hour(self, bar: HourBar, at: int) -> Change | None:
        """Take a closed hour at second `at`; gives the change of phase that it led to, if any."""
        take(self.raw, bar, self.params)
        self._read(bar, at)
        standing, reading = self.standing, self.reading
        self._follow(bar)
        if reading.unknown:
            return None
        params = self.params
        evidence = [logit / params.tau_h for logit in reading.logits]
        evidence[LIQUIDATION] *= params.tau_h / params.tau_forced_h
        self._pass_to(at)
        standing.phase.p = weigh(standing.phase.p, evidence)
        change = self._commit(at, params.commit_evals)
        if self.state == "liquidation" and change is None and self._calm(bar):
            standing.sub_state = "reset"
        return change

    def alarm(self, cascade_id: str, at: int) -> Change | None:
        """A cascade of class major or worse is open at second `at`: the fast lane.

        Call it every `fast_lane_s`; gives the change of phase that it led to, if any.
        """
        standing, logits = self.standing, self.reading.logits
        standing.cascade_id, standing.cascade_at = cascade_id, at
        if not logits:
            return None
        if standing.phase.state == "liquidation":
            standing.sub_state = "active"
        self._pass_to(at)
        urgent = [*logits]
        urgent[LIQUIDATION] = max(0.0, urgent[LIQUIDATION]) + self.params.cascade_logits
        standing.phase.p = weigh(standing.phase.p, urgent)
        return self._commit(at, 1)

    def expect(self, transition_id: str, at: int) -> None:
        """Follow the liquidation phase that was just entered, until its outcome is known."""
        last = [one for one in self.raw.hours if one.hour * HOUR >= at - DAY]
        longs = sum(one.long_usd or 0.0 for one in last)
        shorts = sum(one.short_usd or 0.0 for one in last)
        side: PositionSide = "long" if longs >= shorts else "short"
        before = _farthest(side, [one.high if side == "long" else one.low for one in last])
        self.standing.pending.append(Pending(transition_id, at, side, before))

    def outcomes(self, at: int) -> list[Outcome]:
        """Liquidation phases whose time is over at second `at`; each is told once."""
        due = at - self.params.resolution_h * HOUR
        over = [one for one in self.standing.pending if one.at <= due]
        self.standing.pending = [one for one in self.standing.pending if one.at > due]
        return [self._outcome(one) for one in over]

    def trigger(self, at: int) -> str | None:
        """The cascade of class major or worse of the last 24 hours, if any."""
        seen = self.standing.cascade_at
        return self.standing.cascade_id if seen is not None and at - seen < DAY else None

    def _read(self, bar: HourBar, at: int) -> None:
        params, hour = self.params, bar.start // HOUR
        features = measure(self.raw, self.ranks, bar, params)
        last = self.ranks.hours[-1] if self.ranks.hours else None
        if last is None or hour // params.grain_h != last // params.grain_h:
            self.ranks.add(hour, dict(features.values), params.history_days * 24)
        days = len(self.ranks.hours) * params.grain_h / 24
        crowd = crowd_of(features, params)
        verdict = judge(features, params, crowd, cascade=self.trigger(at) is not None)
        young = days < params.min_history_days
        unknown: Unknown | None = None
        if young or verdict is None:
            unknown = "history_below_14_days" if young else "too_few_inputs"
        told = dict(features.ranks) | {f"{name}_raw": x for name, x in features.values.items()}
        self.reading = Reading(
            unknown,
            () if verdict is None or unknown else verdict.logits,
            () if verdict is None or unknown else tuple(one[:TOP] for one in verdict.drivers),
            dict(sorted(told.items())),
            dict(sorted(features.missing.items())),
            crowd,
            self.raw.basis,
            days,
            self.raw.hours[-1].close,
            features.values.get("trend"),
        )

    def _pass_to(self, at: int) -> None:
        """Let the filter run on to second `at` without evidence."""
        phase = self.standing.phase
        if phase.at is not None:
            hours, rest = divmod(max(0, at - phase.at), HOUR)
            if hours > self.params.forget_h:
                phase = self.standing.phase = Phase()
                self.standing.sub_state = self.standing.transition_id = None
            else:
                p = advance(phase.p, hours, self.params)
                phase.p = advance_part(p, rest / HOUR, self.params) if rest else p
        phase.at = at

    def _commit(self, at: int, needed: int) -> Change | None:
        standing = self.standing
        change = commit(standing.phase, at, needed, self.params)
        if standing.phase.state != "liquidation":
            standing.sub_state = None
        elif change is not None or standing.sub_state is None:
            standing.sub_state = "active"
        return change

    def _calm(self, bar: HourBar) -> bool:
        """Whether forced flow and open interest have settled over the last hours."""
        count = self.params.reset_h
        now = bar.start // HOUR
        last = [one for one in self.raw.hours[-count:] if one.hour > now - count]
        usual = self.ranks.middle("liquidations")
        before, oi = interest_at(self.raw, now - count), interest_now(self.raw, now)
        if len(last) < count or usual is None or not bar.oi_usd or not oi or not before:
            return False
        if oi < before:
            return False
        limit = self.params.reset_ratio * usual * bar.oi_usd / 24
        return all(
            one.long_usd is not None
            and one.short_usd is not None
            and one.long_usd + one.short_usd < limit
            for one in last
        )

    def _follow(self, bar: HourBar) -> None:
        for one in self.standing.pending:
            if bar.start >= one.at:
                one.after = _farthest(
                    one.side, [one.after, bar.high if one.side == "long" else bar.low]
                )

    def _outcome(self, pending: Pending) -> Outcome:
        before, after, trend = pending.before, pending.after, self.reading.trend
        if before is None or after is None or trend is None:
            return Outcome(pending, None, trend)
        beyond = after > before if pending.side == "long" else after < before
        resumed = beyond or abs(trend) > 1
        return Outcome(pending, "trend_resumed" if resumed else "consolidation", trend)


def _farthest(side: PositionSide, prices: list[float | None]) -> float | None:
    known = [price for price in prices if price is not None]
    if not known:
        return None
    return max(known) if side == "long" else min(known)
