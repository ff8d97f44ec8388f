"""A small market in a warehouse: every example of every result, moved to one moment.

For tests of screens. The examples speak of different days; here each keeps its own distances and
its last moment falls into the last full minute before `at`. A minute of frames and some forced
orders lie before that.
"""

import json
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from streams import contracts
from streams.edges.inserts import Inserter
from streams.edges.intake import read
from streams.edges.rows import Row, rows

MINUTE: Final = 60_000_000
SECOND: Final = 1_000_000

TOPIC_OF: Final = {
    "cascade": contracts.CASCADES,
    "print": contracts.PRINTS,
    "milestone": contracts.PRINTS,
    "feed_status": contracts.FEEDS,
    "regime": contracts.REGIMES,
    "regime_transition": contracts.REGIMES,
    "imbalance": contracts.SIGNALS,
    "liquidity": contracts.SIGNALS,
    "conditions": contracts.SIGNALS,
    "dominance": contracts.SIGNALS,
    "zones": contracts.ZONES,
    "health": contracts.HEALTH,
    "alert": contracts.ALERTS,
}
_ANCHORS: Final = ("at_us", "crossed_at", "watermark", "at")
_TIMES: Final = {
    "at", "at_us", "as_of", "as_of_us", "closed_at", "cooldown_until", "crossed_at", "detected_at",
    "end", "next_funding_us", "onset", "peak_at", "period_start", "since", "through_us",
    "open_interest_as_of_us", "watermark",
}  # fmt: skip


def tell(client: Client, examples: dict[str, list[bytes]], at: int) -> None:
    """Fill the warehouse; `at` in microseconds UTC."""
    at -= at % MINUTE + MINUTE
    messages = [
        (topic, moved(json.loads(example), at))
        for kind, topic in TOPIC_OF.items()
        for example in examples[kind]
    ]
    busy = next(json.loads(one) for one in examples["frame"] if b"binance-coinm" in one)
    messages += [(contracts.FRAMES, frame(busy, at - s * SECOND)) for s in range(60, 0, -1)]
    messages += [
        (contracts.LIQUIDATIONS, order(json.loads(example), index, copy, at))
        for index, example in enumerate(examples["liquidation"])
        for copy in range(3)
    ]
    inserter = Inserter(client)
    for topic in {topic for topic, _ in messages}:
        insert_all(inserter, topic, [message for other, message in messages if other == topic])


def order(known: dict[str, Any], index: int, copy: int, at: int) -> dict[str, Any]:
    """A forced order of its own some seconds before `at`."""
    return {
        **known,
        "id": f"{index:016x}{copy:016x}",
        "event_time_us": at - (index + 4 * copy + 2) * SECOND,
        "received_at_us": at,
    }


def insert(inserter: Inserter, topic: str, message: dict[str, Any]) -> None:
    """One message, as the sink would write it."""
    for table, row in rows(read(topic, json.dumps(message).encode())):
        assert inserter.insert(table, [row]) == []


def insert_all(inserter: Inserter, topic: str, messages: list[dict[str, Any]]) -> None:
    """Messages of one topic, in one batch a table."""
    batches: dict[str, list[Row]] = {}
    for message in messages:
        for table, row in rows(read(topic, json.dumps(message).encode())):
            batches.setdefault(table, []).append(row)
    for table, batch in batches.items():
        assert inserter.insert(table, batch) == []


def moved(message: dict[str, Any], at: int) -> dict[str, Any]:
    """The message with all its times moved by whole minutes, its anchor into the minute of `at`."""
    anchor = next(message[name] for name in _ANCHORS if name in message)
    by = at - anchor // MINUTE * MINUTE
    return {
        name: value + by if name in _TIMES and isinstance(value, int) and value else value
        for name, value in message.items()
    }


def frame(busy: dict[str, Any], second: int) -> dict[str, Any]:
    """The busy example's frame at another second, with prices that move by the second."""
    by = second - int(busy["second"])
    drift = 1 + (second // SECOND % 20 - 10) / 10_000
    flows = [
        {**flow, **{name: flow[name] * drift for name in ("open", "high", "low", "close")}}
        for flow in busy["flows"]
    ]
    return {
        **busy,
        "second": second,
        "prev": second - SECOND,
        "late": [],
        "flows": flows,
        "tickers": [],
        "books": [{**book, "as_of_us": book["as_of_us"] + by} for book in busy["books"]],
    }
