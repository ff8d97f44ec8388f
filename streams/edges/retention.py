"""How long the warehouse keeps rows, as a setting; for ever without one.

`marginquake migrate` brings the tables in step with `MARGINQUAKE_KEEP`, such as
"frames=90d, dead_letters=30d". Promises that a table which is not named keeps everything, and that
what was set before is taken back when its name is gone. ClickHouse deletes at merges, by event
time. Rollups keep what they stored of rows that are gone; a late row of such an hour, or a replay
of a part of it, would be aggregated alone: keep longer than anything comes late.
"""

import os
import re
from collections.abc import Mapping
from typing import Final

from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError

VARIABLE: Final = "MARGINQUAKE_KEEP"
LEAST_DAYS: Final = 7

TIMES: Final = {
    "liquidations": "event_time_us",
    "late_events": "event_time_us",
    "dead_letters": "received_at_us",
    "feed_status": "at_us",
    "frames": "second",
    "frames_1m": "minute",
    "candles_1m": "minute",
    "liquidations_1m": "minute",
    "prints": "period_start",
    **dict.fromkeys(
        ("imbalance", "liquidity", "conditions", "zones", "positioning", "funding"), "at"
    ),
    **dict.fromkeys(("dominance", "volatility", "health"), "at"),
}
"""Tables that may lose old rows, and the time that tells their age."""

FOR_EVER: Final = 100_000
"""More days than a limit can have."""

_BASES: Final = {
    "frames_1m": "frames",
    "candles_1m": "frames",
    "liquidations_1m": "liquidations",
}

_KEPT: Final = re.compile(r"\bTTL\b.*?toIntervalDay\((\d+)\)", re.DOTALL)


def wanted(text: str) -> dict[str, int]:
    """Days by table.

    >>> wanted("frames=90d, prints=365d")
    {'frames': 90, 'prints': 365}

    Raises:
        MarginquakeError: a table that keeps everything, no number of days from 7 on, or a rollup
            that is to go before its base.
    """
    found: dict[str, int] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        table, _, days = (piece.strip() for piece in part.partition("="))
        if table not in TIMES:
            raise MarginquakeError(
                f"{VARIABLE}: {table!r} is no table that may lose rows; there are "
                f"{', '.join(TIMES)}"
            )
        if not re.fullmatch(r"\d{1,5}d", days) or int(days[:-1]) < LEAST_DAYS:
            raise MarginquakeError(
                f"{VARIABLE}: {part!r} is not TABLE=DAYSd with {LEAST_DAYS} days or more, such "
                "as frames=90d"
            )
        found[table] = int(days[:-1])
    for rollup, base in _BASES.items():
        if rollup in found and found[rollup] < found.get(base, FOR_EVER):
            raise MarginquakeError(
                f"{VARIABLE}: {rollup} is kept for {found[rollup]} days and {base}, of which it is "
                f"made, for longer: its view would miss what {base} still holds; keep {rollup} at "
                f"least as long, or {base} no longer"
            )
    return found


def keep(client: Client, days: Mapping[str, int] | None = None) -> tuple[str, ...]:
    """Set, change or take back the limits; the tables that were altered.

    Args:
        client: of a migrated warehouse.
        days: by table; None reads the environment.
    """
    limits = wanted(os.environ.get(VARIABLE, "")) if days is None else days
    altered: list[str] = []
    for table, engine in client.query(
        "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() "
        "AND has({tables:Array(String)}, name) ORDER BY name",
        parameters={"tables": list(TIMES)},
    ).result_rows:
        set_before = _KEPT.search(str(engine))
        before = int(set_before[1]) if set_before else None
        limit = limits.get(str(table))
        if limit == before:
            continue
        client.command(
            f"ALTER TABLE {table} REMOVE TTL"
            if limit is None
            else f"ALTER TABLE {table} MODIFY TTL toDateTime({TIMES[str(table)]}) "
            f"+ toIntervalDay({limit:d})"
        )
        altered.append(str(table))
    return tuple(altered)
