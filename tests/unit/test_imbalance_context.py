"""Dominant sides, their labels, and the stored state of imbalance."""

import json

import msgspec
import pytest

from streams.core.detectors.imbalance.context import Context, label_of
from streams.core.detectors.minutes import Forced
from streams.core.events import PositionSide
from streams.core.results import Imbalance
from tests.imbalance_scope import BYBIT, PARAMS, Scope, forced


def dominant_minute(scope: Scope, at: int, side: PositionSide, price: float) -> Imbalance:
    scope.minute(at, forced(side, 500_000.0, 50), price=price, coins=90.0, funding=0.0)
    return scope.last(300)


def test_a_dominant_side_needs_share_significance_and_an_observed_window() -> None:
    scope = Scope()
    scope.quiet(0, 60)
    scope.minute(60, forced("long", 500_000.0, 50))
    assert scope.last(300).dominant == "long"
    assert scope.last(300).null_reasons["label"] == "funding_history_below_30_days" or (
        scope.last(300).null_reasons["label"] == "no_funding"
    )
    few = Scope()
    few.quiet(0, 60)
    few.minute(60, forced("long", 500_000.0, 5))
    assert (few.last(300).dominant, few.last(300).label) == (None, "two_sided")
    blind = Scope()
    blind.minute(60, forced("long", 500_000.0, 50))
    assert blind.last(300).dominant is None
    assert blind.last(300).null_reasons["dominant"] == "coverage_below_0.6"


def test_forced_longs_after_crowded_funding_in_a_falling_market_unwind_euphoria() -> None:
    scope = Scope()
    for at in range(0, 32 * 1440, 15):
        # Funding falls for a month and jumps on the last days; open interest grows throughout.
        days = at / 1440
        funding = 0.0010 if days > 30 else 0.0003 - days * 0.000005
        scope.minute(at, price=100.0, coins=50.0 + days, funding=funding)
        scope.minute(at + 14, price=100.0, coins=50.0 + days, funding=funding)
    for at in range(32 * 1440, 32 * 1440 + 10):
        scope.minute(at, price=100.0, coins=82.0, funding=0.0010)
    row = dominant_minute(scope, 32 * 1440 + 10, "long", 97.0)
    assert row.label == "euphoria_unwind"
    assert row.price_change == pytest.approx(-0.03)
    assert row.oi_change == pytest.approx(90 / 82 - 1)
    assert row.oi_change_7d is not None and row.oi_change_7d > 0
    assert row.funding_percentile is not None and row.funding_percentile > 0.9
    for at in range(32 * 1440 + 11, 32 * 1440 + 30):
        scope.minute(at, price=100.0, coins=90.0, funding=0.0010)
    row = dominant_minute(scope, 32 * 1440 + 30, "short", 99.0)
    assert (row.dominant, row.label) == ("short", None)


@pytest.mark.parametrize(
    ("side", "context", "label", "reason"),
    [
        ("long", Context(-0.1, 0.9, None, 0.1), "euphoria_unwind", None),
        ("long", Context(-0.1, 0.9, None, -0.1), None, "no_label_fits"),
        ("long", Context(-0.1, 0.9, None, None), None, "no_open_interest"),
        ("long", Context(None, 0.1, None, None), "dip_buyers_flushed", None),
        ("long", Context(-0.1, None, None, 0.1), None, "no_funding"),
        ("short", Context(0.1, 0.1, 0.1, None), "crowded_bears_squeeze", None),
        ("short", Context(0.1, 0.5, -0.1, None), "short_covering_rally", None),
        ("short", Context(0.1, 0.5, 0.1, None), None, "no_label_fits"),
        ("short", Context(-0.1, 0.1, -0.1, None), None, "no_label_fits"),
        ("short", Context(None, 0.1, -0.1, None), None, "no_price"),
    ],
)
def test_a_label_follows_from_its_context_or_names_what_is_missing(
    side: PositionSide, context: Context, label: str | None, reason: str | None
) -> None:
    names = ("no_price", "no_funding", "no_open_interest", "no_open_interest")
    reasons = {
        field: why
        for field, value, why in zip(Context._fields, context, names, strict=True)
        if value is None
    }
    assert label_of(side, context, PARAMS, reasons) == label
    assert reasons.get("label") == reason


def test_a_restart_after_any_minute_changes_nothing() -> None:
    one, other = Scope(), Scope()
    for at in [*range(130), *range(500, 520), *range(1430, 1460)]:
        orders = (forced("long" if at % 7 else "short", 10.0 + at, 2),) if at % 3 else ()
        for scope in (one, other):
            scope.minute(at, *orders, price=100.0 + at % 5, coins=9.0 + at % 4, funding=1e-4)
        other.restart()
        if at % 40 == 0:
            one.late(at * 60 + 90, of=at * 60 - 400)
            other.late(at * 60 + 90, of=at * 60 - 400)
            other.restart()
    assert [msgspec.json.encode(row) for row in one.rows] == [
        msgspec.json.encode(row) for row in other.rows
    ]
    assert len(one.rows) > 300


def test_a_part_keeps_its_version_while_its_content_stands() -> None:
    scope = Scope()
    seen: dict[tuple[str, int], bytes] = {}
    for at in range(130):
        scope.minute(at, *((forced(),) if at % 11 == 0 else ()), price=1.0, coins=1.0, funding=0.0)
        if at % 13 == 0:
            scope.late(at * 60 + 60, of=at * 60 - 200)
        for part in scope.detector.parts():
            assert seen.setdefault((part.name, part.version), part.encode()) == part.encode()


def test_extremes_stay_finite() -> None:
    scope = Scope()
    for at, usd in enumerate((1e-6, 9e12, 0.0, 1e-6)):
        order = Forced(BYBIT, "short", 1, round(usd * 1e6), usd**2, round(usd * 1e6), 0, "ok")
        corrected = msgspec.structs.replace(order, usd_estimated=order.usd)
        level = 1e9 if at % 2 else 1e-9
        for row in scope.minute(at, corrected, price=level, coins=level, funding=level):
            json.dumps(msgspec.to_builtins(row), allow_nan=False)
