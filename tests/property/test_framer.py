"""Laws of the framer over hostile logs: connections that come and go, lag, vouch too much or
say nonsense, and events at any place of the log, late ones among them.
"""

from collections import Counter
from random import Random

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from streams.core.events import MICROS, Raw, Status, StatusOp
from streams.core.frames import Frame
from tests.drive import Framing, asset_of, encoded
from tests.logs import (
    BINANCE,
    BYBIT,
    Event,
    binance_forced,
    bybit_book,
    bybit_forced,
    bybit_ticker,
    bybit_trade,
    end,
    status,
    us,
)
from tests.scenarios import ASSETS, SEEDS, chance

CHANNELS = ("liquidation", "trade", "ticker", "book")
CONNECTIONS = ((BINANCE, "a"), (BINANCE, "b"), (BYBIT, "a"), (BYBIT, "b"))


def hostile_log(random: Random) -> list[Raw]:
    """Some minutes of records in no sensible order, and perhaps an end."""
    records: list[Raw] = []
    written: list[float] = []
    now = 0.0
    for _ in range(random.randint(20, 160)):
        now += random.choice([0, 0.2, 0.5, 1, 1, 1, 2, 11, 400])
        if random.random() < 0.45:
            records.append(word(random, now))
        else:
            records.append(event(random, now).raw)
            written.append(now)
            if random.random() < 0.1:
                # Ids are remembered for ten minutes from the first, also where a copy is copied.
                young = [n for n, at in enumerate(written) if at > now - 300]
                copied = random.choice(young)
                records.append(records[copied])
                written.append(written[copied])
            continue
        written.append(now)
    if random.random() < 0.7:
        records.append(end(now))
    return records


def word(random: Random, now: float) -> Raw:
    """A status record of some connection."""
    venue, connection = random.choice(CONNECTIONS)
    if random.random() < 0.02:
        payload = random.choice([b"", b'{"op":1}', b'{"type":"status","op":"gap","channels":3}'])
        return Raw(venue, "status", connection, us(now), payload)
    ops: list[StatusOp] = ["connect", "subscribe", "heartbeat", "gap", "disconnect"]
    op = random.choices(ops, [1, 4, 20, 1, 1])[0]
    channels = tuple(random.sample(CHANNELS, random.randint(1, 4)))
    if op == "heartbeat":
        lag = random.choice([2, 3, 3, 3, 30, 500, -100, 10**9])
        through = {channel: us(now - lag) for channel in channels}
        return status(venue, now, Status(op, through_us=through), connection)
    assets = random.choice([None, None, ("BTC",), ("SOL", "XRP")]) if op == "subscribe" else None
    concerned = None if op == "connect" or random.random() < 0.3 else channels
    if op == "subscribe":
        concerned = channels
    return status(venue, now, Status(op, concerned, assets), connection)


def event(random: Random, now: float) -> Event:
    """An event of about now, sometimes of long ago."""
    at = now - random.choice([0, 0.1, 0.5, 1, 2.5, 4, 30, 700])
    asset = random.choice(ASSETS)
    kind = random.random()
    if kind < 0.4:
        return bybit_forced(at, asset, random.choice(["long", "short"]), random.uniform(1, 1e5))
    if kind < 0.6:
        return binance_forced(at, asset, random.choice(["long", "short"]), random.uniform(1, 1e5))
    if kind < 0.8:
        return bybit_trade(at, asset, random.uniform(90, 110))
    if kind < 0.9:
        return bybit_ticker(at, asset, markPrice=f"{random.uniform(90, 110):.2f}")
    return bybit_book(at, asset)


def framed(records: list[Raw], partitions: int = 1) -> Framing:
    framing = Framing(partitions)
    for raw in records:
        framing.apply(raw, asset_of(raw))
    return framing


@given(SEEDS)
def test_each_frame_names_the_one_before_and_is_counted_by_one_tick(seed: int) -> None:
    framing = Framing()
    previous: dict[str, int] = {}
    framed_in: Counter[int] = Counter()
    passed: int | None = None
    for raw in hostile_log(chance(seed)):
        frames, ticks = framing.apply(raw, asset_of(raw))
        for frame in frames:
            assert frame.prev == previous.get(frame.asset)
            assert frame.prev is None or frame.prev < frame.second
            assert frame.second % MICROS == 0
            assert passed is None or frame.second > passed
            previous[frame.asset] = frame.second
            framed_in[frame.second] += not frame.quiet
        for tick in ticks:
            assert tick.prev == passed
            assert passed is None or tick.second > passed
            assert tick.n_frames == framed_in.pop(tick.second, 0)
            passed = tick.second
        assert not [second for second in framed_in if passed is not None and second <= passed]


