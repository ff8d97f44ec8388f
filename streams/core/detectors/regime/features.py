"""Inputs of the regime: what an hour says against the scope's own past.

Between bars and scores. Each feature has a value (`<name>_raw`) and, ranked among its own last
90 days, a percentile. Promises that a missing input leaves its feature out with a reason, and that
an hour is ranked before it joins the past it is ranked in. With P the close, OI open interest in
coins, h an hour:

    trend          ln(P / EMA_7d(P)) / (sigma_30d sqrt 7), sigma_30d the daily volatility
    trend_size     |trend|
    oi_growth      ln(OI / OI 7 d before)
    oi_drop        -ln(OI / OI 24 h before)
    leverage       OI in dollars over dollars on exchanges, else over market value, else over the
                   mean daily spot volume of 30 d
    funding        mean of (funding per 8 h - anchor), exponential with 24 h
    basis          3-month basis, a fraction a year
    volatility     sqrt(variance of 24 h / daily variance of 30 d)
    liquidations   forced dollars of 24 h over OI in dollars
    drawdown       1 - P / highest price of 30 d
    rally          P / lowest price of 30 d - 1
    depth          dollars within 50 bp of the mid
    imbalance      |(long - short) / (long + short)| of forced dollars, 24 h
"""

from collections.abc import Callable, Mapping
from math import exp, log, sqrt
from typing import Final

import msgspec

from streams.core.detectors.regime.bars import HOUR, HourBar
from streams.core.detectors.regime.history import Day, Hour, Ranks
from streams.core.detectors.regime.params import RegimeParams
from streams.core.results.regimes import LeverageBasis

WEEK_H: Final = 7 * 24
DAY_H: Final = 24
DAYS: Final = 30
LEAST_DAY_H: Final = 12
"""Known hours that a sum over 24 h needs."""
LEAST_MONTH_H: Final = 7 * 24
"""Known hours that a mean over 30 d needs."""
LOOK_BACK_H: Final = 6
"""How much older than asked a past value may be."""
SAMPLED: Final = (
    "trend_size",
    "oi_growth",
    "oi_drop",
    "leverage",
    "funding",
    "basis",
    "volatility",
    "liquidations",
    "drawdown",
    "rally",
    "depth",
    "imbalance",
)
"""Features with a percentile."""
NO_INTEREST: Final = "no_open_interest"
AT_REST: Final = "funding_at_rest"
_BASES: Final[tuple[LeverageBasis, ...]] = ("exchange_reserve", "market_cap", "spot_volume")


class Average(msgspec.Struct, array_like=True):
    """Exponentially weighted mean of values by hour."""

    value: float = 0.0
    hour: int | None = None

    def add(self, hour: int, value: float, hours: float) -> None:
        """Take the value of an hour; the past fades by 1/e in `hours`."""
        share = 1.0 if self.hour is None else 1 - exp(-max(1, hour - self.hour) / hours)
        self.value += share * (value - self.value)
        self.hour = hour


class Raw(msgspec.Struct):
    """Hours of the last day, days of the last month, averages, and what leverage is measured
    against. `interest`: (hour, coins) of the last week.
    """

    hours: list[Hour] = []
    interest: list[tuple[int, float]] = []
    days: list[Day] = []
    price: Average = msgspec.field(default_factory=Average)
    funding: Average = msgspec.field(default_factory=Average)
    basis: LeverageBasis | None = None


class Features(msgspec.Struct, frozen=True):
    """Values and percentiles (0..1) by name, and why others are missing."""

    values: Mapping[str, float]
    ranks: Mapping[str, float]
    missing: Mapping[str, str]


def take(raw: Raw, bar: HourBar, params: RegimeParams) -> None:
    """Add an hour to the recent past; hours come in order."""
    hour = bar.start // HOUR
    close = bar.close if bar.close is not None and bar.close > 0 else None
    oi = bar.oi_base
    if oi is None and bar.oi_usd is not None and close is not None:
        oi = bar.oi_usd / close
    raw.hours = [one for one in raw.hours if one.hour > hour - DAY_H]
    raw.hours.append(
        Hour(hour, close, bar.high, bar.low, bar.long_usd, bar.short_usd, bar.variance)
    )
    raw.interest = [one for one in raw.interest if one[0] >= hour - WEEK_H - LOOK_BACK_H]
    if oi is not None and oi > 0:
        raw.interest.append((hour, oi))
    day = hour // 24
    if not raw.days or raw.days[-1].day != day:
        raw.days = [one for one in raw.days if one.day > day - DAYS]
        raw.days.append(Day(day))
    today = raw.days[-1]
    if bar.high is not None and bar.low is not None:
        today.high = bar.high if today.high is None else max(today.high, bar.high)
        today.low = bar.low if today.low is None else min(today.low, bar.low)
    if bar.variance is not None:
        today.variance += bar.variance
        today.hours += 1
    if bar.spot_usd is not None:
        today.spot_usd += bar.spot_usd
        today.spots += 1
    if close is not None:
        raw.price.add(hour, close, 7 * 24)
    if bar.funding_8h is not None:
        raw.funding.add(hour, bar.funding_8h - params.funding_anchor, 24)


