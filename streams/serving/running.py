"""Queries while they run: worker threads by kind of user, back-pressure, cancellation.

Between the HTTP server's event loop and the blocking engine. Promises that readers wait for
readers only (a writer has threads of its own), that an answer is never held whole for a slow
client, and that a cancelled query is killed in the engine and its thread freed. Does not know
HTTP.
"""

import asyncio
import io
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import structlog

from streams.serving.engine import Store, Summary
from streams.serving.errors import QueryError
from streams.telemetry import WAREHOUSE_RUNNING

WAITS_S: Final = 60.0
"""How long a query waits for its client to send or to take the next piece."""
TAKES_S: Final = 600.0
"""How long a reader's client may take for its whole answer: it holds a thread and the answer."""
_GRAIN_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 5.0
_AHEAD: Final = 2

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Job:
    """One query; `mark` is its `log_comment` in the engine, by which it is killed."""

    query_id: str
    user: str
    writes: bool
    mark: str = field(default_factory=lambda: f"marginquake-{uuid4().hex}")
    cancelled: threading.Event = field(default_factory=threading.Event)
    started: float = field(default_factory=time.monotonic)
    summary: Summary = field(default_factory=Summary)
    ended: bool = False
    """Its last piece was taken: nothing is left to cancel."""

    def check(self) -> None:
        """Raise QueryError when the job was cancelled."""
        if self.cancelled.is_set():
            raise QueryError(394, "Query was cancelled.")


Work = Callable[[Job], Generator[bytes, None, None]]
"""Runs in a worker thread: yields the answer's pieces, sets `job.summary` before it ends."""


class Lane:
    """Worker threads for one kind of user, with a bounded queue before them."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        """Threads start when needed."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"warehouse-{name}")
        self._limit = threads + waiting
        self._taken = 0
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], None]) -> Future[None]:
        """Run it when a thread is free.

        Raises:
            QueryError: 202, too many wait already.
        """
        with self._lock:
            if self._taken >= self._limit:
                raise QueryError(
                    202, f"Too many simultaneous queries: {self._limit} run or wait; try again"
                )
            self._taken += 1
        future = self._pool.submit(work)
        future.add_done_callback(self._leave)
        return future

    def close(self) -> None:
        """Wait for what runs."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _leave(self, _: object) -> None:
        with self._lock:
            self._taken -= 1


class Running:
    """All queries of the server. Made on the event loop's thread."""

    def __init__(self, store: Store, readers: Lane, writers: Lane) -> None:
        """The lanes are this object's to close."""
        self._store = store
        self._readers, self._writers = readers, writers
        self._killer = ThreadPoolExecutor(1, thread_name_prefix="warehouse-kill")
        self._jobs: dict[str, tuple[Job, Future[None]]] = {}

    @asynccontextmanager
    async def pieces(self, job: Job, work: Work) -> AsyncIterator[AsyncIterator[bytes]]:
        """The pieces of an answer as they come; leaving the block early cancels the query.

        Raises:
            QueryError: 202, or 216 when the query id is in use, at once; what `work` raises, while
                the pieces are read.
        """
        if job.query_id in self._jobs:
            raise QueryError(216, f"Query with id = {job.query_id} is already running.")
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue(_AHEAD)
        lane = self._writers if job.writes else self._readers

        def run() -> None:
            end: BaseException | None = None
            try:
                job.check()
                # Closed in this thread: a stream of chDB that is closed behind its connection, as
                # collection would do some time later, is a fatal error of the whole engine.
                with closing(work(job)) as pieces:
                    for piece in pieces:
                        if piece:
                            _hand_over(loop, queue, piece, job)
            except BaseException as error:
                end = error
            if not job.cancelled.is_set():
                _hand_over(loop, queue, end, job)

        future = lane.submit(run)
        self._jobs[job.query_id] = (job, future)
        WAREHOUSE_RUNNING.labels(role=job.user).inc()
        try:
            yield _until_end(queue, job)
        finally:
            try:
                if not job.ended and not future.done():
                    await self._end(job, future)
            finally:
                WAREHOUSE_RUNNING.labels(role=job.user).dec()
                del self._jobs[job.query_id]

    async def cancel(self, query_id: str, by: Job | None = None) -> bool:
        """End the query of an id; False when there is none that `by` may end.

        Readers are one user and end each other's queries, as in ClickHouse; ids are not told.
        """
        found = self._jobs.get(query_id)
        if found is None or (by is not None and found[0].writes and not by.writes):
            return False
        await self._end(*found)
        return True

    async def drain(self, seconds: float, kill_seconds: float) -> list[str]:
        """Give what runs so long to end, then cancel it.

        Returns:
            The ids of queries that the engine had not ended `kill_seconds` later: a function that
            works on one block for long hears no KILL. Their threads go on; `close` would wait.
        """
        until = time.monotonic() + seconds
        while self._jobs and time.monotonic() < until:
            await asyncio.sleep(0.05)
        ending = {}
        for query_id in list(self._jobs):
            log.warning("query cancelled by the stop", query_id=query_id)
            ending[asyncio.ensure_future(self.cancel(query_id))] = query_id
        if not ending:
            return []
        _, late = await asyncio.wait(ending, timeout=kill_seconds)
        for task in late:
            task.cancel()
        return [ending[task] for task in late]

    def close(self) -> None:
        """Free the threads; nothing may run any more."""
        for pool in (self._readers, self._writers):
            pool.close()
        self._killer.shutdown(wait=True)

    async def _end(self, job: Job, future: Future[None]) -> None:
        """Cancel, and kill in the engine until the thread is free: a kill can come too early."""
        job.cancelled.set()
        # A thread that waits for its client sees this itself; only one inside the engine is killed.
        await asyncio.wait({asyncio.wrap_future(future)}, timeout=_GRAIN_S)
        loop = asyncio.get_running_loop()
        pause = _GRAIN_S
        while not future.done() and not future.cancel():
            await loop.run_in_executor(self._killer, self._store.kill, job.mark)
            await asyncio.wait({asyncio.wrap_future(future)}, timeout=pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)


