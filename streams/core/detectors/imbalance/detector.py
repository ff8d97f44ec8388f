"""Imbalance: which side is being closed by force, against what is natural for its venues.

    lsi          = (L - S) / (L + S + kappa)
    lsi_adjusted = ln((L + kappa n) / (S + kappa (1 - n))) - ln(n / (1 - n))
    z            = (L / (L + S) - n) / sqrt(n (1 - n) / n_eff),  n_eff = (sum w)^2 / sum w^2

L, S: dollars of longs and shorts closed over 5 minutes, an hour or a day, corrected for the
throttle slot by slot; n: natural long share of the same feeds, slowly learned and shrunk to 0.55,
for longs are closed more than shorts; kappa: their ordinary five minutes, so that a thin window
says little; w: dollars of each order. A side dominates when lsi_adjusted, z and the rank of L + S
all say so; its label needs the context of price, funding and open interest. Rows by venue come
when a venue's orders in the window have changed. docs/definitions/imbalance.md.

>>> one = measure(Sums(900_000_000, 100_000_000, 900_000_000, 100_000_000, 10, 1e5), 0, 0.5)
>>> one.lsi, round(one.adjusted, 3), one.n_eff, round(one.z, 3)
(0.8, 2.197, 10.0, 2.53)
"""

from collections.abc import Mapping, Sequence
from math import log, sqrt
from typing import ClassVar, NamedTuple

import msgspec
from msgspec import UNSET

from streams.core.detectors.imbalance.context import (
    CONTEXT,
    NO_CONTEXT,
    Context,
    ContextState,
    FastContext,
    SlowContext,
    label_of,
)
from streams.core.detectors.imbalance.params import ImbalanceParams
from streams.core.detectors.imbalance.past import Past
from streams.core.detectors.imbalance.sums import (
    BLOCK,
    DAY,
    HOUR,
    Closed,
    Day,
    Open,
    Sums,
    Total,
)
from streams.core.detectors.minutes import Minute
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import Detector, Origin, Part
from streams.core.events import MICROS, PositionSide
from streams.core.results import Imbalance, Result
from streams.core.results.imbalance import ImbalanceLabel
from streams.core.rowmeta import RowMeta
from streams.core.throttle import Doubted, basket

WINDOWS = (BLOCK, HOUR, DAY)
_MEASURED = ("long_share", "lsi", "lsi_adjusted", "z")


class Measure(NamedTuple):
    """What a window's dollars say; see the module."""

    share: float
    lsi: float
    adjusted: float
    z: float
    n_eff: float


class Verdict(NamedTuple):
    """The dominant side, what its dominance is called, and the context that says so."""

    side: PositionSide | None
    label: ImbalanceLabel | None
    context: Context


def measure(sums: Sums, kappa: int, neutral: float) -> Measure:
    """Measure dollars of which some were closed; `kappa` in micro-dollars."""
    longs, shorts = sums.long_usd, sums.short_usd
    share = longs / (longs + shorts)
    # A side without dollars and without kappa counts as one micro-dollar: its logit is finite.
    left, right = max(1.0, longs + kappa * neutral), max(1.0, shorts + kappa * (1 - neutral))
    return Measure(
        share,
        (longs - shorts) / (longs + shorts + kappa),
        log(left / right) - log(neutral / (1 - neutral)),
        (share - neutral) / sqrt(neutral * (1 - neutral)) * sqrt(sums.n_eff),
        sums.n_eff,
    )


class Recent(msgspec.Struct):
    """What changes each minute besides the sums: `changed` (s), the `hour` in progress (s //
    3600), `dark`: venues that were down in it, `told`: (events, observed micro-dollars) of the
    last row by `venue|window`.
    """

    changed: int = 0
    hour: int | None = None
    dark: list[str] = []
    told: dict[str, tuple[int, int]] = {}


class Ordinary(msgspec.Struct):
    """What is ordinary by venue, "" for all of them; `changed` (s)."""

    changed: int = 0
    past: dict[str, Past] = {}


