"""Binance messages that cannot be trusted: every reason, and no input that raises."""

import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.events import Ignored, Outcome, Raw, Rejected
from streams.core.instruments import Instruments
from streams.core.normalise import normalise
from streams.venues import binance

INSTRUMENTS = Instruments({}, binance.RULES)
PARSERS = dict.fromkeys(binance.VENUES, binance.parse)
RECEIVED_US = 1_790_000_003_000_000
NOW_MS = 1_790_000_001_000

FORCED = {
    "e": "forceOrder",
    "E": NOW_MS,
    "o": {
        "s": "BTCUSDT",
        "S": "BUY",
        "q": "2",
        "p": "61000",
        "ap": "61100",
        "X": "FILLED",
        "z": "2",
        "T": NOW_MS,
    },
}
PRINT = {
    "e": "aggTrade",
    "s": "BTCUSDT",
    "a": 1,
    "p": "61000",
    "q": "2",
    "T": NOW_MS,
    "m": False,
}
MARK = {"e": "markPriceUpdate", "E": NOW_MS, "s": "BTCUSDT", "p": "61000", "r": "", "T": 0}
INTEREST = {"symbol": "BTCUSDT", "openInterest": "5", "time": NOW_MS}
DEPTH = {
    "stream": "btcusdt@depth5",
    "data": {
        "e": "depthUpdate",
        "T": NOW_MS,
        "s": "BTCUSDT",
        "u": 9,
        "b": [["60999", "1"]],
        "a": [["61000", "1"]],
    },
}
VALID = (FORCED, PRINT, MARK, INTEREST, DEPTH)


def outcomes(payload: bytes, venue: str = "binance-usdm") -> list[Outcome]:
    return normalise(Raw(venue, None, "test", RECEIVED_US, payload), PARSERS, INSTRUMENTS)


def reason(message: Any) -> str:
    payload = message if isinstance(message, bytes) else msgspec.json.encode(message)
    (outcome,) = outcomes(payload)
    assert isinstance(outcome, Rejected), outcome
    assert outcome.detail
    return outcome.reason


def forced(**order: Any) -> dict[str, Any]:
    return FORCED | {"o": FORCED["o"] | order}  # type: ignore[operator]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("NaN", "not_finite"),
        ("Infinity", "not_finite"),
        ("-inf", "not_finite"),
        ("1e400", "not_finite"),
        ("1e19", "not_finite"),
        (10**30, "not_finite"),
        ("0", "not_positive"),
        ("0.000", "not_positive"),
        ("-1", "not_positive"),
        (-1.5, "not_positive"),
        ("1e-400", "not_positive"),
        ("", "missing_field"),
        (None, "missing_field"),
        ("one", "wrong_type"),
        ("1,5", "wrong_type"),
        ("9" * 100, "wrong_type"),
        (True, "wrong_type"),
        (["1"], "wrong_type"),
        ({}, "wrong_type"),
    ],
)
def test_a_bad_number_has_its_reason_wherever_it_stands(value: Any, expected: str) -> None:
    assert reason(PRINT | {"p": value}) == expected
    assert reason(PRINT | {"q": value}) == expected
    assert reason(MARK | {"p": value}) == expected
    if expected == "missing_field":
        assert reason(forced(ap=value, p=value)) == "not_positive"
        assert reason(forced(z=value, q=value)) == "not_positive"
    else:
        assert reason(forced(ap=value, p=value)) == expected
        assert reason(forced(z=value, q=value)) == expected
    if value not in ("0", "0.000", "1e-400"):
        assert reason(INTEREST | {"openInterest": value}) == expected


