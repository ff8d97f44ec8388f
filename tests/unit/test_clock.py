"""Only status records move the clock, and each of its rules is what a record does to it."""

import msgspec
import pytest

from streams.core.clock import Clock, ClockState, Health
from streams.core.events import FeedStatus, Raw, Status
from tests.logs import BINANCE, BYBIT, ORIGIN, end, heartbeat, status, subscribe

OKX = "okx"


class Told:
    """A clock and what the records told it; seconds since `ORIGIN`."""

    def __init__(self, *records: Raw) -> None:
        self.clock = Clock(ClockState())
        self.changes: list[FeedStatus] = []
        self.tell(*records)

    def tell(self, *records: Raw) -> "Told":
        for raw in records:
            word = msgspec.json.decode(raw.payload, type=Status)
            self.changes += self.clock.apply(word, raw)
        return self

    def joint(self, asset: str = "BTC") -> int | None:
        joint = self.clock.group(asset).joint()
        return joint if joint is None or joint < 0 else joint - ORIGIN

    def slowest(self) -> int | None:
        slowest = self.clock.slowest()
        return slowest if slowest is None or slowest < 0 else slowest - ORIGIN

    def health(self, second: int, asset: str = "BTC") -> Health:
        return self.clock.group(asset).health(ORIGIN + second)

    def moves(self) -> list[tuple[str, str, str]]:
        return [(change.connection, change.state, change.reason) for change in self.changes]


def test_a_heartbeat_passes_every_second_before_its_through() -> None:
    told = Told(subscribe(BYBIT, 0), heartbeat(BYBIT, 10, through=7))
    assert told.joint() == told.slowest() == 7
    assert told.tell(heartbeat(BYBIT, 11, through=7.999)).joint() == 7
    assert told.tell(heartbeat(BYBIT, 12, through=8)).joint() == 8


def test_a_subscribed_channel_holds_its_assets_until_its_first_heartbeat() -> None:
    told = Told(subscribe(BYBIT, 0), heartbeat(BYBIT, 10), subscribe(BYBIT, 11, ["trade"]))
    assert told.joint() == -1
    told.tell(heartbeat(BYBIT, 12, through={"liquidation": 9, "trade": 8}))
    assert told.joint() == 8


def test_a_watermark_never_steps_back() -> None:
    told = Told(subscribe(BYBIT, 0), heartbeat(BYBIT, 10, 8), heartbeat(BYBIT, 11, 3))
    assert told.joint() == 8


def test_the_slowest_healthy_pushed_channel_is_the_joint_watermark() -> None:
    told = Told(
        subscribe(BYBIT, 0, ["liquidation", "trade"]),
        subscribe(BINANCE, 0),
        heartbeat(BYBIT, 10, {"liquidation": 7, "trade": 5}),
        heartbeat(BINANCE, 10, 6),
    )
    assert told.joint() == 5
    told.tell(heartbeat(BYBIT, 11, {"liquidation": 8, "trade": 9}))
    assert told.joint() == 6


def test_polled_channels_hold_nothing_up() -> None:
    told = Told(
        subscribe(BYBIT, 0, ["liquidation", "ticker"]),
        heartbeat(BYBIT, 10, {"liquidation": 7}),
    )
    assert told.joint() == 7
    assert told.health(7).channels == ("bybit/liquidation",)


def test_of_redundant_connections_the_farthest_counts() -> None:
    told = Told(
        subscribe(BYBIT, 0, connection="a"),
        subscribe(BYBIT, 0, connection="b"),
        heartbeat(BYBIT, 10, 5, connection="a"),
        heartbeat(BYBIT, 10, 7, connection="b"),
    )
    assert told.joint() == 7
    told.tell(heartbeat(BYBIT, 11, 9, connection="a"))
    assert told.joint() == 9


def test_one_of_two_connections_lost_takes_nothing_away() -> None:
    told = Told(
        subscribe(BYBIT, 0, connection="a"),
        subscribe(BYBIT, 0, connection="b"),
        heartbeat(BYBIT, 10, 7, connection="a"),
        heartbeat(BYBIT, 10, 7, connection="b"),
        status(BYBIT, 11, Status("disconnect"), connection="a"),
    )
    assert told.joint() == 7
    assert told.health(11).coverage == 1.0


