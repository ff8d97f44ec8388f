"""Alerts of prices, second by second: thin books and sweeps that came back."""

from typing import Any

import pytest

from streams.core.detectors.alerts.detector import Alerts
from streams.core.detectors.alerts.levels import rounds
from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.moment import Moment, Share
from streams.core.detectors.readings import Readings
from streams.core.events import MICROS
from streams.core.frames import BookState, MacroValue, VenueTrades
from streams.core.results import Alert, Liquidity, Zone, ZoneMap
from tests.seconds import START
from tests.signal_rows import META, minute, readings, row, valid

HOUR = 3600
PARAMS = AlertParams()


def alerts(rows: Any) -> list[Alert]:
    return [one for one in valid(list(rows)) if isinstance(one, Alert)]


def restarted(one: Alerts) -> Alerts:
    again = Alerts(one.origin.scope, one.params, META)
    again.restore({part.name: part.encode() for part in one.parts()})
    return again


def moment(at: int, price: float | None = None, **fields: Any) -> Moment:
    scope = fields.pop("scope", "BTC")
    return Moment(scope, START + at, 1.0, ("bybit",), ("bybit",), price=price, **fields)


# Thin books


def book(depth: float, half_spread: float, venue: str = "bybit") -> BookState:
    """A book whose bands hold `depth` dollars a side, spread 2 x `half_spread` about 100."""
    bands = (None, None, round(depth * MICROS), None)
    bid, ask = 100.0 - half_spread, 100.0 + half_spread
    return BookState(venue, "BTCUSDT", "linear", bid, ask, bands, bands, 0)


def ordinary(at: int, **fields: Any) -> Readings:
    """A liquidity row that finds the books at `at` ordinary."""
    found = {"depth_ratio": (None, None, 1.0, None), "spread_ratio": 1.0, **fields}
    return readings(row(Liquidity, at, **found))


def calm() -> Alerts:
    """An hour of minutes that moved 10 bp up and down: sigma of 10 s is 10 sqrt(1/6) bp."""
    one = Alerts("BTC", PARAMS, META)
    for n in range(60):
        if n == 59:
            one.second(moment(HOUR - 5, 100.0, books=(book(1000, 0.01),)), Readings())
        price = 100.0 * (1.001 if n % 2 else 1.0)
        one.minute(minute(60 * n, price), ordinary(60 * (n + 1)))
    return one


def plunge(one: Alerts, price: float, depth: float, half_spread: float) -> list[Alert]:
    """A price of 100, then another 10 s later with a book."""
    one.second(moment(HOUR + 5, 100.0), Readings())
    last = moment(HOUR + 15, price, books=(book(depth, half_spread),))
    return alerts(one.second(last, Readings()))


def test_a_violent_move_through_a_thin_book_is_told() -> None:
    (told,) = plunge(calm(), 99.8, 400, 0.0301)
    assert (told.kind, told.severity) == ("thin_liquidity", "warning")
    assert told.facts["depth_ratio"] == pytest.approx(0.4)
    assert told.facts["spread_ratio"] == pytest.approx(3.01, rel=1e-3)
    assert told.facts["sigmas"] == pytest.approx(-20.02 / 4.08, rel=0.01)
    assert told.text.startswith("BTC moved -20 bp in 10 s (4.9 standard deviations)")


@pytest.mark.parametrize(
    ("price", "depth", "half_spread"),
    [(99.85, 400, 0.0301), (99.8, 510, 0.0301), (99.8, 400, 0.029)],
    ids=["a smaller move", "a deeper book", "a narrower spread"],
)
def test_each_condition_of_a_thin_book_is_necessary(
    price: float, depth: float, half_spread: float
) -> None:
    assert plunge(calm(), price, depth, half_spread) == []


@pytest.mark.parametrize(("depth", "half_spread"), [(300, 0.0301), (400, 0.101)])
def test_a_vacuum_is_critical(depth: float, half_spread: float) -> None:
    (told,) = plunge(calm(), 99.8, depth, half_spread)
    assert told.severity == "critical"