@given(SEEDS)
@example(429)
def test_every_forced_order_is_in_one_frame_or_late_once(seed: int) -> None:
    records = hostile_log(chance(seed))
    framing = framed([*records, end(10**6)])
    seen = [one.id for one in framing.liquidations] + [one.id for one in framing.late]
    assert len(seen) == len(set(seen))
    on_time: Counter[tuple[str, int]] = Counter()
    late: Counter[tuple[str, int]] = Counter()
    for one in framing.liquidations:
        on_time[one.asset, one.event_time_us // MICROS] += one.usd
    for letter in framing.late:
        one = letter.liquidation
        late[one.asset, one.event_time_us // MICROS] += one.usd
    for frame in framing.frames:
        on_time[frame.asset, frame.second // MICROS] -= sum(cell.usd for cell in frame.cells)
        for cell in frame.late:
            late[frame.asset, cell.second // MICROS] -= cell.usd
    assert set(on_time.values()) | set(late.values()) <= {0}
    sent = Counter(framing.framers[0].state.counters)
    assert sent["accepted:liquidation"] == len(framing.liquidations)
    told_late = sum(n for name, n in sent.items() if name.startswith("late:"))
    assert told_late == len(framing.late)


@given(SEEDS, st.integers(1, 6))
def test_a_framer_restored_anywhere_goes_on_as_the_one_before(seed: int, restarts: int) -> None:
    random = chance(seed)
    records = hostile_log(random)
    expected = framed(records)
    places = {random.randrange(len(records)) for _ in range(restarts)}
    framing = Framing()
    for index, raw in enumerate(records):
        framing.apply(raw, asset_of(raw))
        if index in places:
            framing.restore(framing.checkpoint())
    assert encoded(framing.frames) == encoded(expected.frames)
    assert encoded(framing.ticks) == encoded(expected.ticks)
    assert encoded(framing.late) == encoded(expected.late)
    assert encoded(framing.liquidations) == encoded(expected.liquidations)


@given(SEEDS, st.sampled_from([3, 8]))
def test_a_partition_frames_its_assets_as_one_framer_of_all_would(
    seed: int, partitions: int
) -> None:
    records = hostile_log(chance(seed))
    expected, parted = framed(records), framed(records, partitions)
    assert _by_asset(parted.frames) == _by_asset(expected.frames)
    assert sorted(encoded(parted.late)) == sorted(encoded(expected.late))
    ticked = Counter(tick.second for tick in parted.ticks if tick.partition == 0)
    assert all(count == 1 for count in ticked.values())
    assert {t.second for t in parted.ticks} == {t.second for t in expected.ticks}


@given(SEEDS, st.integers(1, 60))
def test_records_taken_in_lots_are_as_records_taken_one_by_one(seed: int, size: int) -> None:
    records = hostile_log(chance(seed))
    expected = framed(records)
    lots = Framing()
    framer = lots.framers[0]
    for begin in range(0, len(records), size):
        lot = records[begin : begin + size]
        framer.apply_all(lot, range(begin, begin + len(lot)))
    out = framer.drain()
    assert encoded(out.frames) == encoded(expected.frames)
    assert encoded(out.ticks) == encoded(expected.ticks)
    assert encoded(out.late) == encoded(expected.late)
    assert encoded(out.liquidations) == encoded(expected.liquidations)
    assert framer.state.counters == expected.framers[0].state.counters


@given(SEEDS)
def test_no_event_changes_what_the_clock_has_passed(seed: int) -> None:
    records = hostile_log(chance(seed))
    words = [raw for raw in records if raw.channel == "status"]
    with_events, without = framed(records), framed(words)
    states = (with_events.framers[0].state.clock, without.framers[0].state.clock)
    assert msgspec.json.encode(states[0]) == msgspec.json.encode(states[1])
    assert {t.second for t in without.ticks} <= {t.second for t in with_events.ticks}


def _by_asset(frames: list[Frame]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for frame in frames:
        line = msgspec.json.encode(msgspec.structs.replace(frame, partition=0))
        found.setdefault(frame.asset, []).append(line)
    return found
