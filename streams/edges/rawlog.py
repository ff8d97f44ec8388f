"""Reads raw logs: JSON lines of venue messages as they came, plain, gzip or zstd.

The first edge of replay and `normalise`. Promises a numbered `Raw` or `BadLine` for every line
that is not blank, that no line stops the file, and memory bounded by the longest line read
(8 MiB). Keeps the payload's own bytes. Does not sort, and does not judge the venue's message.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
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
_DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)


class _Line(msgspec.Struct, frozen=True, gc=False):
    venue: str
    received_at_us: int
    payload: msgspec.Raw
    channel: str | None = None
    connection: str | None = None


_decode_line: Final = msgspec.json.Decoder(_Line).decode


def read(path: str | Path) -> Iterator[tuple[int, Raw | BadLine]]:
    """The records of a raw log with their 1-based line numbers, in the file's order.

    Compression is told by the first bytes, whatever the name. A compressed file that ends early
    or is damaged gives what could be read, then one `BadLine` naming the file.

    Args:
        path: a file, or `-` for standard input.

    Yields:
        (line number, record or the line that is none, with its reason, first bytes and size).

    Raises:
        MarginquakeError: the file cannot be opened.
    """
    number = 0
    name = Path(path).name

    def bad(rejected: Rejected, text: bytes, size: int) -> BadLine:
        raw = Raw("unknown", None, name, 0, text[:DEAD_LETTER_BYTES])
        return BadLine(rejected, raw, size, f"{name}:{number}")

    with _opened(str(path)) as stream:
        try:
            for line, size in _lines(stream):
                number += 1
                if size > len(line):
                    detail = f"line of {size} bytes, limit {MAX_LINE_BYTES}"
                    yield number, bad(Rejected("too_large", detail), line, size)
                elif line and not line.isspace():
                    record = parse_line(line)
                    if isinstance(record, Rejected):
                        text = line.rstrip(b"\r\n")
                        yield number, bad(record, text, len(text))
                    else:
                        yield number, record
        except _DAMAGED as error:
            detail = f"{path}: compressed data ends early or is damaged: {error}"
            number += 1
            yield number, bad(Rejected("invalid_json", detail[:300]), b"", 0)


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
def _opened(path: str) -> Iterator[BinaryIO]:
    """The plain bytes behind a path, decompressed as its first bytes say."""
    if path == STDIN:
        yield _plain(sys.stdin.buffer)
        return
    try:
        file = open(path, "rb")  # noqa: SIM115
    except OSError as error:
        raise MarginquakeError(
            f"{path}: {error.strerror}; name a raw log (JSON lines, optionally .gz or .zst) or -"
        ) from error
    with file:
        yield _plain(file)


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
