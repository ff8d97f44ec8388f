"""Reading the warehouse again and again for those who look, and telling them what changed.

Between `panels` and `server`. One watch serves every browser that asks the same question. Promises
that a change in the warehouse is told with the next round (a second by default), that a costly
panel is read less often rather than holding up the others, that a reader who is slow gets the
newest state instead of a backlog, and that a panel or a warehouse that fails is told as such and
tried again. Statements run one at a time on one thread: chDB and its readers share no session.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import msgspec
import structlog
from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError
from streams.dashboard.panels import Panels
from streams.dashboard.questions import Question
from streams.edges.warehouse import connect_reader, limit_time
from streams.facts import feeds
from streams.facts.reading import Span, WarehouseAway

log = structlog.get_logger(__name__)

PATIENCE: Final = 4.0
"""A panel that took t seconds is not read again before `PATIENCE` * t have passed."""
MOST_S: Final = 10
"""Seconds after which a statement is given up: the others wait for it."""
SILENT_S: Final = MOST_S + 2
"""Seconds after which a server that says nothing is given up: it should have by `MOST_S`."""
AGAIN_S: Final = 30.0
"""Seconds before a panel whose statement failed is read again."""

T = TypeVar("T")


class Reader:
    """The one connection of a dashboard; opened when needed, dropped when it fails."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._client: Client | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="warehouse")

    async def ask(self, read: Callable[[Client, Span], T], span: Span) -> T:
        """What `read` finds.

        Raises:
            WarehouseAway: it cannot be opened, or no answer comes.
            MarginquakeError: it refuses.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._read, read, span
        )

    def _read(self, read: Callable[[Client, Span], T], span: Span) -> T:
        if self._client is None:
            try:
                client = connect_reader(self._dsn, SILENT_S)
                limit_time(client, self._dsn, MOST_S)
            except MarginquakeError as error:
                raise WarehouseAway(str(error)) from None
            self._client = client
        return read(self._client, span)

    async def reopen(self) -> None:
        """Take a fresh connection with the next statement."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def close(self) -> None:
        """End the connection after the statement that runs."""
        await self.reopen()
        self._thread.shutdown()


class Listener:
    """A browser: the newest of each kind of message that it has not had."""

    def __init__(self) -> None:
        self._waiting: dict[str, bytes] = {}
        self._woken = asyncio.Event()

    def tell(self, name: str, body: bytes) -> None:
        """Put a message in, instead of an older one of its name."""
        self._waiting.pop(name, None)
        self._waiting[name] = body
        self._woken.set()

    async def heard(self) -> list[tuple[str, bytes]]:
        """What has come, oldest first; waits for the first."""
        await self._woken.wait()
        self._woken.clear()
        found = list(self._waiting.items())
        self._waiting.clear()
        return found


class Watch:
    """One question, read each `poll_s` seconds while anyone listens."""

    def __init__(self, reader: Reader, question: Question, panels: Panels, poll_s: float) -> None:
        self._reader = reader
        self._question = question
        self._panels = panels.by_name()
        self._stale_after_s = panels.stale_after_s
        self._poll_s = poll_s
        self._told: dict[str, bytes] = {}
        self._due: dict[str, float] = {}
        self._failure: str | None = None
        self.listeners: set[Listener] = set()

    def join(self) -> Listener:
        """A new listener, given all that is known at once."""
        listener = Listener()
        for name, body in self._told.items():
            listener.tell(name, body)
        self.listeners.add(listener)
        return listener

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            began = time.monotonic()
            try:
                await self.round()
            except Exception as error:
                # Whoever looks must not take the last figures for the present ones.
                log.exception("a round failed", question=self._question)
                self._fails(f"the dashboard failed ({type(error).__name__}); its log says where")
                await self._reader.reopen()
            await asyncio.sleep(max(0.0, self._poll_s - (time.monotonic() - began)))

    async def round(self) -> None:
        """Read all that is due and tell what changed; the clock says what went wrong."""
        now = time.time_ns() // 1000
        span = self._question.span(now)
        reach: feeds.Reach | None = None
        failure: str | None = None
        try:
            reach = await self._reader.ask(feeds.reach, span)
            if self._failure is None:
                # First, for the panels are drawn over its span.
                self._clock(now, span, reach)
            for name in self._panels:
                await self._panel(name, span)
        except MarginquakeError as error:
            failure = str(error)
            self._due.clear()
            await self._reader.reopen()
        self._failure = failure
        self._clock(now, span, reach)

    def _fails(self, why: str) -> None:
        now = time.time_ns() // 1000
        self._failure = why
        self._clock(now, self._question.span(now), None)

    def _clock(self, now: int, span: Span, reach: feeds.Reach | None) -> None:
        self._tell(
            "clock",
            {
                "now": now,
                "span": span,
                "live": self._question.live_s is not None,
                "reach": reach,
                "stale_after_s": self._stale_after_s,
                "failure": self._failure,
            },
        )

    async def _panel(self, name: str, span: Span) -> None:
        began = time.monotonic()
        if began < self._due.get(name, 0.0):
            return
        try:
            facts = await self._reader.ask(self._panels[name], span)
        except WarehouseAway:
            raise
        except MarginquakeError as error:
            # One panel's trouble, such as a range too long to read, leaves the others alone.
            self._due[name] = began + AGAIN_S
            self._tell(name, {"failure": str(error)})
            return
        took = time.monotonic() - began
        self._due[name] = began + (took * PATIENCE if took > self._poll_s / 4 else 0.0)
        self._tell(name, facts)

    def _tell(self, name: str, facts: dict[str, Any]) -> None:
        body = msgspec.json.encode(facts)
        if self._told.get(name) == body:
            return
        self._told[name] = body
        for listener in self.listeners:
            listener.tell(name, body)
