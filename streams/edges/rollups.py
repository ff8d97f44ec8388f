"""Stored aggregates of frames and forced orders, brought up to their base.

Between the tables that the sink fills and the views `v_*_1m` and `v_*_1h`. Promises that those
views equal the aggregate over `FINAL` of the base at any moment, whether or not this ran: it only
decides how much of an answer is stored already. May be stopped anywhere, run twice or by two
processes at once. A writer killed between its insert and the touch must insert that batch again,
as the sink does. Does not follow deletions: an hour whose base rows were dropped keeps what was
stored. docs/decisions/rollups.md says why it is so.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from streams.config import MarginquakeError
from streams.edges.inserts import SETTINGS

log = structlog.get_logger(__name__)

CHORE_S: Final = 60.0
"""Pause between two turns of a running writer."""

HOURS_AT_ONCE: Final = 2_000
"""Asset-hours aggregated by one statement: bounds memory to that of 120,000 minutes."""


@dataclass(frozen=True, slots=True)
class Rollup:
    """A stored aggregate of `base`: its table, the view that defines it, and their hours."""

    table: str
    live: str
    live_hour: str
    stored_hour: str
    base: str
    base_time: str


def _of(name: str, *base: str) -> tuple[Rollup, Rollup]:
    return (
        Rollup(f"{name}_1m", f"v_{name}_1m_live", "of_hour", "toStartOfHour(minute)", *base),
        Rollup(f"{name}_1h", f"v_{name}_1h_live", "hour", "hour", *base),
    )


ROLLUPS: Final = (
    *_of("liquidations", "liquidations", "event_time_us"),
    *_of("frames", "frames", "second"),
    *_of("candles", "frames", "second"),
)
"""All of them, in the order in which they are brought up."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What one run stored: asset-hours of one rollup."""

    rollup: str
    hours: int


def bring_up(
    client: Client,
    settled: bool = False,
    progress: Callable[[str, int], None] = lambda rollup, hours: None,
) -> tuple[Brought, ...]:
    """Aggregate again every hour that was touched since it was stored.

    Args:
        client: of a migrated warehouse.
        settled: leave the newest hour of each base alone: it is being written, and would be
            aggregated again and again.
        progress: told the rollup and the asset-hours stored, after each statement.

    Raises:
        MarginquakeError: a statement failed; names the rollup. The views stay exact.
    """
    done: list[Brought] = []
    for rollup in ROLLUPS:
        try:
            hours = _stale(client, rollup, settled)
            for start in range(0, len(hours), HOURS_AT_ONCE):
                part = hours[start : start + HOURS_AT_ONCE]
                _store(client, rollup, part)
                progress(rollup.table, len(part))
        except ClickHouseError as error:
            raise MarginquakeError(
                f"rollup {rollup.table} was not brought up: {' '.join(str(error).split())[:400]}; "
                "mend the cause and run `marginquake rollups` (its view is exact meanwhile)"
            ) from None
        done.append(Brought(rollup.table, len(hours)))
    return tuple(done)


class Chore:
    """Brings settled hours up once a minute; a failure is logged and left to the next turn."""

    def __init__(self, client: Client) -> None:
        """The client is the caller's, and is not used by two threads at once."""
        self._client = client
        self._next = time.monotonic() + CHORE_S

    def __call__(self) -> None:
        """To be called often, by whoever writes."""
        if time.monotonic() < self._next:
            return
        try:
            bring_up(self._client, settled=True)
        except MarginquakeError as error:
            log.warning("rollups wait", error=str(error))
        self._next = time.monotonic() + CHORE_S


def adopt(client: Client) -> None:
    """Count a touch for hours of bases that were filled before the rollups existed.

    Done while nothing is stored yet, where a touch too many costs nothing.
    """
    if not client.command("EXISTS TABLE rollup_hours"):
        return
    if client.command("SELECT count() FROM rollup_hours"):
        return
    touch_all(client)


