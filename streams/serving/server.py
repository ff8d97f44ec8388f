"""ClickHouse's HTTP interface: routes, headers, and the stream of an answer.

Top of the room: aiohttp in front of `asking` and `running`. Promises the statuses and headers that
ClickHouse's clients read, that an error after the first bytes is told inside the answer, and that
a web page cannot ask (no CORS, and without a password only under a loopback name). Does not serve
a web page, and does not log statements or addresses with passwords.
"""

import asyncio
import json
import resource
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, cast
from uuid import uuid4

import structlog
from aiohttp import web

from streams.serving.access import (
    REQUIRED,
    TRANSPORT,
    Limits,
    User,
    Users,
)
from streams.serving.asking import Answer, Ask, Desk
from streams.serving.bodies import Encoder
from streams.serving.engine import Store
from streams.serving.errors import QueryError
from streams.serving.request import (
    MAX_HELD,
    asked_id,
    chosen_packer,
    is_greeting,
    protocol,
    refuse_web_pages,
    request_body,
)
from streams.serving.running import WAITS_S, Job, Lane, Running
from streams.serving.sessions import Kept, Session, Sessions
from streams.telemetry import WAREHOUSE_QUERIES, WAREHOUSE_SECONDS

NAME: Final = "marginquake"
MAX_URI: Final = 1024 * 1024
_MAX_HELD_ANSWER: Final = 256 * 1024 * 1024
_WRITERS: Final = 4
_MOST_CONNECTIONS: Final = 2048
_KILL_S: Final = 10.0
_MAX_TOLD: Final = 15_000
"""Bytes of an error inside an answer; clients look for 16 KiB at most."""
_KINDS: Final = {
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "JSONCompactEachRow": "application/x-ndjson; charset=UTF-8",
    "Parquet": "application/vnd.apache.parquet",
    "Arrow": "application/vnd.apache.arrow.file",
    "ArrowStream": "application/vnd.apache.arrow.stream",
    "Native": "application/octet-stream",
}

log = structlog.get_logger(__name__)


