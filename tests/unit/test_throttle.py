"""What the feed table and the throttle correction promise."""

import math
from collections.abc import Iterator
from itertools import pairwise
from statistics import NormalDist, median

import pytest

from streams.core.throttle import (
    DAY_US,
    FEED_SEMANTICS,
    Feed,
    Pick,
    SideEstimate,
    SlotTally,
    ThrottleParams,
    basket,
    combine,
    estimate,
    feed,
    inflation,
    no_bound,
    table,
)

PARAMS = ThrottleParams()
LARGEST = Feed("v", "largest_1s", "symbol", 0, None, "test")
LATEST = Feed("v", "latest_1s", "symbol", 0, None, "test")
FULL = Feed("v", "full", "none", 0, None, "test")
PARTIAL = Feed("v", "partial", "none", 0, None, "test")
USD = 1_000_000
SIGMA = 1.9


def test_every_venue_has_one_feed_at_any_time_and_breaks_at_midnight() -> None:
    for venue in {row.venue for row in FEED_SEMANTICS}:
        rows = [row for row in FEED_SEMANTICS if row.venue == venue]
        assert rows[0].valid_from_us == 0
        assert rows[-1].valid_to_us is None
        for earlier, later in pairwise(rows):
            assert earlier.valid_to_us == later.valid_from_us
            assert later.valid_from_us % DAY_US == 0
            assert feed(venue, later.valid_from_us - 1) == earlier
            assert feed(venue, later.valid_from_us) == later


@pytest.mark.parametrize(
    ("venue", "when", "feed_class", "slot"),
    [
        ("binance-usdm", 1_617_235_199, "full", "none"),
        ("binance-usdm", 1_617_235_200, "latest_1s", "symbol"),
        ("binance-usdm", 1_776_124_800, "largest_1s", "symbol"),
        ("binance-coinm", 1_776_124_800, "latest_1s", "symbol"),
        ("bybit", 1_740_441_599, "latest_1s", "symbol"),
        ("bybit", 1_740_441_600, "full", "none"),
        ("bybit-linear", 1_740_441_600, "full", "none"),
        ("gate", 1_787_183_999, "latest_1s", "symbol"),
        ("gate", 1_787_184_000, "full", "none"),
        ("bitget", 1_790_000_000, "largest_1s", "symbol_side"),
        ("okx", 1_790_000_000, "partial", "none"),
        ("hyperliquid", 1_790_000_000, "partial", "none"),
    ],
)
def test_a_feed_is_what_it_was_at_the_event_time(
    venue: str, when: int, feed_class: str, slot: str
) -> None:
    found = feed(venue, when * USD)
    assert (found.feed_class, found.slot) == (feed_class, slot)


def test_an_unlisted_venue_is_full_only_by_its_own_word() -> None:
    assert feed("elsewhere", 0).feed_class == "partial"
    assert feed("elsewhere", 0, "sampled").feed_class == "partial"
    assert feed("elsewhere", 0, "all").feed_class == "full"
    assert feed("okx", 0, "all").feed_class == "partial"


def test_a_basket_ignores_order_and_changes_at_a_break() -> None:
    before, after = 1_787_183_999 * USD, 1_787_184_000 * USD
    assert basket(["gate", "bybit", "gate"], before) == basket(["bybit", "gate"], before)
    assert basket(["gate", "bybit"], before) != basket(["gate", "bybit"], after)
    assert basket(["bybit"], before) == basket(["bybit"], after)


def by_quantiles(rate: float, sigma: float) -> float:
    """Inflation of the largest, integrated over quantiles of the largest instead of sizes."""
    normal = NormalDist()
    steps, area, occupied = 20_000, 0.0, -math.expm1(-rate)
    for index in range(steps):
        # Fourth powers crowd the points where the largest is heaviest.
        share = (index + 0.5) / steps
        above = -math.log1p(-occupied * share**4) / rate
        area += 4 * share**3 / steps * occupied * math.exp(-sigma * normal.inv_cdf(above))
    return rate * math.exp(sigma**2 / 2) / area


@pytest.mark.parametrize("row", [1, 15, 38, 52, 57])
def test_the_checked_in_table_is_the_integral(row: int) -> None:
    rate = -math.log1p(-row / 60)
    assert table("largest", SIGMA)[row] == round(inflation(rate, "largest") * 1e6)
    assert table("largest", SIGMA)[row] == pytest.approx(1e6 * by_quantiles(rate, SIGMA), rel=1e-3)


