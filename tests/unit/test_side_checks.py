"""Assumed sides are held against a witness wherever records are framed: counted and told."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.collect.live import Live
from streams.collect.reach import Reach
from streams.collect.records import Record
from streams.contracts import partition_for
from streams.core.events import Raw, Ticker
from streams.core.normalise import normalise
from streams.edges.side_checks import ASSUMED, SideChecks
from streams.engines.inprocess import InProcess
from streams.parsing import VARIABLE, parsers
from streams.telemetry import REGISTRY
from streams.venues import PARSERS
from streams.venues.assumptions import DOCUMENTED, parsed, settings_of
from streams.venues.bybit.interest import InterestCheck, told_of
from tests.archived import INSTRUMENTS
from tests.messages import forced

NOW_US = forced.MS * 1000 + 600_000


def ticker(symbol: str = "BTCUSDT", **data: Any) -> dict[str, Any]:
    row = {"symbol": symbol, **data}
    return {"topic": f"tickers.{symbol}", "type": "snapshot", "ts": forced.MS, "data": row}


def told(both: str, single: str, symbol: str = "BTCUSDT") -> dict[str, Any]:
    return ticker(symbol, openInterest=both, singleOpenInterest=single)


def raw(message: Any, at: int = 0) -> Raw:
    return Raw("bybit", None, "c0", NOW_US + at, json.dumps(message).encode())


def counted(verdict: str) -> float:
    labels = {"venue": "bybit", "verdict": verdict}
    return REGISTRY.get_sample_value("marginquake_sides_checked_total", labels) or 0.0


@pytest.mark.parametrize(
    ("both", "single", "two", "one"),
    [
        ("110000.5", "55000.25", "agrees", "contradicts"),
        ("110000", "55123", "agrees", "contradicts"),
        ("55000.25", "55000.25", "contradicts", "agrees"),
        ("300", "100", "contradicts", "contradicts"),
    ],
)
def test_the_two_figures_of_a_ticker_judge_what_is_assumed(
    both: str, single: str, two: str, one: str
) -> None:
    assert InterestCheck(2).see(raw(told(both, single))) == [two]
    assert InterestCheck(1).see(raw(told(both, single))) == [one]
    assert told_of(raw(told(both, single)).payload) == "BTCUSDT"


@pytest.mark.parametrize(
    "message",
    [
        ticker(openInterest="2"),
        ticker(singleOpenInterest="1"),
        told("0", "0"),
        told("1", ""),
        told("nan", "1"),
        told("1e999999999", "1e999999999"),
        {"data": "singleOpenInterest"},
    ],
)
def test_a_message_without_both_figures_is_not_judged(message: Any) -> None:
    assert InterestCheck().see(raw(message)) == []
    assert told_of(raw(message).payload) is None
    assert InterestCheck().see(Raw("bybit", None, "c", 0, b'{"singleOpenInterest"')) == []


def test_a_contradiction_is_counted_each_time_and_told_once_a_symbol() -> None:
    warned: list[str] = []
    checks = SideChecks(PARSERS, INSTRUMENTS, DOCUMENTED, warned.append)
    before = counted("agrees"), counted("contradicts")
    wrong, other = told("100", "100"), told("7", "7", "ETHUSDT")
    checks.see_all([raw(one) for one in (wrong, wrong, told("200", "100"), other, wrong)])
    assert (counted("agrees"), counted("contradicts")) == (before[0] + 1, before[1] + 4)
    assert [why.partition(":")[0] for why in warned] == ["bybit BTCUSDT", "bybit ETHUSDT"]
    assert all("bybit.interest_sides" in why and VARIABLE in why for why in warned)


def test_a_setting_that_the_figures_bear_out_is_not_warned_of() -> None:
    warned: list[str] = []
    assumed = parsed("bybit.interest_sides=1")
    SideChecks(PARSERS, INSTRUMENTS, assumed, warned.append).see(raw(told("100", "100")))
    assert not warned


def test_the_number_is_never_altered() -> None:
    (event,) = normalise(raw(told("100", "100")), PARSERS, INSTRUMENTS)
    assert isinstance(event, Ticker)
    assert event.open_interest_base == 100.0


def test_every_check_judges_an_assumption_that_there_is() -> None:
    assert set(ASSUMED.values()) <= {one.name for one in settings_of(DOCUMENTED)}


def test_replay_warns_in_the_same_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    path = tmp_path / "log.jsonl"
    lines = [(told("100", "100"), 0), (told("100", "100"), 100), (told("200", "100"), 200)]
    path.write_text(
        "".join(
            json.dumps({"venue": "bybit", "received_at_us": NOW_US + at, "payload": message}) + "\n"
            for message, at in lines
        )
    )
    done = CliRunner().invoke(app, ["replay", str(path), "--jsonl", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    words: list[str] = []
    SideChecks(parsers(), INSTRUMENTS, DOCUMENTED, words.append).see(raw(told("100", "100")))
    assert done.stderr.count(words[0]) == 1


async def test_live_shows_what_it_frames() -> None:
    before = counted("contradicts")
    warned: list[str] = []
    checks = SideChecks(PARSERS, INSTRUMENTS, DOCUMENTED, warned.append)
    live = Live(InProcess(PARSERS, INSTRUMENTS, partition_for), Reach(()), checks.see)
    await live.put(Record(raw(told("100", "100")), "BTC"))
    live.step()
    assert (counted("contradicts"), len(warned)) == (before + 1, 1)
