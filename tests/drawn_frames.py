"""Frames of an asset drawn from a seed, with every channel, for the laws that all detectors keep.

`Draw` says what the market is like: which channels exist, how long it runs, where a venue goes
silent. `chain` gives frames as the framer would: each second while busy, then each tenth, quiet
ones marked, `prev` linked.
"""

from collections.abc import Sequence
from random import Random

import msgspec

from streams.core.events import MICROS, Completeness, Contract, PositionSide
from streams.core.frames import (
    BookState,
    Cell,
    Flow,
    Frame,
    LateCell,
    MacroValue,
    TickerState,
)
from tests.scenarios import chance

BEGIN = 1_790_000_040
"""First second, s; a minute begins there."""

FULL, SAMPLED, SPOT = "bybit", "binance-usdm", "binance-spot"


class Draw(msgspec.Struct, frozen=True):
    """What is drawn. `without`: channels that do not exist (`liquidation`, `trade`, `spot`,
    `ticker`, `book`, `macro`); `silent`: (begin, end) in s after BEGIN without orders and
    tickers of the full venue; `gap`: (at, length): at `at` all feeds go down for so many seconds
    without a frame; `price` and `dollars`: the scale of prices and of orders.
    """

    seed: int
    seconds: int = 2 * 3600
    asset: str = "BTC"
    partition: int = 0
    without: frozenset[str] = frozenset()
    silent: tuple[int, int] | None = None
    gap: tuple[int, int] | None = None
    price: float = 60_000.0
    dollars: float = 20_000.0


def chain(draw: Draw) -> list[Frame]:
    """The frames, ascending."""
    random = chance(draw.seed)
    path = _Path(draw, random)
    frames: list[Frame] = []
    prev: int | None = None
    health: tuple[str, ...] | None = None
    busy_until = 0
    offset = 0
    for at in range(draw.seconds):
        path.step()
        if draw.gap is not None and at == draw.gap[0]:
            # The feeds go down, and time jumps.
            frames.append(path.frame(BEGIN + at, prev, (), cascade=False, quiet=False))
            prev, health, offset = BEGIN + at, (), draw.gap[1]
            continue
        venues = _up(draw, at)
        cascade = draw.seconds // 2 <= at < draw.seconds // 2 + 180
        lively = cascade or random.random() < 0.02
        if lively:
            busy_until = at + 5
        second = BEGIN + at + offset
        if not (lively or at <= busy_until or second % 10 == 0 or venues != health):
            continue
        quiet = not lively and at % 30 != 0 and venues == health
        frames.append(path.frame(second, prev, venues, cascade=cascade, quiet=quiet))
        prev, health = second, venues
    return frames


def without_quiet(frames: Sequence[Frame]) -> list[Frame]:
    """The same frames without the quiet ones, linked again."""
    kept: list[Frame] = []
    for frame in frames:
        if not frame.quiet:
            prev = kept[-1].second if kept else None
            kept.append(msgspec.structs.replace(frame, prev=prev))
    return kept


def _up(draw: Draw, at: int) -> tuple[str, ...]:
    if "liquidation" in draw.without:
        return ()
    if draw.silent is not None and draw.silent[0] <= at < draw.silent[1]:
        return (SAMPLED,)
    return (SAMPLED, FULL)


