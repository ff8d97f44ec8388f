"""Own raw logs: what a line keeps, where a file ends, and what a killed recorder left behind."""

from pathlib import Path

import pytest

from streams.config import MarginquakeError
from streams.core.events import Raw
from streams.edges import rawlog, record
from streams.edges.record import Log, line_of, mend

HOUR_US = 3_600_000_000
AT_US = 1_790_000_000_000_000 // HOUR_US * HOUR_US


def raw(at_us: int = AT_US, payload: bytes = b'{"a": 1.50}', channel: str = "trade") -> Raw:
    return Raw("okx", channel, "c/1", at_us, payload)


def next_offset(folder: Path, partition: int) -> int:
    log = Log(folder, partition, 200)
    log.close()
    return log.next_offset


def kept(folder: Path) -> list[Raw]:
    found = []
    for path in sorted(folder.glob("raw-*")):
        for _, item in rawlog.read(path):
            assert isinstance(item, Raw)
            found.append(item)
    return found


@pytest.mark.parametrize(
    "payload", [b'{"a": 1.50}', b"[1]", b"pong", b'"text"', b'{\n"a":1}', b"{broken", "ü".encode()]
)
def test_a_line_gives_its_record_back_byte_for_byte(payload: bytes) -> None:
    line = line_of(raw(payload=payload), 3, 7)
    assert line is not None
    assert rawlog.parse_line(line) == raw(payload=payload)


def test_bytes_that_are_no_text_have_no_line() -> None:
    assert line_of(raw(payload=b"\xff\xfe"), 0, 0) is None


def test_a_new_hour_and_a_full_file_begin_another(tmp_path: Path) -> None:
    log = Log(tmp_path, 3, 200)
    sent = [raw(AT_US + n * HOUR_US // 2, channel="status") for n in range(4)]
    for offset, one in enumerate(sent):
        assert log.write(one, offset)
    log.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.rsplit("-", 1)[1] for name in names] == ["0.jsonl.zst", "2.jsonl.zst"]
    assert names[0].startswith("raw-3-2026")
    log = Log(tmp_path, 3, 200)
    for offset in range(4, 8):
        log.write(raw(sent[-1].received_at_us), offset)
        log.flush()
    log.write(raw(sent[-1].received_at_us, channel="status"), 8)
    log.close()
    assert len(list(tmp_path.iterdir())) == 3
    assert next_offset(tmp_path, 3) == 9
    assert next_offset(tmp_path, 4) == 0


def test_only_a_status_begins_a_file_unless_none_comes(tmp_path: Path) -> None:
    log = Log(tmp_path, 0, 100)
    for offset in range(12):
        log.write(raw(AT_US + offset * HOUR_US), offset)
        log.flush()
    log.close()
    assert 1 < len(list(tmp_path.iterdir())) < 8
    stamps = [one.received_at_us for one in kept(tmp_path)]
    assert stamps == [AT_US + n * HOUR_US for n in range(12)]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_an_unfinished_frame_is_cut_off_and_written_again(tmp_path: Path, cut: int) -> None:
    log = Log(tmp_path, 0, 2**20)
    sent = [raw(AT_US + n) for n in range(6)]
    for offset, one in enumerate(sent):
        log.write(one, offset)
        if offset % 2:
            log.flush()
    log.close()
    (path,) = tmp_path.glob("raw-*")
    path.write_bytes(path.read_bytes()[:-cut])
    again = Log(tmp_path, 0, 2**20)
    assert again.next_offset == 4
    for offset in range(again.next_offset, 6):
        again.write(sent[offset], offset)
    again.close()
    assert kept(tmp_path) == sent


def test_a_file_without_a_whole_frame_is_dropped(tmp_path: Path) -> None:
    log = Log(tmp_path, 0, 2**20)
    log.write(raw(), 0)
    log.close()
    (tmp_path / "raw-0-20260921T13-1.jsonl.zst").write_bytes(b"\x28\xb5\x2f")
    assert next_offset(tmp_path, 0) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "raw-0-20260921T13-1.jsonl.zst"
    damaged.write_bytes(b"no zstd at all")
    with pytest.raises(MarginquakeError, match="is damaged"):
        mend(damaged)
    (tmp_path / "raw-1-x.jsonl.zst").write_bytes(b"")
    with pytest.raises(MarginquakeError, match="a folder of its own"):
        Log(tmp_path, 1, 1)
    assert record.FRAME_S > 0