def touch_all(client: Client) -> None:
    """Have every hour of every base aggregated again by the next `bring_up`."""
    for rollup in ROLLUPS:
        client.command(
            "INSERT INTO rollup_hours (rollup, asset, hour, touches, built) "  # noqa: S608
            f"SELECT DISTINCT '{rollup.table}', asset, toStartOfHour({rollup.base_time}), 1, 0 "
            f"FROM {rollup.base}",
            settings=_SETTINGS,
        )


def sweep(client: Client) -> None:
    """Delete stored rows that a newer generation has replaced.

    Rows above the recorded generation stay: another process may be about to record theirs.
    """
    for rollup in ROLLUPS:
        client.command(
            f"DELETE FROM {rollup.table} WHERE (asset, {rollup.stored_hour}, generation) IN "  # noqa: S608
            "(SELECT s.asset, s.of_hour, s.generation FROM (SELECT DISTINCT asset, "
            f"{rollup.stored_hour} AS of_hour, generation FROM {rollup.table}) AS s "
            "INNER JOIN v_rollup_hours AS h ON h.asset = s.asset AND h.hour = s.of_hour "
            f"WHERE h.rollup = '{rollup.table}' AND s.generation < h.built)"
        )


_SETTINGS: Final = {name: SETTINGS[name] for name in ("async_insert", "insert_deduplicate")}

_AssetHour = tuple[str, datetime, int]


def _stale(client: Client, rollup: Rollup, settled: bool) -> list[_AssetHour]:
    """(asset, hour, touches) to be stored, by hour so that a statement stays in few partitions."""
    newest = (
        "AND hour < (SELECT max(hour) FROM rollup_hours WHERE rollup = {rollup:String}) "
        if settled
        else ""
    )
    return [
        (str(asset), hour, int(touches))
        for asset, hour, touches in client.query(
            "SELECT asset, hour, touches FROM v_rollup_hours "  # noqa: S608
            f"WHERE rollup = {{rollup:String}} AND NOT stored {newest}ORDER BY hour, asset",
            parameters={"rollup": rollup.table},
        ).result_rows
    ]


def _store(client: Client, rollup: Rollup, hours: Sequence[_AssetHour]) -> None:
    names = [str(row[0]) for row in client.query(f"DESCRIBE TABLE {rollup.table}").result_rows]
    values = [name for name in names if name != "generation"]
    # Bound as numbers: the driver writes times of an array in the zone of this machine.
    given: dict[str, Any] = {
        "assets": [asset for asset, _, _ in hours],
        "hours": [int(hour.timestamp()) for _, hour, _ in hours],
        "touches": [touches for _, _, touches in hours],
    }
    # The counts were read before the base is: the rows hold at least what the counts tell of.
    client.command(
        f"INSERT INTO {rollup.table} ({', '.join(values)}, generation) "  # noqa: S608
        "WITH counted AS (SELECT one.1 AS asset, toDateTime(one.2, 'UTC') AS hour, "
        "one.3 AS touches FROM (SELECT arrayJoin(arrayZip({assets:Array(String)}, "
        "{hours:Array(UInt32)}, {touches:Array(UInt64)})) AS one)) "
        f"SELECT {', '.join(f'l.{name}' for name in values)}, counted.touches "
        f"FROM (SELECT * FROM {rollup.live} "
        f"WHERE {rollup.live_hour} BETWEEN toDateTime(arrayMin({{hours:Array(UInt32)}}), 'UTC') "
        "AND toDateTime(arrayMax({hours:Array(UInt32)}), 'UTC') "
        f"AND (asset, {rollup.live_hour}) IN (SELECT asset, hour FROM counted)) AS l "
        f"INNER JOIN counted ON l.asset = counted.asset AND l.{rollup.live_hour} = counted.hour",
        parameters=given,
        settings=_SETTINGS,
    )
    client.insert(
        "rollup_hours",
        [[rollup.table, asset, hour, 0, touches] for asset, hour, touches in hours],
        column_names=["rollup", "asset", "hour", "touches", "built"],
        settings=_SETTINGS,
    )
