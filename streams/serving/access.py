"""Who asks, and with which settings and limits: users, passwords, what a reader may set.

Between the HTTP request and the engine's connection. Promises constant-time comparison of
passwords, that a reader's limits can be lowered and not raised, and that a reader's connection is
read-only for good. What a client's session keeps between requests stands in `sessions`.
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streams.serving.errors import QueryError

REQUIRED: Final = 194
"""ClickHouse's code REQUIRED_PASSWORD, here for HTTP 401 alone; the text says 516."""

TRANSPORT: Final = frozenset(
    {
        "add_http_cors_header",
        "buffer_size",
        "client_protocol_version",
        "close_session",
        "compress",
        "database",
        "decompress",
        "default_format",
        "enable_http_compression",
        "log_comment",
        "log_queries",
        "network_compression_method",
        "password",
        "query",
        "query_id",
        "quota_key",
        "replace_running_query",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
        "wait_end_of_query",
    }
)
"""Parameters of a request that are no settings of the engine, or that this server sets itself."""

MAX_STATEMENT: Final = 1024 * 1024
"""Bytes of SQL; ClickHouse's own default is a quarter of it."""

_FREE: Final = re.compile(
    r"output_format_(?!schema|template)[a-z0-9_]+|format_csv_(delimiter|null_representation)"
    r"|format_tsv_null_representation|date_time_output_format|bool_(true|false)_representation"
    r"|interval_output_format|cast_keep_nullable|extremes|final|join_use_nulls|limit|offset"
    r"|max_(rows|bytes)_to_read|prefer_column_name_to_alias|session_timezone"
    r"|(result|read|timeout)_overflow_mode|use_variant_as_common_type|group_by_use_nulls"
    r"|aggregate_functions_null_for_empty|transform_null_in|union_default_mode"
)
"""Settings that change an answer's form or ask for less; a reader may give them freely."""

_BLOCK_ROWS: Final = 65_409
"""The engine's own default."""

_NICE: Final = 15
"""How far readers' threads stand back for the writer's, where the process has CAP_SYS_NICE."""

_MOOT: Final = frozenset({"async_insert", "readonly", "wait_for_async_insert"})
"""Settings that drivers send with every request and that mean nothing to a reader."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query of a reader may use; it may ask for less.

    Seconds, bytes of the engine's memory, rows and bytes of the answer, threads. `scratch_bytes`
    bounds what sorting and grouping may put on disk.
    """

    seconds: int = 30
    memory_bytes: int = 2 * 1024**3
    rows: int = 10_000_000
    result_bytes: int = 1024**3
    threads: int = 1
    scratch_bytes: int = 2 * 1024**3
    at_once: int = 4
    waiting: int = 32

    def caps(self) -> dict[str, int]:
        """The engine's settings that hold the limits."""
        return {
            "max_execution_time": self.seconds,
            "max_memory_usage": self.memory_bytes,
            "max_result_rows": self.rows,
            "max_result_bytes": self.result_bytes,
            "max_threads": self.threads,
            # A query is cut off between blocks: a large block would put that off.
            "max_block_size": _BLOCK_ROWS,
        }


def reader_settings(asked: Mapping[str, str], limits: Limits, mark: str) -> dict[str, str]:
    """Settings of a reader's connection.

    Args:
        asked: parameters of the request that name settings.
        limits: of a reader.
        mark: by which the query can be killed.

    Raises:
        QueryError: 164 for a setting that a reader may not change, 36 for a limit that is no
            number.
    """
    caps = limits.caps()
    made: dict[str, str] = {}
    for name, value in asked.items():
        if name in caps:
            caps[name] = min(caps[name], _number(name, value) or caps[name])
        elif _FREE.fullmatch(name):
            made[name] = value
        elif name not in _MOOT:
            raise QueryError(
                164,
                f"Cannot modify '{name}' setting in readonly mode: leave it out, or ask as the "
                "user who may write",
            )
    return made | {
        **{name: str(value) for name, value in caps.items()},
        "max_temporary_data_on_disk_size_for_query": str(limits.scratch_bytes),
        "allow_ddl": "0",
        "allow_introspection_functions": "0",
        "log_comment": mark,
        "max_query_size": str(MAX_STATEMENT),
        "os_thread_priority": str(_NICE),
        "readonly": "1",
    }


