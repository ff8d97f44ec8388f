"""The warehouse's table `feed_semantics`, kept equal to the code's.

Called by `marginquake migrate`, which one operator runs at a time. Promises that the table holds
the rows of `FEED_SEMANTICS` afterwards, as this process assumes them, and is not touched when it
did before. A reader at the very moment of a change may find it empty, and then takes feeds for
`partial`.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from clickhouse_connect.driver.client import Client

from streams.core.throttle import FEED_SEMANTICS, Feed, taken
from streams.parsing import parameters

TABLE: Final = "feed_semantics"
_COLUMNS: Final = ("venue", "feed_class", "slot", "valid_from_us", "valid_to_us", "source")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Row = tuple[str, str, str, datetime, datetime | None, str]


def keep(client: Client) -> bool:
    """Bring the table in step with the code; whether it had to be written."""
    if not client.command(f"EXISTS TABLE {TABLE}"):
        return False
    doubted = parameters().throttle.doubted
    wanted = sorted((_row(taken(one, doubted)) for one in FEED_SEMANTICS), key=_order)
    stored = client.query(f"SELECT {', '.join(_COLUMNS)} FROM {TABLE}").result_rows  # noqa: S608
    if sorted(map(tuple, stored), key=_order) == wanted:
        return False
    client.command(f"TRUNCATE TABLE {TABLE}")
    client.insert(TABLE, wanted, column_names=_COLUMNS, settings={"async_insert": 0})
    return True


def _order(row: tuple[object, ...]) -> tuple[str, str]:
    return str(row[0]), str(row[3])


def _row(feed: Feed) -> Row:
    until = feed.valid_to_us
    return (
        feed.venue,
        feed.feed_class,
        feed.slot,
        _EPOCH + timedelta(microseconds=feed.valid_from_us),
        None if until is None else _EPOCH + timedelta(microseconds=until),
        feed.source,
    )
