"""Matching of true events and spans: one-to-one, as many pairs as possible, then the nearest."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from streams.scoreboard.matching import Pair, answers, assign, match, overlap
from streams.scoreboard.spans import Event, Side, Span


def event(onset: int, end: int, side: Side = "long", scope: str = "BTC") -> Event:
    return Event(scope, side, onset, end, 1e6, 20, 10.0)


def span(onset: int, end: int, side: Side = "long", scope: str = "BTC") -> Span:
    return Span(scope, side, onset, onset + 5, end)


def mixed(onset: int, end: int) -> Span:
    return Span("BTC", "mixed", onset, onset + 5, end)


def sixty_seconds_apart() -> tuple[Event, Span, Span]:
    return event(1_000, 1_010), span(1_060, 1_070), span(1_061, 1_071)


def test_onsets_match_up_to_sixty_seconds_apart_and_not_at_sixty_one() -> None:
    true, near, far = sixty_seconds_apart()
    assert answers(true, near)
    assert not answers(true, far)


def test_overlap_counts_both_ends() -> None:
    assert overlap(event(0, 9), span(0, 9)) == 1.0
    assert overlap(event(0, 9), span(9, 18)) == 1 / 19
    assert overlap(event(0, 9), span(10, 19)) == 0.0


def test_intervals_match_from_three_tenths_on_however_far_their_onsets() -> None:
    true = event(0, 999)
    assert overlap(true, span(700, 999)) == 0.3
    assert answers(true, span(700, 999))
    assert not answers(true, span(701, 999))


def test_scopes_never_match_each_other() -> None:
    found = match([event(0, 100)], [span(0, 100, scope="ETH"), span(0, 100, scope="ALL")])
    assert found.pairs == ()
    assert len(found.missed) == 1
    assert [one.scope for one in found.false] == ["ALL", "ETH"]


def test_a_wrong_side_is_one_wrong_side_and_not_a_miss_with_a_false_alarm() -> None:
    true, said = event(0, 100, "long"), span(0, 100, "short")
    assert match([true], [said]).pairs == (Pair(true, said, side_right=False),)


def test_the_right_side_is_preferred_to_the_nearer_onset() -> None:
    true = event(100, 200, "long")
    near, right = span(100, 200, "short"), span(130, 200, "long")
    found = match([true], [near, right])
    assert found.pairs == (Pair(true, right, side_right=True),)
    assert found.false == (near,)


def test_a_second_pair_is_preferred_to_a_right_side() -> None:
    first, second = event(0, 20, "long"), event(100, 120, "long")
    between, early = span(50, 60, "long"), span(-40, -30, "short")
    found = match([first, second], [between, early])
    assert [(pair.event, pair.span) for pair in found.pairs] == [(first, early), (second, between)]


def test_each_of_two_overlapping_sides_gets_its_own_span() -> None:
    longs, shorts = event(0, 300, "long"), event(20, 300, "short")
    said = [span(19, 300, "short"), span(21, 300, "long")]
    found = match([longs, shorts], said)
    assert [pair.side_right for pair in found.pairs] == [True, True]
    assert [pair.span.side for pair in found.pairs] == ["long", "short"]


def test_mixed_is_right_only_where_both_sides_truly_flush() -> None:
    longs, shorts = event(0, 300, "long"), event(200, 500, "short")
    assert not match([longs], [mixed(0, 300)]).pairs[0].side_right
    both = match([longs, shorts], [mixed(0, 300)])
    assert both.pairs[0].side_right
    assert both.missed == (shorts,)
    assert not match([longs, shorts], [mixed(0, 199)]).pairs[0].side_right


def test_one_long_span_over_two_events_answers_one_of_them() -> None:
    found = match([event(0, 100), event(150, 250)], [span(0, 250)])
    assert len(found.pairs) == len(found.missed) == 1
    assert found.pairs[0].event.onset == 0


def test_the_cheaper_of_two_full_assignments_is_taken() -> None:
    costs = {(0, 0): 1, (0, 1): 2, (1, 0): 2, (1, 1): 10}
    assert assign(costs) == {0: 1, 1: 0}


cells = st.dictionaries(
    st.tuples(st.integers(0, 4), st.integers(0, 4)), st.integers(0, 30), max_size=25
)


@given(cells)
def test_an_assignment_is_one_to_one_maximal_and_cheapest(
    costs: dict[tuple[int, int], int],
) -> None:
    found = assign(costs)
    assert len(set(found.values())) == len(found)
    assert all(cell in costs for cell in found.items())
    assert (len(found), -sum(costs[cell] for cell in found.items())) == brute_force(costs)


def brute_force(costs: dict[tuple[int, int], int]) -> tuple[int, int]:
    """Most pairs and, of these, the least cost (negated), of all ways to pair five with five."""
    best = (0, 0)
    for columns in permutations(range(5)):
        used = [costs[cell] for cell in enumerate(columns) if cell in costs]
        best = max(best, (len(used), -sum(used)))
    return best


sides = st.sampled_from(("long", "short"))
stretches = st.tuples(st.integers(0, 400), st.integers(0, 300), sides, st.sampled_from("AB"))


@given(st.lists(stretches, max_size=5), st.lists(stretches, max_size=5))
def test_every_event_and_span_is_told_once_and_the_order_given_does_not_matter(
    true: list[tuple[int, int, Side, str]], said: list[tuple[int, int, Side, str]]
) -> None:
    events = [event(at, at + length, side, scope) for at, length, side, scope in true]
    spans = [span(at, at + length, side, scope) for at, length, side, scope in said]
    found = match(events, spans)
    told = [pair.event for pair in found.pairs] + list(found.missed)
    claimed = [pair.span for pair in found.pairs] + list(found.false)
    assert sorted(map(repr, told)) == sorted(map(repr, events))
    assert sorted(map(repr, claimed)) == sorted(map(repr, spans))
    assert all(answers(pair.event, pair.span) for pair in found.pairs)
    assert not any(answers(a, b) for a in found.missed for b in found.false)
    assert match(events[::-1], spans[::-1]) == found
