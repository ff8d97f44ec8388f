"""Archived series: what a CSV row says, and how a wrong one is refused."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.config import MarginquakeError
from streams.edges.series import read_series, regime_path

HEADER = "date,close,high,low,oi_usd,funding_8h_pct,long_usd,short_usd,spot_base"


def write(path: Path, *lines: str, header: str = HEADER) -> Path:
    file = path / "series.csv"
    file.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return file


def storm(path: Path) -> Path:
    """Thirty ordinary days, then three of a crash."""
    lines = []
    for day in range(33):
        crash = max(0, day - 29)
        when = datetime.fromtimestamp(1_700_006_400 + day * 86_400, UTC).date()
        price = 100 * (1 + 0.01 * (day % 5)) * (1 - 0.15 * crash)
        forced = 5e7 if crash else 1e6 * (1 + day % 3)
        swing = 0.10 if crash else 0.01 + 0.002 * (day % 4)
        oi = price * 1e7 * (1 + 0.01 * (day % 7)) * (1 - 0.08 * crash)
        lines.append(
            f"{when},{price},{price * (1 + swing)},{price * (1 - swing)},{oi},0.01,{forced},0,1e6"
        )
    return write(path, *lines)


def test_a_day_is_24_equal_hours(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "2026-01-01,100,110,90,5000,0.02,2400,240,48",
        "2026-01-02,100,110,90,5000,,,,",
    )
    bars = list(read_series(file))
    assert len(bars) == 48
    assert [bar.start - bars[0].start for bar in bars] == [3600 * n for n in range(48)]
    assert (bars[5].long_usd, bars[5].short_usd, bars[5].spot_usd) == (100.0, 10.0, 200.0)
    assert bars[5].funding_8h == pytest.approx(0.0002)
    assert bars[5].variance == pytest.approx(bars[6].variance)
    assert (bars[30].long_usd, bars[30].funding_8h, bars[30].spot_usd) == (None, None, None)
    assert bars[30].oi_base is None


def test_an_hour_stands_for_itself(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "2026-01-01 00:00:00,100,5,-1e-5",
        "2026-01-01T01:00:00Z,101,6,0",
        header="t,close,longUsd,funding_8h",
    )
    one, two = read_series(file)
    assert two.start - one.start == 3600
    assert (one.long_usd, one.funding_8h, two.close) == (5.0, -1e-5, 101.0)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["2026-01-01,1,,,,,,,"], "two rows or more"),
        (["2026-01-01,1,,,,,,,", "2026-01-01,1,,,,,,,"], "line 3: time does not ascend"),
        (["2026-01-01,1,,,,,,,", "2026-01-03,1,,,,,,,"], "172800 s apart"),
        (["2026-01-01,1,,,,,,,", "2026-01-02,x,,,,,,,"], "line 3: close is 'x'"),
        (["2026-01-01,1,,,,,,,", "2026-01-02,nan,,,,,,,"], "line 3: close is 'nan'"),
        (["2026-01-01,1,,,,,,,", "2026-01-02,1,,,-5,,,,"], "line 3: oi_usd is '-5'"),
        (["2026-01-01,1,,,,,,,", ",1,,,,,,,"], "line 3: time is ''"),
        (["2026-01-01 00:30,1,,,,,,,", "2026-01-01 01:30,1,,,,,,,"], "not the start"),
    ],
)
def test_a_row_that_is_not_one_is_refused_with_its_line(
    tmp_path: Path, lines: list[str], told: str
) -> None:
    with pytest.raises(MarginquakeError, match=told):
        list(read_series(write(tmp_path, *lines)))


def test_a_file_without_prices_or_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarginquakeError, match="no column close"):
        list(read_series(write(tmp_path, "2026-01-01,1", header="date,open")))
    binary = tmp_path / "x.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MarginquakeError, match="cannot be read"):
        list(read_series(binary))


def test_a_crash_is_on_the_path_and_every_hour_is_counted(tmp_path: Path) -> None:
    path = regime_path(read_series(storm(tmp_path)))
    assert path.passages[-1].to_state == "liquidation"
    assert path.passages[-1].until is None
    assert sum(path.hours.values()) == 33 * 24
    for before, after in zip(path.passages, path.passages[1:], strict=False):
        assert before.until is not None and before.until <= after.at


def test_the_command_prints_the_table_or_json(tmp_path: Path) -> None:
    file = storm(tmp_path)
    table = CliRunner().invoke(app, ["regime", str(file)])
    assert table.exit_code == 0
    assert "liquidation" in table.output and "days: " in table.output
    told = CliRunner().invoke(app, ["regime", str(file), "--json"])
    assert json.loads(told.output)["passages"][-1]["to_state"] == "liquidation"


def test_a_file_that_is_not_there_is_bad_usage(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["regime", str(tmp_path / "none.csv")]).exit_code == 2


def test_headers_are_read_in_any_case_and_after_a_mark_of_order(tmp_path: Path) -> None:
    file = write(tmp_path, "2026-01-01,100", "2026-01-02,101", header="\ufeffDate, Close")
    assert next(iter(read_series(file))).close == 100.0


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("2026-01-02,100,90,95", "line 3: high 90 is below low 95"),
        ("2026-01-02,100,110,95,7", "line 3: more cells than the header has"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(
    tmp_path: Path, line: str, complaint: str
) -> None:
    file = write(tmp_path, "2026-01-01,100,110,95", line, header="time,close,high,low")
    with pytest.raises(MarginquakeError, match=complaint):
        list(read_series(file))


def test_a_missing_column_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    file = write(tmp_path, "2026-01-01;100", header="time;close")
    with pytest.raises(MarginquakeError, match=r"no column time .* it has time;close"):
        list(read_series(file))


def test_hours_without_a_verdict_are_told_with_their_reason(tmp_path: Path) -> None:
    path = regime_path(read_series(storm(tmp_path)))
    assert path.unknown.keys() == {"history_below_14_days", "too_few_inputs"}
    assert sum(path.unknown.values()) == path.hours["unknown"]
