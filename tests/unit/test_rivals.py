"""Rival rules at their boundaries, on orders made by hand, and the law that no rule looks ahead."""

from itertools import pairwise
from math import exp2, log, sqrt

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.config import MarginquakeError
from streams.scoreboard.spans import ALL, Order, Side, Span

pytest.importorskip("numpy")

from streams.scoreboard.flow import Flow, lay
from streams.scoreboard.rivals import (
    HALF_LIFE_S,
    RIVALS,
    WARM_UP_S,
    Rule,
    kleinberg,
    rival,
    z_score,
)

BEGIN = 1_000_000
LENGTH = 7_200


def order(at: int, usd: float = 1.0, side: Side = "long", **other: str) -> Order:
    return Order(BEGIN + at, other.get("asset", "BTC"), other.get("venue", "bybit"), side, usd)


def told(
    rule: str, orders: list[Order], scope: str = "BTC", further: float | None = None
) -> list[tuple[str, int, int, int]]:
    """Side, onset, detection and end of what a rule says, from the beginning."""
    found = rival(rule).spans(orders, scope, BEGIN, BEGIN + LENGTH, further=further)
    return [
        (one.side, one.onset - BEGIN, one.detected_at - BEGIN, one.end - BEGIN) for one in found
    ]


def flow(orders: list[Order]) -> Flow:
    return lay(orders, BEGIN, BEGIN + LENGTH)["BTC"][0]


def ticking(until: int, every: int, usd: float) -> list[Order]:
    return [order(at, usd) for at in range(0, until, every)]


def test_fixed_needs_five_orders_and_100k_within_60_seconds() -> None:
    five = [order(at, 20_000.0) for at in (100, 110, 120, 130, 159)]
    assert told("fixed", five) == [("long", 100, 159, 159)]
    assert told("fixed", [*five[:4], order(160, 20_000.0)]) == []
    assert told("fixed", five[:4]) == []
    assert told("fixed", [*five[:4], order(159, 19_999.99)]) == []


def test_fixed_takes_each_side_by_itself() -> None:
    mixed = [order(at, 1e6, "long" if at % 2 else "short") for at in range(100, 108)]
    assert told("fixed", mixed) == []


