"""What the limits promise: rows go by event time, rollups stay, and nothing goes unasked."""

import pytest
from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError
from streams.edges import retention, rollups
from streams.edges.inserts import Inserter
from streams.edges.migrate import migrate
from streams.edges.rows import LIQUIDATIONS, rows
from tests.rollup_facts import forced_order

pytestmark = pytest.mark.warehouse

TWENTY_YEARS_S = 20 * 365 * 86_400


def orders(client: Client, view: str) -> int:
    return int(str(client.command(f"SELECT sum(orders) FROM {view}")))  # noqa: S608


def test_old_orders_go_and_their_stored_hours_stay(
    warehouse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = forced_order(1, -16 * 365 * 86_400, 1), forced_order(3, TWENTY_YEARS_S, 1)
    inserter = Inserter(warehouse)
    for one in (old, new):
        assert inserter.insert(LIQUIDATIONS, [row for _, row in rows(one)]) == []
    rollups.bring_up(warehouse)
    monkeypatch.setenv(retention.VARIABLE, "liquidations=90d")
    migrate(warehouse)
    warehouse.command("ALTER TABLE liquidations MATERIALIZE TTL SETTINGS mutations_sync = 2")
    warehouse.command("OPTIMIZE TABLE liquidations FINAL")
    assert warehouse.command("SELECT count() FROM v_liquidations") == 1
    assert orders(warehouse, "v_liquidations_1h") == 2
    assert orders(warehouse, "v_liquidations_1m") == 2


def test_limits_are_set_changed_and_taken_back(warehouse: Client) -> None:
    def of_frames() -> bool:
        text = "SELECT engine_full LIKE '%TTL%' FROM system.tables WHERE name = 'frames' AND "
        return bool(warehouse.command(f"{text} database = currentDatabase()"))

    assert not of_frames()
    assert retention.keep(warehouse, {}) == ()
    assert retention.keep(warehouse, {"frames": 90}) == ("frames",)
    assert of_frames()
    assert retention.keep(warehouse, {"frames": 90}) == ()
    assert retention.keep(warehouse, {"frames": 30}) == ("frames",)
    assert retention.keep(warehouse, {}) == ("frames",)
    assert not of_frames()


@pytest.mark.parametrize("text", ["cascades=90d", "frames=90", "frames=6d", "frames", "frames=-9d"])
def test_a_limit_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(MarginquakeError, match=retention.VARIABLE):
        retention.wanted(text)


@pytest.mark.parametrize(
    "text", ["frames_1m=30d", "frames=90d, candles_1m=30d", "liquidations_1m=8d, liquidations=9d"]
)
def test_a_rollup_does_not_go_before_its_base(text: str) -> None:
    with pytest.raises(MarginquakeError, match="its view would miss"):
        retention.wanted(text)
    assert retention.wanted("frames=30d, frames_1m=30d") == {"frames": 30, "frames_1m": 30}