@pytest.mark.parametrize("op", ["gap", "disconnect"])
def test_a_feed_leaves_on_a_gap_or_disconnect_and_rejoins(op: str) -> None:
    told = Told(subscribe(BYBIT, 0), subscribe(BINANCE, 0))
    told.tell(heartbeat(BYBIT, 10, 7), heartbeat(BINANCE, 10, 9))
    told.tell(status(BYBIT, 11, msgspec.convert({"type": "status", "op": op}, Status)))
    assert told.joint() == 9
    assert told.health(11).venues_up == (BINANCE,)
    assert told.health(11).venues_all == (BINANCE, BYBIT)
    assert told.health(11).coverage == 0.5
    told.tell(subscribe(BYBIT, 15), heartbeat(BYBIT, 16, 13))
    assert told.joint() == 9
    assert told.health(14).venues_up == (BINANCE,)
    assert told.health(15).venues_up == (BINANCE, BYBIT)
    assert told.moves()[2:] == [("bybit/a", "down", op), ("bybit/a", "up", "subscribe")]


def test_a_gap_in_one_channel_leaves_the_others() -> None:
    told = Told(subscribe(BYBIT, 0, ["liquidation", "trade"]))
    told.tell(heartbeat(BYBIT, 10, {"liquidation": 7, "trade": 3}))
    told.tell(status(BYBIT, 11, Status("gap", channels=("trade",))))
    assert told.joint() == 7
    assert told.health(11).channels == ("bybit/liquidation",)


def test_a_feed_silent_for_more_than_ten_seconds_of_the_log_leaves() -> None:
    told = Told(subscribe(BYBIT, 0), subscribe(BINANCE, 0), heartbeat(BYBIT, 5))
    told.tell(heartbeat(BINANCE, 15))
    assert told.joint() == 2
    told.tell(heartbeat(BINANCE, 15.001))
    assert told.joint() == 12
    assert told.moves()[-1] == ("bybit/a", "down", "timeout")


def test_a_feed_that_speaks_after_a_silence_has_been_away() -> None:
    told = Told(subscribe(BYBIT, 0), heartbeat(BYBIT, 5), heartbeat(BYBIT, 3605))
    assert told.moves() == [
        ("bybit/a", "up", "subscribe"),
        ("bybit/a", "down", "timeout"),
        ("bybit/a", "up", "heartbeat"),
    ]
    assert told.health(3604).coverage == 0.0
    assert told.health(3605).coverage == 1.0


def test_a_lagging_feed_holds_the_assets_it_covers_and_no_others() -> None:
    told = Told(subscribe(BYBIT, 0, assets=["BTC"]), subscribe(BINANCE, 0))
    told.tell(heartbeat(BYBIT, 10, 2), heartbeat(BINANCE, 10, 7))
    assert told.joint("BTC") == 2
    assert told.joint("SOL") == 7
    assert told.slowest() == 2
    assert told.health(1, "SOL").venues_all == (BINANCE,)


def test_with_no_feed_left_nothing_is_passed() -> None:
    told = Told(subscribe(BYBIT, 0), heartbeat(BYBIT, 10))
    told.tell(status(BYBIT, 11, Status("disconnect")))
    assert told.joint() is None
    assert told.slowest() is None
    assert told.health(12).coverage == 0.0


def test_the_end_takes_every_connection_down() -> None:
    told = Told(subscribe(BYBIT, 0), subscribe(BINANCE, 0), heartbeat(BYBIT, 5))
    told.tell(end(6))
    assert told.slowest() is None
    assert {move[1:] for move in told.moves()[2:]} == {("down", "end")}


def test_a_heartbeat_cannot_vouch_for_the_time_after_it_was_written() -> None:
    told = Told(subscribe(BYBIT, 0), heartbeat(BYBIT, 10, through=10**7))
    assert told.joint() == 10


@pytest.mark.parametrize("through", [-1, -(10**15), -(10**30)])
def test_a_negative_through_passes_nothing(through: int) -> None:
    word = Status("heartbeat", through_us={"liquidation": through})
    told = Told(subscribe(BYBIT, 0), status(BYBIT, 1, word))
    assert told.joint() == -1
    assert told.tell(heartbeat(BYBIT, 10)).joint() == 7


def test_a_collector_whose_clock_ran_ahead_for_a_moment_keeps_no_other_out() -> None:
    told = Told(subscribe(BYBIT, 0), subscribe(BINANCE, 0))
    told.tell(heartbeat(BYBIT, 10), heartbeat(BINANCE, 10))
    told.tell(heartbeat(BYBIT, 90_000, through=7), heartbeat(BINANCE, 11))
    told.tell(heartbeat(BYBIT, 12), heartbeat(BINANCE, 12))
    assert told.joint() == 9
    assert told.health(12).venues_up == (BINANCE, BYBIT)


