"""The door to ClickHouse: one client API for chDB in this process and for a server.

Everything that reads or writes the warehouse connects here. Promises clear errors that never
hold the DSN's password, UTC-aware times in results, and a refusal that names the holder when
another process has a chDB store open. Does not create tables (`migrate`) and does not retry
(`inserts`). A chDB store belongs to one process at a time and does not survive a fork.
"""

import fcntl
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from streams.config import MarginquakeError

UNKNOWN_DATABASE: Final = 81
AUTHENTICATION_FAILED: Final = 516
_SCHEMES: Final = {"clickhouse": "http", "clickhouses": "https", "http": "http", "https": "https"}
_EXAMPLES: Final = "chdb:///path/to/store or clickhouse://user:secret@host:8123/database"


@dataclass(frozen=True, slots=True)
class Dsn:
    """A parsed `CLICKHOUSE_DSN`; `path` is set for chDB only, `host` for a server only."""

    path: Path | None
    host: str
    port: int | None
    user: str
    password: str
    database: str
    secure: bool

    @property
    def label(self) -> str:
        """Where it points, without user and password."""
        if self.path is not None:
            return f"chdb://{self.path}"
        port = f":{self.port}" if self.port else ""
        return f"clickhouse://{self.host}{port}/{self.database}"

    def __repr__(self) -> str:
        """The label: a DSN must not leave its password in a traceback."""
        return f"Dsn({self.label})"


def parse_dsn(text: str) -> Dsn:
    """Read `chdb:///path[?database=x]` or `clickhouse[s]://user:secret@host[:port][/database]`.

    Raises:
        MarginquakeError: neither form; the text itself is not repeated, it may hold a password.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise MarginquakeError(f"CLICKHOUSE_DSN is not a URL; use {_EXAMPLES}") from None
    if parts.scheme == "chdb":
        if parts.netloc or parts.path in ("", "/"):
            raise MarginquakeError(
                "CLICKHOUSE_DSN names no folder for chDB; use three slashes and an absolute path: "
                "chdb:///path/to/store"
            )
        database = parse_qs(parts.query).get("database", ["default"])[0]
        return Dsn(Path(unquote(parts.path)), "", None, "", "", database, False)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise MarginquakeError(f"CLICKHOUSE_DSN is neither chDB nor a server; use {_EXAMPLES}")
    return Dsn(
        None,
        parts.hostname,
        port,
        unquote(parts.username or "default"),
        unquote(parts.password or ""),
        unquote(parts.path.strip("/")) or "default",
        _SCHEMES[parts.scheme] == "https",
    )


PATIENCE_S: Final = 300
"""How long a server may be silent in the midst of an answer."""


def connect(dsn: str, create: bool = False, patience_s: int = PATIENCE_S) -> Client:
    """A client of the warehouse; close it when done.

    Args:
        dsn: see `parse_dsn`. The folder of a chDB store is created.
        create: create the database when it is missing (`migrate` does); else that is an error.
        patience_s: a server that is silent for so long is given up; chDB is always answered by.

    Raises:
        MarginquakeError: chDB is not installed, its store is held by another process or path,
            the server cannot be reached or refuses, or the database is missing.
    """
    target = parse_dsn(dsn)
    try:
        return _open(target, target.database, patience_s)
    except ClickHouseError as error:
        missing = isinstance(error, DatabaseError) and error.code == UNKNOWN_DATABASE
        if not missing:
            raise MarginquakeError(
                f"cannot open the warehouse {target.label}: {_scrub(error, target)}"
            ) from None
        if not create:
            raise MarginquakeError(
                f"the warehouse {target.label} has no database {target.database!r}; "
                "run `marginquake migrate` first"
            ) from None
    admin = _open(target, "default", patience_s)
    try:
        admin.command(f"CREATE DATABASE IF NOT EXISTS {quoted(target.database)}")
    except ClickHouseError as error:
        raise MarginquakeError(
            f"cannot create database {target.database!r} in {target.label}: {_scrub(error, target)}"
        ) from None
    finally:
        admin.close()
    return _open(target, target.database, patience_s)


def connect_reader(dsn: str, patience_s: int = PATIENCE_S) -> Client:
    """A client that cannot write, for people's own SQL.

    Times are printed as ISO 8601, a null in CSV as nothing between two commas.

    It guards against slips, not against malice: on a server give readers a user of their own,
    whose settings this leaves alone. Arguments and errors as of `connect`.
    """
    client = connect(dsn, patience_s=patience_s)
    if parse_dsn(dsn).path is not None:
        client.command("SET date_time_output_format = 'iso'")
        client.command("SET format_csv_null_representation = ''")
        client.command("SET readonly = 2")
    elif not int(str(client.command("SELECT getSetting('readonly')"))):
        client.set_client_setting("date_time_output_format", "iso")
        client.set_client_setting("format_csv_null_representation", "")
        client.set_client_setting("readonly", 2)
    return client


def limit_time(client: Client, dsn: str, seconds: int) -> None:
    """Give up statements of a reader after `seconds`, where its user may set that."""
    try:
        if parse_dsn(dsn).path is not None:
            client.command(f"SET max_execution_time = {seconds:d}")
        elif int(str(client.command("SELECT getSetting('readonly')"))) != 1:
            client.set_client_setting("max_execution_time", seconds)
    except ClickHouseError as error:
        target = parse_dsn(dsn)
        raise MarginquakeError(
            f"cannot read the warehouse {target.label}: {_scrub(error, target)}"
        ) from None


def ask(client: Client, sql: str, fmt: str, parameters: Mapping[str, str] | None = None) -> str:
    """The answer to one statement in a ClickHouse text format; see `ask_bytes`."""
    return ask_bytes(client, sql, fmt, parameters).decode()


def ask_bytes(
    client: Client, sql: str, fmt: str, parameters: Mapping[str, str] | None = None
) -> bytes:
    """The answer to one statement in a ClickHouse output format.

    Args:
        client: from `connect` or `connect_reader`.
        sql: one statement; `{name:Type}` stands for a parameter.
        fmt: name of the format.
        parameters: values by name, bound by ClickHouse.

    Raises:
        MarginquakeError: ClickHouse refuses the statement; the text holds its reason.
    """
    try:
        return bytes(client.raw_query(sql, parameters=dict(parameters or {}), fmt=fmt))
    except ClickHouseError as error:
        raise MarginquakeError(f"the query failed: {' '.join(str(error).split())}") from None


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table as stored: `rows` counts older revisions until they are merged away."""

    table: str
    rows: int
    parts: int
    bytes: int
    first_partition: str
    last_partition: str


