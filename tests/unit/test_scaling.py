"""What the estimate of a block promises: hand-computed cases, labels and ends of intervals."""

from itertools import permutations

import pytest

from streams.core.dollars import Dollars, Estimate
from streams.core.events import Completeness, PositionSide
from streams.core.frames import Cell
from streams.core.scaling import Scale, by_venue, estimate_block, estimate_late
from streams.core.slots import Slots, tally_slots
from streams.core.throttle import SlotTally, ThrottleParams

AT = 1_788_220_800
"""2026-09-01 00:00 UTC: Binance USD-M carries the largest, COIN-M the latest, Bybit all."""
USD = 1_000_000
PARAMS = ThrottleParams()
EVEN = dict.fromkeys(("binance-usdm", "binance-coinm", "bitget", "bybit", "okx"), 200 * USD)
UP = tuple(sorted(EVEN))


def cell(
    venue: str,
    usd: int,
    n: int = 1,
    most: int | None = None,
    side: PositionSide = "long",
    taker: int | None = None,
) -> Cell:
    whole: Completeness = "all" if venue == "bybit" else "sampled"
    largest = usd if most is None else most
    volume = None if taker is None else taker * USD
    return Cell(
        venue, "BTC", side, "liquidation", whole, n, usd * USD, largest * USD, volume, volume
    )


def slots_of(*seconds: tuple[Cell, ...]) -> Slots:
    slots: Slots = {}
    for at, cells in enumerate(seconds, AT):
        tally_slots(slots, cells, at)
    return slots


def longs(found: Estimate) -> float:
    assert found.long.usd is not None
    return found.long.usd / USD


def width(found: Estimate) -> float:
    low, high = found.long.interval(0, PARAMS)
    assert low
    assert high is not None
    return high / low


CROWDED = cell("bybit", 100, n=4, most=40)


def test_a_complete_feed_is_estimated_at_what_it_published() -> None:
    found = estimate_block(slots_of((CROWDED,)), 60, AT, Scale(EVEN, UP), PARAMS)
    assert found.long == Dollars(100 * USD, 100 * USD)
    assert found.long.interval(100 * USD, PARAMS) == (100 * USD, 100 * USD)
    assert (found.identifiability, found.partial) == ("ok", False)


def test_a_throttled_venue_weighs_its_own_orders_against_its_open_interest() -> None:
    """Open interest says 100; its orders, thinned as Bybit's would be to 40 %, say 125."""
    scale = Scale(EVEN, ("binance-usdm", "bybit"))
    found = by_venue(slots_of((CROWDED, cell("binance-usdm", 50))), 60, AT, scale, PARAMS)
    across = PARAMS.ratio_error**2 + 2 / (100 * 100 / (100 * 40))
    counted = (PARAMS.thinning_error * 1.5) ** 2
    weight = counted / (across + counted)
    expected = weight * 100 + (1 - weight) * 125
    assert longs(found["binance-usdm"]) == pytest.approx(expected, rel=1e-4)
    assert found["binance-usdm"].identifiability == "ok"


def test_a_larger_venue_is_thinned_harder() -> None:
    scale = Scale({"binance-usdm": 800 * USD, "bybit": 200 * USD}, ("binance-usdm", "bybit"))
    even = Scale(EVEN, ("binance-usdm", "bybit"))
    slots = slots_of((CROWDED, cell("binance-usdm", 50)))
    large = by_venue(slots, 60, AT, scale, PARAMS)["binance-usdm"]
    assert longs(large) > longs(by_venue(slots, 60, AT, even, PARAMS)["binance-usdm"])


def test_in_crowded_seconds_open_interest_has_the_word() -> None:
    seconds = [(cell("bybit", 9_000, n=900, most=30), cell("binance-usdm", 30))] * 60
    found = by_venue(slots_of(*seconds), 60, AT, Scale(EVEN, UP), PARAMS)["binance-usdm"]
    assert found.identifiability == "extrapolated"
    assert 0.8 * 540_000 < longs(found) < 1.1 * 540_000


def test_a_feed_of_the_latest_order_is_held_against_the_mean_order() -> None:
    slots = slots_of((cell("bybit", 100, n=10, most=40), cell("binance-coinm", 10)))
    found = by_venue(slots, 60, AT, Scale(EVEN, UP), PARAMS)["binance-coinm"]
    assert longs(found) == pytest.approx(100, rel=1e-4)


