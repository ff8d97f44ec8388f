"""Lines that are no records: each has a dead letter of its own, the same on every engine."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from streams.core.events import BadLine, DeadLetter
from streams.core.framing import Framer, PartitionState
from streams.edges import archives
from streams.edges.archives import Line
from streams.engines.inprocess import InProcess
from streams.raw_records import bad_line_headers, raw_from_record
from streams.venues import PARSERS
from tests.drive import INSTRUMENTS
from tests.logs import bybit_forced


def good(at: float) -> bytes:
    """A raw-log line of one forced order."""
    raw = bybit_forced(at).raw
    payload = json.loads(raw.payload)
    row = {"venue": raw.venue, "received_at_us": raw.received_at_us, "payload": payload}
    return json.dumps(row).encode()


def read(*paths: Path) -> list[Line]:
    return list(archives.lines(paths, PARSERS, INSTRUMENTS))


BAD_LINES = {
    b"{nonsense": "invalid_json",
    b"{nonsense ": "invalid_json",
    b"not json": "invalid_json",
    b'{"venue":"\xff","received_at_us":1,"payload":1}': "invalid_utf8",
    b"[]": "wrong_type",
    b"5": "wrong_type",
    b'{"venue":"okx","received_at_us":"17","payload":{}}': "wrong_type",
    b'{"venue":"okx","received_at_us":17,"payload":{}}': "time_out_of_range",
    b'{"venue":"okx","received_at_us":-1,"payload":{}}': "time_out_of_range",
    b'{"venue":"okx","received_at_us":1793620812371512}': "missing_field",
    b'{"venue":"okx","payload":"' + b"x" * 10_000_000 + b'"}': "too_large",
}


def bad_archive(folder: Path) -> Path:
    """Every bad line twice, before and between two good ones."""
    path = folder / "bad.jsonl"
    path.write_bytes(b"\n".join([*BAD_LINES, good(1), *BAD_LINES, good(2)]) + b"\n")
    return path


def letters(lines: Iterable[Line], *, kafka: bool) -> tuple[list[DeadLetter], dict[str, int]]:
    """Dead letters and counters of one engine, or of the framer behind records of raw.v1."""
    if not kafka:
        engine = InProcess(PARSERS, INSTRUMENTS, lambda asset: 0)
        for line in lines:
            if line.bad is None:
                engine.feed(line.raw, line.source)
            else:
                engine.reject(line.bad)
        return engine.flush().emission.dead, engine.framer.state.counters
    framer = Framer(PartitionState(0, 1), PARSERS, INSTRUMENTS, lambda asset: 0)
    for line in lines:
        if line.bad is None:
            framer.apply(line.raw)
            continue
        found = raw_from_record(bad_line_headers(line.bad), line.raw.payload)
        assert isinstance(found, BadLine)
        framer.reject(found)
    return framer.drain().dead, framer.state.counters


@pytest.mark.parametrize("kafka", [False, True], ids=["in process", "through raw.v1"])
def test_every_bad_line_has_an_id_its_reason_its_text_and_its_size(
    tmp_path: Path, kafka: bool
) -> None:
    dead, counters = letters(read(bad_archive(tmp_path)), kafka=kafka)
    assert [letter.reason for letter in dead] == [*BAD_LINES.values()] * 2
    assert len({letter.id for letter in dead}) == len(dead)
    half = len(BAD_LINES)
    numbers = [*range(1, half + 1), *range(half + 2, 2 * half + 2)]
    assert [letter.source for letter in dead] == [f"bad.jsonl:{n}" for n in numbers]
    for letter, text in zip(dead, [*BAD_LINES] * 2, strict=True):
        if letter.venue == "unknown":
            assert letter.payload_bytes == len(text)
            assert letter.payload == text[:4096].decode("utf-8", "replace")
        else:
            # This line could be read: the letter shows the venue's message.
            assert (letter.venue, letter.payload, letter.payload_bytes) == ("okx", "{}", 2)
        assert letter.detail
    fates = sum(n for name, n in counters.items() if not name.startswith("received"))
    assert fates == sum(n for name, n in counters.items() if name.startswith("received"))


def test_bad_lines_give_the_same_letters_in_process_and_through_the_log(tmp_path: Path) -> None:
    lines = read(bad_archive(tmp_path))
    assert letters(lines, kafka=False) == letters(lines, kafka=True)


def test_the_same_bad_line_of_two_files_of_one_name_is_two_letters(tmp_path: Path) -> None:
    paths = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        paths.append(tmp_path / name / "a.jsonl")
        paths[-1].write_text("{nonsense")
    dead, _ = letters(read(*paths), kafka=False)
    assert len({letter.id for letter in dead}) == 2
