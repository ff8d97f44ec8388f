"""Detector `zones` (1.5): where positions would be liquidated, and whether the map is right.

Coins of open interest are followed minute by minute: what opens is placed at the minute's mean
price, split over leverages and projected to its liquidation price (`liquidation_price`); what the
price crosses is taken out; the rest turns over with a half-life of 5 days. Once an hour the map is
scored on the forced orders since (`zones_score`); a map that does not beat a volume profile and an
even spread is kept and not shown. Emits a row each minute, none for scope `ALL`.
Does not see cross margin, added margin or positions. Definition: docs/definitions/zones.md.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypedDict

import msgspec
from msgspec import UNSET

from streams.core.detectors.minutes import Minute
from streams.core.detectors.moment import STALE_PRICE_S, Moment
from streams.core.detectors.readings import Fuel, Readings
from streams.core.detectors.signal import HOT, Detector, Origin, Part
from streams.core.detectors.zones.map import SIDES, LiquidationMap
from streams.core.detectors.zones.params import ZoneParams
from streams.core.detectors.zones.score import Forecast, Hour, Score, no_orders, settle
from streams.core.detectors.zones.step import Step
from streams.core.detectors.zones.view import View
from streams.core.events import MICROS
from streams.core.frames import DEPTH_BANDS_BP
from streams.core.results import MARKET, Result, Zone, ZoneMap
from streams.core.results.zones import FUEL_DISTANCES
from streams.core.rowmeta import RowMeta
from streams.core.throttle import Doubted, feed

HOUR = 3600
_FUEL = FUEL_DISTANCES.index(0.01)
_DEPTH_BAND = DEPTH_BANDS_BP.index(100)
_encode = msgspec.msgpack.Encoder().encode


class Now(msgspec.Struct):
    """The minute in progress: traded micro-dollars and coins, forced orders by bin."""

    traded: int = 0
    coins: float = 0.0
    price: float | None = None
    price_at: int = 0
    orders: tuple[dict[int, int], dict[int, int]] = msgspec.field(default_factory=no_orders)


class Journal(msgspec.Struct):
    """Steps since the last image of the map, and the hour's forced orders; `at` (s): last end."""

    at: int = 0
    steps: list[Step] = []
    hour: Hour = msgspec.field(default_factory=Hour)


class Judged(msgspec.Struct):
    """The score with the forecast that is being tested; `at` (s): of the last image."""

    at: int = 0
    forecast: Forecast | None = None
    score: Score = msgspec.field(default_factory=Score)


class Told(TypedDict):
    """The fields of ZoneMap that a hidden map does not tell."""

    fuel_below_usd: tuple[int, ...] | None
    fuel_above_usd: tuple[int, ...] | None
    fuel_depth_below: float | None
    fuel_depth_above: float | None
    armed: bool | None
    pain_long: float | None
    pain_short: float | None
    concentration: float | None
    share_within_5pct: float | None
    zones: tuple[Zone, ...] | None


