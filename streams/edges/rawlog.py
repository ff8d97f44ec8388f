"""Reads raw logs: JSON lines of venue messages as they came; and lines of any archive.

The first edge of replay and `normalise`; plain, gzip, zstd or a zip of one file. Promises a
numbered `Raw` or `BadLine` for every line that is not blank, that no line stops the file, and
memory bounded by the longest line read (8 MiB). Keeps the payload's own bytes. Does not sort, and
does not judge the venue's message.
"""

import errno
import gzip
import io
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import msgspec
import zstandard

from streams.config import MarginquakeError
from streams.core.events import DEAD_LETTER_BYTES, LATEST_EVENT_US, BadLine, Raw, Rejected
from streams.core.normalise import rejection

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE_BYTES: Final = 8 * 2**20
"""A longer line cannot hold a payload within the limit of 1 MB, escapes included."""
STDIN: Final = "-"
_PACKED_BYTES: Final = 1024
"""Read at a time from zstd, where one byte can unpack to 32 KiB."""
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZIP: Final = b"PK\x03\x04"
_DAMAGED: Final = (
    EOFError,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    zlib.error,
    zstandard.ZstdError,
)


class _Line(msgspec.Struct, frozen=True, gc=False):
    venue: str
    received_at_us: int
    payload: msgspec.Raw
    channel: str | None = None
    connection: str | None = None


_decode_line: Final = msgspec.json.Decoder(_Line).decode


class Meter:
    """How many bytes of files have been read, as they lie on disk."""

    def __init__(self) -> None:
        self._passed = 0
        self._open: list[BinaryIO] = []

    @property
    def bytes(self) -> int:
        """Of the files read to their end, and of those that are open up to where they stand."""
        return self._passed + sum(file.tell() for file in self._open)

    @contextmanager
    def reading(self, file: BinaryIO) -> Iterator[None]:
        """Count a file while and after it is read; it must be one that can tell its place."""
        self._open.append(file)
        try:
            yield
        finally:
            self._open.remove(file)
            self._passed += file.tell()


def read(path: str | Path) -> Iterator[tuple[int, Raw | BadLine]]:
    """The records of a raw log with their 1-based line numbers, in the file's order.

    Args:
        path: a file, or `-` for standard input.

    Yields:
        (line number, record or the line that is none, with its reason, first bytes and size).

    Raises:
        MarginquakeError: the file cannot be opened.
    """
    yield from records(Path(path).name, numbered(path))


def records(
    name: str, lines: Iterable[tuple[int, bytes | BadLine]]
) -> Iterator[tuple[int, Raw | BadLine]]:
    """The records that numbered lines of a raw log hold; `name` is the file's."""
    for number, line in lines:
        if isinstance(line, BadLine):
            yield number, line
            continue
        record = parse_line(line)
        if isinstance(record, Rejected):
            yield number, bad_line(name, number, record, line)
        else:
            yield number, record


def numbered(
    path: str | Path,
    meter: Meter | None = None,
    damaged: Callable[[str], None] = lambda detail: None,
) -> Iterator[tuple[int, bytes | BadLine]]:
    """The lines of a text file that are not blank, with their 1-based numbers, any compression.

    Compression is told by the first bytes, whatever the name. A compressed file that ends early
    or is damaged gives what could be read, then one `BadLine` naming the file.

    Args:
        path: a file, or `-` for standard input.
        meter: told how much of the file has been read.
        damaged: told what is wrong, when the rest of the file cannot be read.

    Raises:
        MarginquakeError: the file cannot be opened.
    """
    number = 0
    name = Path(path).name
    with _opened(str(path), meter) as stream:
        try:
            for line, size in _lines(stream):
                number += 1
                if size > len(line):
                    detail = f"line of {size} bytes, limit {MAX_LINE_BYTES}"
                    yield number, bad_line(name, number, Rejected("too_large", detail), line, size)
                elif line and not line.isspace():
                    yield number, line
        except _DAMAGED as error:
            detail = f"{path}: compressed data ends early or is damaged: {error}"
            damaged(detail)
            number += 1
            yield number, bad_line(name, number, Rejected("invalid_json", detail[:300]), b"")