def test_a_dead_feed_times_out_though_another_collectors_clock_is_an_hour_ahead() -> None:
    told = Told(subscribe(BYBIT, 0), subscribe(BINANCE, 0), subscribe(OKX, 0))
    for at in range(1, 10):
        told.tell(heartbeat(BYBIT, at), heartbeat(BINANCE, at), heartbeat(OKX, at + 3600))
    for at in range(10, 40):
        told.tell(heartbeat(BINANCE, at), heartbeat(OKX, at + 3600))
    assert told.health(40).venues_up == (BINANCE, OKX)
    assert told.joint() == 36


def test_a_heartbeat_without_a_subscription_stands_for_the_whole_venue() -> None:
    told = Told(heartbeat(OKX, 10, through=7))
    assert told.joint("ANY") == 7
    assert told.health(10, "ANY").venues_up == (OKX,)


def test_a_new_connection_does_not_revive_what_an_old_one_had_subscribed() -> None:
    told = Told(subscribe(BYBIT, 0, assets=["BTC", "SOL"]), heartbeat(BYBIT, 5))
    told.tell(status(BYBIT, 6, Status("disconnect")))
    told.tell(subscribe(BYBIT, 8, assets=["BTC"]), heartbeat(BYBIT, 9))
    assert told.health(9, "BTC").venues_up == (BYBIT,)
    assert told.health(9, "SOL").venues_up == ()
    assert told.health(9, "SOL").venues_all == (BYBIT,)


def test_a_connection_that_begins_anew_has_been_away_though_nobody_wrote_so() -> None:
    told = Told(status(BYBIT, 0, Status("connect")), subscribe(BYBIT, 0), heartbeat(BYBIT, 5))
    told.tell(status(BYBIT, 9, Status("connect")), subscribe(BYBIT, 9), heartbeat(BYBIT, 10))
    assert told.health(8).venues_up == ()
    assert told.health(9).venues_up == (BYBIT,)


def test_a_feed_whose_subscription_was_lost_from_the_log_comes_back_by_its_heartbeats() -> None:
    told = Told(subscribe(BYBIT, 0), heartbeat(BYBIT, 5))
    told.tell(status(BYBIT, 6, Status("disconnect")), heartbeat(BYBIT, 9))
    assert told.health(9).venues_up == (BYBIT,)


def test_a_dead_connection_is_forgotten_once_another_is_as_far() -> None:
    told = Told(subscribe(BYBIT, 0, connection="a"), heartbeat(BYBIT, 10, 7, connection="a"))
    told.tell(status(BYBIT, 11, Status("disconnect"), connection="a"))
    for number in range(50):
        at = 20 + 20 * number
        name = f"c{number}"
        told.tell(subscribe(BYBIT, at, connection=name))
        told.tell(heartbeat(BYBIT, at + 1, connection=name))
        assert told.joint() == at - 2
        told.tell(status(BYBIT, at + 2, Status("disconnect"), connection=name))
    assert len(told.clock.state.feeds) <= 2


def test_a_clock_restored_from_bytes_goes_on_as_the_one_that_wrote_them() -> None:
    records = [
        subscribe(BYBIT, 0, ["liquidation", "trade"], ["BTC", "SOL"]),
        subscribe(BINANCE, 1),
        heartbeat(BINANCE, 2),
        heartbeat(BYBIT, 3, {"liquidation": 1, "trade": 0}),
        status(BYBIT, 4, Status("gap", channels=("trade",))),
        heartbeat(BINANCE, 14),
        heartbeat(BYBIT, 15, {"liquidation": 12, "trade": 12}),
        heartbeat(BINANCE, 16),
    ]
    whole = Told(*records)
    for cut in range(len(records)):
        told = Told(*records[:cut])
        stored = msgspec.msgpack.encode(told.clock.state)
        told.clock = Clock(msgspec.msgpack.decode(stored, type=ClockState))
        told.tell(*records[cut:])
        for asset in ("BTC", "XRP"):
            assert told.joint(asset) == whole.joint(asset)
            assert told.health(15, asset) == whole.health(15, asset)
        assert told.slowest() == whole.slowest()
