"""A request turned into work for a thread: read by the gate, or written by an INSERT.

Between the HTTP request (`server`) and the engine. Promises that a reader's statement runs only
after the gate has passed it, on a connection that is read-only, and that data of an INSERT goes
to the engine as it comes. Refuses, for writers too, what an HTTP server cannot mean: files of the
server (INTO OUTFILE, FROM INFILE), temporary tables, SET and USE without a session, and ENGINE =
Kafka, which makes a chDB store unopenable.
"""

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Final

from streams.serving import native
from streams.serving.access import (
    MAX_STATEMENT,
    Limits,
    check_statement_settings,
    reader_settings,
    writer_settings,
)
from streams.serving.bodies import CHUNK, pieces
from streams.serving.engine import Connection, Store
from streams.serving.errors import QueryError
from streams.serving.gate import Gate, canonical, check_current
from streams.serving.running import Job, Work, guarded
from streams.serving.sessions import Session, change
from streams.serving.statement import (
    STREAMED,
    InsertHead,
    bare,
    gives_rows_in_blocks,
    insert_head,
    may_be_insert,
    output_format,
)

_MAX_BOUND: Final = 64 * 1024 * 1024

_REFUSED: Final = (
    (re.compile(r"\bINTO OUTFILE\b"), "INTO OUTFILE would write a file of the server"),
    (re.compile(r"\bFROM INFILE\b", re.I), "FROM INFILE would read a file of the server"),
    (re.compile(r"^CREATE (OR REPLACE )?TEMPORARY\b"), "temporary tables are not kept here"),
)
_KAFKA: Final = re.compile(r"\bENGINE\s*=\s*[`\"]?Kafka\b", re.IGNORECASE)
_CHANGES: Final = re.compile(r"\s*(?:SET|USE)\b", re.IGNORECASE)
_KILLS: Final = re.compile(r"\s*KILL\b", re.IGNORECASE)
_KILL: Final = re.compile(r"KILL QUERY WHERE query_id = '([^'\\]+)'(?: (?:A?SYNC|TEST))?")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: `query` is its URL parameter and a line end, `body` what follows, decompressed.

    `writes`: the user may write and the method allows it. `settings` are the request's, unchecked;
    `params` are those of `{name:Type}`. `fmt` is the format of an answer that names none.
    `protocol` is the revision of Native that the client reads; 0: as in a file. `session` is where
    SET and USE are kept; what it holds is in `settings`, `params` and `database` already.
    """

    query: bytes
    body: BinaryIO
    writes: bool
    database: str
    fmt: str
    settings: Mapping[str, str]
    params: Mapping[str, str]
    protocol: int
    session: Session | None


@dataclass(slots=True)
class Answer:
    """What is known of an answer once its first piece is there."""

    fmt: str


class Desk:
    """Turns requests into work; one for the whole server."""

    def __init__(self, store: Store, limits: Limits, cancel: Callable[[str, Job], bool]) -> None:
        """`cancel` ends the query of an id for a job, from its thread; False when there is none."""
        self._store = store
        self._limits = limits
        self._cancel = cancel
        with store.connection() as connection:
            self._gate = Gate(connection)
            listed, _ = connection.run("SELECT lower(name) FROM system.formats WHERE is_output")
            self._formats = frozenset(listed.decode().split())

    def work(self, ask: Ask, answer: Answer) -> Work:
        """The work of a request; it fills `answer` before its first piece."""
        act = self._write if ask.writes else self._read
        return lambda job: act(job, ask, answer)

    def _read(self, job: Job, ask: Ask, answer: Answer) -> Generator[bytes, None, None]:
        sql = _statement(ask.query, ask.body)
        if may_be_insert(sql.encode()) and sql.strip():
            raise QueryError(164, "Cannot execute query in readonly mode: INSERT needs the writer")
        settings = reader_settings(ask.settings, self._limits, job.mark)
        with ExitStack() as opened:
            connection = opened.enter_context(self._store.connection(ask.database, settings))
            if _KILLS.match(sql):
                killed = _KILL.fullmatch(canonical(connection, sql))
                if killed is not None:
                    sql = self._killed(killed[1], job)
            elif _CHANGES.match(sql) and self._changed(connection, sql, ask, job):
                return
            reading = self._gate.judge(connection, sql, ask.database, ask.params)
            if reading.settings:
                check_statement_settings(reading.settings, self._limits)
                # A read-only connection takes SETTINGS that say what it has already, and no other.
                both = reader_settings({**ask.settings, **reading.settings}, self._limits, job.mark)
                connection = opened.enter_context(self._store.connection(ask.database, both))
            answer.fmt = self._format(reading.fmt or ask.fmt)
            job.check()
            yield from _rows(connection, job, sql, answer.fmt, ask, reading.in_blocks)

    def _write(self, job: Job, ask: Ask, answer: Answer) -> Generator[bytes, None, None]:
        read, head = _head(ask.query, ask.body)
        settings = writer_settings(ask.settings, job.mark)
        with self._store.connection(ask.database, settings) as connection:
            if head is not None and not (ask.params and head.fmt == "Values"):
                _refuse(head.sql)
                data = chain((read[head.data_from :],), pieces(ask.body))
                job.summary = connection.insert(head, guarded(data, job))
                return
            limit = MAX_STATEMENT if head is None else _MAX_BOUND
            sql = _statement(read, ask.body, limit)
            if head is not None or may_be_insert(read):
                _refuse(sql)
                _, job.summary = connection.run(sql, "Null", ask.params)
                return
            text = canonical(connection, sql)
            _refuse(text)
            if _CHANGES.match(text) and self._changed(connection, sql, ask, job):
                return
            killed = _KILL.fullmatch(text)
            if killed is not None:
                sql = self._killed(killed[1], job)
            answer.fmt = self._format(output_format(text) or ask.fmt)
            in_blocks = gives_rows_in_blocks(text)
            yield from _rows(connection, job, sql, answer.fmt, ask, in_blocks)

    def _changed(self, connection: Connection, sql: str, ask: Ask, job: Job) -> bool:
        """Keep a SET or USE in the session of its request, once the engine has taken it."""
        asked = change(canonical(connection, sql), lambda text: connection.ask(f"SELECT {text}"))
        if asked is None:
            return False
        if ask.session is None:
            raise QueryError(48, "nothing is kept without a session: add session_id to the request")
        database = asked.database or ask.database
        if ask.writes:
            settings = writer_settings({**ask.settings, **asked.settings}, job.mark)
        else:
            check_current(database)
            check_statement_settings(asked.settings, self._limits)
            both = {**ask.settings, **asked.settings}
            settings = reader_settings(both, self._limits, job.mark)
        with self._store.connection(database, settings):
            ask.session.database = asked.database or ask.session.database
            ask.session.settings.update(asked.settings)
            ask.session.params.update(asked.params)
        return True

    def _format(self, fmt: str) -> str:
        """The name of a format, when the engine knows it: chDB's Python objects are no answer."""
        if fmt.lower() not in self._formats:
            raise QueryError(73, f"Unknown format {fmt}.")
        return fmt

    def _killed(self, query_id: str, job: Job) -> str:
        """The engine has its own query ids: ours are looked up here."""
        found = int(self._cancel(query_id, job))
        return (
            f"SELECT 'finished' AS kill_status, '{query_id}' AS query_id, '{job.user}' AS user, "
            f"'' AS query WHERE {found}"
        )