def test_numbers_may_come_as_json_numbers() -> None:
    for message in (PRINT | {"p": 61000.5, "q": 2}, forced(ap=61100.5, z=2)):
        (event,) = outcomes(msgspec.json.encode(message))
        assert not isinstance(event, (Rejected, Ignored))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"pong", "invalid_json"),
        (b'{"e":"aggTrade"', "invalid_json"),
        (b'{"e":"\xff"}', "invalid_utf8"),
        (b'{"e":"aggTrade","s":"\xff"}', "invalid_utf8"),
        (b"5", "wrong_type"),
        (b'"text"', "wrong_type"),
        (b"null", "wrong_type"),
        (b"[[]]", "wrong_type"),
        (b"{}", "unknown_message"),
        (b'{"hello":"world"}', "unknown_message"),
        (b'{"e":"somethingNew"}', "unknown_message"),
        (b'{"e":5}', "wrong_type"),
        (b'{"stream":"btcusdt@aggTrade","data":{}}', "unknown_message"),
        (b'{"e":"forceOrder","E":1}', "missing_field"),
        (b'{"e":"forceOrder","o":[]}', "wrong_type"),
        (b'{"lastUpdateId":1,"bids":[],"asks":[]}', "missing_field"),
    ],
)
def test_a_message_of_the_wrong_shape_has_its_reason(message: bytes, expected: str) -> None:
    assert reason(message) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (forced(S="HOLD"), "unknown_side"),
        (forced(S="sell"), "unknown_side"),
        (forced(S=1), "wrong_type"),
        (forced(s="ETHBTC"), "unknown_instrument"),
        (forced(s=5), "wrong_type"),
        (forced(s="X" * 200), "wrong_type"),
        (forced(T="soon"), "wrong_type"),
        (forced(T=1.5), "wrong_type"),
        (forced(T=-5), "wrong_type"),
        (forced(T=5), "time_out_of_range"),
        (forced(T=NOW_MS + 60_000), "future_skew"),
        (forced(z="1e12", ap="1e12"), "not_finite"),
        (PRINT | {"s": "ETHBTC"}, "unknown_instrument"),
        (PRINT | {"m": "yes"}, "wrong_type"),
        (PRINT | {"m": 1}, "wrong_type"),
        (PRINT | {"a": None}, "missing_field"),
        (PRINT | {"a": "x"}, "wrong_type"),
        (PRINT | {"a": 10**300}, "not_finite"),
        (PRINT | {"T": 10**300}, "not_finite"),
        (PRINT | {"p": "1e12", "q": "1e12"}, "not_finite"),
        (INTEREST | {"symbol": "BTCUSD_PERP", "openInterest": "1e17"}, "not_finite"),
        (MARK | {"r": "x", "T": NOW_MS}, "wrong_type"),
    ],
)
def test_a_field_that_cannot_be_used_has_its_reason(message: Any, expected: str) -> None:
    assert reason(json.dumps(message).encode()) == expected


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ([["60999"]], "missing_field"),
        (["60999"], "wrong_type"),
        ("60999", "wrong_type"),
        ([["60999", "0"]], "not_positive"),
        ([["NaN", "1"]], "not_finite"),
        ([["61001", "1"]], "crossed_book"),
    ],
)
def test_a_bad_level_rejects_the_book(side: Any, expected: str) -> None:
    message = copy.deepcopy(DEPTH)
    message["data"]["b"] = side  # type: ignore[index]
    assert reason(message) == expected


def mutations(value: Any) -> st.SearchStrategy[Any]:
    """The message with one of its values replaced, removed or kept."""
    if isinstance(value, dict):
        return st.sampled_from(sorted(value)).flatmap(
            lambda key: st.one_of(
                st.just({k: v for k, v in value.items() if k != key}),
                mutations(value[key]).map(lambda new: value | {key: new}),
            )
        )
    if isinstance(value, list) and value:
        return mutations(value[0]).map(lambda new: [new, *value[1:]])
    return JSON


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["NaN", "1e400", "-0", "BTCUSDT", "SELL", "forceOrder", "aggTrade"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["e", "o", "s", "S", "p", "q", "data", "stream", "symbol", "openInterest"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
VENUES = st.sampled_from(sorted(binance.VENUES))


def accountable(found: list[Outcome]) -> bool:
    """At least one outcome, each of them encodable and therefore fit for a topic."""
    return bool(found) and all(msgspec.json.encode(outcome) for outcome in found)


@given(payload=st.binary(max_size=200), venue=VENUES)
def test_arbitrary_bytes_never_raise(payload: bytes, venue: str) -> None:
    assert accountable(outcomes(payload, venue))


@given(message=JSON, venue=VENUES)
def test_arbitrary_json_never_raises(message: Any, venue: str) -> None:
    assert accountable(outcomes(msgspec.json.encode(message), venue))


@given(message=st.sampled_from(VALID).flatmap(mutations), venue=VENUES)
def test_mutated_messages_never_raise(message: Any, venue: str) -> None:
    assert accountable(outcomes(msgspec.json.encode(message), venue))


@given(message=st.sampled_from(VALID), cut=st.integers(0, 200), junk=st.binary(max_size=3))
def test_truncated_and_spliced_messages_never_raise(message: Any, cut: int, junk: bytes) -> None:
    payload = msgspec.json.encode(message)
    cut %= len(payload)
    assert accountable(outcomes(payload[:cut] + junk + payload[cut + len(junk) :]))
    assert accountable(outcomes(payload[:cut]))


def test_deep_nesting_and_huge_integers_are_rejections() -> None:
    assert reason(b"[" * 100_000) in {"invalid_json", "too_deep"}
    assert reason(b'{"e":"aggTrade","x":' + b"[" * 100_000) in {"invalid_json", "too_deep"}
    huge = b"1" * 5000
    assert reason(huge) in {"wrong_type", "not_finite", "invalid_json"}
    for field in (b'"a":1', b'"T":%d' % NOW_MS):
        payload = msgspec.json.encode(PRINT).replace(field, field[:4] + huge)
        assert reason(payload) in {"wrong_type", "not_finite", "invalid_json"}


@given(message=st.sampled_from(VALID).flatmap(mutations))
def test_a_bad_row_never_harms_its_neighbours(message: Any) -> None:
    rows = [FORCED, message, PRINT]
    found = outcomes(msgspec.json.encode(rows))
    assert len(found) == len(rows)
    assert [found[0], found[2]] == [
        *outcomes(msgspec.json.encode(FORCED)),
        *outcomes(msgspec.json.encode(PRINT)),
    ]
