"""What stands on a liquidation map, and how a minute changes it."""

from math import exp
from random import Random

import pytest

from streams.core.detectors.zones.liquidation_price import linear_price
from streams.core.detectors.zones.map import LiquidationMap
from streams.core.detectors.zones.params import ZoneParams
from streams.core.detectors.zones.step import Step
from streams.core.events import PositionSide

START = 1_790_000_040
PARAMS = ZoneParams()
SIDES: tuple[PositionSide, PositionSide] = ("long", "short")
BYBIT_RATE = 0.005 + 0.00055
"""Maintenance margin of the first tier and the fee that is counted to it."""


def step(
    number: int,
    price: float | None = 60_000.0,
    low: float | None = None,
    high: float | None = None,
    *,
    coins: float | None = None,
    venue: str = "bybit",
    tilt: float = 0.0,
    forced: tuple[float, float] | None = None,
) -> Step:
    """The `number`-th minute at a price, with a venue's open interest where it changed."""
    interest = {} if coins is None else {venue: coins}
    end = START + 60 * number
    return Step(end, price, low or price, high or price, tilt, 0.0, interest, forced)


def chart(*steps: Step, scope: str = "BTC") -> LiquidationMap:
    one = LiquidationMap(scope, PARAMS)
    for each in steps:
        one.apply(each)
    return one


def coins(one: LiquidationMap, side: int, leverage: int) -> float:
    """Coins of a side and leverage on the map."""
    window = one.sides[side]
    return window.scale * sum(window.columns[PARAMS.leverages.index(leverage)])


def test_what_opens_stands_at_its_exact_liquidation_prices_on_both_sides() -> None:
    one = chart(step(1, coins=1_000.0), step(2, coins=1_100.0))
    for number, side in enumerate(SIDES):
        window = one.sides[number]
        for leverage, share in zip(PARAMS.leverages, PARAMS.leverage_shares, strict=True):
            column = window.columns[PARAMS.leverages.index(leverage)]
            filled = [at + window.low for at, value in enumerate(column) if value]
            price = linear_price(side, 60_000.0, leverage, BYBIT_RATE)
            assert price is not None
            assert filled == [one.bin_of(price)]
            # 100 coins opened; the 1,000 of before turn over by 2^(-1/7200) a minute.
            assert coins(one, number, int(leverage)) == pytest.approx(100.19 * share, rel=1e-3)


def test_each_side_holds_the_open_interest_whatever_happens() -> None:
    random = Random(5)  # noqa: S311
    one = LiquidationMap("BTC", PARAMS)
    held = {"bybit": 1_000.0, "okx": 500.0}
    price = 60_000.0
    for number in range(1, 400):
        price *= exp(random.gauss(0, 0.004))
        held = {venue: n * exp(random.gauss(0, 0.01)) for venue, n in held.items()}
        spread = exp(abs(random.gauss(0, 0.003)))
        end = START + 60 * number
        one.apply(Step(end, price, price / spread, price * spread, 0.1, 1e6, dict(held)))
        for side in (0, 1):
            assert one.known(side) + one.unknown[side] == pytest.approx(sum(held.values()))


def test_the_price_takes_out_what_it_crosses_and_nothing_else() -> None:
    one = chart(step(1, coins=1_000.0), step(2, coins=1_100.0))
    before = [coins(one, 0, leverage) for leverage in (2, 3, 5)]
    # 10x longs are liquidated at 54,301, 20x at 57,317; 5x at 48,267.
    one.apply(step(3, 54_000.0, low=54_000.0, high=60_000.0, coins=1_064.9))
    assert [coins(one, 0, leverage) for leverage in (2, 3, 5)] == pytest.approx(before, rel=2e-3)
    assert all(coins(one, 0, leverage) < 0.1 for leverage in (10, 20, 50, 100))
    assert coins(one, 1, 10) == pytest.approx(15.0 * 1_064.9 / 1_100, rel=0.01)


def test_a_fall_of_open_interest_beyond_the_crossed_closes_all_alike() -> None:
    one = chart(step(1, coins=1_000.0), step(2, coins=1_100.0), step(3, coins=990.0))
    assert coins(one, 0, 2) == pytest.approx(0.25 * 100.3 * 0.9, rel=2e-3)
    assert coins(one, 1, 100) == pytest.approx(0.04 * 100.3 * 0.9, rel=2e-3)