def _rows(
    connection: Connection,
    job: Job,
    sql: str,
    fmt: str,
    ask: Ask,
    in_blocks: bool,
) -> Generator[bytes, None, None]:
    framed = fmt == "Native" and ask.protocol >= native.SINCE
    if in_blocks and fmt in STREAMED:
        with closing(connection.stream(sql, fmt, ask.params)) as blocks:
            for block in guarded(blocks, job):
                yield b"".join(native.reframed(block)) if framed else block
        return
    # Formats with a head or foot are written whole; the limits bound what that takes.
    body, job.summary = connection.run(sql, fmt, ask.params)
    if framed:
        body = b"".join(native.reframed(body))
    for low in range(0, len(body), CHUNK * 4):
        job.check()
        yield body[low : low + CHUNK * 4]


def _refuse(text: str) -> None:
    code = bare(text)
    for pattern, why in _REFUSED:
        if pattern.search(code):
            raise QueryError(48, why)
    if _KAFKA.search(text):
        raise QueryError(
            48, "ENGINE = Kafka makes a chDB store unopenable: `marginquake sink` writes topics"
        )


def _statement(begun: bytes, body: BinaryIO, limit: int = MAX_STATEMENT) -> str:
    parts = [begun]
    size = len(begun)
    for piece in pieces(body):
        parts.append(piece)
        size += len(piece)
        if size > limit:
            raise QueryError(62, f"Max query size exceeded: the statement has over {limit} bytes")
    try:
        return b"".join(parts).decode()
    except UnicodeDecodeError as error:
        raise QueryError(62, f"Syntax error: the statement is not UTF-8 ({error})") from None


def _head(query: bytes, body: BinaryIO) -> tuple[bytes, InsertHead | None]:
    """What was read, and the head of an INSERT with data in it; data may go on in the body."""
    read = query
    ended = bool(read)
    while len(read) <= MAX_STATEMENT:
        if read and not may_be_insert(read):
            return read, None
        head = insert_head(read, complete=ended)
        if head is not None:
            return read, head
        piece = next(pieces(body), b"")
        if not piece and ended:
            return read, None
        ended = not piece
        read += piece
    raise QueryError(62, f"Max query size exceeded: no FORMAT or VALUES in {MAX_STATEMENT} bytes")
