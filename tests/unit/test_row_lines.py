"""Every message has a readable line, and it says what the message says."""

from importlib.resources import files
from typing import Any

import msgspec
import pytest

from streams import contracts
from streams.edges.row_lines import row_line
from streams.edges.tail import readable_topics

KINDS = {
    "alert": contracts.ALERTS,
    "cascade": contracts.CASCADES,
    "conditions": contracts.SIGNALS,
    "contribution": contracts.MARKET_INPUTS,
    "dead_letter": contracts.DEADLETTERS,
    "dominance": contracts.SIGNALS,
    "feed_status": contracts.FEEDS,
    "frame": contracts.FRAMES,
    "funding": contracts.SIGNALS,
    "health": contracts.HEALTH,
    "imbalance": contracts.SIGNALS,
    "late": contracts.LATE,
    "liquidation": contracts.LIQUIDATIONS,
    "liquidity": contracts.SIGNALS,
    "milestone": contracts.PRINTS,
    "positioning": contracts.SIGNALS,
    "print": contracts.PRINTS,
    "regime": contracts.REGIMES,
    "regime_resolution": contracts.REGIMES,
    "regime_transition": contracts.REGIMES,
    "tick": contracts.MARKET_INPUTS,
    "volatility": contracts.SIGNALS,
    "zones": contracts.ZONES,
}
"""Topic of each kind of example that stands on a topic as JSON of ours."""

EXAMPLES = [
    (kind, entry.name.removesuffix(".json"), entry.read_bytes())
    for kind in KINDS
    for entry in sorted(
        files("schemas").joinpath("examples", kind).iterdir(), key=lambda one: one.name
    )
]


def said(kind: str, name: str, **changes: Any) -> str:
    (value,) = [text for of, called, text in EXAMPLES if (of, called) == (kind, name)]
    message = contracts.decode(KINDS[kind], value)
    return row_line(msgspec.structs.replace(message, **changes)).text()


def test_every_readable_topic_has_an_example_here() -> None:
    assert set(KINDS.values()) == set(readable_topics().values())


@pytest.mark.parametrize(
    ("kind", "value"), [(k, v) for k, _, v in EXAMPLES], ids=[f"{k}-{n}" for k, n, _ in EXAMPLES]
)
def test_a_line_is_one_line_with_time_and_scope(kind: str, value: bytes) -> None:
    message = contracts.decode(KINDS[kind], value)
    text = row_line(message).text()
    assert text.isprintable()
    assert text[:2] == "20" or (kind == "dead_letter" and b'"received_at_us": 0,' in value)
    key = contracts.key_of(message).decode()
    if kind == "tick":
        key = f"p{key}"
    assert kind == "dead_letter" or f" {key} " in text
    assert "None" not in text


def test_a_window_tells_side_dollars_impact_and_whether_it_is_final() -> None:
    text = said("cascade", "final-major-cascade")
    assert text == (
        "2026-11-02 11:59:25  BTC    cascade    long cascade, end: $53.7M observed, "
        "$88.4M estimated, -167 bp, 742 orders, severity major, confidence 0.94  final"
    )


def test_a_revision_and_an_unknown_estimate_are_told_as_such() -> None:
    text = said(
        "cascade", "final-major-cascade", is_final=False, usd_estimated=None, impact_bp=None
    )
    assert text.endswith("  r19")
    assert "- estimated, -, 742 orders" in text


def test_control_characters_of_a_payload_do_not_reach_the_terminal() -> None:
    text = said("dead_letter", "invalid-json", detail="a\x1b[31m\nb")
    assert "a\\x1b[31m\\nb" in text
