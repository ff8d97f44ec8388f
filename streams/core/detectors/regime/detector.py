"""Regime detector: which phase of the leverage cycle a scope is in. Definition `regime` (1.2).

Feeds the minutes of an asset, or of the market, to the classifier as hours, and open cascades of
class major or worse as alarms every five minutes; writes a reading each hour and at each change.
The market's open interest is taken in units of its weighted price basket, so that `ALL` is the
OI-weighted market through the same code. Promises that `RegimeResolution`, which looks back from
72 h later, is never read by anything live. The formula is in `regime_features`, `regime_scores` and
`regime_filter`, and on docs/definitions/regime.md.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from streams.core.detectors.minutes import Minute
from streams.core.detectors.readings import Readings
from streams.core.detectors.regime.bars import HOUR, OpenHour
from streams.core.detectors.regime.classifier import Classifier, Outcome, Reading, Standing
from streams.core.detectors.regime.features import Raw
from streams.core.detectors.regime.filter import Change
from streams.core.detectors.regime.history import Ranks, Samples
from streams.core.detectors.regime.params import RegimeParams
from streams.core.detectors.signal import HOT, Detector, Origin, Part
from streams.core.events import MICROS
from streams.core.results import Imbalance, Regime, RegimeResolution, RegimeTransition, Result
from streams.core.rowmeta import RowMeta

DEFINITION: Final = "regime/2"
DAY_S: Final = 86_400
GRAVE: Final = ("major", "extreme")


class Live(msgspec.Struct):
    """What changes between hours: the hour in progress, filter, and the last look at cascades."""

    hour: OpenHour = msgspec.field(default_factory=OpenHour)
    standing: Standing = msgspec.field(default_factory=Standing)
    looked: int | None = None


class Past(msgspec.Struct):
    """What changes once an hour; `at` is the second of the last hour's reading."""

    at: int = 0
    raw: Raw = msgspec.field(default_factory=Raw)
    reading: Reading = msgspec.field(default_factory=Reading)


