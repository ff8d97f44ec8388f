"""Compression of requests and answers: what `Content-Encoding` and `Accept-Encoding` name.

Between the HTTP bodies and the bytes of ClickHouse's formats. Promises that several frames in one
body are one stream of data (clickhouse-connect sends a frame per block), that a broken body is an
error and never less data, and bounded memory: nothing is held whole. Also ClickHouse's own blocks
(`compress=1`, `decompress=1`), which the JDBC driver asks for.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, Protocol, cast

import brotli
import lz4.block
import lz4.frame
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from streams.serving.errors import QueryError

CHUNK: Final = 256 * 1024
_STEP: Final = 4096
"""Compressed bytes at once, so that a body made to swell does so by megabytes at most."""
_PREFERRED: Final = ("lz4", "zstd", "gzip", "br")
_LZ4, _ZSTD, _NONE = 0x82, 0x90, 0x02
_MAX_BLOCK: Final = 64 * 1024 * 1024


class Encoder(Protocol):
    """Compresses an answer piece by piece; every piece can be read as soon as it comes."""

    name: str

    def encode(self, data: bytes) -> bytes:
        """The compressed form of the next piece."""

    def finish(self) -> bytes:
        """What is left at the end."""


class _Lz4:
    name = "lz4"

    def __init__(self) -> None:
        self._made = lz4.frame.LZ4FrameCompressor(auto_flush=True)
        self._begun = False

    def encode(self, data: bytes) -> bytes:
        begin = b"" if self._begun else self._made.begin()
        self._begun = True
        return bytes(begin + self._made.compress(data))

    def finish(self) -> bytes:
        begin = b"" if self._begun else self._made.begin()
        return bytes(begin + self._made.flush())


class _Zstd:
    name = "zstd"

    def __init__(self) -> None:
        self._made = zstandard.ZstdCompressor(level=1).compressobj()

    def encode(self, data: bytes) -> bytes:
        return self._made.compress(data) + self._made.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._made.flush()


class _Gzip:
    name = "gzip"

    def __init__(self) -> None:
        self._made = zlib.compressobj(1, wbits=31)

    def encode(self, data: bytes) -> bytes:
        return self._made.compress(data) + self._made.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._made.flush()


class _Brotli:
    name = "br"

    def __init__(self) -> None:
        self._made = brotli.Compressor(quality=1)

    def encode(self, data: bytes) -> bytes:
        return bytes(self._made.process(data) + self._made.flush())

    def finish(self) -> bytes:
        return bytes(self._made.finish())


class NativeBlocks:
    """ClickHouse's own compression of an answer (`compress=1`): checked LZ4 blocks."""

    name = ""

    def encode(self, data: bytes) -> bytes:
        """One block per CHUNK of data."""
        blocks = (data[low : low + CHUNK] for low in range(0, len(data), CHUNK))
        return b"".join(map(_block, blocks))

    def finish(self) -> bytes:
        """Nothing: blocks need no end."""
        return b""


_ENCODERS: Final[dict[str, Callable[[], Encoder]]] = {
    "lz4": _Lz4,
    "zstd": _Zstd,
    "gzip": _Gzip,
    "br": _Brotli,
}


_BROKEN: Final = (EOFError, RuntimeError, zlib.error, zstandard.ZstdError, brotli.error)


class _BrotliFrame:
    """brotli's decompressor with the names of the others'; its format has one frame only."""

    unused_data = b""

    def __init__(self) -> None:
        self._made = brotli.Decompressor()

    @property
    def eof(self) -> bool:
        return bool(self._made.is_finished())

    def decompress(self, data: bytes) -> bytes:
        return bytes(self._made.process(data))


_DECODERS: Final[dict[str, Callable[[], Any]]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "gzip": lambda: zlib.decompressobj(31),
    "deflate": zlib.decompressobj,
    "br": _BrotliFrame,
}