def table_sizes(client: Client) -> list[TableSize]:
    """Every table of the client's database by name, empty ones too; views have no size."""
    tables = client.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() "
        "AND engine LIKE '%MergeTree' ORDER BY name"
    ).result_rows
    stored = client.query(
        "SELECT table, sum(rows), count(), sum(bytes_on_disk), "
        "min(if(partition = 'tuple()', '', partition)), "
        "max(if(partition = 'tuple()', '', partition)) "
        "FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table"
    ).result_rows
    sizes = {str(row[0]): TableSize(*row) for row in stored}
    return [sizes.get(name, TableSize(name, 0, 0, 0, "", "")) for (name,) in tables]


def quoted(identifier: str) -> str:
    """A ClickHouse identifier in backticks.

    >>> quoted("cells.usd")
    '`cells.usd`'
    """
    escaped = identifier.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _open(target: Dsn, database: str, patience_s: int) -> Client:
    if target.path is not None:
        return _open_store(target.path, database)
    # A session id would serialise the threads of one client on the server.
    return clickhouse_connect.get_client(
        host=target.host,
        port=target.port or (8443 if target.secure else 8123),
        username=target.user,
        password=target.password,
        database=database,
        interface="https" if target.secure else "http",
        autogenerate_session_id=False,
        tz_mode="aware",
        client_name="marginquake",
        send_receive_timeout=patience_s,
    )


def _open_store(path: Path, database: str) -> Client:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MarginquakeError(
            f"cannot create the chDB store {path}: {error.strerror}; choose another CLICKHOUSE_DSN"
        ) from None
    holder = holder_of(path)
    if holder is not None and holder != os.getpid():
        raise MarginquakeError(
            f"the chDB store {path} is open in process {holder}, and one process at a time can use "
            "it; stop that process, or use a ClickHouse server for several"
        )
    try:
        return clickhouse_connect.get_client(
            interface="chdb", path=str(path), database=database, tz_mode="aware"
        )
    except ImportError:
        raise MarginquakeError(
            "chDB is not installed; run `pip install 'marginquake[warehouse]'` or point "
            "CLICKHOUSE_DSN at a ClickHouse server"
        ) from None
    except ClickHouseError as error:
        if "already initialized with path" not in str(error):
            raise
        raise MarginquakeError(
            f"this process has another chDB store open and cannot open {path} beside it; close "
            "the clients of the first one"
        ) from None


def holder_of(path: Path) -> int | None:
    """Process id that holds the store's lock: -1 when the file does not say, None when free."""
    try:
        status = (path / "status").open("r+")
    except OSError:
        return None
    with status:
        try:
            fcntl.flock(status, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            found = re.search(r"PID:\s*(\d+)", status.read())
            return int(found[1]) if found else -1
    return None


def _scrub(error: Exception, target: Dsn) -> str:
    text = " ".join(str(error).split())
    if target.password:
        text = text.replace(target.password, "***")
    unreachable = re.search(r"\[Errno -?\d+\] ([^)\"']+)", text)
    if unreachable:
        return f"{unreachable[1].strip()}; start the server or mend CLICKHOUSE_DSN"
    if f"Code: {AUTHENTICATION_FAILED}." in text:
        return "the server refuses this user or password; mend CLICKHOUSE_DSN"
    return text if len(text) <= 400 else f"{text[:400]}..."
