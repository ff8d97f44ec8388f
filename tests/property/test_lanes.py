"""The fast lane against the general path: the same trades, whole or odd, give the same framer.

Logs mix what eight venues send with what they should not: rows without a side, stamps of next
week, prices beyond reason, cut messages, copies (some without a side), strangers. `apply` takes
them one by one.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.events import MICROS, Raw, Status
from streams.core.framing import Emission, Framer, PartitionState
from streams.core.lanes import VenueParser
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments
from tests.logs import ORIGIN, binance_forced, end, heartbeat, status, subscribe
from tests.scenarios import FEW, chance
from tests.trade_messages import MAKERS, Message, mend, spoil, unsided

INSTRUMENTS = default_instruments()
SECONDS = 12
ASSETS = ("BTC", "ETH", "1000PEPE")


def trades(random: Random, spoiled: float) -> Iterator[Raw]:
    """Records of a second after another; some late, some of the future, some twice."""
    for _ in range(random.randint(100, 500)):
        ms = ORIGIN * 1000 + random.randrange(SECONDS * 1000)
        venue, message = random.choice(MAKERS)(random, random.choice(ASSETS), ms)
        if random.random() < spoiled:
            message = spoil(random, message)
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        lag_ms = random.choice([30, 80, 80, 200, 1500])
        if random.random() < spoiled / 4:
            lag_ms = random.choice([-5_500, -4_500, 4_000, 9_000])
        raw = Raw(venue, "trade", f"{venue}/a", (ms + lag_ms) * 1000, payload)
        yield raw
        # Prices of a thousand coins are rounded twice off the lane: their copies are not alike.
        if b"PEPE" not in payload and random.random() < spoiled:
            bare = bared(payload)
            later = raw.received_at_us + random.randrange(-20_000, 20_000)
            yield Raw(venue, "trade", f"{venue}/b", later, bare)
        if random.random() < 0.2:
            later = raw.received_at_us + random.randrange(400_000)
            yield msgspec.structs.replace(raw, connection=f"{venue}/b", received_at_us=later)


def bared(payload: bytes) -> bytes:
    """The message without the sides of its trades; as it is where it is no JSON."""
    try:
        return json.dumps(unsided(json.loads(payload))).encode()
    except ValueError:
        return payload


def records(random: Random, spoiled: float) -> list[Raw]:
    """A log: trades, forced orders, and the heartbeats of a connection for each venue."""
    venues = (
        *("binance-usdm", "binance-coinm", "bybit", "okx", "deribit", "kraken", "hyperliquid"),
        *("gate", "bitget", "bitget-spot"),
    )
    found = list(trades(random, spoiled))
    found += [binance_forced(random.uniform(0, SECONDS), usd=5e4).raw for _ in range(20)]
    for venue in venues:
        first = random.choice([-1, -1, 2])
        found.append(subscribe(venue, first, ["trade", "liquidation"]))
        for second in range(first + 1, SECONDS + 4):
            phase = random.random()
            channels = random.choice([["trade", "liquidation"], ["liquidation"], ["trade"]])
            found.append(heartbeat(venue, second + phase, None, channels))
        if random.random() < 0.3:
            found.append(status(venue, random.uniform(3, 9), Status("gap")))
    found.sort(key=lambda raw: raw.received_at_us)
    return [*found, end(SECONDS + 5, advance_s=60)]


def home(asset: str) -> int:
    """Two partitions, where PEPE and BTC live apart."""
    return int(asset == "PEPE")


def framer(partition: int | None = None, state: PartitionState | None = None) -> Framer:
    """A framer of all, or of one of the partitions."""
    if state is None:
        state = PartitionState(partition or 0, 1 if partition is None else 2)
    return Framer(state, PARSERS, INSTRUMENTS, home, whole=partition is None)


def singly(log: Sequence[Raw], of: Framer) -> tuple[Emission, Framer]:
    """The log through `apply`."""
    for index, raw in enumerate(log):
        of.apply(raw, index)
    return of.drain(), of


def in_batches(log: Sequence[Raw], of: Framer, random: Random) -> tuple[Emission, Framer]:
    """The log through `apply_all`, cut anywhere."""
    at = 0
    while at < len(log):
        upto = at + random.choice([1, 3, 40, 200, 1000])
        of.apply_all(log[at:upto], range(at, upto))
        at = upto
    return of.drain(), of


def assert_equal(one: tuple[Emission, Framer], other: tuple[Emission, Framer]) -> None:
    """Bytes of what was emitted, counters and state; dead letters in any order."""
    (left, general), (right, fast) = one, other
    for name in ("frames", "liquidations", "ticks", "late", "feeds"):
        ours, theirs = getattr(left, name), getattr(right, name)
        assert msgspec.json.encode(ours) == msgspec.json.encode(theirs), name
    assert sorted(left.dead, key=_source) == sorted(right.dead, key=_source)
    assert general.state.counters == fast.state.counters
    assert general.state == fast.state


def _source(letter: Any) -> tuple[int, int]:
    return int(letter.source), letter.row


@FEW
@given(seed=st.integers(0, 2**32), spoiled=st.sampled_from([0.0, 0.02, 0.3]))
def test_batches_give_what_records_one_by_one_give(seed: int, spoiled: float) -> None:
    random = chance(seed)
    log = records(random, spoiled)
    assert_equal(singly(log, framer()), in_batches(log, framer(), random))


@FEW
@given(seed=st.integers(0, 2**32))
def test_the_open_seconds_are_equal_at_any_record(seed: int) -> None:
    random = chance(seed)
    log = records(random, 0.05)
    log = log[: random.randrange(len(log))]
    assert_equal(singly(log, framer()), in_batches(log, framer(), random))


@FEW
@given(seed=st.integers(0, 2**32), partition=st.integers(0, 1))
def test_a_stranger_to_the_partition_is_rejected_in_batches_too(seed: int, partition: int) -> None:
    random = chance(seed)
    log = records(random, 0.02)
    one = singly(log, framer(partition))
    assert any(letter.reason == "wrong_partition" for letter in one[0].dead)
    assert_equal(one, in_batches(log, framer(partition), random))


@FEW
@given(seed=st.integers(0, 2**32))
def test_a_restart_between_batches_changes_nothing(seed: int) -> None:
    random = chance(seed)
    log = records(random, 0.02)
    cut = random.randrange(len(log))
    whole, ended = singly(log, framer())
    before, stopped = in_batches(log[:cut], framer(), random)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(stopped.state), type=PartitionState)
    after, again = in_batches(log[cut:], framer(state=state), random)
    frames = [*before.frames, *after.frames]
    assert msgspec.json.encode(frames) == msgspec.json.encode(whole.frames)
    assert again.state.counters == ended.state.counters


@pytest.mark.parametrize("maker", MAKERS[1:])
def test_flawless_trades_take_the_lane(maker: Callable[[Random, str, int], Message]) -> None:
    random, seen = chance(1), list[str]()

    def refuse(parser: Any) -> VenueParser:
        def parse(raw: Raw, instruments: Any) -> list[Any]:
            seen.append(raw.venue)
            found: list[Any] = parser.parse(raw, instruments)
            return found

        return VenueParser(parse, parser.trades)

    watched = {venue: refuse(parser) for venue, parser in PARSERS.items()}
    of = Framer(PartitionState(0, 1), watched, INSTRUMENTS, lambda asset: 0, whole=True)
    log = []
    for index in range(300):
        venue, message = maker(random, "BTC", ORIGIN * 1000 + index * 10)
        venue = mend(venue, message)
        raw = Raw(
            venue, "trade", "a", ORIGIN * MICROS + index * 10_000, json.dumps(message).encode()
        )
        log.append(raw)
    of.apply_all(log, range(300))
    assert of.state.counters["accepted:trade"] > 50
    assert seen == []
