"""What archive files hold, for tests: records, their events, and why lines are none."""

from pathlib import Path

from streams.core.events import BadLine, Event, Ignored, Raw, Rejected
from streams.core.normalise import normalise
from streams.edges.archives.binance_dumps import COLUMNS
from streams.edges.archives.reading import Reading
from streams.parsing import parsers
from streams.venues.catalog import default_instruments

INSTRUMENTS = default_instruments()


def dump(folder: Path, name: str, *rows: str, header: bool = True) -> Path:
    """A dump of Binance in a file of that name, which tells its type."""
    kind = next(kind for kind in COLUMNS if f"-{kind}-" in name or f"/{kind}/" in f"/{name}")
    lines = [",".join(COLUMNS[kind]), *rows] if header else list(rows)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def items(path: Path, form: str = "") -> list[tuple[int, Raw | BadLine]]:
    """Records and bad lines with their numbers."""
    reading = Reading(INSTRUMENTS, form)
    reading.check()
    return list(reading.read(str(path)))


def events(path: Path, form: str = "") -> list[Event]:
    """The events that a framer makes of a file; every line must be a row of some."""
    found: list[Event] = []
    for number, item in items(path, form):
        assert isinstance(item, Raw), (number, item)
        for outcome in normalise(item, parsers(), INSTRUMENTS):
            assert not isinstance(outcome, (Rejected, Ignored)), (number, outcome)
            found.append(outcome)
    return found


def rejected(path: Path, form: str = "") -> list[str]:
    """The reasons of the lines that are no record."""
    return [item.rejected.reason for _, item in items(path, form) if isinstance(item, BadLine)]
