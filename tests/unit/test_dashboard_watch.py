"""What a browser may ask, and what it is told: pacing, failures, the newest state of each panel."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from streams.config import MarginquakeError
from streams.dashboard.panels import Panels
from streams.dashboard.questions import RANGES, Question, parse_question
from streams.dashboard.watch import Listener, Reader, Watch
from streams.facts.feeds import Channel, judge, standing
from streams.facts.reading import MOST_POINTS, SECOND, Span, WarehouseAway


class Told(Reader):
    """A warehouse that answers from a script: `answers` by the name of the reading function."""

    def __init__(self) -> None:
        self.away = False
        self.broken: set[str] = set()
        self.reads: list[str] = []
        self.content = 0
        self.reopened = 0
        self.cost: Callable[[str], None] = lambda name: None

    async def ask(self, read: Any, span: Span) -> Any:
        name = read.__name__
        self.reads.append(name)
        self.cost(name)
        if self.away or name in self.broken:
            raise MarginquakeError(f"{name} fails")
        return None if name == "reach" else {"content": self.content}

    async def reopen(self) -> None:
        self.reopened += 1


class Some(Panels, frozen=True):
    def by_name(self) -> dict[str, Callable[[Client, Span], dict[str, Any]]]:
        return {name: panel(name) for name in ("cheap", "costly")}


def watching(reader: Reader) -> Watch:
    return Watch(reader, Question("BTC", 3600, 0, 0), Some(60), 0.2)


def panel(name: str) -> Callable[[Client, Span], dict[str, Any]]:
    def read(client: Client, span: Span) -> dict[str, Any]:
        raise AssertionError("the script answers")

    read.__name__ = name
    return read


async def news(listener: Listener) -> dict[str, Any]:
    return {name: json.loads(body) for name, body in await listener.heard()}


async def test_only_what_changed_is_told() -> None:
    reader = Told()
    watch = watching(reader)
    listener = watch.join()
    await watch.round()
    assert set(await news(listener)) == {"clock", "cheap", "costly"}
    await watch.round()
    assert set(await news(listener)) == {"clock"}
    reader.content = 1
    await watch.round()
    told = await news(listener)
    assert told["cheap"] == {"content": 1}


async def test_who_joins_late_gets_all_and_who_is_slow_only_the_newest() -> None:
    reader = Told()
    watch = watching(reader)
    slow = watch.join()
    for content in range(5):
        reader.content = content
        await watch.round()
    assert set(await news(watch.join())) == {"clock", "cheap", "costly"}
    assert (await news(slow))["cheap"] == {"content": 4}


async def test_a_costly_panel_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("streams.dashboard.watch.time.monotonic", lambda: now)
    reader = Told()

    def spend(name: str) -> None:
        nonlocal now
        now += 2.0 if name == "costly" else 0.01

    reader.cost = spend
    watch = watching(reader)
    for _ in range(6):
        await watch.round()
        now += 1.0
    assert reader.reads.count("cheap") == 6
    assert reader.reads.count("costly") == 1
    now += 8.0
    await watch.round()
    assert reader.reads.count("costly") == 2


async def test_a_panel_that_fails_is_named_and_a_warehouse_away_is_said_once_for_all() -> None:
    reader = Told()
    reader.broken = {"costly"}
    watch = watching(reader)
    listener = watch.join()
    await watch.round()
    told = await news(listener)
    assert told["costly"] == {"failure": "costly fails"}
    assert told["clock"]["failure"] is None
    assert reader.reopened == 0
    reader.away = True
    await watch.round()
    told = await news(listener)
    assert told["clock"]["failure"] == "reach fails"
    assert reader.reopened == 1
    reader.away, reader.broken = False, set()
    await watch.round()
    told = await news(listener)
    assert told["clock"]["failure"] is None
    assert told["costly"] == {"content": 0}


@pytest.mark.parametrize("name", RANGES)
def test_a_live_range_ends_now_and_no_bucket_of_it_is_cut(name: str) -> None:
    now = 1_793_620_812_345_678
    span = parse_question("BTC", name, None, None).span(now)
    assert now <= span.end < now + SECOND
    assert span.begin % (span.step * SECOND) == 0
    assert 0 <= span.end - span.begin - RANGES[name] * SECOND < span.step * SECOND
    assert (span.end - span.begin) / SECOND / span.step <= MOST_POINTS + 1


def test_a_fixed_range_is_what_it_says_in_any_zone() -> None:
    fixed = parse_question("ALL", None, "2026-03-01T14:00+09:00", "2026-03-01T06:00Z").span(0)
    assert (fixed.end - fixed.begin) / SECOND == 3600


@pytest.mark.parametrize(
    ("states", "fresh", "heard", "state"),
    [
        ([("up", "subscribe"), ("up", "heartbeat")], True, True, "live"),
        ([("up", "subscribe"), ("down", "gap")], True, True, "partial"),
        ([("down", "disconnect"), ("down", "timeout")], True, False, "stale"),
        ([("down", "timeout"), ("down", "timeout")], True, False, "silent"),
        ([("up", "subscribe")], False, True, "stale"),
        ([], True, False, "silent"),
        ([], True, True, "live"),
        ([], False, True, "stale"),
    ],
)
def test_a_venue_is_judged_by_its_last_words(
    states: list[tuple[str, str]], fresh: bool, heard: bool, state: str
) -> None:
    channels = [
        Channel("okx", f"channel-{index}", "a", word, reason, index, None)
        for index, (word, reason) in enumerate(states)
    ]
    venue = judge("okx", channels, fresh, heard)
    assert venue.state == state
    for word, reason in states:
        assert (reason in venue.why) == (word == "down")


async def test_a_warehouse_lost_in_a_round_is_said_at_once_and_read_anew_when_it_is_back() -> None:
    reader = Told()
    watch = watching(reader)
    listener = watch.join()
    await watch.round()
    await news(listener)

    def lost(name: str) -> None:
        if name == "cheap":
            raise WarehouseAway("nobody answers")

    reader.cost = lost
    await watch.round()
    told = await news(listener)
    assert told["clock"]["failure"] == "nobody answers"
    assert "cheap" not in told
    assert reader.reopened == 1
    reader.cost, reader.content = lambda name: None, 7
    await watch.round()
    told = await news(listener)
    assert told["clock"]["failure"] is None
    assert told["cheap"] == told["costly"] == {"content": 7}


async def test_a_fault_of_the_dashboard_itself_is_told_and_does_not_end_the_watch() -> None:
    reader = Told()
    watch = watching(reader)
    listener = watch.join()

    def faulty(name: str) -> None:
        raise TypeError("a fault")

    reader.cost = faulty
    running = asyncio.create_task(watch.run())
    told = await news(listener)
    assert "TypeError" in told["clock"]["failure"]
    reader.cost = lambda name: None
    async with asyncio.timeout(10):
        while told["clock"]["failure"] is not None:
            told = await news(listener)
    assert told["cheap"] == {"content": 0}
    running.cancel()


UP, DOWN = "up", "down"


@pytest.mark.parametrize(
    ("words", "state"),
    [
        # Renewed: the heir is heard before the old one is closed.
        ([("public-0a", UP, 1), ("public-0b", UP, 5), ("public-0a", DOWN, 6)], "live"),
        # Lost, and opened again under the other name.
        ([("public-0a", DOWN, 5), ("public-0b", UP, 9)], "live"),
        # Another place of the same channel holds other assets.
        ([("public-0a", DOWN, 5), ("public-1b", UP, 9)], "partial"),
        ([("public-0a", DOWN, 5), ("public-0b", DOWN, 9)], "stale"),
        # Names that say nothing of turns.
        ([("a", DOWN, 5), ("b", UP, 9)], "partial"),
        ([("sim", UP, 5)], "live"),
    ],
)
def test_a_connection_that_gave_its_place_to_the_next_counts_no_more(
    words: list[tuple[str, str, int]], state: str
) -> None:
    newest = {
        name: Channel("okx", "trade", name, word, "disconnect" if word == DOWN else "x", at, None)
        for name, word, at in words
    }
    assert judge("okx", standing(list(newest.values())), True, True).state == state


@pytest.mark.parametrize("asset", ["BTC", "1000PEPE", "xyz:GOLD", "币安人生", "A" * 60])
def test_every_asset_that_a_venue_may_list_can_be_asked_for(asset: str) -> None:
    assert parse_question(asset, "1h", None, None).scope == asset


@pytest.mark.parametrize("asset", ["", "a b", "<b>", "'; DROP", "A" * 61, "BTC\n"])
def test_what_can_be_no_asset_is_refused(asset: str) -> None:
    with pytest.raises(MarginquakeError, match="is no asset"):
        parse_question(asset, "1h", None, None)
