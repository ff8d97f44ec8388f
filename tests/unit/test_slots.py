"""What a second of frames says of each throttle slot, and what frames say of taker volume."""

from typing import Literal

import pytest

from streams.core.buckets import Bucket, cells
from streams.core.events import MICROS, Completeness, Liquidation, PositionSide, Trade
from streams.core.frames import Cell, LateCell
from streams.core.slots import Slots, estimate_slots, slot_seconds, tally_late, tally_slots
from streams.core.throttle import SideEstimate, ThrottleParams

AT = 1_788_220_800
"""2026-09-01 00:00 UTC."""
PARAMS = ThrottleParams()


def cell(
    venue: str,
    side: PositionSide = "long",
    usd: int = 10,
    taker: int | None = 100,
    opposite: int | None = 40,
    completeness: Completeness = "sampled",
    kind: Literal["liquidation", "backstop", "adl"] = "liquidation",
) -> Cell:
    return Cell(venue, "BTCUSDT", side, kind, completeness, 1, usd, usd, taker, opposite)


def bounds(*members: Cell) -> list[tuple[int | None, int | None]]:
    return [(one.long_upper, one.short_upper) for _, one in slot_seconds(members, AT)]


def test_one_published_side_of_a_shared_slot_bounds_both() -> None:
    assert bounds(cell("binance-usdm")) == [(100, 40)]
    assert bounds(cell("binance-usdm", "short")) == [(40, 100)]


def test_a_slot_of_one_side_bounds_that_side_alone() -> None:
    assert bounds(cell("bitget")) == [(100, 0)]
    assert bounds(cell("bitget", "short"), cell("bitget")) == [(100, 0), (0, 100)]


def test_a_full_feed_is_its_own_bound_and_a_partial_one_has_none() -> None:
    assert bounds(cell("bybit", taker=None, opposite=None)) == [(10, 0)]
    assert bounds(cell("okx")) == [(None, None)]


def test_a_venue_outside_the_table_is_full_only_if_every_order_says_so() -> None:
    assert bounds(cell("elsewhere", completeness="all")) == [(10, 0)]
    mixed = [cell("elsewhere", completeness="all"), cell("elsewhere", "short")]
    assert bounds(*mixed) == [(None, None)]


def test_a_bound_is_at_least_the_published_dollars_of_all_kinds() -> None:
    pair = [cell("binance-usdm", usd=70), cell("binance-usdm", usd=60, kind="backstop")]
    assert bounds(*pair) == [(130, 40)]


def test_unknown_trades_leave_the_slot_without_a_bound() -> None:
    assert bounds(cell("binance-usdm", taker=None, opposite=None)) == [(None, None)]
    assert bounds(cell("binance-usdm", opposite=None)) == [(100, None)]


def test_deleveraged_positions_are_in_no_slot() -> None:
    assert bounds(cell("binance-usdm", kind="adl")) == []


def test_seconds_add_up_until_one_is_unknown() -> None:
    slots: Slots = {}
    tally_slots(slots, (cell("binance-usdm"),), AT)
    tally_slots(slots, (cell("binance-usdm", "short"),), AT + 1)
    assert estimate_slots(slots, 60, AT, PARAMS) == SideEstimate(10, 10, 140, 140, "ok")
    tally_slots(slots, (cell("binance-usdm", opposite=None),), AT + 2)
    assert estimate_slots(slots, 60, AT, PARAMS) == SideEstimate(20, 10, 240, None, "ok")


@pytest.mark.parametrize(
    ("venue", "expected"),
    [
        ("bybit", SideEstimate(7, 0, 7, 0, "ok")),
        ("binance-usdm", SideEstimate(7, 0, None, None, "ok")),
        ("bitget", SideEstimate(7, 0, None, 0, "ok")),
        ("okx", SideEstimate(7, 0, None, None, "unknown")),
        ("elsewhere", SideEstimate(7, 0, None, None, "unknown")),
    ],
)
def test_a_late_order_adds_its_dollars_and_a_second_that_nothing_bounds(
    venue: str, expected: SideEstimate
) -> None:
    slots: Slots = {}
    tally_late(slots, LateCell(AT * MICROS, venue, "BTCUSDT", "long", "liquidation", 1, 7))
    assert estimate_slots(slots, 60, AT, PARAMS) == expected


def forced(side: PositionSide) -> Liquidation:
    return Liquidation(
        id=f"forced-{side}",
        venue="binance-usdm",
        symbol="BTCUSDT",
        asset="BTC",
        contract="linear",
        kind="liquidation",
        position_side=side,
        order_side="sell" if side == "long" else "buy",
        price=1.0,
        price_kind="bankruptcy",
        base_qty=1.0,
        usd=10,
        completeness="sampled",
        event_time_us=AT * MICROS,
        received_at_us=AT * MICROS,
    )


def bucket_of(*, trades: bool) -> Bucket:
    bucket = Bucket()
    bucket.add_liquidation(forced("long"))
    bucket.add_liquidation(forced("short"))
    for taker, usd in (("buy", 40), ("sell", 100)) if trades else ():
        bucket.add_trade(
            Trade(
                id=f"1{usd}",
                venue="binance-usdm",
                symbol="BTCUSDT",
                asset="BTC",
                contract="linear",
                taker_side="buy" if taker == "buy" else "sell",
                price=1.0,
                base_qty=1.0,
                usd=usd,
                event_time_us=AT * MICROS,
                received_at_us=AT * MICROS,
            ),
            numbered=True,
        )
    return bucket


def taker_volumes(bucket: Bucket, *channels: str) -> list[tuple[int | None, int | None]]:
    return [(one.taker_usd, one.opposite_taker_usd) for one in cells(bucket, channels)]


def test_a_cell_states_the_taker_volume_of_its_own_side_first() -> None:
    assert taker_volumes(bucket_of(trades=True), "binance-usdm/trade") == [(100, 40), (40, 100)]


def test_taker_volume_is_unknown_without_healthy_trades_or_any_trade_of_the_symbol() -> None:
    unknown = [(None, None), (None, None)]
    assert taker_volumes(bucket_of(trades=True), "binance-usdm/liquidation") == unknown
    assert taker_volumes(bucket_of(trades=False), "binance-usdm/trade") == unknown