def test_interest_share_asks_basis_points_of_what_was_known_of_open_interest() -> None:
    ten = [order(at, 40.0) for at in range(100, 110)]
    # Told in the first minute, known in the second; 400 dollars are 4 bp of a million.
    minutes = {"BTC": (1e6, 1.1e6) + (1.1e6,) * (LENGTH // 60 - 2)}
    rule = rival("interest-share")

    def said(orders: list[Order], interest: dict[str, tuple[float, ...]]) -> list[tuple[int, int]]:
        flows = lay(orders, BEGIN, BEGIN + LENGTH, interest)["BTC"]
        return [(one.onset - BEGIN, one.detected_at - BEGIN) for one in rule.over(flows)]

    assert said(ten, minutes) == [(100, 109)]
    assert said(ten[1:], minutes) == []
    late = [msgspec.structs.replace(one, second=one.second + 60) for one in ten]
    assert said(late, minutes) == []
    assert said(ten, {}) == []


def test_same_side_needs_seven_orders_and_none_of_the_other_side() -> None:
    seven = [order(at) for at in range(100, 107)]
    assert told("same-side", seven) == [("long", 100, 106, 106)]
    assert told("same-side", seven[:6]) == []
    assert told("same-side", [order(106, side="short"), *seven]) == []


def test_same_side_waits_until_the_other_side_has_left_the_minute() -> None:
    orders = [order(90, side="short"), *(order(at) for at in range(100, 107))]
    assert told("same-side", orders) == [("long", 100, 150, 106)]
    assert told("same-side", orders, further=0.5) == [("long", 100, 102 + 4, 106)]


def test_small_cluster_needs_three_orders_at_one_venue_within_30_seconds() -> None:
    assert told("small-cluster", [order(at) for at in (100, 110, 129)]) == [("long", 100, 129, 129)]
    assert told("small-cluster", [order(at) for at in (100, 110, 130)]) == []
    split = [order(100), order(101), order(102, venue="okx")]
    assert told("small-cluster", split) == []


def test_small_cluster_may_ask_for_two_venues_at_once() -> None:
    orders = [order(at) for at in (100, 101, 102)]
    assert told("small-cluster", orders, further=2) == []
    orders += [order(at, venue="okx") for at in (110, 111, 112)]
    assert told("small-cluster", orders, further=2) == [("long", 100, 112, 112)]


def test_multiple_needs_ten_times_the_mean_minute_of_the_past() -> None:
    past = ticking(3_600, 1, 100.0)
    least = 10 * 6_000 - 59 * 100
    assert told("multiple", [*past, order(3_600, least)]) == [("long", 3_541, 3_600, 3_600)]
    assert told("multiple", [*past, order(3_600, least - 0.01)]) == []


def test_multiple_takes_no_empty_minute_for_normal() -> None:
    assert told("multiple", [order(3_600, 10_000.0)]) == [("long", 3_600, 3_600, 3_600)]
    assert told("multiple", [order(3_600, 9_999.99)]) == []


@pytest.mark.parametrize("rule", ["z-score", "multiple", "kleinberg"])
def test_rules_with_a_baseline_are_silent_without_a_past(rule: str) -> None:
    burst = [order(at, 1e6) for at in range(10)]
    assert told(rule, burst) == []
    assert told(rule, [order(at + WARM_UP_S, 1e6) for at in range(10)]) != []


def test_z_score_is_four_weighted_deviations_of_what_came_before_the_minute() -> None:
    orders = [*ticking(1_800, 7, 50.0), order(1_803, 200.0), order(1_850, 450.0)]
    seconds = dict.fromkeys(range(LENGTH), 0.0)
    for one in orders:
        seconds[one.second - BEGIN] += one.usd
    sums = [sum(seconds[at] for at in range(max(0, t - 59), t + 1)) for t in range(2_000)]

    def z(at: int) -> float:
        past = range(at - 59)
        weights = [exp2((t - at + 60) / HALF_LIFE_S) for t in past]
        whole = sum(weights)
        mean = sum(w * sums[t] for w, t in zip(weights, past, strict=True)) / whole
        square = sum(w * sums[t] ** 2 for w, t in zip(weights, past, strict=True)) / whole
        return (sums[at] - mean) / sqrt(square - mean**2)

    for at in (1_799, 1_803, 1_849, 1_850, 1_900):
        value = z(at)
        assert z_score(flow(orders), value - 1e-6, 0).true[at]
        assert not z_score(flow(orders), value + 1e-6, 0).true[at]


def test_z_score_may_ask_for_dollars_too() -> None:
    assert told("z-score", [order(3_600, 99_999.0)]) != []
    assert told("z-score", [order(3_600, 99_999.0)], further=100_000) == []


def cheapest(counts: list[int], gamma: float, s: float) -> list[tuple[bool, int]]:
    """Of each second: whether the burst is cheaper, and where its path entered; all written out."""
    base, burst, entered, seen = 0.0, float("inf"), 0, 0
    path = []
    for at, count in enumerate(counts):
        rate = seen / max(at, 1)
        entry = gamma * log(max(rate * 86_400, 2.0))
        least = min(base, burst)
        if base + entry <= burst:
            burst, entered = base + entry, at
        burst += s * rate - count * log(s)
        base = least + rate
        path.append((burst < base, entered))
        seen += count
    return path


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1_500), st.integers(1, 12)), max_size=40),
    st.sampled_from([0.5, 1.0, 3.0]),
    st.sampled_from([2.0, 4.0]),
)
def test_kleinberg_is_in_the_cheaper_state_of_the_automaton(
    placed: list[tuple[int, int]], gamma: float, s: float
) -> None:
    counts = [0] * LENGTH
    for at, count in placed:
        counts[at] += count
    orders = [order(at) for at, count in enumerate(counts) for _ in range(count)]
    if not orders:
        return
    fired = kleinberg(flow(orders), gamma, s)
    for at, (bursting, entered) in enumerate(cheapest(counts, gamma, s)):
        if at >= WARM_UP_S:
            assert bool(fired.true[at]) == bursting
            if bursting:
                assert int(fired.since[at]) == entered


def test_kleinberg_enters_when_a_burst_outweighs_its_cost() -> None:
    past = ticking(3_600, 60, 1.0)
    enough = 1 + int(log(86_400 / 60) / log(2))
    assert told("kleinberg", past) == []
    assert told("kleinberg", [*past, *[order(3_601)] * (enough - 2)]) == []
    assert told("kleinberg", [*past, *[order(3_601)] * enough]) == [("long", 3_601, 3_601, 3_601)]


def test_kleinberg_bears_thousands_of_orders_with_one_time_stamp() -> None:
    assert told("kleinberg", [order(3_600)] * 11_279) == [("long", 3_600, 3_600, 3_600)]


def burst(at: int) -> list[Order]:
    return [order(at + n, 50_000.0) for n in range(5)]


