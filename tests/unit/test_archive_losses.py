"""What an archive lacks is said, and a day without events stops no other day."""

import gzip
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.config import MarginquakeError
from streams.edges import archives
from streams.edges.archives.reading import Reading
from streams.edges.replay import check_files
from streams.venues import PARSERS
from tests.archived import INSTRUMENTS

HEADER = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
AT_US = 1_790_000_000_000_000


def forced(second: int) -> str:
    at = AT_US + second * 1_000_000
    return f"bybit,ETHUSDT,{at},{at + 1000},,sell,3000.1,0.{second % 9 + 1}"


def table(folder: Path, day: int, *rows: str) -> Path:
    path = folder / f"bybit_liquidations_2026-09-{day}_ETHUSDT.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_a_day_without_events_stops_no_other(tmp_path: Path) -> None:
    check_files([table(tmp_path, 20), table(tmp_path, 21, forced(0))], Reading(INSTRUMENTS))
    with pytest.raises(MarginquakeError, match="no line holds an event"):
        check_files([table(tmp_path, 20)], Reading(INSTRUMENTS))


def test_a_file_that_ends_early_is_named_beside_the_lines_that_are_none(tmp_path: Path) -> None:
    packed = gzip.compress(table(tmp_path, 21, "broken", *map(forced, range(3000))).read_bytes())
    cut = tmp_path / "bybit_liquidations_2026-09-22_ETHUSDT.csv.gz"
    cut.write_bytes(packed[: len(packed) // 2])
    arguments = ["replay", str(cut), "--jsonl", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    damage, bad = result.stderr.splitlines()[-2:]
    assert str(cut) in damage
    assert "what follows there is missing" in damage
    assert bad.endswith("2 lines are no record, but dead letters: invalid_json 1, missing_field 1")
    assert json.loads(result.stdout)["records"] > 0


def test_a_whole_file_lacks_nothing(tmp_path: Path) -> None:
    path = table(tmp_path, 21, forced(0), forced(1))
    arguments = ["replay", str(path), "--jsonl", str(tmp_path / "out"), "--json"]
    assert "marginquake:" not in CliRunner().invoke(app, arguments).stderr


def test_a_pipe_is_refused_before_what_it_gives_is_lost(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MarginquakeError, match="standard input"):
        check_files([tmp_path / "pipe"], Reading(INSTRUMENTS))


def test_more_files_than_a_process_may_open_are_read_one_after_the_other(tmp_path: Path) -> None:
    days = [table(tmp_path, day, *(forced(day * 3600 + n) for n in range(4))) for day in range(99)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 20, limits[1]))
    try:
        found = list(archives.lines(list(reversed(days)), PARSERS, INSTRUMENTS))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    stamps = [line.raw.received_at_us for line in found]
    assert stamps == sorted(stamps)
    assert sum(line.raw.channel == "canonical" for line in found) == 4 * len(days)


def test_messages_that_no_parser_takes_are_told(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    row = {"venue": "binanceX", "received_at_us": AT_US, "payload": {}}
    log.write_text(json.dumps(row) + "\n")
    result = CliRunner().invoke(app, ["replay", str(log), "--jsonl", str(tmp_path / "out")])
    assert "1 rows or messages are no event, but dead letters: unknown_venue 1" in result.stderr


@pytest.mark.parametrize("command", ["import", "adopt", "record"])
def test_a_broker_that_is_not_there_is_one_sentence(tmp_path: Path, command: str) -> None:
    named = {"import": table(tmp_path, 21, forced(0)), "adopt": "topic", "record": tmp_path}
    arguments = [command, str(named[command]), "--kafka", "127.0.0.1:1"]
    environment = {**os.environ, "MARGINQUAKE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "marginquake: Kafka at 127.0.0.1:1:" in done.stderr
    assert "Traceback" not in done.stderr
