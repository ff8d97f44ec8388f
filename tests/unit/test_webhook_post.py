"""One POST of the webhook: signed, patient with what passes, done with what does not."""

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from streams.config import MarginquakeError
from streams.edges.webhook_post import (
    Delivery,
    Poster,
    Stopped,
    Undelivered,
    retry_after,
    signature,
    target_of,
)
from tests.receiver import OK, SECRET, Received, receiving, signed

ROW = Delivery("a1.1", "alerts.v1", b'{"id":"a1","revision":1}')


async def deliver(url: str, stop: asyncio.Event | None = None, **options: float) -> Poster:
    async with aiohttp.ClientSession() as session:
        target = target_of(url, SECRET)
        chosen = {"first_pause_s": 0.01, **options}
        poster = Poster(session, target, stop or asyncio.Event(), **chosen)  # type: ignore[arg-type]
        await poster.deliver(ROW)
        return poster


def test_a_signature_covers_time_and_body() -> None:
    now = time.time()
    header = signature(SECRET.encode(), int(now), ROW.body)
    assert signed(header, ROW.body, now)
    assert not signed(header, ROW.body + b" ", now)
    assert not signed(header, ROW.body, now + 301)
    assert not signed(header.replace(f"t={int(now)}", f"t={int(now) + 1}"), ROW.body, now)


async def test_a_row_arrives_with_its_headers() -> None:
    with receiving() as receiver:
        poster = await deliver(receiver.url)
    (one,) = receiver.taken
    assert (one.delivery, one.topic, one.row) == ("a1.1", "alerts.v1", {"id": "a1", "revision": 1})
    assert (receiver.unsigned, poster.retries) == (0, 0)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_passes_is_tried_again_under_the_same_id(status: int) -> None:
    with receiving() as receiver:
        receiver.answer = lambda received, times: OK if times == 3 else (status, {}, b"busy")
        poster = await deliver(receiver.url)
    assert [one.delivery for one in receiver.requests] == ["a1.1"] * 3
    assert poster.retries == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
async def test_a_refusal_is_final_and_told_with_the_answer(status: int) -> None:
    with receiving() as receiver:
        receiver.answer = lambda received, times: (status, {}, b"no\x1b[31m such channel")
        with pytest.raises(Undelivered) as refused:
            await deliver(receiver.url)
    assert len(receiver.requests) == 1
    assert refused.value.reason == "refused_by_receiver"
    assert refused.value.detail.endswith(f"answered {status}: no\\x1b[31m such channel")


async def test_a_redirect_is_not_followed() -> None:
    with receiving() as other, receiving() as receiver:
        receiver.answer = lambda received, times: (307, {"Location": other.url}, b"")
        with pytest.raises(Undelivered, match=r"answered 307 .*name the final URL"):
            await deliver(receiver.url)
    assert not other.requests


async def test_no_pause_is_shorter_than_the_receiver_asks() -> None:
    with receiving() as receiver:
        busy = (429, {"Retry-After": "1"}, b"")
        receiver.answer = lambda received, times: OK if times == 2 else busy
        await deliver(receiver.url)
    first, second = receiver.requests
    assert second.at - first.at >= 1.0


async def test_a_receiver_that_does_not_answer_is_tried_again() -> None:
    def slow(received: Received, times: int) -> tuple[int, dict[str, str], bytes]:
        if times == 1:
            time.sleep(1.0)
        return OK

    with receiving() as receiver:
        receiver.answer = slow
        poster = await deliver(receiver.url, timeout_s=0.3)
    assert poster.retries == 1


async def test_a_receiver_that_stays_away_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(Undelivered) as given_up:
        await deliver(f"http://127.0.0.1:{port}/hook/path-that-is-secret", give_up_s=0.2)
    assert given_up.value.reason == "receiver_unavailable"
    assert "no connection" in given_up.value.detail
    assert "path-that-is-secret" not in given_up.value.detail


async def test_a_receiver_whose_certificate_nobody_vouches_for_sees_no_row(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*own_certificate(tmp_path))
    seen: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Undelivered, match="ClientConnectorCertificateError"):
            await deliver(f"https://127.0.0.1:{port}/", give_up_s=0.2)
    assert seen == []


