"""The framer's counters as metrics: each gain once, under the labels that the metric has."""

import json

from streams.core.events import Raw
from streams.core.framing import Framer, PartitionState
from streams.edges.framer_metrics import FramerMetrics
from streams.telemetry.metrics import REGISTRY
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments

RECEIVED = "marginquake_records_received_total"


def value(name: str, **labels: str) -> float:
    """The metric's value now; 0 before its first."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_received_records_are_counted_by_venue_and_channel() -> None:
    framer = Framer(PartitionState(0, 1), PARSERS, default_instruments(), lambda asset: 0)
    metrics = FramerMetrics()
    metrics.checkpoint(0, framer, 10)
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
    FramerMetrics().checkpoint(0, framer, 10)
    assert value(RECEIVED, **labels) == before


def test_feeds_that_are_up_are_told_by_venue_and_channel() -> None:
    framer = Framer(PartitionState(0, 1), PARSERS, default_instruments(), lambda asset: 0)
    metrics = FramerMetrics()

    def say(venue: str, connection: str, second: int, **words: object) -> None:
        payload = json.dumps({"v": 1, **words}).encode()
        framer.apply(Raw(venue, "status", connection, second * 1_000_000, payload))

    for connection in ("a", "b"):
        say("okx", connection, 100, op="connect")
        say("okx", connection, 100, op="subscribe", channels=["trade", "book"])
    say("x" * 500, "c", 100, op="subscribe", channels=["trade"])
    metrics.checkpoint(0, framer, 10)
    name = "marginquake_feeds_up"
    assert value(name, venue="okx", channel="trade") == 2
    assert value(name, venue="unknown", channel="trade") == 1
    say("okx", "a", 101, op="disconnect")
    metrics.checkpoint(0, framer, 10)
    assert value(name, venue="okx", channel="trade") == 1
    assert value(name, venue="okx", channel="book") == 1
