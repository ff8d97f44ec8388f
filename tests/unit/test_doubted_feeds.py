"""A feed that is assumed to leave orders out is partial in every figure, and in no default."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.collect.planning import LATENESS_US, Asked, plans
from streams.contracts import partition_for
from streams.core.dollars import Estimate
from streams.core.frames import Cell, LateCell
from streams.core.params import Params
from streams.core.results import CascadeWindow, Health, Imbalance, Print, Result
from streams.core.scaling import Scale, by_venue, estimate_late
from streams.core.slots import Slots, tally_late, tally_slots
from streams.core.throttle import FEED_SEMANTICS, ThrottleParams, basket, feed, taken
from streams.edges.archives import lines
from streams.engines.inprocess import InProcess
from streams.parsing import VARIABLE, parameters, parsers
from streams.venues.catalog import effective_table
from tests.archived import INSTRUMENTS
from tests.messages import forced

DOUBTED = ThrottleParams(doubted=("htx",))
AT = 1_790_000_000
SAMPLED = "htx.completeness=sampled"


def cell(venue: str, usd: int = 100) -> Cell:
    return Cell(venue, "BTCUSDT", "long", "liquidation", "all", 1, usd, usd, 500, 500)


def estimated(throttle: ThrottleParams, *venues: str) -> dict[str, Estimate]:
    slots: Slots = {}
    for second in range(30):
        tally_slots(slots, tuple(cell(venue) for venue in venues), AT + second)
    up = ("bybit", "htx")
    return by_venue(slots, 60, AT, Scale({"bybit": 1_000_000, "htx": 2_000_000}, up), throttle)


def test_the_table_is_as_it_stands_unless_a_venue_is_doubted() -> None:
    at_us = AT * 1_000_000
    assert feed("htx", at_us, "all").feed_class == "full"
    assert feed("htx", at_us, "all", ("htx",)).feed_class == "partial"
    assert feed("bybit", at_us, "all", ("htx",)) == feed("bybit", at_us)
    assert basket(("htx", "bybit"), at_us, ("htx",)) == "bybit:full+htx:partial"
    assert [taken(row, ThrottleParams().doubted) for row in FEED_SEMANTICS] == [*FEED_SEMANTICS]
    # What the table calls throttled stays so: its rule says more than the doubt.
    assert taken(FEED_SEMANTICS[1], ("binance-usdm",)) == FEED_SEMANTICS[1]


def test_doubt_changes_the_hash_and_none_leaves_it() -> None:
    encoded = Params(throttle=DOUBTED).hash()
    assert encoded != Params().hash()
    assert Params(throttle=ThrottleParams()).hash() == Params().hash() == "b394b7a5c7c3"


def test_a_doubted_venue_is_a_floor_alone_and_measured_beside_a_complete_one() -> None:
    known = estimated(ThrottleParams(), "htx")["htx"]
    assert (known.identifiability, known.of("long").upper) == ("ok", 3000)
    alone = estimated(DOUBTED, "htx")["htx"]
    assert alone.partial
    assert alone.of("long").upper is None
    beside = estimated(DOUBTED, "htx", "bybit")["htx"]
    assert beside.identifiability == "extrapolated"


def test_a_doubted_venue_measures_no_other() -> None:
    throttled = estimated(ThrottleParams(), "binance-usdm", "htx")
    assert throttled["binance-usdm"].identifiability != "unknown"
    up = Scale({"htx": 2_000_000, "binance-usdm": 2_000_000}, ("htx", "binance-usdm"))
    slots: Slots = {}
    for second in range(30):
        tally_slots(slots, (cell("binance-usdm"),), AT + second)
    beside = by_venue(slots, 60, AT, up, ThrottleParams())["binance-usdm"]
    doubted = by_venue(slots, 60, AT, up, DOUBTED)["binance-usdm"]
    alone = by_venue(slots, 60, AT, Scale(), ThrottleParams())["binance-usdm"]
    assert doubted.of("long") == alone.of("long") != beside.of("long")


def test_late_orders_of_a_doubted_venue_are_a_floor() -> None:
    late: Slots = {}
    tally_late(late, LateCell(AT * 1_000_000, "htx", "BTCUSDT", "long", "liquidation", 1, 7))
    assert not estimate_late(Estimate(), late, AT, ThrottleParams()).partial
    assert estimate_late(Estimate(), late, AT, DOUBTED).partial


def log(folder: Path, orders: int = 600) -> Path:
    """Forced longs of HTX, two a second."""
    path = folder / "htx.jsonl"
    with path.open("w") as out:
        for number in range(orders):
            at_ms = AT * 1000 + number * 500
            message = forced.htx("BTC-USDT", "sell", 4000 + number, 60_000 - number)
            message["data"][0]["created_at"] = at_ms
            line = {"venue": "htx", "received_at_us": at_ms * 1000 + 100_000, "payload": message}
            out.write(json.dumps(line) + "\n")
    return path


def found(path: Path) -> Sequence[Result]:
    engine = InProcess(parsers(), INSTRUMENTS, partition_for, parameters())
    for line in lines([path], parsers(), INSTRUMENTS):
        engine.feed(line.raw, line.source)
    return engine.flush().results


def test_the_setting_reaches_every_figure_of_a_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = log(tmp_path)
    for setting, carried in (("", "full"), (SAMPLED, "partial")):
        monkeypatch.setenv(VARIABLE, setting)
        rows = found(path)
        prints = [row for row in rows if isinstance(row, Print) and row.usd_observed]
        assert {row.basket for row in prints} == {f"htx:{carried}"}
        assert {row.venue for row in prints} >= {None, "htx"}
        windows = [row for row in rows if isinstance(row, CascadeWindow)]
        assert windows
        told: list[Print | CascadeWindow] = [*prints, *windows]
        for row in told:
            whole = carried == "full"
            assert (row.usd_upper == row.usd_observed) is whole
            assert (row.identifiability == "ok") is whole
            assert ("usd_upper" in row.null_reasons) is not whole
        assert any(isinstance(row, Health | Imbalance) for row in rows)


def test_commands_take_the_parameters_of_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = log(tmp_path, 20)
    for setting, carried in (("", "full"), (SAMPLED, "partial")):
        monkeypatch.setenv(VARIABLE, setting)
        out = tmp_path / carried
        done = CliRunner().invoke(app, ["replay", str(path), "--jsonl", str(out)])
        assert done.exit_code == 0, done.output
        told = [json.loads(line) for line in (out / "prints.v1.jsonl").read_text().splitlines()]
        assert {row["basket"] for row in told if row.get("venue") == "htx"} == {f"htx:{carried}"}
        assert {row["params_hash"] for row in told} == {parameters().hash()}


def test_a_collector_waits_for_it_as_for_a_sampled_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, sampled in (("", False), (SAMPLED, True)):
        monkeypatch.setenv(VARIABLE, setting)
        asked = Asked(["htx"], ["BTC"], ["BTC"])
        told = {
            channel: lateness
            for plan in plans(asked, INSTRUMENTS, effective_table())
            for channel, lateness in plan.lateness_us.items()
        }
        assert told["liquidation"] == LATENESS_US[sampled]
        assert told["trade"] == LATENESS_US[False]
