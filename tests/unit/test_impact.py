"""Amplification over the book, and the structural ratio of impact and mapped dollars."""

from math import log

import pytest

from streams.core.detectors.cascade.impact import FlowSlope, walk
from streams.core.detectors.signal import Origin
from streams.core.events import MICROS, PositionSide
from streams.core.results import CascadeWindow, ZoneMap
from tests.seconds import META, START, Scope, cell

BOOK = (1e6, 2.5e6, 5e6, 10e6)
"""Dollars within 10, 25, 50 and 100 bp: 100,000 a basis point."""


def pushed(
    net_usd: float | None = None,
    book_usd: tuple[float | None, ...] = BOOK,
    side: PositionSide = "long",
    scope: str = "BTC",
    usd: float = 10_000.0,
    price: bool = True,
) -> CascadeWindow:
    """A minute of forced orders of 10,000 dollars; the price moves by 1 % to its half."""
    made = Scope(scope=scope)
    step = -1 if side == "long" else 1
    for at in range(100, 160):
        moved = 100.0 * (1 + step * 0.01 * min(1.0, (at - 100) / 29))
        made.second(
            at,
            cell(side, usd=usd),
            price=moved if price else None,
            net_usd=net_usd,
            book_usd=book_usd if at == 100 else (1e9,) * 4,
        )
    return made.window()


@pytest.mark.parametrize(("side", "move"), [("long", log(0.99)), ("short", log(1.01))])
def test_the_move_is_held_against_the_book_of_the_onset(side: PositionSide, move: float) -> None:
    window = pushed(side=side)
    # 30 orders of 10,000 dollars until the extreme walk 3 bp.
    assert window.amplification_book == pytest.approx(abs(move) * 10_000 / 3)


def test_taker_flow_counts_where_it_is_more_than_the_forced_orders() -> None:
    window = pushed(net_usd=-100_000.0)
    assert window.amplification_book == pytest.approx(-log(0.99) * 10_000 / 30)
    against = pushed(net_usd=100_000.0)
    assert against.amplification_book == pytest.approx(-log(0.99) * 10_000 / 3)


@pytest.mark.parametrize(
    ("window", "why"),
    [
        (pushed(price=False), "no_price"),
        (pushed(book_usd=(0.0, None, None, None)), "no_book"),
        (pushed(scope="ALL"), "assets_only"),
    ],
)
def test_what_the_book_cannot_say_is_null_with_its_reason(window: CascadeWindow, why: str) -> None:
    assert window.amplification_book is window.amplification_book_share is None
    assert window.null_reasons["amplification_book"] == why


def test_a_walk_beyond_the_book_says_how_much_of_it_was_seen() -> None:
    seen = pushed(usd=5_000.0, book_usd=(1e6, None, None, None))
    assert seen.amplification_book_share == 1.0
    beyond = pushed(usd=400_000.0, book_usd=(2e5, None, None, None))
    assert beyond.amplification_book is not None
    assert beyond.amplification_book_share is not None
    assert beyond.amplification_book_share < 0.1


def test_a_window_without_any_book_has_no_amplification() -> None:
    scope = Scope()
    for at in range(100, 160):
        scope.second(at, cell(), price=100.0 - at / 1_000)
    assert scope.window().null_reasons["amplification_book"] == "no_book"


@pytest.mark.parametrize(
    ("usd", "bp"), [(0, 0.0), (50, 5.0), (100, 10.0), (150, 10.0 + 15 / 3), (800, 200.0)]
)
def test_a_walk_is_linear_between_the_bands_and_at_mean_density_beyond(usd: int, bp: float) -> None:
    found = walk((100, 250, 250, 400), usd)
    assert found is not None
    assert (found.bp, found.share) == (bp, 1.0 if usd <= 400 else 0.5)


def test_an_empty_book_is_walked_at_once() -> None:
    assert walk((0, 0, 0, 0), 1) is None
    assert walk((None, None), 1) is None


def test_the_slope_is_that_of_the_last_minutes() -> None:
    slope, price = FlowSlope(), 100.0
    for at in range(1_200):
        flow = (1 if at % 3 else -2) * 1_000_000
        # 1 bp per million at first, 3 bp later.
        price *= 1 + (1e-10 if at < 600 else 3e-10) * flow
        slope.add(at, price, flow * MICROS, 60)
    found = slope.percent_per_usd(20.0)
    assert found == pytest.approx(3e-8, rel=0.01)


