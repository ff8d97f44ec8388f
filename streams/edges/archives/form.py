"""What the formats share: a line in, records or reasons out, and the cells of a CSV row.

Between `reading`, which has the lines, and a file for each format. Promises that no line raises:
a row that cannot be used becomes `Rejected`, and its neighbours are unharmed.
"""

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from streams.config import MarginquakeError
from streams.core import canonical
from streams.core.events import Ignored, Outcome, Raw, Rejected
from streams.core.instruments import Instruments
from streams.core.normalise import rejection
from streams.venues.fields import BadField

Found = Raw | Rejected | Ignored
"""What a line was: a record, or why it is none. The header of a table is `Ignored("empty")`."""

HEADER: Final = Ignored("empty")
Cells = Mapping[str, str]
BOM: Final = b"\xef\xbb\xbf"


class Tally(msgspec.Struct):
    """What was read of all files, beside its records.

    `doubled`: lines left out since they stood twice; `without_event`: lines that hold none;
    `corrected`: events whose archive is known to say otherwise than the venue, by what was done;
    `headers`: lines that name columns; `bad`: lines that are no record, by reason; `rejected`:
    rows and messages that a framer dead-letters, by reason; `damaged`: files whose end cannot be
    read.
    """

    doubled: int = 0
    headers: int = 0
    without_event: int = 0
    corrected: Counter[str] = msgspec.field(default_factory=Counter)
    bad: Counter[str] = msgspec.field(default_factory=Counter)
    rejected: Counter[str] = msgspec.field(default_factory=Counter)
    damaged: list[str] = msgspec.field(default_factory=list)

    def losses(self) -> list[str]:
        """What of the files is not among the records, in words; empty when all of it is."""
        told = [f"{what}; what follows there is missing" for what in self.damaged]
        for counts, what in (
            (self.bad, "lines are no record, but dead letters"),
            (self.rejected, "rows or messages are no event, but dead letters"),
        ):
            if counts:
                reasons = ", ".join(f"{reason} {n:,}" for reason, n in sorted(counts.items()))
                told.append(f"{counts.total():,} {what}: {reasons}")
        return told

    def __str__(self) -> str:
        told = [f"{what} ({count:,})" for what, count in sorted(self.corrected.items())]
        if self.doubled:
            told.append(f"{self.doubled:,} doubled lines left out")
        if self.without_event:
            told.append(f"{self.without_event:,} lines without an event")
        return ", ".join(told)


class Source(msgspec.Struct, frozen=True):
    """A file to read: `detail` is what `--format NAME:DETAIL` says beside the name."""

    path: str
    instruments: Instruments
    detail: str = ""
    tally: Tally = msgspec.field(default_factory=Tally)

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return Path(self.path).name

    def record(self, outcome: Outcome | Raw) -> Found:
        """An event as the record that holds it."""
        if isinstance(outcome, (Raw, Rejected, Ignored)):
            return outcome
        return canonical.record(outcome, self.name)

    def stub(self, venue: str, received_at_us: int) -> Raw:
        """The record a row came in, for functions that want one; it has no payload."""
        return Raw(venue, canonical.CHANNEL, self.name, received_at_us, b"")

    def refuse(self, why: str, mend: str) -> MarginquakeError:
        """The error of a file that cannot be read at all."""
        return MarginquakeError(f"{self.path}: line 1: {why}; {mend}")


class Form(msgspec.Struct, frozen=True):
    """How the lines of one file are read.

    `read`: what a line holds. `doubled`: whether equal lines are one row written twice.
    `disorder`: how many lines a row may stand from its place by time.
    """

    name: str
    read: Callable[[bytes], Sequence[Found]]
    doubled: bool = False
    disorder: int = 0


def rows_of(
    source: Source,
    columns: Sequence[str],
    header: Sequence[str] | None,
    make: Callable[[Cells], Outcome | Raw],
) -> Callable[[bytes], Sequence[Found]]:
    """A reader of CSV lines.

    Args:
        source: the file.
        columns: names of the cells of a row.
        header: the cells of a line that is no row, wherever it stands (joined files).
        make: the event of a row, or a record of its own; may raise BadField.
    """

    def read(line: bytes) -> Sequence[Found]:
        cells = cells_of(line)
        if isinstance(cells, Rejected):
            return (cells,)
        if header is not None and cells == list(header):
            return (HEADER,)
        if len(cells) != len(columns):
            detail = f"{len(cells)} cells, expected {len(columns)}"
            return (Rejected("missing_field", detail),)
        try:
            return (source.record(make(dict(zip(columns, cells, strict=True)))),)
        except BadField as error:
            return (error.outcome,)

    return read


def cells_of(line: bytes) -> list[str] | Rejected:
    """The cells of a CSV line."""
    try:
        text = line.removeprefix(BOM).decode().rstrip("\r\n")
        if '"' not in text:
            return text.split(",")
        return next(csv.reader((text,)), [])
    except UnicodeDecodeError as error:
        return rejection(error, line)
    except csv.Error as error:
        return Rejected("wrong_type", f"no CSV row: {error}"[:300])
