"""The dashboard's HTTP: the page, its files, and one stream of server-sent events a browser.

Between `watch` and the browser. Listens on loopback unless told otherwise. Promises that the page
may load nothing from elsewhere (Content-Security-Policy), that a page of another site cannot read
it through a name of its own (Host is checked), and that reading is all it does. Has no accounts:
whoever reaches the port reads the warehouse's public facts.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from streams.config import MarginquakeError
from streams.core.results import MARKET
from streams.dashboard.assets import Asset, load_assets
from streams.dashboard.panels import Panels
from streams.dashboard.questions import Question, parse_question
from streams.dashboard.watch import Listener, Reader, Watch
from streams.facts import feeds
from streams.facts.reading import Span

MOST_WATCHES: Final = 16
"""Different questions at one time; each costs the warehouse its statements every second."""
KEEP_ALIVE_S: Final = 15.0
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Dashboard:
    """A dashboard's state: what is watched now, and by whom."""

    host: str
    assets: dict[str, Asset]
    reader: Reader
    panels: Panels
    poll_s: float
    watches: dict[Question, tuple[Watch, asyncio.Task[None]]] = field(default_factory=dict)

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", self._file)
        app.router.add_get("/static/{name}", self._file)
        app.router.add_get("/events", self._events)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Only names of this machine, as long as only this machine is served."""
        if _loopback(self.host) and not _loopback(urlsplit(f"//{request.host}").hostname or ""):
            raise web.HTTPForbidden(text="this dashboard answers to loopback names only\n")
        return await handler(request)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        asset = self.assets.get(request.match_info.get("name", "index.html"))
        if asset is None:
            raise web.HTTPNotFound(text="no such file\n")
        headers = {**HEADERS, "ETag": f'"{asset.tag}"', "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        response = web.Response(
            body=asset.body, content_type=asset.kind, charset="utf-8", headers=headers
        )
        response.enable_compression()
        return response

    async def _events(self, request: web.Request) -> web.StreamResponse:
        asked = request.query
        try:
            question = parse_question(
                asked.get("asset", "ALL"), asked.get("range"), asked.get("from"), asked.get("to")
            )
        except MarginquakeError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        if question not in self.watches and len(self.watches) >= MOST_WATCHES:
            raise web.HTTPServiceUnavailable(
                text=f"{MOST_WATCHES} different views are open; close one\n"
            )
        response = web.StreamResponse(
            headers={**HEADERS, "Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        async with self._listening(question) as listener:
            with suppress(ConnectionResetError):  # the browser has gone
                await _stream(listener, response)
        return response

    @asynccontextmanager
    async def _listening(self, question: Question) -> AsyncIterator[Listener]:
        """A listener; the watch begins with the first of a question and ends with the last."""
        if question not in self.watches:
            watch = Watch(self.reader, question, self.panels, self.poll_s)
            self.watches[question] = (watch, asyncio.create_task(watch.run()))
        watch, task = self.watches[question]
        listener = watch.join()
        try:
            yield listener
        finally:
            watch.listeners.discard(listener)
            if not watch.listeners:
                self.watches.pop(question, None)
                task.cancel()


async def _stream(listener: Listener, response: web.StreamResponse) -> None:
    while True:
        try:
            found = await asyncio.wait_for(listener.heard(), KEEP_ALIVE_S)
        except TimeoutError:
            await response.write(b": still here\n\n")
            continue
        for name, body in found:
            await response.write(b"event: %s\ndata: %s\n\n" % (name.encode(), body))


async def _open(reader: Reader) -> None:
    with suppress(MarginquakeError):  # told to whoever looks
        await reader.ask(feeds.reach, Span(MARKET, 0, 0))


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def serving(
    dsn: str, home: Path, host: str, port: int, panels: Panels, poll_s: float
) -> AsyncIterator[str]:
    """Serve until the block ends; gives the page's address.

    Args:
        dsn: the warehouse, see `streams.edges.warehouse.parse_dsn`; need not be reachable.
        home: MARGINQUAKE_HOME, where uPlot's jar is kept.
        host: address to listen on.
        port: 0 = a free one.
        panels: what is shown.
        poll_s: seconds between two looks at the warehouse.

    Raises:
        MarginquakeError: the port is taken, or uPlot cannot be resolved.
    """
    reader = Reader(dsn)
    dashboard = Dashboard(host, load_assets(home), reader, panels, poll_s)
    # No time to drain: a stream of events never ends by itself.
    runner = web.AppRunner(dashboard.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    # An embedded warehouse takes seconds to open: not while the first reader waits.
    opening = asyncio.create_task(_open(reader))
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise MarginquakeError(
                f"cannot serve the dashboard on {host}:{port} ({error.strerror}); "
                "choose another --port"
            ) from None
        bound = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}/"
    finally:
        opening.cancel()
        await runner.cleanup()
        for _, task in list(dashboard.watches.values()):
            task.cancel()
        await reader.close()
