"""What the topic registry, the record keys and the raw headers promise to other processes."""

import doctest
from collections import Counter
from operator import attrgetter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from schemas.registry import SCHEMAS
from streams import contracts, raw_records
from streams.config import MarginquakeError
from streams.contracts import (
    CASCADES,
    DETECTOR_CHANGELOG,
    FRAMER_STATE,
    FRAMES,
    MARKET_CHANGELOG,
    MARKET_INPUTS,
    PRINTS,
    PRINTS_SQL,
    RAW,
    TopicSpec,
    decode,
    decode_frame,
    decode_status,
    encode,
    key_of,
    partition_for,
    partitions,
    read_registry,
    topic_of,
    topics,
)
from streams.core.events import (
    EARLIEST_EVENT_US,
    LATEST_EVENT_US,
    BadLine,
    Raw,
    Rejected,
    Status,
)
from streams.core.frames import Tick
from streams.core.results import Milestone
from streams.raw_records import bad_line_headers, raw_from_record, raw_headers

RECEIVED = 1_793_620_812_371_512
REGISTRY = """
partitioning: {partitions: 4, pinned: {BTC: 0}}
topics:
  raw.v1: {owner: a, schema: raw, key: asset, partitions: 4, retention_ms: 1000,
           max_message_bytes: 10, description: d}
"""


def test_the_constants_are_the_topics_of_the_registry() -> None:
    named = {
        value
        for name, value in vars(contracts).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str)
    }
    assert named == set(topics())


def test_topics_share_one_partition_count_or_have_one_partition() -> None:
    assert {spec.partitions for spec in topics().values()} == {1, partitions()}
    assert topics()[FRAMES].partitions == topics()[RAW].partitions == partitions() == 8


def test_compacted_topics_are_kept_for_ever_and_others_are_not() -> None:
    compacted = {name for name, spec in topics().items() if spec.cleanup_policy == "compact"}
    assert compacted == {FRAMER_STATE, DETECTOR_CHANGELOG, MARKET_CHANGELOG}
    assert compacted == {name for name, spec in topics().items() if spec.retention_ms is None}


def test_a_caller_cannot_change_the_registry() -> None:
    topics().clear()
    assert RAW in topics()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (REGISTRY.replace("schema: raw, ", ""), "schema"),
        (REGISTRY.replace("owner: a", "owner: a, colour: red"), "colour"),
        (REGISTRY.replace("partitions: 4, retention", "partitions: 3, retention"), "raw.v1"),
        (REGISTRY.replace("retention_ms: 1000,", ""), "retention_ms"),
        (REGISTRY.replace("retention_ms", "cleanup_policy: compact, retention_ms"), "compact"),
        (REGISTRY.replace("{BTC: 0}", "{BTC: 0, ETH: 0}"), "its own partition"),
        (REGISTRY.replace("{BTC: 0}", "{BTC: 4}"), "below 4"),
        (REGISTRY.replace("{BTC: 0}", "{A: 0, B: 1, C: 2, D: 3}"), "leave one"),
        ("topics: [", "topics.yaml"),
    ],
)
def test_a_broken_registry_is_refused_by_name(text: str, names: str) -> None:
    read_registry(REGISTRY)
    with pytest.raises(MarginquakeError, match=names):
        read_registry(text)


def test_pinned_assets_have_their_partition_to_themselves() -> None:
    assert (partition_for("BTC"), partition_for("ETH")) == (0, 1)
    others = Counter(partition_for(f"COIN{number}") for number in range(6000))
    assert set(others) == {2, 3, 4, 5, 6, 7}
    assert min(others.values()) > 900


def test_the_partition_of_an_asset_never_changes_within_v1() -> None:
    known = {"SOL": 4, "XRP": 2, "DOGE": 6, "ADA": 4, "PEPE": 6, "ALL": 3, "漢": 2}
    assert {asset: partition_for(asset) for asset in known} == known