def test_what_is_ordinary_is_told_by_the_liquidity_row() -> None:
    one = calm()
    # The books at the minute's end were already at 0.6 of the ordinary: 700 now are 0.42 of it.
    one.second(moment(HOUR + 50, 100.0, books=(book(1000, 0.01),)), Readings())
    half = ordinary(HOUR + 60, depth_ratio=(None, None, 0.6, None), spread_ratio=2.0)
    one.minute(minute(HOUR, 100.0), half)
    one.second(moment(HOUR + 65, 100.0), Readings())
    last = moment(HOUR + 75, 99.75, books=(book(700, 0.02),))
    (told,) = alerts(one.second(last, Readings()))
    assert told.facts["depth_ratio"] == pytest.approx(0.42)
    assert told.facts["spread_ratio"] == pytest.approx(4.0, rel=1e-3)


def test_without_ordinary_values_a_thin_book_is_silent() -> None:
    one = calm()
    one.minute(minute(HOUR, 100.0), ordinary(HOUR + 60, spread_ratio=None))
    one.second(moment(HOUR + 65, 100.0), Readings())
    last = moment(HOUR + 75, 99.0, books=(book(100, 0.05),))
    assert alerts(one.second(last, Readings())) == []


def test_a_thin_book_is_told_once_within_the_cooldown() -> None:
    one = calm()
    assert len(plunge(one, 99.8, 400, 0.0301)) == 1
    last = moment(HOUR + 16, 99.6, books=(book(100, 0.05),))
    assert alerts(restarted(one).second(last, Readings())) == []


def test_a_stale_price_or_book_is_not_compared() -> None:
    one = calm()
    one.second(moment(HOUR + 1, 100.0), Readings())
    last = moment(HOUR + 40, 99.0, books=(book(100, 0.05),))
    assert alerts(one.second(last, Readings())) == []  # no price 10 to 20 s before
    one.second(moment(HOUR + 50, 99.0), Readings())
    late = moment(HOUR + 80, 98.0)
    assert alerts(one.second(late, Readings())) == []  # the book is 40 s old


# Sweeps: an hour between 99 and 100.4, then above its high and back


def ranged(*, forced: float = 1_000.0, hours: int = 24, **fields: Any) -> Alerts:
    """A day of minutes between 100.0 and 100.4, true range 10 bp, $6,000 of taker volume each."""
    one = Alerts("BTC", PARAMS, META)
    for n in range(60 * hours):
        base = 100.0 + 0.3 * (n % 2)
        full = minute(
            60 * n - (hours - 1) * HOUR,
            base + 0.05,
            high=base + 0.1,
            low=base,
            taker=6_000.0,
            forced={"short": forced / 5, "long": forced / 5},
            **fields,
        )
        one.minute(full, Readings())
    return one


def run(
    one: Alerts,
    path: list[tuple[int, float]],
    *,
    taker: float = 9_000.0,
    forced: float = 2_000.0,
    oi: list[float] | None = None,
    board: Readings | None = None,
) -> list[Alert]:
    """Seconds after the hour with a price each; `taker` and `forced` dollars in each of them."""
    found: list[Alert] = []
    for n, (at, price) in enumerate(path):
        usd = round(forced * MICROS)
        trades = (VenueTrades("bybit", "derivative", round(taker * MICROS), 0),)
        last = moment(
            HOUR + at,
            price,
            trades=trades,
            shares=(Share("BTC", "bybit", usd, usd),),
            oi_volume=None if oi is None else oi[n],
        )
        found += alerts(one.second(last, board or Readings()))
    return found


SWEEP = [(1, 100.35), (5, 100.9), (30, 101.0), (60, 100.45)]
"""High 100.4; true range 0.3 to 0.4, so the overshoot must be 0.3 ATR sqrt 5, about 0.25."""


def test_a_sweep_is_told_only_when_it_has_come_back() -> None:
    one = ranged()
    assert run(one, SWEEP[:3]) == []
    (told,) = run(restarted(one), SWEEP[3:])
    assert (told.kind, told.side, told.severity) == ("sweep_reversal", "short", "info")
    assert told.facts["level"] == 100.4 and told.facts["extreme"] == 101.0
    assert told.facts["overshoot_bp"] == pytest.approx(0.6 / 100.4 * 1e4)
    assert told.facts["returned"] == pytest.approx(0.55 / 0.6)
    assert told.facts["wick"] == pytest.approx(0.55 / 0.65)
    # Three seconds of $9,000 in the 56 s from the crossing on, against $100 a second.
    assert told.facts["taker_ratio"] == pytest.approx(27_000 / 56 / 100)
    assert "swept the 60-minute high 100.4 by 59.8 bp" in told.text
    assert told.unknown == {"event": "no_event_series", "oi_change": "no_open_interest"}


