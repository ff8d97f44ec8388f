"""What the detector says of its liquidation map, and when the map is shown."""

from functools import cache
from heapq import heappop, heappush
from math import exp, log
from random import Random
from typing import Literal

import msgspec
import pytest

from schemas.results import validate_result
from streams.core.detectors.minutes import Forced, Minute
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import HOT
from streams.core.detectors.zones.detector import Zones
from streams.core.detectors.zones.liquidation_price import linear_price
from streams.core.detectors.zones.params import ZoneParams
from streams.core.detectors.zones.score import Forecast, Hour, Score, settle
from streams.core.events import MICROS, PositionSide
from streams.core.frames import Cell, VenueInterest, VenueTrades
from streams.core.results import ZoneMap
from streams.core.rowmeta import RowMeta

META = RowMeta("test", "test", 0)
START = 1_790_000_040
PARAMS = ZoneParams()
SHOWN = msgspec.structs.replace(PARAMS, score_least=50.0)
SIDES: tuple[PositionSide, PositionSide] = ("long", "short")
BYBIT_RATE = 0.005 + 0.00055
"""Maintenance margin of the first tier and the fee that is counted to it."""


def minute(
    number: int,
    price: float | None = 60_000.0,
    low: float | None = None,
    high: float | None = None,
    *,
    held: float | None = 1_000.0,
    forced: tuple[Forced, ...] = (),
    depth: int | None = 1_000_000,
    venues: tuple[str, ...] = ("bybit",),
    scope: str = "BTC",
    funding: float | None = None,
) -> Minute:
    """The `number`-th minute of a scope with one venue; `held` coins, `depth` USD a band."""
    usd = None if held is None or price is None else round(held * price * MICROS)
    interest = () if held is None else (VenueInterest("bybit", usd, held, None, None, None),)
    bands = () if depth is None else (depth * MICROS,) * 4
    return Minute(
        scope=scope,
        start=START + 60 * (number - 1),
        coverage=1.0,
        venues_up=venues,
        venues_all=venues,
        open=price,
        high=high or price,
        low=low or price,
        close=price,
        price=price,
        oi_usd=usd,
        oi_volume=held,
        funding_8h=funding,
        interest=interest,
        forced=forced,
        trades=(),
        bids=bands,
        asks=bands,
        books=(),
        macro={},
    )


def moment(
    second: int, price: float | None, *orders: tuple[PositionSide, int], traded: float = 0.0
) -> Moment:
    """A second with forced orders (side, number) on Bybit and derivative volume in USD."""
    cells = tuple(
        Cell("bybit", "BTCUSDT", side, "liquidation", "all", n, n * 1_000 * MICROS, 1_000 * MICROS)
        for side, n in orders
    )
    trades = (VenueTrades("bybit", "derivative", round(traded * MICROS), 0),) if traded else ()
    return Moment(
        "BTC", START + second, 1.0, ("bybit",), ("bybit",), cells, price=price, trades=trades
    )


def row_of(one: Zones, each: Minute, readings: Readings | None = None) -> ZoneMap:
    (row,) = one.minute(each, readings or Readings())
    assert isinstance(row, ZoneMap)
    validate_result(row)
    return row


def test_the_market_as_a_whole_has_no_map() -> None:
    one = Zones("ALL", PARAMS, META)
    assert one.minute(minute(1, scope="ALL"), Readings()) == ()
    assert one.parts() == ()


@pytest.mark.parametrize(
    ("each", "why"),
    [
        (minute(1, held=None), "no_open_interest"),
        (minute(1, None), "no_price"),
        (minute(1), "too_few_scored_orders"),
    ],
)
def test_a_map_that_cannot_be_shown_is_null_and_says_why(each: Minute, why: str) -> None:
    row = row_of(Zones("BTC", PARAMS, META), each)
    assert row.hidden
    told = (row.zones, row.fuel_below_usd, row.armed, row.pain_long, row.concentration)
    assert told == (None,) * 5
    assert row.null_reasons["zones"] == row.null_reasons["concentration"] == why
    assert row.null_reasons["skill"] == "no_scored_orders"
    assert row.null_reasons["observed_share"] == "no_public_positions"


