"""The laws that every registered detector keeps, on drawn frames with every channel.

A detector that is not in the registry, or that is but publishes nothing here, fails the suite:
no law is kept in silence. Laws: a restart at any point, a frame that comes twice and a quiet
second left out change no byte; missing channels and extreme values give rows whose nulls have
reasons and whose numbers are finite; a page once written never changes; state stays bounded.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import pytest

import streams.core.detectors as package
from schemas.results import validate_result
from streams.core.detectors.registry import REGISTRY
from streams.core.detectors.signal import Detector
from streams.core.events import MICROS
from streams.core.frames import Frame, Tick
from streams.core.params import Params
from streams.core.pipeline import AssetStage, BrokenChain, MarketStage
from streams.core.results import MARKET, Contribution, Output, Result
from streams.core.rowmeta import RowMeta
from tests.drawn_frames import Draw, chain, without_quiet
from tests.scenarios import chance

PARAMS = Params()
META = RowMeta(PARAMS.hash(), "test", 0)
MINUTE = 60
DAY = 86_400

FULL_MARKET = Draw(seed=7)
DRAWS = {
    "every channel": FULL_MARKET,
    "liquidations only": Draw(
        seed=2, seconds=5400, without=frozenset({"trade", "ticker", "book", "macro"})
    ),
    "no book": Draw(seed=3, seconds=5400, without=frozenset({"book"})),
    "no spot": Draw(seed=4, seconds=5400, without=frozenset({"spot", "macro"})),
    "no liquidations": Draw(seed=5, seconds=5400, without=frozenset({"liquidation"})),
    "tickers only": Draw(
        seed=6, seconds=3600, without=frozenset({"liquidation", "trade", "book", "macro"})
    ),
    "a venue goes silent": Draw(seed=8, seconds=5400, silent=(1200, 3300)),
    "forty days away": Draw(seed=9, seconds=5400, gap=(2000, 40 * DAY)),
    "tiny prices": Draw(seed=10, seconds=3600, price=1e-9, dollars=1e-3),
    "huge values": Draw(seed=11, seconds=3600, price=1e9, dollars=1e7),
    "no money": Draw(seed=12, seconds=3600, dollars=0.0),
}


def names() -> list[str]:
    return [make(MARKET, PARAMS, META).name for make in REGISTRY]


def stage(draw: Draw = FULL_MARKET) -> AssetStage:
    return AssetStage(draw.asset, PARAMS, META)


def step(one: AssetStage, frame: Frame) -> list[Output]:
    rows = one.step(frame)
    assert not isinstance(rows, BrokenChain), rows
    return rows


def results(rows: Iterable[Output]) -> list[bytes]:
    """Rows of detectors, encoded; what goes on to the market stage is held apart."""
    return [msgspec.json.encode(row) for row in rows if not isinstance(row, Contribution)]


def run(frames: Sequence[Frame], draw: Draw = FULL_MARKET) -> list[Output]:
    one = stage(draw)
    return [row for frame in frames for row in step(one, frame)]


def restarted(one: AssetStage, draw: Draw, pages: dict[str, bytes]) -> AssetStage:
    """The stage rebuilt from its bytes; checks that a page is never written with other content."""
    kept = one.snapshot()
    for name, page in kept.pages.items():
        assert pages.setdefault(name, page) == page, f"page {name} changed"
    assert set(kept.needed) == set(kept.pages)
    again = stage(draw)
    again.restore(kept.hot, {name: pages[name] for name in kept.needed})
    return again


def detectors() -> Iterator[type]:
    """Every class in the package that is a detector."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        found = importlib.import_module(module.name)
        for value in vars(found).values():
            ours = isinstance(value, type) and value.__module__ == found.__name__
            if ours and Detector in value.__mro__ and value is not Detector:
                yield value


def test_every_detector_is_in_the_registry_once() -> None:
    registered = [type(make(MARKET, PARAMS, META)) for make in REGISTRY]
    assert len(set(registered)) == len(registered)
    assert set(registered) == set(detectors())
    assert len(set(names())) == len(registered)


@pytest.fixture(scope="module")
def whole() -> list[Output]:
    return run(chain(FULL_MARKET))


@pytest.mark.parametrize("name", names())
def test_the_laws_see_rows_of_every_detector(whole: list[Output], name: str) -> None:
    said = {row.definition.split("/")[0] for row in whole if not isinstance(row, Contribution)}
    makers = {"regime": {"regime"}, "positioning": {"positioning"}}
    assert said & makers.get(name, {name, name.removesuffix("s")}), sorted(said)


