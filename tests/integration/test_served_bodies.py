"""Compression of what the served warehouse receives and answers."""

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli
import lz4.frame
import pytest
import zstandard

from streams.serving.bodies import NativeBlocks, native_blocks
from tests.served import Served

pytestmark = pytest.mark.warehouse


BIG = 400_000
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "gzip": gzip.decompress,
    "br": brotli.decompress,
}


@pytest.mark.parametrize("encoding", DECODERS)
@pytest.mark.parametrize("rows", [0, 3, BIG])
def test_answers_are_compressed_as_asked(served: Served, encoding: str, rows: int) -> None:
    sql = f"SELECT number, 'some text' FROM numbers({rows})"  # noqa: S608
    plain = served.ask(sql)
    assert "Content-Encoding" not in plain.headers
    packed = served.ask(sql, headers={"Accept-Encoding": f"{encoding}, unknown"})
    assert packed.headers["Content-Encoding"] == encoding
    assert DECODERS[encoding](packed.body) == plain.body
    off = served.ask(sql, {"enable_http_compression": "0"}, {"Accept-Encoding": encoding})
    assert off.body == plain.body
    refused = served.ask(sql, headers={"Accept-Encoding": f"{encoding};q=0"})
    assert refused.body == plain.body


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "gzip": gzip.compress,
    "br": brotli.compress,
    "deflate": zlib.compress,
}


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_compressed_insert_keeps_every_row(things: Served, encoding: str) -> None:
    rows = b"".join(b"%d,text of row %d\n" % (n, n) for n in range(BIG))
    sent = things.ask(
        ENCODERS[encoding](b"INSERT INTO things FORMAT CSV\n" + rows),
        headers={"Content-Encoding": encoding},
        writes=True,
    )
    assert sent.status == 200, sent.text
    assert things.ask("SELECT count(), sum(a) FROM things").text == (
        f"{BIG}\t{BIG * (BIG - 1) // 2}\n"
    )


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip"])
def test_a_body_of_many_frames_is_read_to_its_end(things: Served, encoding: str) -> None:
    pack = ENCODERS[encoding]
    frames = b"".join(pack(b"%d,x\n" % n * 1000) for n in range(50))
    body = pack(b"INSERT INTO things FORMAT CSV\n") + frames
    sent = things.ask(body, headers={"Content-Encoding": encoding}, writes=True)
    assert sent.status == 200, sent.text
    assert things.ask("SELECT count(), uniqExact(a) FROM things").text == "50000\t50\n"


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip", "br", "deflate"])
def test_a_broken_body_is_an_error_and_writes_nothing_wrong(things: Served, encoding: str) -> None:
    whole = ENCODERS[encoding](b"".join(b"%d,%d\n" % (n, n * n) for n in range(50_000)))
    for broken in (whole[: len(whole) // 2], b"not compressed at all, but long enough to see"):
        sent = things.ask(
            broken,
            {"query": "INSERT INTO things FORMAT CSV"},
            {"Content-Encoding": encoding},
            writes=True,
        )
        assert sent.code in (271,), (sent.status, sent.text)
    assert things.ask("SELECT countIf(b != toString(a * a)) FROM things").text == "0\n"
    unknown = things.ask("SELECT 1", headers={"Content-Encoding": "snappy"})
    assert (unknown.status, unknown.code) == (501, 48)


def test_the_native_blocks_are_those_that_the_engine_writes(things: Served) -> None:
    things.ask(
        "INSERT INTO things SELECT number, 'x' FROM numbers(1000)"
        " SETTINGS min_bytes_for_wide_part = 0",
        writes=True,
    )
    for setting in ("min_bytes_for_wide_part = 0", "min_rows_for_wide_part = 0"):
        things.ask(f"ALTER TABLE things MODIFY SETTING {setting}", writes=True)
    things.ask("INSERT INTO things SELECT number, 'y' FROM numbers(100000)", writes=True)
    path = things.ask(
        "SELECT path FROM system.parts WHERE table = 'things' AND active ORDER BY rows DESC",
        writes=True,
    ).text.split()[0]
    stored = (Path(path) / "a.bin").read_bytes()
    engine_blocks = native_blocks(io.BytesIO(stored)).read()
    assert len(engine_blocks) >= 800_000
    sql = "SELECT number FROM numbers(100000)"
    packed = things.ask(sql, {"compress": "1"}).body
    assert native_blocks(io.BytesIO(packed)).read() == things.ask(sql).body
    body = NativeBlocks().encode(b"INSERT INTO things FORMAT CSV\n" + b"5,z\n" * 1000)
    sent = things.ask(body, {"decompress": "1"}, writes=True)
    assert sent.status == 200, sent.text
    assert things.ask("SELECT count() FROM things WHERE b = 'z'").text == "1000\n"
    wrong = bytearray(body)
    wrong[-1] ^= 1
    assert things.ask(bytes(wrong), {"decompress": "1"}, writes=True).code in (40, 271)