def test_the_whole_table_is_reproduced_by_the_integral() -> None:
    rates = [-math.log1p(-row / 60) for row in range(1, 58)]
    again = [round(inflation(rate, "largest", SIGMA) * 1e6) for rate in rates]
    assert list(table("largest", SIGMA)) == [1_000_000, *again]


@pytest.mark.parametrize(
    ("rate", "largest", "latest"),
    [(0.2, 0.98, 0.92), (1, 0.91, 0.64), (3, 0.80, 0.32), (5, 0.73, 0.20), (10, 0.62, 0.10)],
)
def test_inflation_agrees_with_the_published_simulation(
    rate: float, largest: float, latest: float
) -> None:
    assert 1 / inflation(rate, "largest") == pytest.approx(largest, abs=0.02)
    assert 1 / inflation(rate, "latest") == pytest.approx(latest, abs=0.02)


@pytest.mark.parametrize("pick", ["largest", "latest"])
@pytest.mark.parametrize("sigma", [1.0, 1.9, 2.4])
def test_inflation_grows_with_the_occupied_share(pick: Pick, sigma: float) -> None:
    rows = table(pick, sigma)
    assert rows[0] == 1_000_000
    assert all(later > earlier for earlier, later in pairwise(rows))


def test_a_full_feed_is_its_own_estimate_and_bound() -> None:
    tally = SlotTally(60, 7 * USD, 2 * USD, None, None)
    assert estimate(FULL, tally, 60, PARAMS) == SideEstimate(
        7 * USD, 2 * USD, 7 * USD, 2 * USD, "ok"
    )


def test_a_partial_feed_is_estimated_at_its_published_dollars_and_has_no_bound() -> None:
    tally = SlotTally(3, 7 * USD, 0, 9 * USD, 0)
    result = estimate(PARTIAL, tally, 60, PARAMS)
    assert result == SideEstimate(7 * USD, 0, None, None, "unknown")
    strict = estimate(PARTIAL, tally, 60, ThrottleParams(partial="unknown"))
    assert strict == SideEstimate(None, None, None, None, "unknown")


def test_a_missing_bound_is_laid_to_a_partial_feed_where_one_took_part() -> None:
    assert no_bound(partial=True) == "partial_feed"
    assert no_bound(partial=False) == "no_trades"


@pytest.mark.parametrize("rule", [LARGEST, LATEST])
@pytest.mark.parametrize("occupied", [1, 30, 57, 58, 60])
def test_an_estimate_lies_between_the_published_dollars_and_the_bound(
    rule: Feed, occupied: int
) -> None:
    tally = SlotTally(occupied, 900 * USD, 100 * USD, 1_000 * USD, None)
    result = estimate(rule, tally, 60, PARAMS)
    assert result.long_usd is not None
    assert result.short_usd is not None
    assert 900 * USD <= result.long_usd <= 1_000 * USD
    assert result.short_usd >= 100 * USD
    assert result.short_upper is None
    assert result.identifiability == ("saturated" if occupied > 57 else "ok")


def test_a_bound_is_never_below_the_published_dollars() -> None:
    result = estimate(LARGEST, SlotTally(1, 900 * USD, 0, 100 * USD, 0), 60, PARAMS)
    assert result.long_usd == result.long_upper == 900 * USD


def test_the_estimate_stops_growing_at_saturation() -> None:
    at_limit = estimate(LARGEST, SlotTally(57, USD, 0, None, 0), 60, PARAMS)
    beyond = estimate(LARGEST, SlotTally(60, USD, 0, None, 0), 60, PARAMS)
    assert at_limit.long_usd == beyond.long_usd == 1_225_780
    assert (at_limit.identifiability, beyond.identifiability) == ("ok", "saturated")


def test_intervals_other_than_a_minute_lie_between_the_rows_of_the_table() -> None:
    half = estimate(LATEST, SlotTally(5, USD, 0, None, 0), 10, PARAMS).long_usd
    assert half == estimate(LATEST, SlotTally(30, USD, 0, None, 0), 60, PARAMS).long_usd
    between = estimate(LATEST, SlotTally(61, USD, 0, None, 0), 120, PARAMS).long_usd
    above = estimate(LATEST, SlotTally(31, USD, 0, None, 0), 60, PARAMS).long_usd
    assert half is not None
    assert between is not None
    assert above is not None
    assert half < between < above


