"""Laws of the delivery state machine, over arbitrary orders of reading and acknowledging."""

from hypothesis import given
from hypothesis import strategies as st

from streams.core.delivery import Delivery, Span

PARTITIONS = [("frames.v1", 0), ("frames.v1", 1), ("late.v1", 0)]
HOLDERS = ["frames", "liquidations", "dead_letters"]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[tuple[Span, frozenset[str]]], list[int]]:
    """Spans with gaps between them, their holders, and an order of all acknowledgements."""
    ends = dict.fromkeys(PARTITIONS, 0)
    spans: list[tuple[Span, frozenset[str]]] = []
    for _ in range(draw(st.integers(1, 12))):
        partition = draw(st.sampled_from(PARTITIONS))
        first = ends[partition] + draw(st.integers(0, 3))
        last = first + draw(st.integers(0, 5))
        ends[partition] = last + 1
        spans.append((Span(partition, first, last), draw(st.frozensets(st.sampled_from(HOLDERS)))))
    pairs = sum(len(holders) for _, holders in spans)
    return spans, draw(st.permutations(range(pairs)))


@given(histories())
def test_a_committable_offset_never_passes_a_record_that_is_not_safe(
    history: tuple[list[tuple[Span, frozenset[str]]], list[int]],
) -> None:
    spans, order = history
    state = Delivery()
    for span, holders in spans:
        state = state.append(span, holders)
    waiting = [(span, holder) for span, holders in spans for holder in sorted(holders)]
    open_pairs = set(waiting)
    furthest: dict[tuple[str, int], int] = {}
    for index in order:
        span, holder = waiting[index]
        state = state.acknowledge(span, holder)
        open_pairs.discard((span, holder))
        offsets = state.committable()
        for partition, offset in offsets.items():
            unsafe = [s.first for s, _ in open_pairs if s.partition == partition]
            assert offset <= min(unsafe, default=offset)
            assert offset > furthest.get(partition, -1)
            furthest[partition] = offset
        state = state.committed(offsets)
        assert state.committable() == {}
    assert state.held() == 0


@given(histories())
def test_the_end_is_committable_once_all_is_acknowledged(
    history: tuple[list[tuple[Span, frozenset[str]]], list[int]],
) -> None:
    spans, order = history
    state = Delivery()
    for span, holders in spans:
        state = state.append(span, holders)
    waiting = [(span, holder) for span, holders in spans for holder in sorted(holders)]
    for index in order:
        state = state.acknowledge(*waiting[index])
        state = state.acknowledge(*waiting[index])
    ends: dict[tuple[str, int], int] = {}
    for span, _ in spans:
        ends[span.partition] = span.last + 1
    assert state.committable() == ends


def test_reading_the_same_records_twice_is_an_error() -> None:
    span = Span(PARTITIONS[0], 4, 9)
    state = Delivery().append(span, {"frames"})
    for again in (span, Span(PARTITIONS[0], 9, 12)):
        try:
            state.append(again, {"frames"})
        except ValueError as error:
            assert "read before" in str(error)
        else:
            raise AssertionError("a repeated span was accepted")


def test_an_acknowledgement_after_a_rebalance_is_ignored() -> None:
    span = Span(PARTITIONS[0], 4, 9)
    state = Delivery().append(span, {"frames"}).give_up([PARTITIONS[0]])
    assert state.acknowledge(span, "frames").committable() == {}
    again = state.append(Span(PARTITIONS[0], 4, 6), {"frames"})
    assert again.acknowledge(span, "frames").committable() == {}
    assert again.acknowledge(Span(PARTITIONS[0], 4, 6), "frames").committable() == {
        span.partition: 7
    }
