"""The plain reading of the example's pattern, at its bounds."""

from collections.abc import Sequence

import pytest

from tests.rebounds import WITHIN_US, Match, Row, in_rows

SECOND = 1_000_000
BURST: tuple[Row, ...] = ((0, True, 100.0), (SECOND, True, 99.0), (2 * SECOND, True, 99.0))
AFTER: Row = (3 * SECOND, False, 200.0)
BELOW: Row = (4 * SECOND, False, 99.0 * 1.001)
UP = 99.2


def match(at: int, price: float = UP) -> list[Match]:
    return [Match("BTC", 0, 2 * SECOND, 3, 100.0, 99.0, at, price)]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ((*BURST, AFTER, (4 * SECOND, True, UP)), match(4 * SECOND)),
        ((*BURST, AFTER), []),
        ((*BURST, AFTER, (WITHIN_US - SECOND, False, UP)), match(WITHIN_US - SECOND)),
        ((*BURST[1:], AFTER, (4 * SECOND, True, UP)), []),
        (
            (*BURST, AFTER, (4 * SECOND, False, 99.0 * 1.001), (5 * SECOND, False, UP)),
            match(5 * SECOND),
        ),
        # Five minutes after its first second the burst has no rebound, and the rest is too short.
        ((*BURST, AFTER, (WITHIN_US, False, UP)), []),
    ],
)
def test_a_match_ends_in_time_at_the_first_price_above(
    rows: Sequence[Row], found: list[Match]
) -> None:
    assert in_rows("BTC", rows) == found


def test_of_a_burst_too_long_the_end_is_told() -> None:
    rows: list[Row] = [(second * SECOND, True, 500.0 - second) for second in range(400)]
    rows += [(400 * SECOND, False, 1.0), (401 * SECOND, False, 900.0)]
    (found,) = in_rows("BTC", rows)
    assert (found.began_us, found.ended_us) == (102 * SECOND, 399 * SECOND)
    assert found.rebound_us - found.began_us < WITHIN_US
