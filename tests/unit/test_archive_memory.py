"""Reading an archive takes the memory of some lines, not of the file."""

import gzip
import tracemalloc
from pathlib import Path

from streams.edges.archives import lines
from streams.venues import PARSERS
from tests.archived import INSTRUMENTS

TAPE = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"


def written(path: Path, rows: int) -> Path:
    with gzip.open(path, "wt") as file:
        file.write(TAPE + "\n")
        for n in range(rows):
            at_us = 1_790_000_000_000_000 + n * 1_000
            file.write(f"bybit,BTCUSDT,{at_us},{at_us + 9},,sell,60000,0.{n + 1}\n")
    return path


def peak(path: Path) -> int:
    """Bytes allocated at most while the file is read."""
    tracemalloc.start()
    try:
        for _ in lines([path], PARSERS, INSTRUMENTS):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_eight_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    small = written(tmp_path / "a_liquidations.csv.gz", 2_000)
    large = written(tmp_path / "b_liquidations.csv.gz", 16_000)
    peak(small)
    assert peak(large) < peak(small) + 500_000
