"""Results that are kept beside a run until the code that made them changes.

Promises that nothing stale is read: a kept result names a hash of the code and of the parameters.
"""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec
import zstandard

Kept = TypeVar("Kept")

ROOT = Path(__file__).parents[1]


@cache
def code(names: tuple[str, ...]) -> str:
    """A hash of files and folders below `streams`."""
    found = sha256()
    for name in names:
        for path in sorted((ROOT / name).rglob("*.py")) or [ROOT / name]:
            found.update(path.read_bytes())
    return found.hexdigest()


def kept(path: Path, made_by: str, form: type[Kept], make: Callable[[], Kept]) -> Kept:
    """What `path` holds if `made_by` made it; else it is made, written and given."""
    mark = path.with_name(path.name + ".made-by")
    if path.is_file() and mark.is_file() and mark.read_text() == made_by:
        data = zstandard.ZstdDecompressor().decompress(path.read_bytes())
        return msgspec.msgpack.decode(data, type=form)
    value = make()
    path.write_bytes(zstandard.ZstdCompressor(3).compress(msgspec.msgpack.encode(value)))
    mark.write_text(made_by)
    return value
