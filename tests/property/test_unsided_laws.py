"""Laws of trades some of which tell no side: nothing is lost, invented or decided by arrival.

Trades reach a tape one by one, in lots, or both; copies of a trade tell its side or do not.
"""

import json
from typing import Final

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.core.buckets import Bucket, flows
from streams.core.detectors.venue_sums import trades_of
from streams.core.events import MICROS, TakerSide, Trade
from streams.core.frames import Flow
from tests.drive import encoded, final_bytes, run
from tests.logs import ORIGIN, Event, Log
from tests.scenarios import FEW, SEEDS, chance, drawn
from tests.trade_messages import unsided

SYMBOLS: Final = ("BTCUSDT", "BTCUSD")

SIDES: Final[tuple[TakerSide, ...]] = ("buy", "sell", "unknown")


@st.composite
def trades(draw: st.DrawFn) -> list[Trade]:
    """Trades of one second with an id each; a number, or a name at the same venue."""
    count = draw(st.integers(1, 12))
    return [
        Trade(
            venue=draw(st.sampled_from(("htx", "bybit"))),
            symbol=draw(st.sampled_from(SYMBOLS)),
            asset="BTC",
            contract="linear",
            taker_side=draw(st.sampled_from(SIDES)),
            price=draw(st.sampled_from((99.0, 100.0, 101.5))),
            base_qty=1.0,
            usd=draw(st.integers(0, 10**12)),
            event_time_us=ORIGIN * MICROS + draw(st.integers(0, MICROS - 1)),
            received_at_us=ORIGIN * MICROS,
            id=draw(st.sampled_from(("", "t"))) + str(number),
        )
        for number in range(count)
    ]


def told(arrivals: list[Trade]) -> tuple[Flow, ...]:
    bucket = Bucket()
    for trade in arrivals:
        bucket.add_trade(trade, numbered=trade.venue == "htx")
    packed = msgspec.msgpack.encode(bucket)
    assert flows(msgspec.msgpack.decode(packed, type=Bucket)) == flows(bucket)
    return flows(bucket)


def usd_of(found: list[Trade], side: TakerSide) -> int:
    return sum(trade.usd for trade in found if trade.taker_side == side)


@given(found=trades())
def test_bought_sold_and_unknown_are_all_there_is(found: list[Trade]) -> None:
    flowed = told(found)
    assert sum(flow.n for flow in flowed) == len(found)
    assert sum(flow.buy_usd for flow in flowed) == usd_of(found, "buy")
    assert sum(flow.sell_usd for flow in flowed) == usd_of(found, "sell")
    assert sum(flow.unknown_usd for flow in flowed) == usd_of(found, "unknown")
    assert sum(one.usd for one in trades_of(flowed)) == sum(trade.usd for trade in found)
    for flow in flowed:
        mine = [one.price for one in found if (one.venue, one.symbol) == (flow.venue, flow.symbol)]
        assert (flow.low, flow.high) == (min(mine), max(mine))


@given(found=trades(), seed=SEEDS, told_not=st.sets(st.integers(0, 11)))
def test_copies_count_once_and_no_order_of_arrival_matters(
    found: list[Trade], seed: int, told_not: set[int]
) -> None:
    random = chance(seed)
    copies = random.choices(found, k=5)
    # Some copies do not tell the side that another one does.
    copies += [
        msgspec.structs.replace(one, taker_side="unknown")
        for number, one in enumerate(found)
        if number in told_not
    ]
    arrivals = [*found, *copies]
    random.shuffle(arrivals)
    assert told(arrivals) == told(found)


def bare(event: Event) -> Event:
    """The event without the side of its trade."""
    payload = json.dumps(unsided(json.loads(event.raw.payload))).encode()
    return event._replace(raw=msgspec.structs.replace(event.raw, payload=payload))


@FEW
@given(seed=SEEDS)
def test_a_market_of_unsided_trades_gives_the_same_rows_in_any_order(seed: int) -> None:
    random, log = drawn(seed)
    events = [
        bare(event) if event.raw.channel == "trade" and random.random() < 0.3 else event
        for event in log.events
    ]
    expected = run(Log(log.statuses, events).arranged())
    copies = [*events, *random.choices(events, k=len(events) // 3)]
    other = run(Log(log.statuses, copies).arranged(random))
    assert encoded(other.framing.frames) == encoded(expected.framing.frames)
    assert final_bytes(other.rows) == final_bytes(expected.rows)
    assert any(flow.unknown_usd for frame in expected.framing.frames for flow in frame.flows)


@FEW
@given(seed=SEEDS)
def test_copies_without_a_side_change_nothing(seed: int) -> None:
    random, log = drawn(seed)
    expected = run(log.arranged())
    copies = [bare(event) for event in log.events if event.raw.channel == "trade"]
    other = run(Log(log.statuses, [*log.events, *copies]).arranged(random))
    assert encoded(other.framing.frames) == encoded(expected.framing.frames)
    assert final_bytes(other.rows) == final_bytes(expected.rows)
