"""Measures the detectors: microseconds an asset-second, and bytes an asset after months.

A benchmark beside the data path. `cost` runs frames through the asset stages with a clock around
each detector's hooks; `state` fills the histories of one asset and weighs what would be stored and
what lives in memory. Promises plain sums, told by detector. Asserts nothing.
"""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from math import sin
from pathlib import Path
from typing import Any, Final

import msgspec

from streams.core.detectors.signal import HOT, Detector, Part
from streams.core.events import MICROS, Contract, PositionSide
from streams.core.frames import BookState, Cell, Flow, Frame, TickerState
from streams.core.params import Params
from streams.core.pipeline import AssetStage, BrokenChain
from streams.core.rowmeta import RowMeta

BEGIN: Final = 1_760_000_400
HOUR: Final = 3600
REST: Final = "cascades, prints, minutes"
"""What a stage does besides its registered detectors."""


class Cost(msgspec.Struct, frozen=True):
    """Mean cost of an asset-second. `frames` are what the stages were given, quiet ones too;
    `us_by_detector` sums to `us`.
    """

    assets: int
    frames: int
    us: float
    us_by_detector: dict[str, float]


class State(msgspec.Struct, frozen=True):
    """What an asset weighs after `days` days. Bytes as stored, by detector; `memory` is resident
    memory per asset of this process, all detectors together.
    """

    days: int
    minutes: int
    bytes_by_detector: dict[str, int]
    hot: int
    memory: int


class Timed(Detector):
    """A detector with a clock around its hooks; everything else is the detector's own."""

    def __init__(self, detector: Detector, spent: dict[str, int]) -> None:
        self._detector = detector
        self._spent = spent
        spent.setdefault(detector.name, 0)

    @property
    def name(self) -> str:  # type: ignore[override]
        """The detector's."""
        return self._detector.name

    def _timed(self, work: Callable[..., Any], *arguments: Any) -> Any:
        began = time.thread_time_ns()
        rows = work(*arguments)
        self._spent[self._detector.name] += time.thread_time_ns() - began
        return rows

    def second(self, *arguments: Any) -> Any:
        """Pass on, timed."""
        return self._timed(self._detector.second, *arguments)

    def minute(self, *arguments: Any) -> Any:
        """Pass on, timed."""
        return self._timed(self._detector.minute, *arguments)

    def results(self, *arguments: Any) -> Any:
        """Pass on, timed."""
        return self._timed(self._detector.results, *arguments)

    def parts(self) -> Sequence[Part]:
        """Pass on."""
        return self._detector.parts()

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Pass on."""
        self._detector.restore(parts)


def cost(frames: Sequence[Frame], params: Params) -> Cost:
    """Run frames, in order, through fresh asset stages."""
    meta = RowMeta(params.hash(), "bench", 0)
    spent: dict[str, int] = {}
    stages: dict[str, AssetStage] = {}
    total = 0
    gc.collect()
    gc.freeze()
    for frame in frames:
        stage = stages.get(frame.asset)
        if stage is None:
            stage = stages[frame.asset] = AssetStage(frame.asset, params, meta)
            stage.signals[:] = [Timed(detector, spent) for detector in stage.signals]
        began = time.thread_time_ns()
        stage.step(frame)
        total += time.thread_time_ns() - began
    gc.unfreeze()
    spent[REST] = total - sum(spent.values())
    per = {name: ns / 1000 / max(1, len(frames)) for name, ns in spent.items()}
    return Cost(len(stages), len(frames), total / 1000 / max(1, len(frames)), per)


def state(days: int, params: Params, copies: int, progress: Callable[[int], None]) -> State:
    """Weigh an asset after one busy frame an hour for `days` days.

    Args:
        days: length of the history.
        params: of the detectors.
        copies: stages restored from the result, to measure memory.
        progress: told the hours done.
    """
    meta = RowMeta(params.hash(), "bench", 0)
    stage = AssetStage("BTC", params, meta)
    prev: int | None = None
    for hour in range(days * 24):
        frame = _frame(hour, prev)
        rows = stage.step(frame)
        if isinstance(rows, BrokenChain):
            raise RuntimeError(f"the made frames are no chain: {rows}")
        prev = frame.second
        progress(hour + 1)
    by_detector = {
        detector.name: sum(len(part.encode()) for part in detector.parts())
        for detector in stage.signals
    }
    kept = stage.snapshot()
    pages = {name: len(page) for name, page in kept.pages.items()}
    signals = tuple(f"{name}." for name in by_detector)
    stored = sum(size for name, size in pages.items() if not name.startswith(signals))
    hot_parts = sum(
        len(part.encode()) for one in stage.signals for part in one.parts() if part.version == HOT
    )
    by_detector[REST] = len(kept.hot) - hot_parts + stored
    before = _resident()
    again = [AssetStage("BTC", params, meta) for _ in range(copies)]
    for one in again:
        one.restore(kept.hot, kept.pages)
    memory = (_resident() - before) // copies
    return State(days, days * 24 * 60, by_detector, len(kept.hot), memory)


def _resident() -> int:
    """Resident memory of this process in bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096


def _frame(hour: int, prev: int | None) -> Frame:
    """A busy second at the hour: every channel of three venues, slow waves in every value."""
    second = (BEGIN + hour * HOUR) * MICROS
    wave = sin(hour / 37)
    price = 60_000 * (1 + 0.05 * wave)
    usd = round(50_000 * (1.5 + wave) * MICROS)
    side: PositionSide = "long" if wave > 0 else "short"
    perpetual = ("binance-usdm", "bybit")
    markets: tuple[tuple[str, Contract], ...] = (
        ("binance-spot", "spot"),
        ("binance-usdm", "linear"),
        ("bybit", "linear"),
    )
    return Frame(
        "BTC",
        0,
        second,
        prev,
        1.0,
        perpetual,
        perpetual,
        tuple(f"{venue}/liquidation" for venue in perpetual),
        tuple(
            Cell(venue, "BTCUSDT", side, "liquidation", "all", 3, usd, usd) for venue in perpetual
        ),
        (),
        tuple(
            Flow(venue, "BTCUSDT", contract, 9, usd * 9, usd * 8, price, price, price, price)
            for venue, contract in markets
        ),
        tuple(_ticker(venue, second, price, wave) for venue in perpetual),
        tuple(_book(venue, second, price, wave) for venue in perpetual),
    )


def _ticker(venue: str, second: int, price: float, wave: float) -> TickerState:
    coins, rate = 100_000 * (1 + 0.1 * wave), 0.0001 * (1 + wave)
    due = second + 8 * HOUR * MICROS
    return TickerState(
        venue,
        "BTCUSDT",
        "linear",
        price,
        price,
        price,
        coins,
        None,
        second,
        rate,
        due,
        8 * HOUR,
        second,
    )


def _book(venue: str, second: int, price: float, wave: float) -> BookState:
    depth = tuple(round(2_000_000 * (1 + 0.3 * wave) * reach * MICROS) for reach in (1, 2, 3, 5))
    slip = (0.4, 3.0)
    return BookState(
        venue, "BTCUSDT", "linear", price - 0.5, price + 0.5, depth, depth, second, slip, slip
    )
