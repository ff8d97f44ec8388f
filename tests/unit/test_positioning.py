"""Positioning by price against coins, and funding on each venue's own cycle."""

import json
from collections.abc import Mapping

import msgspec
import pytest

from schemas.results import validate_result
from streams.core.detectors.minutes import Minute
from streams.core.detectors.positioning.detector import PositioningDetector
from streams.core.detectors.positioning.params import PositioningParams, PositioningWindow
from streams.core.detectors.readings import Readings
from streams.core.events import MICROS
from streams.core.frames import VenueInterest
from streams.core.results import MARKET, Funding, Positioning
from tests.seconds import META

MIDNIGHT = 1_790_035_200
BYBIT, OKX = "bybit", "okx"
HOUR_S = 3600


class Scope:
    """A detector fed minute by minute from midnight on; keeps the rows, all validated."""

    def __init__(self, scope: str = "BTC", params: PositioningParams | None = None) -> None:
        self.scope = scope
        self.params = params or PositioningParams()
        self.detector = PositioningDetector(scope, self.params, META)
        self.positions: list[Positioning] = []
        self.funding: list[Funding] = []

    def minute(
        self,
        at: int,
        price: float | None = 100.0,
        coins: Mapping[str, float | None] | None = None,
        rates: Mapping[str, tuple[float, int | None, int | None]] | None = None,
        volume: float | None = None,
        mark: float | None = None,
    ) -> None:
        """Close the minute `at` (minutes since midnight).

        `coins` by venue, worth `mark` (the price) each; `rates`: (rate, cycle in hours, due at
        hours since midnight); `volume`: the scope's index, the sum of coins if it is not given.
        """
        coins, rates = coins or {}, rates or {}
        mark = mark or price
        interest = []
        for venue in sorted({*coins, *rates}):
            held = coins.get(venue)
            usd = None if held is None or mark is None else round(held * mark * MICROS)
            rate, cycle, due = rates.get(venue, (None, None, None))
            interest.append(
                VenueInterest(
                    venue,
                    usd,
                    held,
                    rate,
                    None if cycle is None else cycle * HOUR_S,
                    None if due is None else (MIDNIGHT + due * HOUR_S) * MICROS,
                )
            )
        held_all = [held for held in coins.values() if held is not None]
        dollars = [one.oi_usd for one in interest if one.oi_usd is not None]
        minute = Minute(
            self.scope,
            MIDNIGHT + at * 60,
            1.0,
            (BYBIT,),
            (BYBIT,),
            *(price,) * 5,
            sum(dollars) if dollars else None,
            sum(held_all) if volume is None and held_all else volume,
            None,
            tuple(interest),
            (),
            (),
            (),
            (),
            (),
            {},
        )
        for row in self.detector.minute(minute, Readings()):
            validate_result(row)
            if isinstance(row, Funding):
                self.funding.append(row)
            else:
                assert isinstance(row, Positioning)
                self.positions.append(row)

    def last(self, window_s: int, venue: str | None = None) -> Positioning:
        """The last row of a window."""
        rows = [row for row in self.positions if (row.window_s, row.venue) == (window_s, venue)]
        return rows[-1]

    def restart(self) -> None:
        """Pass the state through its parts."""
        stored = {part.name: part.encode() for part in self.detector.parts()}
        self.detector = PositioningDetector(self.scope, self.params, META)
        self.detector.restore(stored)


@pytest.mark.parametrize(
    ("price", "coins", "name"),
    [
        (101.0, 1_020.0, "new_longs"),
        (101.0, 980.0, "short_covering"),
        (99.0, 1_020.0, "new_shorts"),
        (99.0, 980.0, "long_flush"),
        (100.05, 1_020.0, "flat"),
        (101.0, 1_000.5, "flat"),
    ],
)
def test_price_and_coins_name_who_acts(price: float, coins: float, name: str) -> None:
    scope = Scope()
    for at in range(45):
        scope.minute(at, 100.0, {BYBIT: 1_000.0})
    scope.minute(45, price, {BYBIT: coins})
    row = scope.last(900)
    assert row.quadrant == name
    assert row.price_change == pytest.approx(price / 100 - 1)
    assert row.oi_change == pytest.approx(coins / 1_000 - 1)
    assert row.oi_change_usd == pytest.approx((coins - 1_000) * price * MICROS, rel=1e-6)
    assert (row.oi_base, row.price) == (coins, price)