class _Path:
    """The market behind the frames: one price, one open interest, one depth."""

    def __init__(self, draw: Draw, random: Random) -> None:
        self.draw = draw
        self.random = random
        self.price = draw.price
        self.interest = 200_000.0
        self.funding = 0.0001
        self.tickers: dict[str, TickerState] = {}

    def step(self) -> None:
        self.price *= 1 + self.random.gauss(0, 0.0002)
        self.interest *= 1 + self.random.gauss(0, 0.0001)
        self.funding += self.random.gauss(0, 1e-6)

    def frame(
        self, second: int, prev: int | None, up: tuple[str, ...], *, cascade: bool, quiet: bool
    ) -> Frame:
        draw, random = self.draw, self.random
        known = () if "liquidation" in draw.without else (SAMPLED, FULL)
        cells: tuple[Cell, ...] = ()
        late: tuple[LateCell, ...] = ()
        flows: tuple[Flow, ...] = ()
        books: tuple[BookState, ...] = ()
        macro: tuple[MacroValue, ...] = ()
        if not quiet:
            if cascade:
                self.price *= 0.9998
            side: PositionSide = "long" if cascade or random.random() < 0.6 else "short"
            if known and (cascade or random.random() < 0.5):
                cells = tuple(self._cell(venue, side) for venue in up)
            if known and random.random() < 0.01:
                then = (second - random.randint(1, 90)) * MICROS
                usd = round(draw.dollars * MICROS)
                late = (LateCell(then, FULL, "BTCUSDT", side, "liquidation", 1, usd),)
            if "trade" not in draw.without:
                venues = (SAMPLED, FULL) if "spot" in draw.without else (SPOT, SAMPLED, FULL)
                flows = tuple(self._flow(venue) for venue in venues)
            if "ticker" not in draw.without and (not self.tickers or random.random() < 0.5):
                for venue in (SAMPLED, FULL):
                    if venue in up or not known or venue not in self.tickers:
                        self.tickers[venue] = self._ticker(venue, second)
            if "book" not in draw.without:
                thin = 0.2 if cascade else 1.0
                books = tuple(self._book(venue, second, thin) for venue in (SAMPLED, FULL))
            if "macro" not in draw.without:
                stamp = (second // 60 * 60 - 30) * MICROS
                macro = (MacroValue("DXY", 100 + random.gauss(0, 0.1), stamp),)
        return Frame(
            draw.asset,
            draw.partition,
            second * MICROS,
            None if prev is None else prev * MICROS,
            len(up) / len(known) if known else 0.0,
            up,
            known,
            tuple(sorted(f"{venue}/liquidation" for venue in up)),
            cells,
            late,
            flows,
            tuple(self.tickers.values()),
            books,
            quiet,
            macro,
        )

    def _cell(self, venue: str, side: PositionSide) -> Cell:
        n = self.random.randint(1, 4)
        usd = round(self.draw.dollars * self.random.lognormvariate(0, 1.5) * MICROS)
        kept: Completeness = "all" if venue == FULL else "sampled"
        return Cell(venue, "BTCUSDT", side, "liquidation", kept, n, usd, usd // n, 3 * usd)

    def _flow(self, venue: str) -> Flow:
        buy, sell = (
            round(self.draw.dollars * self.random.lognormvariate(1, 1) * MICROS) for _ in range(2)
        )
        contract: Contract = "spot" if venue == SPOT else "linear"
        close = self.price * (1 + self.random.gauss(0, 1e-5))
        return Flow(venue, "BTCUSDT", contract, 5, buy, sell, close, close, close, close)

    def _ticker(self, venue: str, second: int) -> TickerState:
        stamp = second * MICROS
        due = (second // 28_800 + 1) * 28_800 * MICROS
        return TickerState(
            venue,
            "BTCUSDT",
            "linear",
            self.price,
            self.price,
            self.price,
            self.interest,
            None,
            stamp,
            self.funding,
            due,
            28_800,
            stamp,
        )

    def _book(self, venue: str, second: int, thin: float) -> BookState:
        size = self.draw.dollars * 40 * thin * self.random.lognormvariate(0, 0.2)
        bands = tuple(round(size * reach * MICROS) for reach in (1, 2, 3, 4))
        tick = self.price * 1e-5
        slip = (0.5 / thin, None)
        return BookState(
            venue,
            "BTCUSDT",
            "linear",
            self.price - tick,
            self.price + tick,
            bands,
            bands,
            second * MICROS,
            slip,
            slip,
        )