def test_sums_are_as_known_as_their_least_known_part() -> None:
    known = SideEstimate(5, 1, 6, 1, "ok")
    assert combine([]) == SideEstimate(0, 0, 0, 0, "ok")
    assert combine([known, known]) == SideEstimate(10, 2, 12, 2, "ok")
    unknown = SideEstimate(None, None, None, None, "unknown")
    assert combine([known, unknown]) == unknown
    assert combine([known, SideEstimate(1, 1, None, 3, "saturated")]) == SideEstimate(
        6, 2, None, 4, "saturated"
    )


class Chance:
    """A linear congruential generator, so that the simulations below never change."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def uniform(self) -> float:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 11) / 2**53 or 2**-53

    def poisson(self, rate: float) -> int:
        count, product, floor = 0, self.uniform(), math.exp(-rate)
        while product > floor:
            count, product = count + 1, product * self.uniform()
        return count

    def size(self) -> int:
        return round(math.exp(8 + SIGMA * NormalDist().inv_cdf(self.uniform())) * USD)


def seconds(chance: Chance, rates: tuple[float, float]) -> Iterator[list[tuple[bool, int]]]:
    """A minute of (long, dollars) orders, second by second, in time order."""
    for _ in range(60):
        orders = [
            (chance.uniform(), long, chance.size())
            for long, rate in zip((True, False), rates, strict=True)
            for _ in range(chance.poisson(rate))
        ]
        yield [(long, usd) for _, long, usd in sorted(orders)]


def throttled(minute: list[list[tuple[bool, int]]], pick: Pick, pooled: bool) -> list[SlotTally]:
    """What the venue publishes of a minute: one tally when sides share the slot, else two."""
    tallies = [SlotTally(long_upper=None, short_upper=None) for _ in range(2)]
    for orders in minute:
        if orders:
            long, usd = max(orders, key=lambda order: order[1]) if pick == "largest" else orders[-1]
            tally = tallies[0 if pooled or long else 1]
            tally.occupied += 1
            tally.long_usd += usd if long else 0
            tally.short_usd += 0 if long else usd
    return tallies


@pytest.mark.parametrize("rate", [0.2, 1.0, 2.0, 3.0])
def test_the_largest_order_of_each_second_gives_back_the_true_dollars(rate: float) -> None:
    chance, ratios = Chance(7), []
    for _ in range(300):
        minute = list(seconds(chance, (rate, 0.0)))
        true = sum(usd for orders in minute for _, usd in orders)
        guess = estimate(LARGEST, throttled(minute, "largest", True)[0], 60, PARAMS).usd
        if true and guess is not None:
            ratios.append(guess / true)
    assert 0.9 <= median(ratios) <= 1.1


@pytest.mark.parametrize("rate", [0.2, 1.0, 2.0])
def test_the_latest_order_of_each_second_gives_back_the_true_dollars_on_average(
    rate: float,
) -> None:
    chance, true, guessed = Chance(11), 0, 0
    for _ in range(600):
        minute = list(seconds(chance, (rate, 0.0)))
        true += sum(usd for orders in minute for _, usd in orders)
        guessed += estimate(LATEST, throttled(minute, "latest", True)[0], 60, PARAMS).usd or 0
    assert 0.8 <= guessed / true <= 1.2


def test_sides_that_share_a_slot_are_inverted_together_not_one_by_one() -> None:
    chance, true = Chance(3), {True: 0, False: 0}
    pooled = {True: 0, False: 0}
    alone = {True: 0, False: 0}
    for _ in range(400):
        # Orders of one dollar: dollars are then counts, and the law is about rates.
        minute = [[(long, USD) for long, _ in orders] for orders in seconds(chance, (2.0, 0.3))]
        for orders in minute:
            for long, usd in orders:
                true[long] += usd
        both = estimate(LATEST, throttled(minute, "latest", True)[0], 60, PARAMS)
        pooled[True] += both.long_usd or 0
        pooled[False] += both.short_usd or 0
        longs, shorts = throttled(minute, "latest", False)
        alone[True] += estimate(LATEST, longs, 60, PARAMS).usd or 0
        alone[False] += estimate(LATEST, shorts, 60, PARAMS).usd or 0
    for long in (True, False):
        assert pooled[long] / true[long] == pytest.approx(1.0, abs=0.06)
    assert alone[True] / true[True] < 0.85
    assert alone[False] / true[False] < 0.5