def bad_line(
    name: str, number: int, rejected: Rejected, line: bytes, size: int | None = None
) -> BadLine:
    """A line that is no record; `size` is its size where `line` is only the beginning."""
    text = line.rstrip(b"\r\n") if size is None else line
    raw = Raw("unknown", None, name, 0, text[:DEAD_LETTER_BYTES])
    return BadLine(rejected, raw, len(text) if size is None else size, f"{name}:{number}")


def parse_line(line: bytes) -> Raw | Rejected:
    """One line of a raw log; `payload` is the venue's JSON, or a JSON string holding its text.

    `connection` is `<venue>:log` where the log names none. Unknown keys are ignored.

    >>> parse_line(b'{"venue":"okx","received_at_us":1,"payload":"pong"}').payload
    b'pong'
    """
    try:
        row = _decode_line(line)
        payload = bytes(row.payload)
        if payload.startswith(b'"'):
            payload = msgspec.json.decode(payload, type=str).encode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return rejection(error, line)
    received = row.received_at_us
    if not 0 <= received < LATEST_EVENT_US:
        return Rejected("time_out_of_range", "received_at_us is no microsecond stamp before 2099")
    connection = row.connection or f"{row.venue}:log"
    return Raw(row.venue, row.channel or None, connection, received, payload)


def _lines(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Each line and its size; of one beyond the limit its first bytes and full size."""
    while line := stream.readline(MAX_LINE_BYTES):
        if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line, len(line)
            continue
        text, size = line[:DEAD_LETTER_BYTES], len(line)
        while not line.endswith(b"\n") and (line := stream.readline(MAX_LINE_BYTES)):
            size += len(line)
        yield text, size - line.endswith(b"\n")


@contextmanager
def _opened(path: str, meter: Meter | None) -> Iterator[BinaryIO]:
    """The plain bytes behind a path, decompressed as its first bytes say."""
    if path == STDIN:
        yield _plain(sys.stdin.buffer)
        return
    try:
        file = open(path, "rb")  # noqa: SIM115
    except OSError as error:
        mend = "name an archive (plain, .gz, .zst or .zip) or -"
        if error.errno == errno.EMFILE:
            mend = "raise the limit (ulimit -n) or name fewer files of one time"
        raise MarginquakeError(f"{path}: {error.strerror}; {mend}") from error
    with file, meter.reading(file) if meter else nullcontext():
        if file.peek(4)[:4] == _ZIP:
            with _zipped(file, path) as member:
                yield member
        else:
            yield _plain(file)


@contextmanager
def _zipped(file: BinaryIO, path: str) -> Iterator[BinaryIO]:
    """The only file of a zip archive."""
    try:
        archive = zipfile.ZipFile(file)
        members = [one for one in archive.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, ValueError) as error:
        raise MarginquakeError(f"{path}: damaged zip file: {error}; fetch it again") from None
    if len(members) != 1:
        raise MarginquakeError(
            f"{path}: a zip file of {len(members)} files, expected one; unzip it and name them"
        )
    try:
        member = archive.open(members[0])
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise MarginquakeError(f"{path}: {error}; unzip it and name the file in it") from None
    with member:
        yield cast("BinaryIO", member)


def _plain(file: BinaryIO) -> BinaryIO:
    magic = file.peek(4)[:4] if isinstance(file, io.BufferedReader) else b""
    if magic.startswith(_GZIP):
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    if magic == _ZSTD:
        return io.BufferedReader(_Zstd(file))
    return file


class _Zstd(io.RawIOBase):
    """Zstd frames as a raw stream that, unlike the library's reader, notices an early end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        target = memoryview(buffer).cast("B")
        while not self._ready:
            if self._frame.eof:
                packed = self._frame.unused_data or self._file.read(_PACKED_BYTES)
                if not packed:
                    return 0
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            else:
                packed = self._file.read(_PACKED_BYTES)
                if not packed:
                    raise EOFError("the last zstd frame is not complete")
            self._ready = memoryview(self._frame.decompress(packed))
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
