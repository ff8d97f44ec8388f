"""Dumps that become outside values: the premium index, and depth by distance from the price."""

import json
import zipfile
from pathlib import Path

import msgspec
import pytest

from streams.core import outside
from streams.core.events import MICROS, BadLine, Macro, Raw
from streams.edges.archives.reading import Reading
from streams.edges.event_lines import Tally, event_lines
from streams.venues import PARSERS
from tests.archived import INSTRUMENTS, dump, items, rejected
from tests.drive import Framing
from tests.logs import BINANCE, ORIGIN, binance_forced, steady

DEPTH = "BTCUSDT-bookDepth-2026-09-21.csv"
COIN_DEPTH = "BTCUSD_PERP-bookDepth-2026-09-21.csv"
AT = "2026-09-21 00:00:08"
AT_US = 1_789_948_808_000_000
PREMIUM = "premiumIndexKlines/BTCUSDT-1m-2026-09-21.csv"


def values(path: Path) -> list[Macro]:
    """The outside values of a file, every line of which must hold one."""
    found: list[Macro] = []
    for number, item in items(path):
        assert isinstance(item, Raw), (number, item)
        told = outside.read(item)
        assert isinstance(told, list), told
        assert item.received_at_us == told[0].at_us
        found += told
    return found


def premium(close: str, at_ms: int = 1_790_000_059_999) -> str:
    return f"{at_ms - 59_999},0.0001,0.0002,-0.0003,{close},0,{at_ms},0,12,0,0,0"


@pytest.mark.parametrize("close", ["-0.00031", "0.00031"])
@pytest.mark.parametrize("header", [True, False])
def test_a_premium_is_told_when_its_interval_has_ended(
    tmp_path: Path, close: str, header: bool
) -> None:
    (told,) = values(dump(tmp_path, PREMIUM, premium(close), header=header))
    series = "premium_index:binance-usdm:BTCUSDT"
    assert told == Macro(series, float(close), "BTC", 1_790_000_059_999_000)


def test_a_premium_of_a_coin_margined_contract(tmp_path: Path) -> None:
    name = "futures/cm/daily/premiumIndexKlines/ETHUSD_PERP/1h/ETHUSD_PERP-1h-2026-09-21.csv"
    (told,) = values(dump(tmp_path, name, premium("-0.0004")))
    assert (told.series, told.asset) == ("premium_index:binance-coinm:ETHUSD_PERP", "ETH")


def test_a_price_is_no_premium(tmp_path: Path) -> None:
    assert rejected(dump(tmp_path, PREMIUM, premium("62000.1"))) == ["out_of_range"]


