"""Outside values: joined as-of receipt, carried by frames, rejected when they are none."""

import json

import pytest

from streams.core.events import MICROS, Raw
from streams.core.frames import Frame
from tests.drive import Framing
from tests.logs import BINANCE, ORIGIN, binance_forced, steady, us


def macro(second: float, *values: object) -> Raw:
    payload = json.dumps(values[0] if len(values) == 1 else values).encode()
    return Raw("macro", "macro", "macro/a", us(second), payload)


def value(series: str, number: object, **more: object) -> dict[str, object]:
    return {"series": series, "value": number, **more}


def framed(*records: Raw) -> tuple[list[Frame], Framing]:
    """Frames of a minute in which BTC and SOL have one forced order each at 10, 20 and 30 s."""
    orders = [binance_forced(at, asset).raw for at in (10, 20, 30) for asset in ("BTC", "SOL")]
    framing = Framing()
    log = [*records, *orders, *steady(BINANCE, 0, 60)]
    for raw in sorted(log, key=lambda raw: raw.received_at_us):
        framing.apply(raw, None)
    return framing.frames, framing


def known(frames: list[Frame], asset: str, second: int) -> dict[str, float]:
    (frame,) = [f for f in frames if f.asset == asset and f.second == (ORIGIN + second) * MICROS]
    return {entry.series: entry.value for entry in frame.macro}


def test_a_frame_carries_what_was_known_by_its_second() -> None:
    frames, _ = framed(
        macro(5, value("DXY", 104.0)),
        macro(19.5, value("DXY", 104.5), value("VIX", 20)),
        macro(31, value("VIX", 30)),
    )
    assert known(frames, "BTC", 10) == {"DXY": 104.0}
    assert known(frames, "BTC", 20) == {"DXY": 104.5, "VIX": 20}
    assert known(frames, "SOL", 30) == {"DXY": 104.5, "VIX": 20}


def test_a_value_of_one_asset_is_its_own_and_stands_before_the_market_s() -> None:
    frames, _ = framed(
        macro(1, value("market_cap", 2e12)), macro(2, value("market_cap", 1e11, asset="SOL"))
    )
    assert known(frames, "BTC", 10) == {"market_cap": 2e12}
    assert known(frames, "SOL", 10) == {"market_cap": 1e11}


def test_an_event_is_announced_with_its_time() -> None:
    at = us(7200)
    frames, _ = framed(macro(1, value("event:CPI", 1, at_us=at)))
    assert [(m.series, m.at_us) for m in frames[0].macro] == [("event:CPI", at)]


def test_quiet_frames_carry_none() -> None:
    frames, _ = framed(macro(1, value("DXY", 104.0)))
    assert any(frame.quiet for frame in frames)
    assert all(not frame.macro for frame in frames if frame.quiet)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"not json", "invalid_json"),
        (b"\xff", "invalid_utf8"),
        (b'{"series": "DXY"}', "missing_field"),
        (b'{"series": "DXY", "value": "104"}', "wrong_type"),
        (b'{"series": "", "value": 1}', "wrong_type"),
        (b'{"series": "DXY", "value": 1, "at_us": 5}', "time_out_of_range"),
        (b'{"series": "DXY", "value": 1e999}', "wrong_type"),
    ],
)
def test_what_is_no_value_is_dead_lettered_and_costs_its_neighbours_nothing(
    entry: bytes, reason: str
) -> None:
    bad = Raw("macro", "macro", "macro/a", us(2), entry)
    frames, framing = framed(bad, macro(3, value("DXY", 104.0)))
    assert [letter.reason for letter in framing.dead] == [reason]
    assert known(frames, "BTC", 10) == {"DXY": 104.0}
