"""Minutes of one scope for tests of the regime: a market whose figures a test sets hour by hour."""

from collections.abc import Sequence

import msgspec

from schemas.results import validate_result
from streams.core.detectors.minutes import Forced, Minute
from streams.core.detectors.readings import Readings
from streams.core.detectors.regime.detector import RegimeDetector
from streams.core.detectors.regime.params import RegimeParams
from streams.core.events import MICROS
from streams.core.frames import MacroValue, VenueTrades
from streams.core.results import (
    CascadeWindow,
    Regime,
    RegimeResolution,
    RegimeTransition,
    Result,
    Severity,
    WindowClass,
)
from tests.seconds import META, Scope

START = 1_790_035_200
"""00:00 UTC of a day of September 2026."""
HOUR = 3600


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """What stands for an hour; dollars. The price swings by `swing` (a fraction) each 5 minutes."""

    price: float = 50_000.0
    swing: float = 0.001
    oi_base: float | None = 100_000.0
    funding_8h: float | None = 0.0001
    long_usd: float = 100_000.0
    short_usd: float = 80_000.0
    spot_usd: float | None = 1e8
    depth_usd: float | None = 2e7
    coverage: float = 1.0
    macro: dict[str, float] = {}


def minute(start: int, market: Market, scope: str = "BTC") -> Minute:
    """One of the twelve minutes of an hour that end on 5 minutes; flows are a twelfth."""
    sign = 1 if start // 300 % 2 else -1
    price = market.price * (1 + sign * market.swing / 2)
    oi = market.oi_base
    longs, shorts = round(market.long_usd / 12 * MICROS), round(market.short_usd / 12 * MICROS)
    forced = (
        Forced("bybit", "long", 1, longs, 1.0, longs, longs, "ok"),
        Forced("bybit", "short", 1, shorts, 1.0, shorts, shorts, "ok"),
    )
    spot = market.spot_usd
    half = None if market.depth_usd is None else round(market.depth_usd / 2 * MICROS)
    bands = () if half is None else (None, None, half, None)
    return Minute(
        scope=scope,
        start=start,
        coverage=market.coverage,
        venues_up=("bybit",),
        venues_all=("bybit",),
        open=price,
        high=price,
        low=price,
        close=price,
        price=price,
        oi_usd=None if oi is None else round(oi * market.price * MICROS),
        oi_volume=oi,
        funding_8h=market.funding_8h,
        interest=(),
        forced=forced,
        trades=() if spot is None else (VenueTrades("bybit", "spot", round(spot / 12 * 1e6), 0),),
        bids=bands,
        asks=bands,
        books=(),
        macro={name: MacroValue(name, value, 0) for name, value in market.macro.items()},
    )


class Run:
    """A detector, its board and all that it said; every row is validated."""

    def __init__(self, params: RegimeParams | None = None, scope: str = "BTC") -> None:
        self.params = params or RegimeParams()
        self.scope = scope
        self.detector = RegimeDetector(scope, self.params, META)
        self.readings = Readings()
        self.rows: list[Result] = []
        self.at = START

    def hours(self, *markets: Market) -> None:
        """One hour of each market."""
        for market in markets:
            self.minutes(market, 12)

    def minutes(self, market: Market, count: int) -> None:
        """`count` steps of five minutes, of which the last minute is given."""
        for _ in range(count):
            self.take(minute(self.at + 240, market, self.scope))
            self.at += 300

    def take(self, one: Minute) -> Sequence[Result]:
        """Apply a minute."""
        rows = self.detector.minute(one, self.readings)
        for row in rows:
            validate_result(row)
        self.rows += rows
        return rows

    def restart(self) -> None:
        """Continue in a new detector from the parts of this one."""
        parts = {part.name: part.encode() for part in self.detector.parts()}
        self.detector = RegimeDetector(self.scope, self.params, META)
        self.detector.restore(parts)

    def said(self) -> list[Regime]:
        """Readings so far."""
        return [row for row in self.rows if isinstance(row, Regime)]

    def last(self) -> Regime:
        """The last reading."""
        return self.said()[-1]

    def transitions(self) -> list[RegimeTransition]:
        """Changes of phase so far."""
        return [row for row in self.rows if isinstance(row, RegimeTransition)]

    def resolutions(self) -> list[RegimeResolution]:
        """Outcomes so far."""
        return [row for row in self.rows if isinstance(row, RegimeResolution)]


def ordinary(day: int, hour: int) -> Market:
    """An hour of a market whose figures repeat every five days, none of them in a tail."""
    beat = (day * 24 + hour) % 120 / 120
    wave = abs(beat - 0.5) - 0.25
    return Market(
        price=50_000 * (1 + 0.02 * wave),
        swing=0.001 * (1 + wave),
        oi_base=100_000 * (1 + 0.04 * wave),
        funding_8h=0.0001 * (1 + wave),
        long_usd=100_000 * (1 + wave),
        short_usd=80_000 * (1 - wave),
    )


def days(count: int, first: int = 0) -> list[Market]:
    """Hours of `count` ordinary days."""
    return [ordinary(day, hour) for day in range(first, first + count) for hour in range(24)]


def cascade(
    severity: Severity | None = "major", window_class: WindowClass = "cascade"
) -> CascadeWindow:
    """An open window of a severity."""
    scope = Scope()
    scope.flow(0, 120)
    window = scope.window()
    return msgspec.structs.replace(
        window, severity=severity, window_class=window_class, closed_at=None, is_final=False
    )