class Server:
    """The served warehouse, from `start` to `stop`."""

    def __init__(self, store: Store, users: Users, limits: Limits) -> None:
        """Nothing listens yet; the store stays the caller's to close, after `stop`."""
        self._store = store
        self._users = users
        self._limits = limits
        self._running: Running | None = None
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Server | None = None
        self._desk: Desk | None = None
        self._sessions = Sessions()
        self._guarded = False
        self.port = 0

    def answers(self) -> bool:
        """Whether the server listens and the store answers; for `/healthz`."""
        if self.port == 0:
            return False
        with self._store.connection() as connection:
            return connection.ask("SELECT 'ok'") == "ok"

    async def start(self, host: str, port: int) -> None:
        """Listen; `port` 0 takes a free one.

        Raises:
            OSError: the address is taken or not of this machine.
        """
        loop = asyncio.get_running_loop()
        running = Running(
            self._store,
            Lane("reader", self._limits.at_once, self._limits.waiting),
            Lane("writer", _WRITERS, self._limits.waiting),
        )

        def cancel(query_id: str, by: Job) -> bool:
            ended = asyncio.run_coroutine_threadsafe(running.cancel(query_id, by), loop)
            try:
                return ended.result(_KILL_S)
            except TimeoutError:
                raise QueryError(159, f"the query did not end within {_KILL_S} s") from None

        self._desk = await asyncio.to_thread(Desk, self._store, self._limits, cancel)
        self._running = running
        # Without a password the browser's same-origin rule is all that guards the data: a page
        # whose name was made to point at loopback has a host name of its own.
        self._guarded = self._users.reader.digest is None
        app = web.Application(client_max_size=MAX_HELD)
        app.router.add_get("/ping", _ok)
        app.router.add_get("/replicas_status", _ok)
        app.router.add_route("*", "/", self._handle)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,
            handler_cancellation=True,
            max_line_size=MAX_URI,
            max_field_size=MAX_URI,
            shutdown_timeout=1.0,
        )
        await self._runner.setup()
        answering = self._runner.server
        assert answering is not None  # noqa: S101 - set up the line before

        def protocol_of_one() -> asyncio.BaseProtocol:
            many = len(answering.connections) >= most_connections()
            return _TurnedAway() if many else answering()

        self._listening = await loop.create_server(protocol_of_one, host, port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def stop(self, grace_s: float = 5.0, kill_s: float = _KILL_S) -> list[str]:
        """Take no new request, let what runs end for so long, cancel the rest.

        Returns:
            The ids of queries that did not end in `kill_s` either. The store must not be closed
            under them: end the process, which a store survives at any moment.
        """
        stuck: list[str] = []
        self.port = 0
        if self._listening is not None:
            self._listening.close()
        if self._running is not None:
            stuck = await self._running.drain(grace_s, kill_s)
        if self._runner is not None:
            await self._runner.cleanup()
        if self._running is not None and not stuck:
            await asyncio.to_thread(self._running.close)
        return stuck

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        started = time.monotonic()
        query_id = str(uuid4())
        role, outcome = "reader", "failed"
        headers = {
            "X-ClickHouse-Server-Display-Name": NAME,
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Timezone": self._store.timezone,
        }
        try:
            query_id = asked_id(request) or query_id
            headers["X-ClickHouse-Query-Id"] = query_id
            if self._guarded:
                refuse_web_pages(request)
            if request.method not in ("GET", "HEAD", "POST"):
                raise QueryError(36, f"method {request.method} is not known here: use POST")
            who = self._users.authenticate(request.query, request.headers)
            role = "writer" if who.writes else "reader"
            if is_greeting(request):
                outcome = "answered"
                return _text(200, "Ok.\n", headers)
            response = await self._answer(request, who, query_id, headers)
            outcome = "answered"
            return response
        except QueryError as error:
            outcome = "refused" if error.status in (401, 403, 503) else "failed"
            log.info("query failed", query_id=query_id, user=role, code=error.code)
            return _failure(error, headers)
        except web.HTTPException as error:
            return _failure(QueryError(36, f"the request is refused: {error.reason}"), headers)
        except ConnectionError:
            log.info("the client went away", query_id=query_id, user=role)
            return _failure(QueryError(210, "the client went away"), headers)
        except Exception as error:  # a defect of ours must not cost the other requests
            log.error("request failed", query_id=query_id, exc_info=error)
            return _failure(QueryError(1001, f"the server failed: {type(error).__name__}"), headers)
        finally:
            WAREHOUSE_QUERIES.labels(role=role, outcome=outcome).inc()
            WAREHOUSE_SECONDS.labels(role=role).observe(time.monotonic() - started)

    async def _answer(
        self, request: web.Request, who: User, query_id: str, headers: dict[str, str]
    ) -> web.StreamResponse:
        if self._desk is None or self._running is None:
            raise QueryError(210, "the server has not started")
        with self._sessions.hold(who.name, request.query) as session:
            return await self._answer_in(session, request, who, query_id, headers)

    async def _answer_in(
        self,
        session: Session | None,
        request: web.Request,
        who: User,
        query_id: str,
        headers: dict[str, str],
    ) -> web.StreamResponse:
        assert self._desk is not None  # noqa: S101 - `_answer` has looked
        assert self._running is not None  # noqa: S101
        given = dict(request.query)
        known = Kept() if session is None else session.kept
        job = Job(query_id, "writer" if who.writes else "reader", who.writes)
        body = await request_body(request, given, job)
        answer = Answer(
            given.get("default_format") or request.headers.get("X-ClickHouse-Format") or "TSV"
        )
        ask = Ask(
            query=f"{given['query']}\n".encode() if given.get("query") else b"",
            body=body,
            writes=who.writes and request.method == "POST",
            trusted=who.writes,
            database=given.get("database")
            or request.headers.get("X-ClickHouse-Database")
            or known.database
            or self._store.database,
            fmt=answer.fmt,
            settings={
                name: value
                for name, value in given.items()
                if name not in TRANSPORT and not name.startswith(("param_", "http_"))
            },
            params={
                **known.params,
                **{
                    name.removeprefix("param_"): value
                    for name, value in given.items()
                    if name.startswith("param_")
                },
            },
            protocol=protocol(given.get("client_protocol_version", "0")),
            session=session,
        )
        if given.get("replace_running_query") == "1":
            await self._running.cancel(query_id, job)
        packer = chosen_packer(request, given)
        async with self._running.pieces(job, self._desk.work(ask, answer)) as pieces:
            if given.get("wait_end_of_query") == "1":
                pieces = _held(pieces)
            first = await anext(pieces, b"")
            second = await anext(pieces, b"") if first else b""
            headers["X-ClickHouse-Format"] = answer.fmt
            headers["Content-Type"] = _KINDS.get(answer.fmt, "text/plain; charset=UTF-8")
            headers["X-ClickHouse-Summary"] = json.dumps(job.summary.as_header())
            headers["Vary"] = "Accept-Encoding"
            if packer is not None and packer.name:
                headers["Content-Encoding"] = packer.name
            if not second:
                whole = first if packer is None else packer.encode(first) + packer.finish()
                return web.Response(body=whole, headers=headers)
            response = web.StreamResponse(headers=headers)
            await self._stream(request, response, _again(first, second, pieces), packer)
            return response

    async def _stream(
        self,
        request: web.Request,
        response: web.StreamResponse,
        pieces: AsyncIterator[bytes],
        packer: Encoder | None,
    ) -> None:
        """Send the pieces; an error of the engine is told inside, then the connection is cut."""
        tag = uuid4().hex[:16]
        response.headers["X-ClickHouse-Exception-Tag"] = tag
        await response.prepare(request)
        error: QueryError | None = None
        try:
            async for piece in pieces:
                packed = piece if packer is None else packer.encode(piece)
                await asyncio.wait_for(response.write(packed), WAITS_S)
        except QueryError as failed:
            error = failed
        if error is not None:
            log.info("query failed inside its answer", code=error.code)
            message = str(error).encode()[:_MAX_TOLD]
            told = b"\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n" % (
                tag.encode(),
                message,
                len(message) + 1,
                tag.encode(),
            )
            await response.write(told if packer is None else packer.encode(told))
        if packer is not None:
            await response.write(packer.finish())
        if error is not None and request.transport is not None:
            # No last chunk: a client that does not look for the tag sees a broken answer.
            response.force_close()
            request.transport.close()
            return
        await response.write_eof()


class _TurnedAway(asyncio.Protocol):
    """A connection too many, ended at once: without it the engine would have no file left."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).abort()


def most_connections() -> int:
    """Connections at once: half the files that the process may open, the engine has the rest."""
    return min(_MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)


async def _ok(request: web.Request) -> web.Response:
    return _text(200, "Ok.\n", {"X-ClickHouse-Server-Display-Name": NAME})


async def _held(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """All pieces as one, so that an error still has its own status."""
    kept: list[bytes] = []
    size = 0
    async for piece in pieces:
        kept.append(piece)
        size += len(piece)
        if size > _MAX_HELD_ANSWER:
            raise QueryError(
                396, "the answer is too large for wait_end_of_query=1: leave that out or ask less"
            )
    yield b"".join(kept)


async def _again(first: bytes, second: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    yield second
    async for piece in rest:
        yield piece


def _failure(error: QueryError, headers: Mapping[str, str]) -> web.Response:
    code, status = error.code, error.status
    extra: dict[str, Any] = {}
    if code == REQUIRED:
        # The browser's and curl's word for "give a password"; the code is that of a wrong one.
        error, status = QueryError(516, error.text), 401
        extra["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
    kept = {k: v for k, v in headers.items() if k.startswith("X-") and k != "X-ClickHouse-Format"}
    kept["X-ClickHouse-Exception-Code"] = str(error.code)
    return _text(status, f"{error}\n", kept | extra)


def _text(status: int, text: str, headers: Mapping[str, str]) -> web.Response:
    # An error can quote a header, whose bytes need not be UTF-8.
    body = text.encode(errors="backslashreplace")
    return web.Response(
        status=status, body=body, headers=headers, content_type="text/plain", charset="utf-8"
    )