@pytest.mark.parametrize("which", DRAWS)
def test_a_restart_at_any_point_changes_nothing(which: str) -> None:
    draw = DRAWS[which]
    frames = chain(draw)
    random = chance(draw.seed)
    pages: dict[str, bytes] = {}
    one, rows = stage(draw), []
    for frame in frames:
        rows += step(one, frame)
        if random.random() < 0.02:
            one = restarted(one, draw, pages)
    assert [msgspec.json.encode(row) for row in rows] == [
        msgspec.json.encode(row) for row in run(frames, draw)
    ]


def test_a_frame_that_comes_twice_changes_nothing(whole: list[Output]) -> None:
    one, rows = stage(), []
    for frame in chain(FULL_MARKET):
        rows += step(one, frame)
        assert step(one, frame) == []
    assert results(rows) == results(whole)


@pytest.mark.parametrize("which", DRAWS)
def test_a_quiet_second_may_be_left_out(which: str) -> None:
    draw = DRAWS[which]
    frames = chain(draw)
    few = without_quiet(frames)
    assert len(few) < len(frames)
    last = frames[-1].second
    # Both must reach the same second; a quiet last frame only closes what is due by then.
    if few[-1].second != last:
        final = msgspec.structs.replace(frames[-1], prev=few[-1].second)
        few.append(final)
    assert results(run(few, draw)) == results(run(frames, draw))


@pytest.mark.parametrize("which", DRAWS)
def test_every_row_keeps_the_laws_of_its_model(which: str) -> None:
    draw = DRAWS[which]
    for row in run(chain(draw), draw):
        if not isinstance(row, Contribution):
            validate_result(row)


def test_time_of_rows_never_runs_ahead_or_backwards(whole: list[Output]) -> None:
    one = stage()
    last: dict[tuple[str, object, object], int] = {}
    for frame in chain(FULL_MARKET):
        for row in step(one, frame):
            if isinstance(row, Contribution):
                continue
            assert row.watermark <= frame.second
            at = getattr(row, "at", None)
            if at is not None and type(row).__name__ != "Alert":
                key = (type(row).__name__, getattr(row, "venue", None), getattr(row, "window_s", 0))
                assert last.get(key, 0) <= at
                last[key] = at


def test_ids_are_distinct() -> None:
    rows = [row for row in run(chain(FULL_MARKET)) if not isinstance(row, Contribution)]
    signals = [row.id for row in rows if hasattr(row, "at")]
    assert len(set(signals)) == len(signals)


def market(draws: Sequence[Draw], seed: int, *, restart: bool) -> list[Result]:
    """The market stage over two assets in one partition, restarted or not."""
    random = chance(seed)
    one = MarketStage(PARAMS, META)
    stages = {draw.asset: stage(draw) for draw in draws}
    seconds: dict[int, list[Frame]] = {}
    for draw in draws:
        for frame in chain(draw):
            seconds.setdefault(frame.second, []).append(frame)
    rows: list[Result] = []
    prev: int | None = None
    for second in sorted(seconds):
        items: list[Tick | Contribution] = []
        for frame in seconds[second]:
            out = step(stages[frame.asset], frame)
            items += [row for row in out if isinstance(row, Contribution)]
        count = sum(not frame.quiet for frame in seconds[second])
        assert count == len(items)
        items.append(Tick(0, 1, second, prev, count))
        random.shuffle(items)
        prev = second
        for item in items:
            rows += one.step(item)
            if restart and random.random() < 0.01:
                kept = one.snapshot()
                one = MarketStage(PARAMS, META)
                one.restore(kept.hot, kept.pages)
    return rows


PAIR = (Draw(seed=21, seconds=4000), Draw(seed=22, seconds=4000, asset="ETH", price=3_000.0))


def test_the_market_stage_keeps_the_laws_too() -> None:
    plain = market(PAIR, 1, restart=False)
    again = market(PAIR, 2, restart=True)
    assert results(plain) == results(again)
    for row in plain:
        validate_result(row)
    said = {row.definition.split("/")[0] for row in plain}
    assert {"cascade", "print", "imbalance", "health"} <= said
    assert max(row.watermark for row in plain) <= PAIR[0].seconds * MICROS + 1_790_000_040 * MICROS
