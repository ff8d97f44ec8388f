"""The files of a run in its folder: whole under their names, or not there.

Between the generators and the disk. Promises that a run which is cut short leaves no file that
reads like a finished one, and that no file of an earlier run stands beside those of a new one.
Does not ask before it replaces an earlier run: whoever calls looks with `earlier` first.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from os.path import lexists
from pathlib import Path
from typing import Final

import zstandard

from streams.config import MarginquakeError

LOG, SERIES, TRUTH = "log.jsonl.zst", "series.csv", "truth.json"
FILES: Final = (LOG, SERIES, TRUTH)
BATCH: Final = 512


def earlier(folder: Path) -> list[str]:
    """Names of the files that a run has left in a folder."""
    return [name for name in FILES if lexists(folder / name)]


@contextmanager
def whole(folder: Path) -> Iterator[Mapping[str, Path]]:
    """Give for each of FILES the path to write it to; it gets its name when the block has ended.

    Args:
        folder: made where it is not there; the files of an earlier run are removed at once.

    Raises:
        MarginquakeError: the folder cannot be written.
    """
    parts = {name: folder / f"{name}.part" for name in FILES}
    named = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove(parts, folder)
        yield parts
        for name, part in parts.items():
            if part.exists():
                part.replace(folder / name)
        named = True
    except OSError as error:
        raise MarginquakeError(
            f"cannot write to {folder}: {error.strerror}; name a folder of yours with -o"
        ) from None
    finally:
        if not named:
            # What went wrong before is what the user has to know.
            with suppress(OSError):
                _remove(parts, folder)


def _remove(parts: Mapping[str, Path], folder: Path) -> None:
    for name, part in parts.items():
        part.unlink(missing_ok=True)
        (folder / name).unlink(missing_ok=True)


def written(path: Path, lines: Iterator[bytes]) -> int:
    """Write lines of a log as one zstd stream; gives their number."""
    count = 0
    batch: list[bytes] = []
    with path.open("wb") as file, zstandard.ZstdCompressor(3).stream_writer(file) as packed:
        for line in lines:
            batch.append(line)
            count += 1
            if len(batch) == BATCH:
                packed.write(b"".join(batch))
                batch.clear()
        packed.write(b"".join(batch))
    return count
