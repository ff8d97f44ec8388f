"""The hour that the regime is told from, and how live minutes add up to one.

Between minutes and the classifier, so that live data and archived series run the same code.
Promises that an hour holds only what was seen in it: what was not seen is None, never carried
over or guessed.
"""

from math import log
from typing import Final

import msgspec

from streams.core.detectors.minutes import Minute
from streams.core.events import MICROS

HOUR: Final = 3600
DEPTH_BAND: Final = 2
"""Index in DEPTH_BANDS_BP of the band whose depth is told: 50 bp."""
OUTSIDE: Final = ("basis_3m", "exchange_reserve", "market_cap")
"""Outside series that are read; dollars, and for the basis a fraction a year."""
LEAST_COVERAGE: Final = 0.6
"""Forced dollars of an hour with a lower mean coverage are not known."""


class HourBar(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of a scope; `start` is its first second (s, a multiple of 3600).

    `close`, `high`, `low`: price in USD; `variance`: realised variance of log prices within the
    hour. `oi_usd` (dollars) and `oi_base` (coins, or live their chained volume; without it dollars
    over price stand in) at its end; `funding_8h` a fraction per 8 h. `long_usd`, `short_usd`:
    forced dollars by liquidated side. `depth_usd`: mean depth of both sides within 50 bp. `lsi`:
    imbalance of the last 24 h, -1..1. `basis`: 3-month futures over spot, a fraction a year.
    `market_cap_usd`, `reserve_usd`: market value of all coins and of those on exchanges;
    `spot_usd` spot volume.
    """

    start: int
    close: float | None = None
    high: float | None = None
    low: float | None = None
    variance: float | None = None
    oi_usd: float | None = None
    oi_base: float | None = None
    funding_8h: float | None = None
    long_usd: float | None = None
    short_usd: float | None = None
    depth_usd: float | None = None
    lsi: float | None = None
    basis: float | None = None
    market_cap_usd: float | None = None
    reserve_usd: float | None = None
    spot_usd: float | None = None


class OpenHour(msgspec.Struct):
    """The hour in progress (`start`, s; None when none is), added up from minutes."""

    start: int | None = None
    minutes: int = 0
    coverage: float = 0.0
    high: float | None = None
    low: float | None = None
    price: float | None = None
    oi_usd: int | None = None
    oi_volume: float | None = None
    funding_8h: float | None = None
    outside: dict[str, float] = {}
    mark: tuple[int, float] | None = None
    variance: float = 0.0
    returns: int = 0
    long_usd: int = 0
    short_usd: int = 0
    depth: float = 0.0
    depths: int = 0
    spot_usd: int = 0
    spots: int = 0

    def begin(self, start: int) -> None:
        """Start an empty hour; the last price of the one before gives its first return."""
        mark = self.mark
        for name, value in msgspec.structs.asdict(OpenHour()).items():
            setattr(self, name, value)
        self.start, self.mark = start, mark

    def add(self, minute: Minute) -> None:
        """Take a minute of the hour."""
        self.minutes += 1
        self.coverage += minute.coverage
        if minute.high is not None and minute.low is not None:
            self.high = max(minute.high, minute.high if self.high is None else self.high)
            self.low = min(minute.low, minute.low if self.low is None else self.low)
        self.price, self.funding_8h = minute.price, minute.funding_8h
        self.oi_usd, self.oi_volume = minute.oi_usd, minute.oi_volume
        self.outside = {name: minute.macro[name].value for name in OUTSIDE if name in minute.macro}
        if minute.end % 300 == 0 and minute.price is not None and minute.price > 0:
            # Five-minute returns: those of a minute are mostly the bounce between venues.
            if self.mark is not None and self.mark[0] == minute.end - 300:
                self.variance += log(minute.price / self.mark[1]) ** 2
                self.returns += 1
            self.mark = minute.end, minute.price
        for side in ("long", "short"):
            estimated = minute.forced_estimated(side)
            usd = minute.forced_usd(side) if estimated is None else estimated
            if side == "long":
                self.long_usd += usd
            else:
                self.short_usd += usd
        if len(minute.bids) > DEPTH_BAND and len(minute.asks) > DEPTH_BAND:
            bid, ask = minute.bids[DEPTH_BAND], minute.asks[DEPTH_BAND]
            if bid is not None and ask is not None:
                self.depth += (bid + ask) / MICROS
                self.depths += 1
        spot = [one for one in minute.trades if one.market == "spot"]
        if spot:
            self.spot_usd += sum(one.usd for one in spot)
            self.spots += 1

    def bar(self, lsi: float | None) -> HourBar:
        """The hour as of the last minute taken; `lsi` is that of the imbalance over 24 h."""
        if self.start is None:
            raise ValueError("no hour is in progress")
        watched = self.coverage / max(1, self.minutes) >= LEAST_COVERAGE
        return HourBar(
            start=self.start,
            close=self.price,
            high=self.high,
            low=self.low,
            # The missing returns of a thin hour are taken as like those that were seen.
            variance=self.variance / self.returns * 12 if self.returns >= 6 else None,
            oi_usd=None if self.oi_usd is None else self.oi_usd / MICROS,
            oi_base=self.oi_volume,
            funding_8h=self.funding_8h,
            long_usd=self.long_usd / MICROS if watched else None,
            short_usd=self.short_usd / MICROS if watched else None,
            depth_usd=self.depth / self.depths if self.depths else None,
            lsi=lsi,
            basis=self.outside.get("basis_3m"),
            market_cap_usd=self.outside.get("market_cap"),
            reserve_usd=self.outside.get("exchange_reserve"),
            spot_usd=self.spot_usd / MICROS if self.spots else None,
        )
