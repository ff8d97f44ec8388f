"""The dashboard's HTTP: the page, its files, and one stream of server-sent events a browser.

Between `watch` and the browser. Listens on loopback unless told otherwise. Promises that the page
may load nothing from elsewhere (Content-Security-Policy), that a page of another site can neither
read it through a name of its own (Host is checked) nor keep the warehouse busy (Sec-Fetch-Site is),
and that reading is all it does. Has no accounts: whoever reaches the port reads the warehouse's
public facts.
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
LINGER_S: Final = 5.0
"""A question is read so long for nobody: between a page and its stream, and across a reload."""
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
        app.on_response_prepare.append(_strict)
        app.router.add_get("/", self._page)
        app.router.add_get("/static/{name}", self._file)
        app.router.add_get("/events", self._events)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Only names of this machine, as long as only this machine is served; no other site."""
        if is_loopback(self.host) and not is_loopback(_name(request.host)):
            raise web.HTTPForbidden(text="this dashboard answers to loopback names only\n")
        # Other ports of this machine are the same site to a browser. A link from there is welcome.
        if (
            request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
            and request.headers.get("Sec-Fetch-Mode") != "navigate"
        ):
            raise web.HTTPForbidden(text="this dashboard answers to its own page only\n")
        return await handler(request)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """The page; what its address asks is read while the browser takes the page apart."""
        with suppress(MarginquakeError, web.HTTPServiceUnavailable):  # told when it is asked
            question = _asked(request)
            self._watch(question)
            self._linger(question)
        return await self._file(request)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        asset = self.assets.get(request.match_info.get("name", "index.html"))
        if asset is None:
            raise web.HTTPNotFound(text="no such file\n")
        headers = {"ETag": f'"{asset.tag}"', "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        response = web.Response(
            body=asset.body, content_type=asset.kind, charset="utf-8", headers=headers
        )
        response.enable_compression()
        return response

    async def _events(self, request: web.Request) -> web.StreamResponse:
        try:
            question = _asked(request)
        except MarginquakeError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        async with self._listening(question) as listener:
            with suppress(ConnectionResetError):  # the browser has gone
                await response.prepare(request)
                await _stream(listener, response)
        return response

    @asynccontextmanager
    async def _listening(self, question: Question) -> AsyncIterator[Listener]:
        """A listener; the watch begins with the first of a question and outlives the last."""
        watch = self._watch(question)
        listener = watch.join()
        try:
            yield listener
        finally:
            watch.listeners.discard(listener)
            if not watch.listeners:
                self._linger(question)

    def _watch(self, question: Question) -> Watch:
        """The watch of a question; a new one takes the place of one that nobody looks at."""
        if question not in self.watches:
            if len(self.watches) >= MOST_WATCHES:
                alone = (one for one, (watch, _) in self.watches.items() if not watch.listeners)
                self._end(next(alone, None))
            watch = Watch(self.reader, question, self.panels, self.poll_s)
            self.watches[question] = (watch, asyncio.create_task(watch.run()))
        return self.watches[question][0]

    def _linger(self, question: Question) -> None:
        watch, _ = self.watches[question]

        def leave() -> None:
            known = self.watches.get(question)
            if known is not None and known[0] is watch and not watch.listeners:
                self._end(question)

        asyncio.get_running_loop().call_later(LINGER_S, leave)

    def _end(self, question: Question | None) -> None:
        if question is None:
            raise web.HTTPServiceUnavailable(
                text=f"{MOST_WATCHES} different views are open; close one\n"
            )
        _, task = self.watches.pop(question)
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


def _asked(request: web.Request) -> Question:
    asked = request.query
    return parse_question(
        asked.get("asset", "ALL"), asked.get("range"), asked.get("from"), asked.get("to")
    )


async def _strict(request: web.Request, response: web.StreamResponse) -> None:
    """Refusals too: they repeat what was asked."""
    response.headers.update(HEADERS)


def _name(host: str) -> str:
    """The name in a Host header, empty when it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether an address or name means this machine alone."""
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
        MarginquakeError: the port is taken, the address is none, or uPlot cannot be resolved.
    """
    if not host:
        # An empty variable in a script must not open the page to the network.
        raise MarginquakeError("--host is empty: give 127.0.0.1, or the address to listen on")
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
                "choose another --port or --host"
            ) from None
        bound = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}/"
    finally:
        opening.cancel()
        await runner.cleanup()
        for _, task in list(dashboard.watches.values()):
            task.cancel()
        await reader.close()