def own_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that it signed itself, and its key."""
    program = shutil.which("openssl")
    if program is None:
        message = "openssl is not here: apt-get install --no-install-recommends openssl"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=127.0.0.1",
    ]
    words += [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run([program, *words], check=True, capture_output=True)
    return certificate, key


REFUSAL = b"HTTP/1.1 400 No\r\nContent-Length: 5\r\n"
HEAD = b"HTTP/1.1 200 Yes\r\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (REFUSAL + b"Content-Encoding: gzip\r\n\r\nabcde", "answered 400"),
        (REFUSAL + b"\r\n", "answered 400"),
        (b"HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "answered 307"),
        (b"HTTP/1.1 101 Switch\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "answered 101"),
        (b"\x00\xff no HTTP\r\n\r\n", "no connection: ClientResponseError"),
        (HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n", "no connection: ClientResponseError"),
        (b"", "no connection: ServerDisconnectedError"),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 1_000_000, ""),
    ],
    ids=["bad gzip", "no text", "redirect", "upgrade", "garbage", "long header", "nothing", "huge"],
)
async def test_a_strange_answer_is_judged_by_its_status(answer: bytes, said: str) -> None:
    """A refusal whose text cannot be read is still a refusal, and not tried for an hour."""

    async with answering(answer) as url:
        poster = deliver(url, give_up_s=0.2, timeout_s=5)
        if not said:
            await poster
            return
        with pytest.raises(Undelivered, match=said) as given_up:
            await poster
    refused = said.startswith("answered")
    assert given_up.value.reason == ("refused_by_receiver" if refused else "receiver_unavailable")


@contextlib.asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A receiver of these bytes for an answer; a refusal then stays silent until the end."""
    over = asyncio.Event()
    served: set[asyncio.Task[None] | None] = set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(ROW.body)
            writer.write(answer)
            await writer.drain()
            if answer.startswith(REFUSAL):
                await over.wait()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        over.set()
        await asyncio.gather(*(task for task in served if task is not None))


async def test_a_stop_ends_the_pauses() -> None:
    stop = asyncio.Event()

    def busy(received: Received, times: int) -> tuple[int, dict[str, str], bytes]:
        stop_soon.call_soon_threadsafe(stop.set)
        return 503, {"Retry-After": "600"}, b""

    stop_soon = asyncio.get_running_loop()
    with receiving() as receiver:
        receiver.answer = busy
        with pytest.raises(Stopped):
            await deliver(receiver.url, stop)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://alerts.example/hook", "in the clear"),
        ("ftp://alerts.example", "use https"),
        ("alerts.example", "use https"),
        ("https://user:word@alerts.example", "leave them out"),
        ("https://[bad", "cannot be read"),
        ("https://a..b/hook", "cannot be read"),
        ("https://" + "a" * 64 + ".example/hook", "cannot be read"),
        ("https://alerts.example/ho ok", "cannot be read"),
        ("https://alerts.example/hook\r\nX: y", "cannot be read"),
    ],
)
def test_a_url_that_is_unsafe_or_none_is_refused(url: str, said: str) -> None:
    with pytest.raises(MarginquakeError, match=said) as refused:
        target_of(url, SECRET)
    assert "word" not in str(refused.value).replace("password", "")


def test_http_is_for_loopback_or_on_demand() -> None:
    for url in ("http://127.0.0.1:1/x", "http://localhost/x", "http://[::1]:80/x"):
        assert target_of(url, SECRET).url == url
    assert target_of("http://alerts.example/x", SECRET, insecure=True).label == (
        "http://alerts.example"
    )


def test_a_short_secret_is_refused_and_none_is_shown() -> None:
    with pytest.raises(MarginquakeError, match="at least 16") as refused:
        target_of("https://alerts.example", "short")
    assert "short" not in str(refused.value)
    shown = repr(target_of("https://alerts.example/path-that-is-secret", SECRET))
    assert SECRET not in shown
    assert "path-that-is-secret" not in shown


def test_a_date_in_the_past_asks_for_no_pause() -> None:
    assert retry_after("Thu, 01 Jan 1970 00:00:10 GMT", 20.0) == 0.0
