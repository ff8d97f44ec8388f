"""The store that this process owns, and one engine connection per request.

Below everything else of the room. Promises that a second process or path is refused with its
name, that settings hold for one request only, and that a request's query can be killed from
another thread. Does not decide who may ask what (`gate`, `access`). Blocking: call it in threads;
the engine releases the GIL.
"""

import os
import re
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import NamedTemporaryFile
from typing import Any, Final, Self

from streams.config import MarginquakeError
from streams.edges.warehouse import connect, parse_dsn, quoted
from streams.serving.errors import QueryError, from_engine
from streams.serving.statement import InsertHead

_SETTING: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f"}
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a query did, as the engine counts it; `elapsed_s` is the engine's own time."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    elapsed_s: float = 0.0

    def as_header(self) -> dict[str, str]:
        """The fields of `X-ClickHouse-Summary`; numbers are texts there."""
        return {
            "read_rows": str(self.read_rows),
            "read_bytes": str(self.read_bytes),
            "written_rows": str(self.written_rows),
            "written_bytes": str(self.written_bytes),
            "total_rows_to_read": "0",
            "result_rows": str(self.result_rows),
            "result_bytes": "0",
            "elapsed_ns": str(int(self.elapsed_s * 1e9)),
        }


def literal(text: str) -> str:
    r"""A text as SQL string literal.

    >>> print(literal("it's"))
    'it\'s'
    """
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class Connection:
    """One engine connection with its own settings and database; use it in one thread."""

    def __init__(self, path: str, database: str, settings: Mapping[str, str], spool: str) -> None:
        """Open and set up; `readonly`, when given, holds for good. `spool`: folder for inserts.

        Raises:
            QueryError: an unknown setting or database.
        """
        import chdb

        # Its annotations are partial, and differ with the order in which its two wheels unpack.
        engine: Any = chdb
        for name in settings:
            # A name is put into SQL as it is: `x = 1 --` would take the limits behind it away.
            if not _SETTING.fullmatch(name):
                raise QueryError(115, f"Unknown setting {name!r}")
        self._connection = engine.connect(path)
        self._spool = spool
        try:
            self.run(f"USE {quoted(database)}")
            if settings:
                changes = (f"{name} = {literal(value)}" for name, value in settings.items())
                self.run(f"SET {', '.join(changes)}")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """The connection itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give the connection back to the engine."""
        self._connection.close()

    def run(
        self, sql: str, fmt: str = "TabSeparated", params: Mapping[str, str] | None = None
    ) -> tuple[bytes, Summary]:
        """The whole answer to one statement, in its own FORMAT or else in `fmt`.

        Raises:
            QueryError: with the engine's code.
        """
        try:
            result = self._connection.query(sql, fmt, params=dict(params or {}))
        except Exception as error:
            raise from_engine(error) from None
        written = result.rows_written()
        return result.bytes() or b"", Summary(
            read_rows=result.storage_rows_read(),
            read_bytes=result.storage_bytes_read(),
            written_rows=written,
            written_bytes=result.bytes_written(),
            result_rows=0 if written else result.rows_read(),
            elapsed_s=result.elapsed(),
        )

    def ask(self, statement: str, /, **texts: str) -> str:
        """A one-cell answer; `texts` are String parameters, taken as they are."""
        params = {name: text.translate(_ESCAPES) for name, text in texts.items()}
        answer, _ = self.run(statement, "RawBLOB", params)
        return answer.decode()

    def stream(self, sql: str, fmt: str, params: Mapping[str, str]) -> Generator[bytes, None, None]:
        """The answer to a SELECT block by block; only for formats without head and foot.

        Raises:
            QueryError: with the engine's code, also between blocks.
        """
        try:
            stream = self._connection.send_query(sql, fmt, params=dict(params))
        except Exception as error:
            raise from_engine(error) from None
        try:
            while True:
                try:
                    block = stream.fetch()
                except Exception as error:
                    raise from_engine(error) from None
                if block is None:
                    return
                yield block.bytes()
        finally:
            stream.close()

    def insert(self, head: InsertHead, data: Iterable[bytes]) -> Summary:
        """Write `data` by an INSERT: all of it, or an error and nothing.

        The data goes through a file: chDB's own streaming insert (`send_insert`, 26.9) reports
        rows as written that a constraint of the table has refused. An iterator that raises ends
        it before the engine has seen a row.

        Raises:
            QueryError: with the engine's code.
        """
        with NamedTemporaryFile(dir=self._spool, suffix=".data") as file:
            for chunk in data:
                file.write(chunk)
            file.flush()
            infile = f"FROM INFILE {literal(file.name)} COMPRESSION 'none'"
            _, summary = self.run(f"{head.sql} {infile} {head.settings} FORMAT {head.fmt}")
            return summary


class Store:
    """The chDB store of this process, from `open` to `close`."""

    def __init__(self, dsn: str) -> None:
        """Open it, and create its folder and database when missing.

        Args:
            dsn: `chdb:///path[?database=x]`.

        Raises:
            MarginquakeError: no chDB DSN, chDB is missing, or another process has the store.
        """
        target = parse_dsn(dsn)
        if target.path is None:
            raise MarginquakeError(
                f"{target.label} is a server already; to serve an embedded store set "
                "CLICKHOUSE_DSN=chdb:///path/to/store"
            )
        # Holds the store open, so that opening a connection costs a tenth of a millisecond.
        self._keeper = connect(dsn, create=True)
        self._path = os.path.realpath(target.path)
        # Beside the store, which is ours alone now: what a process that was killed left is found.
        self._spool = Path(f"{self._path}.inserts")
        rmtree(self._spool, ignore_errors=True)
        self._spool.mkdir(mode=0o700)
        self.label = target.label
        self.database = target.database
        self.version = str(self._keeper.server_version)
        self.timezone = str(self._keeper.command("SELECT timezone()"))

    def connection(
        self, database: str | None = None, settings: Mapping[str, str] | None = None
    ) -> Connection:
        """A connection for one request; see `Connection`."""
        where = database or self.database
        return Connection(self._path, where, settings or {}, str(self._spool))

    def kill(self, mark: str) -> None:
        """Ask the engine to end the query whose connection has `log_comment` = `mark`."""
        with self.connection() as own:
            own.run(f"KILL QUERY WHERE Settings['log_comment'] = {literal(mark)} ASYNC")

    def close(self) -> None:
        """Close the store; other processes may open it then."""
        self._keeper.close()
        rmtree(self._spool, ignore_errors=True)