def test_a_feed_of_each_sides_largest_is_held_against_each_sides_largest() -> None:
    both = (cell("bybit", 60, n=2, most=40), cell("bybit", 100, n=1, side="short"))
    slots = slots_of((*both, cell("bitget", 20)))
    found = by_venue(slots, 60, AT, Scale(EVEN, UP), PARAMS)["bitget"]
    counted, across = 20 * 60 / 40, 60
    assert counted < longs(found) < across


def test_a_throttled_venue_hides_nothing_while_it_publishes_nothing() -> None:
    slots = slots_of((CROWDED, cell("binance-usdm", 5, side="short")))
    found = by_venue(slots, 60, AT, Scale(EVEN, UP), PARAMS)["binance-usdm"]
    assert found.long.usd == 0


def test_an_estimate_stays_between_published_dollars_and_the_bound() -> None:
    slots = slots_of((CROWDED, cell("binance-usdm", 50, taker=60)))
    found = by_venue(slots, 60, AT, Scale(EVEN, UP), PARAMS)["binance-usdm"]
    assert (found.long.usd, found.long.upper) == (60 * USD, 60 * USD)
    much = slots_of((CROWDED, cell("binance-usdm", 5_000)))
    assert longs(by_venue(much, 60, AT, Scale(EVEN, UP), PARAMS)["binance-usdm"]) >= 5_000


def test_a_partial_feed_weighs_open_interest_against_a_bracket_of_rules() -> None:
    """Open interest says 50. Were the largest shown 20.6 would be hidden of 10, or 31.2."""
    interest = {"bybit": 200 * USD, "okx": 100 * USD}
    scale = Scale(interest, ("bybit", "okx"))
    found = by_venue(slots_of((CROWDED, cell("okx", 10))), 60, AT, scale, PARAMS)["okx"]
    assert 25.9 < longs(found) < 50.0
    assert found.long.upper is None
    assert (found.identifiability, found.partial) == ("extrapolated", True)
    more = by_venue(slots_of((CROWDED, cell("okx", 70))), 60, AT, scale, PARAMS)["okx"]
    assert longs(more) >= 70.0


def test_a_partial_feed_in_crowded_seconds_is_estimated_by_open_interest() -> None:
    interest = {"bybit": 200 * USD, "okx": 100 * USD}
    seconds = [(cell("bybit", 9_000, n=900, most=30), cell("okx", 9))] * 60
    scale = Scale(interest, ("bybit", "okx"))
    found = by_venue(slots_of(*seconds), 60, AT, scale, PARAMS)["okx"]
    assert 0.8 * 270_000 < longs(found) < 1.05 * 270_000


def test_a_venue_that_forced_nothing_counts_in_the_measure_of_a_partial_one() -> None:
    slots = slots_of((CROWDED, cell("okx", 10)))
    alone = by_venue(slots, 60, AT, Scale(EVEN, ("bybit",)), PARAMS)["okx"]
    beside = by_venue(slots, 60, AT, Scale(EVEN, ("binance-usdm", "bybit")), PARAMS)["okx"]
    assert longs(beside) < longs(alone)


@pytest.mark.parametrize(
    "scale",
    [Scale({}, UP), Scale(EVEN, ("okx",)), Scale({"okx": USD, "binance-usdm": USD}, UP)],
    ids=["no interest", "feed down", "no interest of the complete venue"],
)
def test_without_a_measure_estimates_are_floors(scale: Scale) -> None:
    slots = slots_of((CROWDED, cell("okx", 10), cell("binance-usdm", 50)))
    found = by_venue(slots, 60, AT, scale, PARAMS)
    assert (found["okx"].long.usd, found["okx"].identifiability) == (10 * USD, "unknown")
    assert found["okx"].long.interval(10 * USD, PARAMS) == (10 * USD, None)
    sampled = found["binance-usdm"]
    assert sampled.identifiability == "ok"
    assert sampled.long.floor
    assert sampled.long.interval(50 * USD, PARAMS)[1] is None


def test_a_crowded_slot_without_a_measure_is_saturated() -> None:
    seconds = [(cell("binance-usdm", 50),)] * 13
    found = estimate_block(slots_of(*seconds), 60, AT, Scale(), PARAMS)
    assert found.identifiability == "saturated"
    assert found.long.floor


