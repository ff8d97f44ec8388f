"""One place in a collector's plan, held by one connection after another.

Above `session`. Promises a new connection after every cut, with growing jittered pauses, and
before the venue's own limit of age, when the new one is heard before the old one is closed.
Back-off is written out here and not left to tenacity: it must end at once when the collector
stops, and begin anew only after a connection that has lived a while.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Final

import structlog
from websockets.exceptions import WebSocketException

from streams.collect.planning import Plan
from streams.collect.reach import Reach
from streams.collect.records import MakeSink
from streams.collect.session import Session
from streams.config import MarginquakeError
from streams.core.instruments import Instruments
from streams.telemetry import CONNECTIONS_UP, RECONNECTS

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0
PROVEN_S: Final = 60.0
"""A connection that lived so long ends a row of failures."""
EARLY: Final = (0.90, 0.97)
"""Share of the age limit, drawn between these, at which a connection is renewed."""
HEIR_S: Final = 60.0
"""How long an heir may take until its first heartbeat."""
RETRY_S: Final = 60.0
"""Between two attempts to find an heir, and two renewals for the sake of a book."""
NAMES: Final = "ab"
"""An heir and who it follows need different names while both live."""

_log: Final = structlog.get_logger("collect")


class Line:
    """Keeps the connection of a plan until `stop` is set."""

    def __init__(
        self,
        plan: Plan,
        make_sink: MakeSink,
        instruments: Instruments,
        stop: asyncio.Event,
        reach: Reach,
    ) -> None:
        self._plan = plan
        self._reach = reach
        self._make_sink = make_sink
        self._instruments = instruments
        self._stop = stop
        self._failures = 0
        self._turn = 0
        # Told from the start: a venue that never connects would have no number to fire at.
        CONNECTIONS_UP.labels(venue=plan.venue)
        for reason in ("failed", "lost", "renewed"):
            RECONNECTS.labels(venue=plan.venue, reason=reason)

    async def run(self) -> None:
        """Serve until `stop`, then leave nothing behind."""
        session = await self._opened()
        while session is not None:
            session = await self._served(session) or await self._opened()

    async def _opened(self) -> Session | None:
        """A new connection, however many attempts it takes; None when stopped."""
        name = f"{self._plan.name}{NAMES[self._turn % len(NAMES)]}"
        while not self._stop.is_set():
            await self._pause()
            opening = asyncio.create_task(
                Session.opened(self._plan, name, self._make_sink, self._instruments)
            )
            try:
                if await self._until((opening,)):
                    session = opening.result()
                    self._reach.opened(self._plan)
                    return session
            except (WebSocketException, OSError) as error:
                self._failures += 1
                self._count("failed")
                self._reach.failed(self._plan, str(error))
                _log.warning("cannot connect", connection=name, error=str(error))
            finally:
                opening.cancel()
        return None

    async def _served(self, session: Session) -> Session | None:
        """Serve a connection to its end; gives its heir, if it has one."""
        began = asyncio.get_running_loop().time()
        age = self._plan.endpoint.limits.life_s
        life_s = None if age is None else age * random.uniform(*EARLY)  # noqa: S311
        torn = asyncio.create_task(_wrong(session))
        try:
            while not await self._over(session, (session.ended, torn), life_s):
                heir = await self._heir(session)
                if heir is not None:
                    self._failures = 0
                    self._count("renewed")
                    await session.finish("renewed")
                    return heir
                life_s = RETRY_S
                torn = asyncio.create_task(asyncio.sleep(RETRY_S))
        finally:
            torn.cancel()
        why = "stopped" if self._stop.is_set() else session.ended.result()
        if not self._stop.is_set():
            self._count("lost")
        _log.info("connection ended", connection=session.name, why=why)
        await session.finish(why)
        lived_s = asyncio.get_running_loop().time() - began
        self._failures = 0 if lived_s > PROVEN_S else self._failures + 1
        return None

    def _count(self, reason: str) -> None:
        RECONNECTS.labels(venue=self._plan.venue, reason=reason).inc()

    async def _over(
        self, session: Session, tasks: Sequence[asyncio.Task[Any]], life_s: float | None
    ) -> bool:
        """Wait; True when the connection has ended or must, False when it wants an heir."""
        await self._until(tasks, life_s)
        return self._stop.is_set() or session.ended.done()

    async def _heir(self, session: Session) -> Session | None:
        """A connection that has had its first heartbeat, to take over; None if it has not."""
        self._turn += 1
        try:
            heir = await self._opened()
        except MarginquakeError as error:
            # A sink that does not begin is no reason to end one that may only be waiting.
            _log.warning("cannot renew", connection=session.name, error=str(error))
            heir = None
        if heir is None:
            self._turn += 1
            return None
        ready = asyncio.create_task(heir.ready())
        try:
            await self._until((ready, heir.ended), HEIR_S)
            if ready.done():
                return heir
        finally:
            ready.cancel()
        self._turn += 1
        await heir.finish("stopped" if self._stop.is_set() else "never heard")
        return None

    async def _until(
        self, tasks: Sequence[asyncio.Task[Any]], limit_s: float | None = None
    ) -> bool:
        """Wait for the first of some tasks, for `stop` or for a time; True when a task is done."""
        stopping = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait(
                (*tasks, stopping), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            stopping.cancel()
        return bool(done - {stopping})

    async def _pause(self) -> None:
        """Wait between attempts, the longer the more of them failed."""
        if self._failures:
            most_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._failures - 1, 20))
            delay_s = most_s * random.uniform(0.5, 1.0)  # noqa: S311
            await self._until((), delay_s)


async def _wrong(session: Session) -> None:
    """Wait until a book is wrong, and the connection old enough to be renewed for it."""
    loop = asyncio.get_running_loop()
    young_until = loop.time() + RETRY_S
    await session.torn()
    await asyncio.sleep(max(0.0, young_until - loop.time()))
