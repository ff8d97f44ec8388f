"""Histories learnt from an archive: kept in a file, given to stages that begin, never mixed."""

from pathlib import Path

import msgspec
import pytest

from streams.config import MarginquakeError
from streams.core.params import Params
from streams.core.pipeline import AssetStage, MarketStage
from streams.core.results import MARKET, Contribution
from streams.core.rowmeta import RowMeta
from streams.edges.warm import read_warm, write_warm
from tests.drawn_frames import Draw, chain

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
