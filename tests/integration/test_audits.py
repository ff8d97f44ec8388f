"""What the audits promise: a sound warehouse passes all, and each finds its planted fault."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner

from streams import contracts
from streams.cli import app
from streams.config import MarginquakeError
from streams.core.events import MICROS, LateLiquidation
from streams.core.frames import Frame
from streams.core.results import Health, Imbalance, Regime, RegimeResolution, RegimeTransition
from streams.edges import audits, rollups
from streams.edges.inserts import Inserter
from streams.edges.migrate import migrate
from streams.edges.query_catalogue import catalogue
from streams.edges.rows import TABLES, rows
from streams.edges.warehouse import connect
from tests.known_warehouse import (
    MILESTONES,
    MILLION,
    ONSET,
    STATUS,
    at,
    printed,
    reading,
    us,
    window,
)
from tests.rollup_facts import forced_order, framed

pytestmark = pytest.mark.warehouse

replace = msgspec.structs.replace
ALL_TIME = {"since": "1970-01-01", "until": "2106-01-01"}
UNKNOWN = dict.fromkeys(
    ("usd_estimated", "usd_upper", "impact_bp", "recovery_30m", "oi_share", "oi_change"), "test"
)

ORDER = forced_order(1, ONSET, 3 * MILLION)
_LATE = forced_order(3, ONSET + 5, 1 * MILLION, "okx")
LATE = LateLiquidation(_LATE.id, _LATE, _LATE.event_time_us + 9 * MICROS)
FRAME = framed(ONSET, 3 * MILLION, 60_000.0)
NEXT: Frame = replace(framed(ONSET + 1, 0, 60_000.0), prev=FRAME.second)
WINDOW = replace(
    window("w", ONSET, 10, 4 * MILLION),
    events=2,
    usd_low=5 * MILLION,
    usd_estimated=6 * MILLION,
    usd_high=7 * MILLION,
    usd_upper=9 * MILLION,
    usd_by_venue={"bybit": 3 * MILLION, "okx": 1 * MILLION},
    venues=("bybit", "okx"),
)
PRINT = replace(
    printed("p", 2, 4 * MILLION, usd_estimated=6 * MILLION, usd_upper=9 * MILLION),
    events=2,
    long_events=2,
    short_events=0,
    usd_by_venue={"bybit": 3 * MILLION, "okx": 1 * MILLION},
    null_reasons=dict.fromkeys(("percentile_365d", "oi_share", "max_hour_share"), "test"),
)
REGIME = reading(
    Regime,
    "r",
    ONSET,
    state="euphoria",
    p_accumulation=0.1,
    p_expansion=0.2,
    p_euphoria=0.6,
    p_liquidation=0.1,
)
HEALTH = reading(
    Health, "h", ONSET, health=60.0, band="x", contributions={"a": 30.0}, caps={"b": 10.0}
)
CHANGE = reading(RegimeTransition, "t", ONSET, to_state="liquidation")
NEXT_CHANGE = reading(
    RegimeTransition, "n", ONSET + 7, from_state="liquidation", to_state="accumulation"
)
CROSSED = MILESTONES[0]
OUTCOME = reading(RegimeResolution, "o", ONSET + 9, transition_id="t")
SHARE = reading(Imbalance, "i", ONSET, window_s=3_600, long_share=0.9)

SOUND: dict[str, contracts.Message] = {
    "order": ORDER,
    "late": LATE,
    "frame": FRAME,
    "next": NEXT,
    "window": WINDOW,
    "print": PRINT,
    "regime": REGIME,
    "health": HEALTH,
    "change": CHANGE,
    "next_change": NEXT_CHANGE,
    "crossed": CROSSED,
    "outcome": OUTCOME,
    "share": SHARE,
    **{one.id: one for one in STATUS},
}

FAULTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "prints-by-venue": ({"print": replace(PRINT, usd_by_venue={"bybit": 1})}, set()),
    "prints-by-side": ({"print": replace(PRINT, short_usd=1)}, set()),
    "prints-bounds": ({"print": replace(PRINT, usd_upper=5 * MILLION)}, set()),
    "prints-equal-orders": ({"print": replace(PRINT, events=3, long_events=3)}, set()),
    "windows-by-venue": ({"window": replace(WINDOW, usd_by_venue={"bybit": 1})}, set()),
    "windows-bounds": ({"window": replace(WINDOW, usd_high=5 * MILLION)}, set()),
    "windows-equal-orders": ({"window": replace(WINDOW, events=3)}, set()),
    "windows-times": ({"window": replace(WINDOW, closed_at=us(ONSET + 9))}, set()),
    "windows-parents": ({"window": replace(WINDOW, parent_id="nowhere")}, set()),
    "final-is-last": ({"again": replace(WINDOW, revision=WINDOW.revision + 1)}, set()),
    "ids-once": (
        {"again": replace(REGIME, at=us(ONSET + 60), watermark=us(ONSET + 60))},
        set(),
    ),
    "revisions-equal": ({"again": replace(WINDOW, watermark=us(ONSET + 9_999))}, set()),
    "frames-chain": ({"next": replace(NEXT, prev=us(ONSET - 5))}, set()),
    "frames-equal-orders": ({"frame": framed(ONSET, 2 * MILLION, 60_000.0)}, set()),
    "frames-partition": ({"next": replace(NEXT, partition=7)}, set()),
    "late-or-in-time": ({"again": _LATE}, {"frames-equal-orders"}),
    "orders-times": (
        {"order": replace(ORDER, received_at_us=ORDER.event_time_us - 61 * MICROS)},
        set(),
    ),
    "orders-sides": ({"order": replace(ORDER, order_side="buy")}, set()),
    "nulls-with-reasons": ({"window": replace(WINDOW, oi_share=None)}, set()),
    "shares-in-range": ({"share": replace(SHARE, long_share=1.1)}, set()),
    "regimes-add-up": ({"regime": replace(REGIME, p_euphoria=0.5)}, set()),
    "health-adds-up": ({"health": replace(HEALTH, caps={})}, set()),
    "changes-chain": ({"next_change": replace(NEXT_CHANGE, from_state="euphoria")}, set()),
    "milestones-crossed": ({"crossed": replace(CROSSED, usd_observed=1)}, set()),
    "resolutions-have-changes": ({"outcome": replace(OUTCOME, transition_id="none")}, set()),
    "signals-not-foreseen": ({"health": replace(HEALTH, at=us(ONSET + 1))}, set()),
    "feeds-alternate": (
        {"again": replace(STATUS[0], id="s9", at_us=us(at(2, 1)))},
        set(),
    ),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, str]]:
    folder = tmp_path_factory.mktemp("audits")
    dsn = f"chdb://{folder / 'store'}?database=marginquake"
    with connect(dsn, create=True) as client:
        migrate(client)
        yield client, dsn


def fill(client: Client, messages: dict[str, contracts.Message]) -> None:
    for table in (*TABLES, "rollup_hours", *(one.table for one in rollups.ROLLUPS)):
        client.command(f"TRUNCATE TABLE {table}")
    inserter = Inserter(client)
    pairs = [pair for message in messages.values() for pair in rows(message)]
    for table in TABLES:
        assert inserter.insert(table, [row for name, row in pairs if name == table]) == []


def broken(client: Client) -> dict[str, audits.Finding]:
    found = audits.run(client, catalogue("audits").values(), ALL_TIME, samples=3)
    return {one.name: one for one in found if one.rows}


def test_a_sound_warehouse_breaks_no_rule(store: tuple[Client, str]) -> None:
    client, _ = store
    fill(client, SOUND)
    rollups.bring_up(client)
    assert broken(client) == {}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_an_audit_finds_the_fault_planted_for_it(store: tuple[Client, str], name: str) -> None:
    client, _ = store
    changes, along = FAULTS[name]
    fill(client, SOUND | changes)
    found = broken(client)
    assert found.keys() == {name} | along
    assert found[name].rows >= 1
    assert json.loads(found[name].samples[0])
    bounds = ALL_TIME | {"until": "2026-11-02"}
    audit = catalogue("audits")[name]
    (before,) = audits.run(client, [audit], bounds, samples=1)
    assert before.rows == 0


def test_a_stored_hour_that_differs_from_its_orders_is_found(store: tuple[Client, str]) -> None:
    client, _ = store
    fill(client, SOUND)
    rollups.bring_up(client)
    client.command("ALTER TABLE liquidations DELETE WHERE 1 SETTINGS mutations_sync = 2")
    assert "rollups-equal-orders" in broken(client)


def test_every_audit_has_its_fault() -> None:
    assert catalogue("audits").keys() == FAULTS.keys() | {"rollups-equal-orders"}
    assert all(one.about.endswith(".") for one in catalogue("audits").values())


def test_the_command_names_the_rule_and_fails(
    store: tuple[Client, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, dsn = store
    monkeypatch.setenv("CLICKHOUSE_DSN", dsn)
    fill(client, SOUND)
    sound = CliRunner().invoke(app, ["audit"])
    assert sound.exit_code == 0
    assert sound.output.count(": holds") == len(catalogue("audits"))
    fill(client, SOUND | {"health": replace(HEALTH, caps={})})
    failed = CliRunner().invoke(app, ["audit", "health-adds-up"])
    assert isinstance(failed.exception, MarginquakeError)
    assert "1 of 1 audits found rows: health-adds-up" in str(failed.exception)
    assert '"id": "h"' in failed.output
    told = CliRunner().invoke(app, ["audit", "--json", "regimes-add-up"])
    assert json.loads(told.output) == [
        {
            "audit": "regimes-add-up",
            "rule": catalogue("audits")["regimes-add-up"].about,
            "rows": 0,
            "samples": [],
        }
    ]


def test_a_bound_within_a_day_does_not_break_the_print_of_that_day(
    store: tuple[Client, str],
) -> None:
    client, _ = store
    fill(client, SOUND)
    audit = catalogue("audits")["prints-equal-orders"]
    bounds = ALL_TIME | {"until": "2026-11-02T05:00"}
    (found,) = audits.run(client, [audit], bounds, samples=1)
    assert found.rows == 0


@pytest.mark.parametrize("table", sorted(set(TABLES) - {"frames"}))
def test_a_copy_under_another_time_is_found_in_every_table_of_ids(table: str) -> None:
    assert f"'{table}' AS kind" in catalogue("audits")["ids-once"].sql
