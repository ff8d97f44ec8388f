"""What the measurement of estimated dollars promises: the flush alone, and train seeds alone."""

import json
from pathlib import Path

import msgspec
import pytest
import zstandard

from streams.config import MarginquakeError
from streams.core.events import MICROS, Completeness
from streams.core.frames import Cell, Frame, TickerState
from streams.core.scaling import Scale
from streams.core.slots import Slots, tally_slots
from streams.core.throttle import ThrottleParams
from streams.scoreboard.dollars import Block, Stretch, fitted, measure, stretches, table
from streams.scoreboard.framed import SEALED, Sealed

AT = 1_788_220_800
"""2026-09-01 00:00 UTC."""
PARAMS = ThrottleParams()


def cell(venue: str, usd: int, n: int = 1) -> Cell:
    whole: Completeness = "all" if venue == "bybit" else "sampled"
    return Cell(venue, "BTC", "long", "liquidation", whole, n, usd * MICROS, usd * MICROS // n)


def ticker(venue: str, usd: int) -> TickerState:
    return TickerState(
        venue, "BTC", "linear", 1.0, 1.0, 1.0, float(usd), usd * MICROS, AT * MICROS, 0.0, None,
        None, AT * MICROS,
    )  # fmt: skip


def frame(second: int, *cells: Cell, up: tuple[str, ...] = ("binance-usdm", "bybit")) -> Frame:
    tickers = (ticker("binance-usdm", 400), ticker("bybit", 200))
    return Frame(
        "BTC", 0, second * MICROS, None, 1.0, up, up, (), tuple(cells), (), (), tickers, ()
    )


def run(folder: Path, frames: list[Frame], onset: int, end: int, usd: float) -> Path:
    flush = {"scope": "BTC", "side": "long", "onset": onset, "end": end, "usd": usd}
    truth = {"seed": 1, "flushes": [{"flush": flush}], "more": "than is read"}
    (folder / "truth.json").write_text(json.dumps(truth))
    data = msgspec.msgpack.encode(Sealed(0, tuple(frames), ()))
    packed = zstandard.ZstdCompressor().compress(len(data).to_bytes(4, "big") + data)
    (folder / SEALED).write_bytes(packed)
    return folder


def stretch(true: float, seed: int = 1, published: int = 100, times: int = 1) -> Stretch:
    slots: Slots = {}
    for second in range(times):
        cells = (cell("bybit", 100, n=4), cell("binance-usdm", published))
        tally_slots(slots, cells, AT + second)
    interest = {"binance-usdm": 200 * MICROS, "bybit": 200 * MICROS}
    block = Block(AT, 60, slots, Scale(interest, ("binance-usdm", "bybit")))
    return Stretch("BTC", "long", seed, true, (100 + published) * times * MICROS, (block,))


def test_a_stretch_holds_the_seconds_of_the_flush_and_the_interest_before_it(
    tmp_path: Path,
) -> None:
    frames = [
        frame(AT, cell("bybit", 1_000)),
        frame(AT + 10, cell("bybit", 5), cell("binance-usdm", 7)),
        frame(AT + 80, cell("bybit", 9)),
        frame(AT + 81, cell("bybit", 2_000)),
    ]
    (found,) = stretches(run(tmp_path, frames, AT + 10, AT + 80, 30.0))
    assert (found.true, found.published) == (30.0, 21 * MICROS)
    assert [(block.at, block.seconds) for block in found.blocks] == [(AT + 10, 60), (AT + 70, 11)]
    assert found.blocks[0].scale.interest == {"binance-usdm": 400 * MICROS, "bybit": 200 * MICROS}


def test_a_venue_that_was_down_in_a_block_is_no_measure_in_it(tmp_path: Path) -> None:
    frames = [
        frame(AT, cell("bybit", 1)),
        frame(AT + 10, cell("bybit", 5)),
        frame(AT + 20, cell("binance-usdm", 5), up=("binance-usdm",)),
    ]
    (found,) = stretches(run(tmp_path, frames, AT + 10, AT + 20, 30.0))
    assert set(found.blocks[0].scale.up) == {"binance-usdm"}


def test_a_folder_without_a_run_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match="make the run first"):
        stretches(tmp_path)


def test_a_measured_stretch_lies_beside_its_truth() -> None:
    """Bybit's largest of four equal orders is a quarter of its dollars."""
    found = measure(stretch(true=400.0, published=25), PARAMS)
    assert found.published.value == 125.0
    assert found.alone.value is not None
    assert found.dollars.value is not None
    assert found.alone.value < 130.0 < 180.0 < found.dollars.value < 210.0
    assert found.dollars.truth == 400.0


def test_intervals_are_fitted_to_cover_four_of_five_truths() -> None:
    likely = measure(stretch(true=1.0, published=25), PARAMS).dollars.value
    assert likely is not None
    known = [stretch(likely * times, published=25) for times in (0.8, 0.9, 1.0, 1.2, 9.0)]
    params = fitted(known, PARAMS)
    ends = measure(known[0], params).dollars
    assert ends.low is not None
    assert ends.low <= 0.8 * likely
    narrower = msgspec.structs.replace(params, interval_errors=params.interval_errors - 0.05)
    inside = [measure(one, narrower).dollars for one in known]
    assert sum((o.low or 0) <= o.truth <= (o.high or 0) for o in inside) < 4


def test_a_test_seed_is_refused() -> None:
    with pytest.raises(MarginquakeError, match="seed 1001 is no train seed"):
        fitted([stretch(1.0, seed=1001)], PARAMS)


def test_the_table_has_a_row_for_each_label_and_one_for_all() -> None:
    lines = table([measure(stretch(true=200.0, published=25), PARAMS)])
    assert lines[-1].startswith("| all | 1 | 37.5% |")
    assert len(lines) == 4