def encoder(accepted: str) -> Encoder | None:
    """The encoder for an `Accept-Encoding`; None when it names none that is known here."""
    wanted: set[str] = set()
    for item in accepted.split(","):
        name, *options = (part.strip().lower() for part in item.split(";"))
        if not any(option.replace(" ", "") in ("q=0", "q=0.0") for option in options):
            wanted.add(name)
    if "*" in wanted:
        wanted.add("gzip")
    for name in _PREFERRED:
        if name in wanted:
            return _ENCODERS[name]()
    return None


def decoded(raw: BinaryIO, encoding: str) -> BinaryIO:
    """The data of a request's body as a stream, of all its frames.

    Raises:
        QueryError: an encoding that is not known here.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return raw
    if name not in _DECODERS:
        raise QueryError(
            48, f"Content-Encoding {encoding!r} is not known here: use {', '.join(_DECODERS)}"
        )
    return cast("BinaryIO", io.BufferedReader(_Pieces(_frames(raw, _DECODERS[name])), CHUNK))


def native_blocks(raw: BinaryIO) -> BinaryIO:
    """The data of a body in ClickHouse's own compressed blocks (`decompress=1`)."""
    return cast("BinaryIO", io.BufferedReader(_Pieces(_native(raw)), CHUNK))


def pieces(data: BinaryIO) -> Iterator[bytes]:
    """A stream in pieces of at most CHUNK bytes.

    Raises:
        QueryError: 271, the compressed data is broken or ends too early.
    """
    while True:
        try:
            piece = data.read(CHUNK)
        except QueryError:
            raise
        except _BROKEN as error:
            raise QueryError(271, f"Cannot decompress the request's body: {error}") from None
        if not piece:
            return
        yield piece


class _Pieces(io.RawIOBase):
    """A stream over an iterator of bytes."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._left:
            following = next(self._source, None)
            if following is None:
                return 0
            self._left = memoryview(following)
        size = min(len(into), len(self._left))
        into[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def _frames(raw: BinaryIO, make: Callable[[], Any]) -> Iterator[bytes]:
    """The data of all frames, one behind the other; a frame that does not end is an error."""
    frame = None
    while piece := raw.read(_STEP):
        while piece:
            if frame is None or frame.eof:
                frame = make()
            yield frame.decompress(piece)
            piece = frame.unused_data if frame.eof else b""
    if frame is not None and not frame.eof:
        raise EOFError("it ends inside a frame")


def _block(data: bytes) -> bytes:
    packed = lz4.block.compress(data, store_size=False)
    checked = struct.pack("<BII", _LZ4, len(packed) + 9, len(data)) + packed
    return bytes(_checksum(checked) + checked)


def _checksum(checked: bytes) -> bytes:
    found = int(CityHash128(checked))
    # ClickHouse writes the two halves of the hash, first the one that Python has on top.
    return struct.pack("<QQ", found >> 64, found & (2**64 - 1))


def _native(raw: BinaryIO) -> Iterator[bytes]:
    while head := _exactly(raw, 25, at_end=True):
        method, packed_size, size = struct.unpack("<BII", head[16:])
        if not 9 <= packed_size <= _MAX_BLOCK or size > _MAX_BLOCK:
            raise QueryError(271, f"a compressed block of {packed_size} bytes for {size}")
        packed = _exactly(raw, packed_size - 9)
        if _checksum(head[16:] + packed) != head[:16]:
            raise QueryError(40, "Checksum doesn't match: corrupted data")
        if method == _LZ4:
            yield lz4.block.decompress(packed, uncompressed_size=size)
        elif method == _ZSTD:
            yield zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
        elif method == _NONE:
            yield packed
        else:
            raise QueryError(271, f"compression method {method:#x} is not known here: use LZ4")


def _exactly(raw: BinaryIO, size: int, at_end: bool = False) -> bytes:
    found = b""
    while len(found) < size:
        piece = raw.read(size - len(found))
        if not piece:
            break
        found += piece
    if len(found) < size and (found or not at_end):
        raise QueryError(271, "the request's body ends inside a compressed block")
    return found
