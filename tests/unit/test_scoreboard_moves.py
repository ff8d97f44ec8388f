"""Moves at the alarm: what was done, what was left, and placebos of the same geometry."""

from math import exp, log

import pytest

pytest.importorskip("numpy")

from hypothesis import given
from hypothesis import strategies as st

from streams.scoreboard.matching import Pair
from streams.scoreboard.moves import (
    TAIL_S,
    Move,
    Moves,
    Prices,
    done_share,
    left_bp,
    left_share,
    move,
    moves,
    pool_moves,
)
from streams.scoreboard.spans import Case, Event, Side, Span

DOWN_THEN_UP = Prices(100, 1, [exp(x / 1e4) for x in (0, 0, -10, -30, -20, -50, -40, 0)])


def approximately(total: float, done: float, left: float) -> tuple[object, ...]:
    return tuple(pytest.approx(value, abs=1e-6) for value in (total, done, left))


def told(found: Move) -> tuple[float, float, float]:
    return found.total_bp, found.done_bp, found.left_bp


def test_a_move_is_split_at_the_alarm() -> None:
    found = move(DOWN_THEN_UP, 102, 103, 106, "long")
    assert told(found) == approximately(50, 30, 20)
    assert found.done_share == pytest.approx(0.6)
    assert found.left_share == pytest.approx(0.4)


def test_what_is_left_counts_from_the_price_at_the_alarm() -> None:
    assert told(move(DOWN_THEN_UP, 102, 104, 106, "long")) == approximately(50, 30, 30)


def test_shorts_are_closed_into_rising_prices() -> None:
    found = move(DOWN_THEN_UP, 102, 103, 107, "short")
    assert told(found) == approximately(0, 0, 30)
    assert (found.done_share, found.left_share) == (None, None)


def test_an_alarm_before_the_onset_has_the_whole_move_before_it() -> None:
    assert told(move(DOWN_THEN_UP, 103, 101, 106, "long")) == approximately(40, 0, 50)


def test_an_alarm_after_the_move_has_nothing_left() -> None:
    assert told(move(DOWN_THEN_UP, 102, 107, 104, "long")) == approximately(50, 50, 0)


def test_minutes_know_only_what_is_over() -> None:
    minutes = Prices(0, 60, [1.0, 0.9, 0.8])
    assert [minutes.index(second) for second in (0, 59, 118, 119, 179)] == [0, 0, 0, 1, 2]
    assert minutes.end == 179
    with pytest.raises(ValueError, match="end before second 239"):
        minutes.index(239)


walks = st.lists(st.integers(-20, 20), min_size=12, max_size=40)


@given(walks, st.data())
def test_shares_stay_within_their_laws(steps: list[int], data: st.DataObject) -> None:
    level, values = 0, []
    for step in steps:
        level += step
        values.append(exp(level / 1e4))
    prices = Prices(0, 1, values)
    onset, alarm, until = sorted(data.draw(st.tuples(*[st.integers(1, len(values) - 1)] * 3)))
    side: Side = data.draw(st.sampled_from(("long", "short")))
    found = move(prices, onset, alarm, until, side)
    assert 0 <= found.done_bp <= found.total_bp
    assert found.left_bp >= found.total_bp - found.done_bp - 1e-9
    sign = -1 if side == "long" else 1
    window = [sign * log(value) * 1e4 for value in values[onset - 1 : until + 1]]
    assert found.total_bp == pytest.approx(max(window) - window[0], abs=1e-6)


EVENT = Event("BTC", "long", 1_000, 1_100, 1e6, 20, 5.0)
PAIR = Pair(EVENT, Span("BTC", "long", 1_000, 1_030, 1_100), side_right=True)
CASE = Case("run-1", "run", 0, 10_000, ("BTC",), False, (EVENT,), ())


def straight_down(seconds: int = 10_000) -> Prices:
    return Prices(0, 1, [exp(-second / 1e4) for second in range(seconds)])


def test_placebos_have_the_geometry_of_their_alarm() -> None:
    found = moves(CASE, [PAIR], {"BTC": straight_down()}, publication_s=3)
    # A basis point a second: 33 s and the second before the onset, of 100 s and the tail.
    expected = approximately(101 + TAIL_S, 34, 67 + TAIL_S)
    assert told(found.alarms[0]) == expected
    assert told(found.placebos[0]) == expected


def test_placebos_fall_anywhere_in_the_case_and_the_same_every_time() -> None:
    values = [exp(-(second**2) / 1e8) for second in range(10_000)]
    prices = {"BTC": Prices(0, 1, values)}
    found = moves(CASE, [PAIR] * 200, prices)
    assert found == moves(CASE, [PAIR] * 200, prices)
    # The slope names the place: the mean of 200 uniform places is near the middle.
    places = [one.total_bp for one in found.placebos]
    middle = moves(CASE, [PAIR], prices).alarms[0].total_bp * 5_000 / 1_080
    assert sum(places) / len(places) == pytest.approx(middle, rel=0.15)
    assert min(places) < middle / 4
    assert max(places) > middle * 7 / 4


def test_placebos_do_not_depend_on_other_cases() -> None:
    prices = {"BTC": straight_down()}
    alone = moves(CASE, [PAIR], prices)
    assert moves(CASE, [PAIR, PAIR], prices).placebos[:1] == alone.placebos


def test_alarms_without_a_price_are_skipped_and_counted() -> None:
    assert moves(CASE, [PAIR], {}) == Moves((), (), 1)
    assert moves(CASE, [PAIR], {"BTC": straight_down(1_030)}) == Moves((), (), 1)


def test_a_window_that_fits_nowhere_has_no_placebo() -> None:
    short = Case("run-1", "run", 990, 1_100, ("BTC",), False, (EVENT,), ())
    found = moves(short, [PAIR], {"BTC": straight_down()})
    assert (len(found.alarms), len(found.placebos)) == (1, 0)


def test_shares_are_pooled_over_cases_and_flat_prices_have_none() -> None:
    first = Moves((Move(100.0, 20.0, 80.0), Move(0.0, 0.0, 0.0)), (), 1)
    second = Moves((Move(50.0, 30.0, 25.0),), (Move(1.0, 1.0, 0.0),), 0)
    pooled = pool_moves((first, second))
    assert done_share(pooled.alarms) == pytest.approx(0.4)
    assert left_share(pooled.alarms) == pytest.approx(0.65)
    assert left_bp(pooled.alarms) == pytest.approx(25.0)
    assert done_share(pooled.placebos, 0.9) == 1.0
    assert pooled.skipped == 1
    assert done_share(()) is None
