"""A request turned into work for a thread: read by the gate, or written by an INSERT.

Between the HTTP request (`server`) and the engine. Promises that a reader's statement runs only
after the gate has passed it, on a connection that is read-only, and that data of an INSERT goes
to the engine as it comes. Refuses, for writers too, what an HTTP server cannot mean: files of the
server (INTO OUTFILE, FROM INFILE), temporary tables, SET and USE without a session, and ENGINE =
Kafka, which makes a chDB store unopenable.
"""

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
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
from streams.serving.sessions import Kept, Session, change
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
_BLANK: Final = r"(?:\s+|--[^\n]*(?:\n|$)|\#[ !][^\n]*(?:\n|$)|/\*.*?\*/)*+"
_KAFKA: Final = re.compile(r"\bENGINE\s*=\s*[`\"]?Kafka\b", re.IGNORECASE)
_CHANGES: Final = re.compile(rf"{_BLANK}(?:SET|USE)\b", re.IGNORECASE | re.DOTALL)
_KILLS: Final = re.compile(rf"{_BLANK}KILL\b", re.IGNORECASE | re.DOTALL)
_KILL: Final = re.compile(r"KILL QUERY WHERE query_id = '([^'\\]+)'(?: (?:A?SYNC|TEST))?")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: `query` is its URL parameter and a line end, `body` what follows, decompressed.

    `writes`: the user may write and the method allows it; `trusted`: the user may. `settings` are
    the request's, unchecked, and hold over those of the session; `params` are those of
    `{name:Type}`. `fmt` is the format of an answer that names none. `protocol` is the revision of
    Native that the client reads; 0: as in a file. `session` is where SET and USE are kept; its
    parameters and its database are in `params` and `database` already.
    """

    query: bytes
    body: BinaryIO
    writes: bool
    trusted: bool
    database: str
    fmt: str
    settings: Mapping[str, str]
    params: Mapping[str, str]
    protocol: int
    session: Session | None

    @property
    def kept(self) -> Kept:
        """What the request starts from."""
        return Kept() if self.session is None else self.session.kept


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
        # What parses and looks up names has none of the request's settings: `limit` is for answers.
        plain = reader_settings({}, self._limits, job.mark)
        with self._store.connection(settings=plain) as parser:
            if _CHANGES.match(sql) and self._changed(parser, canonical(parser, sql), ask, job):
                return
            if _KILLS.match(sql):
                killed = _KILL.fullmatch(canonical(parser, sql))
                if killed is not None:
                    sql = self._killed(killed[1], job)
            reading = self._gate.judge(parser, sql, ask.database, ask.params)
        check_statement_settings(reading.settings, self._limits)
        # A read-only connection takes SETTINGS that say what it has already, and no other.
        settings = self._reader_settings(ask.kept, {**ask.settings, **reading.settings}, ask, job)
        answer.fmt = self._format(reading.fmt or ask.fmt)
        job.check()
        with self._opened(ask, ask.database, settings) as connection:
            yield from _rows(connection, job, sql, answer.fmt, ask, reading.in_blocks)

    def _write(self, job: Job, ask: Ask, answer: Answer) -> Generator[bytes, None, None]:
        read, head = _head(ask.query, ask.body)
        settings = writer_settings({**ask.kept.settings, **ask.settings}, job.mark)
        if head is not None and not (ask.params and head.fmt == "Values"):
            _refuse(head.sql)
            data = chain((read[head.data_from :],), pieces(ask.body))
            with self._opened(ask, ask.database, settings) as connection:
                job.summary = connection.insert(head, guarded(data, job))
            return
        limit = MAX_STATEMENT if head is None else _MAX_BOUND
        sql = _statement(read, ask.body, limit)
        if head is not None or may_be_insert(read):
            _refuse(sql)
            with self._opened(ask, ask.database, settings) as connection:
                _, job.summary = connection.run(sql, "Null", ask.params)
            return
        # As a reader's: a setting of the request could hide what is refused.
        with self._store.connection(settings=writer_settings({}, job.mark)) as parser:
            text = canonical(parser, sql)
            _refuse(text)
            if self._changed(parser, text, ask, job):
                return
        killed = _KILL.fullmatch(text)
        if killed is not None:
            sql = self._killed(killed[1], job)
        answer.fmt = self._format(output_format(text) or ask.fmt)
        in_blocks = gives_rows_in_blocks(text)
        with self._opened(ask, ask.database, settings) as connection:
            yield from _rows(connection, job, sql, answer.fmt, ask, in_blocks)

    def _changed(self, parser: Connection, text: str, ask: Ask, job: Job) -> bool:
        """Keep a SET or USE in the session of its request, once the engine has taken it."""
        asked = change(text, lambda literal: parser.ask(f"SELECT {literal}"))
        if asked is None:
            return False
        if ask.session is None:
            raise QueryError(48, "nothing is kept without a session: add session_id to the request")
        after = ask.kept.after(asked)
        # Moving away must not need the database that it leaves: it may be gone.
        database = asked.database or ask.database
        if ask.writes:
            settings = writer_settings({**after.settings, **ask.settings}, job.mark)
        else:
            check_current(database)
            given = {name: value for name, value in asked.settings.items() if value is not None}
            check_statement_settings(given, self._limits)
            settings = self._reader_settings(after, ask.settings, ask, job)
        with self._opened(ask, database, settings):
            ask.session.kept = after
        return True

    def _reader_settings(
        self, kept: Kept, asked: Mapping[str, str], ask: Ask, job: Job
    ) -> dict[str, str]:
        """Of a connection that reads; what a writer's session keeps was granted to a writer."""
        if ask.trusted:
            return {**kept.settings, **reader_settings(asked, self._limits, job.mark)}
        return reader_settings({**kept.settings, **asked}, self._limits, job.mark)

    def _opened(self, ask: Ask, database: str, settings: Mapping[str, str]) -> Connection:
        """A connection, or how a session comes out of a database that is gone."""
        try:
            return self._store.connection(database, settings)
        except QueryError as error:
            if error.code == 81 and database == ask.kept.database:
                text = f"{error.text}. The session is still in it: USE another, or close_session=1"
                raise QueryError(81, text) from None
            raise

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
