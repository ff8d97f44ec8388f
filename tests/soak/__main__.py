"""`python -m tests.soak`: every venue, scripted on loopback, at full speed into one collector.

The venues send as fast as the collector reads: numbered trades, a forced order and a book now and
then. `marginquake collect` runs as a process of its own into a raw log. Exits 1 when its memory
grows (`judging.Memory`), when a message that was sent is not in the log, or when it dies.
"""

import argparse
import asyncio
import resource
import signal
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import uvloop
from websockets.exceptions import ConnectionClosed

from streams.venues.wire import WIRES
from tests.conformance.venue_server import VenueServer, until
from tests.conformance.venue_speech import SPEECHES
from tests.soak.judging import MIB, memory, numbered, told

SAMPLE_S: Final = 5.0
WARM_UP_S: Final = 60.0
"""Left out of the judgement, or a fifth of a soak that is shorter than five of it."""
START_S: Final = 60.0
DRAIN_S: Final = 120.0
SHORTEST_S: Final = 25.0
"""Less leaves no three samples after the warm-up."""
BOOK_EVERY: Final = 20
FORCED_EVERY: Final = 50
WINDOW: Final = 500
"""Messages between two pings: the next are sent when the ping before the last is answered, so that
what waits in the kernel is read well before the collector misses a pong of its own."""


async def _talk(server: VenueServer, until_s: float, sent: dict[str, int]) -> None:
    speech = server.speech
    (guest,) = server.here(speech.trade(0, 0)[0])
    number, read = 0, await guest.socket.ping()
    while time.monotonic() < until_s:
        at_ms = time.time_ns() // 1_000_000
        _, message = speech.trade(number, at_ms)
        await server.send(guest, numbered(message, number))
        await asyncio.sleep(0)
        if number % WINDOW == 0:
            await read
            read = await guest.socket.ping()
        number += 1
        sent[speech.venue] = number
        if speech.book is not None and number % BOOK_EVERY == 1:
            await server.say(speech.book(number // BOOK_EVERY, at_ms))
        if speech.forced is not None and number % FORCED_EVERY == 0:
            # Their size grows with the number, and no order is larger than a venue.
            await server.say(speech.forced(number // FORCED_EVERY % 100, at_ms))


async def _resident(pid: int) -> int:
    asked = await asyncio.create_subprocess_exec(
        "ps", "-o", "rss=", "-p", str(pid), stdout=asyncio.subprocess.PIPE
    )
    told_kib, _ = await asked.communicate()
    return int(told_kib or 0) * 1024


class Soak:
    """A soak of some venues; `sent`: how many numbered messages of each."""

    def __init__(self, venues: Sequence[str], seconds: float, folder: Path) -> None:
        self.venues, self.seconds, self.folder = venues, seconds, folder
        self.log = folder / "raw.jsonl"
        self.sent = dict.fromkeys(venues, 0)
        self.samples: list[int] = []

    async def run(self) -> None:
        """Raises what ended it before its time."""
        async with AsyncExitStack() as stack:
            servers = [
                await stack.enter_async_context(VenueServer(SPEECHES[venue]))
                for venue in self.venues
            ]
            words = stack.enter_context((self.folder / "stderr.txt").open("wb"))
            urls = [f"--url={name}={url}" for one in servers for name, url in one.urls.items()]
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "streams.cli", "collect", "--assets=BTC", *urls),
                *("--venues", ",".join(self.venues), "--into", str(self.log)),
                stderr=words,
            )
            try:
                await self._attended(servers, process)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode:
            raise RuntimeError(f"the collector ended with {process.returncode}")

    async def _attended(self, servers: Sequence[VenueServer], process: Process) -> None:
        for server in servers:
            await until(lambda s=server: _attended_by(s) >= s.speech.topics, START_S)  # type: ignore[misc]
        began_s = time.monotonic()
        until_s = began_s + self.seconds
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(process, began_s))
            for server in servers:
                group.create_task(_talk(server, until_s, self.sent))
        for server in servers:
            for guest in server.guests:
                await asyncio.wait_for(await guest.socket.ping(), DRAIN_S)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), DRAIN_S)

    async def _watch(self, process: Process, began_s: float) -> None:
        """Sample the collector's memory; raises when it has died."""
        print(f"{'s':>5} {'RSS MiB':>8} {'messages':>12} {'a second':>9}", flush=True)
        warm_s, count_before, before_s = min(WARM_UP_S, self.seconds / 5), 0, began_s
        while before_s + SAMPLE_S <= began_s + self.seconds:
            await asyncio.sleep(SAMPLE_S)
            size, count, now_s = await _resident(process.pid), self.total, time.monotonic()
            if process.returncode is not None:
                raise RuntimeError(f"the collector ended with {process.returncode}")
            rate = (count - count_before) / (now_s - before_s)
            count_before, before_s, warm = count, now_s, now_s - began_s <= warm_s
            told_s = f"{now_s - began_s:5.0f} {size / MIB:8.1f} {count:12,} {rate:9,.0f}"
            print(f"{told_s}{' (warm-up)' if warm else ''}", flush=True)
            if not warm:
                self.samples.append(size)

    @property
    def total(self) -> int:
        return sum(self.sent.values())


def _attended_by(server: VenueServer) -> set[str]:
    return {topic for guest in server.guests for topic in guest.topics}


def _judged(soak: Soak) -> bool:
    """Print the figures; whether all is well."""
    with soak.log.open("rb") as lines:
        log = told(lines, soak.sent)
    found = memory(soak.samples)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = spent.ru_utime + spent.ru_stime
    for venue, count in soak.sent.items():
        print(f"{venue:>14} {count:12,} numbered messages, {log.kept[venue]:,} in the log")
    print(
        f"{soak.total:,} messages in {soak.seconds:.0f} s: {soak.total / soak.seconds:,.0f} a "
        f"second, {soak.total / cpu_s:,.0f} a second of the collector's CPU; "
        f"{log.lines:,} lines, {soak.log.stat().st_size / MIB:,.0f} MiB"
    )
    print(
        f"memory: {found.first / MIB:.1f} MiB in the first third, {found.last / MIB:.1f} in the "
        f"last, at most {found.most / MIB:.1f} allowed: {'flat' if found.flat else 'GROWING'}"
    )
    for fault in log.faults[:20]:
        print(fault)
    print("every message is in the log" if not log.faults else f"{len(log.faults):,} faults")
    return found.flat and not log.faults


def main() -> int:
    """Entry point; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="of sending (default: 600)")
    parser.add_argument("--venue", action="append", help="only this venue; may be given often")
    options = parser.parse_args()
    venues = options.venue or sorted(WIRES)
    unknown = {*venues} - WIRES.keys()
    if unknown:
        parser.error(f"no venue {', '.join(sorted(unknown))}; there are {', '.join(WIRES)}")
    if options.seconds < SHORTEST_S:
        parser.error(f"--seconds {options.seconds:g}; expected {SHORTEST_S:g} at least")
    with tempfile.TemporaryDirectory(prefix="marginquake-soak-") as name:
        soak = Soak(venues, options.seconds, Path(name))
        try:
            uvloop.run(soak.run())
        except (ExceptionGroup, RuntimeError, TimeoutError, ConnectionClosed) as error:
            print(f"soak failed: {_first(error)}", file=sys.stderr)
            print((Path(name) / "stderr.txt").read_text()[-4000:], file=sys.stderr)
            return 1
        return 0 if _judged(soak) else 1


def _first(error: BaseException) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())