@pytest.mark.parametrize("seconds", [12, 13])
def test_complete_feeds_that_forced_nothing_are_no_measure_of_a_crowded_slot(seconds: int) -> None:
    """As when one venue's own fault forces orders there alone; 12 of 60 s are the limit."""
    slots = slots_of(*[(cell("binance-usdm", 50),)] * seconds)
    found = by_venue(slots, 60, AT, Scale(EVEN, UP), PARAMS)["binance-usdm"]
    crowded = seconds > 12
    assert found.identifiability == ("saturated" if crowded else "ok")
    assert found.long.floor == crowded
    low, high = found.long.interval(seconds * 50 * USD, PARAMS)
    assert low == seconds * 50 * USD
    assert (high is None) == crowded


def test_a_floor_reaches_up_to_the_bound_where_one_is_known() -> None:
    dollars = Dollars(60, 500, 10, floor=True)
    assert dollars.interval(50, PARAMS) == (50, 500)


def test_an_interval_is_even_in_ratio_and_ends_at_published_dollars_and_at_the_bound() -> None:
    error = round(0.5 / PARAMS.interval_errors * 1_000_000)
    dollars = Dollars(1_000_000, None, error)
    low, high = dollars.interval(0, PARAMS)
    assert low == pytest.approx(1_000_000 / 1.5, rel=1e-5)
    assert high == pytest.approx(1_500_000, rel=1e-5)
    assert Dollars(1_000_000, 1_200_000, error).interval(900_000, PARAMS) == (900_000, 1_200_000)


def test_shared_errors_add_up_and_others_partly_cancel() -> None:
    shared = Dollars(100, None, 30).plus(Dollars(100, None, 30))
    apart = Dollars(100, None, 0, 900.0).plus(Dollars(100, None, 0, 900.0))
    wide, narrow = shared.interval(0, PARAMS)[1], apart.interval(0, PARAMS)[1]
    assert wide is not None
    assert narrow is not None
    assert wide > narrow > 200


def test_where_the_two_ways_disagree_the_lower_is_believed_less() -> None:
    """Open interest says 200, two dollars published of which half is shown say 4."""
    crowd = cell("bybit", 200, n=4, most=100)
    apart = slots_of((crowd, cell("binance-usdm", 2)))
    found = by_venue(apart, 60, AT, Scale(EVEN, UP), PARAMS)["binance-usdm"]
    assert longs(found) > 100
    agreed = slots_of((crowd, cell("binance-usdm", 100)))
    sure = by_venue(agreed, 60, AT, Scale(EVEN, UP), PARAMS)["binance-usdm"]
    assert width(found) > 1.5 * width(sure)


def test_in_a_lone_second_the_own_order_is_believed() -> None:
    """A large order elsewhere is no reason to think that this venue hid one."""
    slots = slots_of((cell("bybit", 1_000), cell("binance-usdm", 1)))
    found = by_venue(slots, 60, AT, Scale(EVEN, UP), PARAMS)["binance-usdm"]
    assert longs(found) < 1.1


def test_the_order_of_cells_and_slots_does_not_matter() -> None:
    cells = (CROWDED, cell("binance-usdm", 50), cell("okx", 9), cell("bybit", 7, side="short"))
    expected = estimate_block(slots_of(cells), 60, AT, Scale(EVEN, UP), PARAMS)
    for order in permutations(cells):
        slots = slots_of(order)
        backwards = dict(reversed(slots.items()))
        assert estimate_block(backwards, 60, AT, Scale(EVEN, UP[::-1]), PARAMS) == expected


def test_late_dollars_are_added_as_they_are_and_leave_the_label() -> None:
    sealed = Estimate(Dollars(100, None, 5), Dollars(), "extrapolated", partial=True)
    late: Slots = {("okx", "BTC", ""): SlotTally(0, 7, 0, None, None, all_orders=False)}
    found = estimate_late(sealed, late, AT, PARAMS)
    assert found.long == Dollars(107, None, 5)
    assert (found.identifiability, found.partial) == ("extrapolated", True)
    first = estimate_late(Estimate(), late, AT, PARAMS)
    assert (first.identifiability, first.partial) == ("unknown", True)


def test_a_strict_reading_leaves_partial_feeds_without_an_estimate() -> None:
    strict = ThrottleParams(partial="unknown")
    found = estimate_block(slots_of((CROWDED, cell("okx", 9))), 60, AT, Scale(EVEN, UP), strict)
    assert found.of("mixed").usd is None
    assert found.of("mixed").interval(0, strict) == (None, None)
