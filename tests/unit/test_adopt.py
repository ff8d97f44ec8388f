"""Topics as one log: what waits for what, and which of several comes first."""

import asyncio
import gc

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.config import MarginquakeError
from streams.core.instruments import Instruments
from streams.edges import adopt
from streams.edges.adopt import TOPICS, Adoption, Merge

A, B = TopicPartition("a", 0), TopicPartition("b", 0)


def test_nothing_leaves_while_an_input_may_bring_something_earlier() -> None:
    merge: Merge[str] = Merge([A, B])
    merge.add(A, 5, "later")
    assert list(merge.take(())) == []
    merge.add(B, 3, "earlier")
    assert list(merge.take(())) == [(B, "earlier")]
    assert list(merge.take({B})) == [(A, "later")]
    assert list(merge.take({A, B})) == []


@given(
    times=st.tuples(*[st.lists(st.integers(0, 50), max_size=20).map(sorted)] * 2),
    data=st.data(),
)
def test_any_reading_of_the_inputs_gives_their_order_of_receipt(
    times: tuple[list[int], list[int]], data: st.DataObject
) -> None:
    merge: Merge[int] = Merge([A, B])
    left = {A: list(times[0]), B: list(times[1])}
    found = []
    while any(left.values()):
        place = data.draw(st.sampled_from([p for p in left if left[p]]))
        for at in left[place][: data.draw(st.integers(1, 5))]:
            merge.add(place, at, at)
            left[place].pop(0)
        found += [at for _, at in merge.take({p for p in left if not left[p]})]
    assert found == sorted(found)
    assert found == sorted([*times[0], *times[1]])


def test_what_is_held_is_bounded_and_what_is_waited_for_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adopt, "MOST_WAITING", 4)
    monkeypatch.setattr(adopt, "MOST_HELD", 6)
    many = [TopicPartition(str(number), 0) for number in range(5)]
    merge: Merge[int] = Merge(many)
    for place in many[:2]:
        for at in range(2):
            merge.add(place, at, at)
    assert merge.full() == set()
    for at in range(2, 4):
        merge.add(many[0], at, at)
    assert merge.full() == set(many[:2])
    assert len(list(merge.take(set(many[2:])))) == 4
    assert (merge.held, merge.full()) == (2, set())


def test_cryptofeeds_topics_are_told_by_name() -> None:
    assert TOPICS.fullmatch("liquidations-BINANCE_FUTURES-BTC-USDT-PERP")
    assert not TOPICS.fullmatch("liquidations.v1")
    assert not TOPICS.fullmatch("candles-OKX-BTC-USDT")


async def test_without_a_broker_one_sentence_is_all_that_is_said() -> None:
    said: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: said.append(context["message"]))
    with pytest.raises(MarginquakeError, match=r"Kafka at 127\.0\.0\.1:1: "):
        await Adoption("127.0.0.1:1", "127.0.0.1:1", [], Instruments({}, {})).run(asyncio.Event())
    gc.collect()
    assert said == []
