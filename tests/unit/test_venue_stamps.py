"""What venue files share for names, stamps and packed messages: exact, or a reason."""

import base64
import gzip
import json

import pytest

from streams.core.events import MAX_PAYLOAD_BYTES, Raw, Rejected
from streams.edges.rawlog import parse_line
from streams.venues.fields import BadField, any_stamp_us, iso_us, nanos_us
from streams.venues.multiples import listed
from streams.venues.packed import unpacked

TEXT = b'{"op":"notify","topic":"public.BTC-USDT.funding_rate"}'
PACKED = gzip.compress(TEXT, mtime=0)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-09-21T12:00:00Z", 1_789_992_000_000_000),
        ("2026-09-21T12:00:00.4Z", 1_789_992_000_400_000),
        ("2026-09-21T12:00:00.402Z", 1_789_992_000_402_000),
        ("2026-09-21T12:00:00.402123Z", 1_789_992_000_402_123),
        ("2026-09-21T12:00:00.402123999Z", 1_789_992_000_402_123),
        ("2026-09-21 12:00:00+00:00", 1_789_992_000_000_000),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.5Z", -500_000),
    ],
)
def test_a_written_time_is_microseconds(written: str, expected: int) -> None:
    assert iso_us({"time": written}, "time") == expected


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2026-09-21T12:00:00", "wrong_type"),
        ("2026-09-21T12:00:00+08:00", "wrong_type"),
        ("2026-02-30T12:00:00Z", "wrong_type"),
        ("0000-01-01T00:00:00Z", "wrong_type"),
        ("2026-09-21T24:00:00Z", "wrong_type"),
        ("2026-09-21T12:00:60Z", "wrong_type"),
        ("٢٠٢٦-09-21T12:00:00Z", "wrong_type"),
        ("soon", "wrong_type"),
        (1_790_000_000, "wrong_type"),
        ("", "missing_field"),
        (None, "missing_field"),
    ],
)
def test_what_is_no_time_in_utc_says_so(written: object, reason: str) -> None:
    with pytest.raises(BadField) as error:
        iso_us({"time": written}, "time")
    assert error.value.outcome.reason == reason


@pytest.mark.parametrize("stamp", [1_790_000_000_402_000_999, "1790000000402000999"])
def test_nanoseconds_are_cut_to_microseconds(stamp: object) -> None:
    assert nanos_us({"ts": stamp}, "ts") == 1_790_000_000_402_000


@pytest.mark.parametrize(
    "stamp", [-1, 2**63, True, 1.79e18, "1e18", "²", "9" * 20, "9" * 30, [], "soon"]
)
def test_what_are_no_nanoseconds_say_so(stamp: object) -> None:
    with pytest.raises(BadField) as error:
        nanos_us({"ts": stamp}, "ts")
    assert error.value.outcome.reason == "wrong_type"


def test_a_base_name_tells_how_many_coins_it_lists() -> None:
    assert [listed(base) for base in ("BTC", "1INCH", "1000BONK", "1000000MOG", "SHIB1000")] == [
        ("BTC", 1),
        ("1INCH", 1),
        ("BONK", 1000),
        ("MOG", 1_000_000),
        ("SHIB", 1000),
    ]


@pytest.mark.parametrize(
    "payload",
    [TEXT, PACKED, PACKED.decode("latin-1").encode(), base64.b64encode(PACKED)],
    ids=["text", "bytes", "characters", "base64"],
)
def test_a_packed_message_is_its_text_however_it_was_kept(payload: bytes) -> None:
    assert unpacked(payload) == TEXT


@pytest.mark.parametrize("text", [PACKED.decode("latin-1"), base64.b64encode(PACKED).decode()])
def test_a_packed_message_survives_a_line_of_a_raw_log(text: str) -> None:
    line = json.dumps({"venue": "htx", "received_at_us": 1, "payload": text}).encode()
    record = parse_line(line)
    assert isinstance(record, Raw)
    assert unpacked(record.payload) == TEXT


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (PACKED[:-9], "invalid_json"),
        (PACKED[:12] + b"\xff" * 9, "invalid_json"),
        (b"\x1f\x8b", "invalid_json"),
        (PACKED.decode("latin-1").encode() + "…".encode(), "invalid_json"),
        (b"\x1f\xc2\x8b\xff", "invalid_json"),
        (b"H4sI*", "invalid_json"),
        (b"H4sI", "invalid_json"),
        (gzip.compress(b" " * (MAX_PAYLOAD_BYTES + 1), mtime=0), "too_large"),
        (gzip.compress(b" " * (100 * MAX_PAYLOAD_BYTES), mtime=0), "too_large"),
    ],
)
def test_a_damaged_or_endless_message_says_why(payload: bytes, reason: str) -> None:
    found = unpacked(payload)
    assert isinstance(found, Rejected)
    assert found.reason == reason


def test_a_packed_message_may_be_as_large_as_any() -> None:
    largest = b" " * MAX_PAYLOAD_BYTES
    assert unpacked(gzip.compress(largest)) == largest


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (1_790_000_000, 1_790_000_000_000_000),
        ("1790000000.25", 1_790_000_000_250_000),
        (1_790_000_000_402, 1_790_000_000_402_000),
        ("1790000000402.1239", 1_790_000_000_402_123),
        (1_790_000_000_402_123, 1_790_000_000_402_123),
        (0, 0),
    ],
)
def test_the_unit_of_a_stamp_is_told_by_its_magnitude(stamp: object, expected: int) -> None:
    assert any_stamp_us({"t": stamp}, "t") == expected


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [(-5, "not_positive"), ("soon", "wrong_type"), (None, "missing_field"), (True, "wrong_type")],
)
def test_a_stamp_of_any_unit_must_be_a_number(stamp: object, reason: str) -> None:
    with pytest.raises(BadField) as error:
        any_stamp_us({"t": stamp}, "t")
    assert error.value.outcome.reason == reason
