"""The records of an archive file, whatever its format: told by its first line, or forced.

First edge of `replay`, `import` and `normalise`. Promises a numbered `Raw` or `BadLine` for every
line that is a row, memory bounded by a line and by `MOST_REMEMBERED` doubled lines, and an error
that names file, line and mend where a file cannot be read at all. Does not sort between files.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.core.events import BadLine, Raw, Rejected
from streams.core.instruments import Instruments
from streams.edges import rawlog
from streams.edges.archives import binance_dumps, cryptofeed, tardis_csv, tardis_raw
from streams.edges.archives.form import HEADER, Form, Source, Tally

MOST_REMEMBERED: Final = 100_000
"""Lines that are compared with the next ones, where a format writes rows twice."""

RAW: Final = "raw"
FORMATS: Final[Mapping[str, Callable[[bytes, Source], Form | None]]] = {
    "binance": binance_dumps.open_form,
    "cryptofeed": cryptofeed.open_form,
    "tardis-csv": tardis_csv.open_form,
    "tardis-raw": tardis_raw.open_form,
}
"""What opens a file by its first line, by the name that `--format` takes."""

NAMES: Final = (RAW, *FORMATS)


class Reading(msgspec.Struct):
    """How archives are read.

    `form` is a format by name, with `:DETAIL` where the format takes one, or empty for what the
    content tells; `tally` and `meter` are updated while files are read.
    """

    instruments: Instruments
    form: str = ""
    tally: Tally = msgspec.field(default_factory=Tally)
    meter: rawlog.Meter = msgspec.field(default_factory=rawlog.Meter)

    def check(self) -> None:
        """Refuse a format that there is not.

        Raises:
            MarginquakeError: its name is unknown.
        """
        if self.form and self.form.partition(":")[0] not in NAMES:
            raise MarginquakeError(f"--format {self.form}: expected one of {', '.join(NAMES)}")

    def read(self, path: str) -> Iterator[tuple[int, Raw | BadLine]]:
        """The records of a file with their line numbers.

        Raises:
            MarginquakeError: the file cannot be opened or read.
        """
        lines = rawlog.numbered(path, self.meter, self.tally.damaged.append)
        held: list[tuple[int, bytes | BadLine]] = []
        form = None
        for number, line in lines:
            held.append((number, line))
            if not isinstance(line, BadLine):
                form = self._form(path, line)
                break
        every: Iterator[tuple[int, bytes | BadLine]] = chain(held, lines)
        source = Source(path, self.instruments, tally=self.tally)
        if form is None:
            yield from rawlog.records(source.name, every)
            return
        if form.doubled:
            every = _single(every, self.tally)
        found = self._rows(form, source.name, every)
        yield from _sorted(found, form.disorder) if form.disorder else found

    def _form(self, path: str, first: bytes) -> Form | None:
        """The format of a file; None for a raw log, which anything is taken for in the end."""
        name, _, detail = self.form.partition(":")
        source = Source(path, self.instruments, detail, self.tally)
        if name == RAW:
            return None
        if name:
            form = FORMATS[name](first, source)
            if form is None:
                raise source.refuse(
                    f"it does not look like {name}", "leave --format out, or name another"
                )
            return form
        return next(
            filter(None, (open_form(first, source) for open_form in FORMATS.values())), None
        )

    def _rows(
        self, form: Form, name: str, lines: Iterator[tuple[int, bytes | BadLine]]
    ) -> Iterator[tuple[int, Raw | BadLine]]:
        for number, line in lines:
            if isinstance(line, BadLine):
                yield number, line
                continue
            for found in form.read(line):
                if isinstance(found, Raw):
                    yield number, found
                elif isinstance(found, Rejected):
                    yield number, rawlog.bad_line(name, number, found, line)
                elif found is HEADER:
                    self.tally.headers += 1
                else:
                    self.tally.without_event += 1


def _single(
    lines: Iterator[tuple[int, bytes | BadLine]], tally: Tally
) -> Iterator[tuple[int, bytes | BadLine]]:
    """Lines that did not stand among the last `MOST_REMEMBERED` before."""
    seen: dict[bytes, None] = {}
    for number, line in lines:
        if isinstance(line, BadLine):
            yield number, line
            continue
        text = line.rstrip(b"\r\n")
        if text in seen:
            tally.doubled += 1
            continue
        seen[text] = None
        if len(seen) > MOST_REMEMBERED:
            del seen[next(iter(seen))]
        yield number, line


def _sorted(
    found: Iterator[tuple[int, Raw | BadLine]], disorder: int
) -> Iterator[tuple[int, Raw | BadLine]]:
    """Records by receipt, where none stands further than `disorder` from its place."""
    waiting: list[tuple[int, int, Raw]] = []
    for number, item in found:
        if isinstance(item, BadLine):
            yield number, item
            continue
        heapq.heappush(waiting, (item.received_at_us, number, item))
        if len(waiting) > disorder:
            _, place, first = heapq.heappop(waiting)
            yield place, first
    while waiting:
        _, place, first = heapq.heappop(waiting)
        yield place, first
