"""One stretch of event time of one scope, and statements over it answered as typed rows.

Under every fact. Promises exact decimals, times as int64 microseconds UTC, parameters bound by
ClickHouse, and one clear error for whatever the warehouse refuses. Holds no statement itself.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from streams.config import MarginquakeError
from streams.core.results import MARKET

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND: Final = 1_000_000
LONGEST_DAYS: Final = 92
MOST_POINTS: Final = 600
"""Buckets of a plotted series: more than a screen shows apart."""
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)

OF_ASSET: Final = "({scope:String} = 'ALL' OR asset = {scope:String})"
"""Condition of the rows of a span's asset, or of every asset.

Written so that ClickHouse folds it before it looks at the primary key: `{scope:String} IN
('ALL', asset)` says the same and reads every asset.
"""
OF_SCOPE: Final = "({scope:String} = 'ALL' OR scope = {scope:String})"
"""The same of rows with a scope: of every scope when it is the market's."""

T = TypeVar("T")


class Span(msgspec.Struct, frozen=True):
    """Event time [begin, end) in microseconds UTC of an asset, or of ALL.

    >>> Span("BTC", 0, 3_600_000_000).step
    10
    """

    scope: str
    begin: int
    end: int

    @property
    def market(self) -> bool:
        """Whether it is the whole market."""
        return self.scope == MARKET

    @property
    def step(self) -> int:
        """Seconds of one bucket of a plotted series: `MOST_POINTS` of them at most, or days."""
        seconds = (self.end - self.begin) / SECOND
        return next((step for step in _STEPS if seconds <= step * MOST_POINTS), _STEPS[-1])

    @property
    def long(self) -> bool:
        """Whether rollups answer sooner than frames: from about a million frames on, since finding
        the hours that are stored costs as much as reading those.
        """
        return self.end - self.begin > (12 if self.market else 48) * 3_600 * SECOND

    def whole(self, seconds: int) -> tuple[int, int]:
        """The longest run of whole periods of `seconds` inside: begin and end in microseconds.

        Empty at the span's end when no whole one lies inside.

        >>> Span("BTC", 59_000_000, 185_000_000).whole(60)
        (60000000, 180000000)
        >>> Span("BTC", 61_000_000, 119_000_000).whole(60)
        (119000000, 119000000)
        """
        period = seconds * SECOND
        begin, end = -(-self.begin // period) * period, self.end // period * period
        return (begin, end) if begin < end else (self.end, self.end)


class WarehouseAway(MarginquakeError):
    """There is no way to the warehouse, whatever is asked of it."""


def check_scope(scope: str) -> None:
    """Raise MarginquakeError when `scope` cannot be the name of an asset."""
    if not re.fullmatch(r"[\w.:-]{1,60}", scope):
        raise MarginquakeError(f"asset={scope[:40]!r} is no asset: give BTC, or {MARKET}")


def parse_span(scope: str, begin: str, end: str) -> Span:
    """The span of two ISO 8601 times, the second exclusive; see `parse_moment`.

    Raises:
        MarginquakeError: names what is wrong and what would be right.
    """
    check_scope(scope)
    first, last = parse_moment("from", begin), parse_moment("to", end)
    if not 0 < last - first <= LONGEST_DAYS * 86_400 * SECOND:
        raise MarginquakeError(f"from must lie before to, {LONGEST_DAYS} days at most")
    return Span(scope, first, last)


def parse_moment(name: str, text: str) -> int:
    """Microseconds UTC of an ISO 8601 date or time; one without a zone is UTC.

    >>> parse_moment("from", "1970-01-02")
    86400000000

    Raises:
        MarginquakeError: it is neither; names the argument.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise MarginquakeError(
            f"{name}={text[:40]!r} is no time: give 2026-03-01 or 2026-03-01T14:00Z"
        ) from None
    return micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def rows(client: Client, sql: str, kind: type[T], span: Span, **more: object) -> list[T]:
    """The answer to one statement, a `kind` (msgspec struct) a row by the names of its columns.

    Args:
        client: a reader of the warehouse.
        sql: may use `{scope:String}`, `{begin:Int64}`, `{end:Int64}` and the names of `more`.
        kind: struct of the rows.
        span: what is asked about.
        more: further parameters.

    Raises:
        WarehouseAway: no answer comes at all.
        MarginquakeError: the warehouse refuses.
    """
    given = {"scope": span.scope, "begin": span.begin, "end": span.end, **more}
    try:
        found = client.query(sql, parameters=given)
    except ClickHouseError as error:
        raise _told(" ".join(str(error).split())) from None
    names = found.column_names
    try:
        return [
            msgspec.convert(dict(zip(names, map(_plain, row), strict=True)), kind)
            for row in found.result_rows
        ]
    except msgspec.ValidationError as error:
        raise MarginquakeError(
            f"a row of the warehouse is not what this version reads ({error}): "
            "run `marginquake migrate`"
        ) from None


def one(client: Client, sql: str, kind: type[T], span: Span, **more: object) -> T | None:
    """The first row of the answer, None without any; as `rows`."""
    return next(iter(rows(client, sql, kind, span, **more)), None)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (moment - EPOCH) // timedelta(microseconds=1)


def _told(text: str) -> MarginquakeError:
    """What to say of an error of ClickHouse or of the way to it."""
    if "UNKNOWN_TABLE" in text:
        return MarginquakeError(
            "the warehouse lacks a table or view: run `marginquake migrate` first"
        )
    if "Read timed out" in text:
        return MarginquakeError(
            "the warehouse has not answered in time: see that it is well, or choose a shorter range"
        )
    if "TIMEOUT_EXCEEDED" in text:
        return MarginquakeError(
            "this takes the warehouse too long: choose a shorter range, or one asset"
        )
    away = re.search(r"\[Errno -?\d+\] ([^)\"']+)", text)
    if away:
        return WarehouseAway(
            f"the warehouse does not answer: {away[1].strip()}; see that its server runs"
        )
    if re.search(r"Code: \d+", text):
        return MarginquakeError(f"the warehouse refuses: {text[:300]}")
    return WarehouseAway(f"the warehouse does not answer: {text[:300]}")


def _plain(value: Any) -> Any:
    """The value with times as microseconds, also inside lists, tuples and maps."""
    if isinstance(value, datetime):
        return micros(value)
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return value