def test_other_detectors_get_the_fuel_of_a_hidden_map_and_the_row_does_not() -> None:
    one, readings = Zones("BTC", PARAMS, META), Readings()
    row_of(one, minute(1, held=1_000.0), readings)
    row = row_of(one, minute(2, held=1_100.0), readings)
    assert row.hidden and row.fuel_below_usd is None
    assert readings.fuel is not None and readings.fuel.at == START + 120
    # Within 1 %: the 100x longs, 0.45 % below; within 2 % the 50x too, 1.45 % below.
    usd = [value / MICROS for value in readings.fuel.below_usd]
    assert usd[1] == pytest.approx(100.19 * 0.04 * 60_000 * 0.9955, rel=2e-3)
    assert usd[2] == pytest.approx(usd[1] + 100.19 * 0.06 * 60_000 * 0.9855, rel=2e-3)
    assert row.map_usd is not None
    # Within 30 %: 5x and more of the longs, and of the shorts, liquidated at 119.3 % and less.
    assert row.map_usd / MICROS == pytest.approx(100.19 * 0.55 * 60_000 * 2, rel=0.02)


Truth = Literal["as mapped", "anywhere"]


@cache
def live(truth: Truth, restart_at: int = -1) -> list[ZoneMap]:
    """A market with the positions that the map assumes, or with forced orders anywhere.

    The first is no evidence for the map: it holds score and display against a known truth.
    """
    random = Random(11)  # noqa: S311
    one, readings = Zones("BTC", SHOWN, META), Readings()
    # Heaps of liquidation prices, next one first: of longs negative.
    positions: tuple[list[float], list[float]] = ([], [])
    price, held = 60_000.0, 10_000.0
    rows: list[ZoneMap] = []
    for number in range(1, 60 * 24 + 1):
        low = high = price
        for second in (10, 30, 50):
            price *= exp(random.gauss(0, 0.0012))
            low, high = min(low, price), max(high, price)
            found: list[tuple[PositionSide, int]] = []
            for at, side in enumerate(SIDES):
                sign, n = 2 * at - 1, 0
                while positions[at] and positions[at][0] <= sign * price:
                    heappop(positions[at])
                    n += truth == "as mapped"
                if truth == "anywhere":
                    n = int(random.random() < 0.15)
                if n:
                    found.append((side, n))
            at = 60 * (number - 1) + second
            one.second(moment(at, price, *found, traded=random.expovariate(1e-6)), readings)
        held *= 1 + 0.001 * random.random()
        for at, side in enumerate(SIDES):
            for leverage in random.choices(PARAMS.leverages, PARAMS.leverage_shares, k=4):
                place = linear_price(side, price, leverage, BYBIT_RATE)
                assert place is not None
                heappush(positions[at], (2 * at - 1) * place)
        each = minute(number, price, low, high, held=held)
        if number == restart_at:
            stored = {part.name: part.encode() for part in one.parts()}
            one = Zones("BTC", SHOWN, META)
            one.restore(stored)
        (row,) = one.minute(each, readings)
        assert isinstance(row, ZoneMap)
        rows.append(row)
    return rows


def test_a_map_that_tells_where_orders_fall_is_shown() -> None:
    rows = live("as mapped")
    last = rows[-1]
    validate_result(last)
    assert last.skill is not None and last.skill > 0
    assert last.skill_uniform is not None and last.skill_uniform > 0
    assert last.auc is not None and last.auc > 0.55
    assert not last.hidden and last.zones
    assert last.price is not None and last.pain_long is not None and last.pain_short is not None
    assert last.pain_long < last.price < last.pain_short
    distances = [abs(zone.distance_bp) for zone in last.zones]
    assert distances == sorted(distances)
    for zone in last.zones:
        assert sum(zone.leverage_mix.values()) == pytest.approx(1.0)
        assert (zone.distance_bp <= 0) == (zone.side == "long") or zone.distance_bp == 0
        assert zone.age_h < 24
    assert last.fuel_below_usd is not None and last.fuel_depth_below is not None
    assert list(last.fuel_below_usd) == sorted(last.fuel_below_usd)
    assert last.fuel_depth_below == pytest.approx(last.fuel_below_usd[1] / 1e12)


def test_a_map_that_does_not_tell_where_orders_fall_stays_hidden() -> None:
    rows = live("anywhere")
    assert rows[-1].n_scored >= 50
    assert all(row.hidden for row in rows)
    assert rows[-1].null_reasons["zones"] == "no_proven_skill"


