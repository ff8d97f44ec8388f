"""The warehouse's tables `feed_semantics` and `instruments`, kept equal to the code's.

Called by `marginquake migrate`, which one operator runs at a time. Promises that the tables hold
the rows of `FEED_SEMANTICS` and of the instrument table afterwards, as this process assumes them,
that their dictionaries are reloaded, and that a table is not touched when it did before. A reader
at the very moment of a change may find one empty, and then takes feeds for `partial`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from streams.core.throttle import FEED_SEMANTICS, Feed, taken
from streams.parsing import parameters
from streams.venues import catalog

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTRUMENT: Final = (
    *("venue", "symbol", "asset", "quote", "contract", "size_unit", "contract_size"),
    "coins_per_unit",
)

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Reference:
    """A table that the program writes whole: what it is to hold, and who reads it."""

    table: str
    dictionary: str
    columns: tuple[str, ...]
    rows: Callable[[], Iterable[Row]]


def keep(client: Client) -> tuple[str, ...]:
    """Bring the tables in step with the code; the names of those that had to be written."""
    return tuple(one.table for one in _REFERENCES if _keep(client, one))


def _keep(client: Client, one: _Reference) -> bool:
    if not client.command(f"EXISTS TABLE {one.table}"):
        return False
    wanted = sorted(one.rows(), key=_order)
    stored = client.query(f"SELECT {', '.join(one.columns)} FROM {one.table}").result_rows  # noqa: S608
    if sorted(map(tuple, stored), key=_order) == wanted:
        return False
    client.command(f"TRUNCATE TABLE {one.table}")
    client.insert(one.table, wanted, column_names=one.columns, settings={"async_insert": 0})
    if client.command(f"EXISTS DICTIONARY {one.dictionary}"):
        client.command(f"SYSTEM RELOAD DICTIONARY {one.dictionary}")
    return True


def _order(row: Row) -> list[str]:
    return list(map(str, row))


def _feeds() -> Iterable[Row]:
    doubted = parameters().throttle.doubted
    return (_row(taken(one, doubted)) for one in FEED_SEMANTICS)


def _instruments() -> Iterable[Row]:
    known = (entry.instrument for entry in catalog.effective_table().values())
    return (tuple(getattr(one, name) for name in _INSTRUMENT) for one in known)


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


_REFERENCES: Final = (
    _Reference(
        "feed_semantics",
        "dict_feeds",
        ("venue", "feed_class", "slot", "valid_from_us", "valid_to_us", "source"),
        _feeds,
    ),
    _Reference("instruments", "dict_instruments", _INSTRUMENT, _instruments),
)