def test_a_span_ends_when_its_rule_was_false_for_300_seconds() -> None:
    last_true = 104 + 55
    joined = [*burst(100), *burst(last_true + 300 - 4)]
    assert told("fixed", joined) == [("long", 100, 104, last_true + 300)]
    parted = [*burst(100), *burst(last_true + 301 - 4)]
    assert told("fixed", parted) == [
        ("long", 100, 104, 104),
        ("long", last_true + 297, last_true + 301, last_true + 301),
    ]


def test_orders_after_the_last_true_second_are_not_the_spans() -> None:
    orders = [*burst(100), order(158), order(250), order(400)]
    assert told("fixed", orders) == [("long", 100, 104, 158)]


def test_a_span_sums_what_was_published_of_its_side() -> None:
    orders = [*burst(100), order(102, 7e6, "short"), order(300, 9e6)]
    (found,) = rival("fixed").spans(orders, "BTC", BEGIN, BEGIN + LENGTH)
    assert found.usd == 250_000.0


def test_all_is_the_pool_of_every_asset() -> None:
    orders = [order(100 + n, 30_000.0, asset=f"A{n}") for n in range(5)]
    assert told("fixed", orders, "A0") == []
    assert told("fixed", orders, ALL) == [("long", 100, 104, 104)]
    assert told("fixed", orders, "NEVER") == []


def test_orders_outside_the_case_are_not_seen() -> None:
    assert told("fixed", [*burst(-10), *burst(LENGTH)]) == []
    assert told("fixed", [], ALL) == []


def test_an_unknown_rule_is_named_with_those_there_are() -> None:
    with pytest.raises(MarginquakeError, match="small-cluster"):
        rival("crystal-ball")


@pytest.mark.parametrize("rule", RIVALS.values(), ids=lambda rule: rule.name)
def test_every_rule_has_30_settings_around_its_authors_values(rule: Rule) -> None:
    assert len(rule.settings()) == 30
    assert (rule.threshold.default, rule.further.default) in rule.settings()
    for dial in (rule.threshold, rule.further):
        assert list(dial.grid) == sorted(set(dial.grid))
    assert rule.threshold.grid[0] < rule.threshold.default < rule.threshold.grid[-1]


@pytest.mark.parametrize("rule", RIVALS.values(), ids=lambda rule: rule.name)
def test_a_stricter_threshold_never_holds_where_a_looser_one_does_not(rule: Rule) -> None:
    orders = [*ticking(5_000, 41, 900.0), *burst(3_000), *burst(3_002), *burst(4_000)]
    for further in rule.further.grid:
        held = [rule.holds(flow(orders), t, further).true for t in rule.threshold.grid]
        for looser, stricter in pairwise(held):
            assert not (stricter & ~looser).any()


drawn = st.lists(
    st.builds(
        order,
        at=st.one_of(st.integers(0, LENGTH - 1), st.integers(2_000, 2_100)),
        usd=st.sampled_from([10.0, 3_000.0, 80_000.0]),
        side=st.sampled_from(["long", "short"]),
        asset=st.sampled_from(["BTC", "ETH"]),
        venue=st.sampled_from(["bybit", "okx"]),
    ),
    max_size=60,
)


@pytest.mark.parametrize("rule", RIVALS.values(), ids=lambda rule: rule.name)
@settings(max_examples=30, deadline=None)
@given(orders=drawn, cut=st.integers(1, LENGTH), scope=st.sampled_from(["BTC", ALL]))
def test_what_is_detected_does_not_change_when_later_orders_arrive(
    rule: Rule, orders: list[Order], cut: int, scope: str
) -> None:
    until = BEGIN + cut
    past = [one for one in orders if one.second < until]

    def known(seen: list[Order]) -> list[Span]:
        found = rule.spans(seen, scope, BEGIN, BEGIN + LENGTH)
        return [one for one in found if one.detected_at < until]

    early, late = known(past), known(orders)
    assert [(one.side, one.onset, one.detected_at) for one in early] == [
        (one.side, one.onset, one.detected_at) for one in late
    ]
    over = until - 60 - 300
    assert [one for one in early if one.end < over] == [one for one in late if one.end < over]
    assert all(one.onset <= one.detected_at for one in late)
    assert all(one.onset <= one.end for one in late)


@pytest.mark.parametrize("rule", RIVALS.values(), ids=lambda rule: rule.name)
@settings(max_examples=10, deadline=None)
@given(orders=drawn, data=st.data())
def test_the_order_in_which_orders_are_given_does_not_matter(
    rule: Rule, orders: list[Order], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(orders))
    end = BEGIN + LENGTH
    assert rule.spans(shuffled, ALL, BEGIN, end) == rule.spans(orders, ALL, BEGIN, end)
