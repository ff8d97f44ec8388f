"""The share of a flush that its own push called forth."""

import pytest

from streams.core.detectors.cascade.counterfactual import Bare, CounterfactualParams
from streams.core.events import MICROS

PARAMS = CounterfactualParams(least=3.0, usual=4.0, most=25.0, half_life_s=60.0)
DEPTH = 1_000_000 * MICROS


def _fall(bp_a_second: float, usd_a_second: int, seconds: int, taken: int = 0) -> Bare:
    bare, forced = Bare(), 0
    for second in range(seconds):
        price = 100.0 * (1 - bp_a_second * second / 10_000)
        forced += usd_a_second
        so_far = (forced, max(forced, taken))
        bare.absorb(second, usd_a_second, DEPTH, price, True, so_far, PARAMS)
    return bare


def test_a_fall_with_next_to_no_forced_orders_called_nothing_forth() -> None:
    found = _fall(10, 1_000 * MICROS, 60).excess(60_000 * MICROS, 60_000 * MICROS, PARAMS)
    assert found.low == 0.0
    assert found.high is not None
    assert found.high < 0.2
    assert found.amplification == pytest.approx(1.0, abs=0.01)


def test_a_fall_no_larger_than_its_own_push_was_called_forth_by_it() -> None:
    usd = DEPTH // 2
    found = _fall(2, usd, 60).excess(60 * usd, 60 * usd, PARAMS)
    assert found.low is not None
    assert found.low > 0.4
    assert found.high == 1.0
    assert found.amplification is not None
    assert found.amplification > 2


def test_hand_computed_two_seconds() -> None:
    # A move of 10 bp by the second price; half a depth forced before it pushes 1.5, 2 and 12.5 bp,
    # the last more than the move.
    bare = Bare()
    params = CounterfactualParams(least=3.0, usual=4.0, most=25.0, half_life_s=1e12)
    bare.absorb(0, 0, DEPTH, 1.0, False, (0, 0), params)
    bare.absorb(1, DEPTH // 2, DEPTH, 1.0010005, False, (DEPTH // 2, DEPTH // 2), params)
    found = bare.excess(DEPTH // 2, DEPTH // 2, params)
    assert found.low == pytest.approx(0.15 - 0.1, abs=1e-3)
    assert found.high == 1.0
    assert found.amplification == pytest.approx(1 / (1 - 0.2), abs=1e-2)
    # Four times the dollars behind what was published push four times as far.
    assert bare.excess(DEPTH // 2, 2 * DEPTH, params).low == pytest.approx(0.6 - 0.1, abs=1e-3)


def test_takers_who_dwarf_the_forced_orders_lower_the_low_end() -> None:
    usd = DEPTH // 2
    alone = _fall(2, usd, 60).excess(60 * usd, 60 * usd, PARAMS)
    among = _fall(2, usd, 60, taken=60 * usd * 10).excess(60 * usd, 60 * usd, PARAMS)
    assert among.low == 0.0
    assert alone.low is not None
    assert alone.low > 0
    assert among.high == alone.high


def test_orders_after_the_extreme_did_not_make_it() -> None:
    bare = _fall(10, 0, 30)
    for second in range(30, 60):
        bare.absorb(second, DEPTH, DEPTH, 98.0, True, (second * DEPTH, second * DEPTH), PARAMS)
    found = bare.excess(30 * DEPTH, 30 * DEPTH, PARAMS)
    assert (found.low, found.amplification) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("depth", "price", "why"),
    [
        (DEPTH, None, "no_price"),
        (None, 100.0, "no_book"),
        (0, 100.0, "no_book"),
        (DEPTH, 100.0, "no_displacement"),
    ],
)
def test_what_is_not_known_has_a_reason(depth: int | None, price: float | None, why: str) -> None:
    bare = Bare()
    bare.absorb(0, 1, depth, price, True, (1, 1), PARAMS)
    assert bare.excess(1, 1, PARAMS).why == why


def test_a_small_move_says_nothing() -> None:
    assert _fall(0.05, DEPTH, 60).excess(60 * DEPTH, 60 * DEPTH, PARAMS).why == "no_displacement"


def test_one_second_of_forced_orders_without_a_book_leaves_no_bracket() -> None:
    bare = _fall(2, DEPTH // 2, 60)
    bare.absorb(60, 1, None, 90.0, True, (1, 1), PARAMS)
    assert bare.excess(1, 1, PARAMS).why == "no_book"


def test_an_emptied_book_counts_as_a_hundredth_of_the_fullest() -> None:
    def after(depth: int) -> float:
        bare = _fall(2, 0, 10)
        bare.absorb(10, DEPTH // 1_000, depth, 99.0, True, (1, 1), PARAMS)
        return bare.push

    assert after(0) == after(1) == after(DEPTH // 100) == 0.1
    assert after(DEPTH) == 0.001