def test_positions_turn_over_with_a_half_life_of_five_days() -> None:
    one = chart(step(1, coins=1_000.0), step(2, coins=1_200.0))
    old = coins(one, 0, 3)
    for number in range(3, 3 + 5 * 1440):
        one.apply(step(number, 61_000.0))
    window = one.sides[0]
    column = window.columns[PARAMS.leverages.index(3)]
    price = linear_price("long", 60_000.0, 3, BYBIT_RATE)
    assert price is not None
    left = column[one.bin_of(price) - window.low] * window.scale
    assert left == pytest.approx(old / 2, rel=1e-3)
    assert one.mapped_share() == pytest.approx(7 / 12, rel=1e-2)


def test_a_venue_that_joins_has_not_opened_its_positions_now() -> None:
    one = chart(step(1, coins=1_000.0), step(2, coins=5_000.0, venue="okx"))
    assert one.known(0) < 1.0
    assert one.unknown[0] == pytest.approx(6_000.0, rel=1e-3)


def test_a_jump_of_open_interest_has_no_entry_price() -> None:
    one = chart(step(1, coins=1_000.0), step(2, coins=3_000.0))
    assert one.known(0) < 1.0
    assert one.unknown[1] == pytest.approx(3_000.0, rel=1e-3)


def test_what_opened_in_a_gap_has_no_entry_price() -> None:
    one = chart(step(1, coins=1_000.0), step(2, coins=1_100.0))
    before = one.known(0)
    one.apply(step(2 + 1440, coins=1_200.0))
    assert one.known(0) == pytest.approx(before * 0.5**0.2)
    assert one.known(0) + one.unknown[0] == pytest.approx(1_200.0)


def test_dollars_of_an_inverse_contract_do_not_open_when_the_price_falls() -> None:
    venue = "binance-coinm"
    one = chart(step(1, coins=6e7, venue=venue))
    one.apply(step(2, 30_000.0, low=30_000.0, high=60_000.0, coins=6e7, venue=venue))
    assert one.known(0) < 1.0


def test_positive_funding_and_takers_that_buy_mean_more_leveraged_longs() -> None:
    even = chart(step(1, coins=1_000.0), step(2, coins=1_100.0))
    tilted = chart(step(1, coins=1_000.0), step(2, coins=1_100.0, tilt=0.5))
    assert coins(tilted, 0, 100) > 1.5 * coins(even, 0, 100)
    assert coins(tilted, 1, 100) < coins(even, 1, 100) / 1.5
    assert tilted.known(0) == pytest.approx(even.known(0))


def test_liquidations_where_high_leverage_is_crossed_raise_it_and_silence_lowers_it() -> None:
    steps = [step(1, coins=1_000.0), step(2, coins=1_150.0, forced=(0.0, 0.0))]
    # 100x longs fall at 59,730 (0.45 %), 50x at 59,130, 20x at 57,317.
    steps.append(step(3, 59_600.0, low=59_600.0, high=60_000.0, forced=(5e6, 0.0)))
    steps.append(step(4, 57_000.0, low=57_000.0, high=59_600.0, forced=(0.0, 0.0)))
    factors = dict(zip(PARAMS.leverages, chart(*steps).factors(), strict=True))
    assert factors[100.0] > 2 > 0.5 > factors[20.0]
    # 2x, 3x and 5x were not crossed: between each other they stay as assumed.
    assert factors[2.0] == pytest.approx(factors[5.0])
    shares = zip(PARAMS.leverage_shares, factors.values(), strict=True)
    assert sum(share * factor for share, factor in shares) == pytest.approx(1.0)


def test_without_a_full_feed_nothing_is_learned() -> None:
    steps = [step(1, coins=1_000.0), step(2, coins=1_150.0)]
    steps.append(step(3, 59_600.0, low=59_600.0, high=60_000.0))
    assert chart(*steps).factors() == [1.0] * len(PARAMS.leverages)


def test_a_stored_map_goes_on_to_the_last_bit() -> None:
    random = Random(3)  # noqa: S311
    steps, price = [], 60_000.0
    for number in range(1, 200):
        price *= exp(random.gauss(0, 0.01))
        held = 1_000 * exp(random.gauss(0, 0.05))
        steps.append(step(number, price, price * 0.99, price * 1.01, coins=held, forced=(1e5, 1e4)))
    whole = chart(*steps)
    again = LiquidationMap("BTC", PARAMS)
    again.restore(chart(*steps[:120]).encode())
    for each in steps[120:]:
        again.apply(each)
    assert again.encode() == whole.encode()
