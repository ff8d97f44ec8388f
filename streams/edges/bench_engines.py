"""Measures the engines as processes on a real broker: frames a second, and what their state takes.

A benchmark beside the data path. frames.v1 is filled once with a market-wide cascade of many
assets; each engine reads it whole, as the command that a user runs, from a start without state.
Promises the same records for all, rates between the first and the last commit that was seen, and
CPU time of the engine's processes with their children (read from /proc: Linux). Other processes of
the machine, the broker too, take their share: use a quiet machine, and compare within one run.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError

from streams.config import MarginquakeError
from streams.contracts import FRAMES, MARKET_INPUTS, encode, key_of, partition_for, partitions
from streams.core.events import MICROS
from streams.core.frames import Frame, Tick
from streams.edges.topics import reconcile

POLL_S: Final = 0.25
STALL_S: Final = 600.0
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
Progress = Callable[[int], None]
"""Takes how many frames are done."""


class Setup(msgspec.Struct, frozen=True):
    """One way to run an engine: `processes` of the command `detect` with `options`."""

    name: str
    group: str
    options: tuple[str, ...]
    processes: int = 1


class Kept(msgspec.Struct, frozen=True):
    """What an engine last saved: bytes, and the milliseconds that saving took."""

    bytes: int | None
    ms: int | None


class Measured(msgspec.Struct, frozen=True):
    """`frames_per_s` by the clock and `frames_per_cpu_s` by the CPU time of all its processes, both
    between the first commit that was seen and the last; `seconds`: to the end, start included;
    `kept` where the engine tells.
    """

    name: str
    frames: int
    frames_per_s: float
    frames_per_cpu_s: float
    seconds: float
    kept: Kept | None


Ask = Callable[[Setup], Kept | None]


def fill(
    bootstrap: str, frames: Sequence[Frame], assets: int, history_minutes: int, progress: Progress
) -> int:
    """Write frames of one asset under `assets` names, with the ticks that belong to them.

    Before them stand so many minutes of one frame each, for a state of that age.

    Raises:
        MarginquakeError: the topics hold records already: this is somebody's broker.

    Returns:
        How many frames were written.
    """
    return asyncio.run(_fill(bootstrap, frames, assets, history_minutes, progress))


def seconds_of(frames: Sequence[Frame], history_minutes: int) -> Iterator[Frame]:
    """The frames, after `history_minutes` of copies of them that are a minute apart; one chain."""
    begin = frames[0].second
    prev = None
    for minute in range(history_minutes):
        second = begin - (history_minutes - minute) * 60 * MICROS
        copied = frames[minute % len(frames)]
        yield moved(copied, second, prev)
        prev = second
    for frame in frames:
        yield moved(frame, frame.second, prev)
        prev = frame.second


def moved(frame: Frame, second: int, prev: int | None) -> Frame:
    """A frame as that of another second."""
    by = second - frame.second
    tickers = tuple(
        msgspec.structs.replace(one, as_of_us=one.as_of_us + by) for one in frame.tickers
    )
    books = tuple(msgspec.structs.replace(one, as_of_us=one.as_of_us + by) for one in frame.books)
    return msgspec.structs.replace(
        frame, second=second, prev=prev, late=(), tickers=tickers, books=books, quiet=False
    )


async def _fill(
    bootstrap: str, frames: Sequence[Frame], assets: int, history_minutes: int, progress: Progress
) -> int:
    await reconcile(bootstrap, create=True)
    if any((await _ends(bootstrap)).values()):
        raise MarginquakeError(f"{bootstrap} holds frames already: start a broker of its own")
    names = [f"A{number:03d}" for number in range(assets)]
    homes = {name: partition_for(name) for name in names}
    counts = [sum(home == part for home in homes.values()) for part in range(partitions())]
    producer: Any = AIOKafkaProducer(
        bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=512 * 1024, compression_type="lz4"
    )
    await producer.start()
    written = 0
    try:
        prev: int | None = None
        for number, frame in enumerate(seconds_of(frames, history_minutes)):
            sent = []
            for name, home in homes.items():
                named = msgspec.structs.replace(frame, asset=name, partition=home)
                sent.append(await producer.send(FRAMES, encode(named), key_of(named), home))
            for part, count in enumerate(counts):
                tick = Tick(part, len(counts), frame.second, prev, count)
                sent.append(await producer.send(MARKET_INPUTS, encode(tick), key_of(tick), 0))
            await asyncio.gather(*sent)
            written += len(names)
            prev = frame.second
            if number % 60 == 0:
                progress(written)
    finally:
        await producer.stop()
    return written


def measure(bootstrap: str, home: Path, setup: Setup, ask: Ask, progress: Progress) -> Measured:
    """Run an engine over frames.v1 until its group has committed all of it; then `ask` it.

    Raises:
        MarginquakeError: a process ended by itself, or the end was not reached in half an hour.
    """
    with running(bootstrap, home, setup) as processes:
        found = asyncio.run(_measure(bootstrap, home, setup, processes, progress))
        return msgspec.structs.replace(found, kept=ask(setup))


@contextmanager
def running(bootstrap: str, home: Path, setup: Setup) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes of a setup; ended in order, so that what they keep is saved."""
    environment = {
        **os.environ,
        "MARGINQUAKE_HOME": str(home),
        "MARGINQUAKE_KAFKA": bootstrap,
    }
    processes = []
    try:
        for number in range(setup.processes):
            with log_of(home, setup, number).open("wb") as log:
                command = [sys.executable, "-m", "streams.cli", "detect", *setup.options]
                processes.append(
                    subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603
                )
        yield processes
    finally:
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(timeout=120)
            except subprocess.TimeoutExpired:
                process.kill()