class Zones(Detector):
    """The liquidation map of one asset.

    >>> from streams.core.detectors.zones.map import LiquidationMap
    >>> from streams.core.detectors.zones.step import Step
    >>> one = LiquidationMap("BTC", ZoneParams())
    >>> one.apply(Step(60, 60_000.0, 60_000.0, 60_000.0, interest={"bybit": 1000.0}))
    >>> one.apply(Step(120, 60_000.0, 60_000.0, 60_000.0, interest={"bybit": 1100.0}))
    >>> round(one.known(0), 1), round(one.unknown[0], 1)  # 100 opened, the first 1,000 turn over
    (100.2, 999.8)
    >>> one.apply(Step(180, 54_000.0, 54_000.0, 60_000.0, interest={"bybit": 1065.0}))
    >>> round(one.known(0), 1)  # longs of 10x (liquidated at 54,302) and more are crossed
    65.3
    >>> [round(sum(column), 2) for column in one.sides[0].columns[:-1]]  # 2x, 3x, 5x, 10x, ...
    [25.1, 20.08, 20.08, 0.03, 0.02, 0.01, 0.01]
    """

    name: ClassVar[str] = "zones"

    def __init__(
        self, scope: str, params: ZoneParams, meta: RowMeta, doubted: Doubted = UNSET
    ) -> None:
        self.params = params
        self._doubted = doubted
        self.origin = Origin(params.definition, scope, meta)
        self.map = LiquidationMap(scope, params)
        self._absent = scope == MARKET
        self._now = Now()
        self._journal = Journal()
        self._judged = Judged()
        self._image = b""

    def second(self, moment: Moment, readings: Readings) -> Sequence[Result]:
        """Note where the second's volume and forced orders fell."""
        if self._absent:
            return ()
        now = self._now
        if moment.price is not None and moment.price > 0:
            now.price, now.price_at = moment.price, moment.second
        if not moment.trades and not moment.cells:
            return ()
        if now.price is None or moment.second - now.price_at > STALE_PRICE_S:
            return ()
        usd = sum(t.usd for t in moment.trades if t.market == "derivative")
        if usd:
            now.traded += usd
            now.coins += usd / MICROS / now.price
        for cell in moment.cells:
            if cell.kind != "adl":
                orders = now.orders[SIDES.index(cell.side)]
                at = self.map.bin_of(now.price)
                orders[at] = orders.get(at, 0) + cell.n
        return ()

    def minute(self, minute: Minute, readings: Readings) -> Sequence[Result]:
        """Advance the map by a minute; at the turn of an hour, score it."""
        if self._absent:
            return ()
        step = self._step(minute)
        self.map.apply(step)
        self._journal.steps.append(step)
        self._journal.at = minute.end
        self._note(minute)
        self._now = Now(price=self._now.price, price_at=self._now.price_at)
        if minute.end // HOUR != self._judged.at // HOUR:
            self._turn(minute)
        return (self._row(minute, readings),)

    def _step(self, minute: Minute) -> Step:
        now = self._now
        known = minute.price if minute.price is not None and minute.price > 0 else None
        interest: dict[str, float] = {}
        for venue in minute.interest:
            dollars = None if venue.oi_usd is None else venue.oi_usd / MICROS
            stated = dollars if self.map.inverse(venue.venue) else venue.volume
            if stated is not None and self.map.interest.get(venue.venue) != stated:
                interest[venue.venue] = stated
        return Step(
            minute.end,
            now.traded / MICROS / now.coins if now.coins > 0 else known,
            minute.low if known is not None else None,
            minute.high if known is not None else None,
            self._tilt(minute),
            now.traded / MICROS,
            interest,
            self._forced(minute),
        )

    def _tilt(self, minute: Minute) -> float:
        """How much more leveraged new longs are than the prior; shorts are so much less."""
        params = self.params
        tilt = 0.0
        if minute.funding_8h is not None:
            apart = (minute.funding_8h - params.funding_anchor_8h) / params.funding_unit_8h
            tilt += params.tilt_funding * max(-1.0, min(1.0, apart))
        buy, sell = minute.taker_usd("derivative")
        if buy + sell > 0:
            tilt += params.tilt_taker * (buy - sell) / (buy + sell)
        return tilt

    def _forced(self, minute: Minute) -> tuple[float, float] | None:
        """Dollars liquidated on healthy full feeds."""
        full = {
            venue
            for venue in minute.venues_up
            if feed(venue, minute.start * MICROS, None, self._doubted).feed_class == "full"
        }
        if not full:
            return None
        dollars = [0, 0]
        for one in minute.forced:
            if one.venue in full:
                dollars[SIDES.index(one.side)] += one.usd
        return dollars[0] / MICROS, dollars[1] / MICROS

    def _note(self, minute: Minute) -> None:
        """Add the minute's forced orders and prices to the hour under test."""
        hour = self._journal.hour
        for index, orders in enumerate(self._now.orders):
            whole = hour.orders[index]
            for at in sorted(orders):
                whole[at] = whole.get(at, 0) + orders[at]
        for price in (minute.low, minute.high):
            if price is not None and price > 0:
                hour.reach(self.map.bin_of(price))

    def _turn(self, minute: Minute) -> None:
        """Settle the hour's score, freeze the next forecast and store the map whole."""
        judged = self._judged
        settle(judged.score, judged.forecast, self._journal.hour, minute.end, self.params)
        judged.forecast = None
        view = None if minute.price is None else self._view(minute.price)
        if view is not None and any(sum(usd) > 0 for usd in view.usd):
            judged.forecast = self._forecast(view, minute.end)
        judged.at = minute.end
        self._image = self.map.encode()
        self._journal = Journal(at=minute.end)

    def _forecast(self, view: View, at: int) -> Forecast:
        """Densities of the next bins: the bin of the price itself is not forecast."""
        bins = round(self.params.score_reach / self.map.width)
        maps = [view.smoothed(index)[1 : bins + 1] for index in (0, 1)]
        volumes = [self.map.volume(index, view.price, bins + 1)[1:] for index in (0, 1)]
        traded = any(map(any, volumes)) or sum(self.map.profile.columns[0]) > 0
        return Forecast(
            at,
            self.map.bin_of(view.price),
            (maps[0], maps[1]),
            (volumes[0], volumes[1]) if traded else None,
        )

    def _view(self, price: float | None) -> View | None:
        if price is None or price <= 0 or not self.map.interest:
            return None
        return View.of(self.map, self.params, price)

    def _row(self, minute: Minute, readings: Readings) -> ZoneMap:
        score = self._judged.score
        reasons = {"observed_share": "no_public_positions"}
        view = self._view(minute.price)
        hidden = view is None or not score.proven(self.params)
        readings.fuel = None if view is None else Fuel(minute.end, view.fuel(0), view.fuel(1))
        if minute.price is None:
            reasons["price"] = "no_price"
        if view is None:
            reasons["map_usd"] = self._why_hidden(minute, view)
        if hidden:
            reasons.update(dict.fromkeys(Told.__annotations__, self._why_hidden(minute, view)))
        skill, uniform, area = score.volume.mean(), score.uniform.mean(), score.auc.mean()
        if uniform is None:
            reasons.update(dict.fromkeys(("skill", "skill_uniform", "auc"), "no_scored_orders"))
        else:
            if skill is None:
                reasons["skill"] = "no_volume_profile"
            if area is None:
                reasons["auc"] = "no_bin_without_orders"
        return ZoneMap(
            **self.origin.head("zones", minute.end, minute.coverage),
            price=minute.price,
            hidden=hidden,
            skill=skill,
            skill_uniform=uniform,
            auc=None if area is None else min(1.0, max(0.0, area)),
            n_scored=int(score.orders),
            observed_share=None,
            map_usd=None if view is None else view.map_usd,
            **self._told(None if hidden else view, minute, reasons),
            null_reasons=reasons,
        )

    def _why_hidden(self, minute: Minute, view: View | None) -> str:
        if minute.price is None:
            return "no_price"
        if view is None:
            return "no_open_interest" if not self.map.interest else "price_left_map"
        few = self._judged.score.orders < self.params.score_least
        return "too_few_scored_orders" if few else "no_proven_skill"

    def _told(self, view: View | None, minute: Minute, reasons: dict[str, str]) -> Told:
        """What a map that is shown says; all None of one that is not."""
        if view is None:
            return Told(
                fuel_below_usd=None,
                fuel_above_usd=None,
                fuel_depth_below=None,
                fuel_depth_above=None,
                armed=None,
                pain_long=None,
                pain_short=None,
                concentration=None,
                share_within_5pct=None,
                zones=None,
            )
        below, above = view.fuel(0), view.fuel(1)
        ratios: list[float | None] = []
        for name, usd, bands in (("below", below, minute.bids), ("above", above, minute.asks)):
            depth = bands[_DEPTH_BAND] if bands else None
            if not depth:
                why = "no_book" if not bands else "no_depth" if depth == 0 else "book_too_short"
                reasons[f"fuel_depth_{name}"] = why
            ratios.append(usd[_FUEL] / depth if depth else None)
        told = Told(
            fuel_below_usd=below,
            fuel_above_usd=above,
            fuel_depth_below=ratios[0],
            fuel_depth_above=ratios[1],
            armed=self._armed(ratios),
            pain_long=view.pain(0),
            pain_short=view.pain(1),
            concentration=view.concentration(),
            share_within_5pct=view.share_near(),
            zones=view.zones(),
        )
        if told["armed"] is None:
            reasons["armed"] = "no_book" if not minute.bids else "book_too_short"
        for field in ("pain_long", "pain_short", "concentration", "share_within_5pct"):
            if told[field] is None:
                reasons[field] = "empty_map"
        return told

    def _armed(self, ratios: Sequence[float | None]) -> bool | None:
        """Whether fuel exceeds depth on a side; unknown while a side that could be is unknown."""
        known = [ratio for ratio in ratios if ratio is not None]
        if any(ratio > self.params.armed_ratio for ratio in known):
            return True
        return False if len(known) == len(ratios) else None

    def parts(self) -> Sequence[Part]:
        """The minute in progress, the steps of the hour, the map at its turn, and the score."""
        if self._absent:
            return ()
        turned = self._judged.at
        return (
            Part("now", HOT, lambda: _encode(self._now)),
            Part("journal", self._journal.at, lambda: _encode(self._journal)),
            Part("map", turned, lambda: self._image),
            Part("judged", turned, lambda: _encode(self._judged)),
        )

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Continue: the map is the image of the last hour and the steps since."""
        if now := parts.get("now"):
            self._now = _decode_now(now)
        if journal := parts.get("journal"):
            self._journal = _decode_journal(journal)
        if judged := parts.get("judged"):
            self._judged = _decode_judged(judged)
        self._image = parts.get("map", b"")
        self.map = LiquidationMap(self.origin.scope, self.params)
        if self._image:
            self.map.restore(self._image)
        for step in self._journal.steps:
            self.map.apply(step)


_decode_now = msgspec.msgpack.Decoder(Now).decode
_decode_journal = msgspec.msgpack.Decoder(Journal).decode
_decode_judged = msgspec.msgpack.Decoder(Judged).decode
