"""What the named questions answer from three known days (tests/known_warehouse.py), by hand."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from streams.edges import rollups
from streams.edges.inserts import Inserter
from streams.edges.migrate import migrate
from streams.edges.query_catalogue import catalogue, find
from streams.edges.rows import TABLES, rows
from streams.edges.warehouse import ask, connect
from tests.known_warehouse import MESSAGES, OF_EXAMPLES

pytestmark = pytest.mark.warehouse

M = 1_000_000


def bp(now: float, then: float) -> float:
    return 10_000 * math.log(now / then)


CASES: tuple[tuple[str, dict[str, str], list[dict[str, Any]]], ...] = (
    (
        "largest-cascades",
        {"rows": "2"},
        [
            {"id": "c1", "usd_observed": 40 * M, "usd_estimated": 60 * M, "usd_upper": 90 * M},
            {"id": "c2", "usd_observed": 10 * M, "usd_estimated": None, "usd_upper": None},
        ],
    ),
    ("largest-cascades", {"scope": "ETH"}, [{"id": "c3", "class": "burst"}]),
    ("largest-cascades", {"since": "2026-11-02T10:00:01Z", "until": "2026-11-03"}, [{"id": "c2"}]),
    (
        "cascades-by-regime",
        {},
        [
            {"regime_before": "euphoria", "windows": 1, "total_usd": 40 * M},
            {"regime_before": "liquidation", "windows": 1, "median_impact_bp": -50},
            {"regime_before": "unknown", "class": "burst", "total_usd": 2 * M},
        ],
    ),
    (
        "price-after",
        {},
        [
            {"id": "c2", "price_end": None, "after_60m_bp": None},
            {
                "id": "c1",
                "price_of": "BTC",
                "price_end": 59_000,
                "after_5m_bp": bp(59_590, 59_000),
                "after_15m_bp": bp(59_295, 59_000),
                "after_60m_bp": bp(58_410, 59_000),
            },
        ],
    ),
    (
        "imbalance-before-reversals",
        {"scope": "BTC"},
        [{"id": "c1", "recovery_30m": 0.6, "long_share_1h": 0.9, "imbalance_z_1h": 4}],
    ),
    (
        "venue-share",
        {},
        [
            {"venue": "bybit", "forced_usd": 10 * M, "share": 10 / 17, "short_usd": 4 * M},
            {"venue": "okx", "forced_usd": 7 * M, "share": 7 / 17, "forced_orders": 3},
        ],
    ),
    (
        "observed-estimated",
        {},
        [
            {"day": "2026-11-03", "usd_observed": 20 * M, "estimated_over_observed": None},
            {"day": "2026-11-02", "usd_estimated": 75 * M, "estimated_over_observed": 1.5},
        ],
    ),
    (
        "regime-time",
        {},
        [
            {"phase": "liquidation", "hours": 3, "share": 0.6},
            {"phase": "euphoria", "hours": 2, "share": 0.4},
            {"phase": "accumulation", "hours": 0, "share": 0},
        ],
    ),
    (
        "regime-time",
        {"since": "2026-11-02T09:30", "until": "2026-11-02T10:30"},
        [{"phase": "euphoria", "hours": 0.5}, {"phase": "liquidation", "hours": 0.5, "share": 0.5}],
    ),
    (
        "health-at-drawdowns",
        {},
        [
            {"hour": "2026-11-02 12:00:00", "fall_bp": bp(57, 58), "health_before": 5},
            {"hour": "2026-11-02 10:00:00", "fall_bp": bp(59, 60), "health_before": 35.5},
        ],
    ),
    (
        "alert-precision",
        {},
        [
            {
                "kind": "squeeze_risk",
                "alerts": 3,
                "followed_by_a_cascade": 2,
                "not_decided_yet": 0,
                "precision": 2 / 3,
                "median_lead_s": 2_701,
            },
            {"kind": "cascade_alert", "precision": 1, "median_lead_s": 11},
        ],
    ),
    (
        "alert-precision",
        {"hours": "48"},
        [{"not_decided_yet": 1, "precision": 1}, {"not_decided_yet": 0, "precision": 1}],
    ),
    (
        "feed-uptime",
        {},
        [
            {"venue": "okx", "up_share": 10 / 33, "up_hours": 10, "times_down": 1},
            {"venue": "bybit", "up_share": 31 / 33, "up_hours": 31, "times_down": 1},
        ],
    ),
    ("largest-orders", {"rows": "2"}, [{"usd": 5 * M, "venue": "okx"}, {"usd": 4 * M}]),
    (
        "hour-of-week",
        {"asset": "BTC"},
        [
            {"weekday": 1, "hour_of_day": 10, "forced_usd": 15 * M, "mean_usd": 15 * M},
            {"weekday": 1, "hour_of_day": 11, "forced_orders": 1},
            {"weekday": 1, "hour_of_day": 12, "forced_orders": 0, "mean_usd": 0},
        ],
    ),
    (
        "long-short-by-day",
        {},
        [
            {"day": "2026-11-03", "short_usd": 1 * M, "long_share": 0},
            {"day": "2026-11-02", "long_usd": 12 * M, "short_usd": 4 * M, "long_share": 0.75},
        ],
    ),
    ("milestones", {}, [{"threshold_usd": 500 * M}, {"threshold_usd": 400 * M}]),
    ("late-events", {}, [{"venue": "okx", "late_usd": 1 * M, "worst_delay_ms": 40}]),
    (
        "dead-letters",
        {},
        [{"reason": "unknown_instrument", "records": 2, "last_detail": "second"}],
    ),
    (
        "coverage",
        {},
        [
            {"asset": "BTC", "seconds_told": 7, "complete_share": 5 / 7, "lowest_coverage": 0.5},
            {"asset": "ETH", "seconds_told": 1, "complete_share": 1},
        ],
    ),
    (
        "leaders",
        {},
        [
            {"led_by": "bybit", "windows": 1, "share": 0.5},
            {"led_by": "within the clocks' doubt", "windows": 1, "total_usd": 10 * M},
        ],
    ),
    (
        "funding-before-cascades",
        {},
        [
            {"id": "c1", "funding_annualised": 0.9, "funding_8h": 0.0008},
            {"id": "c2", "funding_annualised": -0.2, "funding_dispersion_8h": None},
        ],
    ),
    (
        "depth-before-cascades",
        {},
        [
            {"id": "c2", "depth_ratio": 0.1, "liquidity_state": "vacuum", "bid_10bp_usd": None},
            {"id": "c1", "depth_ratio": 0.4, "bid_10bp_usd": 1 * M, "ask_10bp_usd": 2 * M},
        ],
    ),
    (
        "open-interest-drops",
        {},
        [
            {"id": "c1", "oi_change": -0.03, "oi_usd_before": 4_000 * M},
            {"id": "c2", "oi_change": -0.01, "quadrant_before": "long_flush"},
        ],
    ),
    (
        "zones-hit",
        {},
        [
            {"id": "c1", "zones_hit": 1, "mapped_usd": 30 * M, "map_hidden": False},
            {"id": "c2", "zones_hit": 1, "mapped_usd": 8 * M},
        ],
    ),
    (
        "dominance-at-cascades",
        {},
        [
            {"led_by": "derivatives_led", "windows": 1, "median_ratio": 5},
            {"led_by": "spot_led", "windows": 1, "median_ratio": 1},
            {"led_by": "unknown", "windows": 1, "median_ratio": None},
        ],
    ),
    ("print-percentiles", {}, [{"percentile": 0.98, "highest_usd": 57 * M}]),
    (
        "biggest-days",
        {},
        [
            {"day": "2026-11-04", "usd_observed": 90 * M, "is_final": False},
            {"day": "2026-11-02", "usd_observed": 50 * M, "is_final": True},
            {"day": "2026-11-03", "usd_observed": 20 * M, "is_final": True},
        ],
    ),
    (
        "cascade-durations",
        {},
        [
            {"class": "burst", "windows": 1, "median_s": 50},
            {
                "class": "cascade",
                "p10_s": 120.0,
                "median_s": 200.0,
                "p90_s": 280.0,
                "longest_s": 300,
            },
        ],
    ),
    (
        "retracement",
        {},
        [
            {"how_severe": "major", "median_share": 0.6, "fully_back": 0},
            {"how_severe": "minor", "median_share": 0.2},
            {"side": "short", "how_severe": "unknown", "fully_back": 1},
        ],
    ),
    (
        "interest-liquidated",
        {},
        [{"id": "c1", "oi_share": 0.01}, {"id": "c2", "oi_share": 0.002, "oi_usd_before": 1 * M}],
    ),
    (
        "venue-observed-estimated",
        {},
        [
            {
                "venue": "bybit",
                "days": 2,
                "total_observed": 40 * M,
                "total_estimated": 45 * M,
                "estimated_over_observed": 1.125,
            },
            {"venue": "okx", "days_not_estimated": 1, "estimated_over_observed": None},
        ],
    ),
    ("aftershocks", {}, [{"id": "c2", "main_id": "c1", "after_s": 7_200, "size_ratio": 0.25}]),
    (
        "worst-minutes",
        {"rows": "2"},
        [
            {"minute": "2026-11-02 10:00:00", "forced_usd": 8 * M, "venues": 2, "assets": 1},
            {"minute": "2026-11-02 10:01:00", "forced_usd": 4 * M, "short_usd": 4 * M},
        ],
    ),
    ("cascade-orders", {"id": "c1"}, [{"usd": 3 * M}, {"usd": 5 * M}, {"usd": 2 * M}]),
    ("regime-outcomes", {}, [{"led_to": "consolidation", "changes": 1, "median_move_bp": 0}]),
    (
        "impact-per-million",
        {},
        [
            {"scope": "ETH", "median_bp_per_million": 15},
            {"scope": "BTC", "windows": 2, "median_bp_per_million": 5, "total_usd": 50 * M},
        ],
    ),
    (
        "forced-share",
        {"rows": "3"},
        [{"hour": "2026-11-02 10:00:00", "forced_usd": 10 * M, "traded_usd": 23 * M + 4e-6}],
    ),
    ("deleveraging", {}, [{"venue": "okx", "closed": 1, "closed_usd": 7 * M, "short_usd": 7 * M}]),
    (
        "price-and-forced",
        {},
        [
            {"hour": "2026-11-02 12:00:00", "open": 58_000, "low": 57_000, "complete_share": 0},
            {"hour": "2026-11-02 11:00:00", "close": 58_410},
            {"hour": "2026-11-02 10:00:00", "open": 60_000, "low": 59_000, "close": 59_295},
        ],
    ),
    ("forced-volatility", {}, [{"forced": 0.7, "realised_z": 3}, {"forced": 0.1}]),
)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("known")
    with connect(f"chdb://{folder / 'store'}?database=marginquake", create=True) as client:
        migrate(client)
        inserter = Inserter(client)
        pairs = [pair for message in MESSAGES for pair in rows(message)]
        for table in TABLES:
            assert inserter.insert(table, [row for name, row in pairs if name == table]) == []
        rollups.bring_up(client)
        yield client


def answer(client: Client, name: str, given: dict[str, str]) -> list[dict[str, Any]]:
    query = find(name)
    lines = ask(client, query.sql, "JSONEachRow", query.bind(given)).splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(("name", "given", "expected"), CASES, ids=lambda case: str(case)[:40])
def test_a_question_is_answered_as_by_hand(
    known: Client, name: str, given: dict[str, str], expected: list[dict[str, Any]]
) -> None:
    found = answer(known, name, given)
    assert len(found) == len(expected), found
    for row, wanted in zip(found, expected, strict=True):
        told = {field: row[field] for field in wanted}
        assert told == {
            field: pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
            for field, value in wanted.items()
        }


def test_every_question_is_tried_on_known_days_or_on_the_examples() -> None:
    tried = {name for name, _, _ in CASES}
    assert tried.isdisjoint(OF_EXAMPLES)
    assert catalogue().keys() == tried | OF_EXAMPLES


def test_what_was_known_before_a_window_is_older_than_its_onset(known: Client) -> None:
    found = known.query("SELECT * FROM v_cascade_context ORDER BY id")
    times = [name for name in found.column_names if name.endswith("_known_at")]
    assert len(times) == 8
    for row in found.named_results():
        for name in times:
            assert row[name] is None or row[name] < row["onset"], name
    first = next(iter(found.named_results()))
    assert first["regime"] == "euphoria"
    assert first["oi_usd"] == 4_000 * M
    assert first["health"] == 35.5
    assert first["long_share_1h"] == 0.9
    assert first["volatility_1h"] == 0.5
    assert first["dominance_state"] == "derivatives_led"
    assert first["liquidity_state"] == "thin"
    assert first["funding_annualised"] == 0.9


def test_a_reading_at_the_onset_itself_is_not_known_before_it(known: Client) -> None:
    (row,) = known.query(
        "SELECT regime, depth_ratio FROM v_cascade_context WHERE id = 'c1'"
    ).result_rows
    assert row == ("euphoria", 0.4)
    (nothing,) = known.query(
        "SELECT regime, regime_known_at, oi_usd FROM v_cascade_context WHERE id = 'c3'"
    ).result_rows
    assert nothing == (None, None, None)
