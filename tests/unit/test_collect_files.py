"""A raw log that a collector appends to: whole lines, whatever ended who wrote it before."""

from pathlib import Path

import pytest

from streams.collect.files import LogFile
from streams.collect.records import status_record
from streams.config import MarginquakeError
from streams.core.events import BadLine, Raw, Status
from streams.edges import rawlog

CONNECT = status_record("okx", "swap-0a", Status("connect"))


async def test_a_line_that_a_kill_left_unfinished_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"venue":"okx","received_at_us":17900')
    with LogFile(path) as log:
        await log.put(CONNECT)
        await log.close()
    cut, whole = [item for _, item in rawlog.read(path)]
    assert isinstance(cut, BadLine)
    assert isinstance(whole, Raw)
    assert whole.payload == CONNECT.raw.payload


async def test_a_status_is_with_the_system_when_it_is_put(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with LogFile(path) as log:
        await log.put(CONNECT)
        assert len(list(rawlog.read(path))) == 1


def test_two_collectors_do_not_write_into_each_others_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with LogFile(path), pytest.raises(MarginquakeError, match="another collector"):
        LogFile(path)
    with LogFile(path) as log:
        assert log.waiting == 0
