"""Volatility counts fresh prices only, and splits their variance without inventing inputs."""

from math import exp, log, pi, sqrt

import msgspec
import pytest

from schemas.results import validate_result
from streams.core.detectors.minutes import Minute
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Readings
from streams.core.detectors.signal import HOT
from streams.core.detectors.volatility.baseline import HourBaseline
from streams.core.detectors.volatility.detector import Volatility
from streams.core.detectors.volatility.params import VolatilityParams
from streams.core.detectors.volatility.returns import Prices, Step, Sums, jump_of
from streams.core.events import MICROS
from streams.core.frames import Cell, MacroValue, VenueTrades
from streams.core.results import Result
from streams.core.results import Volatility as Row
from tests.seconds import META, cell

PARAMS = VolatilityParams()
UP = ("bybit",)
START = 1_790_000_400
"""A second at which a block of 5 minutes begins."""


class Scope:
    """A detector driven by seconds and minutes counted from START; keeps the valid rows."""

    def __init__(self) -> None:
        self.detector = Volatility("BTC", PARAMS, META)
        self.rows: list[Row] = []
        self.macro: dict[str, float] = {}
        self.close: float | None = None

    def second(
        self,
        at: int,
        price: float | None = None,
        *cells: Cell,
        taker: int = 0,
        coverage: float = 1.0,
    ) -> None:
        """`taker` is the volume of each side, USD."""
        trades = (VenueTrades("bybit", "derivative", taker * MICROS, taker * MICROS),)
        moment = Moment(
            "BTC",
            START + at,
            coverage,
            UP,
            UP,
            cells,
            price=price,
            trades=trades if taker else (),
        )
        self.close = price or self.close
        assert not self.detector.second(moment, Readings())

    def minute(self, end: int, *, age_s: int = 0) -> dict[int, Row]:
        """Close the minute before `end`; gives its rows by window."""
        stamp = (START + end - age_s) * MICROS
        macro = {name: MacroValue(name, value, stamp) for name, value in self.macro.items()}
        price = self.close
        minute = Minute(
            "BTC",
            START + end - 60,
            1.0,
            UP,
            UP,
            price,
            price,
            price,
            price,
            price,
            None,
            None,
            None,
            (),
            (),
            (),
            (),
            (),
            (),
            macro,
        )
        rows = [row for row in self.detector.minute(minute, Readings()) if isinstance(row, Row)]
        for row in rows:
            validate_result(row)
        self.rows += rows
        return {row.window_s: row for row in rows}


