"""What an HTTP request says beside its statement: id, origin, body, compression, dialect.

Between aiohttp and `server`. Promises that what a client sends is refused with a code of
ClickHouse's before it takes a thread: a body that is too long or too slow, an id that is no
header, a web page that asks. Does not read SQL.
"""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import BinaryIO, Final, cast

from aiohttp import web

from streams.serving.access import MAX_STATEMENT, is_loopback
from streams.serving.bodies import Encoder, NativeBlocks, decoded, encoder, native_blocks
from streams.serving.errors import QueryError
from streams.serving.running import WAITS_S, Incoming, Job

MAX_HELD: Final = 2 * MAX_STATEMENT
"""Bytes of a body that is taken whole: any reader's, and a writer's that tells its length."""
_ID: Final = re.compile(r"[ -~]{0,128}")
_REVISION: Final = re.compile(r"[0-9]{1,9}")


def asked_id(request: web.Request) -> str:
    """The client's own id, "" for none; it goes into a header of the answer and into the log.

    Raises:
        QueryError: 36, it cannot be a header's value.
    """
    asked = request.query.get("query_id", "")
    if not _ID.fullmatch(asked):
        raise QueryError(36, "query_id must be at most 128 printable characters of ASCII")
    return asked


def refuse_web_pages(request: web.Request) -> None:
    """No page of a browser may ask: it could not read the answer, but it could keep us busy.

    Raises:
        QueryError: 497.
    """
    if not is_loopback(_name(request.host)):
        raise QueryError(
            497, "asked under a name that is not loopback's; set a password to allow it"
        )
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise QueryError(497, "asked by a web page of another site; set a password to allow it")


def is_greeting(request: web.Request) -> bool:
    """Whether nothing is asked: clients look so whether someone is there."""
    return request.method in ("GET", "HEAD") and not request.query.get("query")


async def request_body(request: web.Request, given: dict[str, str], job: Job) -> BinaryIO:
    """The decompressed body; the fields of a form are added to `given`.

    A thread reads along only for a writer, whose data has no bound: a reader's statement is here
    before it takes one of the few threads.

    Raises:
        QueryError: 48 for external data or an unknown encoding, 62 for too large a statement, 209
            when it does not come.
    """
    if request.content_type == "multipart/form-data":
        async with _in_time():
            form = await request.post()
        for name, value in form.items():
            if not isinstance(value, str):
                raise QueryError(48, f"external data ({name}) is not taken: insert it or use IN")
            given[name] = value
        return io.BytesIO()
    raw: BinaryIO
    if not job.writes or (
        request.content_length is not None and request.content_length <= MAX_HELD
    ):
        async with _in_time():
            raw = io.BytesIO(await _whole(request))
    else:
        incoming = Incoming(request.content, asyncio.get_running_loop(), job)
        raw = cast("BinaryIO", io.BufferedReader(incoming, MAX_HELD))
    body = decoded(raw, request.headers.get("Content-Encoding", ""))
    return native_blocks(body) if given.get("decompress") == "1" else body


async def _whole(request: web.Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > MAX_HELD:
            raise QueryError(62, f"Max query size exceeded: the body has over {MAX_HELD} bytes")
    return b"".join(parts)


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(WAITS_S):
            yield
    except TimeoutError:
        raise QueryError(209, f"the request did not come whole in {WAITS_S:.0f} s") from None


def protocol(asked: str) -> int:
    """The revision of Native that the client reads; 0 when it does not say."""
    if not _REVISION.fullmatch(asked):
        raise QueryError(36, f"client_protocol_version {asked!r} is no number")
    return int(asked)


def chosen_packer(request: web.Request, given: Mapping[str, str]) -> Encoder | None:
    """What compresses the answer, None for nothing."""
    if given.get("compress") == "1":
        return NativeBlocks()
    if given.get("enable_http_compression") == "0":
        return None
    return encoder(request.headers.get("Accept-Encoding", ""))


def _name(host: str) -> str:
    """The name of a `Host` header, without its port."""
    return host.rpartition(":")[0] if host.count(":") == 1 or "]:" in host else host