@pytest.mark.parametrize("at", [59, 1400])
def test_a_restart_changes_no_row_of_a_map_that_is_shown(at: int) -> None:
    plain, again = live("as mapped"), live("as mapped", restart_at=at)
    assert [msgspec.json.encode(row) for row in again] == [msgspec.json.encode(r) for r in plain]


def test_without_a_book_the_fuel_is_told_and_its_share_of_depth_is_not() -> None:
    one = Zones("BTC", msgspec.structs.replace(PARAMS, score_least=0.0, score_errors=-1e9), META)
    one.minute(minute(1), Readings())
    row = row_of(one, minute(2, held=1_100.0, depth=None))
    assert row.hidden
    one.second(moment(70, 60_000.0, traded=1e6), Readings())
    one.minute(minute(60, 60_000.0), Readings())
    for second in range(3600, 7200, 60):
        one.second(moment(second, 59_700.0, ("long", 2)), Readings())
    for number in range(61, 121):
        one.minute(minute(number, 59_700.0, 59_500.0, 60_000.0), Readings())
    row = row_of(one, minute(121, depth=None))
    assert not row.hidden and row.fuel_below_usd is not None
    assert row.fuel_depth_below is None and row.armed is None
    assert row.null_reasons["fuel_depth_below"] == row.null_reasons["armed"] == "no_book"


def test_a_price_that_leaves_the_map_gives_nulls_and_comes_back() -> None:
    one = Zones("BTC", PARAMS, META)
    for number, price in enumerate((60_000.0, 1e-9, 1e9, 60_000.0, 61_000.0), start=1):
        row = row_of(one, minute(number, price, held=1_000.0 + number))
    assert row.map_usd is not None and row.map_usd >= 0


def test_an_hour_is_judged_only_by_bins_that_the_price_reached() -> None:
    forecast = Forecast(START, 100, ([3.0, 1.0, 1.0, 9.0], [1.0] * 4), ([1.0] * 4, [1.0] * 4))
    hour = Hour(({99: 4, 96: 50}, {101: 7}), lowest=97, highest=101)
    score = Score()
    params = msgspec.structs.replace(PARAMS, score_floor=0.0)
    settle(score, forecast, hour, START + 3600, params)
    # Three bins below were reached: 3/5 of the map against 1/3; one bin above is too few.
    assert score.orders == 4
    assert score.uniform.mean() == pytest.approx(log(0.6 * 3))
    assert score.auc.mean() == 1.0


def test_a_forecast_older_than_two_hours_is_not_scored() -> None:
    forecast = Forecast(START, 100, ([3.0, 1.0, 1.0], [1.0] * 3), None)
    score = Score()
    settle(score, forecast, Hour(({99: 4}, {}), 90, 100), START + 7201, PARAMS)
    assert score.orders == 0


def test_a_burst_of_orders_in_an_hour_counts_as_a_few() -> None:
    forecast = Forecast(START, 100, ([3.0, 1.0, 1.0], [1.0] * 3), None)
    score = Score()
    settle(score, forecast, Hour(({99: 900, 98: 100}, {}), 97, 100), START + 3600, PARAMS)
    assert score.orders == PARAMS.score_hour_cap
    assert score.volume.mean() is None
    assert not score.proven(msgspec.structs.replace(PARAMS, score_least=1.0))


def test_the_state_of_an_asset_stays_below_its_share() -> None:
    random = Random(2)  # noqa: S311
    one, readings = Zones("BTC", PARAMS, META), Readings()
    price = 60_000.0
    largest = hot = 0
    for number in range(1, 181):
        price *= exp(random.gauss(0, 0.02))
        for second in range(60):
            at = 60 * (number - 1) + second
            each = moment(at, price * exp(random.gauss(0, 0.1)), ("long", 3), ("short", 1))
            one.second(each, readings)
        parts = {part.name: part for part in one.parts()}
        hot = max(hot, sum(len(p.encode()) for p in parts.values() if p.version == HOT))
        one.minute(minute(number, price, price * 0.98, price * 1.02), readings)
        largest = max(largest, sum(len(part.encode()) for part in one.parts()))
    assert hot < 2_000
    assert largest < 150_000
