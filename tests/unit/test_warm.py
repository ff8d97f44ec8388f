"""Histories learnt from an archive: kept in a file, given to stages that begin, never mixed."""

from pathlib import Path

import msgspec
import pytest
import zstandard

pytest.importorskip("numba")

from streams.config import MarginquakeError
from streams.contracts import partition_for
from streams.core.events import MICROS
from streams.core.params import Params
from streams.core.pipeline import AssetStage, MarketStage, Snapshot
from streams.core.results import MARKET, Contribution, Print, Result
from streams.core.rowmeta import RowMeta
from streams.edges.archives import lines
from streams.edges.warm import check_target, read_warm, write_warm
from streams.engines.inprocess import InProcess
from streams.simulation.files import LOG
from streams.simulation.run import simulate
from streams.simulation.scenarios import WEDNESDAY, scenario
from streams.venues import PARSERS
from tests.drawn_frames import Draw, chain
from tests.drive import INSTRUMENTS

PARAMS = Params()
META = RowMeta(PARAMS.hash(), "test", 0)
PAST = Draw(seed=31, seconds=3600)


def learnt() -> AssetStage:
    stage = AssetStage("BTC", PARAMS, META)
    for frame in chain(PAST):
        stage.step(frame)
    return stage


def test_a_stage_that_begins_warm_says_what_one_that_went_on_says(tmp_path: Path) -> None:
    before = learnt()
    path = tmp_path / "warm"
    write_warm(path, PARAMS.hash(), {"BTC": before.snapshot()})
    warm = AssetStage("BTC", PARAMS, META)
    kept = read_warm(path, PARAMS.hash())["BTC"]
    warm.warm(kept.hot, kept.pages)
    cold = AssetStage("BTC", PARAMS, META)
    later = chain(Draw(seed=32, seconds=1800, gap=(0, 86_400)))[1:]
    first = msgspec.structs.replace(later[0], prev=None)
    told = {}
    for name, stage in (("went on", before), ("warm", warm), ("cold", cold)):
        linked = msgspec.structs.replace(first, prev=stage.applied)
        rows = [stage.step(frame) for frame in (linked, *later[1:])]
        told[name] = [
            msgspec.json.encode(row)
            for some in rows
            if isinstance(some, list)
            for row in some
            if not isinstance(row, Contribution)
        ]
    assert told["warm"] == told["went on"] != told["cold"]


def test_the_market_stage_begins_warm_and_without_old_inputs(tmp_path: Path) -> None:
    stage = MarketStage(PARAMS, META)
    path = tmp_path / "warm"
    write_warm(path, PARAMS.hash(), {MARKET: stage.snapshot()})
    kept = read_warm(path, PARAMS.hash())[MARKET]
    again = MarketStage(PARAMS, META)
    again.warm(kept.hot, kept.pages)
    assert again.sealed is None


def test_histories_of_other_parameters_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "warm"
    write_warm(path, PARAMS.hash(), {})
    with pytest.raises(MarginquakeError, match="learnt under other parameters"):
        read_warm(path, "0123456789ab")


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "warm"
    path.write_text("not a file of ours")
    with pytest.raises(MarginquakeError, match="holds no histories"):
        read_warm(path, PARAMS.hash())
    with pytest.raises(MarginquakeError, match="cannot read"):
        read_warm(tmp_path / "absent", PARAMS.hash())
    with pytest.raises(MarginquakeError, match="cannot write"):
        write_warm(tmp_path / "no" / "folder", PARAMS.hash(), {})


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Six simulated minutes, cut by receipt after three."""
    folder = tmp_path_factory.mktemp("archives")
    simulate(scenario("build-up"), 9, folder, assets=2, hours=0.1, labels=False)
    text = zstandard.ZstdDecompressor().stream_reader((folder / LOG).read_bytes()).read()
    cut = (WEDNESDAY + 180) * MICROS
    found: tuple[list[bytes], list[bytes]] = ([], [])
    for line in text.splitlines(keepends=True):
        found[msgspec.json.decode(line)["received_at_us"] >= cut].append(line)
    paths = folder / "first.jsonl", folder / "second.jsonl"
    for path, part in zip(paths, found, strict=True):
        path.write_bytes(b"".join(part))
    return paths


def through(
    path: Path, warm: dict[str, Snapshot] | None = None, *, run_on: bool
) -> tuple[InProcess, tuple[Result, ...]]:
    engine = InProcess(PARSERS, INSTRUMENTS, partition_for, PARAMS, warm)
    for line in lines([path], PARSERS, INSTRUMENTS, run_on=run_on):
        engine.feed(line.raw, line.source)
    return engine, engine.flush().results


def test_data_that_follow_the_archive_at_once_are_told_in_full(
    archives: tuple[Path, Path],
) -> None:
    first, second = archives
    warm = through(first, run_on=False)[0].snapshots()
    told = [
        {(row.scope, row.watermark) for row in rows if isinstance(row, Print)}
        for rows in (through(second, run_on=True)[1], through(second, warm, run_on=True)[1])
    ]
    assert told[0]
    # Orders of the seconds that both archives hold stand in the histories.
    missing = {watermark for _, watermark in told[0] - told[1]}
    assert all(watermark <= (WEDNESDAY + 180) * MICROS for watermark in missing)


def test_data_inside_the_histories_are_refused(archives: tuple[Path, Path]) -> None:
    first, _ = archives
    warm = through(first, run_on=False)[0].snapshots()
    with pytest.raises(MarginquakeError, match="archives that end before"):
        through(first, warm, run_on=True)


def test_no_file_but_histories_is_written_over(tmp_path: Path) -> None:
    recording = tmp_path / "recording.jsonl"
    recording.write_text("{}")
    with pytest.raises(MarginquakeError, match="holds no histories"):
        check_target(recording)
    with pytest.raises(MarginquakeError, match="is no folder"):
        check_target(tmp_path / "no" / "warm")
    check_target(tmp_path / "new")
    write_warm(tmp_path / "old", PARAMS.hash(), {})
    check_target(tmp_path / "old")
