"""Rows into ClickHouse: native columns, retries for what passes, a search for what does not.

The only writer of the data tables. Promises that `insert` returns after every row was either
acknowledged or named as refused; a passing failure (server away, overloaded, read-only) is tried
again with capped, jittered pauses until `stop` is set. Does not promise that a row is written
once: repeats are equal rows of one id, and the views show one. Blocking: call it in a thread.
"""

import logging
import struct
import threading
import time
from collections.abc import Iterable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from clickhouse_connect.datatypes.numeric import Int64
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DataError, Error, OperationalError
from clickhouse_connect.driver.insert import InsertContext
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential_jitter
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_when_event_set

from streams.config import MarginquakeError
from streams.edges.rows import TABLES, Row, TableSpec
from streams.telemetry import INSERT_RETRIES, INSERT_SECONDS, LAST_INSERT, ROWS_WRITTEN

log = structlog.get_logger(__name__)
# It logs a traceback for every row that does not fit its column; `insert` reports those itself.
logging.getLogger("clickhouse_connect.driver.transform").setLevel(logging.CRITICAL)

PASSING: Final = frozenset(
    {3, 107, 159, 164, 202, 203, 209, 210, 241, 242, 252, 285, 319, 425, 999}
)
"""ClickHouse codes that mend themselves: time-outs, memory, too many parts, read-only, keeper."""

OF_A_ROW: Final = frozenset(
    {6, 25, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 131, 190, 321, 349, 407, 469, 691}
)
"""Codes that blame the data: parsing, ranges, overflow, nulls, array sizes, constraints."""

MAX_REFUSED: Final = 100
"""Refused rows of one insert beyond which the table, not a row, must be wrong."""

MAX_MICRO_DOLLARS: Final = 10**18 - 1
"""The most that Decimal(18,6) holds: just under a trillion dollars."""

SETTINGS: Final[dict[str, Any]] = {
    # Acknowledged must mean written; equal batches must never be dropped; an archive may touch
    # more than 100 months in one insert.
    "async_insert": 0,
    "insert_deduplicate": 0,
    "deduplicate_blocks_in_dependent_materialized_views": 0,
    "max_partitions_per_insert_block": 0,
    # Duplicates inside one batch are left to FINAL and to merges: a third less time per insert.
    "optimize_on_insert": 0,
}