def test_a_sweep_below_takes_longs() -> None:
    (told,) = run(ranged(), [(1, 100.05), (5, 99.5), (30, 99.4), (60, 99.95)])
    assert (told.side, told.facts["level"]) == ("long", 100.0)
    assert "60-minute low" in told.text


@pytest.mark.parametrize(
    "path",
    [
        [(1, 100.35), (5, 100.6), (60, 100.35)],
        [(1, 100.35), (5, 101.0), (60, 100.6)],
        [(1, 100.35), (5, 101.0), (306, 100.4)],
        [(1, 100.05), (5, 101.0), (30, 100.45)],
    ],
    ids=["too little overshoot", "not back", "too late", "too small a wick"],
)
def test_each_condition_of_the_path_is_necessary(path: list[tuple[int, float]]) -> None:
    assert run(ranged(), path, taker=20_000.0) == []


def test_a_sweep_without_volume_or_forced_orders_is_not_told() -> None:
    assert run(ranged(), SWEEP, taker=1_000.0) == []
    assert run(ranged(), SWEEP, taker=9_000.0, forced=100.0) == []


def test_falling_open_interest_stands_for_forced_orders() -> None:
    path, fall = SWEEP, [1000.0, 1000.0, 999.5, 998.5]
    (told,) = run(ranged(), path, taker=9_000.0, forced=0.0, oi=fall)
    assert told.facts["oi_change"] == pytest.approx(-0.0015)
    assert run(ranged(), path, taker=9_000.0, forced=0.0, oi=[1000.0] * 4) == []


def test_without_forced_history_and_open_interest_a_sweep_is_silent() -> None:
    assert run(ranged(hours=2), SWEEP) == []
    assert run(ranged(coverage=0.5), SWEEP) == []


def test_a_sweep_near_a_scheduled_event_is_not_told() -> None:
    one = ranged()
    event = MacroValue("event:FOMC", 1.0, (START + HOUR + 5 + 300) * MICROS)
    one.second(moment(HOUR, macro=(event,)), Readings())
    assert run(one, SWEEP) == []


def test_one_direction_is_told_once_within_the_cooldown() -> None:
    one = ranged()
    again = [(at + 100, price) for at, price in SWEEP]
    assert len(run(one, SWEEP)) == 1
    assert run(one, again) == []


def test_a_zone_is_a_reference_and_its_evidence() -> None:
    zone = Zone(100.5, 100.6, "short", 1, 1, 1, 5.0, 1.0, {})
    board = readings(row(ZoneMap, HOUR, zones=(zone,)))
    one = ranged()
    one.minute(minute(HOUR - 60, 100.35, high=100.7, low=100.3, taker=6_000.0), board)
    (told,) = run(one, [(1, 100.45), (5, 101.2), (60, 100.55)])
    assert told.facts["level"] == 100.5
    assert told.evidence == (board.latest["zones||"].id,)


def test_the_market_has_no_price_to_sweep() -> None:
    one = Alerts("ALL", PARAMS, META)
    one.second(moment(1, 100.0, scope="ALL"), Readings())
    one.minute(minute(0, scope="ALL"), Readings())
    assert one.live.sweeps.price is None and one.by_minute.terrain.bars == []


def test_references_are_forgotten_with_time() -> None:
    one = ranged()
    one.minute(minute(30 * 86400, 100.0), Readings())
    assert len(one.by_minute.terrain.bars) == 1 and one.by_minute.terrain.above == []
    assert one.day.slots == []


@pytest.mark.parametrize("price", [1e-9, 3.3e-7, 1.0, 99_999.0, 1e9])
def test_round_numbers_stand_on_both_sides_of_any_price(price: float) -> None:
    below, above = rounds(price)
    assert 0 < below < price < above
    assert above - below < price


def test_state_stays_small() -> None:
    one = ranged()
    for at in range(60):
        books = tuple(book(1000, 0.01, f"venue-{n}") for n in range(30))
        one.second(moment(HOUR + at, 100.2, books=books), Readings())
    sizes = {part.name: len(part.encode()) for part in one.parts()}
    assert sizes["live"] < 2_000 and sum(sizes.values()) < 16_000
