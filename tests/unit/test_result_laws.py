"""Laws across the fields of messages, which JSON Schema cannot say: each one bites."""

import json
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

import schemas
from schemas.registry import SCHEMAS
from schemas.results import validate_result
from streams.contracts import decode_result, encode

SECOND = 1_793_620_812_000_000


def example(schema: str, number: int) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(schemas.examples(schema)[number])
    return value


def refused(schema: str, value: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        SCHEMAS[schema].adapter.validate_json(json.dumps(value))
    return str(caught.value)


FINAL, OPEN = 0, 2
"""Positions of `final-major-cascade` and `open-burst-from-liquidations-alone`, by file name."""

WINDOWS = [
    (FINAL, {"usd_observed": -1}, "usd_observed"),
    (FINAL, {"usd_estimated": 1}, "usd_estimated is at least usd_observed"),
    (FINAL, {"usd_upper": 60_000_000_000_000}, "usd_upper is at least"),
    (FINAL, {"usd_by_venue": {"bybit": 7}}, "usd_by_venue sums"),
    (FINAL, {"venues": ["bybit"]}, "names venues"),
    (FINAL, {"usd_late": 2**62, "events_late": 1}, "are parts of"),
    (FINAL, {"events_late": 743}, "are parts of"),
    (FINAL, {"detected_at": 1}, "onset comes first"),
    (FINAL, {"peak_at": 1}, "onset comes first"),
    (FINAL, {"end": SECOND * 2}, "end lies between"),
    (FINAL, {"closed_at": None}, "known together"),
    (FINAL, {"end": None}, "known together"),
    (FINAL, {"phase": "decay"}, "a closed window is in phase end"),
    (OPEN, {"phase": "end"}, "is closed"),
    (OPEN, {"is_final": True}, "is closed"),
    (FINAL, {"phase": "paused"}, "phase"),
    (FINAL, {"share_long": 0.5}, "inside its interval"),
    (FINAL, {"branching_low": 0.9}, "branching_low is at most"),
    (FINAL, {"confidence": 1.01}, "confidence"),
    (FINAL, {"watermark": SECOND + 1}, "watermark"),
    (FINAL, {"oi_share": None}, "null without a reason in null_reasons: oi_share"),
    (FINAL, {"null_reasons": {"breadth": ""}}, "null_reasons"),
    (FINAL, {"null_reasons": {"breadth": "a", "severity": "b"}}, "names what is not null"),
    (FINAL, {"null_reasons": {"breadth": "a", "colour": "b"}}, "names what is not null"),
    (FINAL, {"colour": "red"}, "colour"),
    (FINAL, {"events": "742"}, "events"),
    (FINAL, {"events": 742.5}, "events"),
    (FINAL, {"usd_upper": 2**63}, "usd_upper"),
    (FINAL, {"is_final": 1}, "is_final"),
]


ROLLING, EMPTY = 1, 0
"""Positions of `rolling-market` and `nothing-and-no-feed`."""

PRINTS = [
    (ROLLING, {"long_usd": 1}, "sum to usd_observed"),
    (ROLLING, {"short_events": 1}, "sum to events"),
    (ROLLING, {"largest_usd": 2**62}, "largest_usd"),
    (ROLLING, {"n_days": 29}, "no percentile below 30 days"),
    (ROLLING, {"period_start": SECOND * 2}, "as_of lies"),
    (ROLLING, {"usd_estimated": 1}, "usd_estimated is at least"),
    (ROLLING, {"usd_by_venue": {}}, "usd_by_venue sums"),
    (ROLLING, {"percentile_365d": 71.0}, "percentile_365d"),
    (ROLLING, {"kind": "weekly"}, "kind"),
    (EMPTY, {"null_reasons": {}}, "max_hour_share, oi_share, percentile_365d"),
]

OTHERS = [
    ("milestone", 1, {"usd_observed": 1}, "at least threshold_usd"),
    ("milestone", 0, {"null_reasons": {}}, "percentile_365d"),
    ("liquidation", 1, {"order_side": "buy"}, "a sell closes a long"),
    ("liquidation", 0, {"price": 0.0}, "price"),
    ("liquidation", 0, {"event_time_us": 1_793_620_812_340}, "event_time_us"),
    ("book", 0, {"bids": [[1.0, 1.0], [2.0, 1.0]]}, "best first"),
    ("book", 0, {"asks": [[1.0]]}, "asks"),
    ("status", 0, {"through_us": {"trade": 1}}, "through_us belongs to heartbeats"),
    ("status", 0, {"advance_us": 1}, "advance_us belongs to end"),
    ("late", 0, {"id": "another"}, "id of its liquidation"),
    ("frame", 0, {"prev": SECOND}, "prev lies before second"),
    ("frame", 0, {"second": SECOND + 1}, "second"),
    ("frame", 0, {"venues_up": ["kraken"]}, "venues_all"),
    ("frame", 0, {"cells": example("frame", 0)["cells"] * 2}, "one cell per venue"),
    ("tick", 0, {"partition": 8}, "below partitions"),
    ("tick", 0, {"prev": SECOND * 2}, "prev lies before second"),
    ("contribution", 0, {"onsets": [["both", 1]]}, "onsets"),
    ("dead_letter", 0, {"reason": "ugly"}, "reason"),
    ("dead_letter", 0, {"payload": "x" * 4097}, "payload"),
    ("detector_state", 0, {"kind": "minutes"}, "kind and page"),
    ("framer_state", 0, {"state": "not base64!"}, "state"),
    ("raw", 0, {"headers": {"venue": "okx"}}, "headers"),
    ("print_or_milestone", 0, {"type": "tick"}, "type"),
    ("market_input", 0, {"type": "print"}, "type"),
]

BROKEN = [
    *(("cascade", *case) for case in WINDOWS),
    *(("print", *case) for case in PRINTS),
    *OTHERS,
]


@pytest.mark.parametrize(("schema", "number", "change", "words"), BROKEN)
def test_a_message_that_breaks_a_law_is_refused(
    schema: str, number: int, change: dict[str, Any], words: str
) -> None:
    assert words in refused(schema, {**example(schema, number), **change})


MEMBERS = [
    ("cells", {"max_usd": 2**62}, "max_usd"),
    ("cells", {"n": 0}, "n"),
    ("flows", {"open": 1.0}, "open and close"),
    ("books", {"bid_usd": [2, 1, None, None]}, "wider band"),
    ("books", {"ask_usd": [1, 2]}, "ask_usd"),
    ("late", {"second": SECOND + 1}, "second"),
]


@pytest.mark.parametrize(("member", "change", "words"), MEMBERS)
def test_a_frame_with_a_broken_member_is_refused(
    member: str, change: dict[str, Any], words: str
) -> None:
    frame = example("frame", 0)
    frame[member][0] |= change
    assert words in refused("frame", frame)


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("number", [0, 1])
def test_no_field_may_be_missing_or_foreign(schema: str, number: int) -> None:
    value = example(schema, number)
    assert "colour" in refused(schema, {**value, "colour": "red"})
    optional = {"v", "quiet", "taker_usd", "opposite_taker_usd"}
    optional |= {"channels", "assets", "through_us", "advance_us", "detail"}
    optional |= {"null_reasons", "macro", "asset", "at_us", "interest", "funding_8h", "spot"}
    optional |= {"trades", "bids", "asks", "spot", "buy_slip_bp", "sell_slip_bp"}
    optional |= {"volume_24h_usd"}
    state = {"framer_state", "dead_letter"}
    for name in value.keys() - (optional if schema not in state else set()):
        assert refused(schema, {key: old for key, old in value.items() if key != name})


RESULTS = schemas.examples("cascade") + schemas.examples("print_or_milestone")
SIGNALS = [
    value
    for name in ("regime_row", "signal", "zones", "health", "alert")
    for value in schemas.examples(name)
]


@pytest.mark.parametrize("value", [*RESULTS, *SIGNALS])
def test_a_result_is_validated_alike_as_bytes_and_as_struct(value: bytes) -> None:
    struct = decode_result(value)
    assert validate_result(value) == validate_result(struct) == validate_result(encode(struct))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_result_with_a_number_that_is_none_is_refused(bad: float) -> None:
    window = msgspec.structs.replace(decode_result(RESULTS[FINAL]), impact_bp=bad)
    with pytest.raises(ValidationError, match="impact_bp"):
        validate_result(window)


def test_a_validated_result_cannot_be_changed() -> None:
    row = validate_result(RESULTS[0])
    with pytest.raises(ValidationError, match="frozen"):
        row.revision = 2  # type: ignore[misc]


SILENT = [value for value in SIGNALS if json.loads(value)["null_reasons"]]


@pytest.mark.parametrize("value", SILENT)
def test_a_signal_that_hides_why_a_field_is_null_is_refused(value: bytes) -> None:
    row = {**json.loads(value), "null_reasons": {}}
    with pytest.raises(ValidationError, match="null without a reason"):
        validate_result(json.dumps(row).encode())