def check_statement_settings(settings: Mapping[str, str], limits: Limits) -> None:
    """Check what a reader's statement sets itself: unlike parameters, more is refused, not capped.

    Raises:
        QueryError: 164 for a limit above the reader's, or for a setting that is not free.
    """
    caps = limits.caps()
    for name, value in settings.items():
        if name in caps and not 0 < _number(name, value) <= caps[name]:
            raise QueryError(
                164, f"Cannot set {name} = {value} in readonly mode: the limit is {caps[name]}"
            )
        if name not in caps and not _FREE.fullmatch(name):
            raise QueryError(164, f"Cannot modify '{name}' setting in readonly mode: leave it out")


def writer_settings(asked: Mapping[str, str], mark: str) -> dict[str, str]:
    """Settings of a writer's connection: what was asked, checked by the engine."""
    return {"max_query_size": str(MAX_STATEMENT), **asked, "log_comment": mark}


def _number(name: str, value: str) -> int:
    """A limit's value; 0, ClickHouse's word for no limit, for anything below 0 or endless."""
    try:
        wanted = float(value)
    except ValueError:
        raise QueryError(36, f"setting {name} = {value!r} is no number") from None
    return max(1, int(wanted)) if 0 < wanted < math.inf else 0


@dataclass(frozen=True, slots=True)
class User:
    """A user by name; `digest` is the SHA-256 of the password, None when none is asked."""

    name: str
    digest: bytes | None
    writes: bool

    def __repr__(self) -> str:
        """The name alone."""
        return f"User({self.name})"


def user(name: str, password: str, writes: bool = False) -> User:
    """A user; an empty password means that none is asked."""
    return User(name, _digest(password) if password else None, writes)


class Users:
    """Checks who asks: URL parameters, `X-ClickHouse-User` and `-Key`, or HTTP Basic."""

    def __init__(self, reader: User, writer: User | None = None) -> None:
        """`writer` None: nobody may write over HTTP."""
        self._known = {one.name: one for one in (reader, writer) if one is not None}
        self.reader = reader
        self.writes = writer is not None

    def authenticate(self, query: Mapping[str, str], headers: Mapping[str, str]) -> User:
        """The user of a request.

        Raises:
            QueryError: 516; with the code 194 when no password was given where one is needed.
        """
        name, password = _credentials(query, headers)
        found = self._known.get(name or self.reader.name)
        given = _digest(password)
        # Compared in any case, so that an unknown name takes as long as a wrong password.
        expected = found.digest if found is not None and found.digest is not None else given
        right = hmac.compare_digest(given, expected)
        if found is not None and right and (found.digest is not None or not password):
            return found
        if found is not None and not password:
            raise QueryError(REQUIRED, f"{found.name}: Authentication failed: password is required")
        raise QueryError(
            516,
            f"{name}: Authentication failed: password is incorrect, or there is no user with such "
            "name.",
        )


def _credentials(query: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    ways: list[tuple[str, str]] = []
    if "user" in query or "password" in query:
        ways.append((query.get("user", ""), query.get("password", "")))
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        ways.append((headers.get("X-ClickHouse-User", ""), headers.get("X-ClickHouse-Key", "")))
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise QueryError(516, "Invalid authentication: HTTP Basic is not base64") from None
        ways.append((name, password))
    elif scheme and scheme.lower() != "never":
        raise QueryError(516, f"Invalid authentication: '{scheme}' is not supported, use Basic")
    if len(ways) > 1:
        raise QueryError(
            516,
            "Invalid authentication: it is not allowed to use more than one of URL parameters, "
            "X-ClickHouse HTTP headers and Authorization at once",
        )
    return ways[0] if ways else ("", "")


def _digest(password: str) -> bytes:
    # A header's bytes need not be UTF-8.
    return hashlib.sha256(password.encode(errors="surrogateescape")).digest()


def is_loopback(name: str) -> bool:
    """Whether a host's name or address means this machine alone.

    >>> is_loopback("localhost"), is_loopback("[::1]"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    bare = name.strip("[]").lower().rstrip(".")
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
