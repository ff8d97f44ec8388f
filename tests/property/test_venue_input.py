"""No bytes make a venue's parser raise, garbage yields no event, and outcomes fit a topic.

Binance has a file of its own, tests/unit/test_binance_bad_input.py.
"""

import gzip
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.events import Ignored, Outcome, Raw, Rejected, Trade
from streams.core.normalise import normalise
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments
from tests.messages import (
    bitget,
    bitmex,
    bybit,
    coinbase,
    deribit,
    dydx,
    gate,
    htx,
    hyperliquid,
    kraken,
    kucoin,
    okx,
)

NOW_US = 1_790_000_001_000_000
INSTRUMENTS = default_instruments()
FAMILIES = {
    "bitget": bitget,
    "bitmex": bitmex,
    "bybit": bybit,
    "coinbase": coinbase,
    "deribit": deribit,
    "dydx": dydx,
    "gate": gate,
    "htx": htx,
    "hyperliquid": hyperliquid,
    "kraken": kraken,
    "kucoin": kucoin,
    "okx": okx,
}
VENUES = sorted(venue for venue in PARSERS if not venue.startswith("binance"))
VALID = [
    *((venue, one) for venue, family in FAMILIES.items() for one in family.MESSAGES),
    *(("gate-spot", one) for one in gate.SPOT_MESSAGES),
]
NEEDED = [
    (venue, message, row, key)
    for venue, family in FAMILIES.items()
    for message, row, keys in family.NEEDED
    for key in keys
]
NAMES = ("i", "id", "orderID", "tradeId", "trade_id", "trdMatchID", "uid")
"""Fields that any text will do for, where they are text."""
SIDES = ("S", "direction", "side")
"""Fields in which any text leaves a trade, without a side; of a forced order it does not."""
GARBAGE = st.sampled_from(
    [None, True, "", " ", "x", "NaN", "-Infinity", "1e999", "5,0", [], {}, [5], {"p": 1}, "\x00"]
)
CHANNELS = st.sampled_from([None, "trade"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["NaN", "-Infinity", "1e999", "1E-400", "9" * 4000, "0", "-0", "", "1e17"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)


def mutate(value: Any, data: st.DataObject) -> Any:
    """The value with some of its leaves or branches replaced or dropped."""
    if data.draw(st.integers(0, 9)) == 0:
        return data.draw(JSON)
    if isinstance(value, dict):
        return {k: mutate(v, data) for k, v in value.items() if data.draw(st.integers(0, 19))}
    if isinstance(value, list):
        return [mutate(item, data) for item in value]
    return value


def swapped(value: Any, row: Any, other: Any) -> Any:
    """The value with every copy of the row replaced by the other."""
    if value == row:
        return other
    if isinstance(value, dict):
        return {key: swapped(inner, row, other) for key, inner in value.items()}
    return [swapped(inner, row, other) for inner in value] if isinstance(value, list) else value


def accept(venue: str, payload: bytes, channel: str | None = None) -> list[Outcome]:
    outcomes = normalise(Raw(venue, channel, "c", NOW_US, payload), PARSERS, INSTRUMENTS)
    assert outcomes
    assert len(msgspec.json.decode(msgspec.json.encode(outcomes))) == len(outcomes)
    for outcome in outcomes:
        if hasattr(outcome, "usd"):
            assert 0 <= outcome.usd < 2**63
    return outcomes


def unsided(outcome: Outcome, key: str) -> bool:
    """Whether a field is a side, and the outcome a trade that can do without it."""
    return key in SIDES and isinstance(outcome, Trade) and outcome.taker_side == "unknown"


def events(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if not isinstance(outcome, Rejected | Ignored)]


@pytest.mark.parametrize(("venue", "message"), VALID)
def test_the_messages_that_are_spoilt_below_hold_events(venue: str, message: Any) -> None:
    outcomes = accept(venue, json.dumps(message).encode())
    assert events(outcomes)
    assert not any(isinstance(outcome, Rejected) for outcome in outcomes), outcomes


@settings(max_examples=2000, deadline=None)
@given(st.data(), st.sampled_from(VALID), CHANNELS)
def test_a_mutated_message_never_raises(
    data: st.DataObject, valid: tuple[str, Any], channel: str | None
) -> None:
    venue, message = valid
    accept(venue, json.dumps(mutate(message, data)).encode(), channel)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_never_raises_and_yields_no_event(payload: bytes) -> None:
    for venue in VENUES:
        for channel in (None, "trade"):
            assert not events(accept(venue, payload, channel))


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(NEEDED), GARBAGE, CHANNELS)
def test_a_row_with_garbage_in_a_field_that_it_needs_is_no_event(
    needed: tuple[str, Any, dict[str, Any], str], garbage: Any, channel: str | None
) -> None:
    venue, message, row, key = needed
    if key in NAMES and isinstance(row[key], str) and isinstance(garbage, str) and garbage:
        return
    spoilt = swapped(message, row, {**row, key: garbage})
    outcomes = accept(venue, json.dumps(spoilt).encode(), channel)
    assert all(isinstance(outcome, Rejected) for outcome in outcomes if not unsided(outcome, key))
    assert isinstance(garbage, str) or not any(unsided(outcome, key) for outcome in outcomes)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 200), st.sampled_from(htx.MESSAGES))
def test_a_damaged_frame_never_raises(noise: bytes, at: int, message: Any) -> None:
    packed = gzip.compress(json.dumps(message).encode())
    assert events(accept("htx", packed)) == events(accept("htx", json.dumps(message).encode()))
    accept("htx", packed[:at] + noise + packed[at + len(noise) :])
    accept("htx", (packed[:at] + noise).decode("latin-1").encode())


SKIPPED = [
    (venue, message) for venue, message in VALID if isinstance(message, dict) and venue != "htx"
]


@pytest.mark.parametrize(("venue", "message"), SKIPPED)
@pytest.mark.parametrize("channel", [None, "trade"])
def test_text_that_is_no_utf_8_is_refused_in_fields_that_nobody_reads_too(
    venue: str, message: Any, channel: str | None
) -> None:
    payload = json.dumps({**message, "zz": "?"}).encode().replace(b'"?"', b'"\xff"')
    (outcome,) = accept(venue, payload, channel)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "invalid_utf8"
    assert events(accept(venue, json.dumps({**message, "zz": "\u5e01"}).encode(), channel))


@pytest.mark.parametrize("word", [False, "false", "False", 0, "0", "-0"])
def test_a_trade_is_read_the_same_alone_as_beside_a_bad_row(word: Any) -> None:
    topic, row = "publicTrade.BTCUSDT", {**bybit.PRINT, "BT": word}
    (alone,) = accept("bybit", json.dumps({"topic": topic, "data": [row]}).encode())
    beside = accept("bybit", json.dumps({"topic": topic, "data": [row, {}]}).encode())
    assert events([alone]) == events(beside)
    assert not isinstance(alone, Rejected)


DEEP = [
    b"[" * 100_000,
    *(
        start + b"[" * 90_000
        for start in (
            b'{"topic":"publicTrade.X","data":',
            b'{"channel":"futures.trades","result":',
            b'{"op":"notify","data":',
        )
    ),
    b'{"data":' * 50_000,
]


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("payload", DEEP, ids=range(len(DEEP)))
def test_deep_nesting_never_raises(venue: str, payload: bytes) -> None:
    for channel in (None, "trade"):
        assert not events(accept(venue, payload, channel))
