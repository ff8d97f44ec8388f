"""Typed books and plain numbers against the path by fields: equal outcomes, or left to it.

A field that no venue sends makes the typed decoders step aside, so the same message with and
without it must give the same events or the same reason.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.events import Book, Raw
from streams.core.normalise import normalise
from streams.venues import PARSERS
from streams.venues.binance import books
from streams.venues.catalog import default_instruments
from streams.venues.fields import BadField, as_decimal, quick_float
from tests.scenarios import FEW, chance

INSTRUMENTS = default_instruments()
NOW_MS = 1_795_006_800_107
ODD: tuple[Any, ...] = (
    *("", "0", "-0", "0e-31", "1e-30", "NaN", "inf", "-1", "1_000", " 5 ", "null", "true", "x"),
    *("1e18", "9" * 19, "0." + "1" * 80, "1795006800107.0", "delta", "x" * 101, "NOSUCHUSDT"),
    *(None, True, 0, -1, 1.5, 10**14, 10**18, 1e300, [], {}, ["1", "2"], [["1", "2", "3"]]),
)


def sides(random: Random) -> tuple[list[list[str]], list[list[str]]]:
    depth = random.choice([0, 1, 20])
    size = f"{random.uniform(0.1, 9):.3f}"
    bids = [[f"{100 - index * 0.1:.2f}", size] for index in range(depth)]
    return bids, [[f"{101 + index * 0.1:.2f}", size] for index in range(depth)]


def binance_depth(random: Random) -> tuple[str, Any]:
    """A `depthUpdate`, full or not, bare or on the combined stream."""
    bids, asks = sides(random)
    symbol = random.choice(["BTCUSDT", "1000PEPEUSDT", "BTCUSD_PERP", "ETHUSDT_261225"])
    row = {"e": "depthUpdate", "E": NOW_MS + 2, "T": NOW_MS, "s": symbol, "u": 7, "b": bids}
    row |= {"a": asks, "st": random.choice([1, 2])}
    stream = f"x@depth{random.choice(['20', '5@100ms', '', '@100ms'])}"
    whole = {"stream": stream, "data": row} if random.random() < 0.6 else row
    return random.choice(["binance-usdm", "binance-coinm", "binance-spot"]), whole


def bybit_depth(random: Random) -> tuple[str, Any]:
    """An `orderbook` message, snapshot or delta."""
    bids, asks = sides(random)
    symbol = random.choice(["BTCUSDT", "1000PEPEUSDT", "BTCUSD", "ETHUSDZ26"])
    topic = f"orderbook.{random.choice(['50', '1', 'rpi'])}.{symbol}"
    row = {"s": symbol, "b": bids, "a": asks, "u": 7, "seq": 9}
    kind = random.choice(["snapshot", "snapshot", "delta"])
    whole = {"topic": topic, "type": kind, "ts": NOW_MS, "data": row, "cts": NOW_MS - 3}
    return random.choice(["bybit", "bybit-spot"]), whole


MAKERS = (binance_depth, bybit_depth)


def rows(message: Any) -> list[Any]:
    """The objects and arrays of a message, itself first."""
    inner = message.values() if isinstance(message, dict) else message
    parts = [part for part in inner if isinstance(part, dict | list)]
    return [message, *(row for part in parts for row in rows(part))]


def outcomes(venue: str, channel: str | None, message: Any) -> list[Any]:
    payload = json.dumps(message, separators=(",", ":")).encode()
    raw = Raw(venue, channel, "a", NOW_MS * 1000 + 50_000, payload)
    return normalise(raw, PARSERS, INSTRUMENTS)


@FEW
@given(seed=st.integers(0, 2**32), maker=st.sampled_from(MAKERS))
def test_a_book_is_the_same_whichever_way_it_is_read(
    seed: int, maker: Callable[[Random], tuple[str, Any]]
) -> None:
    random = chance(seed)
    for _ in range(50):
        venue, message = maker(random)
        channel = random.choice(["book", "book", None, "trade"])
        for _ in range(random.choice([0, 0, 1, 1, 2])):
            holder = random.choice([row for row in rows(message) if row])
            key = random.choice([*holder] if isinstance(holder, dict) else range(len(holder)))
            holder[key] = random.choice(ODD)
        quick = outcomes(venue, channel, message)
        message["~"] = 0
        # A reason may list the names that it found.
        assert repr(quick) == repr(outcomes(venue, channel, message)).replace(", ~", "")


@pytest.mark.parametrize("maker", MAKERS)
def test_a_flawless_book_is_read_at_once(
    maker: Callable[[Random], tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    random = chance(1)

    def refuse(*_: object) -> None:
        raise AssertionError("read field by field")

    monkeypatch.setattr("streams.venues.binance.state.ladder", refuse)
    monkeypatch.setattr("streams.venues.bybit.messages.ladder", refuse)
    found = [outcomes(venue, "book", message) for venue, message in map(maker, [random] * 99)]
    assert sum(isinstance(one[0], Book) for one in found) > 10


def test_a_bare_change_of_a_book_is_no_book() -> None:
    row = {"e": "depthUpdate", "E": 1, "T": 1, "s": "BTCUSDT", "u": 7, "b": [], "a": []}
    raw = Raw("binance-usdm", None, "a", NOW_MS * 1000, json.dumps(row).encode())
    assert books.quick(raw, INSTRUMENTS) is None


@given(st.text("0123456789.eE+-_ ٣naif", max_size=70) | st.floats().map(str))
def test_a_quick_float_is_the_decimals(text: str) -> None:
    quick = quick_float(text)
    if quick is not None:
        try:
            assert quick == float(as_decimal(text, "p"))
        except BadField as field:
            raise AssertionError(f"{text!r} is {field.outcome.reason}") from None
