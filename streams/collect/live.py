"""Collected records through the in-process engine while they come, and what it has found so far.

The edge behind `live`: no broker, no files. Promises that a full queue makes the connections wait,
that what is shown is the newest revision of every row, and that a channel that is down, and a
connection that was never open, is shown with the reason. Keeps no rows but those that it shows.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table

from streams.collect.reach import Reach
from streams.collect.records import Record
from streams.contracts import Message, topic_of
from streams.core.events import FeedStatus, Raw
from streams.edges.replay import Engine, pass_on
from streams.edges.summary import Summary, WindowRow, moment, newest_print_table, window_table

MOST_WAITING: Final = 5_000
"""Records between the connections and the engine."""
FLUSH_S: Final = 0.5
MOST_WINDOWS: Final = 12


class Counted:
    """A writer that only counts; see `streams.edges.replay.Writer`."""

    def __init__(self) -> None:
        self.written: Counter[str] = Counter()

    def write(self, message: Message) -> None:
        """Count a message by topic."""
        self.written[topic_of(message)] += 1

    def close(self) -> None:
        """Nothing waits."""


class Live:
    """A sink for every connection, with the engine behind it."""

    def __init__(
        self, engine: Engine, reach: Reach, see: Callable[[Raw], None] = lambda raw: None
    ) -> None:
        """Begin with nothing heard.

        Args:
            engine: a fresh one.
            reach: of the connections that put here.
            see: shown each record that the engine takes.
        """
        self._engine = engine
        self._see = see
        self._reach = reach
        self._queue: asyncio.Queue[Raw] = asyncio.Queue(MOST_WAITING)
        self._writer = Counted()
        self._began = time.monotonic()
        self.summary = Summary(
            rows=self._writer.written, counters=engine.framer.state.counters, target="the screen"
        )
        self.feeds: dict[tuple[str, str, str], FeedStatus] = {}

    @property
    def waiting(self) -> int:
        """Records of all connections that the engine has not taken."""
        return self._queue.qsize()

    async def put(self, record: Record) -> None:
        """Take a record; waits while the engine is behind."""
        await self._queue.put(record.raw)

    async def flush(self) -> None:
        """Nothing is kept that could be lost."""

    async def close(self) -> None:
        """A connection has ended; others go on."""

    async def run(self) -> None:
        """Feed the engine for as long as this is not cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            self.step()

    def step(self) -> None:
        """Give the engine what waits, and take what it found."""
        for _ in range(self._queue.qsize()):
            raw = self._queue.get_nowait()
            self._engine.feed(raw)
            self._see(raw)
            self.summary.records += 1
        batch = self._engine.flush()
        for feed in batch.emission.feeds:
            self.feeds[feed.venue, feed.channel, feed.connection] = feed
        pass_on(batch, self._writer, self.summary)
        self.summary.seconds = time.monotonic() - self._began

    def picture(self) -> RenderableType:
        """Windows, print and feed health as of now."""
        summary = self.summary
        windows = [WindowRow.of(window) for window in summary.ordered()[-MOST_WINDOWS:]]
        parts: list[RenderableType] = [
            f"{summary.records:,} records, {summary.frames:,} frames in {summary.seconds:.0f} s; "
            f"event time {moment(summary.data_end) if summary.data_end else 'not known yet'}",
            window_table(windows) if windows else "no cascade windows yet",
        ]
        told = newest_print_table(summary)
        if told is not None:
            parts.append(told)
        return Group(*parts, _feed_table(self.feeds, self._reach))


def _feed_table(feeds: dict[tuple[str, str, str], FeedStatus], reach: Reach) -> Table:
    table = Table(title="feeds", title_justify="left")
    for name in ("venue", "channel", "connection", "state", "since (UTC)", "why"):
        table.add_column(name, no_wrap=name not in ("channel", "why"))
    for (venue, channel, connection), feed in sorted(feeds.items()):
        since = moment(feed.at_us, "%H:%M:%S")
        table.add_row(venue, channel, connection, feed.state, since, feed.reason)
    for (venue, connection), why in sorted(reach.unopened.items()):
        table.add_row(venue, "all", connection, "never up", "", why)
    return table