def test_documented_examples_run() -> None:
    assert doctest.testmod(contracts).failed == 0


MESSAGES = [
    (topic, value)
    for topic, spec in topics().items()
    if topic not in (RAW, FRAMER_STATE, DETECTOR_CHANGELOG, MARKET_CHANGELOG, PRINTS_SQL)
    for value in schemas.examples(spec.schema)
]


@pytest.mark.parametrize(("topic", "value"), MESSAGES)
def test_a_message_goes_back_to_the_topic_it_came_from(topic: str, value: bytes) -> None:
    message = decode(topic, value)
    assert topic_of(message) == topic
    assert key_of(message).decode()


KEYS = {
    "liquidation": "asset",
    "frame": "asset",
    "tick": "partition",
    "contribution": "asset",
    "late": "liquidation.asset",
    "dead_letter": "source",
    "feed_status": "venue",
    "cascade": "scope",
    "print": "scope",
    "milestone": "scope",
}


@pytest.mark.parametrize(("schema", "path"), KEYS.items())
def test_records_are_keyed_as_the_registry_says(schema: str, path: str) -> None:
    topic = next(name for name, spec in topics().items() if schema in (spec.schema, *of(spec)))
    assert path.rpartition(".")[2] in topics()[topic].key
    for value in schemas.examples(schema):
        message = decode(topic, value)
        assert key_of(message).decode() == str(attrgetter(path)(message))


def of(spec: TopicSpec) -> tuple[str, ...]:
    return SCHEMAS[spec.schema].members


def test_equal_messages_have_equal_bytes_whatever_the_order_of_their_maps() -> None:
    one = Status("heartbeat", through_us={"trade": 2, "liquidation": 1})
    two = Status("heartbeat", through_us={"liquidation": 1, "trade": 2})
    assert encode(one) == encode(two)
    assert decode_status(encode(one)) == one


def test_a_message_of_another_topic_is_refused() -> None:
    tick = encode(Tick(0, 8, 1_000_000, None, 0))
    with pytest.raises(msgspec.DecodeError):
        decode(CASCADES, tick)
    with pytest.raises(msgspec.DecodeError):
        decode_frame(tick)
    with pytest.raises(MarginquakeError, match=r"raw\.v1"):
        decode(RAW, tick)
    assert isinstance(decode(MARKET_INPUTS, tick), Tick)
    assert isinstance(decode(PRINTS, schemas.examples("milestone")[0]), Milestone)


texts = st.text(max_size=20)


@given(
    venue=texts,
    channel=st.none() | st.text(min_size=1, max_size=10),
    connection=texts,
    received=st.integers(EARLIEST_EVENT_US, LATEST_EVENT_US - 1),
    payload=st.binary(max_size=50),
    sliced=st.booleans(),
    data=st.data(),
)
def test_a_raw_record_survives_its_headers_in_any_order(
    venue: str,
    channel: str | None,
    connection: str,
    received: int,
    payload: bytes,
    sliced: bool,
    data: st.DataObject,
) -> None:
    raw = Raw(venue, channel, connection, received, payload)
    headers = raw_headers(raw, (0, 3), "m1") if sliced else raw_headers(raw)
    for order in (headers, data.draw(st.permutations(headers)), headers):
        assert raw_from_record(tuple(order), payload) == raw


def test_headers_stand_in_canonical_order_as_ascii() -> None:
    raw = Raw("okx", "liquidation", "public-0", RECEIVED, b"{}")
    assert raw_headers(raw, (1, 2), "m-7") == [
        ("venue", b"okx"),
        ("channel", b"liquidation"),
        ("connection", b"public-0"),
        ("received_at", b"1793620812371512"),
        ("slice", b"1/2"),
        ("message_id", b"m-7"),
    ]


def test_a_record_without_a_channel_header_text_has_no_channel() -> None:
    raw = Raw("okx", None, "", RECEIVED, b"{}")
    assert dict(raw_headers(raw))["channel"] == b""
    assert raw_from_record(raw_headers(raw), b"{}") == raw