class ImbalanceDetector(Detector):
    """Rows `imbalance` of one scope: over all venues, and by venue."""

    name: ClassVar[str] = "imbalance"

    def __init__(
        self, scope: str, params: ImbalanceParams, meta: RowMeta, doubted: Doubted = UNSET
    ) -> None:
        """A scope is an asset or `ALL`; `doubted` is that of the throttle correction."""
        self.params = params
        self._doubted = doubted
        self.scope = scope
        self._origin = Origin(params.definition, scope, meta)
        self._recent = Recent()
        self._day = Day()
        self._ordinary = Ordinary()
        self._context = ContextState()
        self._usual: dict[str, tuple[int, float]] = {}
        self._feeds: tuple[tuple[str, ...], int] | None = None

    def second(self, moment: Moment, readings: Readings) -> Sequence[Result]:
        """Put late orders into the minutes they belong to; their rows follow with the minute."""
        if moment.late and self._day.take_late(moment.late, moment.second):
            self._recent.changed = moment.second
        return ()

    def minute(self, minute: Minute, readings: Readings) -> Sequence[Result]:
        """Rows of 5 minutes and an hour each minute, of the day each fifth one."""
        recent, end = self._recent, minute.end
        recent.changed = end
        self._begin(minute)
        feeds = minute.venues_all, minute.start // DAY
        if feeds != self._feeds:
            # The meaning of a feed changes at midnight, if at all.
            self._feeds = feeds
            for venue in ("", *minute.venues_all):
                self._past(venue, minute)
        self._day.take(minute)
        self._context.take(minute, self.params)
        rows: list[Result] = []
        for window_s in WINDOWS:
            if window_s <= HOUR or end % BLOCK == 0:
                total = self._day.total(end, window_s)
                rows.append(self._row(minute, None, total, total.every))
                rows += self._by_venue(minute, total)
        return rows

    def _by_venue(self, minute: Minute, total: Total) -> list[Result]:
        """Rows of the venues whose orders in the window are not those of their last row."""
        told = self._recent.told
        rows: list[Result] = []
        for venue in sorted({*total.venues, *minute.venues_all}):
            key = f"{venue}|{total.span}"
            sums = total.venues.get(venue)
            if sums is None or not sums.events:
                told.pop(key, None)
            elif told.get(key) != (now := (sums.events, sums.observed)):
                told[key] = now
                rows.append(self._row(minute, venue, total, sums))
        return rows

    def _begin(self, minute: Minute) -> None:
        """Learn the hour that has ended, before the minutes behind it are forgotten."""
        recent, hour = self._recent, minute.start // HOUR
        self._day.reach(minute.start)
        if recent.hour is not None and hour > recent.hour:
            self._learn(recent.hour, minute.start // DAY - recent.hour * HOUR // DAY)
            recent.dark = []
            self._ordinary.changed = minute.end
            self._usual = {}
        recent.hour = hour
        for venue in minute.venues_all:
            if venue not in minute.venues_up and venue not in recent.dark:
                recent.dark.append(venue)

    def _learn(self, hour: int, days: int) -> None:
        """Learn the hour (s // 3600) from the sums; `days`: UTC midnights passed since it began."""
        params, begin, end = self.params, hour * HOUR, (hour + 1) * HOUR
        whole, day = self._day.total(end, HOUR), self._day.total(end, DAY)
        blocks = [self._day.total(at + BLOCK, BLOCK) for at in range(begin, end, BLOCK)]
        seen = whole.coverage >= params.least_history_coverage
        for venue, past in sorted(self._ordinary.past.items()):
            if past.since <= begin:
                past.longs.add(whole.of(venue))
                if seen and venue not in self._recent.dark:
                    past.hours += 1
                    past.add(HOUR, whole.of(venue).usd)
                    for block in blocks:
                        past.add(BLOCK, block.of(venue).usd)
                    if day.coverage >= params.least_history_coverage:
                        past.add(DAY, day.of(venue).usd)
            if days:
                past.turn(days, params.history_half_life_days, params.neutral_half_life_days)

    def _past(self, venue: str, minute: Minute) -> Past:
        """What is ordinary at a venue; begun anew once its feed, or the set of them, is another."""
        venues = (venue,) if venue else minute.venues_all
        name = basket(venues, minute.start * MICROS, self._doubted)
        past = self._ordinary.past.get(venue)
        if past is None or past.basket != name:
            past = self._ordinary.past[venue] = Past(name, minute.start)
            self._ordinary.changed = minute.end
            self._usual.pop(venue, None)
        return past

    def _kappa_and_neutral(self, venue: str, past: Past) -> tuple[int, float]:
        """Kappa in micro-dollars, and the natural long share; renewed each hour."""
        usual = self._usual.get(venue)
        if usual is None:
            params = self.params
            kappa = past.kappa(params.kappa_prior(self.scope), params.kappa_prior_blocks)
            neutral = past.longs.share(params.neutral_prior, params.neutral_prior_days)
            usual = self._usual[venue] = kappa, neutral
        return usual

    def _row(self, minute: Minute, venue: str | None, total: Total, sums: Sums) -> Imbalance:
        past = self._ordinary.past.get(venue or "") or self._past(venue or "", minute)
        kappa, neutral = self._kappa_and_neutral(venue or "", past)
        reasons: dict[str, str] = {}
        measured: Measure | None = None
        rank: float | None = None
        if sums.hidden:
            missing = ("long_usd", "short_usd", "total_percentile", *_MEASURED)
            reasons.update(dict.fromkeys(missing, "partial_feed"))
        else:
            rank = past.percentile(total.span, sums.usd, self.params.least_history_days)
            if rank is None:
                reasons["total_percentile"] = f"history_below_{self.params.least_history_days}_days"
            if sums.usd:
                measured = measure(sums, kappa, neutral)
            else:
                reasons.update(dict.fromkeys(_MEASURED, "no_forced_orders"))
        verdict = self._verdict(minute, total, measured, rank, reasons)
        return Imbalance(
            **self._origin.head("imbalance", minute.end, total.coverage, venue or "", total.span),
            venue=venue,
            window_s=total.span,
            long_usd=None if sums.hidden else sums.long_usd,
            short_usd=None if sums.hidden else sums.short_usd,
            long_observed=sums.long_observed,
            short_observed=sums.short_observed,
            events=sums.events,
            n_eff=sums.n_eff,
            kappa_usd=kappa,
            neutral_share=neutral,
            long_share=None if measured is None else measured.share,
            lsi=None if measured is None else measured.lsi,
            lsi_adjusted=None if measured is None else measured.adjusted,
            z=None if measured is None else measured.z,
            total_percentile=rank,
            history_days=past.hours // 24,
            dominant=verdict.side,
            label=verdict.label,
            price_change=verdict.context.price_change,
            funding_percentile=verdict.context.funding_percentile,
            oi_change=verdict.context.oi_change,
            oi_change_7d=verdict.context.oi_change_7d,
            identifiability=sums.identifiability,
            null_reasons=reasons,
        )

    def _verdict(
        self,
        minute: Minute,
        total: Total,
        measured: Measure | None,
        rank: float | None,
        reasons: dict[str, str],
    ) -> Verdict:
        """Whether a side dominates, and what that is called; fills the reasons of its nulls."""
        params = self.params
        side: PositionSide | None = None
        if measured is None:
            why = reasons["lsi"]
        elif total.coverage < params.least_coverage:
            why = f"coverage_below_{params.least_coverage:g}"
        else:
            side, why = self._dominant(measured, rank), "no_side_dominates"
        if side is None:
            if measured is None or total.coverage < params.least_coverage:
                reasons["label"] = reasons["dominant"] = why
            else:
                reasons["dominant"] = why
            reasons.update(dict.fromkeys(CONTEXT, why))
            return Verdict(None, None if "label" in reasons else "two_sided", NO_CONTEXT)
        span = total.span
        context = self._context.of(span, minute, params, reasons)
        return Verdict(side, label_of(side, context, params, reasons), context)

    def _dominant(self, measured: Measure, rank: float | None) -> PositionSide | None:
        """The side whose excess is large, significant and of a large total.

        An unknown rank neither holds nor fails.
        """
        params = self.params
        if abs(measured.adjusted) < params.dominant_logit or abs(measured.z) < params.dominant_z:
            return None
        if rank is not None and rank < params.dominant_percentile:
            return None
        return "long" if measured.adjusted > 0 else "short"

    def parts(self) -> Sequence[Part]:
        """Minutes change each minute, the day's five minutes and the rest at their own steps."""
        day, context = self._day, self._context
        return (
            Part("minutes", self._recent.changed, lambda: _encode((self._recent, day.open))),
            Part("blocks", day.closed.changed, lambda: _encode(day.closed)),
            Part("ordinary", self._ordinary.changed, lambda: _encode(self._ordinary)),
            Part("context", context.fast.changed, lambda: _encode(context.fast)),
            Part("slow", context.slow.changed, lambda: _encode(context.slow)),
        )

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Continue from the parts."""
        if "minutes" in parts:
            self._recent, self._day.open = _decode_minutes(parts["minutes"])
        if "blocks" in parts:
            self._day.closed = _decode_blocks(parts["blocks"])
        if "ordinary" in parts:
            self._ordinary = _decode_ordinary(parts["ordinary"])
        if "context" in parts:
            self._context.fast = _decode_fast(parts["context"])
        if "slow" in parts:
            self._context.slow = _decode_slow(parts["slow"])
        self._usual, self._feeds = {}, None


_encode = msgspec.msgpack.Encoder().encode
_decode_minutes = msgspec.msgpack.Decoder(tuple[Recent, Open]).decode
_decode_blocks = msgspec.msgpack.Decoder(Closed).decode
_decode_ordinary = msgspec.msgpack.Decoder(Ordinary).decode
_decode_slow = msgspec.msgpack.Decoder(SlowContext).decode
_decode_fast = msgspec.msgpack.Decoder(FastContext).decode
