"""Which seconds become frames and when, what is late, and what a bad record cannot do."""

from collections.abc import Iterable

import msgspec
import pytest

from streams.core.events import MICROS, Raw, Status
from streams.core.frames import Frame
from streams.core.framing import Framer, PartitionState
from streams.venues import PARSERS
from tests.drive import INSTRUMENTS, Framing, asset_of
from tests.logs import (
    BINANCE,
    BYBIT,
    ORIGIN,
    Event,
    binance_forced,
    bybit_book,
    bybit_forced,
    bybit_ticker,
    bybit_trade,
    end,
    heartbeat,
    status,
    steady,
    subscribe,
    us,
)


def framed(*records: Raw | Event) -> Framing:
    """The records through one partition."""
    return told(Framing(), *records)


def told(framing: Framing, *records: Raw | Event) -> Framing:
    """More records for a framing."""
    for record in records:
        raw = record.raw if isinstance(record, Event) else record
        framing.apply(raw, asset_of(raw))
    return framing


def seconds(frames: Iterable[Frame]) -> list[int]:
    return [frame.second // MICROS - ORIGIN for frame in frames]


def ticked(framing: Framing) -> dict[int, int]:
    return {tick.second // MICROS - ORIGIN: tick.n_frames for tick in framing.ticks}


def counters(framing: Framing) -> dict[str, int]:
    return framing.framers[0].state.counters


def test_events_never_move_the_clock() -> None:
    framing = framed(subscribe(BYBIT, 0), heartbeat(BYBIT, 1))
    told(framing, *(bybit_forced(at) for at in range(2, 500)))
    assert framing.frames == []
    assert framing.liquidations == []
    assert max(ticked(framing)) < 0
    told(framing, heartbeat(BYBIT, 13, through=10))
    assert seconds(framing.frames) == list(range(2, 10))
    assert max(ticked(framing)) == 9


def test_a_second_is_sealed_when_the_joint_watermark_passes_it() -> None:
    framing = framed(subscribe(BYBIT, 0), subscribe(BINANCE, 0), bybit_forced(5.2))
    told(framing, heartbeat(BYBIT, 10, 9), heartbeat(BINANCE, 10, 5.999))
    assert framing.frames == []
    told(framing, heartbeat(BINANCE, 11, 6))
    assert seconds(framing.frames) == [5]
    assert framing.frames[0].cells[0].usd == 10_000_000_000


def test_frames_name_the_one_before() -> None:
    framing = framed(*steady(BYBIT, 0, 10), bybit_forced(8), bybit_forced(9, "SOL"))
    told(framing, *(heartbeat(BYBIT, at) for at in range(10, 40)))
    for asset in ("BTC", "SOL"):
        frames = [frame for frame in framing.frames if frame.asset == asset]
        assert frames[0].prev is None
        assert [f.prev for f in frames[1:]] == [f.second for f in frames[:-1]]


def test_frames_come_each_second_for_ten_minutes_and_then_each_tenth() -> None:
    framing = framed(subscribe(BYBIT, 0, ["liquidation", "trade"]), bybit_trade(3.5))
    beats = ("liquidation", "trade")
    told(framing, *(heartbeat(BYBIT, at, channels=beats) for at in range(5, 700, 5)))
    assert seconds(framing.frames) == [*range(3, 604), *range(610, 692, 10)]


@pytest.mark.parametrize("activity", [bybit_forced, bybit_trade, bybit_book])
def test_a_liquidation_a_trade_or_a_book_keeps_frames_coming(activity: object) -> None:
    channels = ("liquidation", "trade", "book")
    framing = framed(subscribe(BYBIT, 0, channels), bybit_forced(2))
    for at in range(5, 1300, 5):
        if at == 600:
            told(framing, activity(601))  # type: ignore[operator]
        told(framing, heartbeat(BYBIT, at, channels=channels))
    found = seconds(framing.frames)
    assert found[:1200] == list(range(2, 1202))
    assert found[1200:] == list(range(1210, 1292, 10))


def test_a_ticker_alone_keeps_no_frames_coming() -> None:
    framing = framed(subscribe(BYBIT, 0, ["liquidation", "ticker"]), bybit_forced(2))
    for at in range(5, 800, 5):
        told(framing, bybit_ticker(at - 0.5, markPrice=f"{at}"), heartbeat(BYBIT, at))
    assert seconds(framing.frames)[-3:] == [770, 780, 790]
    assert framing.frames[-1].tickers[0].mark_price == 790.0


def test_a_change_of_health_is_a_frame_at_its_second() -> None:
    framing = framed(subscribe(BYBIT, 0), subscribe(BINANCE, 0), bybit_forced(2))
    for at in range(5, 1000, 5):
        told(framing, heartbeat(BYBIT, at), heartbeat(BINANCE, at))
    told(framing, status(BYBIT, 1000, Status("gap")))
    told(framing, *(heartbeat(BINANCE, at) for at in range(1001, 1107, 5)))
    told(framing, heartbeat(BYBIT, 1103), heartbeat(BINANCE, 1110), heartbeat(BYBIT, 1110))
    health = {
        frame.second // MICROS - ORIGIN: frame.venues_up
        for frame in framing.frames
        if frame.second > us(980)
    }
    # Bybit had vouched for 992 before it left, and came back at 1103.
    assert health[990] == (BINANCE, BYBIT)
    assert health[992] == (BINANCE,)
    assert health[1100] == (BINANCE,)
    assert health[1103] == (BINANCE, BYBIT)
    assert [at for at in health if at % 10] == [992, 1103]


def test_a_late_liquidation_stands_once_in_the_next_frame() -> None:
    framing = framed(*steady(BYBIT, 0, 20), bybit_forced(18))
    told(framing, heartbeat(BYBIT, 22), bybit_forced(10.5, side="short", usd=500))
    (late,) = framing.late
    assert late.liquidation.event_time_us == us(10.5)
    assert late.sealed_through_us == us(19)
    told(framing, *(heartbeat(BYBIT, at) for at in range(23, 30)))
    cells = {frame.second: frame.late for frame in framing.frames if frame.late}
    assert list(cells) == [us(19)]
    (cell,) = cells[us(19)]
    assert (cell.second, cell.side, cell.n, cell.usd) == (us(10), "short", 1, 500_000_000)
    assert us(10.5) not in {one.event_time_us for one in framing.liquidations}


def test_an_order_that_comes_late_twice_is_late_once() -> None:
    framing = framed(*steady(BYBIT, 0, 20))
    told(framing, bybit_forced(5), bybit_forced(5), heartbeat(BYBIT, 20), bybit_forced(5))
    told(framing, heartbeat(BYBIT, 21), bybit_forced(5))
    assert len(framing.late) == 1
    assert sum(cell.n for frame in framing.frames for cell in frame.late) == 1
    assert counters(framing)[f"late:{BYBIT}/liquidation"] == 1
    assert counters(framing)["duplicates:liquidation"] == 3


def test_a_duplicate_of_a_sealed_order_is_not_late() -> None:
    framing = framed(*steady(BYBIT, 0, 10), bybit_forced(8), *steady(BYBIT, 10, 600))
    told(framing, bybit_forced(8))
    assert framing.late == []
    assert counters(framing)["duplicates:liquidation"] == 1


def test_an_order_is_late_when_its_own_channel_has_passed_its_second() -> None:
    framing = framed(subscribe(BYBIT, 0), subscribe(BINANCE, 0))
    told(framing, heartbeat(BYBIT, 10), heartbeat(BINANCE, 3))
    told(framing, bybit_forced(5, usd=7), binance_forced(5, usd=9), bybit_forced(7, usd=11))
    assert [late.liquidation.venue for late in framing.late] == [BYBIT]
    told(framing, heartbeat(BINANCE, 11), heartbeat(BYBIT, 11))
    by_second = {frame.second: frame for frame in framing.frames}
    assert [cell.usd for cell in by_second[us(5)].cells] == [9_000_000]
    assert [cell.usd for cell in by_second[us(7)].cells] == [11_000_000]
    late = [cell for frame in framing.frames for cell in frame.late]
    assert [cell.usd for cell in late] == [7_000_000]


def test_late_trades_are_counted_and_dropped() -> None:
    framing = framed(*steady(BYBIT, 0, 20, ["trade"]), bybit_trade(5), bybit_trade(19))
    told(framing, *(heartbeat(BYBIT, at, channels=["trade"]) for at in range(20, 25)))
    assert counters(framing)[f"late_dropped:{BYBIT}/trade"] == 1
    assert [flow.n for frame in framing.frames for flow in frame.flows] == [1]


def test_events_before_the_first_heartbeat_are_on_time_in_any_order() -> None:
    for order in ((5, 2), (2, 5)):
        framing = framed(subscribe(BYBIT, 0), bybit_forced(order[0]), heartbeat(BYBIT, 4, 1))
        told(framing, bybit_forced(order[1]), heartbeat(BYBIT, 10))
        assert framing.late == []
        assert seconds(framing.frames) == list(range(2, 7))


def test_an_event_from_the_future_is_quarantined() -> None:
    event = bybit_forced(100)
    early = msgspec.structs.replace(event.raw, received_at_us=us(94.9))
    framing = Framing()
    framing.framers[0].apply(early)
    (letter,) = framing.framers[0].drain().dead
    assert letter.reason == "future_skew"
    assert framing.framers[0].state.assets == {}
    told(framing, msgspec.structs.replace(event.raw, received_at_us=us(95)))
    assert counters(framing)["accepted:liquidation"] == 1


def test_the_end_seals_everything_and_lets_the_clock_run_on() -> None:
    framing = framed(*steady(BYBIT, 0, 20), bybit_forced(18), bybit_forced(25), end(30, 3600))
    found = seconds(framing.frames)
    assert found[-1] == 3630
    assert 25 in found
    assert framing.frames[-1].coverage == 0.0
    assert max(ticked(framing)) == 3630
    assert len(framing.liquidations) == 2


def test_no_second_after_the_end_of_a_log_counts_as_covered() -> None:
    framing = framed(*steady(BYBIT, 0, 10), bybit_forced(8), *steady(BYBIT, 10, 20), end(20))
    # The last heartbeat vouched for everything before second 16.
    after = [frame for frame in framing.frames if frame.second >= us(16)]
    assert after[0].second == us(16)
    assert {frame.coverage for frame in after} == {0.0}


def test_an_order_that_comes_late_before_the_end_still_reaches_a_frame() -> None:
    framing = framed(*steady(BYBIT, 0, 20), bybit_forced(5), end(20))
    assert sum(cell.n for frame in framing.frames for cell in frame.late) == 1


def test_a_lagging_feed_holds_the_assets_it_covers_and_no_others() -> None:
    framing = framed(subscribe(BYBIT, 0, assets=["BTC"]), subscribe(BINANCE, 0))
    told(framing, binance_forced(4, "BTC"), binance_forced(4, "SOL"))
    told(framing, heartbeat(BYBIT, 10, 2), heartbeat(BINANCE, 10))
    assert {frame.asset for frame in framing.frames} == {"SOL"}
    assert max(ticked(framing)) == 1
    told(framing, heartbeat(BYBIT, 11), heartbeat(BINANCE, 11))
    assert {frame.asset for frame in framing.frames} == {"BTC", "SOL"}


def test_an_outage_of_all_feeds_stalls_and_then_resumes() -> None:
    framing = framed(*steady(BYBIT, 0, 10), bybit_forced(8), *steady(BYBIT, 10, 20))
    told(framing, status(BYBIT, 20, Status("disconnect")))
    before = len(framing.frames)
    told(framing, *(heartbeat("okx", at, channels=["ticker"]) for at in range(21, 60)))
    assert len(framing.frames) == before
    told(framing, subscribe(BYBIT, 7220), bybit_forced(7221))
    # A lone leap of two hours is believed once most recent records share it.
    told(framing, *(heartbeat(BYBIT, at) for at in (7228, 7229, 7230)))
    resumed = framing.frames[before:]
    assert seconds(resumed) == [16, 7220, *range(7221, 7227)]
    assert [frame.coverage for frame in resumed] == [0.0] + [1.0] * 7
    assert resumed[0].prev == us(15)


@pytest.mark.parametrize("gap_s", [3600, 366 * 86_400, 20 * 366 * 86_400])
def test_a_gap_of_any_length_costs_a_few_steps(gap_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from streams.core import sealing

    calls: list[int] = []
    due = sealing.Sealer._due

    def counted(*given: object) -> bool:
        calls.append(1)
        return due(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(sealing.Sealer, "_due", counted)
    framing = framed(*steady(BYBIT, 0, 10), bybit_forced(8), *steady(BYBIT, 10, 20))
    told(framing, status(BYBIT, 20, Status("gap")))
    told(framing, *steady(BYBIT, gap_s, gap_s + 30), bybit_forced(gap_s + 28))
    told(framing, heartbeat(BYBIT, gap_s + 40))
    assert len(framing.frames) < 100
    assert len(calls) < 300


HOSTILE = [
    b"",
    b"null",
    b"[]",
    b"\xff\xfe\x00",
    b'{"op":"heartbeat","detail":"\xff"}',
    b'{"type":"status"}',
    b'{"type":"status","op":"explode"}',
    b'{"type":"status","op":"heartbeat","through_us":{"liquidation":"soon"}}',
    b'{"type":"status","op":"heartbeat","through_us":[1,2]}',
    b'{"type":"status","op":"heartbeat","through_us":{"liquidation":1e999}}',
    b'{"type":"status","op":"subscribe","channels":"liquidation"}',
    b'{"type":"status","op":"subscribe","channels":[1]}',
    b'{"type":"status","op":"heartbeat","x":' + b"[" * 50_000,
]


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
def test_a_malformed_status_record_is_dead_lettered_and_changes_nothing(payload: bytes) -> None:
    framing = framed(*steady(BYBIT, 0, 10), bybit_forced(9))
    framer = framing.framers[0]
    clock = msgspec.json.encode(framer.state.clock)
    framer.apply(Raw(BYBIT, "status", "bybit/a", us(10**6), payload), 7)
    out = framer.drain()
    assert [letter.source for letter in out.dead] == ["7"]
    assert (out.frames, out.ticks) == ([], [])
    assert msgspec.json.encode(framer.state.clock) == clock


@pytest.mark.parametrize("advance", [-(10**9), -1, 10**18, 10**30])
def test_no_end_record_moves_the_clock_beyond_reason(advance: int) -> None:
    framing = framed(*steady(BYBIT, 0, 20), bybit_forced(9))
    payload = b'{"type":"status","op":"end","advance_us":%d}' % advance
    told(framing, Raw("archive", "status", "archive", us(20), payload))
    assert us(16) <= framing.frames[-1].second <= us(20 + 8 * 86_400)
    msgspec.json.encode(framing.frames[-1])
    msgspec.msgpack.encode(framing.framers[0].state)


def test_a_new_asset_never_adds_to_a_second_that_was_ticked() -> None:
    framing = framed(*steady(BYBIT, 0, 30), bybit_forced(29))
    passed = max(ticked(framing))
    told(framing, bybit_forced(20, "SOL"), bybit_forced(27, "XRP"), heartbeat(BYBIT, 40))
    for asset in ("SOL", "XRP"):
        assert min(seconds(f for f in framing.frames if f.asset == asset)) > passed
    assert [late.liquidation.asset for late in framing.late] == ["SOL"]
    counted: dict[int, int] = {}
    for second in seconds(framing.frames):
        counted[second] = counted.get(second, 0) + 1
    assert {at: n for at, n in ticked(framing).items() if n} == counted


def test_an_asset_of_another_partition_is_rejected() -> None:
    framer = Framer(PartitionState(0, 8), PARSERS, INSTRUMENTS, lambda asset: 1)
    framer.apply(bybit_forced(5).raw)
    (letter,) = framer.drain().dead
    assert letter.reason == "wrong_partition"
    assert framer.state.assets == {}


def test_redundant_orders_keep_their_earliest_receipt() -> None:
    first, second = bybit_forced(5, lag_us=300_000), bybit_forced(5, lag_us=20_000)
    for order in ((first, second), (second, first)):
        framing = framed(subscribe(BYBIT, 0), *order, heartbeat(BYBIT, 10))
        (event,) = framing.liquidations
        assert event.received_at_us == us(5.02)