def test_a_window_compares_with_the_minute_exactly_its_length_ago() -> None:
    scope = Scope()
    for at in range(30):
        scope.minute(at, 100.0 + at, {BYBIT: 1_000.0 + at})
    row = scope.last(900)
    assert row.price_change == pytest.approx(129 / 114 - 1)
    assert row.oi_change == pytest.approx(1_029 / 1_014 - 1)


def test_dollars_that_rise_with_the_price_are_no_new_positions() -> None:
    scope = Scope()
    for at in range(60):
        scope.minute(at, 100.0 * 1.01**at, {BYBIT: 1_000.0})
    row = scope.last(900)
    assert (row.oi_change, row.quadrant) == (0.0, "flat")
    assert row.oi_usd is not None and row.oi_usd > 1.5e5 * MICROS


def test_the_first_ten_minutes_of_a_venue_are_not_compared() -> None:
    scope = Scope()
    for at in range(10, 45):
        scope.minute(at, 100.0, {BYBIT: 1_000.0 * min(at - 9, 5)})
        if at in (14, 29, 44):
            assert (scope.last(900, BYBIT).oi_change is not None) == (at == 44)
    assert scope.last(900, BYBIT).oi_change == 0.0


def test_a_venue_that_fell_silent_says_so_for_a_day_and_settles_anew() -> None:
    scope = Scope()
    for at in range(45):
        scope.minute(at, 100.0, {BYBIT: 1_000.0, OKX: 500.0})
    for at in range(45, 60):
        scope.minute(at, 100.0, {BYBIT: 1_000.0}, volume=1_500.0)
    row = scope.last(900, OKX)
    assert (row.oi_usd, row.oi_base, row.oi_change, row.quadrant) == (None,) * 4
    assert set(row.null_reasons.values()) == {"silent_for_600_s"}
    assert (scope.last(900).oi_change, scope.last(900).quadrant) == (0.0, "flat")
    assert scope.last(900).oi_by_venue == {BYBIT: 100_000 * MICROS}
    for at in range(60, 1_500):
        scope.minute(at, 100.0, {BYBIT: 1_000.0}, volume=1_500.0)
    silent = [row.at // MICROS - MIDNIGHT for row in scope.positions if row.venue == OKX]
    assert silent[-1] == 45 * 60 + 86_400 - 900


def test_a_venues_row_speaks_of_its_own_open_interest() -> None:
    scope = Scope()
    for at in range(60):
        grown = 1_000.0 * (1.0 if at < 50 else 1.5)
        scope.minute(at, 100.0, {BYBIT: grown, OKX: 4_000.0})
    assert scope.last(900, BYBIT).oi_change == pytest.approx(0.5)
    assert scope.last(900, OKX).oi_change == 0.0
    assert scope.last(900).oi_change == pytest.approx(0.1)
    assert scope.last(900).oi_by_venue == {BYBIT: 150_000 * MICROS, OKX: 400_000 * MICROS}
    assert scope.last(900, BYBIT).oi_by_venue == {}


def test_rows_come_at_their_steps() -> None:
    scope = Scope()
    for at in range(60):
        scope.minute(at, 100.0, {BYBIT: 1_000.0})
    counted = {
        (row.window_s, row.venue): sum(
            (row.window_s, row.venue) == (one.window_s, one.venue) for one in scope.positions
        )
        for row in scope.positions
    }
    assert counted == {
        (900, None): 60,
        (14_400, None): 12,
        (86_400, None): 4,
        (900, BYBIT): 4,
        (14_400, BYBIT): 4,
        (86_400, BYBIT): 4,
    }
    assert len(scope.funding) == 12


def test_the_market_is_read_from_its_volume_and_has_no_coins() -> None:
    scope = Scope(MARKET)
    for at in range(30):
        scope.minute(at, 100.0 - at, {BYBIT: 1.0}, volume=1.0 if at < 20 else 0.9, mark=1e6)
    row = scope.last(900)
    assert (row.oi_base, row.null_reasons["oi_base"]) == (None, "many_coins")
    assert row.oi_change == pytest.approx(-0.1)
    assert row.quadrant == "long_flush"


def test_without_open_interest_the_price_alone_is_told() -> None:
    scope = Scope()
    for at in range(30):
        scope.minute(at, 100.0 + at)
    row = scope.last(900)
    assert row.price_change == pytest.approx(129 / 114 - 1)
    assert (row.oi_usd, row.oi_change, row.quadrant) == (None, None, None)
    assert set(row.null_reasons.values()) == {"no_open_interest"}
    assert [row.at // MICROS - MIDNIGHT for row in scope.positions if row.window_s == 900] == [
        900,
        1800,
    ]


def test_without_anything_every_null_has_its_reason() -> None:
    scope = Scope()
    scope.minute(14, None)
    assert scope.last(900).null_reasons == {
        "price": "no_price",
        "price_change": "no_price",
        "oi_usd": "no_open_interest",
        "oi_base": "no_open_interest",
        "oi_change": "no_open_interest",
        "oi_change_usd": "no_open_interest",
        "quadrant": "no_open_interest",
    }
    assert scope.funding[-1].null_reasons["rate_8h"] == "no_funding"


def test_a_gap_longer_than_a_windows_step_leaves_it_unknown() -> None:
    scope = Scope()
    for at in [*range(30), *range(600, 610)]:
        scope.minute(at, 100.0, {BYBIT: 1_000.0})
    row = scope.last(900)
    assert (row.oi_change, row.null_reasons["oi_change"]) == (None, "history_below_900_s")


def test_open_interest_too_small_to_read_has_no_quadrant() -> None:
    scope = Scope()
    for at in range(30):
        scope.minute(at, 1.0 + at, {BYBIT: 10.0 + at})
    assert scope.last(900).quadrant is None
    assert scope.last(900).null_reasons["quadrant"] == "open_interest_too_small"


def test_rates_are_brought_to_eight_hours_by_each_venues_own_cycle() -> None:
    scope = Scope()
    rates = {BYBIT: (0.0002, 8, 8), OKX: (0.0001, 1, 1)}
    scope.minute(4, 100.0, {BYBIT: 3_000.0, OKX: 1_000.0}, rates)
    row = scope.funding[-1]
    assert {one.venue: one.rate_8h for one in row.venues} == pytest.approx(
        {BYBIT: 0.0002, OKX: 0.0008}
    )
    mean = (3 * 0.0002 + 0.0008) / 4
    assert row.rate_8h == pytest.approx(mean)
    assert row.annualised == pytest.approx(mean * 3 * 365)
    spread = (0.75 * (0.0002 - mean) ** 2 + 0.25 * (0.0008 - mean) ** 2) ** 0.5
    assert row.dispersion_8h == pytest.approx(spread)
    assert (row.highest_venue, row.lowest_venue) == (OKX, BYBIT)


def test_a_rate_of_unknown_cycle_is_told_and_has_no_part_in_the_mean() -> None:
    scope = Scope()
    scope.minute(4, 100.0, {BYBIT: 1_000.0}, {BYBIT: (0.0001, None, 4)})
    (row,) = scope.funding
    assert (row.rate_8h, row.null_reasons["rate_8h"]) == (None, "no_funding_cycle")
    assert (row.venues[0].rate, row.venues[0].interval_s) == (0.0001, None)


def test_a_window_that_its_steps_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="every_s=420"):
        PositioningWindow(900, 420, 0.001, 0.001)


