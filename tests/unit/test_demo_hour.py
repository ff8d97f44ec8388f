"""The demo's hour is deterministic, holds one true self-reinforcing flush, and one broken line."""

from pathlib import Path

import pytest

pytest.importorskip("numba")

import msgspec
from typer.testing import CliRunner

from streams.cli import app
from streams.config import MarginquakeError
from streams.contracts import partition_for
from streams.core.events import MICROS, Raw
from streams.core.results import MARKET
from streams.edges import rawlog
from streams.edges.archives import lines
from streams.edges.console import report_console
from streams.edges.demo_hour import Hour, TrueFlush, hour_files, read_hour, simulation, warm_up
from streams.edges.demo_report import DemoReport, beside_truth, truth_table
from streams.edges.replay import Folder, run_replay
from streams.edges.summary import Summary, WindowRow
from streams.engines.inprocess import InProcess
from streams.venues import PARSERS
from streams.venues.catalog import default_instruments


def make_hour(folder: Path) -> Hour:
    told = CliRunner().invoke(app, [*simulation(folder), "--json"])
    assert told.exit_code == 0, told.output
    return read_hour(folder, msgspec.json.decode(told.stdout)["lines"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Hour, Path]:
    folder = tmp_path_factory.mktemp("hour")
    return make_hour(folder), folder


@pytest.fixture(scope="module")
def summary(made: tuple[Hour, Path], tmp_path_factory: pytest.TempPathFactory) -> Summary:
    instruments = default_instruments()
    engine = InProcess(PARSERS, instruments, partition_for)
    writer = Folder(tmp_path_factory.mktemp("out"))
    found = run_replay(lines(hour_files(made[1]), PARSERS, instruments), engine, writer)
    writer.close()
    return found


def flush(scope: str = "BTC", side: str = "long", onset: int = 100, end: int = 200) -> TrueFlush:
    return TrueFlush(scope, side, onset, end, 5_000_000, 10, 0.5, True)  # type: ignore[arg-type]


def window(
    scope: str = "BTC", side: str = "long", onset: int = 100, end: int | None = 200
) -> WindowRow:
    return WindowRow(
        scope, side, "cascade", onset, onset + 9, end, 3, 4, None, 5, {}, 0.5, True, "ok"
    )


def hour_of(*flushes: TrueFlush) -> Hour:
    return Hour("build-up", 1, 0, 3600, 1, 1, 1, {"long": 1, "short": 0}, list(flushes))


def report_of(*windows: WindowRow) -> DemoReport:
    return DemoReport(list(windows), [], {}, 0)


def test_the_hour_holds_one_true_market_wide_flush_that_fed_on_itself(
    made: tuple[Hour, Path],
) -> None:
    hour, _ = made
    assert hour.ended - hour.began == 3600
    market = [one for one in hour.flushes if one.scope == MARKET]
    assert [(one.side, one.self_reinforcing) for one in market] == [("long", True)]
    assert (market[0].excess_share or 0) > 0.4
    assert 0.5 * hour.forced_usd["long"] < market[0].usd < hour.forced_usd["long"]
    assert hour.published < hour.forced


def test_the_hour_is_the_same_each_time(made: tuple[Hour, Path], tmp_path: Path) -> None:
    hour, folder = made
    assert make_hour(tmp_path) == hour
    for first, again in zip(hour_files(folder), hour_files(tmp_path), strict=True):
        assert first.read_bytes() == again.read_bytes()


def test_what_is_kept_of_the_hour_reads_back(made: tuple[Hour, Path]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(made[0]), type=Hour) == made[0]


def test_one_message_breaks_off(made: tuple[Hour, Path]) -> None:
    hour, folder = made
    _, cut_off = hour_files(folder)
    ((_, raw),) = rawlog.read(cut_off)
    assert isinstance(raw, Raw)
    assert hour.began * MICROS < raw.received_at_us < hour.ended * MICROS
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(raw.payload)


def test_the_hour_takes_the_place_of_the_warm_up(made: tuple[Hour, Path], tmp_path: Path) -> None:
    told = CliRunner().invoke(app, [*warm_up(tmp_path), "--json"])
    assert told.exit_code == 0, told.output
    assert make_hour(tmp_path) == made[0]


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match=str(tmp_path)):
        read_hour(tmp_path, 1)


def test_the_detector_finds_the_flush_as_one_cascade_of_longs(
    made: tuple[Hour, Path], summary: Summary
) -> None:
    (true,) = [one for one in made[0].flushes if one.scope == MARKET]
    found = [
        w
        for w in summary.windows.values()
        if (w.scope, w.window_class) == (MARKET, "cascade") and w.is_final
    ]
    assert [w.side for w in found] == ["long"]
    assert found[0].onset < true.end
    assert (found[0].end or 0) > true.onset
    assert found[0].usd_observed < true.usd


def test_every_published_order_is_accepted_or_late(
    made: tuple[Hour, Path], summary: Summary
) -> None:
    accepted = summary.tally("accepted")["liquidation"]
    assert accepted + sum(summary.tally("late").values()) == made[0].published
    assert summary.tally("dead_lettered") == {"invalid_json": 1}
    assert summary.tally("late_dropped") == {}


def test_a_flush_stands_beside_the_window_that_overlaps_it_most() -> None:
    near, far = window(onset=90, end=190), window(onset=180, end=900)
    (row,) = beside_truth(report_of(far, near), hour_of(flush()))
    assert row.window == near
    still_open = window(onset=110, end=None)
    (row,) = beside_truth(report_of(still_open), hour_of(flush()))
    assert row.window == still_open


def test_a_window_of_another_side_scope_or_time_is_no_detection() -> None:
    others = (window(side="short"), window(scope="ETH"), window(onset=200, end=300))
    (row,) = beside_truth(report_of(*others), hour_of(flush()))
    assert row.window is None
    console = report_console()
    with console.capture() as shown:
        console.print(truth_table([row]))
    assert "missed" in shown.get()