class MicroDollars(Int64):
    """Decimal(18, 6) written from int64 micro-dollars, which have the same bytes.

    clickhouse-connect's own Decimal goes through text: 40 times slower for the arrays of frames.
    """

    @property
    def insert_name(self) -> str:
        """The type that the server is told."""
        name = "Decimal(18, 6)"
        for wrapper in reversed(self.wrappers):
            name = f"{wrapper}({name})"
        return name

    def _write_column_binary(
        self, column: Sequence[Any] | MutableSequence[Any], dest: bytearray, ctx: InsertContext
    ) -> None:
        known = [value for value in column if value is not None] if self.nullable else column
        if known and not -MAX_MICRO_DOLLARS <= min(known) <= max(known) <= MAX_MICRO_DOLLARS:
            raise DataError(f"{ctx.column_name} holds a trillion dollars or more")
        super()._write_column_binary(column, dest, ctx)


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that the warehouse will not take: its index in the batch and the reason."""

    index: int
    detail: str


class Inserter:
    """Writes rows of `streams.edges.rows` through one client; one thread at a time.

    Set `stop` to give up on retries: the insert then raises what it was retrying.
    """

    def __init__(
        self,
        client: Client,
        tables: Mapping[str, TableSpec] = TABLES,
        pause_s: float = 0.2,
        max_pause_s: float = 20.0,
    ) -> None:
        """Read the column types once; raises MarginquakeError when tables or columns are missing.

        Args:
            client: from `streams.edges.warehouse.connect`.
            tables: what will be written.
            pause_s: first pause between tries; doubles.
            max_pause_s: longest pause.
        """
        self.stop = threading.Event()
        self._client = client
        self._tables = tables
        self._types = {name: _column_types(client, spec) for name, spec in tables.items()}
        self._pause_s, self._max_pause_s = pause_s, max_pause_s

    def insert(self, table: str, rows: Sequence[Row]) -> list[Refused]:
        """Write a batch; the refused rows come back in order, all others are acknowledged.

        Raises:
            MarginquakeError: the failure is not a matter of single rows (a missing table, no
                rights, more than MAX_REFUSED refusals), or `stop` was set during a retry. Part of
                the batch may be written; repeating it is safe.
        """
        refused: list[Refused] = []
        parts = [(0, len(rows))] if rows else []
        while parts:
            low, high = parts.pop()
            try:
                self._send(table, rows[low:high])
            except Exception as error:
                if not _blames_a_row(error):
                    raise MarginquakeError(_failure(table, high - low, error)) from error
                if high - low > 1:
                    middle = (low + high) // 2
                    parts += [(middle, high), (low, middle)]
                    continue
                refused.append(Refused(low, _one_line(error)))
                if len(refused) > MAX_REFUSED:
                    raise MarginquakeError(
                        f"{table} refuses more than {MAX_REFUSED} rows of one batch, the last "
                        f"with: {_one_line(error)}; compare the table with `marginquake migrate "
                        "--dry-run` and the version of the writer"
                    ) from error
        return refused

    def _send(self, table: str, rows: Sequence[Row]) -> None:
        tries = Retrying(
            retry=retry_if_exception(is_passing),
            wait=wait_exponential_jitter(
                multiplier=self._pause_s, max=self._max_pause_s, jitter=self._pause_s
            ),
            stop=stop_when_event_set(self.stop),
            sleep=sleep_using_event(self.stop),
            before_sleep=lambda state: self._report(table, len(rows), state),
            reraise=True,
        )
        tries(self._write, table, rows)

    def _write(self, table: str, rows: Sequence[Row]) -> None:
        started = time.perf_counter()
        self._client.insert(
            table,
            list(zip(*rows, strict=True)),
            column_names=self._tables[table].columns,
            column_type_names=self._types[table],
            column_oriented=True,
            settings=SETTINGS,
        )
        INSERT_SECONDS.labels(table=table).observe(time.perf_counter() - started)
        ROWS_WRITTEN.labels(table=table).inc(len(rows))
        LAST_INSERT.labels(table=table).set_to_current_time()

    def _report(self, table: str, rows: int, state: RetryCallState) -> None:
        INSERT_RETRIES.labels(table=table).inc()
        error = state.outcome.exception() if state.outcome else None
        log.warning(
            "insert waits",
            table=table,
            rows=rows,
            attempt=state.attempt_number,
            pause_s=round(state.upcoming_sleep, 2),
            error=_one_line(error),
        )


def is_passing(error: BaseException) -> bool:
    """Whether the same insert may succeed later: a code of PASSING, or the connection failed."""
    if isinstance(error, Error) and error.code is not None:
        return error.code in PASSING
    return isinstance(error, (OperationalError, OSError))


def _blames_a_row(error: Exception) -> bool:
    if isinstance(error, Error) and error.code is not None:
        return error.code in OF_A_ROW
    # Raised while the columns are being written: a value does not fit its column's type.
    return isinstance(
        error, (DataError, ValueError, TypeError, AttributeError, OverflowError, struct.error)
    )


def _failure(table: str, rows: int, error: Exception) -> str:
    if is_passing(error):
        return (
            f"{rows} rows for {table} were not written before the stop: {_one_line(error)}; they "
            "will be read again at the next start"
        )
    return f"the warehouse does not take {rows} rows for {table}: {_one_line(error)}"


def _one_line(error: BaseException | None) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 500 else f"{text[:500]}..."


def _column_types(client: Client, spec: TableSpec) -> tuple[str, ...]:
    try:
        found = client.query(f"DESCRIBE TABLE {spec.name}").result_rows
    except ClickHouseError as error:
        raise MarginquakeError(
            f"table {spec.name} cannot be read ({_one_line(error)}); run `marginquake migrate`"
        ) from None
    types = {str(name): str(kind) for name, kind, *_ in found}
    _demand(spec, types)
    return tuple(types[name].replace("Decimal(18, 6)", "MicroDollars") for name in spec.columns)


def _demand(spec: TableSpec, existing: Iterable[str]) -> None:
    missing = sorted(set(spec.columns) - set(existing))
    if missing:
        raise MarginquakeError(
            f"table {spec.name} lacks {', '.join(missing)}; run `marginquake migrate`"
        )
