"""A venue on loopback: a real websocket server that does what a test tells it.

Every connection of the venue's endpoints ends here, whatever its path. Promises to remember each
text that a client sent and to send only to who asked for the topic.
"""

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from aiohttp.test_utils import TestServer
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.conformance.speech import Said, Speech

PATIENCE_S = 8.0
GREETING_S = 0.05


@dataclass
class Guest:
    """One client: its socket, what it has sent, what it asked for."""

    socket: ServerConnection
    sent: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)


class VenueServer:
    """Use as a context: listens while inside. `guests` has every client that ever came.

    `grants` has every token that was given out: each lets one client in, once.
    """

    def __init__(self, speech: Speech) -> None:
        self.speech = speech
        self.guests: list[Guest] = []
        self.grants: list[str] = []
        self._unused: set[str] = set()
        self._server: Server | None = None
        self._rest: TestServer | None = None

    async def __aenter__(self) -> "VenueServer":
        # Small buffers, so that a client that does not read is noticed soon; it may take its time.
        self._server = await serve(
            self._welcome, "127.0.0.1", 0, compression=None, write_limit=1024, ping_interval=None
        )
        if self.speech.grant is not None:
            app = web.Application()
            app.router.add_post("/{path:.*}", self._granted)
            self._rest = TestServer(app, host="127.0.0.1")
            await self._rest.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        if self._rest is not None:
            await self._rest.close()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"ws://127.0.0.1:{port}"

    @property
    def urls(self) -> dict[str, str]:
        """Addresses for a collector; what a test does not serve leads nowhere, never away."""
        venue, nowhere = self.speech.venue, "http://127.0.0.1:1"
        if self._rest is None:
            return {venue: self.url, f"{venue}-rest": nowhere}
        return {f"{venue}-rest": f"http://127.0.0.1:{self._rest.port}"}

    async def _granted(self, _request: web.Request) -> web.Response:
        assert self.speech.grant is not None
        token = f"t-{len(self.grants)}"
        self.grants.append(token)
        self._unused.add(token)
        return web.json_response(self.speech.grant(self.url, token))

    async def _welcome(self, socket: ServerConnection) -> None:
        if self.speech.grant is not None:
            assert socket.request is not None
            query = parse_qs(urlsplit(socket.request.path).query)
            token = query.get("token", [""])[0]
            if token not in self._unused or not query.get("connectId"):
                await socket.close(1008, "token")
                return
            self._unused.remove(token)
        guest = Guest(socket)
        if self.speech.greeting is not None:
            with suppress(TimeoutError, ConnectionClosed):
                early = await asyncio.wait_for(socket.recv(), GREETING_S)
                raise AssertionError(f"{early!r} before the greeting")
            with suppress(ConnectionClosed):
                await self.send(guest, self.speech.greeting)
        self.guests.append(guest)
        with suppress(ConnectionClosed):
            async for message in socket:
                assert isinstance(message, str)
                guest.sent.append(message)
                with suppress(json.JSONDecodeError):
                    guest.topics += self.speech.asked(json.loads(message))

    def here(self, topic: str) -> Iterator[Guest]:
        """Connected clients that asked for a topic."""
        return (g for g in self.guests if topic in g.topics and g.socket.close_code is None)

    async def say(self, said: Said) -> None:
        """Send a message to everyone who asked for its topic and stays; somebody must have."""
        topic, message = said
        await until(lambda: any(True for _ in self.here(topic)))
        for guest in [*self.here(topic)]:
            with suppress(ConnectionClosed):
                await self.send(guest, message)

    async def send(self, guest: Guest, message: bytes) -> None:
        """Send to one client, as the venue packs it."""
        packed = self.speech.packed
        await guest.socket.send(gzip.compress(message, 1) if packed else message, text=not packed)

    def break_off(self, topic: str, part: bytes) -> None:
        """Send the head of a longer message to who asked for a topic, then vanish."""
        for guest in [*self.here(topic)]:
            guest.socket.transport.write(bytes([0x81, 126, 0x02, 0x00]) + part[:100])
            guest.socket.transport.abort()

    def scribble(self, topic: str) -> None:
        """Send a frame that no websocket may send: a reserved opcode."""
        for guest in [*self.here(topic)]:
            guest.socket.transport.write(bytes([0x83, 0x00]))


async def until(done: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait for something that must happen soon."""
    async with asyncio.timeout(patience_s):
        while not done():
            await asyncio.sleep(0.005)