GOOD = raw_headers(Raw("okx", "trade", "c0", RECEIVED, b""))


def changed(name: str, value: bytes | None) -> list[tuple[str, bytes]]:
    """The good headers with one replaced, or left out when the value is None."""
    new = [(key, value if key == name else old) for key, old in GOOD]
    return [(key, kept) for key, kept in new if kept is not None]


@pytest.mark.parametrize(
    ("headers", "reason", "detail"),
    [
        ([], "missing_field", "venue, channel, connection, received_at"),
        (changed("venue", None), "missing_field", "header venue is missing"),
        (changed("received_at", None), "missing_field", "received_at"),
        (changed("received_at", b"soon"), "wrong_type", "soon"),
        (changed("received_at", b"1.5e15"), "wrong_type", "1.5e15"),
        (changed("received_at", b"\xff"), "wrong_type", "received_at"),
        (changed("received_at", b"1" * 5000), "wrong_type", "received_at"),
        (changed("received_at", b"1793620812371"), "time_out_of_range", "1793620812371"),
        (changed("received_at", b"-1793620812371512"), "time_out_of_range", "-1793"),
        (changed("venue", b"\xff\xfe"), "invalid_utf8", "header"),
        (changed("connection", b"\xc3"), "invalid_utf8", "header"),
        ([("Venue", b"okx"), *GOOD[1:]], "missing_field", "header venue"),
    ],
)
def test_a_record_with_broken_headers_is_a_value_not_an_exception(
    headers: list[tuple[str, bytes]], reason: str, detail: str
) -> None:
    for _ in range(2):
        outcome = raw_from_record(headers, b"{}")
        assert isinstance(outcome, Rejected)
        assert outcome.reason == reason
        assert detail in outcome.detail
        assert isinstance(raw_from_record(GOOD, b"{}"), Raw)


def test_a_record_without_a_value_is_rejected() -> None:
    assert raw_from_record(GOOD, None) == Rejected("wrong_type", "the record has no value")


def test_the_first_of_repeated_headers_stands() -> None:
    outcome = raw_from_record([*GOOD, ("venue", b"bybit")], b"{}")
    assert isinstance(outcome, Raw)
    assert outcome.venue == "okx"


BAD = BadLine(Rejected("invalid_json", "é at 1"), Raw("unknown", None, "a", 0, b"{"), 9, "a:1")


def test_a_bad_line_survives_its_headers_in_any_order() -> None:
    headers = bad_line_headers(BAD)
    assert raw_from_record(headers, b"{") == BAD
    assert raw_from_record(headers[::-1], b"{") == BAD
    huge = msgspec.structs.replace(BAD, size=10_000_000)
    cut = raw_from_record(bad_line_headers(huge), b"{" * 5_000)
    assert isinstance(cut, BadLine)
    assert (len(cut.raw.payload), cut.size) == (4096, 10_000_000)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("rejected", b"because", "wrong_type"),
        ("rejected", b"\xff", "wrong_type"),
        ("size", b"many", "wrong_type"),
        ("size", b"0", "wrong_type"),
        ("size", None, "missing_field"),
        ("source", None, "missing_field"),
        ("received_at", b"5", "time_out_of_range"),
    ],
)
def test_a_bad_line_of_no_known_reason_or_size_is_itself_rejected(
    name: str, value: bytes | None, reason: str
) -> None:
    given = {**dict(bad_line_headers(BAD)), name: value}
    found = raw_from_record([(k, v) for k, v in given.items() if v is not None], b"{")
    assert isinstance(found, Rejected)
    assert found.reason == reason


def test_names_of_many_connections_do_not_fill_the_memory() -> None:
    for number in range(25_000):
        raw = Raw("okx", "trade", f"c{number}", RECEIVED, b"")
        assert raw_from_record(raw_headers(raw), b"") == raw
    assert len(raw_records._names) <= raw_records._MAX_NAMES + 2
