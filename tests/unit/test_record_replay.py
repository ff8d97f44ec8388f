"""A recording of raw.v1 replays to the rows that what was imported gives."""

from pathlib import Path

from streams import contracts
from streams.core.events import Raw
from streams.edges import archives
from streams.edges.publish import records
from streams.edges.record import Log
from streams.raw_records import raw_from_record
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments
from tests.unit.test_replay import replayed, rush, topic, write


def test_a_recording_gives_the_rows_of_what_was_imported(tmp_path: Path) -> None:
    instruments = default_instruments()
    bitcoin = rush()
    files = [
        write(tmp_path / "bitcoin", bitcoin),
        write(tmp_path / "ether", [line.replace("BTCUSDT", "ETHUSDT") for line in bitcoin]),
    ]
    kept = tmp_path / "kept"
    kept.mkdir()
    logs = [Log(kept, partition, 100_000) for partition in range(contracts.partitions())]
    ends = [0] * len(logs)
    for line in archives.lines(files, PARSERS, instruments):
        for _, partition, value, headers in records(line, instruments):
            raw = raw_from_record(headers, value)
            assert isinstance(raw, Raw)
            assert logs[partition].write(raw, ends[partition])
            ends[partition] += 1
    for log in logs:
        log.close()
    assert len(list(kept.iterdir())) > len(logs)
    replayed(tmp_path / "a", *files)
    replayed(tmp_path / "b", *sorted(kept.iterdir()))
    for name in (contracts.LIQUIDATIONS, contracts.LATE, *contracts.RESULT_TOPICS):
        assert sorted(topic(tmp_path / "a", name)) == sorted(topic(tmp_path / "b", name))
    assert topic(tmp_path / "a", contracts.CASCADES)
