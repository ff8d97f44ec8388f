"""What an import that goes on takes for sent: by partition, in order, whatever stands between."""

from pathlib import Path

import pytest

from streams.config import MarginquakeError
from streams.edges.import_marks import Mark, Marks, Sent, identity


def test_a_partition_is_sent_up_to_its_first_missing_record() -> None:
    sent = Sent({0: [b"a", b"b"], 1: [b"x"], 2: []})
    assert sent.has(0, b"a")
    assert not sent.has(2, b"a")
    assert sent.has(1, b"x")
    assert sent.has(0, b"b")
    assert not sent
    assert not sent.has(0, b"c")


def test_records_of_others_are_passed_over() -> None:
    sent = Sent({0: [b"other", b"a", b"other", b"b", b"other"]})
    assert [sent.has(0, one) for one in (b"a", b"b", b"c", b"d")] == [True, True, False, False]
    assert not sent


def test_a_record_is_known_by_its_headers_and_its_value() -> None:
    headers = [("venue", b"okx"), ("received_at", b"1")]
    assert identity(headers, b"v") == identity(list(headers), b"v")
    assert identity(headers, b"v") != identity(headers, b"w")
    assert identity(headers, b"v") != identity(headers[:1], b"v")


def test_a_mark_is_of_the_same_files_and_the_same_broker(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("1")
    marks = Marks(tmp_path / "m", "one", "", [file])
    assert marks.read() is None
    marks.write(Mark(5, {0: 7}))
    assert Marks(tmp_path / "m", "one", "", [file]).read() == Mark(5, {0: 7})
    assert Marks(tmp_path / "m", "two", "", [file]).read() is None
    assert Marks(tmp_path / "m", "one", "raw", [file]).read() is None
    file.write_text("12")
    assert Marks(tmp_path / "m", "one", "", [file]).read() is None
    marks.clear()
    marks.clear()
    assert marks.read() is None


def test_one_import_of_the_same_files_runs_at_a_time(tmp_path: Path) -> None:
    marks = Marks(tmp_path, "one", "", [])
    with marks.held(), pytest.raises(MarginquakeError, match="is running"), marks.held():
        pass
    with marks.held(), Marks(tmp_path, "two", "", []).held():
        pass


def test_a_damaged_mark_names_its_mend(tmp_path: Path) -> None:
    marks = Marks(tmp_path, "one", "", [])
    marks.path.write_text("{")
    with pytest.raises(MarginquakeError, match="--restart"):
        marks.read()
    with pytest.raises(MarginquakeError, match=r"none\.jsonl"):
        Marks(tmp_path, "one", "", [tmp_path / "none.jsonl"])