def log_of(home: Path, setup: Setup, number: int) -> Path:
    """Where a process writes."""
    return home / f"{setup.name.replace(' ', '-')}-{number}.log"


async def _measure(
    bootstrap: str,
    home: Path,
    setup: Setup,
    processes: Sequence[subprocess.Popen[bytes]],
    progress: Progress,
) -> Measured:
    began = moved = time.monotonic()
    ends = await _ends(bootstrap)
    total = sum(ends.values())
    reached = 0
    first: tuple[float, int, float] | None = None
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        while True:
            now = time.monotonic()
            for number, process in enumerate(processes):
                if process.poll() is not None:
                    said = log_of(home, setup, number).read_text("utf-8", "replace")[-800:]
                    raise MarginquakeError(f"{setup.name} ended with {process.returncode}: {said}")
            done = await _committed(admin, setup.group, ends)
            if done and first is None:
                first = now, done, sum(cpu_seconds(process.pid) for process in processes)
            if done > reached:
                reached, moved = done, now
            progress(done)
            if first is not None and done >= total:
                break
            if now - moved > STALL_S:
                raise MarginquakeError(
                    f"{setup.name} stands at {done:,} of {total:,} frames for {STALL_S:.0f} s"
                )
            await asyncio.sleep(POLL_S)
    finally:
        await admin.close()
    ended = time.monotonic()
    at, seen, before = first
    spent = sum(cpu_seconds(process.pid) for process in processes) - before
    if total == seen:
        raise MarginquakeError(f"{setup.name} was through at its first commit: give more --seconds")
    rest = total - seen
    return Measured(setup.name, total, rest / (ended - at), rest / spent, ended - began, None)


async def _committed(admin: Any, group: str, parts: Container[TopicPartition]) -> int:
    """How many frames the group has committed; none while a new broker has no coordinator yet."""
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError):
        return 0
    return sum(max(0, meta.offset) for part, meta in offsets.items() if part in parts)


async def _ends(bootstrap: str) -> dict[TopicPartition, int]:
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        parts = [TopicPartition(FRAMES, number) for number in range(partitions())]
        found: dict[TopicPartition, int] = await consumer.end_offsets(parts)
        return found
    finally:
        await consumer.stop()


def cpu_seconds(root: int) -> float:
    """CPU time of a process and its descendants that live, from /proc."""
    parents: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents[int(entry.parent.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = {root}
    grown = True
    while grown:
        born = {pid for pid, (parent, _) in parents.items() if parent in family} - family
        family |= born
        grown = bool(born)
    return sum(parents[pid][1] for pid in family if pid in parents) / TICKS_PER_S
