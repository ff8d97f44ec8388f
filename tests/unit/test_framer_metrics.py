"""The framer's counters as metrics: each gain once, under the labels that the metric has."""

import json
from typing import get_args

from streams.core.events import Raw, RejectReason
from streams.core.framing import Framer, PartitionState
from streams.edges.framer_metrics import FramerMetrics
from streams.telemetry.metrics import REGISTRY
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments

RECEIVED = "marginquake_records_received_total"
STATE = {"stage": "framer", "partition": "0"}
SECOND = 1_790_000_000
LAG = {"topic": "raw.v1", "partition": "0"}


def value(name: str, **labels: str) -> float:
    """The metric's value now; 0 before its first."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_received_records_are_counted_by_venue_and_channel() -> None:
    framer = Framer(PartitionState(0, 1), PARSERS, default_instruments(), lambda asset: 0)
    metrics = FramerMetrics()
    metrics.begin(0, framer)
    books, strange = {"venue": "okx", "channel": "book"}, {"venue": "unknown", "channel": "book"}
    before = value(RECEIVED, **books), value(RECEIVED, **strange)
    for venue, number in (("okx", 3), ("x" * 500, 2)):
        for _ in range(number):
            framer.apply(Raw(venue, "book", "a", 1_790_000_000_000_000, b"{}"))
    metrics.checkpoint(0, framer, 10)
    metrics.checkpoint(0, framer, 10)
    assert value(RECEIVED, **books) == before[0] + 3
    assert value(RECEIVED, **strange) == before[1] + 2


def test_a_resumed_framer_does_not_count_its_past_again() -> None:
    framer = Framer(
        PartitionState(0, 1, counters={"received:okx/trade": 7}),
        PARSERS,
        default_instruments(),
        lambda asset: 0,
    )
    labels = {"venue": "okx", "channel": "trade"}
    before = value(RECEIVED, **labels)
    metrics = FramerMetrics()
    metrics.begin(0, framer)
    metrics.checkpoint(0, framer, 10)
    assert value(RECEIVED, **labels) == before


def test_what_another_process_counted_meanwhile_is_not_counted_again() -> None:
    metrics, labels = FramerMetrics(), {"venue": "okx", "channel": "trade"}
    mine, back = (
        Framer(
            PartitionState(0, 1, counters={"received:okx/trade": number}),
            PARSERS,
            default_instruments(),
            lambda asset: 0,
        )
        for number in (7, 500)
    )
    before = value(RECEIVED, **labels)
    metrics.begin(0, mine)
    metrics.checkpoint(0, mine, 10)
    metrics.lag(0, 3)
    metrics.end(0)
    assert REGISTRY.get_sample_value("marginquake_checkpoint_bytes", STATE) is None
    assert REGISTRY.get_sample_value("marginquake_consumer_lag_records", LAG) is None
    metrics.begin(0, back)
    metrics.checkpoint(0, back, 10)
    assert value(RECEIVED, **labels) == before
    assert value("marginquake_checkpoint_bytes", **STATE) == 10


def test_every_reason_of_a_dead_letter_is_told_before_its_first() -> None:
    FramerMetrics()
    name = "marginquake_records_dead_lettered_total"
    for reason in get_args(RejectReason):
        assert REGISTRY.get_sample_value(name, {"stage": "framer", "reason": reason}) is not None


def test_late_events_are_told_by_the_labels_that_received_records_have() -> None:
    """The alert divides one by the other: labels that differ would match nothing."""
    framer = Framer(
        PartitionState(0, 1), PARSERS, default_instruments(), lambda asset: 0, whole=True
    )
    metrics = FramerMetrics()
    metrics.begin(0, framer)
    labels = {"venue": "bybit", "channel": "trade"}
    late = "marginquake_records_late_total"
    before = value(late, **labels), value(RECEIVED, **labels)
    say(framer, "bybit", "a", SECOND - 1, op="connect")
    say(framer, "bybit", "a", SECOND - 1, op="subscribe", channels=["trade"])
    framer.apply(trade(SECOND))
    through = {"trade": (SECOND + 5) * 1_000_000}
    say(framer, "bybit", "a", SECOND + 6, op="heartbeat", through_us=through)
    framer.apply(trade(SECOND + 7))
    metrics.checkpoint(0, framer, 10)
    assert framer.state.counters["late_dropped:bybit/trade"] == 1
    assert value(late, **labels) == before[0] + 1
    assert value(RECEIVED, **labels) == before[1] + 2


def test_feeds_that_are_up_are_told_by_venue_and_channel() -> None:
    framer = Framer(PartitionState(0, 1), PARSERS, default_instruments(), lambda asset: 0)
    metrics = FramerMetrics()
    metrics.begin(0, framer)
    for connection in ("a", "b"):
        say(framer, "okx", connection, 100, op="connect")
        say(framer, "okx", connection, 100, op="subscribe", channels=["trade", "book"])
    say(framer, "x" * 500, "c", 100, op="subscribe", channels=["trade"])
    metrics.checkpoint(0, framer, 10)
    name = "marginquake_feeds_up"
    assert value(name, venue="okx", channel="trade") == 2
    assert value(name, venue="unknown", channel="trade") == 1
    say(framer, "okx", "a", 101, op="disconnect")
    metrics.checkpoint(0, framer, 10)
    assert value(name, venue="okx", channel="trade") == 1
    assert value(name, venue="okx", channel="book") == 1
    say(framer, "okx", "b", 102, op="disconnect")
    metrics.checkpoint(0, framer, 10)
    books = {"venue": "okx", "channel": "book"}
    assert REGISTRY.get_sample_value(name, books) == 0
    # Another process tells of it from now on.
    metrics.end(0)
    assert REGISTRY.get_sample_value(name, books) is None


def say(framer: Framer, venue: str, connection: str, second: int, **words: object) -> None:
    """A collector's own record."""
    payload = json.dumps({"v": 1, **words}).encode()
    framer.apply(Raw(venue, "status", connection, second * 1_000_000, payload))


def trade(received_s: int) -> Raw:
    """A trade of `SECOND`."""
    row = {
        "T": SECOND * 1000,
        "s": "BTCUSDT",
        "S": "Buy",
        "v": "0.001",
        "p": "60000",
        "i": str(received_s),
    }
    payload = json.dumps(
        {"topic": "publicTrade.BTCUSDT", "ts": SECOND * 1000, "data": [row]}
    ).encode()
    return Raw("bybit", "trade", "a", received_s * 1_000_000, payload)