class RegimeDetector(Detector):
    """The regime of one scope."""

    name: ClassVar[str] = "regime"

    def __init__(self, scope: str, params: RegimeParams, meta: RowMeta) -> None:
        self._params = params
        self._origin = Origin(DEFINITION, scope, meta)
        self._classifier = Classifier(params)
        self._live = Live(standing=self._classifier.standing)
        self._read_at = 0

    def minute(self, minute: Minute, readings: Readings) -> Sequence[Result]:
        """Take a closed minute; rows come when an hour ends, a phase changes or one is resolved."""
        live, rows = self._live, list[Result]()
        open_hour, hour = live.hour, minute.start - minute.start % HOUR
        if open_hour.start not in (None, hour):
            # The hour broke off: nothing was heard until this minute.
            rows += self._close(minute, readings)
        if open_hour.start != hour:
            open_hour.begin(hour)
        open_hour.add(minute)
        if minute.end % HOUR == 0:
            rows += self._close(minute, readings)
            open_hour.start = None
        rows += self._alarm(minute, readings)
        return rows

    def _close(self, now: Minute, readings: Readings) -> list[Result]:
        imbalance = readings.last(Imbalance, DAY_S)
        bar = self._live.hour.bar(None if imbalance is None else imbalance.lsi)
        change = self._classifier.hour(bar, now.end)
        self._read_at = now.end
        rows = self._changed(change, now)
        rows += [self._resolution(one, now) for one in self._classifier.outcomes(now.end)]
        rows.append(self._row(now))
        return rows

    def _alarm(self, minute: Minute, readings: Readings) -> list[Result]:
        live = self._live
        if live.looked is not None and minute.end - live.looked < self._params.fast_lane_s:
            return []
        grave = [one for one in readings.open_cascades() if one.severity in GRAVE]
        grave = [one for one in grave if one.window_class == "cascade"]
        if not grave:
            return []
        live.looked = minute.end
        before = self._classifier.standing.sub_state
        change = self._classifier.alarm(grave[0].id, minute.end)
        if change is None and self._classifier.standing.sub_state == before:
            return []
        return [*self._changed(change, minute), self._row(minute)]

    def _changed(self, change: Change | None, now: Minute) -> list[Result]:
        if change is None:
            return []
        classifier, reading = self._classifier, self._classifier.reading
        forced = change.to_state == "liquidation"
        row = RegimeTransition(
            **self._origin.head("regime_transition", now.end, now.coverage),
            from_state=change.from_state,
            to_state=change.to_state,
            probability=max(classifier.standing.phase.p),
            crowd_side=reading.crowd_side,
            drivers=classifier.drivers(),
            trigger_cascade_id=classifier.trigger(now.end) if forced else None,
            price=now.price,
            null_reasons={"price": "no_price"} if now.price is None else {},
        )
        classifier.standing.transition_id = row.id
        if forced:
            classifier.expect(row.id, now.end)
        return [row]

    def _resolution(self, outcome: Outcome, now: Minute) -> Result:
        pending = outcome.pending
        told = {
            "resolved": outcome.resolved,
            "price_before": pending.before,
            "price_high_after": pending.after,
            "trend_after": outcome.trend,
        }
        return RegimeResolution(
            **self._origin.head("regime_resolution", now.end, now.coverage, pending.transition_id),
            transition_id=pending.transition_id,
            resolved=outcome.resolved,
            price_before=pending.before,
            price_high_after=pending.after,
            trend_after=outcome.trend,
            null_reasons={name: "no_price" for name, value in told.items() if value is None},
        )

    def _row(self, now: Minute) -> Regime:
        classifier, reading = self._classifier, self._classifier.reading
        standing, state = classifier.standing, classifier.state
        since = standing.phase.since if state is not None else None
        nulls: dict[str, str] = {}
        p: tuple[float | None, ...] = standing.phase.p
        if reading.unknown is not None:
            p = (None, None, None, None)
            names = ("p_accumulation", "p_expansion", "p_euphoria", "p_liquidation")
            nulls = dict.fromkeys((*names, "state", "since", "dwell_h"), reading.unknown)
        elif state is None:
            nulls = dict.fromkeys(("state", "since", "dwell_h"), "no_phase_stands_out")
        if reading.basis is None:
            nulls["leverage_basis"] = reading.missing.get("leverage", "no_open_interest")
        return Regime(
            **self._origin.head("regime", now.end, now.coverage),
            state=state,
            sub_state=standing.sub_state if state == "liquidation" else None,
            crowd_side=reading.crowd_side,
            p_accumulation=p[0],
            p_expansion=p[1],
            p_euphoria=p[2],
            p_liquidation=p[3],
            drivers=classifier.drivers(),
            since=None if since is None else since * MICROS,
            dwell_h=None if since is None else (now.end - since) / HOUR,
            history_days=reading.history_days,
            leverage_basis=reading.basis,
            features=reading.features,
            missing=reading.missing,
            transition_id=standing.transition_id if state is not None else None,
            null_reasons=nulls,
        )

    def parts(self) -> Sequence[Part]:
        """Three parts: each second, each hour, and at each sample of the past."""
        classifier = self._classifier
        ranks = classifier.ranks
        past = Past(self._read_at, classifier.raw, classifier.reading)
        return (
            Part("live", HOT, lambda: _encode(self._live)),
            Part("past", self._read_at, lambda: _encode(past)),
            Part("ranks", ranks.changed, lambda: _encode(ranks.stored())),
        )

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Continue from parts by name."""
        classifier = self._classifier
        if "live" in parts:
            self._live = _decode_live(parts["live"])
            classifier.standing = self._live.standing
        if "past" in parts:
            past = _decode_past(parts["past"])
            self._read_at, classifier.raw, classifier.reading = past.at, past.raw, past.reading
        if "ranks" in parts:
            classifier.ranks = Ranks(_decode_samples(parts["ranks"]))


_encode = msgspec.msgpack.Encoder().encode
_decode_live = msgspec.msgpack.Decoder(Live).decode
_decode_past = msgspec.msgpack.Decoder(Past).decode
_decode_samples = msgspec.msgpack.Decoder(Samples).decode