def test_flow_between_two_prices_belongs_to_the_second() -> None:
    every, gaps = FlowSlope(), FlowSlope()
    for at in range(100):
        sold = -(10**12) * (at % 7)
        every.add(at, 100.0 - at % 7, 2 * sold, 60)
        gaps.add(2 * at, None, sold, 120)
        gaps.add(2 * at + 1, 100.0 - at % 7, sold, 120)
    assert gaps.percent_per_usd(20.0) == pytest.approx(every.percent_per_usd(20.0))


@pytest.mark.parametrize("price", [1e-9, 1e9])
def test_extreme_flows_and_prices_give_no_nan(price: float) -> None:
    slope = FlowSlope()
    for at in range(100):
        slope.add(at, price * (1 + at % 2), 9 * 10**18 * (1 if at % 2 else -1), 60)
    assert slope.percent_per_usd(20.0) is not None
    still = FlowSlope()
    for at in range(100):
        still.add(at, price, 0, 60)
    assert still.percent_per_usd(20.0) is None


def mapped(at: int, below: tuple[int, ...] | None) -> ZoneMap:
    """A map of the second `at` after START, with dollars below the price and none above."""
    return ZoneMap(
        **Origin("zones/1", "BTC", META).head("zones", START + at, 1.0),
        null_reasons={},
        price=100.0,
        hidden=below is None,
        skill=0.1,
        skill_uniform=0.1,
        auc=0.6,
        n_scored=100,
        observed_share=None,
        map_usd=10**15,
        fuel_below_usd=below,
        fuel_above_usd=None if below is None else (0, 0, 0, 0),
        fuel_depth_below=None,
        fuel_depth_above=None,
        armed=None,
        pain_long=None,
        pain_short=None,
        concentration=None,
        share_within_5pct=None,
        zones=None,
    )


def structural(chart: ZoneMap | None, trades: bool = True, sign: int = 1) -> CascadeWindow:
    """A minute of forced longs while each million sold moves the price by 1 bp."""
    scope, price = Scope(), 100.0
    if chart is not None:
        scope.readings.note([chart])
    for at in range(160):
        net = (1 if at % 3 else -2) * 1_000_000.0
        price *= 1 + sign * 1e-10 * net
        cells = [cell()] if at >= 100 else []
        scope.second(at, *cells, price=price, net_usd=net if trades else None)
    return scope.window()


def test_impact_times_mapped_dollars_is_the_structural_ratio() -> None:
    # 1 bp per million is 1e-8 percent per dollar; 20 million within half a percent are 4e7 each.
    window = structural(mapped(60, (20_000_000 * MICROS, 0, 0, 0)))
    assert window.branching_structural == pytest.approx(0.4, rel=0.01)


@pytest.mark.parametrize(
    ("window", "why"),
    [
        (structural(None), "no_zone_map"),
        (structural(mapped(-1_000, (1, 1, 1, 1))), "no_zone_map"),
        (structural(mapped(60, None)), "zone_map_hidden"),
        (structural(mapped(60, (1, 1, 1, 1)), trades=False), "no_trades"),
        (structural(mapped(60, (1, 1, 1, 1)), sign=-1), "impact_not_positive"),
    ],
)
def test_without_map_or_trades_the_structural_ratio_is_null(
    window: CascadeWindow, why: str
) -> None:
    assert window.branching_structural is None
    assert window.null_reasons["branching_structural"] == why


def test_branching_is_told_once_the_window_has_ended() -> None:
    scope = Scope()
    for at in range(100, 160):
        scope.second(at, cell(), spot=100.0)
    assert scope.window().branching_high is None
    assert scope.window().null_reasons["branching_high"] == "window_open"
    scope.second(5_000)
    closed = [row for row in scope.rows if row.closed_at is not None]
    assert closed
    assert {(row.branching_high, row.branching_ks_p) for row in closed} == {
        (scope.window().branching_high, scope.window().branching_ks_p)
    }
    assert scope.window().branching_high is not None