@pytest.mark.parametrize("folder", ["", "klines/"])
def test_klines_without_their_folder_are_not_taken_for_trades(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "BTCUSDT-1m-2026-09-21.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(premium("0.0003") + "\n")
    ((_, item),) = items(path)
    assert isinstance(item, BadLine)
    assert item.rejected.reason == "unknown_message"
    assert "premiumIndexKlines" in item.rejected.detail


@pytest.mark.parametrize("header", [True, False])
def test_depth_is_dollars_of_a_side_up_to_a_distance(tmp_path: Path, header: bool) -> None:
    rows = [
        f"{AT},{percent},{depth},{notional}"
        for percent, depth, notional in (
            ("-5.00", "800", "48000000"),
            ("-1", "200", "12300000"),
            ("-0.20", "40", "2470000.5"),
            ("0.20", "38", "2360000"),
            ("1", "190", "11850000"),
            ("5.00", "0", "0"),
        )
    ]
    told = values(dump(tmp_path, DEPTH, *rows, header=header))
    assert {(one.series.split(":binance-usdm:BTCUSDT")[0], one.value) for one in told} == {
        ("bid_depth_usd:5%", 48_000_000.0),
        ("bid_depth_usd:1%", 12_300_000.0),
        ("bid_depth_usd:0.2%", 2_470_000.5),
        ("ask_depth_usd:0.2%", 2_360_000.0),
        ("ask_depth_usd:1%", 11_850_000.0),
        ("ask_depth_usd:5%", 0.0),
    }
    assert {(one.asset, one.at_us) for one in told} == {("BTC", AT_US)}


def test_depth_of_coin_margined_contracts_is_their_dollars(tmp_path: Path) -> None:
    rows = [f"{AT},-1,1000,2.01", f"{AT},1,900,1.78"]
    told = values(dump(tmp_path, COIN_DEPTH, *rows))
    assert [(one.series, one.value) for one in told] == [
        ("bid_depth_usd:1%:binance-coinm:BTCUSD_PERP", 100_000.0),
        ("ask_depth_usd:1%:binance-coinm:BTCUSD_PERP", 90_000.0),
    ]


def test_coin_margined_depth_in_other_units_is_a_dead_letter(tmp_path: Path) -> None:
    rows = [f"{AT},-1,2.01,1000", f"{AT},1,1.78,900"]
    assert rejected(dump(tmp_path, COIN_DEPTH, *rows)) == ["crossed_book"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"{AT},0,1,1", "out_of_range"),
        (f"{AT},-101,1,1", "out_of_range"),
        (f"{AT},-1,1,-1", "not_positive"),
        (f"{AT},near,1,1", "wrong_type"),
        ("2026-09-31 00:00:08,-1,1,1", "wrong_type"),
        (f"{AT},-1,1", "missing_field"),
        (f"{AT},-1,,1", "missing_field"),
    ],
)
def test_a_bad_row_of_depth_harms_no_other(tmp_path: Path, row: str, reason: str) -> None:
    good = f"{AT},-2,1,60000"
    path = dump(tmp_path, DEPTH, good, row, f"{AT},2,1,61000")
    assert [number for number, _ in items(path)] == [2, 3, 4]
    assert rejected(path) == [reason]


def test_an_unknown_instrument_has_no_depth(tmp_path: Path) -> None:
    path = dump(tmp_path, "ETHBTC-bookDepth-2026-09-21.csv", f"{AT},-1,1,1")
    assert rejected(path) == ["unknown_instrument"]


def test_rows_of_depth_that_stand_twice_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-bookDepth-2026-09-21.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("BTCUSDT-bookDepth-2026-09-21.csv", f"{AT},-1,10,600000\n" * 2)
    reading = Reading(INSTRUMENTS)
    assert len(list(reading.read(str(path)))) == 1
    assert reading.tally.doubled == 1


def test_frames_carry_them_beside_the_forced_orders_of_the_second(tmp_path: Path) -> None:
    (item,) = items(dump(tmp_path, PREMIUM, premium("0.0003", (ORIGIN + 5) * 1000)))
    assert isinstance(item[1], Raw)
    framing = Framing()
    log = [item[1], *(binance_forced(at, "BTC").raw for at in (10, 20)), *steady(BINANCE, 0, 60)]
    for raw in sorted(log, key=lambda raw: raw.received_at_us):
        framing.apply(raw, None)
    (frame,) = [f for f in framing.frames if f.second == (ORIGIN + 10) * MICROS]
    assert [(one.series, one.value) for one in frame.macro] == [
        ("premium_index:binance-usdm:BTCUSDT", 0.0003)
    ]


def test_normalise_prints_them(tmp_path: Path) -> None:
    tally = Tally()
    path = dump(tmp_path, PREMIUM, premium("0.0003"))
    (line,) = event_lines([str(path)], PARSERS, INSTRUMENTS, tally)
    assert json.loads(line) == {
        "type": "macro",
        "series": "premium_index:binance-usdm:BTCUSDT",
        "value": 0.0003,
        "asset": "BTC",
        "at_us": 1_790_000_059_999_000,
    }
    assert tally.summary() == "1 lines: 1 macro"


def test_values_that_no_frame_takes_do_not_fill_the_memory() -> None:
    framing = Framing()
    for n in range(outside.MAX_AHEAD + 50):
        at_us = (ORIGIN + n) * 1_000_000
        value = Macro("premium_index:binance-usdm:BTCUSDT", n / 1e6, "BTC", at_us)
        framing.apply(outside.record(value, "binance-usdm", "dump", at_us), None)
    (kept,) = framing.framers[0].state.macro.values()
    assert len(kept) == outside.MAX_AHEAD
    assert msgspec.structs.asdict(kept[-1][1])["value"] == pytest.approx(n / 1e6)
