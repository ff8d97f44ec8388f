"""Histories in a file: what detectors have learnt from archives, for stages that begin.

Between `import --warm` and a first start of an engine. Promises that a file is read whole or
refused, and that histories learnt under other parameters are never mixed in. A file replaces
nothing: a stage with a state of its own does not look at it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from streams.config import MarginquakeError
from streams.core.pipeline import STATE_VERSION, Snapshot

MOST_BYTES: Final = 2**32


class _File(msgspec.Struct, frozen=True):
    version: int
    params_hash: str
    scopes: dict[str, Snapshot]


def check_target(path: Path) -> None:
    """Refuse what must not be written over, before archives are learnt from.

    Raises:
        MarginquakeError: the file is there and holds no histories, or its folder is not there.
    """
    if not path.parent.is_dir():
        raise MarginquakeError(f"cannot write {path}: {path.parent} is no folder; make it first")
    if path.exists() and _read(path) is None:
        raise MarginquakeError(
            f"{path} is there and holds no histories; give --warm the name of a new file"
        )


def write_warm(path: Path, params_hash: str, scopes: Mapping[str, Snapshot]) -> int:
    """Write histories by scope (asset or `ALL`); returns the bytes written.

    Raises:
        MarginquakeError: the file cannot be written.
    """
    held = _File(STATE_VERSION, params_hash, dict(scopes))
    packed = zstandard.ZstdCompressor(6).compress(msgspec.msgpack.encode(held))
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(packed)
        part.replace(path)
    except OSError as error:
        raise MarginquakeError(
            f"cannot write {path}: {error.strerror}; choose another --warm file"
        ) from None
    return len(packed)


def read_warm(path: Path, params_hash: str) -> dict[str, Snapshot]:
    """Histories by scope.

    Raises:
        MarginquakeError: the file cannot be read, is none of ours, or was learnt under another
            state version or other parameters.
    """
    held = _read(path)
    if held is None:
        raise MarginquakeError(
            f"{path} holds no histories; make a file with `marginquake import --warm FILE ARCHIVE`"
        )
    if (held.version, held.params_hash) != (STATE_VERSION, params_hash):
        raise MarginquakeError(
            f"{path} was learnt under other parameters ({held.params_hash}, state version "
            f"{held.version}; here {params_hash}, {STATE_VERSION}); run `import --warm` again"
        )
    return held.scopes


def _read(path: Path) -> _File | None:
    """The file's content, None when it is none of ours."""
    try:
        text = zstandard.ZstdDecompressor().decompress(path.read_bytes(), MOST_BYTES)
        return _decode(text)
    except OSError as error:
        raise MarginquakeError(f"cannot read {path}: {error.strerror}") from None
    except (zstandard.ZstdError, msgspec.MsgspecError):
        return None


_decode = msgspec.msgpack.Decoder(_File).decode