def _hand_over(
    loop: asyncio.AbstractEventLoop,
    queue: "asyncio.Queue[bytes | BaseException | None]",
    item: bytes | BaseException | None,
    job: Job,
) -> None:
    """Wait until the client's side has room; give up when the job is cancelled."""
    placed = asyncio.run_coroutine_threadsafe(queue.put(item), loop)
    waited = 0.0
    while True:
        try:
            placed.result(_GRAIN_S)
        except TimeoutError:
            waited += _GRAIN_S
            late = not job.writes and time.monotonic() - job.started >= TAKES_S
            if job.cancelled.is_set() or waited >= WAITS_S or late:
                placed.cancel()
                job.check()
                # So that the client's side, which gets no end from here, ends too.
                job.cancelled.set()
                raise QueryError(209, "the client takes the answer too slowly") from None
        else:
            return


async def _until_end(
    queue: "asyncio.Queue[bytes | BaseException | None]", job: Job
) -> AsyncIterator[bytes]:
    while True:
        try:
            item = await asyncio.wait_for(queue.get(), _GRAIN_S)
        except TimeoutError:
            job.check()
            continue
        job.ended = item is None or isinstance(item, BaseException)
        if item is None:
            return
        if isinstance(item, BaseException):
            raise item
        yield item


class Incoming(io.RawIOBase):
    """A request's body, read by a worker thread while the event loop receives it."""

    def __init__(self, content: Any, loop: asyncio.AbstractEventLoop, job: Job) -> None:
        """`content` is aiohttp's StreamReader."""
        self._content = content
        self._loop = loop
        self._job = job
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, into: Any) -> int:
        """The next bytes; 0 at the end.

        Raises:
            QueryError: 209 or 210, the client stopped sending or went away; 394, cancelled.
        """
        if not self._left:
            self._left = memoryview(self._receive())
        size = min(len(into), len(self._left))
        into[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def _receive(self) -> bytes:
        received = asyncio.run_coroutine_threadsafe(self._content.readany(), self._loop)
        waited = 0.0
        while True:
            try:
                return bytes(received.result(_GRAIN_S))
            except TimeoutError:
                waited += _GRAIN_S
                if self._job.cancelled.is_set() or waited >= WAITS_S:
                    received.cancel()
                    self._job.check()
                    raise QueryError(209, "the client sends no data") from None
            except Exception as error:
                raise QueryError(210, f"the request's body ended early: {error!r}") from None


def guarded(data: Iterator[bytes], job: Job) -> Iterator[bytes]:
    """Data for the engine that stops with the job."""
    for piece in data:
        job.check()
        yield piece
