"""Progress of long work, told to a person and never to a program.

Beside the data path, for commands. Promises that nothing is written to standard output, that a
terminal gets a live line on standard error, and that a log gets one line every ten seconds of
work at most. Does not slow the work: an update costs well under a microsecond of every record.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LOG_EVERY_S: Final = 10.0

Count = Callable[[int], None]
"""Takes how much has been done so far."""


@contextmanager
def counting(label: str, quiet: bool = False) -> Iterator[Count]:
    """Give a callable that takes the number of records done so far.

    Args:
        label: what is counted, e.g. `records into raw.v1`.
        quiet: show nothing.
    """
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _live(label) as count:
            yield count
    else:
        yield _logged(label)


@contextmanager
def reading(label: str, total: int, position: Callable[[], int]) -> Iterator[Count]:
    """As `counting`, for work through files: with the share read and the time left.

    Args:
        label: what is counted.
        total: bytes of the files.
        position: bytes read so far.
    """
    began = told = time.monotonic()

    def words(done: int) -> str:
        return f"{done:,} {label} ({done / max(time.monotonic() - began, 1e-9):,.0f}/s)"

    if sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(label, total=max(total, 1))
            yield lambda done: progress.update(task, description=words(done), completed=position())
        return

    def show(done: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= LOG_EVERY_S:
            told = now
            share = min(1.0, position() / max(total, 1))
            left = f", {(now - began) * (1 - share) / share:,.0f} s left" if share else ""
            print(f"{words(done)}, {share:.0%}{left}", file=sys.stderr)  # noqa: T201

    yield show


@contextmanager
def bars(quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Give a callable that takes a part of the work, the steps done and the steps in all.

    A bar for each part on standard error of a terminal; a line every ten seconds elsewhere.
    """
    if quiet:
        yield lambda part, done, total: None
    elif not sys.stderr.isatty():
        yield _logged_parts()
    else:
        with Progress(console=Console(stderr=True)) as progress:
            tasks: dict[str, TaskID] = {}

            def show(part: str, done: int, total: int) -> None:
                if part not in tasks:
                    tasks[part] = progress.add_task(part, total=total)
                progress.update(tasks[part], completed=done)

            yield show


@contextmanager
def waiting(label: str, quiet: bool = False) -> Iterator[None]:
    """A spinner with the seconds so far on a terminal's standard error, for work of unknown length.

    Nothing elsewhere: a log learns from the result.
    """
    if quiet or not sys.stderr.isatty():
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(label, total=None)
        yield


def _logged_parts() -> Callable[[str, int, int], None]:
    told = time.monotonic()

    def show(part: str, done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= LOG_EVERY_S:
            told = now
            print(f"{part}: {done:,} of {total:,}", file=sys.stderr)  # noqa: T201

    return show


@contextmanager
def _live(label: str) -> Iterator[Count]:
    began = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label)

        def show(done: int) -> None:
            rate = done / max(time.monotonic() - began, 1e-9)
            progress.update(task, description=f"{done:,} {label} ({rate:,.0f}/s)")

        yield show


def _logged(label: str) -> Count:
    began = told = time.monotonic()

    def show(done: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= LOG_EVERY_S:
            told = now
            rate = done / (now - began)
            print(f"{done:,} {label} ({rate:,.0f}/s)", file=sys.stderr)  # noqa: T201

    return show