def swing(scope: Scope, begin: int, stop: int, move: float, step: int = 5) -> None:
    """Prices that rise and fall by `move` (log) in turn."""
    for at in range(begin, stop, step):
        scope.second(at, 100 * exp(move * (at // step % 2)), taker=1_000_000)


def test_a_row_sums_the_squares_of_five_second_returns() -> None:
    scope = Scope()
    swing(scope, 0, 600, 1e-3)
    row = scope.minute(600)[300]
    assert row.realised == pytest.approx(60e-6)
    assert row.semivariance_up == pytest.approx(30e-6)
    assert row.semivariance_down == pytest.approx(30e-6)
    assert row.annualised == pytest.approx(sqrt(60e-6 / 300 * 365 * 86400))
    assert row.bipower == pytest.approx(pi / 2 * 60e-6)
    assert row.jump == 0.0
    assert row.jump_significant is False


def test_rows_of_a_day_come_each_five_minutes() -> None:
    scope = Scope()
    swing(scope, 0, 600, 1e-3)
    assert [sorted(scope.minute(end)) for end in (540, 600)] == [[300, 3600], [300, 3600, 86400]]


def test_a_price_that_stands_for_want_of_trades_is_no_return() -> None:
    often, rarely = Scope(), Scope()
    for at in range(0, 600, 5):
        price = 100 * exp(1e-3 * (at // 20 % 2))
        often.second(at, price)
        if at % 20 == 0:
            rarely.second(at, price)
    dense = often.minute(600)[300]
    sparse = rarely.minute(600)[300]
    assert sparse.realised == pytest.approx(15e-6)
    assert sparse.realised == pytest.approx(dense.realised)
    assert sparse.bipower == pytest.approx(pi / 2 * 15e-6)
    assert dense.bipower is None
    assert dense.null_reasons["bipower"] == "price_stands"


def test_a_move_across_a_gap_is_no_return() -> None:
    scope = Scope()
    swing(scope, 0, 300, 1e-3)
    for at in range(400, 700, 5):
        scope.second(at, 200 * exp(1e-3 * (at // 5 % 2)))
    row = scope.minute(720)[300]
    assert row.realised is not None
    assert row.realised < 60e-6


def test_bipower_of_unequal_returns_has_the_scale_of_variance() -> None:
    prices = Prices()
    steps: list[Step] = []
    # Returns over 5, 10, 5, 10 ... seconds, each as large as its length commands at 1e-8 a second.
    at, price = 0, 1.0
    for i in range(200):
        prices.add(at, price)
        found = prices.finish(at + 5, PARAMS)
        if found is not None:
            steps.append(found)
        length = 5 if i % 2 else 10
        at, price = at + length, price * exp(1e-4 * sqrt(length))
    warm = [step for step in steps if step.warm]
    seconds = sum(step.end - step.begin for step in warm)
    assert len(warm) == 197
    assert sum(step.bipower for step in warm) == pytest.approx(pi / 2 * 1e-8 * seconds, rel=0.01)


def test_one_leap_among_even_returns_is_a_jump() -> None:
    scope = Scope()
    for at in range(0, 600, 5):
        leap = 0.02 if at >= 450 else 0.0
        scope.second(at, 100 * exp(1e-3 * (at // 5 % 2) + leap))
    row = scope.minute(600)[300]
    assert row.jump_significant is True
    assert row.jump is not None and row.jump > 2.5e-4
    assert row.jump_z is not None and row.jump_z > PARAMS.jump_level


def test_a_price_that_never_moves_has_no_jump_statistic() -> None:
    assert jump_of(Sums(n=60, moves=60, seconds=300)).z is None
    scope = Scope()
    swing(scope, 0, 600, 0.0)
    row = scope.minute(600)[300]
    assert row.realised == 0.0
    assert row.null_reasons["jump_z"] == "price_stands"
    assert row.null_reasons["forced"] == "no_variance"


def test_without_prices_everything_is_null_with_a_reason() -> None:
    scope = Scope()
    scope.second(0, None, cell("long"))
    row = scope.minute(60)[300]
    assert row.realised is None
    assert row.null_reasons["realised"] == "no_price"
    assert row.null_reasons["forced"] == "no_price"
    assert row.null_reasons["macro"] == "no_macro"
    assert row.null_reasons["unexplained"] == "history_below_14_days"


def test_a_window_that_prices_hardly_cover_is_null() -> None:
    scope = Scope()
    swing(scope, 0, 600, 1e-3)
    rows = scope.minute(600)
    assert rows[300].realised is not None
    assert rows[3600].null_reasons["realised"] == "prices_below_0.6"


def falls(scope: Scope, side: str, *, taker: int = 1_000_000, until: int = 4200) -> Row:
    """An hour of swings of 1e-4, then five minutes with a fall of 2e-3 each minute, and an order
    of $200k closed in the fall.
    """
    level = 0.0
    for at in range(0, until, 5):
        cells: tuple[Cell, ...] = ()
        if at >= 3900 and at % 60 == 30:
            level -= 2e-3
            cells = (cell("long" if side == "long" else "short", 200_000),)
        scope.second(at, 100 * exp(level + 1e-4 * (at // 5 % 2)), *cells, taker=taker)
    return scope.minute(until)[300]


def test_falls_with_closed_longs_are_forced_variance() -> None:
    row = falls(Scope(), "long")
    assert row.realised is not None and row.forced is not None
    squares = 5 * (2e-3 + 1e-4) ** 2
    assert squares / row.realised > 0.9
    # Each fall has a matched second's variance taken off: 1e-8 a bin, by direction half of it.
    assert row.forced == pytest.approx(squares / row.realised, abs=0.05)
    assert row.forced_low is not None and row.forced_high is not None
    # Of some 3 s of takers' sales of $1m around each fall, $200k were forced.
    assert 0.0 < row.forced_low < 0.2 < row.forced <= row.forced_high


def test_falls_with_closed_shorts_are_not_forced_variance() -> None:
    assert falls(Scope(), "short").forced == pytest.approx(0.0, abs=0.01)


def test_forced_flow_far_below_the_takers_volume_is_not_counted() -> None:
    assert falls(Scope(), "long", taker=100_000_000).forced == 0.0


def test_forced_flow_without_matched_seconds_is_unknown() -> None:
    scope = Scope()
    for at in range(0, 600, 5):
        scope.second(at, 100 * exp(1e-3 * (at // 5 % 2)), cell("long"))
    row = scope.minute(600)[300]
    assert row.forced is None
    assert row.null_reasons["forced_low"] == "no_matched_seconds"


def test_forced_variance_is_unknown_while_liquidation_feeds_are_down() -> None:
    scope = Scope()
    for at in range(0, 600, 5):
        scope.second(at, 100 * exp(1e-3 * (at // 5 % 2)), coverage=0.5)
    assert scope.minute(600)[300].null_reasons["forced"] == "coverage_below_0.6"


def coupled(scope: Scope, minutes: int, *, stale: bool = False) -> Row:
    """Minutes whose returns are those of the dollar index, negated, plus as much of their own."""
    rows: dict[int, Row] = {}
    own, dollar = 0.0, 0.0
    for i in range(minutes):
        dollar += 1e-4 * (1 if i % 2 else -1)
        own += 1e-4 * (1 if i // 2 % 2 else -1)
        for at in range(i * 60, i * 60 + 60, 5):
            scope.second(at, 100 * exp(own - dollar))
        scope.macro = {"DXY": 100 * exp(dollar)}
        rows = scope.minute(i * 60 + 60, age_s=600 if stale else 0)
    return rows[300]


def test_the_macro_share_is_what_outside_returns_explain() -> None:
    row = coupled(Scope(), 240)
    assert row.macro is not None and row.macro_low is not None and row.macro_high is not None
    assert row.macro == pytest.approx(0.5, abs=0.05)
    assert 0.3 < row.macro_low < row.macro < row.macro_high < 0.7


def test_a_stale_outside_series_gives_no_share() -> None:
    assert coupled(Scope(), 70, stale=True).null_reasons["macro"] == "macro_stale"


def test_few_outside_minutes_give_no_share() -> None:
    assert coupled(Scope(), 30).null_reasons["macro"] == "few_macro_minutes"


def test_the_baseline_knows_the_hour_and_does_not_learn_what_it_judges() -> None:
    params = msgspec.structs.replace(PARAMS, baseline_min_days=7)
    baseline = HourBaseline()
    first = START // 300
    for block in range(first, first + 20 * 288):
        busy = 2.0 if block * 300 % 86400 // 3600 == 14 else 0.0
        baseline.take(block, -20 + busy + 0.5 * (block % 2), params)
    assert baseline.history_days == pytest.approx(20, abs=0.01)
    # A Wednesday three days on.
    two_pm = (START // 86400 + 23) * 86400 + 14 * 3600
    calm = baseline.z(two_pm + 12 * 3600, -18.0, params)
    usual = baseline.z(two_pm, -18.0, params)
    assert calm is not None and usual is not None
    assert usual < 1.0 < 3.0 < calm


def test_a_young_baseline_gives_no_z() -> None:
    scope = Scope()
    swing(scope, 0, 600, 1e-3)
    row = scope.minute(600)[300]
    assert row.null_reasons["realised_z"] == "history_below_7_days"


def test_only_five_minutes_are_held_against_the_baseline() -> None:
    scope = Scope()
    swing(scope, 0, 3660, 1e-3)
    row = scope.minute(3660)[3600]
    assert row.realised is not None
    assert row.null_reasons["realised_z"] == "five_minutes_only"


def test_a_part_with_the_same_version_has_the_same_bytes() -> None:
    scope = Scope()
    seen: dict[tuple[str, int], bytes] = {}
    for at in range(0, 4000, 5):
        if at % 420 < 150:
            scope.second(at, 100 * exp(1e-3 * (at // 5 % 2)), cell("long"), taker=1_000)
        if at % 60 == 0 and at:
            scope.minute(at)
        for part in scope.detector.parts():
            if part.version != HOT:
                stored = seen.setdefault((part.name, part.version), part.encode())
                assert stored == part.encode(), part.name


def test_years_between_two_seconds_leave_one_hour_of_history() -> None:
    scope = Scope()
    swing(scope, 0, 4000, 1e-3)
    scope.minute(4020)
    far = 5 * 365 * 86400 // 300 * 300
    scope.second(far, 100.0)
    rows: list[Result] = list(scope.minute(far + 60).values())
    assert len(rows) == 2
    assert sum(len(part.encode()) for part in scope.detector.parts()) < 10_000


def test_extreme_prices_stay_finite() -> None:
    scope = Scope()
    for at in range(0, 600, 5):
        scope.second(at, 1e9 if at // 5 % 2 else 1e-9, cell("short", 9e12), taker=1)
    row = scope.minute(600)[300]
    assert row.realised == pytest.approx(60 * log(1e18) ** 2)
