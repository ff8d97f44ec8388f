"""Raw logs: every line is accounted for, whatever it holds and however it is packed."""

import gzip
import io
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from streams.config import MarginquakeError
from streams.core.events import BadLine, Raw, Rejected
from streams.edges import rawlog

PAYLOAD = b'{"e": "forceOrder",  "o":{"p":"1.50"}}'
LINE = (
    b'{"venue":"binance-usdm","channel":"liquidation","received_at_us":17,"payload":%b}' % PAYLOAD
)
OTHER = b'{"received_at_us":18,"payload":[1, 2],"venue":"okx","connection":"okx-1"}'
RAW = Raw("binance-usdm", "liquidation", "binance-usdm:log", 17, PAYLOAD)
OTHER_RAW = Raw("okx", None, "okx-1", 18, b"[1, 2]")


def written(folder: Path, data: bytes) -> Path:
    path = folder / "log.jsonl"
    path.write_bytes(data)
    return path


def reasons(path: Path) -> list[tuple[int, str]]:
    return [
        (number, record.rejected.reason if isinstance(record, BadLine) else "record")
        for number, record in rawlog.read(path)
    ]


@pytest.mark.parametrize(
    "pack",
    [
        bytes,
        gzip.compress,
        zstandard.compress,
        lambda data: gzip.compress(data[:40]) + gzip.compress(data[40:]),
        lambda data: zstandard.compress(data[:40]) + zstandard.compress(data[40:]),
    ],
    ids=["plain", "gzip", "zstd", "two gzip members", "two zstd frames"],
)
def test_a_packed_log_reads_like_a_plain_one_whatever_its_name(tmp_path: Path, pack: Any) -> None:
    path = written(tmp_path, pack(LINE + b"\n\n" + OTHER + b"\r\n" + LINE))
    assert list(rawlog.read(path)) == [(1, RAW), (3, OTHER_RAW), (4, RAW)]


def test_payload_bytes_are_the_original_ones() -> None:
    record = rawlog.parse_line(LINE)
    assert isinstance(record, Raw)
    assert record.payload == PAYLOAD


@pytest.mark.parametrize(
    ("payload", "text"),
    [(b'"pong"', b"pong"), (rb'"{\"e\":1"', b'{"e":1'), (b'"\\u00e9"', "é".encode()), (b'""', b"")],
)
def test_a_json_string_holds_the_text_of_a_message(payload: bytes, text: bytes) -> None:
    record = rawlog.parse_line(b'{"venue":"okx","received_at_us":1,"payload":%b}' % payload)
    assert isinstance(record, Raw)
    assert record.payload == text


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (LINE[:-5], "invalid_json"),
        (b"not json", "invalid_json"),
        (b'{"venue":"okx","received_at_us":1,"payload":"\\ud800"}', "invalid_json"),
        (b'{"venue":"\xff","received_at_us":1,"payload":1}', "invalid_utf8"),
        (b"[]", "wrong_type"),
        (b"5", "wrong_type"),
        (LINE.replace(b"17", b'"17"'), "wrong_type"),
        (LINE.replace(b"17", b"1.5"), "wrong_type"),
        (LINE.replace(b'"liquidation"', b"5"), "wrong_type"),
        (LINE.replace(b"17", b"-1"), "time_out_of_range"),
        (LINE.replace(b"17", b"9" * 18), "time_out_of_range"),
        (LINE.replace(b"payload", b"message"), "missing_field"),
        (LINE.replace(b'"venue"', b'"exchange"'), "missing_field"),
        (LINE.replace(b"received_at_us", b"received_at"), "missing_field"),
    ],
)
def test_a_line_that_is_no_record_is_rejected_and_stops_nothing(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    path = written(tmp_path, LINE + b"\n" + line + b"\n" + LINE + b"\n")
    assert reasons(path) == [(1, "record"), (2, reason), (3, "record")]


def test_a_line_beyond_the_limit_is_rejected_and_the_next_is_read(tmp_path: Path) -> None:
    huge = LINE.replace(b"1.50", b"1" * 10_000_000)
    assert reasons(written(tmp_path, huge + b"\n" + LINE)) == [(1, "too_large"), (2, "record")]
    full = LINE + b" " * (rawlog.MAX_LINE_BYTES - len(LINE) - 1) + b"\n"
    assert reasons(written(tmp_path, full * 2)) == [(1, "record"), (2, "record")]
    assert reasons(written(tmp_path, b" " + full)) == [(1, "too_large")]


def test_a_bad_line_keeps_its_first_bytes_and_its_true_size(tmp_path: Path) -> None:
    huge = b"x" * 10_000_000
    found = dict(rawlog.read(written(tmp_path, b"\n[1\r\n" + b"y" * 5_000 + b"\n" + huge + b"\n")))
    assert list(found) == [2, 3, 4]
    bad = [item for item in found.values() if isinstance(item, BadLine)]
    assert [(item.raw.payload, item.size) for item in bad] == [
        (b"[1", 2),
        (b"y" * 4096, 5_000),
        (huge[:4096], 10_000_000),
    ]
    assert [item.source for item in bad] == ["log.jsonl:2", "log.jsonl:3", "log.jsonl:4"]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_truncated_archive_gives_what_it_has_and_names_the_file(
    tmp_path: Path, compress: Any
) -> None:
    lines = b"".join(LINE.replace(b"17", b"%d" % n) + b"\n" for n in range(30_000))
    packed = compress(lines)
    path = written(tmp_path, packed[: len(packed) // 2])
    records = list(rawlog.read(path))
    number, last = records[-1]
    assert len(records) > 5_000
    assert all(isinstance(record, Raw) for _, record in records[:-1])
    assert isinstance(last, BadLine)
    assert str(path) in last.rejected.detail
    assert number == len(records)


@pytest.mark.parametrize("magic", [b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"])
def test_a_damaged_archive_is_one_rejection(tmp_path: Path, magic: bytes) -> None:
    (found,) = rawlog.read(written(tmp_path, magic + b"garbage" * 20))
    assert isinstance(found[1], BadLine)


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    assert list(rawlog.read(written(tmp_path, b""))) == []
    assert list(rawlog.read(written(tmp_path, b"\n \n"))) == []


def test_a_missing_file_is_an_error_for_people(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.jsonl", tmp_path):
        with pytest.raises(MarginquakeError, match=str(path)):
            list(rawlog.read(path))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_standard_input_is_read_like_a_file(pack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = io.TextIOWrapper(io.BufferedReader(io.BytesIO(pack(LINE))))
    monkeypatch.setattr(sys, "stdin", source)
    assert list(rawlog.read("-")) == [(1, RAW)]


@given(line=st.binary(max_size=120))
def test_arbitrary_bytes_never_raise(line: bytes) -> None:
    assert isinstance(rawlog.parse_line(line), (Raw, Rejected))


@given(
    payload=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=5,
    ),
    received=st.integers(-(2**70), 2**70),
)
def test_any_json_payload_passes_with_its_bytes(payload: Any, received: int) -> None:
    encoded = msgspec.json.encode(payload)
    line = b'{"venue":"v","received_at_us":%d,"payload":%b}' % (received, encoded)
    record = rawlog.parse_line(line)
    if isinstance(record, Raw):
        assert record.payload == (payload.encode() if isinstance(payload, str) else encoded)
    else:
        assert not 0 <= received < 2**52