def measure(raw: Raw, ranks: Ranks, bar: HourBar, params: RegimeParams) -> Features:
    """The features of the hour that `take` was last given."""
    found = _Found({}, {})
    now = raw.hours[-1]
    _price(found, raw, now)
    _interest(found, raw, now.hour)
    _leverage(found, raw, ranks, bar)
    _put(found, "funding", raw.funding.value if bar.funding_8h is not None else None, "no_funding")
    _put(found, "basis", bar.basis, "no_dated_futures")
    _forced(found, raw, bar)
    _put(found, "depth", bar.depth_usd, "no_book")
    needed = params.min_feature_days * 24 // params.grain_h
    percentiles: dict[str, float] = {}
    for name in SAMPLED:
        if name in found.values:
            value = found.values[name]
            if ranks.count(name) < needed:
                found.missing[name] = f"history_below_{params.min_feature_days}_days"
            elif name == "funding" and ranks.ties(name, value) >= params.rest_share:
                found.missing[name] = AT_REST
            else:
                percentiles[name] = ranks.rank(name, value)
    return Features(found.values, percentiles, found.missing)


class _Found(msgspec.Struct):
    values: dict[str, float]
    missing: dict[str, str]


def _put(found: _Found, name: str, value: float | None, reason: str) -> None:
    if value is None:
        found.missing[name] = reason
    else:
        found.values[name] = value


def _price(found: _Found, raw: Raw, now: Hour) -> None:
    hours = sum(day.hours for day in raw.days)
    month = sum(day.variance for day in raw.days) / hours * 24 if hours >= LEAST_MONTH_H else None
    known = [one.variance for one in raw.hours if one.variance is not None]
    today = sum(known) / len(known) * 24 if len(known) >= LEAST_DAY_H else None
    flat = month is None or month <= 0
    why = "no_price" if now.close is None else "history_below_7_days" if month is None else "flat"
    ratio = None if flat or month is None or today is None else sqrt(today / month)
    _put(found, "volatility", ratio, why if flat else "no_price")
    trend: float | None = None
    if now.close is not None and month is not None and month > 0 and raw.price.value > 0:
        trend = _cut(log(now.close / raw.price.value) / sqrt(month * 7))
    _put(found, "trend", trend, why)
    _put(found, "trend_size", None if trend is None else abs(trend), why)
    high = _extreme(max, [day.high for day in raw.days])
    low = _extreme(min, [day.low for day in raw.days])
    close = now.close
    _put(found, "drawdown", max(0.0, 1 - close / high) if close and high else None, "no_price")
    _put(found, "rally", max(0.0, _cut(close / low - 1)) if close and low else None, "no_price")


def _interest(found: _Found, raw: Raw, hour: int) -> None:
    now = interest_now(raw, hour)
    for name, back, sign in (("oi_growth", WEEK_H, 1), ("oi_drop", DAY_H, -1)):
        before = interest_at(raw, hour - back)
        change = None if now is None or before is None else sign * log(now / before) + 0.0
        _put(found, name, change, NO_INTEREST if now is None else f"{NO_INTEREST}_{back}_h_ago")


def _leverage(found: _Found, raw: Raw, ranks: Ranks, bar: HourBar) -> None:
    spots = sum(day.spots for day in raw.days)
    volume = sum(day.spot_usd for day in raw.days) / spots * 24 if spots >= LEAST_MONTH_H else None
    over = (bar.reserve_usd, bar.market_cap_usd, volume)
    for basis, usd in zip(_BASES, over, strict=True):
        if (
            usd
            and usd > 0
            and (raw.basis is None or _BASES.index(basis) <= _BASES.index(raw.basis))
        ):
            if basis != raw.basis:
                # Ratios to different things are not comparable.
                ranks.forget("leverage", bar.start // HOUR)
                raw.basis = basis
            ratio = _cut(bar.oi_usd / usd) if bar.oi_usd is not None else None
            _put(found, "leverage", ratio, NO_INTEREST)
            return
    found.missing["leverage"] = "no_reserve_market_cap_or_spot_volume"


def _forced(found: _Found, raw: Raw, bar: HourBar) -> None:
    longs = [one.long_usd for one in raw.hours if one.long_usd is not None]
    shorts = [one.short_usd for one in raw.hours if one.short_usd is not None]
    enough = len(longs) >= LEAST_DAY_H and len(shorts) >= LEAST_DAY_H
    total = sum(longs) / len(longs) + sum(shorts) / len(shorts) if enough else 0.0
    share = _cut(total * 24 / bar.oi_usd) if enough and bar.oi_usd else None
    thin = "coverage_below_0.6" if len(raw.hours) >= LEAST_DAY_H else "history_below_12_hours"
    _put(found, "liquidations", share, NO_INTEREST if enough else thin)
    lsi = bar.lsi
    if lsi is None and total > 0:
        lsi = (sum(longs) - sum(shorts)) / (sum(longs) + sum(shorts))
    _put(found, "imbalance", None if lsi is None else abs(lsi), "no_liquidations")


def interest_now(raw: Raw, hour: int) -> float | None:
    """Open interest (coins) of this very hour; None when not known."""
    return raw.interest[-1][1] if raw.interest and raw.interest[-1][0] == hour else None


def interest_at(raw: Raw, hour: int) -> float | None:
    """Open interest (coins) at an hour, or at most LOOK_BACK_H before; None when not known."""
    for past, coins in reversed(raw.interest):
        if past <= hour:
            return coins if past >= hour - LOOK_BACK_H else None
    return None


def _extreme(choose: Callable[[list[float]], float], values: list[float | None]) -> float | None:
    known = [one for one in values if one is not None and one > 0]
    return choose(known) if known else None


def _cut(value: float) -> float:
    return max(-1e12, min(1e12, value))