def test_a_restart_after_any_minute_changes_nothing() -> None:
    one, other = Scope(), Scope()
    for at in [*range(100), *range(400, 460), *range(1500, 1560)]:
        coins = {BYBIT: 1_000.0 + at % 37, OKX: None if at < 20 else 500.0 + at % 11}
        rates = {BYBIT: (0.0001 * (at % 3), None, 8 * (at // 480 + 1))}
        for scope in (one, other):
            scope.minute(at, 100.0 + at % 13, coins, rates)
        other.restart()
    assert one.positions == other.positions
    assert one.funding == other.funding
    assert len(one.positions) > 200


def test_a_part_keeps_its_version_while_its_content_stands() -> None:
    scope = Scope()
    seen: dict[tuple[str, int], bytes] = {}
    for at in range(100):
        scope.minute(at, 100.0, {BYBIT: 1_000.0 + at})
        for part in scope.detector.parts():
            assert seen.setdefault((part.name, part.version), part.encode()) == part.encode()


def test_extremes_stay_finite() -> None:
    scope = Scope()
    for at in range(120):
        price = 1e9 if at % 2 else 1e-9
        coins = {BYBIT: 0.0 if at % 7 == 0 else 4e3 / (at % 5 + 1), OKX: 1e-9 if at % 3 else 4e3}
        scope.minute(at, price, coins, {BYBIT: (1e9, 1, 1), OKX: (-1e9, None, 2)})
        for row in (*scope.positions[-9:], *scope.funding[-1:]):
            json.dumps(msgspec.to_builtins(row), allow_nan=False)
